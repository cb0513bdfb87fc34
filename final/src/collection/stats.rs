//! How large is a collection, and what is it busy with? Facts for its status, metrics and console.

use std::collections::BTreeMap;

use super::{Collection, Status};
use crate::{
    point::Lsn,
    schema::CollectionSchema,
    segment::{Segment, SegmentView, Walkable},
};

/// A collection in numbers, as of one snapshot.
#[derive(Debug, Clone)]
pub struct CollectionStats {
    /// Points alive.
    pub points: u64,
    /// Vectors of points alive, by name.
    pub vectors: BTreeMap<String, u64>,
    /// Vectors that have a place in a graph.
    pub indexed_vectors: u64,
    /// The segments, oldest first.
    pub segments: Vec<SegmentStats>,
    /// Bytes of the log file that is being written.
    pub log_bytes: u64,
    /// Bytes of all segment files.
    pub disk_bytes: u64,
    /// About how many bytes the unsealed rows take in memory.
    pub memory_bytes: u64,
    /// What is being sealed or merged, and how far that is, from 0 to 1.
    pub optimizing: Option<(&'static str, f64)>,
    /// The failure of the last background work, if it failed.
    pub failure: Option<String>,
    /// The last write that is visible.
    pub lsn: Lsn,
}

/// One segment in numbers.
#[derive(Debug, Clone)]
pub struct SegmentStats {
    /// Its folder's number; none while it is in memory.
    pub number: Option<u64>,
    /// Rows, dead ones too.
    pub rows: u32,
    /// Dead rows.
    pub deleted: u32,
    /// Vectors that have a graph, and what it is walked by.
    pub graphs: BTreeMap<String, Walkable>,
    /// Bytes of its files.
    pub disk_bytes: u64,
    /// About how many bytes it takes in memory, mappings not counted.
    pub memory_bytes: u64,
}

impl CollectionStats {
    /// What the graph of each vector is walked by, in the largest segment that has one.
    pub fn graphs(&self) -> BTreeMap<String, Walkable> {
        let mut by_size: Vec<&SegmentStats> = self.segments.iter().collect();
        by_size.sort_by_key(|segment| segment.rows);
        by_size.into_iter().flat_map(|segment| segment.graphs.clone()).collect()
    }
}

impl Collection {
    /// The collection in numbers.
    pub fn stats(&self) -> CollectionStats {
        let snapshot = self.snapshot();
        let status = self.shared.status(|status| status.clone());
        let schema = snapshot.schema();
        let segments: Vec<_> =
            snapshot.segments().iter().map(|view| segment_stats(view, schema, &status)).collect();
        let vectors_of = |name: &String| {
            let alive = snapshot.segments().iter().map(|view| alive_with(view, name));
            (name.clone(), alive.sum())
        };
        let indexed = snapshot.segments().iter().flat_map(|view| match &view.segment {
            Segment::Sealed(segment) => {
                let has_graph =
                    |name: &&String| segment.vector(name).is_some_and(|indexed| indexed.graph().is_some());
                let indexed = schema.vectors.keys().filter(has_graph);
                indexed.map(|name| alive_with(view, name)).collect()
            }
            Segment::Mutable(_) => Vec::new(),
        });
        CollectionStats {
            points: snapshot.points(),
            vectors: schema.vectors.keys().map(vectors_of).collect(),
            indexed_vectors: indexed.sum(),
            log_bytes: status.log_bytes,
            disk_bytes: segments.iter().map(|segment| segment.disk_bytes).sum(),
            memory_bytes: segments.iter().map(|segment| segment.memory_bytes).sum(),
            optimizing: optimizing(&status),
            failure: status.failure,
            lsn: snapshot.lsn(),
            segments,
        }
    }
}

fn optimizing(status: &Status) -> Option<(&'static str, f64)> {
    let flushing = status.flushing.as_ref().map(|progress| ("sealing a segment", progress));
    let merging = status.merging.as_ref().map(|progress| ("merging segments", progress));
    flushing.or(merging).map(|(what, progress)| (what, progress.fraction().unwrap_or(0.0)))
}

/// Points alive that have the vector.
fn alive_with(view: &SegmentView, name: &str) -> u64 {
    let present = view.segment.present(name);
    if view.deleted.is_empty() {
        return u64::from(present.count());
    }
    u64::from(present.and_not(&view.deleted).count())
}

fn segment_stats(view: &SegmentView, schema: &CollectionSchema, status: &Status) -> SegmentStats {
    let (rows, deleted) = (view.segment.rows(), view.deleted.count());
    match &view.segment {
        Segment::Mutable(segment) => SegmentStats {
            number: None,
            rows,
            deleted,
            graphs: BTreeMap::new(),
            disk_bytes: 0,
            memory_bytes: segment.bytes() as u64,
        },
        Segment::Sealed(segment) => {
            let number = segment.number();
            let bytes = status.segment_bytes.iter().find(|(other, _)| *other == number);
            SegmentStats {
                number: Some(number),
                rows,
                deleted,
                graphs: segment
                    .vectors()
                    .iter()
                    .filter(|(_, indexed)| indexed.graph().is_some())
                    .filter_map(|(name, indexed)| {
                        Some((name.clone(), indexed.walkable(schema.vector(name).ok()?)))
                    })
                    .collect(),
                disk_bytes: bytes.map_or(0, |(_, bytes)| *bytes),
                memory_bytes: 0,
            }
        }
    }
}
