//! How does a collection come back? Newest manifest, its segments, and the log after its LSN.
//!
//! Opening writes nothing that matters: it cuts a torn tail off the log, deletes what no manifest names, and
//! replays. Whatever was acknowledged is in a manifest's files or in the log behind it; if the two do not meet, or
//! a file is not what the manifest says, opening fails and says where, and nothing has been changed.

use std::{
    collections::VecDeque,
    path::Path,
    sync::{Arc, mpsc},
};

use super::{
    Options,
    flush::{remove_unnamed, segment_dir},
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
        let numbers = Manifest::numbers(&*store, dir)?;
        let Some((&newest, older)) = numbers.split_last() else {
            return Err(Error::not_found(format!("there is no collection in {}", dir.display())));
        };
        let manifest = Manifest::read(&*store, dir, newest)?;
        let mut state = open_segments(&*store, dir, &manifest)?;
        let log = dir.join("wal");
        let replayed = replay(&*store, &log, &manifest, &mut state)?;
        let readable = older.iter().rev().map_while(|&number| Manifest::read(&*store, dir, number).ok());
        let mut kept: VecDeque<Manifest> = readable.take(2).collect();
        kept.make_contiguous().reverse();
        let recovery = Recovery {
            manifest: manifest.number,
            manifest_lsn: manifest.lsn,
            replayed: replayed.operations,
            cut: replayed.cut,
        };
        let (epoch, next_segment) = (manifest.epoch + 1, manifest.next_segment);
        kept.push_back(manifest);
        remove_unnamed(&*store, dir, kept.make_contiguous(), &[])?;
        let mut writer = Self {
            wal: Wal::new(store.clone(), log, replayed.next_file),
            shared: Self::share(&state),
            store,
            dir: dir.to_path_buf(),
            options: options.clone(),
            state,
            kept,
            next_manifest_number: newest + 1,
            next_segment,
            epoch,
            flushing: None,
            merging: None,
            flush_waiters: Vec::new(),
            jobs: Vec::new(),
            outbox,
            inbox,
            _lock: lock,
        };
        writer.remove_old_logs()?;
        writer.publish();
        writer.flush_if_due();
        writer.start_merge_if_due();
        Ok((writer, recovery))
    }
}

fn open_segments(store: &dyn Store, dir: &Path, manifest: &Manifest) -> Result<State> {
    let open = |entry: &SegmentEntry| {
        let folder = segment_dir(dir, entry.number);
        entry.files.iter().chain(&entry.deletes).try_for_each(|file| check_length(store, &folder, file))?;
        let committed = match &entry.deletes {
            Some(file) => read_deletes(store, &folder.join(&file.name), entry.rows)?,
            None => Bitmap::new(entry.rows),
        };
        let sealed = Arc::new(Sealed::open(store, &folder, entry.number, entry.rows)?);
        let view = SegmentView { segment: Segment::Sealed(sealed), deleted: committed.clone() };
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
