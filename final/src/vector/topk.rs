//! The k nearest of many, without sorting the many.
//!
//! A binary heap with the *farthest* of the kept ones on top: a newcomer is compared with the top alone, and most go
//! no further. The order is total, first by distance and then by item, so a result never depends on the order in
//! which rows were looked at or segments were merged. A distance that is not a number comes last.
//!
//! Not here: taking out the nearest first; the graph's walk has its own beam.

use std::cmp::Ordering;

/// The k nearest items pushed so far, by (distance, item).
///
/// The item is an ordinal within a segment, or a pair (segment, ordinal) where segments are merged.
#[derive(Debug, Clone)]
pub struct TopK<T> {
    k: usize,
    heap: Vec<(f32, T)>,
}

impl<T: Ord + Copy> TopK<T> {
    /// Keeps `k` items; none at all for 0.
    pub fn new(k: usize) -> Self {
        Self { k, heap: Vec::new() }
    }

    /// Keeps the item if it is among the k nearest so far; says whether it is.
    #[inline]
    pub fn push(&mut self, distance: f32, item: T) -> bool {
        let entry = (canonical(distance), item);
        if self.heap.len() < self.k {
            self.heap.push(entry);
            self.rise(self.heap.len() - 1);
            return true;
        }
        match self.heap.first() {
            Some(farthest) if compare(&entry, farthest).is_lt() => {
                self.heap[0] = entry;
                self.sink(0, self.heap.len());
                true
            }
            _ => false,
        }
    }

    /// No distance above this will be kept: infinity until there are k items.
    #[inline]
    pub fn threshold(&self) -> f32 {
        match self.heap.first() {
            _ if self.heap.len() < self.k => f32::INFINITY,
            Some(farthest) => farthest.0,
            None => f32::NEG_INFINITY,
        }
    }

    /// How many items are kept.
    pub fn len(&self) -> usize {
        self.heap.len()
    }

    /// Whether no item is kept.
    pub fn is_empty(&self) -> bool {
        self.heap.is_empty()
    }

    /// The kept items, nearest first: a heap sort in place.
    pub fn into_sorted(mut self) -> Vec<(f32, T)> {
        for end in (1..self.heap.len()).rev() {
            self.heap.swap(0, end);
            self.sink(0, end);
        }
        self.heap
    }

    /// Moves an entry up until its parent is farther than it.
    fn rise(&mut self, mut at: usize) {
        while at > 0 {
            let parent = (at - 1) / 2;
            if compare(&self.heap[at], &self.heap[parent]).is_le() {
                return;
            }
            self.heap.swap(at, parent);
            at = parent;
        }
    }

    /// Moves an entry down, among the first `end`, until both its children are nearer than it.
    fn sink(&mut self, mut at: usize, end: usize) {
        loop {
            let (left, right) = (2 * at + 1, 2 * at + 2);
            if left >= end {
                return;
            }
            let right_is_farther = right < end && compare(&self.heap[right], &self.heap[left]).is_gt();
            let child = if right_is_farther { right } else { left };
            if compare(&self.heap[child], &self.heap[at]).is_le() {
                return;
            }
            self.heap.swap(at, child);
            at = child;
        }
    }
}

/// By distance, then by item.
#[inline]
fn compare<T: Ord>(a: &(f32, T), b: &(f32, T)) -> Ordering {
    a.0.total_cmp(&b.0).then_with(|| a.1.cmp(&b.1))
}

/// One NaN, the one that sorts last: arithmetic makes them with either sign.
#[inline]
pub(crate) fn canonical(distance: f32) -> f32 {
    if distance.is_nan() { f32::NAN } else { distance }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn distances() -> impl Strategy<Value = f32> {
        prop_oneof![
            8 => (0..20u8).prop_map(f32::from),
            1 => Just(f32::INFINITY),
            1 => prop_oneof![Just(f32::NAN), Just(-f32::NAN), Just(-0.0), Just(f32::NEG_INFINITY)],
        ]
    }

    proptest! {
        #[test]
        fn agrees_with_sorting(
            mut all in proptest::collection::vec((distances(), (0..3u32, 0..50u32)), 0..100),
            k in 0..30usize,
        ) {
            let mut top = TopK::new(k);
            for &(distance, item) in &all {
                let (full, threshold) = (top.len() == k, top.threshold());
                let kept = top.push(distance, item);
                prop_assert!(kept || full);
                prop_assert!(!(kept && distance > threshold));
            }
            let found = top.into_sorted();
            all.iter_mut().for_each(|entry| entry.0 = canonical(entry.0));
            all.sort_by(compare);
            all.truncate(k);
            prop_assert_eq!(format!("{found:?}"), format!("{all:?}"));
        }
    }

    #[test]
    fn not_a_number_comes_last_whatever_its_sign() {
        let mut top = TopK::new(2);
        for (row, distance) in [-f32::NAN, 3.0, f32::NAN, f32::INFINITY].into_iter().enumerate() {
            top.push(distance, row);
        }
        assert_eq!(top.into_sorted(), [(3.0, 1), (f32::INFINITY, 3)]);
    }

    #[test]
    fn zero_keeps_nothing() {
        let mut top = TopK::new(0);
        assert!(!top.push(f32::NEG_INFINITY, 1) && top.threshold() == f32::NEG_INFINITY);
        assert!(top.is_empty() && top.into_sorted().is_empty());
    }
}
