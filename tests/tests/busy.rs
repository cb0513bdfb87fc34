//! Is a server that searches for long still there for others? More searches than it has threads, each of them of many
//! seconds, and somebody who asks again and again whether it is well.
//!
//! Nothing here depends on how long anything takes: before each search the server has computed for a tenth of a second
//! more, and none of the searches can be done when the last one has begun.

use std::{
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
    thread,
};

use serde_json::{Value, json};

use crate::server::Server;

const ROWS: usize = 20_000;
const SIZE: usize = 512;

/// Looks at every row in one request: 10,000 × 40 MB to read from memory.
const SEARCHES: usize = 10_000;

/// For so many hundredths of a second the server computes between a search and the question whether it is well.
const COMPUTED: u64 = 10;

/// A collection without a graph.
fn fill(server: &Server) {
    let definition = json!({
        "vectors": {"size": SIZE, "distance": "Dot", "quantization_config": "Disabled"},
        "optimizers_config": {"indexing_threshold": 0},
    });
    server.client.result("PUT", "/collections/c", &definition);
    let vector = |id: usize| -> Vec<usize> { (0..SIZE).map(|at| (id * 7 + at * at) % 10).collect() };
    for first in (0..ROWS).step_by(ROWS / 4) {
        let ids: Vec<usize> = (first..first + ROWS / 4).collect();
        let vectors: Vec<_> = ids.iter().copied().map(vector).collect();
        let batch = json!({"batch": {"ids": ids, "vectors": vectors}});
        server.client.result("PUT", "/collections/c/points?wait=true", &batch);
    }
}

/// Searches of every row, as one request that is tried in the thread where it arrives, and as a list of requests.
fn slow() -> [(&'static str, String); 2] {
    let searches: Vec<Value> =
        (0..SEARCHES).map(|id| json!({"query": id, "limit": 1, "params": {"exact": true}})).collect();
    let fused = json!({"prefetch": searches, "query": {"fusion": "rrf"}, "limit": 1});
    let list = json!({ "searches": searches });
    [
        ("/collections/c/points/query?timeout=3600", fused.to_string()),
        ("/collections/c/points/query/batch?timeout=3600", list.to_string()),
    ]
}

#[test]
fn a_server_that_searches_for_long_says_that_it_is_well() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &[]);
    fill(&server);
    let (slow, done) = (slow(), Arc::new(AtomicUsize::new(0)));
    let search = |number: usize| {
        let (client, done) = (server.client.clone(), done.clone());
        let (path, body) = slow[number % 2].clone();
        thread::spawn(move || {
            // Nothing is to end this but the server's end.
            if let Ok(answer) = client.exchange("POST", path, &body) {
                done.fetch_add(1, Ordering::SeqCst);
                panic!("{path}: {answer:?}");
            }
        })
    };
    let count = 4 * thread::available_parallelism().map_or(1, usize::from);
    let mut searching = Vec::new();
    for number in 0..count {
        let before = server.computed();
        searching.push(search(number));
        let computes = |before| server.computed().is_some_and(|now| now < before + COMPUTED);
        while before.is_some_and(computes) {
            thread::yield_now();
        }
        let answer = server.client.exchange("GET", "/healthz", "").unwrap();
        assert_eq!(answer, (200, "healthz check passed".to_owned()));
        assert_eq!(
            done.load(Ordering::SeqCst),
            0,
            "a search was done before the server said that it is well"
        );
    }
    assert!(searching.iter().all(|thread| !thread.is_finished()), "the server searches all the while");
    server.kill();
    searching.into_iter().for_each(|thread| thread.join().unwrap());
}
