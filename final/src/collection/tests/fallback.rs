//! Opening without the newest manifest: as good as with it, whatever happens next.

use std::sync::Arc;

use serde_json::json;

use super::{
    super::{Collection, Recovery, Selector, Write},
    script::{dir, garble, options, point, schema, shown},
};
use crate::{
    disk::{
        commit::commit,
        fault::{Fault, FaultStore},
    },
    error::{Error, Result},
    point::PointId,
};

fn open(store: &FaultStore) -> Result<Collection> {
    Collection::open(Arc::new(store.clone()), dir(), &options())
}

fn upsert(collection: &Collection, ids: std::ops::Range<u64>) -> Result<()> {
    let points = ids.map(|id| point(PointId::Num(id), 0.5, Default::default())).collect();
    let write = Write::Upsert { points, mode: Default::default(), only_if: None };
    collection.write_and_wait(write).map(|_| ())
}

/// A collection with three manifests and writes behind them, and all its points.
fn lived() -> (FaultStore, String) {
    let store = FaultStore::default();
    let collection = Collection::create(Arc::new(store.clone()), dir(), schema(), &options()).unwrap();
    upsert(&collection, 0..8).unwrap();
    collection.flush().unwrap();
    upsert(&collection, 6..12).unwrap();
    collection.write_and_wait(Write::Delete(Selector::Ids(vec![PointId::Num(1)]))).unwrap();
    collection.flush().unwrap();
    upsert(&collection, 12..14).unwrap();
    let points = shown(&collection.snapshot());
    drop(collection);
    (store, points)
}

#[test]
fn the_power_may_fail_at_every_step_of_it() {
    let (store, expected) = lived();
    garble(&store, "manifest-000003.json").unwrap();
    let go_on = |store: &FaultStore| -> Result<()> {
        let collection = open(store)?;
        assert_eq!(shown(&collection.snapshot()), expected);
        upsert(&collection, 14..15)?;
        collection.flush().map(|_| ())
    };
    let trial = store.crash();
    go_on(&trial).unwrap();
    for step in 0..trial.steps() {
        for fault in [Fault::Error, Fault::Crash] {
            let store = store.crash();
            store.fail_at(step, fault);
            let done = go_on(&store);
            for world in (0..4).map(|seed| store.crash_keeping(seed)).chain([store.crash()]) {
                let found = shown(&open(&world).unwrap().snapshot());
                assert!(found.starts_with(&expected), "{fault:?} at step {step}: {found}");
                assert!(done.is_err() || found != expected, "{fault:?} at step {step} lost the write");
            }
        }
    }
}

#[test]
fn several_damaged_manifests_are_stepped_over() {
    let (store, expected) = lived();
    garble(&store, "manifest-000003.json").unwrap();
    garble(&store, "manifest-000002.json").unwrap();
    let collection = open(&store).unwrap();
    let Recovery { manifest, damaged, .. } = collection.recovery();
    assert!(*manifest == 1 && damaged.as_ref().is_some_and(|text| text.contains("manifest-000003.json")));
    assert_eq!(shown(&collection.snapshot()), expected);
    drop(collection);
    garble(&store, "manifest-000001.json").unwrap();
    garble(&store, "manifest-000004.json").unwrap();
    let error = open(&store).unwrap_err().to_string();
    assert!(
        error.contains("manifest-000004.json") && error.contains("no older manifest is sound"),
        "{error}"
    );
}

/// What a newer Kith wrote is not damaged: stepping over it would take its writes for lost work.
#[test]
fn a_newer_format_is_not_stepped_over() {
    let (store, _) = lived();
    let manifest = json!({"format": 2, "fields": "that nobody knows yet"});
    let checksum = crc32c::crc32c(manifest.to_string().as_bytes());
    let bytes = json!({"crc32c": checksum, "manifest": manifest}).to_string();
    commit(&store, dir(), "manifest-000003.json", bytes.as_bytes()).unwrap();
    let error = open(&store).unwrap_err();
    assert!(matches!(&error, Error::BadRequest(text) if text.contains("format 2 is newer")), "{error}");
}

/// The damage may turn out to have been the reading. By then another manifest has taken over, and this one is whole.
#[test]
fn a_manifest_that_heals_changes_nothing() {
    let (store, expected) = lived();
    garble(&store, "manifest-000003.json").unwrap();
    let collection = open(&store).unwrap();
    upsert(&collection, 14..15).unwrap();
    let later = shown(&collection.snapshot());
    drop(collection);
    garble(&store, "manifest-000003.json").unwrap();
    garble(&store, "manifest-000004.json").unwrap();
    let collection = open(&store).unwrap();
    let Recovery { manifest, .. } = collection.recovery();
    assert_eq!((*manifest, shown(&collection.snapshot())), (3, later.clone()));
    assert!(later.starts_with(&expected));
}
