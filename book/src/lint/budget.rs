//! Is a post long enough to explain, and short enough to be read?

use super::{count, order, prose};
use crate::{
    fault::{Fault, Result},
    post::{Course, Kind, Post, Role, What},
    replay::{self, Book},
};

/// What a post takes of its reader.
#[derive(Debug, Clone, PartialEq)]
pub struct Budget {
    /// Words of prose.
    pub words: usize,
    /// Lines of code that are typed: all listings but solutions.
    pub typed: usize,
    /// Lines of code that the chapter has more than the one before; tests, comments and examples not counted.
    pub new: usize,
    /// Words of the longest stretch without code, figure, table, output or question, and where it begins.
    pub longest: (usize, usize),
    /// Messages of the compiler that are shown.
    pub errors: usize,
    /// Outputs that are shown.
    pub outputs: usize,
    pub solutions: usize,
    pub questions: usize,
}

const WORDS: std::ops::RangeInclusive<usize> = 4_000..=8_000;
/// At least so many words for each new line, or it is not explained. The two bounds count different lines because an
/// explanation is owed for what stays, and work is whatever is typed, undone or not: see AUTHORS.md.
const EXPLAINED: usize = 25;
/// At most so many for each line that is typed, or nothing happens.
const TALKED: usize = 40;
/// "Some 300".
const NEW: usize = 330;
const LONGEST: usize = 450;

impl Budget {
    pub fn of(book: &Book, post: &Post) -> Result<Self> {
        let base = book.base(post.number)?;
        let new = count::new_lines(&base, &replay::finish(post, base.clone())?);
        let fences =
            |wanted: fn(&Role) -> bool| post.fences().filter(|(_, fence)| wanted(&fence.role)).count();
        Ok(Self {
            words: prose::passages(post).map(|passage| prose::words(passage.text)).sum(),
            typed: typed(post),
            new,
            longest: longest(post),
            errors: fences(|role| matches!(role, Role::Error { .. })),
            outputs: fences(|role| matches!(role, Role::Run(_))),
            solutions: order::solutions(post),
            questions: order::questions(post),
        })
    }

    /// Words of prose for a line that the chapter has more.
    pub fn words_a_new_line(&self) -> usize {
        self.words.checked_div(self.new).unwrap_or(self.words)
    }

    /// Words of prose for a line that is typed, detours and tests included.
    pub fn words_a_typed_line(&self) -> usize {
        self.words.checked_div(self.typed).unwrap_or(self.words)
    }

    pub(super) fn faults(&self, post: &Post) -> Vec<Fault> {
        let mut faults = Vec::new();
        let mut fault = |line, message: String| faults.push(Fault::new(&post.file, line, message));
        if !WORDS.contains(&self.words) {
            fault(0, format!("{} words; {} to {}", self.words, WORDS.start(), WORDS.end()));
        }
        if self.words_a_new_line() < EXPLAINED {
            fault(
                0,
                format!("{} words for a new line of code; at least {EXPLAINED}", self.words_a_new_line()),
            );
        }
        if self.words_a_typed_line() > TALKED {
            fault(
                0,
                format!("{} words for a line that is typed; at most {TALKED}", self.words_a_typed_line()),
            );
        }
        if self.new > NEW {
            fault(0, format!("{} new lines of code; at most {NEW}", self.new));
        }
        if self.longest.0 > LONGEST {
            let message = "words without code, figure, table, output or question; at most";
            fault(self.longest.1, format!("{} {message} {LONGEST}", self.longest.0));
        }
        faults
    }
}

/// Lines that are not empty in what the reader types.
fn typed(post: &Post) -> usize {
    let listings = post.listings().filter(|(_, listing)| listing.flags.course != Course::Solution);
    let lines = listings.filter_map(|(_, listing)| listing.fence.as_ref().map(|fence| (listing, fence)));
    lines
        .map(|(listing, fence)| {
            let typed = |line: &&str| match listing.what {
                What::Edit => line.starts_with('+') && line.len() > 1,
                _ => !line.trim().is_empty(),
            };
            fence.body.lines().filter(typed).count()
        })
        .sum()
}

fn longest(post: &Post) -> (usize, usize) {
    let (mut longest, mut run) = ((0, 0), (0, 0));
    for block in &post.blocks {
        match &block.kind {
            // A figure or a table is something to look at.
            Kind::Prose { text } if !text.starts_with(['!', '|']) => {
                if run.0 == 0 {
                    run.1 = block.line;
                }
                run.0 += prose::words(text);
                longest = longest.max(run);
            }
            Kind::Heading { .. } => {}
            _ => run = (0, 0),
        }
    }
    longest
}
