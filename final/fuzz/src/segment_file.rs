//! Any bytes as one of the files of a sealed segment, or as the manifest: opening says what is wrong, or whatever is
//! asked of the rows then gets an answer or an error.

use std::sync::{Arc, OnceLock, atomic::AtomicBool};

use kith::{
    collection::Collection,
    disk::{Store, fault::FaultStore},
    filter::{Bounds, Condition, Filter, MatchValue, Test, bm25::Bm25Query},
    query::{self, Kind, Query, SearchParams},
    segment::{Sealed, Segment, SegmentView, Snapshot, sealed::read_deletes},
};
use serde_json::Value;

use super::sample;

/// The files an input can be, by the low bits of its first byte.
pub const FILES: [&str; 7] = [
    "ids.bin",
    "vectors.bin",
    "graph.bin",
    "payloads.bin",
    "text.bin",
    "deletes-000002.bin",
    "manifest-000002.json",
];

/// Set in the first byte: the file is taken as it is. Else its checksums are made right first, but not those of
/// `text.bin`, which is tantivy's: what it has not written itself it does not promise to read.
pub const AS_IT_IS: u8 = 0x80;

/// The first byte says which file the rest is.
pub fn run(input: &[u8]) {
    let Some((&which, bytes)) = input.split_first() else { return };
    let name = FILES[usize::from(which & !AS_IT_IS) % FILES.len()];
    let mut bytes = bytes.to_vec();
    let store = sample::store();
    if name.starts_with("manifest") {
        if which & AS_IT_IS == 0 {
            mend_manifest(&mut bytes);
        }
        return open_collection(&store, name, &bytes);
    }
    if which & AS_IT_IS == 0 && name != "text.bin" {
        mend(&mut bytes);
    }
    replace(&store, &sample::segment_dir().join(name), &bytes);
    open_segment(&store);
}

fn replace(store: &FaultStore, path: &std::path::Path, bytes: &[u8]) {
    store.remove(path).expect("memory takes it");
    let mut file = store.create(path).expect("it is gone");
    file.write_all(bytes).and_then(|()| file.flush()).expect("memory has room");
}

fn open_segment(store: &FaultStore) {
    let (dir, rows) = (sample::segment_dir(), sample::SEALED_ROWS);
    let Ok(deleted) = read_deletes(store, &dir.join("deletes-000002.bin"), rows) else { return };
    let Ok(sealed) = Sealed::open(store, &dir, 1, rows) else { return };
    if sealed.check(&sample::schema()).is_err() {
        return;
    }
    let view = SegmentView { segment: Segment::Sealed(Arc::new(sealed)), deleted };
    use_all(&Snapshot::new(Arc::new(sample::schema()), vec![view], 9));
}

fn open_collection(store: &FaultStore, name: &str, bytes: &[u8]) {
    replace(store, &sample::dir().join(name), bytes);
    if let Ok(collection) = Collection::open(Arc::new(store.clone()), &sample::dir(), &sample::options()) {
        use_all(&collection.snapshot());
        let _ = collection.flush();
    }
}

/// Asks for everything there is, in every way; errors are answers.
fn use_all(snapshot: &Snapshot) {
    for (id, address) in snapshot.sorted_from(None) {
        let _ = snapshot.point(address);
        let _ = (snapshot.locate(id), snapshot.version(address));
    }
    let cancel = AtomicBool::new(false);
    let queries = QUERIES.get_or_init(queries);
    for query in queries {
        let _ = query::run(snapshot, query, &cancel);
        if let Some(filter) = &query.filter {
            let _ = query::count(snapshot, Some(filter));
        }
    }
}

static QUERIES: OnceLock<Vec<Query>> = OnceLock::new();

fn queries() -> Vec<Query> {
    let field = |path: &str, test| Condition::Field(path.parse().expect("a path"), test);
    let number = field("n", Test::Range(Bounds::between(0.0, 1e9)));
    let word = field("a", Test::Text("fox".into()));
    let tag = field("tags", Test::Match(MatchValue::Text("a".into())));
    let filters =
        [None, Some(Filter::all([number])), Some(Filter { must_not: vec![tag, word], ..Filter::default() })];
    let mut queries = Vec::new();
    for filter in filters {
        for (using, size) in [("", 4), ("v", 2)] {
            for exact in [false, true] {
                let kind =
                    Kind::Nearest { using: using.into(), vector: vec![0.5; size], except: vec![], mmr: None };
                let params = SearchParams { exact, ..SearchParams::default() };
                queries.push(Query {
                    kind: Some(kind),
                    filter: filter.clone(),
                    params,
                    limit: 3,
                    ..Query::default()
                });
            }
        }
        let words = Kind::Bm25(Bm25Query { query: "red fox".into(), fields: vec![] });
        queries.push(Query { kind: Some(words), filter: filter.clone(), limit: 3, ..Query::default() });
    }
    queries
}

/// Makes the checksums of header, sections and table right, and the table's place in the trailer.
pub fn mend(bytes: &mut [u8]) {
    const ENTRY: usize = 24;
    const TRAILER: usize = 32;
    let len = bytes.len();
    if len < 64 + TRAILER {
        return;
    }
    let header = crc32c::crc32c(&bytes[..60]);
    put(bytes, 60, &header.to_le_bytes());
    put(bytes, len - TRAILER + 8, &(len as u64).to_le_bytes());
    let table = u64_at(bytes, len - TRAILER) as usize;
    if table > len - TRAILER || !(len - TRAILER - table).is_multiple_of(ENTRY) {
        return;
    }
    for entry in (table..len - TRAILER).step_by(ENTRY) {
        let (offset, length) = (u64_at(bytes, entry + 8) as usize, u64_at(bytes, entry + 16) as usize);
        let section = offset.checked_add(length).and_then(|end| bytes.get(offset..end));
        let Some(checksum) = section.map(crc32c::crc32c) else { continue };
        put(bytes, entry + 4, &checksum.to_le_bytes());
    }
    let checksum = crc32c::crc32c(&bytes[table..len - TRAILER]);
    put(bytes, len - TRAILER + 20, &checksum.to_le_bytes());
}

fn put(bytes: &mut [u8], at: usize, what: &[u8]) {
    bytes[at..at + what.len()].copy_from_slice(what);
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    bytes[at..at + 8].iter().rev().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

fn mend_manifest(bytes: &mut Vec<u8>) {
    let Ok(mut envelope) = serde_json::from_slice::<Value>(bytes) else { return };
    let checksum = crc32c::crc32c(envelope["manifest"].to_string().as_bytes());
    let Some(object) = envelope.as_object_mut() else { return };
    object.insert("crc32c".into(), checksum.into());
    *bytes = envelope.to_string().into_bytes();
}
