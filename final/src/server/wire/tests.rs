//! Nasty requests: nothing that arrives may be a panic, and what is refused is refused with a reason.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::{
    collection::CreateBody,
    field::IndexBody,
    point::{Operation, PointInput, Record, UpsertBody, VectorsOut},
    query::QueryRequest,
    select::{WithPayload, WithVector},
    *,
};
use crate::{point::Vector, query::OrderValue};

/// Keys and words of the interface.
const WORDS: &str = "\
    points batch ids id vector vectors payload filter must key match value range gt query nearest \
    prefetch recommend positive fusion rrf size distance Cosine text model order_by limit \
    with_payload include has_id nested min_should geo_radius center lat lon a.b[] \
    550e8400e29b41d4a716446655440000 field_name type upsert delete bm25 fields indices values mmr \
    params hnsw_config m";

/// Any JSON, with the keys and words of the interface mixed in, so that it gets past the first check.
fn any_json() -> impl Strategy<Value = Value> {
    let word = prop::sample::select(WORDS.split(' ').chain(["", "\u{0}"]).collect::<Vec<_>>());
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        word.clone().prop_map(Value::from),
        Just(json!([0.5, 1.0])),
        Just(json!(1e300)),
    ];
    leaf.prop_recursive(6, 48, 6, move |inner| {
        prop_oneof![
            prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
            prop::collection::vec((word.clone(), inner), 0..6).prop_map(|members| Value::Object(
                members.into_iter().map(|(k, v)| (k.to_owned(), v)).collect()
            )),
        ]
    })
}

/// Gives the bytes to every reader there is.
fn read_as_everything(body: &[u8]) {
    let _ = read::<QueryRequest>(body).map(|request| filter::filter(request.filter.as_ref(), "filter"));
    let _ = read::<UpsertBody>(body).and_then(|mut body| body.points());
    let _ = read::<Operation>(body);
    let _ = read::<PointInput>(body);
    let _ = read::<WithPayload>(body);
    let _ = read::<WithVector>(body);
    let _ = read::<IndexBody>(body).and_then(|body| body.index());
    let _ = read::<CreateBody>(body).and_then(|body| body.schema());
    let _ = read::<Value>(body).map(|value| filter::filter(Some(&value), "filter"));
}

proptest! {
    #[test]
    fn no_json_is_a_panic(value in any_json()) {
        read_as_everything(value.to_string().as_bytes());
        for member in ["filter", "query", "prefetch", "points", "batch", "vectors", "upsert", "field_schema"] {
            read_as_everything(json!({ member: value, "field_name": "a" }).to_string().as_bytes());
        }
    }

    #[test]
    fn no_bytes_are_a_panic(body in prop::collection::vec(any::<u8>(), 0..64)) {
        read_as_everything(&body);
    }
}

/// Each line was once somebody's bug: what is sent, and what the answer must say.
const NASTY: [(&str, &str); 18] = [
    ("", "EOF while parsing"),
    ("{", "EOF while parsing"),
    ("[]", "expected an object, found '['"),
    ("{\"points\":[]} x", "trailing characters"),
    ("{\"points\":{}}", "expected a sequence"),
    ("{\"points\":[],\"batch\":{\"ids\":[],\"vectors\":[]}}", "either `points` or `batch`"),
    ("{\"points\":null}", "missing field `points`"),
    ("{\"points\":[{\"id\":1.0,\"vector\":[1]}]}", "expected a point ID"),
    ("{\"points\":[{\"id\":-1,\"vector\":[1]}]}", "expected a point ID"),
    ("{\"points\":[{\"id\":\"1\",\"vector\":[1]}]}", "not a valid point ID"),
    ("{\"points\":[{\"id\":18446744073709551616,\"vector\":[1]}]}", "expected a point ID"),
    ("{\"points\":[{\"id\":1,\"vector\":[1,null]}]}", "expected a number"),
    ("{\"points\":[{\"id\":1,\"vector\":[1e39]}]}", "32-bit float"),
    ("{\"points\":[{\"id\":1,\"vector\":[1e999]}]}", "number out of range"),
    ("{\"points\":[{\"id\":1,\"vector\":[1],\"payload\":[]}]}", "expected a map"),
    ("{\"batch\":{\"ids\":[1,2],\"vectors\":[[1]]}}", "number of ids and vectors must be equal (2 != 1)"),
    ("{\"batch\":{\"ids\":[1],\"vectors\":{\"a\":[[1]]},\"payloads\":[]}}", "number of ids and payloads"),
    ("{\"points\":[],\"points\":[]}", "duplicate field"),
];

#[test]
fn nasty_upserts_are_refused_with_a_reason() {
    for (body, reason) in NASTY {
        let answer = read::<UpsertBody>(body.as_bytes()).and_then(|mut body| body.points());
        let message = answer.expect_err(body).message;
        assert!(message.contains(reason), "{body}: {message}");
    }
}

/// A body of brackets once overflowed the stack of a parser that calls itself.
#[test]
fn deep_nesting_is_refused() {
    for (open, close) in [("[", "]"), ("{\"prefetch\":", "}"), ("{\"must\":", "}"), ("{\"filter\":", "}")] {
        let deep = format!("{}1{}", open.repeat(100_000), close.repeat(100_000));
        read_as_everything(deep.as_bytes());
        let shallow_outside = format!("{{\"filter\":{deep}}}");
        assert!(read::<QueryRequest>(shallow_outside.as_bytes()).is_err());
    }
}

#[test]
fn points_come_as_rows_or_as_columns() {
    let rows = json!({"points": [{"id": 1, "vector": {"a": [1.0]}, "payload": {"x": 1}}, {"id": 2, "vector": {"a": [2]}}]});
    let columns =
        json!({"batch": {"ids": [1, 2], "vectors": {"a": [[1], [2]]}, "payloads": [{"x": 1}, null]}});
    let points = |body: Value| read::<UpsertBody>(body.to_string().as_bytes()).unwrap().points().unwrap();
    assert_eq!(points(rows), points(columns));
}

#[test]
fn records_print_as_clients_read_them() {
    let mut record = Record {
        id: Id(PointId::Uuid(7)),
        version: Some(3),
        score: Some(f32::NAN),
        payload: None,
        vector: Some(VectorsOut([(String::new(), Vector::Dense(vec![0.1, 1.0]))].into())),
        order_value: Some(OrderValue::Int(5)),
    };
    let print = |record: &Record| serde_json::to_string(record).unwrap();
    assert_eq!(
        print(&record),
        "{\"id\":\"00000000-0000-0000-0000-000000000007\",\"version\":3,\"score\":-3.4028235e+38,\
         \"vector\":[0.1,1.0],\"order_value\":5}"
    );
    record =
        Record { id: Id(PointId::Num(u64::MAX)), score: Some(f32::INFINITY), order_value: None, ..record };
    record.vector = Some(VectorsOut([("a".to_owned(), Vector::Dense(vec![2.0]))].into()));
    assert_eq!(
        print(&record),
        "{\"id\":18446744073709551615,\"version\":3,\"score\":3.4028235e+38,\"vector\":{\"a\":[2.0]}}"
    );
    record.vector = Some(VectorsOut(Default::default()));
    record.score = None;
    assert_eq!(print(&record), "{\"id\":18446744073709551615,\"version\":3,\"vector\":{}}");
}

#[test]
fn a_collection_is_shown_as_it_was_asked_for() {
    let body = json!({
        "vectors": {"size": 4, "distance": "Cosine", "on_disk": null, "unknown": 1, "hnsw_config": {"m": 8}},
        "hnsw_config": {"ef_construct": 64}, "metadata": {"made_by": "a test"},
    });
    let mut schema = read::<CreateBody>(body.to_string().as_bytes()).and_then(|body| body.schema()).unwrap();
    let index =
        json!({"field_name": "title", "field_schema": {"type": "text", "lowercase": true, "on_disk": null}});
    let index: IndexBody = read(index.to_string().as_bytes()).unwrap();
    schema.fields.insert(index.field_name.clone(), index.index().unwrap());
    let condition = info::Condition { points: 2, segments: 1, optimizing: true, ..Default::default() };
    insta::assert_json_snapshot!(info::collection_info(&schema, &condition, |_| 1));
}
