//! How does a query go through all levels, with or without a filter?
//!
//! Greedily through the levels above, to a node near the query; then with a beam of `ef` rows through level 0.
//!
//! With a filter the beam holds accepted rows only, so it is as narrow as without one, and rejected rows are not
//! scored. They are stepping stones: while a node has few accepted neighbours, those behind its rejected neighbours
//! count as its own (after Patel et al., *ACORN*, 2024), two hops away or, where a filter accepts little, three. Where
//! accepted rows lie in another region than the query, the descent ends among rejected ones; so the walk starts from a
//! few accepted rows spread over the segment too.
//!
//! A graph with codes scores rejected rows as well, since that costs little there, in a beam so wide that as many as
//! wanted should be accepted ([`glide`](super::glide)). Only if it finds too few, because the accepted ones lie elsewhere,
//! the walk through rejected ones follows.
//!
//! Not here: the choice between a walk and a scan of the accepted rows, which is the planner's. Below some hundreds of
//! accepted rows a scan is always cheaper, and the stepping stones no longer hold them together.
//!
//! Rejected, without codes: the beam over all rows. It scores every stepping stone.
//!
//! What is left to do: in many clusters a walk through accepted rows alone seldom comes upon the right one. Of a million
//! rows in a thousand clusters, searched by bytes, 30 % of them accepted at random, it finds 0.84 of the nearest at `ef`
//! 128; if a walk without the filter went first and its accepted rows were the seeds, 0.998 for a fifth more time.

use super::{
    Graph, Links,
    glide::Breadth,
    height,
    visited::Visited,
    walk::{Walk, WalkStats},
};
use crate::{point::Ordinal, vector::Scorer};

/// From how many accepted rows, spread over the segment, a filtered walk starts besides the nearest.
const SEEDS: u32 = 16;

/// How many rejected rows, times `m`, a filtered walk looks through at most for the neighbours of one node.
const STONES: usize = 4;

/// An estimating walk that found too few accepted rows goes once more with beams so many times as wide.
const WIDER: usize = 4;

/// The rows that a walk may find.
#[derive(Clone, Copy)]
pub struct Accepted<'a> {
    /// About how many they are.
    pub count: u32,
    /// Whether a row is one of them.
    pub contains: &'a dyn Fn(Ordinal) -> bool,
}

impl Graph {
    /// The `k` rows found nearest, nearest first, of those in `accepted`; a larger `ef` finds them more surely.
    ///
    /// `query` is what the scorer measures distances from; given it, a graph with codes estimates distances by them.
    pub fn search(
        &self,
        scorer: &impl Scorer,
        query: Option<&[f32]>,
        k: usize,
        ef: usize,
        accepted: Option<Accepted<'_>>,
        stats: &mut WalkStats,
    ) -> Vec<(f32, Ordinal)> {
        let Some(entry) = self.entry() else { return Vec::new() };
        let (k, ef) = (k.min(self.rows() as usize), ef.max(k).max(1));
        self.pool.with(self.rows(), |walk| {
            if let Some(query) = query.filter(|_| self.codes.is_some()) {
                let share =
                    accepted.map_or(1.0, |accepted| f64::from(accepted.count) / f64::from(self.rows()));
                let breadth = Breadth::new(k, ef, share);
                let tries = if accepted.is_some() { &[1, WIDER][..] } else { &[1] };
                for &times in tries {
                    let found = self.glide(walk, scorer, query, breadth.wider(times), accepted, stats);
                    if found.len() == k {
                        return found;
                    }
                }
            }
            walk.descend(self, entry, 1..height(&self.first, entry) + 1, scorer, stats);
            match accepted {
                None => {
                    walk.restart(ef);
                    walk.run_level(self, 0, scorer, stats);
                }
                Some(accepted) => self.walk_accepted(accepted, ef, walk, scorer, stats),
            }
            let accepted =
                |&(_, row): &(f32, Ordinal)| accepted.is_none_or(|accepted| (accepted.contains)(row));
            walk.found().filter(accepted).take(k).collect()
        })
    }

    /// Walks level 0 among accepted rows, from seeds and from the row that the walk has found, accepted or not.
    fn walk_accepted(
        &self,
        accepted: Accepted<'_>,
        ef: usize,
        walk: &mut Walk,
        scorer: &impl Scorer,
        stats: &mut WalkStats,
    ) {
        let nearest = walk.found().next().map(|(_, row)| row);
        let stride = self.rows().div_ceil(SEEDS);
        let seeds = (0..SEEDS).filter_map(|seed| {
            let mut rows = seed * stride..((seed + 1) * stride).min(self.rows());
            rows.find(|&row| (accepted.contains)(row))
        });
        walk.start(ef + 1);
        nearest.into_iter().chain(seeds).for_each(|row| walk.offer(row, scorer, stats));
        let mut stones = Vec::new();
        walk.run(self, scorer, stats, |node, visited, fresh, stats| {
            stones.clear();
            self.look_at(node, accepted, visited, fresh, &mut stones);
            let mut next = 0;
            while let Some(&stone) = stones.get(next).filter(|_| fresh.len() < self.shape.m) {
                next += 1;
                if visited.insert(stone) {
                    stats.through += 1;
                    self.look_at(stone, accepted, visited, fresh, &mut stones);
                }
            }
        });
    }

    /// Puts a node's unseen neighbours into `fresh` if they are accepted, else among the stepping stones.
    fn look_at(
        &self,
        node: Ordinal,
        accepted: Accepted<'_>,
        visited: &mut Visited,
        fresh: &mut Vec<Ordinal>,
        stones: &mut Vec<Ordinal>,
    ) {
        for link in self.links(0, node) {
            if (accepted.contains)(link) {
                if visited.insert(link) {
                    fresh.push(link);
                }
            } else if stones.len() < STONES * self.shape.m && !visited.contains(link) {
                self.prefetch(link);
                stones.push(link);
            }
        }
    }
}
