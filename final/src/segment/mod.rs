//! How are points kept? In segments: one that grows, and sealed ones that do not.
//!
//! A row is found by its ordinal in everything a segment has: vectors, ids, versions, payloads, graph, text index
//! and bitmaps. The growing segment ([`mutable`]) lives in memory and is searched exactly; a sealed one ([`sealed`])
//! is a folder of files, written once by [`seal`] and served from mappings. [`snapshot`] is what a reader holds.
//!
//! Not here: which segments exist and when they are sealed or merged. That is the collection's.

pub mod vectors;
pub mod codes;
mod coarse;
pub mod costs;
pub mod ids;
pub mod payloads;
pub mod mutable;
pub mod indexed;
pub mod sealed;
pub mod seal;
pub mod snapshot;

use std::{borrow::Cow, sync::Arc};

use crate::{
    bitmap::Bitmap,
    error::Result,
    filter::terms::Terms,
    point::{Lsn, NamedVectors, Ordinal, Payload, PointId},
};

pub use costs::Costs;
pub use indexed::{Indexed, Walkable};
pub use mutable::Mutable;
use payloads::PayloadReader;
pub use sealed::Sealed;
pub use snapshot::{Address, SegmentView, Snapshot};

/// A segment of either kind; a copy shares the rows.
#[derive(Debug, Clone)]
pub enum Segment {
    /// In memory, not sealed yet.
    Mutable(Arc<Mutable>),
    /// In files.
    Sealed(Arc<Sealed>),
}

impl Segment {
    /// How many rows it has, dead ones too.
    pub fn rows(&self) -> u32 {
        match self {
            Self::Mutable(segment) => segment.rows(),
            Self::Sealed(segment) => segment.rows(),
        }
    }

    /// The id of a row.
    pub fn id(&self, ordinal: Ordinal) -> PointId {
        match self {
            Self::Mutable(segment) => segment.id(ordinal),
            Self::Sealed(segment) => segment.ids().id(ordinal),
        }
    }

    /// The LSN of the write that made a row.
    pub fn version(&self, ordinal: Ordinal) -> Lsn {
        match self {
            Self::Mutable(segment) => segment.version(ordinal),
            Self::Sealed(segment) => segment.ids().version(ordinal),
        }
    }

    /// The last row of this id, alive or dead.
    pub fn find(&self, id: PointId) -> Option<Ordinal> {
        match self {
            Self::Mutable(segment) => segment.find(id),
            Self::Sealed(segment) => segment.ids().find(id),
        }
    }

    /// The payload of a row. For many rows, a [`SegmentReader`] is faster.
    pub fn payload(&self, ordinal: Ordinal) -> Result<Payload> {
        Ok(SegmentReader::new(self).get(ordinal)?.into_owned())
    }

    /// The terms and words of its payloads.
    pub fn terms(&self) -> Terms<'_> {
        match self {
            Self::Mutable(segment) => Terms::of_blocks(segment.blocks().map(|(_, block)| block.postings())),
            Self::Sealed(segment) => Terms::Index(segment.index()),
        }
    }

    /// The vectors of a row.
    pub fn vectors(&self, ordinal: Ordinal) -> NamedVectors {
        match self {
            Self::Mutable(segment) => segment.vectors(ordinal),
            Self::Sealed(segment) => vectors::row(
                segment.vectors().iter().map(|(name, indexed)| (name, indexed.column())),
                ordinal,
            ),
        }
    }

    /// One vector of a row.
    pub fn vector(&self, name: &str, ordinal: Ordinal) -> Option<&[f32]> {
        match self {
            Self::Mutable(segment) => segment.vector(name, ordinal),
            Self::Sealed(segment) => segment.vector(name)?.column().row(ordinal),
        }
    }

    /// Which rows have the vector.
    pub fn present(&self, name: &str) -> Bitmap {
        match self {
            Self::Mutable(segment) => segment.present(name),
            Self::Sealed(segment) => match segment.vector(name) {
                Some(indexed) => indexed.column().present().clone(),
                None => Bitmap::new(segment.rows()),
            },
        }
    }

    /// All rows in the order of their ids, from the first id that is not below `from`.
    pub fn sorted_from(&self, from: Option<PointId>) -> Box<dyn Iterator<Item = Ordinal> + '_> {
        match self {
            Self::Mutable(segment) => Box::new(segment.sorted_from(from).into_iter()),
            Self::Sealed(segment) => Box::new(segment.ids().sorted_from(from)),
        }
    }
}

/// Reads many payloads of one segment; fastest in ascending order.
#[derive(Debug)]
pub enum SegmentReader<'a> {
    /// They are in memory.
    Mutable(&'a Mutable),
    /// They are in compressed blocks.
    Sealed(PayloadReader<'a>),
}

impl<'a> SegmentReader<'a> {
    /// A reader of this segment.
    pub fn new(segment: &'a Segment) -> Self {
        match segment {
            Segment::Mutable(segment) => Self::Mutable(segment),
            Segment::Sealed(segment) => Self::Sealed(segment.payloads().reader()),
        }
    }

    /// The payload of a row.
    pub fn get(&mut self, ordinal: Ordinal) -> Result<Cow<'a, Payload>> {
        match self {
            Self::Mutable(segment) => Ok(Cow::Borrowed(segment.payload(ordinal))),
            Self::Sealed(reader) => reader.get(ordinal).map(Cow::Owned),
        }
    }
}
