//! How is the book built? One folder of posts in, one folder of HTML out; a warning of mdBook's is an error here.

use std::{
    collections::BTreeMap,
    env, fs,
    io::{self, Write},
    path::{Path, PathBuf},
    sync::{Arc, Mutex},
};

use mdbook_driver::{MDBook, book, config::Config, errors};
use mdbook_preprocessor::{Preprocessor, PreprocessorContext};
use tracing_subscriber::fmt::MakeWriter;

use super::{glossary, html::escape, text};
use crate::{
    fault::{Fault, Result},
    measure::Results,
    post::{Number, Post},
    replay::Book,
};

/// What is built.
#[derive(Debug, Clone)]
pub struct Site {
    /// The posts, and the chapters that they change.
    pub book: Book,
    /// The path that the pages will have on their server, `/kith/`; only the page for unknown addresses needs it.
    pub path: Option<String>,
}

impl Site {
    /// Where the posts are.
    pub(super) fn posts(&self) -> PathBuf {
        self.book.root.join("book/posts")
    }
}

/// Where `book.toml` and `theme/` are: beside this tool, whatever posts it is given.
pub(super) const FRAME: &str = env!("CARGO_MANIFEST_DIR");

/// Files that mdBook writes and our theme does not use.
const UNUSED: &[&str] = &["toc", "highlight", "tomorrow-night", "ayu-highlight", "clipboard"];

/// In `html`, the sign of a folder that a build has made and the next may empty.
const SIGN: &str = ".nojekyll";

/// Builds the book into the folder `html`, which is emptied first.
pub fn build(site: &Site, html: &Path) -> Result<()> {
    let io = |error: io::Error| Fault::io(html, &error);
    let empty = fs::read_dir(html)
        .map_or(Ok(true), |mut entries| entries.next().transpose().map(|first| first.is_none()));
    if !empty.map_err(io)? && !html.join(SIGN).exists() {
        return Err(Fault::new(
            html.display().to_string(),
            0,
            "is not a built book, and would be emptied: name another folder",
        ));
    }
    fs::create_dir_all(html).map_err(io)?;
    let html = html.canonicalize().map_err(io)?;
    let warnings = Warnings::default();
    let subscriber = tracing_subscriber::fmt()
        .with_max_level(tracing::Level::WARN)
        .with_ansi(false)
        .without_time()
        .with_target(false)
        .with_writer(warnings.clone())
        .finish();
    tracing::subscriber::with_default(subscriber, || render(site, &html)).map_err(fault)?;
    let warnings = warnings.taken();
    if !warnings.is_empty() {
        return Err(Fault::new("book", 0, warnings.trim()));
    }
    for entry in fs::read_dir(&html).map_err(io)? {
        finish(&entry.map_err(io)?.path()).map_err(io)?;
    }
    Ok(())
}

/// Takes away what our theme does not use, and mends what mdBook writes: an empty cell is no heading.
fn finish(path: &Path) -> io::Result<()> {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let stem = name.split('.').next().unwrap_or_default();
    let plain = stem.rsplit_once('-').map_or(stem, |(plain, _hash)| plain);
    if UNUSED.contains(&plain) {
        fs::remove_file(path)
    } else if name.ends_with(".html") {
        let page = fs::read_to_string(path)?;
        fs::write(path, page.replace("<th></th>", "<td></td>"))
    } else {
        Ok(())
    }
}

fn render(site: &Site, html: &Path) -> errors::Result<()> {
    let frame = Path::new(FRAME);
    let mut config = Config::from_disk(frame.join("book.toml"))?;
    config.book.src = site.posts().canonicalize()?;
    config.build.build_dir = html.to_owned();
    if let Some(path) = &site.path {
        config.set("output.html.site-url", path)?;
    }
    if let Some(address) = repository() {
        config.set("output.html.git-repository-url", address)?;
    }
    let mut driver = MDBook::load_with_config(frame, config)?;
    let pages = driver.book.chapters().filter_map(|chapter| {
        let name = chapter.source_path.as_ref()?.display().to_string();
        Some((number(&name)?, name))
    });
    let (list, pages): (_, BTreeMap<Number, String>) = (list(&driver.book), pages.collect());
    for (number, file) in site.book.files()? {
        if !pages.contains_key(&number) {
            let name = file.file_name().unwrap_or_default().display();
            Err(Fault::new("book/posts/SUMMARY.md", 0, format!("post {number} has no line: `[…]({name})`")))?;
        }
    }
    driver.with_preprocessor(Pages { book: site.book.clone(), list, pages });
    driver.build()
}

/// Where the repository can be cloned from, for the link at the top of each page: the workflow that publishes the book
/// is told it by GitHub. A reader of pages that were built at home has the repository.
fn repository() -> Option<String> {
    let told = |name| env::var(name).ok().filter(|text| !text.is_empty());
    Some(format!("{}/{}", told("GITHUB_SERVER_URL")?, told("GITHUB_REPOSITORY")?))
}

/// One of our own faults keeps its place; mdBook's errors are chains of sentences.
fn fault(error: errors::Error) -> Fault {
    error.downcast().unwrap_or_else(|error| Fault::new("book", 0, format!("{error:#}")))
}

/// The posts by phase, for the first page. What stands before the first phase or behind a line is no post.
fn list(book: &book::Book) -> String {
    let mut html = String::from("<div class=\"posts\">");
    let mut phases = 0;
    for item in book.iter() {
        match item {
            book::BookItem::PartTitle(title) => {
                html.push_str(if phases > 0 { "</ol>" } else { "" });
                html.push_str(&format!("<h2>{}</h2><ol>", escape(title)));
                phases += 1;
            }
            book::BookItem::Chapter(chapter) if phases > 0 => {
                let title = escape(&chapter.name);
                html.push_str(&match &chapter.path {
                    Some(path) => {
                        let link = escape(&path.with_extension("html").display().to_string());
                        format!("<li><a href=\"{link}\">{title}</a></li>")
                    }
                    None => format!("<li class=\"unwritten\">{title} (not yet written)</li>"),
                });
            }
            book::BookItem::Separator if phases > 0 => break,
            _ => {}
        }
    }
    html + if phases > 0 { "</ol></div>" } else { "</div>" }
}

/// Our pass over each page.
struct Pages {
    book: Book,
    list: String,
    /// The posts' files, for links to them.
    pages: BTreeMap<Number, String>,
}

impl Preprocessor for Pages {
    fn name(&self) -> &str {
        "pages"
    }

    fn run(&self, context: &PreprocessorContext, mut book: book::Book) -> errors::Result<book::Book> {
        let folder = &context.config.book.src;
        let mut result = Ok(());
        book.for_each_chapter_mut(|chapter| {
            if result.is_ok() {
                result = self.page(chapter, folder);
            }
        });
        result?;
        Ok(book)
    }
}

/// Of the post in this file, if it is one.
fn number(file: &str) -> Option<Number> {
    file.split_once('-')?.0.parse().ok()
}

impl Pages {
    fn page(&self, chapter: &mut book::Chapter, folder: &Path) -> Result<()> {
        let Some(path) = &chapter.source_path else { return Ok(()) };
        let name = path.display().to_string();
        chapter.content = match number(&name) {
            Some(number) => {
                let post = Post::parse(number, &format!("book/posts/{name}"), &chapter.content)?;
                // While a post is being written, the chapter before it may be missing; the page does without.
                let base = self.book.base(post.number).unwrap_or_default();
                text::markdown(&post, &base, folder, &Results::read(&self.book)?)?
            }
            None if name == "glossary.md" => glossary::markdown(&chapter.content, &self.pages),
            None => chapter.content.replace("<!-- posts -->", &self.list),
        };
        Ok(())
    }
}

/// Where mdBook's warnings go.
#[derive(Clone, Default)]
struct Warnings(Arc<Mutex<Vec<u8>>>);

impl Warnings {
    fn taken(&self) -> String {
        let bytes = std::mem::take(&mut *self.0.lock().expect("nobody panics while writing a warning"));
        String::from_utf8_lossy(&bytes).into_owned()
    }
}

impl Write for Warnings {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.0.lock().expect("nobody panics while writing a warning").extend_from_slice(bytes);
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl<'a> MakeWriter<'a> for Warnings {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}
