//! What does one search cost? Through the graph alone, and as a query of the demo's collection.

use std::{
    hint::black_box,
    sync::{Arc, atomic::AtomicBool},
};

use benches::matrix::Matrix;
use criterion::{BenchmarkId, Criterion, criterion_group, criterion_main};
use kith::{
    bitmap::Bitmap,
    collection::{Database, Options},
    demo,
    disk::FsStore,
    embed::Embedder,
    filter::{Condition, Filter, MatchValue, Path, Test, bm25::Bm25Query},
    hnsw::{Build, Graph, HnswConfig, Quality, WalkStats},
    query::{self, Kind, Query},
    vector::{self, Metric, RowScorer},
};

const ROWS: u32 = 20_000;
const DIMENSION: usize = 128;
const QUESTION: &str = "remove duplicates from a sorted list";

fn walks(criterion: &mut Criterion) {
    let all = Matrix::clustered(ROWS as usize + 1_000, DIMENSION).values;
    let (values, queries) = all.split_at(ROWS as usize * DIMENSION);
    let matrix = vector::Matrix::new(DIMENSION, values);
    let build = Build {
        config: HnswConfig::default(),
        seed: 1,
        threads: 2,
        progress: &|| (),
        cancel: &AtomicBool::new(false),
    };
    let mut group = criterion.benchmark_group("search/graph");
    for (name, quality) in [("exact", Quality::Plain), ("estimating", Quality::Coded)] {
        let graph = Graph::of_rows(Metric::Euclid, matrix, &Bitmap::full(ROWS), &build, quality)
            .expect("the default settings are possible");
        for ef in [16, 64, 128] {
            let mut queries = queries.chunks_exact(DIMENSION).cycle();
            group.bench_function(BenchmarkId::new(name, ef), |bencher| {
                bencher.iter(|| {
                    let query = queries.next().expect("a cycle does not end");
                    let scorer = RowScorer::new(Metric::Euclid, query, matrix);
                    graph.search(&scorer, Some(query), 10, ef, None, &mut WalkStats::default())
                });
            });
        }
    }
}

fn questions(criterion: &mut Criterion) {
    let folder = tempfile::tempdir().expect("there is room for a scratch folder");
    let database = Database::open(Arc::new(FsStore), folder.path(), Options::default()).expect("it is new");
    demo::load(&database).expect("the demo's data is compiled in");
    let snapshot = database.get(demo::COLLECTION).expect("it was just made").snapshot();
    let vector = Embedder::builtin().embed(QUESTION);
    let near = Kind::Nearest { using: String::new(), vector, except: Vec::new(), mmr: None };
    let words = Kind::Bm25(Bm25Query { query: QUESTION.to_string(), fields: vec![Path::key("text")] });
    let method = Test::Match(MatchValue::Text("method".to_string()));
    let methods = Filter::all([Condition::Field(Path::key("kind"), method)]);
    let query = |kind: &Kind| Query { kind: Some(kind.clone()), limit: 10, ..Query::default() };
    let cases = [
        ("vector", query(&near)),
        ("vector, filtered", Query { filter: Some(methods), ..query(&near) }),
        ("words", query(&words)),
    ];
    let mut group = criterion.benchmark_group("search/demo");
    for (name, query) in &cases {
        group.bench_function(*name, |bencher| {
            bencher.iter(|| {
                query::run(&snapshot, black_box(query), &AtomicBool::new(false)).expect("the query is sound")
            });
        });
    }
    group.bench_function("embed the question", |bencher| {
        bencher.iter(|| Embedder::builtin().embed(black_box(QUESTION)));
    });
}

criterion_group!(benches, walks, questions);
criterion_main!(benches);
