//! The server as its clients see it: real requests over real connections. Here an `unwrap` is an assertion.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
};

use ch05::server;
use serde_json::{Value, json};
use tokio::{net::TcpListener, sync::oneshot, task};

/// Starts a server on a free port; dropping the sender stops it.
async fn start() -> (SocketAddr, oneshot::Sender<()>) {
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap();
    let (stop, stopped) = oneshot::channel::<()>();
    let stopped = async move {
        // It makes no difference whether the sender was used or dropped.
        let _ = stopped.await;
    };
    tokio::spawn(server::run(listener, stopped));
    (address, stop)
}

/// Sends a request, as in `GET /collections`, and returns the answer's status and body.
async fn send(address: SocketAddr, request: &str, body: Value) -> (u16, Value) {
    let body = body.to_string();
    let length = body.len();
    let request = format!(
        "{request} HTTP/1.1\r\nhost: kith\r\nconnection: close\r\ncontent-length: {length}\r\n\r\n{body}"
    );
    // The standard library's sockets stop their thread, so a thread that may be stopped does it.
    let answer = task::spawn_blocking(move || {
        let mut stream = TcpStream::connect(address).unwrap();
        stream.write_all(request.as_bytes()).unwrap();
        let mut answer = String::new();
        stream.read_to_string(&mut answer).unwrap();
        answer
    });
    let answer = answer.await.unwrap();
    let (head, body) = answer.split_once("\r\n\r\n").unwrap();
    let status = head.split(' ').nth(1).unwrap().parse().unwrap();
    (status, serde_json::from_str(body).unwrap_or_default())
}

/// A schema of two numbers.
fn plane() -> Value {
    json!({ "vectors": { "size": 2, "distance": "Euclid" } })
}

#[tokio::test]
async fn points_are_written_read_and_deleted() {
    let (address, _stop) = start().await;
    let (status, answer) = send(address, "PUT /collections/animals", plane()).await;
    assert_eq!((status, &answer["result"]), (200, &json!(true)));
    let (_, answer) = send(address, "GET /collections", json!(null)).await;
    let animals = json!({ "collections": [{ "name": "animals" }] });
    assert_eq!(answer["result"], animals);

    let cat = json!({ "id": 1, "vector": [0.2, 0.8], "payload": { "name": "cat" } });
    let dog = json!({ "id": "550e8400-e29b-41d4-a716-446655440000", "vector": [0.35, 0.95], "payload": {} });
    let points = json!({ "points": [cat, dog] });
    let (status, answer) = send(address, "PUT /collections/animals/points", points).await;
    assert_eq!(
        (status, &answer["result"]["status"]),
        (200, &json!("completed"))
    );

    let ids = json!({ "ids": [1, 2, "550e8400e29b41d4a716446655440000"] });
    let (_, answer) = send(address, "POST /collections/animals/points", ids.clone()).await;
    assert_eq!(answer["result"], json!([cat, dog]));

    let gone = json!({ "points": [1, 2] });
    let (status, _) = send(address, "POST /collections/animals/points/delete", gone).await;
    assert_eq!(status, 200);
    let (_, answer) = send(address, "POST /collections/animals/points", ids).await;
    assert_eq!(answer["result"], json!([dog]));
}

#[tokio::test]
async fn a_request_with_one_bad_point_writes_none() {
    let (address, _stop) = start().await;
    send(address, "PUT /collections/animals", plane()).await;
    let points = json!({ "points": [{ "id": 1, "vector": [1, 2] }, { "id": 2, "vector": [1] }] });
    let (status, answer) = send(address, "PUT /collections/animals/points", points).await;
    let reason = "Wrong input: Vector dimension error: expected dim: 2, got 1";
    assert_eq!((status, &answer["status"]["error"]), (400, &json!(reason)));
    let ids = json!({ "ids": [1] });
    let (_, answer) = send(address, "POST /collections/animals/points", ids).await;
    assert_eq!(answer["result"], json!([]));
}

#[tokio::test]
async fn what_can_not_be_served_is_refused_with_a_reason() {
    let (address, _stop) = start().await;
    let negative = json!({ "vectors": { "size": -1, "distance": "Euclid" } });
    for body in [json!({}), json!([1]), negative] {
        let (status, answer) = send(address, "PUT /collections/animals", body).await;
        assert_eq!(status, 400, "{answer}");
    }
    let ids = json!({ "ids": [1] });
    let (status, answer) = send(address, "POST /collections/birds/points", ids).await;
    let reason = "Not found: Collection `birds` doesn't exist!";
    assert_eq!((status, &answer["status"]["error"]), (404, &json!(reason)));
    send(address, "PUT /collections/birds", plane()).await;
    let (status, answer) = send(address, "PUT /collections/birds", plane()).await;
    let reason = "Wrong input: Collection `birds` already exists!";
    assert_eq!((status, &answer["status"]["error"]), (409, &json!(reason)));
}

#[tokio::test]
async fn a_hundred_silent_clients_disturb_nobody() {
    let (address, _stop) = start().await;
    let mut silent = Vec::new();
    for _ in 0..100 {
        silent.push(tokio::net::TcpStream::connect(address).await.unwrap());
    }
    let (status, _) = send(address, "GET /collections", json!(null)).await;
    assert_eq!((status, silent.len()), (200, 100));
}
