//! How near are two vectors?

use serde::Deserialize;

/// What "near" means. So far there is one way to say it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Metric {
    /// The straight-line distance.
    Euclid,
}

/// The straight-line distance between two vectors of the same length.
pub fn euclid(a: &[f32], b: &[f32]) -> f32 {
    assert_eq!(a.len(), b.len(), "vectors of different lengths");
    let squares = a.iter().zip(b).map(|(x, y)| (x - y) * (x - y));
    squares.sum::<f32>().sqrt()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_across_and_four_up_is_five() {
        assert_eq!(euclid(&[1.0, 1.0], &[4.0, 5.0]), 5.0);
    }

    #[test]
    fn a_vector_may_have_any_length() {
        assert_eq!(euclid(&[], &[]), 0.0);
        assert_eq!(euclid(&[1.0; 100], &[2.0; 100]), 10.0);
    }

    #[test]
    #[should_panic(expected = "different lengths")]
    fn vectors_of_different_lengths_have_no_distance() {
        euclid(&[1.0], &[1.0, 2.0]);
    }
}
