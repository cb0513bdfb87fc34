//! How does a vector look in JSON? `[0.1, 0.2]`, `[[…], […]]`, `{"indices": […], "values": […]}`, a text to embed
//! `{"text": …, "model": …}`, a point's id in a query, or several of these by name.
//!
//! Numbers go straight into `Vec<f32>`, without a detour over a JSON tree: vectors are nearly all of what clients send.

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use super::uuid_id;
use crate::point::PointId;

/// A vector as a client says it.
#[derive(Debug, Clone, PartialEq)]
pub enum VectorInput {
    /// Numbers.
    Dense(Vec<f32>),
    /// Rows of numbers.
    Multi(Vec<Vec<f32>>),
    /// The numbers at some places, all others being 0.
    Sparse {
        /// The places.
        indices: Vec<u32>,
        /// The numbers there.
        values: Vec<f32>,
    },
    /// What an embedder makes of a text.
    Document(Document),
    /// The vector of a stored point; only in queries.
    Id(PointId),
}

/// A text to be turned into a vector by the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Document {
    /// The text.
    pub text: String,
    /// The embedder's name; without one, the built-in one.
    pub model: Option<String>,
}

/// The vectors of one point by name; the unnamed one's name is `""`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct PointVectors(pub Vec<(String, VectorInput)>);

/// A number that fits an `f32`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Num(pub f32);

impl<'de> Deserialize<'de> for Num {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(NumVisitor)
    }
}

struct NumVisitor;

impl Visitor<'_> for NumVisitor {
    type Value = Num;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a number")
    }

    fn visit_f64<E: de::Error>(self, number: f64) -> Result<Num, E> {
        let narrow = number as f32;
        if narrow.is_finite() {
            Ok(Num(narrow))
        } else {
            Err(E::custom(format!("number {number:e} is outside of the range of a 32-bit float")))
        }
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Num, E> {
        Ok(Num(number as f32))
    }

    fn visit_i64<E: de::Error>(self, number: i64) -> Result<Num, E> {
        Ok(Num(number as f32))
    }
}

/// A list of numbers, read without an intermediate list.
#[derive(Debug, Clone, PartialEq)]
pub struct Numbers(pub Vec<f32>);

impl<'de> Deserialize<'de> for Numbers {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct List;
        impl<'de> Visitor<'de> for List {
            type Value = Numbers;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a list of numbers")
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Numbers, A::Error> {
                rest(list, Vec::new()).map(Numbers)
            }
        }
        deserializer.deserialize_seq(List)
    }
}

fn rest<'de, A: SeqAccess<'de>>(mut list: A, mut numbers: Vec<f32>) -> Result<Vec<f32>, A::Error> {
    while let Some(Num(number)) = list.next_element()? {
        numbers.push(number);
    }
    Ok(numbers)
}

/// The first thing in a list decides what list it is.
enum First {
    Number(f32),
    Row(Vec<f32>),
}

impl<'de> Deserialize<'de> for First {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> Visitor<'de> for Either {
            type Value = First;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("a number or a list of numbers")
            }
            fn visit_f64<E: de::Error>(self, number: f64) -> Result<First, E> {
                NumVisitor.visit_f64(number).map(|Num(number)| First::Number(number))
            }
            fn visit_u64<E: de::Error>(self, number: u64) -> Result<First, E> {
                Ok(First::Number(number as f32))
            }
            fn visit_i64<E: de::Error>(self, number: i64) -> Result<First, E> {
                Ok(First::Number(number as f32))
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<First, A::Error> {
                rest(list, Vec::new()).map(First::Row)
            }
        }
        deserializer.deserialize_any(Either)
    }
}

pub(super) fn dense_or_multi<'de, A: SeqAccess<'de>>(mut list: A) -> Result<VectorInput, A::Error> {
    match list.next_element()? {
        None => Ok(VectorInput::Dense(Vec::new())),
        Some(First::Number(number)) => rest(list, vec![number]).map(VectorInput::Dense),
        Some(First::Row(row)) => {
            let mut rows = vec![row];
            while let Some(Numbers(row)) = list.next_element()? {
                rows.push(row);
            }
            Ok(VectorInput::Multi(rows))
        }
    }
}

/// The fields that an object in a vector's place may have.
#[derive(Debug, Default, Deserialize)]
pub struct VectorObject {
    indices: Option<Vec<u32>>,
    values: Option<Numbers>,
    text: Option<String>,
    model: Option<String>,
    image: Option<Value>,
    object: Option<Value>,
}

impl VectorObject {
    fn into_input<E: de::Error>(self) -> Result<VectorInput, E> {
        match self {
            Self { text: Some(text), model, .. } => Ok(VectorInput::Document(Document { text, model })),
            Self { indices: Some(indices), values: Some(Numbers(values)), .. } => {
                Ok(VectorInput::Sparse { indices, values })
            }
            Self { image: Some(_), .. } | Self { object: Some(_), .. } => {
                Err(E::custom("only a text can be embedded here; images and objects can not"))
            }
            _ => Err(E::custom(
                "an object in a vector's place must be {\"text\", \"model\"} or {\"indices\", \"values\"}",
            )),
        }
    }
}

/// A vector, or a word that may belong to a text to be embedded.
enum Raw {
    Input(VectorInput),
    Word(String),
    Object(VectorObject),
}

impl<'de> Deserialize<'de> for Raw {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(RawVisitor)
    }
}

struct RawVisitor;

impl<'de> Visitor<'de> for RawVisitor {
    type Value = Raw;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector (a list of numbers, or an object) or a point ID")
    }

    fn visit_u64<E: de::Error>(self, number: u64) -> Result<Raw, E> {
        Ok(Raw::Input(VectorInput::Id(PointId::Num(number))))
    }

    fn visit_str<E: de::Error>(self, text: &str) -> Result<Raw, E> {
        Ok(Raw::Word(text.to_owned()))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<Raw, A::Error> {
        dense_or_multi(list).map(Raw::Input)
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Raw, A::Error> {
        VectorObject::deserialize(MapAccessDeserializer::new(map)).map(Raw::Object)
    }
}

impl<'de> Deserialize<'de> for VectorInput {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        match Raw::deserialize(deserializer)? {
            Raw::Input(input) => Ok(input),
            Raw::Word(text) => uuid_id(&text).map(VectorInput::Id).map_err(de::Error::custom),
            Raw::Object(object) => object.into_input(),
        }
    }
}

impl<'de> Deserialize<'de> for PointVectors {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(PointVectorsVisitor)
    }
}

struct PointVectorsVisitor;

impl<'de> Visitor<'de> for PointVectorsVisitor {
    type Value = PointVectors;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a vector or an object of vectors by name")
    }

    fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<PointVectors, A::Error> {
        Ok(PointVectors(vec![(String::new(), dense_or_multi(list)?)]))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<PointVectors, A::Error> {
        let mut named: Vec<(String, Raw)> = Vec::new();
        while let Some(entry) = map.next_entry()? {
            named.push(entry);
        }
        if let Some(document) = unnamed_document(&named) {
            return Ok(PointVectors(vec![(String::new(), VectorInput::Document(document))]));
        }
        named.into_iter().map(stored_vector).collect::<Result<_, _>>().map(PointVectors)
    }
}

/// `{"text": "…", "model": "…"}` in the place of the vectors: a text for the unnamed vector. A vector *named*
/// `text` has a list or an object there, so the two can't be confused.
fn unnamed_document(named: &[(String, Raw)]) -> Option<Document> {
    let word = |key: &str| {
        named.iter().find_map(|(name, raw)| match raw {
            Raw::Word(word) if name == key => Some(word.clone()),
            _ => None,
        })
    };
    word("text").map(|text| Document { text, model: word("model") })
}

fn stored_vector<E: de::Error>((name, raw): (String, Raw)) -> Result<(String, VectorInput), E> {
    match raw {
        Raw::Input(VectorInput::Id(_)) | Raw::Word(_) => {
            Err(E::custom(format!("vector {name:?} must be a list of numbers, or an object")))
        }
        Raw::Input(input) => Ok((name, input)),
        Raw::Object(object) => object.into_input().map(|input| (name, input)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn input(text: &str) -> Result<VectorInput, String> {
        serde_json::from_str(text).map_err(|error| error.to_string())
    }

    fn point(text: &str) -> Result<Vec<(String, VectorInput)>, String> {
        serde_json::from_str::<PointVectors>(text).map(|vectors| vectors.0).map_err(|error| error.to_string())
    }

    #[test]
    fn each_form_is_told_from_the_others() {
        assert_eq!(input("[1, -2, 0.5]"), Ok(VectorInput::Dense(vec![1.0, -2.0, 0.5])));
        assert_eq!(input("[[1],[2.5]]"), Ok(VectorInput::Multi(vec![vec![1.0], vec![2.5]])));
        assert_eq!(
            input(r#"{"indices":[4294967295],"values":[1]}"#),
            Ok(VectorInput::Sparse { indices: vec![u32::MAX], values: vec![1.0] })
        );
        assert_eq!(input("7"), Ok(VectorInput::Id(PointId::Num(7))));
        assert!(matches!(
            input("\"550e8400e29b41d4a716446655440000\""),
            Ok(VectorInput::Id(PointId::Uuid(_)))
        ));
        let document = Document { text: "a".into(), model: Some("kith/mini".into()) };
        let text = r#"{"text":"a","model":"kith/mini","options":{}}"#;
        assert_eq!(input(text), Ok(VectorInput::Document(document.clone())));
        assert_eq!(point(text), Ok(vec![(String::new(), VectorInput::Document(document))]));
        assert_eq!(point(r#"{"text":[1]}"#), Ok(vec![("text".into(), VectorInput::Dense(vec![1.0]))]));
        assert_eq!(point("{}"), Ok(vec![]));
    }

    #[test]
    fn what_is_no_vector_is_refused_with_a_reason() {
        // Clients send NaN as null.
        assert!(input("[0.5, null]").unwrap_err().contains("invalid type: null, expected a number"));
        assert!(input("[1e39]").unwrap_err().contains("outside of the range of a 32-bit float"));
        assert!(input("[0.1, [1]]").unwrap_err().contains("expected a number"));
        assert!(input("[[1], 2]").unwrap_err().contains("expected a list of numbers"));
        assert!(input("\"5\"").unwrap_err().contains("not a valid point ID"));
        assert!(input("-1").unwrap_err().contains("expected a vector"));
        assert!(input("{}").unwrap_err().contains("in a vector's place"));
        assert!(input(r#"{"image":"x","model":"m"}"#).unwrap_err().contains("only a text"));
        assert!(point(r#"{"a": 5}"#).unwrap_err().contains("vector \"a\" must be a list"));
        assert!(point("5").unwrap_err().contains("expected a vector or an object"));
    }
}
