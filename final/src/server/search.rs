//! The endpoints that read points: by id, in pages, by query.

use std::sync::atomic::AtomicBool;

use axum::{extract::State, response::Response};
use serde::Serialize;

use super::{
    App, Inner,
    reject::{Answer, Reject},
    request::{At, Body, Options},
    resolve::{self, Resolver},
    wire::{
        Id, filter,
        legacy::{LegacyBatch, LegacyRequest},
        point::{Record, VectorsOut},
        query::{QueryBatch, QueryRequest},
        read::{CountBody, RetrieveBody, ScrollBody},
        select::{Selection, WithPayload, WithVector},
    },
};
use crate::{
    point::PointId,
    query::{self, Explain, Hit, Kind, Query},
    segment::{Address, Snapshot},
};

/// The answer to a query.
#[derive(Debug, Serialize)]
pub struct Found {
    points: Vec<Record>,
    #[serde(skip_serializing_if = "Option::is_none")]
    explain: Option<Explain>,
}

/// One page of a scroll.
#[derive(Debug, Serialize)]
struct Page {
    points: Vec<Record>,
    next_page_offset: Option<Id>,
}

/// `POST /collections/{collection}/points/query`
pub async fn query(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| run(app, &name, body.read()?, cancel);
    app.answer_shortly("query", &options, job).await
}

/// `POST /collections/{collection}/points/query/explain`, Kith's own: a query that says how it was run.
pub async fn explain(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let request = QueryRequest { explain: Some(true), ..body.read()? };
        run(app, &name, request, cancel)
    };
    app.answer("explain", &options, job).await
}

/// `POST /collections/{collection}/points/query/batch`
pub async fn query_batch(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let QueryBatch { searches } = body.read()?;
        app.workers.spread(searches, |request| run(app, &name, request, cancel))
    };
    app.answer("query batch", &options, job).await
}

/// `POST /collections/{collection}/points/search`
pub async fn legacy(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let request: LegacyRequest = body.read()?;
        Ok(run(app, &name, request.into(), cancel)?.points)
    };
    app.answer_shortly("search", &options, job).await
}

/// `POST /collections/{collection}/points/search/batch`
pub async fn legacy_batch(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let LegacyBatch { searches } = body.read()?;
        let run = |request: LegacyRequest| Ok(run(app, &name, request.into(), cancel)?.points);
        app.workers.spread(searches, run)
    };
    app.answer("search batch", &options, job).await
}

fn run(app: &Inner, name: &str, mut request: QueryRequest, cancel: &AtomicBool) -> Answer<Found> {
    let collection = app.database.get(name)?;
    let snapshot = collection.snapshot();
    let with_payload = request.with_payload.take().unwrap_or(WithPayload::None);
    let with_vector = request.with_vector.take().unwrap_or(WithVector::None);
    let selection = Selection::new(with_payload, with_vector, snapshot.schema())?;
    let explain = request.explain.unwrap_or(false);
    let query = Resolver { database: &app.database, collection: name, snapshot: &snapshot }.query(request)?;
    let answer = query::run(&snapshot, &query, cancel)?;
    let points = scored(&snapshot, &answer.hits, &selection)?;
    Ok(Found { points, explain: explain.then_some(answer.explain) })
}

/// The hits of a query as clients read them.
pub fn scored(snapshot: &Snapshot, hits: &[Hit], selection: &Selection) -> Answer<Vec<Record>> {
    let record = |hit: &Hit| {
        let plain = record(snapshot, hit.address, selection)?;
        let version = Some(snapshot.version(hit.address));
        Ok(Record { version, score: Some(hit.score), order_value: hit.order_value, ..plain })
    };
    hits.iter().map(record).collect()
}

/// A point as clients read it.
pub fn record(snapshot: &Snapshot, address: Address, selection: &Selection) -> Answer<Record> {
    let payload = match selection.wants_payload() {
        true => Some(selection.payload(snapshot.payload(address)?)),
        false => None,
    };
    let vectors = || VectorsOut(selection.vectors(snapshot.vectors(address)));
    let vector = selection.wants_vectors().then(vectors);
    let id = Id(snapshot.id(address));
    Ok(Record { id, version: None, score: None, payload, vector, order_value: None })
}

/// `POST /collections/{collection}/points`
pub async fn retrieve(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, _: &_| {
        let RetrieveBody { ids, with_payload, with_vector } = body.read()?;
        let snapshot = app.database.get(&name)?.snapshot();
        let with_payload = with_payload.unwrap_or(WithPayload::All);
        let selection =
            Selection::new(with_payload, with_vector.unwrap_or(WithVector::None), snapshot.schema())?;
        let found = ids.into_iter().filter_map(|Id(id)| snapshot.locate(id));
        found.map(|address| record(&snapshot, address, &selection)).collect::<Answer<Vec<_>>>()
    };
    app.answer("retrieve", &options, job).await
}

/// `GET /collections/{collection}/points/{id}`
pub async fn point(
    State(app): State<App>,
    At((name, id)): At<(String, String)>,
    options: Options,
) -> Answer<Response> {
    let id: PointId = id.parse().map_err(|error| Reject::deserialize("path parameters", error))?;
    let job = move |app: &Inner, _: &_| {
        let snapshot = app.database.get(&name)?.snapshot();
        let selection = Selection::new(WithPayload::All, WithVector::All, snapshot.schema())?;
        match snapshot.locate(id) {
            Some(address) => record(&snapshot, address, &selection),
            None => Err(Reject::not_found(format!("Point with id {id} does not exists!"))),
        }
    };
    app.answer_shortly("get point", &options, job).await
}

/// `POST /collections/{collection}/points/scroll`
pub async fn scroll(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, cancel: &AtomicBool| {
        let mut body: ScrollBody = body.read()?;
        let snapshot = app.database.get(&name)?.snapshot();
        let with_payload = body.with_payload.take().unwrap_or(WithPayload::All);
        let with_vector = body.with_vector.take().unwrap_or(WithVector::None);
        let selection = Selection::new(with_payload, with_vector, snapshot.schema())?;
        match body.order_by {
            Some(_) => ordered(&snapshot, body, &selection, cancel),
            None => page(&snapshot, &body, &selection),
        }
    };
    app.answer("scroll", &options, job).await
}

fn page(snapshot: &Snapshot, body: &ScrollBody, selection: &Selection) -> Answer<Page> {
    let filter = filter::filter(body.filter.as_ref(), "filter")?;
    let (from, limit) = (body.offset.map(|Id(id)| id), resolve::limit(body.limit)?);
    let (rows, next) = query::page(snapshot, filter.as_ref(), from, limit)?;
    let points = rows.into_iter().map(|row| record(snapshot, row, selection)).collect::<Answer<_>>()?;
    Ok(Page { points, next_page_offset: next.map(Id) })
}

fn ordered(
    snapshot: &Snapshot,
    body: ScrollBody,
    selection: &Selection,
    cancel: &AtomicBool,
) -> Answer<Page> {
    if body.offset.is_some() {
        return Err(Reject::bad_request(
            "Cannot use an `offset` when using `order_by`. Use `start_from` instead.",
        ));
    }
    let Some(order) = body.order_by else { return page(snapshot, &body, selection) };
    let query = Query {
        kind: Some(Kind::OrderBy(resolve::read_order(order, snapshot.schema())?)),
        filter: filter::filter(body.filter.as_ref(), "filter")?,
        limit: resolve::limit(body.limit)?,
        ..Query::default()
    };
    let answer = query::run(snapshot, &query, cancel)?;
    let record = |hit: &Hit| {
        let plain = record(snapshot, hit.address, selection)?;
        Ok(Record { order_value: hit.order_value, ..plain })
    };
    let points = answer.hits.iter().map(record).collect::<Answer<_>>()?;
    Ok(Page { points, next_page_offset: None })
}

/// `POST /collections/{collection}/points/count`
pub async fn count(
    State(app): State<App>,
    At(name): At<String>,
    options: Options,
    body: Body,
) -> Answer<Response> {
    let job = move |app: &Inner, _: &_| {
        let body: CountBody = body.read()?;
        let snapshot = app.database.get(&name)?.snapshot();
        let filter = filter::filter(body.filter.as_ref(), "filter")?;
        Ok(serde_json::json!({ "count": query::count(&snapshot, filter.as_ref())? }))
    };
    app.answer("count", &options, job).await
}
