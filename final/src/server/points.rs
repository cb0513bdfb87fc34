//! The endpoints that write: every one is an [`Operation`], read and turned into a [`Write`] in a worker thread, then
//! queued for the collection's writer.

use std::time::Instant;

use axum::{extract::State, response::Response};
use serde_json::Value;
use tokio::{sync::oneshot, time};

use super::{
    App, ok,
    reject::{Answer, Reject},
    request::{At, Body, Options},
    resolve,
    wire::{
        Id, filter,
        point::{
            DeleteVectorsBody, KeysBody, Operation, OperationsBody, PayloadBody, PointInput, SelectorBody,
            UpdateResult, UpdateStatus, UpdateVectorsBody, UpsertBody,
        },
        vector::PointVectors,
    },
};
use crate::{
    collection::{Collection, Done, Selector, Write},
    error::Result,
    filter::Path,
    point::{Lsn, NamedVectors, Point, Vector},
    schema::CollectionSchema,
};

/// The outcome of a write, once it is known.
pub type Outcome = oneshot::Receiver<Result<Lsn>>;

/// `PUT /collections/{collection}/points`
pub async fn upsert(app: State<App>, at: At<String>, options: Options, body: Body) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::Upsert)).await
}

/// `POST /collections/{collection}/points/delete`
pub async fn delete(app: State<App>, at: At<String>, options: Options, body: Body) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::Delete)).await
}

/// `POST /collections/{collection}/points/payload`
pub async fn set_payload(app: State<App>, at: At<String>, options: Options, body: Body) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::SetPayload)).await
}

/// `PUT /collections/{collection}/points/payload`
pub async fn overwrite_payload(
    app: State<App>,
    at: At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::OverwritePayload)).await
}

/// `POST /collections/{collection}/points/payload/delete`
pub async fn delete_payload(
    app: State<App>,
    at: At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::DeletePayload)).await
}

/// `POST /collections/{collection}/points/payload/clear`
pub async fn clear_payload(
    app: State<App>,
    at: At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::ClearPayload)).await
}

/// `PUT /collections/{collection}/points/vectors`
pub async fn update_vectors(
    app: State<App>,
    at: At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::UpdateVectors)).await
}

/// `POST /collections/{collection}/points/vectors/delete`
pub async fn delete_vectors(
    app: State<App>,
    at: At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    single(app, at, options, move || body.read().map(Operation::DeleteVectors)).await
}

/// `POST /collections/{collection}/points/batch`: one write after the other, up to the first that fails.
pub async fn batch(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let started = Instant::now();
    let read = move |_: &_| body.read::<OperationsBody>();
    let OperationsBody { operations } = app.workers.run("batch update", options.timeout, read).await?;
    let mut results = Vec::with_capacity(operations.len());
    for operation in operations {
        let outcome = send(&app, name.clone(), &options, move || Ok(operation)).await?;
        results.push(result(outcome, &options).await?);
    }
    Ok(ok(started, &results))
}

async fn single(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    read: impl FnOnce() -> Answer<Operation> + Send + 'static,
) -> Answer<Response> {
    let started = Instant::now();
    let outcome = send(&app, name, &options, read).await?;
    finish(started, outcome, &options).await
}

/// Reads an operation in a worker thread and queues the write it comes to.
async fn send(
    app: &App,
    name: String,
    options: &Options,
    read: impl FnOnce() -> Answer<Operation> + Send + 'static,
) -> Answer<Outcome> {
    let shared = app.clone();
    let job = move |_: &_| {
        let collection = shared.database.get(&name)?;
        let write = write_of(read()?, collection.snapshot().schema())?;
        Ok(queue(|done| Collection::write(&collection, write, done)))
    };
    app.workers.run("update", options.timeout, job).await
}

/// Hands something to a writer, with a way for it to say what came of it.
pub fn queue(send: impl FnOnce(Done)) -> Outcome {
    let (sender, outcome) = oneshot::channel();
    send(Box::new(move |result| {
        // Nobody listens any more if the client has gone; the write stands all the same.
        let _ = sender.send(result);
    }));
    outcome
}

/// As [`queue`], and waits for what comes of it.
pub async fn queued(options: &Options, send: impl FnOnce(Done)) -> Answer<UpdateResult> {
    result(queue(send), options).await
}

/// The answer to a write.
pub async fn finish(started: Instant, outcome: Outcome, options: &Options) -> Answer<Response> {
    Ok(ok(started, &result(outcome, options).await?))
}

/// Waits until the write is on disk and visible, or the time is up. With `wait=false` the client has said that it
/// does not care which points were there, and is told no more than that the write arrived.
async fn result(outcome: Outcome, options: &Options) -> Answer<UpdateResult> {
    let waited = match time::timeout(options.timeout, outcome).await {
        Ok(Ok(waited)) => waited.map_err(Reject::from),
        Ok(Err(_)) => Err(Reject::internal("the collection's writer has stopped")),
        Err(_) => return Ok(UpdateResult { operation_id: None, status: UpdateStatus::WaitTimeout }),
    };
    match waited {
        Ok(lsn) if options.wait => {
            Ok(UpdateResult { operation_id: Some(lsn), status: UpdateStatus::Completed })
        }
        Ok(lsn) => Ok(UpdateResult { operation_id: Some(lsn), status: UpdateStatus::Acknowledged }),
        Err(reject) if !options.wait && reject.status.as_u16() == 404 => {
            Ok(UpdateResult { operation_id: None, status: UpdateStatus::Acknowledged })
        }
        Err(reject) => Err(reject),
    }
}

/// What an operation means for a collection.
fn write_of(operation: Operation, schema: &CollectionSchema) -> Answer<Write> {
    match operation {
        Operation::Upsert(body) => upsert_of(body, schema),
        Operation::UpdateVectors(body) => update_vectors_of(body, schema),
        Operation::Delete(SelectorBody { points, filter }) => Ok(Write::Delete(selector(points, filter)?)),
        Operation::ClearPayload(SelectorBody { points, filter }) => {
            Ok(Write::ClearPayload(selector(points, filter)?))
        }
        Operation::SetPayload(PayloadBody { payload, key, points, filter }) => {
            Ok(Write::SetPayload { payload, at: path(key)?, of: selector(points, filter)? })
        }
        Operation::OverwritePayload(PayloadBody { payload, key, points, filter }) => {
            Ok(Write::OverwritePayload { payload, at: path(key)?, of: selector(points, filter)? })
        }
        Operation::DeletePayload(KeysBody { keys, points, filter }) => {
            let keys = keys.iter().map(|key| key.parse()).collect::<Result<_>>()?;
            Ok(Write::DeletePayload { keys, of: selector(points, filter)? })
        }
        Operation::DeleteVectors(DeleteVectorsBody { points, filter, vector: names }) => {
            if names.is_empty() {
                return Err(Reject::validation("vector", "name at least one vector"));
            }
            Ok(Write::DeleteVectors { names, of: selector(points, filter)? })
        }
    }
}

fn upsert_of(mut body: UpsertBody, schema: &CollectionSchema) -> Answer<Write> {
    let points = body.points()?.into_iter().map(|point| {
        let PointInput { id: Id(id), vector, payload } = point;
        Ok(Point { id, vectors: stored(vector, schema)?, payload: payload.unwrap_or_default() })
    });
    let points = points.collect::<Answer<_>>()?;
    let only_if = filter::filter(body.update_filter.as_ref(), "update_filter")?;
    Ok(Write::Upsert { points, mode: body.mode(), only_if })
}

fn update_vectors_of(body: UpdateVectorsBody, schema: &CollectionSchema) -> Answer<Write> {
    if body.points.is_empty() {
        return Err(Reject::validation("points", "name at least one point"));
    }
    let points = body.points.into_iter().map(|point| Ok((point.id.0, stored(point.vector, schema)?)));
    let points = points.collect::<Answer<_>>()?;
    Ok(Write::UpdateVectors {
        points,
        only_if: filter::filter(body.update_filter.as_ref(), "update_filter")?,
    })
}

/// The vectors of a point as the collection keeps them; texts are embedded here.
fn stored(PointVectors(vectors): PointVectors, schema: &CollectionSchema) -> Answer<NamedVectors> {
    let mut named = NamedVectors::new();
    for (name, input) in vectors {
        let values = resolve::dense(input, &name, schema)?;
        named.insert(name, Vector::Dense(values));
    }
    Ok(named)
}

fn path(key: Option<String>) -> Answer<Option<Path>> {
    Ok(key.map(|key| key.parse()).transpose()?)
}

/// Ids or a filter. Both at once would leave open which of them is meant, and one of them deletes more.
fn selector(points: Option<Vec<Id>>, filter: Option<Value>) -> Answer<Selector> {
    match (points, filter::filter(filter.as_ref(), "filter")?) {
        (Some(ids), None) => Ok(Selector::Ids(ids.into_iter().map(|Id(id)| id).collect())),
        (None, Some(filter)) => Ok(Selector::Filter(filter)),
        (Some(_), Some(_)) => Err(Reject::format("either `points` or `filter` is wanted, not both")),
        (None, None) => Err(Reject::format("missing field `points` (a list of ids) or `filter`")),
    }
}
