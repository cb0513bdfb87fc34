//! Which points does a filter accept? Conditions on payloads, and everything that answers them quickly.
//!
//! The truth is [`Filter::matches`], which looks at one document. An index never changes that truth, it only saves
//! looking: a segment keeps the *terms* of its payloads ([`term`]) in postings ([`postings`] in memory, [`index`] when
//! sealed) and, when sealed, its numbers in order ([`numbers`]).
//! [`lookup`] says what a filter asks of them; [`compile`] asks it and gets the rows that surely match and those that
//! may; only the rows between are looked at. [`matcher`] answers for one row at a time, without the set of all.
//! [`estimate`] guesses how many there are before any is counted, and [`bm25`] ranks rows by the words of a query.
//!
//! Not here: JSON (the server reads filters from it), ids and vectors (they come in as closures), and the choice
//! between filtering first and walking a graph (the planner's).

pub mod path;
pub mod datetime;
pub mod geo;
pub mod text;
mod matches;
pub mod term;
pub mod postings;
pub mod numbers;
pub mod index;
pub mod terms;
pub mod lookup;
pub mod compile;
pub mod matcher;
pub mod estimate;
pub mod bm25;

pub use self::{
    geo::{GeoBox, GeoPoint, GeoPolygon, GeoRadius},
    matches::{Document, elements},
    path::{Path, Step},
    text::{TextOptions, TextRules, Tokenizer},
};
use crate::point::PointId;

/// What a document must be like. A clause without conditions asks for nothing, so the default accepts everything.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Filter {
    /// All of these hold.
    pub must: Vec<Condition>,
    /// At least one of these holds.
    pub should: Vec<Condition>,
    /// None of these holds.
    pub must_not: Vec<Condition>,
    /// At least so many of these hold.
    pub min_should: Option<MinShould>,
}

/// A clause that counts.
#[derive(Debug, Clone, PartialEq)]
pub struct MinShould {
    /// What is counted.
    pub conditions: Vec<Condition>,
    /// How many must hold.
    pub min_count: usize,
}

/// One thing to hold or not.
#[derive(Debug, Clone, PartialEq)]
pub enum Condition {
    /// A test of the values that a path leads to.
    Field(Path, Test),
    /// The document's id is one of these.
    HasId(Vec<PointId>),
    /// The document has a vector of this name.
    HasVector(String),
    /// One element of the array at the path is an object that the filter accepts, as if it were the payload.
    Nested(Path, Box<Filter>),
    /// A filter inside a filter.
    Filter(Box<Filter>),
}

/// A test of the values at a path. Except where said otherwise it holds if it does for one value,
/// and for an array if it does for one element.
#[derive(Debug, Clone, PartialEq)]
pub enum Test {
    /// Equal, and of the same type: the integer 1 is neither 1.0 nor true nor "1".
    Match(MatchValue),
    /// Equal to one of these.
    Any(Vec<MatchValue>),
    /// A value, not null, that equals none of these.
    Except(Vec<MatchValue>),
    /// Where the path has a text index: all words of this text are among the words at the path.
    /// Where it has none: this text, capitals as they stand, is part of the value. An empty text matches nothing.
    Text(String),
    /// Like [`Test::Text`] for one of the words; without a text index words are what stands between white space.
    TextAny(String),
    /// Where the path has a text index: the words of this text follow each other in one value.
    /// Where it has none: as [`Test::Text`].
    Phrase(String),
    /// A number within these bounds.
    Range(Bounds<f64>),
    /// A string that is a date ([`datetime`]) within these bounds, in microseconds since 1970.
    DatetimeRange(Bounds<i64>),
    /// The number of values: an array's length, 1 for any other value, 0 for null and where there is none.
    ValuesCount(Bounds<u64>),
    /// A place inside the box.
    GeoBox(GeoBox),
    /// A place inside the circle.
    GeoRadius(GeoRadius),
    /// A place inside the polygon.
    GeoPolygon(GeoPolygon),
    /// `true`: there is no value but null and empty arrays. `false`: there is one.
    IsEmpty(bool),
    /// `true`: a value or an element is null; a missing one is not. `false`: none is.
    IsNull(bool),
}

/// A value to compare for equality.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum MatchValue {
    /// `true` or `false`.
    Bool(bool),
    /// An integer.
    Int(i64),
    /// A string.
    Text(String),
}

/// Limits of a range; those that are `None` do not limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Bounds<T> {
    /// Greater than this.
    pub gt: Option<T>,
    /// Greater than this, or equal.
    pub gte: Option<T>,
    /// Less than this.
    pub lt: Option<T>,
    /// Less than this, or equal.
    pub lte: Option<T>,
}

impl<T> Default for Bounds<T> {
    fn default() -> Self {
        Self { gt: None, gte: None, lt: None, lte: None }
    }
}

impl<T: PartialOrd + Copy> Bounds<T> {
    /// From `low` to `high`, both included.
    pub fn between(low: T, high: T) -> Self {
        Self { gte: Some(low), lte: Some(high), ..Self::default() }
    }

    /// Whether the value is within all limits. Nothing is within a limit that is not a number.
    pub fn contains(&self, value: T) -> bool {
        let above = self.gt.is_none_or(|gt| value > gt) && self.gte.is_none_or(|gte| value >= gte);
        above && self.lt.is_none_or(|lt| value < lt) && self.lte.is_none_or(|lte| value <= lte)
    }
}

impl Filter {
    /// The filter with the one clause `must`.
    pub fn all(conditions: impl IntoIterator<Item = Condition>) -> Self {
        Self { must: conditions.into_iter().collect(), ..Self::default() }
    }

    /// Whether it asks for nothing.
    pub fn is_empty(&self) -> bool {
        self.must.is_empty()
            && self.should.is_empty()
            && self.must_not.is_empty()
            && self.min_should.is_none()
    }

    /// The filter that accepts what both do.
    pub fn and(self, other: Self) -> Self {
        match (self.is_empty(), other.is_empty()) {
            (true, _) => other,
            (_, true) => self,
            _ => Self::all([self, other].map(|filter| Condition::Filter(Box::new(filter)))),
        }
    }
}

#[cfg(test)]
mod samples;
#[cfg(test)]
mod tests;
