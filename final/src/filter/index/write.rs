//! How is the index of a segment made? Rows in order into tantivy's writer of single segments, which keeps the order.
//!
//! It is built in memory and packed into one file, so that no file of tantivy's is ever on disk under its own name.
//! A place with texts costs a byte per row for the lengths, so that only [`MAX_FIELDS`] of them have their words
//! indexed, besides those that are declared: the ones with most text. Where words are not indexed, BM25 finds nothing
//! and a filter looks at payloads.

use std::{
    borrow::Cow,
    cmp::Reverse,
    collections::BTreeMap,
    fmt::Display,
    path::{Path, PathBuf},
};

use serde_json::Value;
use tantivy::{
    Directory, Index, IndexMeta, Segment, SegmentReader, TantivyDocument,
    directory::{OwnedBytes, RamDirectory},
    schema::{
        BytesOptions, Field as FieldId, IndexRecordOption, Schema, TextFieldIndexing,
        TextOptions as FieldOptions,
    },
    tokenizer::{Token, TokenStream, Tokenizer, TokenizerManager},
};

use super::{CONTENTS, Contents, META, TERMS, TextField, VERSION};
use crate::{
    disk::{
        Store,
        format::{FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    filter::{
        numbers::{Builder, Numbers},
        postings::declared,
        term::{Entry, entries, is_integer, key_after, steps_of},
        text::{TextOptions, TextRules},
    },
    point::{Ordinal, Payload},
};

/// So many places may have their words indexed, unless more are declared.
const MAX_FIELDS: usize = 64;

/// What tantivy sizes its hash table by, in bytes; it grows as need be.
const BUDGET: usize = 32 << 20;

/// tantivy names a segment by a random UUID; ours all have this one, so that equal rows make equal files.
const SEGMENT: &str = "00000000-0000-0000-0000-000000000001";

/// tantivy's files by name.
type Files = BTreeMap<PathBuf, OwnedBytes>;

/// The payload of a row.
type PayloadOf<'a> = dyn Fn(Ordinal) -> Result<Cow<'a, Payload>> + 'a;

/// Writes the index of so many rows, where these paths have a text index. Every payload is asked for twice: first for
/// the places that have texts.
pub fn write(
    store: &dyn Store,
    path: &Path,
    rows: u32,
    payload_of: &PayloadOf,
    rules: &TextRules,
) -> Result<Summary> {
    let fields = choose_fields(rows, payload_of, rules)?;
    let (fields, files, numbers) = build(rows, payload_of, fields)?;
    let names = files.keys().cloned().collect();
    let contents = Contents { rows, fields, files: names, numbers: numbers.list() };
    let mut file = FileWriter::create(store, path, Kind::Text, VERSION)?;
    file.begin(CONTENTS)?;
    file.write(&serde_json::to_vec(&contents).map_err(failed)?)?;
    for (section, bytes) in (CONTENTS + 1..).zip(files.values()) {
        file.begin(section)?;
        file.write(bytes)?;
    }
    numbers.write(&mut file, CONTENTS + 1 + files.len() as u32)?;
    file.finish()
}

/// The places whose words are indexed: those that are declared, then those with most text.
fn choose_fields(rows: u32, payload_of: &PayloadOf, rules: &TextRules) -> Result<Vec<TextField>> {
    let mut sizes: BTreeMap<Vec<u8>, usize> = BTreeMap::new();
    for row in 0..rows {
        entries(&*payload_of(row)?, &mut |entry| {
            if let Entry::Text(place, text) = entry {
                match sizes.get_mut(place) {
                    Some(size) => *size += text.len(),
                    None => drop(sizes.insert(place.to_vec(), text.len())),
                }
            }
        });
    }
    let declared = declared(rules);
    let mut places: Vec<_> = sizes.into_iter().collect();
    places.sort_by_key(|(place, size)| (!declared.contains_key(place), Reverse(*size)));
    let least = places.iter().filter(|(place, _)| declared.contains_key(place)).count();
    places.truncate(MAX_FIELDS.max(least));
    let fields = places.into_iter().map(|(place, _)| TextField {
        place: steps_of(&place),
        options: declared.get(&place).cloned().unwrap_or_default(),
        rows: 0,
        words: 0,
    });
    Ok(fields.collect())
}

fn build(
    rows: u32,
    payload_of: &PayloadOf,
    mut fields: Vec<TextField>,
) -> Result<(Vec<TextField>, Files, Numbers)> {
    let ram = RamDirectory::create();
    let tokenizers = TokenizerManager::default();
    for (number, field) in (TERMS + 1..).zip(&fields) {
        tokenizers.register(&number.to_string(), Words::new(field.options.clone()));
    }
    let builder = Index::builder().schema(schema(fields.len())).tokenizers(tokenizers);
    let mut writer = builder.single_segment_index_writer(ram.clone(), BUDGET).map_err(failed)?;
    let numbers: BTreeMap<_, _> =
        (TERMS + 1..).zip(&fields).map(|(number, field)| (field.place(), number)).collect();
    let mut in_order = Builder::default();
    for row in 0..rows {
        let mut number = |term: &[u8], series| {
            let Some((series, key)) = key_after(term, series) else { return };
            in_order.add(series, key, row);
        };
        writer.add_document(document(&*payload_of(row)?, &numbers, &mut number)).map_err(failed)?;
    }
    let index = writer.finalize().map_err(failed)?;
    let segments = index.searchable_segments().map_err(failed)?;
    let [segment] = &segments[..] else { panic!("a writer of one segment made {}", segments.len()) };
    let reader = SegmentReader::open(segment).map_err(failed)?;
    assert!(reader.max_doc() == rows, "{rows} rows became {} documents", reader.max_doc());
    for (number, field) in (TERMS + 1..).zip(&mut fields) {
        let id = FieldId::from_field_id(number);
        let lengths = reader.get_fieldnorms_reader(id).map_err(failed)?;
        field.rows = (0..rows).filter(|row| lengths.fieldnorm_id(*row) > 0).count() as u64;
        field.words = reader.inverted_index(id).map_err(failed)?.total_num_tokens();
    }
    let files = collect_files(&ram, segment, &index.load_metas().map_err(failed)?)?;
    Ok((fields, files, in_order.finish(rows)))
}

fn schema(fields: usize) -> Schema {
    let mut schema = Schema::builder();
    schema.add_bytes_field("terms", BytesOptions::default().set_indexed());
    for number in TERMS + 1..=fields as u32 {
        let name = number.to_string();
        let words =
            TextFieldIndexing::default().set_tokenizer(&name).set_index_option(IndexRecordOption::WithFreqs);
        schema.add_text_field(&name, FieldOptions::default().set_indexing_options(words));
    }
    schema.build()
}

/// The terms and texts of a payload. Numbers and dates go elsewhere; an integer is a term too.
fn document(
    payload: &Payload,
    numbers: &BTreeMap<Vec<u8>, u32>,
    number: &mut dyn FnMut(&[u8], usize),
) -> TantivyDocument {
    let mut document = TantivyDocument::new();
    entries(payload, &mut |entry| match entry {
        Entry::Term(term) => document.add_bytes(FieldId::from_field_id(TERMS), term),
        Entry::Number(term, series) => {
            number(term, series);
            if is_integer(term, series) {
                document.add_bytes(FieldId::from_field_id(TERMS), term);
            }
        }
        Entry::Text(place, text) => {
            if let Some(number) = numbers.get(place) {
                document.add_text(FieldId::from_field_id(*number), text);
            }
        }
    });
    document
}

/// Takes the files of the one segment, which from now on has the name that all have.
fn collect_files(ram: &RamDirectory, segment: &Segment, metas: &IndexMeta) -> Result<Files> {
    let mut files = Files::new();
    let fixed = SEGMENT.replace('-', "");
    for name in metas.list_segment_files() {
        if ram.exists(&name).map_err(failed)? {
            let bytes = ram.open_read(&name).map_err(failed)?.read_bytes().map_err(failed)?;
            let named = name.to_string_lossy().replace(&segment.id().uuid_string(), &fixed);
            files.insert(named.into(), bytes);
        }
    }
    let meta = ram.atomic_read(Path::new(META)).map_err(failed)?;
    let mut meta: Value = serde_json::from_slice(&meta).map_err(failed)?;
    meta["segments"][0]["segment_id"] = SEGMENT.into();
    files.insert(META.into(), OwnedBytes::new(serde_json::to_vec(&meta).map_err(failed)?));
    Ok(files)
}

/// In memory nothing of tantivy's can fail but memory.
fn failed(error: impl Display) -> Error {
    Error::corrupt(format!("building a text index: {error}"))
}

/// Our words as tantivy wants them.
#[derive(Clone)]
struct Words {
    options: TextOptions,
    text: String,
    ends: Vec<usize>,
    next: usize,
    token: Token,
}

impl Words {
    fn new(options: TextOptions) -> Self {
        Self { options, text: String::new(), ends: Vec::new(), next: 0, token: Token::default() }
    }
}

impl Tokenizer for Words {
    type TokenStream<'a> = &'a mut Self;

    fn token_stream<'a>(&'a mut self, text: &'a str) -> &'a mut Self {
        self.text.clear();
        self.ends.clear();
        self.next = 0;
        self.options.tokens(text, &mut |word| {
            self.text.push_str(word);
            self.ends.push(self.text.len());
        });
        self
    }
}

impl TokenStream for &mut Words {
    fn advance(&mut self) -> bool {
        let Some(&end) = self.ends.get(self.next) else { return false };
        let start = self.next.checked_sub(1).map_or(0, |before| self.ends[before]);
        self.token.text.clear();
        self.token.text.push_str(&self.text[start..end]);
        self.token.position = self.next;
        self.next += 1;
        true
    }

    fn token(&self) -> &Token {
        &self.token
    }

    fn token_mut(&mut self) -> &mut Token {
        &mut self.token
    }
}
