//! What does a query mean for this collection? Ids become the vectors of stored points, texts are embedded, filters
//! are read, and combinations that make no sense are refused.

use super::{
    reject::{Answer, Reject},
    wire::{
        self, OneOrMany,
        feedback::{FeedbackInput, FeedbackStrategy},
        formula::formula,
        query::{
            Bm25Input, DiscoverInput, FusionInput, LookupFrom, MmrInput, OrderByInput, PairInput, QueryInput,
            QueryRequest, RecommendInput, RrfInput, StartFrom, Strategy,
        },
        vector::{Document, Num, Numbers, VectorInput},
    },
};
use crate::{
    collection::Database,
    embed,
    filter::{bm25::Bm25Query, datetime::parse_datetime},
    point::{PointId, Vector},
    query::{Examples, Kind, Mmr, Naive, OrderBy, Query},
    schema::{CollectionSchema, FieldKind},
    segment::Snapshot,
};

/// How many points a query asks for that does not say.
const DEFAULT_LIMIT: usize = 10;

/// The most candidates that maximal marginal relevance may choose from.
const MOST_CANDIDATES: usize = 16_384;

/// The most examples that relevance feedback may have: every two of them are compared.
const MOST_JUDGED: usize = 1_024;

/// What a query is asked of.
pub struct Resolver<'a> {
    /// For `lookup_from`.
    pub database: &'a Database,
    /// The collection's name as the request says it.
    pub collection: &'a str,
    /// The collection's state.
    pub snapshot: &'a Snapshot,
}

/// The collection and vector name that ids of one query are looked up in.
struct Source {
    /// Another collection's state; none if it is the queried one.
    other: Option<std::sync::Arc<Snapshot>>,
    vector: String,
}

/// The vectors of one query, as they are turned into numbers; collects the ids they come from.
struct Vectors<'a> {
    resolver: &'a Resolver<'a>,
    using: String,
    source: Source,
    except: Vec<PointId>,
}

impl Resolver<'_> {
    /// The query in terms of the collection.
    pub fn query(&self, request: QueryRequest) -> Answer<Query> {
        check_combination(&request)?;
        let prefetch = request.prefetch.map_or(Vec::new(), |OneOrMany(list)| list);
        let filter = wire::filter::filter(request.filter.as_ref(), "filter")?;
        let limit = limit(request.limit)?;
        let using = request.using.unwrap_or_default();
        let kind = match request.query {
            None => None,
            Some(input) => {
                let source = self.source(request.lookup_from, &using)?;
                let vectors = Vectors { resolver: self, using, source, except: Vec::new() };
                Some(vectors.kind(input, limit, prefetch.len())?)
            }
        };
        let prefetch = prefetch.into_iter().map(|inner| self.query(inner.into())).collect::<Answer<_>>()?;
        // No answer is longer than this, except an order in which a point may stand several times.
        let most =
            if matches!(kind, Some(Kind::OrderBy(_))) { usize::MAX } else { self.snapshot.points() as usize };
        Ok(Query {
            kind,
            prefetch,
            filter,
            params: request.params.unwrap_or_default().read()?,
            score_threshold: request.score_threshold.map(|Num(threshold)| threshold),
            limit: limit.min(most),
            offset: request.offset.unwrap_or(0).min(most),
        })
    }

    fn source(&self, lookup: Option<LookupFrom>, using: &str) -> Answer<Source> {
        let Some(LookupFrom { collection, vector }) = lookup else {
            return Ok(Source { other: None, vector: using.to_owned() });
        };
        let vector = vector.unwrap_or_else(|| using.to_owned());
        if collection == self.collection {
            return Ok(Source { other: None, vector });
        }
        match self.database.get(&collection) {
            Ok(other) => Ok(Source { other: Some(other.snapshot()), vector }),
            Err(_) => Err(Reject::not_found(format!("Collection {collection} not found"))),
        }
    }
}

impl Vectors<'_> {
    fn schema(&self) -> &CollectionSchema {
        self.resolver.snapshot.schema()
    }

    fn kind(mut self, input: QueryInput, limit: usize, lists: usize) -> Answer<Kind> {
        match input {
            QueryInput::Nearest(input, mmr) => {
                let vector = self.read(input)?;
                let mmr = mmr.map(|mmr| read_mmr(mmr, limit)).transpose()?;
                Ok(Kind::Nearest { using: self.using, vector, except: self.except, mmr })
            }
            QueryInput::Recommend(recommend) => self.recommend(recommend),
            QueryInput::Discover(DiscoverInput { target, context }) => {
                let target = self.read(target)?;
                let context = self.pairs(context.map_or(Vec::new(), |OneOrMany(pairs)| pairs))?;
                Ok(self.examples(Examples::Discover { target, context }))
            }
            QueryInput::Context(pairs) => {
                let pairs = self.pairs(pairs)?;
                Ok(self.examples(Examples::Context(pairs)))
            }
            QueryInput::OrderBy(order) => read_order(order, self.schema()).map(Kind::OrderBy),
            QueryInput::Fusion(FusionInput::Rrf) => read_rrf(RrfInput::default(), lists),
            QueryInput::Fusion(FusionInput::Dbsf) => Ok(Kind::Dbsf),
            QueryInput::Rrf(rrf) => read_rrf(rrf, lists),
            QueryInput::Formula(input) => formula(&input).map(Kind::Formula),
            QueryInput::RelevanceFeedback(feedback) => self.feedback(feedback),
            QueryInput::Sample => Ok(Kind::Sample { seed: rand::random() }),
            QueryInput::Bm25(words) => read_bm25(words).map(Kind::Bm25),
        }
    }

    fn examples(self, examples: Examples) -> Kind {
        Kind::Examples { using: self.using, examples, except: self.except }
    }

    fn recommend(mut self, input: RecommendInput) -> Answer<Kind> {
        let strategy = input.strategy.unwrap_or(Strategy::AverageVector);
        let mut positive = self.all(input.positive.unwrap_or_default())?;
        let mut negative = self.all(input.negative.unwrap_or_default())?;
        if positive.is_empty() && (negative.is_empty() || strategy == Strategy::AverageVector) {
            return Err(Reject::bad_request("`recommend` needs at least one positive example"));
        }
        match strategy {
            Strategy::AverageVector => {
                let mut vector = average(&positive);
                if !negative.is_empty() {
                    let away = average(&negative);
                    vector.iter_mut().zip(away).for_each(|(to, from)| *to += *to - from);
                }
                self.schema().prepare_dense(&self.using, &mut vector)?;
                Ok(Kind::Nearest { using: self.using, vector, except: self.except, mmr: None })
            }
            Strategy::BestScore | Strategy::SumScores => {
                for vector in positive.iter_mut().chain(&mut negative) {
                    self.schema().prepare_dense(&self.using, vector)?;
                }
                Ok(self.examples(match strategy {
                    Strategy::SumScores => Examples::SumScores { positive, negative },
                    _ => Examples::BestScore { positive, negative },
                }))
            }
        }
    }

    fn feedback(mut self, input: FeedbackInput) -> Answer<Kind> {
        if input.feedback.len() > MOST_JUDGED {
            let text = format!("{} examples, at most {MOST_JUDGED} are taken", input.feedback.len());
            return Err(Reject::validation("query.relevance_feedback.feedback", text));
        }
        let target = self.read(input.target)?;
        let judged = input.feedback.into_iter().map(|one| Ok((self.read(one.example)?, one.score.0)));
        let judged = judged.collect::<Answer<_>>()?;
        let FeedbackStrategy::Naive { a: Num(a), b: Num(b), c: Num(c) } = input.strategy;
        Ok(self.examples(Examples::feedback(target, judged, Naive { a, b, c })?))
    }

    /// The numbers of every input, checked, with the lengths they were given with: an average weighs them by it.
    fn all(&mut self, inputs: Vec<VectorInput>) -> Answer<Vec<Vec<f32>>> {
        inputs.into_iter().map(|input| self.numbers(input)).collect()
    }

    fn pairs(&mut self, pairs: Vec<PairInput>) -> Answer<Vec<(Vec<f32>, Vec<f32>)>> {
        let mut read = |pair: PairInput| Ok((self.read(pair.positive)?, self.read(pair.negative)?));
        pairs.into_iter().map(&mut read).collect()
    }

    /// The numbers of one input, checked and in the form they are compared in.
    fn read(&mut self, input: VectorInput) -> Answer<Vec<f32>> {
        let mut vector = self.numbers(input)?;
        self.schema().prepare_dense(&self.using, &mut vector)?;
        Ok(vector)
    }

    /// The numbers of one input, checked.
    fn numbers(&mut self, input: VectorInput) -> Answer<Vec<f32>> {
        let vector = match input {
            VectorInput::Id(id) => self.stored(id)?,
            other => dense(other, &self.using, self.schema())?,
        };
        self.schema().check_dense(&self.using, &vector)?;
        Ok(vector)
    }

    fn stored(&mut self, id: PointId) -> Answer<Vec<f32>> {
        let snapshot = self.source.other.as_deref().unwrap_or(self.resolver.snapshot);
        let name = &self.source.vector;
        snapshot.schema().vector(name)?;
        let Some(address) = snapshot.locate(id) else {
            return Err(Reject::not_found(format!("No point with id {id} found")));
        };
        let Some(Vector::Dense(values)) = snapshot.vectors(address).remove(name) else {
            return Err(Reject::not_found(format!("Vector with name {name:?} of the point with id {id}")));
        };
        if self.source.other.is_none() {
            self.except.push(id);
        }
        Ok(values)
    }
}

/// The numbers of a vector that was given in full, or as a text.
pub fn dense(input: VectorInput, name: &str, schema: &CollectionSchema) -> Answer<Vec<f32>> {
    let size = schema.vector(name)?.size;
    match input {
        VectorInput::Dense(values) if values.is_empty() => {
            Err(Reject::validation("vector", "a vector has at least one number"))
        }
        VectorInput::Dense(values) => Ok(values),
        VectorInput::Document(document) => embedded(&document, name, size),
        VectorInput::Multi(_) => Err(Reject::wrong_input(format!(
            "vector {name:?} is one list of {size} numbers; lists of lists (multivectors) are not supported"
        ))),
        VectorInput::Sparse { .. } => Err(Reject::wrong_input(format!(
            "vector {name:?} is a list of {size} numbers; sparse vectors are not supported"
        ))),
        VectorInput::Id(id) => {
            Err(Reject::wrong_input(format!("vector {name:?} can't be the point ID {id}")))
        }
    }
}

fn embedded(document: &Document, name: &str, size: usize) -> Answer<Vec<f32>> {
    if let Some(model) = document.model.as_deref()
        && !model.eq_ignore_ascii_case(embed::MODEL)
    {
        return Err(Reject::wrong_input(format!(
            "model {model:?} is not available; this server embeds texts with {:?}",
            embed::MODEL
        )));
    }
    let embedder = embed::Embedder::builtin();
    if embedder.dimension() != size {
        return Err(Reject::wrong_input(format!(
            "model {:?} makes {} numbers of a text, but vector {name:?} has size {size}; create it with size {}",
            embed::MODEL,
            embedder.dimension(),
            embedder.dimension()
        )));
    }
    Ok(embedder.embed(&document.text))
}

/// Rules on which parts of a query go together, with the sentences that clients know.
fn check_combination(request: &QueryRequest) -> Answer<()> {
    let prefetches = request.prefetch.as_ref().is_some_and(|OneOrMany(list)| !list.is_empty());
    let refuse = |text: &str| Err(Reject::bad_request(text));
    match &request.query {
        None if prefetches => refuse(
            "A query is needed to merge the prefetches. Can't have prefetches without defining a query.",
        ),
        None if request.score_threshold.is_some() => refuse(
            "A query is needed to use the score_threshold. Can't have score_threshold without defining a query.",
        ),
        Some(QueryInput::OrderBy(_)) if request.score_threshold.is_some() => {
            refuse("Can't use score_threshold with an order_by query.")
        }
        Some(QueryInput::Fusion(_) | QueryInput::Rrf(_)) if request.using.is_some() => {
            refuse("Fusion queries cannot be combined with the 'using' field.")
        }
        Some(QueryInput::Fusion(_) | QueryInput::Rrf(_)) if !prefetches => {
            refuse("A fusion query needs at least one prefetch to merge.")
        }
        Some(QueryInput::Formula(_)) if !prefetches => {
            refuse("A formula query needs at least one prefetch to score.")
        }
        Some(QueryInput::Bm25(_)) if request.using.is_some() => {
            refuse("A bm25 query names its fields itself and cannot be combined with the 'using' field.")
        }
        _ => Ok(()),
    }
}

/// How many points a request asks for.
pub fn limit(asked: Option<usize>) -> Answer<usize> {
    match asked.unwrap_or(DEFAULT_LIMIT) {
        0 => Err(Reject::validation("internal.limit", "value 0 invalid, must be 1 or larger")),
        limit => Ok(limit),
    }
}

fn read_mmr(input: MmrInput, limit: usize) -> Answer<Mmr> {
    let Num(diversity) = input.diversity.unwrap_or(Num(0.5));
    if !(0.0..=1.0).contains(&diversity) {
        let text = format!("value {diversity} invalid, must be from 0.0 to 1.0");
        return Err(Reject::validation("query.mmr.diversity", text));
    }
    let candidates = input.candidates_limit.unwrap_or(limit.min(MOST_CANDIDATES));
    if candidates > MOST_CANDIDATES {
        let text = format!("value {candidates} invalid, must be from 0 to {MOST_CANDIDATES}");
        return Err(Reject::validation("query.mmr.candidates_limit", text));
    }
    Ok(Mmr { diversity, candidates })
}

fn read_rrf(input: RrfInput, lists: usize) -> Answer<Kind> {
    let k = input.k.unwrap_or(2);
    if k == 0 {
        return Err(Reject::validation("query.rrf.k", "value 0 invalid, must be 1 or larger"));
    }
    let weights = input.weights.map_or(Vec::new(), |Numbers(weights)| weights);
    if !weights.is_empty() && weights.len() != lists {
        let count = weights.len();
        return Err(Reject::bad_request(format!(
            "rrf needs one weight per prefetch: {count} weights, {lists} prefetches"
        )));
    }
    if let Some(weight) = weights.iter().find(|weight| **weight <= 0.0) {
        return Err(Reject::validation(
            "query.rrf.weights",
            format!("value {weight} invalid, must be above 0"),
        ));
    }
    Ok(Kind::Rrf { k, weights })
}

fn read_bm25(input: Bm25Input) -> Answer<Bm25Query> {
    let fields = input.fields.unwrap_or_default();
    let fields = fields.iter().map(|field| field.parse()).collect::<Result<_, _>>()?;
    Ok(Bm25Query { query: input.query, fields })
}

/// Reads an ordering; the field must have an index that knows an order.
pub fn read_order(input: OrderByInput, schema: &CollectionSchema) -> Answer<OrderBy> {
    let kind = schema.fields.get(&input.key).map(|field| &field.kind);
    let OrderByInput { key, descending, start_from } = input;
    match kind {
        Some(FieldKind::Integer { range: true, .. } | FieldKind::Float | FieldKind::Datetime) => {}
        _ => {
            return Err(Reject::bad_request(format!(
                "No range index for `order_by` key: `{key}`. Please create one to use `order_by`. Indexes of type \
                 integer, float and datetime have ranges."
            )));
        }
    }
    let start_from = match start_from {
        None => None,
        Some(StartFrom::Number(number)) => Some(number),
        Some(StartFrom::Datetime(text)) => match parse_datetime(&text) {
            Some(micros) => Some(micros as f64),
            None => return Err(Reject::format(format!("order_by.start_from: {text:?} is no date and time"))),
        },
    };
    Ok(OrderBy { key: key.parse()?, descending, start_from })
}

fn average(vectors: &[Vec<f32>]) -> Vec<f32> {
    let mut sum = vectors.first().cloned().unwrap_or_default();
    for vector in vectors.iter().skip(1) {
        sum.iter_mut().zip(vector).for_each(|(sum, x)| *sum += x);
    }
    sum.iter_mut().for_each(|x| *x /= vectors.len() as f32);
    sum
}
