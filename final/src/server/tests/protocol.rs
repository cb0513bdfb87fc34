//! HTTP itself: keys, paths, methods, sizes, the console, numbers, the end.

use super::*;

#[test]
fn keys_are_asked_for_where_they_must_be() {
    let server = Server::with(|settings| {
        settings.api_key = Some("all".to_owned());
        settings.read_only_api_key = Some("read".to_owned());
    });
    let with = |method: &str, path: &str, header: &str| {
        let (status, _, body) =
            server.request(method, path, &format!("content-type: application/json\r\n{header}"), "{}");
        (status, body)
    };
    for open in ["/", "/healthz", "/livez", "/readyz", "/dashboard/"] {
        assert_eq!(with("GET", open, "").0, 200, "{open}");
    }
    let missing = "Must provide an API key or an Authorization bearer token";
    assert_eq!(with("GET", "/collections", ""), (401, missing.to_owned()));
    assert_eq!(with("GET", "/metrics", "").0, 401);
    assert_eq!(with("GET", "/collections", "api-key: no\r\n"), (401, "Invalid API key or JWT".to_owned()));
    assert_eq!(with("GET", "/collections", "api-key: all\r\n").0, 200);
    assert_eq!(with("GET", "/collections", "authorization: Bearer all\r\n").0, 200);
    assert_eq!(with("PUT", "/collections/c", "api-key: read\r\n").0, 403);
    assert_eq!(with("PUT", "/collections/c", "api-key: all\r\n").0, 200);
    assert_eq!(with("GET", "/collections", "api-key: read\r\n").0, 200);
    assert_eq!(with("POST", "/collections/c/points/query", "api-key: read\r\n").0, 200);
    assert_eq!(with("POST", "/collections/c/points/delete", "api-key: read\r\n").0, 403);
    assert_eq!(with("POST", "/collections/c/points/payload/", "api-key: read\r\n").0, 403);
}

#[test]
fn paths_are_decoded_and_trimmed() {
    let server = Server::start();
    let name = "/collections/a%20b%C3%A4";
    server.put(name, json!({}));
    assert_eq!(server.get("/collections/"), json!({"collections": [{"name": "a bä"}]}));
    assert_eq!(server.get(&format!("{name}/exists/")), json!({"exists": true}));
    let (status, _, body) = server.request("GET", "/nowhere", "", "");
    assert_eq!((status, &*body), (404, ""));
    assert_eq!(server.request("PATCH", "/collections", "", "").0, 405);
    assert_eq!(server.refusal("GET", "/collections/%FF", &Value::Null).0, 400);
}

#[test]
fn bodies_are_checked_before_they_are_read() {
    let server = Server::with(|settings| settings.max_request_bytes = 1000);
    server.put("/collections/c", json!({"vectors": {"size": 1, "distance": "Dot"}}));
    let json = "content-type: application/json\r\n";
    let refused = |headers: &str, body: &str| {
        let (status, _, body) = server.request("PUT", "/collections/c/points", headers, body);
        assert_eq!(status, 400, "{body}");
        body
    };
    assert!(refused(json, &" ".repeat(1001)).contains("larger than allowed (limit: 1000 bytes)"));
    assert!(refused("", "{}").contains("content type error"));
    assert!(refused("content-type: text/plain\r\n", "{}").contains("got text/plain"));
    assert!(refused(json, "").contains("EOF"));
    assert!(refused(json, "\u{0}\u{1}").contains("expected an object"));
    let charset = "content-type: application/JSON; charset=utf-8\r\n";
    assert_eq!(server.request("PUT", "/collections/c/points", charset, "{\"points\":[]}").0, 200);
}

/// Anything may arrive at a socket; whatever it is, the next client is served.
#[test]
fn bytes_that_are_no_request_hurt_nobody() {
    let server = Server::start();
    for bytes in [
        &b"\r\n\r\n"[..],
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03\r\n\r\n",
        b"GET / HTTP/9.9\r\n\r\n",
        b"GET /collections/../../etc/passwd HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n",
        b"PUT /collections/c HTTP/1.1\r\nhost: x\r\ncontent-length: -5\r\n\r\n",
        b"POST /collections/c/points HTTP/1.1\r\nhost: x\r\ntransfer-encoding: chunked\r\nconnection: close\r\n\r\nzz\r\n",
    ] {
        let (status, ..) = server.raw(bytes, true);
        assert!(status == 0 || status >= 400, "{status} for {:?}", String::from_utf8_lossy(bytes));
    }
    assert_eq!(server.get("/collections"), json!({"collections": []}));
}

#[test]
fn clients_and_browsers_find_what_they_look_for() {
    let server = Server::start();
    let (_, _, version) = server.request("GET", "/", "accept: */*\r\n", "");
    assert!(version.contains("\"version\":\"1.19.0\""), "{version}");
    let (status, head, _) = server.request("GET", "/", "accept: text/html,*/*\r\n", "");
    assert!(status == 307 && head.contains("location: /dashboard/"), "{head}");
    let (status, head, page) = server.request("GET", "/dashboard/", "", "");
    assert!(status == 200 && head.contains("text/html") && page.contains("<html"), "{head}");
    assert_eq!(server.request("GET", "/dashboard/app.js", "", "").0, 200);
    assert_eq!(server.request("GET", "/dashboard/secret", "", "").0, 404);
    let preflight = "origin: http://a.example\r\naccess-control-request-method: PUT\r\naccess-control-request-headers: api-key\r\n";
    let (_, head, _) = server.request("OPTIONS", "/collections/c", preflight, "");
    assert!(
        head.contains("access-control-allow-origin: *")
            && head.contains("access-control-allow-headers: api-key"),
        "{head}"
    );
}

#[test]
fn what_happens_is_counted() {
    let server = Server::with_collection("Dot");
    server.upsert(json!([{"id": 1, "vector": [1, 0]}]));
    let (_, _, text) = server.request("GET", "/metrics", "", "");
    for line in [
        "app_info{name=\"kith\"",
        "collections_total 1",
        "collection_points{id=\"c\"} 1",
        "collection_vectors{collection=\"c\",vector=\"\"} 1",
        "collections_vector_total 1",
        "rest_responses_total{method=\"PUT\",endpoint=\"/collections/{collection}/points\",status=\"200\"} 1",
        "rest_responses_avg_duration_seconds{method=\"PUT\"",
        "rest_responses_duration_seconds_bucket{le=\"",
    ] {
        assert!(text.contains(line), "{line} in {text}");
    }
    assert_eq!(server.get("/telemetry")["collections"]["number_of_collections"], 1);
    assert_eq!(server.get("/cluster"), json!({"status": "disabled"}));
    assert_eq!(server.get("/collections/c/segments")["points"], 1);
}

#[test]
fn large_answers_are_packed_for_those_who_can_unpack() {
    let server = Server::with_collection("Dot");
    let points: Vec<_> = (0..100).map(|id| json!({"id": id, "vector": [1, id]})).collect();
    server.upsert(json!(points));
    let body = "{\"limit\":100,\"with_vector\":true}";
    let headers = "content-type: application/json\r\naccept-encoding: gzip\r\n";
    let (status, head, _) = server.request("POST", "/collections/c/points/scroll", headers, body);
    assert!(status == 200 && head.contains("content-encoding: gzip"), "{head}");
}

/// What was acknowledged before the end is there after it.
#[test]
fn a_stopped_server_leaves_everything_on_disk() {
    let mut server = Server::with_collection("Dot");
    server.upsert(json!([{"id": 1, "vector": [1, 0], "payload": {"a": 1}}]));
    server.stop();
    assert!(TcpStream::connect(server.address).is_err());
    let (app, data) = (&server.app, server.app.settings.data.clone());
    let refused = app
        .database
        .get("c")
        .unwrap()
        .write_and_wait(crate::collection::Write::Delete(crate::collection::Selector::Ids(vec![])));
    assert!(matches!(refused, Err(Error::Closed(_))), "{refused:?}");
    let copy = tempfile::tempdir().unwrap();
    copy_dir(&data, copy.path());
    let reopened = Database::open(Arc::new(FsStore), copy.path(), Default::default()).unwrap();
    assert_eq!(reopened.get("c").unwrap().snapshot().points(), 1);
}

fn copy_dir(from: &std::path::Path, to: &std::path::Path) {
    for entry in std::fs::read_dir(from).unwrap().map(|entry| entry.unwrap()) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            std::fs::create_dir_all(&target).unwrap();
            copy_dir(&entry.path(), &target);
        } else {
            std::fs::copy(entry.path(), &target).unwrap();
        }
    }
}
