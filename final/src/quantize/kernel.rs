//! The arithmetic of rotations and codes, as fast as this machine can do it.
//!
//! Where the compiler turns plain loops into an instruction set's own, there is one loop, compiled once per set: over
//! arrays of 16 lanes, because it may not reorder a sum of floats by itself. Only the look-ups and the sums over row codes
//! need intrinsics. Rows are estimated many in a call: the bits of 784 numbers take 10 ns each instead of 12, and the
//! next rows' codes come from memory meanwhile.
//! [`Kernels::best`] picks a table of function pointers once.
//!
//! Not here: what is computed and why; that is with the callers.

// Reason: the functions behind the table need instructions that the build's baseline does not have.
#![allow(unsafe_code)]

use std::sync::OnceLock;

use super::{
    code::{Signs, Sums},
    fastscan::{BLOCK, Factors},
};
use crate::{point::Ordinal, vector::kernel::prefetch};

/// How many numbers a loop takes at once.
const LANES: usize = 16;

/// A row, its centre, the bytes; the sums of [`Kernels::encode_bytes`].
type EncodeBytes = unsafe fn(&[f32], &[f32], &mut [u8]) -> [f32; 2];

/// Estimates of some rows; what comes out is each one's distance and slope.
type EstimateRows = unsafe fn(&Records<'_>, &Query<'_>, &[Ordinal], &mut [[f32; 2]]);

/// The loops compiled for one instruction set. Safe to call only where the processor has it.
#[derive(Debug)]
pub(super) struct Loops {
    pub(super) mix: unsafe fn(&mut [f32], &[f32], usize),
    pub(super) encode: unsafe fn(&[f32], &[f32], &mut [u16]) -> Sums,
    pub(super) encode_bytes: EncodeBytes,
    pub(super) steps: unsafe fn(&[f32], f32, &mut [i8]),
    pub(super) binary: EstimateRows,
    pub(super) scalar: EstimateRows,
    pub(super) tables: unsafe fn(&[f32], f32, &mut [u8]),
    pub(super) scan: unsafe fn(&[u8], &[u8], &mut [u32; BLOCK]),
    pub(super) finish: unsafe fn(&[u32; BLOCK], [f32; 4], &Factors<'_>, &mut [f32; BLOCK]) -> u32,
}

/// The loops for one instruction set, which this processor has.
#[derive(Debug)]
pub struct Kernels {
    /// What the instruction set is called.
    pub name: &'static str,
    pub(super) loops: Loops,
}

impl Kernels {
    /// The fastest on this machine.
    #[inline]
    pub fn best() -> &'static Self {
        static BEST: OnceLock<&Kernels> = OnceLock::new();
        BEST.get_or_init(|| Self::all_available()[0])
    }

    /// Every table that works on this machine, the fastest first, the portable one last.
    pub fn all_available() -> Vec<&'static Self> {
        let mut all = Vec::new();
        #[cfg(target_arch = "x86_64")]
        all.extend(super::x86::available());
        all.push(&PORTABLE);
        all
    }

    /// Changes signs, then runs a transform over the first and one over the last `window` numbers, in place.
    pub fn mix(&self, values: &mut [f32], signs: &[f32], window: usize) {
        assert!(values.len() == signs.len() && window.is_power_of_two() && window >= LANES);
        // SAFETY: a table is handed out only if the processor has its instructions.
        unsafe { (self.loops.mix)(values, signs, window) }
    }

    /// Sums over the difference of a row from a centre, whose signs are put into `signs`.
    pub fn encode(&self, row: &[f32], centre: &[f32], signs: &mut Signs) -> Sums {
        assert!(row.len() == centre.len() && row.len().is_multiple_of(LANES));
        signs.resize(row.len() / LANES, 0);
        // SAFETY: as in `mix`.
        unsafe { (self.loops.encode)(row, centre, signs) }
    }

    /// The difference of a row from a centre in whole steps, 127 to the largest; a byte is [`ZERO`] more. Gives the sum
    /// of its squares, and that of its products with the whole steps.
    pub fn encode_bytes(&self, row: &[f32], centre: &[f32], bytes: &mut [u8]) -> [f32; 2] {
        assert!(row.len() == centre.len() && row.len() == bytes.len() && row.len().is_multiple_of(LANES));
        // SAFETY: as in `mix`.
        unsafe { (self.loops.encode_bytes)(row, centre, bytes) }
    }

    /// The numbers in whole steps, `per_step` steps to 1; no more than 127 of them.
    pub fn steps(&self, values: &[f32], per_step: f32, whole: &mut [i8]) {
        assert!(values.len() == whole.len() && values.len().is_multiple_of(LANES));
        // SAFETY: as in `mix`.
        unsafe { (self.loops.steps)(values, per_step, whole) }
    }

    /// Estimates rows by the signs in their codes: a code's sum is that of the values whose bit is set, the lowest bit of
    /// the first byte being the first value's.
    #[inline]
    pub fn binary(&self, records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
        assert!(rows.len() == found.len() && (records.record - 2) * 32 == query.values.len());
        // SAFETY: as in `mix`.
        unsafe { (self.loops.binary)(records, query, rows, found) }
    }

    /// Estimates rows by the bytes in their codes: a code's sum is that of the products.
    #[inline]
    pub fn scalar(&self, records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
        assert!(rows.len() == found.len() && (records.record - 2) * 4 == query.values.len());
        // SAFETY: as in `mix`.
        unsafe { (self.loops.scalar)(records, query, rows, found) }
    }

    /// For each four numbers the 16 sums with all their signs, `per_step` times as large, from 0 up.
    pub fn tables(&self, rotated: &[f32], per_step: f32, tables: &mut [u8]) {
        assert!(tables.len() == rotated.len() * 4);
        // SAFETY: as in `mix`.
        unsafe { (self.loops.tables)(rotated, per_step, tables) }
    }

    /// For each code of a block the sum of what the tables say of its groups.
    #[inline]
    pub fn scan(&self, block: &[u8], tables: &[u8], sums: &mut [u32; BLOCK]) {
        assert!(block.len() == tables.len() && tables.len().is_multiple_of(64), "a table for each line");
        // SAFETY: as in `mix`.
        unsafe { (self.loops.scan)(block, tables, sums) }
    }

    /// Turns sums into estimates; `query` is the centre's distance, the tables' step, the least sum, and the bound
    /// below which an estimate has its bit set in what is returned.
    #[inline]
    pub fn finish(
        &self,
        sums: &[u32; BLOCK],
        query: [f32; 4],
        codes: &Factors<'_>,
        estimates: &mut [f32; BLOCK],
    ) -> u32 {
        // SAFETY: as in `mix`.
        unsafe { (self.loops.finish)(sums, query, codes, estimates) }
    }
}

/// Codes of rows: of each its base and slope (`f32`), then the code's bytes, a multiple of four.
#[derive(Debug, Clone, Copy)]
pub struct Records<'a> {
    /// All of them.
    pub numbers: &'a [u32],
    /// Numbers from one to the next.
    pub record: usize,
}

impl<'a> Records<'a> {
    /// The record of a row. Panics if there is no such row.
    #[inline(always)]
    pub fn of(&self, row: Ordinal) -> &'a [u32] {
        &self.numbers[row as usize * self.record..][..self.record]
    }
}

/// What rows are compared with: `start + base - slope · (step · sum - offset)` is an estimate.
#[derive(Debug)]
pub struct Query<'a> {
    /// A number for each bit or byte of a code.
    pub values: &'a [i8],
    /// The distance of a row whose code says nothing.
    pub start: f32,
    /// What a code's sum is multiplied by.
    pub step: f32,
    /// What is taken from it then.
    pub offset: f32,
}

static PORTABLE: Kernels = Kernels {
    name: "portable",
    loops: Loops { mix, encode, encode_bytes, steps, binary, scalar, tables, scan, finish },
};

#[inline(always)]
pub(super) fn mix(values: &mut [f32], signs: &[f32], window: usize) {
    values.iter_mut().zip(signs).for_each(|(value, sign)| *value *= sign);
    let padded = values.len();
    hadamard(&mut values[..window]);
    if window < padded {
        hadamard(&mut values[padded - window..]);
    }
}

/// The Walsh–Hadamard transform, scaled to keep lengths: sums and differences of pairs ever farther apart.
#[inline(always)]
fn hadamard(values: &mut [f32]) {
    let scale = 1.0 / (values.len() as f32).sqrt();
    for lanes in values.as_chunks_mut::<LANES>().0 {
        *lanes = pairs::<8>(pairs::<4>(pairs::<2>(pairs::<1>(*lanes)))).map(|lane| lane * scale);
    }
    let mut half = LANES;
    while half < values.len() {
        for both in values.chunks_exact_mut(2 * half) {
            let (left, right) = both.split_at_mut(half);
            for (a, b) in left.iter_mut().zip(right) {
                (*a, *b) = (*a + *b, *a - *b);
            }
        }
        half *= 2;
    }
}

/// Sums and differences of lanes that are `HALF` apart; written so that it compiles to a shuffle and an addition.
#[inline(always)]
fn pairs<const HALF: usize>(lanes: [f32; LANES]) -> [f32; LANES] {
    let own: [f32; LANES] =
        std::array::from_fn(|lane| if lane & HALF == 0 { lanes[lane] } else { -lanes[lane] });
    let other: [f32; LANES] = std::array::from_fn(|lane| lanes[lane ^ HALF]);
    std::array::from_fn(|lane| own[lane] + other[lane])
}

#[inline(always)]
pub(super) fn encode(row: &[f32], centre: &[f32], signs: &mut [u16]) -> Sums {
    let [mut squared, mut absolute, mut along, mut signed] = [[0.0f32; LANES]; 4];
    for ((row, centre), bits) in
        row.as_chunks::<LANES>().0.iter().zip(centre.as_chunks::<LANES>().0).zip(signs)
    {
        *bits = 0;
        for lane in 0..LANES {
            let (difference, c) = (row[lane] - centre[lane], centre[lane]);
            let positive = difference > 0.0;
            squared[lane] += difference * difference;
            absolute[lane] += difference.abs();
            along[lane] += difference * c;
            signed[lane] += if positive { c } else { -c };
            *bits |= u16::from(positive) << lane;
        }
    }
    let sum = |lanes: [f32; LANES]| lanes.iter().sum();
    Sums { squared: sum(squared), absolute: sum(absolute), along: sum(along), signed: sum(signed) }
}

#[inline(always)]
pub(super) fn encode_bytes(row: &[f32], centre: &[f32], bytes: &mut [u8]) -> [f32; 2] {
    let (row, centre) = (row.as_chunks::<LANES>().0, centre.as_chunks::<LANES>().0);
    let mut largest = [0.0f32; LANES];
    for (row, centre) in row.iter().zip(centre) {
        for lane in 0..LANES {
            let size = (row[lane] - centre[lane]).abs();
            largest[lane] = if size > largest[lane] { size } else { largest[lane] };
        }
    }
    let largest = largest.iter().fold(0.0, |most: f32, lane| most.max(*lane));
    let per_step = if largest > 0.0 { 127.0 / largest } else { 0.0 };
    let [mut squared, mut along] = [[0.0f32; LANES]; 2];
    for ((row, centre), bytes) in row.iter().zip(centre).zip(bytes.as_chunks_mut::<LANES>().0) {
        for lane in 0..LANES {
            let difference = row[lane] - centre[lane];
            // To the nearest: the added number leaves no room for a fraction.
            let whole = (difference * per_step + ROUND) - ROUND;
            squared[lane] += difference * difference;
            along[lane] += difference * whole;
            bytes[lane] = (whole + ZERO) as u8;
        }
    }
    [squared.iter().sum(), along.iter().sum()]
}

/// The byte that says 0.
pub const ZERO: f32 = 128.0;

/// 1.5 · 2²³: what is added to it is rounded to a whole number.
const ROUND: f32 = 12_582_912.0;

#[inline(always)]
pub(super) fn steps(values: &[f32], per_step: f32, whole: &mut [i8]) {
    for (values, whole) in values.as_chunks::<LANES>().0.iter().zip(whole.as_chunks_mut::<LANES>().0) {
        // As in `encode_bytes`, and the lowest bits of such a sum are those of the whole number.
        *whole = values.map(|value| (value * per_step + ROUND).to_bits() as i8);
    }
}

/// How many rows ahead of the one at hand are fetched from memory.
pub(super) const AHEAD: usize = 8;

/// One row after another; `sum` is compiled into the loop.
#[inline(always)]
pub(super) fn estimate(
    records: &Records<'_>,
    query: &Query<'_>,
    rows: &[Ordinal],
    found: &mut [[f32; 2]],
    sum: impl Fn(&[u8], &[i8]) -> i32,
) {
    for (at, (&row, found)) in rows.iter().zip(found).enumerate() {
        if let Some(&later) = rows.get(at + AHEAD) {
            prefetch(records.of(later));
        }
        let (factors, code) = records.of(row).split_at(2);
        let (base, slope) = (f32::from_bits(factors[0]), f32::from_bits(factors[1]));
        let along = query.step * sum(bytemuck::cast_slice(code), query.values) as f32 - query.offset;
        *found = [query.start + base - slope * along, slope];
    }
}

fn binary(records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
    estimate(records, query, rows, found, chosen);
}

fn scalar(records: &Records<'_>, query: &Query<'_>, rows: &[Ordinal], found: &mut [[f32; 2]]) {
    estimate(records, query, rows, found, products);
}

/// For each byte its eight bits, as numbers of eight bits that are all set or none.
const SPREAD: [[i8; 8]; 256] = {
    let mut spread = [[0; 8]; 256];
    let mut place = 0;
    while place < 256 * 8 {
        if (place / 8) >> (place % 8) & 1 == 1 {
            spread[place / 8][place % 8] = -1;
        }
        place += 1;
    }
    spread
};

#[inline(always)]
fn chosen(bits: &[u8], values: &[i8]) -> i32 {
    let mut sums = [0; 8];
    for (byte, values) in bits.iter().zip(values.as_chunks::<8>().0) {
        for ((sum, value), mask) in sums.iter_mut().zip(values).zip(&SPREAD[usize::from(*byte)]) {
            *sum += i32::from(value & mask);
        }
    }
    sums.iter().sum()
}

#[inline(always)]
pub(super) fn products(bytes: &[u8], values: &[i8]) -> i32 {
    bytes.iter().zip(values).map(|(&byte, &value)| i32::from(byte) * i32::from(value)).sum()
}

/// Bit by bit, the sign that each of the 16 nibbles gives to a coordinate.
const SIGNS: [[f32; 16]; 4] = {
    let mut signs = [[-1.0; 16]; 4];
    let mut place = 0;
    while place < 64 {
        if (place % 16) >> (place / 16) & 1 == 1 {
            signs[place / 16][place % 16] = 1.0;
        }
        place += 1;
    }
    signs
};

/// 2²³: the next larger number of 32 bits is one more.
const WHOLE: f32 = 8_388_608.0;

#[inline(always)]
pub(super) fn tables(rotated: &[f32], per_step: f32, tables: &mut [u8]) {
    for (four, table) in rotated.as_chunks::<4>().0.iter().zip(tables.as_chunks_mut::<16>().0) {
        let spread: f32 = four[0].abs() + four[1].abs() + four[2].abs() + four[3].abs();
        // A sum this large has its whole part in its lowest bits: a conversion that compiles to nothing.
        let mut entries = [spread * per_step; 16];
        for (value, signs) in four.iter().zip(&SIGNS) {
            let value = value * per_step;
            for (entry, sign) in entries.iter_mut().zip(signs) {
                *entry += value * sign;
            }
        }
        *table = entries.map(|entry| (entry + WHOLE).to_bits() as u8);
    }
}

fn scan(block: &[u8], tables: &[u8], sums: &mut [u32; BLOCK]) {
    sums.fill(0);
    for (line, table) in block.as_chunks::<16>().0.iter().zip(tables.as_chunks::<16>().0) {
        for (place, &byte) in line.iter().enumerate() {
            sums[place] += u32::from(table[usize::from(byte & 15)]);
            sums[place + 16] += u32::from(table[usize::from(byte >> 4)]);
        }
    }
}

#[inline(always)]
pub(super) fn finish(
    sums: &[u32; BLOCK],
    query: [f32; 4],
    codes: &Factors<'_>,
    estimates: &mut [f32; BLOCK],
) -> u32 {
    let [centre, step, least, bound] = query;
    let mut below = 0;
    for place in 0..BLOCK {
        let sum = sums[place] as f32 * step + least;
        let estimate = centre + codes.bases[place] - codes.slopes[place] * sum;
        estimates[place] = estimate;
        below |= u32::from(estimate < bound) << place;
    }
    below
}
