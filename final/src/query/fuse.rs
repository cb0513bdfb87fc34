//! How do several ranked lists become one?
//!
//! *Reciprocal rank fusion* (Cormack, Clarke, Büttcher 2009) looks only at the places: a hit scores the sum of
//! 1 / (place + k) over the lists it is in, places counted from 0. *Distribution-based score fusion* looks at the
//! scores: each list's are brought to a common scale by its mean and deviation, then summed.

use std::collections::HashMap;

use super::Hit;
use crate::segment::Address;

/// Fuses by places. `weights` are one per list, or empty for all alike; a list of weight w counts as if its places
/// were w times closer together.
pub(super) fn rrf(lists: &[Vec<Hit>], k: usize, weights: &[f32]) -> Vec<Hit> {
    fuse(lists.iter().enumerate().flat_map(|(list, hits)| {
        let weight = weights.get(list).copied().unwrap_or(1.0);
        let score = move |place: usize| {
            if weight > 0.0 { 1.0 / ((place as f32 + 1.0) / weight + k as f32 - 1.0) } else { 0.0 }
        };
        hits.iter().enumerate().map(move |(place, hit)| (hit.address, score(place)))
    }))
}

/// Fuses by scores: (s − (μ − 3σ)) / 6σ, with the sample's deviation. Lists of one score give 0.5.
pub(super) fn dbsf(lists: &[Vec<Hit>], higher_is_better: &[bool]) -> Vec<Hit> {
    fuse(lists.iter().zip(higher_is_better).flat_map(|(hits, &higher)| {
        let sign = if higher { 1.0 } else { -1.0 };
        let scores: Vec<f64> = hits.iter().map(|hit| sign * f64::from(hit.score)).collect();
        let mean = scores.iter().sum::<f64>() / scores.len() as f64;
        let squares: f64 = scores.iter().map(|score| (score - mean).powi(2)).sum();
        let deviation = if scores.len() > 1 { (squares / (scores.len() - 1) as f64).sqrt() } else { 0.0 };
        let scaled = move |score: f64| {
            if deviation > 0.0 {
                ((score - (mean - 3.0 * deviation)) / (6.0 * deviation)) as f32
            } else {
                0.5
            }
        };
        let addresses = hits.iter().map(|hit| hit.address);
        addresses.zip(scores.into_iter().map(scaled)).collect::<Vec<_>>()
    }))
}

/// Sums the scores by row; best first, ties by address.
fn fuse(scored: impl Iterator<Item = (Address, f32)>) -> Vec<Hit> {
    let mut sums: HashMap<Address, f32> = HashMap::new();
    scored.for_each(|(address, score)| *sums.entry(address).or_default() += score);
    let mut hits: Vec<Hit> = sums.into_iter().map(|(address, score)| Hit::new(address, score)).collect();
    hits.sort_by(|a, b| b.score.total_cmp(&a.score).then(a.address.cmp(&b.address)));
    hits
}

#[cfg(test)]
mod tests {
    use super::*;

    fn list(scores: &[(u32, f32)]) -> Vec<Hit> {
        scores.iter().map(|&(ordinal, score)| Hit::new(Address { segment: 0, ordinal }, score)).collect()
    }

    fn shown(hits: Vec<Hit>) -> Vec<(u32, f32)> {
        hits.iter().map(|hit| (hit.address.ordinal, (hit.score * 1e4).round() / 1e4)).collect()
    }

    #[test]
    fn ranks_fuse() {
        let lists = [list(&[(1, 9.0), (2, 8.0), (3, 7.0)]), list(&[(3, 0.3), (1, 0.2)])];
        assert_eq!(shown(rrf(&lists, 2, &[])), [(1, 0.8333), (3, 0.75), (2, 0.3333)]);
        assert_eq!(
            shown(rrf(&lists, 2, &[1.0, 3.0])),
            [(3, 1.0), (1, 1.1)].into_iter().rev().chain([(2, 0.3333)]).collect::<Vec<_>>()
        );
        assert_eq!(rrf(&[], 2, &[]), []);
    }

    #[test]
    fn scores_fuse() {
        let lists = [list(&[(1, 3.0), (2, 2.0), (3, 1.0)]), list(&[(2, 5.0)])];
        assert_eq!(shown(dbsf(&lists, &[true, true])), [(2, 1.0), (1, 0.6667), (3, 0.3333)]);
        let distances = [list(&[(1, 0.5), (2, 1.5)])];
        assert_eq!(shown(dbsf(&distances, &[false]))[0].0, 1, "the smaller distance is the better");
    }
}
