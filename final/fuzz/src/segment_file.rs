//! Any bytes as one of the files of a sealed segment, or as the manifest: opening says what is wrong, or whatever is
//! asked of the rows then gets an answer or an error.

use std::{
    ops::Range,
    path::Path,
    sync::{Arc, OnceLock, atomic::AtomicBool},
};

use kith::{
    collection::Collection,
    disk::{Store, fault::FaultStore},
    filter::{Bounds, Condition, Filter, MatchValue, Test, bm25::Bm25Query},
    hnsw::{Accepted, WalkStats},
    quantize::rescore,
    query::{self, CodeParams, Kind, Query, SearchParams},
    segment::{Sealed, Segment, SegmentView, Snapshot, sealed::read_deletes},
    vector::RowScorer,
};
use serde_json::Value;

use super::sample;

/// The files an input can be, by the low bits of its first byte.
pub const FILES: [&str; 8] = [
    "ids.bin",
    "vectors.bin",
    "graph.bin",
    "payloads.bin",
    "text.bin",
    DELETES,
    "manifest-000004.json",
    "codes.bin",
];

const DELETES: &str = "deletes-000004.bin";

/// Set in the first byte: the file is taken as it is. Else its checksums are made right first, after what tantivy wrote
/// into `text.bin` is put back: what it has not written itself it does not promise to read.
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
    let path = sample::segment_dir().join(name);
    let sound = |bytes: &mut [u8]| name != "text.bin" || put_back(bytes, &store, &path).is_some();
    if which & AS_IT_IS == 0 && sound(&mut bytes) {
        mend(&mut bytes);
    }
    replace(&store, &path, &bytes);
    open_segment(&store);
}

fn replace(store: &FaultStore, path: &Path, bytes: &[u8]) {
    store.remove(path).expect("memory takes it");
    let mut file = store.create(path).expect("it is gone");
    file.write_all(bytes).and_then(|()| file.flush()).expect("memory has room");
}

fn open_segment(store: &FaultStore) {
    let (dir, rows) = (sample::segment_dir(), sample::SEALED_ROWS);
    let Ok(deleted) = read_deletes(store, &dir.join(DELETES), rows) else { return };
    let Ok(sealed) = Sealed::open(store, &dir, 2, rows) else { return };
    if sealed.check(&sample::schema()).is_err() {
        return;
    }
    walk_all(&sealed);
    let view = SegmentView { segment: Segment::Sealed(Arc::new(sealed)), deleted };
    use_all(&Snapshot::new(Arc::new(sample::schema()), vec![view], 9));
}

/// Goes through the graphs in every way: so few rows would be compared one by one.
fn walk_all(sealed: &Sealed) {
    for (name, size, metric, _) in sample::VECTORS {
        let Some(indexed) = sealed.vector(name) else { continue };
        let Some(graph) = indexed.graph() else { continue };
        let (query, stats) = (vec![0.5; size], &mut WalkStats::default());
        let exact = RowScorer::new(metric, &query, indexed.column().matrix());
        for k in [3, 30] {
            graph.search(&exact, None, k, k, None, stats);
            graph.search(&exact, Some(&query), k, k, None, stats);
            let accepted = Accepted { count: 6, contains: &|row| row % 2 == 0 };
            graph.search(&exact, Some(&query), k, k, Some(accepted), stats);
            if let Some(codes) = indexed.codes() {
                let codes = codes.scorer(metric, &query);
                let found = graph.search(&codes, None, k, k, None, stats);
                rescore(&codes, &exact, &found, k);
            }
        }
    }
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
        // One of the queries with the same filter.
        if let (Some(filter), Some(Kind::Bm25(_))) = (&query.filter, &query.kind) {
            let _ = query::count(snapshot, Some(filter));
        }
    }
}

static QUERIES: OnceLock<Vec<Query>> = OnceLock::new();

fn queries() -> Vec<Query> {
    let field = |path: &str, test| Condition::Field(path.parse().expect("a path"), test);
    let number = field("n", Test::Range(Bounds::between(0.0, 1e9)));
    let ranked = field(sample::NUMBER, Test::Range(Bounds::between(1.0, 4.0)));
    let word = field("a", Test::Text("fox".into()));
    let tag = field("tags", Test::Match(MatchValue::Text("a".into())));
    let filters = [
        None,
        Some(Filter::all([number])),
        Some(Filter::all([ranked])),
        Some(Filter { must_not: vec![tag, word], ..Filter::default() }),
    ];
    let estimated = CodeParams { rescore: false, oversampling: 2.0, ..CodeParams::default() };
    let params = [
        SearchParams::default(),
        SearchParams { exact: true, ..SearchParams::default() },
        SearchParams { codes: estimated, ..SearchParams::default() },
    ];
    let mut queries = Vec::new();
    for filter in filters {
        let mut push = |kind, params: &SearchParams| {
            let (filter, params) = (filter.clone(), params.clone());
            queries.push(Query { kind: Some(kind), filter, params, limit: 3, ..Query::default() });
        };
        for (using, size, ..) in sample::VECTORS {
            for params in &params[..if filter.is_none() { params.len() } else { 1 }] {
                let (using, vector) = (using.into(), vec![0.5; size]);
                push(Kind::Nearest { using, vector, except: vec![], mmr: None }, params);
            }
        }
        push(Kind::Bm25(Bm25Query { query: "red fox".into(), fields: vec![] }), &params[0]);
    }
    queries
}

/// Puts tantivy's files back into `text.bin`, as the sample has them. None where they can't be told from the rest.
fn put_back(bytes: &mut [u8], store: &FaultStore, path: &Path) -> Option<()> {
    let sound = store.read(path).expect("the sample has it");
    let files = |bytes: &[u8]| -> Option<Vec<Value>> {
        let (.., contents) = sections(bytes).into_iter().find(|(_, id, _)| *id == 0)?;
        let contents: Value = serde_json::from_slice(bytes.get(contents)?).ok()?;
        Some(contents["files"].as_array()?.clone())
    };
    let expected = files(&sound);
    if files(bytes) != expected {
        return None;
    }
    let tantivys = 1..=expected?.len() as u32;
    for (_, id, place) in sections(&sound).into_iter().filter(|(_, id, _)| tantivys.contains(id)) {
        for (.., found) in sections(bytes).into_iter().filter(|(_, found, _)| *found == id) {
            let found = bytes.get_mut(found).filter(|found| found.len() == place.len())?;
            found.copy_from_slice(&sound[place.clone()]);
        }
    }
    Some(())
}

const ENTRY: usize = 24;
const TRAILER: usize = 32;

/// Where the table has an entry, of which section, and where that lies; perhaps outside of the file.
fn sections(bytes: &[u8]) -> Vec<(usize, u32, Range<usize>)> {
    let Some(end) = bytes.len().checked_sub(TRAILER) else { return Vec::new() };
    let start = u64_at(bytes, end) as usize;
    if start > end || !(end - start).is_multiple_of(ENTRY) {
        return Vec::new();
    }
    let section = |entry: usize| {
        let (offset, len) = (u64_at(bytes, entry + 8) as usize, u64_at(bytes, entry + 16) as usize);
        (entry, u64_at(bytes, entry) as u32, offset..offset.saturating_add(len))
    };
    (start..end).step_by(ENTRY).map(section).collect()
}

/// Makes the checksums of header, sections and table right, and the length in the trailer.
pub fn mend(bytes: &mut [u8]) {
    let len = bytes.len();
    if len < 64 + TRAILER {
        return;
    }
    let header = crc32c::crc32c(&bytes[..60]);
    put(bytes, 60, &header.to_le_bytes());
    put(bytes, len - TRAILER + 8, &(len as u64).to_le_bytes());
    let sections = sections(bytes);
    let table = sections.first().map_or(len - TRAILER, |(entry, ..)| *entry);
    for (entry, _, place) in sections {
        let Some(checksum) = bytes.get(place).map(crc32c::crc32c) else { continue };
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
