//! How many rows will a filter accept? A guess from how many rows each term has, before any rows are counted.
//!
//! The planner needs it to choose between filtering first and walking the graph. The bounds are certain; the expected
//! number takes conditions for independent of each other, which they often are not, and half of what a look-up leaves
//! open for matching. A range of numbers is counted exactly where no row has two.
//!
//! Not here: tombstones, as everywhere in this layer.

use super::{compile::Rows, lookup::Lookup, postings::Counts, terms::Terms};
use crate::error::Result;

/// How many rows of a segment match.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Estimate {
    /// No fewer than these.
    pub min: u32,
    /// About so many.
    pub expected: f64,
    /// No more than these.
    pub max: u32,
}

impl Estimate {
    fn exactly(rows: u32) -> Self {
        Self { min: rows, expected: f64::from(rows), max: rows }
    }

    /// An estimate whose expectation is no further out than its bounds.
    fn within(min: u32, expected: f64, max: u32) -> Self {
        Self { min, expected: expected.clamp(f64::from(min), f64::from(max)), max }
    }

    fn not(self, rows: u32) -> Self {
        Self { min: rows - self.max, expected: f64::from(rows) - self.expected, max: rows - self.min }
    }
}

/// Estimates how many of a segment's rows a look-up finds.
pub fn estimate(lookup: &Lookup, terms: &Terms, rows: &Rows) -> Result<Estimate> {
    let count = terms.rows();
    let each =
        |parts: &[Lookup]| parts.iter().map(|part| estimate(part, terms, rows)).collect::<Result<Vec<_>>>();
    Ok(match lookup {
        Lookup::All => Estimate::exactly(count),
        Lookup::Nothing => Estimate::exactly(0),
        Lookup::Terms(ranges) => sum(ranges.iter().map(|range| terms.count(range)), count)?,
        Lookup::Numbers(intervals) => {
            sum(intervals.iter().map(|interval| Ok(terms.count_within(interval))), count)?
        }
        Lookup::Word(place, word) => Estimate::exactly(terms.count_word(place, word)? as u32),
        Lookup::Ids(ids) => {
            let mut found: Vec<_> =
                ids.iter().filter_map(rows.ordinal_of).filter(|row| *row < count).collect();
            found.sort_unstable();
            found.dedup();
            Estimate::exactly(found.len() as u32)
        }
        Lookup::Vector(name) => Estimate::exactly((rows.with_vector)(name).count()),
        Lookup::Not(other) => estimate(other, terms, rows)?.not(count),
        Lookup::And(parts) => all_of(&each(parts)?, count),
        Lookup::Or(parts) => {
            let none: Vec<_> = each(parts)?.into_iter().map(|part| part.not(count)).collect();
            all_of(&none, count).not(count)
        }
        Lookup::AtLeast(least, parts) => at_least(*least, &each(parts)?, count),
        Lookup::Between(least, most) => {
            let (least, most) = (estimate(least, terms, rows)?, estimate(most, terms, rows)?);
            Estimate::within(least.min, (least.expected + most.expected) / 2.0, most.max)
        }
    })
}

/// The rows of one of several lists, of which only the lengths are known.
fn sum(counts: impl Iterator<Item = Result<Counts>>, rows: u32) -> Result<Estimate> {
    let mut sum = Counts::default();
    for one in counts {
        let Counts { least, most } = one?;
        sum = Counts { least: sum.least.max(least), most: sum.most + most };
    }
    let max = sum.most.min(rows.into()) as u32;
    Ok(Estimate::within(sum.least as u32, f64::from(max), max))
}

/// The rows in all parts: shares multiply.
fn all_of(parts: &[Estimate], rows: u32) -> Estimate {
    let max = parts.iter().map(|part| part.max).min().unwrap_or(rows);
    let lacking: u64 = parts.iter().map(|part| u64::from(rows - part.min)).sum();
    let min = u64::from(rows).saturating_sub(lacking) as u32;
    let total = f64::from(rows.max(1));
    Estimate::within(min, parts.iter().map(|part| part.expected / total).product::<f64>() * total, max)
}

/// The rows in so many parts. Counted as parts go by: what share of the rows is in none of them, in one, and so on.
fn at_least(least: usize, parts: &[Estimate], rows: u32) -> Estimate {
    if least == 0 || least > parts.len() {
        return Estimate::exactly(if least == 0 { rows } else { 0 });
    }
    let mut shares = vec![1.0];
    for part in parts {
        let share = part.expected / f64::from(rows.max(1));
        shares.push(0.0);
        for hits in (0..shares.len()).rev() {
            let before = if hits > 0 { shares[hits - 1] } else { 0.0 };
            shares[hits] = shares[hits] * (1.0 - share) + before * share;
        }
    }
    let expected = shares[least..].iter().sum::<f64>() * f64::from(rows);
    // Each row that matches takes up `least` of all hits; each that does not, at most `least - 1`.
    let most: u64 = parts.iter().map(|part| u64::from(part.max)).sum();
    let fewest: u64 = parts.iter().map(|part| u64::from(part.min)).sum();
    let spare = fewest.saturating_sub((least as u64 - 1) * u64::from(rows));
    let min = spare.div_ceil((parts.len() - least + 1) as u64) as u32;
    Estimate::within(min, expected, (most / least as u64).min(rows.into()) as u32)
}
