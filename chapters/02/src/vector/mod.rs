//! How near are two vectors?

/// The straight-line distance between two places.
pub fn euclid(a: [f32; 2], b: [f32; 2]) -> f32 {
    let across = a[0] - b[0];
    let up = a[1] - b[1];
    (across * across + up * up).sqrt()
}

/// The row of the place that is nearest to `query`.
pub fn nearest(places: &[[f32; 2]], query: [f32; 2]) -> usize {
    let mut best = 0;
    for row in 1..places.len() {
        if euclid(places[row], query) < euclid(places[best], query) {
            best = row;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn three_across_and_four_up_is_five() {
        assert_eq!(euclid([1.0, 1.0], [4.0, 5.0]), 5.0);
    }

    #[test]
    fn the_nearest_place_may_be_the_last() {
        let places = [[0.0, 0.0], [5.0, 5.0], [1.0, 2.0]];
        assert_eq!(nearest(&places, [1.0, 1.0]), 2);
    }

    #[test]
    fn of_two_equally_near_places_the_first_wins() {
        let places = [[0.0, 1.0], [1.0, 0.0]];
        assert_eq!(nearest(&places, [0.0, 0.0]), 0);
    }
}
