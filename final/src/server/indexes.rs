//! The endpoints that declare payload indexes.

use std::time::Instant;

use axum::{extract::State, response::Response};

use super::{
    App,
    points::{finish, queue},
    reject::{Answer, Reject},
    request::{At, Body, Options},
    wire::field::IndexBody,
};
use crate::{collection::Alter, filter::Path};

/// `PUT /collections/{collection}/index`
pub async fn create(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let started = Instant::now();
    let body: IndexBody = body.read()?;
    check_path(&body.field_name)?;
    let index = body.index()?;
    let collection = app.database.get(&name)?;
    let outcome = queue(|done| collection.alter(Alter::SetField(body.field_name, index), done));
    finish(started, outcome, &options).await
}

/// `DELETE /collections/{collection}/index/{field}`
pub async fn remove(
    State(app): State<App>,
    At((name, field)): At<(String, String)>,
    options: Options,
) -> Answer<Response> {
    let started = Instant::now();
    check_path(&field)?;
    let collection = app.database.get(&name)?;
    let outcome = queue(|done| collection.alter(Alter::DropField(field), done));
    finish(started, outcome, &options).await
}

fn check_path(field: &str) -> Answer<Path> {
    field.parse().map_err(|error| Reject::wrong_input(format!("field_name: {error}")))
}
