//! What does it look like with something in it? The documentation of Rust's standard library, ready to be searched.
//!
//! The items and the embedder are in the binary, so the demo needs no network and no model. It fills the collection
//! [`COLLECTION`] once; later runs find it there.

use std::{
    fmt::Write as _,
    io::{self, Read},
    net::SocketAddr,
    sync::atomic::AtomicBool,
};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::{Value, json};

use crate::{
    collection::{Collection, Database, UpsertMode, Write},
    embed::{Embedder, MODEL},
    error::{Error, Result},
    filter::{Path, bm25::Bm25Query},
    hnsw::HnswConfig,
    point::{Payload, Point, PointId, Vector},
    query::{self, Kind, Query},
    schema::{CollectionSchema, VectorSchema},
    segment::Snapshot,
    vector::Metric,
};

/// The demo's collection.
pub const COLLECTION: &str = "rust-std";

/// What the demo asks, to show its answers.
const QUESTIONS: [&str; 3] =
    ["share data between threads", "wait for another thread to finish", "read a whole file into a string"];

/// Points per write: large enough that an fsync is shared, small enough that the bar moves.
const BATCH: usize = 256;

/// How many hits of each kind are fused, and how many of the fused ones are shown.
const FUSED: usize = 100;
const SHOWN: usize = 3;

static ITEMS: &[u8] = include_bytes!("../data/items.jsonl.lz4");

/// Fills the demo's collection unless it is there and whole; says how many points it has.
pub fn load(database: &Database) -> Result<u64> {
    let items = items()?;
    let collection = match database.get(COLLECTION) {
        Ok(collection) => collection,
        Err(Error::NotFound(_)) => database.create(COLLECTION, schema())?,
        Err(error) => return Err(error),
    };
    let found = collection.snapshot().points();
    if found >= items.len() as u64 {
        return Ok(found);
    }
    fill(&collection, items)?;
    Ok(collection.snapshot().points())
}

fn fill(collection: &Collection, items: Vec<Payload>) -> Result<()> {
    let style = ProgressStyle::with_template("{msg} {bar:40} {pos}/{len} items, {elapsed}")
        .map_err(|error| Error::bad_request(error.to_string()))?;
    let bar = ProgressBar::new(items.len() as u64).with_style(style).with_message("embedding and writing");
    let embedder = Embedder::builtin();
    let mut points = Vec::with_capacity(BATCH);
    let write = |points: &mut Vec<Point>| {
        bar.inc(points.len() as u64);
        let points = std::mem::take(points);
        collection.write_and_wait(Write::Upsert { points, mode: UpsertMode::Upsert, only_if: None })
    };
    for (number, payload) in (1..).zip(items) {
        let vector =
            Vector::Dense(embedder.embed(&item_text(field(&payload, "path"), field(&payload, "summary"))));
        points.push(Point { id: PointId::Num(number), vectors: [(String::new(), vector)].into(), payload });
        if points.len() == BATCH {
            write(&mut points)?;
        }
    }
    write(&mut points)?;
    bar.set_message("building the graph and the text index");
    collection.flush()?;
    bar.finish_with_message("done:");
    Ok(())
}

fn schema() -> CollectionSchema {
    let size = Embedder::builtin().dimension();
    let vector =
        VectorSchema { size, distance: Metric::Cosine, hnsw: None, quantization: Default::default() };
    let requested = json!({"vectors": {"size": size, "distance": "Cosine"}, "metadata": {"model": MODEL}});
    CollectionSchema {
        vectors: [(String::new(), vector)].into(),
        hnsw: HnswConfig::default(),
        indexing_threshold: Some(1_000),
        fields: Default::default(),
        requested: requested.as_object().cloned().unwrap_or_default(),
    }
}

/// The items as payloads, each with the text that is searched by words.
fn items() -> Result<Vec<Payload>> {
    let mut json = String::new();
    let mut decoder = lz4_flex::frame::FrameDecoder::new(ITEMS);
    decoder
        .read_to_string(&mut json)
        .map_err(|error: io::Error| Error::corrupt(format!("the items: {error}")))?;
    let item = |line: &str| {
        let mut payload: Payload =
            serde_json::from_str(line).map_err(|error| Error::corrupt(format!("an item: {error}")))?;
        let text = search_text(&payload);
        payload.insert("text".to_string(), text.into());
        Ok(payload)
    };
    json.lines().map(item).collect()
}

/// The path as it is written, the text that is embedded, and what the documentation goes on to say.
fn search_text(item: &Payload) -> String {
    let path = field(item, "path");
    let text = item_text(path, field(item, "summary"));
    [path, &text, field(item, "details"), field(item, "example")].join(" ").trim_end().to_string()
}

/// The text of an item, as `data/README.md` defines it: the words of its path, then its summary.
fn item_text(path: &str, summary: &str) -> String {
    let mut words = String::new();
    let mut before = ' ';
    for letter in path.strip_prefix("std::").unwrap_or(path).chars() {
        let divides = matches!(letter, ':' | '_' | ' ');
        let humps = letter.is_ascii_uppercase() && (before.is_ascii_lowercase() || before.is_ascii_digit());
        if (divides || humps) && !words.ends_with(' ') {
            words.push(' ');
        }
        if !divides {
            words.extend(letter.to_lowercase());
        }
        before = letter;
    }
    format!("{words}: {summary}")
}

/// Asks a few questions by vector and by words, and shows the fused answers.
pub fn examples(database: &Database) -> Result<String> {
    let snapshot = database.get(COLLECTION)?.snapshot();
    let mut text = String::new();
    for question in QUESTIONS {
        let answer = query::run(&snapshot, &hybrid(question), &AtomicBool::new(false))?;
        // Writing to a string does not fail.
        let _ = writeln!(text, "\n  {question}?");
        for hit in answer.hits {
            let (path, summary) = shown(&snapshot, &hit)?;
            let _ = writeln!(text, "    {path:<32} {summary}");
        }
    }
    Ok(text)
}

fn hybrid(question: &str) -> Query {
    let vector = Embedder::builtin().embed(question);
    let nearest = Kind::Nearest { using: String::new(), vector, except: Vec::new(), mmr: None };
    let words = Kind::Bm25(Bm25Query { query: question.to_string(), fields: vec![Path::key("text")] });
    let prefetch = |kind| Query { kind: Some(kind), limit: FUSED, ..Query::default() };
    Query {
        kind: Some(Kind::Rrf { k: 2, weights: Vec::new() }),
        prefetch: vec![prefetch(nearest), prefetch(words)],
        limit: SHOWN,
        ..Query::default()
    }
}

fn shown(snapshot: &Snapshot, hit: &query::Hit) -> Result<(String, String)> {
    let payload = snapshot.payload(hit.address)?;
    let summary: String = field(&payload, "summary").chars().take(80).collect();
    Ok((field(&payload, "path").to_string(), summary))
}

/// A field of an item; empty if it is null.
fn field<'a>(item: &'a Payload, name: &str) -> &'a str {
    item.get(name).and_then(Value::as_str).unwrap_or_default()
}

/// What to do next, once the server listens there.
pub fn invitation(address: SocketAddr) -> String {
    format!(
        "\nConsole: http://{address}/dashboard/#/search?c={COLLECTION}\n\nSearch by hand:\n  curl http://{address}/collections/{COLLECTION}/points/query -H 'content-type: application/json' \
         -d '{{\"query\": {{\"text\": \"sort a vector\", \"model\": \"{MODEL}\"}}, \"limit\": 3, \"with_payload\": [\"path\", \"summary\"]}}'\n\nCtrl-C stops the server; the data stays."
    )
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::{collection::Options, disk::FsStore};

    #[test]
    fn the_text_of_an_item_is_its_words_and_its_summary() {
        assert_eq!(
            item_text("std::collections::HashMap::get_mut", "Returns."),
            "collections hash map get mut: Returns."
        );
        assert_eq!(item_text("i32::MAX", "The largest."), "i32 max: The largest.");
        assert_eq!(item_text("slice::sort", ""), "slice sort: ");
    }

    /// The paths of a ranked list, each once.
    fn paths(snapshot: &Snapshot, query: &Query) -> Vec<String> {
        let answer = query::run(snapshot, query, &AtomicBool::new(false)).unwrap();
        let path = |hit: &query::Hit| shown(snapshot, hit).unwrap().0;
        answer.hits.iter().map(path).collect()
    }

    /// Answers of the whole engine to the question table of `data/`, as `data/README.md` reports them from Python.
    #[test]
    fn questions_find_their_items() {
        let dir = tempfile::tempdir().unwrap();
        let database = Database::open(Arc::new(FsStore), dir.path(), Options::default()).unwrap();
        load(&database).unwrap();
        let snapshot = database.get(COLLECTION).unwrap().snapshot();
        let (mut alone, mut words, mut fused, mut anywhere, mut found, mut asked) = (0, 0, 0, 0, 0, 0);
        for line in include_str!("../data/questions.jsonl").lines() {
            let question: Value = serde_json::from_str(line).unwrap();
            let answers: Vec<&str> =
                question["paths"].as_array().unwrap().iter().map(|path| path.as_str().unwrap()).collect();
            let query = Query { limit: 5, ..hybrid(question["question"].as_str().unwrap()) };
            let hit = |query: &Query| {
                let found = paths(&snapshot, query);
                u32::from(found.iter().any(|path| answers.contains(&path.as_str())))
            };
            let [near, by_words] = [0, 1].map(|leaf| Query { limit: 5, ..query.prefetch[leaf].clone() });
            (alone, words, fused) = (alone + hit(&near), words + hit(&by_words), fused + hit(&query));
            // As the console asks, which knows no field's name.
            let mut everywhere = query.clone();
            if let Some(Kind::Bm25(words)) = &mut everywhere.prefetch[1].kind {
                words.fields.clear();
            }
            anywhere += hit(&everywhere);
            let near = Query { limit: 10, ..near };
            let mut exact = near.clone();
            exact.params.exact = true;
            let rows = |query| query::run(&snapshot, query, &AtomicBool::new(false)).unwrap().hits;
            let truth = rows(&exact);
            found += rows(&near)
                .iter()
                .filter(|hit| truth.iter().any(|true_hit| true_hit.score <= hit.score))
                .count();
            asked += 1;
        }
        let share = |count: u32| f64::from(count) / f64::from(asked);
        println!("hit@5: vectors {:.3}, words {:.3}, fused {:.3}", share(alone), share(words), share(fused));
        println!("hit@5: fused, with the words of every field {:.3}", share(anywhere));
        let recall = found as f64 / f64::from(10 * asked);
        println!("recall@10 of the graph: {recall:.4}");
        // The graph is built in parallel, so a question or two may go either way.
        assert!(share(alone) >= 0.68 && share(words) >= 0.60 && share(fused) >= 0.75);
        assert!(share(anywhere) >= 0.72);
        assert!(recall > 0.95, "{recall}");
    }

    #[test]
    fn the_items_are_whole() {
        let items = items().unwrap();
        assert!(items.len() > 6_000, "{}", items.len());
        assert!(items.iter().all(|item| item.contains_key("path") && item.contains_key("summary")));
    }
}
