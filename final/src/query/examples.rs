//! Scores from several example vectors: recommendation, discovery, context, relevance feedback.
//!
//! The similarity of two vectors is their dot product (cosine, dot) or the negated distance (squared for Euclid);
//! higher is more alike. The formulas are those of Qdrant's API.

use super::Examples;
use crate::{
    error::{Error, Result},
    vector::{Metric, distance},
};

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
        Examples::Weighted(examples) => {
            let sum = examples
                .iter()
                .fold(0.0, |sum, (example, weight)| sum + f64::from(*weight) * f64::from(alike(example)));
            (sum as f32).clamp(f32::MIN, f32::MAX)
        }
    }
}

/// The coefficients of naive relevance feedback.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Naive {
    /// The weight of the target.
    pub a: f32,
    /// To what power the difference of two scores is taken.
    pub b: f32,
    /// The weight of all pairs.
    pub c: f32,
}

impl Examples {
    /// A target, and vectors with a judgement each. Every two of them of which one is the better, by some `d`, add
    /// c·dᵇ times the difference of a row's similarities to both; in the sum over all pairs each vector has one weight.
    /// An error if one is not finite.
    pub fn feedback(target: Vec<f32>, judged: Vec<(Vec<f32>, f32)>, naive: Naive) -> Result<Self> {
        let scores: Vec<f64> = judged.iter().map(|(_, score)| f64::from(*score)).collect();
        let pull = |difference: f64| f64::from(naive.c) * difference.powf(f64::from(naive.b));
        let weight = |score: f64| -> f64 {
            let better = scores.iter().filter(|other| score > **other).map(|other| pull(score - other));
            let worse = scores.iter().filter(|other| **other > score).map(|other| pull(other - score));
            better.sum::<f64>() - worse.sum::<f64>()
        };
        let mut weighted = vec![(target, naive.a)];
        for ((vector, _), score) in judged.into_iter().zip(&scores) {
            let weight = weight(*score) as f32;
            if !weight.is_finite() {
                return Err(Error::bad_request(format!(
                    "relevance feedback: the example with the score {score} gets a non-finite weight by {naive:?}"
                )));
            }
            weighted.push((vector, weight));
        }
        Ok(Self::Weighted(weighted))
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

    #[test]
    fn feedback_pulls_towards_the_better_examples() {
        let (east, north, west) = (vec![1.0, 0.0], vec![0.0, 1.0], vec![-1.0, 0.0]);
        let feedback = |judged, naive| Examples::feedback(east.clone(), judged, naive);
        let naive = Naive { a: 0.5, b: 2.0, c: 0.25 };
        let judged = vec![(north.clone(), 3.0), (west.clone(), 1.0), (west.clone(), 1.0)];
        let Ok(Examples::Weighted(weighted)) = feedback(judged.clone(), naive) else { panic!("no weights") };
        let weights: Vec<f32> = weighted.iter().map(|(_, weight)| *weight).collect();
        assert_eq!(weights, [0.5, 2.0, -1.0, -1.0], "two pairs of 0.25 · 2²");
        let examples = Examples::Weighted(weighted);
        assert_eq!(score(Metric::Dot, &examples, &[1.0, 1.0]), 0.5 + 2.0 + 1.0 + 1.0);
        assert_eq!(score(Metric::Euclid, &examples, &[1.0, 0.0]), -2.0 * 2.0 + 2.0 * 4.0, "squared");
        assert_eq!(
            feedback(vec![], naive).map(|examples| score(Metric::Dot, &examples, &east)).ok(),
            Some(0.5)
        );
        let error = feedback(judged, Naive { b: 1000.0, ..naive }).unwrap_err().to_string();
        assert!(error.contains("non-finite weight"), "{error}");
        let huge = Examples::Weighted(vec![(vec![f32::MAX], 9.0), (vec![f32::MAX], -8.0)]);
        assert!(score(Metric::Dot, &huge, &[1.0]).is_finite());
    }
}
