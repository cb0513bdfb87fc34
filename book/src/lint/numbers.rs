//! Where does each number come from? Behind one with a unit stands the key under which it was measured, or that it is
//! a fact.

use std::sync::LazyLock;

use regex::Regex;

use super::prose;
use crate::{fault::Fault, measure::Results, post::Post};

/// A number with a unit of time or size, a share or a factor; counts of bytes are facts always.
const NUMBER: &str = r"(\d[\d,. ]*\d|\d)[ \u{a0}]?(ns|µs|ms|s|seconds?|milliseconds?|microseconds?|nanoseconds?|minutes?|hours?|[KMGT]i?B|kilobytes?|megabytes?|gigabytes?|terabytes?|%|percent|×|times as|QPS|per second)(\b|\s|$|[^\w])";
const SOURCE: &str = r"^\s*<!-- (fact|measured: ([a-z0-9._-]+)) -->";

pub(super) fn faults(post: &Post, results: &Results) -> Vec<Fault> {
    static NUMBERS: LazyLock<Regex> = LazyLock::new(|| prose::pattern(NUMBER));
    static SOURCES: LazyLock<Regex> = LazyLock::new(|| prose::pattern(SOURCE));
    let mut faults = Vec::new();
    for passage in prose::passages(post).filter(|passage| !passage.text.starts_with("**You will need**")) {
        let plain = prose::plain(passage.text);
        for found in NUMBERS.captures_iter(&plain) {
            let (Some(number), Some(unit)) = (found.get(1), found.get(2)) else { continue };
            // A multiplication is no factor.
            if unit.as_str() == "×"
                && plain[unit.end()..].trim_start().starts_with(|next: char| next.is_ascii_digit())
            {
                continue;
            }
            let line = passage.line + prose::line_of(&plain, number.start());
            let shown = &plain[number.start()..unit.end()];
            let message = match SOURCES.captures(&passage.text[unit.end()..]) {
                None => Some(format!(
                    "{shown}: where from? `{shown}<!-- measured: KEY -->`, or `<!-- fact -->` if nobody has to measure it"
                )),
                Some(source) => source.get(2).and_then(|key| results.contradiction(key.as_str(), shown)),
            };
            faults.extend(message.map(|message| Fault::new(&post.file, line, message)));
        }
    }
    faults
}
