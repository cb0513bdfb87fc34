//! Every endpoint that reads or writes points, and every kind of query, once.

use super::*;

const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

fn compass() -> Server {
    let server = Server::with_collection("Cosine");
    server.upsert(json!([
        {"id": 1, "vector": [1, 0], "payload": {"name": "east", "n": 1, "tags": ["a", "b"]}},
        {"id": 2, "vector": [0, 2], "payload": {"name": "north", "n": 2, "tags": ["b"]}},
        {"id": 3, "vector": [-1, 0], "payload": {"name": "west", "n": 3, "in": {"deep": true}}},
        {"id": UUID, "vector": [0.7, 0.7], "payload": {"name": "north east"}},
    ]));
    server
}

#[test]
fn points_are_written_read_and_removed() {
    let server = compass();
    let info = server.get("/collections/c");
    assert_eq!((&info["points_count"], &info["status"]), (&json!(4), &json!("green")));
    assert_eq!(info["config"]["params"]["vectors"], json!({"size": 2, "distance": "Cosine"}));
    assert_eq!(server.get("/collections"), json!({"collections": [{"name": "c"}]}));
    assert_eq!(server.get("/collections/c/exists"), json!({"exists": true}));
    assert_eq!(server.get("/collections/d/exists"), json!({"exists": false}));
    // Cosine vectors are kept, and given back, with length 1.
    let north = json!({"id": 2, "payload": {"name": "north", "n": 2, "tags": ["b"]}, "vector": [0.0, 1.0]});
    assert_eq!(server.get("/collections/c/points/2"), north);
    let asked = json!({"ids": [UUID.replace('-', ""), 9, 1], "with_payload": ["n"], "with_vector": false});
    assert_eq!(
        server.post("/collections/c/points", asked),
        json!([{"id": UUID, "payload": {}}, {"id": 1, "payload": {"n": 1}}])
    );
    let page = server.post("/collections/c/points/scroll", json!({"limit": 3, "with_payload": false}));
    assert_eq!(page, json!({"points": [{"id": 1}, {"id": 2}, {"id": 3}], "next_page_offset": UUID}));
    let rest = server.post("/collections/c/points/scroll", json!({"offset": UUID, "with_payload": false}));
    assert_eq!(rest, json!({"points": [{"id": UUID}], "next_page_offset": null}));
    let filter = json!({"must": {"key": "tags", "match": {"value": "b"}}});
    assert_eq!(server.post("/collections/c/points/count", json!({ "filter": filter })), json!({"count": 2}));
    let deleted = server.post("/collections/c/points/delete?wait=true", json!({ "filter": filter }));
    assert_eq!(deleted["status"], "completed");
    assert_eq!(
        server.post("/collections/c/points/delete?wait=false", json!({"points": [99]}))["status"],
        "acknowledged"
    );
    assert_eq!(server.post("/collections/c/points/count", json!({})), json!({"count": 2}));
    assert_eq!(server.result("DELETE", "/collections/c", &Value::Null), json!(true));
    assert_eq!(server.result("DELETE", "/collections/c", &Value::Null), json!(false));
}

#[test]
fn payloads_and_vectors_are_edited() {
    let server = compass();
    let payload = || server.get("/collections/c/points/1")["payload"].clone();
    let batch = json!({"operations": [
        {"set_payload": {"payload": {"n": 5}, "points": [1]}},
        {"set_payload": {"payload": {"y": 1}, "key": "x", "points": [1]}},
        {"delete_payload": {"keys": ["tags"], "points": [1]}},
    ]});
    let results = server.post("/collections/c/points/batch?wait=true", batch);
    assert_eq!(results.as_array().unwrap().len(), 3);
    assert_eq!(payload(), json!({"name": "east", "n": 5, "x": {"y": 1}}));
    server.put("/collections/c/points/payload?wait=true", json!({"payload": {"z": 0}, "points": [1]}));
    assert_eq!(payload(), json!({"z": 0}));
    server.post("/collections/c/points/payload/clear?wait=true", json!({"points": [1]}));
    assert_eq!(payload(), json!({}));
    server.put("/collections/c/points/vectors?wait=true", json!({"points": [{"id": 1, "vector": [0, -3]}]}));
    assert_eq!(server.get("/collections/c/points/1")["vector"], json!([0.0, -1.0]));
    server.post("/collections/c/points/vectors/delete?wait=true", json!({"points": [1], "vector": [""]}));
    assert_eq!(server.get("/collections/c/points/1")["vector"], json!({}));
}

#[test]
fn points_are_ranked_in_every_way() {
    let server = compass();
    let full = server
        .post("/collections/c/points/query", json!({"query": [1, 0], "limit": 1, "with_payload": ["n"]}));
    let version = full["points"][0]["version"].as_u64().unwrap();
    assert_eq!(full, json!({"points": [{"id": 1, "version": version, "score": 1.0, "payload": {"n": 1}}]}));
    assert_eq!(server.ids(json!({"query": 1})), [json!(UUID), json!(2), json!(3)], "not the point itself");
    assert_eq!(server.query(json!({})).len(), 4);
    let without_east =
        json!({"query": [1, 0], "filter": {"must_not": {"has_id": [1]}}, "score_threshold": 0.5});
    assert_eq!(server.ids(without_east), [json!(UUID)]);
    let recommend = |strategy: &str| json!({"query": {"recommend": {"positive": [1], "negative": [3], "strategy": strategy}}});
    for strategy in ["average_vector", "best_score", "sum_scores"] {
        assert_eq!(server.ids(recommend(strategy))[0], json!(UUID), "{strategy}");
    }
    let pairs = json!([{"positive": [0, 1], "negative": [0, -1]}]);
    assert_eq!(server.ids(json!({"query": {"discover": {"target": 1, "context": pairs}}}))[0], json!(UUID));
    assert_eq!(server.query(json!({"query": {"context": pairs}})).len(), 4);
    assert_eq!(server.query(json!({"query": {"sample": "random"}, "limit": 2})).len(), 2);
    let mmr =
        json!({"query": {"nearest": [1, 0], "mmr": {"diversity": 1.0, "candidates_limit": 4}}, "limit": 2});
    assert_eq!(server.ids(mmr), [json!(1), json!(3)]);
    let fused = json!({"prefetch": [{"query": [1, 0], "limit": 2}, {"query": [0, 1], "limit": 2}], "query": {"fusion": "rrf"}});
    let found = server.query(fused);
    assert_eq!(found[0].0, json!(UUID), "second in both lists");
    assert!((found[0].1 - 2.0 / 3.0).abs() < 1e-6, "{found:?}");
    let rescored = json!({"prefetch": {"query": [1, 0], "limit": 2}, "query": [0, 1], "limit": 1});
    assert_eq!(server.ids(rescored), [json!(UUID)]);
    let batch = server
        .post("/collections/c/points/query/batch", json!({"searches": [{"query": [1, 0], "limit": 1}, {}]}));
    assert_eq!(batch[1]["points"].as_array().unwrap().len(), 4);
    let old = server.post("/collections/c/points/search", json!({"vector": [0, 1], "top": 1}));
    assert_eq!(old[0]["id"], 2);
}

#[test]
fn orders_groups_and_facets_use_declared_indexes() {
    let server = compass();
    let index = |field: &str, kind: &str| {
        server.put("/collections/c/index?wait=true", json!({"field_name": field, "field_schema": kind}))
    };
    assert_eq!(index("n", "integer")["status"], "completed");
    index("tags", "keyword");
    let by_n = json!({"order_by": {"key": "n", "direction": "desc", "start_from": 2}, "with_payload": false});
    assert_eq!(
        server.post("/collections/c/points/scroll", by_n),
        json!({"points": [{"id": 2, "order_value": 2}, {"id": 1, "order_value": 1}], "next_page_offset": null})
    );
    assert_eq!(server.ids(json!({"query": {"order_by": "n"}, "limit": 2})), [json!(1), json!(2)]);
    let facet = server.post("/collections/c/facet", json!({"key": "tags"}));
    assert_eq!(facet, json!({"hits": [{"value": "b", "count": 2}, {"value": "a", "count": 1}]}));
    let grouped = json!({"query": [1, 0], "group_by": "tags", "group_size": 1, "with_lookup": "c"});
    let groups = server.post("/collections/c/points/query/groups", grouped);
    let ids: Vec<_> = groups["groups"].as_array().unwrap().iter().map(|group| group["id"].clone()).collect();
    assert_eq!(ids, [json!("a"), json!("b")]);
    let schema = server.get("/collections/c")["payload_schema"].clone();
    assert_eq!(schema["n"], json!({"data_type": "integer", "points": 3}));
    server.result("DELETE", "/collections/c/index/n?wait=true", &Value::Null);
    assert!(
        server
            .refusal("POST", "/collections/c/points/query", &json!({"query": {"order_by": "n"}}))
            .1
            .contains("No range index")
    );
}

#[test]
fn texts_are_embedded_and_searched_by_their_words() {
    let server = Server::start();
    let size = crate::embed::Embedder::builtin().dimension();
    server.put("/collections/c", json!({"vectors": {"d": {"size": size, "distance": "Cosine"}}}));
    let text = |text: &str| json!({"text": text, "model": "kith/mini"});
    let columns = json!({
        "ids": [1, 2], "vectors": {"d": [text("sort a list of numbers"), text("open a network socket")]},
        "payloads": [{"summary": "sort a list of numbers"}, {"summary": "open a network socket"}],
    });
    server.put("/collections/c/points?wait=true", json!({ "batch": columns }));
    assert_eq!(server.ids(json!({"query": text("connect over TCP"), "using": "d"}))[0], json!(2));
    let words = json!({"bm25": {"query": "sort", "fields": ["summary"]}});
    assert_eq!(server.ids(json!({ "query": words })), [json!(1)]);
    let hybrid = json!({
        "prefetch": [{"query": words}, {"query": {"nearest": text("sorting")}, "using": "d"}],
        "query": {"fusion": "rrf"}, "explain": true,
    });
    let result = server.post("/collections/c/points/query", hybrid.clone());
    assert_eq!(result["points"][0]["id"], 1);
    assert_eq!(result["explain"]["step"], "fusion rrf");
    assert_eq!(server.post("/collections/c/points/query/explain", hybrid)["explain"], result["explain"]);
}

/// Ids may be looked up in another collection, whose points are then no reason to leave any out here.
#[test]
fn ids_are_looked_up_elsewhere() {
    let server = compass();
    server.put("/collections/d", json!({"vectors": {"v": {"size": 2, "distance": "Dot"}}}));
    server.put("/collections/d/points?wait=true", json!({"points": [{"id": 1, "vector": {"v": [0, 5]}}]}));
    let body = json!({"query": 1, "lookup_from": {"collection": "d", "vector": "v"}});
    assert_eq!(server.ids(body)[0], json!(2));
}

/// Each example was brought to length 1 before the average was taken, so that a long one weighed as much as a short
/// one. Found by comparing with the Python client's local mode: examples are averaged as they are given.
#[test]
fn an_average_weighs_examples_by_their_length() {
    let server = Server::with_collection("Cosine");
    server.upsert(json!([{"id": 1, "vector": [1, 1]}, {"id": 2, "vector": [9, 1]}]));
    let query = |strategy: &str| {
        let found = server.query(json!({"query": {"recommend": {
            "positive": [[9, 0], [0, 1]], "strategy": strategy,
        }}}));
        found.into_iter().map(|(id, _)| id).collect::<Vec<_>>()
    };
    assert_eq!(query("average_vector"), [json!(2), json!(1)]);
    assert_eq!(query("sum_scores"), [json!(1), json!(2)], "a sum of cosines knows directions only");
}
