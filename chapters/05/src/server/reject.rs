//! How does a request answer? Well, or with a status and one sentence.

use std::time::Instant;

use axum::{
    Json,
    http::StatusCode,
    response::{IntoResponse, Response},
};
use serde::Serialize;
use serde_json::json;

use super::wire::Envelope;
use crate::error::Error;

/// The result of a handler.
pub type Answer<T> = Result<T, Reject>;

/// A successful answer.
pub fn ok<T: Serialize>(started: Instant, result: T) -> Response {
    let envelope = Envelope {
        result,
        status: "ok",
        time: started.elapsed().as_secs_f64(),
    };
    Json(envelope).into_response()
}

/// A request that failed: what the client is told.
#[derive(Debug)]
pub struct Reject {
    status: StatusCode,
    message: String,
}

impl Reject {
    /// A body that is not JSON, or has another shape than the endpoint reads.
    pub fn format(error: serde_json::Error) -> Self {
        let status = StatusCode::BAD_REQUEST;
        let message = format!("Format error in JSON body: {error}");
        Self { status, message }
    }
}

impl From<Error> for Reject {
    fn from(error: Error) -> Self {
        let (status, class) = match error {
            Error::BadRequest(_) => (StatusCode::BAD_REQUEST, "Wrong input"),
            Error::NotFound(_) => (StatusCode::NOT_FOUND, "Not found"),
            Error::Conflict(_) => (StatusCode::CONFLICT, "Wrong input"),
        };
        let message = format!("{class}: {error}");
        Self { status, message }
    }
}

impl IntoResponse for Reject {
    fn into_response(self) -> Response {
        let body = json!({ "status": { "error": self.message }, "time": 0.0 });
        (self.status, Json(body)).into_response()
    }
}
