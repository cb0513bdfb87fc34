use serde_json::{Value, json};

use super::*;
use crate::filter::{Bounds, Condition, GeoRadius, MinShould, TextOptions};

/// One value of the key `l` per document; the first document has no `l`.
fn values() -> Vec<Value> {
    let list = json!([
        "missing", 1, [1, 2], [[1]], null, [], [null], {"b": 1}, [{"b": 1}, {"b": [2, 3]}], 1.0, true, "1",
        [[]], ["red", "blue"], "red", {}, [{}], ["Quick fox", "lazy dog"], "Quick lazy", [1, null], [{"b": null}],
        "2020-01-01T00:00:00Z", {"lat": 1.0, "lon": 2.0}, ["2020-01-01", "x"]
    ]);
    list.as_array().unwrap().clone()
}

fn matching(filter: &Filter, rules: &TextRules) -> Value {
    let values = values();
    let found = values.iter().enumerate().filter(|(row, value)| {
        let mut payload = Payload::new();
        if *row > 0 {
            payload.insert("l".into(), (*value).clone());
        }
        let id = PointId::Num(*row as u64);
        filter.matches(&Document { id, payload: &payload, has_vector: &|name| name == "v" }, rules)
    });
    found.map(|(_, value)| value.clone()).collect()
}

fn field(path: &str, test: Test) -> Filter {
    Filter::all([Condition::Field(path.parse().unwrap(), test)])
}

fn check(path: &str, test: Test, expected: Value) {
    let filter = field(path, test);
    assert_eq!(matching(&filter, &TextRules::default()), expected, "{filter:?}");
}

fn int(value: i64) -> Test {
    Test::Match(MatchValue::Int(value))
}

fn text(value: &str) -> MatchValue {
    MatchValue::Text(value.into())
}

#[test]
fn equality_is_typed_and_looks_at_elements() {
    check("l", int(1), json!([1, [1, 2], [1, null]]));
    check("l[]", int(1), json!([[1, 2], [[1]], [1, null]]));
    check("l[0]", int(1), json!([[1, 2], [[1]], [1, null]]));
    check("l[][]", int(1), json!([[[1]]]));
    check("l.b", int(1), json!([{"b": 1}]));
    check("l[].b", int(3), json!([[{"b": 1}, {"b": [2, 3]}]]));
    check("l[1].b", int(1), json!([]));
    check("l", Test::Match(MatchValue::Bool(true)), json!([true]));
    check("l", Test::Match(text("1")), json!(["1"]));
    check("l", Test::Any(vec![]), json!([]));
    check("l", Test::Any(vec![text("red"), text("x")]), json!([["red", "blue"], "red", ["2020-01-01", "x"]]));
}

#[test]
fn except_needs_a_value() {
    let all_but_1 = matching(&field("l", Test::Except(vec![MatchValue::Int(1)])), &TextRules::default());
    let mut expected = values();
    expected.retain(|value| {
        !["\"missing\"", "1", "null", "[]", "[null]", "[1,null]"].contains(&&*value.to_string())
    });
    assert_eq!(all_but_1, json!(expected));
    check("l[].b", Test::Except(vec![]), json!([[{"b": 1}, {"b": [2, 3]}]]));
}

#[test]
fn counts_nulls_and_empties() {
    let count = |count| Test::ValuesCount(Bounds::between(count, count));
    check("l", count(0), json!(["missing", null, []]));
    let pairs = json!([
        [1, 2], [{"b": 1}, {"b": [2, 3]}], ["red", "blue"], ["Quick fox", "lazy dog"], [1, null], ["2020-01-01", "x"]
    ]);
    check("l", count(2), pairs);
    check("l[].b", count(2), json!([[{"b": 1}, {"b": [2, 3]}]]));
    check("l", Test::IsEmpty(true), json!(["missing", null, []]));
    check("l", Test::IsNull(true), json!([null, [null], [1, null]]));
    check("l[]", Test::IsNull(true), json!([[null], [1, null]]));
    check("l[0]", Test::IsNull(true), json!([[null]]));
    check("l.b", Test::IsEmpty(false), json!([{"b": 1}]));
    check("l[].b", Test::IsNull(true), json!([[{"b": null}]]));
}

#[test]
fn ranges_are_of_numbers_or_dates() {
    check("l", Test::Range(Bounds::between(1.0, 2.0)), json!([1, [1, 2], 1.0, [1, null]]));
    check("l", Test::Range(Bounds { gt: Some(1.0), ..Bounds::default() }), json!([[1, 2]]));
    let year =
        Bounds { gte: parse_datetime("2020-01-01"), lt: parse_datetime("2021-01-01"), ..Bounds::default() };
    check("l", Test::DatetimeRange(year), json!(["2020-01-01T00:00:00Z", ["2020-01-01", "x"]]));
    let area = GeoRadius { center: GeoPoint { lat: 1.0, lon: 2.0 }, radius: 100.0 };
    check("l", Test::GeoRadius(area), json!([{"lat": 1.0, "lon": 2.0}]));
}

#[test]
fn a_declared_text_index_changes_what_text_means() {
    let rules = TextRules::new([("l".parse().unwrap(), TextOptions::default())]);
    let both = json!([["Quick fox", "lazy dog"], "Quick lazy"]);
    let (first, second, none) = (json!([["Quick fox", "lazy dog"]]), json!(["Quick lazy"]), json!([]));
    for (test, without, with) in [
        (Test::Text("Quick lazy".into()), &second, &both),
        (Test::Text("lazy fox".into()), &none, &first),
        (Test::Text("quick".into()), &none, &both),
        (Test::Text("uick".into()), &both, &none),
        (Test::Text(String::new()), &none, &none),
        (Test::TextAny("fox uick".into()), &both, &first),
        (Test::TextAny(" ! ".into()), &none, &none),
        (Test::Phrase("quick fox".into()), &none, &first),
        (Test::Phrase("fox lazy".into()), &none, &none),
    ] {
        let filter = field("l", test);
        assert_eq!(&matching(&filter, &TextRules::default()), without, "{filter:?}");
        assert_eq!(&matching(&filter, &rules), with, "{filter:?}");
    }
}

#[test]
fn nested_conditions_hold_for_one_object_of_an_array() {
    let nested = |filter: Filter| Filter::all([Condition::Nested("l".parse().unwrap(), Box::new(filter))]);
    let find = |filter: Filter| matching(&nested(filter), &TextRules::default());
    assert_eq!(find(field("b", int(1))), json!([[{"b": 1}, {"b": [2, 3]}]]));
    assert_eq!(find(Filter::default()), json!([[{"b": 1}, {"b": [2, 3]}], [{}], [{"b": null}]]));
    let none = Filter { must_not: field("b", int(1)).must, ..Filter::default() };
    assert_eq!(find(none), json!([[{"b": 1}, {"b": [2, 3]}], [{}], [{"b": null}]]));
    let both =
        Filter::all([field("b", int(1)), field("b", int(2))].into_iter().flat_map(|filter| filter.must));
    assert_eq!(find(both), json!([]), "no object has both");
}

#[test]
fn clauses_combine() {
    let clause = |conditions, min_count| Filter {
        min_should: Some(MinShould { conditions, min_count }),
        ..Filter::default()
    };
    let one = || field("l", int(1)).must;
    let count = |filter: &Filter| matching(filter, &TextRules::default()).as_array().unwrap().len();
    let all = values().len();
    assert_eq!(count(&Filter::default()), all);
    assert_eq!(
        (count(&clause(vec![], 0)), count(&clause(vec![], 1)), count(&clause(one(), 0))),
        (all, 0, all)
    );
    let either = [one(), field("l", int(2)).must].concat();
    assert_eq!(count(&Filter { should: either.clone(), ..Filter::default() }), 3);
    assert_eq!(count(&clause(either, 2)), 1);
    assert_eq!(count(&Filter { must_not: one(), ..Filter::default() }), all - 3);
    let ids = Filter::all([Condition::HasId(vec![PointId::Num(1), PointId::Num(99)])]);
    assert_eq!(count(&ids.clone().and(Filter::all([Condition::HasVector("v".into())]))), 1);
    assert_eq!(count(&ids.and(Filter::all([Condition::HasVector("w".into())]))), 0);
}
