//! How well does a text answer a query? By the rare words they share, which is BM25.
//!
//! ```text
//! score = sum over words of  idf · tf · (k1 + 1) / (tf + k1 · (1 - b + b · length / average length))
//! idf   = ln(1 + (N - n + 0.5) / (n + 0.5))
//! ```
//!
//! where a row has the word `tf` times in a text of `length` words, and `n` of the `N` rows with a text have it
//! (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"; the idf is Lucene's, which is never negative).
//! Each place with texts is a field with numbers of its own, and a row's score is the sum over the fields.
//!
//! Scores of several segments can be compared because `N`, `n` and the average are counted over all of them first
//! ([`statistics`]) and only then is anything scored ([`top`]). They count rows that are deleted but not yet merged
//! away, as every such system does. Lengths are rounded alike in memory and sealed, so a row's score does not change
//! when its segment is sealed.
//!
//! Not here: fields that weigh more than others, and stopping early at rows that can't reach the top.

use std::collections::BTreeMap;

use super::{
    path::Path,
    postings::{Field, length_of},
    term::text_place,
    terms::Terms,
};
use crate::{bitmap::Bitmap, error::Result, point::Ordinal};

const K1: f32 = 1.2;
const B: f32 = 0.75;

/// What to look for, and where.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Bm25Query {
    /// The text whose words are looked for; a word that stands in it twice counts once.
    pub query: String,
    /// The paths of the texts to look in; none means everywhere there are texts.
    pub fields: Vec<Path>,
}

/// What scores depend on besides a row's own text; add up those of all segments before scoring any.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct TextStatistics(BTreeMap<Vec<u8>, FieldStatistics>);

/// The numbers of one field.
#[derive(Debug, Clone, Default, PartialEq)]
struct FieldStatistics {
    rows: u64,
    words: u64,
    rows_with: BTreeMap<String, u64>,
}

impl TextStatistics {
    /// Adds the numbers of other rows for the same query.
    pub fn merge(&mut self, other: &Self) {
        for (place, other) in &other.0 {
            let field = self.0.entry(place.clone()).or_default();
            field.rows += other.rows;
            field.words += other.words;
            for (word, rows) in &other.rows_with {
                *field.rows_with.entry(word.clone()).or_default() += rows;
            }
        }
    }
}

impl FieldStatistics {
    /// What a word of the query adds at most to a score, whatever its frequency.
    fn weight(&self, word: &str) -> f32 {
        let rows_with = self.rows_with.get(word).copied().unwrap_or(0) as f64;
        let rows = (self.rows as f64).max(rows_with);
        (((rows - rows_with + 0.5) / (rows_with + 0.5)).ln_1p() * f64::from(K1 + 1.0)) as f32
    }

    /// What stands below the line besides the frequency, for each code of a length.
    fn norms(&self) -> [f32; 256] {
        let average = self.words as f32 / self.rows.max(1) as f32;
        std::array::from_fn(|code| K1 * (1.0 - B + B * length_of(code as u8) as f32 / average))
    }
}

/// Counts what scoring needs to know of one segment.
pub fn statistics(terms: &Terms, query: &Bm25Query) -> Result<TextStatistics> {
    let mut statistics = TextStatistics::default();
    for (place, field) in fields(terms, query) {
        let mut counted =
            FieldStatistics { rows: field.rows, words: field.words, ..FieldStatistics::default() };
        for word in words(&field, query) {
            let rows = terms.count_word(&place, &word)?;
            counted.rows_with.insert(word, rows);
        }
        statistics.0.insert(place, counted);
    }
    Ok(statistics)
}

/// The `k` best rows of one segment among those accepted, best first and then by ordinal; only rows that have a word
/// of the query are found. The statistics are those of all segments, this one among them.
pub fn top(
    terms: &Terms,
    query: &Bm25Query,
    statistics: &TextStatistics,
    accepted: Option<&Bitmap>,
    k: usize,
) -> Result<Vec<(f32, Ordinal)>> {
    let mut scores = vec![0.0f32; terms.rows() as usize];
    for (place, field) in fields(terms, query) {
        let Some(statistics) = statistics.0.get(&place) else { continue };
        let norms = statistics.norms();
        for word in words(&field, query) {
            let weight = statistics.weight(&word);
            terms.word(&place, &word, &mut |row, occurrence| {
                let frequency = occurrence.frequency as f32;
                scores[row as usize] +=
                    weight * frequency / (frequency + norms[usize::from(occurrence.length)]);
            })?;
        }
    }
    let found = (0..)
        .zip(scores)
        .filter(|(row, score)| *score > 0.0 && accepted.is_none_or(|accepted| accepted.contains(*row)));
    let mut found: Vec<_> = found.map(|(row, score)| (score, row)).collect();
    let better = |a: &(f32, Ordinal), b: &(f32, Ordinal)| b.0.total_cmp(&a.0).then(a.1.cmp(&b.1));
    if k < found.len() {
        found.select_nth_unstable_by(k, better);
        found.truncate(k);
    }
    found.sort_unstable_by(better);
    Ok(found)
}

/// The fields of a segment that the query is about.
fn fields(terms: &Terms, query: &Bm25Query) -> BTreeMap<Vec<u8>, Field> {
    let mut fields = terms.fields();
    if !query.fields.is_empty() {
        let wanted: Vec<_> = query.fields.iter().map(text_place).collect();
        fields.retain(|place, _| wanted.iter().any(|wanted| wanted.as_bytes() == place));
    }
    fields
}

/// The words of the query as the field's texts were taken apart, each once.
fn words(field: &Field, query: &Bm25Query) -> Vec<String> {
    let options = field.options.clone().unwrap_or_default();
    let mut words = options.query_tokens(&query.query);
    words.sort_unstable();
    words.dedup();
    words
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::filter::{postings::Postings, text::TextRules};

    fn postings(texts: &[serde_json::Value]) -> Postings {
        let payloads: Vec<_> =
            texts.iter().map(|text| json!({"t": text}).as_object().unwrap().clone()).collect();
        Postings::build(&payloads, &TextRules::default())
    }

    fn query(text: &str) -> Bm25Query {
        Bm25Query { query: text.to_owned(), fields: vec!["t".parse().unwrap()] }
    }

    #[test]
    fn scores_are_those_of_the_formula() {
        let block = postings(&[json!("red red fox"), json!("red"), json!(["a", "lazy dog"]), json!(7)]);
        let terms = Terms::of_blocks([&block]);
        let statistics = statistics(&terms, &query("Red FOX fox")).unwrap();
        let found = top(&terms, &query("Red FOX fox"), &statistics, None, 10).unwrap();
        // N = 3 rows with a text, 7 words, so the average is 7/3; 2 rows have red, 1 has fox.
        let idf = |rows_with: f64| (1.0 + (3.0 - rows_with + 0.5) / (rows_with + 0.5)).ln();
        let part = |tf: f64, length: f64| tf * 2.2 / (tf + 1.2 * (0.25 + 0.75 * length / (7.0 / 3.0)));
        let first = idf(2.0) * part(2.0, 3.0) + idf(1.0) * part(1.0, 3.0);
        let second = idf(2.0) * part(1.0, 1.0);
        let expected = [(first, 0), (second, 1)];
        assert_eq!(found.len(), 2);
        for ((score, row), (expected, expected_row)) in found.iter().zip(expected) {
            assert_eq!(*row, expected_row);
            assert!((f64::from(*score) - expected).abs() < 1e-5, "{score} is not {expected}");
        }
    }

    #[test]
    fn ties_go_by_ordinal_and_only_accepted_rows_are_found() {
        let block = postings(&vec![json!("same words"); 9]);
        let terms = Terms::of_blocks([&block]);
        let statistics = statistics(&terms, &query("words")).unwrap();
        let accepted = Bitmap::from_ordinals(9, [8, 2, 5, 3]);
        let found = top(&terms, &query("words"), &statistics, Some(&accepted), 3).unwrap();
        assert_eq!(found.iter().map(|(_, row)| *row).collect::<Vec<_>>(), [2, 3, 5]);
        assert_eq!(top(&terms, &query("none"), &statistics, None, 3).unwrap(), []);
        assert_eq!(top(&terms, &query("words"), &statistics, None, 0).unwrap(), []);
    }
}
