//! Where do the book's figures come from? A chapter's example measures, prints lines `measured KEY VALUE UNIT`, and
//! what it printed is kept in `book/results.json` with machine and date, until it is measured again.
//!
//! Not here: how Kith compares with others (package `benches`).

use std::{
    collections::{BTreeMap, BTreeSet},
    fs,
    path::PathBuf,
    process::Command,
    sync::LazyLock,
};

use regex::{Captures, Regex};
use serde::{Deserialize, Serialize};

use crate::{
    fault::{Fault, Result},
    post::{Number, Post},
    replay::Book,
};

/// Everything that was measured, by key.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Results(pub BTreeMap<String, Figure>);

/// One measured number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Figure {
    /// As it was printed, and as the post shows it.
    pub value: String,
    pub unit: String,
    /// The processor, and how many cores the program could use.
    pub machine: String,
    /// Year, month, day.
    pub date: String,
}

impl Results {
    /// What was measured so far.
    pub fn read(book: &Book) -> Result<Self> {
        let path = file(book);
        if !path.exists() {
            return Ok(Self::default());
        }
        let text = fs::read_to_string(&path).map_err(|error| Fault::io(&path, &error))?;
        serde_json::from_str(&text)
            .map_err(|error| Fault::new("book/results.json", error.line(), error.to_string()))
    }

    fn write(&self, book: &Book) -> Result<()> {
        let path = file(book);
        let text = serde_json::to_string_pretty(self).unwrap_or_default() + "\n";
        fs::write(&path, text).map_err(|error| Fault::io(&path, &error))
    }

    /// What is wrong with a number that a post shows under a key.
    pub fn contradiction(&self, key: &str, shown: &str) -> Option<String> {
        match self.0.get(key) {
            None => Some(format!("`{key}` was never measured: `cargo run -p book -- measure NN`")),
            Some(figure) if figure.shown() == shown => None,
            Some(figure) => Some(format!("{shown}, but `{key}` is {}: `bless` puts it in", figure.shown())),
        }
    }

    /// Where and when the numbers in a text were measured, each machine and day once.
    pub fn origins(&self, text: &str) -> BTreeSet<(&str, &str)> {
        static KEY: LazyLock<Regex> = LazyLock::new(|| {
            Regex::new("<!-- measured: ([a-z0-9._-]+) -->").expect("a pattern of ours is one")
        });
        let figures = KEY.captures_iter(text).filter_map(|key| self.0.get(&key[1]));
        figures.map(|figure| (figure.machine.as_str(), figure.date.as_str())).collect()
    }

    /// A post with every measured number in its place.
    pub fn fill(&self, text: &str) -> String {
        static MARKED: LazyLock<Regex> = LazyLock::new(|| {
            let pattern = r"[\d.,]*\d[ \u{a0}]?[^\s\d<]*(<!-- measured: ([a-z0-9._-]+) -->)";
            Regex::new(pattern).expect("a pattern of ours is one")
        });
        let fill = |found: &Captures| match self.0.get(&found[2]) {
            Some(figure) => format!("{}{}", figure.shown(), &found[1]),
            None => found[0].to_string(),
        };
        MARKED.replace_all(text, fill).into_owned()
    }
}

impl Figure {
    fn shown(&self) -> String {
        match self.unit.as_str() {
            "%" | "×" => format!("{}{}", self.value, self.unit),
            unit => format!("{} {unit}", self.value),
        }
    }
}

fn file(book: &Book) -> PathBuf {
    book.root.join("book/results.json")
}

/// Runs a chapter's `chNN_measure`, keeps what it says and puts it into the post; how many figures there were.
pub fn measure(book: &Book, number: Number) -> Result<usize> {
    let (package, example) = (number.crate_name(), format!("{}_measure", number.crate_name()));
    let mut command = Command::new("cargo");
    command.current_dir(&book.root).args([
        "run",
        "--quiet",
        "--release",
        "-p",
        &package,
        "--example",
        &example,
    ]);
    let fault = |message: String| Fault::new(format!("chapters/{}", number.folder()), 0, message);
    let output = command.output().map_err(|error| fault(format!("cargo can't be started: {error}")))?;
    if !output.status.success() {
        return Err(fault(format!("{example} failed:\n{}", String::from_utf8_lossy(&output.stderr))));
    }
    let (machine, date) = (machine(), date());
    let measured = figures(&String::from_utf8_lossy(&output.stdout), &machine, &date);
    if measured.is_empty() {
        return Err(fault(format!("{example} printed no line `measured KEY VALUE UNIT`")));
    }
    let mut results = Results::read(book)?;
    let own = format!("{package}.");
    results.0.retain(|key, _| !key.starts_with(&own));
    let count = measured.len();
    results.0.extend(measured);
    results.write(book)?;
    put(book, &book.post(number)?, &results)?;
    Ok(count)
}

/// Puts the figures into a post's file.
fn put(book: &Book, post: &Post, results: &Results) -> Result<()> {
    let path = book.root.join(&post.file);
    fs::write(&path, results.fill(&post.text)).map_err(|error| Fault::io(&path, &error))
}

fn figures(output: &str, machine: &str, date: &str) -> Vec<(String, Figure)> {
    let lines = output.lines().filter_map(|line| {
        let mut words = line.strip_prefix("measured ")?.splitn(3, ' ');
        let (key, value, unit) = (words.next()?, words.next()?, words.next()?);
        let figure =
            Figure { value: value.into(), unit: unit.into(), machine: machine.into(), date: date.into() };
        Some((key.to_string(), figure))
    });
    lines.collect()
}

fn machine() -> String {
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let cpus = fs::read_to_string("/proc/cpuinfo").unwrap_or_default();
    let model = cpus.lines().find_map(|line| line.strip_prefix("model name")?.split_once(": "));
    let model = model.map_or(std::env::consts::ARCH, |(_, model)| model);
    format!("{model}, {cores} cores, {}", std::env::consts::OS)
}

fn date() -> String {
    jiff::Timestamp::now().strftime("%Y-%m-%d").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_printed_is_put_into_the_post() {
        let printed = "hello\nmeasured ch05.memory 83 MB\nmeasured ch05.share 12 %\nmeasured nothing\n";
        let results = Results(figures(printed, "a machine", "2026-11-22").into_iter().collect());
        assert_eq!(results.0.len(), 2);
        let post = "It took 1,000 KB<!-- measured: ch05.memory -->, 5%<!-- measured: ch05.share --> of all, \
                    and 3 ms<!-- measured: ch05.none -->.";
        let filled = results.fill(post);
        assert!(filled.contains("took 83 MB<!--") && filled.contains(", 12%<!--"), "{filled}");
        assert!(filled.contains("3 ms<!--"), "what was not measured stays: {filled}");
        assert_eq!(results.contradiction("ch05.memory", "83 MB"), None);
        assert!(results.contradiction("ch05.memory", "82 MB").is_some());
        assert!(results.contradiction("ch05.none", "3 ms").is_some());
        assert_eq!(results.origins(post), [("a machine", "2026-11-22")].into());
        assert!(results.origins("3 ms<!-- measured: ch05.none -->").is_empty());
    }
}
