//! The words everything else is said in: ids, ordinals, log sequence numbers, vectors, payloads, points.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::error::Error;

/// A row number inside one segment: the same in vectors, ids, payloads, graph, codes, text index and every bitmap.
pub type Ordinal = u32;

/// Log sequence number: the position of one write in the order of all writes of a collection, from 1 up.
pub type Lsn = u64;

/// What a point carries besides its vectors: a JSON object.
pub type Payload = serde_json::Map<String, serde_json::Value>;

/// The vectors of one point by name; the unnamed vector's name is `""`.
pub type NamedVectors = BTreeMap<String, Vector>;

/// One vector. Sparse vectors and multivectors will be further variants.
#[derive(Debug, Clone, PartialEq)]
pub enum Vector {
    /// As many finite numbers as the schema's size for this name.
    Dense(Vec<f32>),
}

impl Vector {
    /// The numbers of a dense vector.
    pub fn as_dense(&self) -> &[f32] {
        let Self::Dense(values) = self;
        values
    }
}

/// What a client calls a point: a number or a UUID. Numbers sort before UUIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum PointId {
    /// Any `u64`.
    Num(u64),
    /// The 128 bits of a UUID, most significant first.
    Uuid(u128),
}

impl fmt::Display for PointId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Num(number) => write!(f, "{number}"),
            Self::Uuid(bits) => write!(f, "{}", uuid::Uuid::from_u128(*bits).hyphenated()),
        }
    }
}

impl FromStr for PointId {
    type Err = Error;

    /// Reads a decimal `u64`, or a UUID in simple, hyphenated or URN form.
    fn from_str(text: &str) -> Result<Self, Error> {
        if let Ok(number) = text.parse() {
            return Ok(Self::Num(number));
        }
        match uuid::Uuid::try_parse(text) {
            Ok(uuid) => Ok(Self::Uuid(uuid.as_u128())),
            Err(_) => Err(Error::bad_request(format!(
                "value {text} is not a valid point ID, valid values are either an unsigned integer or a UUID"
            ))),
        }
    }
}

/// A point as a client writes and reads it.
#[derive(Debug, Clone, PartialEq)]
pub struct Point {
    /// Its name; writing the same id again replaces the point.
    pub id: PointId,
    /// Its vectors by name; may be empty.
    pub vectors: NamedVectors,
    /// Its payload; may be empty.
    pub payload: Payload,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ids_parse_print_and_sort() {
        let id: PointId = "550E8400e29b41d4a716446655440000".parse().unwrap();
        assert_eq!(id.to_string(), "550e8400-e29b-41d4-a716-446655440000");
        assert_eq!("18446744073709551615".parse::<PointId>().unwrap(), PointId::Num(u64::MAX));
        assert!(PointId::Num(u64::MAX) < PointId::Uuid(0));
        for bad in ["-1", "1.0", "", "18446744073709551616", "550e8400-e29b-41d4-a716-44665544000g"] {
            assert!(bad.parse::<PointId>().is_err(), "{bad:?}");
        }
    }
}
