//! How does a collection come back? Newest manifest (or the one before, see [`fallback`]), its segments, and the log
//! after its LSN.
//!
//! Opening writes nothing that matters: it cuts a torn tail off the log, deletes what no manifest names, and
//! replays. Whatever was acknowledged is in a manifest's files or in the log behind it; if the two do not meet, or
//! a file is not what the manifest says, opening fails and says where, and nothing has been changed.

use std::{
    path::Path,
    sync::{Arc, mpsc},
};

use super::{
    Options, fallback,
    flush::{remove_unnamed, segment_dir},
    inbox::Inbox,
    state::{LiveSegment, State},
    write::{Message, Writer},
};
use crate::{
    bitmap::Bitmap,
    disk::Store,
    error::{Error, Result},
    manifest::{FileEntry, Manifest, SegmentEntry},
    point::Lsn,
    segment::{Sealed, Segment, SegmentView, sealed::read_deletes},
    wal::{self, Cut, Operation, Wal},
};

/// Replayed operations are applied in groups of about so many changes, as they would have been when they were new.
const REPLAY_CHANGES: usize = 4_096;

/// What opening found and did.
#[derive(Debug, Clone)]
pub struct Recovery {
    /// The number of the manifest that was opened.
    pub manifest: u64,
    /// Its LSN.
    pub manifest_lsn: Lsn,
    /// What is wrong with the newest manifest, if this is an older one that stands in for it.
    pub damaged: Option<String>,
    /// How many operations the log had beyond it.
    pub replayed: u64,
    /// The torn tail that was cut off the log, if there was one.
    pub cut: Option<Cut>,
}

impl Writer {
    /// Opens the folder: afterwards the state is what it was after the last acknowledged write.
    pub(super) fn recover(
        store: Arc<dyn Store>,
        dir: &Path,
        options: &Options,
        outbox: mpsc::Sender<Message>,
        inbox: mpsc::Receiver<Message>,
    ) -> Result<(Self, Recovery)> {
        let lock = store.lock(&dir.join("LOCK"))?;
        let mut found = fallback::find(&*store, dir)?;
        let manifest = found.kept.back().expect("a manifest was found").clone();
        let (state, replayed) = match found.damage() {
            None => load(&*store, dir, &manifest)?,
            Some(damage) => fallback::check_complete(&*store, dir, &manifest)
                .and_then(|()| load(&*store, dir, &manifest))
                .map_err(|missing| fallback::no_way_back(damage, manifest.number, &missing))?,
        };
        let recovery = Recovery {
            manifest: manifest.number,
            manifest_lsn: manifest.lsn,
            damaged: found.damage().map(str::to_string),
            replayed: replayed.operations,
            cut: replayed.cut,
        };
        if let Some(damage) = &recovery.damaged {
            tracing::warn!("{damage}; opened from manifest {} and the log after it", manifest.number);
        }
        let damaged: Vec<u64> = found.damaged.iter().map(|(number, _)| *number).collect();
        remove_unnamed(&*store, dir, found.kept.make_contiguous(), &damaged, &[])?;
        let mut writer = Self {
            wal: Wal::new(store.clone(), dir.join("wal"), replayed.next_file),
            shared: Self::share(&state),
            next_segment: next_segment(&*store, dir, &manifest)?,
            // Each damaged manifest may have been a later process's.
            epoch: manifest.epoch + 1 + damaged.len() as u64,
            store,
            dir: dir.to_path_buf(),
            options: options.clone(),
            state,
            kept: found.kept,
            damaged,
            next_manifest_number: found.newest + 1,
            flushing: None,
            merging: None,
            flush_waiters: Vec::new(),
            jobs: Vec::new(),
            outbox,
            inbox: Inbox::new(inbox),
            _lock: lock,
        };
        if recovery.damaged.is_some() {
            let number = writer.take_manifest_number();
            writer.commit_manifest(Manifest { number, ..writer.next_manifest() })?;
        }
        writer.remove_old_logs()?;
        writer.publish();
        writer.flush_if_due();
        writer.start_merge_if_due();
        Ok((writer, recovery))
    }
}

/// The state of a manifest with the log after it.
fn load(store: &dyn Store, dir: &Path, manifest: &Manifest) -> Result<(State, wal::Replayed)> {
    let mut state = open_segments(store, dir, manifest)?;
    let replayed = replay(store, &dir.join("wal"), manifest, &mut state)?;
    Ok((state, replayed))
}

/// A number above those of all segments, named or not.
fn next_segment(store: &dyn Store, dir: &Path, manifest: &Manifest) -> Result<u64> {
    let folders = store.list(&dir.join("segments"))?;
    let numbers = folders.iter().filter_map(|name| name.parse::<u64>().ok());
    Ok(numbers.map(|number| number.saturating_add(1)).max().unwrap_or(0).max(manifest.next_segment))
}

fn open_segments(store: &dyn Store, dir: &Path, manifest: &Manifest) -> Result<State> {
    let open = |entry: &SegmentEntry| {
        let folder = segment_dir(dir, entry.number);
        entry.files.iter().chain(&entry.deletes).try_for_each(|file| check_length(store, &folder, file))?;
        let committed = match &entry.deletes {
            Some(file) => read_deletes(store, &folder.join(&file.name), entry.rows)?,
            None => Bitmap::new(entry.rows),
        };
        let sealed = Sealed::open(store, &folder, entry.number, entry.rows)?;
        sealed.check(&manifest.schema)?;
        sealed.advise(&manifest.schema);
        let view = SegmentView { segment: Segment::Sealed(Arc::new(sealed)), deleted: committed.clone() };
        Ok(LiveSegment { entry: entry.clone(), view, committed })
    };
    let sealed = manifest.segments.iter().map(open).collect::<Result<Vec<_>>>()?;
    Ok(State::new(manifest.schema.clone(), sealed, manifest.lsn))
}

fn check_length(store: &dyn Store, folder: &Path, file: &FileEntry) -> Result<()> {
    let path = folder.join(&file.name);
    let found = store.len(&path)?;
    if found == file.len {
        return Ok(());
    }
    let (path, expected) = (path.display(), file.len);
    Err(Error::corrupt(format!("{path}: {found} bytes long, the manifest says {expected}")))
}

fn replay(store: &dyn Store, log: &Path, manifest: &Manifest, state: &mut State) -> Result<wal::Replayed> {
    let (mut group, mut changes): (Vec<Operation>, usize) = Default::default();
    let replayed = wal::replay(store, log, manifest.replay_from, manifest.lsn, &mut |operation| {
        changes += operation.changes.len();
        group.push(operation);
        if changes >= REPLAY_CHANGES {
            state.apply(std::mem::take(&mut group));
            changes = 0;
        }
        Ok(())
    })?;
    state.apply(group);
    Ok(replayed)
}
