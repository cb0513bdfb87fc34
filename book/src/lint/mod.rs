//! Is a post written as the book is to be written? What a machine can see of it.
//!
//! ```text
//! order     the five sections, exercises, questions, in their order
//! budget    words, words for a line of code, new lines, the longest stretch of prose
//! links     nothing that a reader has to read elsewhere; links and figures that are there
//! terms     no word before it is explained
//! numbers   a number with a unit was measured, or is a fact
//! hazards   a reason beside each unwrap, clone, lock, unsafe, Arc, as
//! prose     a post's words, without its Markdown
//! count     lines of code that are new, and not tests
//! ```
//! Not here: whether what it shows is true (`run`), and whether it is any good.

mod budget;
mod count;
mod hazards;
mod links;
mod numbers;
mod order;
mod prose;
mod terms;
#[cfg(test)]
mod tests;

use crate::{fault::Fault, fault::Result, measure::Results, post::Post, replay::Book};

pub use budget::Budget;

/// A rule that posts are held to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Lint {
    Order,
    Budget,
    Links,
    Terms,
    Numbers,
    Hazards,
}

impl Lint {
    /// Every rule, as the score lists them.
    pub const ALL: [Self; 6] =
        [Self::Order, Self::Budget, Self::Links, Self::Terms, Self::Numbers, Self::Hazards];
}

/// What a rule has found in a post.
pub type Found = (Lint, Fault);

/// Holds all posts to all rules.
pub fn check(book: &Book) -> Result<Vec<Found>> {
    let posts = book.posts()?;
    let mut found = Vec::new();
    for post in &posts {
        found.extend(check_post(book, post)?);
    }
    let terms = terms::Glossary::read(book)?.faults(&posts);
    found.extend(terms.into_iter().map(|fault| (Lint::Terms, fault)));
    Ok(found)
}

/// Holds one post to the rules that need no other.
fn check_post(book: &Book, post: &Post) -> Result<Vec<Found>> {
    let results = Results::read(book)?;
    let folder = book.chapters().join(post.number.folder());
    let lists = [
        (Lint::Order, order::faults(post)),
        (Lint::Budget, Budget::of(book, post)?.faults(post)),
        (Lint::Links, links::faults(book, post)),
        (Lint::Numbers, numbers::faults(post, &results)),
        (Lint::Hazards, hazards::faults(&folder, &format!("chapters/{}", post.number.folder()))?),
    ];
    let each =
        lists.into_iter().flat_map(|(lint, faults)| faults.into_iter().map(move |fault| (lint, fault)));
    Ok(each.collect())
}
