//! How does a value become a key of an index? Terms: a place, a kind and a value, as bytes that sort as values do.
//!
//! ```text
//! term  = place kind value
//! place = step*                       where the value stands, positions in arrays forgotten
//! step  = 01 key 00                   into an object; a 00 in the key is written 00 FF
//!       | 02                          to an element of an array
//!       | 03 crc32c                   instead of all steps of a place of more than 512 bytes
//! kind  = 10 null | 11 one | 12 array | 13 bool | 14 number | 17 date | 1A string | 1B long string
//! value = nothing for null and one; the length of an array, u32; 00 or 01;
//!         a number as the sortable bits of its f64, then 01 if it is an integer, then its sortable i64 if the f64 is
//!         not exact; a date in sortable microseconds; a string's bytes; a long string's crc32c and length
//! ```
//!
//! All numbers are big-endian. No place is the beginning of another one's terms (a kind is never a step), so all terms
//! of a place and kind stand together, in the order of their values, and a range of values is a range of terms.
//! Every value has one of `null`, `one` and `array`, which answers how many values there are. The numbers of a place,
//! and its dates, are a *series*: place and kind, and behind them a sortable key of eight bytes, by which a range is
//! asked for ([`Interval`]). Kinds 15, 16, 18 and 19 are no longer written: keys cut short.
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
const NUMBER: u8 = 0x14;
const DATE: u8 = 0x17;
const STRING: u8 = 0x1A;
const LONG: u8 = 0x1B;

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

/// The values of a series from one key to another, both included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Interval {
    /// What all terms of the series start with.
    pub series: Vec<u8>,
    /// The least key in it.
    pub low: u64,
    /// The largest key in it.
    pub high: u64,
}

impl Interval {
    /// The terms of the values in it.
    pub fn terms(&self) -> TermRange {
        let with = |key: u64| [&self.series[..], &key.to_be_bytes()].concat();
        let to = self.high.checked_add(1).map_or_else(|| past(&self.series), with);
        TermRange { from: with(self.low), to }
    }
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
        let with = |length: u32| self.term(ARRAY, &length.to_be_bytes());
        let to = most.checked_add(1).map_or_else(|| self.term(ARRAY + 1, &[]), with);
        TermRange { from: with(least), to }
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
            MatchValue::Int(value) => {
                term.push(NUMBER);
                push_number(&mut term, &(*value).into());
                true
            }
            MatchValue::Text(value) => push_string(&mut term, value),
        };
        (TermRange::one(term), exact && self.exact)
    }

    /// The numbers within the bounds; `None` if there can be none.
    pub fn numbers(&self, bounds: &Bounds<f64>) -> Option<Interval> {
        let limits = [bounds.gt, bounds.gte, bounds.lt, bounds.lte];
        let sound = !limits.into_iter().flatten().any(f64::is_nan);
        sound.then(|| self.interval(NUMBER, bounds, sortable_float))?
    }

    /// The dates within the bounds, in microseconds; `None` if there can be none.
    pub fn dates(&self, bounds: &Bounds<i64>) -> Option<Interval> {
        self.interval(DATE, bounds, sortable_int)
    }

    fn interval<T: Copy>(&self, kind: u8, bounds: &Bounds<T>, key: fn(T) -> u64) -> Option<Interval> {
        let above = bounds.gt.map_or(Some(0), |gt| key(gt).checked_add(1))?;
        let below = bounds.lt.map_or(Some(u64::MAX), |lt| key(lt).checked_sub(1))?;
        let (low, high) = (bounds.gte.map_or(0, key).max(above), bounds.lte.map_or(u64::MAX, key).min(below));
        (low <= high).then(|| Interval { series: self.term(kind, &[]), low, high })
    }

    fn term(&self, kind: u8, value: &[u8]) -> Vec<u8> {
        [&self.bytes, &[kind][..], value].concat()
    }
}

/// The first bytes after all that start with a series; its last byte is a kind.
fn past(series: &[u8]) -> Vec<u8> {
    let mut past = series.to_vec();
    past.last_mut().into_iter().for_each(|kind| *kind += 1);
    past
}

/// Parts the term of a number or a date into its series and its key; `None` for any other.
pub fn series_of(term: &[u8]) -> Option<(&[u8], u64)> {
    let kind = term.len() - show::split(term).1.len();
    matches!(*term.get(kind)?, NUMBER | DATE).then(|| key_after(term, kind + 1))?
}

/// Parts a term into a series of so many bytes and its key.
pub fn key_after(term: &[u8], series: usize) -> Option<(&[u8], u64)> {
    let (series, value) = term.split_at_checked(series)?;
    Some((series, u64::from_be_bytes(*value.first_chunk()?)))
}

/// Whether a term with a series of so many bytes is an integer's: there is more in it than the key.
pub fn is_integer(term: &[u8], series: usize) -> bool {
    term.len() > series + size_of::<u64>()
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
    /// The term of a number or a date, and how many bytes its series has ([`key_after`]).
    Number(&'a [u8], usize),
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
            Value::Number(number) => self.number(NUMBER, |term| push_number(term, number)),
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
            self.number(DATE, |term| term.extend(sortable_int(micros).to_be_bytes()));
        }
        let place = self.place.strip_suffix(&[EACH]).unwrap_or(&self.place);
        if place.len() <= MAX_PLACE {
            (self.emit)(Entry::Text(place, text));
        }
    }

    fn number(&mut self, kind: u8, value: impl FnOnce(&mut Vec<u8>)) {
        self.start();
        self.term.push(kind);
        let series = self.term.len();
        value(&mut self.term);
        (self.emit)(Entry::Number(&self.term, series));
    }

    fn emit(&mut self, value: impl FnOnce(&mut Vec<u8>)) {
        self.start();
        value(&mut self.term);
        (self.emit)(Entry::Term(&self.term));
    }

    fn start(&mut self) {
        self.term.clear();
        self.term.extend(&*stored(&self.place));
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

fn push_number(term: &mut Vec<u8>, number: &serde_json::Number) {
    term.extend(sortable_float(number.as_f64().unwrap_or(f64::NAN)).to_be_bytes());
    if let Some(int) = number.as_i64() {
        term.push(1);
        if int.unsigned_abs() > EXACT {
            term.extend(sortable_int(int).to_be_bytes());
        }
    }
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
