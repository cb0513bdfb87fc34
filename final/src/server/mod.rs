//! How do clients talk to Kith? In HTTP and JSON, as they talk to Qdrant: `wire` knows the shapes, `resolve` what a
//! query means for a collection, the other files are the endpoints.
//!
//! ```text
//! connection ─► route ─► CORS ─► metrics ─► key ─► gzip ─► endpoint ─► worker thread: read, run, print
//! ```
//! Nothing below this layer knows of HTTP, of Qdrant's JSON, of a clock or of chance.
//!
//! A query of 784 numbers costs 54 µs of CPU while the cores are awake, 28 to 31 of them what the same search takes in
//! process. Of the rest, 9 are the system's, 7 reading numbers, 8 hyper, tokio and axum, 2 memory, 2 ids and versions of
//! the points found, 1 printing. Where cores fall asleep between requests everything takes 1.7 times as long.
//!
//! Rejected: reading plain numbers ourselves (4.7 µs instead of 7, for 130 lines of JSON); sonic-rs (no faster for numbers
//! of few digits); more of freed memory kept by glibc for each thread (`tcache_max`: nothing gained).
//!
//! Not here: TLS and gRPC; a reverse proxy does the first, nobody has asked for the second.
#![allow(
    clippy::disallowed_methods,
    reason = "this is where the clock is read: everything below is told the time"
)]

pub mod auth;
pub mod collections;
pub mod connection;
pub mod console;
pub mod facet;
pub mod groups;
pub mod here;
pub mod indexes;
pub mod metrics;
pub mod points;
pub mod reject;
pub mod request;
pub mod resolve;
pub mod search;
pub mod service;
pub mod wire;
pub mod work;

use std::{
    io::Write as _,
    net::SocketAddr,
    num::NonZero,
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    thread,
    time::{Duration, Instant},
};

use axum::{
    Router,
    extract::{Request, State},
    http::{HeaderValue, header::CONTENT_TYPE},
    middleware::{self, Next},
    response::{IntoResponse, Response},
    routing::{MethodRouter, delete, get, post, put},
};
use serde::Serialize;
use tokio::{net::TcpListener, runtime::Handle, sync::Notify, time};
use tower_http::{
    CompressionLevel,
    compression::{
        CompressionLayer,
        predicate::{DefaultPredicate, Predicate, SizeAbove},
    },
    cors::{AllowHeaders, CorsLayer},
    normalize_path::NormalizePath,
};

use self::{metrics::Metrics, reject::Answer, request::Options, wire::Envelope, work::Workers};
use crate::{
    collection::Database,
    config::Settings,
    error::{Error, Result},
};

/// Smaller answers are sent as they are: packing them costs more than it saves.
const WORTH_PACKING: u64 = 1024;

/// What the endpoints share; cloning it is cheap.
#[derive(Clone)]
pub struct App(Arc<Inner>);

/// See [`App`].
pub struct Inner {
    database: Database,
    settings: Settings,
    workers: Workers,
    metrics: Metrics,
    stopping: AtomicBool,
    /// Tells this run of the server from others.
    instance: String,
}

impl std::ops::Deref for App {
    type Target = Inner;

    fn deref(&self) -> &Inner {
        &self.0
    }
}

impl App {
    /// A server over an opened database.
    pub fn new(database: Database, settings: Settings) -> Self {
        let workers = settings.workers.or_else(|| thread::available_parallelism().ok());
        let workers = Workers::new(workers.map_or(1, NonZero::get));
        let (metrics, stopping) = (Metrics::default(), AtomicBool::new(false));
        let instance = uuid::Uuid::from_u128(rand::random()).to_string();
        Self(Arc::new(Inner { database, settings, workers, metrics, stopping, instance }))
    }

    /// Runs a job in a worker thread and prints its result there.
    async fn answer<T: Serialize>(
        &self,
        operation: &'static str,
        options: &Options,
        job: impl FnOnce(&Inner, &AtomicBool) -> Answer<T> + Send + 'static,
    ) -> Answer<Response> {
        let started = Instant::now();
        let app = self.clone();
        let job = move |cancel: &AtomicBool| Ok(ok(started, &job(&app, cancel)?));
        self.workers.run(operation, options.timeout, job).await
    }

    /// As [`Self::answer`], for a job that changes nothing and is short as a rule.
    async fn answer_shortly<T: Serialize>(
        &self,
        operation: &'static str,
        options: &Options,
        job: impl Fn(&Inner, &AtomicBool) -> Answer<T> + Send + 'static,
    ) -> Answer<Response> {
        let started = Instant::now();
        let app = self.clone();
        let job = move |cancel: &AtomicBool| Ok(ok(started, &job(&app, cancel)?));
        self.workers.run_short(operation, options.timeout, job).await
    }
}

/// A successful answer.
fn ok<T: Serialize>(started: Instant, result: &T) -> Response {
    let envelope = Envelope { result, status: "ok", time: started.elapsed().as_secs_f64() };
    match serde_json::to_vec(&envelope) {
        Ok(body) => ([(CONTENT_TYPE, HeaderValue::from_static("application/json"))], body).into_response(),
        Err(error) => {
            reject::Reject::internal(format!("the answer can't be printed: {error}")).into_response()
        }
    }
}

/// All routes.
pub fn router(app: &App) -> Router {
    // One layer made of all: axum boxes what each call of `layer` adds, and clones the boxes for every request. With this,
    // and the console no longer asked first, a query allocates 60 times instead of 94: 1 to 4 µs.
    let layers = (
        CorsLayer::permissive().allow_headers(AllowHeaders::mirror_request()),
        middleware::from_fn_with_state(app.clone(), guard),
        CompressionLayer::new().quality(CompressionLevel::Fastest).compress_when(packable()),
    );
    let api = routes().layer(layers).with_state(app.clone());
    // The console needs its trailing slash, for the relative links in it; the interface trims one, where there is one.
    api.clone().merge(console::routes()).fallback_service(NormalizePath::trim_trailing_slash(api))
}

/// Lets a request through or refuses it, and counts the answer.
async fn guard(State(app): State<App>, request: Request, next: Next) -> Response {
    let asked = metrics::Asked::begin(&request);
    let answer = match auth::refusal(&app.settings, &request) {
        Some(refusal) => refusal,
        None => next.run(request).await,
    };
    if let Some(asked) = asked {
        app.metrics.count(asked, answer.status());
    }
    answer
}

fn packable() -> impl Predicate {
    DefaultPredicate::new().and(SizeAbove::new(WORTH_PACKING))
}

fn routes() -> Router<App> {
    Router::new()
        .merge(service::routes())
        .route("/collections", get(collections::list))
        .merge(of_collection(
            "",
            get(collections::info)
                .put(collections::create)
                .patch(collections::update)
                .delete(collections::remove),
        ))
        .merge(of_collection("/exists", get(collections::exists)))
        .merge(of_collection("/aliases", get(collections::aliases)))
        .merge(of_collection("/cluster", get(collections::cluster)))
        .merge(of_collection("/segments", get(collections::segments)))
        .merge(of_collection("/index", put(indexes::create)))
        .merge(of_collection("/index/{field}", delete(indexes::remove)))
        .merge(of_collection("/points", put(points::upsert).post(search::retrieve)))
        .merge(of_collection("/points/{id}", get(search::point)))
        .merge(of_collection("/points/delete", post(points::delete)))
        .merge(of_collection("/points/payload", post(points::set_payload).put(points::overwrite_payload)))
        .merge(of_collection("/points/payload/delete", post(points::delete_payload)))
        .merge(of_collection("/points/payload/clear", post(points::clear_payload)))
        .merge(of_collection("/points/vectors", put(points::update_vectors)))
        .merge(of_collection("/points/vectors/delete", post(points::delete_vectors)))
        .merge(of_collection("/points/batch", post(points::batch)))
        .merge(of_collection("/points/scroll", post(search::scroll)))
        .merge(of_collection("/points/count", post(search::count)))
        .merge(of_collection("/points/query", post(search::query)))
        .merge(of_collection("/points/query/explain", post(search::explain)))
        .merge(of_collection("/points/query/batch", post(search::query_batch)))
        .merge(of_collection("/points/query/groups", post(groups::query)))
        .merge(of_collection("/points/search", post(search::legacy)))
        .merge(of_collection("/points/search/batch", post(search::legacy_batch)))
        .merge(of_collection("/facet", post(facet::facet)))
}

fn of_collection(tail: &str, methods: MethodRouter<App>) -> Router<App> {
    Router::new().route(&format!("/collections/{{collection}}{tail}"), methods)
}

/// Serves until `stop` is done: listens, says where, tells `greet` too, and closes the data at the end.
pub async fn run(
    database: Database,
    settings: Settings,
    greet: impl FnOnce(SocketAddr),
    stop: impl Future<Output = ()> + Send + 'static,
) -> Result<()> {
    let (listen, grace) = (settings.listen, settings.shutdown_grace);
    if !listen.ip().is_loopback() && settings.api_key.is_none() {
        tracing::warn!(
            "{listen} can be reached from other machines and there is no --api-key: anyone may read and write"
        );
    }
    let listener = TcpListener::bind(listen).await.map_err(|error| cannot_listen(listen, &error))?;
    let address = listener.local_addr().map_err(|error| cannot_listen(listen, &error))?;
    let app = App::new(database, settings);
    // A closed standard output must not keep the server from serving.
    let _ = writeln!(std::io::stdout(), "kith listening on http://{address}")
        .and_then(|()| std::io::stdout().flush());
    greet(address);
    serve(listener, &app, stop, grace).await;
    let closing = tokio::task::spawn_blocking(move || app.database.close());
    closing.await.map_err(|error| Error::closed(format!("the database could not be closed: {error}")))
}

fn cannot_listen(listen: SocketAddr, error: &std::io::Error) -> Error {
    Error::bad_request(format!("can't listen on {listen}: {error}; choose another address with --listen"))
}

/// Answers requests until `stop` is done, then those in flight, for `grace` at most.
pub async fn serve(
    listener: TcpListener,
    app: &App,
    stop: impl Future<Output = ()> + Send + 'static,
    grace: Duration,
) {
    app.workers.share(&Handle::current());
    let begun = Arc::new(Notify::new());
    let (begin, stopping) = (begun.clone(), app.clone());
    let stop = async move {
        stop.await;
        stopping.stopping.store(true, Ordering::Relaxed);
        tracing::info!("stopping: finishing what is in flight");
        begin.notify_one();
    };
    let serving = connection::accept(listener, router(app), stop);
    let overtime = async {
        begun.notified().await;
        time::sleep(grace).await;
    };
    tokio::select! {
        () = serving => {}
        () = overtime => tracing::warn!("some requests took longer than {} s to finish and were cut off", grace.as_secs()),
    }
}

#[cfg(test)]
mod tests;
