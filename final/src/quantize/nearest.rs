//! Which of some rows are nearest, when all of them have codes and few of them should be read?
//!
//! Every row is estimated, which gives a distance that it is hardly below. The k nearest by estimate have a farthest
//! one; a row whose least distance is beyond that is out. What is left is read in the order of least distances until
//! the next one's is beyond the k-th exact distance. So how many rows are read follows from how sure the estimates
//! are: of 6,000 rows of 784 numbers, 86 for bits and 11 for bytes.
//!
//! Not here: which rows. They come from a filter, a segment without a graph, or a walk.

use super::CodeScorer;
use crate::{
    error::Result,
    point::Ordinal,
    vector::{Scorer, TopK},
};

/// How many rows ahead of the one at hand are fetched from memory.
const ROWS_AHEAD: usize = 3;

/// How many rows are estimated at once.
const AT_ONCE: usize = 256;

/// How many rows are estimated between two looks at whether to go on.
const BEFORE_LOOKING: usize = 16 * AT_ONCE;

/// The `k` nearest of these rows, nearest first, and how many of them were read. `go_on` is asked now and then, and its
/// error ends the search.
pub fn nearest(
    codes: &CodeScorer<'_>,
    exact: &impl Scorer,
    rows: &[Ordinal],
    k: usize,
    go_on: impl Fn() -> Result<()>,
) -> Result<(Vec<(f32, Ordinal)>, usize)> {
    let mut farthest = TopK::new(k);
    let mut least = Vec::new();
    let mut found = [[0.0; 2]; AT_ONCE];
    for many in rows.chunks(BEFORE_LOOKING) {
        go_on()?;
        for some in many.chunks(AT_ONCE) {
            codes.estimate(some, &mut found[..some.len()]);
            for (&row, [estimate, off]) in some.iter().zip(found) {
                if estimate - off <= farthest.threshold() {
                    least.push((estimate - off, row));
                    farthest.push(estimate + off, row);
                }
            }
        }
    }
    let bound = farthest.threshold();
    least.retain(|&(lowest, _)| lowest <= bound);
    least.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    Ok(read(exact, &least, k))
}

/// The `k` nearest of rows that a walk has estimated, nearest first; each is read unless it cannot be one of them.
/// Returns how many were read, too.
pub fn rescore(
    codes: &CodeScorer<'_>,
    exact: &impl Scorer,
    estimated: &[(f32, Ordinal)],
    k: usize,
) -> (Vec<(f32, Ordinal)>, usize) {
    let least = |&(estimate, row)| (estimate - codes.off(row), row);
    let mut least: Vec<(f32, Ordinal)> = estimated.iter().map(least).collect();
    least.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    read(exact, &least, k)
}

/// Reads rows in the order of the distances they are hardly below.
fn read(exact: &impl Scorer, least: &[(f32, Ordinal)], k: usize) -> (Vec<(f32, Ordinal)>, usize) {
    let mut best = TopK::new(k);
    least.iter().take(ROWS_AHEAD).for_each(|&(_, row)| exact.prefetch(row));
    for (at, &(lowest, row)) in least.iter().enumerate() {
        if lowest > best.threshold() {
            return (best.into_sorted(), at);
        }
        if let Some(&(_, later)) = least.get(at + ROWS_AHEAD) {
            exact.prefetch(later);
        }
        best.push(exact.distance(row), row);
    }
    (best.into_sorted(), least.len())
}
