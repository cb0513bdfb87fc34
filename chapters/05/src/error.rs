//! What can go wrong, sorted by what the caller can do about it.

use std::fmt;

/// The result of everything in this crate that can fail.
pub type Result<T> = std::result::Result<T, Error>;

/// An error, by what its reader can do.
#[derive(Debug, Clone, PartialEq)]
pub enum Error {
    /// The request can't be served as it stands; the text says which part and what would be right.
    BadRequest(String),
    /// The named thing does not exist.
    NotFound(String),
    /// The named thing exists already.
    Conflict(String),
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

    /// A thing that exists already.
    pub fn conflict(text: impl Into<String>) -> Self {
        Self::Conflict(text.into())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::BadRequest(text) | Self::NotFound(text) | Self::Conflict(text) => {
                f.write_str(text)
            }
        }
    }
}

impl std::error::Error for Error {}
