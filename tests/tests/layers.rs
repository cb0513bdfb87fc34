//! Does the source keep to its own rules? Those that no compiler checks, and that one careless line breaks.
//!
//! `final/src/lib.rs` lists the modules lowest first, and each may use those above it in the list only. There are
//! four traits, each a real choice; `unsafe` stands in three places; files are renamed in one layer.
//!
//! Not here: what a lint can say (`clippy.toml`).

use std::{fs, path::Path};

/// All traits there are.
const TRAITS: [&str; 4] = ["Isa", "Scorer", "Links", "Store"];

/// Where `unsafe` may stand.
const UNSAFE: [&str; 3] = ["vector/", "quantize/", "disk/mmap.rs"];

/// Who may rename a file, and the test of that.
const RENAME: [&str; 4] = ["disk/store.rs", "disk/commit.rs", "disk/fault.rs", "disk/fault/tests.rs"];

/// What is wrong with a file, a line each. `file` is its path below `src`, `order` the modules, lowest first.
fn faults(order: &[&str], file: &str, source: &str) -> Vec<String> {
    let code: String = source.lines().map(|line| without_comment(line).to_owned() + "\n").collect();
    let mut faults = Vec::new();
    let mut fault = |rule: &str, text: &str| faults.push(format!("{file}: {rule}: {text}"));
    let module = first_word(file);
    match order.iter().position(|known| *known == module) {
        // Tests may look at a layer from above.
        _ if ["lib", "main"].contains(&&*module) || file.contains("/tests") => {}
        None => fault("is not in the list of lib.rs", &module),
        Some(layer) => {
            for used in used(file, &code).iter().filter(|used| !order[..=layer].contains(&used.as_str())) {
                fault("points upward", used);
            }
        }
    }
    for line in code.lines().map(str::trim) {
        let words: Vec<String> = line.split_whitespace().map(first_word).collect();
        let declared = words.windows(2).find(|pair| pair[0] == "trait").map(|pair| pair[1].as_str());
        if let Some(name) = declared.filter(|name| !TRAITS.contains(name)) {
            fault("a fifth trait", name);
        }
        if words.iter().any(|word| word == "unsafe") && !UNSAFE.iter().any(|place| file.starts_with(place)) {
            fault("unsafe", line);
        }
        if (line.contains("fs::rename") || line.contains(".rename(")) && !RENAME.contains(&file) {
            fault("renames a file", line);
        }
    }
    faults
}

/// The modules of the crate that a file names, in `use` trees or in place.
fn used(file: &str, code: &str) -> Vec<String> {
    // One `super` for each folder the file is below the root, and one for itself.
    let depth = file.trim_end_matches("/mod.rs").split('/').count();
    let code = code.replace(&format!("\nuse {}", "super::".repeat(depth)), "\nuse crate::");
    code.split("crate::").skip(1).flat_map(roots).collect()
}

/// The first names of what follows `crate::`, be it a path or a tree in braces.
fn roots(rest: &str) -> Vec<String> {
    let Some(tree) = rest.strip_prefix('{') else { return vec![first_word(rest)] };
    let (mut depth, mut outermost) = (0, String::new());
    for letter in tree.chars() {
        match letter {
            '}' if depth == 0 => break,
            '{' => depth += 1,
            '}' => depth -= 1,
            _ if depth == 0 => outermost.push(letter),
            _ => {}
        }
    }
    outermost.split(',').map(|path| first_word(path.trim())).filter(|name| !name.is_empty()).collect()
}

/// The letters, digits and underscores that a text begins with.
fn first_word(text: &str) -> String {
    text.chars().take_while(|letter| letter.is_alphanumeric() || *letter == '_').collect()
}

/// Comments may speak of anything.
fn without_comment(line: &str) -> &str {
    let comment = if line.starts_with("//") { Some(0) } else { line.find(" //") };
    &line[..comment.unwrap_or(line.len())]
}

/// The modules in the order in which `lib.rs` declares them.
fn order(lib: &str) -> Vec<&str> {
    lib.lines().filter_map(|line| line.strip_prefix("pub mod ")?.strip_suffix(';')).collect()
}

/// Every Rust file below a folder, as its path from there and its text.
fn sources(root: &Path, folder: &Path, found: &mut Vec<(String, String)>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(root, &path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            let below = path.strip_prefix(root).unwrap().to_str().unwrap().replace('\\', "/");
            found.push((below, fs::read_to_string(&path).unwrap()));
        }
    }
}

#[test]
fn every_file_keeps_the_rules() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../final/src");
    let mut files = Vec::new();
    sources(&root, &root, &mut files);
    let lib = fs::read_to_string(root.join("lib.rs")).unwrap();
    let order = order(&lib);
    assert!(files.len() > 50 && order.len() > 10, "{} files, {} modules", files.len(), order.len());
    let faults: Vec<String> = files.iter().flat_map(|(file, source)| faults(&order, file, source)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn faults_are_found() {
    let order = order("//! Modules.\n\npub mod error;\npub mod disk;\npub mod wal;\npub mod server;\n");
    let found = |file: &str, source: &str| faults(&order, file, source).join("; ");
    assert_eq!(found("wal/file.rs", "use crate::{disk::{Store, server}, error::Error};\nuse super::x;"), "");
    assert_eq!(
        found("wal/file.rs", "/// See [`crate::server`].\nlet url = \"http://x\"; // crate::server"),
        ""
    );
    assert_eq!(found("wal/mod.rs", "use crate::server::App;"), "wal/mod.rs: points upward: server");
    assert_eq!(
        found("disk/mod.rs", "use crate::{\n    error::{self, Error},\n    wal,\n    disk::Store,\n};"),
        "disk/mod.rs: points upward: wal"
    );
    assert_eq!(found("disk.rs", "fn f() -> crate::wal::Wal {}"), "disk.rs: points upward: wal");
    assert_eq!(found("disk/mod.rs", "\nuse super::wal::Wal;"), "disk/mod.rs: points upward: wal");
    assert_eq!(found("disk/a.rs", "\nuse super::super::wal::Wal;"), "disk/a.rs: points upward: wal");
    assert_eq!(found("disk/tests.rs", "use crate::server;"), "");
    assert_eq!(found("other.rs", ""), "other.rs: is not in the list of lib.rs: other");
    assert_eq!(found("wal.rs", "pub(crate) trait Log: Send {"), "wal.rs: a fifth trait: Log");
    assert_eq!(found("disk/store.rs", "pub trait Store {"), "");
    assert_eq!(found("wal.rs", "let x = unsafe { y };"), "wal.rs: unsafe: let x = unsafe { y };");
    assert_eq!(found("disk/mmap.rs", "#![allow(unsafe_code)]\nunsafe { y }"), "");
    assert_eq!(found("wal.rs", "std::fs::rename(a, b)?;"), "wal.rs: renames a file: std::fs::rename(a, b)?;");
    assert_eq!(found("wal.rs", "store.rename(a, b)"), "wal.rs: renames a file: store.rename(a, b)");
}
