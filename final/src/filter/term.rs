//! How does a value become a key of an index? Terms: a place, a kind and a value, as bytes that sort as values do.
//!
//! ```text
//! term  = place kind value
//! place = step*                       where the value stands, positions in arrays forgotten
//! step  = 01 key 00                   into an object; a 00 in the key is written 00 FF
//!       | 02                          to an element of an array
//!       | 03 crc32c                   instead of all steps of a place of more than 512 bytes
//! kind  = 10 null | 11 one | 12 array | 13 bool | 14 15 16 number | 17 18 19 date | 1A string | 1B long string
//! value = nothing for null and one; the length of an array, u32; 00 or 01;
//!         a number as the sortable bits of its f64, then 01 if it is an integer, then its sortable i64 if the f64 is
//!         not exact; a date in sortable microseconds; a string's bytes; a long string's crc32c and length
//! ```
//!
//! All numbers are big-endian. No place is the beginning of another one's terms (a kind is never a step), so all terms
//! of a place and kind stand together, in the order of their values, and a range of values is a range of terms.
//! Every value has one of `null`, `one` and `array`, which answers how many values there are. A number and a date are
//! also written shorter, to 3 and 2, or 4 and 3 bytes: a range then is a few short terms with long ones at its edges,
//! however many values lie in it (Schindler and Diepenbroek 2008, the trie ranges of Lucene).
//!
//! What a term can't say exactly (a position in an array, a long string, a long path) the caller knows from
//! [`Place::exact`] and [`Place::value`], and checks on the payload.

mod show;

use serde_json::Value;

pub use self::show::{show_place, steps_of};

use super::{
    Bounds, MatchValue,
    datetime::parse_datetime,
    path::{Path, Step},
};
use crate::point::Payload;

const KEY: u8 = 0x01;
const EACH: u8 = 0x02;
const HASHED: u8 = 0x03;
const NULL: u8 = 0x10;
const ONE: u8 = 0x11;
const ARRAY: u8 = 0x12;
const BOOL: u8 = 0x13;
const NUMBER: [Level; 3] = [(0x14, 8), (0x15, 3), (0x16, 2)];
const DATE: [Level; 3] = [(0x17, 8), (0x18, 4), (0x19, 3)];
const STRING: u8 = 0x1A;
const LONG: u8 = 0x1B;

/// The kind of term that holds so many leading bytes of a sortable value.
type Level = (u8, usize);

const MAX_PLACE: usize = 512;
const MAX_STRING: usize = 128;

/// Integers up to here are exact as `f64`.
const EXACT: u64 = 1 << 53;

/// Where a value stands in a payload, in terms of bytes.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Place {
    bytes: Vec<u8>,
    exact: bool,
}

/// Terms from one up to, not including, another.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TermRange {
    /// The first term that may be in it.
    pub from: Vec<u8>,
    /// The first term past it.
    pub to: Vec<u8>,
}

impl TermRange {
    /// The range that holds one term.
    pub fn one(term: Vec<u8>) -> Self {
        let mut to = term.clone();
        to.push(0);
        Self { from: term, to }
    }

    /// The one term it holds, if it was made by [`TermRange::one`].
    pub fn as_one(&self) -> Option<&[u8]> {
        (self.to.strip_prefix(&*self.from) == Some(&[0])).then_some(&self.from)
    }
}

impl Place {
    /// Where the values of a path stand.
    pub fn of(path: &Path) -> Self {
        Self::of_steps(path.steps().iter())
    }

    /// Where the elements of arrays at a path stand.
    pub fn of_elements(path: &Path) -> Self {
        Self::of_steps(path.steps().iter().chain([&Step::Each]))
    }

    /// Where the values stand that these steps lead to.
    pub fn of_steps<'a>(steps: impl IntoIterator<Item = &'a Step>) -> Self {
        let (mut bytes, mut exact) = (Vec::new(), true);
        for step in steps {
            match step {
                Step::Key(key) => push_key(&mut bytes, key),
                Step::Each => bytes.push(EACH),
                Step::Index(_) => {
                    bytes.push(EACH);
                    exact = false;
                }
            }
        }
        exact &= bytes.len() <= MAX_PLACE;
        Self { bytes: stored(&bytes).into_owned(), exact }
    }

    /// Whether only values of its path stand here.
    pub fn exact(&self) -> bool {
        self.exact
    }

    /// The bytes that every term of this place starts with.
    pub fn as_bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// The term of a null.
    pub fn null(&self) -> TermRange {
        TermRange::one(self.term(NULL, &[]))
    }

    /// The term of a value that is neither null nor an array.
    pub fn one(&self) -> TermRange {
        TermRange::one(self.term(ONE, &[]))
    }

    /// The terms of arrays that have at least and at most so many elements.
    pub fn arrays(&self, least: u32, most: u32) -> TermRange {
        self.between((ARRAY, 4), u64::from(least) << 32, u64::from(most) << 32)
    }

    /// The terms of which every value has one: null, one and array.
    pub fn anything(&self) -> TermRange {
        TermRange { from: self.term(NULL, &[]), to: self.term(ARRAY + 1, &[]) }
    }

    /// The term of a value, and whether only that value has it.
    pub fn value(&self, value: &MatchValue) -> (TermRange, bool) {
        let mut term = self.bytes.clone();
        let exact = match value {
            MatchValue::Bool(value) => push_bool(&mut term, *value),
            MatchValue::Int(value) => push_number(&mut term, &(*value).into()),
            MatchValue::Text(value) => push_string(&mut term, value),
        };
        (TermRange::one(term), exact && self.exact)
    }

    /// The terms of numbers within the bounds.
    pub fn numbers(&self, bounds: &Bounds<f64>) -> Vec<TermRange> {
        let limits = [bounds.gt, bounds.gte, bounds.lt, bounds.lte];
        if limits.into_iter().flatten().any(f64::is_nan) {
            return Vec::new();
        }
        let key = |limit: Option<f64>| limit.map(sortable_float);
        let keys =
            Bounds { gt: key(bounds.gt), gte: key(bounds.gte), lt: key(bounds.lt), lte: key(bounds.lte) };
        self.cover(&NUMBER, &keys)
    }

    /// The terms of dates within the bounds, in microseconds.
    pub fn dates(&self, bounds: &Bounds<i64>) -> Vec<TermRange> {
        let key = |limit: Option<i64>| limit.map(sortable_int);
        let keys =
            Bounds { gt: key(bounds.gt), gte: key(bounds.gte), lt: key(bounds.lt), lte: key(bounds.lte) };
        self.cover(&DATE, &keys)
    }

    fn cover(&self, levels: &[Level], keys: &Bounds<u64>) -> Vec<TermRange> {
        let low = keys.gte.max(keys.gt.map(|key| key.saturating_add(1))).unwrap_or(0);
        let high = [keys.lte, keys.lt.map(|key| key.saturating_sub(1))].into_iter().flatten().min();
        let (high, mut ranges) = (high.unwrap_or(u64::MAX), Vec::new());
        let impossible = keys.gt == Some(u64::MAX) || keys.lt == Some(0) || low > high;
        if !impossible {
            cover(levels, low, high, &mut |level, low, high| ranges.push(self.between(level, low, high)));
        }
        ranges
    }

    /// The terms of one level whose leading bytes are from those of `low` to those of `high`.
    fn between(&self, (kind, width): Level, low: u64, high: u64) -> TermRange {
        let from = self.term(kind, &low.to_be_bytes()[..width]);
        let past = (high >> (64 - 8 * width)).wrapping_add(1) << (64 - 8 * width);
        let to = match past {
            0 => self.term(kind + 1, &[]),
            past => self.term(kind, &past.to_be_bytes()[..width]),
        };
        TermRange { from, to }
    }

    fn term(&self, kind: u8, value: &[u8]) -> Vec<u8> {
        [&self.bytes, &[kind][..], value].concat()
    }
}

/// Cuts `low..=high` into as few pieces as can be of levels that get coarser, first to last.
fn cover(levels: &[Level], low: u64, high: u64, piece: &mut impl FnMut(Level, u64, u64)) {
    let Some((&level, coarser)) = levels.split_first() else { return };
    if let Some((_, width)) = coarser.first() {
        let block = 1u128 << (64 - 8 * width);
        let first = u128::from(low).div_ceil(block) * block;
        let past = (u128::from(high) + 1) / block * block;
        if first < past {
            let (first, last) = (first as u64, (past - 1) as u64);
            if low < first {
                piece(level, low, first - 1);
            }
            cover(coarser, first, last, piece);
            if last < high {
                piece(level, last + 1, high);
            }
            return;
        }
    }
    piece(level, low, high);
}

/// The place that the texts of a path are filed under: strings there and elements of an array there are one text.
pub fn text_place(path: &Path) -> Place {
    let steps = path.steps();
    Place::of_steps(steps.strip_suffix(&[Step::Each]).unwrap_or(steps).iter())
}

/// What a payload gives an index.
pub enum Entry<'a> {
    /// A term; the same one may come again.
    Term(&'a [u8]),
    /// A text, and the place of the string or of the array it is an element of.
    Text(&'a [u8], &'a str),
}

/// Walks a payload and hands out all its terms and texts.
pub fn entries(payload: &Payload, emit: &mut dyn FnMut(Entry)) {
    let mut walker = Walker { place: Vec::new(), term: Vec::new(), emit };
    payload.iter().for_each(|(key, value)| walker.enter(key, value));
}

struct Walker<'a> {
    place: Vec<u8>,
    term: Vec<u8>,
    emit: &'a mut dyn FnMut(Entry),
}

impl Walker<'_> {
    fn enter(&mut self, key: &str, value: &Value) {
        let length = self.place.len();
        push_key(&mut self.place, key);
        self.value(value);
        self.place.truncate(length);
    }

    fn value(&mut self, value: &Value) {
        match value {
            Value::Null => self.emit(|term| term.push(NULL)),
            Value::Array(items) => {
                self.emit(|term| {
                    term.push(ARRAY);
                    term.extend((items.len() as u32).to_be_bytes());
                });
                self.place.push(EACH);
                items.iter().for_each(|item| self.value(item));
                self.place.pop();
            }
            _ => {
                self.emit(|term| term.push(ONE));
                self.scalar(value);
            }
        }
    }

    fn scalar(&mut self, value: &Value) {
        match value {
            Value::Bool(value) => self.emit(|term| {
                push_bool(term, *value);
            }),
            Value::Number(number) => {
                self.emit(|term| {
                    push_number(term, number);
                });
                self.levels(&NUMBER[1..], sortable_float(number.as_f64().unwrap_or(f64::NAN)));
            }
            Value::String(text) => self.string(text),
            Value::Object(map) => map.iter().for_each(|(key, value)| self.enter(key, value)),
            Value::Null | Value::Array(_) => {}
        }
    }

    fn string(&mut self, text: &str) {
        self.emit(|term| {
            push_string(term, text);
        });
        if let Some(micros) = parse_datetime(text) {
            self.levels(&DATE, sortable_int(micros));
        }
        let place = self.place.strip_suffix(&[EACH]).unwrap_or(&self.place);
        if place.len() <= MAX_PLACE {
            (self.emit)(Entry::Text(place, text));
        }
    }

    fn levels(&mut self, levels: &[Level], key: u64) {
        for (kind, width) in levels {
            self.emit(|term| {
                term.push(*kind);
                term.extend(&key.to_be_bytes()[..*width]);
            });
        }
    }

    fn emit(&mut self, value: impl FnOnce(&mut Vec<u8>)) {
        self.term.clear();
        self.term.extend(&*stored(&self.place));
        value(&mut self.term);
        (self.emit)(Entry::Term(&self.term));
    }
}

/// The steps as they are, or their hash if they are long.
fn stored(steps: &[u8]) -> std::borrow::Cow<'_, [u8]> {
    if steps.len() <= MAX_PLACE {
        return steps.into();
    }
    let [a, b, c, d] = crc32c::crc32c(steps).to_be_bytes();
    vec![HASHED, a, b, c, d].into()
}

fn push_key(place: &mut Vec<u8>, key: &str) {
    place.push(KEY);
    for &byte in key.as_bytes() {
        place.push(byte);
        if byte == 0 {
            place.push(0xFF);
        }
    }
    place.push(0);
}

fn push_bool(term: &mut Vec<u8>, value: bool) -> bool {
    term.extend([BOOL, u8::from(value)]);
    true
}

fn push_number(term: &mut Vec<u8>, number: &serde_json::Number) -> bool {
    term.push(NUMBER[0].0);
    term.extend(sortable_float(number.as_f64().unwrap_or(f64::NAN)).to_be_bytes());
    if let Some(int) = number.as_i64() {
        term.push(1);
        if int.unsigned_abs() > EXACT {
            term.extend(sortable_int(int).to_be_bytes());
        }
    }
    true
}

/// Writes a string's term; says whether only this string has it.
fn push_string(term: &mut Vec<u8>, text: &str) -> bool {
    let exact = text.len() <= MAX_STRING;
    if exact {
        term.push(STRING);
        term.extend(text.as_bytes());
    } else {
        term.push(LONG);
        term.extend(crc32c::crc32c(text.as_bytes()).to_be_bytes());
        term.extend((text.len() as u32).to_be_bytes());
    }
    exact
}

/// Bits that sort as the numbers do; both zeros are one.
fn sortable_float(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    if bits >> 63 == 1 { !bits } else { bits | 1 << 63 }
}

fn sortable_int(value: i64) -> u64 {
    value as u64 ^ 1 << 63
}

#[cfg(test)]
mod tests;
