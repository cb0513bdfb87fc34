//! What does every request bring besides its endpoint? A path, a query string, a body: read here, so that what is
//! wrong with them is answered in Qdrant's words and not in the framework's.

use std::time::Duration;

use axum::{
    body::Bytes,
    extract::{DefaultBodyLimit, FromRequest, FromRequestParts, Path, Query, Request},
    http::{HeaderMap, StatusCode, header::CONTENT_TYPE, request::Parts},
    response::IntoResponse,
};
use serde::{Deserialize, de::DeserializeOwned};

use super::{
    App,
    reject::{Answer, Reject},
    wire,
};

/// The parameters in a path, percent-decoded.
#[derive(Debug)]
pub struct At<T>(pub T);

impl<T: DeserializeOwned + Send> FromRequestParts<App> for At<T> {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        match Path::<T>::from_request_parts(parts, app).await {
            Ok(Path(parameters)) => Ok(Self(parameters)),
            Err(error) => Err(Reject::deserialize("path parameters", error.body_text())),
        }
    }
}

/// The query string.
#[derive(Debug, Clone)]
pub struct Options {
    /// Answer a write only when it is visible.
    pub wait: bool,
    /// How long the request may take.
    pub timeout: Duration,
}

#[derive(Deserialize)]
struct QueryString {
    wait: Option<bool>,
    timeout: Option<u64>,
    #[serde(rename = "ordering")]
    _ordering: Option<Ordering>,
}

/// Writes are in order always; the parameter is checked and has no effect.
#[derive(Deserialize)]
#[serde(rename_all = "lowercase")]
enum Ordering {
    Weak,
    Medium,
    Strong,
}

impl FromRequestParts<App> for Options {
    type Rejection = Reject;

    async fn from_request_parts(parts: &mut Parts, app: &App) -> Answer<Self> {
        let Query(given) = Query::<QueryString>::from_request_parts(parts, app)
            .await
            .map_err(|error| Reject::deserialize("query parameters", error.body_text()))?;
        let timeout = match given.timeout {
            None => app.settings.timeout,
            Some(0) => {
                return Err(Reject::invalid(
                    "query parameters",
                    "timeout",
                    "value 0 invalid, must be 1 or larger",
                ));
            }
            Some(seconds) => Duration::from_secs(seconds).min(Duration::from_secs(86_400)),
        };
        Ok(Self { wait: given.wait.unwrap_or(false), timeout })
    }
}

/// A JSON body, not read yet: that is a job for a worker.
#[derive(Debug)]
pub struct Body(pub Bytes);

impl Body {
    /// Reads it.
    pub fn read<T: DeserializeOwned>(&self) -> Answer<T> {
        wire::read(&self.0)
    }
}

impl FromRequest<App> for Body {
    type Rejection = Reject;

    async fn from_request(mut request: Request, app: &App) -> Answer<Self> {
        check_content_type(request.headers())?;
        DefaultBodyLimit::max(app.settings.max_request_bytes).apply(&mut request);
        let limit = app.settings.timeout;
        match tokio::time::timeout(limit, Bytes::from_request(request, app)).await {
            Ok(Ok(bytes)) => Ok(Self(bytes)),
            Ok(Err(error)) => Err(unreadable(error.into_response().status(), app.settings.max_request_bytes)),
            Err(_) => Err(Reject::timeout("read request body", limit.as_secs())),
        }
    }
}

fn unreadable(status: StatusCode, limit: usize) -> Reject {
    match status {
        StatusCode::PAYLOAD_TOO_LARGE => Reject::format(format!(
            "JSON payload is larger than allowed (limit: {limit} bytes); send less at once or raise --max-request-mb"
        )),
        _ => Reject::format("the body could not be received whole"),
    }
}

fn check_content_type(headers: &HeaderMap) -> Answer<()> {
    let sent = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or("none");
    let kind = sent.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    if kind == "application/json" || (kind.starts_with("application/") && kind.ends_with("+json")) {
        return Ok(());
    }
    Err(Reject::format(format!("content type error: expected `content-type: application/json`, got {sent}")))
}
