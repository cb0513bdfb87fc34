//! The server from outside: bytes over a socket, on a free port, with a data directory that is gone afterwards.

use std::{
    io::{Read, Write},
    net::{SocketAddr, TcpStream},
    sync::Arc,
    thread::JoinHandle,
};

use serde_json::{Value, json};
use tokio::sync::oneshot;

use super::*;
use crate::{config::ServeArgs, disk::FsStore};

mod errors;
mod formula;
mod kinds;
mod on_disk;
mod protocol;

/// A server in a thread of its own.
struct Server {
    address: SocketAddr,
    app: App,
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
    _data: tempfile::TempDir,
}

impl Server {
    fn start() -> Self {
        Self::with(|_| {})
    }

    fn with(change: impl FnOnce(&mut Settings)) -> Self {
        let data = tempfile::tempdir().unwrap();
        let mut settings = ServeArgs::default().settings().unwrap();
        settings.data = data.path().to_owned();
        change(&mut settings);
        let database = Database::open(Arc::new(FsStore), &settings.data, Default::default()).unwrap();
        let app = App::new(database, settings);
        let (stop, stopped) = oneshot::channel();
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        listener.set_nonblocking(true).unwrap();
        let address = listener.local_addr().unwrap();
        let served = app.clone();
        let thread = thread::spawn(move || {
            let runtime =
                tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
            runtime.block_on(async {
                let listener = TcpListener::from_std(listener).unwrap();
                let stop = async {
                    let _ = stopped.await;
                };
                serve(listener, &served, stop, Duration::from_secs(5)).await;
            });
        });
        Self { address, app, stop: Some(stop), thread: Some(thread), _data: data }
    }

    /// With the collection `c`: the unnamed vector of two numbers.
    fn with_collection(distance: &str) -> Self {
        let server = Self::start();
        let body = json!({"vectors": {"size": 2, "distance": distance}});
        assert_eq!(server.put("/collections/c", body), json!(true));
        server
    }

    /// Sends bytes as they are, `last` if nothing will follow, and reads the answer until the server closes.
    fn raw(&self, bytes: &[u8], last: bool) -> (u16, String, String) {
        let mut stream = TcpStream::connect(self.address).unwrap();
        stream.write_all(bytes).unwrap();
        if last {
            stream.shutdown(std::net::Shutdown::Write).unwrap();
        }
        let mut answer = Vec::new();
        stream.read_to_end(&mut answer).unwrap();
        let answer = String::from_utf8_lossy(&answer).into_owned();
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        let status = head.split(' ').nth(1).and_then(|status| status.parse().ok()).unwrap_or(0);
        (status, head.to_lowercase(), body.to_owned())
    }

    fn request(&self, method: &str, path: &str, headers: &str, body: &str) -> (u16, String, String) {
        let length = body.len();
        let head = format!("{method} {path} HTTP/1.1\r\nhost: test\r\nconnection: close\r\n{headers}");
        self.raw(format!("{head}content-length: {length}\r\n\r\n{body}").as_bytes(), false)
    }

    fn send(&self, method: &str, path: &str, body: &Value) -> (u16, Value) {
        let body = if body.is_null() { String::new() } else { body.to_string() };
        let (status, _, answer) = self.request(method, path, "content-type: application/json\r\n", &body);
        (status, serde_json::from_str(&answer).unwrap_or(Value::String(answer)))
    }

    /// The result of a request that succeeds.
    fn result(&self, method: &str, path: &str, body: &Value) -> Value {
        let (status, mut answer) = self.send(method, path, body);
        assert_eq!((status, &answer["status"]), (200, &json!("ok")), "{method} {path} {body}: {answer}");
        answer["result"].take()
    }

    fn get(&self, path: &str) -> Value {
        self.result("GET", path, &Value::Null)
    }

    fn put(&self, path: &str, body: Value) -> Value {
        self.result("PUT", path, &body)
    }

    fn post(&self, path: &str, body: Value) -> Value {
        self.result("POST", path, &body)
    }

    /// Puts points and waits until they are visible.
    fn upsert(&self, points: Value) {
        let result = self.put("/collections/c/points?wait=true", json!({ "points": points }));
        assert_eq!(result["status"], "completed");
    }

    /// The ids and scores of a query.
    fn query(&self, body: Value) -> Vec<(Value, f64)> {
        let result = self.post("/collections/c/points/query", body);
        let points = result["points"].as_array().unwrap().iter();
        points.map(|point| (point["id"].clone(), point["score"].as_f64().unwrap())).collect()
    }

    fn ids(&self, body: Value) -> Vec<Value> {
        self.query(body).into_iter().map(|(id, _)| id).collect()
    }

    /// Status and message of a request that fails.
    fn refusal(&self, method: &str, path: &str, body: &Value) -> (u16, String) {
        let (status, answer) = self.send(method, path, body);
        assert!(status >= 400, "{method} {path} {body}: {answer}");
        (status, answer["status"]["error"].as_str().unwrap_or_default().to_owned())
    }

    fn stop(&mut self) {
        let _ = self.stop.take().map(|stop| stop.send(()));
        if let Some(thread) = self.thread.take() {
            thread.join().unwrap();
            self.app.database.close();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.stop();
    }
}
