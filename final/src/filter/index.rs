//! Where are the terms of a sealed segment? In one tantivy index whose document ids are the ordinals, in one file.
//!
//! | section of `text.bin` | what |
//! |--:|---|
//! | 0 | [`Contents`] as JSON: rows, places with texts, the names of tantivy's files |
//! | 1… | tantivy's files in that order, each as tantivy wrote it |
//! | then | the numbers and dates in order, [`numbers`] |
//!
//! The index has one field of raw terms, [`term`](super::term)'s, and for each place with texts a field of words with
//! frequencies and lengths. Of numbers only integers are terms too: they are compared for equality. Nothing is stored
//! and nothing is a fast field: payloads have their own file. tantivy reads the mapping ([`packed`]), so that nothing is
//! loaded. It trusts its files, so all checksums are verified at open.
//!
//! A file of version 1 has numbers and dates among the terms alone; they are put in order when it is opened.
//!
//! Not here: positions of words. A phrase is looked for in the payloads that have all its words.

mod packed;
mod write;

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
    sync::Arc,
};

use serde::{Deserialize, Serialize};
use tantivy::{
    Index, SegmentReader, Term,
    fieldnorm::FieldNormReader,
    index::InvertedIndexReader,
    postings::{BlockSegmentPostings, TermInfo},
    schema::{Field as FieldId, IndexRecordOption},
};

pub use self::write::write;
use super::{
    numbers::{self, Numbers},
    path::Step,
    postings::{Counts, Field, Occurrence},
    term::{Place, TermRange, series_of},
    text::TextOptions,
};
use crate::{
    disk::{
        Store,
        format::{File, Kind},
    },
    error::{Error, Result},
    point::Ordinal,
};

const VERSION: u16 = 2;
const CONTENTS: u32 = 0;

/// tantivy's field of raw terms; the fields of words come after it.
const TERMS: u32 = 0;

/// The name of the one file that tantivy does not name after the segment.
const META: &str = "meta.json";

/// The first section.
#[derive(Debug, Serialize, Deserialize)]
struct Contents {
    rows: u32,
    fields: Vec<TextField>,
    files: Vec<PathBuf>,
    #[serde(default)]
    numbers: Vec<numbers::Entry>,
}

/// The texts of one place.
#[derive(Debug, Clone, Serialize, Deserialize)]
struct TextField {
    /// The place's steps: keys, and null for the elements of an array.
    place: Vec<Option<String>>,
    options: TextOptions,
    rows: u64,
    words: u64,
}

impl TextField {
    fn place(&self) -> Vec<u8> {
        let steps: Vec<_> =
            self.place.iter().map(|step| step.clone().map_or(Step::Each, Step::Key)).collect();
        Place::of_steps(&steps).as_bytes().to_vec()
    }
}

/// The opened index of a sealed segment.
pub struct TermIndex {
    path: PathBuf,
    rows: u32,
    terms: Arc<InvertedIndexReader>,
    numbers: Numbers,
    fields: BTreeMap<Vec<u8>, Field>,
    words: BTreeMap<Vec<u8>, WordIndex>,
}

struct WordIndex {
    id: FieldId,
    words: Arc<InvertedIndexReader>,
    lengths: FieldNormReader,
}

impl std::fmt::Debug for TermIndex {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "terms of {} rows in {}", self.rows, self.path.display())
    }
}

impl TermIndex {
    /// Opens the index of a segment that has so many rows; [`Error::Corrupt`] if it is of others, or damaged.
    pub fn open(store: &dyn Store, path: &Path, rows: u32) -> Result<Self> {
        let corrupt = |what: String| Error::corrupt(format!("{}: {what}", path.display()));
        let file = File::open(store, path, Kind::Text, VERSION)?;
        file.verify()?;
        let contents: Contents = serde_json::from_slice(&file.section::<u8>(CONTENTS)?)
            .map_err(|error| corrupt(format!("the contents are not as they should be: {error}")))?;
        if contents.rows != rows {
            return Err(corrupt(format!("the index has {} rows and the segment {rows}", contents.rows)));
        }
        let broken = |error: tantivy::TantivyError| corrupt(format!("tantivy: {error}"));
        let index =
            Index::open(packed::Packed::new(&file, CONTENTS + 1, &contents.files)?).map_err(broken)?;
        let segments = index.searchable_segments().map_err(broken)?;
        let [segment] = &segments[..] else {
            return Err(corrupt(format!("tantivy has {} segments, and one was written", segments.len())));
        };
        let reader = SegmentReader::open(segment).map_err(broken)?;
        if reader.max_doc() != rows || index.schema().num_fields() != contents.fields.len() + 1 {
            return Err(corrupt("tantivy's files are not those of these contents".into()));
        }
        let terms = reader.inverted_index(FieldId::from_field_id(TERMS)).map_err(broken)?;
        let (mut fields, mut words) = (BTreeMap::new(), BTreeMap::new());
        for (number, field) in (TERMS + 1..).zip(&contents.fields) {
            let place = field.place();
            words.insert(place.clone(), WordIndex::open(&reader, number).map_err(broken)?);
            let options = Some(field.options.clone());
            fields.insert(place, Field { options, rows: field.rows, words: field.words });
        }
        let numbers = Numbers::default();
        let mut index = Self { path: path.to_owned(), rows, terms, numbers, fields, words };
        index.numbers = match file.version() {
            1 => index.gather_numbers()?,
            _ => {
                let first = CONTENTS + 1 + contents.files.len() as u32;
                Numbers::open(&file, first, contents.numbers, rows)
                    .map_err(|error| corrupt(error.to_string()))?
            }
        };
        Ok(index)
    }

    /// The numbers of a file that has them among its terms.
    fn gather_numbers(&self) -> Result<Numbers> {
        let mut numbers = numbers::Builder::default();
        let mut gather = || {
            let mut stream = self.terms.terms().stream()?;
            while stream.advance() {
                let Some((series, key)) = series_of(stream.key()) else { continue };
                let rows = IndexRecordOption::Basic;
                let mut block = self.terms.read_block_postings_from_terminfo(stream.value(), rows)?;
                drain(&mut block, |block| block.docs().iter().for_each(|row| numbers.add(series, key, *row)));
            }
            Ok(())
        };
        gather().map_err(|error| self.broken(error))?;
        Ok(numbers.finish(self.rows))
    }

    /// How many rows the segment has.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Its numbers and dates.
    pub fn numbers(&self) -> &Numbers {
        &self.numbers
    }

    /// The places whose words are indexed.
    pub fn fields(&self) -> &BTreeMap<Vec<u8>, Field> {
        &self.fields
    }

    /// Hands out the rows of each term in the range, many at a time; a row may come again with another term.
    pub fn rows_in(&self, range: &TermRange, found: &mut dyn FnMut(&[Ordinal])) -> Result<()> {
        let mut block = None;
        self.each_term(range, &mut |info| {
            match &mut block {
                None => {
                    block =
                        Some(self.terms.read_block_postings_from_terminfo(info, IndexRecordOption::Basic)?)
                }
                Some(block) => self.terms.reset_block_postings_from_terminfo(info, block)?,
            }
            if let Some(block) = &mut block {
                drain(block, |block| found(block.docs()));
            }
            Ok(true)
        })
    }

    /// How many rows have a term of the range, from so many of its terms.
    pub fn count(&self, range: &TermRange, counted: usize) -> Result<Counts> {
        let (mut counts, mut terms) = (Counts { least: 0, most: 0 }, 0);
        self.each_term(range, &mut |info| {
            terms += 1;
            let rows = u64::from(info.doc_freq);
            counts = Counts { least: counts.least.max(rows), most: counts.most + rows };
            Ok(terms < counted)
        })?;
        if terms == counted {
            counts.most = self.rows.into();
        }
        counts.most = counts.most.min(self.rows.into());
        Ok(counts)
    }

    /// Hands out the rows that have a word at a place, ascending, and how it occurs in each.
    pub fn word(&self, place: &[u8], word: &str, found: &mut dyn FnMut(Ordinal, Occurrence)) -> Result<()> {
        let Some(field) = self.words.get(place) else { return Ok(()) };
        let broken = |error| self.broken(error);
        let Some(info) = field.find(word).map_err(broken)? else { return Ok(()) };
        let frequencies = IndexRecordOption::WithFreqs;
        let mut block = field.words.read_block_postings_from_terminfo(&info, frequencies).map_err(broken)?;
        drain(&mut block, |block| {
            for (row, frequency) in block.docs().iter().zip(block.freqs()) {
                found(*row, Occurrence { frequency: *frequency, length: field.lengths.fieldnorm_id(*row) });
            }
        });
        Ok(())
    }

    /// How many rows have a word at a place.
    pub fn count_word(&self, place: &[u8], word: &str) -> Result<u64> {
        let Some(field) = self.words.get(place) else { return Ok(0) };
        let info = field.find(word).map_err(|error| self.broken(error))?;
        Ok(info.map_or(0, |info| info.doc_freq.into()))
    }

    /// Goes through the terms of a range, in order, until told to stop.
    fn each_term(
        &self,
        range: &TermRange,
        found: &mut dyn FnMut(&TermInfo) -> std::io::Result<bool>,
    ) -> Result<()> {
        let mut walk = || {
            let terms = self.terms.terms();
            if let Some(term) = range.as_one() {
                return terms.get(term)?.map_or(Ok(true), |info| found(&info)).map(|_| ());
            }
            let mut stream = terms.range().ge(&range.from).lt(&range.to).into_stream()?;
            while stream.advance() && found(stream.value())? {}
            Ok(())
        };
        walk().map_err(|error| self.broken(error))
    }

    fn broken(&self, error: std::io::Error) -> Error {
        Error::corrupt(format!("{}: tantivy: {error}", self.path.display()))
    }
}

impl WordIndex {
    fn open(reader: &SegmentReader, number: u32) -> tantivy::Result<Self> {
        let id = FieldId::from_field_id(number);
        Ok(Self { id, words: reader.inverted_index(id)?, lengths: reader.get_fieldnorms_reader(id)? })
    }

    fn find(&self, word: &str) -> std::io::Result<Option<TermInfo>> {
        self.words.get_term_info(&Term::from_field_text(self.id, word))
    }
}

/// Calls back with each block of a list of rows.
fn drain(block: &mut BlockSegmentPostings, mut each: impl FnMut(&BlockSegmentPostings)) {
    while !block.docs().is_empty() {
        each(block);
        block.advance();
    }
}

#[cfg(test)]
mod tests;
