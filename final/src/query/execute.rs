//! How is a query answered? Leaves rank the rows of each segment, inner nodes rank again what they were fed.

use std::sync::atomic::AtomicBool;

use super::{
    Context, Explain, Hit, Kind, Mmr, Query, examples, fuse, leaf::Near, order::ordered, rescore::rescore,
};
use crate::{
    bitmap::Bitmap,
    error::{Error, Result},
    filter::{
        Filter,
        bm25::{self, Bm25Query, TextStatistics},
    },
    point::PointId,
    segment::{Address, Snapshot},
    vector::{Metric, distance, topk::TopK},
};

/// The ranked hits of a query and how they were found.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Best first, at most the query's limit.
    pub hits: Vec<Hit>,
    /// The plan, with estimates and counts.
    pub explain: Explain,
}

/// Runs a query over a snapshot. `cancel` ends it early, in an error, once it is set.
pub fn run(snapshot: &Snapshot, query: &Query, cancel: &AtomicBool) -> Result<Answer> {
    let context = Context::new(snapshot, cancel);
    let (mut hits, explain) = node(&context, query, None)?;
    hits.drain(..query.offset.min(hits.len()));
    Ok(Answer { hits, explain })
}

/// The best `offset + limit` hits of one node of the query.
fn node(context: &Context<'_>, query: &Query, outer: Option<&Filter>) -> Result<(Vec<Hit>, Explain)> {
    let filter = match (outer, &query.filter) {
        (Some(outer), Some(own)) => Some(outer.clone().and(own.clone())),
        (outer, own) => outer.or(own.as_ref()).cloned(),
    };
    let filter = filter.filter(|filter| !filter.is_empty());
    let fed: Vec<(Vec<Hit>, Explain)> =
        query.prefetch.iter().map(|inner| node(context, inner, filter.as_ref())).collect::<Result<_>>()?;
    let (lists, inputs): (Vec<Vec<Hit>>, Vec<Explain>) = fed.into_iter().unzip();
    let feed = (!query.prefetch.is_empty()).then_some(lists);
    let wanted = query.limit.saturating_add(query.offset);
    let (mut hits, mut explain) = rank(context, query, filter.as_ref(), feed, wanted)?;
    if let Some(threshold) = query.score_threshold {
        let higher = context.higher_is_better(query.kind.as_ref());
        hits.retain(|hit| if higher { hit.score >= threshold } else { hit.score <= threshold });
    }
    hits.truncate(wanted);
    explain.inputs.splice(0..0, inputs);
    explain.fact("hits", hits.len());
    Ok((hits, explain))
}

fn rank(
    context: &Context<'_>,
    query: &Query,
    filter: Option<&Filter>,
    feed: Option<Vec<Vec<Hit>>>,
    wanted: usize,
) -> Result<(Vec<Hit>, Explain)> {
    let Some(kind) = &query.kind else {
        let (rows, _) = super::page(context.snapshot, filter, None, wanted)?;
        return Ok((rows.into_iter().map(|row| Hit::new(row, 1.0)).collect(), Explain::new("by id")));
    };
    let lists = feed.as_deref().unwrap_or_default();
    match kind {
        Kind::Rrf { k, weights } => return Ok((fuse::rrf(lists, *k, weights), Explain::new("fusion rrf"))),
        Kind::Dbsf => {
            let higher = |inner: &Query| context.higher_is_better(inner.kind.as_ref());
            let higher: Vec<bool> = query.prefetch.iter().map(higher).collect();
            return Ok((fuse::dbsf(lists, &higher), Explain::new("fusion dbsf")));
        }
        Kind::Formula(formula) => return rescore(context, formula, lists),
        _ => {}
    }
    let scope = feed.as_ref().map(|lists| context.scope(lists));
    let leaf = Leaf { context, query, filter, scope: scope.as_deref(), wanted };
    match kind {
        Kind::Nearest { using, vector, except, mmr } => leaf.nearest(using, vector, except, mmr.as_ref()),
        Kind::Examples { using, examples, except } => leaf.examples(using, examples, except),
        Kind::Bm25(words) => leaf.bm25(words),
        Kind::OrderBy(order) => {
            let hits = ordered(context, order, &leaf.rows()?, wanted)?;
            Ok((hits, Explain::new("order by")))
        }
        Kind::Sample { seed } => leaf.sample(*seed),
        Kind::Rrf { .. } | Kind::Dbsf | Kind::Formula(_) => unreachable!("answered above"),
    }
}

/// A node that ranks rows: all that match, or those a prefetch found.
struct Leaf<'a> {
    context: &'a Context<'a>,
    query: &'a Query,
    filter: Option<&'a Filter>,
    scope: Option<&'a [Bitmap]>,
    wanted: usize,
}

impl Leaf<'_> {
    fn nearest(
        &self,
        using: &str,
        vector: &[f32],
        except: &[PointId],
        mmr: Option<&Mmr>,
    ) -> Result<(Vec<Hit>, Explain)> {
        let schema = self.context.snapshot.schema().vector(using)?;
        let k = mmr.map_or(self.wanted, |mmr| mmr.candidates.max(self.wanted)).saturating_add(except.len());
        let (metric, params) = (schema.distance, &self.query.params);
        let near = Near { using, vector, schema, filter: self.filter, params, k };
        let mut best: TopK<Address> = TopK::new(k);
        let mut explain = Explain::new(if mmr.is_some() { "nearest, varied" } else { "nearest" });
        for (segment, view) in (0u32..).zip(self.context.snapshot.segments()) {
            let scope = self.scope.map(|scope| &scope[segment as usize]);
            let (found, mut explained) = near.search(self.context, view, scope)?;
            explained.step = self.context.segment_name(segment);
            explain.inputs.push(explained);
            found.into_iter().for_each(|(distance, ordinal)| {
                best.push(distance, Address { segment, ordinal });
            });
        }
        let mut found = best.into_sorted();
        if !except.is_empty() {
            found.retain(|(_, row)| !except.contains(&self.context.snapshot.id(*row)));
        }
        if let Some(mmr) = mmr {
            found = self.varied(using, metric, found, mmr.diversity);
        }
        let hits = found.into_iter().map(|(distance, row)| Hit::new(row, metric.score(distance)));
        Ok((hits.collect(), explain))
    }

    /// Maximal marginal relevance (Carbonell & Goldstein 1998): next comes the row that is near the query and far
    /// from the rows already chosen.
    fn varied(
        &self,
        using: &str,
        metric: Metric,
        mut found: Vec<(f32, Address)>,
        diversity: f32,
    ) -> Vec<(f32, Address)> {
        let vector =
            |row: Address| self.context.snapshot.segment(row).vector(using, row.ordinal).unwrap_or_default();
        let mut chosen: Vec<(f32, Address)> = Vec::new();
        let mut nearest_chosen = vec![f32::INFINITY; found.len()];
        while chosen.len() < self.wanted && !found.is_empty() {
            // Similarity is the negated distance, for every metric.
            let value = |place: usize| {
                let apart = if chosen.is_empty() { 0.0 } else { diversity * nearest_chosen[place] };
                -(1.0 - diversity) * found[place].0 + apart
            };
            let places = 0..found.len();
            let best = places.max_by(|&a, &b| value(a).total_cmp(&value(b)).then(b.cmp(&a))).unwrap_or(0);
            let next = found.remove(best);
            nearest_chosen.remove(best);
            for (place, (_, row)) in found.iter().enumerate() {
                let to_next = distance(metric, vector(*row), vector(next.1));
                nearest_chosen[place] = nearest_chosen[place].min(to_next);
            }
            chosen.push(next);
        }
        chosen
    }

    fn examples(
        &self,
        using: &str,
        examples: &super::Examples,
        except: &[PointId],
    ) -> Result<(Vec<Hit>, Explain)> {
        let metric = self.context.snapshot.schema().vector(using)?.distance;
        let mut best: TopK<Address> = TopK::new(self.wanted.saturating_add(except.len()));
        let mut compared = 0u64;
        for (segment, view) in (0u32..).zip(self.context.snapshot.segments()) {
            let rows = self.accepted(segment)?.and(&view.segment.present(using));
            compared += u64::from(rows.count());
            self.context.each_row(view, using, rows.iter(), |values, ordinal| {
                best.push(-examples::score(metric, examples, values), Address { segment, ordinal });
            })?;
        }
        let mut hits: Vec<Hit> =
            best.into_sorted().into_iter().map(|(score, row)| Hit::new(row, -score)).collect();
        hits.retain(|hit| !except.contains(&self.context.snapshot.id(hit.address)));
        let mut explain = Explain::new("examples");
        explain.fact("plan", "flat").fact("rows", compared);
        Ok((hits, explain))
    }

    fn sample(&self, seed: u64) -> Result<(Vec<Hit>, Explain)> {
        use rand::{SeedableRng, rngs::StdRng, seq::IndexedRandom};
        let rows = self.rows()?;
        let mut generator = StdRng::seed_from_u64(seed);
        let hits = rows.sample(&mut generator, self.wanted).map(|row| Hit::new(*row, 1.0));
        Ok((hits.collect(), Explain::new("sample")))
    }

    fn bm25(&self, words: &Bm25Query) -> Result<(Vec<Hit>, Explain)> {
        let mut best: TopK<Address> = TopK::new(self.wanted);
        let mut explain = Explain::new("bm25");
        let mut statistics = TextStatistics::default();
        for view in self.context.snapshot.segments() {
            statistics.merge(&bm25::statistics(&view.segment.terms(), words)?);
        }
        for (segment, view) in (0u32..).zip(self.context.snapshot.segments()) {
            let accepted = match (self.filter, self.scope) {
                (None, None) if view.deleted.is_empty() => None,
                _ => Some(self.accepted(segment)?),
            };
            let scored =
                bm25::top(&view.segment.terms(), words, &statistics, accepted.as_ref(), self.wanted)?;
            let mut explained = Explain::new(self.context.segment_name(segment));
            explained.fact("scored", scored.len());
            explain.inputs.push(explained);
            scored.into_iter().for_each(|(score, ordinal)| {
                best.push(-score, Address { segment, ordinal });
            });
        }
        let hits = best.into_sorted().into_iter().map(|(score, row)| Hit::new(row, -score)).collect();
        Ok((hits, explain))
    }

    /// The live rows of a segment that the node may rank.
    fn accepted(&self, segment: u32) -> Result<Bitmap> {
        let view = &self.context.snapshot.segments()[segment as usize];
        let matching = self.context.live_matching(view, self.filter)?;
        Ok(match self.scope {
            Some(scope) => matching.and(&scope[segment as usize]),
            None => matching,
        })
    }

    /// All rows that the node may rank.
    fn rows(&self) -> Result<Vec<Address>> {
        let mut rows = Vec::new();
        for segment in 0..self.context.snapshot.segments().len() as u32 {
            rows.extend(self.accepted(segment)?.iter().map(|ordinal| Address { segment, ordinal }));
        }
        Ok(rows)
    }
}

/// What a cancelled query ends in.
pub(super) fn cancelled() -> Error {
    Error::closed("the query was cancelled")
}
