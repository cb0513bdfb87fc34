//! How many lines of code does a chapter add? Comments, empty lines, tests and examples are none.

use proc_macro2::Span;
use similar::{ChangeTag, TextDiff};
use syn::{Attribute, Item, spanned::Spanned};

use crate::tree::Tree;

/// Lines of `after` that `before` does not have.
pub(super) fn new_lines(before: &Tree, after: &Tree) -> usize {
    let counted = after.0.iter().filter(|(path, _)| path.starts_with("src/") || *path == "Cargo.toml");
    let empty = String::new();
    counted
        .map(|(path, text)| {
            let old = code(before.0.get(path).unwrap_or(&empty));
            let new = code(text);
            let diff = TextDiff::from_lines(&old, &new);
            diff.iter_all_changes().filter(|change| change.tag() == ChangeTag::Insert).count()
        })
        .sum()
}

/// A file's lines of code, an end behind each.
fn code(text: &str) -> String {
    let tests = tests(text);
    let lines = text.lines().enumerate().filter(|(index, line)| {
        let line = line.trim();
        let counts = !line.is_empty() && !line.starts_with("//") && !line.starts_with('#');
        counts && !tests.iter().any(|(first, last)| (first..=last).contains(&&(index + 1)))
    });
    lines.map(|(_, line)| format!("{line}\n")).collect()
}

/// The first and last lines of the tests in a Rust file; of another file, none.
pub(super) fn tests(text: &str) -> Vec<(usize, usize)> {
    let Ok(file) = syn::parse_file(text) else { return Vec::new() };
    let lines = |span: Span| (span.start().line, span.end().line);
    file.items.iter().filter(|item| is_test(attributes(item))).map(|item| lines(item.span())).collect()
}

fn attributes(item: &Item) -> &[Attribute] {
    match item {
        Item::Mod(item) => &item.attrs,
        Item::Fn(item) => &item.attrs,
        _ => &[],
    }
}

fn is_test(attributes: &[Attribute]) -> bool {
    attributes.iter().any(|attribute| {
        let path = attribute.path();
        let cfg = path.is_ident("cfg")
            && attribute.parse_args::<syn::Path>().is_ok_and(|what| what.is_ident("test"));
        cfg || path.segments.last().is_some_and(|last| last.ident == "test")
    })
}
