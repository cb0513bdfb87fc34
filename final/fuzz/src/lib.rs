//! What is done with bad input? Each module takes any bytes where Kith takes bytes from outside, and panics if Kith
//! does, or if an answer contradicts another.
//!
//! The fuzzer (`fuzz_targets/`) runs these with bytes of its own making; a test of the ordinary gate
//! (`final/tests/corpus.rs`, which includes this file) runs them with the bytes that the fuzzer found worth keeping.

pub mod filter_json;
pub mod request_body;
pub mod sample;
pub mod segment_file;
pub mod wal_record;

/// A target: its name, which is also its corpus' folder, and what it does with an input.
pub type Target = (&'static str, fn(&[u8]));

/// All targets.
pub const TARGETS: [Target; 4] = [
    ("wal_record", wal_record::run),
    ("segment_file", segment_file::run),
    ("filter_json", filter_json::run),
    ("request_body", request_body::run),
];
