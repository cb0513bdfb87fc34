//! How does a small file appear whole or not at all? It is written under another name and renamed.
//!
//! This is the one caller of [`Store::rename`]: a rename is what commits, so all of them are in one place. The order
//! matters: bytes durable first, then the name, then the folder. After a crash the folder has the file as it was
//! before or the new one; a `.tmp` left over means nothing and is removed by the next commit of that name.
//!
//! Not here: large files, which are written in place and count only once a committed manifest names them.

use std::path::Path;

use super::Store;
use crate::error::{Error, Result};

/// Writes `dir/name` so that it is there whole, durably, or not at all. A file that has the name is replaced.
pub fn commit(store: &dyn Store, dir: &Path, name: &str, bytes: &[u8]) -> Result<()> {
    let temporary = dir.join(format!("{name}.tmp"));
    store.remove(&temporary)?;
    let mut file = store.create(&temporary)?;
    file.write_all(bytes).map_err(Error::io("write", &temporary))?;
    file.flush().map_err(Error::io("sync", &temporary))?;
    drop(file);
    store.rename(&temporary, &dir.join(name))?;
    store.sync_dir(dir)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::disk::fault::{Fault, FaultStore};

    /// Every way of failing at every step leaves the old file or the new one, and the new one once it was promised.
    #[test]
    fn a_commit_is_whole_or_not_there() {
        let dir = Path::new("data");
        let (old, new) = (vec![1; 5_000], vec![2; 9_000]);
        let prepared = || {
            let store = FaultStore::default();
            store.create_dir(dir).unwrap();
            commit(&store, dir, "m", &old).unwrap();
            store
        };
        let trial = prepared();
        let first = trial.steps();
        commit(&trial, dir, "m", &new).unwrap();
        for step in first..trial.steps() {
            for fault in [Fault::Error, Fault::ShortWrite, Fault::Crash] {
                let store = prepared();
                store.fail_at(step, fault);
                let done = commit(&store, dir, "m", &new);
                assert!(done.is_err(), "{fault:?} at step {step} was not told");
                let worlds = (0..20).map(|seed| store.crash_keeping(seed)).chain([store.crash()]);
                for world in worlds {
                    let found = world.read(&dir.join("m")).unwrap();
                    assert!(found == old || found == new, "{fault:?} at step {step} left a mixture");
                    commit(&world, dir, "m", &new).unwrap();
                    assert_eq!(world.crash().read(&dir.join("m")).unwrap(), new);
                }
            }
        }
        assert_eq!(trial.crash().list(dir).unwrap(), ["m"]);
    }
}
