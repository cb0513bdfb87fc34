//! Do bits say enough of these vectors? Asked of a finished graph, with some of its own rows.
//!
//! How well a bit for each coordinate tells near rows from nearer ones depends on the data: with 784 numbers of pictures
//! a walk of default breadth finds 99.9 % of the ten nearest, with 128 numbers of noise 85 %, where a walk that computes
//! each distance finds 94 %. Bytes instead of bits find what numbers find, and on such data cost about as much for one
//! recall. So a sample decides.
//!
//! Not here: what a client asked for. Where it did, nothing is chosen.

use std::collections::BTreeSet;

use crate::{
    bitmap::Bitmap,
    hnsw::{Graph, WalkStats},
    point::Ordinal,
    vector::{Matrix, Metric, RowScorer},
};

/// In smaller segments a walk sees so much of all that bits are enough.
const LEAST_ROWS: u32 = 10_000;

/// How many rows are asked for their neighbours.
const SAMPLE: u32 = 100;

/// How many neighbours, with which breadth.
const K: usize = 10;
const EF: usize = 128;

/// The breadth of the walk that computes each distance, whose answer is taken for right.
const EXACT_EF: usize = 256;

/// Bits are too coarse where they find a smaller share of the neighbours.
const LEAST_RECALL: f64 = 0.9;

/// Whether a walk that estimates by bits misses too many neighbours of these rows.
pub(super) fn is_coarse(metric: Metric, matrix: Matrix<'_>, nodes: &Bitmap, graph: &Graph) -> bool {
    if nodes.count() < LEAST_ROWS {
        return false;
    }
    let (mut found, mut all) = (0, 0);
    for step in 0..SAMPLE {
        let at = u64::from(step) * u64::from(matrix.rows()) / u64::from(SAMPLE);
        let Some(row) = nodes.next(at as Ordinal) else { break };
        let query = matrix.row(row);
        let scorer = RowScorer::new(metric, query, matrix);
        let near = |query, ef| -> BTreeSet<Ordinal> {
            // One more: the row itself.
            let hits = graph.search(&scorer, query, K + 1, ef, None, &mut WalkStats::default());
            hits.into_iter().map(|(_, row)| row).collect()
        };
        let (estimated, exact) = (near(Some(query), EF), near(None, EXACT_EF));
        found += estimated.intersection(&exact).filter(|&&other| other != row).count();
        all += exact.len().saturating_sub(1);
    }
    (found as f64) < LEAST_RECALL * all as f64
}
