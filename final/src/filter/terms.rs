//! Where are a segment's terms? In the postings of its blocks while it is mutable, in one index when it is sealed.
//!
//! [`Terms`] asks either the same questions, so that nothing above knows which it is. A block's first row is the
//! segment's ordinal after the last row of the block before.

use std::collections::BTreeMap;

use super::{
    index::TermIndex,
    numbers::Span,
    postings::{Counts, Field, Occurrence, Postings},
    term::{Interval, TermRange},
    text::TextOptions,
};
use crate::{bitmap::Bitmap, error::Result, point::Ordinal};

/// So many terms of a range are counted one by one.
const COUNTED: usize = 1024;

/// The terms of one segment.
pub enum Terms<'a> {
    /// Of a mutable one: its blocks in order, each with the ordinal of its first row.
    Blocks(Vec<(Ordinal, &'a Postings)>),
    /// Of a sealed one.
    Index(&'a TermIndex),
}

impl<'a> Terms<'a> {
    /// The terms of these blocks, in order.
    pub fn of_blocks(blocks: impl IntoIterator<Item = &'a Postings>) -> Self {
        let mut rows = 0;
        let with_start = blocks.into_iter().map(|block| {
            let start = rows;
            rows += block.rows();
            (start, block)
        });
        Self::Blocks(with_start.collect())
    }

    /// How many rows the segment has.
    pub fn rows(&self) -> u32 {
        match self {
            Self::Blocks(blocks) => blocks.last().map_or(0, |(start, block)| start + block.rows()),
            Self::Index(index) => index.rows(),
        }
    }

    /// The rows that have a term in any of the ranges.
    pub fn rows_in(&self, ranges: &[TermRange]) -> Result<Bitmap> {
        let mut rows = Vec::new();
        for range in ranges {
            match self {
                Self::Blocks(blocks) => collect(blocks, range, &mut rows),
                Self::Index(index) => index.rows_in(range, &mut |found| rows.extend_from_slice(found))?,
            }
        }
        Ok(Bitmap::from_list(self.rows(), &rows))
    }

    /// The rows that have a number in any of the intervals.
    pub fn rows_within(&self, intervals: &[Interval]) -> Bitmap {
        let mut rows = Vec::new();
        match self {
            Self::Blocks(blocks) => {
                intervals.iter().for_each(|interval| collect(blocks, &interval.terms(), &mut rows));
            }
            Self::Index(index) => {
                let mut spans: Vec<_> =
                    intervals.iter().map(|interval| index.numbers().find(interval).rows()).collect();
                spans.retain(|span| !span.is_empty());
                if let [one] = spans[..] {
                    return Bitmap::from_list(self.rows(), one);
                }
                rows = spans.concat();
            }
        }
        Bitmap::from_list(self.rows(), &rows)
    }

    /// How many rows have a term of the range, without looking at them.
    pub fn count(&self, range: &TermRange) -> Result<Counts> {
        match self {
            Self::Blocks(blocks) => Ok(blocks.iter().map(|(_, block)| block.count(range, COUNTED)).sum()),
            Self::Index(index) => index.count(range, COUNTED),
        }
    }

    /// The numbers of the interval, where they are kept in order.
    pub fn span(&self, interval: &Interval) -> Option<Span<'a>> {
        match self {
            Self::Blocks(_) => None,
            Self::Index(index) => Some(index.numbers().find(interval)),
        }
    }

    /// How many rows have a number of the interval, without looking at them.
    pub fn count_within(&self, interval: &Interval) -> Counts {
        match self {
            Self::Blocks(blocks) => blocks.iter().map(|(_, block)| block.count_within(interval)).sum(),
            Self::Index(index) => index.numbers().find(interval).count(),
        }
    }

    /// Hands out the rows that have a word at a place, ascending, and how it occurs in each.
    pub fn word(&self, place: &[u8], word: &str, found: &mut dyn FnMut(Ordinal, Occurrence)) -> Result<()> {
        match self {
            Self::Blocks(blocks) => {
                for (start, block) in blocks {
                    block.word(place, word).for_each(|(row, occurrence)| found(start + row, occurrence));
                }
                Ok(())
            }
            Self::Index(index) => index.word(place, word, found),
        }
    }

    /// How many rows have a word at a place.
    pub fn count_word(&self, place: &[u8], word: &str) -> Result<u64> {
        match self {
            Self::Blocks(blocks) => {
                Ok(blocks.iter().map(|(_, block)| block.word(place, word).len() as u64).sum())
            }
            Self::Index(index) => index.count_word(place, word),
        }
    }

    /// The places whose words are indexed.
    pub fn fields(&self) -> BTreeMap<Vec<u8>, Field> {
        let mut fields = BTreeMap::new();
        match self {
            Self::Blocks(blocks) => {
                blocks.iter().for_each(|(_, block)| Field::add_all(&mut fields, block.fields()));
            }
            Self::Index(index) => Field::add_all(&mut fields, index.fields()),
        }
        fields
    }

    /// How the texts of a place were taken apart, if all its words are indexed and in one way.
    pub fn options(&self, place: &[u8]) -> Option<&TextOptions> {
        match self {
            Self::Blocks(blocks) => {
                let mut fields = blocks.iter().filter_map(|(_, block)| block.fields().get(place));
                let options = fields.next()?.options.as_ref();
                fields.all(|field| field.options.as_ref() == options).then_some(options)?
            }
            Self::Index(index) => index.fields().get(place)?.options.as_ref(),
        }
    }
}

/// Appends the rows of each term in the range; a row may come again.
fn collect(blocks: &[(Ordinal, &Postings)], range: &TermRange, rows: &mut Vec<Ordinal>) {
    for (start, block) in blocks {
        rows.extend(block.rows_in(range).iter().map(|row| start + row));
    }
}
