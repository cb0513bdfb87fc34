//! Which rows of a block have a term? An inverted index in memory, built once and never changed.
//!
//! The mutable segment is a list of blocks, one per batch of writes; each has its [`Postings`]. All terms of a block
//! stand sorted in one run of bytes, and their rows, ascending, in one run of ordinals in the same order, so that a
//! range of terms is a slice of ordinals. Words are kept the same way, each with how often it occurs and how long its
//! text is, which is what BM25 asks for. Small blocks are joined ([`Postings::merge`]) by merging the sorted runs.
//!
//! Not here: deletes (a tombstone hides a row from every index alike) and bytes on disk (a sealed segment has
//! [`index`](super::index) instead).

use std::{
    collections::{BTreeMap, BTreeSet},
    iter::Sum,
    ops::Range,
};

use super::{
    term::{Entry, Interval, TermRange, entries, text_place},
    text::{TextOptions, TextRules},
};
use crate::point::{Ordinal, Payload};

/// The inverted index of some rows.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Postings {
    rows: u32,
    terms: Lists<()>,
    words: Lists<Occurrence>,
    fields: BTreeMap<Vec<u8>, Field>,
    /// The series of numbers in which some row has more than one.
    many: BTreeSet<Vec<u8>>,
}

/// How many rows have one of some terms.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// At least so many.
    pub least: u64,
    /// At most so many.
    pub most: u64,
}

impl Sum for Counts {
    /// The counts of rows that are not the same.
    fn sum<I: Iterator<Item = Self>>(counts: I) -> Self {
        counts.fold(Self::default(), |a, b| Self { least: a.least + b.least, most: a.most + b.most })
    }
}

/// How a word occurs in a row's text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Occurrence {
    /// How many times.
    pub frequency: u32,
    /// How many words the text has, as [`length_code`] writes it.
    pub length: u8,
}

/// The texts of one place.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Field {
    /// How they were taken apart; `None` where blocks were joined that did it differently.
    pub options: Option<TextOptions>,
    /// How many rows have words here.
    pub rows: u64,
    /// How many words there are in all.
    pub words: u64,
}

impl Field {
    /// Adds the texts of other rows.
    pub fn add_all(sums: &mut BTreeMap<Vec<u8>, Self>, others: &BTreeMap<Vec<u8>, Self>) {
        for (place, other) in others {
            let Some(sum) = sums.get_mut(place) else {
                sums.insert(place.clone(), other.clone());
                continue;
            };
            if sum.options != other.options {
                sum.options = None;
            }
            sum.rows += other.rows;
            sum.words += other.words;
        }
    }
}

/// Sorted keys, each with a list of rows and what is known of the key in that row.
#[derive(Debug, Clone, PartialEq)]
struct Lists<T> {
    bytes: Vec<u8>,
    /// Where the bytes of each key end, and where its rows do.
    ends: Vec<(usize, usize)>,
    rows: Vec<Ordinal>,
    notes: Vec<T>,
}

impl<T> Default for Lists<T> {
    fn default() -> Self {
        Self { bytes: Vec::new(), ends: Vec::new(), rows: Vec::new(), notes: Vec::new() }
    }
}

impl<T: Copy> Lists<T> {
    fn key(&self, position: usize) -> &[u8] {
        let start = position.checked_sub(1).map_or(0, |before| self.ends[before].0);
        &self.bytes[start..self.ends[position].0]
    }

    fn list(&self, position: usize) -> Range<usize> {
        position.checked_sub(1).map_or(0, |before| self.ends[before].1)..self.ends[position].1
    }

    /// Starts a key, greater than all before it, if it is not the last one already.
    fn start(&mut self, key: &[u8]) {
        if self.ends.is_empty() || self.key(self.ends.len() - 1) != key {
            self.bytes.extend_from_slice(key);
            self.ends.push((self.bytes.len(), self.rows.len()));
        }
    }

    /// Adds a row, greater than all before it, to the last key.
    fn push(&mut self, row: Ordinal, note: T) {
        self.rows.push(row);
        self.notes.push(note);
        if let Some(last) = self.ends.last_mut() {
            last.1 = self.rows.len();
        }
    }

    /// The positions of the keys in a range.
    fn find(&self, range: &TermRange) -> Range<usize> {
        let first = |bound: &[u8]| {
            let (mut low, mut high) = (0, self.ends.len());
            while low < high {
                let middle = (low + high) / 2;
                if self.key(middle) < bound { low = middle + 1 } else { high = middle }
            }
            low
        };
        let start = first(&range.from);
        start..first(&range.to).max(start)
    }

    /// The places in `rows` of the rows of all keys at these positions.
    fn span(&self, keys: Range<usize>) -> Range<usize> {
        if keys.is_empty() { 0..0 } else { self.list(keys.start).start..self.list(keys.end - 1).end }
    }

    fn merge(parts: &[(Ordinal, &Self)]) -> Self {
        let (mut merged, mut next) = (Self::default(), vec![0; parts.len()]);
        let key = |part: usize, next: &[usize]| {
            let lists = parts[part].1;
            (next[part] < lists.ends.len()).then(|| lists.key(next[part]))
        };
        while let Some(least) = (0..parts.len()).filter_map(|part| key(part, &next)).min() {
            merged.start(least);
            for (part, (offset, lists)) in parts.iter().enumerate() {
                if key(part, &next) == Some(least) {
                    lists
                        .list(next[part])
                        .for_each(|at| merged.push(offset + lists.rows[at], lists.notes[at]));
                    next[part] += 1;
                }
            }
        }
        merged
    }
}

impl Postings {
    /// The index of these payloads, the first of which is row 0, where these paths have a text index.
    pub fn build<'a>(payloads: impl IntoIterator<Item = &'a Payload>, rules: &TextRules) -> Self {
        let mut builder = Builder { declared: declared(rules), ..Builder::default() };
        payloads.into_iter().for_each(|payload| builder.add(payload));
        builder.finish()
    }

    /// The index of the rows of all these, one after the other.
    pub fn merge(parts: &[&Self]) -> Self {
        let mut merged = Self::default();
        let mut offsets = Vec::with_capacity(parts.len());
        for part in parts {
            offsets.push(merged.rows);
            merged.rows += part.rows;
            Field::add_all(&mut merged.fields, &part.fields);
            merged.many.extend(part.many.iter().cloned());
        }
        let terms: Vec<_> = offsets.iter().copied().zip(parts.iter().map(|part| &part.terms)).collect();
        let words: Vec<_> = offsets.iter().copied().zip(parts.iter().map(|part| &part.words)).collect();
        merged.terms = Lists::merge(&terms);
        merged.words = Lists::merge(&words);
        merged
    }

    /// How many rows it was built from.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// The rows of each term in the range, those of one term after those of another, so a row may come again.
    pub fn rows_in(&self, range: &TermRange) -> &[Ordinal] {
        &self.terms.rows[self.terms.span(self.terms.find(range))]
    }

    /// How many rows have a term of the range; `least` is taken from so many of its terms.
    pub fn count(&self, range: &TermRange, terms: usize) -> Counts {
        let found = self.terms.find(range);
        let longest = found.clone().take(terms).map(|term| self.terms.list(term).len()).max().unwrap_or(0);
        let most = self.terms.span(found).len().min(self.rows as usize);
        Counts { least: longest as u64, most: most as u64 }
    }

    /// How many rows have a number of the interval: exactly, if none has two of its series.
    pub fn count_within(&self, interval: &Interval) -> Counts {
        let most = self.rows_in(&interval.terms()).len() as u64;
        Counts { least: if self.many.contains(&interval.series) { most.min(1) } else { most }, most }
    }

    /// The rows that have a word at a place, and how it occurs in each.
    pub fn word(&self, place: &[u8], word: &str) -> impl ExactSizeIterator<Item = (Ordinal, Occurrence)> {
        let span = self.words.span(self.words.find(&TermRange::one(word_key(place, word))));
        self.words.rows[span.clone()].iter().copied().zip(self.words.notes[span].iter().copied())
    }

    /// The places that have texts.
    pub fn fields(&self) -> &BTreeMap<Vec<u8>, Field> {
        &self.fields
    }
}

/// The declared text indexes by the place their texts are filed under.
pub fn declared(rules: &TextRules) -> BTreeMap<Vec<u8>, TextOptions> {
    let by_place = rules.iter().map(|(path, options)| {
        let place = text_place(path).as_bytes().to_vec();
        (place, options.clone())
    });
    by_place.collect()
}

/// What stands between a place and a word; no step of a place starts with it.
const WORD: &[u8] = &[0x1F];

fn word_key(place: &[u8], word: &str) -> Vec<u8> {
    [place, WORD, word.as_bytes()].concat()
}

#[derive(Default)]
struct Builder {
    declared: BTreeMap<Vec<u8>, TextOptions>,
    rows: u32,
    bytes: Vec<u8>,
    terms: Vec<Found>,
    words: Vec<Found>,
    /// The length of each text, where a word's `text` points.
    lengths: Vec<u32>,
    fields: BTreeMap<Vec<u8>, (Field, usize)>,
    /// The last row that has a number of each series, and whether any row has two.
    series: BTreeMap<Vec<u8>, (Ordinal, bool)>,
}

/// A term or word as it was come upon.
struct Found {
    key: Range<usize>,
    row: Ordinal,
    text: usize,
}

impl Builder {
    fn add(&mut self, payload: &Payload) {
        let first_text = self.lengths.len();
        entries(payload, &mut |entry| match entry {
            Entry::Term(term) => self.add_term(term),
            Entry::Number(term, series) => {
                self.add_term(term);
                match self.series.get_mut(&term[..series]) {
                    Some((last, many)) => *many |= std::mem::replace(last, self.rows) == self.rows,
                    None => drop(self.series.insert(term[..series].to_vec(), (self.rows, false))),
                }
            }
            Entry::Text(place, text) => self.add_text(place, text, first_text),
        });
        self.rows += 1;
    }

    fn add_term(&mut self, term: &[u8]) {
        let key = append(&mut self.bytes, &[term]);
        self.terms.push(Found { key, row: self.rows, text: 0 });
    }

    /// Takes a text apart. All strings at one place of a row, whose texts are those from `first_text` on, are one text.
    fn add_text(&mut self, place: &[u8], text: &str, first_text: usize) {
        if !self.fields.contains_key(place) {
            let options = self.declared.get(place).cloned().unwrap_or_default();
            let field = Field { options: Some(options), rows: 0, words: 0 };
            self.fields.insert(place.to_vec(), (field, usize::MAX));
        }
        let Some((field, last)) = self.fields.get_mut(place) else { return };
        let Some(options) = &field.options else { return };
        options.tokens(text, &mut |word| {
            if *last == usize::MAX || *last < first_text {
                *last = self.lengths.len();
                self.lengths.push(0);
                field.rows += 1;
            }
            self.lengths[*last] += 1;
            field.words += 1;
            let key = append(&mut self.bytes, &[place, WORD, word.as_bytes()]);
            self.words.push(Found { key, row: self.rows, text: *last });
        });
    }

    fn finish(mut self) -> Postings {
        let bytes = &self.bytes;
        let in_order =
            |a: &Found, b: &Found| bytes[a.key.clone()].cmp(&bytes[b.key.clone()]).then(a.row.cmp(&b.row));
        self.terms.sort_unstable_by(in_order);
        self.words.sort_unstable_by(in_order);
        let same = |a: &Found, b: &Found| a.row == b.row && bytes[a.key.clone()] == bytes[b.key.clone()];
        let (mut terms, mut words) = (Lists::default(), Lists::default());
        for group in self.terms.chunk_by(same) {
            terms.start(&bytes[group[0].key.clone()]);
            terms.push(group[0].row, ());
        }
        for group in self.words.chunk_by(same) {
            words.start(&bytes[group[0].key.clone()]);
            let length = length_code(self.lengths[group[0].text]);
            words.push(group[0].row, Occurrence { frequency: group.len() as u32, length });
        }
        let fields = self.fields.into_iter().map(|(place, (field, _))| (place, field)).collect();
        let many = self.series.into_iter().filter(|(_, (_, many))| *many).map(|(series, _)| series).collect();
        Postings { rows: self.rows, terms, words, fields, many }
    }
}

fn append(bytes: &mut Vec<u8>, parts: &[&[u8]]) -> Range<usize> {
    let start = bytes.len();
    parts.iter().for_each(|part| bytes.extend_from_slice(part));
    start..bytes.len()
}

/// A length in one byte: exact up to 40, then its four leading bits (Lucene's and tantivy's code, so that a text has
/// the same length in memory and sealed).
pub fn length_code(length: u32) -> u8 {
    let Some(rest) = length.checked_sub(24) else { return length as u8 };
    let shift = (32 - rest.leading_zeros()).saturating_sub(4);
    let code = if shift == 0 && rest < 8 { rest } else { (rest >> shift & 7) | (shift + 1) << 3 };
    (24 + code).min(255) as u8
}

/// The least length that has this code.
pub fn length_of(code: u8) -> u32 {
    let Some(code) = u32::from(code).checked_sub(24) else { return u32::from(code) };
    let (bits, shift) = (code & 7, code >> 3);
    24u32.saturating_add(if shift == 0 { bits } else { (bits | 8) << (shift - 1) })
}
