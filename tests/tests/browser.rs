//! Are the pages of the book right in a browser? A real one opens each of them, narrow and wide, light and dark
//! (`browser/pages.mjs`), and uses them as a reader would (`browser/deeds.mjs`).
//!
//! What that takes is installed once, into `target/browser`, in the versions that `browser/package-lock.json` pins;
//! Chromium and Node are the system's. Where they are missing the tests say so and are skipped; with `CI=true` they fail.

use std::{
    env, fs,
    path::{Path, PathBuf},
    process::Command,
    sync::OnceLock,
};

use ::book::{
    page::{self, Site},
    replay::Book,
};

/// A folder of our own below the build's, so that what is installed is kept.
fn folder() -> PathBuf {
    let test = env::current_exe().unwrap();
    test.ancestors()
        .find(|folder| folder.ends_with("deps"))
        .unwrap()
        .ancestors()
        .nth(2)
        .unwrap()
        .join("browser")
}

fn built(name: &str, book: Book) -> PathBuf {
    let html = folder().join(name);
    page::build(&Site { book, path: None }, &html).unwrap_or_else(|fault| panic!("{fault}"));
    html
}

/// The book that has one of everything.
fn fixture() -> Book {
    Book { root: Book::default().root.join("book/tests/fixture") }
}

#[test]
fn the_book_is_right_in_a_browser() {
    let html = built("book", Book::default());
    run("pages.mjs", &html).unwrap_or_else(|output| panic!("{output}"));
}

#[test]
fn everything_is_right_in_a_browser_and_works() {
    let html = built("fixture", fixture());
    for script in ["pages.mjs", "deeds.mjs"] {
        run(script, &html).unwrap_or_else(|output| panic!("{output}"));
    }
}

/// A check that finds nothing wrong anywhere proves nothing.
#[test]
fn what_is_wrong_is_found() {
    let html = folder().join("broken");
    fs::create_dir_all(&html).unwrap();
    let page = "<!DOCTYPE html><html lang=\"en\"><title>Broken</title><main><h1>Broken</h1>
        <div style=\"width: 2000px\">wide</div><p style=\"color: #ccc; background: #fff\">pale</p>
        <img src=\"none.png\"><img alt=\"\" src=\"http://127.0.0.1:1/a.png\">
        <script>console.error('oh'); throw new Error('no');</script></main>";
    fs::write(html.join("index.html"), page).unwrap();
    let Err(output) = run("pages.mjs", &html) else {
        assert!(tools().is_err(), "the broken page passes");
        return;
    };
    for part in [
        "px wider than the screen: <div",
        "color-contrast",
        "image-alt",
        "404 for",
        "asks for http://127.0.0.1:1/a.png",
        "the console says: oh",
        "a script fails: no",
    ] {
        assert!(output.contains(part), "{part} was not found in\n{output}");
    }
}

/// Runs a script over built pages; what it prints, where something is wrong. Skipped where there is no browser.
fn run(script: &str, html: &Path) -> Result<(), String> {
    let chromium = match tools() {
        Ok(chromium) => chromium,
        Err(reason) if env::var("CI").is_ok_and(|ci| ci == "true") => panic!("{reason}"),
        Err(reason) => {
            println!("SKIPPED: {reason}");
            return Ok(());
        }
    };
    let output = Command::new("node").arg(folder().join(script)).arg(chromium).arg(html).output().unwrap();
    let text = String::from_utf8_lossy(&output.stdout) + String::from_utf8_lossy(&output.stderr);
    if output.status.success() { Ok(()) } else { Err(text.into_owned()) }
}

/// The path of a browser, once there is everything to drive it with.
fn tools() -> Result<&'static Path, &'static str> {
    static TOOLS: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    match TOOLS.get_or_init(install) {
        Ok(chromium) => Ok(chromium),
        Err(reason) => Err(reason),
    }
}

fn install() -> Result<PathBuf, String> {
    let path = env::var_os("PATH").unwrap_or_default();
    let names = ["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"];
    let mut places =
        names.iter().flat_map(|name| env::split_paths(&path).map(move |folder| folder.join(name)));
    let chromium = places.find(|place| place.is_file()).ok_or("no chromium on the PATH")?;
    let scripts = Path::new(env!("CARGO_MANIFEST_DIR")).join("browser");
    let folder = folder();
    fs::create_dir_all(&folder).unwrap();
    for name in [".npmrc", "package.json", "package-lock.json", "browser.mjs", "pages.mjs", "deeds.mjs"] {
        fs::copy(scripts.join(name), folder.join(name)).unwrap();
    }
    // Written last: an installation that was interrupted is begun again.
    let wanted = fs::read_to_string(scripts.join("package-lock.json")).unwrap();
    let installed = folder.join("installed.json");
    if fs::read_to_string(&installed).is_ok_and(|have| have == wanted) {
        return Ok(chromium);
    }
    let npm = Command::new("npm").args(["ci", "--no-audit", "--no-fund"]).current_dir(&folder).output();
    match npm {
        Ok(output) if output.status.success() => {
            fs::write(&installed, wanted).unwrap();
            Ok(chromium)
        }
        Ok(output) => Err(format!("npm ci fails: {}", String::from_utf8_lossy(&output.stderr).trim())),
        Err(error) => Err(format!("npm can't be run: {error}")),
    }
}
