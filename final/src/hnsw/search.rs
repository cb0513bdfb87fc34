//! How does a query go through all levels, with or without a filter?
//!
//! Greedily through the levels above, to a node near the query; then with a beam of `ef` rows through level 0.
//!
//! With a filter the beam holds accepted rows only, so it is as narrow as without one, and rejected rows are not
//! scored. They are stepping stones: while a node has few accepted neighbours, those behind its rejected neighbours
//! count as its own (after Patel et al., *ACORN*, 2024), two hops away or, where a filter accepts little, three. A
//! graph with codes looks first whether it is lucky: a hop costs so little there that a beam over all rows, widened
//! until as many as wanted should be accepted, is faster as long as a tenth of the rows is. If it still finds too few,
//! the accepted ones lie elsewhere, and the walk through rejected ones goes on. Where accepted rows lie in another
//! region than the query, the descent ends among rejected ones; so the walk starts from a few accepted rows spread over
//! the segment too.
//!
//! Not here: the choice between a walk and a scan of the accepted rows, which is the planner's. Below some hundreds of
//! accepted rows a scan is always cheaper, and the stepping stones no longer hold them together.
//!
//! Rejected, without codes: the beam over all rows. It scores every stepping stone.

use super::{
    Graph, Links, height,
    visited::Visited,
    walk::{Walk, WalkStats},
};
use crate::{point::Ordinal, vector::Scorer};

/// From how many accepted rows, spread over the segment, a filtered walk starts besides the nearest.
const SEEDS: u32 = 16;

/// How many rejected rows, times `m`, a filtered walk looks through at most for the neighbours of one node.
const STONES: usize = 4;

/// An estimating walk that found too few accepted rows goes once more with so many times the beam.
const WIDER: usize = 4;

/// From this share of accepted rows on, a graph with codes is walked as if all were accepted, with a wider beam.
pub(crate) const WIDENED_SHARE: f64 = 0.1;

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
            if let (Some(query), Some(width)) = (query, self.width(k, ef, accepted)) {
                let tries = if accepted.is_some() { &[1, WIDER][..] } else { &[1] };
                for wider in tries {
                    let found = self.glide(walk, scorer, query, (k, wider * width), accepted, stats);
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

    /// How wide an estimating walk's beam is: half a time wider than `k` at least, since some rows stand in it more
    /// than once, and so much wider with a filter that as many are accepted if they lie as the others do, four times `k`
    /// at least: a wide beam's walk expands a third of its width, and with less every other one found too few. None where
    /// so few are accepted that the other walk is faster, or there are no codes.
    fn width(&self, k: usize, ef: usize, accepted: Option<Accepted<'_>>) -> Option<usize> {
        self.codes.as_ref()?;
        let Some(accepted) = accepted else { return Some(ef.max(k + k / 2)) };
        let width = ef.max(4 * k);
        let share = f64::from(accepted.count) / f64::from(self.rows().max(1));
        (share >= WIDENED_SHARE).then(|| (width as f64 / share).ceil() as usize)
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
