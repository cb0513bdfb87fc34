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
//! The query is rounded to bytes once. So the sum over a row's bits is one of whole numbers, 64 to a step with the bits as
//! a mask, and exact on every instruction set: 784 bits take 10 ns, where adding up unrounded numbers took 25.
//!
//! Rejected (784 numbers, in the caches, where the sum alone takes 8 to 9.5 ns): the query as four or eight planes of
//! bits, and counting what each has in common with the code (9.6 and 14.6 ns with VPOPCNTDQ, 12 as a plain loop; less
//! exact, and planes to be made of each query); less trust in an estimate, which reads fewer rows (with 2.5 instead of
//! 3.3 it is 60 instead of 86 of 6,000, for hardly any time, but of noise of 128 numbers 0.25 % is missed); with 1 at
//! a walk's end (a set of 256 numbers takes a quarter more time for recall 0.95, because the walk must be wider).
//!
//! A row's numbers, `u32` each: base, slope (`f32`), then the code's bytes, filled up with zeros.
//!
//! Not here: codes of neighbours, which are seen from the node they belong to; those are the graph's.

use serde::{Deserialize, Serialize};

use super::{
    Kernels, Rotation,
    kernel::{AHEAD, Query, Records, ZERO},
};
use crate::{
    bitmap::Bitmap,
    disk::Slice,
    point::Ordinal,
    vector::{Matrix, Metric, Scorer, kernel::prefetch},
};

/// How many rows are estimated at once.
const AT_ONCE: usize = 32;

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

    /// Brings them from the disk into memory.
    pub fn bring_in(&self) {
        self.records.bring_in();
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
        let (whole, step) = self.in_steps(&rotated);
        let sum = step * whole.iter().map(|&value| i32::from(value)).sum::<i32>() as f32;
        // What a code's sum is of `⟨b, v⟩`: with the signs' 0 and 1 for -1 and 1, and with bytes from 0 up.
        let (step, offset) = match self.precision {
            Precision::Binary => (2.0 * step, sum),
            Precision::Scalar => (step, ZERO * sum),
        };
        CodeScorer {
            codes: self,
            start,
            spread: SPREAD * length,
            whole,
            step,
            offset,
            kernels: Kernels::best(),
        }
    }

    /// The numbers in whole steps, 127 to the largest, as many as a code has room for, and the step. What that is off by
    /// is a hundredth of what one bit for each coordinate is off by.
    fn in_steps(&self, values: &[f32]) -> (Vec<i8>, f32) {
        let largest = values.iter().fold(0.0, |most: f32, value| most.max(value.abs()));
        let step = if largest > 0.0 { largest / 127.0 } else { 1.0 };
        let bytes = (self.record - 2) * 4;
        let mut whole = vec![0; if self.precision == Precision::Binary { 8 * bytes } else { bytes }];
        Kernels::best().steps(values, 1.0 / step, &mut whole[..values.len()]);
        (whole, step)
    }

    #[inline]
    fn records(&self) -> Records<'_> {
        Records { numbers: &self.records, record: self.record }
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

/// Scores rows by an estimate of their distance from a query.
pub struct CodeScorer<'a> {
    codes: &'a RowCodes,
    start: f32,
    spread: f32,
    /// The query in whole steps, a number for each that a code has room for.
    whole: Vec<i8>,
    step: f32,
    offset: f32,
    kernels: &'static Kernels,
}

impl CodeScorer<'_> {
    /// The estimated distances of some rows, and how far each is hardly below that.
    #[inline]
    pub fn estimate(&self, rows: &[Ordinal], found: &mut [[f32; 2]]) {
        self.look(rows, found);
        found.iter_mut().for_each(|[_, slope]| *slope *= TRUST * self.spread);
    }

    /// How far a row is hardly below its estimate.
    #[inline]
    pub fn off(&self, row: Ordinal) -> f32 {
        TRUST * self.spread * f32::from_bits(self.codes.records().of(row)[1])
    }

    /// The estimated distances of some rows, and their slopes.
    #[inline]
    fn look(&self, rows: &[Ordinal], found: &mut [[f32; 2]]) {
        let Self { start, step, offset, .. } = *self;
        let (records, query) = (self.codes.records(), Query { values: &self.whole, start, step, offset });
        match self.codes.precision {
            Precision::Binary => self.kernels.binary(&records, &query, rows, found),
            Precision::Scalar => self.kernels.scalar(&records, &query, rows, found),
        }
    }
}

impl Scorer for CodeScorer<'_> {
    #[inline]
    fn distance(&self, row: Ordinal) -> f32 {
        let mut found = [[0.0; 2]];
        self.look(&[row], &mut found);
        found[0][0]
    }

    #[inline]
    fn prefetch(&self, row: Ordinal) {
        prefetch(self.codes.records().of(row));
    }

    #[inline]
    fn distances(&self, rows: &[Ordinal], distances: &mut Vec<f32>) {
        distances.clear();
        for some in rows.chunks(AT_ONCE) {
            let mut found = [[0.0; 2]; AT_ONCE];
            some.iter().take(AHEAD).for_each(|&row| self.prefetch(row));
            self.look(some, &mut found[..some.len()]);
            distances.extend(found[..some.len()].iter().map(|[estimate, _]| estimate));
        }
    }
}
