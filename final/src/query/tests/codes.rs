//! What is kept of vectors besides their numbers decides what a search costs, never what it is about.

use std::{
    path::Path,
    sync::{Arc, atomic::AtomicBool},
    time::Duration,
};

use rand::{RngExt, SeedableRng, rngs::SmallRng};

use crate::{
    collection::{Alter, Collection, Options, Write},
    disk::fault::FaultStore,
    point::{Point, PointId, Vector},
    quantize::{Precision, RowCodes},
    query::{Answer, CodeParams, Kind, Query, SearchParams, run},
    schema::{CollectionSchema, Quantization, VectorSchema},
    segment::{Segment, SegmentView, Walkable},
    vector::Metric,
};

const ROWS: u64 = 1_500;

/// So many that walking by codes is cheaper than estimating all of them.
const WALKED: u64 = 8_000;
const DIMENSION: usize = 64;

fn vectors(count: u64, seed: u64) -> impl Iterator<Item = Vec<f32>> {
    let mut random = SmallRng::seed_from_u64(seed);
    (0..count).map(move |_| (0..DIMENSION).map(|_| random.random_range(0.0..1.0)).collect())
}

/// A collection at rest, in one segment with a graph.
fn collection(rows: u64, distance: Metric, quantization: Quantization) -> Collection {
    at_rest(vectors(rows, 1), distance, quantization)
}

fn at_rest(rows: impl Iterator<Item = Vec<f32>>, distance: Metric, quantization: Quantization) -> Collection {
    let collection = fresh(rows, distance, quantization);
    collection.flush().unwrap();
    collection
}

/// A collection whose rows are not sealed yet.
fn fresh(rows: impl Iterator<Item = Vec<f32>>, distance: Metric, quantization: Quantization) -> Collection {
    let vector = VectorSchema { size: DIMENSION, distance, hnsw: None, quantization };
    let schema = CollectionSchema {
        vectors: [(String::new(), vector)].into(),
        hnsw: Default::default(),
        indexing_threshold: Some(500),
        fields: Default::default(),
        requested: Default::default(),
    };
    let options = Options { flush_idle: Some(Duration::from_secs(3_600)), ..Options::default() };
    let store = Arc::new(FaultStore::default());
    let collection = Collection::create(store, Path::new("data/codes"), schema, &options).unwrap();
    let point = |(id, values)| Point {
        id: PointId::Num(id),
        vectors: [(String::new(), Vector::Dense(values))].into(),
        payload: Default::default(),
    };
    let points = (0..).zip(rows).map(point).collect();
    collection.write_and_wait(Write::Upsert { points, mode: Default::default(), only_if: None }).unwrap();
    collection
}

fn ask(collection: &Collection, vector: &[f32], exact: bool, codes: CodeParams) -> Answer {
    let query = Query {
        kind: Some(Kind::Nearest {
            using: String::new(),
            vector: vector.to_vec(),
            except: Vec::new(),
            mmr: None,
        }),
        params: SearchParams { exact, codes, ..SearchParams::default() },
        limit: 10,
        ..Query::default()
    };
    run(&collection.snapshot(), &query, &AtomicBool::new(false)).unwrap()
}

/// The share of the nearest that is found, and whether all scores are exact.
fn quality(collection: &Collection, codes: CodeParams) -> (f64, bool) {
    quality_for(vectors(20, 2), collection, codes)
}

fn quality_for(
    queries: impl Iterator<Item = Vec<f32>>,
    collection: &Collection,
    codes: CodeParams,
) -> (f64, bool) {
    let (mut found, mut exact_scores) = (0, true);
    for vector in queries.take(20) {
        let exact = ask(collection, &vector, true, CodeParams::default()).hits;
        for hit in ask(collection, &vector, false, codes).hits {
            match exact.iter().find(|other| other.address == hit.address) {
                Some(other) => {
                    found += 1;
                    exact_scores &= other.score == hit.score;
                }
                None => exact_scores &= exact.iter().all(|other| other.score < hit.score),
            }
        }
    }
    (f64::from(found) / 200.0, exact_scores)
}

fn graphs(collection: &Collection) -> Vec<Walkable> {
    collection.stats().graphs().into_values().collect()
}

#[test]
fn each_quantization_finds_the_nearest() {
    for (rows, quantization, walkable) in [
        (ROWS, Quantization::Auto, Walkable::ByNeighbours),
        (WALKED, Quantization::Lean, Walkable::ByCodes),
        (WALKED, Quantization::Scalar, Walkable::ByCodes),
        (WALKED, Quantization::Binary, Walkable::ByCodes),
        (ROWS, Quantization::Disabled, Walkable::ByRows),
    ] {
        let collection = collection(rows, Metric::Euclid, quantization);
        assert_eq!(graphs(&collection), [walkable], "{quantization:?}");
        let oversampled = CodeParams { oversampling: 30.0, ..CodeParams::default() };
        for codes in [oversampled, CodeParams { ignore: true, ..CodeParams::default() }] {
            let (recall, exact_scores) = quality(&collection, codes);
            assert!(recall > 0.9 && exact_scores, "{quantization:?}, {codes:?}: {recall}");
        }
    }
}

/// Most of them are in a full block, which has codes.
#[test]
fn fresh_rows_are_found_by_their_codes() {
    for quantization in [Quantization::Auto, Quantization::Scalar] {
        let collection = fresh(vectors(9_000, 1), Metric::Cosine, quantization);
        let (recall, exact_scores) = quality(&collection, CodeParams::default());
        assert!(recall > 0.98 && exact_scores, "{quantization:?}: {recall}");
        let explain = ask(&collection, &[0.5; DIMENSION], false, CodeParams::default()).explain.to_text();
        assert!(explain.contains("estimates=9000") && !explain.contains("distances=9000"), "{explain}");
    }
}

fn precision(collection: &Collection) -> Option<Precision> {
    let snapshot = collection.snapshot();
    let [SegmentView { segment: Segment::Sealed(sealed), .. }] = snapshot.segments() else { return None };
    sealed.vector("")?.codes().map(RowCodes::precision)
}

/// Rows in so many narrow groups.
fn groups(count: usize) -> impl Iterator<Item = Vec<f32>> {
    let centres: Vec<_> = vectors(count as u64, 3).collect();
    vectors(ROWS, 4).enumerate().map(move |(row, offsets)| {
        centres[row % count].iter().zip(offsets).map(|(centre, offset)| centre + offset / 50.0).collect()
    })
}

/// Bits tell groups from one another, and a walk then reads all of a small group; within a large one they say nothing.
#[test]
fn a_lean_collection_takes_bytes_where_bits_say_too_little() {
    for (count, expected) in [(30, Precision::Binary), (3, Precision::Scalar)] {
        let collection = at_rest(groups(count), Metric::Euclid, Quantization::Lean);
        assert_eq!((precision(&collection), graphs(&collection)), (Some(expected), vec![Walkable::ByCodes]));
        let (recall, exact_scores) = quality_for(groups(count), &collection, CodeParams::default());
        assert!(recall > 0.95 && exact_scores, "{count} groups: {recall}");
    }
}

#[test]
fn without_rescoring_scores_are_estimates() {
    let codes = CodeParams { rescore: false, ..CodeParams::default() };
    let collection = collection(WALKED, Metric::Dot, Quantization::Binary);
    let (recall, exact_scores) = quality(&collection, codes);
    assert!(!exact_scores && (0.1..0.9).contains(&recall), "{recall}");
}

#[test]
fn lengths_without_direction_have_no_codes() {
    let collection = collection(ROWS, Metric::Manhattan, Quantization::Scalar);
    assert_eq!(graphs(&collection), [Walkable::ByRows]);
    assert!(quality(&collection, CodeParams::default()).0 > 0.9);
}

/// Bytes that somebody had asked for were taken for those that Kith itself chooses where bits say too little: asked for
/// nothing again, the collection stayed as it was.
#[test]
fn other_settings_are_caught_up_with() {
    let collection = collection(ROWS, Metric::Euclid, Quantization::Binary);
    for (quantization, walkable) in [
        (Quantization::Auto, Walkable::ByNeighbours),
        (Quantization::Lean, Walkable::ByCodes),
        (Quantization::Auto, Walkable::ByNeighbours),
        (Quantization::Scalar, Walkable::ByCodes),
        (Quantization::Auto, Walkable::ByNeighbours),
    ] {
        collection.alter_and_wait(Alter::Quantization { vector: String::new(), quantization }).unwrap();
        collection.flush().unwrap();
        assert_eq!(graphs(&collection), [walkable]);
    }
}
