//! How is a payload changed at a path? The pure part of the payload writes.

use serde_json::Value;

use crate::{
    filter::{Path, Step},
    point::Payload,
};

/// Sets the keys of `values` in the payload, or in every object that `at` leads to.
/// Where `at` leads nowhere, objects are made on the way; through an array's missing element nothing is.
pub(super) fn merge(payload: &mut Payload, at: Option<&Path>, values: &Payload) {
    edit(payload, at, &mut |object| object.extend(values.clone()));
}

/// Replaces the payload, or every value that `at` leads to.
pub(super) fn overwrite(payload: &mut Payload, at: Option<&Path>, values: &Payload) {
    edit(payload, at, &mut |object| *object = values.clone());
}

/// Removes what the path leads to.
pub(super) fn delete(payload: &mut Payload, path: &Path) {
    let Some((last, to)) = path.steps().split_last() else { return };
    match (last, to) {
        (Step::Key(key), []) => {
            payload.remove(key);
        }
        (_, [Step::Key(first), rest @ ..]) => {
            if let Some(value) = payload.get_mut(first) {
                visit(value, rest, false, &mut |value| remove_step(value, last));
            }
        }
        _ => {}
    }
}

fn remove_step(value: &mut Value, step: &Step) {
    match (step, value) {
        (Step::Key(key), Value::Object(object)) => {
            object.remove(key);
        }
        (Step::Index(index), Value::Array(items)) if *index < items.len() => {
            items.remove(*index);
        }
        (Step::Each, Value::Array(items)) => items.clear(),
        _ => {}
    }
}

fn edit(payload: &mut Payload, at: Option<&Path>, change: &mut dyn FnMut(&mut Payload)) {
    match at.map(Path::steps) {
        Some([Step::Key(first), rest @ ..]) => {
            let value = payload.entry(first.clone()).or_insert(Value::Null);
            visit(value, rest, true, &mut |value| change(object(value)));
        }
        _ => change(payload),
    }
}

/// The object that this value is, or becomes.
fn object(value: &mut Value) -> &mut Payload {
    if !value.is_object() {
        *value = Value::Object(Payload::new());
    }
    value.as_object_mut().expect("made an object just now")
}

fn visit(value: &mut Value, steps: &[Step], make: bool, change: &mut dyn FnMut(&mut Value)) {
    let Some((step, rest)) = steps.split_first() else { return change(value) };
    match step {
        Step::Key(key) if make => {
            visit(object(value).entry(key.clone()).or_insert(Value::Null), rest, make, change);
        }
        Step::Key(key) => {
            if let Some(inner) = value.get_mut(key) {
                visit(inner, rest, make, change);
            }
        }
        Step::Index(index) => {
            if let Some(inner) = value.as_array_mut().and_then(|items| items.get_mut(*index)) {
                visit(inner, rest, make, change);
            }
        }
        Step::Each => {
            let items = value.as_array_mut().into_iter().flatten();
            items.for_each(|inner| visit(inner, rest, make, change));
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn edited(change: impl FnOnce(&mut Payload)) -> Value {
        let before = json!({"a": {"b": 1, "c": [{"d": 2}, {"d": 3}]}, "n": 4});
        let mut payload = before.as_object().unwrap().clone();
        change(&mut payload);
        Value::Object(payload)
    }

    #[test]
    fn edits_reach_what_their_path_leads_to() {
        let values = json!({"b": 9}).as_object().unwrap().clone();
        let path = |text: &str| text.parse::<Path>().unwrap();
        let set = |at: &str| edited(|payload| merge(payload, Some(&path(at)), &values));
        let put = |at: &str| edited(|payload| overwrite(payload, Some(&path(at)), &values));
        let cut = |at: &str| edited(|payload| delete(payload, &path(at)));
        let c = json!([{"d": 2}, {"d": 3}]);
        assert_eq!(
            edited(|payload| merge(payload, None, &values)),
            json!({"a": {"b": 1, "c": c}, "n": 4, "b": 9})
        );
        assert_eq!(set("a"), json!({"a": {"b": 9, "c": c}, "n": 4}));
        assert_eq!(set("n"), json!({"a": {"b": 1, "c": c}, "n": {"b": 9}}));
        assert_eq!(set("x.y"), json!({"a": {"b": 1, "c": c}, "n": 4, "x": {"y": {"b": 9}}}));
        assert_eq!(set("a.c[]")["a"]["c"], json!([{"d": 2, "b": 9}, {"d": 3, "b": 9}]));
        assert_eq!(set("a.c[7]"), edited(|_| {}));
        assert_eq!(put("a.c[1]")["a"]["c"], json!([{"d": 2}, {"b": 9}]));
        assert_eq!(cut("a.c[].d")["a"]["c"], json!([{}, {}]));
        assert_eq!(cut("a.c[0]")["a"]["c"], json!([{"d": 3}]));
        assert_eq!(cut("a.c[]")["a"]["c"], json!([]));
        assert_eq!(cut("n"), json!({"a": {"b": 1, "c": c}}));
        assert_eq!(cut("x.y[3].z"), edited(|_| {}));
    }
}
