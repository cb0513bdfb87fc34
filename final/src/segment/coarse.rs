//! Do bits say enough of these vectors? Asked of a finished graph, with some of its own rows.
//!
//! How well a bit for each coordinate tells near rows from nearer ones depends on the data: with 784 numbers of pictures
//! a walk of default breadth finds 99.9 % of the ten nearest, with 128 numbers of noise 85 %, where a walk that computes
//! each distance finds 94 %. Bytes instead of bits find what numbers find, and on such data cost about as much for one
//! recall. So a sample decides; where no vectors are to be in memory, it walks by the bits of rows, as searches will.
//!
//! Not here: what a client asked for. Where it did, nothing is chosen.

use std::collections::BTreeSet;

use crate::{
    bitmap::Bitmap,
    hnsw::{Graph, WalkStats},
    point::Ordinal,
    quantize::{self, RowCodes},
    vector::{Matrix, Metric, RowScorer},
};

/// In smaller segments a walk sees so much of all that bits beside the links are enough.
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

/// Whether a walk that estimates by bits misses too many neighbours of these rows: by the bits in the graph, or by those
/// of rows, if they are given.
pub(super) fn is_coarse(
    metric: Metric,
    matrix: Matrix<'_>,
    nodes: &Bitmap,
    graph: &Graph,
    codes: Option<&RowCodes>,
) -> bool {
    if codes.is_none() && nodes.count() < LEAST_ROWS {
        return false;
    }
    let (mut found, mut all) = (0, 0);
    for step in 0..SAMPLE {
        let at = u64::from(step) * u64::from(matrix.rows()) / u64::from(SAMPLE);
        let Some(row) = nodes.next(at as Ordinal) else { break };
        let query = matrix.row(row);
        let (scorer, mut stats) = (RowScorer::new(metric, query, matrix), WalkStats::default());
        // One more: the row itself.
        let estimated = match codes {
            None => graph.search(&scorer, Some(query), K + 1, EF, None, &mut stats),
            Some(codes) => {
                let codes = codes.scorer(metric, query);
                let walked = graph.search(&codes, None, EF, EF, None, &mut stats);
                quantize::rescore(&codes, &scorer, &walked, K + 1).0
            }
        };
        let exact = graph.search(&scorer, None, K + 1, EXACT_EF, None, &mut stats);
        let others = |hits: Vec<(f32, Ordinal)>| -> BTreeSet<Ordinal> {
            hits.into_iter().map(|(_, other)| other).filter(|&other| other != row).collect()
        };
        let (estimated, exact) = (others(estimated), others(exact));
        found += estimated.intersection(&exact).count();
        all += exact.len();
    }
    (found as f64) < LEAST_RECALL * all as f64
}
