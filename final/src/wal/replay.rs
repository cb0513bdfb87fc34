//! After a crash, which writes does the log hold? All that were acknowledged, in order, or an error that says what is
//! missing.
//!
//! Of everything that can be wrong with a log, a power loss explains one thing: the last group of the last file was
//! being written, and only parts of it are there. That is a *torn end*. Nobody was told that these writes were done,
//! so it is cut off, durably, before anything else happens. The file is kept, even if nothing of it is left, so that
//! numbers stay without gaps.
//!
//! Everything else means that acknowledged writes were damaged, and the log is refused: a bad frame with a sound one
//! behind it, or in a file that is not the last; a file missing in the sequence; an LSN that does not follow the one
//! before; a log that ends before what the manifest has already.
//!
//! What is read here may never have been synced: the process may have been killed after its write and before its
//! fsync, with the bytes in the system's cache. New writes will build on it, so it is made durable first.
//!
//! Not here: what an operation does; that is `apply`'s.

use std::{fmt, ops::RangeInclusive, path::Path};

use super::{Operation, file::LogFile, list, record::Frame};
use crate::{
    disk::Store,
    error::{Error, Result},
    point::Lsn,
};

/// What a replay found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Replayed {
    /// The last LSN in the log, or the one that replay started after.
    pub last: Lsn,
    /// The number for the next file.
    pub next_file: u64,
    /// The torn end that was cut off.
    pub cut: Option<Cut>,
    /// How many operations were applied.
    pub operations: u64,
}

/// A torn end: the bytes of a file from one offset up to another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cut {
    /// The file's number.
    pub file: u64,
    /// The offset of the first byte that was cut off.
    pub from: u64,
    /// The length that the file had.
    pub to: u64,
}

impl fmt::Display for Cut {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, from, to } = self;
        write!(f, "log file {file} ended in {} bytes of an unfinished write at byte {from}", to - from)
    }
}

/// Reads the log from `from_file` on, checks all of it, applies the operations with LSNs above `after` in order, and
/// cuts off a torn end.
///
/// [`Error::Corrupt`] if acknowledged writes are damaged or missing; then nothing on disk was changed. Operations may
/// have been applied by then: what they were applied to is to be thrown away.
pub fn replay(
    store: &dyn Store,
    dir: &Path,
    from_file: u64,
    after: Lsn,
    apply: &mut dyn FnMut(Operation) -> Result<()>,
) -> Result<Replayed> {
    let files = sequence(store, dir, from_file)?;
    let mut progress = Progress { after, last: None, operations: 0, apply };
    let Some((&newest, older)) = files.split_last() else {
        return Ok(progress.replayed(from_file, None));
    };
    for &number in older {
        let file = LogFile::open(store, dir, number)?;
        let end = progress.read(&file)?;
        if end < file.len() {
            let newest = super::path(dir, newest);
            return Err(damaged(&file, end, &format!("although {} was begun after it", newest.display())));
        }
    }
    let file = LogFile::open(store, dir, newest)?;
    let end = progress.read(&file)?;
    if let Some(sound) = file.sound_behind(end, progress.next()) {
        return Err(damaged(&file, end, &format!("although there is one behind it at byte {sound}")));
    }
    progress.check_end(&file)?;
    let (path, from, to) = (file.path.clone(), end as u64, file.len() as u64);
    drop(file); // Windows can't cut a file that is mapped.
    store.truncate(&path, from)?;
    store.sync_dir(dir)?;
    Ok(progress.replayed(newest + 1, (from < to).then_some(Cut { file: newest, from, to })))
}

/// The torn end that [`replay`] would cut off, if there is one. Only reads.
pub fn torn_end(store: &dyn Store, dir: &Path, from_file: u64) -> Result<Option<Cut>> {
    let Some(&newest) = sequence(store, dir, from_file)?.last() else { return Ok(None) };
    let file = LogFile::open(store, dir, newest)?;
    let (from, to) = (file.walk(&mut |_, _| Ok(()))? as u64, file.len() as u64);
    Ok((from < to).then_some(Cut { file: newest, from, to }))
}

/// The numbers of the files from `from_file` on, none missing.
fn sequence(store: &dyn Store, dir: &Path, from_file: u64) -> Result<Vec<u64>> {
    let files: Vec<u64> = list(store, dir)?.into_iter().filter(|number| *number >= from_file).collect();
    match (from_file..).zip(&files).find(|(expected, found)| expected != *found) {
        None => Ok(files),
        Some((missing, found)) => {
            let (missing, found) = (super::path(dir, missing), super::path(dir, *found));
            let (missing, found) = (missing.display(), found.display());
            Err(Error::corrupt(format!("{missing} is missing, although {found} was begun after it")))
        }
    }
}

fn damaged(file: &LogFile, offset: usize, although: &str) -> Error {
    let path = file.path.display();
    Error::corrupt(format!(
        "{path}: no sound record at byte {offset}, {although}, so acknowledged writes are damaged; \
         put a good copy of the file in its place, or restore the collection from a backup"
    ))
}

/// How far a replay has come.
struct Progress<'a> {
    after: Lsn,
    /// The last LSN that was found in the log.
    last: Option<Lsn>,
    operations: u64,
    apply: &'a mut dyn FnMut(Operation) -> Result<()>,
}

impl Progress<'_> {
    /// Takes all of a file's frames and says where they end.
    fn read(&mut self, file: &LogFile) -> Result<usize> {
        file.walk(&mut |offset, frame| self.take(file, offset, frame))
    }

    fn take(&mut self, file: &LogFile, offset: usize, frame: Frame<'_>) -> Result<()> {
        let next = self.next();
        let bad = |what: String| {
            Error::corrupt(format!("{}: record at byte {offset}: {what}", file.path.display()))
        };
        if !next.contains(&frame.first) {
            let (expected, found) = (next.end(), frame.first);
            let what = if found > *expected { "the writes between are lost" } else { "it was there before" };
            return Err(bad(format!("LSN {expected} is expected and {found} found: {what}")));
        }
        for operation in frame.operations().map_err(bad)? {
            self.last = Some(operation.lsn);
            if operation.lsn > self.after {
                self.operations += 1;
                (self.apply)(operation)?;
            }
        }
        Ok(())
    }

    /// The LSNs that the next frame may start with: the first one of a log may have been flushed already.
    fn next(&self) -> RangeInclusive<Lsn> {
        match self.last {
            Some(last) => last + 1..=last + 1,
            None => 1..=self.after.saturating_add(1),
        }
    }

    fn check_end(&self, file: &LogFile) -> Result<()> {
        match self.last {
            Some(last) if last < self.after => Err(Error::corrupt(format!(
                "{}: the log ends with LSN {last}, and the manifest was written at LSN {}; its end is lost",
                file.path.display(),
                self.after
            ))),
            _ => Ok(()),
        }
    }

    fn replayed(&self, next_file: u64, cut: Option<Cut>) -> Replayed {
        Replayed { last: self.last.unwrap_or(self.after), next_file, cut, operations: self.operations }
    }
}
