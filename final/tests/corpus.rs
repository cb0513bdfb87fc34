//! What the fuzzer found worth keeping (`final/fuzz`) goes through the same functions again: none of it makes Kith
//! panic, hang or contradict itself.

#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

use std::{fs, path::Path};

use kith::{
    quantize::{Precision, RowCodes},
    segment::Sealed,
};

/// For a while the sample's vectors were too short for codes: neither these nor the walks that go by them were fuzzed.
#[test]
fn the_sample_has_every_kind_of_graph_and_codes() {
    let (store, rows) = (fuzz::sample::store(), fuzz::sample::SEALED_ROWS);
    let sealed = Sealed::open(&store, &fuzz::sample::segment_dir(), 2, rows).expect("the sample is sound");
    let of = |name| sealed.vector(name).expect("a row has it");
    let codes = |name| of(name).codes().map(RowCodes::precision);
    let dimension = |name| of(name).graph().expect("every vector has a graph").dimension();
    assert_eq!(
        [dimension(""), dimension("v"), dimension("near"), dimension("lean")],
        [None, None, Some(32), None]
    );
    assert_eq!(
        [codes("v"), codes("near"), codes("lean")],
        [None, Some(Precision::Binary), Some(Precision::Scalar)]
    );
}

fn replay(name: &str) {
    let (name, run) = *fuzz::TARGETS.iter().find(|(target, _)| *target == name).expect("a target");
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(name);
    let mut inputs: Vec<_> =
        fs::read_dir(&folder).expect("a corpus").map(|entry| entry.expect("a file").path()).collect();
    inputs.sort();
    assert!(inputs.len() > 10, "{} has {} inputs", folder.display(), inputs.len());
    for input in inputs {
        let bytes = fs::read(&input).expect("an input");
        // Printed by the test runner if it fails.
        println!("{}", input.display());
        run(&bytes);
    }
}

#[test]
fn wal_record() {
    replay("wal_record");
}

#[test]
fn segment_file() {
    replay("segment_file");
}

#[test]
fn filter_json() {
    replay("filter_json");
}

#[test]
fn request_body() {
    replay("request_body");
}
