use std::{path::PathBuf, sync::Arc};

use super::*;
use crate::{
    collection::{Collection, Options, Write},
    disk::fault::FaultStore,
    point::{Point, PointId, Vector},
    schema::VectorSchema,
    segment::{
        Costs,
        indexed::{GRAPH_VERSION, GraphEntry},
    },
    vector::Metric,
};

fn schema(size: usize) -> CollectionSchema {
    let vector =
        VectorSchema { size, distance: Metric::Euclid, hnsw: None, quantization: Default::default() };
    CollectionSchema {
        vectors: [(String::new(), vector)].into(),
        hnsw: Default::default(),
        indexing_threshold: None,
        fields: Default::default(),
        requested: Default::default(),
    }
}

/// The folder of a segment of two rows with so many numbers each.
fn sealed(store: &FaultStore, size: usize) -> PathBuf {
    let dir = PathBuf::from(format!("data/{size}"));
    let options = Options { flush_idle: None, ..Options::default() };
    let collection = Collection::create(Arc::new(store.clone()), &dir, schema(size), &options).unwrap();
    let point = |id| Point {
        id: PointId::Num(id),
        vectors: [(String::new(), Vector::Dense(vec![0.5; size]))].into(),
        payload: Default::default(),
    };
    let points = vec![point(1), point(2)];
    collection.write_and_wait(Write::Upsert { points, mode: Default::default(), only_if: None }).unwrap();
    collection.flush().unwrap();
    dir.join("segments/000001")
}

fn replace(store: &FaultStore, path: &Path, bytes: &[u8]) {
    store.remove(path).unwrap();
    let mut file = store.create(path).unwrap();
    file.write_all(bytes).and_then(|()| file.flush()).unwrap();
}

/// A `vectors.bin` from another collection is sound in itself. With rows of another length than the schema's, it was
/// opened, and the first search panicked in the middle of a distance.
#[test]
fn vectors_of_another_collection_are_refused() {
    let store = FaultStore::default();
    let (two, three) = (sealed(&store, 2), sealed(&store, 3));
    let other = store.read(&three.join("vectors.bin")).unwrap();
    Sealed::open(&store, &two, 1, 2).unwrap().check(&schema(2)).unwrap();
    replace(&store, &two.join("vectors.bin"), &other);
    let error = Sealed::open(&store, &two, 1, 2).unwrap().check(&schema(2)).unwrap_err().to_string();
    assert!(error.contains("has 3 numbers, and the collection says 2"), "{error}");
}

/// So was a `graph.bin` with the graph of a vector that the segment has not; the search looked for its rows.
#[test]
fn a_graph_without_vectors_is_refused() {
    let store = FaultStore::default();
    let dir = sealed(&store, 2);
    let path = dir.join("graph.bin");
    store.remove(&path).unwrap();
    let mut file = FileWriter::create(&store, &path, Kind::Graph, GRAPH_VERSION).unwrap();
    file.begin(0).unwrap();
    let costs = Costs::guess(2);
    let entries =
        [GraphEntry { name: "other".into(), hasty: false, costs, quantization: Default::default() }];
    file.write(&serde_json::to_vec(&entries).unwrap()).unwrap();
    file.finish().unwrap();
    let error = Sealed::open(&store, &dir, 1, 2).unwrap_err().to_string();
    assert!(error.contains("a graph of \"other\", which has no vectors"), "{error}");
}
