//! The endpoints that make, show, change and drop collections.

use std::time::Instant;

use axum::{extract::State, response::Response};
use serde_json::{Value, json};

use super::{
    App, Inner, ok,
    points::queued,
    reject::Answer,
    request::{At, Body, Options},
    wire::{
        collection::{CreateBody, check_name},
        info::{Condition, collection_info},
        update::UpdateBody,
    },
};
use crate::{
    collection::Collection,
    filter::{Condition as Holds, Filter, Test},
    query,
};

/// `GET /collections`
pub async fn list(State(app): State<App>) -> Response {
    let named: Vec<Value> = app.database.names().into_iter().map(|name| json!({ "name": name })).collect();
    ok(Instant::now(), &json!({ "collections": named }))
}

/// `PUT /collections/{collection}`
pub async fn create(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, _: &_| {
        check_name(&name, 255, "collection")?;
        let schema = body.read::<CreateBody>()?.schema()?;
        app.database.create(&name, schema)?;
        Ok(true)
    };
    app.answer("create collection", &options, job).await
}

/// `GET /collections/{collection}`
pub async fn info(State(app): State<App>, At(name): At<String>, options: Options) -> Answer<Response> {
    let job = move |app: &Inner, _: &_| Ok(describe(&*app.database.get(&name)?));
    app.answer("get collection", &options, job).await
}

fn describe(collection: &Collection) -> Value {
    let stats = collection.stats();
    let snapshot = collection.snapshot();
    let condition = Condition {
        points: stats.points,
        indexed_vectors: stats.indexed_vectors,
        segments: stats.segments.len(),
        graphs: stats.graphs(),
        optimizing: stats.optimizing.is_some(),
        error: stats.failure,
    };
    let points_of = |path: &str| {
        let Ok(path) = path.parse() else { return 0 };
        let present = Filter::all([Holds::Field(path, Test::IsEmpty(false))]);
        query::count(&snapshot, Some(&present)).unwrap_or(0)
    };
    collection_info(snapshot.schema(), &condition, points_of)
}

/// `GET /collections/{collection}/exists`
pub async fn exists(State(app): State<App>, At(name): At<String>) -> Response {
    ok(Instant::now(), &json!({ "exists": app.database.get(&name).is_ok() }))
}

/// `DELETE /collections/{collection}`
pub async fn remove(State(app): State<App>, At(name): At<String>, options: Options) -> Answer<Response> {
    let job = move |app: &Inner, _: &_| Ok(app.database.drop_collection(&name)?);
    app.answer("delete collection", &options, job).await
}

/// `PATCH /collections/{collection}`
pub async fn update(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let started = Instant::now();
    let job = move |app: &Inner, _: &_| {
        let collection = app.database.get(&name)?;
        let changes = body.read::<UpdateBody>()?.changes(collection.snapshot().schema())?;
        Ok((collection, changes))
    };
    let work = async |app: App| {
        let job_app = app.clone();
        let (collection, changes) = app
            .workers
            .run("update collection", options.timeout, move |cancel| job(&job_app, cancel))
            .await?;
        for change in changes {
            queued(&options, |done| collection.alter(change, done)).await?;
        }
        Ok(ok(started, &true))
    };
    work(app).await
}

/// `GET /collections/{collection}/aliases`: there are none.
pub async fn aliases(State(app): State<App>, At(name): At<String>) -> Answer<Response> {
    app.database.get(&name)?;
    Ok(ok(Instant::now(), &json!({ "aliases": [] })))
}

/// `GET /collections/{collection}/cluster`: one shard, here.
pub async fn cluster(State(app): State<App>, At(name): At<String>) -> Answer<Response> {
    let points = app.database.get(&name)?.snapshot().points();
    let shard = json!({ "shard_id": 0, "points_count": points, "state": "Active" });
    let result = json!({
        "peer_id": 1, "shard_count": 1, "local_shards": [shard], "remote_shards": [], "shard_transfers": [],
    });
    Ok(ok(Instant::now(), &result))
}

/// `GET /collections/{collection}/segments`, Kith's own: what the collection consists of, for the console.
pub async fn segments(State(app): State<App>, At(name): At<String>) -> Answer<Response> {
    let stats = app.database.get(&name)?.stats();
    let segments = stats.segments.iter().map(|segment| {
        json!({
            "number": segment.number,
            "kind": if segment.number.is_some() { "sealed" } else { "mutable" },
            "rows": segment.rows,
            "deleted": segment.deleted,
            "graphs": segment.graphs,
            "disk_bytes": segment.disk_bytes,
            "memory_bytes": segment.memory_bytes,
        })
    });
    let result = json!({
        "points": stats.points,
        "vectors": stats.vectors,
        "indexed_vectors": stats.indexed_vectors,
        "segments": segments.collect::<Vec<_>>(),
        "log_bytes": stats.log_bytes,
        "disk_bytes": stats.disk_bytes,
        "memory_bytes": stats.memory_bytes,
        "optimizing": stats.optimizing.map(|(what, progress)| json!({ "what": what, "progress": progress })),
        "failure": stats.failure,
        "lsn": stats.lsn,
    });
    Ok(ok(Instant::now(), &result))
}
