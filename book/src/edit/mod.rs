//! What does a listing do to a file? It finds its context there, exactly once, and changes the lines between.
//!
//! ```text
//! diff     a fence's body, read into pieces
//! place    where a piece stands in a file, or the place it resembles most
//! item     the function, the impl, the module around a line
//! ```
//! Not here: which file, and what becomes of the crate (`tree`, `replay`).

pub mod diff;
mod item;
mod place;
#[cfg(test)]
mod tests;

pub use diff::{Kind, Line};

/// A piece of a listing at its place in the file, as the page shows it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hunk {
    /// Lines were skipped before it: `@@` stood there.
    pub skipped: bool,
    /// The words behind the `@@`.
    pub words: Option<String>,
    /// The headers of the items around it, outermost first: `impl Collection`, `pub fn get(&self)`.
    pub items: Vec<String>,
    /// Where it begins in the file as it was, counted from 1.
    pub at: usize,
    pub lines: Vec<Line>,
}

/// A listing's mistake: the line of its fence's body, counted from 0, and what is wrong.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mismatch {
    pub line: usize,
    pub message: String,
}

/// The file after the change, and the pieces at their places.
pub fn apply(before: &str, body: &str) -> Result<(String, Vec<Hunk>), Mismatch> {
    let file: Vec<&str> = before.lines().collect();
    let (mut after, mut hunks, mut next) = (String::new(), Vec::new(), 0);
    let mut push = |line: &str| {
        after.push_str(line);
        after.push('\n');
    };
    for piece in diff::read(body)? {
        let at = place::find(&file, next, &piece)?;
        file[next..at].iter().for_each(|line| push(line));
        piece.lines.iter().filter(|line| line.kind != Kind::Deleted).for_each(|line| push(&line.text));
        next = at + piece.old().count();
        let items = item::around(&file, at, &piece);
        hunks.push(Hunk {
            skipped: piece.skipped,
            words: piece.words,
            items,
            at: at + 1,
            lines: piece.lines,
        });
    }
    file[next..].iter().for_each(|line| push(line));
    Ok((after, hunks))
}

/// The items around a line of a file, outermost first: the line of each one's header, counted from 0, and its words.
pub fn items(file: &[&str], at: usize) -> Vec<(usize, String)> {
    item::headers(file, at).into_iter().map(|line| (line, item::title(file[line]))).collect()
}

/// The line behind the last one of the item with this header.
pub fn item_end(file: &[&str], header: usize) -> usize {
    item::end(file, header)
}
