//! Writes what the fuzzer starts from, into the corpus: the sample's own files, whole, as each target takes them.
//! `cargo run --no-default-features --bin seeds`, when a file's format has changed.

use std::{fs, path::Path};

use kith::disk::Store;
use kith_fuzz::{sample, segment_file};

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let store = sample::store();
    for (which, name) in (0u8..).zip(segment_file::FILES) {
        let folder = if name.ends_with(".json") { sample::dir() } else { sample::segment_dir() };
        let bytes = store.read(&folder.join(name))?;
        seed("segment_file", name, &[&[which], &bytes[..]].concat())?;
        seed(
            "segment_file",
            &format!("{name}-as-it-is"),
            &[&[which | segment_file::AS_IT_IS], &bytes[..]].concat(),
        )?;
    }
    let log = sample::dir().join("wal");
    for name in store.list(&log)? {
        let bytes = store.read(&log.join(&name))?;
        for head in [[0, 0], [0, 1], [128, 1]] {
            seed("wal_record", &format!("{name}-{}-{}", head[0], head[1]), &[&head, &bytes[..]].concat())?;
        }
    }
    Ok(())
}

fn seed(target: &str, name: &str, bytes: &[u8]) -> std::io::Result<()> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    fs::create_dir_all(&folder)?;
    fs::write(folder.join(format!("seed-{name}")), bytes)
}
