//! How do clients talk to Kith? In HTTP and JSON: `wire` knows the shapes, the other files are the endpoints.

pub mod collections;
pub mod points;
pub mod reject;
pub mod wire;

use std::{
    collections::BTreeMap,
    io,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use axum::{
    Router,
    routing::{get, post, put},
};
use tokio::net::TcpListener;

use crate::{
    collection::Collection,
    error::{Error, Result},
};

/// What the endpoints share. A clone is another handle on the same collections.
#[derive(Clone, Default)]
pub struct App {
    // `Arc`: every request holds the map. `Mutex`: one at a time looks into it.
    collections: Arc<Mutex<BTreeMap<String, Collection>>>,
}

impl App {
    /// Takes the lock on all collections; it is given back where the guard goes out of scope.
    fn lock(&self) -> MutexGuard<'_, BTreeMap<String, Collection>> {
        // The lock is poisoned if a handler panicked while it held it; a map of collections is valid even then.
        let guard = self.collections.lock();
        guard.unwrap_or_else(PoisonError::into_inner)
    }

    /// Runs a job on the collection of this name, alone.
    fn with<T>(&self, name: &str, job: impl FnOnce(&mut Collection) -> Result<T>) -> Result<T> {
        // For `ok_or_else`, which makes the error of a `None` by a closure.
        let missing = || Error::not_found(format!("Collection `{name}` doesn't exist!"));
        // The lock is given back at the end of the function.
        let mut collections = self.lock();
        job(collections.get_mut(name).ok_or_else(missing)?)
    }
}

/// All routes.
pub fn router(app: App) -> Router {
    let points = put(points::upsert).post(points::retrieve);
    let delete = post(points::delete);
    Router::new()
        .route("/collections", get(collections::list))
        .route("/collections/{collection}", put(collections::create))
        .route("/collections/{collection}/points", points)
        .route("/collections/{collection}/points/delete", delete)
        .with_state(app)
}

/// Serves until `stop` is done, then finishes the requests in flight.
pub async fn run(
    listener: TcpListener,
    stop: impl Future<Output = ()> + Send + 'static,
) -> io::Result<()> {
    let server = axum::serve(listener, router(App::default()));
    server.with_graceful_shutdown(stop).await
}
