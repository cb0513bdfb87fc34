//! What does a filter ask of a segment's terms? A tree of look-ups that can be printed.
//!
//! Translating is pure: it reads no postings. What terms say exactly becomes look-ups of terms and words; for the rest
//! there is [`Lookup::Between`], whose two sides enclose the answer: the rows that surely match, and those that may.
//! A condition inside [`Condition::Nested`] holds for an element, terms are of rows: there, a look-up can only say
//! which rows may match, and its negation says nothing.
//!
//! Not here: running it ([`compile`](super::compile)) and guessing its size ([`estimate`](super::estimate)).

use std::fmt;

use super::{
    Bounds, Condition, Filter, MatchValue, Path, Step, Test,
    term::{Interval, Place, TermRange, show_place, text_place},
    terms::Terms,
    text::TextRules,
};
use crate::point::PointId;

/// A question to a segment; the answer is a set of rows, or what encloses it.
#[derive(Debug, Clone, PartialEq)]
pub enum Lookup {
    /// All rows.
    All,
    /// No row.
    Nothing,
    /// The rows that have a term in one of the ranges.
    Terms(Vec<TermRange>),
    /// The rows that have a number or a date in one of the intervals.
    Numbers(Vec<Interval>),
    /// The rows that have a word at a place.
    Word(Vec<u8>, String),
    /// The rows of these points.
    Ids(Vec<PointId>),
    /// The rows that have a vector of this name.
    Vector(String),
    /// The rows that the other has not.
    Not(Box<Lookup>),
    /// The rows that all have.
    And(Vec<Lookup>),
    /// The rows that one has.
    Or(Vec<Lookup>),
    /// The rows that so many have.
    AtLeast(usize, Vec<Lookup>),
    /// At least the rows of the first, at most the rows of the second.
    Between(Box<Lookup>, Box<Lookup>),
}

impl Lookup {
    /// What the filter asks of these terms, where these paths have a text index.
    pub fn of(filter: &Filter, rules: &TextRules, terms: &Terms) -> Self {
        Translator { rules, terms, prefix: None }.filter(filter)
    }

    /// Whether it names the rows that match, with nothing left open.
    pub fn is_exact(&self) -> bool {
        match self {
            Self::Between(..) => false,
            Self::Not(other) => other.is_exact(),
            Self::And(parts) | Self::Or(parts) | Self::AtLeast(_, parts) => parts.iter().all(Self::is_exact),
            _ => true,
        }
    }

    /// Perhaps the rows of the other, and certainly no others.
    fn at_most(other: Self) -> Self {
        match other {
            Self::Between(_, most) => Self::Between(Self::Nothing.into(), most),
            other => Self::Between(Self::Nothing.into(), other.into()),
        }
    }

    fn and(mut parts: Vec<Self>) -> Self {
        parts.retain(|part| *part != Self::All);
        if parts.len() > 1 { Self::And(parts) } else { parts.pop().unwrap_or(Self::All) }
    }

    fn or(mut parts: Vec<Self>) -> Self {
        parts.retain(|part| *part != Self::Nothing);
        if parts.len() > 1 { Self::Or(parts) } else { parts.pop().unwrap_or(Self::Nothing) }
    }
}

/// The tree in words, for EXPLAIN: `maybe` stands before what has to be checked on payloads.
impl fmt::Display for Lookup {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::All => f.write_str("all rows"),
            Self::Nothing => f.write_str("no row"),
            Self::Terms(ranges) if ranges.is_empty() => f.write_str("no row"),
            Self::Terms(ranges) => join(f, ranges, " or "),
            Self::Numbers(intervals) => join(f, intervals, " or "),
            Self::Word(place, word) => write!(f, "{} has the word {word:?}", show_place(place)),
            Self::Ids(ids) => write!(f, "one of {} ids", ids.len()),
            Self::Vector(name) => write!(f, "has the vector {name:?}"),
            Self::Not(other) => write!(f, "not {other}"),
            Self::And(parts) => join(f, parts, " and "),
            Self::Or(parts) => join(f, parts, " or "),
            Self::AtLeast(least, parts) => {
                write!(f, "at least {least} of ")?;
                join(f, parts, ", ")
            }
            Self::Between(least, most) if **least == Self::Nothing => write!(f, "maybe {most}"),
            Self::Between(least, most) => write!(f, "({least} or maybe {most})"),
        }
    }
}

fn join(f: &mut fmt::Formatter<'_>, parts: &[impl fmt::Display], between: &str) -> fmt::Result {
    let text = parts.iter().map(ToString::to_string).collect::<Vec<_>>().join(between);
    if parts.len() == 1 { f.write_str(&text) } else { write!(f, "({text})") }
}

struct Translator<'a> {
    rules: &'a TextRules,
    terms: &'a Terms<'a>,
    /// Where the objects are that the filter is about, if it is nested.
    prefix: Option<Path>,
}

impl Translator<'_> {
    fn filter(&self, filter: &Filter) -> Lookup {
        let each = |conditions: &[Condition]| -> Vec<Lookup> {
            conditions.iter().map(|condition| self.condition(condition)).collect()
        };
        let mut parts = each(&filter.must);
        if !filter.should.is_empty() {
            parts.push(Lookup::or(each(&filter.should)));
        }
        parts.extend(each(&filter.must_not).into_iter().map(|part| self.not(part)));
        if let Some(clause) = &filter.min_should {
            parts.push(Lookup::AtLeast(clause.min_count, each(&clause.conditions)));
        }
        Lookup::and(parts)
    }

    fn condition(&self, condition: &Condition) -> Lookup {
        match condition {
            Condition::Field(path, test) => self.test(&self.full(path), test),
            Condition::HasId(ids) => Lookup::Ids(ids.clone()),
            Condition::HasVector(name) => Lookup::Vector(name.clone()),
            Condition::Filter(filter) => self.filter(filter),
            Condition::Nested(path, filter) => {
                let prefix = self.full(&path.each());
                let objects = Lookup::Terms(vec![Place::of(&prefix).one()]);
                let inner = Translator { prefix: Some(prefix), ..*self }.filter(filter);
                Lookup::at_most(Lookup::and(vec![objects, inner]))
            }
        }
    }

    fn full(&self, path: &Path) -> Path {
        self.prefix.as_ref().map_or_else(|| path.clone(), |prefix| prefix.in_each(path))
    }

    /// The negation; of an element's condition a row's terms say nothing.
    fn not(&self, lookup: Lookup) -> Lookup {
        match self.prefix {
            Some(_) => Lookup::at_most(Lookup::All),
            None => Lookup::Not(lookup.into()),
        }
    }

    fn test(&self, path: &Path, test: &Test) -> Lookup {
        match test {
            Test::Match(value) => values(path, std::slice::from_ref(value)),
            Test::Any(list) => values(path, list),
            Test::Except(list) => self.except(path, list),
            Test::Text(text) | Test::TextAny(text) | Test::Phrase(text) => self.text(path, test, text),
            Test::Range(bounds) => numbers(path, |place| place.numbers(bounds)),
            Test::DatetimeRange(bounds) => numbers(path, |place| place.dates(bounds)),
            Test::ValuesCount(bounds) => self.count(path, bounds),
            Test::GeoBox(_) | Test::GeoRadius(_) | Test::GeoPolygon(_) => Lookup::at_most(places(path)),
            Test::IsEmpty(true) => self.not(present(path)),
            Test::IsEmpty(false) => present(path),
            Test::IsNull(true) => elements(path, |place| vec![place.null()]),
            Test::IsNull(false) => self.not(elements(path, |place| vec![place.null()])),
        }
    }

    /// Some value is none of the list. Surely so where there are values and none is listed; surely not where there can
    /// be but one value and it is listed.
    fn except(&self, path: &Path, list: &[MatchValue]) -> Lookup {
        let mut some = elements(path, |place| vec![place.one()]);
        let arrays = Place::of_elements(path);
        some = Lookup::or(vec![some, known(&arrays, vec![arrays.arrays(0, u32::MAX)])]);
        let least = Lookup::and(vec![some.clone(), self.not(values(path, list))]);
        let most = match path.steps().iter().all(|step| matches!(step, Step::Key(_))) {
            true => Lookup::and(vec![some, self.not(values_at(&[Place::of(path)], list))]),
            false => some,
        };
        Lookup::Between(least.into(), most.into())
    }

    fn count(&self, path: &Path, bounds: &Bounds<u64>) -> Lookup {
        let place = Place::of(path);
        let least = bounds.gte.unwrap_or(0).max(bounds.gt.map_or(0, |gt| gt.saturating_add(1)));
        let most = bounds.lte.unwrap_or(u64::MAX).min(bounds.lt.map_or(u64::MAX, |lt| lt.saturating_sub(1)));
        if least > most || bounds.lt == Some(0) || least > u32::MAX.into() {
            return Lookup::Nothing;
        }
        let mut ranges = vec![place.arrays(least as u32, most.min(u32::MAX.into()) as u32)];
        ranges.extend(bounds.contains(1).then(|| place.one()));
        if !bounds.contains(0) {
            return known(&place, ranges);
        }
        ranges.push(place.null());
        let missing = self.not(known(&place, vec![place.anything()]));
        Lookup::or(vec![known(&place, ranges), missing])
    }

    fn text(&self, path: &Path, test: &Test, text: &str) -> Lookup {
        let strings = || Lookup::at_most(elements(path, |place| vec![place.one()]));
        let Some(options) = self.rules.get(path) else { return strings() };
        let place = text_place(path);
        let indexed = place.exact() && path.steps().last() != Some(&Step::Each);
        if !indexed || self.terms.options(place.as_bytes()) != Some(options) {
            return strings();
        }
        let mut words = options.query_tokens(text);
        words.sort_unstable();
        words.dedup();
        let words: Vec<_> =
            words.into_iter().map(|word| Lookup::Word(place.as_bytes().to_vec(), word)).collect();
        match test {
            _ if words.is_empty() => Lookup::Nothing,
            Test::TextAny(_) => Lookup::or(words),
            Test::Phrase(_) if words.len() > 1 => Lookup::at_most(Lookup::and(words)),
            _ => Lookup::and(words),
        }
    }
}

/// The rows with these terms of a place, or a bound on them if the place is not exact.
fn known(place: &Place, ranges: Vec<TermRange>) -> Lookup {
    if place.exact() { Lookup::Terms(ranges) } else { Lookup::at_most(Lookup::Terms(ranges)) }
}

/// The rows with these terms for a value at the path or for an element of an array there.
fn elements(path: &Path, ranges: impl Fn(&Place) -> Vec<TermRange>) -> Lookup {
    let places = [Place::of(path), Place::of_elements(path)];
    let found = Lookup::Terms(places.iter().flat_map(ranges).collect());
    if places.iter().all(Place::exact) { found } else { Lookup::at_most(found) }
}

/// The rows with numbers in this interval at the path or in an array there.
fn numbers(path: &Path, interval: impl Fn(&Place) -> Option<Interval>) -> Lookup {
    let places = [Place::of(path), Place::of_elements(path)];
    let found: Vec<_> = places.iter().filter_map(interval).collect();
    match found.is_empty() {
        true => Lookup::Nothing,
        false if places.iter().all(Place::exact) => Lookup::Numbers(found),
        false => Lookup::at_most(Lookup::Numbers(found)),
    }
}

fn values(path: &Path, list: &[MatchValue]) -> Lookup {
    values_at(&[Place::of(path), Place::of_elements(path)], list)
}

/// The rows with one of the values at one of the places; those of values whose term is their own apart from others.
fn values_at(places: &[Place], list: &[MatchValue]) -> Lookup {
    let (mut exact, mut inexact) = (Vec::new(), Vec::new());
    for place in places {
        for value in list {
            let (term, own) = place.value(value);
            if own { exact.push(term) } else { inexact.push(term) }
        }
    }
    let mut parts = Vec::new();
    parts.extend((!exact.is_empty()).then_some(Lookup::Terms(exact)));
    parts.extend((!inexact.is_empty()).then_some(Lookup::at_most(Lookup::Terms(inexact))));
    Lookup::or(parts)
}

/// The rows that have a value at the path that is neither null nor an empty array.
fn present(path: &Path) -> Lookup {
    let place = Place::of(path);
    known(&place, vec![place.one(), place.arrays(1, u32::MAX)])
}

/// The rows that have something called `lat` in an object at the path, which a place has.
fn places(path: &Path) -> Lookup {
    let latitude = |path: &Path| {
        let steps = path.steps().iter().cloned().chain([Step::Key("lat".into())]);
        Place::of(&Path::from_steps(steps.collect())).one()
    };
    let mut elements = path.steps().to_vec();
    elements.push(Step::Each);
    Lookup::Terms(vec![latitude(path), latitude(&Path::from_steps(elements))])
}
