//! Bodies with a formula or with relevance feedback, and what they are answered.

use std::fmt::Write as _;

use super::*;

/// Four places with a price; one has none.
fn shops() -> Server {
    let server = Server::with_collection("Dot");
    let place = |lat: f64| json!({"lat": lat, "lon": 0});
    server.upsert(json!([
        {"id": 1, "vector": [1, 0], "payload": {"price": 4, "place": place(1.0), "tags": ["new"], "since": "2024-01-01"}},
        {"id": 2, "vector": [2, 1], "payload": {"price": [9], "place": place(0.0), "tags": ["old"], "since": "2023-12-31"}},
        {"id": 3, "vector": [0, 3], "payload": {"price": 1, "place": place(2.0), "tags": ["new", "old"]}},
        {"id": 4, "vector": [0, 1], "payload": {"place": "unknown"}},
    ]));
    server
}

/// Each body with its answer: the points, or the message.
fn transcript(server: &Server, bodies: &[Value]) -> String {
    let mut transcript = String::new();
    for body in bodies {
        let (status, answer) = server.send("POST", "/collections/c/points/query", body);
        let _ = writeln!(transcript, "{body}");
        let _ = match answer["result"]["points"].as_array() {
            Some(points) => points
                .iter()
                .try_for_each(|point| writeln!(transcript, "    {} {}", point["id"], point["score"])),
            None => writeln!(transcript, "    {status} {}", answer["status"]["error"]),
        };
    }
    transcript
}

#[test]
fn formulas() {
    let server = shops();
    let by = |query: Value| {
        let lists = json!([{"query": [1, 0], "limit": 2}, {"query": [0, 1], "limit": 3}]);
        json!({"prefetch": lists, "query": query})
    };
    let of =
        |formula: Value| by(json!({"formula": formula, "defaults": {"price": 16, "since": "2024-01-03"}}));
    let origin = json!({"lat": 0, "lon": 0});
    let new = json!({"key": "tags", "match": {"value": "new"}});
    let since = json!({"x": {"datetime_key": "since"}, "target": {"datetime": "2024-01-01"}, "scale": 86400});
    let bodies = [
        of(json!("$score")),
        of(json!({"sum": [{"mult": ["$score", 10]}, "$score[1]"]})),
        by(
            json!({"formula": {"sum": ["$score", "$score[1]"]}, "defaults": {"$score": 0.5, "$score[1]": -1}}),
        ),
        of(json!({"sqrt": "price"})),
        of(json!({"mult": [2, new]})),
        of(json!({"sum": [{"neg": {"key": "price", "range": {"gt": 3}}}, {"must_not": [{"has_id": [1]}]}]})),
        by(json!({"formula": {"geo_distance": {"origin": origin, "to": "place"}}})),
        of(json!({"exp_decay": since})),
        of(json!({"div": {"left": 1, "right": "$score[0]", "by_zero_default": 7}})),
        of(json!({"div": {"left": 1, "right": "$score[0]"}})),
        of(json!({"ln": {"sum": ["price", -1]}})),
        by(json!({"formula": "price"})),
        of(json!({"sum": [1, {"log": 2}]})),
        of(json!({"gauss_decay": {"x": "price", "midpoint": 2}})),
        json!({"query": {"formula": 1}}),
        json!({"prefetch": {"query": [1, 0]}, "query": {"formula": "$score"}, "limit": 2, "offset": 1}),
        json!({"prefetch": {"query": [1, 0]}, "query": {"formula": "$score"}, "score_threshold": 1}),
        json!({"prefetch": {"query": [1, 0]}, "query": {"formula": "$score"}, "filter": {"must": new}}),
        json!({"prefetch": of(json!({"neg": "$score"})), "query": {"formula": {"neg": "$score"}}}),
    ];
    insta::assert_snapshot!(transcript(&server, &bodies));
}

#[test]
fn relevance_feedback() {
    let server = shops();
    let of = |target: Value, feedback: Value, naive: Value| json!({"query": {"relevance_feedback": {"target": target, "feedback": feedback, "strategy": {"naive": naive}}}});
    let naive = json!({"a": 1, "b": 2, "c": 0.5});
    let judged = json!([{"example": [1, 0], "score": 3}, {"example": 4, "score": 1}]);
    let mut prefetched = of(json!([1, 0]), judged.clone(), naive.clone());
    prefetched["prefetch"] = json!({"query": [0, 1], "limit": 2});
    let bodies = [
        of(json!([1, 0]), json!([]), naive.clone()),
        of(json!([1, 0]), judged.clone(), naive.clone()),
        of(json!(1), judged.clone(), naive.clone()),
        prefetched,
        of(json!([1, 0]), judged.clone(), json!({"a": 1, "b": 1000, "c": 1})),
        of(json!([1, 0, 0]), judged.clone(), naive.clone()),
        of(json!([1, 0]), json!([{"example": 9, "score": 1}]), naive),
        of(json!([1, 0]), judged, json!({"a": 1, "b": 2})),
    ];
    insta::assert_snapshot!(transcript(&server, &bodies));
}
