//! How well does a text answer a query? By the rare words they share, which is BM25.
//!
//! ```text
//! score = sum over words of  idf · tf · (k1 + 1) / (tf + k1)
//! tf    = sum over fields of  times / (1 - b + b · length / average length)
//! idf   = ln(1 + (N - n + 0.5) / (n + 0.5))
//! ```
//!
//! where a row has the word so many `times` in a field of `length` words, and `n` of the `N` rows with a text have it
//! (Robertson and Zaragoza 2009, "The Probabilistic Relevance Framework"; the idf is Lucene's, which is never negative).
//! Each place with texts is a field. The fields of a row count as parts of one text (BM25F, described there too, all weights
//! 1): a word that stands in the title and in the body adds less than two words would, so rows are not drawn to the top by
//! one word that all their fields repeat. Of the `N` and `n` of the fields the largest counts.
//!
//! Scores of several segments can be compared because `N`, `n` and the averages are counted over all of them first
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

    /// What a word of the query adds at most to a score, whatever its frequency.
    fn weight(&self, word: &str) -> f32 {
        let most =
            |count: &dyn Fn(&FieldStatistics) -> u64| self.0.values().map(count).max().unwrap_or(0) as f64;
        let rows_with = most(&|field| field.rows_with.get(word).copied().unwrap_or(0));
        let rows = most(&|field| field.rows).max(rows_with);
        (((rows - rows_with + 0.5) / (rows_with + 0.5)).ln_1p() * f64::from(K1 + 1.0)) as f32
    }
}

impl FieldStatistics {
    /// What a word's frequency is divided by, for each code of a length: texts longer than the average count for less.
    fn norms(&self) -> [f32; 256] {
        let average = self.words as f32 / self.rows.max(1) as f32;
        std::array::from_fn(|code| 1.0 - B + B * length_of(code as u8) as f32 / average)
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
    let scores = scores(terms, query, statistics)?;
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

/// The score of every row of a segment.
fn scores(terms: &Terms, query: &Bm25Query, statistics: &TextStatistics) -> Result<Vec<f32>> {
    let mut places_of: BTreeMap<String, Vec<_>> = BTreeMap::new();
    for (place, field) in fields(terms, query) {
        let Some(norms) = statistics.0.get(&place).map(FieldStatistics::norms) else { continue };
        for word in words(&field, query) {
            places_of.entry(word).or_default().push((place.clone(), norms));
        }
    }
    let mut scores = vec![0.0f32; terms.rows() as usize];
    let mut frequencies = vec![0.0f32; scores.len()];
    let mut rows = Vec::new();
    for (word, places) in places_of {
        for (place, norms) in places {
            terms.word(&place, &word, &mut |row, occurrence| {
                let frequency = &mut frequencies[row as usize];
                if *frequency == 0.0 {
                    rows.push(row as usize);
                }
                *frequency += occurrence.frequency as f32 / norms[usize::from(occurrence.length)];
            })?;
        }
        let weight = statistics.weight(&word);
        for row in rows.drain(..) {
            let frequency = std::mem::take(&mut frequencies[row]);
            scores[row] += weight * frequency / (frequency + K1);
        }
    }
    Ok(scores)
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
    fn the_fields_of_a_row_count_as_parts_of_one_text() {
        let payload =
            |title: &str, body: &str| json!({"title": title, "body": body}).as_object().unwrap().clone();
        let rows = [payload("red", "red"), payload("red", "fox"), payload("blue", "blue")];
        let terms_of = Postings::build(&rows, &TextRules::default());
        let terms = Terms::of_blocks([&terms_of]);
        let query = Bm25Query { query: "red fox".to_owned(), fields: Vec::new() };
        let statistics = statistics(&terms, &query).unwrap();
        let found = top(&terms, &query, &statistics, None, 10).unwrap();
        // Every text has the average length. Of three titles two have red, of three bodies one has red and one fox.
        let idf = |rows_with: f32| (1.0 + (3.0 - rows_with + 0.5) / (rows_with + 0.5)).ln();
        let both = idf(2.0) * 2.2 / 2.2 + idf(1.0) * 2.2 / 2.2;
        let twice = idf(2.0) * 2.0 * 2.2 / (2.0 + 1.2);
        assert_eq!(found.iter().map(|(_, row)| *row).collect::<Vec<_>>(), [1, 0]);
        assert!((found[0].0 - both).abs() < 1e-5 && (found[1].0 - twice).abs() < 1e-5, "{found:?}");
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
