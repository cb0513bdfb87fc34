//! Can the book be read without another page open, and do its links lead somewhere?

use std::{fs, path::Path, sync::LazyLock};

use regex::Regex;

use super::prose::{self, pattern};
use crate::{fault::Fault, post::Post, replay::Book};

pub(super) fn faults(book: &Book, post: &Post) -> Vec<Fault> {
    static LINK: LazyLock<Regex> =
        LazyLock::new(|| pattern(r"(!?)\[([^\]]*)\]\(([^)\s]*)\)|<(https?:[^>]*)>"));
    let folder = book.root.join("book/posts");
    let mut faults = Vec::new();
    for passage in prose::passages(post) {
        for found in LINK.captures_iter(passage.text) {
            let group = |index| found.get(index).map_or("", |text| text.as_str());
            let target = if group(4).is_empty() { group(3) } else { group(4) };
            let line =
                passage.line + prose::line_of(passage.text, found.get(0).map_or(0, |whole| whole.start()));
            let message = match group(1) {
                "!" => picture(&folder, group(2), target),
                _ => link(&folder, post, target),
            };
            faults.extend(message.map(|message| Fault::new(&post.file, line, message)));
        }
    }
    faults
}

fn picture(folder: &Path, alt: &str, target: &str) -> Option<String> {
    if alt.split_whitespace().count() < 5 {
        return Some(format!(
            "{target}: its text in brackets says what the figure shows, for who can't see it"
        ));
    }
    (!folder.join(target).is_file()).then(|| format!("{target} is not there"))
}

fn link(folder: &Path, post: &Post, target: &str) -> Option<String> {
    if target.contains("://") {
        return Some(format!("{target}: all that a reader needs stands in the book"));
    }
    let (file, anchor) = target.split_once('#').unwrap_or((target, ""));
    let text = match file {
        "" => Ok(post.text.clone()),
        _ => fs::read_to_string(folder.join(file)),
    };
    let Ok(text) = text else { return Some(format!("{file} is not there")) };
    let headings = text.lines().filter(|line| line.starts_with('#'));
    let known = anchor.is_empty() || headings.map(slug).any(|slug| slug == anchor);
    (!known).then(|| format!("{target}: no such heading"))
}

/// What mdBook makes of a heading.
fn slug(heading: &str) -> String {
    let text = heading.trim_start_matches('#').trim().to_lowercase();
    let kept = text.chars().filter_map(|letter| match letter {
        letter if letter.is_alphanumeric() || letter == '_' || letter == '-' => Some(letter),
        letter if letter.is_whitespace() => Some('-'),
        _ => None,
    });
    kept.collect()
}
