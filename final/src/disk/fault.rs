//! What would be left if the power failed just now? A [`Store`] in memory, for tests, that can tell.
//!
//! It keeps what is written (*live*) and what is durable apart. Bytes become durable when their file is flushed;
//! entries of a folder (a file created, renamed or removed) when the folder is synced. [`FaultStore::crash`] gives the
//! store that a machine would find after a power loss, with nothing but what is durable;
//! [`FaultStore::crash_keeping`] one where some of the rest happened to reach the disk too: whole writes, the
//! beginnings of writes, single pages with zeros between them, entries in any order. Recovery must live with each.
//!
//! Every call that changes something is a numbered *step*, and [`FaultStore::fail_at`] makes one of them fail. A test
//! runs once to count the steps and then once for each step and kind of failure.
//!
//! A failed fsync is as bad as it is on Linux: what it should have made durable is not, and a later fsync that
//! succeeds does not make up for it, although the bytes can still be read until the power goes.
//!
//! Not here: failing reads and flipped bits; tests write those bytes themselves.

use std::{
    collections::{BTreeMap, BTreeSet},
    fmt,
    io::{self, ErrorKind, Write},
    ops::Range,
    path::{Path, PathBuf},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use rand::{RngExt, SeedableRng, rngs::StdRng};

use super::{
    Mapping, Store, Writer,
    store::{Lock, absent, exists, in_use},
};
use crate::error::{Error, Result};

/// Pages are what a disk writes or does not write.
const PAGE: usize = 4096;

/// How a step fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Fault {
    /// The step fails without effect; later ones work.
    Error,
    /// A write stores half of its bytes and fails; any other step fails as with [`Fault::Error`].
    ShortWrite,
    /// The power goes: this step may or may not have happened, and every later call fails, reads too.
    Crash,
}

/// Files in memory with failures on command; for tests. Clones share the same files.
#[derive(Clone, Default)]
pub struct FaultStore(Arc<Mutex<State>>);

#[derive(Default)]
struct State {
    files: BTreeMap<u64, File>,
    live: Tree,
    durable: Tree,
    numbers: u64,
    steps: u64,
    faults: BTreeMap<u64, Fault>,
    down: bool,
    locks: BTreeSet<PathBuf>,
}

/// What each path is. A parent sorts before what is in it.
type Tree = BTreeMap<PathBuf, Node>;

/// Files and folders are known by number, so that one removed and made again is another.
#[derive(Clone, Copy, PartialEq)]
enum Node {
    File(u64),
    Folder(u64),
}

#[derive(Default)]
struct File {
    live: Vec<u8>,
    durable: Vec<u8>,
    /// The writes since the last flush that worked.
    unsynced: Vec<Unsynced>,
}

struct Unsynced {
    range: Range<usize>,
    /// A flush failed after this write; no later one makes it durable.
    lost: bool,
}

impl FaultStore {
    /// How many steps were taken so far, failed ones included.
    pub fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Makes the step with this number fail; the first step of a store is 0.
    pub fn fail_at(&self, step: u64, fault: Fault) {
        self.state().faults.insert(step, fault);
    }

    /// The store after a power loss in which only what is durable survives: no locks, no faults, steps from 0.
    pub fn crash(&self) -> Self {
        let state = self.state();
        Self::found(&state, state.durable.clone(), |file| file.durable.clone())
    }

    /// The store after a power loss in which a part of what is not durable survives too; which, the seed decides.
    pub fn crash_keeping(&self, seed: u64) -> Self {
        let state = self.state();
        let mut random = StdRng::seed_from_u64(seed);
        let mut tree = Tree::new();
        for path in state.live.keys().chain(state.durable.keys()).collect::<BTreeSet<_>>() {
            let from = if random.random() { &state.live } else { &state.durable };
            if let Some(&node) = from.get(path) {
                tree.insert(path.clone(), node);
            }
        }
        Self::found(&state, tree, |file| file.partly_durable(&mut random))
    }

    fn found(before: &State, tree: Tree, mut content: impl FnMut(&File) -> Vec<u8>) -> Self {
        let mut reached = Tree::new();
        for (path, node) in tree {
            if has_folder(&reached, &path) {
                reached.insert(path, node);
            }
        }
        let files = before.files.iter().map(|(&number, file)| {
            let bytes = content(file);
            (number, File { live: bytes.clone(), durable: bytes, unsynced: Vec::new() })
        });
        let state = State {
            files: files.collect(),
            live: reached.clone(),
            durable: reached,
            numbers: before.numbers,
            ..State::default()
        };
        Self(Arc::new(Mutex::new(state)))
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // A test that panicked elsewhere is reported there.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn alive(&self, doing: &str, path: &Path) -> Result<MutexGuard<'_, State>> {
        let state = self.state();
        if state.down { Err(Error::io(doing, path)(power_loss())) } else { Ok(state) }
    }

    /// One step that changes which entries there are. In a crash it has happened, but is not durable.
    fn change(&self, doing: &str, path: &Path, change: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        let outcome = state.step();
        if matches!(outcome, Ok(()) | Err(Failed::Crash)) {
            change(&mut state);
        }
        outcome.map_err(|failed| Error::io(doing, path)(failed.into()))
    }

    /// One step that makes something durable. In a crash it has not happened.
    fn settle(&self, doing: &str, path: &Path, settle: impl FnOnce(&mut State)) -> Result<()> {
        let mut state = self.state();
        state.step().map_err(|failed| Error::io(doing, path)(failed.into()))?;
        settle(&mut state);
        Ok(())
    }
}

impl Store for FaultStore {
    fn create(&self, path: &Path) -> Result<Writer> {
        let state = self.alive("create", path)?;
        if state.live.contains_key(path) {
            return Err(exists(path));
        }
        if !has_folder(&state.live, path) {
            return Err(Error::io("create", path)(ErrorKind::NotFound.into()));
        }
        drop(state);
        let mut number = 0;
        self.change("create", path, |state| number = state.create(path))?;
        Ok(Box::new(Appender { store: self.clone(), number }))
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        let state = self.alive("read", path)?;
        Ok(state.file(path)?.live.clone())
    }

    fn map(&self, path: &Path) -> Result<Mapping> {
        self.read(path).map(Mapping::from_bytes)
    }

    fn forget(&self, _: &Path) {}

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        let state = self.alive("list", dir)?;
        let inside = state.live.keys().filter(|path| path.parent() == Some(dir));
        Ok(inside.filter_map(|path| Some(path.file_name()?.to_str()?.to_owned())).collect())
    }

    fn len(&self, path: &Path) -> Result<u64> {
        let state = self.alive("look up", path)?;
        Ok(state.file(path)?.live.len() as u64)
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        let Some(parent) = dir.parent() else { return Ok(()) };
        let found = self.alive("create the folder", dir)?.live.get(dir).copied();
        match found {
            Some(Node::File(_)) => {
                return Err(Error::conflict(format!("{} is a file, and a folder is needed", dir.display())));
            }
            Some(Node::Folder(_)) => {}
            None => {
                self.create_dir(parent)?;
                self.change("create the folder", dir, |state| {
                    let node = Node::Folder(state.number());
                    state.live.insert(dir.to_owned(), node);
                })?;
            }
        }
        self.sync_dir(parent)
    }

    fn sync_dir(&self, dir: &Path) -> Result<()> {
        self.settle("sync the folder", dir, |state| state.sync_dir(dir))
    }

    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        self.alive("rename", from)?.file(from)?;
        self.change("rename", from, |state| {
            if let Some(node) = state.live.remove(from) {
                state.live.insert(to.to_owned(), node);
            }
        })
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        self.alive("truncate", path)?.file(path)?;
        self.settle("truncate", path, |state| {
            if let Some(Node::File(number)) = state.live.get(path)
                && let Some(file) = state.files.get_mut(number)
            {
                file.sync();
                file.live.resize(len as usize, 0);
                file.durable.resize(len as usize, 0);
            }
        })
    }

    fn remove(&self, path: &Path) -> Result<()> {
        self.change("remove", path, |state| state.live.retain(|other, _| !other.starts_with(path)))
    }

    fn lock(&self, path: &Path) -> Result<Lock> {
        let mut state = self.alive("lock", path)?;
        if !state.locks.insert(path.to_owned()) {
            return Err(in_use(path));
        }
        if !state.live.contains_key(path) {
            state.create(path);
        }
        Ok(Box::new(Locked { store: self.clone(), path: path.to_owned() }))
    }
}

impl fmt::Debug for FaultStore {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let state = self.state();
        write!(f, "FaultStore at step {} with {} entries", state.steps, state.live.len())
    }
}

enum Failed {
    Before,
    Short,
    Crash,
}

impl From<Failed> for io::Error {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Before | Failed::Short => io::Error::other("a fault that a test asked for"),
            Failed::Crash => power_loss(),
        }
    }
}

fn power_loss() -> io::Error {
    io::Error::other("a power loss that a test asked for")
}

impl State {
    /// Counts a step and says how it fails, if it does.
    fn step(&mut self) -> std::result::Result<(), Failed> {
        if self.down {
            return Err(Failed::Before);
        }
        self.steps += 1;
        match self.faults.remove(&(self.steps - 1)) {
            None => Ok(()),
            Some(Fault::Error) => Err(Failed::Before),
            Some(Fault::ShortWrite) => Err(Failed::Short),
            Some(Fault::Crash) => {
                self.down = true;
                Err(Failed::Crash)
            }
        }
    }

    fn number(&mut self) -> u64 {
        self.numbers += 1;
        self.numbers
    }

    fn create(&mut self, path: &Path) -> u64 {
        let number = self.number();
        self.files.insert(number, File::default());
        self.live.insert(path.to_owned(), Node::File(number));
        number
    }

    fn file(&self, path: &Path) -> Result<&File> {
        match self.live.get(path) {
            Some(Node::File(number)) => Ok(&self.files[number]),
            _ => Err(absent(path)),
        }
    }

    fn sync_dir(&mut self, dir: &Path) {
        let inside = |path: &&PathBuf| path.parent() == Some(dir);
        let mut gone: Vec<_> = self.durable.keys().filter(inside).cloned().collect();
        gone.retain(|path| self.live.get(path) != self.durable.get(path));
        self.durable.retain(|path, _| !gone.iter().any(|gone| path.starts_with(gone)));
        let entries = self.live.iter().filter(|(path, _)| inside(path));
        self.durable.extend(entries.map(|(path, node)| (path.clone(), *node)));
    }
}

/// Whether the folder that a path would be in is there; the root always is.
fn has_folder(tree: &Tree, path: &Path) -> bool {
    match path.parent() {
        Some(parent) if parent.parent().is_some() => matches!(tree.get(parent), Some(Node::Folder(_))),
        _ => true,
    }
}

impl File {
    fn sync(&mut self) {
        for Unsynced { range, .. } in self.unsynced.drain(..).filter(|write| !write.lost) {
            copy(&mut self.durable, &self.live, range);
        }
    }

    fn partly_durable(&self, random: &mut StdRng) -> Vec<u8> {
        let mut bytes = self.durable.clone();
        for Range { start, end } in self.unsynced.iter().map(|write| write.range.clone()) {
            match random.random_range(0..4) {
                0 => {}
                1 => copy(&mut bytes, &self.live, start..end),
                2 => copy(&mut bytes, &self.live, start..random.random_range(start..=end)),
                _ => {
                    bytes.resize(bytes.len().max(end), 0);
                    for page in start / PAGE..end.div_ceil(PAGE) {
                        if random.random() {
                            let page = start.max(page * PAGE)..end.min((page + 1) * PAGE);
                            copy(&mut bytes, &self.live, page);
                        }
                    }
                }
            }
        }
        bytes
    }
}

/// Copies a range of one file's bytes to the same place in another's, with zeros before it where there was nothing.
fn copy(to: &mut Vec<u8>, from: &[u8], range: Range<usize>) {
    to.resize(to.len().max(range.end), 0);
    to[range.clone()].copy_from_slice(&from[range]);
}

struct Appender {
    store: FaultStore,
    number: u64,
}

impl Write for Appender {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut state = self.store.state();
        let outcome = state.step();
        let stored = match outcome {
            Ok(()) | Err(Failed::Crash) => bytes.len(),
            Err(Failed::Short) => bytes.len() / 2,
            Err(Failed::Before) => 0,
        };
        if let Some(file) = state.files.get_mut(&self.number) {
            let start = file.live.len();
            file.live.extend_from_slice(&bytes[..stored]);
            file.unsynced.push(Unsynced { range: start..start + stored, lost: false });
        }
        outcome.map(|()| stored).map_err(Into::into)
    }

    fn flush(&mut self) -> io::Result<()> {
        let mut state = self.store.state();
        let outcome = state.step();
        if let Some(file) = state.files.get_mut(&self.number) {
            match outcome {
                Ok(()) => file.sync(),
                Err(Failed::Crash) => {}
                Err(_) => file.unsynced.iter_mut().for_each(|write| write.lost = true),
            }
        }
        outcome.map_err(Into::into)
    }
}

struct Locked {
    store: FaultStore,
    path: PathBuf,
}

impl Drop for Locked {
    fn drop(&mut self) {
        self.store.state().locks.remove(&self.path);
    }
}

#[cfg(test)]
mod tests;
