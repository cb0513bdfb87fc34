//! Every condition once, and the errors with their places.

use serde_json::json;

use super::*;

fn read(value: Value) -> Result<Filter, String> {
    filter(Some(&value), "filter").map(Option::unwrap_or_default).map_err(|reject| reject.message)
}

fn test(value: Value) -> Result<Test, String> {
    let mut condition = json!({ "key": "a" });
    condition.as_object_mut().unwrap().extend(value.as_object().unwrap().clone());
    match read(json!({ "must": condition }))?.must.remove(0) {
        Condition::Field(path, test) => {
            assert_eq!(path, Path::key("a"));
            Ok(test)
        }
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_test_is_read() {
    let text = |text: &str| MatchValue::Text(text.into());
    assert_eq!(test(json!({"match": {"value": 1}})), Ok(Test::Match(MatchValue::Int(1))));
    assert_eq!(
        test(json!({"match": {"any": ["x", true]}})),
        Ok(Test::Any(vec![text("x"), MatchValue::Bool(true)]))
    );
    assert_eq!(test(json!({"match": {"except": []}})), Ok(Test::Except(vec![])));
    assert_eq!(test(json!({"match": {"phrase": "a b"}})), Ok(Test::Phrase("a b".into())));
    let above = Bounds { gt: Some(1.5), ..Bounds::default() };
    assert_eq!(test(json!({"range": {"gt": 1.5, "lt": null}, "match": null})), Ok(Test::Range(above)));
    let since = Bounds { gte: Some(86_400_000_000), ..Bounds::default() };
    assert_eq!(test(json!({"range": {"gte": "1970-01-02"}})), Ok(Test::DatetimeRange(since)));
    assert_eq!(
        test(json!({"values_count": {"lte": 2}})),
        Ok(Test::ValuesCount(Bounds { lte: Some(2), ..Bounds::default() }))
    );
    assert_eq!(test(json!({"is_null": false})), Ok(Test::IsNull(false)));
    let corner = json!({"lat": 1, "lon": 2});
    assert!(test(json!({"geo_bounding_box": {"top_left": corner, "bottom_right": corner}})).is_ok());
    assert!(test(json!({"geo_radius": {"center": corner, "radius": 5}})).is_ok());
    let ring = json!({"points": [corner, {"lat": 1, "lon": 3}, {"lat": 2, "lon": 3}, corner]});
    assert!(test(json!({"geo_polygon": {"exterior": ring, "interiors": [ring]}})).is_ok());
}

#[test]
fn clauses_hold_one_condition_or_many() {
    let id = json!({"has_id": [1, "550e8400e29b41d4a716446655440000"]});
    let filter = read(json!({"must": id, "should": [id, {"has_vector": ""}], "must_not": null})).unwrap();
    assert_eq!((filter.must.len(), filter.should.len(), filter.must_not.len()), (1, 2, 0));
    let inner = json!({"is_empty": {"key": "b"}});
    let nested = read(json!({"must": {"nested": {"key": "a[]", "filter": {"must_not": inner}}}})).unwrap();
    assert!(matches!(&nested.must[0], Condition::Nested(path, _) if path.to_string() == "a[]"));
    let counted = read(json!({"min_should": {"conditions": [{"must": []}], "min_count": 1}})).unwrap();
    assert!(matches!(counted.min_should.unwrap().conditions[0], Condition::Filter(_)));
    assert!(read(json!({})).unwrap().is_empty());
    assert_eq!(filter_of_nothing(), None);
}

fn filter_of_nothing() -> Option<Filter> {
    filter(Some(&Value::Null), "filter").unwrap()
}

#[test]
fn errors_name_the_place() {
    let refused = |value: Value, text: &str| {
        let message = read(value).unwrap_err();
        assert!(message.contains(text), "{message}");
    };
    refused(json!({"musst": []}), "filter: unknown field `musst`, expected one of must, should");
    refused(json!({"must": [{"key": "a"}]}), "filter.must[0]: a condition on a field has exactly one test");
    refused(json!({"must": {"key": "a", "range": {"gt": "x"}}}), "filter.must.range.gt: \"x\" is no date");
    refused(json!({"must": {"key": "a", "range": {"gt": 1, "lt": "2020-01-01"}}}), "range.gt: 1 is no date");
    refused(json!({"must": {"key": "a", "range": {"from": 1}}}), "filter.must.range: unknown field `from`");
    refused(
        json!({"must": {"key": "a", "match": {"value": 1.5}}}),
        "filter.must.match.value: expected a string",
    );
    refused(json!({"must": {"key": "a..b", "match": {"value": 1}}}), "filter.must.key: invalid JSON path");
    refused(
        json!({"should": [{"must": [{"has_id": [-1]}]}]}),
        "filter.should[0].must[0].has_id[0]: expected a",
    );
    refused(
        json!({"must": {"key": "a", "geo_radius": {"center": {"lat": 99, "lon": 0}}}}),
        "geo_radius.center",
    );
    refused(json!({"must": {}}), "filter.must: no condition has the keys []");
    refused(json!(5), "filter: expected an object, not a number");
    let open = json!({"points": [{"lat": 0, "lon": 0}]});
    refused(
        json!({"must": {"key": "a", "geo_polygon": {"exterior": open}}}),
        "Validation error in JSON body: [filter",
    );
}
