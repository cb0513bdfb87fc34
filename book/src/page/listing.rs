//! How does an edit look? As code that says what it is: the file and the enclosing item above it, the context faded,
//! what is new plain with a `+`, what goes struck with a `−`.
//!
//! Whole texts and edits that are typed carry `data-copy`: which lines the copy button takes. Not here: what an edit
//! does to a file (`edit`).

use super::{
    highlight::{self, Language},
    html::{self, NEWLINE, escape},
};
use crate::{
    edit::{Hunk, Kind, Line},
    post::{Course, Fence, Flags, Listing, What},
};

/// A listing with its caption; `number` tells it from the others of its page, `hunks` are those of a change.
pub(super) fn listing(number: usize, listing: &Listing, hunks: &[Hunk]) -> String {
    let (body, place, copy) = match &listing.fence {
        None => (String::new(), String::new(), ""),
        Some(_) if listing.what == What::Edit => edit(&listing.path, hunks),
        Some(fence) => (whole(Language::of_file(&listing.path), &fence.body), String::new(), "all"),
    };
    let words = words(listing);
    let mut caption = format!("<span class=\"file\">{}</span>", escape(&listing.path));
    if !place.is_empty() {
        caption.push_str(&format!(" <span class=\"item\">{place}</span>"));
    }
    for (class, word) in &words {
        caption.push_str(&format!(" <span class=\"mark {class}\">{word}</span>"));
    }
    let spoken: Vec<&str> = words.iter().map(|(_, word)| word.as_str()).collect();
    let label = format!(
        "Listing {number}, {}{}{}",
        listing.path,
        if spoken.is_empty() { "" } else { ": " },
        spoken.join(", ")
    );
    let mut classes = String::from("code");
    for (class, yes) in [
        ("edit", listing.what == What::Edit),
        ("red", listing.flags.red),
        ("try", matches!(listing.flags.course, Course::Try | Course::TryOn)),
    ] {
        if yes {
            classes.push(' ');
            classes.push_str(class);
        }
    }
    figure(&classes, copy, &caption, &if body.is_empty() { body } else { html::scroll(&label, &body) })
}

/// A fence that is no edit: `json`, `toml`, `sql`, or Rust that is talked about and not typed.
pub(super) fn fragment(number: usize, fence: &Fence, talked: bool) -> String {
    let body = whole(Language::of_label(&fence.label), &fence.body);
    let (label, caption) =
        if talked { ("not to be typed", "Not to be typed") } else { (fence.label.as_str(), "") };
    figure("code", "", caption, &html::scroll(&format!("Code {number}, {label}"), &body))
}

/// A `text` fence: a drawing in characters.
pub(super) fn drawing(number: usize, text: &str) -> String {
    let lines: String = text.lines().map(|line| html::line(&escape(line))).collect();
    format!("<figure class=\"ascii\">{}</figure>", html::scroll(&format!("Drawing {number}"), &lines))
}

/// A figure around code; what `copy` says is what its button takes, and an empty one means no button.
pub(super) fn figure(classes: &str, copy: &str, caption: &str, body: &str) -> String {
    let copy = if copy.is_empty() { String::new() } else { format!(" data-copy=\"{copy}\"") };
    let caption =
        if caption.is_empty() { String::new() } else { format!("<figcaption>{caption}</figcaption>") };
    format!("<figure class=\"{classes}\"{copy}>{caption}{body}</figure>")
}

fn whole(language: &Language, text: &str) -> String {
    highlight::lines(language, text).iter().map(|line| html::line(line)).collect()
}

/// What the caption's brackets say, in a reader's words, each with its class.
fn words(listing: &Listing) -> Vec<(&'static str, String)> {
    let mut words = Vec::new();
    match &listing.what {
        What::New => words.push(("new", "new file".into())),
        What::Replace => words.push(("new", "the whole file anew".into())),
        What::Edit => {}
        What::Delete => words.push(("red", "delete this file".into())),
        What::Rename(to) => {
            words.push(("new", format!("rename to <span class=\"file\">{}</span>", escape(to))))
        }
    }
    let Flags { red, warns, course } = &listing.flags;
    match course {
        Course::Main => {}
        Course::Try => words.push(("try", "try it, then undo".into())),
        Course::TryOn => words.push(("try", "still trying, then undo".into())),
        Course::Solution => words.push(("new", "solution".into())),
    }
    if *red {
        words.push(("red", "does not compile yet".into()));
    }
    if *warns {
        words.push(("warns", "compiles with warnings".into()));
    }
    words
}

/// The pieces of an edit, the place of the first, and what is copied.
///
/// The text before and the text after are coloured each as a whole: a comment that opens in a line that goes must not
/// swallow the lines that come.
fn edit(path: &str, hunks: &[Hunk]) -> (String, String, &'static str) {
    let language = Language::of_file(path);
    let lines: Vec<&Line> = hunks.iter().flat_map(|hunk| &hunk.lines).collect();
    let after: Vec<&str> =
        lines.iter().filter(|line| line.kind != Kind::Deleted).map(|line| line.text.as_str()).collect();
    let mut after = highlight::lines(language, &(after.join("\n") + "\n")).into_iter();
    let place = hunks.first().map(place).unwrap_or_default();
    let mut html = String::new();
    for (i, hunk) in hunks.iter().enumerate() {
        if i > 0 {
            let same = hunk.items == hunks[i - 1].items;
            let place = if same { String::new() } else { self::place(hunk) };
            html.push_str(&format!(
                "<span class=\"skip-lines\">⋯ {}</span>",
                if place.is_empty() { "further down" } else { &place }
            ));
        }
        for line in &hunk.lines {
            let coloured = if line.kind == Kind::Deleted { None } else { after.next() };
            html.push_str(&edited(line, coloured.as_deref().unwrap_or_default()));
        }
    }
    let adds = lines.iter().any(|line| line.kind == Kind::Added);
    (html, place, if adds { "added" } else { "" })
}

/// A line of an edit; only what is new has colours.
fn edited(line: &Line, coloured: &str) -> String {
    let text = &line.text;
    match line.kind {
        Kind::Context => format!("<span class=\"line context\">{}{NEWLINE}</span>", escape(text)),
        Kind::Added => format!("<ins class=\"line\">{coloured}{NEWLINE}</ins>"),
        Kind::Deleted => {
            // The stroke leaves the indentation out.
            let start = text.len() - text.trim_start().len();
            let struck = escape(&text[start..]);
            format!("<del class=\"line\">{}<span>{struck}</span>{NEWLINE}</del>", &text[..start])
        }
    }
}

/// Where a piece stands: the items around it, outermost first; in none, below what its author names.
fn place(hunk: &Hunk) -> String {
    let (word, names): (_, Vec<&str>) = match (hunk.items.as_slice(), &hunk.words) {
        ([], Some(words)) => ("below", vec![words]),
        (items, _) => ("in", items.iter().map(String::as_str).collect()),
    };
    let names: Vec<String> = names.iter().map(|name| format!("<code>{}</code>", escape(name))).collect();
    if names.is_empty() { String::new() } else { format!("{word} {}", names.join(" › ")) }
}
