//! Where do all the collections of a server live? In one data directory, opened by one process.
//!
//! ```text
//! data/  LOCK  collections/<name>/…
//! ```
//! A folder is a collection if it has a manifest. Making one ends in its first manifest, dropping one begins with
//! removing its manifests, so a crash in the middle of either leaves a folder that the next open removes.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::{Arc, PoisonError, RwLock},
};

use super::{Collection, Options};
use crate::{
    disk::Store,
    error::{Error, Result},
    manifest::{self, Manifest},
    schema::CollectionSchema,
};

/// File systems stop at 255 bytes for one name.
const MAX_FOLDER_NAME: usize = 255;

/// All collections of one data directory, which is this process's until the value is dropped.
#[derive(Debug)]
pub struct Database {
    store: Arc<dyn Store>,
    root: PathBuf,
    options: Options,
    collections: RwLock<BTreeMap<String, Arc<Collection>>>,
    _lock: Box<dyn std::any::Any + Send + Sync>,
}

impl Database {
    /// Opens every collection in the directory, which is made if it does not exist.
    /// [`Error::Conflict`] if another process has it open.
    pub fn open(store: Arc<dyn Store>, root: &Path, options: Options) -> Result<Self> {
        store.create_dir(&root.join("collections"))?;
        let lock = store.lock(&root.join("LOCK"))?;
        let mut collections = BTreeMap::new();
        for folder in store.list(&root.join("collections"))? {
            let dir = root.join("collections").join(&folder);
            if Manifest::numbers(&*store, &dir)?.is_empty() {
                tracing::info!("removing {}, which was never finished or has been dropped", dir.display());
                store.remove(&dir)?;
                continue;
            }
            let collection = Collection::open(store.clone(), &dir, &options)?;
            collections.insert(name_of(&folder)?, Arc::new(collection));
        }
        let (root, collections) = (root.to_path_buf(), RwLock::new(collections));
        Ok(Self { store, root, options, collections, _lock: lock })
    }

    /// The names of all collections, in order.
    pub fn names(&self) -> Vec<String> {
        self.read(|collections| collections.keys().cloned().collect())
    }

    /// The collection of this name.
    pub fn get(&self, name: &str) -> Result<Arc<Collection>> {
        let found = self.read(|collections| collections.get(name).cloned());
        found.ok_or_else(|| Error::not_found(format!("Collection `{name}` doesn't exist!")))
    }

    /// Makes a collection; [`Error::Conflict`] if there is one of this name.
    pub fn create(&self, name: &str, schema: CollectionSchema) -> Result<Arc<Collection>> {
        let folder = folder_of(name)?;
        let mut collections = self.collections.write().unwrap_or_else(PoisonError::into_inner);
        if collections.contains_key(name) {
            return Err(Error::conflict(format!("Collection `{name}` already exists!")));
        }
        let dir = self.root.join("collections").join(folder);
        let collection = Arc::new(Collection::create(self.store.clone(), &dir, schema, &self.options)?);
        collections.insert(name.to_string(), collection.clone());
        Ok(collection)
    }

    /// Drops a collection and its files; says whether there was one.
    pub fn drop_collection(&self, name: &str) -> Result<bool> {
        let mut collections = self.collections.write().unwrap_or_else(PoisonError::into_inner);
        let Some(collection) = collections.remove(name) else { return Ok(false) };
        collection.close();
        let dir = self.root.join("collections").join(folder_of(name)?);
        for number in Manifest::numbers(&*self.store, &dir)? {
            self.store.remove(&dir.join(manifest::file_name(number)))?;
        }
        self.store.sync_dir(&dir)?;
        self.store.remove(&dir)?;
        Ok(true)
    }

    /// Finishes the queued writes of every collection and stops their threads.
    pub fn close(&self) {
        self.read(|collections| collections.values().for_each(|collection| collection.close()));
    }

    fn read<T>(&self, use_them: impl FnOnce(&BTreeMap<String, Arc<Collection>>) -> T) -> T {
        // The map is whole at every moment: a thread that panicked while holding it left nothing half done.
        use_them(&self.collections.read().unwrap_or_else(PoisonError::into_inner))
    }
}

/// The folder of a collection: its name, with everything but letters, digits, `-`, `_` and inner dots as `%XX`.
fn folder_of(name: &str) -> Result<String> {
    let mut folder = String::new();
    for (place, byte) in name.bytes().enumerate() {
        let plain = byte.is_ascii_alphanumeric() || b"-_".contains(&byte) || (byte == b'.' && place > 0);
        if plain { folder.push(char::from(byte)) } else { folder.push_str(&format!("%{byte:02X}")) }
    }
    if folder.is_empty() || folder.len() > MAX_FOLDER_NAME {
        return Err(Error::bad_request(format!(
            "Wrong input: the collection name {name:?} can't be a folder's name: it must be 1 to {MAX_FOLDER_NAME} \
             bytes long, where a byte that is not an ASCII letter, digit, '-', '_' or '.' counts as three"
        )));
    }
    Ok(folder)
}

fn name_of(folder: &str) -> Result<String> {
    let mut bytes = Vec::with_capacity(folder.len());
    let mut rest = folder.bytes();
    while let Some(byte) = rest.next() {
        bytes.push(match byte {
            b'%' => hex(rest.next()).zip(hex(rest.next())).map(|(high, low)| high << 4 | low),
            _ => Some(byte),
        });
    }
    let name = bytes.into_iter().collect::<Option<Vec<u8>>>().and_then(|bytes| String::from_utf8(bytes).ok());
    name.ok_or_else(|| Error::corrupt(format!("the folder collections/{folder} has a name Kith never gives")))
}

fn hex(digit: Option<u8>) -> Option<u8> {
    char::from(digit?).to_digit(16).map(|value| value as u8)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_become_folders_and_back() {
        for name in ["docs", "a.b", "Ä b/ü", "..", ".hidden", "100%"] {
            let folder = folder_of(name).unwrap();
            assert!(folder.is_ascii() && !folder.starts_with('.') && !folder.contains('/'), "{folder}");
            assert_eq!(name_of(&folder).unwrap(), name);
        }
        assert!(folder_of("").is_err() && folder_of(&"x".repeat(256)).is_err());
        assert!(name_of("%4").is_err() && name_of("%FF").is_err());
    }
}
