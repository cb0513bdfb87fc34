//! How does a graph get better links, once it has codes?
//!
//! A graph is built in haste first, with a quarter of the candidates and by exact distances. Then every node looks for
//! its neighbours anew, in the whole graph, which has codes by now: that is cheap, and finds better candidates than the
//! growing graph could give. Of them it links to those that [`select`] chooses, they link back, and what is left of the
//! list's slots is [`fill`]ed with others. A list that is full costs a walk nothing, for its codes are compared 32 at a
//! time anyway: filled lists reach recall 0.99 on 784 numbers in 22 hops instead of 33.
//!
//! The second pass reads a graph that does not change, so its outcome does not depend on threads.
//!
//! Rejected (784 numbers unless said): filling from neighbours' neighbours (half again the time for the same recall);
//! filling with the nearest, whatever stands in their way (0.976 instead of 0.984 in 20 hops); with one's own spare
//! rows alone (0.988 instead of 0.990 in 22 hops, and a twentieth of the rows had two links to them or fewer); a first
//! pass with half of the candidates instead of a quarter (no difference); a second one with as many candidates as were
//! asked for instead of twice as many (on the demo's 256 numbers, recall 0.978 instead of 0.993 at ef 128; a quarter
//! less time); expanding only the nearest half of those and computing the others' distances at the end (a sixth less time
//! over 60,000 rows for the same recall, but an eleventh less over a million in a thousand clusters, where it lowers
//! recall from 0.950 to 0.935 at ef 40); a third pass over the refined graph (200,000 × 128 of noise: recall 0.960
//! instead of 0.953 at ef 128 for three quarters more time; nothing on pictures).

use std::sync::atomic::{AtomicBool, Ordering};

use super::{
    Build, Graph, HnswConfig, Links, NONE, Shape,
    build::Growing,
    codes::Encoder,
    parallel,
    select::{fill, nearest_first, select},
};
use crate::{
    bitmap::Bitmap,
    error::{Error, Result},
    point::Ordinal,
    quantize::Code,
    vector::{Matrix, Metric, RowScorer, Scorer},
};

/// The first pass looks at as many candidates divided by this.
const HASTE: u32 = 4;

/// Nodes that one thread takes at a time.
const AT_ONCE: usize = 64;

/// How much is made of a graph.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// The first pass alone: it costs a fifth and is good enough for rows that will soon be in another graph.
    Hasty,
    /// Both passes, and the links without codes.
    Plain,
    /// Both passes, and codes of each node's neighbours, where they pay.
    Coded,
}

impl Graph {
    /// Builds a graph over the rows in `present`.
    ///
    /// The second pass needs memory for the rows twice over and for their codes. Errors: as [`Graph::build`].
    pub fn of_rows(
        metric: Metric,
        matrix: Matrix<'_>,
        present: &Bitmap,
        build: &Build<'_>,
        quality: Quality,
    ) -> Result<Self> {
        let scorer_of = |row| RowScorer::new(metric, matrix.row(row), matrix);
        match quality {
            _ if !Code::is_for(metric, matrix.dimension()) => Self::build(present, scorer_of, build),
            Quality::Hasty => Self::build(present, scorer_of, &build.hasty()),
            Quality::Plain => Self::refined(metric, matrix, present, build).map(|(graph, _)| graph),
            Quality::Coded => Self::with_codes(metric, matrix, present, build),
        }
    }

    pub(super) fn with_codes(
        metric: Metric,
        matrix: Matrix<'_>,
        present: &Bitmap,
        build: &Build<'_>,
    ) -> Result<Self> {
        let (graph, encoder) = Self::refined(metric, matrix, present, build)?;
        let mut graph = encoder.encode(graph);
        graph.settle_entries(metric, matrix, present);
        Ok(graph)
    }

    /// A graph that has gone through both passes, and what makes codes for it.
    fn refined<'a>(
        metric: Metric,
        matrix: Matrix<'a>,
        present: &Bitmap,
        build: &Build<'_>,
    ) -> Result<(Self, Encoder<'a>)> {
        let scorer_of = |row| RowScorer::new(metric, matrix.row(row), matrix);
        build.config.validate()?;
        let graph = Self::build(present, scorer_of, &build.hasty())?;
        let encoder = Encoder::new(metric, matrix, build.threads);
        let graph = encoder.encode(graph);
        let refined = Refining { graph: &graph, metric, matrix, build }.run()?;
        drop(graph);
        Ok((refined.connected(present, &scorer_of), encoder))
    }

    /// How many times [`Graph::of_rows`] tells of progress for each row.
    pub fn passes(metric: Metric, dimension: usize, quality: Quality) -> u32 {
        if Code::is_for(metric, dimension) && quality != Quality::Hasty { 2 } else { 1 }
    }
}

impl Graph {
    /// All nodes, each as soon after one of its neighbours as can be: who goes through them so meets at each what the
    /// last one has brought from memory. That saves a third of a second pass over 784 numbers.
    fn in_neighbourhoods(&self) -> Vec<Ordinal> {
        let (mut order, mut seen) = (Vec::new(), Bitmap::new(self.rows()));
        let mut open: Vec<Ordinal> = self.entry().into_iter().collect();
        while let Some(node) = open.pop() {
            if seen.insert(node) {
                order.push(node);
                open.extend(self.links(0, node).filter(|&link| !seen.contains(link)));
            }
        }
        order
    }
}

impl Build<'_> {
    /// The same with fewer candidates.
    fn hasty(&self) -> Self {
        let HnswConfig { m, ef_construct } = self.config;
        Build { config: HnswConfig { m, ef_construct: (ef_construct / HASTE).max(m) }, ..*self }
    }
}

/// The second pass over a graph.
struct Refining<'a> {
    graph: &'a Graph,
    metric: Metric,
    matrix: Matrix<'a>,
    build: &'a Build<'a>,
}

/// What a node has found: rows to link to, best first, and how many of them it has chosen; the others are spare.
#[derive(Clone, Default)]
struct Found {
    rows: Vec<Ordinal>,
    chosen: usize,
}

impl Refining<'_> {
    fn run(&self) -> Result<Growing> {
        let rows = self.graph.rows() as usize;
        let links = self.graph.shape.links;
        let order = self.graph.in_neighbourhoods();
        let mut found_in_order = vec![Found::default(); order.len()];
        let cancel: &AtomicBool = self.build.cancel;
        let some = found_in_order.chunks_mut(AT_ONCE).zip(order.chunks(AT_ONCE));
        parallel(self.build.threads, some, |(places, nodes)| {
            for (place, &node) in places.iter_mut().zip(nodes) {
                if !cancel.load(Ordering::Relaxed) {
                    *place = self.look_around(node);
                    (self.build.progress)();
                }
            }
        });
        if cancel.load(Ordering::Relaxed) {
            return Err(Error::closed("building a graph was cancelled"));
        }
        let mut found = vec![Found::default(); rows];
        order.iter().zip(found_in_order).for_each(|(&node, places)| found[node as usize] = places);
        let choosers = Backward::of(&found, |found| &found.rows[..found.chosen]);
        let sparers = Backward::of(&found, |found| &found.rows[found.chosen..]);
        let mut base = vec![NONE; rows * links];
        let lists = base.chunks_mut(AT_ONCE * links).zip((0..).step_by(AT_ONCE));
        parallel(self.build.threads, lists, |(lists, start)| {
            for (list, row) in lists.chunks_exact_mut(links).zip(start..) {
                self.join(row, &found[row as usize], [choosers.to(row), sparers.to(row)], list);
            }
        });
        let shape = Shape::refined(self.graph.shape.m);
        Ok(Growing::resume(shape, base, self.graph))
    }

    fn scorer_of(&self, row: Ordinal) -> RowScorer<'_> {
        RowScorer::new(self.metric, self.matrix.row(row), self.matrix)
    }

    /// The rows that a row may link to.
    fn look_around(&self, row: Ordinal) -> Found {
        let (scorer, links) = (self.scorer_of(row), self.graph.shape.links);
        let width = 2 * (self.build.config.ef_construct as usize).max(links);
        let mut candidates = self.graph.around(&scorer, self.matrix.row(row), width);
        candidates.extend(self.graph.links(0, row).map(|link| (scorer.distance(link), link)));
        candidates.retain(|candidate| candidate.1 != row);
        nearest_first(&mut candidates);
        let scorer_of = |row| self.scorer_of(row);
        let mut rows = Vec::new();
        select(&candidates, scorer.distance(row), links, &scorer_of, &mut rows);
        let chosen = rows.len();
        if chosen < links {
            // Dot products may be negative; what lies in which direction is a matter of straight lines anyway.
            let straight = |row| RowScorer::new(Metric::Euclid, self.matrix.row(row), self.matrix);
            let scorer = straight(row);
            // The farther ones would not be taken: no time for them.
            candidates.truncate(2 * links);
            candidates.iter_mut().for_each(|candidate| candidate.0 = scorer.distance(candidate.1));
            nearest_first(&mut candidates);
            fill(&candidates, links, &straight, &mut rows);
        }
        Found { rows, chosen }
    }

    /// The list of a row: what it chose and what chose it; where there is room, spare rows of its own and rows that it
    /// is spare to, in turn. The latter have few links to them otherwise.
    fn join(&self, row: Ordinal, found: &Found, [choosers, sparers]: [&[Ordinal]; 2], list: &mut [Ordinal]) {
        let (chosen, spare) = found.rows.split_at(found.chosen);
        let scorer = self.scorer_of(row);
        let nearest = |rows: &[Ordinal]| {
            let mut nearest: Vec<_> = rows.iter().map(|&other| (scorer.distance(other), other)).collect();
            nearest_first(&mut nearest);
            nearest
        };
        let mut rows = [chosen, choosers].concat();
        if rows.len() > list.len() {
            let candidates = nearest(&rows);
            select(&candidates, scorer.distance(row), list.len(), &|row| self.scorer_of(row), &mut rows);
        } else {
            rows.sort_unstable();
            rows.dedup();
        }
        let mut spare = spare.iter().copied();
        let mut sparers = nearest(sparers).into_iter().map(|(_, other)| other);
        while rows.len() < list.len() {
            if spare.len() + sparers.len() == 0 {
                break;
            }
            for other in [sparers.next(), spare.next()].into_iter().flatten() {
                if rows.len() < list.len() && !rows.contains(&other) {
                    rows.push(other);
                }
            }
        }
        list.iter_mut().zip(rows).for_each(|(slot, row)| *slot = row);
    }
}

/// In whose lists a row stands, by row.
struct Backward {
    first: Vec<usize>,
    rows: Vec<Ordinal>,
}

impl Backward {
    fn of(found: &[Found], list: impl Fn(&Found) -> &[Ordinal]) -> Self {
        let mut first = vec![0; found.len() + 1];
        for &link in found.iter().flat_map(&list) {
            first[link as usize + 1] += 1;
        }
        for row in 0..found.len() {
            first[row + 1] += first[row];
        }
        let mut rows = vec![NONE; first[found.len()]];
        let mut next = first.clone();
        for (row, found) in (0..).zip(found) {
            for &link in list(found) {
                rows[next[link as usize]] = row;
                next[link as usize] += 1;
            }
        }
        Self { first, rows }
    }

    fn to(&self, row: Ordinal) -> &[Ordinal] {
        &self.rows[self.first[row as usize]..self.first[row as usize + 1]]
    }
}
