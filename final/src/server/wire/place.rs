//! Where in a body is the fault? Strict reading of JSON, in which every error names its place, as in
//! `filter.must[0].range.gt`.
//!
//! Not here: what stands in which place; `filter` and `formula` know that.

use std::fmt;

use serde_json::{Map, Value};

use crate::server::reject::{Answer, Reject};

pub(super) type Object = Map<String, Value>;

/// Where in the body something is: a chain from the thing up to the body's member.
#[derive(Clone, Copy)]
pub(super) enum Place<'a> {
    Root(&'a str),
    Key(&'a Place<'a>, &'a str),
    Index(&'a Place<'a>, usize),
}

impl fmt::Display for Place<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Root(name) => f.write_str(name),
            Self::Key(parent, key) => write!(f, "{parent}.{key}"),
            Self::Index(parent, index) => write!(f, "{parent}[{index}]"),
        }
    }
}

impl<'a> Place<'a> {
    /// The place of a member of the object here.
    pub(super) fn key(&'a self, key: &'a str) -> Place<'a> {
        Place::Key(self, key)
    }

    /// How many steps it is from the root.
    pub(super) fn depth(&self) -> usize {
        match self {
            Self::Root(_) => 0,
            Self::Key(parent, _) | Self::Index(parent, _) => parent.depth() + 1,
        }
    }

    /// The error that is found here.
    pub(super) fn wrong<T>(&self, text: impl fmt::Display) -> Answer<T> {
        Err(Reject::format(format!("{self}: {text}")))
    }
}

pub(super) fn number(value: &Value, place: &Place) -> Answer<f64> {
    value.as_f64().map_or_else(|| place.wrong(format!("expected a number, not {}", kind(value))), Ok)
}

pub(super) fn unsigned(value: &Value, place: &Place) -> Answer<u64> {
    value.as_u64().map_or_else(|| place.wrong(format!("expected an unsigned integer, not {value}")), Ok)
}

pub(super) fn boolean(value: &Value, place: &Place) -> Answer<bool> {
    value.as_bool().map_or_else(|| place.wrong(format!("expected true or false, not {}", kind(value))), Ok)
}

pub(super) fn string(value: &Value, place: &Place) -> Answer<String> {
    value
        .as_str()
        .map_or_else(|| place.wrong(format!("expected a string, not {}", kind(value))), |s| Ok(s.to_owned()))
}

pub(super) fn list<'a>(value: &'a Value, place: &Place) -> Answer<&'a Vec<Value>> {
    value.as_array().map_or_else(|| place.wrong(format!("expected a list, not {}", kind(value))), Ok)
}

/// The object, if it has no other keys than these.
pub(super) fn members<'a>(value: &'a Value, place: &Place, known: &[&str]) -> Answer<&'a Object> {
    let Value::Object(object) = value else {
        return place.wrong(format!("expected an object, not {}", kind(value)));
    };
    match object.keys().find(|key| !known.contains(&key.as_str())) {
        Some(key) => place.wrong(format!("unknown field `{key}`, expected one of {}", known.join(", "))),
        None => Ok(object),
    }
}

/// The member, if it is there and not null.
pub(super) fn present<'a>(object: &'a Object, key: &str) -> Option<&'a Value> {
    object.get(key).filter(|value| !value.is_null())
}

pub(super) fn required<'a>(object: &'a Object, key: &str, place: &Place) -> Answer<&'a Value> {
    present(object, key).map_or_else(|| place.wrong(format!("missing field `{key}`")), Ok)
}

/// What a value is, for an error to say.
pub(super) fn kind(value: &Value) -> &'static str {
    match value {
        Value::Null => "null",
        Value::Bool(_) => "a boolean",
        Value::Number(_) => "a number",
        Value::String(_) => "a string",
        Value::Array(_) => "a list",
        Value::Object(_) => "an object",
    }
}
