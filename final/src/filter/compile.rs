//! Which rows does a filter accept? It runs the look-ups, and then looks at the rows that they leave open.
//!
//! [`run`] gives two sets, the rows that surely match and those that may; most filters are all in the terms, and the
//! two are one. [`resolve`] reads the payloads of the rows between. An index that lacked terms would make more rows
//! open, never an answer wrong.
//!
//! Not here: tombstones. A dead row may be accepted; whoever asks takes the dead away.

use std::borrow::Cow;

use super::{Document, Filter, lookup::Lookup, terms::Terms, text::TextRules};
use crate::{
    bitmap::Bitmap,
    error::Result,
    point::{Ordinal, Payload, PointId},
};

/// What a segment knows besides its terms.
#[derive(Clone, Copy)]
pub struct Rows<'a> {
    /// The row of a point, if it is in this segment.
    pub ordinal_of: &'a dyn Fn(&PointId) -> Option<Ordinal>,
    /// The id of a row.
    pub id_of: &'a dyn Fn(Ordinal) -> PointId,
    /// The rows that have a vector of a name.
    pub with_vector: &'a dyn Fn(&str) -> Bitmap,
    /// The payload of a row.
    pub payload_of: &'a dyn Fn(Ordinal) -> Result<Cow<'a, Payload>>,
}

/// What look-ups say of a filter.
#[derive(Debug, Clone, PartialEq)]
pub struct Compiled {
    /// The rows that match for certain; all of them are in `maybe`.
    pub sure: Bitmap,
    /// The rows that may match; no others do.
    pub maybe: Bitmap,
}

impl Compiled {
    fn exactly(rows: Bitmap) -> Self {
        Self { sure: rows.clone(), maybe: rows }
    }

    fn combine(self, other: &Self, op: impl Fn(&Bitmap, &Bitmap) -> Bitmap) -> Self {
        if self.open() == 0 && other.open() == 0 {
            return Self::exactly(op(&self.sure, &other.sure));
        }
        Self { sure: op(&self.sure, &other.sure), maybe: op(&self.maybe, &other.maybe) }
    }

    /// How many rows have to be looked at.
    pub fn open(&self) -> u32 {
        self.maybe.count() - self.sure.count()
    }
}

/// The rows that match the filter, where these paths have a text index.
pub fn matching(filter: &Filter, rules: &TextRules, terms: &Terms, rows: &Rows) -> Result<Bitmap> {
    let compiled = run(&Lookup::of(filter, rules, terms), terms, rows)?;
    resolve(filter, rules, compiled, rows)
}

/// Runs a look-up.
pub fn run(lookup: &Lookup, terms: &Terms, rows: &Rows) -> Result<Compiled> {
    let count = terms.rows();
    Ok(match lookup {
        Lookup::All => Compiled::exactly(Bitmap::full(count)),
        Lookup::Nothing => Compiled::exactly(Bitmap::new(count)),
        Lookup::Terms(ranges) => Compiled::exactly(terms.rows_in(ranges)?),
        Lookup::Numbers(intervals) => Compiled::exactly(terms.rows_within(intervals)),
        Lookup::Word(place, word) => {
            let mut found = Vec::new();
            terms.word(place, word, &mut |row, _| found.push(row))?;
            Compiled::exactly(Bitmap::from_list(count, &found))
        }
        Lookup::Ids(ids) => {
            let found = ids.iter().filter_map(rows.ordinal_of).filter(|row| *row < count);
            Compiled::exactly(Bitmap::from_ordinals(count, found))
        }
        Lookup::Vector(name) => Compiled::exactly((rows.with_vector)(name)),
        Lookup::Not(other) => {
            let other = run(other, terms, rows)?;
            Compiled { sure: other.maybe.complement(), maybe: other.sure.complement() }
        }
        Lookup::And(parts) => {
            let mut all = Compiled::exactly(Bitmap::full(count));
            for part in parts {
                if !all.maybe.is_empty() {
                    all = all.combine(&run(part, terms, rows)?, Bitmap::and);
                }
            }
            all
        }
        Lookup::Or(parts) => {
            let mut any = Compiled::exactly(Bitmap::new(count));
            for part in parts {
                any = any.combine(&run(part, terms, rows)?, Bitmap::or);
            }
            any
        }
        Lookup::AtLeast(least, parts) => {
            let parts = parts.iter().map(|part| run(part, terms, rows)).collect::<Result<Vec<_>>>()?;
            let sure = at_least(*least, count, parts.iter().map(|part| &part.sure));
            Compiled { sure, maybe: at_least(*least, count, parts.iter().map(|part| &part.maybe)) }
        }
        Lookup::Between(least, most) => {
            Compiled { sure: run(least, terms, rows)?.sure, maybe: run(most, terms, rows)?.maybe }
        }
    })
}

/// The rows that are in so many of the sets.
fn at_least<'a>(least: usize, rows: u32, sets: impl Iterator<Item = &'a Bitmap>) -> Bitmap {
    let mut counts = vec![0usize; rows as usize];
    sets.for_each(|set| set.iter().for_each(|row| counts[row as usize] += 1));
    Bitmap::from_ordinals(rows, (0..rows).filter(|row| counts[*row as usize] >= least))
}

/// The sure rows, and those of the open ones whose document matches.
pub fn resolve(filter: &Filter, rules: &TextRules, compiled: Compiled, rows: &Rows) -> Result<Bitmap> {
    if compiled.open() == 0 {
        return Ok(compiled.sure);
    }
    let (open, mut found) = (compiled.maybe.and_not(&compiled.sure), Vec::new());
    for row in open.iter() {
        let payload = (rows.payload_of)(row)?;
        let has_vector = |name: &str| (rows.with_vector)(name).contains(row);
        let document = Document { id: (rows.id_of)(row), payload: &payload, has_vector: &has_vector };
        if filter.matches(&document, rules) {
            found.push(row);
        }
    }
    Ok(compiled.sure.or(&Bitmap::from_list(open.rows(), &found)))
}
