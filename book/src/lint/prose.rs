//! What remains of Markdown if one only reads its words?

use std::sync::LazyLock;

use regex::{Captures, Regex};

use crate::post::{Kind, Post, Role};

/// A paragraph and the like, with the line it begins in.
pub(super) struct Passage<'a> {
    pub line: usize,
    pub text: &'a str,
}

/// Everything in a post that is neither code nor output nor heading, in reading order.
pub(super) fn passages(post: &Post) -> impl Iterator<Item = Passage<'_>> {
    post.blocks.iter().filter_map(|block| match &block.kind {
        Kind::Prose { text } | Kind::Html { text } => Some(Passage { line: block.line, text }),
        _ => None,
    })
}

/// Code spans, the targets of links, tags and comments made blank; every other byte stays in its place.
pub(super) fn plain(text: &str) -> String {
    static MARKUP: LazyLock<Regex> = LazyLock::new(|| {
        // Code spans; images with their text; targets of links; comments; tags.
        pattern(r"``[^`]+``|`[^`]+`|!\[[^\]]*\]\([^)]*\)|\]\([^)]*\)|(?s:<!--.*?-->)|</?[a-z][^>]*>")
    });
    let blank = |found: &Captures| -> String {
        found[0].bytes().map(|byte| if byte == b'\n' { '\n' } else { ' ' }).collect()
    };
    MARKUP.replace_all(text, blank).into_owned()
}

/// All messages and outputs that a post shows, a space between words.
pub(super) fn shown(post: &Post) -> String {
    let told = post.fences().filter(|(_, fence)| matches!(fence.role, Role::Error { .. } | Role::Run(_)));
    told.map(|(_, fence)| spaced(&fence.body) + "\n").collect()
}

/// Without what a passage quotes from these messages and outputs: two words or more between quotation marks. Every
/// other byte stays in its place.
pub(super) fn unquoted(text: &str, shown: &str) -> String {
    static QUOTED: LazyLock<Regex> = LazyLock::new(|| {
        // A code span may stand in a quotation; a quotation mark in a code span is none.
        pattern(r#"``[^`]+``|`[^`]+`|"(?:[^"`]|`[^`]+`)+""#)
    });
    let blank = |found: &Captures| -> String {
        let words =
            spaced(found[0].trim_matches(|letter: char| letter == '"' || letter.is_ascii_punctuation()));
        let quoted = found[0].starts_with('"') && words.contains(' ') && said(shown, &words);
        if quoted { " ".repeat(found[0].len()) } else { found[0].to_string() }
    };
    QUOTED.replace_all(text, blank).into_owned()
}

/// Whether these words were said, perhaps with a capital at the beginning.
fn said(shown: &str, words: &str) -> bool {
    shown.to_lowercase().contains(&words.to_lowercase())
}

fn spaced(text: &str) -> String {
    text.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// How many words somebody reads; a code span is one.
pub(super) fn words(text: &str) -> usize {
    static SPAN: LazyLock<Regex> = LazyLock::new(|| pattern("`[^`]+`"));
    let text = SPAN.replace_all(text, "code");
    plain(&text).split_whitespace().filter(|word| word.contains(char::is_alphanumeric)).count()
}

/// The line within a text in which a byte stands, from 0.
pub(super) fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count()
}

pub(super) fn pattern(text: &str) -> Regex {
    Regex::new(text).expect("a pattern of ours is one")
}
