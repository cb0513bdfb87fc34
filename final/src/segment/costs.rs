//! What does looking at one row cost here? Measured when a segment is sealed, on its own rows, for the planner.
//!
//! How fast memory brings a row, and how fast this processor compares it, differ by machine and by dimension; a
//! constant would be right for one of each. Each figure is the least of a few rounds, since other work on the machine
//! only adds to it. Small segments are not measured: their rows are in the processor's caches, and a
//! [guess](Costs::guess) serves as well there. This is the only clock below the server, and decides only how an answer
//! is found.
//!
//! Not here: which way is taken; that is the planner's.

use std::{hint::black_box, time::Instant};

use serde::{Deserialize, Serialize};

use crate::{
    hnsw::{Graph, WalkStats},
    point::Ordinal,
    quantize::RowCodes,
    schema::VectorSchema,
    segment::vectors::Column,
    vector::{RowScorer, Scorer},
};

/// Segments with fewer rows are not measured.
const LEAST_ROWS: u32 = 10_000;

/// Rounds, and rows or walks in each.
const ROUNDS: u32 = 5;
const ROWS: u32 = 1_000;
const WALKS: u32 = 20;

/// How many rows ahead of the one at hand a scan fetches from memory.
const AHEAD: usize = 8;

/// The breadth of the walks that are measured, and how many rows they look for.
const EF: usize = 64;
const K: usize = 10;

/// About so many rows are read after a scan of codes.
const READ: f64 = 60.0;

/// Nanoseconds by what is done.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Costs {
    /// Computing the distance of one of many rows all over memory.
    pub row: f64,
    /// Estimating the distance of such a row by its code.
    pub code: f64,
    /// A hop of a walk that estimates the distances of all of a node's neighbours.
    pub hop: f64,
}

impl Costs {
    /// What vectors with so many numbers cost on most machines.
    pub const fn guess(dimension: usize) -> Self {
        let dimension = dimension as f64;
        Self { row: 10.0 + dimension / 6.0, code: 5.0 + dimension / 80.0, hop: 150.0 + dimension }
    }

    /// Measured on the rows of a vector that has a graph.
    pub fn measure(vector: &VectorSchema, column: &Column, codes: Option<&RowCodes>, graph: &Graph) -> Self {
        let guess = Self::guess(column.dimension());
        let (matrix, rows) = (column.matrix(), column.present().rows());
        if rows < LEAST_ROWS {
            return guess;
        }
        let scorer = |row| RowScorer::new(vector.distance, matrix.row(row), matrix);
        let code = codes.map(|codes| codes.scorer(vector.distance, matrix.row(0)));
        Self {
            row: each(rows, &scorer(0)),
            code: code.map_or(guess.code, |code| many(rows, &code)),
            hop: match graph.dimension() {
                None => guess.hop,
                Some(_) => least(|round| {
                    let mut stats = WalkStats::default();
                    for row in scattered(rows, round).take(WALKS as usize) {
                        graph.search(&scorer(row), Some(matrix.row(row)), K, EF, None, &mut stats);
                    }
                    stats.hops
                }),
            },
        }
    }

    /// Nanoseconds for finding the nearest of so many rows by their codes, and reading them.
    pub fn scan_by_codes(&self, rows: f64) -> f64 {
        self.code * rows + self.row * rows.min(READ)
    }
}

/// Nanoseconds that a scorer takes for each of some rows all over the segment.
fn each(rows: u32, scorer: &impl Scorer) -> f64 {
    least(|round| {
        let mut ahead = scattered(rows, round).skip(AHEAD);
        for row in scattered(rows, round).take(ROWS as usize) {
            ahead.by_ref().take(1).for_each(|row| scorer.prefetch(row));
            black_box(scorer.distance(row));
        }
        u64::from(ROWS)
    })
}

/// The same of a scorer that takes many rows at once, which ascend as those of a filter do: half of what they take in no
/// order.
fn many(rows: u32, scorer: &impl Scorer) -> f64 {
    let (mut distances, stride) = (Vec::new(), rows / ROWS);
    least(|round| {
        let some: Vec<Ordinal> = (0..ROWS).map(|step| step * stride + round).collect();
        scorer.distances(&some, &mut distances);
        black_box(&distances);
        u64::from(ROWS)
    })
}

/// The least nanoseconds for each of the things that a round does; it tells how many.
#[expect(clippy::disallowed_methods, reason = "how long something takes here is the question")]
fn least(mut round: impl FnMut(u32) -> u64) -> f64 {
    let mut time = |number| {
        let start = Instant::now();
        let done = round(number);
        start.elapsed().as_nanos() as f64 / done.max(1) as f64
    };
    (0..ROUNDS).map(&mut time).fold(f64::INFINITY, f64::min)
}

/// Rows in no order, different ones in each round.
fn scattered(rows: u32, round: u32) -> impl Iterator<Item = Ordinal> {
    (round * ROWS..).map(move |step| (u64::from(step) * 2_654_435_761 % u64::from(rows)) as Ordinal)
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::*;
    use crate::{
        bitmap::Bitmap,
        hnsw::{Build, HnswConfig, Quality},
        quantize::Precision,
        schema::Quantization,
        vector::Metric,
    };

    #[test]
    fn what_is_measured_is_time() {
        let rows = LEAST_ROWS;
        let values: Vec<f32> =
            (0..rows * 32).map(|at| (at.wrapping_mul(2_654_435_761) >> 16) as f32).collect();
        let column = Column::new(32, values, Bitmap::full(rows));
        let vector =
            VectorSchema { size: 32, distance: Metric::Euclid, hnsw: None, quantization: Quantization::Auto };
        let build = Build {
            config: HnswConfig { m: 4, ef_construct: 8 },
            seed: 1,
            threads: 1,
            progress: &|| (),
            cancel: &AtomicBool::new(false),
        };
        let (metric, matrix) = (vector.distance, column.matrix());
        let graph = Graph::of_rows(metric, matrix, column.present(), &build, Quality::Hasty).unwrap();
        let codes = RowCodes::build(Precision::Binary, metric, matrix, column.present());
        let costs = Costs::measure(&vector, &column, Some(&codes), &graph);
        assert!(costs.row > 0.0 && costs.code > 0.0, "{costs:?}");
        assert_eq!(costs.hop, Costs::guess(32).hop, "a graph without codes has no such hops");
        assert!(costs.scan_by_codes(1e4) > costs.scan_by_codes(1e3));
    }
}
