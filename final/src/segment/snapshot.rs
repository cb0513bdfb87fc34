//! What does a reader see? One value that never changes.
//!
//! A snapshot is a list of segments with their tombstones, and the schema. The writer publishes the next one by
//! swapping a pointer; a reader that took one keeps seeing exactly that state until it lets go. Everything in it is
//! shared, so a snapshot costs a few pointers.

use std::{cmp::Reverse, collections::BinaryHeap, sync::Arc};

use crate::{
    bitmap::Bitmap,
    error::Result,
    point::{Lsn, NamedVectors, Ordinal, Payload, Point, PointId},
    schema::CollectionSchema,
    segment::Segment,
};

/// Where a row is: which segment of the snapshot, which row of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Address {
    /// Index into the snapshot's segments.
    pub segment: u32,
    /// Row in that segment.
    pub ordinal: Ordinal,
}

/// A segment as a snapshot sees it: its rows and which of them are dead.
#[derive(Debug, Clone)]
pub struct SegmentView {
    /// The rows.
    pub segment: Segment,
    /// The tombstones, as many rows as the segment.
    pub deleted: Bitmap,
}

/// A collection at one moment.
#[derive(Debug, Clone)]
pub struct Snapshot {
    schema: Arc<CollectionSchema>,
    segments: Vec<SegmentView>,
    lsn: Lsn,
}

impl SegmentView {
    /// How many rows are alive.
    pub fn live(&self) -> u32 {
        self.segment.rows() - self.deleted.count()
    }

    /// The row of this id, if it is alive.
    pub fn find(&self, id: PointId) -> Option<Ordinal> {
        self.segment.find(id).filter(|&row| !self.deleted.contains(row))
    }
}

impl Snapshot {
    /// The state after the write `lsn`.
    pub fn new(schema: Arc<CollectionSchema>, segments: Vec<SegmentView>, lsn: Lsn) -> Self {
        Self { schema, segments, lsn }
    }

    /// What the collection is.
    pub fn schema(&self) -> &Arc<CollectionSchema> {
        &self.schema
    }

    /// The segments, oldest first.
    pub fn segments(&self) -> &[SegmentView] {
        &self.segments
    }

    /// The last write it has seen.
    pub fn lsn(&self) -> Lsn {
        self.lsn
    }

    /// How many points there are.
    pub fn points(&self) -> u64 {
        self.segments.iter().map(|view| u64::from(view.live())).sum()
    }

    /// Where the point is, if it exists.
    pub fn locate(&self, id: PointId) -> Option<Address> {
        let mut newest_first = self.segments.iter().enumerate().rev();
        newest_first
            .find_map(|(segment, view)| Some(Address { segment: segment as u32, ordinal: view.find(id)? }))
    }

    /// The segment an address points into.
    pub fn segment(&self, address: Address) -> &Segment {
        &self.segments[address.segment as usize].segment
    }

    /// The id of a row.
    pub fn id(&self, address: Address) -> PointId {
        self.segment(address).id(address.ordinal)
    }

    /// The LSN of the write that made a row.
    pub fn version(&self, address: Address) -> Lsn {
        self.segment(address).version(address.ordinal)
    }

    /// The payload of a row.
    pub fn payload(&self, address: Address) -> Result<Payload> {
        self.segment(address).payload(address.ordinal)
    }

    /// The vectors of a row.
    pub fn vectors(&self, address: Address) -> NamedVectors {
        self.segment(address).vectors(address.ordinal)
    }

    /// The whole point at a row.
    pub fn point(&self, address: Address) -> Result<Point> {
        let (id, vectors) = (self.id(address), self.vectors(address));
        Ok(Point { id, vectors, payload: self.payload(address)? })
    }

    /// All points in the order of their ids (numbers, then UUIDs), from the first that is not below `from`.
    pub fn sorted_from(&self, from: Option<PointId>) -> impl Iterator<Item = (PointId, Address)> + '_ {
        let mut streams: Vec<_> = self.segments.iter().map(|view| view.live_sorted_from(from)).collect();
        let mut heads = BinaryHeap::new();
        for (segment, stream) in streams.iter_mut().enumerate() {
            heads.extend(stream.next().map(|(id, row)| Reverse((id, segment, row))));
        }
        std::iter::from_fn(move || {
            let Reverse((id, segment, ordinal)) = heads.pop()?;
            heads.extend(streams[segment].next().map(|(id, row)| Reverse((id, segment, row))));
            Some((id, Address { segment: segment as u32, ordinal }))
        })
    }
}

impl SegmentView {
    fn live_sorted_from(&self, from: Option<PointId>) -> impl Iterator<Item = (PointId, Ordinal)> + '_ {
        let rows = self.segment.sorted_from(from);
        rows.filter(|&row| !self.deleted.contains(row)).map(|row| (self.segment.id(row), row))
    }
}
