//! `on_disk`: searches do without the vectors' numbers in memory, and find what they would find with them.

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use super::*;

const ROWS: u64 = 2_000;
const SIZE: u64 = 32;

fn vector(row: u64) -> Vec<f32> {
    let mut random = SmallRng::seed_from_u64(row);
    (0..SIZE).map(|_| random.random_range(0.0..1.0)).collect()
}

/// A collection of one segment with a graph.
fn filled(vectors: Value) -> Server {
    let server = Server::start();
    let body = json!({
        "vectors": vectors, "hnsw_config": {"m": 8, "ef_construct": 32, "on_disk": true},
        "optimizers_config": {"indexing_threshold": 16}, "on_disk_payload": true,
    });
    server.put("/collections/c", body);
    server.upsert((0..ROWS).map(|id| json!({"id": id, "vector": vector(id)})).collect());
    rest(&server);
    server
}

/// Waits until all is sealed and merged.
fn rest(server: &Server) {
    server.app.database.get("c").unwrap().flush().unwrap();
}

/// What the graph is walked by, and what the client is told of its settings.
fn shown(server: &Server) -> (Value, Value) {
    let info = server.get("/collections/c");
    (info["graphs_walked_by"][""].clone(), info["config"]["params"]["vectors"]["on_disk"].clone())
}

fn answers(server: &Server) {
    let mut found = 0;
    for id in (0..ROWS).step_by(100) {
        let ask = |exact| json!({"query": vector(id), "limit": 10, "params": {"exact": exact}});
        let (near, exact) = (server.query(ask(false)), server.query(ask(true)));
        assert_eq!(near[0], (json!(id), 0.0), "the point itself");
        found += near.iter().filter(|hit| exact.contains(hit)).count();
    }
    assert!(found > 190, "{found} of 200 neighbours, with their distances");
}

fn explained(server: &Server) -> String {
    let asked = json!({"query": vector(7), "explain": true});
    server.post("/collections/c/points/query", asked)["explain"].to_string()
}

#[test]
fn vectors_on_disk_are_read_only_to_rescore() {
    let server = filled(json!({"size": SIZE, "distance": "Euclid", "on_disk": true}));
    assert_eq!(shown(&server), (json!("codes of rows"), json!(true)));
    answers(&server);
    let explain = explained(&server);
    assert!(explain.contains("graph") && explain.contains("\"estimates\""), "{explain}");
    let config = &server.get("/collections/c")["config"];
    assert_eq!(
        (&config["hnsw_config"]["on_disk"], &config["params"]["on_disk_payload"]),
        (&json!(true), &json!(true))
    );
}

#[test]
fn vectors_are_taken_to_disk_and_back() {
    let server = filled(json!({"size": SIZE, "distance": "Euclid"}));
    assert_eq!(shown(&server), (json!("codes of neighbours"), Value::Null));
    for (on_disk, walked_by) in [(true, "codes of rows"), (false, "codes of neighbours")] {
        let change = json!({"vectors": {"": {"on_disk": on_disk}}});
        assert_eq!(server.result("PATCH", "/collections/c", &change), json!(true));
        rest(&server);
        assert_eq!(shown(&server), (json!(walked_by), json!(on_disk)));
        answers(&server);
    }
}

#[test]
fn an_explicit_quantization_counts_more() {
    let vectors = |quantization| json!({"size": SIZE, "distance": "Dot", "on_disk": true, "quantization_config": quantization});
    for (quantization, walked_by) in [
        (json!("Disabled"), "vectors"),
        (json!({"binary": {}}), "codes of rows"),
        (json!({"scalar": {"type": "int8"}}), "codes of rows"),
    ] {
        assert_eq!(shown(&filled(vectors(quantization))), (json!(walked_by), json!(true)));
    }
}
