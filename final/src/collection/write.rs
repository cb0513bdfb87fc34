//! The writer thread: who waits while an fsync runs shares the next one.
//!
//! The thread takes every message that is waiting, resolves the writes among them to post-images one after the
//! other (each sees those before it), logs all of them as one group with one fsync, applies them, publishes, and
//! only then answers. A write with a filter must see the rows of the writes before it, so it starts a new group.

use std::{
    collections::VecDeque,
    path::PathBuf,
    sync::{Arc, mpsc},
    thread::JoinHandle,
};

use arc_swap::ArcSwap;

use super::{
    Alter, Done, Options, Shared, Write,
    flush::Flushed,
    inbox::Inbox,
    merge::Merging,
    resolve::{Pending, Resolver},
    state::{LiveSegment, State},
};
use crate::{
    disk::Store,
    error::{Error, Result},
    manifest::Manifest,
    point::Lsn,
    segment::seal::Progress,
    wal::{Change, Operation, Wal},
};

/// A group closes at this many writes, so that the first of them does not wait for ever.
const GROUP_WRITES: usize = 1_024;

/// A group closes once its points take about this much memory.
const GROUP_BYTES: usize = 32 << 20;

/// The writer is full when it holds so many times what makes a segment, and a segment is being sealed.
const FULL: usize = 8;

/// Fewer rows than this are not worth a segment of their own only because nobody writes.
const IDLE_ROWS: u32 = 1_000;

/// What the writer thread is told.
pub(super) enum Message {
    Write(Write, Done),
    Alter(Alter, Done),
    Flush(Done),
    /// A seal has ended; `None` if there was nothing to write.
    Flushed(Result<Option<Flushed>>),
    /// A merge has ended; `None` if every row was dead.
    Merged(Result<Option<Flushed>>),
    Close,
}

impl Message {
    /// Whether it comes from a thread of the writer's own.
    pub(super) fn is_of_a_job(&self) -> bool {
        matches!(self, Self::Flushed(_) | Self::Merged(_))
    }

    /// Answers whoever waits for this message that it will not be heard.
    pub(super) fn refuse(self, error: &Error) {
        if let Self::Write(_, done) | Self::Alter(_, done) | Self::Flush(done) = self {
            done(Err(error.clone()));
        }
    }
}

/// The writer of one collection; lives in its thread.
pub(super) struct Writer {
    pub(super) store: Arc<dyn Store>,
    pub(super) dir: PathBuf,
    pub(super) options: Options,
    pub(super) state: State,
    pub(super) wal: Wal,
    /// The newest manifest last; it and the two before it keep their files.
    pub(super) kept: VecDeque<Manifest>,
    /// The numbers of damaged manifests between those.
    pub(super) damaged: Vec<u64>,
    pub(super) next_manifest_number: u64,
    pub(super) next_segment: u64,
    pub(super) epoch: u64,
    pub(super) flushing: Option<Arc<Progress>>,
    pub(super) merging: Option<Merging>,
    /// Who waits for everything up to an LSN to be sealed.
    pub(super) flush_waiters: Vec<(Lsn, Done)>,
    pub(super) jobs: Vec<JoinHandle<()>>,
    pub(super) shared: Arc<Shared>,
    pub(super) outbox: mpsc::Sender<Message>,
    pub(super) inbox: Inbox,
    /// Keeps other processes out of the folder.
    pub(super) _lock: Box<dyn std::any::Any + Send + Sync>,
}

/// Operations that will be logged together, and who waits for them.
#[derive(Default)]
struct Group {
    pending: Pending,
    answers: Vec<(Lsn, Done)>,
}

impl Writer {
    pub(super) fn shared(&self) -> &Arc<Shared> {
        &self.shared
    }

    /// Publishes the first snapshot's holder for a recovered state.
    pub(super) fn share(state: &State) -> Arc<Shared> {
        let published = ArcSwap::from_pointee(state.snapshot());
        Arc::new(Shared { published, status: Default::default() })
    }

    /// Runs until told to close.
    pub(super) fn run(mut self) {
        while let Some(first) = self.next_message() {
            let mut group = Group::default();
            let mut message = Some(first);
            while let Some(next) = message {
                if let Message::Close = next {
                    self.commit(&mut group);
                    return self.stop();
                }
                self.take(next, &mut group);
                let room = group.answers.len() < GROUP_WRITES && group.pending.bytes() < GROUP_BYTES;
                message = if room { self.inbox.next_now(self.is_full()) } else { None };
            }
            self.commit(&mut group);
            self.flush_if_due();
        }
        self.stop();
    }

    /// The next message; waits for it, and seals the mutable segment if the wait is long.
    fn next_message(&mut self) -> Option<Message> {
        let idle = self.options.flush_idle.filter(|_| self.state.mutable().rows() >= IDLE_ROWS);
        match self.inbox.next(self.is_full(), idle) {
            Err(mpsc::RecvTimeoutError::Timeout) => {
                self.start_flush();
                self.inbox.next(self.is_full(), None).ok()
            }
            next => next.ok(),
        }
    }

    /// Whether there is so much to seal that writes have to wait until some of it is.
    fn is_full(&self) -> bool {
        let most = self.options.flush_bytes.saturating_mul(FULL);
        self.flushing.is_some() && self.state.mutable().bytes() >= most
    }

    /// Whether what has been written is sealed, and nobody writes more than a little; if anybody wants to know.
    pub(super) fn is_resting(&self) -> bool {
        self.options.flush_idle.is_some()
            && self.flushing.is_none()
            && self.state.frozen.is_none()
            && self.state.mutable().rows() < IDLE_ROWS
    }

    fn take(&mut self, message: Message, group: &mut Group) {
        match message {
            Message::Write(write, done) => self.take_write(write, done, group),
            Message::Alter(alter, done) => self.take_alter(alter, done, group),
            Message::Flush(done) => {
                self.commit(group);
                self.flush_waiters.push((self.state.lsn, done));
                self.start_flush();
                self.start_merge_if_due();
                self.answer_flush_waiters();
            }
            Message::Flushed(outcome) => {
                self.commit(group);
                self.finish_flush(outcome);
            }
            Message::Merged(outcome) => {
                self.commit(group);
                self.finish_merge(outcome);
            }
            Message::Close => unreachable!("handled by the loop"),
        }
    }

    fn take_write(&mut self, write: Write, done: Done, group: &mut Group) {
        if write.selects_by_filter() {
            self.commit(group);
        }
        let snapshot = self.shared.published.load_full();
        let resolved = Resolver { snapshot: &snapshot, pending: &group.pending }.resolve(write);
        match resolved {
            Ok(changes) => self.add(changes, done, group),
            Err(error) => done(Err(error)),
        }
    }

    fn take_alter(&mut self, alter: Alter, done: Done, group: &mut Group) {
        self.commit(group);
        let mut schema = (*self.state.schema).clone();
        match alter.apply(&mut schema) {
            Ok(()) => self.add(vec![Change::Schema(Box::new(schema))], done, group),
            Err(error) => done(Err(error)),
        }
        self.commit(group);
    }

    fn add(&mut self, changes: Vec<Change>, done: Done, group: &mut Group) {
        let lsn = self.state.lsn + group.answers.len() as Lsn + 1;
        group.pending.push(Operation { lsn, changes });
        group.answers.push((lsn, done));
    }

    /// Logs, applies and publishes the group, and answers its writes.
    fn commit(&mut self, group: &mut Group) {
        let Group { pending, answers } = std::mem::take(group);
        let operations = pending.into_operations();
        if operations.is_empty() {
            return;
        }
        match self.wal.append(&operations) {
            Ok(()) => {
                self.state.apply(operations);
                self.publish();
                answers.into_iter().for_each(|(lsn, done)| done(Ok(lsn)));
            }
            Err(error) => {
                self.fail(&error);
                answers.into_iter().for_each(|(_, done)| done(Err(error.clone())));
            }
        }
    }

    /// Shows the present state to new readers.
    pub(super) fn publish(&mut self) {
        self.shared.published.store(Arc::new(self.state.snapshot()));
        let log_bytes = self.wal.bytes();
        let of = |segment: &LiveSegment| {
            let files = segment.entry.files.iter().chain(&segment.entry.deletes);
            (segment.entry.number, files.map(|file| file.len).sum())
        };
        let segment_bytes = self.state.sealed.iter().map(of).collect();
        self.shared.status(|status| (status.log_bytes, status.segment_bytes) = (log_bytes, segment_bytes));
    }

    /// Notes a failure for the collection's status.
    pub(super) fn fail(&self, error: &Error) {
        tracing::error!(dir = %self.dir.display(), "{error}");
        self.shared.status(|status| status.failure = Some(error.to_string()));
    }

    /// Ends background work and refuses what is still in the queue.
    fn stop(mut self) {
        self.flushing.iter().for_each(|progress| progress.cancel());
        self.merging.iter().for_each(|merging| merging.progress.cancel());
        for job in self.jobs.drain(..) {
            if job.join().is_err() {
                tracing::error!("a background thread panicked");
            }
        }
        let closed = Error::closed("the collection has been closed");
        self.flush_waiters.drain(..).for_each(|(_, done)| done(Err(closed.clone())));
        while let Some(message) = self.inbox.next_now(false) {
            message.refuse(&closed);
        }
    }
}
