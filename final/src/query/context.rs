//! What every step of a query needs: the snapshot, the text rules, the way out, and the rows of any segment.

use std::borrow::Cow;
use std::sync::atomic::{AtomicBool, Ordering};

use super::{Hit, Kind, execute::cancelled};
use crate::{
    bitmap::Bitmap,
    error::Result,
    filter::TextRules,
    point::{Ordinal, Payload},
    quantize::RowCodes,
    segment::{
        Address, Indexed, Segment, SegmentReader, SegmentView, Snapshot, mutable::Block, vectors::Column,
    },
};

/// How many rows are looked at between two looks at the clock's flag.
const CHECK_EVERY: usize = 4_096;

/// The surroundings of a running query.
pub(super) struct Context<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) rules: TextRules,
    cancel: &'a AtomicBool,
}

impl<'a> Context<'a> {
    pub(super) fn new(snapshot: &'a Snapshot, cancel: &'a AtomicBool) -> Self {
        Self { snapshot, rules: TextRules::of(snapshot.schema()), cancel }
    }

    /// For what nobody cancels.
    pub(super) fn uninterrupted(snapshot: &'a Snapshot) -> Self {
        static NEVER: AtomicBool = AtomicBool::new(false);
        Self::new(snapshot, &NEVER)
    }

    /// An error once the query has been cancelled; looks only now and then.
    pub(super) fn check_cancelled(&self, done: usize) -> Result<()> {
        if done.is_multiple_of(CHECK_EVERY) && self.cancel.load(Ordering::Relaxed) {
            return Err(cancelled());
        }
        Ok(())
    }

    /// Whether a node's larger scores are its better ones.
    pub(super) fn higher_is_better(&self, kind: Option<&Kind>) -> bool {
        match kind {
            Some(Kind::Nearest { using, .. }) => {
                self.snapshot.schema().vector(using).is_ok_and(|vector| vector.distance.higher_is_better())
            }
            _ => true,
        }
    }

    /// The name of a segment in an explanation.
    pub(super) fn segment_name(&self, segment: u32) -> String {
        match &self.snapshot.segments()[segment as usize].segment {
            Segment::Sealed(sealed) => format!("segment {}", sealed.number()),
            Segment::Mutable(_) => "mutable segment".to_string(),
        }
    }

    /// The rows that prefetched lists hold, by segment.
    pub(super) fn scope(&self, lists: &[Vec<Hit>]) -> Vec<Bitmap> {
        let mut scope: Vec<Bitmap> =
            self.snapshot.segments().iter().map(|view| Bitmap::new(view.segment.rows())).collect();
        for hit in lists.iter().flatten() {
            scope[hit.address.segment as usize].insert(hit.address.ordinal);
        }
        scope
    }

    /// Shows the vectors of these rows, which come in order, to `visit`; rows without the vector are passed over.
    pub(super) fn each_row(
        &self,
        view: &SegmentView,
        using: &str,
        rows: impl Iterator<Item = Ordinal>,
        mut visit: impl FnMut(&[f32], Ordinal),
    ) -> Result<()> {
        let mut rows = rows.enumerate().peekable();
        for part in parts(view, using) {
            let end = part.start + part.column.present().rows();
            while let Some((done, ordinal)) = rows.next_if(|&(_, ordinal)| ordinal < end) {
                self.check_cancelled(done)?;
                if let Some(values) = ordinal.checked_sub(part.start).and_then(|row| part.column.row(row)) {
                    visit(values, ordinal);
                }
            }
        }
        Ok(())
    }

    /// A reader of payloads anywhere in the snapshot; fastest in the order of addresses.
    pub(super) fn payload_reader(&self) -> SnapshotReader<'a> {
        SnapshotReader { snapshot: self.snapshot, last: None }
    }
}

/// Rows of a segment whose vectors lie one after the other.
pub(super) struct Part<'a> {
    /// The first row's ordinal.
    pub(super) start: Ordinal,
    pub(super) column: &'a Column,
    pub(super) codes: Option<&'a RowCodes>,
}

/// All rows of a segment that may have a vector: in one piece, or block by block.
pub(super) fn parts<'a>(view: &'a SegmentView, using: &str) -> Vec<Part<'a>> {
    match &view.segment {
        Segment::Sealed(segment) => {
            let part =
                |indexed: &'a Indexed| Part { start: 0, column: indexed.column(), codes: indexed.codes() };
            segment.vector(using).map(part).into_iter().collect()
        }
        Segment::Mutable(segment) => {
            let part = |(start, block): (Ordinal, &'a Block)| {
                Some(Part { start, column: block.column(using)?, codes: block.codes(using) })
            };
            segment.blocks().filter_map(part).collect()
        }
    }
}

/// Reads payloads by address, keeping the reader of the segment it read last.
pub(super) struct SnapshotReader<'a> {
    snapshot: &'a Snapshot,
    last: Option<(u32, SegmentReader<'a>)>,
}

impl<'a> SnapshotReader<'a> {
    pub(super) fn get(&mut self, address: Address) -> Result<Cow<'a, Payload>> {
        let reader = match self.last.take() {
            Some((segment, reader)) if segment == address.segment => reader,
            _ => SegmentReader::new(self.snapshot.segment(address)),
        };
        self.last.insert((address.segment, reader)).1.get(address.ordinal)
    }
}
