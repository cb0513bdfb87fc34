//! How do writes become durable and visible? One writer thread per collection, one published snapshot.
//!
//! ```text
//! write   caller ─► channel ─► writer thread: resolve to post-images ─► log, one fsync for all waiting ─► apply ─► publish ─► answer
//! flush   freeze the mutable segment ─► seal it in another thread ─► manifest N+1 ─► publish ─► drop old log files
//! merge   policy(sizes) ─► seal the inputs' live rows in another thread ─► remap later tombstones ─► manifest ─► publish
//! open    newest manifest ─► map its segments ─► replay the log after its LSN ─► delete what nothing names
//! ```
//! Readers never wait: [`Collection::snapshot`] loads a pointer.
//!
//! Not here: what a query does with a snapshot ([`crate::query`]), and HTTP ([`crate::server`]).

pub mod change;
pub mod database;
mod edit;
mod fallback;
mod flush;
mod inbox;
mod merge;
mod policy;
mod priority;
mod recover;
mod resolve;
mod state;
mod stats;
#[cfg(test)]
mod tests;
mod write;

use std::{
    path::Path,
    sync::{Arc, Mutex, PoisonError, mpsc},
    thread::JoinHandle,
    time::Duration,
};

use arc_swap::ArcSwap;

use crate::{
    disk::Store,
    error::{Error, Result},
    manifest::Manifest,
    point::Lsn,
    schema::CollectionSchema,
    segment::{Snapshot, seal::Progress},
};

pub use change::{Alter, Selector, UpsertMode, Write};
pub use database::Database;
pub use recover::Recovery;
pub use stats::{CollectionStats, SegmentStats};
use write::{Message, Writer};

/// Called once with the outcome of a write, in the writer thread: hand it on and return.
pub type Done = Box<dyn FnOnce(Result<Lsn>) + Send>;

/// When the writer seals what it holds.
#[derive(Debug, Clone)]
pub struct Options {
    /// Who writes, for the manifests; any text.
    pub writer: String,
    /// The mutable segment is sealed once it takes about this much memory.
    pub flush_bytes: usize,
    /// A mutable segment that nobody has written to for this long is sealed as it is, and then few segments are made of
    /// many; `None`: never.
    pub flush_idle: Option<Duration>,
}

impl Default for Options {
    fn default() -> Self {
        Self { writer: "kith".to_string(), flush_bytes: 32 << 20, flush_idle: Some(Duration::from_secs(5)) }
    }
}

/// A collection opened for reading and writing; the folder is this process's until it is dropped.
#[derive(Debug)]
pub struct Collection {
    shared: Arc<Shared>,
    inbox: mpsc::Sender<Message>,
    writer: Mutex<Option<JoinHandle<()>>>,
    recovery: Recovery,
}

/// What the writer shows to everyone.
#[derive(Debug)]
pub(crate) struct Shared {
    published: ArcSwap<Snapshot>,
    status: Mutex<Status>,
}

/// What the writer is busy with.
#[derive(Debug, Default, Clone)]
struct Status {
    flushing: Option<Arc<Progress>>,
    merging: Option<Arc<Progress>>,
    log_bytes: u64,
    segment_bytes: Vec<(u64, u64)>,
    failure: Option<String>,
}

impl Shared {
    fn status<T>(&self, update: impl FnOnce(&mut Status) -> T) -> T {
        // A panicking holder leaves plain values behind, each of them valid by itself.
        update(&mut self.status.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Collection {
    /// Makes a collection in a folder that holds none.
    pub fn create(
        store: Arc<dyn Store>,
        dir: &Path,
        schema: CollectionSchema,
        options: &Options,
    ) -> Result<Self> {
        store.create_dir(dir)?;
        if !Manifest::numbers(&*store, dir)?.is_empty() {
            return Err(Error::conflict(format!("there is a collection in {} already", dir.display())));
        }
        Manifest::first(schema, &options.writer).commit(&*store, dir)?;
        Self::open(store, dir, options)
    }

    /// Opens the collection in a folder, replaying what its log holds beyond the newest manifest.
    pub fn open(store: Arc<dyn Store>, dir: &Path, options: &Options) -> Result<Self> {
        let (sender, inbox) = mpsc::channel();
        let (writer, recovery) = Writer::recover(store, dir, options, sender.clone(), inbox)?;
        let shared = writer.shared().clone();
        let thread = std::thread::Builder::new().name("kith-writer".to_string());
        let handle =
            thread.spawn(move || writer.run()).map_err(Error::io("start a writer thread for", dir))?;
        Ok(Self { shared, inbox: sender, writer: Mutex::new(Some(handle)), recovery })
    }

    /// The state after the last write that was answered, or a later one.
    pub fn snapshot(&self) -> Arc<Snapshot> {
        self.shared.published.load_full()
    }

    /// What opening found and did.
    pub fn recovery(&self) -> &Recovery {
        &self.recovery
    }

    /// Queues a write; `done` hears of it once it is durable and visible, or refused.
    pub fn write(&self, write: Write, done: Done) {
        match write.prepare(self.snapshot().schema()) {
            Ok(write) => self.send(Message::Write(write, done)),
            Err(error) => done(Err(error)),
        }
    }

    /// Queues a change of the schema.
    pub fn alter(&self, alter: Alter, done: Done) {
        self.send(Message::Alter(alter, done));
    }

    /// Writes and waits for the outcome.
    pub fn write_and_wait(&self, write: Write) -> Result<Lsn> {
        wait(|done| self.write(write, done))
    }

    /// Changes the schema and waits for the outcome.
    pub fn alter_and_wait(&self, alter: Alter) -> Result<Lsn> {
        wait(|done| self.alter(alter, done))
    }

    /// Seals everything written so far, merges what is due, and waits until that is committed.
    pub fn flush(&self) -> Result<Lsn> {
        wait(|done| self.send(Message::Flush(done)))
    }

    /// Finishes the writes queued so far, stops background work and the writer. Writes sent later are refused.
    pub fn close(&self) {
        let handle = self.writer.lock().unwrap_or_else(PoisonError::into_inner).take();
        if let Some(handle) = handle {
            self.send(Message::Close);
            if handle.join().is_err() {
                tracing::error!("the writer thread panicked");
            }
        }
    }

    fn send(&self, message: Message) {
        if let Err(mpsc::SendError(message)) = self.inbox.send(message) {
            message.refuse(&Error::closed("the collection has been closed"));
        }
    }
}

impl Drop for Collection {
    fn drop(&mut self) {
        self.close();
    }
}

fn wait(send: impl FnOnce(Done)) -> Result<Lsn> {
    let (sender, outcome) = mpsc::sync_channel(1);
    send(Box::new(move |result| {
        // The receiver waits below; it is gone only if this thread is unwinding.
        let _ = sender.send(result);
    }));
    outcome.recv().unwrap_or_else(|_| Err(Error::closed("the writer has stopped")))
}
