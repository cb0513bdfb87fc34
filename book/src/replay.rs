//! What does the reader have after each post? The listings are applied in order, and the chapters are held to it.
//!
//! Not here: whether it compiles (`run`).

#[cfg(test)]
mod tests;

use std::{
    collections::BTreeSet,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    fault::{Fault, Result},
    post::{Course, Number, Post},
    tree::Tree,
};

/// The book in its repository.
#[derive(Debug, Clone)]
pub struct Book {
    /// The repository's folder.
    pub root: PathBuf,
}

impl Default for Book {
    /// The one that this package stands in.
    fn default() -> Self {
        let package = Path::new(env!("CARGO_MANIFEST_DIR"));
        Self { root: package.parent().unwrap_or(package).to_owned() }
    }
}

impl Book {
    pub fn chapters(&self) -> PathBuf {
        self.root.join("chapters")
    }

    /// Where the tests keep what was printed.
    pub fn snapshots(&self) -> PathBuf {
        self.root.join("tests/tests/snapshots/book")
    }

    /// The posts that exist, in reading order, unread: a file is a post if its name begins with a digit.
    pub fn files(&self) -> Result<Vec<(Number, PathBuf)>> {
        let folder = self.root.join("book/posts");
        let entries = match fs::read_dir(&folder) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Vec::new()),
            entries => entries.map_err(|error| Fault::io(&folder, &error))?,
        };
        let mut files = Vec::new();
        for entry in entries {
            let path = entry.map_err(|error| Fault::io(&folder, &error))?.path();
            let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
            let numbered = name.starts_with(|letter: char| letter.is_ascii_digit());
            // The page for addresses that lead nowhere is called so by the servers that show it.
            if name.ends_with(".md") && numbered && name != "404.md" {
                let number = name.split_once('-').map(|(number, _)| number.parse());
                let message = "a post is called `NN-slug.md`";
                match number {
                    Some(Ok(number)) => files.push((number, path)),
                    _ => return Err(Fault::new(format!("book/posts/{name}"), 0, message)),
                }
            }
        }
        files.sort();
        match files.windows(2).find(|pair| pair[0].0 == pair[1].0) {
            Some(pair) => Err(Fault::new(pair[1].1.display().to_string(), 0, "two posts have this number")),
            None => Ok(files),
        }
    }

    /// All posts that exist, in reading order.
    pub fn posts(&self) -> Result<Vec<Post>> {
        self.files()?.iter().map(|(number, path)| self.read(*number, path)).collect()
    }

    /// One post.
    pub fn post(&self, number: Number) -> Result<Post> {
        let files = self.files()?;
        let found = files.iter().find(|(other, _)| *other == number);
        let (_, path) = found.ok_or_else(|| Fault::new("book/posts", 0, format!("no post {number}")))?;
        self.read(number, path)
    }

    fn read(&self, number: Number, path: &Path) -> Result<Post> {
        let text = fs::read_to_string(path).map_err(|error| Fault::io(path, &error))?;
        let name = path.strip_prefix(&self.root).unwrap_or(path).display().to_string();
        Post::parse(number, &name, &text)
    }

    /// What a post begins with: the chapter before it, from its folder. That this is what the posts before it yield
    /// is proven by the replay of those.
    pub fn base(&self, number: Number) -> Result<Tree> {
        match number.base() {
            None => Ok(Tree::default()),
            Some(base) => Ok(Tree::chapter(&self.chapters(), base)?.carried_over()),
        }
    }

    /// Replays the posts in order, or one alone upon the chapter before it. `to` is told each state.
    fn replay(&self, only: Option<Number>, mut to: impl FnMut(&Post, &Tree) -> Result<()>) -> Result<usize> {
        let mut states: Vec<(Number, Tree)> = Vec::new();
        let files = self.files()?;
        let chosen: Vec<_> =
            files.iter().filter(|(number, _)| only.is_none_or(|only| only == *number)).collect();
        if let (Some(number), []) = (only, chosen.as_slice()) {
            return Err(Fault::new("book/posts", 0, format!("no post {number}")));
        }
        for (number, path) in chosen {
            let post = self.read(*number, path)?;
            let before = states.last().filter(|(last, _)| Some(*last) == number.base());
            let base = match before {
                Some((_, tree)) => tree.carried_over(),
                None => self.base(*number)?,
            };
            let state = finish(&post, base)?;
            to(&post, &state)?;
            states.push((*number, state));
        }
        Ok(states.len())
    }

    /// Whether the chapters are what the posts yield, byte for byte; how many posts there were.
    pub fn check(&self, only: Option<Number>) -> Result<usize> {
        self.replay(only, |post, state| {
            let folder = self.chapters().join(post.number.folder());
            if !folder.exists() {
                return Err(Fault::new(
                    &post.file,
                    0,
                    format!("no chapters/{}: `replay --write`", post.number.folder()),
                ));
            }
            same(post, &Tree::read(&folder)?, &state.named_for(post.number))
        })
    }

    /// Writes the chapters, whole.
    pub fn write(&self, only: Option<Number>) -> Result<usize> {
        self.replay(only, |post, state| {
            state.named_for(post.number).write(&self.chapters().join(post.number.folder()))
        })
    }
}

/// The state at a post's end: its listings applied, but for detours and solutions.
pub fn finish(post: &Post, mut state: Tree) -> Result<Tree> {
    for (block, listing) in post.listings().filter(|(_, listing)| listing.flags.course == Course::Main) {
        state.apply(post, block.line, listing)?;
    }
    Ok(state)
}

/// Names the first file and line in which a chapter differs from what its post yields.
fn same(post: &Post, chapter: &Tree, replayed: &Tree) -> Result<()> {
    let paths: BTreeSet<&String> = chapter.0.keys().chain(replayed.0.keys()).collect();
    for path in paths {
        let file = format!("chapters/{}/{path}", post.number.folder());
        let fault = |line, message| Err(Fault::new(file.clone(), line, message));
        match (chapter.0.get(path), replayed.0.get(path)) {
            (None, _) => return fault(0, format!("is not there, but {} makes it", post.file)),
            (_, None) => return fault(0, format!("is there, but {} does not make it", post.file)),
            (Some(found), Some(expected)) if found != expected => {
                let (line, found, expected) = first_difference(found, expected);
                return fault(
                    line,
                    format!(
                        "differs from what {} yields\n  {}: {expected}\n  here: {found}",
                        post.file, post.file
                    ),
                );
            }
            _ => {}
        }
    }
    Ok(())
}

/// The first line in which two texts differ, counted from 1, and what either says there.
pub(crate) fn first_difference(one: &str, other: &str) -> (usize, String, String) {
    let (mut ones, mut others) = (one.lines(), other.lines());
    let quoted =
        |line: Option<&str>| line.map_or("the end of the text".to_owned(), |line| format!("`{line}`"));
    let mut number = 1;
    loop {
        match (ones.next(), others.next()) {
            (Some(one), Some(other)) if one == other => number += 1,
            (None, None) => {
                return (number, "no line end".into(), "a line end, or the other way round".into());
            }
            (one, other) => return (number, quoted(one), quoted(other)),
        }
    }
}
