//! The interpreter of golden scripts: rows and filters in, and out comes how the filter was answered. Filters are
//! written as clients write them; `LONG` stands for 130 letters.

use std::fmt::Write as _;

use super::{seal, truth, with_rows};
use crate::{
    bitmap::Bitmap,
    filter::{
        Document, Filter, TextOptions, TextRules, Tokenizer,
        compile::{Compiled, Rows, resolve, run},
        estimate::estimate,
        lookup::Lookup,
        postings::Postings,
        term::{Entry, TermRange, entries, show_place},
        terms::Terms,
    },
    point::{Payload, PointId},
    server::wire,
};

/// How wide the first column is.
const LABEL: usize = 10;

#[derive(Default)]
struct Script {
    payloads: Vec<Payload>,
    /// Paths with a text index, and those whose index, of words between white space, came after the rows.
    texts: (Vec<String>, Vec<String>),
}

/// Runs the commands; gives them with what each printed.
pub(super) fn transcript(commands: &str) -> String {
    let (mut script, mut transcript) = (Script::default(), String::new());
    for line in commands.lines() {
        let _ = writeln!(transcript, "{line}");
        if !line.is_empty() && !line.starts_with('#') {
            script.command(&line.replace("LONG", &"x".repeat(130))).lines().for_each(|line| {
                let _ = writeln!(transcript, "    {line}");
            });
        }
    }
    transcript
}

impl Script {
    fn command(&mut self, line: &str) -> String {
        let (verb, rest) = line.split_once(' ').expect("a verb and what it is for");
        match verb {
            "row" => self.payloads.push(serde_json::from_str(rest).expect("a JSON object")),
            "text" => self.texts.0.push(rest.into()),
            "whitespace-later" => self.texts.1.push(rest.into()),
            "terms" => return terms(&self.payloads[rest.parse::<usize>().expect("a row")]),
            "find" => return self.find(rest),
            _ => panic!("no such command: {verb}"),
        }
        String::new()
    }

    fn find(&self, json: &str) -> String {
        let json = serde_json::from_str(json).expect("JSON");
        let filter = match wire::filter::filter(Some(&json), "filter") {
            Ok(filter) => filter.expect("a filter"),
            Err(reject) => return format!("refused: {}", reject.message),
        };
        let (texts, later) = &self.texts;
        let before: Vec<_> =
            texts.iter().map(|path| (path.parse().unwrap(), TextOptions::default())).collect();
        let whitespace = TextOptions { tokenizer: Tokenizer::Whitespace, ..TextOptions::default() };
        let now = before
            .clone()
            .into_iter()
            .chain(later.iter().map(|path| (path.parse().unwrap(), whitespace.clone())));
        let (now, before) = (TextRules::new(now), TextRules::new(before));
        let (postings, sealed) = (Postings::build(&self.payloads, &before), seal(&self.payloads, &before));
        let found = [Terms::of_blocks([&postings]), Terms::Index(&sealed)]
            .map(|terms| with_rows(&self.payloads, |rows| answered(&filter, &now, &terms, rows)));
        assert_eq!(found[0].0, found[1].0, "postings and sealed index answer in the same way");
        assert_eq!(found[0].1, truth(&filter, &now, &self.payloads), "looking at every row finds the same");
        found[0].0.clone()
    }
}

/// How the filter was answered, in words, and the answer.
fn answered(filter: &Filter, rules: &TextRules, terms: &Terms, rows: &Rows) -> (String, Bitmap) {
    let lookup = Lookup::of(filter, rules, terms);
    let guess = estimate(&lookup, terms, rows).unwrap();
    let compiled = run(&lookup, terms, rows).unwrap();
    let Compiled { sure, maybe } = &compiled;
    let mut text = String::new();
    let mut line = |label: &str, what: String| {
        let _ = writeln!(text, "{label:LABEL$}{what}");
    };
    line("asks", broken(&lookup.to_string()));
    let (min, max) = (guess.min, guess.max);
    let bounds = if min == max { "certain".to_string() } else { format!("from {min} to {max}") };
    line("estimate", format!("{:.1} rows, {bounds}", guess.expected));
    line("surely", shown(sure));
    for row in maybe.and_not(sure).iter() {
        let payload = (rows.payload_of)(row).unwrap();
        let has_vector = |name: &str| (rows.with_vector)(name).contains(row);
        let document = Document { id: PointId::Num(row.into()), payload: &payload, has_vector: &has_vector };
        let verdict = if filter.matches(&document, rules) { "yes" } else { "no" };
        line("look at", format!("{row}: {verdict}"));
    }
    let found = resolve(filter, rules, compiled.clone(), rows).unwrap();
    line("rows", shown(&found));
    (text, found)
}

/// A long question in several lines: one for each part of the outermost list.
fn broken(text: &str) -> String {
    let Some(inner) =
        text.strip_prefix('(').and_then(|text| text.strip_suffix(')')).filter(|_| text.len() > 80)
    else {
        return text.to_string();
    };
    let (mut depth, mut lines) = (0, String::new());
    for word in inner.split_inclusive(' ') {
        if depth == 0 && ["and ", "or "].contains(&word) {
            lines.truncate(lines.trim_end().len());
            let _ = write!(lines, "\n{:LABEL$}", "");
        }
        depth += word.matches(['(', '[']).count() as i32 - word.matches([')', ']']).count() as i32;
        lines.push_str(word);
    }
    lines
}

fn shown(rows: &Bitmap) -> String {
    let rows: Vec<String> = rows.iter().map(|row| row.to_string()).collect();
    if rows.is_empty() { "none".to_string() } else { rows.join(" ") }
}

/// What the index keeps of a payload.
fn terms(payload: &Payload) -> String {
    let (mut terms, mut texts) = (Vec::new(), Vec::new());
    entries(payload, &mut |entry| match entry {
        Entry::Term(term) | Entry::Number(term, _) => terms.push(term.to_vec()),
        Entry::Text(place, text) => texts.push(format!("{} has the text {text:?}", show_place(place))),
    });
    terms.sort();
    terms.dedup();
    let terms = terms.into_iter().map(|term| TermRange::one(term).to_string());
    terms.chain(texts).collect::<Vec<_>>().join("\n")
}
