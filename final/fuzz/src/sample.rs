//! A small collection with something of everything, in memory: a sealed segment with tombstones and every kind of graph
//! and codes, and rows that only the log has. Inputs are tried on copies of it.

use std::{
    path::{Path, PathBuf},
    sync::{Arc, OnceLock},
    time::Duration,
};

use kith::{
    collection::{Database, Options, Selector, Write},
    disk::{Store, fault::FaultStore},
    hnsw::HnswConfig,
    point::{Payload, Point, PointId, Vector},
    schema::{CollectionSchema, FieldIndex, FieldKind, Quantization, VectorSchema},
    vector::Metric,
};

/// The data directory.
pub const DATA: &str = "data";

/// The collection's name.
pub const NAME: &str = "c";

/// How many rows the sealed segment has.
pub const SEALED_ROWS: u32 = 12;

/// The vectors: two too short for codes, one whose graph has codes of neighbours, and one with codes of its rows.
pub const VECTORS: [(&str, usize, Metric, Quantization); 4] = [
    ("", 4, Metric::Cosine, Quantization::Auto),
    ("v", 2, Metric::Euclid, Quantization::Auto),
    ("near", 32, Metric::Euclid, Quantization::Auto),
    ("lean", 32, Metric::Dot, Quantization::Scalar),
];

/// Where in the payloads each point has one number.
pub const NUMBER: &str = "m";

/// Payloads that filters find something in.
pub const PAYLOADS: [&str; 12] = [
    r#"{"a": "red fox", "n": 1, "tags": ["a", "b"], "at": "2020-01-01T00:00:00Z"}"#,
    r#"{"a": ["red", "fox"], "n": 1.5, "tags": [], "at": "2020-02-30"}"#,
    r#"{"a": "Über Fuchs", "n": -9223372036854775808, "tags": null}"#,
    r#"{"a": 7, "n": 9007199254740993, "place": {"lat": 52.5, "lon": 13.4}}"#,
    r#"{"a": {"b": [{"c": 1}, {"c": 2}]}, "n": [1, 2, 3]}"#,
    r#"{"a": [{"b": 1, "c": null}, {"b": 2}], "n": true}"#,
    "{}",
    r#"{"a": null, "n": 0.0, "place": [{"lat": 0, "lon": 0}, {"lat": -90, "lon": 180}]}"#,
    r#"{"a": "", "n": -0.0, "at": ["1999-12-31T23:59:59.5+01:00", "x"]}"#,
    r#"{"a": [["red fox"]], "n": 1e300, "tags": ["b"]}"#,
    r#"{"a": "fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox red fox", "n": 18446744073709551615}"#,
    r#"{"a": false, "n": "1", "b": [[], {}], "tags": "a"}"#,
];

/// The payloads, read.
pub fn payloads() -> Vec<Payload> {
    PAYLOADS.iter().map(|json| serde_json::from_str(json).expect("the samples are objects")).collect()
}

/// Nothing happens behind the writes' back.
pub fn options() -> Options {
    Options { writer: "fuzz".into(), flush_idle: None, ..Options::default() }
}

/// The collection's folder.
pub fn dir() -> PathBuf {
    Path::new(DATA).join("collections").join(NAME)
}

/// The folder of its sealed segment, the second: the first was sealed in haste.
pub fn segment_dir() -> PathBuf {
    dir().join("segments/000002")
}

/// A store that holds the data directory; nobody else's.
pub fn store() -> FaultStore {
    static PREPARED: OnceLock<FaultStore> = OnceLock::new();
    // What is durable when the power fails is a copy.
    PREPARED.get_or_init(prepare).crash()
}

/// The definition of the collection.
pub fn schema() -> CollectionSchema {
    let vector = |(name, size, distance, quantization): (&str, _, _, _)| {
        (name.to_owned(), VectorSchema { size, distance, hnsw: None, quantization })
    };
    let index = |kind| FieldIndex { kind, requested: None };
    CollectionSchema {
        vectors: VECTORS.map(vector).into(),
        hnsw: HnswConfig { m: 4, ef_construct: 16 },
        indexing_threshold: Some(4),
        fields: [
            ("a".into(), index(FieldKind::Text(Default::default()))),
            ("tags".into(), index(FieldKind::Keyword)),
            ("n".into(), index(FieldKind::Integer { lookup: true, range: true })),
        ]
        .into(),
        requested: Payload::new(),
    }
}

fn prepare() -> FaultStore {
    let store = FaultStore::default();
    let shared: Arc<dyn Store> = Arc::new(store.clone());
    // At rest what was sealed is sealed again, and better; but not before the flush.
    let options = Options { flush_idle: Some(Duration::from_secs(3_600)), ..options() };
    let database = Database::open(shared, Path::new(DATA), options).expect("an empty store can be opened");
    let collection = database.create(NAME, schema()).expect("there is none yet");
    let write = |write| collection.write_and_wait(write).expect("the sample is sound");
    let points = |ids: std::ops::Range<u64>| Write::Upsert {
        points: ids.zip(payloads()).map(|(id, payload)| point(id, payload)).collect(),
        mode: Default::default(),
        only_if: None,
    };
    write(points(0..SEALED_ROWS.into()));
    collection.flush().expect("memory has room");
    write(Write::Delete(Selector::Ids(vec![PointId::Num(6)])));
    collection.flush().expect("memory has room");
    write(points(12..15));
    write(Write::Delete(Selector::Ids(vec![PointId::Num(2)])));
    database.close();
    store
}

fn point(id: u64, mut payload: Payload) -> Point {
    let x = id as f32;
    payload.insert(NUMBER.into(), (x / 2.0).into());
    let whole = (String::new(), Vector::Dense(vec![1.0, x, -x, 0.5]));
    let other = id.is_multiple_of(2).then(|| ("v".to_owned(), Vector::Dense(vec![x, 1.0])));
    let wave =
        |name: &str| (name.to_owned(), Vector::Dense((0..32).map(|at| (x * at as f32).sin()).collect()));
    // Every fourth id is a UUID.
    let id = if id % 4 == 3 { PointId::Uuid(u128::from(id) << 64 | 1) } else { PointId::Num(id) };
    Point { id, vectors: [whole, wave("near"), wave("lean")].into_iter().chain(other).collect(), payload }
}
