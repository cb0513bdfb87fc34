//! How does relevance feedback look in JSON?

use serde::Deserialize;

use super::vector::{Num, VectorInput};

/// `relevance_feedback`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct FeedbackInput {
    /// What is looked for.
    pub target: VectorInput,
    /// What was found before, and how good it was.
    pub feedback: Vec<Judged>,
    /// How they become one score.
    pub strategy: FeedbackStrategy,
}

/// A point or vector with a judgement of it.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct Judged {
    /// What is judged.
    pub example: VectorInput,
    /// The higher, the better.
    pub score: Num,
}

/// `relevance_feedback.strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FeedbackStrategy {
    /// Every pair of examples with different scores pulls towards the better one.
    Naive {
        /// The weight of the target.
        a: Num,
        /// To what power the difference of two scores is taken.
        b: Num,
        /// The weight of all pairs.
        c: Num,
    },
}
