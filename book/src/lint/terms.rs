//! Is every term explained where it first appears? The glossary says where that is.

use std::{fs, sync::LazyLock};

use regex::Regex;

use super::prose::{self, pattern};
use crate::{
    fault::{Fault, Result},
    post::{Number, Post},
    replay::Book,
};

const FILE: &str = "book/posts/glossary.md";

/// The terms of the book.
pub(super) struct Glossary {
    terms: Vec<Term>,
    faults: Vec<Fault>,
}

struct Term {
    line: usize,
    name: String,
    post: Number,
    /// Also a word that people use without meaning the term.
    common: bool,
}

impl Glossary {
    /// Reads the lines `**ordinal** (6): a row number`, or `**point** (1, a common word): …`.
    pub(super) fn read(book: &Book) -> Result<Self> {
        let path = book.root.join(FILE);
        match fs::read_to_string(&path) {
            Ok(text) => Ok(Self::parse(&text)),
            Err(error) => Err(Fault::io(&path, &error)),
        }
    }

    pub(super) fn parse(text: &str) -> Self {
        static ENTRY: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"^\*\*([^*]+)\*\* \(([0-9.]+)(, a common word)?\): \S"));
        let mut glossary = Self { terms: Vec::new(), faults: Vec::new() };
        for (index, line) in text.lines().enumerate().filter(|(_, line)| line.starts_with("**")) {
            let entry = ENTRY.captures(line).and_then(|entry| {
                let (name, common) = (entry[1].to_string(), entry.get(3).is_some());
                Some(Term { line: index + 1, name, post: entry[2].parse().ok()?, common })
            });
            match entry {
                Some(term) => glossary.terms.push(term),
                None => {
                    let message = "an entry is `**term** (POST): what it is`, or `(POST, a common word)`";
                    glossary.faults.push(Fault::new(FILE, index + 1, message));
                }
            }
        }
        glossary
    }

    /// Terms that are not explained in their post, or are used before.
    pub(super) fn faults(self, posts: &[Post]) -> Vec<Fault> {
        let mut faults = self.faults;
        for term in &self.terms {
            let Some(home) = posts.iter().find(|post| post.number == term.post) else { continue };
            let Some(explained) = term.explained(home) else {
                let message = format!(
                    "*{}* is not set in italics in post {}, where it is explained",
                    term.name, term.post
                );
                faults.push(Fault::new(FILE, term.line, message));
                continue;
            };
            if term.common {
                continue;
            }
            let before = posts.iter().filter(|post| post.number <= term.post);
            for post in before {
                let limit = if post.number == term.post { explained } else { (usize::MAX, 0) };
                faults.extend(term.used(post, limit));
            }
        }
        faults
    }
}

impl Term {
    fn words(&self) -> String {
        format!(r"(?i:{})(s|es)?", regex::escape(&self.name))
    }

    /// The line and byte of the paragraph in which it is in italics.
    fn explained(&self, post: &Post) -> Option<(usize, usize)> {
        let italics = pattern(&format!(r"(^|[^*])\*{}\*([^*]|$)", self.words()));
        prose::passages(post).find_map(|passage| Some((passage.line, italics.find(passage.text)?.start())))
    }

    /// Its first use before a place.
    fn used(&self, post: &Post, limit: (usize, usize)) -> Option<Fault> {
        let word = pattern(&format!(r"\b{}\b", self.words()));
        for passage in prose::passages(post).take_while(|passage| passage.line <= limit.0) {
            let plain = prose::plain(passage.text);
            let end = if passage.line == limit.0 { limit.1 } else { plain.len() };
            if let Some(found) = word.find(&plain[..end]) {
                let line = passage.line + prose::line_of(&plain, found.start());
                let message =
                    format!("`{}` is used here, and explained in post {} below", found.as_str(), self.post);
                return Some(Fault::new(&post.file, line, message));
            }
        }
        None
    }
}
