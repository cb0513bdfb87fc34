//! What is alive? The writer's picture of the collection, from which each snapshot is published.
//!
//! [`State::apply`] is the only way rows appear and die, for new writes and for replayed ones alike; the rest of
//! this file swaps segments without changing what a reader finds. For every sealed segment two sets of tombstones
//! are kept apart: the *live* ones that readers see, and the *committed* ones, which are those up to the LSN of the
//! newest manifest. A manifest may only name the latter; replay brings the others back.

use std::{collections::HashMap, sync::Arc};

use crate::{
    bitmap::Bitmap,
    manifest::SegmentEntry,
    point::{Lsn, Ordinal, Point, PointId},
    schema::CollectionSchema,
    segment::{Mutable, Sealed, Segment, SegmentView, Snapshot, mutable::Block},
    wal::{Change, Operation},
};

/// A sealed segment with both sets of tombstones.
#[derive(Debug, Clone)]
pub(super) struct LiveSegment {
    /// As the newest manifest names it.
    pub(super) entry: SegmentEntry,
    /// Rows and live tombstones.
    pub(super) view: SegmentView,
    /// Tombstones up to the newest manifest's LSN.
    pub(super) committed: Bitmap,
}

/// A mutable segment that takes no more rows and is being sealed.
#[derive(Debug, Clone)]
pub(super) struct Frozen {
    /// The number of the folder it is sealed into.
    pub(super) number: u64,
    /// Rows and live tombstones.
    pub(super) view: SegmentView,
    /// Its tombstones when it was frozen.
    pub(super) deleted: Bitmap,
    /// The sealed segments' tombstones at that moment, by segment number.
    pub(super) others: HashMap<u64, Bitmap>,
    /// The last write before the freeze.
    pub(super) lsn: Lsn,
    /// The first log file after the freeze.
    pub(super) replay_from: u64,
    /// The schema at that moment.
    pub(super) schema: Arc<CollectionSchema>,
}

/// Everything a reader can find, and what the next manifest needs to know.
#[derive(Debug)]
pub(super) struct State {
    pub(super) schema: Arc<CollectionSchema>,
    pub(super) sealed: Vec<LiveSegment>,
    pub(super) frozen: Option<Frozen>,
    pub(super) mutable: SegmentView,
    pub(super) lsn: Lsn,
}

/// A mutable segment without rows.
pub(super) fn empty_mutable() -> SegmentView {
    SegmentView { segment: Segment::Mutable(Arc::default()), deleted: Bitmap::new(0) }
}

impl State {
    /// The state that a manifest names.
    pub(super) fn new(schema: CollectionSchema, sealed: Vec<LiveSegment>, lsn: Lsn) -> Self {
        Self { schema: Arc::new(schema), sealed, frozen: None, mutable: empty_mutable(), lsn }
    }

    /// The mutable segment's rows.
    pub(super) fn mutable(&self) -> &Mutable {
        match &self.mutable.segment {
            Segment::Mutable(mutable) => mutable,
            Segment::Sealed(_) => unreachable!("the mutable segment is mutable"),
        }
    }

    /// What readers see from now on.
    pub(super) fn snapshot(&self) -> Snapshot {
        let sealed = self.sealed.iter().map(|segment| &segment.view);
        let views = sealed.chain(self.frozen.as_ref().map(|frozen| &frozen.view)).chain([&self.mutable]);
        let alive = views.filter(|view| view.segment.rows() > 0).cloned().collect();
        Snapshot::new(self.schema.clone(), alive, self.lsn)
    }

    /// Applies logged operations, in order. Of several writes to one point only the last leaves a row.
    pub(super) fn apply(&mut self, operations: Vec<Operation>) {
        let mut last_write: HashMap<PointId, usize> = HashMap::new();
        let mut writes: Vec<Option<(PointId, Option<Point>, Lsn)>> = Vec::new();
        for operation in operations {
            self.lsn = operation.lsn;
            for change in operation.changes {
                let (id, point) = match change {
                    Change::Upsert(point) => (point.id, Some(point)),
                    Change::Delete(id) => (id, None),
                    Change::Schema(schema) => {
                        self.schema = Arc::new(*schema);
                        continue;
                    }
                };
                if let Some(earlier) = last_write.insert(id, writes.len()) {
                    writes[earlier] = None;
                }
                writes.push(Some((id, point, operation.lsn)));
            }
        }
        let mut points = Vec::new();
        for (id, point, lsn) in writes.into_iter().flatten() {
            self.bury(id);
            points.extend(point.map(|point| (point, lsn)));
        }
        self.append(points);
    }

    /// Sets the tombstone of a point's row, wherever it is.
    fn bury(&mut self, id: PointId) {
        let sealed = self.sealed.iter_mut().rev().map(|segment| &mut segment.view);
        let frozen = self.frozen.as_mut().map(|frozen| &mut frozen.view);
        let mut views = std::iter::once(&mut self.mutable).chain(frozen).chain(sealed);
        views.find_map(|view| {
            let row = view.find(id)?;
            view.deleted.insert(row);
            Some(())
        });
    }

    fn append(&mut self, points: Vec<(Point, Lsn)>) {
        if points.is_empty() {
            return;
        }
        let block = Block::new(&self.schema, points);
        let mutable = self.mutable().with_block(block, &self.schema);
        self.mutable.deleted.grow(mutable.rows());
        self.mutable.segment = Segment::Mutable(Arc::new(mutable));
    }

    /// Sets the mutable segment aside to be sealed as segment `number`; later writes go to a new one.
    pub(super) fn freeze(&mut self, number: u64, replay_from: u64) {
        assert!(self.frozen.is_none(), "one segment is sealed at a time");
        let view = std::mem::replace(&mut self.mutable, empty_mutable());
        let of = |segment: &LiveSegment| (segment.entry.number, segment.view.deleted.clone());
        self.frozen = Some(Frozen {
            number,
            deleted: view.deleted.clone(),
            view,
            others: self.sealed.iter().map(of).collect(),
            lsn: self.lsn,
            replay_from,
            schema: self.schema.clone(),
        });
    }

    /// The frozen segment is sealed again, into another folder.
    pub(super) fn renumber_frozen(&mut self, number: u64) {
        self.frozen.iter_mut().for_each(|frozen| frozen.number = number);
    }

    /// A manifest names the frozen state now: serve from its files. Nothing was sealed if there were no rows.
    pub(super) fn adopt_flush(&mut self, entries: Vec<SegmentEntry>, sealed: Option<Arc<Sealed>>) {
        let Some(mut frozen) = self.frozen.take() else { unreachable!("a flush ends what a freeze began") };
        for segment in &mut self.sealed {
            if let Some(committed) = frozen.others.remove(&segment.entry.number) {
                segment.committed = committed;
            }
        }
        if let (Some(sealed), Some(entry)) = (sealed, entries.last()) {
            let view = SegmentView { segment: Segment::Sealed(sealed), deleted: frozen.view.deleted };
            self.sealed.push(LiveSegment { entry: entry.clone(), view, committed: frozen.deleted });
        }
        self.adopt_entries(entries);
    }

    /// A merge's output takes its inputs' place; all sets of tombstones move over to its ordinals.
    /// Without an output every row was dead.
    pub(super) fn adopt_merge(
        &mut self,
        merge: &MergedRows,
        entries: Vec<SegmentEntry>,
        sealed: Option<Arc<Sealed>>,
    ) {
        let of = |number: u64| self.sealed.iter().find(|segment| segment.entry.number == number);
        let live = merge.remap(|number| of(number).map(|segment| &segment.view.deleted));
        let committed = merge.remap(|number| of(number).map(|segment| &segment.committed));
        self.sealed.retain(|segment| !merge.contains(segment.entry.number));
        if let (Some(sealed), Some(entry)) = (sealed, entries.last()) {
            if let Some(frozen) = &mut self.frozen {
                let others = merge.remap(|number| frozen.others.get(&number));
                frozen.others.insert(entry.number, others);
            }
            let view = SegmentView { segment: Segment::Sealed(sealed), deleted: live };
            self.sealed.push(LiveSegment { entry: entry.clone(), view, committed });
        }
        self.adopt_entries(entries);
    }

    fn adopt_entries(&mut self, entries: Vec<SegmentEntry>) {
        assert_eq!(self.sealed.len(), entries.len(), "the manifest names what is served");
        for (segment, entry) in self.sealed.iter_mut().zip(entries) {
            segment.entry = entry;
        }
    }
}

/// Which rows a merge took: all of its inputs' rows but those that were committed dead when it began.
#[derive(Debug, Clone)]
pub(super) struct MergedRows {
    /// The inputs in order, each with the tombstones that the merge left out.
    pub(super) inputs: Vec<(u64, Bitmap)>,
}

impl MergedRows {
    pub(super) fn contains(&self, number: u64) -> bool {
        self.inputs.iter().any(|(input, _)| *input == number)
    }

    /// Rows of the output.
    pub(super) fn rows(&self) -> u32 {
        self.inputs.iter().map(|(_, left_out)| left_out.rows() - left_out.count()).sum()
    }

    /// The output's rows that are dead by the inputs' present tombstones.
    pub(super) fn remap<'a>(&self, tombstones: impl Fn(u64) -> Option<&'a Bitmap>) -> Bitmap {
        let mut dead = Bitmap::new(self.rows());
        let mut base: Ordinal = 0;
        for (number, left_out) in &self.inputs {
            let kept = left_out.complement();
            if let Some(now) = tombstones(*number) {
                for (rank, row) in kept.iter().enumerate() {
                    if now.contains(row) {
                        dead.insert(base + rank as u32);
                    }
                }
            }
            base += kept.count();
        }
        dead
    }
}
