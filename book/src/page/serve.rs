//! How does an author see a page while writing it? The book is built, served on 127.0.0.1, built again when a file
//! changes, and every open page loads itself anew.
//!
//! A page asks `/~live?seen=N` what has happened since build N; the answer waits until there is one. A build that fails
//! leaves the last good one in place, and the page shows what is wrong. Not for publishing: the pages do nothing here
//! that files do not do.

use std::{
    io,
    path::{Component, Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use axum::{
    Router,
    extract::{RawQuery, State},
    http::{StatusCode, Uri, header},
    response::{Html, IntoResponse, Response},
    routing::get,
};
use notify::{RecommendedWatcher, RecursiveMode, Watcher};
use tokio::{
    net::TcpListener,
    sync::{mpsc, watch},
};

use super::build::{FRAME, Site, build};
use crate::fault::{Fault, Result};

/// The outcome of the newest build.
#[derive(Debug, Clone)]
struct Live {
    /// How many builds there were.
    build: u64,
    /// What the newest one that succeeded has made.
    html: Option<PathBuf>,
    fault: Option<String>,
}

type Lives = Arc<watch::Sender<Live>>;

/// Serves the book on `127.0.0.1:port` until the process ends; builds go into two folders below `target`, in turn.
pub fn serve(site: &Site, target: &Path, port: u16) -> Result<()> {
    let runtime = tokio::runtime::Builder::new_multi_thread()
        .worker_threads(2)
        .enable_all()
        .build()
        .map_err(|error| Fault::new("serve", 0, error.to_string()))?;
    runtime.block_on(run(site, target, port))
}

async fn run(site: &Site, target: &Path, port: u16) -> Result<()> {
    let failed = |error: io::Error| Fault::new(format!("127.0.0.1:{port}"), 0, error.to_string());
    let listener = TcpListener::bind(("127.0.0.1", port)).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    let lives: Lives = Arc::new(watch::Sender::new(Live { build: 0, html: None, fault: None }));
    let (changed, mut changes) = mpsc::unbounded_channel();
    let _watcher = watcher(site, changed)?;
    rebuild(site, target, &lives).await;
    println!("the book is on http://{address}");
    let router = Router::new().route("/~live", get(live)).fallback(file).with_state(lives.clone());
    let builds = async {
        while changes.recv().await.is_some() {
            // An editor touches a file more than once when it saves.
            tokio::time::sleep(Duration::from_millis(100)).await;
            while changes.try_recv().is_ok() {}
            rebuild(site, target, &lives).await;
        }
    };
    tokio::select! {
        served = axum::serve(listener, router) => served.map_err(failed),
        () = builds => Ok(()),
    }
}

/// Tells of every change to what the book is made of.
fn watcher(site: &Site, changed: mpsc::UnboundedSender<()>) -> Result<RecommendedWatcher> {
    let failed = |error: notify::Error| Fault::new("serve", 0, format!("changes can't be watched: {error}"));
    let mut watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
        // A build reads the files; that is no change.
        if event.is_ok_and(|event| !event.kind.is_access()) {
            let _ = changed.send(());
        }
    })
    .map_err(failed)?;
    let frame = Path::new(FRAME);
    for folder in [site.posts(), frame.join("theme")] {
        watcher.watch(&folder, RecursiveMode::Recursive).map_err(failed)?;
    }
    watcher.watch(&frame.join("book.toml"), RecursiveMode::NonRecursive).map_err(failed)?;
    Ok(watcher)
}

/// Builds into the folder that is not being served, and tells the pages.
async fn rebuild(site: &Site, target: &Path, lives: &Lives) {
    let [first, second] = ["serve-1", "serve-2"].map(|name| target.join(name));
    let html = if lives.borrow().html.as_ref() == Some(&first) { second } else { first };
    let (site, folder) = (site.clone(), html.clone());
    let built = tokio::task::spawn_blocking(move || build(&site, &folder)).await;
    let fault = match built {
        Ok(Ok(())) => None,
        Ok(Err(fault)) => Some(fault.to_string()),
        Err(panic) => Some(panic.to_string()),
    };
    match &fault {
        None => println!("built"),
        Some(fault) => eprintln!("{fault}"),
    }
    lives.send_modify(|live| {
        live.build += 1;
        if fault.is_none() {
            live.html = Some(html);
        }
        live.fault = fault;
    });
}

/// Waits for a build that the page has not seen; the answer is its number, and below it what is wrong.
async fn live(State(lives): State<Lives>, RawQuery(query): RawQuery) -> String {
    let seen = query.unwrap_or_default();
    let mut watched = lives.subscribe();
    let news = watched.wait_for(|live| format!("seen={}", live.build) != seen);
    let _ = tokio::time::timeout(Duration::from_secs(25), news).await;
    let live = lives.borrow();
    format!("{}\n{}", live.build, live.fault.as_deref().unwrap_or(""))
}

async fn file(State(lives): State<Lives>, uri: Uri) -> Response {
    let live = lives.borrow().clone();
    let Some(html) = live.html else {
        let words =
            "<!DOCTYPE html><meta charset=UTF-8><title>The book</title><p>No build has succeeded yet.</p>";
        return Html(format!("{words}{}", script(0))).into_response();
    };
    let Some(mut path) = below(&html, uri.path()) else { return StatusCode::BAD_REQUEST.into_response() };
    if path.is_dir() {
        path.push("index.html");
    }
    let (status, path) = match path.is_file() {
        true => (StatusCode::OK, path),
        false => (StatusCode::NOT_FOUND, html.join("404.html")),
    };
    let kind = kind(&path);
    match std::fs::read(&path) {
        Ok(bytes) if kind.starts_with("text/html") => {
            let page =
                String::from_utf8_lossy(&bytes).replace("</body>", &format!("{}</body>", script(live.build)));
            (status, Html(page)).into_response()
        }
        Ok(bytes) => (status, [(header::CONTENT_TYPE, kind)], bytes).into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The file that an address names; `None` if it points out of the folder.
fn below(folder: &Path, address: &str) -> Option<PathBuf> {
    let path = Path::new(address.trim_start_matches('/'));
    let plain = path.components().all(|part| matches!(part, Component::Normal(_)));
    plain.then(|| folder.join(path))
}

fn kind(path: &Path) -> &'static str {
    match path.extension().and_then(|extension| extension.to_str()) {
        Some("html") => "text/html; charset=utf-8",
        Some("css") => "text/css; charset=utf-8",
        Some("js") => "text/javascript; charset=utf-8",
        Some("json") => "application/json",
        Some("svg") => "image/svg+xml",
        Some("woff2") => "font/woff2",
        Some("png") => "image/png",
        _ => "application/octet-stream",
    }
}

/// What a served page does besides: ask for news, show what is wrong, load itself anew.
fn script(build: u64) -> String {
    format!("<script>const build = {build};\n{}</script>", include_str!("live.js"))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_stays_in_the_folder() {
        let folder = Path::new("/html");
        assert_eq!(below(folder, "/a/b.html"), Some("/html/a/b.html".into()));
        assert_eq!(below(folder, "/"), Some("/html".into()));
        assert_eq!(below(folder, "//etc/passwd"), Some("/html/etc/passwd".into()));
        for address in ["/../a", "/a/../../b", "/.."] {
            assert_eq!(below(folder, address), None, "{address}");
        }
    }
}
