//! How does a search look that was written for Qdrant's older interface, before there was `query`?

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::{
    params::ParamsInput,
    query::{QueryInput, QueryRequest},
    select::{WithPayload, WithVector},
    vector::{Num, VectorInput, dense_or_multi},
};

/// The body of `POST /points/search`.
#[derive(Debug, Deserialize)]
pub struct LegacyRequest {
    vector: NamedVector,
    #[serde(alias = "top")]
    limit: usize,
    filter: Option<Value>,
    params: Option<ParamsInput>,
    offset: Option<usize>,
    with_payload: Option<WithPayload>,
    #[serde(alias = "with_vectors")]
    with_vector: Option<WithVector>,
    score_threshold: Option<Num>,
}

/// The body of `POST /points/search/batch`.
#[derive(Debug, Deserialize)]
pub struct LegacyBatch {
    /// The searches.
    pub searches: Vec<LegacyRequest>,
}

/// A vector for the unnamed one, or `{"name": …, "vector": …}`.
#[derive(Debug)]
struct NamedVector {
    name: Option<String>,
    vector: VectorInput,
}

impl<'de> Deserialize<'de> for NamedVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        struct Named {
            name: String,
            vector: VectorInput,
        }
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = NamedVector;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers or {\"name\", \"vector\"}")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<NamedVector, A::Error> {
                dense_or_multi(list).map(|vector| NamedVector { name: None, vector })
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<NamedVector, A::Error> {
                let Named { name, vector } = Named::deserialize(MapAccessDeserializer::new(map))?;
                Ok(NamedVector { name: Some(name), vector })
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl From<LegacyRequest> for QueryRequest {
    fn from(old: LegacyRequest) -> Self {
        Self {
            query: Some(QueryInput::Nearest(old.vector.vector, None)),
            using: old.vector.name,
            filter: old.filter,
            params: old.params,
            score_threshold: old.score_threshold,
            limit: Some(old.limit),
            offset: old.offset,
            with_payload: old.with_payload,
            with_vector: old.with_vector,
            ..Self::default()
        }
    }
}
