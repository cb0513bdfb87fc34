//! Is every term explained where it first appears? The glossary says where that is.
//!
//! Three things are no use of a term: what the compiler or a program says, quoted from a message that the post shows;
//! the name of a post behind its number, as in "5 The Async Runtime"; and another word in small letters, if the term
//! is a name with a capital (`Send` is not "sends").

use std::{fs, sync::LazyLock};

use regex::Regex;

use super::prose::{self, pattern};
use crate::{
    fault::{Fault, Result},
    post::{Number, Post},
    replay::Book,
};

const FILE: &str = "book/posts/glossary.md";
const SUMMARY: &str = "book/posts/SUMMARY.md";

/// The terms of the book.
pub(super) struct Glossary {
    terms: Vec<Term>,
    /// `5 The Async Runtime`, as the table of all posts says it.
    titles: Vec<String>,
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
    pub(super) fn read(book: &Book) -> Result<Self> {
        let read = |file: &str| {
            let path = book.root.join(file);
            fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))
        };
        Ok(Self::parse(&read(FILE)?, &read(SUMMARY)?))
    }

    /// Reads the lines `**ordinal** (6): a row number`, or `**point** (1, a common word): …`, and the posts' names
    /// in the lines `- [5. The Async Runtime](…)`.
    pub(super) fn parse(text: &str, summary: &str) -> Self {
        static TITLE: LazyLock<Regex> = LazyLock::new(|| pattern(r"\[([0-9.]+)\. ([^\]:]+)"));
        static ENTRY: LazyLock<Regex> =
            LazyLock::new(|| pattern(r"^\*\*([^*]+)\*\* \(([0-9.]+)(, a common word)?\): \S"));
        let titles =
            TITLE.captures_iter(summary).map(|title| format!("{} {}", &title[1], &title[2])).collect();
        let mut glossary = Self { terms: Vec::new(), titles, faults: Vec::new() };
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
        let posts: Vec<Words> = posts.iter().map(|post| Words::of(post, &self.titles)).collect();
        for term in &self.terms {
            let Some(home) = posts.iter().find(|words| words.post.number == term.post) else { continue };
            let Some(explained) = term.explained(home.post) else {
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
            for words in posts.iter().filter(|words| words.post.number <= term.post) {
                let limit = if words.post.number == term.post { explained } else { (usize::MAX, 0) };
                faults.extend(term.used(words, limit));
            }
        }
        faults
    }
}

/// A post's own words: each passage with the line it begins in, and everything in its place.
struct Words<'a> {
    post: &'a Post,
    passages: Vec<(usize, String)>,
}

impl<'a> Words<'a> {
    fn of(post: &'a Post, titles: &[String]) -> Self {
        let shown = prose::shown(post);
        let passages = prose::passages(post).map(|passage| {
            let own = prose::unquoted(passage.text, &shown);
            let mut words = prose::plain(&own);
            for title in titles {
                words = words.replace(title, &" ".repeat(title.len()));
            }
            (passage.line, words)
        });
        Self { post, passages: passages.collect() }
    }
}

impl Term {
    /// A name is looked for as it is written, another term with small letters or capitals.
    fn words(&self) -> String {
        let case = if self.name.starts_with(char::is_uppercase) { "-i" } else { "i" };
        format!(r"(?{case}:{})(s|es)?", regex::escape(&self.name))
    }

    /// The line and byte of the paragraph in which it is in italics.
    fn explained(&self, post: &Post) -> Option<(usize, usize)> {
        let italics = pattern(&format!(r"(^|[^*])\*{}\*([^*]|$)", self.words()));
        prose::passages(post).find_map(|passage| Some((passage.line, italics.find(passage.text)?.start())))
    }

    /// Its first use before a place.
    fn used(&self, words: &Words, limit: (usize, usize)) -> Option<Fault> {
        let word = pattern(&format!(r"\b{}\b", self.words()));
        for (line, text) in words.passages.iter().take_while(|(line, _)| *line <= limit.0) {
            let end = if *line == limit.0 { limit.1 } else { text.len() };
            if let Some(found) = word.find(&text[..end]) {
                let line = line + prose::line_of(text, found.start());
                let message =
                    format!("`{}` is used here, and explained in post {} below", found.as_str(), self.post);
                return Some(Fault::new(&words.post.file, line, message));
            }
        }
        None
    }
}
