//! Which values of a payload does a condition speak of? A path such as `a.b`, `a[].b`, `a[0]` or `"a.b".c`.
//!
//! A path walks from the payload: a key into an object, `[n]` to one element of an array, `[]` to every element.
//! `a.b` does not look inside an array at `a`; `a[].b` does, and does nothing else. A path that leads nowhere has no
//! values, which is not an error.
//!
//! Not here: that a test on an array holds if it holds for an element. That is the condition's rule, not the path's.

use std::{fmt, str::FromStr};

use serde_json::Value;

use crate::{error::Error, point::Payload};

/// One step from a value to a value inside it.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Step {
    /// Into an object, by key.
    Key(String),
    /// To one element of an array, from 0.
    Index(usize),
    /// To every element of an array.
    Each,
}

/// A path into a payload; its first step is a key.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<Step>);

impl Path {
    /// The path of one key of the payload, whatever characters it is made of.
    pub fn key(key: impl Into<String>) -> Self {
        Self(vec![Step::Key(key.into())])
    }

    /// The path of these steps; the first must be a key.
    pub fn from_steps(steps: Vec<Step>) -> Self {
        assert!(matches!(steps.first(), Some(Step::Key(_))), "a path starts with a key");
        Self(steps)
    }

    /// The steps, the first of which is a key.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// The path that goes on with another one, from the elements of the array this one leads to.
    /// A path that already ends in `[]` is not given a second one.
    pub fn in_each(&self, rest: &Path) -> Self {
        let mut steps = self.each().0;
        steps.extend_from_slice(&rest.0);
        Self(steps)
    }

    /// The path to the elements of the array this one leads to: `a[]` for `a` and for `a[]`.
    pub fn each(&self) -> Self {
        let mut steps = self.0.clone();
        if steps.last() != Some(&Step::Each) {
            steps.push(Step::Each);
        }
        Self(steps)
    }

    /// The values it leads to, none if it leads nowhere. An array counts as one value.
    pub fn values<'a>(&self, payload: &'a Payload) -> Vec<&'a Value> {
        let mut found = Vec::new();
        if let Some((Step::Key(key), rest)) = self.0.split_first()
            && let Some(value) = payload.get(key)
        {
            walk(rest, value, &mut found);
        }
        found
    }
}

fn walk<'a>(steps: &[Step], value: &'a Value, found: &mut Vec<&'a Value>) {
    let Some((step, rest)) = steps.split_first() else {
        found.push(value);
        return;
    };
    match (step, value) {
        (Step::Key(key), Value::Object(map)) => {
            if let Some(value) = map.get(key) {
                walk(rest, value, found);
            }
        }
        (Step::Index(index), Value::Array(items)) => {
            if let Some(value) = items.get(*index) {
                walk(rest, value, found);
            }
        }
        (Step::Each, Value::Array(items)) => items.iter().for_each(|value| walk(rest, value, found)),
        _ => {}
    }
}

impl FromStr for Path {
    type Err = Error;

    /// Reads `key`, `.key`, `[n]` and `[]`. A key is letters, digits, `_` and `-`; any other is put in quotes,
    /// between which every character but the quote stands for itself.
    fn from_str(text: &str) -> Result<Self, Error> {
        let invalid = || Error::bad_request(format!("invalid JSON path {text}"));
        let (first, mut rest) = read_key(text).ok_or_else(invalid)?;
        let mut steps = vec![first];
        while !rest.is_empty() {
            let (step, after) = if let Some(key) = rest.strip_prefix('.') {
                read_key(key).ok_or_else(invalid)?
            } else {
                read_index(rest).ok_or_else(invalid)?
            };
            steps.push(step);
            rest = after;
        }
        Ok(Self(steps))
    }
}

fn read_key(text: &str) -> Option<(Step, &str)> {
    if let Some(quoted) = text.strip_prefix('"') {
        let (key, rest) = quoted.split_once('"')?;
        return Some((Step::Key(key.to_owned()), rest));
    }
    let end = text.find(|c| !is_bare(c)).unwrap_or(text.len());
    (end > 0).then(|| (Step::Key(text[..end].to_owned()), &text[end..]))
}

fn read_index(text: &str) -> Option<(Step, &str)> {
    let (inside, rest) = text.strip_prefix('[')?.split_once(']')?;
    if inside.is_empty() {
        return Some((Step::Each, rest));
    }
    let digits = inside.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| inside.parse().ok())?.map(|index| (Step::Index(index), rest))
}

fn is_bare(c: char) -> bool {
    c.is_alphanumeric() || c == '_' || c == '-'
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (position, step) in self.0.iter().enumerate() {
            match step {
                Step::Key(key) => {
                    let dot = if position > 0 { "." } else { "" };
                    let bare = !key.is_empty() && key.chars().all(is_bare);
                    if bare { write!(f, "{dot}{key}")? } else { write!(f, "{dot}\"{key}\"")? }
                }
                Step::Index(index) => write!(f, "[{index}]")?,
                Step::Each => f.write_str("[]")?,
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn paths_parse_and_print() {
        for text in
            ["a", "a.b", "a[]", "a[0]", "\"a.b\".c", "a.\"b c\"[].d", "a-b", "ä.ö", "a[0][1]", "\"\"", "1.2"]
        {
            assert_eq!(text.parse::<Path>().unwrap().to_string(), text);
        }
        for bad in
            ["", "a b", "a..b", ".a", "a.", "a[-1]", "a[+1]", "a[x]", "a[", "[]", "\"a", "a\"b", "a[]b", "a$"]
        {
            assert!(bad.parse::<Path>().is_err(), "{bad:?}");
        }
        assert!("a[99999999999999999999999]".parse::<Path>().is_err());
    }

    #[test]
    fn paths_lead_to_values() {
        let payload = json!({"a": [{"b": 1}, {"b": [2, 3]}, {"c": 0}], "o": {"b": 4}, "x.y": 5});
        let payload = payload.as_object().unwrap();
        let values = |path: &str| json!(path.parse::<Path>().unwrap().values(payload));
        assert_eq!(values("a[].b"), json!([1, [2, 3]]));
        assert_eq!(values("a[1].b[]"), json!([2, 3]));
        assert_eq!(values("a[1].b[1]"), json!([3]));
        assert_eq!(values("o.b"), json!([4]));
        assert_eq!(values("\"x.y\""), json!([5]));
        for nowhere in ["a.b", "o[]", "a[9]", "o.b.c", "none", "x.y"] {
            assert_eq!(values(nowhere), json!([]), "{nowhere}");
        }
    }
}
