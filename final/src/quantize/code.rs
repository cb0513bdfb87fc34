//! What do the signs of a vector say about a distance?
//!
//! RaBitQ (Gao & Long, *RaBitQ: Quantizing High-Dimensional Vectors with a Theoretical Error Bound for Approximate
//! Nearest Neighbor Search*, 2024), seen from a centre that is another row, as in SymphonyQG (Gou et al., 2025). Of the
//! rotated difference `r = x - c` only the signs `b` are kept, a corner of a cube. The corner points almost where `r`
//! does, and `⟨b, r⟩ = Σ|rᵢ|` is known when the code is made, so that for any other vector `v`
//!
//! ```text
//! ⟨r, v⟩ ≈ ⟨b, v⟩ · |r|² / Σ|rᵢ|
//! ```
//!
//! is right on average over rotations, and off by some `0.75 · |r| |v| / √d`. With `v = q - c` a distance to `x` is
//! the known distance to `c`, a number known when the code is made, and `⟨b, q⟩`, which a
//! [`Lookup`](super::Lookup) sums up:
//!
//! ```text
//! Euclid     |x - q|² = |q - c|² + |r|² - 2⟨r, q - c⟩
//! Dot         -⟨x, q⟩ = -⟨c, q⟩ - ⟨r, c⟩ - ⟨r, q - c⟩
//! both       distance ≈ distance(c, q) + base - slope · ⟨b, q⟩
//! ```
//!
//! `base` holds the code's own estimate of `⟨r, c⟩`, so that what is wrong about it cancels where `q` is near `c`.
//!
//! Not here: Manhattan distances, which no rotation keeps.

use super::Kernels;
use crate::vector::Metric;

/// Shorter vectors are read about as fast as their codes.
const LEAST_DIMENSION: usize = 32;

/// What one pass over a rotated row and its centre yields, `r` being their difference.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Sums {
    /// `|r|²`
    pub squared: f32,
    /// `Σ|rᵢ|`
    pub absolute: f32,
    /// `⟨r, c⟩`
    pub along: f32,
    /// `⟨b, c⟩`
    pub signed: f32,
}

/// A bit per coordinate, 16 in each number, lowest first; set where the difference is positive.
pub type Signs = Vec<u16>;

/// How an estimate is made of a distance to the centre and a sum over signs.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Code {
    /// Added to the centre's distance.
    pub base: f32,
    /// Taken away for each unit of the query along the signs.
    pub slope: f32,
}

impl Code {
    /// The code of a rotated row, seen from a rotated centre; its signs are put into `signs`.
    pub fn new(metric: Metric, row: &[f32], centre: &[f32], signs: &mut Signs) -> Self {
        let Sums { squared, absolute, along, signed } = Kernels::best().encode(row, centre, signs);
        let scale = if absolute > 0.0 { squared / absolute } else { 0.0 };
        match metric {
            Metric::Euclid => Self { base: squared + 2.0 * scale * signed, slope: 2.0 * scale },
            Metric::Cosine | Metric::Dot => Self { base: scale * signed - along, slope: scale },
            Metric::Manhattan => unreachable!("Manhattan distances have no codes"),
        }
    }

    /// Whether distances can be estimated from signs, and are worth it: with 16 numbers a graph is about as fast
    /// without.
    pub fn is_for(metric: Metric, dimension: usize) -> bool {
        metric != Metric::Manhattan && dimension >= LEAST_DIMENSION
    }
}
