//! How far does the book keep its promises? One table, a line a post, for the terminal and for the book's own page.
//!
//! The tests fail where a promise is broken, so that on the main branch the last column is empty. Not here: the proofs.

use std::{collections::BTreeMap, fs};

use crate::{
    bless,
    fault::{Fault, Result},
    lint::{self, Budget},
    post::{Course, Number, Post},
    replay::Book,
    run,
};

/// The page that has the table, between two marks.
const PAGE: &str = "book/posts/checked.md";
const BEGIN: &str = "<!-- score -->\n";
const END: &str = "<!-- end of score -->";

const HEAD: &str = "\
| post | words | new lines | words a new line | words a typed line | longest stretch | listings | detours | errors | outputs | exercises | questions | broken |
|--|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--:|--|
";

/// What holds of each post.
pub struct Score(Vec<Line>);

struct Line {
    number: Number,
    budget: Budget,
    /// Listings that are typed for good.
    listings: usize,
    /// Listings that are tried and undone.
    detours: usize,
    /// The promises that do not hold, and how often.
    broken: BTreeMap<String, usize>,
}

impl Score {
    /// Proves everything about every post; what was proven before is not run again.
    pub fn of(book: &Book) -> Result<Self> {
        let found = lint::check(book)?;
        let mut lines = Vec::new();
        for post in book.posts()? {
            let mut broken = broken(book, &post)?;
            let chapter = format!("chapters/{}/", post.number.folder());
            for (lint, fault) in &found {
                if fault.file == post.file || fault.file.starts_with(&chapter) {
                    *broken.entry(format!("{lint:?}").to_lowercase()).or_default() += 1;
                }
            }
            let main = |course| matches!(course, Course::Main);
            let tried = |course| matches!(course, Course::Try | Course::TryOn);
            let count = |wanted: fn(Course) -> bool| {
                post.listings().filter(|(_, listing)| wanted(listing.flags.course)).count()
            };
            let (listings, detours) = (count(main), count(tried));
            lines.push(Line {
                number: post.number,
                budget: Budget::of(book, &post)?,
                listings,
                detours,
                broken,
            });
        }
        Ok(Self(lines))
    }

    /// The table in Markdown.
    pub fn table(&self) -> String {
        let rows = self.0.iter().map(|line| {
            let Budget { words, new, longest, errors, outputs, solutions, questions, .. } = line.budget;
            let broken: Vec<String> = line.broken.iter().map(|(name, count)| format!("{name} {count}")).collect();
            format!(
                "| {} | {words} | {new} | {} | {} | {} | {} | {} | {errors} | {outputs} | {solutions} | {questions} | {} |\n",
                line.number, line.budget.words_a_new_line(),
                line.budget.words_a_typed_line(), longest.0, line.listings, line.detours, broken.join(", "),
            )
        });
        let sum = |of: fn(&Line) -> usize| self.0.iter().map(of).sum::<usize>();
        let all = format!(
            "| all | {} | {} |  |  |  | {} | {} | {} | {} | {} | {} | {} |\n",
            sum(|line| line.budget.words),
            sum(|line| line.budget.new),
            sum(|line| line.listings),
            sum(|line| line.detours),
            sum(|line| line.budget.errors),
            sum(|line| line.budget.outputs),
            sum(|line| line.budget.solutions),
            sum(|line| line.budget.questions),
            match sum(|line| line.broken.values().sum()) {
                0 => String::new(),
                broken => broken.to_string(),
            },
        );
        HEAD.to_string() + &rows.collect::<String>() + &all
    }

    /// Puts the table into the book's page.
    pub fn write(&self, book: &Book) -> Result<()> {
        let path = book.root.join(PAGE);
        let text = fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))?;
        fs::write(&path, self.put(&text)?).map_err(|error| Fault::io(&path, &error))
    }

    /// Whether the book's page has this table.
    pub fn is_shown(&self, book: &Book) -> Result<bool> {
        let path = book.root.join(PAGE);
        let text = fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))?;
        Ok(self.put(&text)? == text)
    }

    fn put(&self, text: &str) -> Result<String> {
        let parts = text.split_once(BEGIN).and_then(|(before, rest)| Some((before, rest.split_once(END)?.1)));
        let (before, after) = parts.ok_or_else(|| Fault::new(PAGE, 0, format!("no `{BEGIN}` … `{END}`")))?;
        Ok(format!("{before}{BEGIN}\n{}\n{END}{after}", self.table()))
    }
}

/// The promises about a post's code that do not hold.
fn broken(book: &Book, post: &Post) -> Result<BTreeMap<String, usize>> {
    let mut broken = BTreeMap::new();
    if book.check(Some(post.number)).is_err() {
        broken.insert("replay".to_string(), 1);
    }
    let ran = run::run(book, post)?;
    for (proof, _) in &ran.faults {
        *broken.entry(format!("{proof:?}").to_lowercase()).or_default() += 1;
    }
    let untrue = bless::differences(post, &ran).len() + bless::strays(post).len();
    if untrue > 0 {
        broken.insert("shown".to_string(), untrue);
    }
    Ok(broken)
}
