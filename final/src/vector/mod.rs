//! How far are two vectors from each other?
//!
//! Inside Kith a distance is always "smaller is closer", so that one walk, one heap and one merge serve every
//! [`Metric`]; what a client sees is a *score* and is turned at the edge by [`Metric::score`] and [`Metric::distance`].
//!
//! | metric | distance inside | score outside | better |
//! |---|---|---|---|
//! | Cosine | `-dot`, both sides normalised by [`Metric::prepare`] | cosine | higher |
//! | Dot | `-dot` | dot product | higher |
//! | Euclid | squared L2 | L2 | lower |
//! | Manhattan | L1 | L1 | lower |
//!
//! Rows are scored through a [`Scorer`], which is all that a graph or a scan knows of vectors.
//!
//! Not here: codes. A quantized row has its own scorer, in `quantize`.

pub mod kernel;
#[cfg(target_arch = "aarch64")]
mod neon;
pub mod topk;
#[cfg(target_arch = "x86_64")]
mod x86;

use serde::{Deserialize, Serialize};

pub use self::{kernel::Kernels, topk::TopK};
use crate::point::Ordinal;

/// What "near" means in a collection; fixed when the collection is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
pub enum Metric {
    /// The angle between two vectors, whatever their lengths.
    Cosine,
    /// The dot product: angle and length.
    Dot,
    /// The straight line.
    Euclid,
    /// The sum of the differences along each axis.
    Manhattan,
}

impl Metric {
    /// Makes a vector ready to be stored or looked for: scaled to length 1 for [`Metric::Cosine`], else untouched.
    /// A zero vector stays zero; one that is of length 1 already keeps its bits, so that reading a vector back and
    /// writing it again changes nothing.
    pub fn prepare(self, vector: &mut [f32]) {
        if self != Self::Cosine {
            return;
        }
        let squared: f64 = vector.iter().map(|&x| f64::from(x) * f64::from(x)).sum();
        if squared > 0.0 && (squared - 1.0).abs() > 1e-6 {
            let length = squared.sqrt();
            vector.iter_mut().for_each(|x| *x = (f64::from(*x) / length) as f32);
        }
    }

    /// What a client sees of a distance.
    pub fn score(self, distance: f32) -> f32 {
        match self {
            Self::Cosine | Self::Dot => 0.0 - distance,
            Self::Euclid => distance.sqrt(),
            Self::Manhattan => distance,
        }
    }

    /// The distance behind a score, for a score threshold. A negative bound on a length keeps its sign: nothing is
    /// nearer than it. Rounding makes this the inverse of [`Metric::score`] only up to the last bit.
    pub fn distance(self, score: f32) -> f32 {
        match self {
            Self::Cosine | Self::Dot => 0.0 - score,
            Self::Euclid => score * score.abs(),
            Self::Manhattan => score,
        }
    }

    /// Whether a client's best hit is the one with the highest score.
    pub fn higher_is_better(self) -> bool {
        matches!(self, Self::Cosine | Self::Dot)
    }
}

/// The distance between two prepared vectors. Panics if their lengths differ.
pub fn distance(metric: Metric, a: &[f32], b: &[f32]) -> f32 {
    Kernels::best().distance(metric, a, b)
}

/// How far is a row from what is being looked for?
pub trait Scorer: Sync {
    /// The distance of a row; smaller is closer. Panics if there is no such row.
    fn distance(&self, row: Ordinal) -> f32;

    /// A hint that the row's distance will be asked for soon.
    fn prefetch(&self, _row: Ordinal) {}

    /// The distances of some rows, in their order; later ones are fetched from memory while earlier ones are computed.
    #[inline]
    fn distances(&self, rows: &[Ordinal], distances: &mut Vec<f32>) {
        distances.clear();
        rows.iter().take(AHEAD).for_each(|&row| self.prefetch(row));
        for (at, &row) in rows.iter().enumerate() {
            if let Some(&later) = rows.get(at + AHEAD) {
                self.prefetch(later);
            }
            distances.push(self.distance(row));
        }
    }
}

/// How many rows ahead of the one at hand are fetched from memory.
const AHEAD: usize = 4;

/// Vectors of one dimension, one after the other: `rows × dimension` numbers, borrowed.
#[derive(Clone, Copy)]
pub struct Matrix<'a> {
    dimension: usize,
    values: &'a [f32],
}

impl<'a> Matrix<'a> {
    /// Panics unless `values` are whole rows of at least one number.
    pub fn new(dimension: usize, values: &'a [f32]) -> Self {
        assert!(dimension > 0, "a row has at least one number");
        assert!(
            values.len().is_multiple_of(dimension),
            "{} numbers are not rows of {dimension}",
            values.len()
        );
        Self { dimension, values }
    }

    /// The numbers in a row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many rows there are.
    pub fn rows(&self) -> u32 {
        (self.values.len() / self.dimension) as u32
    }

    /// The numbers of one row. Panics if there is no such row.
    #[inline]
    pub fn row(&self, row: Ordinal) -> &'a [f32] {
        let start = row as usize * self.dimension;
        &self.values[start..start + self.dimension]
    }
}

/// Scores the rows of a matrix by their exact distance from a query.
pub struct RowScorer<'a> {
    metric: Metric,
    query: &'a [f32],
    matrix: Matrix<'a>,
    kernels: &'static Kernels,
}

impl<'a> RowScorer<'a> {
    /// Of a query that [`Metric::prepare`] has seen. Panics if it is not as long as a row.
    pub fn new(metric: Metric, query: &'a [f32], matrix: Matrix<'a>) -> Self {
        assert_eq!(query.len(), matrix.dimension, "a query of another dimension than the rows");
        Self { metric, query, matrix, kernels: Kernels::best() }
    }
}

impl Scorer for RowScorer<'_> {
    #[inline]
    fn distance(&self, row: Ordinal) -> f32 {
        self.kernels.distance(self.metric, self.query, self.matrix.row(row))
    }

    #[inline]
    fn prefetch(&self, row: Ordinal) {
        kernel::prefetch(self.matrix.row(row));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const METRICS: [Metric; 4] = [Metric::Cosine, Metric::Dot, Metric::Euclid, Metric::Manhattan];

    #[test]
    fn known_distances_and_scores() {
        let (a, b) = ([3.0, 0.0], [0.0, 4.0]);
        let scores = METRICS.map(|metric| {
            let (mut a, mut b) = (a, b);
            metric.prepare(&mut a);
            metric.prepare(&mut b);
            (metric.score(distance(metric, &a, &a)), metric.score(distance(metric, &a, &b)))
        });
        assert_eq!(scores, [(1.0, 0.0), (9.0, 0.0), (0.0, 5.0), (0.0, 7.0)]);
    }

    #[test]
    fn no_distance_is_a_negative_zero() {
        for metric in METRICS {
            assert!(distance(metric, &[0.0], &[-1.0]).is_sign_positive());
            assert!(distance(metric, &[0.0], &[0.0]).is_sign_positive());
        }
    }

    #[test]
    fn a_metric_is_named_in_json_as_in_the_api() {
        let names = METRICS.map(|metric| serde_json::to_string(&metric).unwrap());
        assert_eq!(names, ["\"Cosine\"", "\"Dot\"", "\"Euclid\"", "\"Manhattan\""]);
    }

    #[test]
    fn extreme_vectors_are_normalised_and_zero_stays_zero() {
        for scale in [f32::MAX, 1e20, 1e-20, f32::from_bits(1)] {
            let mut vector = [scale, 0.0, scale];
            Metric::Cosine.prepare(&mut vector);
            assert_eq!(vector, [std::f32::consts::FRAC_1_SQRT_2, 0.0, std::f32::consts::FRAC_1_SQRT_2]);
        }
        let mut zero = [0.0; 3];
        Metric::Cosine.prepare(&mut zero);
        assert_eq!(zero, [0.0; 3]);
    }

    proptest! {
        #[test]
        fn preparing_twice_changes_nothing(mut vector in proptest::collection::vec(-1e3f32..1e3, 1..300)) {
            Metric::Cosine.prepare(&mut vector);
            let once = vector.clone();
            Metric::Cosine.prepare(&mut vector);
            prop_assert_eq!(once, vector);
        }

        #[test]
        fn a_threshold_orders_as_its_score_does(a in -1e3f32..1e3, b in -1e3f32..1e3) {
            for metric in METRICS {
                let nearer = metric.distance(a) < metric.distance(b);
                let better = if metric.higher_is_better() { a > b } else { a < b };
                prop_assert!(better || !nearer);
            }
        }
    }

    #[test]
    fn a_scorer_scores_the_rows_of_its_matrix() {
        let matrix = Matrix::new(2, &[0.0, 0.0, 3.0, 4.0]);
        let scorer = RowScorer::new(Metric::Euclid, &[0.0, 0.0], matrix);
        scorer.prefetch(1);
        assert_eq!((matrix.rows(), scorer.distance(0), scorer.distance(1)), (2, 0.0, 25.0));
    }

    #[test]
    #[should_panic(expected = "different lengths")]
    fn vectors_of_different_lengths_are_refused() {
        distance(Metric::Dot, &[1.0], &[1.0, 2.0]);
    }
}
