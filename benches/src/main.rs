//! The process in which Kith is measured: one command per line of standard input, as JSON, one answer per line of
//! standard output. `peers/kith.py` drives it, so that Kith and other systems take turns in one run.
//!
//! ```text
//! {"do": "demo", "items": "items.fbin", "questions": "questions.fbin", "scratch": "folder"}
//! {"do": "build", "dir": "folder", "base": "base.fbin", "settings": {"metric": "Euclid", "indexing_threshold": 1000}}
//! {"do": "open", "dir": "folder"}
//! {"do": "close"}
//! {"do": "search", "queries": "queries.fbin", "search": {"k": 10, "ef": 64, "passes": 1}, "answers": "found.ibin"}
//! {"do": "resident"}
//! {"do": "http_ingest", "target": {"address": "127.0.0.1:1", "path": "/collections/c", "connections": 2}, "base": "base.fbin", "batch": 100}
//! {"do": "mirror"}
//! {"do": "http_search", "target": …, "queries": "queries.fbin", "k": 10, "ef": 64, "answers": "found.ibin"}
//! {"do": "http_post", "target": …, "bodies": "bodies.jsonl", "answers": "answers.jsonl"}
//! ```
//! An answer is an object; one that failed has the one key `error`.

use std::{
    fs,
    io::{self, BufRead, Write},
    path::PathBuf,
};

use benches::{
    Result,
    clock::{self, Stopwatch},
    engine, http,
    matrix::{Matrix, write_lists},
    mirror,
};
use kith::collection::Collection;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

#[derive(Debug, Deserialize)]
#[serde(tag = "do", rename_all = "snake_case")]
enum Command {
    Demo { items: PathBuf, questions: PathBuf, scratch: PathBuf },
    Build { dir: PathBuf, base: PathBuf, settings: engine::Settings },
    Open { dir: PathBuf },
    Close,
    Search { queries: PathBuf, search: engine::Search, answers: PathBuf },
    Resident,
    Mirror,
    HttpIngest { target: http::Target, base: PathBuf, batch: usize },
    HttpSearch { target: http::Target, queries: PathBuf, k: usize, ef: usize, answers: PathBuf },
    HttpPost { target: http::Target, bodies: PathBuf, answers: PathBuf },
}

fn main() -> Result<()> {
    let mut collection = None;
    for line in io::stdin().lock().lines() {
        let answer = serde_json::from_str(&line?)
            .map_err(Into::into)
            .and_then(|command| run(command, &mut collection))
            .unwrap_or_else(|error| json!({"error": error.to_string()}));
        let mut out = io::stdout().lock();
        writeln!(out, "{answer}")?;
        out.flush()?;
    }
    Ok(())
}

fn run(command: Command, current: &mut Option<Collection>) -> Result<Value> {
    match command {
        Command::Demo { items, questions, scratch } => {
            let (base, asked) = engine::demo_vectors(&scratch)?;
            base.write(&items)?;
            asked.write(&questions)?;
            answer(json!({}))
        }
        Command::Build { dir, base, settings } => {
            let (collection, built) = engine::build(&dir, &Matrix::read(&base)?, &settings)?;
            *current = Some(collection);
            answer(built)
        }
        Command::Open { dir } => {
            let watch = Stopwatch::start()?;
            *current = Some(engine::open(&dir)?);
            answer(watch.elapsed()?)
        }
        Command::Close => {
            *current = None;
            answer(json!({}))
        }
        Command::Search { queries, search, answers } => {
            let collection = current.as_ref().ok_or("no collection was built or opened")?;
            let (searched, found) = engine::search(collection, &Matrix::read(&queries)?, &search)?;
            write_lists(&answers, search.k, &found)?;
            answer(searched)
        }
        Command::Resident => answer(clock::resident()?),
        Command::Mirror => answer(json!({"address": mirror::serve()?})),
        Command::HttpIngest { target, base, batch } => {
            answer(http::ingest(&target, &Matrix::read(&base)?, batch)?)
        }
        Command::HttpSearch { target, queries, k, ef, answers } => {
            let (loaded, found) = http::search(&target, &Matrix::read(&queries)?, k, ef)?;
            write_lists(&answers, k, &found)?;
            answer(loaded)
        }
        Command::HttpPost { target, bodies, answers } => {
            let (loaded, found) = http::post(&target, &fs::read_to_string(&bodies)?)?;
            fs::write(&answers, found.join(&b'\n'))?;
            answer(loaded)
        }
    }
}

fn answer(value: impl Serialize) -> Result<Value> {
    Ok(serde_json::to_value(value)?)
}
