//! How do Qdrant's JSON shapes look? Everything that knows them is in this folder: what requests say is read into
//! plain types, what Kith answers is printed.
//!
//! Reading is forgiving where Qdrant is (unknown fields, `null` for an absent field, one thing in place of a list of
//! one) and strict where a slip would change the answer (filters, numbers, ids).
//!
//! Not here: what a request means for a collection; `search` and `points` decide that.

use std::fmt;

use serde::{
    Deserialize, Deserializer, Serialize,
    de::{self, DeserializeOwned, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};

use super::reject::{Answer, Reject};
use crate::point::PointId;

pub mod vector;
mod place;
pub mod filter;
pub mod formula;
pub mod feedback;
pub mod params;
pub mod query;
pub mod point;
pub mod select;
pub mod collection;
pub mod field;
pub mod read;
pub mod legacy;
pub mod info;
pub mod update;

/// Reads a request's body, an object always.
pub fn read<T: DeserializeOwned>(body: &[u8]) -> Answer<T> {
    // Left to itself, serde also reads a list of a struct's fields in their order.
    if let Some(other) = body.iter().find(|byte| !byte.is_ascii_whitespace()).filter(|byte| **byte != b'{') {
        return Err(Reject::format(format!("expected an object, found {:?}", char::from(*other))));
    }
    serde_json::from_slice(body).map_err(|error| Reject::format(error.to_string()))
}

/// What a successful request answers: `{"result": …, "status": "ok", "time": …}`.
#[derive(Debug, Serialize)]
pub struct Envelope<T> {
    /// The endpoint's own part.
    pub result: T,
    /// Always `ok`.
    pub status: &'static str,
    /// Seconds from the first byte of the request to the last of the answer's making.
    pub time: f64,
}

/// A point id in JSON: a number or a UUID in a string.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Id(pub PointId);

impl Serialize for Id {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0 {
            PointId::Num(number) => serializer.serialize_u64(number),
            PointId::Uuid(_) => serializer.collect_str(&self.0),
        }
    }
}

impl<'de> Deserialize<'de> for Id {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(IdVisitor)
    }
}

struct IdVisitor;

impl Visitor<'_> for IdVisitor {
    type Value = Id;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a point ID (an unsigned integer or a UUID)")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Id, E> {
        Ok(Id(PointId::Num(number)))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Id, E> {
        uuid_id(text).map(Id).map_err(E::custom)
    }
}

/// Reads a UUID; a number in quotes is none.
pub fn uuid_id(text: &str) -> Result<PointId, String> {
    match text.parse() {
        Ok(id @ PointId::Uuid(_)) => Ok(id),
        _ => Err(format!(
            "value {text} is not a valid point ID, valid values are either an unsigned integer or a UUID"
        )),
    }
}

/// One thing, or a list of such things.
#[derive(Debug, Clone, PartialEq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for OneOrMany<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(OneOrManyVisitor(std::marker::PhantomData))
    }
}

struct OneOrManyVisitor<T>(std::marker::PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for OneOrManyVisitor<T> {
    type Value = OneOrMany<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object or a list of objects")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(|one| OneOrMany(vec![one]))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut list: A) -> Result<Self::Value, A::Error> {
        let mut many = Vec::new();
        while let Some(one) = list.next_element()? {
            many.push(one);
        }
        Ok(OneOrMany(many))
    }
}

#[cfg(test)]
mod tests;
