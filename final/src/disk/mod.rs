//! How do bytes get on disk and back, and what is left of them after a crash?
//!
//! Everything above reaches files through [`Store`], which has two implementations: [`FsStore`], the file system, and
//! [`FaultStore`](fault::FaultStore), which fails and loses power on command, for tests. Files are numbered, written
//! once from front to back and never changed, so that another place for them (an object store) is one more
//! implementation. The exceptions are named where they are made: a torn log is cut ([`Store::truncate`]), and a file
//! that must appear whole or not at all is renamed into place ([`commit`]).
//!
//! Not here: what the files say. This layer knows headers, sections and checksums, not vectors or graphs.

pub mod store;
pub mod mmap;
pub mod format;
pub mod commit;
pub mod fault;

pub use mmap::{Mapping, Slice};
pub use store::{FsStore, Store, Writer};
