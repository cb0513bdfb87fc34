//! Which rows of a segment? A set of ordinals that is cheap to copy.
//!
//! A bitmap over `rows` ordinals is cut into chunks of 4,096 bits, each behind an [`Arc`]: a copy shares every chunk,
//! and writing a bit copies at most one chunk of 512 bytes. That is what makes a published snapshot a value (a reader
//! keeps its bits while the writer goes on with its own) and what makes a tombstone cost half a page, not a bitmap.
//! A chunk without a bit set is not stored.
//!
//! Not here: compression. A roaring bitmap is smaller on sparse sets of billions; segments have millions of rows.

use std::sync::{Arc, LazyLock};

use crate::point::Ordinal;

const WORDS: usize = 64;
const BITS: u32 = 64 * WORDS as u32;

type Chunk = [u64; WORDS];

static ONES: LazyLock<Arc<Chunk>> = LazyLock::new(|| Arc::new([u64::MAX; WORDS]));

/// A copy-on-write set of ordinals below [`Bitmap::rows`].
#[derive(Clone, Default)]
pub struct Bitmap {
    rows: u32,
    ones: u32,
    chunks: Vec<Option<Arc<Chunk>>>,
}

impl Bitmap {
    /// The empty set over `rows` ordinals.
    pub fn new(rows: u32) -> Self {
        Self { rows, ones: 0, chunks: vec![None; rows.div_ceil(BITS) as usize] }
    }

    /// The set of all `rows` ordinals.
    pub fn full(rows: u32) -> Self {
        let mut chunks = vec![Some(ONES.clone()); rows.div_ceil(BITS) as usize];
        if let Some(Some(last)) = chunks.last_mut() {
            clear_from(Arc::make_mut(last), (rows - 1) % BITS + 1);
        }
        Self { rows, ones: rows, chunks }
    }

    /// The set of the given ordinals, each below `rows`.
    pub fn from_ordinals(rows: u32, ordinals: impl IntoIterator<Item = Ordinal>) -> Self {
        let mut set = Self::new(rows);
        ordinals.into_iter().for_each(|ordinal| {
            set.insert(ordinal);
        });
        set
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
            chunk
        });
        Self::from_chunks(rows, chunks)
    }

    /// The bits as words, the way [`Bitmap::from_words`] reads them; `rows / 64` of them, rounded up.
    pub fn to_words(&self) -> Vec<u64> {
        let mut words: Vec<u64> = Vec::with_capacity(self.chunks.len() * WORDS);
        for chunk in &self.chunks {
            words.extend_from_slice(chunk.as_deref().unwrap_or(&[0; WORDS]));
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
            Some(Some(chunk)) => chunk[(ordinal % BITS / 64) as usize] >> (ordinal % 64) & 1 == 1,
            _ => false,
        }
    }

    /// Adds an ordinal below [`Bitmap::rows`]; says whether it was new.
    pub fn insert(&mut self, ordinal: Ordinal) -> bool {
        assert!(ordinal < self.rows, "ordinal {ordinal} in a bitmap of {} rows", self.rows);
        let chunk = self.chunks[(ordinal / BITS) as usize].get_or_insert_with(|| Arc::new([0; WORDS]));
        let (word, bit) = ((ordinal % BITS / 64) as usize, 1 << (ordinal % 64));
        if chunk[word] & bit != 0 {
            return false;
        }
        Arc::make_mut(chunk)[word] |= bit;
        self.ones += 1;
        true
    }

    /// Takes an ordinal out; says whether it was there.
    pub fn remove(&mut self, ordinal: Ordinal) -> bool {
        if !self.contains(ordinal) {
            return false;
        }
        if let Some(chunk) = &mut self.chunks[(ordinal / BITS) as usize] {
            Arc::make_mut(chunk)[(ordinal % BITS / 64) as usize] &= !(1 << (ordinal % 64));
            self.ones -= 1;
        }
        true
    }

    /// Makes room for more ordinals, none of them in the set.
    pub fn grow(&mut self, rows: u32) {
        assert!(rows >= self.rows, "a bitmap does not shrink");
        self.rows = rows;
        self.chunks.resize(rows.div_ceil(BITS) as usize, None);
    }

    /// The ordinals that are in both.
    pub fn and(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & b)
    }

    /// The ordinals that are in either.
    pub fn or(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a | b)
    }

    /// The ordinals that are here and not in `other`.
    pub fn and_not(&self, other: &Self) -> Self {
        self.combine(other, |a, b| a & !b)
    }

    /// The ordinals that are not in the set.
    pub fn complement(&self) -> Self {
        Self::full(self.rows).and_not(self)
    }

    /// The ordinals in ascending order.
    pub fn iter(&self) -> impl Iterator<Item = Ordinal> + '_ {
        self.chunks.iter().enumerate().filter_map(|(index, chunk)| Some((index, chunk.as_deref()?))).flat_map(
            |(index, chunk)| {
                chunk.iter().enumerate().flat_map(move |(word, &bits)| {
                    let base = index as u32 * BITS + word as u32 * 64;
                    set_bits(bits).map(move |bit| base + bit)
                })
            },
        )
    }

    /// The first ordinal in the set that is not below `from`.
    pub fn next(&self, from: Ordinal) -> Option<Ordinal> {
        let (mut word, mut mask) = ((from % BITS / 64) as usize, u64::MAX << (from % 64));
        for (index, chunk) in self.chunks.iter().enumerate().skip((from / BITS) as usize) {
            for (at, &bits) in chunk.iter().flat_map(|chunk| chunk.iter().enumerate().skip(word)) {
                if bits & mask != 0 {
                    return Some(index as u32 * BITS + at as u32 * 64 + (bits & mask).trailing_zeros());
                }
                mask = u64::MAX;
            }
            (word, mask) = (0, u64::MAX);
        }
        None
    }

    fn combine(&self, other: &Self, op: impl Fn(u64, u64) -> u64) -> Self {
        assert_eq!(self.rows, other.rows, "bitmaps of two different segments");
        let chunks = self.chunks.iter().zip(&other.chunks).map(|(a, b)| {
            let (a, b) = (a.as_deref().unwrap_or(&[0; WORDS]), b.as_deref().unwrap_or(&[0; WORDS]));
            std::array::from_fn(|word| op(a[word], b[word]))
        });
        Self::from_chunks(self.rows, chunks)
    }

    fn from_chunks(rows: u32, chunks: impl Iterator<Item = Chunk>) -> Self {
        let mut ones = 0;
        let chunks = chunks
            .map(|chunk| {
                let count: u32 = chunk.iter().map(|word| word.count_ones()).sum();
                ones += count;
                (count > 0).then(|| Arc::new(chunk))
            })
            .collect();
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
fn clear_from(chunk: &mut Chunk, end: u32) {
    for (index, word) in chunk.iter_mut().enumerate() {
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
            assert!(x.iter().eq(a), "a copy's writes stay its own");
        }
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
