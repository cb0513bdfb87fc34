//! The nearest rows seen so far, nearest first, and which of them have been expanded.
//!
//! An entry is one number: the distance's bits, so arranged that they sort as distances do, then the row, then whether
//! it has been expanded. Inserting is a binary search and a move of some hundred bytes, which at the widths of walks
//! beats a heap. A row takes 31 bits, which is why no graph has more rows.

use crate::{point::Ordinal, vector::topk::canonical};

/// A graph has at most this many rows.
pub(super) const MAX_ROWS: u32 = 1 << 31;

/// The lowest bit of an entry.
const EXPANDED: u64 = 1;

/// The nearest `width` rows offered so far.
#[derive(Default)]
pub(super) struct Beam {
    width: usize,
    entries: Vec<u64>,
    /// Entries before this one are expanded.
    next: usize,
}

impl Beam {
    /// Forgets everything; the nearest `width` rows will be kept.
    pub(super) fn start(&mut self, width: usize) {
        self.entries.clear();
        self.resize(width);
    }

    /// From now on the nearest `width` are kept; all of them will be expanded again.
    pub(super) fn restart(&mut self, width: usize) {
        self.entries.iter_mut().for_each(|entry| *entry &= !EXPANDED);
        self.resize(width);
    }

    /// From now on the nearest `width` are kept.
    pub(super) fn resize(&mut self, width: usize) {
        self.entries.truncate(width);
        self.width = width;
        self.next = 0;
    }

    /// What a distance must be below, for its row to be kept.
    #[inline]
    pub(super) fn bound(&self) -> f32 {
        match self.entries.get(self.width - 1) {
            Some(farthest) => distance(*farthest),
            None => f32::INFINITY,
        }
    }

    /// Keeps the row if it is among the nearest. A tie with the farthest changes nothing when the beam is full: a walk
    /// that came upon thousands of duplicates would go through all of them.
    #[inline]
    pub(super) fn offer(&mut self, distance: f32, row: Ordinal) {
        let distance = sortable(canonical(distance));
        if self.entries.len() == self.width {
            match self.entries.last() {
                Some(farthest) if distance < farthest >> 32 => self.entries.pop(),
                _ => return,
            };
        }
        let entry = distance << 32 | u64::from(row) << 1;
        let at = self.entries.partition_point(|&other| other < entry);
        self.entries.insert(at, entry);
        self.next = self.next.min(at);
    }

    /// Keeps those of several rows, each of them below [`Beam::bound`], that are among the nearest: sorted, then merged
    /// from the far end, so that the entries move once and not once for each.
    #[inline]
    pub(super) fn offer_all(&mut self, offers: &mut [Offer]) {
        offers.sort_unstable();
        let (mut old, mut new) = (self.entries.len(), offers.len());
        let all = old + new;
        self.entries.resize(all.min(self.width), 0);
        for place in (0..all).rev() {
            let Some(offer) = new.checked_sub(1).map(|last| offers[last].0) else { break };
            let entry = match old.checked_sub(1).map(|last| self.entries[last]) {
                Some(entry) if entry > offer => {
                    old -= 1;
                    entry
                }
                _ => {
                    new -= 1;
                    self.next = self.next.min(place);
                    offer
                }
            };
            if let Some(kept) = self.entries.get_mut(place) {
                *kept = entry;
            }
        }
    }

    /// The nearest row not expanded yet, which now is.
    #[inline]
    pub(super) fn expand_next(&mut self) -> Option<Ordinal> {
        while let Some(entry) = self.entries.get_mut(self.next) {
            self.next += 1;
            if *entry & EXPANDED == 0 {
                *entry |= EXPANDED;
                return Some(row_of(*entry));
            }
        }
        None
    }

    /// The place of the row that was expanded last, counted from the nearest.
    #[inline]
    pub(super) fn place(&self) -> usize {
        self.next
    }

    /// The row that would be expanded next.
    #[inline]
    pub(super) fn next(&self) -> Option<Ordinal> {
        let waiting =
            self.entries[self.next.min(self.entries.len())..].iter().find(|&entry| entry & EXPANDED == 0);
        waiting.map(|&entry| row_of(entry))
    }

    /// The rows kept, nearest first.
    pub(super) fn iter(&self) -> impl Iterator<Item = (f32, Ordinal)> + '_ {
        self.entries.iter().map(|&entry| (distance(entry), row_of(entry)))
    }
}

/// A row to be offered to a beam.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Offer(u64);

impl Offer {
    /// At this distance.
    #[inline]
    pub(super) fn new(distance: f32, row: Ordinal) -> Self {
        Self(sortable(canonical(distance)) << 32 | u64::from(row) << 1)
    }
}

#[inline]
fn row_of(entry: u64) -> Ordinal {
    entry as u32 >> 1
}

#[inline]
fn distance(entry: u64) -> f32 {
    let bits = (entry >> 32) as u32;
    f32::from_bits(if bits >> 31 == 1 { bits ^ 1 << 31 } else { !bits })
}

/// The bits of a distance, changed so that they compare as numbers do: negative ones are turned round and come first.
#[inline]
fn sortable(distance: f32) -> u64 {
    let bits = distance.to_bits();
    u64::from(if bits >> 31 == 1 { !bits } else { bits ^ 1 << 31 })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn distances_sort_as_numbers_and_come_back() {
        let ascending =
            [f32::NEG_INFINITY, -1e30, -1.0, -1e-40, 0.0, 1e-40, 1.0, 1e30, f32::INFINITY, f32::NAN];
        let entries = ascending.map(|distance| Offer::new(distance, 7).0);
        assert!(entries.is_sorted() && entries.map(row_of) == [7; 10]);
        assert_eq!(format!("{:?}", entries.map(distance)), format!("{ascending:?}"));
        assert!(Offer::new(f32::MAX, 0).0 < Offer::new(-f32::NAN, 0).0);
        assert_eq!(row_of(Offer::new(-1.0, MAX_ROWS - 1).0), MAX_ROWS - 1);
    }

    proptest! {
        /// Many at once or one after the other, with rows expanded in between.
        #[test]
        fn offering_all_is_offering_each(
            width in 1..12usize,
            batches in proptest::collection::vec(proptest::collection::vec((0..9u8, 0..30u32), 0..20), 0..6),
        ) {
            let (mut one, mut all) = (Beam::default(), Beam::default());
            one.start(width);
            all.start(width);
            for batch in batches {
                let mut sorted = batch.clone();
                // A tie with the farthest changes nothing when the beam is full, so the order of equals would.
                sorted.sort_unstable();
                sorted.iter().for_each(|&(distance, row)| one.offer(distance.into(), row));
                let mut offers: Vec<Offer> =
                    batch.iter().map(|&(distance, row)| Offer::new(distance.into(), row)).collect();
                let bound = all.bound();
                offers.retain(|offer| distance(offer.0) < bound);
                all.offer_all(&mut offers);
                prop_assert_eq!(one.bound(), all.bound());
                let distances = |beam: &Beam| beam.iter().map(|entry| entry.0).collect::<Vec<_>>();
                prop_assert_eq!(distances(&one), distances(&all));
                let nearest = all.entries.iter().find(|&entry| entry & EXPANDED == 0).map(|&entry| row_of(entry));
                prop_assert_eq!(all.expand_next(), nearest);
            }
        }
    }
}
