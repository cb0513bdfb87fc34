//! What the fuzzer found worth keeping (`final/fuzz`) goes through the same functions again: none of it makes Kith
//! panic, hang or contradict itself.

#[path = "../fuzz/src/lib.rs"]
pub mod fuzz;

use std::{fs, path::Path};

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
