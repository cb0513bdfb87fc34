//! What is asked of a collection, and the answer's shape.
//!
//! A [`Query`] is a tree: leaves look for points (by vector, by words, by an order), inner nodes rank again what
//! their `prefetch` found. [`plan`] decides how each leaf runs, [`execute`] runs it over a snapshot, [`fuse`] joins
//! ranked lists, and [`formula`] says what a score is made of that a client has written down.
//!
//! Not here: JSON, and the resolving of ids and texts into vectors; the server does that first.

mod context;
mod examples;
mod execute;
pub mod explain;
pub mod formula;
mod fuse;
mod leaf;
mod order;
pub mod plan;
mod rescore;
mod select;

use crate::{
    filter::{Filter, bm25::Bm25Query},
    point::PointId,
    segment::Address,
};

use context::Context;
pub use examples::Naive;
pub use execute::{Answer, run};
pub use explain::Explain;
pub use formula::Formula;
pub use order::{OrderBy, OrderValue};
pub use select::{count, matching, page};

/// One query, or one branch of a `prefetch`.
#[derive(Debug, Clone, Default)]
pub struct Query {
    /// How points are ranked; without it, points come by id with score 1.
    pub kind: Option<Kind>,
    /// Queries whose answers are ranked again by `kind`, instead of all points.
    pub prefetch: Vec<Query>,
    /// Only points that match; every prefetch below it sees it too.
    pub filter: Option<Filter>,
    /// How hard to look.
    pub params: SearchParams,
    /// Points with a worse score are left out.
    pub score_threshold: Option<f32>,
    /// How many points are wanted at most.
    pub limit: usize,
    /// How many of the best are skipped first.
    pub offset: usize,
}

/// How points are ranked.
#[derive(Debug, Clone)]
pub enum Kind {
    /// By distance to a vector; the points named in `except` are left out (a search by a point's own id).
    Nearest {
        /// The name of the vector.
        using: String,
        /// What is looked for.
        vector: Vec<f32>,
        /// Ids left out of the answer.
        except: Vec<PointId>,
        /// Trade nearness for variety.
        mmr: Option<Mmr>,
    },
    /// By a score made from distances to several examples.
    Examples {
        /// The name of the vector.
        using: String,
        /// How the distances become one score.
        examples: Examples,
        /// Ids left out of the answer.
        except: Vec<PointId>,
    },
    /// By words, with BM25.
    Bm25(Bm25Query),
    /// By the ranks in the prefetched lists.
    Rrf {
        /// Added to every rank, counted from 0.
        k: usize,
        /// One weight per list, or none.
        weights: Vec<f32>,
    },
    /// By the prefetched scores, each list normalised by its mean and deviation.
    Dbsf,
    /// By a formula over the prefetched scores and the payload.
    Formula(Formula),
    /// By a payload value; the score is 1.
    OrderBy(OrderBy),
    /// In an order drawn from this seed; the score is 1.
    Sample {
        /// The seed of the order.
        seed: u64,
    },
}

/// Maximal marginal relevance.
#[derive(Debug, Clone)]
pub struct Mmr {
    /// From 0 (nearness alone) to 1 (variety alone).
    pub diversity: f32,
    /// How many of the nearest are chosen from.
    pub candidates: usize,
}

/// Scores from several example vectors (API: recommend, discover, context,
/// relevance feedback).
#[derive(Debug, Clone)]
pub enum Examples {
    /// The best positive against the best negative.
    BestScore {
        /// Wanted.
        positive: Vec<Vec<f32>>,
        /// Unwanted.
        negative: Vec<Vec<f32>>,
    },
    /// The sum over positives less the sum over negatives.
    SumScores {
        /// Wanted.
        positive: Vec<Vec<f32>>,
        /// Unwanted.
        negative: Vec<Vec<f32>>,
    },
    /// Near the target, on the right side of every pair.
    Discover {
        /// What is looked for.
        target: Vec<f32>,
        /// Pairs of (positive, negative).
        context: Vec<(Vec<f32>, Vec<f32>)>,
    },
    /// On the right side of every pair.
    Context(
        /// Pairs of (positive, negative).
        Vec<(Vec<f32>, Vec<f32>)>,
    ),
    /// The sum over all, each times its weight; [`Examples::feedback`] makes them.
    Weighted(
        /// Vectors with their weights.
        Vec<(Vec<f32>, f32)>,
    ),
}

/// How hard to look.
#[derive(Debug, Clone, Default)]
pub struct SearchParams {
    /// Compare with every accepted point.
    pub exact: bool,
    /// Breadth of the walk through a graph; `None` is the default.
    pub hnsw_ef: Option<usize>,
    /// Leave out rows that have no graph yet.
    pub indexed_only: bool,
    /// How codes are used.
    pub codes: CodeParams,
}

/// What a search makes of codes; the words are Qdrant's.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CodeParams {
    /// Compute every distance from the numbers.
    pub ignore: bool,
    /// Compute the distances of the hits from the numbers. Without it, what codes estimate is the answer, where the
    /// vector's quantization was asked for.
    pub rescore: bool,
    /// How many times as many rows as wanted are looked for by codes, then chosen from by their numbers; at least 1.
    pub oversampling: f64,
}

impl Default for CodeParams {
    fn default() -> Self {
        Self { ignore: false, rescore: true, oversampling: 1.0 }
    }
}

/// One answer: a row and why it stands where it stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Hit {
    /// Where the point is.
    pub address: Address,
    /// As the client sees it: dot product, cosine, Euclidean distance, BM25, fused rank, or 1.
    pub score: f32,
    /// The value it was ordered by, in an ordering.
    pub order_value: Option<OrderValue>,
}

impl Hit {
    /// A hit with a score.
    pub fn new(address: Address, score: f32) -> Self {
        Self { address, score, order_value: None }
    }
}

#[cfg(test)]
mod tests;
