//! How does a post become a chapter, and how is it known that both are true?
//!
//! ```text
//! post      a post's Markdown, read into listings, fences and prose
//! edit      what a listing does to a file
//! tree      the files of a crate at some point of the book
//! replay    post after post, what the reader has; the chapters are held to it
//! run       whether what a post shows is true: states built, commands run, solutions tested
//! bless     outputs into posts and snapshots; whether they are what was run
//! versions  chapters ask for the versions of the workspace
//! page      the posts as HTML, built and served
//! draft     the listings that a post still lacks
//! sketch    code that is not typed is Rust at least
//! lint      whether posts are written as they are to be
//! measure   the figures that posts show
//! score     how far all of this holds, in one table
//! fault     what is wrong, and where
//! ```
//! `book/AUTHORS.md` is the notation. Not here: the posts themselves.

#![allow(
    clippy::disallowed_methods,
    reason = "a tool: it waits for programs, and looks at the clock for that"
)]

pub mod bless;
pub mod draft;
pub mod edit;
pub mod fault;
pub mod lint;
pub mod measure;
pub mod page;
pub mod post;
pub mod replay;
pub mod run;
pub mod score;
pub mod sketch;
pub mod tree;
pub mod versions;
