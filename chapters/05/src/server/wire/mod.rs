//! How does the JSON of requests and points look? It is written in this file, but for `VectorSchema`, which derives it.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::Value;

use super::reject::{Answer, Reject};
use crate::{
    error::Error,
    point::{Payload, Point, PointId},
    schema::{CollectionSchema, VectorSchema},
};

/// Reads a request's body.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    serde_json::from_slice(body).map_err(Reject::format)
}

/// What a successful request answers: `{"result": …, "status": "ok", "time": …}`.
#[derive(Serialize)]
pub struct Envelope<T> {
    pub result: T,
    pub status: &'static str,
    pub time: f64,
}

/// One thing without a name, or several with names.
#[derive(Serialize, Deserialize)]
#[serde(untagged)]
pub enum Named<T> {
    One(T),
    Many(BTreeMap<String, T>),
}

impl<T> From<Named<T>> for BTreeMap<String, T> {
    fn from(named: Named<T>) -> Self {
        match named {
            Named::One(one) => BTreeMap::from([(String::new(), one)]),
            Named::Many(many) => many,
        }
    }
}

/// `PUT /collections/{collection}`: `{"vectors": {"size": 2, "distance": "Euclid"}}`.
#[derive(Deserialize)]
pub struct CreateBody {
    vectors: Named<VectorSchema>,
}

impl CreateBody {
    pub fn schema(self) -> CollectionSchema {
        let vectors = self.vectors.into();
        CollectionSchema { vectors }
    }
}

/// A point id in JSON: a number, or a UUID in a string.
#[derive(Clone, Serialize, Deserialize)]
#[serde(try_from = "Value", into = "Value")]
pub struct Id(pub PointId);

impl TryFrom<Value> for Id {
    type Error = Error;

    fn try_from(json: Value) -> Result<Self, Error> {
        match json {
            Value::String(text) => text.parse().map(Self),
            other => other.to_string().parse().map(Self),
        }
    }
}

impl From<Id> for Value {
    fn from(id: Id) -> Self {
        match id.0 {
            PointId::Num(number) => number.into(),
            uuid => uuid.to_string().into(),
        }
    }
}

/// A point in JSON; the payload may be left out.
#[derive(Serialize, Deserialize)]
pub struct PointJson {
    id: Id,
    vector: Named<Vec<f32>>,
    payload: Option<Payload>,
}

impl From<PointJson> for Point {
    fn from(json: PointJson) -> Self {
        Self {
            id: json.id.0,
            vectors: json.vector.into(),
            // `None` becomes the default, which is empty.
            payload: json.payload.unwrap_or_default(),
        }
    }
}

impl From<&Point> for PointJson {
    fn from(point: &Point) -> Self {
        // The point stays in its collection; the answer gets copies.
        let (mut vectors, payload) = (point.vectors.clone(), point.payload.clone());
        let single = vectors.len() == 1;
        let unnamed = if single { vectors.remove("") } else { None };
        Self {
            id: Id(point.id),
            vector: unnamed.map_or(Named::Many(vectors), Named::One),
            payload: Some(payload),
        }
    }
}

/// `PUT …/points`
#[derive(Deserialize)]
pub struct UpsertBody {
    pub points: Vec<PointJson>,
}

/// `POST …/points`
#[derive(Deserialize)]
pub struct RetrieveBody {
    pub ids: Vec<Id>,
}

/// `POST …/points/delete`
#[derive(Deserialize)]
pub struct DeleteBody {
    pub points: Vec<Id>,
}
