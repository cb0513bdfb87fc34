//! What does the database ask of a file system? The dozen operations of [`Store`], and how the system's files do them.
//!
//! A write is durable after two steps: the file's own [`flush`](std::io::Write::flush) makes its bytes durable, and
//! [`Store::sync_dir`] makes the folder's entry for it durable. Whoever creates, renames or removes something decides
//! when the folder is synced, because one sync serves many files.
//!
//! Windows can't sync a folder (its file systems log such changes themselves), so [`Store::sync_dir`] does nothing
//! there; nor can it remove a file that is still mapped, so [`Store::remove`] fails and the next open tries again.
//!
//! Not here: buffering, formats, retries.

use std::{
    any::Any,
    fmt::Debug,
    fs::{self, File, OpenOptions, TryLockError},
    io::{self, ErrorKind, Write},
    path::Path,
};

use super::Mapping;
use crate::error::{Error, Result};

/// A file being written. `write` appends; `flush` returns once everything written is durable (an fsync).
pub type Writer = Box<dyn Write + Send>;

/// What is held while a file is locked; dropping it lets go.
pub type Lock = Box<dyn Any + Send + Sync>;

/// Where files live. Every error says the path.
pub trait Store: Send + Sync + Debug {
    /// Creates a file that does not exist yet; [`Error::Conflict`] if it does.
    fn create(&self, path: &Path) -> Result<Writer>;

    /// All bytes of a file; [`Error::NotFound`] if there is none.
    fn read(&self, path: &Path) -> Result<Vec<u8>>;

    /// A file's bytes, read-only, starting at a multiple of 64 in memory; [`Error::NotFound`] if there is none.
    fn map(&self, path: &Path) -> Result<Mapping>;

    /// Lets go of what the system keeps of a durable file in memory. As it was written it lies there in small pages; what
    /// reads it next says in which it is to come back ([`Mapping::advise_often`]). A hint.
    fn forget(&self, path: &Path);

    /// The names of the files and folders in a folder, sorted; empty when the folder is absent.
    fn list(&self, dir: &Path) -> Result<Vec<String>>;

    /// A file's length in bytes; [`Error::NotFound`] if there is none.
    fn len(&self, path: &Path) -> Result<u64>;

    /// Creates a folder and the parents it lacks, durably. It is fine if it exists.
    fn create_dir(&self, dir: &Path) -> Result<()>;

    /// Makes durable which files and folders a folder has.
    fn sync_dir(&self, dir: &Path) -> Result<()>;

    /// Gives a file another name in the same folder, replacing what has it; only `disk/commit.rs` may call this.
    fn rename(&self, from: &Path, to: &Path) -> Result<()>;

    /// Cuts a file to `len` bytes and makes what is left durable, whoever wrote it.
    fn truncate(&self, path: &Path, len: u64) -> Result<()>;

    /// Removes a file, or a folder with all in it. It is fine if there is none.
    fn remove(&self, path: &Path) -> Result<()>;

    /// Locks a file (created if need be) against other processes until the result is dropped;
    /// [`Error::Conflict`] if another has it.
    fn lock(&self, path: &Path) -> Result<Lock>;
}

/// The operating system's files.
#[derive(Debug, Clone, Copy, Default)]
pub struct FsStore;

impl Store for FsStore {
    fn create(&self, path: &Path) -> Result<Writer> {
        match OpenOptions::new().write(true).create_new(true).open(path) {
            Ok(file) => Ok(Box::new(Durable(file))),
            Err(error) if error.kind() == ErrorKind::AlreadyExists => Err(exists(path)),
            Err(error) => Err(Error::io("create", path)(error)),
        }
    }

    fn read(&self, path: &Path) -> Result<Vec<u8>> {
        fs::read(path).map_err(|error| absent_or("read", path, error))
    }

    fn map(&self, path: &Path) -> Result<Mapping> {
        let file = File::open(path).map_err(|error| absent_or("open", path, error))?;
        Mapping::of_file(&file).map_err(Error::io("map", path))
    }

    #[cfg(target_os = "linux")]
    fn forget(&self, path: &Path) {
        if let Ok(file) = File::open(path) {
            let _ = rustix::fs::fadvise(file, 0, None, rustix::fs::Advice::DontNeed);
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn forget(&self, _: &Path) {}

    fn list(&self, dir: &Path) -> Result<Vec<String>> {
        let entries = match fs::read_dir(dir) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(Error::io("list", dir))?,
        };
        let mut names = Vec::new();
        for entry in entries {
            // A name that is not UTF-8 is none that Kith gave.
            names.extend(entry.map_err(Error::io("list", dir))?.file_name().into_string());
        }
        names.sort_unstable();
        Ok(names)
    }

    fn len(&self, path: &Path) -> Result<u64> {
        let metadata = fs::metadata(path).map_err(|error| absent_or("look up", path, error))?;
        Ok(metadata.len())
    }

    fn create_dir(&self, dir: &Path) -> Result<()> {
        let Some(parent) = parent(dir) else { return Ok(()) };
        if !dir.is_dir() {
            self.create_dir(parent)?;
            match fs::create_dir(dir) {
                Err(error) if error.kind() != ErrorKind::AlreadyExists => {
                    return Err(Error::io("create the folder", dir)(error));
                }
                Err(_) if !dir.is_dir() => {
                    return Err(Error::conflict(format!(
                        "{} is a file, and a folder is needed",
                        dir.display()
                    )));
                }
                _ => {}
            }
        }
        // Also when it was there: whoever made it may have been killed before this.
        self.sync_dir(parent)
    }

    #[cfg(unix)]
    fn sync_dir(&self, dir: &Path) -> Result<()> {
        File::open(dir).and_then(|dir| dir.sync_all()).map_err(Error::io("sync the folder", dir))
    }

    #[cfg(not(unix))]
    fn sync_dir(&self, _: &Path) -> Result<()> {
        Ok(())
    }

    #[allow(clippy::disallowed_methods, reason = "this is the rename that disk::commit asks for")]
    fn rename(&self, from: &Path, to: &Path) -> Result<()> {
        fs::rename(from, to).map_err(|source| Error::io("rename", from)(source))
    }

    fn truncate(&self, path: &Path, len: u64) -> Result<()> {
        let file =
            OpenOptions::new().write(true).open(path).map_err(|error| absent_or("open", path, error))?;
        file.set_len(len).and_then(|()| file.sync_all()).map_err(Error::io("truncate", path))
    }

    fn remove(&self, path: &Path) -> Result<()> {
        let removed = fs::symlink_metadata(path).and_then(|metadata| match metadata.is_dir() {
            true => fs::remove_dir_all(path),
            false => fs::remove_file(path),
        });
        match removed {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(Error::io("remove", path)(error)),
            _ => Ok(()),
        }
    }

    fn lock(&self, path: &Path) -> Result<Lock> {
        let file = OpenOptions::new().write(true).create(true).truncate(false).open(path);
        let file = file.map_err(Error::io("open the lock file", path))?;
        match file.try_lock() {
            Ok(()) => Ok(Box::new(file)),
            Err(TryLockError::WouldBlock) => Err(in_use(path)),
            Err(TryLockError::Error(error)) => Err(Error::io("lock", path)(error)),
        }
    }
}

/// The error for a file that must not exist and does.
pub(super) fn exists(path: &Path) -> Error {
    Error::conflict(format!("{} exists already", path.display()))
}

/// The error for a lock that another has.
pub(super) fn in_use(path: &Path) -> Error {
    Error::conflict(format!(
        "{} is in use by another process; stop that one first, or open another folder",
        path.display()
    ))
}

/// The error for a file that must exist and does not.
pub(super) fn absent(path: &Path) -> Error {
    Error::not_found(format!("{} does not exist", path.display()))
}

fn absent_or(doing: &str, path: &Path, error: io::Error) -> Error {
    match error.kind() {
        ErrorKind::NotFound => absent(path),
        _ => Error::io(doing, path)(error),
    }
}

/// The folder that has the entry for a path: `"."` for a bare name, `None` for a root.
fn parent(path: &Path) -> Option<&Path> {
    let parent = path.parent()?;
    Some(if parent.as_os_str().is_empty() { Path::new(".") } else { parent })
}

/// A file whose `flush` is an fsync.
struct Durable(File);

impl Write for Durable {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.0.sync_all()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_do_what_the_interface_says() {
        let root = tempfile::tempdir().unwrap();
        let (dir, store) = (root.path().join("a/b"), FsStore);
        assert!(store.list(&dir).unwrap().is_empty());
        store.create_dir(&dir).unwrap();
        store.create_dir(&dir).unwrap();

        let path = dir.join("file");
        let mut file = store.create(&path).unwrap();
        file.write_all(b"some bytes").unwrap();
        file.flush().unwrap();
        store.sync_dir(&dir).unwrap();
        assert!(matches!(store.create(&path), Err(Error::Conflict(_))));
        assert_eq!(
            (store.read(&path).unwrap().as_slice(), store.len(&path).unwrap()),
            (&b"some bytes"[..], 10)
        );
        store.forget(&path);
        store.forget(&dir.join("absent"));
        assert_eq!(&*store.map(&path).unwrap(), b"some bytes");
        store.truncate(&path, 4).unwrap();
        store.create(&dir.join("empty")).unwrap();
        assert!(store.map(&dir.join("empty")).unwrap().is_empty());

        store.rename(&path, &dir.join("other")).unwrap();
        assert_eq!(store.list(&dir).unwrap(), ["empty", "other"]);
        for absent in [store.read(&path).err(), store.map(&path).err(), store.len(&path).err()] {
            let error = absent.unwrap();
            assert!(matches!(&error, Error::NotFound(text) if text.contains("file")), "{error}");
        }
        let error = store.create_dir(&dir.join("other")).unwrap_err();
        assert!(error.to_string().contains("is a file"), "{error}");
        store.remove(&dir).unwrap();
        store.remove(&dir).unwrap();
        assert!(store.list(root.path()).unwrap() == ["a"]);
    }

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let root = tempfile::tempdir().unwrap();
        let path = root.path().join("LOCK");
        let held = FsStore.lock(&path).unwrap();
        let error = FsStore.lock(&path).unwrap_err();
        assert!(
            matches!(&error, Error::Conflict(text) if text.contains("in use by another process")),
            "{error}"
        );
        drop(held);
        FsStore.lock(&path).unwrap();
    }

    #[test]
    fn every_path_but_a_root_has_a_parent() {
        let parents =
            ["a", "a/b", "/a", "/", ".", ""].map(|path| parent(Path::new(path)).and_then(Path::to_str));
        assert_eq!(parents, [Some("."), Some("a"), Some("/"), None, Some("."), None]);
    }
}
