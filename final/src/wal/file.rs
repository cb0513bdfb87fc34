//! What does one log file hold, and up to where is it sound?
//!
//! Both who replays the log and who prints it walk a file's frames this way. Neither a torn end nor a torn header is
//! an error here: whether it may be so depends on the files behind it, which only [`replay`](super::replay()) sees.

use std::path::{Path, PathBuf};

use super::{
    VERSION,
    record::{Frame, SHORTEST, peek, read_frame},
};
use crate::{
    disk::{
        Mapping, Store,
        format::{Header, Kind},
    },
    error::{Error, Result},
    point::Lsn,
};

/// A log file that is being read.
pub(super) struct LogFile {
    pub(super) number: u64,
    pub(super) path: PathBuf,
    bytes: Mapping,
    start: usize,
}

impl LogFile {
    /// Opens a file. A header that was never written whole makes all of it a torn end; one that is whole and is not
    /// this file's, or is of a newer version, is an error.
    pub(super) fn open(store: &dyn Store, dir: &Path, number: u64) -> Result<Self> {
        let path = super::path(dir, number);
        let bytes = store.map(&path)?;
        bytes.advise_sequential();
        if !Header::is_whole(&bytes) {
            return Ok(Self { number, path, bytes, start: 0 });
        }
        let header = Header::decode(&bytes, &path, Kind::Wal, VERSION)?;
        if header.number != number {
            let path = path.display();
            return Err(Error::corrupt(format!(
                "{path}: the file was written as log file {}",
                header.number
            )));
        }
        Ok(Self { number, path, bytes, start: Header::LEN })
    }

    pub(super) fn len(&self) -> usize {
        self.bytes.len()
    }

    /// Hands over the frames from front to back, each with its offset, and says where the last sound one ends:
    /// at the end of the file, or where a frame should start and none does.
    pub(super) fn walk(&self, each: &mut dyn FnMut(usize, Frame<'_>) -> Result<()>) -> Result<usize> {
        let mut offset = self.start;
        while self.start > 0
            && let Some(frame) = read_frame(self.number, offset, &self.bytes)
        {
            each(offset, frame)?;
            offset = frame.end;
        }
        Ok(offset)
    }

    /// The offset of a sound frame behind `end` where the walk ended, if there is one. `next` are the LSNs that the
    /// frame missing at `end` may have; one behind it has at most one more for each [`SHORTEST`] bytes between.
    ///
    /// Its LSN is looked at before its checksum, or else each byte of a long torn end might cost a checksum of the rest.
    pub(super) fn sound_behind(&self, end: usize, next: std::ops::RangeInclusive<Lsn>) -> Option<usize> {
        let plausible = |offset: usize| {
            let latest = next.end().saturating_add(((offset - end) / SHORTEST) as u64);
            peek(&self.bytes, offset).is_some_and(|(_, first)| (*next.start()..=latest).contains(&first))
        };
        (end + 1..self.len())
            .find(|offset| plausible(*offset) && read_frame(self.number, *offset, &self.bytes).is_some())
    }
}
