//! How does a filter look in JSON?
//!
//! A slip in a filter changes the answer without anybody noticing, so it is read strictly: every unknown key is an
//! error, and every error names the place ([`super::place`]).

use serde_json::Value;

use super::{
    place::{Object, Place, boolean, kind, list, members, number, present, required, string, unsigned},
    uuid_id,
};
use crate::{
    filter::{
        Bounds, Condition, Filter, GeoBox, GeoPoint, GeoPolygon, GeoRadius, MatchValue, MinShould, Path,
        Test, datetime::parse_datetime,
    },
    point::PointId,
    server::reject::{Answer, Reject},
};

/// What a filter is made of.
const CLAUSES: [&str; 4] = ["must", "should", "must_not", "min_should"];

/// Reads the filter that stands at `member` of a body; absent and `null` are no filter.
pub fn filter(value: Option<&Value>, member: &str) -> Answer<Option<Filter>> {
    match value {
        None | Some(Value::Null) => Ok(None),
        Some(value) => read_filter(value, &Place::Root(member)).map(Some),
    }
}

fn read_filter(value: &Value, place: &Place) -> Answer<Filter> {
    let object = members(value, place, &CLAUSES)?;
    let clause = |key: &str| match object.get(key) {
        Some(value) => conditions(value, &place.key(key)),
        None => Ok(Vec::new()),
    };
    let min_should = match present(object, "min_should") {
        Some(value) => Some(min_should(value, &place.key("min_should"))?),
        None => None,
    };
    Ok(Filter { must: clause("must")?, should: clause("should")?, must_not: clause("must_not")?, min_should })
}

/// One condition or a list of them.
fn conditions(value: &Value, place: &Place) -> Answer<Vec<Condition>> {
    match value {
        Value::Null => Ok(Vec::new()),
        Value::Array(list) => {
            list.iter().enumerate().map(|(i, value)| condition(value, &Place::Index(place, i))).collect()
        }
        value => Ok(vec![condition(value, place)?]),
    }
}

fn min_should(value: &Value, place: &Place) -> Answer<MinShould> {
    let object = members(value, place, &["conditions", "min_count"])?;
    let conditions = conditions(required(object, "conditions", place)?, &place.key("conditions"))?;
    let min_count = unsigned(required(object, "min_count", place)?, &place.key("min_count"))? as usize;
    Ok(MinShould { conditions, min_count })
}

/// Every key that says of an object that it is a condition.
pub(super) const CONDITIONS: [&str; 10] = [
    "key",
    "is_empty",
    "is_null",
    "has_id",
    "has_vector",
    "nested",
    "must",
    "should",
    "must_not",
    "min_should",
];

/// Reads one condition.
pub(super) fn condition(value: &Value, place: &Place) -> Answer<Condition> {
    let Value::Object(object) = value else {
        return place.wrong(format!("a condition must be an object, not {}", kind(value)));
    };
    let has = |key: &str| object.contains_key(key);
    if has("key") {
        return field(value, place);
    }
    if has("has_id") {
        let object = members(value, place, &["has_id"])?;
        return ids(&object["has_id"], &place.key("has_id")).map(Condition::HasId);
    }
    if has("has_vector") {
        let object = members(value, place, &["has_vector"])?;
        return string(&object["has_vector"], &place.key("has_vector")).map(Condition::HasVector);
    }
    if has("nested") {
        return nested(&members(value, place, &["nested"])?["nested"], &place.key("nested"));
    }
    for (key, test) in [("is_empty", Test::IsEmpty(true)), ("is_null", Test::IsNull(true))] {
        if has(key) {
            let inner = members(&members(value, place, &[key])?[key], &place.key(key), &["key"])?;
            return path(inner, &place.key(key)).map(|path| Condition::Field(path, test));
        }
    }
    if object.keys().any(|key| CLAUSES.contains(&key.as_str())) {
        return read_filter(value, place).map(|filter| Condition::Filter(Box::new(filter)));
    }
    let found: Vec<_> = object.keys().take(4).collect();
    place.wrong(format!(
        "no condition has the keys {found:?}; expected `key` with a test, or one of `{}`",
        CONDITIONS[1..].join("`, `")
    ))
}

fn nested(value: &Value, place: &Place) -> Answer<Condition> {
    let object = members(value, place, &["key", "filter"])?;
    let filter = read_filter(required(object, "filter", place)?, &place.key("filter"))?;
    Ok(Condition::Nested(path(object, place)?, Box::new(filter)))
}

/// A payload path and a test of what it leads to.
fn field(value: &Value, place: &Place) -> Answer<Condition> {
    const TESTS: [&str; 9] = [
        "match",
        "range",
        "geo_bounding_box",
        "geo_radius",
        "geo_polygon",
        "values_count",
        "is_empty",
        "is_null",
        "key",
    ];
    let object = members(value, place, &TESTS)?;
    let mut tests = object.iter().filter(|(key, value)| *key != "key" && !value.is_null());
    let (Some((name, value)), None) = (tests.next(), tests.next()) else {
        return place
            .wrong(format!("a condition on a field has exactly one test, one of {}", TESTS[..8].join(", ")));
    };
    let inner = place.key(name);
    let test = match name.as_str() {
        "match" => match_test(value, &inner)?,
        "range" => range(value, &inner)?,
        "geo_bounding_box" => geo_box(value, &inner)?,
        "geo_radius" => geo_radius(value, &inner)?,
        "geo_polygon" => geo_polygon(value, &inner)?,
        "values_count" => Test::ValuesCount(bounds(value, &inner, unsigned)?),
        "is_empty" => Test::IsEmpty(boolean(value, &inner)?),
        _ => Test::IsNull(boolean(value, &inner)?),
    };
    Ok(Condition::Field(path(object, place)?, test))
}

fn match_test(value: &Value, place: &Place) -> Answer<Test> {
    let object = members(value, place, &["value", "any", "except", "text", "text_any", "phrase", "prefix"])?;
    let mut forms = object.iter().filter(|(_, value)| !value.is_null());
    let (Some((form, value)), None) = (forms.next(), forms.next()) else {
        return place.wrong("exactly one of value, any, except, text, text_any and phrase is wanted");
    };
    let inner = place.key(form);
    match form.as_str() {
        "value" => match_value(value, &inner).map(Test::Match),
        "any" => match_values(value, &inner).map(Test::Any),
        "except" => match_values(value, &inner).map(Test::Except),
        "text" => string(value, &inner).map(Test::Text),
        "text_any" => string(value, &inner).map(Test::TextAny),
        "phrase" => string(value, &inner).map(Test::Phrase),
        _ => inner.wrong("`prefix` matches are not supported; a text index with the tokenizer `prefix` is"),
    }
}

fn match_values(value: &Value, place: &Place) -> Answer<Vec<MatchValue>> {
    let values = list(value, place)?.iter().enumerate();
    values.map(|(i, value)| match_value(value, &Place::Index(place, i))).collect()
}

fn match_value(value: &Value, place: &Place) -> Answer<MatchValue> {
    match value {
        Value::Bool(flag) => Ok(MatchValue::Bool(*flag)),
        Value::String(text) => Ok(MatchValue::Text(text.clone())),
        value => match value.as_i64() {
            Some(number) => Ok(MatchValue::Int(number)),
            None => {
                place.wrong(format!("expected a string, a 64-bit integer or a boolean, not {}", kind(value)))
            }
        },
    }
}

/// Numbers, or dates if they are strings.
fn range(value: &Value, place: &Place) -> Answer<Test> {
    let dates = value.as_object().is_some_and(|object| object.values().any(Value::is_string));
    if dates {
        bounds(value, place, date).map(Test::DatetimeRange)
    } else {
        bounds(value, place, number).map(Test::Range)
    }
}

fn bounds<T>(value: &Value, place: &Place, read: fn(&Value, &Place) -> Answer<T>) -> Answer<Bounds<T>> {
    let object = members(value, place, &["gt", "gte", "lt", "lte"])?;
    let limit = |key: &str| present(object, key).map(|value| read(value, &place.key(key))).transpose();
    Ok(Bounds { gt: limit("gt")?, gte: limit("gte")?, lt: limit("lt")?, lte: limit("lte")? })
}

fn geo_box(value: &Value, place: &Place) -> Answer<Test> {
    let object = members(value, place, &["top_left", "bottom_right"])?;
    let corner = |key: &str| geo_point(required(object, key, place)?, &place.key(key));
    Ok(Test::GeoBox(GeoBox { top_left: corner("top_left")?, bottom_right: corner("bottom_right")? }))
}

fn geo_radius(value: &Value, place: &Place) -> Answer<Test> {
    let object = members(value, place, &["center", "radius"])?;
    let center = geo_point(required(object, "center", place)?, &place.key("center"))?;
    let radius = number(required(object, "radius", place)?, &place.key("radius"))?;
    Ok(Test::GeoRadius(GeoRadius { center, radius }))
}

fn geo_polygon(value: &Value, place: &Place) -> Answer<Test> {
    let object = members(value, place, &["exterior", "interiors"])?;
    let exterior = ring(required(object, "exterior", place)?, &place.key("exterior"))?;
    let interiors = match present(object, "interiors") {
        Some(value) => {
            let place = place.key("interiors");
            let rings = list(value, &place)?.iter().enumerate();
            rings.map(|(i, value)| ring(value, &Place::Index(&place, i))).collect::<Answer<_>>()?
        }
        None => Vec::new(),
    };
    Ok(Test::GeoPolygon(GeoPolygon { exterior, interiors }))
}

fn ring(value: &Value, place: &Place) -> Answer<Vec<GeoPoint>> {
    let object = members(value, place, &["points"])?;
    let place = place.key("points");
    let points = list(required(object, "points", &place)?, &place)?.iter().enumerate();
    let points: Vec<_> =
        points.map(|(i, value)| geo_point(value, &Place::Index(&place, i))).collect::<Answer<_>>()?;
    if points.len() < 4 || points.first() != points.last() {
        return Err(Reject::validation(
            &place.to_string(),
            "a ring has at least 4 points, and its last point is its first",
        ));
    }
    Ok(points)
}

/// Reads a place on the globe.
pub(super) fn geo_point(value: &Value, place: &Place) -> Answer<GeoPoint> {
    members(value, place, &["lat", "lon"])?;
    match GeoPoint::from_json(value) {
        Some(point) => Ok(point),
        None => place.wrong("expected {\"lat\": -90 to 90, \"lon\": -180 to 180}"),
    }
}

fn ids(value: &Value, place: &Place) -> Answer<Vec<PointId>> {
    let read = |(i, value): (usize, &Value)| {
        let place = Place::Index(place, i);
        match (value.as_u64(), value.as_str()) {
            (Some(number), _) => Ok(PointId::Num(number)),
            (_, Some(text)) => uuid_id(text).or_else(|text| place.wrong(text)),
            _ => place.wrong("expected a point ID (an unsigned integer or a UUID)"),
        }
    };
    list(value, place)?.iter().enumerate().map(read).collect()
}

fn path(object: &Object, place: &Place) -> Answer<Path> {
    let place_of_key = place.key("key");
    let text = string(required(object, "key", place)?, &place_of_key)?;
    text.parse().or_else(|error| place_of_key.wrong(error))
}

/// Reads a date and time, as microseconds since 1970.
pub(super) fn date(value: &Value, place: &Place) -> Answer<i64> {
    match value.as_str().and_then(parse_datetime) {
        Some(micros) => Ok(micros),
        None => {
            place.wrong(format!("{value} is no date and time; expected a form like 2024-05-17T10:00:00Z"))
        }
    }
}

#[cfg(test)]
mod tests;
