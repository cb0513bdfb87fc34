//! The words everything else is said in: ids, vectors, payloads, points.

use std::{collections::BTreeMap, fmt, str::FromStr};

use crate::error::Error;

/// What a point carries besides its vectors: a JSON object.
pub type Payload = serde_json::Map<String, serde_json::Value>;

/// The vectors of one point by name; the unnamed vector's name is `""`.
pub type NamedVectors = BTreeMap<String, Vec<f32>>;

/// What a client calls a point: a number or a UUID. Numbers sort before UUIDs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum PointId {
    /// Any `u64`.
    Num(u64),
    /// The 128 bits of a UUID, most significant first.
    Uuid(u128),
}

impl From<u64> for PointId {
    fn from(number: u64) -> Self {
        Self::Num(number)
    }
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

    /// Reads a number from 0 up, or a UUID with or without its hyphens.
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
        // In a test, `unwrap` is an assertion: if this is an `Err`, the test has failed.
        let id: PointId = "550E8400e29b41d4a716446655440000".parse().unwrap();
        assert_eq!(id.to_string(), "550e8400-e29b-41d4-a716-446655440000");
        assert_eq!("7".parse(), Ok(PointId::from(7)));
        assert!(PointId::Num(u64::MAX) < PointId::Uuid(0));
    }

    #[test]
    fn what_is_no_id_is_refused() {
        for bad in ["-1", "1.0", "", "18446744073709551616", "550e8400"] {
            assert!(bad.parse::<PointId>().is_err(), "{bad:?}");
        }
    }
}
