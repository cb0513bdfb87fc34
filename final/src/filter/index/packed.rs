//! How does tantivy read files that are sections of one? Through a read-only directory over the mapping.

use std::{
    collections::BTreeMap,
    io::{Error as IoError, ErrorKind},
    path::{Path, PathBuf},
    sync::Arc,
};

use tantivy::{
    Directory,
    directory::{
        DirectoryLock, FileHandle, Lock, OwnedBytes, WatchCallback, WatchHandle, WritePtr,
        error::{DeleteError, LockError, OpenReadError, OpenWriteError},
    },
};

use crate::{disk::format::File, error::Result};

/// The sections of a file, by name. Whatever would change them fails.
#[derive(Debug, Clone)]
pub(super) struct Packed(Arc<BTreeMap<PathBuf, OwnedBytes>>);

impl Packed {
    /// The sections from `first` on under these names.
    pub(super) fn new(file: &File, first: u32, names: &[PathBuf]) -> Result<Self> {
        let sections = (first..)
            .zip(names)
            .map(|(section, name)| Ok((name.clone(), OwnedBytes::new(file.section::<u8>(section)?))));
        Ok(Self(Arc::new(sections.collect::<Result<_>>()?)))
    }

    fn find(&self, path: &Path) -> std::result::Result<&OwnedBytes, OpenReadError> {
        self.0.get(path).ok_or_else(|| OpenReadError::FileDoesNotExist(path.to_owned()))
    }
}

fn read_only() -> IoError {
    IoError::new(ErrorKind::ReadOnlyFilesystem, "a packed index is not written to")
}

impl Directory for Packed {
    fn get_file_handle(&self, path: &Path) -> std::result::Result<Arc<dyn FileHandle>, OpenReadError> {
        Ok(Arc::new(self.find(path)?.clone()))
    }

    fn exists(&self, path: &Path) -> std::result::Result<bool, OpenReadError> {
        Ok(self.0.contains_key(path))
    }

    fn atomic_read(&self, path: &Path) -> std::result::Result<Vec<u8>, OpenReadError> {
        self.find(path).map(|bytes| bytes.to_vec())
    }

    fn delete(&self, path: &Path) -> std::result::Result<(), DeleteError> {
        Err(DeleteError::IoError { io_error: read_only().into(), filepath: path.to_owned() })
    }

    fn open_write(&self, path: &Path) -> std::result::Result<WritePtr, OpenWriteError> {
        Err(OpenWriteError::wrap_io_error(read_only(), path.to_owned()))
    }

    fn atomic_write(&self, _: &Path, _: &[u8]) -> std::io::Result<()> {
        Err(read_only())
    }

    fn sync_directory(&self) -> std::io::Result<()> {
        Ok(())
    }

    /// Nobody can change the files, so nobody has to be kept from it.
    fn acquire_lock(&self, _: &Lock) -> std::result::Result<DirectoryLock, LockError> {
        Ok(Box::new(()).into())
    }

    fn watch(&self, _: WatchCallback) -> tantivy::Result<WatchHandle> {
        Ok(WatchHandle::empty())
    }
}
