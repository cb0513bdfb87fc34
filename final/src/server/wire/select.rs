//! What of a point does the client want back? `with_payload` and `with_vector`, and the cutting of a payload to it.
//!
//! A path of a selection also looks into the elements of arrays where it names a key: `a.b` keeps the `b` of every
//! object in a list at `a`. (In a filter only `a[].b` does.)

use std::fmt;

use serde::{
    Deserialize, Deserializer,
    de::{self, MapAccess, SeqAccess, Visitor, value::MapAccessDeserializer},
};
use serde_json::Value;

use crate::{
    filter::path::{Path, Step},
    point::{NamedVectors, Payload},
    schema::CollectionSchema,
    server::reject::Answer,
};

/// `with_payload`: a yes or no, or paths.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithPayload {
    /// Nothing.
    None,
    /// All of it.
    All,
    /// What these paths lead to.
    Include(Vec<String>),
    /// All but what these paths lead to.
    Exclude(Vec<String>),
}

/// `with_vector`: a yes or no, or names.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum WithVector {
    /// None.
    None,
    /// All the point has.
    All,
    /// Those of these names.
    Named(Vec<String>),
}

impl<'de> Deserialize<'de> for WithPayload {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        #[derive(Deserialize)]
        #[serde(deny_unknown_fields)]
        struct Object {
            include: Option<Vec<String>>,
            exclude: Option<Vec<String>>,
        }
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = WithPayload;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(
                    "true, false, a list of payload paths, {\"include\": paths} or {\"exclude\": paths}",
                )
            }
            fn visit_bool<E: de::Error>(self, all: bool) -> Result<WithPayload, E> {
                Ok(if all { WithPayload::All } else { WithPayload::None })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<WithPayload, A::Error> {
                strings(list).map(WithPayload::Include)
            }
            fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<WithPayload, A::Error> {
                match Object::deserialize(MapAccessDeserializer::new(map))? {
                    Object { include: Some(paths), exclude: None } => Ok(WithPayload::Include(paths)),
                    Object { include: None, exclude: Some(paths) } => Ok(WithPayload::Exclude(paths)),
                    _ => Err(de::Error::custom("`with_payload` wants one of `include` and `exclude`")),
                }
            }
        }
        deserializer.deserialize_any(Any)
    }
}

impl<'de> Deserialize<'de> for WithVector {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Any;
        impl<'de> Visitor<'de> for Any {
            type Value = WithVector;
            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("true, false or a list of vector names")
            }
            fn visit_bool<E: de::Error>(self, all: bool) -> Result<WithVector, E> {
                Ok(if all { WithVector::All } else { WithVector::None })
            }
            fn visit_seq<A: SeqAccess<'de>>(self, list: A) -> Result<WithVector, A::Error> {
                strings(list).map(WithVector::Named)
            }
        }
        deserializer.deserialize_any(Any)
    }
}

fn strings<'de, A: SeqAccess<'de>>(mut list: A) -> Result<Vec<String>, A::Error> {
    let mut strings = Vec::new();
    while let Some(string) = list.next_element()? {
        strings.push(string);
    }
    Ok(strings)
}

/// What a request wants to see of each point, with its paths read.
#[derive(Debug, Clone)]
pub struct Selection {
    payload: Shown,
    vectors: WithVector,
}

#[derive(Debug, Clone)]
enum Shown {
    None,
    All,
    Include(Vec<Path>),
    Exclude(Vec<Path>),
}

impl Selection {
    /// Reads the paths, and checks that the collection has the vectors.
    pub fn new(payload: WithPayload, vectors: WithVector, schema: &CollectionSchema) -> Answer<Self> {
        let read = |paths: Vec<String>| paths.iter().map(|path| path.parse()).collect::<Result<_, _>>();
        let payload = match payload {
            WithPayload::None => Shown::None,
            WithPayload::All => Shown::All,
            WithPayload::Include(paths) => Shown::Include(read(paths)?),
            WithPayload::Exclude(paths) => Shown::Exclude(read(paths)?),
        };
        if let WithVector::Named(names) = &vectors {
            names.iter().try_for_each(|name| schema.vector(name).map(|_| ()))?;
        }
        Ok(Self { payload, vectors })
    }

    /// Whether payloads have to be read at all.
    pub fn wants_payload(&self) -> bool {
        !matches!(self.payload, Shown::None)
    }

    /// Whether vectors have to be read at all.
    pub fn wants_vectors(&self) -> bool {
        !matches!(self.vectors, WithVector::None)
    }

    /// The part of a payload that is to be shown.
    pub fn payload(&self, payload: Payload) -> Payload {
        match &self.payload {
            Shown::None => Payload::new(),
            Shown::All => payload,
            Shown::Include(paths) => keep_members(payload, &steps_of(paths)),
            Shown::Exclude(paths) => drop_members(payload, &steps_of(paths)),
        }
    }

    /// The vectors that are to be shown.
    pub fn vectors(&self, mut vectors: NamedVectors) -> NamedVectors {
        if let WithVector::Named(names) = &self.vectors {
            vectors.retain(|name, _| names.contains(name));
        }
        vectors
    }
}

fn steps_of(paths: &[Path]) -> Vec<&[Step]> {
    paths.iter().map(Path::steps).collect()
}

/// What remains of the paths that go through this key.
fn after_key<'a>(paths: &[&'a [Step]], key: &str) -> Vec<&'a [Step]> {
    let through = |path: &&'a [Step]| matches!(path.first(), Some(Step::Key(step)) if step == key);
    paths.iter().filter(|path| through(path)).map(|path| &path[1..]).collect()
}

/// What remains of the paths that go through this element; a key looks into every element.
fn after_index<'a>(paths: &[&'a [Step]], index: usize) -> Vec<&'a [Step]> {
    let rest = |path: &&'a [Step]| match path.first()? {
        Step::Key(_) => Some(*path),
        Step::Each => Some(&path[1..]),
        Step::Index(step) => (*step == index).then(|| &path[1..]),
    };
    paths.iter().filter_map(rest).collect()
}

fn keep(value: Value, paths: &[&[Step]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return Some(value);
    }
    match value {
        Value::Object(object) => {
            Some(keep_members(object, paths)).filter(|kept| !kept.is_empty()).map(Value::Object)
        }
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let kept: Vec<_> = items.filter_map(|(i, item)| keep(item, &after_index(paths, i))).collect();
            Some(kept).filter(|kept| !kept.is_empty()).map(Value::Array)
        }
        _ => None,
    }
}

fn keep_members(object: Payload, paths: &[&[Step]]) -> Payload {
    let kept = |(key, value): (String, Value)| keep(value, &after_key(paths, &key)).map(|value| (key, value));
    object.into_iter().filter_map(kept).collect()
}

fn without(value: Value, paths: &[&[Step]]) -> Option<Value> {
    if paths.iter().any(|path| path.is_empty()) {
        return None;
    }
    match value {
        Value::Object(object) => Some(Value::Object(drop_members(object, paths))),
        Value::Array(items) => {
            let items = items.into_iter().enumerate();
            let kept = items.filter_map(|(i, item)| without(item, &after_index(paths, i)));
            Some(Value::Array(kept.collect()))
        }
        other => Some(other),
    }
}

fn drop_members(object: Payload, paths: &[&[Step]]) -> Payload {
    let kept =
        |(key, value): (String, Value)| without(value, &after_key(paths, &key)).map(|value| (key, value));
    object.into_iter().filter_map(kept).collect()
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn shown(with: Value) -> Value {
        let with: WithPayload = serde_json::from_value(with).unwrap();
        let payload = match with {
            WithPayload::Include(paths) => Shown::Include(paths.iter().map(|p| p.parse().unwrap()).collect()),
            WithPayload::Exclude(paths) => Shown::Exclude(paths.iter().map(|p| p.parse().unwrap()).collect()),
            WithPayload::All => Shown::All,
            WithPayload::None => Shown::None,
        };
        let selection = Selection { payload, vectors: WithVector::None };
        let all = json!({"a": {"b": 1, "c": 2}, "l": [{"b": 1, "c": 2}, {"c": 3}, 4], "x": null});
        Value::Object(selection.payload(all.as_object().unwrap().clone()))
    }

    #[test]
    fn payloads_are_cut_to_what_was_asked_for() {
        assert_eq!(shown(json!(["a.b", "x"])), json!({"a": {"b": 1}, "x": null}));
        assert_eq!(shown(json!({"include": ["a.b", "a.c"]})), json!({"a": {"b": 1, "c": 2}}));
        assert_eq!(shown(json!(["l[].b"])), json!({"l": [{"b": 1}]}));
        assert_eq!(shown(json!(["l.c"])), json!({"l": [{"c": 2}, {"c": 3}]}));
        assert_eq!(shown(json!(["l[2]", "none"])), json!({"l": [4]}));
        assert_eq!(shown(json!({"exclude": ["l", "a.c"]})), json!({"a": {"b": 1}, "x": null}));
        assert_eq!(shown(json!({"exclude": ["l[].c", "a"]})), json!({"l": [{"b": 1}, {}, 4], "x": null}));
        assert_eq!(shown(json!([])), json!({}));
        assert_eq!(shown(json!(false)), json!({}));
    }

    #[test]
    fn unknown_keys_in_a_selection_are_refused() {
        let refused = |with: Value| serde_json::from_value::<WithPayload>(with).unwrap_err().to_string();
        assert!(refused(json!({"includes": ["a"]})).contains("unknown field `includes`"));
        assert!(refused(json!({})).contains("one of `include` and `exclude`"));
        assert!(refused(json!("a")).contains("expected true, false, a list"));
    }
}
