//! Does this row match? An answer for one row at a time, without the set of all that do.
//!
//! A walk through a graph asks of some hundred rows; making the set of those that match takes 1 ns for each of them,
//! which for a wide filter is longer than the walk. A range of ranked numbers ([`numbers`](super::numbers)) answers
//! for one row by one comparison, so it is kept as it is, and so is what combines such ranges. Anything else is a set,
//! made once: terms and words have no order by row, and what has to be looked up in payloads is looked up for all.
//!
//! A scan of what matches needs rows instead, of which [`Matcher::list`] makes no more than there are, and
//! [`Matcher::rows`] a set.
//!
//! Not here: the choice between walk and scan, and tombstones, which whoever asks brings along as the rows that live.

use super::{
    Filter,
    compile::{Compiled, Rows, resolve, run},
    lookup::Lookup,
    numbers::Span,
    terms::Terms,
    text::TextRules,
};
use crate::{bitmap::Bitmap, error::Result, point::Ordinal};

/// With fewer matching rows than one in so many, sorting their list costs less than a set of them.
const FEW: u32 = 512;

/// How much longer it takes to ask for a row's rank than to put a row into a set.
const ASK: usize = 4;

/// What a filter says of a segment's rows.
#[derive(Debug, Clone)]
pub enum Matcher<'a> {
    /// The rows that match.
    Rows(Bitmap),
    /// Those match that have a number in the span, which has ranks.
    Span(Span<'a>),
    /// Those match that the other does not let pass.
    Not(Box<Self>),
    /// Those match that all let pass.
    All(Vec<Self>),
    /// Those match that one lets pass.
    Any(Vec<Self>),
}

impl<'a> Matcher<'a> {
    /// What the filter says of these rows, where these paths have a text index.
    pub fn of(filter: &Filter, rules: &TextRules, terms: &Terms<'a>, rows: &Rows) -> Result<Self> {
        let lookup = Lookup::of(filter, rules, terms);
        if lookup.is_exact() {
            return Self::exactly(&lookup, terms, rows);
        }
        let compiled = run(&lookup, terms, rows)?;
        Ok(Self::Rows(resolve(filter, rules, compiled, rows)?))
    }

    /// The answers of an exact look-up.
    fn exactly(lookup: &Lookup, terms: &Terms<'a>, rows: &Rows) -> Result<Self> {
        let each = |parts: &[Lookup]| -> Result<Vec<Self>> {
            parts.iter().map(|part| Self::exactly(part, terms, rows)).collect()
        };
        Ok(match lookup {
            Lookup::Numbers(intervals) => {
                let spans = intervals.iter().map(|interval| terms.span(interval)).collect::<Option<Vec<_>>>();
                let mut spans = spans.unwrap_or_default();
                spans.retain(|span| !span.rows().is_empty());
                match spans[..] {
                    [span] if span.is_ranked() => Self::Span(span),
                    _ => Self::Rows(terms.rows_within(intervals)),
                }
            }
            Lookup::Not(other) => Self::Not(Self::exactly(other, terms, rows)?.into()),
            Lookup::Or(parts) => Self::Any(each(parts)?),
            Lookup::And(parts) => {
                let mut parts = each(parts)?;
                parts.sort_by_key(Self::most);
                Self::All(parts)
            }
            other => {
                let Compiled { sure, .. } = run(other, terms, rows)?;
                Self::Rows(sure)
            }
        })
    }

    /// Whether a row is answered for by its rank alone, and how many match is known without looking.
    pub fn is_lazy(&self) -> bool {
        match self {
            Self::Span(_) => true,
            Self::Not(other) => other.is_lazy(),
            _ => false,
        }
    }

    /// Whether the row matches.
    #[inline]
    pub fn contains(&self, row: Ordinal) -> bool {
        match self {
            Self::Rows(rows) => rows.contains(row),
            Self::Span(span) => span.contains(row),
            Self::Not(other) => !other.contains(row),
            Self::All(parts) => parts.iter().all(|part| part.contains(row)),
            Self::Any(parts) => parts.iter().any(|part| part.contains(row)),
        }
    }

    /// The rows among these that match.
    pub fn rows(&self, among: &Bitmap) -> Bitmap {
        match self {
            Self::Rows(rows) => rows.and(among),
            Self::Span(span) if among.count() as usize * ASK < span.rows().len() => {
                let mut rows = among.to_list();
                rows.retain(|row| span.contains(*row));
                Bitmap::from_list(among.rows(), &rows)
            }
            Self::Span(span) => Bitmap::from_list(among.rows(), span.rows()).and(among),
            Self::Not(other) => among.and_not(&other.rows(among)),
            Self::All(parts) => parts.iter().fold(among.clone(), |among, part| part.rows(&among)),
            Self::Any(parts) => parts
                .iter()
                .fold(Bitmap::new(among.rows()), |any, part| any.or(&part.rows(&among.and_not(&any)))),
        }
    }

    /// The rows among these that match, ascending.
    pub fn list(&self, among: &Bitmap) -> Vec<Ordinal> {
        let few = self.most() < among.rows() / FEW;
        let Some(mut rows) = self.few().filter(|_| few) else { return self.rows(among).to_list() };
        rows.retain(|row| among.contains(*row));
        rows.sort_unstable();
        rows.dedup();
        rows
    }

    /// How many rows among these match.
    pub fn count(&self, among: &Bitmap) -> u32 {
        match self {
            Self::Span(span) if among.count() == among.rows() => span.rows().len() as u32,
            Self::Span(span) => span.rows().iter().filter(|row| among.contains(**row)).count() as u32,
            _ => self.rows(among).count(),
        }
    }

    /// No more rows than these match.
    fn most(&self) -> u32 {
        match self {
            Self::Rows(rows) => rows.count(),
            Self::Span(span) => span.rows().len() as u32,
            Self::Not(_) => u32::MAX,
            Self::All(parts) => parts.iter().map(Self::most).min().unwrap_or(u32::MAX),
            Self::Any(parts) => parts.iter().fold(0, |most: u32, part| most.saturating_add(part.most())),
        }
    }

    /// The rows that match, in any order, if they can be listed.
    fn few(&self) -> Option<Vec<Ordinal>> {
        match self {
            Self::Rows(rows) => Some(rows.to_list()),
            Self::Span(span) => Some(span.rows().to_vec()),
            Self::Not(_) => None,
            Self::All(parts) => {
                let (first, others) = parts.split_first()?;
                let mut rows = first.few()?;
                rows.retain(|row| others.iter().all(|part| part.contains(*row)));
                Some(rows)
            }
            Self::Any(parts) => {
                let lists: Option<Vec<_>> = parts.iter().map(Self::few).collect();
                Some(lists?.concat())
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::filter::{
        Bounds,
        numbers::Builder,
        term::{Entry, Place, entries, key_after},
    };

    const ROWS: u32 = 20_000;

    #[test]
    fn a_short_list_is_as_exact_as_a_set() {
        let mut builder = Builder::default();
        for row in 0..ROWS {
            let payload = json!({"n": (row * 7919) % ROWS}).as_object().unwrap().clone();
            entries(&payload, &mut |entry| {
                if let Entry::Number(term, series) = entry {
                    let (series, key) = key_after(term, series).unwrap();
                    builder.add(series, key, row);
                }
            });
        }
        let (numbers, place) = (builder.finish(ROWS), Place::of(&"n".parse().unwrap()));
        let between = |low, high| {
            let span = numbers.find(&place.numbers(&Bounds::between(low, high)).unwrap());
            assert!(span.is_ranked());
            Matcher::Span(span)
        };
        let even = || Matcher::Rows(Bitmap::from_ordinals(ROWS, (0..ROWS).filter(|row| row % 2 == 0)));
        let live = Bitmap::from_ordinals(ROWS, (0..ROWS).filter(|row| row % 5 != 0));
        for (matcher, short) in [
            (between(100.0, 119.0), true),
            (Matcher::All(vec![between(100.0, 119.0), even()]), true),
            (Matcher::Any(vec![between(100.0, 110.0), between(105.0, 119.0)]), true),
            (Matcher::All(vec![between(100.0, 119.0), Matcher::Not(Box::new(even()))]), true),
            (Matcher::All(vec![]), false),
            (Matcher::Not(Box::new(between(100.0, 119.0))), false),
            (between(0.0, 9_999.0), false),
        ] {
            assert_eq!(matcher.most() < ROWS / FEW, short, "{matcher:?}");
            let expected: Vec<u32> = live.iter().filter(|row| matcher.contains(*row)).collect();
            assert!(!expected.is_empty());
            assert_eq!(matcher.list(&live), expected, "{matcher:?}");
            assert_eq!(matcher.rows(&live).iter().collect::<Vec<_>>(), expected, "{matcher:?}");
            assert_eq!(matcher.count(&live) as usize, expected.len());
        }
    }
}
