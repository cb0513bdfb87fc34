//! How does a walk go that estimates?
//!
//! It expands the nearest node by estimate: computes the node's exact distance, which is all the exactness a result
//! needs, and from it estimates all neighbours, which stand beside each other in the node's record. So only nodes that
//! are expanded are ever computed, and those are the results.
//!
//! A node and its record are some KB, and memory takes longer to bring them than the processor to use them. So the
//! next node is chosen and asked for *before* the one at hand is looked at. It is then not always the nearest, which
//! costs a twentieth more hops and saves a seventh of the time.
//!
//! A row that several nodes lead to is offered by each, with an estimate of each, and may stand in the beam more than
//! once; it is expanded once, by its smallest estimate. So the beam holds fewer rows than it has places where all ways
//! lead to the same rows, and the walk ends sooner: 21 hops instead of 27 for recall 0.99. Where many rows are wanted a
//! beam must be sure to hold them: there each row is offered once.
//!
//! With a filter the beam holds all rows still, so many that enough of them should be accepted. But those that are not are
//! expanded only among the nearest, to lead the walk; farther out, where most of the results are, accepted rows lead on by
//! themselves. Where 30 % of 60,000 × 784 are accepted, recall 0.99 takes 56 µs so instead of 90.
//!
//! Rejected (784 numbers): looking at the nearest nodes' vectors alone at the end instead of expanding them (recall
//! falls faster than time); ending the walk by distance instead of by width (some 3 % at recall 0.95 and 0.99, for
//! one more thing to set); replacing a row's estimate in the beam by a smaller one (as many hops as offering it
//! once, and longer ones); a byte for each of a node's numbers in its record, and the vectors of the nearest twelve
//! alone at the end (a third fewer bytes a hop, but a third slower at recall 0.96 and 0.99, and 4 % at width 128:
//! the hops hide that they fetch, the end does not); a beam that is not sorted and is run over for its nearest, 16
//! at a time (a third slower at width 128); inserting what a hop offers by binary search and moves (no difference);
//! asking memory for every other line only, or for the first lines of a record (slower, or no difference). With a filter:
//! one beam of accepted rows and one of others (a fifth faster where a tenth of 60,000 rows is accepted; but it asks of
//! every row that it sees whether it is accepted, which of a million takes a quarter more time).
//!
//! Not here: where the codes come from ([`codes`](super::codes)).

use super::{
    Graph,
    beam::Offer,
    codes::{Block, blocks},
    search::Accepted,
    visited::Visited,
    walk::{Walk, WalkStats},
};
use crate::{
    point::Ordinal,
    quantize::BLOCK,
    vector::{Scorer, TopK, kernel},
};

/// Up to so many wanted rows, rows may stand in the beam more than once.
const FEW: usize = 16;

/// How many of the entries a walk starts from.
const STARTS: usize = 8;

/// With a filter, rows that are not accepted are expanded among the nearest so many times fewer.
const ONLY_ACCEPTED: usize = 6;

/// A beam is no wider than if this share of rows were accepted.
const LEAST_SHARE: f64 = 0.01;

/// How far a walk looks.
#[derive(Debug, Clone, Copy)]
pub struct Breadth {
    /// So many rows are wanted.
    k: usize,
    /// Of the nearest so many rows, those that are accepted are expanded;
    width: usize,
    /// of the nearest so many, the others too.
    all: usize,
}

impl Breadth {
    /// For `k` rows where this share of all is accepted: so wide that `ef` are accepted if they lie as the others do. That
    /// is half a time more than `k` at least, since some rows stand in a beam more than once, and four times `k` where half
    /// of all are accepted or fewer: with less, every other walk found too few.
    pub fn new(k: usize, ef: usize, share: f64) -> Self {
        let share = share.clamp(LEAST_SHARE, 1.0);
        let least = k as f64 * (1.5 + 5.0 * (1.0 - share)).min(4.0);
        let width = (least.max(ef as f64) / share).ceil() as usize;
        let all = if share < 1.0 { (width / ONLY_ACCEPTED).max(STARTS).min(width) } else { width };
        Self { k, width, all }
    }

    /// How many rows it looks at: of the nearest so many those that are accepted, of the nearest so many all.
    pub fn rows(&self) -> (usize, usize) {
        (self.width, self.all)
    }

    /// So many times as far.
    pub(super) fn wider(self, times: usize) -> Self {
        Self { width: self.width.saturating_mul(times), all: self.all.saturating_mul(times), ..self }
    }
}

/// Which rows a walk offers and expands.
#[derive(Clone, Copy)]
struct Sight<'a> {
    accepted: Option<Accepted<'a>>,
    /// All of the nearest so many, accepted or not.
    all: usize,
    /// Each row is offered once, not once for each node that leads to it.
    once: bool,
}

impl Sight<'_> {
    fn accepts(&self, row: Ordinal) -> bool {
        self.accepted.is_none_or(|accepted| (accepted.contains)(row))
    }
}

impl Graph {
    /// All rows that a walk with a beam of this width expands, nearest first; none without codes.
    pub(super) fn around(&self, scorer: &impl Scorer, query: &[f32], width: usize) -> Vec<(f32, Ordinal)> {
        let (breadth, mut stats) = (Breadth { k: width, width, all: width }, WalkStats::default());
        self.pool.with(self.rows(), |walk| self.glide(walk, scorer, query, breadth, None, &mut stats))
    }

    /// The `k` nearest accepted rows that a walk of this breadth expands; none without codes.
    pub(super) fn glide(
        &self,
        walk: &mut Walk,
        scorer: &impl Scorer,
        query: &[f32],
        Breadth { k, width, all }: Breadth,
        accepted: Option<Accepted<'_>>,
        stats: &mut WalkStats,
    ) -> Vec<(f32, Ordinal)> {
        let Some(codes) = &self.codes else { return Vec::new() };
        walk.target.set(codes, query);
        let once = k > FEW;
        let sight = Sight { accepted, all, once };
        walk.start(if once { width } else { STARTS.min(width) });
        stats.distances += 1;
        self.look(walk, scorer.distance(codes.middle), codes.starts(width), once, stats);
        walk.beam.resize(width);
        let mut best = TopK::new(k);
        let mut next = self.fetch_next(walk, scorer, sight);
        // Where nothing leads on before k rows were found, the way down from the entry may.
        let mut entry = self.entry().filter(|_| k > 0);
        loop {
            let Some(node) = next else {
                match entry.take().filter(|_| best.len() < k) {
                    Some(entry) => walk.beam.offer(scorer.distance(entry), entry),
                    None => return best.into_sorted(),
                }
                next = self.fetch_next(walk, scorer, sight);
                continue;
            };
            next = self.fetch_next(walk, scorer, sight);
            stats.hops += 1;
            stats.distances += 1;
            let distance = scorer.distance(node);
            if let Some(next) = next {
                kernel::prefetch(self.record(next));
            }
            if sight.accepts(node) {
                best.push(distance, node);
            }
            self.look(walk, distance, blocks(self.record(node), self.shape.links), once, stats);
            if next.is_none() {
                next = self.fetch_next(walk, scorer, sight);
            }
        }
    }

    /// The nearest row to expand, which is now on its way from memory.
    #[inline]
    fn fetch_next(&self, walk: &mut Walk, scorer: &impl Scorer, sight: Sight<'_>) -> Option<Ordinal> {
        while let Some(node) = walk.beam.expand_next() {
            let fresh = sight.once || walk.visited.insert(node);
            if fresh && (walk.beam.place() <= sight.all || sight.accepts(node)) {
                scorer.prefetch(node);
                return Some(node);
            }
        }
        None
    }

    /// Offers the rows of some blocks, seen from a row at this distance, to the beam. Visited are the rows that have
    /// been expanded or, where each is offered `once`, offered.
    #[inline]
    fn look<'a>(
        &self,
        walk: &mut Walk,
        distance: f32,
        blocks: impl Iterator<Item = Block<'a>>,
        once: bool,
        stats: &mut WalkStats,
    ) {
        let Walk { beam, visited, target, .. } = walk;
        for block in blocks {
            stats.estimates += BLOCK as u64;
            let mut estimates = [0.0; BLOCK];
            let mut below = target.estimate(distance, &block, beam.bound(), &mut estimates);
            let (mut offers, mut count) = ([Offer::default(); BLOCK], 0);
            while below != 0 {
                let place = below.trailing_zeros() as usize;
                below &= below - 1;
                let row = block.rows[place];
                // A record is not checked when a graph is opened: a row that is none is damage, and harmless.
                let fresh =
                    |visited: &mut Visited| if once { visited.insert(row) } else { !visited.contains(row) };
                if row < self.rows() && fresh(visited) {
                    offers[count] = Offer::new(estimates[place], row);
                    count += 1;
                }
            }
            beam.offer_all(&mut offers[..count]);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_fewer_are_accepted_the_farther_a_walk_looks() {
        let rows = |k, ef, share| Breadth::new(k, ef, share).rows();
        assert_eq!(rows(10, 64, 1.0), (64, 64));
        assert_eq!(rows(10, 10, 1.0), (15, 15));
        assert_eq!(rows(10, 64, 0.5), (128, 21));
        assert_eq!(rows(10, 10, 0.1), (400, 66));
        assert_eq!(rows(1, 1, 0.99), (2, 2));
        assert_eq!(rows(10, 10, 0.9), (23, 8));
        assert_eq!(rows(10, 64, 0.0), rows(10, 64, LEAST_SHARE));
    }
}
