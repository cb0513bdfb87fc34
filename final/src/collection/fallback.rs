//! What if the newest manifest is damaged? Then the one before it and the log tell the same, if nothing of them is
//! missing.
//!
//! A manifest is a shortcut: it is the state of the one before plus the log between them, and schema changes are
//! logged too. So a collection can be opened from an older one, provided that this older one is beyond doubt: each of
//! its files has the length and the checksum that it says, no log file from its replay point on is missing, and the
//! log does not end in a torn write. A sound manifest bounds what a torn end can be (nothing that the manifest has);
//! without it the end may be acknowledged writes that were damaged together with the manifest. Otherwise the error
//! stands, and says what is missing.
//!
//! Before anything is written, the older manifest is committed once more, under the number above the damaged one's:
//! from then on the newest manifest is sound again, and a crash is nothing special. The damaged file stays where it
//! is, for whoever wants to look, until newer manifests have taken its place among those that are kept. As long as it
//! is there no segment file is removed, since nobody can tell which of them it names, and new segments get numbers
//! above all that are there.
//!
//! A manifest of a newer format is not damaged, nor is one that the disk can't read just now: no way around these.
//!
//! Rejected: mending the damaged file by writing its number again. Files are never changed, and a copy of it
//! elsewhere would then differ from it. Not here: a last log file that is gone without a trace, which no manifest
//! shows either.

use std::{collections::VecDeque, path::Path};

use super::flush::{MANIFESTS_BEFORE, segment_dir};
use crate::{
    disk::Store,
    error::{Error, Result},
    manifest::{FileEntry, Manifest},
    wal,
};

/// The manifests in a collection's folder.
pub(super) struct Found {
    /// Those that can be read, as many as are kept, oldest first: the last one is opened.
    pub(super) kept: VecDeque<Manifest>,
    /// The damaged ones among them, with what is wrong, newest first.
    pub(super) damaged: Vec<(u64, String)>,
    /// The highest number, whatever its file holds.
    pub(super) newest: u64,
}

/// Looks for the manifest to open and those to keep.
pub(super) fn find(store: &dyn Store, dir: &Path) -> Result<Found> {
    let numbers = Manifest::numbers(store, dir)?;
    let Some(&newest) = numbers.last() else {
        return Err(Error::not_found(format!("there is no collection in {}", dir.display())));
    };
    let (mut kept, mut damaged) = (VecDeque::new(), Vec::new());
    for &number in numbers.iter().rev() {
        match Manifest::read(store, dir, number) {
            Ok(manifest) => kept.push_front(manifest),
            Err(Error::Corrupt(what)) => damaged.push((number, what)),
            Err(error) if kept.is_empty() => return Err(error),
            Err(error) => damaged.push((number, error.to_string())),
        }
        if kept.len() > MANIFESTS_BEFORE {
            break;
        }
    }
    match kept.front() {
        Some(oldest) => damaged.retain(|(number, _)| *number > oldest.number),
        None => return Err(Error::corrupt(format!("{}; no older manifest is sound", damaged[0].1))),
    }
    Ok(Found { kept, damaged, newest })
}

impl Found {
    /// What is wrong with the newest manifest, if an older one has to do.
    pub(super) fn damage(&self) -> Option<&str> {
        let (number, what) = self.damaged.first()?;
        (*number == self.newest).then_some(what)
    }
}

/// Checks that nothing of the manifest is missing, neither files nor log; reads all of both.
pub(super) fn check_complete(store: &dyn Store, dir: &Path, manifest: &Manifest) -> Result<()> {
    for entry in &manifest.segments {
        let folder = segment_dir(dir, entry.number);
        entry.files.iter().chain(&entry.deletes).try_for_each(|file| check_file(store, &folder, file))?;
    }
    match wal::torn_end(store, &dir.join("wal"), manifest.replay_from)? {
        None => Ok(()),
        Some(cut) => Err(Error::corrupt(format!("{cut}, which may have been acknowledged"))),
    }
}

fn check_file(store: &dyn Store, folder: &Path, file: &FileEntry) -> Result<()> {
    let path = folder.join(&file.name);
    let bytes = store.map(&path)?;
    bytes.advise_sequential();
    let (len, checksum) = (bytes.len() as u64, crc32c::crc32c(&bytes));
    if (len, checksum) == (file.len, file.crc32c) {
        return Ok(());
    }
    Err(Error::corrupt(format!("{} is not the file that the manifest names", path.display())))
}

/// The error for a damaged manifest that the one before can't stand in for.
pub(super) fn no_way_back(damage: &str, older: u64, missing: &Error) -> Error {
    let missing = match missing {
        Error::Corrupt(text) => text.clone(),
        other => other.to_string(),
    };
    Error::corrupt(format!(
        "{damage}; manifest {older} can't stand in for it: {missing}. Put a good copy of the manifest in its place, \
         or restore the collection from a backup"
    ))
}
