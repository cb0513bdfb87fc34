//! Which function, impl or module is a line in? Read off the indentation, as a person does.
//!
//! Not here: Rust's grammar. The sources are formatted, so the indentation tells.

use super::diff::{Kind, Piece};

/// Words that an item's first line may begin with, once `pub` and its like are off.
const WORDS: [&str; 11] =
    ["fn", "impl", "struct", "enum", "trait", "mod", "union", "macro_rules!", "static", "const", "extern"];

/// The headers of the items around a piece that stands at a line.
pub(super) fn around(file: &[&str], at: usize, piece: &Piece) -> Vec<String> {
    // The innermost item is that of the first line that changes; an empty line before it tells nothing.
    let changed = piece.lines.iter().position(|line| line.kind != Kind::Context).unwrap_or(0);
    let told = piece.lines.iter().skip(changed).find(|line| !line.text.trim().is_empty());
    let depth = told.map_or(0, |line| indentation(&line.text));
    let headers = headers_of(file, at + changed, depth);
    headers.into_iter().map(|line| title(file[line])).collect()
}

/// The first lines of the items around a line, outermost first.
pub(super) fn headers(file: &[&str], at: usize) -> Vec<usize> {
    headers_of(file, at, file.get(at).map_or(0, |line| indentation(line)))
}

fn headers_of(file: &[&str], at: usize, mut depth: usize) -> Vec<usize> {
    let mut headers = Vec::new();
    for line in (0..at.min(file.len())).rev() {
        let text = file[line];
        if text.trim().is_empty() || indentation(text) >= depth {
            continue;
        }
        // What closes a signature of several lines stands between its header and its body.
        if text.trim_start().starts_with([')', '}', ']'])
            || text.trim() == "{"
            || text.trim().starts_with("where")
        {
            depth = depth.min(indentation(text) + 1);
            continue;
        }
        depth = indentation(text);
        if is_header(text) {
            headers.insert(0, line);
        }
    }
    headers
}

/// An item's first line, as a caption.
pub(super) fn title(line: &str) -> String {
    line.trim().trim_end_matches(['{', '(', ' ']).to_owned()
}

/// The line behind an item's last, told by its indentation: its closing brace counts as its own.
pub(super) fn end(file: &[&str], header: usize) -> usize {
    let depth = indentation(file[header]);
    let outside = |line: &usize| !file[*line].trim().is_empty() && indentation(file[*line]) <= depth;
    let Some(first) = (header + 1..file.len()).find(outside) else { return file.len() };
    let line = file[first].trim();
    // The end of a signature of several lines: the body follows.
    let signature = line.starts_with([')', '{']) || line.starts_with("where");
    match indentation(file[first]) == depth {
        true if signature && !line.ends_with(';') => end(file, first),
        true if line.starts_with([')', '}', ']']) => first + 1,
        _ => first,
    }
}

fn indentation(line: &str) -> usize {
    line.len() - line.trim_start().len()
}

fn is_header(line: &str) -> bool {
    let mut words = line.split_whitespace().map(|word| word.split(['(', '<']).next().unwrap_or(word));
    let modifiers = ["pub", "async", "unsafe", "default"];
    words
        .find(|word| !modifiers.contains(word) && !word.starts_with("crate)"))
        .is_some_and(|word| WORDS.contains(&word))
}
