//! The endpoints that write points, read them back and delete them.

use std::time::Instant;

use axum::{
    body::Bytes,
    extract::{Path, State},
    response::Response,
};
use serde_json::json;

use super::{
    App,
    reject::{Answer, ok},
    wire::{self, DeleteBody, PointJson, RetrieveBody, UpsertBody},
};
use crate::point::Point;

/// `PUT /collections/{collection}/points`
pub async fn upsert(app: State<App>, name: Path<String>, body: Bytes) -> Answer<Response> {
    let started = Instant::now();
    let body: UpsertBody = wire::read(&body)?;
    let points: Vec<Point> = body.points.into_iter().map(Point::from).collect();
    app.with(&name, |collection| {
        // All are checked before the first is written: a request is done whole or not at all.
        for point in &points {
            collection.schema().check(&point.vectors)?;
        }
        for point in points {
            collection.upsert(point)?;
        }
        Ok(())
    })?;
    Ok(ok(started, json!({ "status": "completed" })))
}

/// `POST /collections/{collection}/points`
pub async fn retrieve(app: State<App>, name: Path<String>, body: Bytes) -> Answer<Response> {
    let started = Instant::now();
    let body: RetrieveBody = wire::read(&body)?;
    let points: Vec<PointJson> = app.with(&name, |collection| {
        let found = body.ids.iter().filter_map(|id| collection.get(id.0));
        Ok(found.map(PointJson::from).collect())
    })?;
    Ok(ok(started, points))
}

/// `POST /collections/{collection}/points/delete`
pub async fn delete(app: State<App>, name: Path<String>, body: Bytes) -> Answer<Response> {
    let started = Instant::now();
    let body: DeleteBody = wire::read(&body)?;
    app.with(&name, |collection| {
        for id in body.points {
            collection.delete(id.0);
        }
        Ok(())
    })?;
    Ok(ok(started, json!({ "status": "completed" })))
}
