//! What can go wrong, sorted by what the caller can do about it.
//!
//! A wrong request is the caller's to mend ([`Error::BadRequest`], [`Error::NotFound`], [`Error::Conflict`]); a bad
//! file or a failing disk is the operator's ([`Error::Corrupt`], [`Error::Io`]); [`Error::Closed`] means that this
//! process has stopped taking writes. A mistake in Kith itself is none of these: it is an assertion.

use std::{io, path::Path, sync::Arc};

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// An error, by what its reader can do.
#[derive(Debug, Clone, thiserror::Error)]
pub enum Error {
    /// The request can't be served as it stands; the text says which part and what would be right.
    #[error("{0}")]
    BadRequest(String),
    /// The named thing does not exist.
    #[error("{0}")]
    NotFound(String),
    /// The named thing exists already, or is in use by another process.
    #[error("{0}")]
    Conflict(String),
    /// A file does not hold what it should; the text names the file and the place.
    #[error("corrupt data: {0}")]
    Corrupt(String),
    /// The operating system refused; what was being done, and its answer.
    #[error("{doing}: {source}")]
    Io {
        /// What was being done, with the path.
        doing: String,
        /// The system's answer; shared, because one failed fsync fails every write that waited for it.
        source: Arc<io::Error>,
    },
    /// The collection takes no more writes: it is shutting down, or an earlier write to its log failed.
    #[error("closed: {0}")]
    Closed(String),
}

impl Error {
    /// A request that can't be served as it stands.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::BadRequest(text.into())
    }

    /// A thing that does not exist.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::NotFound(text.into())
    }

    /// A thing that exists already or is in use.
    pub fn conflict(text: impl Into<String>) -> Self {
        Self::Conflict(text.into())
    }

    /// A file that does not hold what it should.
    pub fn corrupt(text: impl Into<String>) -> Self {
        Self::Corrupt(text.into())
    }

    /// A writer that takes no more writes.
    pub fn closed(text: impl Into<String>) -> Self {
        Self::Closed(text.into())
    }

    /// Turns a system's answer into an [`Error::Io`] that says what was being done to which path;
    /// for `map_err`: `.map_err(Error::io("open", path))`.
    pub fn io(doing: &str, path: &Path) -> impl FnOnce(io::Error) -> Self {
        move |source| Self::Io { doing: format!("{doing} {}", path.display()), source: Arc::new(source) }
    }
}
