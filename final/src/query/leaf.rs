//! How is one segment searched by distance? By its plan: compare rows, or walk the graph; by codes where there are any.

use super::{
    Context, Explain, SearchParams,
    context::parts,
    plan::{Plan, Situation, Strategy, plan},
};
use crate::{
    bitmap::Bitmap,
    error::Result,
    filter::{Filter, matcher::Matcher},
    hnsw::{Accepted, WalkStats},
    point::Ordinal,
    quantize::{self, RowCodes},
    schema::VectorSchema,
    segment::{Costs, Indexed, Segment, SegmentView, Walkable},
    vector::{RowScorer, distance, topk::TopK},
};

/// The breadth of a walk that nobody has chosen.
pub(super) const DEFAULT_EF: usize = 128;

/// Fewer rows are read sooner than the query is turned for their codes.
const LEAST_BY_CODES: usize = 128;

type Found = Vec<(f32, Ordinal)>;

/// A search for the rows near one vector, the same for every segment.
pub(super) struct Near<'a> {
    pub(super) using: &'a str,
    pub(super) vector: &'a [f32],
    pub(super) schema: &'a VectorSchema,
    pub(super) filter: Option<&'a Filter>,
    pub(super) params: &'a SearchParams,
    pub(super) k: usize,
}

/// What of a sealed segment's vector a search makes use of.
struct Usable<'a> {
    indexed: &'a Indexed,
    codes: Option<&'a RowCodes>,
    walkable: Walkable,
}

impl Near<'_> {
    /// The nearest rows of one segment, at most `k`; `scope` are the rows a prefetch found, if one was asked.
    pub(super) fn search(
        &self,
        context: &Context<'_>,
        view: &SegmentView,
        scope: Option<&Bitmap>,
    ) -> Result<(Found, Explain)> {
        let usable = self.usable(&view.segment);
        let mut live = match &usable {
            Some(usable) => usable.indexed.column().present().clone(),
            None => view.segment.present(self.using),
        };
        let dead = !view.deleted.is_empty();
        if dead {
            live = live.and_not(&view.deleted);
        }
        let expected = match (scope, self.filter) {
            (Some(scope), _) => Some(scope.count()),
            (None, Some(filter)) => Some(context.estimate(view, filter)?),
            (None, None) => None,
        };
        let situation = self.situation(live.count(), expected, usable.as_ref());
        let plan = plan(situation);
        let mut explain = explained(&plan, &situation);
        let matcher = match (scope, self.filter) {
            (Some(scope), _) => Some(Matcher::Rows(scope.clone())),
            (None, Some(filter)) => Some(context.matcher(view, filter)?),
            (None, None) => None,
        };
        let hits = match (plan.strategy, &usable) {
            (Strategy::Graph | Strategy::FilteredGraph, Some(usable)) => {
                let asked = match matcher {
                    None => dead.then(|| Matcher::Rows(live.clone())),
                    Some(lazy) if lazy.is_lazy() => {
                        Some(Matcher::All(vec![lazy, Matcher::Rows(live.clone())]))
                    }
                    Some(set) => Some(Matcher::Rows(set.rows(&live))),
                };
                let count = match &asked {
                    Some(Matcher::Rows(rows)) => rows.count(),
                    _ => expected.unwrap_or(situation.rows),
                };
                let contains = |row| asked.as_ref().is_none_or(|asked| asked.contains(row));
                let accepted = asked.is_some().then_some(Accepted { count, contains: &contains });
                self.walk(usable, accepted, situation.ef, &mut explain)
            }
            _ if self.params.indexed_only && situation.graph == Walkable::Nothing => Vec::new(),
            _ => {
                let rows = matcher.map_or_else(|| live.to_list(), |matcher| matcher.list(&live));
                if expected.is_some() {
                    explain.fact("matching", rows.len());
                }
                self.scan(context, view, &rows, &mut explain)?
            }
        };
        Ok((hits, explain))
    }

    fn usable<'s>(&self, segment: &'s Segment) -> Option<Usable<'s>> {
        let Segment::Sealed(segment) = segment else { return None };
        let indexed = segment.vector(self.using)?;
        let codes = indexed.codes().filter(|_| !self.by_numbers());
        let walkable = match indexed.walkable(self.schema) {
            Walkable::ByCodes | Walkable::ByNeighbours if self.params.codes.ignore => Walkable::ByRows,
            walkable => walkable,
        };
        Some(Usable { indexed, codes, walkable })
    }

    fn situation(&self, rows: u32, matching: Option<u32>, usable: Option<&Usable<'_>>) -> Situation {
        let costs = usable.and_then(|usable| usable.indexed.costs());
        Situation {
            rows,
            matching,
            graph: usable.map_or(Walkable::Nothing, |usable| usable.walkable),
            codes: usable.is_some_and(|usable| usable.codes.is_some()),
            exact: self.params.exact,
            k: self.k,
            ef: self.params.hnsw_ef.unwrap_or(DEFAULT_EF).max(self.k),
            costs: costs.unwrap_or(Costs::guess(self.schema.size)),
        }
    }

    fn walk(
        &self,
        usable: &Usable<'_>,
        accepted: Option<Accepted<'_>>,
        ef: usize,
        explain: &mut Explain,
    ) -> Found {
        let Some(graph) = usable.indexed.graph() else { return Vec::new() };
        let matrix = usable.indexed.column().matrix();
        let exact = RowScorer::new(self.schema.distance, self.vector, matrix);
        let mut stats = WalkStats::default();
        let hits = match usable.codes.filter(|_| usable.walkable == Walkable::ByCodes) {
            None => {
                let query = (usable.walkable == Walkable::ByNeighbours).then_some(self.vector);
                graph.search(&exact, query, self.k, ef, accepted, &mut stats)
            }
            Some(codes) => {
                let scorer = codes.scorer(self.schema.distance, self.vector);
                let wanted = ef.max((self.k as f64 * self.params.codes.oversampling) as usize);
                let mut found = graph.search(&scorer, None, wanted, wanted, accepted, &mut stats);
                stats.estimates = std::mem::take(&mut stats.distances);
                if self.params.codes.rescore {
                    let (best, read) = quantize::rescore(&scorer, &exact, &found, self.k);
                    stats.distances = read as u64;
                    found = best;
                }
                found.truncate(self.k);
                found
            }
        };
        explain.fact("ef", ef).fact("distances", stats.distances).fact("hops", stats.hops);
        if stats.estimates > 0 {
            explain.fact("estimates", stats.estimates);
        }
        hits
    }

    /// Looks at every one of these rows, which ascend.
    fn scan(
        &self,
        context: &Context<'_>,
        view: &SegmentView,
        rows: &[Ordinal],
        explain: &mut Explain,
    ) -> Result<Found> {
        let mut nearest = TopK::new(self.k);
        let (mut distances, mut estimates) = (0, 0);
        for part in parts(view, self.using) {
            let end = part.start + part.column.present().rows();
            let within = &rows[rows.partition_point(|&row| row < part.start)..];
            let within = &within[..within.partition_point(|&row| row < end)];
            match part.codes.filter(|_| !self.by_numbers() && within.len() >= LEAST_BY_CODES) {
                None => {
                    distances += within.len();
                    context.each_row(view, self.using, within.iter().copied(), |values, ordinal| {
                        nearest.push(distance(self.schema.distance, self.vector, values), ordinal);
                    })?;
                }
                Some(codes) => {
                    let codes = codes.scorer(self.schema.distance, self.vector);
                    let exact = RowScorer::new(self.schema.distance, self.vector, part.column.matrix());
                    let within: Vec<Ordinal> = within.iter().map(|row| row - part.start).collect();
                    let go_on = || context.check_cancelled(0);
                    let (found, read) = quantize::nearest(&codes, &exact, &within, self.k, go_on)?;
                    estimates += within.len();
                    distances += read;
                    for (distance, row) in found {
                        nearest.push(distance, part.start + row);
                    }
                }
            }
        }
        explain.fact("distances", distances);
        if estimates > 0 {
            explain.fact("estimates", estimates);
        }
        Ok(nearest.into_sorted())
    }

    /// Whether every distance is to be computed from the numbers.
    fn by_numbers(&self) -> bool {
        self.params.exact || self.params.codes.ignore
    }
}

fn explained(plan: &Plan, situation: &Situation) -> Explain {
    let mut explain = Explain::new("segment");
    explain
        .fact("plan", plan.strategy.to_string())
        .fact("cost_ns", plan.cost.round())
        .fact("rows", situation.rows);
    if let Some((strategy, cost)) = plan.alternative {
        explain.fact("instead_of", strategy.to_string()).fact("instead_of_cost_ns", cost.round());
    }
    if let Some(expected) = situation.matching {
        explain.fact("expected_matching", expected);
    }
    explain
}
