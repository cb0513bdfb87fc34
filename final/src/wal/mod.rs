//! How is a write made durable before it is acknowledged? It is appended to a log, and the log is synced.
//!
//! The log is a folder of numbered files, `000017.wal` and so on, each a header ([`Header`]) and then frames
//! ([`record`]): one frame, one write and one fsync for everyone who is waiting ([`Wal::append`]). A flush of the
//! collection starts the next file ([`Wal::rotate`]), and when no kept manifest needs the older ones they are removed.
//! Every opening of a collection starts a new file too: what a crash left is cut and never appended to.
//!
//! A failed write or fsync ends the log for this process. Nobody knows then what is on disk, and asking the system
//! again gives no answer that can be trusted; the next opening reads what is there ([`replay`](replay::replay)).
//!
//! Not here: who waits for whom (the collection's writer gathers groups), and what the operations mean.

pub mod record;
mod file;
pub mod replay;
pub mod dump;

pub use dump::dump;
pub use record::{Change, Operation};
pub use replay::{Cut, Replayed, replay, torn_end};

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use crate::{
    disk::{
        Store, Writer,
        format::{Header, Kind},
    },
    error::{Error, Result},
    point::Lsn,
};

/// The newest version of the log's format that this code reads, and the one it writes.
const VERSION: u16 = 1;

/// The end of the log that is written to.
pub struct Wal {
    store: Arc<dyn Store>,
    dir: PathBuf,
    file: u64,
    open: Option<Open>,
    last: Option<Lsn>,
    /// Why nothing can be appended any more.
    failed: Option<String>,
}

/// The file that is appended to, once there is one.
struct Open {
    writer: Writer,
    len: u64,
}

impl Wal {
    /// A log whose first append creates the file numbered `next_file`; until then nothing is on disk.
    pub fn new(store: Arc<dyn Store>, dir: PathBuf, next_file: u64) -> Self {
        Self { store, dir, file: next_file, open: None, last: None, failed: None }
    }

    /// Makes operations with consecutive LSNs durable as one group: after an error none of them counts.
    ///
    /// [`Error::BadRequest`] if they can't be logged; nothing was written then, and the log goes on. After any other
    /// error it takes nothing more: every later call is [`Error::Closed`].
    pub fn append(&mut self, operations: &[Operation]) -> Result<()> {
        if let Some(reason) = &self.failed {
            return Err(Error::closed(format!(
                "an earlier write to the log failed, so this process takes no more writes; restart it once the cause \
                 is mended: {reason}"
            )));
        }
        let (Some(first), Some(last)) = (operations.first(), operations.last()) else { return Ok(()) };
        assert!(self.last.is_none_or(|last| first.lsn == last + 1), "the log's LSNs are consecutive");
        let offset = self.open.as_ref().map_or(Header::LEN as u64, |open| open.len);
        let frame = record::encode_frame(self.file, offset, operations)?;
        let acknowledged = self.bytes();
        if let Err(error) = self.write(&frame) {
            self.fail(&error, acknowledged);
            return Err(error);
        }
        self.last = Some(last.lsn);
        Ok(())
    }

    /// Makes the next append start a new file.
    pub fn rotate(&mut self) {
        if self.open.take().is_some() {
            self.file += 1;
        }
    }

    /// The number of the file that the next append goes to. Right after [`Wal::rotate`], what is logged from then on
    /// is in this file and later ones, and nothing before is.
    pub fn file(&self) -> u64 {
        self.file
    }

    /// How long the current file is, in bytes; 0 right after [`Wal::rotate`].
    pub fn bytes(&self) -> u64 {
        self.open.as_ref().map_or(0, |open| open.len)
    }

    /// Removes the files numbered below `file`.
    pub fn remove_before(&mut self, file: u64) -> Result<()> {
        let files = list(&*self.store, &self.dir)?;
        let mut old = files.into_iter().filter(|number| *number < file).peekable();
        if old.peek().is_none() {
            return Ok(());
        }
        old.try_for_each(|number| self.store.remove(&path(&self.dir, number)))?;
        self.store.sync_dir(&self.dir)
    }

    fn write(&mut self, frame: &[u8]) -> Result<()> {
        let path = path(&self.dir, self.file);
        if let Some(open) = &mut self.open {
            return open.append(frame).map_err(Error::io("append to", &path));
        }
        self.store.create_dir(&self.dir)?;
        let open = self.open.insert(Open { writer: self.store.create(&path)?, len: 0 });
        let header = Header { kind: Kind::Wal, version: VERSION, number: self.file }.encode();
        open.append(&[&header, frame].concat()).map_err(Error::io("append to", &path))?;
        self.store.sync_dir(&self.dir)
    }

    fn fail(&mut self, error: &Error, acknowledged: u64) {
        self.failed = Some(error.to_string());
        if self.open.take().is_some() {
            // After a failed fsync the bytes can be read until the power goes. The next opening must not see them and
            // build on them; if the disk does not let us cut them off either, there is nothing more to be done here.
            let _ = self.store.truncate(&path(&self.dir, self.file), acknowledged);
        }
    }
}

impl Open {
    fn append(&mut self, bytes: &[u8]) -> std::io::Result<()> {
        self.writer.write_all(bytes)?;
        self.writer.flush()?;
        self.len += bytes.len() as u64;
        Ok(())
    }
}

/// The path of a log file.
fn path(dir: &Path, number: u64) -> PathBuf {
    dir.join(format!("{number:06}.wal"))
}

/// The numbers of the log files in a folder, ascending. Other names are passed over.
fn list(store: &dyn Store, dir: &Path) -> Result<Vec<u64>> {
    let number = |name: String| {
        let number = name.strip_suffix(".wal")?.parse().ok()?;
        (path(Path::new(""), number) == Path::new(&name)).then_some(number)
    };
    let mut numbers: Vec<u64> = store.list(dir)?.into_iter().filter_map(number).collect();
    numbers.sort_unstable();
    Ok(numbers)
}

#[cfg(test)]
mod tests;
