//! How is a vector turned so that no coordinate matters more than another?
//!
//! One bit per coordinate says most where all coordinates carry the same share. A random rotation spreads them so,
//! whatever the data, and changes no distance and no dot product. A random matrix would cost d² operations a query; a
//! fast Hadamard transform after random changes of sign costs d·log d and does as well (Ailon & Chazelle, *The fast
//! Johnson–Lindenstrauss transform*, 2009). The transform wants a power of two: it runs over the first and over the
//! last coordinates that make one. The two overlap, so that two rounds mix all of them.
//!
//! Not here: a rotation fitted to the data.

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::Kernels;

/// Rotated vectors are filled up with zeros to a multiple of this: four coordinates for each of four look-ups at once.
const MULTIPLE: usize = 16;

/// Shorter vectors are filled up to this: few signs say too little, and more of them can be had of the same vector.
const LEAST: usize = 128;

/// Sign changes and transforms; one round leaves traces of a single large coordinate.
const ROUNDS: usize = 2;

/// A rotation drawn from a seed.
#[derive(Debug, Clone)]
pub struct Rotation {
    dimension: usize,
    /// By round and coordinate, 1 or -1.
    signs: Vec<f32>,
    /// Coordinates in one transform: the largest power of two that fits.
    window: usize,
}

impl Rotation {
    /// Of vectors with so many numbers.
    pub fn new(dimension: usize, seed: u64) -> Self {
        let padded = Self::padded(dimension);
        let window = if padded.is_power_of_two() { padded } else { padded.next_power_of_two() / 2 };
        let mut random = SmallRng::seed_from_u64(seed);
        let signs = (0..ROUNDS * padded).map(|_| if random.random() { 1.0 } else { -1.0 }).collect();
        Self { dimension, signs, window }
    }

    /// How many numbers the vectors have.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// How many numbers a rotated vector has.
    pub fn padded(dimension: usize) -> usize {
        dimension.max(LEAST).next_multiple_of(MULTIPLE)
    }

    /// Rotates a vector into `rotated`, which gets the length that [`Rotation::padded`] says.
    pub fn apply(&self, vector: &[f32], rotated: &mut Vec<f32>) {
        assert_eq!(vector.len(), self.dimension, "a vector of another dimension than the rotation's");
        let padded = Self::padded(self.dimension);
        rotated.clear();
        rotated.extend_from_slice(vector);
        rotated.resize(padded, 0.0);
        for signs in self.signs.chunks_exact(padded) {
            Kernels::best().mix(rotated, signs, self.window);
        }
    }
}
