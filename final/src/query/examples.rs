//! Scores from several example vectors: recommendation, discovery, context.
//!
//! The similarity of two vectors is their dot product (cosine, dot) or the negated distance (squared for Euclid);
//! higher is more alike. The formulas are those of Qdrant's API.

use super::Examples;
use crate::vector::{Metric, distance};

/// How well a row fits the examples; higher is better.
pub(super) fn score(metric: Metric, examples: &Examples, row: &[f32]) -> f32 {
    let alike = |example: &Vec<f32>| -distance(metric, example, row);
    let best = |list: &[Vec<f32>]| list.iter().map(alike).fold(f32::NEG_INFINITY, f32::max);
    match examples {
        Examples::BestScore { positive, negative } => {
            let (wanted, unwanted) = (best(positive), best(negative));
            if wanted > unwanted { squashed(wanted) } else { -squashed(unwanted) }
        }
        Examples::SumScores { positive, negative } => {
            positive.iter().map(alike).sum::<f32>() - negative.iter().map(alike).sum::<f32>()
        }
        Examples::Discover { target, context } => {
            let side = |(positive, negative): &(Vec<f32>, Vec<f32>)| {
                let (wanted, unwanted) = (alike(positive), alike(negative));
                if wanted > unwanted {
                    1.0
                } else if wanted < unwanted {
                    -1.0
                } else {
                    0.0
                }
            };
            context.iter().map(side).sum::<f32>() + squashed(alike(target))
        }
        Examples::Context(pairs) => {
            let loss = |(positive, negative): &(Vec<f32>, Vec<f32>)| {
                let short = (alike(positive) - alike(negative) - f32::EPSILON).min(0.0);
                short / (1.0 + short.abs())
            };
            pairs.iter().map(loss).sum()
        }
    }
}

/// Any number brought between 0 and 1, in order.
fn squashed(x: f32) -> f32 {
    0.5 * (x / (1.0 + x.abs()) + 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn scores_follow_their_formulas() {
        let (east, north, west) = (vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, 0.0]);
        let of = |examples: Examples, row: &[f32]| score(Metric::Dot, &examples, row);
        let best = Examples::BestScore { positive: vec![east.clone()], negative: vec![north.clone()] };
        assert_eq!(of(best.clone(), &[1.0, 0.0]), 0.75);
        assert_eq!(of(best, &[0.0, 1.0]), -0.75);
        let sum =
            Examples::SumScores { positive: vec![east.clone(), north.clone()], negative: vec![west.clone()] };
        assert_eq!(of(sum, &[2.0, 1.0]), 5.0);
        let pair = vec![(east.clone(), west)];
        assert_eq!(of(Examples::Discover { target: north, context: pair.clone() }, &[1.0, 1.0]), 1.75);
        assert_eq!(of(Examples::Context(pair.clone()), &[1.0, 0.0]), 0.0);
        assert!(of(Examples::Context(pair), &[-1.0, 0.0]) < -0.6);
    }
}
