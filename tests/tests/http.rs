//! What does a client see? The real binary, from its first line to its exit code. What was said is kept in
//! `snapshots/`, question and answer.

use std::{fs, io::Write as _, net::TcpStream, process::Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::{
    server::{Client, Server, command},
    writers,
};

const UUID: &str = "550e8400-e29b-41d4-a716-446655440000";

/// A conversation with a server, which is written down.
struct Talk {
    server: Server,
    said: Vec<Value>,
    _data: TempDir,
}

impl Talk {
    fn begin() -> Self {
        let data = tempfile::tempdir().unwrap();
        Self { server: Server::start(data.path(), &[]), said: Vec::new(), _data: data }
    }

    /// Asks and writes question and answer down.
    fn say(&mut self, method: &str, path: &str, body: Value) -> Value {
        let (status, mut answer) = self.server.client.send(method, path, &body).unwrap();
        let asked =
            format!("{method} {path} {}", if body.is_null() { String::new() } else { body.to_string() });
        settle(&mut answer);
        self.said.push(json!({"asked": asked.trim(), "status": status, "answer": answer}));
        answer
    }

    /// Asks for something that succeeds, without writing it down.
    fn quietly(&self, method: &str, path: &str, body: Value) -> Value {
        self.server.client.result(method, path, &body)
    }
}

/// Takes out what differs from run to run or from machine to machine: times, the last digits of scores.
fn settle(answer: &mut Value) {
    match answer {
        Value::Object(members) => {
            for (name, value) in members.iter_mut() {
                match name.as_str() {
                    "time" => *value = json!("[time]"),
                    _ => settle(value),
                }
            }
        }
        Value::Array(items) => items.iter_mut().for_each(settle),
        Value::Number(number) if number.is_f64() => {
            *answer = json!((number.as_f64().unwrap() * 1e3).round() / 1e3);
        }
        _ => {}
    }
}

#[test]
fn the_life_of_a_collection() {
    let mut talk = Talk::begin();
    let east = json!({"id": 1, "vector": [1, 0], "payload": {"name": "east", "n": 1, "tags": ["a", "b"]}});
    let plain = json!({"id": UUID.replace('-', ""), "vector": [0.6, 0.8]});
    let columns =
        json!({"ids": [2, 3], "vectors": [[0, 2], [-1, 0]], "payloads": [{"name": "north", "n": 2}, null]});
    talk.say("GET", "/collections/c/exists", Value::Null);
    talk.say("PUT", "/collections/c", json!({"vectors": {"size": 2, "distance": "Cosine"}}));
    talk.say("PUT", "/collections/c/points?wait=true", json!({"points": [east, plain]}));
    talk.say("PUT", "/collections/c/points?wait=true", json!({ "batch": columns }));
    talk.say("PUT", "/collections/c/index?wait=true", json!({"field_name": "n", "field_schema": "integer"}));
    let filter = json!({"must": [{"key": "n", "range": {"gte": 1}}], "must_not": {"has_id": [3]}});
    let ask =
        json!({"query": [0, 1], "filter": filter, "with_payload": ["name"], "with_vector": true, "limit": 3});
    talk.say("POST", "/collections/c/points/query", ask);
    let page = talk.say("POST", "/collections/c/points/scroll", json!({"limit": 3, "with_payload": false}));
    let next = page["result"]["next_page_offset"].clone();
    talk.say("POST", "/collections/c/points/scroll", json!({"limit": 3, "offset": next}));
    talk.say("POST", "/collections/c/points/count", json!({ "filter": filter }));
    let batch = json!({"operations": [
        {"set_payload": {"payload": {"n": 7}, "points": [3]}},
        {"set_payload": {"payload": {"y": [1, 2.5]}, "key": "deep.er", "points": [3]}},
        {"delete_payload": {"keys": ["tags"], "filter": filter}},
        {"update_vectors": {"points": [{"id": 3, "vector": [0, -3]}]}},
    ]});
    talk.say("POST", "/collections/c/points/batch?wait=true", batch);
    talk.say("POST", "/collections/c/points", json!({"ids": [3, 1, 99], "with_vector": true}));
    talk.say(
        "POST",
        "/collections/c/points/delete?wait=true",
        json!({"filter": {"must": [{"has_id": [1, 2]}]}}),
    );
    talk.say("GET", "/collections/c/points/1", Value::Null);
    talk.say("GET", "/collections/c", Value::Null);
    talk.say("GET", "/collections", Value::Null);
    talk.say("DELETE", "/collections/c", Value::Null);
    talk.say("GET", "/collections/c/exists", Value::Null);
    insta::assert_json_snapshot!("life", talk.said);
}

#[test]
fn vectors_have_names() {
    let mut talk = Talk::begin();
    let vectors = json!({"a": {"size": 2, "distance": "Dot"}, "b": {"size": 3, "distance": "Euclid"}});
    talk.say("PUT", "/collections/c", json!({ "vectors": vectors }));
    let points = json!([{"id": 1, "vector": {"a": [1, 2], "b": [0, 0, 1]}}, {"id": 2, "vector": {"b": [0, 0, 3]}}, {"id": 3, "vector": {}}]);
    talk.say("PUT", "/collections/c/points?wait=true", json!({ "points": points }));
    let columns =
        json!({"ids": [4, 5], "vectors": {"a": [[5, 0], [0, 5]]}, "payloads": [{"k": "x"}, {"k": "y"}]});
    talk.say("PUT", "/collections/c/points?wait=true", json!({ "batch": columns }));
    talk.say(
        "POST",
        "/collections/c/points/query",
        json!({"query": [1, 0], "using": "a", "with_vector": ["a"]}),
    );
    talk.say(
        "POST",
        "/collections/c/points/query",
        json!({"query": [0, 0, 0], "using": "b", "score_threshold": 2}),
    );
    talk.say("POST", "/collections/c/points/count", json!({"filter": {"must": {"has_vector": "b"}}}));
    insta::assert_json_snapshot!("names", talk.said);
}

#[test]
fn texts_are_searched_by_meaning_and_by_words() {
    let mut talk = Talk::begin();
    talk.quietly("PUT", "/collections/c", json!({"vectors": {"size": 256, "distance": "Cosine"}}));
    let texts =
        ["sorts a list of numbers", "opens a network socket", "reads a file line by line", "a hash map"];
    let point = |(id, text): (usize, &&str)| json!({"id": id, "vector": {"text": text, "model": "kith/mini"}, "payload": {"summary": text}});
    let points: Vec<Value> = texts.iter().enumerate().map(point).collect();
    talk.say("PUT", "/collections/c/points?wait=true", json!({ "points": points }));
    let meaning = json!({"text": "connect over TCP", "model": "kith/mini"});
    talk.say("POST", "/collections/c/points/query", json!({"query": meaning, "limit": 1}));
    let words = json!({"bm25": {"query": "line of a file", "fields": ["summary"]}});
    talk.say(
        "POST",
        "/collections/c/points/query",
        json!({"query": words, "limit": 2, "with_payload": true}),
    );
    let both = json!({"prefetch": [{"query": words}, {"query": meaning}], "query": {"fusion": "rrf"}, "explain": true});
    talk.say("POST", "/collections/c/points/query", both);
    insta::assert_json_snapshot!("texts", talk.said);
}

/// Refused requests change nothing, and say what was wrong with them.
#[test]
fn refusals() {
    let mut talk = Talk::begin();
    talk.quietly("PUT", "/collections/c", json!({"vectors": {"size": 2, "distance": "Dot"}}));
    let points = "/collections/c/points?wait=true";
    talk.say("GET", "/collections/nothing", Value::Null);
    talk.say("PUT", "/collections/c", json!({"vectors": {"size": 2, "distance": "Dot"}}));
    talk.say("PUT", points, json!({"points": [{"id": 1, "vector": [1, 2, 3]}]}));
    talk.say("PUT", points, json!({"points": [{"id": 1, "vector": [1, null]}]}));
    talk.say("PUT", points, json!({"points": [{"id": "not-a-uuid", "vector": [1, 2]}]}));
    talk.say("PUT", points, json!({"points": [{"id": 1, "vector": [1, 2]}, {"id": 1.5, "vector": [1, 2]}]}));
    talk.say("POST", "/collections/c/points/query", json!({"query": [1], "limit": 1}));
    talk.say(
        "POST",
        "/collections/c/points/query",
        json!({"query": [1, 2], "filter": {"must": [{"key": "a"}]}}),
    );
    talk.say("POST", "/collections/c/points/none", json!({}));
    talk.say("GET", "/nowhere", Value::Null);
    for body in ["{", "", "[1, NaN]", "{\"points\": [{\"id\": 1, \"vector\": [NaN, 1]}]}", "\"\u{1F980}\""] {
        let (status, answer) = talk.server.client.exchange("PUT", points, body).unwrap();
        let error = serde_json::from_str::<Value>(&answer).unwrap()["status"].take();
        talk.said.push(json!({"asked": format!("PUT {points} {body}"), "status": status, "answer": error}));
    }
    talk.say("POST", "/collections/c/points/count", json!({}));
    insta::assert_json_snapshot!("refusals", talk.said);
}

#[test]
fn a_body_over_the_limit_is_refused_and_the_server_lives() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--max-request-mb", "1"]);
    server.client.result("PUT", "/collections/c", &json!({"vectors": {"size": 1, "distance": "Dot"}}));
    let put = |bytes: usize| {
        let point = json!({"id": 1, "vector": [1], "payload": {"text": ""}});
        let body = json!({"points": [point]}).to_string();
        let text = format!("\"text\":\"{}\"", "x".repeat(bytes - body.len()));
        let body = body.replace("\"text\":\"\"", &text);
        assert_eq!(body.len(), bytes);
        server.client.exchange("PUT", "/collections/c/points?wait=true", &body)
    };
    assert_eq!(put(1 << 20).unwrap().0, 200);
    let (status, answer) = put((1 << 20) + 1).unwrap();
    assert!(
        status == 400 && answer.contains("larger than allowed") && answer.contains("--max-request-mb"),
        "{answer}"
    );
    // The server closes before it has read all of this one; whether its answer gets through is not its doing.
    let _ = put(5 << 20);
    assert_eq!(server.client.result("POST", "/collections/c/points/count", &json!({}))["count"], 1);
}

#[test]
fn keys_open_what_they_are_for() {
    let data = tempfile::tempdir().unwrap();
    let server = Server::start(data.path(), &["--api-key", "all", "--read-only-api-key", "look"]);
    let with = |header: &str| Client { headers: header.to_owned(), ..server.client.clone() };
    let (none, wrong) = (with(""), with("api-key: al\r\n"));
    let (look, all) = (with("authorization: Bearer look\r\n"), with("api-key: all\r\n"));
    let create = json!({"vectors": {"size": 2, "distance": "Dot"}});
    let status =
        |client: &Client, method: &str, path: &str, body: &Value| client.send(method, path, body).unwrap().0;
    assert_eq!(status(&none, "GET", "/healthz", &Value::Null), 200);
    assert_eq!(none.send("GET", "/collections", &Value::Null).unwrap().0, 401);
    assert_eq!(wrong.exchange("GET", "/metrics", "").unwrap(), (401, "Invalid API key or JWT".to_owned()));
    assert_eq!(status(&look, "PUT", "/collections/c", &create), 403);
    assert_eq!(status(&all, "PUT", "/collections/c", &create), 200);
    assert_eq!(status(&look, "POST", "/collections/c/points/query", &json!({"query": [1, 0]})), 200);
    assert_eq!(status(&look, "POST", "/collections/c/points/delete", &json!({"points": [1]})), 403);
    assert_eq!(status(&none, "DELETE", "/collections/c", &Value::Null), 401);
    assert_eq!(look.result("GET", "/collections/c/exists", &Value::Null), json!({"exists": true}));
}

/// SIGTERM in the middle of everything: what was answered is there, and the exit code says that all is well.
#[test]
fn stopping_keeps_what_was_acknowledged() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &["--flush-bytes", "65536"]);
    let mut owners = writers::begin(&server.client, 7);
    for stop_at in [1, 50, 400] {
        let client = server.client.clone();
        let acknowledged = writers::write_until_gone(&mut owners, &client, stop_at, || server.terminate());
        let status = server.wait();
        assert!(status.success(), "after {acknowledged} acknowledged writes: {status}");
        server = Server::start(data.path(), &["--flush-bytes", "65536"]);
        writers::check(&mut owners, &server.client);
    }
}

/// A request that has begun to arrive when the server is told to stop is answered.
#[test]
fn stopping_answers_what_is_in_flight() {
    let data = tempfile::tempdir().unwrap();
    let mut server = Server::start(data.path(), &[]);
    server.client.result("PUT", "/collections/c", &json!({"vectors": {"size": 2, "distance": "Dot"}}));
    let body = json!({"points": [{"id": 1, "vector": [1, 2]}]}).to_string();
    let mut stream = TcpStream::connect(&server.client.address).unwrap();
    let head = "PUT /collections/c/points?wait=true HTTP/1.1\r\nhost: kith\r\ncontent-type: application/json\r\nconnection: close\r\nexpect: 100-continue\r\n";
    write!(stream, "{head}content-length: {}\r\n\r\n", body.len()).unwrap();
    // The server asks for the body: from here on it works on the request.
    let mut go_on = [0; 25];
    std::io::Read::read_exact(&mut stream, &mut go_on).unwrap();
    assert_eq!(&go_on, b"HTTP/1.1 100 Continue\r\n\r\n");
    server.terminate();
    while TcpStream::connect(&server.client.address).is_ok() {
        std::thread::yield_now();
    }
    stream.write_all(body.as_bytes()).unwrap();
    let mut answer = String::new();
    std::io::Read::read_to_string(&mut stream, &mut answer).unwrap();
    assert!(answer.starts_with("HTTP/1.1 200"), "{answer}");
    assert!(server.wait().success());
    let server = Server::start(data.path(), &[]);
    assert_eq!(server.client.result("POST", "/collections/c/points/count", &json!({}))["count"], 1);
}

#[test]
fn a_data_directory_has_one_server() {
    let data = tempfile::tempdir().unwrap();
    let first = Server::start(data.path(), &[]);
    let second = command(data.path(), &[]).stdout(Stdio::piped()).stderr(Stdio::piped()).output().unwrap();
    let said = String::from_utf8_lossy(&second.stderr);
    assert!(!second.status.success() && second.stdout.is_empty());
    assert!(said.contains("LOCK") && said.contains("another process"), "{said}");
    assert_eq!(first.client.result("GET", "/collections", &Value::Null), json!({"collections": []}));
    drop(first);
    // A killed server's lock does not outlive it.
    Server::start(data.path(), &[]);
}

#[test]
fn mistakes_on_the_command_line_end_with_a_reason() {
    let data = tempfile::tempdir().unwrap();
    let file = data.path().join("a-file");
    fs::write(&file, "").unwrap();
    let cases: [(&[&str], &str); 4] = [
        (&["--api-key", ""], "api-key"),
        (&["--timeout", "0"], "--timeout"),
        (&["--config", "/nonexistent/kith.toml"], "/nonexistent/kith.toml"),
        (&["--log", "kith=loud"], "kith=loud"),
    ];
    let refused = |mut command: std::process::Command, reason: &str| {
        let output = command.output().unwrap();
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(!output.status.success() && said.contains(reason) && !said.contains("panicked"), "{said}");
    };
    for (arguments, reason) in cases {
        refused(command(data.path(), arguments), reason);
    }
    refused(command(&file, &[]), "a-file");
}
