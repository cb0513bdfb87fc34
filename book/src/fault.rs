//! How does the book say what is wrong with it? As a compiler does: which file, which line, what, and what to do.
//!
//! Not here: who prints it, and what it fails.

use std::{fmt, io, path::Path};

/// Something wrong in a file of the book.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Fault {
    /// The file, from the repository's folder on: `book/posts/03-ownership.md`.
    pub file: String,
    /// Counted from 1; 0 where it is about the file as a whole.
    pub line: usize,
    /// What is wrong and what to do about it; may have several lines.
    pub message: String,
}

pub type Result<T> = std::result::Result<T, Fault>;

impl Fault {
    pub fn new(file: impl Into<String>, line: usize, message: impl Into<String>) -> Self {
        Self { file: file.into(), line, message: message.into() }
    }

    /// A file or folder that can't be read or written.
    pub fn io(path: &Path, error: &io::Error) -> Self {
        Self::new(path.display().to_string(), 0, error.to_string())
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.line {
            0 => write!(f, "{}: {}", self.file, self.message),
            line => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

impl std::error::Error for Fault {}
