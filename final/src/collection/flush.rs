//! How does the mutable segment become a sealed one? Freeze, seal beside the writer, commit by one rename.
//!
//! The freeze notes the exact state at one LSN: the rows, every segment's tombstones, the schema, and a new log file
//! for what comes after. The manifest that names the sealed files commits that state and nothing later, so that
//! replaying the log from there is always right. With no rows to seal, the commit alone makes the tombstones
//! durable and frees the log.

use std::{
    collections::BTreeSet,
    panic::AssertUnwindSafe,
    path::{Path, PathBuf},
    sync::Arc,
};

use super::{
    priority::step_back,
    state::{Frozen, LiveSegment},
    write::{Message, Writer},
};
use crate::{
    bitmap::Bitmap,
    disk::{Store, format::Summary},
    error::{Error, Result},
    manifest::{self, FileEntry, Manifest, SegmentEntry},
    segment::{
        Sealed,
        seal::{Job, Progress},
        sealed::{deletes_name, write_deletes},
    },
};

/// A manifest's log files may grow to this before tombstones alone are worth a manifest.
const LOG_BYTES: u64 = 64 << 20;

/// The newest manifest and this many before it are kept with all they need.
pub(super) const MANIFESTS_BEFORE: usize = 2;

/// A segment that has been written and opened, and is not named by a manifest yet.
pub(super) struct Flushed {
    pub(super) entry: SegmentEntry,
    pub(super) sealed: Arc<Sealed>,
}

/// The folder of a segment.
pub(super) fn segment_dir(dir: &Path, number: u64) -> PathBuf {
    dir.join("segments").join(format!("{number:06}"))
}

/// Runs a seal and opens what it wrote.
pub(super) fn seal(
    store: &dyn Store,
    dir: &Path,
    number: u64,
    job: &Job<'_>,
    progress: &Progress,
) -> Result<Flushed> {
    let folder = segment_dir(dir, number);
    let files = job.run(store, &folder, progress)?;
    let rows = job.rows.len() as u32;
    let files = files.into_iter().map(|(name, summary)| file_entry(name, &summary)).collect();
    let sealed = Sealed::open(store, &folder, number, rows)?;
    sealed.advise(job.schema);
    sealed.bring_in(job.schema);
    let entry = SegmentEntry { number, rows, files, deletes: None };
    Ok(Flushed { entry, sealed: Arc::new(sealed) })
}

fn file_entry(name: String, summary: &Summary) -> FileEntry {
    FileEntry { name, len: summary.len, crc32c: summary.crc32c }
}

impl Writer {
    /// Seals the mutable segment if it or its log has grown enough.
    pub(super) fn flush_if_due(&mut self) {
        if self.state.mutable().bytes() >= self.options.flush_bytes || self.wal.bytes() >= LOG_BYTES {
            self.start_flush();
        }
    }

    /// Freezes what has been written and starts to seal it; a seal that failed is begun again.
    pub(super) fn start_flush(&mut self) {
        if self.flushing.is_some() {
            return;
        }
        if self.state.frozen.is_none() {
            if self.state.lsn == self.newest().lsn {
                return;
            }
            self.wal.rotate();
            self.state.freeze(self.next_segment, self.wal.file());
            self.next_segment += 1;
        }
        let Some(frozen) = self.state.frozen.clone() else { return };
        if frozen.view.segment.rows() == 0 {
            return self.finish_flush(Ok(None));
        }
        let progress = Arc::new(Progress::default());
        self.flushing = Some(progress.clone());
        self.show_jobs();
        let (store, dir) = (self.store.clone(), self.dir.clone());
        self.spawn("kith-flush", Message::Flushed, move || {
            let job = Job::flush(&frozen.view, &frozen.schema, frozen.number);
            seal(&*store, &dir, frozen.number, &job, &progress)
        });
    }

    /// Commits what a seal wrote and serves from it.
    pub(super) fn finish_flush(&mut self, outcome: Result<Option<Flushed>>) {
        self.flushing = None;
        self.show_jobs();
        let frozen = self.state.frozen.clone().expect("a flush ends what a freeze began");
        if outcome.is_err() {
            self.discard(frozen.number);
        }
        let committed = outcome.and_then(|flushed| {
            let manifest = self.flush_manifest(&frozen, flushed.as_ref())?;
            self.commit_manifest(manifest)?;
            let entries = self.newest().segments.clone();
            self.state.adopt_flush(entries, flushed.map(|flushed| flushed.sealed));
            Ok(())
        });
        if let Err(error) = committed {
            self.fail(&error);
            // A manifest that failed may still be found by the next open: its segment's files stay as they are,
            // and the rows are sealed again under another number.
            self.state.renumber_frozen(self.next_segment);
            self.next_segment += 1;
            self.flush_waiters.drain(..).for_each(|(_, done)| done(Err(error.clone())));
            return;
        }
        self.shared.status(|status| status.failure = None);
        self.publish();
        self.start_merge_if_due();
        if self.flush_waiters.iter().any(|(lsn, _)| *lsn > self.newest().lsn) {
            self.start_flush();
        } else {
            self.flush_if_due();
        }
        self.answer_flush_waiters();
    }

    fn flush_manifest(&mut self, frozen: &Frozen, flushed: Option<&Flushed>) -> Result<Manifest> {
        let number = self.take_manifest_number();
        let mut segments = Vec::new();
        for segment in &self.state.sealed {
            let deleted = frozen.others.get(&segment.entry.number).unwrap_or(&segment.committed);
            segments.push(self.with_deletes(segment, deleted, number)?);
        }
        if let Some(flushed) = flushed {
            segments.push(self.with_first_deletes(flushed, &frozen.deleted, number)?);
        }
        Ok(Manifest {
            number,
            lsn: frozen.lsn,
            replay_from: frozen.replay_from,
            schema: (*frozen.schema).clone(),
            segments,
            ..self.next_manifest()
        })
    }

    /// The entry of a segment with these tombstones, written to a file of their own if they are new.
    pub(super) fn with_deletes(
        &self,
        segment: &LiveSegment,
        deleted: &Bitmap,
        manifest: u64,
    ) -> Result<SegmentEntry> {
        if *deleted == segment.committed {
            return Ok(segment.entry.clone());
        }
        let deletes = self.write_deletes(segment.entry.number, deleted, manifest)?;
        Ok(SegmentEntry { deletes: Some(deletes), ..segment.entry.clone() })
    }

    /// The entry of a new segment with its tombstones, if it has any.
    pub(super) fn with_first_deletes(
        &self,
        flushed: &Flushed,
        deleted: &Bitmap,
        manifest: u64,
    ) -> Result<SegmentEntry> {
        let mut entry = flushed.entry.clone();
        if !deleted.is_empty() {
            entry.deletes = Some(self.write_deletes(entry.number, deleted, manifest)?);
        }
        Ok(entry)
    }

    fn write_deletes(&self, segment: u64, deleted: &Bitmap, manifest: u64) -> Result<FileEntry> {
        let folder = segment_dir(&self.dir, segment);
        let name = deletes_name(manifest);
        let summary = write_deletes(&*self.store, &folder.join(&name), deleted)?;
        self.store.sync_dir(&folder)?;
        Ok(file_entry(name, &summary))
    }

    /// The newest manifest with the fields that every next one sets anew.
    pub(super) fn next_manifest(&self) -> Manifest {
        let (epoch, writer) = (self.epoch, self.options.writer.clone());
        Manifest { next_segment: self.next_segment, epoch, writer, ..self.newest().clone() }
    }

    pub(super) fn newest(&self) -> &Manifest {
        self.kept.back().expect("an open collection has a manifest")
    }

    /// A number that no manifest had, committed or not.
    pub(super) fn take_manifest_number(&mut self) -> u64 {
        self.next_manifest_number += 1;
        self.next_manifest_number - 1
    }

    /// Makes this the newest manifest, then removes what the kept ones don't need.
    pub(super) fn commit_manifest(&mut self, manifest: Manifest) -> Result<()> {
        manifest.commit(&*self.store, &self.dir)?;
        self.kept.push_back(manifest);
        while self.kept.len() > MANIFESTS_BEFORE + 1 {
            self.kept.pop_front();
        }
        let oldest = self.kept.front().map_or(0, |manifest| manifest.number);
        self.damaged.retain(|number| *number > oldest);
        let in_work: Vec<u64> = self.numbers_in_work().collect();
        let kept = self.kept.make_contiguous();
        let removed = remove_unnamed(&*self.store, &self.dir, kept, &self.damaged, &in_work);
        if let Err(error) = removed.and_then(|()| self.remove_old_logs()) {
            // Nothing refers to those files; the next commit or open tries again.
            tracing::warn!("files that are no longer needed could not be removed: {error}");
        }
        Ok(())
    }

    /// Removes the log files from before every kept manifest.
    pub(super) fn remove_old_logs(&mut self) -> Result<()> {
        let needed = self.kept.iter().map(|manifest| manifest.replay_from).min();
        needed.map_or(Ok(()), |first| self.wal.remove_before(first))
    }

    fn numbers_in_work(&self) -> impl Iterator<Item = u64> + '_ {
        let frozen = self.state.frozen.iter().map(|frozen| frozen.number);
        frozen.chain(self.merging.iter().map(|merging| merging.number))
    }

    /// Removes the folder of a segment that came to nothing.
    pub(super) fn discard(&self, number: u64) {
        if let Err(error) = self.store.remove(&segment_dir(&self.dir, number)) {
            tracing::warn!("an unfinished segment could not be removed: {error}");
        }
    }

    /// Seals beside the writer; the outcome comes back through the writer's own channel.
    pub(super) fn spawn(
        &mut self,
        name: &str,
        message: fn(Result<Option<Flushed>>) -> Message,
        seal: impl FnOnce() -> Result<Flushed> + Send + 'static,
    ) {
        self.jobs.retain(|job| !job.is_finished());
        let outbox = self.outbox.clone();
        let run = move || {
            step_back();
            // What a panicking seal leaves behind is a folder that nothing names.
            let outcome = std::panic::catch_unwind(AssertUnwindSafe(seal));
            let outcome =
                outcome.unwrap_or_else(|_| Err(Error::closed("sealing a segment panicked: a bug in Kith")));
            // The writer outlives its jobs; if it has gone, nobody is left to tell.
            let _ = outbox.send(message(outcome.map(Some)));
        };
        match std::thread::Builder::new().name(name.to_string()).spawn(run) {
            Ok(handle) => self.jobs.push(handle),
            Err(error) => {
                let error = Error::io("start a thread for", &self.dir)(error);
                // Nobody else holds the other end: the message waits for the writer's next turn.
                let _ = self.outbox.send(message(Err(error)));
            }
        }
    }

    /// Lets the collection's status show what runs.
    pub(super) fn show_jobs(&self) {
        let flushing = self.flushing.clone();
        let merging = self.merging.as_ref().map(|merging| merging.progress.clone());
        self.shared.status(|status| (status.flushing, status.merging) = (flushing, merging));
    }

    /// Answers those whose writes are sealed, once no merge is left to run.
    pub(super) fn answer_flush_waiters(&mut self) {
        if self.merging.is_some() {
            return;
        }
        let committed = self.newest().lsn;
        for (_, done) in self.flush_waiters.extract_if(.., |(lsn, _)| *lsn <= committed) {
            done(Ok(committed));
        }
    }
}

/// Deletes manifests, segments, tombstones and leftovers that none of the kept manifests names.
/// Damaged manifests stay, and while there are any, all segments: who knows what they name. Log files are the log's to
/// remove.
pub(super) fn remove_unnamed(
    store: &dyn Store,
    dir: &Path,
    kept: &[Manifest],
    damaged: &[u64],
    in_work: &[u64],
) -> Result<()> {
    let stays = |number| damaged.contains(&number) || kept.iter().any(|kept| kept.number == number);
    for name in store.list(dir)? {
        let old = manifest::number_of(&name).is_some_and(|number| !stays(number));
        if old || name.ends_with(".tmp") {
            store.remove(&dir.join(name))?;
        }
    }
    if !damaged.is_empty() {
        return Ok(());
    }
    for folder in store.list(&dir.join("segments"))? {
        let number: Option<u64> = folder.parse().ok();
        let path = dir.join("segments").join(&folder);
        let entries: Vec<&SegmentEntry> = kept
            .iter()
            .flat_map(|manifest| &manifest.segments)
            .filter(|entry| Some(entry.number) == number)
            .collect();
        if entries.is_empty() {
            if number.is_none_or(|number| !in_work.contains(&number)) {
                store.remove(&path)?;
            }
            continue;
        }
        let named: BTreeSet<&str> = entries
            .iter()
            .flat_map(|entry| entry.files.iter().chain(&entry.deletes))
            .map(|file| file.name.as_str())
            .collect();
        for name in store.list(&path)?.iter().filter(|name| !named.contains(name.as_str())) {
            store.remove(&path.join(name))?;
        }
    }
    Ok(())
}
