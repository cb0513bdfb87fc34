//! How do several segments become one, while writes and queries go on?
//!
//! The merge takes the inputs' rows that were alive by their *committed* tombstones, in a thread of its own. Points
//! that die meanwhile are dead in the inputs' live tombstones; when the merge is done, the writer moves those over
//! to the output's ordinals and swaps the segments in one published step.

use std::sync::Arc;

use super::{
    flush::{Flushed, seal, segment_dir},
    policy::{self, Size},
    state::{LiveSegment, MergedRows},
    write::{Message, Writer},
};
use crate::{
    error::Result,
    manifest::Manifest,
    segment::{
        Segment, SegmentView,
        seal::{Job, Progress},
        vectors,
    },
};

/// A merge that runs.
pub(super) struct Merging {
    pub(super) number: u64,
    pub(super) progress: Arc<Progress>,
    rows: MergedRows,
}

impl Writer {
    /// Starts the merge that the policy asks for, if it asks for one and none runs.
    pub(super) fn start_merge_if_due(&mut self) {
        if self.merging.is_some() {
            return;
        }
        let size = |segment: &LiveSegment| Size {
            number: segment.entry.number,
            rows: segment.entry.rows,
            dead: segment.committed.count(),
            hasty: match &segment.view.segment {
                Segment::Sealed(sealed) => sealed.is_behind(&self.state.schema),
                Segment::Mutable(_) => false,
            },
        };
        let sizes: Vec<Size> = self.state.sealed.iter().map(size).collect();
        let Some(decision) = policy::decide(&sizes, self.is_resting()) else { return };
        tracing::info!(dir = %self.dir.display(), "{decision}");
        let chosen =
            self.state.sealed.iter().filter(|segment| decision.inputs.contains(&segment.entry.number));
        let inputs: Vec<LiveSegment> = chosen.cloned().collect();
        let of = |segment: &LiveSegment| (segment.entry.number, segment.committed.clone());
        let rows = MergedRows { inputs: inputs.iter().map(of).collect() };
        let empty = rows.rows() == 0;
        let (number, progress) = (self.next_segment, Arc::new(Progress::default()));
        self.next_segment += 1;
        self.merging = Some(Merging { number, progress: progress.clone(), rows });
        self.show_jobs();
        if empty {
            return self.finish_merge(Ok(None));
        }
        let view = |segment: LiveSegment| SegmentView { deleted: segment.committed, ..segment.view };
        let views: Vec<SegmentView> = inputs.into_iter().map(view).collect();
        let (store, dir, schema) = (self.store.clone(), self.dir.clone(), self.state.schema.clone());
        self.spawn("kith-merge", Message::Merged, move || {
            for input in decision.inputs {
                vectors::verify(&*store, &segment_dir(&dir, input).join("vectors.bin"))?;
            }
            let job = Job::merge(&views, &schema, number);
            seal(&*store, &dir, number, &job, &progress)
        });
    }

    /// Commits what a merge wrote and serves from it instead of its inputs.
    pub(super) fn finish_merge(&mut self, outcome: Result<Option<Flushed>>) {
        let Some(merging) = self.merging.take() else { unreachable!("a merge ends once") };
        self.show_jobs();
        if outcome.is_err() {
            self.discard(merging.number);
        }
        let committed = outcome.and_then(|merged| {
            let manifest = self.merge_manifest(&merging.rows, merged.as_ref())?;
            self.commit_manifest(manifest)?;
            let entries = self.newest().segments.clone();
            self.state.adopt_merge(&merging.rows, entries, merged.map(|merged| merged.sealed));
            Ok(())
        });
        match committed {
            Ok(()) => {
                self.publish();
                self.start_merge_if_due();
            }
            // The inputs go on serving; the next flush asks the policy again.
            Err(error) => self.fail(&error),
        }
        self.answer_flush_waiters();
    }

    /// The newest manifest's state, in other files.
    fn merge_manifest(&mut self, rows: &MergedRows, merged: Option<&Flushed>) -> Result<Manifest> {
        let number = self.take_manifest_number();
        let kept = self.state.sealed.iter().filter(|segment| !rows.contains(segment.entry.number));
        let mut segments: Vec<_> = kept.map(|segment| segment.entry.clone()).collect();
        if let Some(merged) = merged {
            let of = |number: u64| self.state.sealed.iter().find(|segment| segment.entry.number == number);
            let deleted = rows.remap(|number| of(number).map(|segment| &segment.committed));
            segments.push(self.with_first_deletes(merged, &deleted, number)?);
        }
        Ok(Manifest { number, segments, ..self.next_manifest() })
    }
}
