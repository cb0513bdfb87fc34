//! What has the server done? Counters for `GET /metrics`, in the names that dashboards for Qdrant read.
//!
//! Requests are counted by their route, never by their path: a path is whatever a client makes up. What is known of
//! the collections is asked at the moment somebody looks.

use std::{
    collections::BTreeMap,
    fmt::Write as _,
    sync::{Mutex, PoisonError},
    time::Instant,
};

use axum::{
    extract::{MatchedPath, Request},
    http::{Method, StatusCode},
};
use prometheus_client::{
    encoding::text::encode,
    metrics::{
        counter::Counter,
        family::Family,
        gauge::Gauge,
        histogram::{Histogram, exponential_buckets},
        info::Info,
    },
    registry::{Registry, Unit},
};

use crate::collection::Database;

type Labels = Vec<(&'static str, String)>;
type Seconds = Gauge<f64, std::sync::atomic::AtomicU64>;

/// Everything that is counted.
#[derive(Debug, Default)]
pub struct Metrics {
    responses: Family<Labels, Counter>,
    failures: Family<Labels, Counter>,
    durations: Durations,
    extremes: Mutex<BTreeMap<Labels, Extremes>>,
}

/// A histogram per route; a type of its own, because a histogram has no default.
#[derive(Debug)]
struct Durations(Family<Labels, Histogram, fn() -> Histogram>);

impl Default for Durations {
    fn default() -> Self {
        // From a tenth of a millisecond to 26 seconds.
        Self(Family::new_with_constructor(|| Histogram::new(exponential_buckets(1e-4, 4.0, 10))))
    }
}

#[derive(Debug, Clone, Copy)]
struct Extremes {
    count: u64,
    sum: f64,
    min: f64,
    max: f64,
}

/// A request that is being answered.
#[derive(Debug)]
pub struct Asked {
    method: Method,
    route: MatchedPath,
    started: Instant,
}

impl Asked {
    /// Nothing if there is no such route.
    pub fn begin(request: &Request) -> Option<Self> {
        let route = request.extensions().get::<MatchedPath>()?.clone();
        Some(Self { method: request.method().clone(), route, started: Instant::now() })
    }
}

impl Metrics {
    /// Counts a request and its answer.
    pub fn count(&self, asked: Asked, status: StatusCode) {
        let seconds = asked.started.elapsed().as_secs_f64();
        let (method, route) = (asked.method.to_string(), asked.route.as_str().to_owned());
        let labels = vec![("method", method), ("endpoint", route), ("status", status.as_u16().to_string())];
        self.responses.get_or_create(&labels).inc();
        if status.is_server_error() {
            self.failures.get_or_create(&labels).inc();
        }
        self.durations.0.get_or_create(&labels).observe(seconds);
        let mut extremes = self.extremes.lock().unwrap_or_else(PoisonError::into_inner);
        let seen =
            extremes.entry(labels).or_insert(Extremes { count: 0, sum: 0.0, min: seconds, max: seconds });
        seen.count += 1;
        seen.sum += seconds;
        (seen.min, seen.max) = (seen.min.min(seconds), seen.max.max(seconds));
    }

    /// All of it as text.
    pub fn print(&self, database: &Database) -> String {
        let mut registry = Registry::default();
        let version = env!("CARGO_PKG_VERSION");
        registry.register("app", "This server", Info::new(vec![("name", "kith"), ("version", version)]));
        self.register_requests(&mut registry);
        register_collections(&mut registry, database);
        register_process(&mut registry);
        let mut text = String::new();
        if encode(&mut text, &registry).is_err() {
            let _ = writeln!(text, "# the metrics could not be printed");
        }
        text
    }

    fn register_requests(&self, registry: &mut Registry) {
        registry.register("rest_responses", "Answers, by route and status", self.responses.clone());
        registry.register("rest_responses_fail", "Answers that were our fault", self.failures.clone());
        registry.register_with_unit(
            "rest_responses_duration",
            "How long answers took",
            Unit::Seconds,
            self.durations.0.clone(),
        );
        let (avg, min, max) =
            <(Family<Labels, Seconds>, Family<Labels, Seconds>, Family<Labels, Seconds>)>::default();
        for (labels, seen) in self.extremes.lock().unwrap_or_else(PoisonError::into_inner).iter() {
            avg.get_or_create(labels).set(seen.sum / seen.count as f64);
            min.get_or_create(labels).set(seen.min);
            max.get_or_create(labels).set(seen.max);
        }
        registry.register_with_unit("rest_responses_avg_duration", "Mean time", Unit::Seconds, avg);
        registry.register_with_unit("rest_responses_min_duration", "Shortest time", Unit::Seconds, min);
        registry.register_with_unit("rest_responses_max_duration", "Longest time", Unit::Seconds, max);
    }
}

fn register_collections(registry: &mut Registry, database: &Database) {
    let (count, all_vectors): (Gauge, Gauge) = Default::default();
    let points = Family::<Labels, Gauge>::default();
    let vectors = Family::<Labels, Gauge>::default();
    for name in database.names() {
        // A collection may be dropped between the listing and here.
        let Ok(collection) = database.get(&name) else { continue };
        let stats = collection.stats();
        count.inc();
        points.get_or_create(&vec![("id", name.clone())]).set(stats.points as i64);
        for (vector, held) in stats.vectors {
            all_vectors.inc_by(held as i64);
            vectors.get_or_create(&vec![("collection", name.clone()), ("vector", vector)]).set(held as i64);
        }
    }
    registry.register("collections_total", "Collections", count);
    registry.register("collection_points", "Points, by collection", points);
    registry.register("collection_vectors", "Vectors, by collection and name", vectors);
    registry.register("collections_vector_total", "Vectors of all collections", all_vectors);
}

/// What Linux says of this process; nothing elsewhere.
fn register_process(registry: &mut Registry) {
    let Ok(status) = std::fs::read_to_string("/proc/self/status") else { return };
    let number = |key: &str| {
        let line = status.lines().find_map(|line| line.strip_prefix(key))?;
        line.trim_start_matches(':').split_whitespace().next()?.parse::<i64>().ok()
    };
    let mut gauge = |name: &str, help: &str, value: Option<i64>| {
        if let Some(value) = value {
            let gauge: Gauge = Gauge::default();
            gauge.set(value);
            registry.register(name, help, gauge);
        }
    };
    gauge("memory_resident_bytes", "Memory in RAM", number("VmRSS").map(|kilobytes| kilobytes * 1024));
    gauge("process_threads", "Threads", number("Threads"));
    let open = std::fs::read_dir("/proc/self/fd").ok().map(|files| files.count() as i64);
    gauge("process_open_fds", "Open files and connections", open);
}
