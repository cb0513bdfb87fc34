//! Does the README say what was measured? Above each of its tables of speeds a comment names the figure of each column in
//! `benches/results.json`, `*` being the system of the row; `benches/peers/report.py` writes the cells by it.
//!
//! Not here: how anything was measured, which `benches/RESULTS.md` says.

use std::{fs, path::Path};

use serde_json::{Map, Value};

/// What stands before the names of a table's figures.
const MARK: &str = "<!-- figures: ";

fn file(path: &str) -> String {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).parent().unwrap().join(path);
    fs::read_to_string(&path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// As a name stands in a figure's.
fn slug(name: &str) -> String {
    let words = name.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty());
    words.map(str::to_lowercase).collect::<Vec<_>>().join("-")
}

/// Three digits of a small number, all of a large one before the point.
fn cell(value: f64) -> String {
    if value.abs() < 100.0 {
        let digits = 2 - value.abs().log10().floor() as i32;
        let text = format!("{value:.*}", digits.max(0) as usize);
        return if digits > 0 { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text };
    }
    let digits = format!("{value:.0}");
    let groups: Vec<_> = digits.as_bytes().rchunks(3).rev().map(String::from_utf8_lossy).collect();
    groups.join(",")
}

/// What is wrong in a table whose columns are of these figures, a line each.
fn faults(keys: &[&str], rows: &[Vec<&str>], figures: &Map<String, Value>) -> Vec<String> {
    let mut faults = Vec::new();
    for (at, key) in keys.iter().enumerate() {
        let figure = |row: &[&str]| figures.get(&key.replace('*', &slug(row[0]))).and_then(Value::as_f64);
        let values: Vec<f64> = rows.iter().filter_map(|row| figure(row)).collect();
        let best = if key.contains(".qps") { f64::max } else { f64::min };
        let best = values.iter().copied().reduce(best);
        for row in rows {
            let expected = match figure(row) {
                None => "–".to_owned(),
                Some(value) if best == Some(value) => format!("**{}**", cell(value)),
                Some(value) => cell(value),
            };
            if row.get(at + 1) != Some(&&*expected) {
                faults.push(format!(
                    "{}, {key}: measured {expected}, and there is {:?}",
                    row[0],
                    row.get(at + 1)
                ));
            }
        }
    }
    faults
}

#[test]
fn speeds_are_those_that_were_measured() {
    let readme = file("README.md");
    let results: Value = serde_json::from_str(&file("benches/results.json")).unwrap();
    let figures = results["figures"].as_object().unwrap();
    let tables: Vec<&str> = readme.split(MARK).skip(1).collect();
    assert_eq!(tables.len(), 2, "searches, and searches with a filter");
    for table in tables {
        let (keys, rest) = table.split_once(" -->\n\n").expect("a table follows");
        let keys: Vec<&str> = keys.split(' ').collect();
        for key in &keys {
            assert!(figures.contains_key(&key.replace('*', "kith")), "no figure is named {key}");
        }
        // Below the columns' names and a line.
        let lines = rest.lines().take_while(|line| line.starts_with('|')).skip(2);
        let rows: Vec<Vec<&str>> =
            lines.map(|line| line.trim_matches('|').split('|').map(str::trim).collect()).collect();
        assert!(rows.len() > 2, "{rows:?}");
        let faults = faults(&keys, &rows, figures);
        assert!(faults.is_empty(), "the README differs from benches/results.json:\n{}", faults.join("\n"));
    }
    let recall = |set: &str| cell(figures[&format!("search.{set}.kith.default_recall")].as_f64().unwrap());
    let [first, second, third] = ["fashion-mnist", "demo", "clusters-1000000x128"].map(recall);
    let sentence =
        format!("At its default settings Kith finds {first}, {second} and {third} of the true ten nearest");
    assert!(readme.contains(&sentence), "the README is to say: {sentence}");
}

#[test]
fn figures_are_rounded_as_in_the_tables() {
    let rounded = [
        (33_150.0, "33,150"),
        (137_900.0, "137,900"),
        (486.2, "486"),
        (1_234_567.0, "1,234,567"),
        (23.92, "23.9"),
        (0.86, "0.86"),
        (0.9992, "0.999"),
        (10.0, "10"),
        (90.0, "90"),
        (5.0, "5"),
    ];
    for (value, text) in rounded {
        assert_eq!(cell(value), text);
    }
}

#[test]
fn a_wrong_figure_is_found() {
    let figures = serde_json::json!({"s.kith.qps": 9_000.0, "s.kith.build": 2.0, "s.a-b.qps": 700.0, "s.a-b.build": 1.5});
    let found =
        |rows: [Vec<&str>; 2]| faults(&["s.*.qps", "s.*.build"], &rows, figures.as_object().unwrap()).len();
    assert_eq!(found([vec!["Kith", "**9,000**", "2"], vec!["a B", "700", "**1.5**"]]), 0);
    assert_eq!(found([vec!["Kith", "**9,001**", "2"], vec!["a B", "700", "1.5"]]), 2);
    assert_eq!(found([vec!["Kith", "**9,000**", "**2**"], vec!["a C", "–", "–"]]), 0);
}
