//! Where are the states built? In one folder, the reader's, that becomes each of them in turn.
//!
//! Only files that differ are written, so that cargo builds no more than a reader's would; the versions are those of
//! the repository's lock file. Not here: what is run there.

use std::{
    fs::{self, File},
    path::{Path, PathBuf},
    process::Command,
};

use super::cache;
use crate::{
    fault::{Fault, Result},
    replay::Book,
    tree::Tree,
};

/// What of the environment a command may know.
const KNOWN: [&str; 7] = ["PATH", "HOME", "USER", "TMPDIR", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"];

/// What keeps rustfmt and clippy from finding the repository's settings above the reader's folder, where there are none.
const BARRIERS: [(&str, &str); 2] = [("rustfmt.toml", "edition = \"2024\"\n"), ("clippy.toml", "")];

/// The reader's folder, ours alone as long as this lives.
#[derive(Debug)]
pub(super) struct Scratch {
    folder: PathBuf,
    lock: PathBuf,
    present: Tree,
    // Other processes and threads wait for it.
    _ours: File,
}

impl Scratch {
    /// Waits until nobody else runs anything there.
    pub(super) fn open(book: &Book) -> Result<Self> {
        let folder = cache::scratch(book).join("kith");
        fs::create_dir_all(&folder).map_err(|error| Fault::io(&folder, &error))?;
        for (name, text) in BARRIERS {
            let file = folder.with_file_name(name);
            fs::write(&file, text).map_err(|error| Fault::io(&file, &error))?;
        }
        let file = folder.with_file_name("lock");
        let ours = File::create(&file).and_then(|ours| ours.lock().map(|()| ours));
        let ours = ours.map_err(|error| Fault::io(&file, &error))?;
        Ok(Self { folder, lock: book.root.join("Cargo.lock"), present: Tree::default(), _ours: ours })
    }

    pub(super) fn folder(&self) -> &Path {
        &self.folder
    }

    /// Removes everything but what cargo has built.
    pub(super) fn empty(&mut self) -> Result<()> {
        let io = |error| Fault::io(&self.folder, &error);
        for entry in fs::read_dir(&self.folder).map_err(io)? {
            let path = entry.map_err(io)?.path();
            if path.is_dir() && !path.ends_with("target") {
                fs::remove_dir_all(&path).map_err(io)?;
            } else if path.is_file() {
                fs::remove_file(&path).map_err(io)?;
            }
        }
        self.present = Tree::default();
        Ok(())
    }

    /// Makes the folder a state; what programs have left in it stays.
    pub(super) fn set(&mut self, state: &Tree) -> Result<()> {
        let manifest = |tree: &Tree| tree.0.get("Cargo.toml").cloned();
        state.write_over(&self.present, &self.folder)?;
        // Cargo takes out of the lock file what a state does not use; the next may use it.
        if manifest(state) != manifest(&self.present) {
            let copy = self.folder.join("Cargo.lock");
            fs::copy(&self.lock, &copy).map_err(|error| Fault::io(&self.lock, &error))?;
        }
        self.present = state.clone();
        Ok(())
    }

    /// A program in that folder, which knows nothing of what runs the tests.
    pub(super) fn command(&self, program: &str) -> Command {
        let mut command = Command::new(program);
        command.current_dir(&self.folder).env_clear();
        command.envs(KNOWN.iter().filter_map(|name| Some((name, std::env::var_os(name)?))));
        command.envs([
            ("LANG", "C.UTF-8"),
            ("TERM", "dumb"),
            ("CARGO_TERM_COLOR", "never"),
            ("CARGO_NET_OFFLINE", "true"),
            // Nobody sees it, and it is most of what is written to disk.
            ("CARGO_PROFILE_DEV_DEBUG", "line-tables-only"),
            // One test after the other prints in the same order every time.
            ("RUST_TEST_THREADS", "1"),
        ]);
        command
    }
}
