//! How do requests look that read points without ranking them?

use serde::Deserialize;
use serde_json::Value;

use super::{
    Id,
    query::{OrderByInput, QueryRequest},
    select::{WithPayload, WithVector},
};

/// The body of `POST /points`.
#[derive(Debug, Deserialize)]
pub struct RetrieveBody {
    /// Which points.
    pub ids: Vec<Id>,
    /// All if not said.
    pub with_payload: Option<WithPayload>,
    /// None if not said.
    #[serde(alias = "with_vectors")]
    pub with_vector: Option<WithVector>,
}

/// The body of `POST /points/scroll`.
#[derive(Debug, Deserialize)]
pub struct ScrollBody {
    /// The first id of the page.
    pub offset: Option<Id>,
    /// How many points; 10 if not said.
    pub limit: Option<usize>,
    /// Conditions, still as JSON.
    pub filter: Option<Value>,
    /// All if not said.
    pub with_payload: Option<WithPayload>,
    /// None if not said.
    #[serde(alias = "with_vectors")]
    pub with_vector: Option<WithVector>,
    /// By this instead of by id.
    pub order_by: Option<OrderByInput>,
}

/// The body of `POST /points/count`.
#[derive(Debug, Deserialize)]
pub struct CountBody {
    /// Conditions, still as JSON.
    pub filter: Option<Value>,
}

/// The body of `POST /facet`.
#[derive(Debug, Deserialize)]
pub struct FacetBody {
    /// The payload path whose values are counted.
    pub key: String,
    /// How many values; 10 if not said.
    pub limit: Option<usize>,
    /// Conditions, still as JSON.
    pub filter: Option<Value>,
}

/// What `POST /points/query/groups` has besides a query.
#[derive(Debug, Deserialize)]
pub struct GroupsBody {
    /// The payload path whose values make the groups.
    pub group_by: String,
    /// Hits per group; 3 if not said.
    pub group_size: Option<usize>,
    /// Records of another collection whose ids are the groups' values.
    pub with_lookup: Option<WithLookup>,
}

/// A collection's name, or one with what to show of its points.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
pub enum WithLookup {
    /// Its name.
    Name(String),
    /// Its name, and what to show.
    Selected {
        /// Its name.
        collection: String,
        /// All if not said.
        with_payload: Option<WithPayload>,
        /// None if not said.
        #[serde(alias = "with_vector")]
        with_vectors: Option<WithVector>,
    },
}

impl GroupsBody {
    /// The query and the grouping of one body.
    pub fn read(body: &[u8]) -> super::super::reject::Answer<(QueryRequest, Self)> {
        Ok((super::read(body)?, super::read(body)?))
    }
}
