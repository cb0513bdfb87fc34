//! Which neighbours does a node link to?
//!
//! Not simply the nearest: they tend to be each other's neighbours, all in one direction. A candidate is passed over
//! if it is nearer to a neighbour already chosen than to the node itself, since a walk gets there through that
//! neighbour (the paper's Algorithm 4). Its option to fill up with those passed over is taken where a graph has codes;
//! without them longer lists cost a walk more than they save it.
//!
//! Duplicates of the node are nobody's shorter way, so the rule would let them take all slots and make an island of
//! themselves. They get a quarter of the slots.

use crate::{point::Ordinal, vector::Scorer};

/// Chooses at most `most` of the candidates, which come nearest first with their distances from the node.
///
/// `own` is the node's distance from itself, by which a duplicate is known.
pub(super) fn select<S: Scorer>(
    candidates: &[(f32, Ordinal)],
    own: f32,
    most: usize,
    scorer_of: &impl Fn(Ordinal) -> S,
    chosen: &mut Vec<Ordinal>,
) {
    chosen.clear();
    let mut duplicates = 0;
    for &(distance, candidate) in candidates {
        if chosen.len() == most {
            return;
        }
        if distance == own {
            duplicates += 1;
            if duplicates > most.div_ceil(4) {
                continue;
            }
        }
        let scorer = scorer_of(candidate);
        if !chosen.iter().any(|&other| scorer.distance(other) < distance) {
            chosen.push(candidate);
        }
    }
}

/// Adds candidates that [`select`] has passed over, until `most` are chosen: with a rule that passes over fewer each
/// time, and in the end none. Distances must not be negative here.
pub(super) fn fill<S: Scorer>(
    candidates: &[(f32, Ordinal)],
    most: usize,
    scorer_of: &impl Fn(Ordinal) -> S,
    chosen: &mut Vec<Ordinal>,
) {
    for lenience in [1.2, 1.5, f32::INFINITY] {
        for &(distance, candidate) in candidates {
            if chosen.len() == most {
                return;
            }
            let scorer = scorer_of(candidate);
            let in_the_way =
                |&other: &Ordinal| other == candidate || scorer.distance(other) * lenience < distance;
            if !chosen.iter().any(in_the_way) {
                chosen.push(candidate);
            }
        }
    }
}

/// Sorts candidates, each of them once.
pub(super) fn nearest_first(candidates: &mut Vec<(f32, Ordinal)>) {
    candidates.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    candidates.dedup_by_key(|candidate| candidate.1);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::vector::{Matrix, Metric, RowScorer};

    /// The neighbours of a node at 0 on a line, out of rows at these places.
    fn chosen(most: usize, places: &[f32]) -> Vec<f32> {
        let matrix = Matrix::new(1, places);
        let scorer_of = |row| RowScorer::new(Metric::Manhattan, matrix.row(row), matrix);
        let mut candidates: Vec<_> = (0..).zip(places).map(|(row, place)| (place.abs(), row)).collect();
        candidates.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut chosen = Vec::new();
        select(&candidates, 0.0, most, &scorer_of, &mut chosen);
        chosen.into_iter().map(|row| places[row as usize]).collect()
    }

    #[test]
    fn one_neighbour_in_each_direction() {
        assert_eq!(chosen(8, &[5.0, 2.0, -3.0, 3.0, -9.0]), [2.0, -3.0]);
        assert_eq!(chosen(1, &[5.0, 2.0, -3.0]), [2.0]);
        assert!(chosen(8, &[]).is_empty());
    }

    #[test]
    fn free_slots_go_to_what_lies_least_behind_the_chosen() {
        let places = [2.0, -3.0, 2.1, 4.5, -9.0];
        let matrix = Matrix::new(1, &places);
        let scorer_of = |row| RowScorer::new(Metric::Manhattan, matrix.row(row), matrix);
        let mut candidates: Vec<_> =
            (0..).zip(&places).map(|(row, place): (_, &f32)| (place.abs(), row)).collect();
        nearest_first(&mut candidates);
        let mut chosen = vec![0, 1];
        fill(&candidates, 4, &scorer_of, &mut chosen);
        // -9 is 6 from -3, not so much less than 9; 4.5 is 2.5 from 2, and 2.1 all but the same place.
        assert_eq!(chosen, [0, 1, 4, 2]);
        fill(&candidates, 9, &scorer_of, &mut chosen);
        assert_eq!(chosen, [0, 1, 4, 2, 3]);
    }

    #[test]
    fn duplicates_leave_room_for_others() {
        let places = [0.0, 0.0, 0.0, 0.0, 0.0, 1.0, -1.0];
        assert_eq!(chosen(8, &places), [0.0, 0.0, 1.0, -1.0]);
    }
}
