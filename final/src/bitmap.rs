//! Which rows of a segment? A set of ordinals that is cheap to copy.
//!
//! A bitmap over `rows` ordinals is cut into chunks of 4,096 bits, each behind an [`Arc`], and so is their list: a copy
//! is one counter's increment, and writing a bit copies the list and one chunk of 512 bytes. That is what makes a
//! published snapshot a value (a reader keeps its bits while the writer goes on with its own). A chunk without a bit
//! set is not stored, and where one side of an operation decides (an empty chunk, a full one), the chunk is shared.
//!
//! A set is built whole from its ordinals ([`Bitmap::from_list`]), at 1 to 1.5 ns each; one bit at a time
//! ([`Bitmap::insert`]) costs ten times as much, since each has to make sure that nobody shares its chunk.
//!
//! Not here: compression. A roaring bitmap is smaller on sparse sets of billions; segments have millions of rows.

use std::sync::{Arc, LazyLock};

use crate::point::Ordinal;

const WORDS: usize = 64;
const BITS: u32 = 64 * WORDS as u32;

/// With fewer ordinals than one in so many, sorting them costs less than walking through the words of all.
const SPARSE: u32 = 1024;

static ONES: LazyLock<Arc<Chunk>> =
    LazyLock::new(|| Arc::new(Chunk { ones: BITS, words: [u64::MAX; WORDS] }));

/// A copy-on-write set of ordinals below [`Bitmap::rows`].
#[derive(Clone, Default)]
pub struct Bitmap {
    rows: u32,
    ones: u32,
    chunks: Arc<[Option<Arc<Chunk>>]>,
}

/// The bits of 4,096 rows, and how many are set.
#[derive(Clone)]
struct Chunk {
    ones: u32,
    words: [u64; WORDS],
}

impl Chunk {
    /// The chunk of these words, if a bit is set in them.
    fn of(words: [u64; WORDS]) -> Option<Arc<Self>> {
        match words.iter().map(|word| word.count_ones()).sum() {
            0 => None,
            BITS => Some(ONES.clone()),
            ones => Some(Arc::new(Self { ones, words })),
        }
    }

    fn zip(&self, other: &Self, op: impl Fn(u64, u64) -> u64) -> Option<Arc<Self>> {
        Self::of(std::array::from_fn(|word| op(self.words[word], other.words[word])))
    }

    fn is_full(&self) -> bool {
        self.ones == BITS
    }
}

impl Bitmap {
    /// The empty set over `rows` ordinals.
    pub fn new(rows: u32) -> Self {
        Self { rows, ones: 0, chunks: vec![None; rows.div_ceil(BITS) as usize].into() }
    }

    /// The set of all `rows` ordinals.
    pub fn full(rows: u32) -> Self {
        let mut chunks = vec![Some(ONES.clone()); (rows / BITS) as usize];
        if !rows.is_multiple_of(BITS) {
            let mut last = ONES.words;
            clear_from(&mut last, rows % BITS);
            chunks.push(Chunk::of(last));
        }
        Self { rows, ones: rows, chunks: chunks.into() }
    }

    /// The set of the given ordinals, each below `rows`.
    pub fn from_ordinals(rows: u32, ordinals: impl IntoIterator<Item = Ordinal>) -> Self {
        Self::from_list(rows, &ordinals.into_iter().collect::<Vec<_>>())
    }

    /// The set of the given ordinals, each below `rows`, in any order.
    pub fn from_list(rows: u32, ordinals: &[Ordinal]) -> Self {
        if let Some(largest) = ordinals.iter().max() {
            assert!(*largest < rows, "ordinal {largest} in a bitmap of {rows} rows");
        }
        if ordinals.len() < (rows / SPARSE) as usize {
            let mut sorted = ordinals.to_vec();
            sorted.sort_unstable();
            return Self::from_sorted(rows, &sorted);
        }
        let mut words = vec![0; rows.div_ceil(64) as usize];
        for &ordinal in ordinals {
            words[(ordinal / 64) as usize] |= 1 << (ordinal % 64);
        }
        Self::from_words(rows, &words)
    }

    /// Fills one chunk after the other; of those between nothing is touched.
    fn from_sorted(rows: u32, ordinals: &[Ordinal]) -> Self {
        let mut chunks = vec![None; rows.div_ceil(BITS) as usize];
        let mut rest = ordinals;
        while let Some(&first) = rest.first() {
            let index = first / BITS;
            let mut words = [0; WORDS];
            let mut taken = 0;
            for &ordinal in rest.iter().take_while(|&&ordinal| ordinal / BITS == index) {
                words[(ordinal % BITS / 64) as usize] |= 1 << (ordinal % 64);
                taken += 1;
            }
            chunks[index as usize] = Chunk::of(words);
            rest = &rest[taken..];
        }
        Self::from_chunks(rows, chunks)
    }

    /// The set whose bits are these words, the lowest ordinal in the lowest bit of the first word.
    /// Bits at or past `rows` are dropped.
    pub fn from_words(rows: u32, words: &[u64]) -> Self {
        let chunks = (0..rows.div_ceil(BITS) as usize).map(|index| {
            let mut chunk = [0; WORDS];
            let given = words.get(index * WORDS..).unwrap_or_default();
            let given = &given[..given.len().min(WORDS)];
            chunk[..given.len()].copy_from_slice(given);
            let end = rows - index as u32 * BITS;
            if end < BITS {
                clear_from(&mut chunk, end);
            }
            Chunk::of(chunk)
        });
        Self::from_chunks(rows, chunks)
    }

    /// The bits as words, the way [`Bitmap::from_words`] reads them; `rows / 64` of them, rounded up.
    pub fn to_words(&self) -> Vec<u64> {
        let mut words: Vec<u64> = Vec::with_capacity(self.chunks.len() * WORDS);
        for chunk in &*self.chunks {
            words.extend_from_slice(chunk.as_ref().map_or(&[0; WORDS], |chunk| &chunk.words));
        }
        words.truncate(self.rows.div_ceil(64) as usize);
        words
    }

    /// How many ordinals there are, in the set or not.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// How many ordinals are in the set.
    pub fn count(&self) -> u32 {
        self.ones
    }

    /// Whether no ordinal is in the set.
    pub fn is_empty(&self) -> bool {
        self.ones == 0
    }

    /// Whether the ordinal is in the set; `false` past the end.
    #[inline]
    pub fn contains(&self, ordinal: Ordinal) -> bool {
        match self.chunks.get((ordinal / BITS) as usize) {
            Some(Some(chunk)) => chunk.words[(ordinal % BITS / 64) as usize] >> (ordinal % 64) & 1 == 1,
            _ => false,
        }
    }

    /// Adds an ordinal below [`Bitmap::rows`]; says whether it was new.
    pub fn insert(&mut self, ordinal: Ordinal) -> bool {
        assert!(ordinal < self.rows, "ordinal {ordinal} in a bitmap of {} rows", self.rows);
        if self.contains(ordinal) {
            return false;
        }
        let empty = || Arc::new(Chunk { ones: 0, words: [0; WORDS] });
        let chunk = Arc::make_mut(&mut self.chunks)[(ordinal / BITS) as usize].get_or_insert_with(empty);
        let chunk = Arc::make_mut(chunk);
        chunk.words[(ordinal % BITS / 64) as usize] |= 1 << (ordinal % 64);
        chunk.ones += 1;
        self.ones += 1;
        true
    }

    /// Takes an ordinal out; says whether it was there.
    pub fn remove(&mut self, ordinal: Ordinal) -> bool {
        if !self.contains(ordinal) {
            return false;
        }
        if let Some(chunk) = &mut Arc::make_mut(&mut self.chunks)[(ordinal / BITS) as usize] {
            let chunk = Arc::make_mut(chunk);
            chunk.words[(ordinal % BITS / 64) as usize] &= !(1 << (ordinal % 64));
            chunk.ones -= 1;
            self.ones -= 1;
        }
        true
    }

    /// Makes room for more ordinals, none of them in the set.
    pub fn grow(&mut self, rows: u32) {
        assert!(rows >= self.rows, "a bitmap does not shrink");
        self.rows = rows;
        let missing = rows.div_ceil(BITS) as usize - self.chunks.len();
        if missing > 0 {
            self.chunks = self.chunks.iter().cloned().chain(vec![None; missing]).collect();
        }
    }

    /// The ordinals that are in both.
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, |a, b| match (a?, b?) {
            (a, b) if b.is_full() => Some(a.clone()),
            (a, b) if a.is_full() => Some(b.clone()),
            (a, b) => a.zip(b, |a, b| a & b),
        })
    }

    /// The ordinals that are in either.
    pub fn or(&self, other: &Self) -> Self {
        self.combine(other, |a, b| match (a, b) {
            (one, None) | (None, one) => one.cloned(),
            (Some(a), Some(_)) if a.is_full() => Some(a.clone()),
            (Some(_), Some(b)) if b.is_full() => Some(b.clone()),
            (Some(a), Some(b)) => a.zip(b, |a, b| a | b),
        })
    }

    /// The ordinals that are here and not in `other`.
    pub fn and_not(&self, other: &Self) -> Self {
        self.combine(other, |a, b| match (a?, b) {
            (a, None) => Some(a.clone()),
            (_, Some(b)) if b.is_full() => None,
            (a, Some(b)) => a.zip(b, |a, b| a & !b),
        })
    }

    /// The ordinals that are not in the set.
    pub fn complement(&self) -> Self {
        Self::full(self.rows).and_not(self)
    }

    /// The ordinals in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Ordinal> + '_ {
        self.chunks.iter().enumerate().filter_map(|(index, chunk)| Some((index, chunk.as_ref()?))).flat_map(
            |(index, chunk)| {
                chunk.words.iter().enumerate().flat_map(move |(word, &bits)| {
                    let base = index as u32 * BITS + word as u32 * 64;
                    set_bits(bits).map(move |bit| base + bit)
                })
            },
        )
    }

    /// The ordinals in ascending order, in half the time that collecting [`Bitmap::iter`] takes.
    pub fn to_list(&self) -> Vec<Ordinal> {
        let mut list = Vec::with_capacity(self.ones as usize);
        for (index, chunk) in (0..).zip(&*self.chunks) {
            let words = chunk.as_deref().map_or(&[][..], |chunk| &chunk.words);
            for (word, &bits) in (0..).zip(words) {
                let base = index * BITS + word * 64;
                set_bits(bits).for_each(|bit| list.push(base + bit));
            }
        }
        list
    }

    /// The first ordinal in the set that is not below `from`.
    pub fn next(&self, from: Ordinal) -> Option<Ordinal> {
        let (mut word, mut mask) = ((from % BITS / 64) as usize, u64::MAX << (from % 64));
        for (index, chunk) in self.chunks.iter().enumerate().skip((from / BITS) as usize) {
            for (at, &bits) in chunk.iter().flat_map(|chunk| chunk.words.iter().enumerate().skip(word)) {
                if bits & mask != 0 {
                    return Some(index as u32 * BITS + at as u32 * 64 + (bits & mask).trailing_zeros());
                }
                mask = u64::MAX;
            }
            (word, mask) = (0, u64::MAX);
        }
        None
    }

    fn combine<'a>(
        &'a self,
        other: &'a Self,
        op: impl Fn(Option<&'a Arc<Chunk>>, Option<&'a Arc<Chunk>>) -> Option<Arc<Chunk>>,
    ) -> Self {
        assert_eq!(self.rows, other.rows, "bitmaps of two different segments");
        let chunks = self.chunks.iter().zip(&*other.chunks).map(|(a, b)| op(a.as_ref(), b.as_ref()));
        Self::from_chunks(self.rows, chunks)
    }

    fn from_chunks(rows: u32, chunks: impl IntoIterator<Item = Option<Arc<Chunk>>>) -> Self {
        let chunks: Arc<[Option<Arc<Chunk>>]> = chunks.into_iter().collect();
        let ones = chunks.iter().flatten().map(|chunk| chunk.ones).sum();
        Self { rows, ones, chunks }
    }
}

impl PartialEq for Bitmap {
    fn eq(&self, other: &Self) -> bool {
        self.rows == other.rows && self.ones == other.ones && self.iter().eq(other.iter())
    }
}

impl std::fmt::Debug for Bitmap {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "{} of {} rows: ", self.ones, self.rows)?;
        f.debug_list().entries(self.iter().take(16)).finish()
    }
}

/// Clears the bits of a chunk from `end` on.
fn clear_from(words: &mut [u64; WORDS], end: u32) {
    for (index, word) in words.iter_mut().enumerate() {
        let kept = end.saturating_sub(index as u32 * 64).min(64);
        *word &= if kept == 64 { u64::MAX } else { (1 << kept) - 1 };
    }
}

fn set_bits(mut bits: u64) -> impl Iterator<Item = u32> {
    std::iter::from_fn(move || {
        let bit = bits.trailing_zeros();
        bits &= bits.wrapping_sub(1);
        (bit < 64).then_some(bit)
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    fn sets() -> impl Strategy<Value = (u32, BTreeSet<u32>, BTreeSet<u32>)> {
        (1..10_000u32).prop_flat_map(|rows| {
            let set = || proptest::collection::btree_set(0..rows, 0..200);
            (Just(rows), set(), set())
        })
    }

    proptest! {
        #[test]
        fn agrees_with_a_set((rows, a, b) in sets()) {
            let (x, y) = (Bitmap::from_ordinals(rows, a.clone()), Bitmap::from_ordinals(rows, b.clone()));
            let same = |bitmap: Bitmap, set: BTreeSet<u32>| {
                assert_eq!(bitmap.count() as usize, set.len());
                assert!(bitmap.iter().eq(set.iter().copied()));
                assert!(bitmap.to_list().into_iter().eq(set));
                assert_eq!(Bitmap::from_words(rows, &bitmap.to_words()), bitmap);
            };
            same(x.and(&y), &a & &b);
            same(x.or(&y), &a | &b);
            same(x.and_not(&y), &a - &b);
            same(x.complement(), (0..rows).filter(|row| !a.contains(row)).collect());
            same(Bitmap::full(rows), (0..rows).collect());
            for from in b.iter().flat_map(|&row| [row, row + 1]).chain([0, rows, rows + BITS]) {
                assert_eq!(x.next(from), a.range(from..).next().copied());
            }
            let mut less = x.clone();
            for &row in &b {
                assert_eq!(less.remove(row), a.contains(&row));
            }
            same(less, &a - &b);
            assert!(x.iter().eq(a.iter().copied()), "a copy's writes stay its own");
            same(x.or(&Bitmap::full(rows)), (0..rows).collect());
            same(x.and(&Bitmap::full(rows)), a.clone());
            same(Bitmap::full(rows).and_not(&x.complement()), a);
        }

        #[test]
        fn is_built_from_any_list(
            rows in prop_oneof![1..10_000u32, 2_000_000..2_100_000u32],
            seeds in proptest::collection::vec(any::<u32>(), 0..3_000),
        ) {
            let list: Vec<u32> = seeds.iter().map(|seed| seed % rows).collect();
            let mut one_by_one = Bitmap::new(rows);
            for &row in &list {
                assert_eq!(one_by_one.contains(row), !one_by_one.insert(row));
            }
            assert_eq!(Bitmap::from_list(rows, &list), one_by_one);
            let sorted: Vec<u32> = one_by_one.iter().collect();
            assert_eq!(Bitmap::from_list(rows, &sorted), one_by_one);
        }
    }

    #[test]
    #[should_panic(expected = "ordinal 9 in a bitmap of 9 rows")]
    fn a_row_past_the_end_is_a_mistake() {
        Bitmap::from_list(9, &[9, 3]);
    }

    #[test]
    fn growing_keeps_the_bits() {
        let mut bitmap = Bitmap::full(5);
        bitmap.grow(9_000);
        assert_eq!((bitmap.count(), bitmap.rows()), (5, 9_000));
        assert!(bitmap.insert(8_999) && !bitmap.insert(8_999) && !bitmap.contains(9_000));
        assert_eq!(Bitmap::full(0).count(), 0);
    }
}
