//! Who may do what? One key for everything, one for reading; without a key the server is open.

use axum::{
    extract::{MatchedPath, Request},
    http::{HeaderMap, Method, StatusCode, header::AUTHORIZATION},
    response::{IntoResponse, Response},
};
use subtle::ConstantTimeEq;

use super::reject::Reject;
use crate::config::Settings;

/// Answered without a key: what a load balancer asks, and what a client asks first.
const OPEN: [&str; 4] = ["/", "/healthz", "/livez", "/readyz"];

/// Requests with `POST` that change nothing, by the end of their route.
const READING_POSTS: [&str; 11] = [
    "/points",
    "/points/scroll",
    "/points/count",
    "/points/query",
    "/points/query/batch",
    "/points/query/groups",
    "/points/query/explain",
    "/points/search",
    "/points/search/batch",
    "/points/search/groups",
    "/facet",
];

/// The answer to a request that may not pass.
pub fn refusal(settings: &Settings, request: &Request) -> Option<Response> {
    let key = settings.api_key.as_ref()?;
    if OPEN.contains(&request.uri().path()) {
        return None;
    }
    let Some(given) = key_of(request.headers()) else {
        let text = "Must provide an API key or an Authorization bearer token";
        return Some((StatusCode::UNAUTHORIZED, text).into_response());
    };
    if same(given, key) {
        return None;
    }
    match &settings.read_only_api_key {
        Some(read_only) if same(given, read_only) => {
            (!reads(request)).then(|| Reject::forbidden("this API key may read only").into_response())
        }
        _ => Some((StatusCode::UNAUTHORIZED, "Invalid API key or JWT").into_response()),
    }
}

fn key_of(headers: &HeaderMap) -> Option<&[u8]> {
    if let Some(key) = headers.get("api-key") {
        return Some(key.as_bytes());
    }
    let header = headers.get(AUTHORIZATION)?.as_bytes();
    let (scheme, key) = header.split_at_checked("Bearer ".len())?;
    scheme.eq_ignore_ascii_case(b"Bearer ").then_some(key)
}

/// Compares without telling by the time it takes how much was right.
fn same(given: &[u8], key: &str) -> bool {
    given.ct_eq(key.as_bytes()).into()
}

fn reads(request: &Request) -> bool {
    match *request.method() {
        Method::GET | Method::HEAD | Method::OPTIONS => true,
        Method::POST => {
            let route =
                request.extensions().get::<MatchedPath>().map(MatchedPath::as_str).unwrap_or_default();
            let tail = route.strip_prefix("/collections/{collection}");
            tail.is_some_and(|tail| READING_POSTS.contains(&tail))
        }
        _ => false,
    }
}
