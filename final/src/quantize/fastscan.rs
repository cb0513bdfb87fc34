//! How are 32 codes compared with a query at once?
//!
//! What is wanted of each code is the sum of the query's coordinates, each with its bit's sign. Four coordinates have
//! 16 such sums, so a table made once per query answers four bits with one look-up, and a table of 16 bytes fits into a
//! register, where one instruction looks up 16 or more codes at once (André, Kermarrec & Le Scouarnec, *Cache locality
//! is not enough*, 2015). So codes come in blocks of [`BLOCK`]: 16 bytes for each four coordinates, code `i` in the low
//! half of byte `i`, code `i + 16` in the high half.
//!
//! The sums in a table are rounded to bytes, all tables with one step. That is off by some hundredth of what one bit
//! per coordinate is off by.
//!
//! Not here: what a sum says about a distance ([`code`](super::code)).

use super::{Code, Kernels, code::Signs};

/// Codes per block.
pub const BLOCK: usize = 32;

/// Bytes per block for four coordinates.
const LINE: usize = BLOCK / 2;

/// Packs the signs of at most [`BLOCK`] codes into the `4 · padded` bytes of a block; a place without a code is zeros.
pub fn pack(codes: &[Signs], block: &mut [u8]) {
    assert!(codes.len() <= BLOCK, "{} codes in a block", codes.len());
    block.fill(0);
    for (index, signs) in codes.iter().enumerate() {
        let (byte, shift) = (index % LINE, index / LINE * 4);
        for (sixteen, lines) in signs.iter().zip(block.chunks_exact_mut(4 * LINE)) {
            for (group, line) in lines.chunks_exact_mut(LINE).enumerate() {
                line[byte] |= ((sixteen >> (4 * group) & 15) as u8) << shift;
            }
        }
    }
}

/// A rotated query as tables: 16 bytes for each four coordinates.
#[derive(Debug, Default)]
pub struct Lookup {
    tables: Vec<u8>,
    step: f32,
    least: f32,
}

impl Lookup {
    /// Makes the tables of a rotated query; what was in here before is gone.
    pub fn set(&mut self, rotated: &[f32]) {
        let (mut widest, mut sum) = (0.0f32, 0.0);
        for [a, b, c, d] in rotated.as_chunks().0 {
            let spread = a.abs() + b.abs() + c.abs() + d.abs();
            widest = widest.max(spread);
            sum += spread;
        }
        self.step = if widest > 0.0 { 2.0 * widest / 255.0 } else { 1.0 };
        self.least = -sum;
        self.tables.resize(rotated.len() * 4, 0);
        Kernels::best().tables(rotated, 1.0 / self.step, &mut self.tables);
    }

    /// Estimates the distance behind each code of a block, from the distance of the centre they are seen from.
    ///
    /// `codes` are the [`Code`]s' bases, then their slopes. Returns a bit for each estimate that is below `bound`.
    #[inline]
    pub fn estimate(
        &self,
        centre: f32,
        codes: &Factors<'_>,
        block: &[u8],
        bound: f32,
        estimates: &mut [f32; BLOCK],
    ) -> u32 {
        let mut sums = [0; BLOCK];
        let kernels = Kernels::best();
        kernels.scan(block, &self.tables, &mut sums);
        kernels.finish(&sums, [centre, self.step, self.least, bound], codes, estimates)
    }
}

/// The [`Code`]s of a block.
#[derive(Debug, Clone, Copy)]
pub struct Factors<'a> {
    /// [`Code::base`] by place.
    pub bases: &'a [f32; BLOCK],
    /// [`Code::slope`] by place.
    pub slopes: &'a [f32; BLOCK],
}

/// What stands in a place without a code: farther than anything.
pub const NO_CODE: Code = Code { base: f32::INFINITY, slope: 0.0 };
