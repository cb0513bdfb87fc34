//! The console: a page that explains the collections to a human, built into the binary.

use axum::{
    Router,
    extract::Path,
    http::{
        StatusCode,
        header::{CACHE_CONTROL, CONTENT_SECURITY_POLICY, CONTENT_TYPE},
    },
    response::{IntoResponse, Redirect, Response},
    routing::get,
};

/// Name, content type, content.
const FILES: [(&str, &str, &str); 8] = [
    ("index.html", "text/html; charset=utf-8", include_str!("../../console/index.html")),
    ("app.js", "text/javascript; charset=utf-8", include_str!("../../console/app.js")),
    ("collections.js", "text/javascript; charset=utf-8", include_str!("../../console/collections.js")),
    ("filter.js", "text/javascript; charset=utf-8", include_str!("../../console/filter.js")),
    ("kit.js", "text/javascript; charset=utf-8", include_str!("../../console/kit.js")),
    ("plan.js", "text/javascript; charset=utf-8", include_str!("../../console/plan.js")),
    ("search.js", "text/javascript; charset=utf-8", include_str!("../../console/search.js")),
    ("style.css", "text/css; charset=utf-8", include_str!("../../console/style.css")),
];

/// The page asks nobody but this server, and no other page may frame it.
const POLICY: &str = "default-src 'self'; img-src 'self' data:; style-src 'self' 'unsafe-inline'; \
                      frame-ancestors 'none'; base-uri 'self'";

/// The routes.
pub fn routes() -> Router {
    Router::new()
        .route("/dashboard", get(|| async { Redirect::permanent("/dashboard/") }))
        .route("/dashboard/", get(|| async { file("index.html") }))
        .route("/dashboard/{file}", get(|Path(name): Path<String>| async move { file(&name) }))
}

fn file(name: &str) -> Response {
    match FILES.iter().find(|(known, ..)| *known == name) {
        Some((_, kind, content)) => {
            let headers =
                [(CONTENT_TYPE, *kind), (CACHE_CONTROL, "no-cache"), (CONTENT_SECURITY_POLICY, POLICY)];
            (headers, *content).into_response()
        }
        None => StatusCode::NOT_FOUND.into_response(),
    }
}
