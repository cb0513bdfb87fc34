//! The endpoints that make and list collections.

use std::time::Instant;

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde_json::{Value, json};

use super::{
    App,
    reject::{Answer, ok},
    wire::{self, CreateBody},
};
use crate::{collection::Collection, error::Error};

/// `GET /collections`
pub async fn list(app: State<App>) -> Response {
    let started = Instant::now();
    // Given back at the end of the function; nothing is awaited in between.
    let collections = app.lock();
    let names = collections.keys().map(|name| json!({ "name": name }));
    let names: Vec<Value> = names.collect();
    ok(started, json!({ "collections": names }))
}

/// `PUT /collections/{collection}`
pub async fn create(app: State<App>, name: Path<String>, body: Bytes) -> Answer<Response> {
    let started = Instant::now();
    let body: CreateBody = wire::read(&body)?;
    // Looks and inserts under one lock, so that nobody can come in between.
    let mut collections = app.lock();
    if collections.contains_key(&name.0) {
        let text = format!("Collection `{}` already exists!", name.0);
        return Err(Error::conflict(text).into());
    }
    collections.insert(name.0, Collection::new(body.schema()));
    Ok(ok(started, true))
}
