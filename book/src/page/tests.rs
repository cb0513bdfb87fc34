//! What do the pages of a small book look like? `tests/fixture` has every kind of thing once.

use std::{
    fs,
    path::{Path, PathBuf},
};

use super::{Site, build, figure, html::NEWLINE, text};
use crate::{measure::Results, replay::Book};

fn fixture() -> Book {
    Book { root: Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixture") }
}

/// A book of one post.
fn book_of(folder: &Path, post: &str) -> Site {
    let posts = folder.join("book/posts");
    fs::create_dir_all(&posts).unwrap();
    fs::write(posts.join("SUMMARY.md"), "# Phase 1: One\n\n- [3. A](03-a.md)\n- [4. B]()\n").unwrap();
    fs::write(posts.join("03-a.md"), post).unwrap();
    Site { book: Book { root: folder.to_owned() }, path: None }
}

#[test]
fn a_post_becomes_a_page() {
    let book = fixture();
    let post = book.post("3".parse().unwrap()).unwrap();
    let base = book.base(post.number).unwrap();
    let markdown =
        text::markdown(&post, &base, &book.root.join("book/posts"), &Results::read(&book).unwrap()).unwrap();
    // A line end inside of code would end the HTML block, and is written as a reference.
    insta::assert_snapshot!(markdown.replace(NEWLINE, "\n"));
}

#[test]
fn a_book_is_built() {
    let target = tempfile::tempdir().unwrap();
    let html = target.path().join("html");
    let site = Site { book: fixture(), path: Some("/kith/".into()) };
    // Twice, for the second build empties the folder of the first.
    build(&site, &html).unwrap();
    build(&site, &html).unwrap();
    let page = |name: &str| fs::read_to_string(html.join(name)).unwrap();
    let post = page("03-everything.html");
    for part in [
        "<title>3. A Post with Everything - Kith: Build a Vector Database from Scratch in Rust</title>",
        "<h2 id=\"1-what--why\">",
        "<ins class=\"line\">use </span>",
        "viewbox=\"0 0 680 210\"",
        "<a rel=\"next\" href=\"04-short.html\"",
        "<details class=\"predict\">",
        "<p class=\"post-facts\">",
        "<p class=\"measured\">Measured on A fast machine, 8 cores (2026-01-02)</p>",
    ] {
        let part = part.replace("use </span>", "<span class=\"k\">use</span> std");
        assert!(post.contains(&part), "no {part} in\n{post}");
    }
    assert!(!post.contains("measured:") && !post.contains("naive:"));
    assert!(page("index.html").contains("<a href=\"04-short.html\">4. Rust Crash Course 2"));
    assert!(page("404.html").contains("<base href=\"/kith/\">"));
    assert!(!html.join("toc.html").exists());
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("html");
    for (text, file, line, words) in [
        ("![a](figures/none.svg)", "book/posts/03-a.md", 3, "none.svg"),
        ("![](figures/none.svg)", "book/posts/03-a.md", 3, "into the brackets"),
        ("![a](photo.png)", "book/posts/03-a.md", 3, "SVG"),
        ("**`src/a.rs`** (new)\n\nno fence", "book/posts/03-a.md", 3, "no fence"),
        ("A <b>bold</i> word.", "book", 0, "unexpected HTML end tag"),
    ] {
        let fault = build(&book_of(folder.path(), &format!("# 3. A\n\n{text}\n")), &html).unwrap_err();
        assert_eq!((fault.file.as_str(), fault.line), (file, line), "{fault}");
        assert!(fault.message.contains(words), "{fault}");
    }
}

#[test]
fn a_post_that_the_contents_do_not_name_is_missed() {
    let folder = tempfile::tempdir().unwrap();
    let site = book_of(folder.path(), "# 3. A\n");
    fs::write(folder.path().join("book/posts/04-b.md"), "# 4. B\n").unwrap();
    let fault = build(&site, &folder.path().join("html")).unwrap_err();
    assert_eq!(fault.to_string(), "book/posts/SUMMARY.md: post 4 has no line: `[…](04-b.md)`");
}

#[test]
fn a_folder_that_is_no_book_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let site = book_of(folder.path(), "# 3. A\n");
    let fault = build(&site, folder.path()).unwrap_err();
    assert!(fault.message.contains("would be emptied"), "{fault}");
    assert!(folder.path().join("book/posts/03-a.md").exists());
}

#[test]
fn a_change_that_does_not_fit_is_shown_all_the_same() {
    let folder = tempfile::tempdir().unwrap();
    let html = folder.path().join("html");
    let post = "# 3. A\n\n**`src/a.rs`**\n\n```diff\n@@ impl A\n a\n+b\n```\n";
    build(&book_of(folder.path(), post), &html).unwrap();
    let page = fs::read_to_string(html.join("03-a.html")).unwrap();
    assert!(page.contains("below <code>impl A</code>") && page.contains("<ins class=\"line\">b"), "{page}");
}

#[test]
fn all_figures_keep_to_the_style() {
    for book in [Book::default(), fixture()] {
        for path in figure::files(&book).unwrap() {
            let svg = fs::read_to_string(&path).unwrap();
            let faults = figure::faults(&svg);
            assert!(faults.is_empty(), "{}: {faults:#?}", path.display());
        }
    }
}

/// The pages name the theme's files, and the theme has no others.
#[test]
fn the_theme_asks_for_nothing_from_elsewhere() {
    let theme = Path::new(env!("CARGO_MANIFEST_DIR")).join("theme");
    let folders = [theme.clone(), theme.join("css")];
    let files: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(folder).unwrap())
        .map(|entry| entry.unwrap().path())
        .collect();
    assert!(files.len() >= 8);
    for path in files.iter().filter(|path| path.is_file()) {
        let text = fs::read_to_string(path).unwrap();
        let text = text.replace("http://www.w3.org/2000/svg", "");
        assert!(!text.contains("http://") && !text.contains("https://"), "{}", path.display());
    }
}
