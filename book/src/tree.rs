//! What is in a reader's folder at some point of the book? Paths and texts, in which the crate is called `kith`.
//!
//! A chapter's crate is called `ch08`, so that all of them fit into one workspace; that name is put in and taken out
//! here, mechanically, and nothing else differs.
//!
//! Not here: where the states come from (`replay`).

use std::{
    collections::BTreeMap,
    fs, io,
    path::{Path, PathBuf},
};

use crate::{
    edit,
    fault::{Fault, Result},
    post::{Listing, Number, Post, What},
};

/// The files of a crate by path, with `/`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Tree(pub BTreeMap<String, String>);

/// What cargo and running programs leave in a crate's folder.
const LEFT_BEHIND: [&str; 3] = ["target", "Cargo.lock", "data"];

/// The crate's name in every listing.
const NAME: &str = "kith";

/// Where the name stands: in a path, in the manifest, in the variable that tells a test where the program is.
const PLACES: [(&str, &str); 3] = [("", "::"), ("name = \"", "\""), ("CARGO_BIN_EXE_", "\"")];

impl Tree {
    /// Everything below a folder, but for what cargo and programs left there.
    pub fn read(folder: &Path) -> Result<Self> {
        let mut tree = Self::default();
        tree.read_below(folder, "")?;
        Ok(tree)
    }

    fn read_below(&mut self, folder: &Path, prefix: &str) -> Result<()> {
        for entry in fs::read_dir(folder).map_err(|error| Fault::io(folder, &error))? {
            let entry = entry.map_err(|error| Fault::io(folder, &error))?;
            let (path, name) = (entry.path(), entry.file_name().to_string_lossy().into_owned());
            if prefix.is_empty() && LEFT_BEHIND.contains(&name.as_str()) {
                continue;
            }
            if path.is_dir() {
                self.read_below(&path, &format!("{prefix}{name}/"))?;
            } else {
                let text = fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))?;
                self.0.insert(format!("{prefix}{name}"), text);
            }
        }
        Ok(())
    }

    /// Makes a folder hold exactly this; files that are right already are not touched, for cargo looks at their times.
    pub fn write(&self, folder: &Path) -> Result<()> {
        let present = if folder.exists() { Self::read(folder)? } else { Self::default() };
        self.write_over(&present, folder)
    }

    /// As [`write`](Self::write), where `present` is known to be there; other files stay as they are.
    pub fn write_over(&self, present: &Self, folder: &Path) -> Result<()> {
        for path in present.0.keys().filter(|path| !self.0.contains_key(*path)) {
            let file = folder.join(path);
            remove(&file).map_err(|error| Fault::io(&file, &error))?;
            // An empty folder is no part of a state.
            let parents: Vec<PathBuf> = file.ancestors().skip(1).map(Path::to_path_buf).collect();
            let _ = parents.iter().take_while(|parent| *parent != folder).try_for_each(fs::remove_dir);
        }
        for (path, text) in &self.0 {
            let file = folder.join(path);
            if fs::read_to_string(&file).ok().as_ref() != Some(text) {
                write(&file, text).map_err(|error| Fault::io(&file, &error))?;
            }
        }
        Ok(())
    }

    /// A chapter's folder, with the reader's name for the crate.
    pub fn chapter(chapters: &Path, number: Number) -> Result<Self> {
        let tree = Self::read(&chapters.join(number.folder()))?;
        Ok(tree.renamed(&number.crate_name(), NAME))
    }

    /// As it stands in the chapter's folder, where the crate bears the chapter's name.
    pub fn named_for(&self, number: Number) -> Self {
        self.renamed(NAME, &number.crate_name())
    }

    fn renamed(&self, from: &str, to: &str) -> Self {
        Self(self.0.iter().map(|(path, text)| (path.clone(), rename(text, from, to))).collect())
    }

    /// What the next post begins with: examples stay with their post.
    pub fn carried_over(&self) -> Self {
        let kept = self.0.iter().filter(|(path, _)| !path.starts_with("examples/"));
        Self(kept.map(|(path, text)| (path.clone(), text.clone())).collect())
    }

    /// Does what a listing says; a fault says where in the post the two do not fit.
    pub fn apply(&mut self, post: &Post, line: usize, listing: &Listing) -> Result<()> {
        let fault = |line: usize, message: String| Err(Fault::new(&post.file, line, message));
        let path = &listing.path;
        let known = self.0.contains_key(path);
        match (&listing.what, known) {
            (What::New, true) => {
                return fault(line, format!("`{path}` is there already: change it, or `replace` it"));
            }
            (What::New, false) => {}
            (_, true) => {}
            (_, false) => return fault(line, format!("`{path}` is not there; there are {}", self.names())),
        }
        match (&listing.what, &listing.fence) {
            (What::Delete, _) => {
                self.0.remove(path);
            }
            (What::Rename(to), _) => {
                if self.0.contains_key(to) {
                    return fault(line, format!("`{to}` is there already"));
                }
                let text = self.0.remove(path).unwrap_or_default();
                self.0.insert(to.clone(), text);
            }
            (What::New | What::Replace, Some(fence)) => {
                self.0.insert(path.clone(), fence.body.clone());
            }
            (What::Edit, Some(fence)) => match edit::apply(&self.0[path], &fence.body) {
                Ok((text, _)) => {
                    self.0.insert(path.clone(), text);
                }
                Err(mismatch) => {
                    return fault(fence.line + 1 + mismatch.line, format!("`{path}`: {}", mismatch.message));
                }
            },
            (_, None) => return fault(line, "this listing has no text".into()),
        }
        Ok(())
    }

    fn names(&self) -> String {
        let names: Vec<String> = self.0.keys().map(|path| format!("`{path}`")).collect();
        if names.is_empty() { "no files yet".into() } else { names.join(", ") }
    }
}

fn remove(file: &Path) -> io::Result<()> {
    match fs::remove_file(file) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => Err(error),
        _ => Ok(()),
    }
}

fn write(file: &Path, text: &str) -> io::Result<()> {
    file.parent().map_or(Ok(()), fs::create_dir_all)?;
    fs::write(file, text)
}

fn rename(text: &str, from: &str, to: &str) -> String {
    let mut text = text.to_owned();
    for (before, after) in PLACES {
        let (old, new) = (format!("{before}{from}{after}"), format!("{before}{to}{after}"));
        let mut renamed = String::with_capacity(text.len());
        let mut rest = text.as_str();
        while let Some(at) = rest.find(&old) {
            let (head, tail) = rest.split_at(at);
            // `other_kith::` is another name.
            let word =
                before.is_empty() && head.ends_with(|letter: char| letter.is_alphanumeric() || letter == '_');
            renamed.push_str(head);
            renamed.push_str(if word { &old } else { &new });
            rest = &tail[old.len()..];
        }
        renamed.push_str(rest);
        text = renamed;
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn tree(files: &[(&str, &str)]) -> Tree {
        Tree(files.iter().map(|(path, text)| ((*path).to_owned(), (*text).to_owned())).collect())
    }

    #[test]
    fn a_name_is_substituted_where_it_is_the_crates() {
        let text =
            "name = \"kith\"\nuse kith::a; other_kith::b; \"kith\" kith_more::x env!(\"CARGO_BIN_EXE_kith\")";
        let named = rename(text, "kith", "ch08");
        assert_eq!(
            named,
            "name = \"ch08\"\nuse ch08::a; other_kith::b; \"kith\" kith_more::x env!(\"CARGO_BIN_EXE_ch08\")"
        );
        assert_eq!(rename(&named, "ch08", "kith"), text);
    }

    #[test]
    fn a_folder_holds_what_was_written_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let first = tree(&[("src/a/b.rs", "b"), ("src/lib.rs", "lib"), ("Cargo.toml", "c")]);
        first.write(folder.path()).unwrap();
        fs::create_dir(folder.path().join("target")).unwrap();
        assert_eq!(Tree::read(folder.path()).unwrap(), first);
        let second = tree(&[("src/lib.rs", "lib"), ("Cargo.toml", "d")]);
        let untouched = || fs::metadata(folder.path().join("src/lib.rs")).unwrap().modified().unwrap();
        let before = untouched();
        second.write(folder.path()).unwrap();
        assert_eq!(Tree::read(folder.path()).unwrap(), second);
        assert_eq!(untouched(), before);
        assert!(!folder.path().join("src/a").exists());
    }

    #[test]
    fn examples_stay_with_their_post() {
        let all = tree(&[("examples/ch03_naive.rs", ""), ("rustfmt.toml", ""), ("tests/http.rs", "")]);
        assert_eq!(all.carried_over(), tree(&[("rustfmt.toml", ""), ("tests/http.rs", "")]));
    }
}
