//! How is Kith measured in process? Through the paths its server takes: a collection in a folder, batches of points
//! acknowledged as durable, graphs built at the flush, queries planned and run over a snapshot.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, atomic::AtomicBool},
};

use kith::{
    collection::{Collection, Database, Options, UpsertMode, Write},
    demo,
    disk::FsStore,
    embed::Embedder,
    filter::{Bounds, Condition, Filter, Path as Field, Test},
    hnsw::HnswConfig,
    point::{Payload, Point, PointId, Vector},
    query::{self, Kind, Query, SearchParams},
    schema::{CollectionSchema, Quantization, VectorSchema},
    segment::Snapshot,
    vector::Metric,
};
use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    Result,
    clock::{self, Elapsed, Stopwatch},
    matrix::Matrix,
};

/// Points per write.
const BATCH: usize = 1_000;

/// The payload keys that filters are about, one for each column of a point's numbers.
pub const KEYS: [&str; 2] = ["n0", "n1"];

/// How a collection is made.
#[derive(Debug, Clone, Deserialize)]
pub struct Settings {
    /// What "near" means.
    pub metric: Metric,
    /// Links and thoroughness of the graph; Kith's own defaults unless given.
    #[serde(default)]
    pub hnsw: HnswConfig,
    /// What is kept besides the numbers; Kith's own choice unless given.
    #[serde(default)]
    pub quantization: Quantization,
    /// From how many rows on a segment gets a graph.
    pub indexing_threshold: u32,
    /// An `.fbin` file whose row `i` is what point `i` is filtered by: whole numbers, its payload `{"n0": …, "n1": …}`.
    pub numbers: Option<PathBuf>,
}

/// What building took, and what it left.
#[derive(Debug, Serialize)]
pub struct Built {
    /// Until every point was acknowledged, searchable by comparing every row.
    pub acknowledged: Elapsed,
    /// Until every graph was built and nothing was left to merge.
    pub at_rest: Elapsed,
    /// Rows of each segment at rest.
    pub segments: Vec<u32>,
    /// Bytes of all segment files.
    pub disk_bytes: u64,
}

/// Makes a collection of the rows of `base`, row `i` being point `i`, and waits until it is at rest.
pub fn build(dir: &Path, base: &Matrix, settings: &Settings) -> Result<(Collection, Built)> {
    let schema = CollectionSchema {
        vectors: [(
            String::new(),
            VectorSchema {
                size: base.dimension,
                distance: settings.metric,
                hnsw: None,
                quantization: settings.quantization,
            },
        )]
        .into(),
        hnsw: settings.hnsw,
        indexing_threshold: Some(settings.indexing_threshold),
        fields: Default::default(),
        requested: Payload::new(),
    };
    let options = Options::default();
    let collection = Collection::create(Arc::new(FsStore), dir, schema, &options)?;
    let numbers = settings.numbers.as_deref().map(Matrix::read).transpose()?;
    let watch = Stopwatch::start()?;
    let mut next = 0u64;
    for rows in base.values.chunks(BATCH * base.dimension) {
        let points: Vec<Point> = (next..)
            .zip(rows.chunks_exact(base.dimension))
            .map(|(id, row)| point(id, row, numbers.as_ref()))
            .collect();
        next += points.len() as u64;
        collection.write_and_wait(Write::Upsert { points, mode: UpsertMode::Upsert, only_if: None })?;
    }
    let acknowledged = watch.elapsed()?;
    collection.flush()?;
    let at_rest = watch.elapsed()?;
    let stats = collection.stats();
    let segments = stats.segments.iter().map(|segment| segment.rows).filter(|&rows| rows > 0).collect();
    Ok((collection, Built { acknowledged, at_rest, segments, disk_bytes: stats.disk_bytes }))
}

fn point(id: u64, row: &[f32], numbers: Option<&Matrix>) -> Point {
    let own = numbers.and_then(|numbers| numbers.rows().nth(id as usize)).unwrap_or_default();
    let payload: Payload =
        KEYS.iter().zip(own).map(|(key, &number)| (key.to_string(), (number as u64).into())).collect();
    Point { id: PointId::Num(id), vectors: [(String::new(), Vector::Dense(row.to_vec()))].into(), payload }
}

/// Opens the collection in a folder.
pub fn open(dir: &Path) -> Result<Collection> {
    Ok(Collection::open(Arc::new(FsStore), dir, &Options::default())?)
}

/// What is asked for.
#[derive(Debug, Clone, Deserialize)]
pub struct Search {
    /// How many neighbours.
    pub k: usize,
    /// Breadth of the walk; Kith's own default unless given.
    pub ef: Option<usize>,
    /// Compares with every accepted point.
    #[serde(default)]
    pub exact: bool,
    /// Only points whose number is below a limit.
    pub below: Option<Below>,
    /// How often all queries are asked.
    pub passes: usize,
}

/// The points whose number in a column is below a limit.
#[derive(Debug, Clone, Copy, Deserialize)]
pub struct Below {
    /// Which of [`KEYS`].
    pub column: usize,
    /// The first number that is not accepted.
    pub limit: u64,
}

impl Below {
    fn filter(self) -> Result<Filter> {
        let key = KEYS.get(self.column).ok_or_else(|| format!("there is no column {}", self.column))?;
        let bounds = Bounds { lt: Some(self.limit as f64), ..Bounds::default() };
        Ok(Filter::all([Condition::Field(Field::key(*key), Test::Range(bounds))]))
    }
}

/// What searching took.
#[derive(Debug, Serialize)]
pub struct Searched {
    /// Queries asked, all passes together.
    pub queries: usize,
    /// For all of them, one after the other in one thread.
    pub elapsed: Elapsed,
    /// Microseconds on the wall that half of the queries stayed within.
    pub p50_us: f64,
    /// And 99 of 100.
    pub p99_us: f64,
}

/// Asks every query, one at a time; gives the ids found for each as well.
pub fn search(
    collection: &Collection,
    queries: &Matrix,
    wanted: &Search,
) -> Result<(Searched, Vec<Vec<u32>>)> {
    let snapshot = collection.snapshot();
    let filter = wanted.below.map(Below::filter).transpose()?;
    let (mut answers, mut times) = (Vec::new(), Vec::new());
    let watch = Stopwatch::start()?;
    for pass in 0..wanted.passes {
        for row in queries.rows() {
            let (time, found) = clock::timed(|| one(&snapshot, row, filter.as_ref(), wanted));
            times.push(time);
            let found = found?;
            if pass == 0 {
                answers.push(found);
            }
        }
    }
    let elapsed = watch.elapsed()?;
    let (p50_us, p99_us) = percentiles(&mut times);
    Ok((Searched { queries: times.len(), elapsed, p50_us, p99_us }, answers))
}

fn one(snapshot: &Snapshot, row: &[f32], filter: Option<&Filter>, wanted: &Search) -> Result<Vec<u32>> {
    let mut vector = row.to_vec();
    snapshot.schema().prepare_dense("", &mut vector)?;
    let query = Query {
        kind: Some(Kind::Nearest { using: String::new(), vector, except: Vec::new(), mmr: None }),
        filter: filter.cloned(),
        params: SearchParams { exact: wanted.exact, hnsw_ef: wanted.ef, ..SearchParams::default() },
        limit: wanted.k,
        ..Query::default()
    };
    let answer = query::run(snapshot, &query, &AtomicBool::new(false))?;
    let id = |hit: &query::Hit| match snapshot.id(hit.address) {
        PointId::Num(number) => Ok(u32::try_from(number)?),
        PointId::Uuid(_) => Err("a point has an id that was never written".into()),
    };
    answer.hits.iter().map(id).collect()
}

/// The median and the 99th percentile.
pub fn percentiles(times: &mut [f64]) -> (f64, f64) {
    times.sort_unstable_by(f64::total_cmp);
    let at = |share: f64| times.get((times.len() as f64 * share) as usize).copied().unwrap_or(f64::NAN);
    (at(0.5), at(0.99))
}

/// The vectors of the demo's items, and those of the questions about them.
pub fn demo_vectors(scratch: &Path) -> Result<(Matrix, Matrix)> {
    let database = Database::open(Arc::new(FsStore), scratch, Options::default())?;
    demo::load(&database)?;
    let snapshot = database.get(demo::COLLECTION)?.snapshot();
    let vectors = snapshot.sorted_from(None).flat_map(|(_, address)| snapshot.vectors(address).into_values());
    let items: Vec<f32> = vectors.flat_map(|Vector::Dense(values)| values).collect();
    let embedder = Embedder::builtin();
    let mut questions = Vec::new();
    for line in include_str!("../../final/data/questions.jsonl").lines() {
        let question: Value = serde_json::from_str(line)?;
        questions.extend(embedder.embed(question["question"].as_str().ok_or("a question without words")?));
    }
    let dimension = embedder.dimension();
    Ok((Matrix { dimension, values: items }, Matrix { dimension, values: questions }))
}

#[cfg(all(test, target_os = "linux"))]
mod tests {
    use super::*;

    #[test]
    fn what_is_built_is_found() {
        let folder = tempfile::tempdir().unwrap();
        let values = (0..500u16).flat_map(|row| [f32::from(row), f32::from(row % 7)]).collect();
        let base = Matrix { dimension: 2, values };
        let numbers = folder.path().join("numbers.fbin");
        let values = (0..500u16).flat_map(|row| [f32::from(row), f32::from(499 - row)]).collect();
        Matrix { dimension: 2, values }.write(&numbers).unwrap();
        let folder = folder.path().join("collection");
        let settings = Settings {
            metric: Metric::Euclid,
            hnsw: HnswConfig::default(),
            quantization: Quantization::default(),
            indexing_threshold: 100,
            numbers: Some(numbers),
        };
        let (collection, built) = build(&folder, &base, &settings).unwrap();
        assert_eq!(built.segments, [500]);
        drop(collection);
        let collection = open(&folder).unwrap();
        let wanted = Search { k: 1, ef: Some(50), exact: false, below: None, passes: 2 };
        let (searched, answers) = search(&collection, &base, &wanted).unwrap();
        assert_eq!(searched.queries, 1_000);
        assert!((0..500).eq(answers.iter().map(|found| found[0])));
        for (column, accepted) in [[0, 1, 2], [497, 498, 499]].into_iter().enumerate() {
            let below = Some(Below { column, limit: 3 });
            let wanted = Search { below, k: 10, ..wanted.clone() };
            let (_, mut answers) = search(&collection, &base, &wanted).unwrap();
            answers.iter_mut().for_each(|found| found.sort_unstable());
            assert!(answers.iter().all(|found| *found == accepted), "column {column}");
        }
    }
}
