//! Any bytes as the body of any request: the answer is JSON, is never the server's own fault, and the collection
//! goes on working.

use std::{
    num::NonZero,
    path::Path,
    sync::{Arc, Mutex, OnceLock, PoisonError},
    time::Duration,
};

use axum::{
    Router,
    body::{Body, to_bytes},
    http::{Request, StatusCode},
};
use kith::{
    collection::Database,
    config::ServeArgs,
    server::{App, router},
};
use tokio::runtime::{Builder, Runtime};
use tower_service::Service;

use super::sample;

/// Every endpoint that reads a body, by the input's first byte.
pub const ENDPOINTS: [(&str, &str); 23] = [
    ("PUT", "/collections/new"),
    ("PATCH", "/collections/c"),
    ("PUT", "/collections/c/index"),
    ("PUT", "/collections/c/points"),
    ("DELETE", "/collections/c/index/a"),
    ("POST", "/collections/c/points/delete"),
    ("POST", "/collections/c/points/payload"),
    ("PUT", "/collections/c/points/payload"),
    ("POST", "/collections/c/points/payload/delete"),
    ("POST", "/collections/c/points/payload/clear"),
    ("PUT", "/collections/c/points/vectors"),
    ("POST", "/collections/c/points/vectors/delete"),
    ("POST", "/collections/c/points/batch"),
    ("POST", "/collections/c/points/scroll"),
    ("POST", "/collections/c/points/count"),
    ("POST", "/collections/c/points/query"),
    ("POST", "/collections/c/points/query/explain"),
    ("POST", "/collections/c/points/query/batch"),
    ("POST", "/collections/c/points/query/groups"),
    ("POST", "/collections/c/points/search"),
    ("POST", "/collections/c/points/search/batch"),
    ("POST", "/collections/c/facet"),
    ("POST", "/collections/c/points"),
];

/// The endpoints from here on only read.
const FIRST_READER: usize = 13;

/// The first byte is the endpoint, the rest the body.
pub fn run(input: &[u8]) {
    let Some((&which, body)) = input.split_first() else { return };
    let which = usize::from(which) % ENDPOINTS.len();
    let (method, path) = ENDPOINTS[which];
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    let runtime = RUNTIME.get_or_init(|| {
        let mut builder = Builder::new_multi_thread();
        builder.worker_threads(1).enable_time().build().expect("the system has a thread for us")
    });
    let mut held = APP.lock().unwrap_or_else(PoisonError::into_inner);
    let app = held.take().unwrap_or_else(app);
    let mut router = router(&app);
    runtime.block_on(async {
        let (status, answer) = send(&mut router, method, path, body).await;
        let text = String::from_utf8_lossy(&answer);
        assert!(status.as_u16() < 500, "{method} {path}: {status} {text}");
        assert!(serde_json::from_slice::<serde_json::Value>(&answer).is_ok(), "{method} {path}: {text}");
        // Of a batch, what came before the mistake has been done.
        if which < FIRST_READER && (status.is_success() || path.ends_with("batch")) {
            return check(&mut router).await;
        }
        *held = Some(app);
    });
}

/// A server over the sample. A request that changed something takes it along, so that each input finds the same.
static APP: Mutex<Option<App>> = Mutex::new(None);

async fn check(router: &mut Router) {
    for (method, path, body) in AFTERWARDS {
        let (status, answer) = send(router, method, path, body).await;
        assert!(status.is_success(), "afterwards {path}: {status} {}", String::from_utf8_lossy(&answer));
    }
}

/// What must work whatever came before: a write, and reading everything.
const AFTERWARDS: [(&str, &str, &[u8]); 3] = [
    ("POST", "/collections/c/points/delete", br#"{"points": [1]}"#),
    ("POST", "/collections/c/points/scroll", br#"{"limit": 100, "with_vector": true}"#),
    ("GET", "/collections/c", b""),
];

/// A server over a copy of the sample, so that each input finds the same.
fn app() -> App {
    let database = Database::open(Arc::new(sample::store()), Path::new(sample::DATA), sample::options())
        .expect("the sample can be opened");
    let mut settings = ServeArgs::default().settings().expect("the defaults are sound");
    settings.workers = NonZero::new(1);
    settings.timeout = Duration::from_secs(60);
    App::new(database, settings)
}

async fn send(router: &mut Router, method: &str, path: &str, body: &[u8]) -> (StatusCode, Vec<u8>) {
    let request = Request::builder()
        .method(method)
        .uri(format!("{path}?wait=true"))
        .header("content-type", "application/json")
        .body(Body::from(body.to_vec()))
        .expect("method and path are sound");
    let answer = router.call(request).await.unwrap_or_else(|never| match never {});
    let status = answer.status();
    let body = to_bytes(answer.into_body(), 64 << 20).await.expect("the answer is in memory");
    (status, body.to_vec())
}
