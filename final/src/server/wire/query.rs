//! How does a query look in JSON?
//!
//! Everything here is as the client said it: ids and texts are not vectors yet, filters are JSON still.
//! `server/resolve` turns a [`QueryRequest`] into a [`crate::query::Query`].

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, IgnoredAny, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::{
    OneOrMany,
    feedback::FeedbackInput,
    formula::FormulaInput,
    params::ParamsInput,
    select::{WithPayload, WithVector},
    vector::{Num, Numbers, VectorInput},
};

/// The body of `POST /points/query`.
#[derive(Debug, Clone, Default, Deserialize)]
pub struct QueryRequest {
    /// Queries whose answers this one ranks again.
    pub prefetch: Option<OneOrMany<PrefetchRequest>>,
    /// How to rank; without it, by id.
    pub query: Option<QueryInput>,
    /// The vector's name.
    pub using: Option<String>,
    /// Conditions, still as JSON.
    pub filter: Option<Value>,
    /// How hard to look.
    pub params: Option<ParamsInput>,
    /// Points with a worse score are left out.
    pub score_threshold: Option<Num>,
    /// How many points; 10 if not said.
    pub limit: Option<usize>,
    /// How many of the best to skip.
    pub offset: Option<usize>,
    /// What of the payload to return; nothing if not said.
    pub with_payload: Option<WithPayload>,
    /// Which vectors to return; none if not said.
    #[serde(alias = "with_vectors")]
    pub with_vector: Option<WithVector>,
    /// Where ids in `query` are looked up, if not here.
    pub lookup_from: Option<LookupFrom>,
    /// Kith's own: say how the query was run.
    pub explain: Option<bool>,
}

/// One entry of `prefetch`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct PrefetchRequest {
    /// Queries whose answers this one ranks again.
    pub prefetch: Option<OneOrMany<PrefetchRequest>>,
    /// How to rank; without it, by id.
    pub query: Option<QueryInput>,
    /// The vector's name.
    pub using: Option<String>,
    /// Conditions, still as JSON.
    pub filter: Option<Value>,
    /// How hard to look.
    pub params: Option<ParamsInput>,
    /// Points with a worse score are left out.
    pub score_threshold: Option<Num>,
    /// How many points; 10 if not said.
    pub limit: Option<usize>,
    /// Where ids in `query` are looked up, if not here.
    pub lookup_from: Option<LookupFrom>,
}

/// The body of `POST /points/query/batch`.
#[derive(Debug, Deserialize)]
pub struct QueryBatch {
    /// The queries.
    pub searches: Vec<QueryRequest>,
}

/// A collection, and the name of a vector in it.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct LookupFrom {
    /// The collection's name.
    pub collection: String,
    /// The vector's name; `using` if not said.
    pub vector: Option<String>,
}

/// How points are ranked, as a client says it.
#[derive(Debug, Clone, PartialEq)]
pub enum QueryInput {
    /// By distance to a vector.
    Nearest(VectorInput, Option<MmrInput>),
    /// By examples.
    Recommend(RecommendInput),
    /// By a target, on the right side of pairs.
    Discover(DiscoverInput),
    /// On the right side of pairs.
    Context(Vec<PairInput>),
    /// By a payload value.
    OrderBy(OrderByInput),
    /// By ranks or scores of what was prefetched.
    Fusion(FusionInput),
    /// By ranks, with parameters.
    Rrf(RrfInput),
    /// By a formula over the scores of what was prefetched.
    Formula(FormulaInput),
    /// By a target, and by what was thought of earlier answers.
    RelevanceFeedback(FeedbackInput),
    /// In random order.
    Sample,
    /// By words.
    Bm25(Bm25Input),
}

/// `mmr`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct MmrInput {
    /// From 0 (nearness) to 1 (variety); 0.5 if not said.
    pub diversity: Option<Num>,
    /// How many of the nearest to choose from; as many as the limit if not said.
    pub candidates_limit: Option<usize>,
}

/// `recommend`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct RecommendInput {
    /// Wanted.
    pub positive: Option<Vec<VectorInput>>,
    /// Unwanted.
    pub negative: Option<Vec<VectorInput>>,
    /// How they become one score.
    pub strategy: Option<Strategy>,
}

/// `recommend.strategy`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Strategy {
    /// One vector made of all.
    AverageVector,
    /// The best positive against the best negative.
    BestScore,
    /// The sum of all.
    SumScores,
}

/// `discover`.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct DiscoverInput {
    /// What is looked for.
    pub target: VectorInput,
    /// The pairs.
    pub context: Option<OneOrMany<PairInput>>,
}

/// A pair of examples.
#[derive(Debug, Clone, PartialEq, Deserialize)]
pub struct PairInput {
    /// Wanted.
    pub positive: VectorInput,
    /// Unwanted.
    pub negative: VectorInput,
}

/// `fusion`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FusionInput {
    /// By ranks.
    Rrf,
    /// By normalised scores.
    Dbsf,
}

/// `rrf`.
#[derive(Debug, Clone, Default, PartialEq, Deserialize)]
pub struct RrfInput {
    /// Added to every rank; 2 if not said.
    pub k: Option<usize>,
    /// One weight per prefetch.
    pub weights: Option<Numbers>,
}

/// `bm25`, Kith's own: rank by the words of payload texts.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Bm25Input {
    /// The words.
    pub query: String,
    /// The payload paths that are searched; wherever there are texts if not said.
    pub fields: Option<Vec<String>>,
}

/// `order_by`: a path, or an object.
#[derive(Debug, Clone, PartialEq)]
pub struct OrderByInput {
    /// The payload path.
    pub key: String,
    /// Largest first.
    pub descending: bool,
    /// Where to start, inclusive.
    pub start_from: Option<StartFrom>,
}

/// `order_by.start_from`.
#[derive(Debug, Clone, PartialEq)]
pub enum StartFrom {
    /// A number.
    Number(f64),
    /// A date and time.
    Datetime(String),
}

impl<'de> Deserialize<'de> for OrderByInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(rename_all = "lowercase")]
        enum Direction {
            Asc,
            Desc,
        }
        #[derive(Deserialize)]
        struct Object {
            key: String,
            direction: Option<Direction>,
            start_from: Option<Value>,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = Object;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a payload path or {\"key\", \"direction\", \"start_from\"}")
            }
            fn visit_str<E: de::Error>(self, key: &str) -> Result<Object, E> {
                Ok(Object { key: key.to_owned(), direction: None, start_from: None })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Object, A::Error> {
                Object::deserialize(MapAccessDeserializer::new(map))
            }
        }
        let Object { key, direction, start_from } = deserializer.deserialize_any(Either)?;
        let start_from = match start_from {
            None => None,
            Some(Value::String(text)) => Some(StartFrom::Datetime(text)),
            Some(value) => match value.as_f64() {
                Some(number) => Some(StartFrom::Number(number)),
                None => return Err(de::Error::custom("`start_from` must be a number or a date and time")),
            },
        };
        Ok(Self { key, descending: matches!(direction, Some(Direction::Desc)), start_from })
    }
}

/// Every key that an object in the place of `query` may have.
#[derive(Deserialize)]
struct QueryObject {
    nearest: Option<VectorInput>,
    mmr: Option<MmrInput>,
    recommend: Option<RecommendInput>,
    discover: Option<DiscoverInput>,
    context: Option<OneOrMany<PairInput>>,
    order_by: Option<OrderByInput>,
    fusion: Option<FusionInput>,
    rrf: Option<RrfInput>,
    sample: Option<Sample>,
    bm25: Option<Bm25Input>,
    formula: Option<Value>,
    defaults: Option<Value>,
    relevance_feedback: Option<FeedbackInput>,
    // An object may also be a vector itself.
    indices: Option<Vec<u32>>,
    values: Option<Numbers>,
    text: Option<String>,
    model: Option<String>,
    image: Option<IgnoredAny>,
    object: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Sample {
    Random,
}

impl QueryObject {
    fn into_query<E: de::Error>(self) -> Result<QueryInput, E> {
        let mut found = Vec::new();
        let nearest = |vector| QueryInput::Nearest(vector, self.mmr);
        found.extend(self.nearest.map(nearest));
        found.extend(self.recommend.map(QueryInput::Recommend));
        found.extend(self.discover.map(QueryInput::Discover));
        found.extend(self.context.map(|OneOrMany(pairs)| QueryInput::Context(pairs)));
        found.extend(self.order_by.map(QueryInput::OrderBy));
        found.extend(self.fusion.map(QueryInput::Fusion));
        found.extend(self.rrf.map(QueryInput::Rrf));
        found.extend(self.sample.map(|Sample::Random| QueryInput::Sample));
        found.extend(self.bm25.map(QueryInput::Bm25));
        let formula = |formula| QueryInput::Formula(FormulaInput { formula, defaults: self.defaults });
        found.extend(self.formula.map(formula));
        found.extend(self.relevance_feedback.map(QueryInput::RelevanceFeedback));
        let model = self.model;
        let document = |text| VectorInput::Document(super::vector::Document { text, model });
        found.extend(self.text.map(|text| QueryInput::Nearest(document(text), None)));
        if let (Some(indices), Some(Numbers(values))) = (self.indices, self.values) {
            found.push(QueryInput::Nearest(VectorInput::Sparse { indices, values }, None));
        }
        match (found.pop(), found.is_empty()) {
            (Some(query), true) => Ok(query),
            (Some(_), false) => Err(E::custom("`query` must be of one kind, and this one is of several")),
            (None, _) if self.image.is_some() || self.object.is_some() => {
                Err(E::custom("image and object queries are not supported"))
            }
            (None, _) => Err(E::custom(
                "`query` must be a vector, a point ID, or an object with one of: nearest, recommend, discover, \
                 context, order_by, fusion, rrf, formula, relevance_feedback, sample, bm25",
            )),
        }
    }
}

impl<'de> Deserialize<'de> for QueryInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(QueryVisitor)
    }
}

struct QueryVisitor;

impl<'de> Visitor<'de> for QueryVisitor {
    type Value = QueryInput;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector, a point ID, or an object that says how to rank")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<QueryInput, E> {
        Ok(QueryInput::Nearest(VectorInput::Id(crate::point::PointId::Num(number)), None))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<QueryInput, E> {
        let id = super::uuid_id(text).map_err(E::custom)?;
        Ok(QueryInput::Nearest(VectorInput::Id(id), None))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<QueryInput, A::Error> {
        super::vector::dense_or_multi(list).map(|vector| QueryInput::Nearest(vector, None))
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<QueryInput, A::Error> {
        QueryObject::deserialize(MapAccessDeserializer::new(map))?.into_query()
    }
}

impl From<PrefetchRequest> for QueryRequest {
    fn from(one: PrefetchRequest) -> Self {
        let PrefetchRequest { prefetch, query, using, filter, params, score_threshold, limit, lookup_from } =
            one;
        Self {
            prefetch,
            query,
            using,
            filter,
            params,
            score_threshold,
            limit,
            lookup_from,
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::point::PointId;

    fn query(text: &str) -> Result<QueryInput, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn dense(values: &[f32]) -> VectorInput {
        VectorInput::Dense(values.to_vec())
    }

    #[test]
    fn every_kind_is_recognised() {
        assert_eq!(query("[1,2]"), Ok(QueryInput::Nearest(dense(&[1.0, 2.0]), None)));
        assert_eq!(query("3"), Ok(QueryInput::Nearest(VectorInput::Id(PointId::Num(3)), None)));
        let mmr = MmrInput { diversity: None, candidates_limit: Some(20) };
        assert_eq!(
            query(r#"{"nearest":[1],"mmr":{"diversity":null,"candidates_limit":20}}"#),
            Ok(QueryInput::Nearest(dense(&[1.0]), Some(mmr)))
        );
        let pair = PairInput { positive: VectorInput::Id(PointId::Num(1)), negative: dense(&[0.5]) };
        assert_eq!(
            query(r#"{"context":{"positive":1,"negative":[0.5]}}"#),
            Ok(QueryInput::Context(vec![pair.clone()]))
        );
        assert_eq!(
            query(r#"{"discover":{"target":[1],"context":[{"positive":1,"negative":[0.5]}]}}"#),
            Ok(QueryInput::Discover(DiscoverInput {
                target: dense(&[1.0]),
                context: Some(OneOrMany(vec![pair]))
            }))
        );
        assert_eq!(query(r#"{"fusion":"dbsf"}"#), Ok(QueryInput::Fusion(FusionInput::Dbsf)));
        assert_eq!(query(r#"{"sample":"random"}"#), Ok(QueryInput::Sample));
        let start_from = Some(StartFrom::Datetime("2024-01-01".into()));
        assert_eq!(
            query(r#"{"order_by":{"key":"a","direction":"desc","start_from":"2024-01-01"}}"#),
            Ok(QueryInput::OrderBy(OrderByInput { key: "a".into(), descending: true, start_from }))
        );
        assert!(matches!(query(r#"{"order_by":"a"}"#), Ok(QueryInput::OrderBy(_))));
        assert!(matches!(query(r#"{"rrf":{"weights":[1,2]}}"#), Ok(QueryInput::Rrf(_))));
        assert!(matches!(
            query(r#"{"text":"hello"}"#),
            Ok(QueryInput::Nearest(VectorInput::Document(_), None))
        ));
        assert!(matches!(query(r#"{"formula":"$score","defaults":{"a":1}}"#), Ok(QueryInput::Formula(_))));
        let judged = r#"{"relevance_feedback":{"target":[1],"feedback":[{"example":2,"score":0.5}],
            "strategy":{"naive":{"a":1,"b":2,"c":3}}}}"#;
        assert!(matches!(query(judged), Ok(QueryInput::RelevanceFeedback(_))));
        assert!(matches!(query(r#"{"bm25":{"query":"hello","fields":["a"]}}"#), Ok(QueryInput::Bm25(_))));
    }

    #[test]
    fn what_is_no_query_is_refused_with_a_reason() {
        assert!(query("{}").unwrap_err().contains("`query` must be a vector, a point ID"));
        assert!(
            query(r#"{"image":"x"}"#).unwrap_err().contains("image and object queries are not supported")
        );
        assert!(query(r#"{"relevance_feedback":{"target":1}}"#).unwrap_err().contains("missing field"));
        assert!(query(r#"{"fusion":"rrf","sample":"random"}"#).unwrap_err().contains("of several"));
        assert!(query(r#"{"sample":"best"}"#).unwrap_err().contains("unknown variant `best`"));
        assert!(
            query(r#"{"recommend":{"strategy":"magic"}}"#).unwrap_err().contains("unknown variant `magic`")
        );
        assert!(query("true").unwrap_err().contains("expected a vector"));
    }
}
