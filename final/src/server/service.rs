//! What is this server, is it well, and what has it done? The endpoints that are about no collection, and the fixed
//! answers of a server that is not part of a cluster.

use std::{sync::atomic::Ordering, time::Instant};

use axum::{
    Json, Router,
    extract::State,
    http::{HeaderMap, StatusCode, header::ACCEPT, header::CONTENT_TYPE},
    response::{IntoResponse, Redirect, Response},
    routing::get,
};
use serde_json::{Value, json};

use super::{App, ok};

/// The version of Qdrant's interface that is spoken; clients compare it with their own.
const SPOKEN: &str = "1.19.0";

/// The routes.
pub fn routes() -> Router<App> {
    Router::new()
        .route("/", get(root))
        .route("/healthz", get(alive))
        .route("/livez", get(alive))
        .route("/readyz", get(ready))
        .route("/metrics", get(metrics))
        .route("/telemetry", get(telemetry))
        .route("/cluster", get(|| fixed(json!({ "status": "disabled" }))))
        .route("/issues", get(|| fixed(json!({ "issues": [] }))))
        .route("/aliases", get(|| fixed(json!({ "aliases": [] }))))
}

async fn fixed(result: Value) -> Response {
    ok(Instant::now(), &result)
}

/// A browser is sent to the console; a client is told the version.
async fn root(headers: HeaderMap) -> Response {
    let accept = headers.get(ACCEPT).and_then(|value| value.to_str().ok()).unwrap_or_default();
    if accept.contains("text/html") {
        return Redirect::temporary("/dashboard/").into_response();
    }
    let version = env!("CARGO_PKG_VERSION");
    Json(json!({ "title": "kith - vector search engine", "version": SPOKEN, "kith": version }))
        .into_response()
}

async fn alive() -> &'static str {
    "healthz check passed"
}

async fn ready(State(app): State<App>) -> (StatusCode, &'static str) {
    if app.stopping.load(Ordering::Relaxed) {
        return (StatusCode::SERVICE_UNAVAILABLE, "some shards are not ready");
    }
    (StatusCode::OK, "all shards are ready")
}

async fn metrics(State(app): State<App>) -> Response {
    let text = app.metrics.print(&app.database);
    ([(CONTENT_TYPE, "application/openmetrics-text; version=1.0.0; charset=utf-8")], text).into_response()
}

async fn telemetry(State(app): State<App>) -> Response {
    let result = json!({
        "id": app.instance,
        "app": { "name": "kith", "version": SPOKEN, "jwt_rbac": false },
        "collections": { "number_of_collections": app.database.names().len(), "max_collections": null },
    });
    ok(Instant::now(), &result)
}
