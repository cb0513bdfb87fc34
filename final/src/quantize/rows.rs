//! What is kept of every row, so that most rows need not be read?
//!
//! A code of each row, in a fraction of its bytes, from which the row's distance can be estimated: *binary*, a bit for
//! each coordinate, or *scalar*, a byte. Both are the same idea as [`code`](super::code)'s: of the rotated difference
//! `r = x - c`, `c` being the middle of all rows, a direction `b` is kept that points almost where `r` does, made of
//! signs or of small whole numbers, so that for any other vector `v`
//!
//! ```text
//! ⟨r, v⟩ ≈ ⟨b, v⟩ · |r|² / ⟨b, r⟩
//! Euclid     |x - q|² = |q - c|² + |r|² - 2⟨r, q - c⟩
//! Dot         -⟨x, q⟩ = -⟨c, q⟩ - ⟨r, q⟩
//! both       distance ≈ start + base - slope · ⟨b, v⟩
//! ```
//!
//! It is off by about `slope · |b'| |v| / √d`, `b'` being the part of `b` that does not point along `r`: 0.6 √d for
//! signs, 0.3 √d for bytes. So an estimate comes with a distance that the row is hardly below, and only rows whose
//! least distance is small enough have to be read.
//!
//! A row's numbers, `u32` each: base, slope (`f32`), then the code's bytes, filled up with zeros.
//!
//! Not here: codes of neighbours, which are seen from the node they belong to; those are the graph's.

use serde::{Deserialize, Serialize};

use super::{Kernels, Rotation, kernel::ZERO};
use crate::{
    bitmap::Bitmap,
    disk::Slice,
    point::Ordinal,
    vector::{Matrix, Metric, Scorer, kernel::prefetch},
};

/// Draws the rotation, the same for all codes: it is drawn again whenever they are opened.
const ROTATION_SEED: u64 = 0x6b69_7468;

/// What an estimate is off by in one case of three, for each unit of slope and of the query's length.
const SPREAD: f32 = 0.6;

/// How many times that an estimate is trusted not to be off: one row of two thousand is nearer than its least distance.
const TRUST: f32 = 3.3;

/// How much of a coordinate is kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Precision {
    /// A bit.
    Binary,
    /// A byte.
    Scalar,
}

impl Precision {
    /// Numbers that one row takes.
    pub fn record_len(self, dimension: usize) -> usize {
        let padded = Rotation::padded(dimension);
        2 + match self {
            Self::Binary => (padded / 8).div_ceil(4),
            Self::Scalar => padded / 4,
        }
    }
}

/// Codes of all rows of a matrix.
#[derive(Debug, Clone)]
pub struct RowCodes {
    precision: Precision,
    rotation: Rotation,
    /// The rows' middle, rotated.
    centre: Slice<f32>,
    records: Slice<u32>,
    record: usize,
}

impl RowCodes {
    /// Codes for the rows that are `present`; the others' are of the middle.
    pub fn build(precision: Precision, metric: Metric, matrix: Matrix<'_>, present: &Bitmap) -> Self {
        let dimension = matrix.dimension();
        let rotation = Rotation::new(dimension, ROTATION_SEED);
        let mut middle = vec![0.0; dimension];
        for row in present.iter() {
            let share = 1.0 / present.count() as f32;
            middle.iter_mut().zip(matrix.row(row)).for_each(|(sum, value)| *sum += value * share);
        }
        let (mut centre, mut rotated) = (Vec::new(), Vec::new());
        rotation.apply(&middle, &mut centre);
        let record = precision.record_len(dimension);
        let mut records = vec![0; matrix.rows() as usize * record];
        for row in present.iter() {
            rotation.apply(matrix.row(row), &mut rotated);
            let place = &mut records[row as usize * record..][..record];
            encode(precision, metric, &rotated, &centre, place);
        }
        let (centre, records) = (Slice::from_vec(centre), Slice::from_vec(records));
        Self { precision, rotation, centre, records, record }
    }

    /// Of arrays that were written before; says what is wrong if they are not codes of so many such rows.
    pub fn open(
        precision: Precision,
        dimension: usize,
        rows: u32,
        centre: Slice<f32>,
        records: Slice<u32>,
    ) -> Result<Self, String> {
        let (rotation, padded) = (Rotation::new(dimension, ROTATION_SEED), Rotation::padded(dimension));
        let record = precision.record_len(dimension);
        if centre.len() != padded || Some(records.len()) != record.checked_mul(rows as usize) {
            return Err(format!("{} numbers are not codes of {rows} × {dimension}", records.len()));
        }
        Ok(Self { precision, rotation, centre, records, record })
    }

    /// What is to be written: the rows' middle, and their codes.
    pub fn arrays(&self) -> (&[f32], &[u32]) {
        (&self.centre, &self.records)
    }

    /// How many numbers the rows have.
    pub fn dimension(&self) -> usize {
        self.rotation.dimension()
    }

    /// How much of a coordinate they keep.
    pub fn precision(&self) -> Precision {
        self.precision
    }

    /// Estimates distances from a query that [`Metric::prepare`] has seen.
    pub fn scorer(&self, metric: Metric, query: &[f32]) -> CodeScorer<'_> {
        let mut rotated = Vec::new();
        self.rotation.apply(query, &mut rotated);
        let start = crate::vector::distance(metric, &rotated, &self.centre);
        if metric == Metric::Euclid {
            rotated.iter_mut().zip(&self.centre[..]).for_each(|(value, centre)| *value -= centre);
        }
        let length = rotated.iter().map(|value| value * value).sum::<f32>().sqrt();
        let (target, step) = match self.precision {
            Precision::Binary => {
                let sum = rotated.iter().sum();
                (Target::Binary(rotated, sum), 1.0)
            }
            Precision::Scalar => {
                let (whole, step) = in_steps(&rotated);
                let zero = ZERO * whole.iter().map(|&value| f32::from(value)).sum::<f32>();
                (Target::Scalar(whole, zero), step)
            }
        };
        CodeScorer { codes: self, start, spread: SPREAD * length, target, step, kernels: Kernels::best() }
    }

    #[inline]
    fn record(&self, row: Ordinal) -> &[u32] {
        &self.records[row as usize * self.record..][..self.record]
    }
}

/// Writes the code of one rotated row.
fn encode(precision: Precision, metric: Metric, row: &[f32], centre: &[f32], record: &mut [u32]) {
    let (factors, code) = record.split_at_mut(2);
    let code: &mut [u8] = bytemuck::cast_slice_mut(code);
    let [squared, along] = match precision {
        Precision::Binary => {
            let mut signs = Vec::new();
            let sums = Kernels::best().encode(row, centre, &mut signs);
            for (sixteen, bytes) in signs.iter().zip(code.as_chunks_mut().0) {
                *bytes = sixteen.to_le_bytes();
            }
            [sums.squared, sums.absolute]
        }
        Precision::Scalar => Kernels::best().encode_bytes(row, centre, code),
    };
    let scale = if along > 0.0 { squared / along } else { 0.0 };
    let (base, slope) = match metric {
        Metric::Euclid => (squared, 2.0 * scale),
        Metric::Cosine | Metric::Dot => (0.0, scale),
        Metric::Manhattan => unreachable!("Manhattan distances have no codes"),
    };
    factors.copy_from_slice(&[base.to_bits(), slope.to_bits()]);
}

/// The numbers in whole steps, 127 to the largest, and the step.
fn in_steps(values: &[f32]) -> (Vec<i8>, f32) {
    let largest = values.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
    let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
    (values.iter().map(|value| (value / step).round_ties_even() as i8).collect(), step)
}

/// What codes are compared with.
enum Target {
    /// The query's numbers, and their sum.
    Binary(Vec<f32>, f32),
    /// The query in whole steps, and what bytes that all say 0 would add up to.
    Scalar(Vec<i8>, f32),
}

/// Scores rows by an estimate of their distance from a query.
pub struct CodeScorer<'a> {
    codes: &'a RowCodes,
    start: f32,
    spread: f32,
    target: Target,
    step: f32,
    kernels: &'static Kernels,
}

impl CodeScorer<'_> {
    /// The estimated distance of a row, and one that the row is hardly below.
    #[inline]
    pub fn estimate(&self, row: Ordinal) -> (f32, f32) {
        let (factors, code) = self.codes.record(row).split_at(2);
        let (base, slope) = (f32::from_bits(factors[0]), f32::from_bits(factors[1]));
        let along = match &self.target {
            Target::Binary(values, sum) => {
                let signs = &bytemuck::cast_slice(code)[..values.len() / 16];
                2.0 * self.kernels.chosen(signs, values) - sum
            }
            Target::Scalar(values, zero) => {
                self.kernels.products(bytemuck::cast_slice(code), values) as f32 - zero
            }
        };
        let estimate = self.start + base - slope * self.step * along;
        (estimate, estimate - TRUST * self.spread * slope)
    }
}

impl Scorer for CodeScorer<'_> {
    #[inline]
    fn distance(&self, row: Ordinal) -> f32 {
        self.estimate(row).0
    }

    #[inline]
    fn prefetch(&self, row: Ordinal) {
        prefetch(self.codes.record(row));
    }
}
