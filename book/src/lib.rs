//! How does a post become a chapter, and how is it known that both are true?
//!
//! ```text
//! post    a post's Markdown, read into listings, fences and prose
//! fault   what is wrong, and where
//! ```
//! `book/AUTHORS.md` is the notation. Not here: the posts themselves.

pub mod fault;
pub mod post;
