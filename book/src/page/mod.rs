//! How do the posts become pages? mdBook, as a library, with our theme; before it renders a post, our own pass puts
//! HTML for listings, outputs and figures.
//!
//! ```text
//! build       posts → a folder of HTML
//! serve       the same, on a port, again after each change
//! text        a post's Markdown, with HTML for what mdBook does not know
//! places      where in its file each change stands
//! glossary    the entries, sorted
//! listing · console · figure · highlight · html
//! ```
//! Not here: whether what the posts say is true.

mod build;
mod console;
mod figure;
mod glossary;
mod highlight;
mod html;
mod listing;
mod places;
mod serve;
mod text;

#[cfg(test)]
mod tests;

pub use build::{Site, build};
pub use figure::restyle;
pub use serve::serve;
