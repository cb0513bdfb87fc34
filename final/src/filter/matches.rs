//! Does one document match? The meaning of every condition, in the plainest way there is.
//!
//! Everything else in this layer is measured against this: an index may only find the same documents sooner.
//! Where a text index is declared, a text is matched against the words of all strings at the path together; a phrase
//! must stand in one of them.

use serde_json::Value;

use super::{
    Condition, Filter, GeoPoint, MatchValue, Path, Test,
    datetime::parse_datetime,
    text::{TextOptions, TextRules},
};
use crate::point::{Payload, PointId};

/// All that a condition can ask about.
#[derive(Clone, Copy)]
pub struct Document<'a> {
    /// The point's id.
    pub id: PointId,
    /// The point's payload.
    pub payload: &'a Payload,
    /// Whether the point has a vector of a name.
    pub has_vector: &'a dyn Fn(&str) -> bool,
}

impl Filter {
    /// Whether the document matches, where these paths have a text index.
    pub fn matches(&self, document: &Document, rules: &TextRules) -> bool {
        Scope { document: *document, rules, prefix: None }.filter(self)
    }
}

/// A document, or inside [`Condition::Nested`] an object in it, with the path that led there.
struct Scope<'a> {
    document: Document<'a>,
    rules: &'a TextRules,
    prefix: Option<Path>,
}

impl Scope<'_> {
    fn filter(&self, filter: &Filter) -> bool {
        let holds = |condition: &Condition| self.condition(condition);
        filter.must.iter().all(holds)
            && (filter.should.is_empty() || filter.should.iter().any(holds))
            && !filter.must_not.iter().any(holds)
            && filter.min_should.as_ref().is_none_or(|clause| {
                clause.conditions.iter().filter(|condition| holds(condition)).count() >= clause.min_count
            })
    }

    fn condition(&self, condition: &Condition) -> bool {
        match condition {
            Condition::Field(path, test) => self.test(path, test),
            Condition::HasId(ids) => ids.contains(&self.document.id),
            Condition::HasVector(name) => (self.document.has_vector)(name),
            Condition::Nested(path, filter) => {
                let objects = path.each().values(self.document.payload);
                objects.into_iter().filter_map(Value::as_object).any(|payload| {
                    let document = Document { payload, ..self.document };
                    let prefix = Some(self.full(&path.each()));
                    Scope { document, rules: self.rules, prefix }.filter(filter)
                })
            }
            Condition::Filter(filter) => self.filter(filter),
        }
    }

    /// The path from the document's payload, whatever object this scope is.
    fn full(&self, path: &Path) -> Path {
        self.prefix.as_ref().map_or_else(|| path.clone(), |prefix| prefix.in_each(path))
    }

    fn test(&self, path: &Path, test: &Test) -> bool {
        let values = path.values(self.document.payload);
        let mut elements = values.iter().flat_map(|value| elements(value));
        match test {
            Test::Match(wanted) => elements.any(|value| equals(value, wanted)),
            Test::Any(list) => elements.any(|value| list.iter().any(|wanted| equals(value, wanted))),
            Test::Except(list) => {
                elements.any(|value| !value.is_null() && !list.iter().any(|wanted| equals(value, wanted)))
            }
            Test::Text(text) | Test::TextAny(text) | Test::Phrase(text) => {
                let strings: Vec<&str> = elements.filter_map(Value::as_str).collect();
                match self.rules.get(&self.full(path)) {
                    Some(options) => has_words(&strings, test, &options.query_tokens(text), options),
                    None => contains(&strings, test, text),
                }
            }
            Test::Range(bounds) => elements.filter_map(Value::as_f64).any(|value| bounds.contains(value)),
            Test::DatetimeRange(bounds) => elements
                .filter_map(|value| parse_datetime(value.as_str()?))
                .any(|value| bounds.contains(value)),
            Test::ValuesCount(bounds) if values.is_empty() => bounds.contains(0),
            Test::ValuesCount(bounds) => values.iter().any(|value| bounds.contains(count(value))),
            Test::GeoBox(area) => elements.filter_map(GeoPoint::from_json).any(|point| area.contains(point)),
            Test::GeoRadius(area) => {
                elements.filter_map(GeoPoint::from_json).any(|point| area.contains(point))
            }
            Test::GeoPolygon(area) => {
                elements.filter_map(GeoPoint::from_json).any(|point| area.contains(point))
            }
            Test::IsEmpty(empty) => values.iter().all(|value| is_empty(value)) == *empty,
            Test::IsNull(null) => {
                (values.iter().any(|value| value.is_null()) || elements.any(Value::is_null)) == *null
            }
        }
    }
}

/// The elements of an array, or the value itself.
pub fn elements(value: &Value) -> &[Value] {
    value.as_array().map_or_else(|| std::slice::from_ref(value), Vec::as_slice)
}

fn equals(value: &Value, wanted: &MatchValue) -> bool {
    match wanted {
        MatchValue::Bool(wanted) => value.as_bool() == Some(*wanted),
        MatchValue::Int(wanted) => value.as_i64() == Some(*wanted),
        MatchValue::Text(wanted) => value.as_str() == Some(wanted),
    }
}

fn count(value: &Value) -> u64 {
    match value {
        Value::Null => 0,
        Value::Array(items) => items.len() as u64,
        _ => 1,
    }
}

fn is_empty(value: &Value) -> bool {
    count(value) == 0
}

fn contains(strings: &[&str], test: &Test, text: &str) -> bool {
    let has = |part: &str| !part.is_empty() && strings.iter().any(|string| string.contains(part));
    match test {
        Test::TextAny(_) => text.split_whitespace().any(has),
        _ => has(text),
    }
}

fn has_words(strings: &[&str], test: &Test, wanted: &[String], options: &TextOptions) -> bool {
    if let Test::Phrase(_) = test {
        return strings.iter().any(|string| options.contains_phrase(string, wanted));
    }
    let mut found = vec![false; wanted.len()];
    for string in strings {
        options.tokens(string, &mut |token| {
            wanted.iter().zip(&mut found).for_each(|(wanted, found)| *found |= wanted == token);
        });
    }
    match test {
        Test::TextAny(_) => found.contains(&true),
        _ => !found.is_empty() && !found.contains(&false),
    }
}

#[cfg(test)]
mod tests;
