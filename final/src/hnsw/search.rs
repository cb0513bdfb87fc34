//! How does a query go through all levels, with or without a filter?
//!
//! Greedily through the levels above, to a node near the query; then with a beam of `ef` rows through level 0.
//!
//! With a filter the beam holds accepted rows only, so it is as narrow as without one, and rejected rows are not
//! scored. They are stepping stones: while a node has few accepted neighbours, those behind its rejected neighbours
//! count as its own (after Patel et al., *ACORN*, 2024), two hops away or, where a filter accepts little, three.
//! Where accepted rows lie in another region than the query, the descent ends among rejected ones; so the walk starts
//! from a few accepted rows spread over the segment too.
//!
//! Not here: the choice between a walk and a scan of the accepted rows, which is the planner's. Below some hundreds of
//! accepted rows a scan is always cheaper, and the stepping stones no longer hold them together.
//!
//! Rejected: a beam over all rows, widened until enough of them are accepted. It scores every stepping stone, and it
//! never arrives where the accepted rows are far from the query.

use super::{
    Graph, Links, height,
    visited::Visited,
    walk::{Walk, WalkStats},
};
use crate::{bitmap::Bitmap, point::Ordinal, vector::Scorer};

/// From how many accepted rows, spread over the segment, a filtered walk starts besides the nearest.
const SEEDS: u32 = 16;

/// How many rejected rows, times `m`, a filtered walk looks through at most for the neighbours of one node.
const STONES: usize = 4;

impl Graph {
    /// The `k` rows found nearest, nearest first, of those in `accepted`; a larger `ef` finds them more surely.
    pub fn search(
        &self,
        scorer: &impl Scorer,
        k: usize,
        ef: usize,
        accepted: Option<&Bitmap>,
        stats: &mut WalkStats,
    ) -> Vec<(f32, Ordinal)> {
        let Some(entry) = self.entry() else { return Vec::new() };
        self.pool.with(self.rows(), |walk| {
            walk.descend(self, entry, 1..height(&self.first, entry) + 1, scorer, stats);
            match accepted {
                None => {
                    walk.restart(ef.max(k));
                    walk.run_level(self, 0, scorer, stats);
                }
                Some(accepted) => self.walk_accepted(accepted, ef.max(k), walk, scorer, stats),
            }
            let accepted =
                |&(_, row): &(f32, Ordinal)| accepted.is_none_or(|accepted| accepted.contains(row));
            walk.found().filter(accepted).take(k).collect()
        })
    }

    /// Walks level 0 among accepted rows, from seeds and from the row that the walk has found, accepted or not.
    fn walk_accepted(
        &self,
        accepted: &Bitmap,
        ef: usize,
        walk: &mut Walk,
        scorer: &impl Scorer,
        stats: &mut WalkStats,
    ) {
        assert_eq!(accepted.rows(), self.rows(), "a filter over other rows than the graph's");
        let nearest = walk.found().next().map(|(_, row)| row);
        let stride = self.rows().div_ceil(SEEDS);
        let seeds = (0..SEEDS).filter_map(|seed| accepted.next(seed * stride));
        walk.start(ef + 1);
        nearest.into_iter().chain(seeds).for_each(|row| walk.offer(row, scorer, stats));
        let mut stones = Vec::new();
        walk.run(scorer, stats, |node, visited, fresh, stats| {
            stones.clear();
            self.look_at(node, accepted, visited, fresh, &mut stones);
            let mut next = 0;
            while let Some(&stone) = stones.get(next).filter(|_| fresh.len() < self.m) {
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
        accepted: &Bitmap,
        visited: &mut Visited,
        fresh: &mut Vec<Ordinal>,
        stones: &mut Vec<Ordinal>,
    ) {
        for link in self.links(0, node) {
            if accepted.contains(link) {
                if visited.insert(link) {
                    fresh.push(link);
                }
            } else if stones.len() < STONES * self.m && !visited.contains(link) {
                self.prefetch(link);
                stones.push(link);
            }
        }
    }
}
