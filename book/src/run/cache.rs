//! What has been seen before? A state that was built once, with the same toolchain and the same tools, is not built again.
//!
//! Only what was found in order is kept; what failed is looked at again.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use super::plan::hash;
use crate::{
    fault::{Fault, Result},
    replay::Book,
};

/// The tools themselves: when they change, nothing is known any more.
const TOOLS: [&str; 9] = [
    include_str!("mod.rs"),
    include_str!("plan.rs"),
    include_str!("check.rs"),
    include_str!("console.rs"),
    include_str!("server.rs"),
    include_str!("process.rs"),
    include_str!("scratch.rs"),
    include_str!("filter.rs"),
    include_str!("solution.rs"),
];

/// A folder of texts, by what they are the outcome of.
#[derive(Debug)]
pub(super) struct Cache {
    folder: PathBuf,
    /// Toolchain, locked versions, tools.
    world: u64,
}

impl Cache {
    pub(super) fn open(book: &Book) -> Result<Self> {
        let folder = scratch(book).join("cache");
        fs::create_dir_all(&folder).map_err(|error| Fault::io(&folder, &error))?;
        let rustc = Command::new("rustc").arg("-vV").output();
        let rustc = rustc.map_err(|error| Fault::io(Path::new("rustc"), &error))?.stdout;
        let lock = fs::read_to_string(book.root.join("Cargo.lock")).unwrap_or_default();
        Ok(Self { folder, world: hash(&(rustc, lock, TOOLS)) })
    }

    /// The name under which the outcome of something is kept.
    pub(super) fn key(&self, essence: &str) -> String {
        format!("{:016x}", hash(&(self.world, essence)))
    }

    pub(super) fn get(&self, key: &str) -> Option<String> {
        fs::read_to_string(self.folder.join(key)).ok()
    }

    pub(super) fn put(&self, key: &str, text: &str) -> Result<()> {
        let file = self.folder.join(key);
        fs::write(&file, text).map_err(|error| Fault::io(&file, &error))
    }
}

/// The folder of everything that the harness makes.
pub(super) fn scratch(book: &Book) -> PathBuf {
    book.root.join("target/book")
}
