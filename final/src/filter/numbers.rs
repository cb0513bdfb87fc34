//! Which rows have a number in a range? Numbers in order, and for each row its rank in that order.
//!
//! The numbers of one place are a *series*, and so are its dates. A series is its values as sortable keys
//! ([`term`](super::term)), ascending, and the row of each. A range of values is then two binary searches; the rows
//! between are a slice, so they are counted before any is looked at. Where no row has two values, each row also has a
//! rank, the position of its value, and whether the row is in the range is one comparison ([`Span::contains`]): a walk
//! that looks at some hundred rows need not know the other thousands.
//!
//! | section | what |
//! |--:|---|
//! | first | the keys of all series, one series behind the other, `u64` |
//! | first + 1 | the row of each, `u32` |
//! | first + 2 | the ranks, `u32` for each row of the segment, of each series that has them; [`NONE`] without a value |
//!
//! That is 12 bytes for a value, and 4 for a row that may have one. A series that fewer than one row in [`SPARSE`] has
//! goes without ranks, which would be mostly empty: its slices are short. The lengths stand in a list of [`Entry`]s that
//! is kept elsewhere. A row of a span takes 1 ns to put into a set, and one comparison takes 3 to 7 ns.
//!
//! Rejected: terms in an inverted index, each value in full and shortened (Schindler and Diepenbroek 2008, the trie
//! ranges of Lucene), which the first version of the file had. A range was a handful of short terms and some thousand
//! long ones at its edges: 10 to 40 ns a row, no count without reading, and no answer for one row.
//!
//! Not here: integers to compare for equality. They are terms, since 1 and 1.0 have one key.

use std::{collections::BTreeMap, ops::Range};

use serde::{Deserialize, Serialize};

use super::{postings::Counts, term::Interval};
use crate::{
    disk::{
        Slice,
        format::{File, FileWriter},
    },
    error::{Error, Result},
    point::Ordinal,
};

/// The rank of a row that has no value.
pub const NONE: u32 = u32::MAX;

/// One row in so many must have a value for ranks to be kept.
const SPARSE: usize = 8;

/// The numbers and dates of a segment.
#[derive(Debug, Default)]
pub struct Numbers {
    keys: Slice<u64>,
    rows: Slice<Ordinal>,
    ranks: Slice<u32>,
    series: BTreeMap<Vec<u8>, Series>,
}

/// Where a series stands.
#[derive(Debug)]
struct Series {
    values: Range<usize>,
    ranks: Option<Range<usize>>,
    /// Whether a row has more than one value.
    many: bool,
}

/// A series as a file lists it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Entry {
    /// The bytes that its terms start with.
    series: Vec<u8>,
    values: usize,
    ranked: bool,
    many: bool,
}

/// Consecutive values of a series.
#[derive(Debug, Clone, Copy)]
pub struct Span<'a> {
    rows: &'a [Ordinal],
    /// Every row's rank in the series, and the first rank here.
    ranks: Option<(&'a [u32], u32)>,
    many: bool,
}

impl<'a> Span<'a> {
    /// The row of each value, by value; those of equal values ascend. A row with many values may come again.
    pub fn rows(&self) -> &'a [Ordinal] {
        self.rows
    }

    /// Whether every row's rank is known, so that [`Span::contains`] may be asked.
    pub fn is_ranked(&self) -> bool {
        self.ranks.is_some()
    }

    /// Whether the row has one of the values; never so if no ranks are known.
    #[inline]
    pub fn contains(&self, row: Ordinal) -> bool {
        self.ranks.is_some_and(|(ranks, first)| {
            let rank = ranks.get(row as usize).copied().unwrap_or(NONE);
            rank != NONE && (rank.wrapping_sub(first) as usize) < self.rows.len()
        })
    }

    /// How many rows have one of the values: exactly, if none has two.
    pub fn count(&self) -> Counts {
        let most = self.rows.len() as u64;
        Counts { least: if self.many { most.min(1) } else { most }, most }
    }
}

impl Numbers {
    /// The values within an interval.
    pub fn find(&self, interval: &Interval) -> Span<'_> {
        let Some(series) = self.series.get(&interval.series) else {
            return Span { rows: &[], ranks: None, many: false };
        };
        let (keys, rows) = (&self.keys[series.values.clone()], &self.rows[series.values.clone()]);
        let from = keys.partition_point(|key| *key < interval.low);
        let to = from + keys[from..].partition_point(|key| *key <= interval.high);
        let ranks = series.ranks.as_ref().map(|ranks| (&self.ranks[ranks.clone()], from as u32));
        Span { rows: &rows[from..to], ranks, many: series.many }
    }

    /// Opens the numbers of so many rows that were written from section `first` on, with this list of series.
    /// [`Error::Corrupt`] if the sections are not of this list, values are not in order, or there is no such row.
    pub fn open(file: &File, first: u32, list: Vec<Entry>, rows: u32) -> Result<Self> {
        let mut numbers = Self {
            keys: file.section(first)?,
            rows: file.section(first + 1)?,
            ranks: file.section(first + 2)?,
            series: BTreeMap::new(),
        };
        let wrong = |what: &str| Error::corrupt(format!("the list of numbers: {what}"));
        let (mut values, mut ranks) = (0usize, 0usize);
        for Entry { series, values: count, ranked, many } in list {
            let end = values.checked_add(count).filter(|end| *end <= numbers.keys.len());
            let end = end.ok_or_else(|| wrong("it has more values than the file"))?;
            if !numbers.keys[values..end].is_sorted() {
                return Err(wrong("values are not in order"));
            }
            let ranks_end = ranks + if ranked { rows as usize } else { 0 };
            if ranks_end > numbers.ranks.len() {
                return Err(wrong("it has more ranks than the file"));
            }
            let entry = Series { values: values..end, ranks: ranked.then_some(ranks..ranks_end), many };
            numbers.series.insert(series, entry);
            (values, ranks) = (end, ranks_end);
        }
        if [numbers.keys.len(), numbers.rows.len()] != [values; 2] || numbers.ranks.len() != ranks {
            return Err(wrong("it has fewer values than the file, or ranks"));
        }
        if numbers.rows.iter().any(|row| *row >= rows) {
            return Err(wrong("a value is of a row that does not exist"));
        }
        Ok(numbers)
    }

    /// Writes the sections, from `first` on.
    pub fn write(&self, file: &mut FileWriter, first: u32) -> Result<()> {
        file.begin(first)?;
        file.write_slice(&self.keys)?;
        file.begin(first + 1)?;
        file.write_slice(&self.rows)?;
        file.begin(first + 2)?;
        file.write_slice(&self.ranks)
    }

    /// The list of series, in the order in which they are written.
    pub fn list(&self) -> Vec<Entry> {
        let entry = |(series, at): (&Vec<u8>, &Series)| Entry {
            series: series.clone(),
            values: at.values.len(),
            ranked: at.ranks.is_some(),
            many: at.many,
        };
        self.series.iter().map(entry).collect()
    }
}

/// Collects numbers row by row, or in any other order.
#[derive(Debug, Default)]
pub struct Builder(BTreeMap<Vec<u8>, Vec<(u64, Ordinal)>>);

impl Builder {
    /// Adds a value of a series.
    pub fn add(&mut self, series: &[u8], key: u64, row: Ordinal) {
        match self.0.get_mut(series) {
            Some(values) => values.push((key, row)),
            None => drop(self.0.insert(series.to_vec(), vec![(key, row)])),
        }
    }

    /// The numbers of a segment of so many rows.
    pub fn finish(self, rows: u32) -> Numbers {
        let (mut keys, mut owners, mut ranks) = (Vec::new(), Vec::new(), Vec::new());
        let mut series = BTreeMap::new();
        for (name, mut values) in self.0 {
            values.sort_unstable();
            values.dedup();
            let start = (keys.len(), ranks.len());
            keys.extend(values.iter().map(|(key, _)| *key));
            owners.extend(values.iter().map(|(_, row)| *row));
            let many = !push_ranks(&mut ranks, rows, &owners[start.0..]);
            if many || values.len() < rows as usize / SPARSE {
                ranks.truncate(start.1);
            }
            let ranked = (ranks.len() > start.1).then_some(start.1..ranks.len());
            series.insert(name, Series { values: start.0..keys.len(), ranks: ranked, many });
        }
        let (keys, rows) = (Slice::from_vec(keys), Slice::from_vec(owners));
        Numbers { keys, rows, ranks: Slice::from_vec(ranks), series }
    }
}

/// Appends the rank of each of so many rows; `false` if a row has two.
fn push_ranks(ranks: &mut Vec<u32>, rows: u32, owners: &[Ordinal]) -> bool {
    let start = ranks.len();
    ranks.resize(start + rows as usize, NONE);
    let mut ranked = (0..).zip(owners);
    ranked.all(|(rank, row)| std::mem::replace(&mut ranks[start + *row as usize], rank) == NONE)
}

#[cfg(test)]
mod tests;
