//! How is one segment searched by distance? By its plan: compare rows, or walk the graph.

use super::{
    Context, Explain, SearchParams,
    plan::{Plan, Situation, Strategy, plan},
};
use crate::{
    bitmap::Bitmap,
    error::Result,
    filter::Filter,
    hnsw::WalkStats,
    point::Ordinal,
    segment::{Segment, SegmentView},
    vector::{Metric, RowScorer, distance, topk::TopK},
};

/// The breadth of a walk that nobody has chosen.
pub(super) const DEFAULT_EF: usize = 128;

/// A search for the rows near one vector, the same for every segment.
pub(super) struct Near<'a> {
    pub(super) using: &'a str,
    pub(super) vector: &'a [f32],
    pub(super) metric: Metric,
    pub(super) filter: Option<&'a Filter>,
    pub(super) params: &'a SearchParams,
    pub(super) k: usize,
}

impl Near<'_> {
    /// The nearest rows of one segment, at most `k`; `scope` are the rows a prefetch found, if one was asked.
    pub(super) fn search(
        &self,
        context: &Context<'_>,
        view: &SegmentView,
        scope: Option<&Bitmap>,
    ) -> Result<(Vec<(f32, Ordinal)>, Explain)> {
        let mut live = view.segment.present(self.using);
        let dead = !view.deleted.is_empty();
        if dead {
            live = live.and_not(&view.deleted);
        }
        let graph = match &view.segment {
            Segment::Sealed(segment) => segment.graph(self.using),
            Segment::Mutable(_) => None,
        };
        let ef = self.params.hnsw_ef.unwrap_or(DEFAULT_EF).max(self.k);
        let expected = match (scope, self.filter) {
            (Some(scope), _) => Some(scope.count()),
            (None, Some(filter)) => Some(context.estimate(view, filter)?),
            (None, None) => None,
        };
        let situation = Situation {
            rows: live.count(),
            matching: expected,
            graph: graph.is_some(),
            codes: graph.is_some_and(|graph| graph.dimension().is_some()),
            exact: self.params.exact,
            ef,
        };
        let plan = plan(situation);
        let accepted = match (scope, self.filter) {
            (Some(scope), _) => Some(live.and(scope)),
            (None, Some(filter)) => Some(live.and(&context.matching_rows(view, filter)?)),
            (None, None) => None,
        };
        let mut explain = explained(&plan, &situation, accepted.as_ref());
        let hits = match (plan.strategy, graph) {
            (Strategy::Graph | Strategy::FilteredGraph, Some(graph)) => {
                let Segment::Sealed(segment) = &view.segment else {
                    unreachable!("only sealed segments have graphs")
                };
                let scorer = RowScorer::new(self.metric, self.vector, segment.columns()[self.using].matrix());
                let kept = accepted.or_else(|| dead.then_some(live));
                let mut stats = WalkStats::default();
                let hits = graph.search(&scorer, self.vector, self.k, ef, kept.as_ref(), &mut stats);
                explain.fact("ef", ef).fact("distances", stats.distances).fact("hops", stats.hops);
                if stats.estimates > 0 {
                    explain.fact("estimates", stats.estimates);
                }
                hits
            }
            _ if self.params.indexed_only && graph.is_none() => Vec::new(),
            _ => {
                let rows = accepted.unwrap_or(live);
                explain.fact("distances", rows.count());
                self.compare(context, view, &rows)?
            }
        };
        Ok((hits, explain))
    }

    /// Compares every one of these rows.
    fn compare(
        &self,
        context: &Context<'_>,
        view: &SegmentView,
        rows: &Bitmap,
    ) -> Result<Vec<(f32, Ordinal)>> {
        let mut nearest = TopK::new(self.k);
        context.each_row(view, self.using, rows, |values, ordinal| {
            nearest.push(distance(self.metric, self.vector, values), ordinal);
        })?;
        Ok(nearest.into_sorted())
    }
}

fn explained(plan: &Plan, situation: &Situation, accepted: Option<&Bitmap>) -> Explain {
    let mut explain = Explain::new("segment");
    explain
        .fact("plan", plan.strategy.to_string())
        .fact("cost", plan.cost.round())
        .fact("rows", situation.rows);
    if let Some((strategy, cost)) = plan.alternative {
        explain.fact("instead_of", strategy.to_string()).fact("instead_of_cost", cost.round());
    }
    if let (Some(expected), Some(accepted)) = (situation.matching, accepted) {
        explain.fact("expected_matching", expected).fact("matching", accepted.count());
    }
    explain
}
