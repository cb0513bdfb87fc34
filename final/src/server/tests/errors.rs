//! The sentences that clients compare.

use super::*;

#[test]
fn errors_say_what_was_wrong_in_qdrants_words() {
    let server = Server::with_collection("Dot");
    server.upsert(json!([{"id": 1, "vector": [1, 0]}]));
    let long = "x".repeat(256);
    let too_long = format!("/collections/{long}");
    let query = "/collections/c/points/query";
    let points = "/collections/c/points?wait=true";
    let cases = [
        ("PUT", "/collections/c", json!({}), 409, "Wrong input: Collection `c` already exists!"),
        ("GET", "/collections/x", Value::Null, 404, "Not found: Collection `x` doesn't exist!"),
        ("POST", "/collections/x/points/count", json!({}), 404, "Not found: Collection `x` doesn't exist!"),
        (
            "PUT",
            "/collections/n",
            json!({"vectors": {"size": 65537, "distance": "Dot"}}),
            422,
            "vectors.size: value 65537 invalid, must be from 1 to 65536",
        ),
        (
            "PUT",
            "/collections/n",
            json!({"vectors": {"size": 4, "distance": "Far"}}),
            400,
            "Format error in JSON body: ",
        ),
        ("PUT", "/collections/n%3A", json!({}), 422, "collection name cannot contain ':' char"),
        ("PUT", &too_long, json!({}), 422, "must be from 1 to 255 characters"),
        (
            "PUT",
            points,
            json!({"points": [{"id": 2, "vector": [1]}]}),
            400,
            "Wrong input: Vector dimension error: expected dim: 2, got 1",
        ),
        (
            "PUT",
            points,
            json!({"points": [{"id": 2, "vector": {"v": [1]}}]}),
            400,
            "Wrong input: Not existing vector name error: v",
        ),
        (
            "PUT",
            points,
            json!({"points": [{"id": 2, "vector": []}]}),
            422,
            "Validation error in JSON body: [vector",
        ),
        (
            "PUT",
            points,
            json!({"points": [{"id": 2, "vector": {"text": "x"}}]}),
            400,
            "but vector \"\" has size 2",
        ),
        (
            "PUT",
            points,
            json!({"points": [{"id": 2, "vector": {"text": "x", "model": "m"}}]}),
            400,
            "model \"m\" is not available",
        ),
        ("PUT", points, json!({"points": [{"id": 2, "vector": [null, 1]}]}), 400, "expected a number"),
        ("GET", "/collections/c/points/5", Value::Null, 404, "Not found: Point with id 5 does not exists!"),
        ("GET", "/collections/c/points/-5", Value::Null, 400, "Deserialize error in path parameters: "),
        (
            "POST",
            "/collections/c/points/payload?wait=true",
            json!({"payload": {}, "points": [9]}),
            404,
            "Not found: No point with id 9 found",
        ),
        ("POST", "/collections/c/points/delete", json!({}), 400, "missing field `points`"),
        ("POST", "/collections/c/points/delete", json!({"points": [1], "filter": {}}), 400, "not both"),
        (
            "PUT",
            "/collections/c/points/vectors",
            json!({"points": []}),
            422,
            "Validation error in JSON body: [points",
        ),
        ("POST", query, json!({"query": 5}), 404, "Not found: No point with id 5 found"),
        (
            "POST",
            query,
            json!({"query": [1, 0], "using": "v"}),
            400,
            "Wrong input: Not existing vector name error: v",
        ),
        (
            "POST",
            query,
            json!({"query": [1, 0, 0]}),
            400,
            "Wrong input: Vector dimension error: expected dim: 2, got 3",
        ),
        ("POST", query, json!({"query": [[1, 0]]}), 400, "multivectors) are not supported"),
        (
            "POST",
            query,
            json!({"query": {"indices": [1], "values": [1]}}),
            400,
            "sparse vectors are not supported",
        ),
        ("POST", query, json!({"limit": 0}), 422, "internal.limit: value 0 invalid, must be 1 or larger"),
        (
            "POST",
            query,
            json!({"prefetch": {"query": [1, 0]}}),
            400,
            "Bad request: A query is needed to merge the prefetches. Can't have prefetches without defining a query.",
        ),
        (
            "POST",
            query,
            json!({"score_threshold": 1}),
            400,
            "Bad request: A query is needed to use the score_threshold.",
        ),
        (
            "POST",
            query,
            json!({"query": {"fusion": "rrf"}, "using": "v", "prefetch": {}}),
            400,
            "Bad request: Fusion queries cannot be combined with the 'using' field.",
        ),
        ("POST", query, json!({"query": {"fusion": "rrf"}}), 400, "at least one prefetch"),
        (
            "POST",
            query,
            json!({"query": {"rrf": {"weights": [1]}}, "prefetch": [{}, {}]}),
            400,
            "1 weights, 2 prefetches",
        ),
        (
            "POST",
            query,
            json!({"query": {"order_by": "k"}}),
            400,
            "Bad request: No range index for `order_by` key: `k`. Please create one to use `order_by`.",
        ),
        (
            "POST",
            query,
            json!({"query": {"order_by": "k"}, "score_threshold": 1}),
            400,
            "Bad request: Can't use score_threshold with an order_by query.",
        ),
        (
            "POST",
            query,
            json!({"query": {"formula": "$score"}}),
            400,
            "Bad request: A formula query needs at least one prefetch to score.",
        ),
        ("POST", query, json!({"query": {"recommend": {}}}), 400, "at least one positive"),
        (
            "POST",
            query,
            json!({"query": 1, "lookup_from": {"collection": "x"}}),
            404,
            "Not found: Collection x not found",
        ),
        (
            "POST",
            query,
            json!({"filter": {"musst": []}}),
            400,
            "Format error in JSON body: filter: unknown field `musst`",
        ),
        ("POST", query, json!({"with_vector": ["v"]}), 400, "Wrong input: Not existing vector name error: v"),
        (
            "POST",
            "/collections/c/facet",
            json!({"key": "k"}),
            400,
            "Bad request: No appropriate index for faceting: `k`.",
        ),
        (
            "POST",
            "/collections/c/points/scroll",
            json!({"order_by": "k", "offset": 1}),
            400,
            "Cannot use an `offset`",
        ),
        ("PUT", "/collections/c/index", json!({"field_name": "k"}), 400, "missing `field_schema`"),
        (
            "PUT",
            "/collections/c/index",
            json!({"field_name": "k", "field_schema": {"type": "integer", "lookup": false, "range": false}}),
            422,
            "can't be both disabled",
        ),
        (
            "GET",
            "/collections/c?timeout=0",
            Value::Null,
            422,
            "Validation error in query parameters: [timeout: value 0 invalid, must be 1 or larger]",
        ),
        (
            "PUT",
            "/collections/c/points?wait=abc",
            json!({"points": []}),
            400,
            "Deserialize error in query parameters: ",
        ),
        ("PATCH", "/collections/x", json!({}), 404, "Not found: Collection `x` doesn't exist!"),
    ];
    for (method, path, body, status, message) in cases {
        let refusal = server.refusal(method, path, &body);
        assert!(refusal.0 == status && refusal.1.contains(message), "{method} {path} {body}: {refusal:?}");
    }
    assert_eq!(server.get("/collections/c")["points_count"], 1, "none of this wrote anything");
}

/// A client that does not wait has said that it does not care which points were there.
#[test]
fn missing_points_are_told_only_to_those_who_wait() {
    let server = Server::with_collection("Dot");
    let body = json!({"payload": {"a": 1}, "points": [9]});
    assert_eq!(server.post("/collections/c/points/payload", body)["status"], "acknowledged");
}

/// Some clients print the first 197 bytes of an answer only, and look for the reason there.
#[test]
fn the_reason_comes_first() {
    let server = Server::with_collection("Dot");
    let (_, _, body) = server.request("PUT", "/collections/c", "content-type: application/json\r\n", "{}");
    assert!(
        body.starts_with("{\"status\":{\"error\":\"Wrong input: Collection `c` already exists!"),
        "{body}"
    );
}
