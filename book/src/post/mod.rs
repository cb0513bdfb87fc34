//! What does a post say? Its Markdown, cut into the pieces that somebody acts upon.
//!
//! `book/AUTHORS.md` has the notation. Every piece keeps its place in the source, so that it can be replaced there:
//! the page puts HTML for it, `bless` fills in an output.
//!
//! Not here: what a listing does to a file (`edit`), whether the Markdown around it is good (the lints).

mod caption;
mod fence;
mod number;
mod parse;

#[cfg(test)]
mod tests;

use std::ops::Range;

pub use fence::{Fence, Role, Run, Show};
pub use number::Number;

/// A post, cut into blocks.
#[derive(Debug, Clone)]
pub struct Post {
    pub number: Number,
    /// For messages, and below the repository: `book/posts/03-ownership.md`.
    pub file: String,
    /// Of the first heading, with its number.
    pub title: String,
    /// The source that all places below refer to.
    pub text: String,
    pub blocks: Vec<Block>,
}

/// A paragraph, a heading, a listing, a fence.
#[derive(Debug, Clone)]
pub struct Block {
    /// Where it begins, counted from 1.
    pub line: usize,
    /// Its bytes in the post's text, the last line's end included.
    pub span: Range<usize>,
    /// The line of the `<details>` that it stands in.
    pub details: Option<usize>,
    pub kind: Kind,
}

#[derive(Debug, Clone)]
pub enum Kind {
    Heading {
        level: usize,
        text: String,
    },
    /// A paragraph, list, quote or table: lines up to the next empty one, as they stand.
    Prose {
        text: String,
    },
    Listing(Listing),
    Fence(Fence),
    Naive(Naive),
    /// Lines that begin with a tag or a comment, up to the next empty line.
    Html {
        text: String,
    },
}

/// An edit that the reader types.
#[derive(Debug, Clone)]
pub struct Listing {
    /// From the crate's folder on, with `/`.
    pub path: String,
    pub what: What,
    pub flags: Flags,
    /// None for what needs no text: `delete` and `rename`.
    pub fence: Option<Fence>,
}

/// What a listing does with its file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum What {
    New,
    Replace,
    Edit,
    Delete,
    /// To this path.
    Rename(String),
}

/// What else a caption says.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Flags {
    /// The state after it does not compile.
    pub red: bool,
    /// It compiles with warnings.
    pub warns: bool,
    pub course: Course,
}

/// Which state a listing changes.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Course {
    /// The one that becomes the chapter.
    #[default]
    Main,
    /// A fresh copy of it.
    Try,
    /// The copy that the `try` before it has left.
    TryOn,
    /// A copy of the finished chapter, shared by the listings of one `<details>`.
    Solution,
}

/// `<!-- naive: ch08_naive fails with "lost" and exits 1 -->`: what a test asserts of the run above it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Naive {
    pub example: String,
    pub claims: Vec<Claim>,
}

/// How a naive program fails.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Claim {
    /// Its output contains these words.
    Says(String),
    Exits(i32),
    ExitsNotZero,
    /// By a signal.
    Killed,
}

impl Post {
    /// The listings in reading order, each with its block.
    pub fn listings(&self) -> impl Iterator<Item = (&Block, &Listing)> {
        self.blocks.iter().filter_map(|block| match &block.kind {
            Kind::Listing(listing) => Some((block, listing)),
            _ => None,
        })
    }

    /// The fences that are not part of a listing.
    pub fn fences(&self) -> impl Iterator<Item = (&Block, &Fence)> {
        self.blocks.iter().filter_map(|block| match &block.kind {
            Kind::Fence(fence) => Some((block, fence)),
            _ => None,
        })
    }
}
