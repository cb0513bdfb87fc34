//! Which listings does a post still lack? The edits between what it yields and the chapter as it stands.
//!
//! For the author who changed a chapter by hand: the listings come ready in the notation, each tried before it is
//! printed. Not here: their order and the words between them.

use std::cmp::Reverse;

use similar::{Algorithm, DiffOp, DiffTag, capture_diff_slices, group_diff_ops};

use crate::{
    edit,
    fault::{Fault, Result},
    post::{Number, Post},
    replay::{self, Book},
    tree::Tree,
};

/// Lines of context around a change, where that many tell the place.
const CONTEXT: usize = 3;

/// Below this share of lines that stay, a file is shown anew.
const REPLACED_BELOW: f32 = 0.3;

/// The listings that lead from what a post yields to its chapter; without a post, from the chapter before it.
pub fn draft(book: &Book, number: Number) -> Result<String> {
    let base = book.base(number)?;
    let exists = book.files()?.iter().any(|(other, _)| *other == number);
    let yielded = if exists { replay::finish(&book.post(number)?, base)? } else { base };
    let chapter = Tree::chapter(&book.chapters(), number)?;
    let listings = between(&yielded, &chapter);
    let reached = whole(number, &yielded, &listings)?;
    if reached != chapter {
        return Err(Fault::new(
            "the draft",
            0,
            "does not lead to the chapter; does a file end without a line end?",
        ));
    }
    Ok(listings)
}

fn whole(number: Number, from: &Tree, listings: &str) -> Result<Tree> {
    replay::finish(&Post::parse(number, "the draft", &format!("# T\n\n{listings}"))?, from.clone())
}

/// Listings for every file that differs.
fn between(from: &Tree, to: &Tree) -> String {
    let mut listings = String::new();
    let mut files: Vec<(&String, &String)> = to.0.iter().collect();
    files.sort_by_key(|(path, _)| place(path));
    for (path, text) in files {
        match from.0.get(path) {
            None => listings += &listing(path, " (new)", label(path), text),
            Some(before) if before == text => {}
            Some(before) => match diff(before, text) {
                Some(body) => listings += &listing(path, "", "diff", &body),
                None => listings += &listing(path, " (replace)", label(path), text),
            },
        }
    }
    for path in from.0.keys().filter(|path| !to.0.contains_key(*path)) {
        listings += &format!("**`{path}`** (delete)\n\n");
    }
    listings
}

/// A module's file stands before the one that declares it, so that most steps compile.
fn place(path: &str) -> (usize, Reverse<usize>, bool) {
    let part = match path {
        "src/lib.rs" => 2,
        "src/main.rs" => 3,
        _ if path.starts_with("src/") => 1,
        _ if path.contains('/') => 4,
        _ => 0,
    };
    (part, Reverse(path.matches('/').count()), path.ends_with("/mod.rs"))
}

fn listing(path: &str, words: &str, label: &str, body: &str) -> String {
    // Longer than any run of backticks that begins a line of the text.
    let runs = body.lines().map(|line| line.trim_start_matches(['+', '-', ' ', '/', '!']));
    let longest = runs.map(|line| line.len() - line.trim_start_matches('`').len()).max().unwrap_or(0);
    let fence = "`".repeat(3.max(longest + 1));
    let end = if body.is_empty() || body.ends_with('\n') { "" } else { "\n" };
    format!("**`{path}`**{words}\n\n{fence}{label}\n{body}{end}{fence}\n\n")
}

fn label(path: &str) -> &str {
    match path.rsplit_once('.') {
        Some((_, "rs")) => "rust",
        Some((_, "toml")) => "toml",
        Some((_, "json")) => "json",
        Some((_, "sql")) => "sql",
        Some((_, "yml" | "yaml")) => "yaml",
        _ => "text",
    }
}

/// The body of a `diff` fence; none where a file has become another.
fn diff(before: &str, after: &str) -> Option<String> {
    let [old, new] = [before, after].map(|text| text.lines().collect::<Vec<_>>());
    let ops = capture_diff_slices(Algorithm::Patience, &old, &new);
    if similar::get_diff_ratio(&ops, old.len(), new.len()) < REPLACED_BELOW {
        return None;
    }
    let applies = |body: &String| edit::apply(before, body).is_ok_and(|(text, _)| text == after);
    // More context until it tells every place; that of the item alone, if it does.
    let widths = [true, false]
        .into_iter()
        .flat_map(|within| (CONTEXT..CONTEXT + 20).map(move |width| (within, width)));
    widths.map(|(within, width)| body(&old, &new, ops.clone(), width, within)).find(applies)
}

/// The changes with so many lines of context, each marked by the item that it is in; the context may end with the item.
fn body(old: &[&str], new: &[&str], ops: Vec<DiffOp>, context: usize, within: bool) -> String {
    let (mut body, mut next) = (String::new(), 0);
    for group in group_diff_ops(ops, context) {
        let changed = group.iter().find(|op| op.tag() != DiffTag::Equal).map_or(0, |op| op.old_range().start);
        let span = group.first().map_or(0, |op| op.old_range().start)
            ..group.last().map_or(0, |op| op.old_range().end);
        let around = edit::items(old, changed);
        let headed =
            around.iter().filter_map(|(header, _)| span.contains(header).then_some(*header)).next_back();
        let bounds = match headed {
            Some(header) if within => header..edit::item_end(old, header).max(changed + 1),
            _ => span.clone(),
        };
        // A change may go on behind the item that it began in.
        let last = group.iter().rfind(|op| op.tag() != DiffTag::Equal).map_or(0, |op| op.old_range().end);
        let bounds = bounds.start..bounds.end.max(last);
        let mark = around.iter().rfind(|(header, _)| (next..span.start).contains(header));
        match mark {
            Some((_, title)) if headed.is_none() => body += &format!("@@ {title}\n"),
            _ if next > 0 => body += "@@\n",
            _ => {}
        }
        for op in group {
            let (olds, news) = (op.old_range(), op.new_range());
            next = olds.end;
            match op.tag() {
                DiffTag::Equal => {
                    push(&mut body, " ", &old[olds.start.max(bounds.start)..olds.end.min(bounds.end)])
                }
                _ => {
                    push(&mut body, "-", &old[olds]);
                    push(&mut body, "+", &new[news]);
                }
            }
        }
        next = next.min(bounds.end);
    }
    body
}

fn push(body: &mut String, sign: &str, lines: &[&str]) {
    for line in lines {
        // Empty context is an empty line.
        let sign = if line.is_empty() && sign == " " { "" } else { sign };
        body.extend([sign, line, "\n"]);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn a_draft_leads_from_one_state_to_the_other() {
        let methods = |value: u8| {
            let method =
                |name| format!("    fn {name}(&self) -> u8 {{\n        let a = 1;\n        a\n    }}\n\n");
            let all: String = ["a", "b", "c", "d"].map(method).concat();
            format!(
                "impl A {{\n{all}    fn last() {{\n        {value}\n    }}\n}}\n\nfn free() {{\n    // One.\n    // Two.\n    // Three.\n    {value}\n}}\n"
            )
        };
        let from =
            tree(&[("src/a.rs", &methods(1)), ("src/gone.rs", ""), ("src/b.rs", "one\ntwo\n"), ("same", "")]);
        let to = tree(&[
            (
                "src/a.rs",
                &methods(2).replacen("let a = 1;\n        a\n    }\n\n    fn d", "7\n    }\n\n    fn d", 1),
            ),
            ("src/b.rs", "three\n"),
            ("src/c.rs", "/// ```\n/// x\n/// ```\n"),
            ("same", ""),
        ]);
        let listings = between(&from, &to);
        assert_eq!(whole("3".parse().unwrap(), &from, &listings), Ok(to), "{listings}");
        for words in [
            "@@ fn free()\n     // One.",
            "\n     fn last() {\n-",
            "**`src/gone.rs`** (delete)",
            "**`src/b.rs`** (replace)",
            "````rust\n",
        ] {
            assert!(listings.contains(words), "{words}: {listings}");
        }
    }

    #[test]
    fn places_that_look_alike_are_told_apart() {
        let same = "x\ny\nz\n".repeat(8);
        let (before, after) = (
            format!("first\n{same}"),
            format!("first\n{}", same.replacen("y\n", "new\n", 5).replacen("new", "y", 4)),
        );
        let body = diff(&before, &after).unwrap();
        assert_eq!(edit::apply(&before, &body).unwrap().0, after);
    }
}
