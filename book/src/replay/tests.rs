//! Is a book that doesn't fit together caught, and where? Tiny books in scratch folders.

use super::*;

const FIRST: &str = "\
# 2. Forge

**`Cargo.toml`** (new)

```toml
[package]
name = \"kith\"
```

**`src/lib.rs`** (new)

```rust
pub fn a() {}
```

**`src/lib.rs`** (try)

```diff
-pub fn a() {}
+pub fn nowhere() {}
```
";

const SECOND: &str = "\
# 3. Ownership

**`src/main.rs`** (new)

```rust
kith::a();
```

**`src/lib.rs`**

```diff
 pub fn a() {}
+pub fn b() {}
```
";

/// A book of two posts whose chapters are written.
fn book() -> (tempfile::TempDir, Book) {
    let folder = tempfile::tempdir().unwrap();
    let book = Book { root: folder.path().to_owned() };
    post(&book, "02-forge.md", FIRST);
    post(&book, "03-ownership.md", SECOND);
    assert_eq!(book.write(None), Ok(2));
    (folder, book)
}

fn post(book: &Book, name: &str, text: &str) {
    fs::create_dir_all(book.root.join("book/posts")).unwrap();
    fs::write(book.root.join("book/posts").join(name), text).unwrap();
}

fn chapter(book: &Book, path: &str) -> PathBuf {
    book.chapters().join(path)
}

#[test]
fn chapters_are_written_with_their_names_and_checked() {
    let (_folder, book) = book();
    assert_eq!(fs::read_to_string(chapter(&book, "03/src/main.rs")).unwrap(), "ch03::a();\n");
    assert_eq!(fs::read_to_string(chapter(&book, "03/Cargo.toml")).unwrap(), "[package]\nname = \"ch03\"\n");
    assert_eq!(fs::read_to_string(chapter(&book, "02/src/lib.rs")).unwrap(), "pub fn a() {}\n");
    assert_eq!(book.check(None), Ok(2));
    assert_eq!(book.check(Some("3".parse().unwrap())), Ok(1));
}

#[test]
fn a_fix_in_a_post_flows_through() {
    let (_folder, book) = book();
    post(&book, "02-forge.md", &FIRST.replace("pub fn a() {}", "//! New.\npub fn a() {}"));
    assert_eq!(book.check(None).unwrap_err().file, "chapters/02/src/lib.rs");
    book.write(None).unwrap();
    assert_eq!(
        fs::read_to_string(chapter(&book, "03/src/lib.rs")).unwrap(),
        "//! New.\npub fn a() {}\npub fn b() {}\n"
    );
}

#[test]
fn a_conflict_names_the_first_post_that_breaks() {
    let (_folder, book) = book();
    post(&book, "02-forge.md", &FIRST.replace("fn a()", "fn renamed()"));
    let fault = book.check(None).map(drop).and(book.write(None).map(drop)).unwrap_err();
    assert_eq!(fault.file, "chapters/02/src/lib.rs");
    let fault = book.write(None).unwrap_err();
    assert_eq!((fault.file.as_str(), fault.line), ("book/posts/03-ownership.md", 12), "{fault}");
    assert!(fault.message.contains("`src/lib.rs`"), "{fault}");
}

#[test]
fn a_chapter_that_differs_is_named_with_its_line() {
    let (_folder, book) = book();
    fs::write(chapter(&book, "03/src/lib.rs"), "pub fn a() {}\npub fn c() {}\n").unwrap();
    let fault = book.check(None).unwrap_err();
    assert_eq!((fault.file.as_str(), fault.line), ("chapters/03/src/lib.rs", 2));
    assert!(
        fault.message.contains("`pub fn c() {}`") && fault.message.contains("`pub fn b() {}`"),
        "{fault}"
    );
    fs::write(chapter(&book, "03/src/lib.rs"), "pub fn a() {}\npub fn b() {}").unwrap();
    assert!(book.check(None).unwrap_err().message.contains("line end"));
}

#[test]
fn files_too_many_and_too_few_are_named() {
    let (_folder, book) = book();
    fs::write(chapter(&book, "02/src/more.rs"), "").unwrap();
    assert_eq!(book.check(None).unwrap_err().file, "chapters/02/src/more.rs");
    book.write(None).unwrap();
    fs::remove_file(chapter(&book, "02/src/lib.rs")).unwrap();
    assert!(book.check(None).unwrap_err().message.contains("is not there"));
}

#[test]
fn listings_that_cannot_be_applied_say_why() {
    let (_folder, book) = book();
    let cases = [
        ("**`src/lib.rs`** (new)\n\n```rust\n```", "is there already"),
        ("**`src/none.rs`** (delete)", "is not there; there are `Cargo.toml`, `src/lib.rs`"),
        ("**`src/lib.rs`** (rename to `Cargo.toml`)", "`Cargo.toml` is there already"),
    ];
    for (text, words) in cases {
        post(&book, "03-ownership.md", &format!("# 3. T\n\n{text}\n"));
        let fault = book.check(None).unwrap_err();
        assert!(fault.line == 3 && fault.message.contains(words), "{fault}");
    }
}

#[test]
fn a_book_without_posts_is_whole() {
    let folder = tempfile::tempdir().unwrap();
    let book = Book { root: folder.path().to_owned() };
    assert_eq!(book.check(None), Ok(0));
    assert!(book.check(Some(Number::FIRST)).is_err());
    post(&book, "x.md", "");
    assert_eq!(book.files(), Ok(Vec::new()));
    post(&book, "3x.md", "");
    assert!(book.files().is_err());
}
