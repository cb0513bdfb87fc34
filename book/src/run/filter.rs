//! What differs from run to run without meaning anything? Each rule is in `filters.toml`, with its reason.
//!
//! Not here: cargo's progress lines (`console`), ports (`server`).

use std::{fs, path::Path};

use regex::Regex;
use serde::Deserialize;

use crate::fault::{Fault, Result};

/// What the scratch folder is called on the page.
const FOLDER: &str = "~/kith";

#[derive(Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(default)]
    filter: Vec<Rule>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Rule {
    /// A regular expression over several lines, in which `^` and `$` mean a line's.
    pattern: String,
    replace: String,
    /// Why it differs and does not matter.
    reason: String,
}

/// The rules, in their order.
#[derive(Debug, Default)]
pub(super) struct Filters(Vec<(Regex, String)>);

impl Filters {
    /// Reads the rules; without a file there are none.
    pub(super) fn read(file: &Path) -> Result<Self> {
        let text = fs::read_to_string(file).unwrap_or_default();
        Self::parse(&text).map_err(|message| Fault::new(file.display().to_string(), 0, message))
    }

    fn parse(text: &str) -> std::result::Result<Self, String> {
        let file: File = toml::from_str(text).map_err(|error| error.to_string())?;
        let rules = file.filter.into_iter().map(|rule| {
            if rule.reason.trim().is_empty() {
                return Err(format!("`{}`: a rule needs its reason", rule.pattern));
            }
            let pattern = Regex::new(&format!("(?m){}", rule.pattern)).map_err(|error| error.to_string())?;
            Ok((pattern, rule.replace))
        });
        rules.collect::<std::result::Result<_, _>>().map(Self)
    }

    /// The text as it is every time.
    pub(super) fn apply(&self, text: &str, folder: &Path) -> String {
        let mut text = text.replace(&folder.display().to_string(), FOLDER);
        for (pattern, replace) in &self.0 {
            text = pattern.replace_all(&text, replace.as_str()).into_owned();
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_are_applied_in_order_and_need_a_reason() {
        let rule = "[[filter]]\npattern = '^in \\d+ ms$'\nreplace = 'in 0 ms'\nreason = 'clocks'\n";
        let filters = Filters::parse(rule).unwrap();
        assert_eq!(
            filters.apply("in 12 ms\nx /a/b/c in 3 ms\n", Path::new("/a/b")),
            "in 0 ms\nx ~/kith/c in 3 ms\n"
        );
        for wrong in [rule.replace("clocks", " "), rule.replace("'^in", "'("), rule.replace("reason", "why")]
        {
            assert!(Filters::parse(&wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn the_books_own_rules_can_be_read() {
        let rules = Filters::read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("filters.toml")).unwrap();
        let text = "thread 'main' (4711) panicked at src/main.rs:1:1:\ntest result: ok. finished in 1.27s\n";
        let same = "thread 'main' panicked at src/main.rs:1:1:\ntest result: ok. finished in 0.00s\n";
        assert_eq!(rules.apply(text, Path::new("/nowhere")), same);
    }

    #[test]
    fn an_http_answer_shows_what_is_so_each_time() {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("filters.toml");
        let filters = Filters::read(&file).unwrap();
        let answer = |length: &str, time: &str| {
            format!("HTTP/1.1 200 OK\n{length}server: x\n\n{{\"status\":\"ok\",\"time\":{time}}}\n")
        };
        let apply = |text: &str| filters.apply(text, Path::new("/a"));
        for time in ["0.000012", "1.5e-5", "0.25", "3e-7"] {
            assert_eq!(apply(&answer("content-length: 45\n", time)), answer("", "…"), "{time}");
        }
        let fixed = answer("content-length: 30\n", "0.0") + "content-length: 0\n\n";
        assert_eq!(apply(&fixed), fixed);
        assert_eq!(apply("date: Thu, 01 Jan 2026 00:00:00 GMT\n"), "date: …\n");
    }
}
