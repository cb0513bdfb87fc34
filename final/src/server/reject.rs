//! How does a failed request answer? With a status and one sentence in Qdrant's envelope.
//!
//! Errors from below carry their sentence; this file decides on the status and sees to it that the sentence begins
//! with the prefix that clients look for.

use axum::{
    http::{HeaderValue, StatusCode, header::CONTENT_TYPE},
    response::{IntoResponse, Response},
};
use serde_json::json;

use crate::error::Error;

/// The result of a handler.
pub type Answer<T> = Result<T, Reject>;

/// Beginnings that say what class an error is of; a sentence that has one keeps it.
const PREFIXES: [&str; 9] = [
    "Wrong input: ",
    "Bad request: ",
    "Not found: ",
    "Format error in JSON body: ",
    "Validation error in ",
    "Deserialize error in ",
    "Timeout: ",
    "Service internal error: ",
    "Forbidden: ",
];

/// A request that failed: what the client is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Reject {
    /// The HTTP status.
    pub status: StatusCode,
    /// What was wrong, with the prefix of its class.
    pub message: String,
}

impl Reject {
    fn new(status: StatusCode, prefix: &str, text: impl Into<String>) -> Self {
        let text = text.into();
        let known = PREFIXES.iter().any(|known| text.starts_with(known));
        let message = if known { text } else { format!("{prefix}{text}") };
        Self { status, message }
    }

    /// A body that is not JSON, or has another shape than the endpoint reads.
    pub fn format(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Format error in JSON body: ", text)
    }

    /// A value of the right type that is out of bounds; `place` is the path of the field.
    pub fn validation(place: &str, text: impl AsRef<str>) -> Self {
        Self::invalid("JSON body", place, text.as_ref())
    }

    /// As [`Reject::validation`], for `part` of the request: `JSON body` or `query parameters`.
    pub fn invalid(part: &str, place: &str, text: &str) -> Self {
        let message = format!("Validation error in {part}: [{place}: {text}]");
        Self { status: StatusCode::UNPROCESSABLE_ENTITY, message }
    }

    /// A well-formed request that does not fit the collection: a dimension, a name, a value.
    pub fn wrong_input(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Wrong input: ", text)
    }

    /// A well-formed request that makes no sense as a whole.
    pub fn bad_request(text: impl Into<String>) -> Self {
        Self::new(StatusCode::BAD_REQUEST, "Bad request: ", text)
    }

    /// A thing that does not exist.
    pub fn not_found(text: impl Into<String>) -> Self {
        Self::new(StatusCode::NOT_FOUND, "Not found: ", text)
    }

    /// A piece of the path or of the query string that can't be read.
    pub fn deserialize(part: &str, text: impl std::fmt::Display) -> Self {
        let message = format!("Deserialize error in {part}: {text}");
        Self { status: StatusCode::BAD_REQUEST, message }
    }

    /// An operation that took longer than it was given.
    pub fn timeout(operation: &str, seconds: u64) -> Self {
        let message = format!("Timeout: Operation '{operation}' timed out after {seconds} seconds");
        Self { status: StatusCode::REQUEST_TIMEOUT, message }
    }

    /// A key that may read and tried to write.
    pub fn forbidden(text: impl Into<String>) -> Self {
        Self::new(StatusCode::FORBIDDEN, "Forbidden: ", text)
    }

    /// A fault on our side.
    pub fn internal(text: impl Into<String>) -> Self {
        Self::new(StatusCode::INTERNAL_SERVER_ERROR, "Service internal error: ", text)
    }
}

impl From<Error> for Reject {
    fn from(error: Error) -> Self {
        match error {
            Error::BadRequest(text) => Self::wrong_input(text),
            Error::NotFound(text) => Self::not_found(text),
            Error::Conflict(text) => Self::new(StatusCode::CONFLICT, "Wrong input: ", text),
            Error::Closed(_) => Self {
                status: StatusCode::SERVICE_UNAVAILABLE,
                message: format!("Shard temporarily unavailable: {error}"),
            },
            Error::Corrupt(_) | Error::Io { .. } => Self::internal(error.to_string()),
        }
    }
}

impl IntoResponse for Reject {
    fn into_response(self) -> Response {
        if self.status.is_server_error() {
            tracing::error!(status = self.status.as_u16(), "{}", self.message);
        }
        let body = json!({ "status": { "error": self.message }, "time": 0.0 }).to_string();
        let json = HeaderValue::from_static("application/json");
        (self.status, [(CONTENT_TYPE, json)], body).into_response()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_prefix_is_put_once() {
        let from = |error: Error| Reject::from(error);
        let missing = from(Error::not_found("Collection `x` doesn't exist!"));
        assert_eq!(
            (missing.status.as_u16(), &*missing.message),
            (404, "Not found: Collection `x` doesn't exist!")
        );
        let wrong = from(Error::bad_request("Wrong input: Not existing vector name error: y"));
        assert_eq!(wrong.message, "Wrong input: Not existing vector name error: y");
        let bad = from(Error::bad_request("Bad request: no"));
        assert_eq!((bad.status.as_u16(), &*bad.message), (400, "Bad request: no"));
        assert_eq!(from(Error::conflict("Collection `x` already exists!")).status, StatusCode::CONFLICT);
        assert_eq!(from(Error::closed("bye")).status, StatusCode::SERVICE_UNAVAILABLE);
    }
}
