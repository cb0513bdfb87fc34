//! The power fails, or a disk operation does, at every step of a collection's life.
//!
//! The life is a fixed series of writes with flushes and merges between them. After each failure the collection is
//! opened from what a machine would find, and must hold the state after some operation that is not before the last
//! acknowledged one: nothing acknowledged is lost, nothing deleted is back, nothing is half there.

use std::{collections::BTreeMap, sync::Arc};

use serde_json::json;

use super::{
    super::{Collection, Selector, Write},
    script::{dir, point, resting, schema, shown},
};
use crate::{
    disk::fault::{Fault, FaultStore},
    error::Result,
    manifest::Manifest,
    point::PointId,
};

/// One step of the life.
enum Step {
    Write(Write),
    Flush,
}

fn upsert(ids: std::ops::Range<u64>, x: f32) -> Step {
    let payload = json!({"x": x, "name": format!("row at {x}")}).as_object().unwrap().clone();
    let points = ids.map(|id| point(PointId::Num(id), x, payload.clone())).collect();
    Step::Write(Write::Upsert { points, mode: Default::default(), only_if: None })
}

fn life() -> Vec<Step> {
    let ids = |ids: &[u64]| Selector::Ids(ids.iter().copied().map(PointId::Num).collect());
    let delete = |numbers: &[u64]| Step::Write(Write::Delete(ids(numbers)));
    let set = |number: u64, value: u64| {
        let payload = json!({"set": value}).as_object().unwrap().clone();
        Step::Write(Write::SetPayload { payload, at: None, of: ids(&[number]) })
    };
    vec![
        upsert(0..6, 0.5),
        delete(&[1]),
        Step::Flush,
        upsert(2..4, 1.5),
        delete(&[0]),
        Step::Flush,
        set(3, 7),
        upsert(10..14, 2.5),
        Step::Flush,
        delete(&[4, 10]),
        upsert(1..2, 3.5),
        Step::Flush,
        delete(&[5, 11]),
        Step::Flush,
        set(12, 8),
    ]
}

/// Lives until something fails; says how many steps were acknowledged.
fn live(store: &FaultStore, steps: Vec<Step>) -> Result<usize> {
    let shared = Arc::new(store.clone());
    let collection = Collection::create(shared, dir(), schema(), &resting())?;
    for (done, step) in steps.into_iter().enumerate() {
        let outcome = match step {
            Step::Write(write) => collection.write_and_wait(write),
            Step::Flush => collection.flush(),
        };
        if outcome.is_err() {
            return Ok(done);
        }
    }
    Ok(usize::MAX)
}

/// What a reader sees after each step of an undisturbed life, before the first one included.
fn states() -> Vec<String> {
    let collection =
        Collection::create(Arc::new(FaultStore::default()), dir(), schema(), &resting()).unwrap();
    let mut states = vec![shown(&collection.snapshot())];
    for step in life() {
        match step {
            Step::Write(write) => collection.write_and_wait(write).unwrap(),
            Step::Flush => collection.flush().unwrap(),
        };
        states.push(shown(&collection.snapshot()));
    }
    states
}

fn check(found: FaultStore, acknowledged: usize, states: &[String], story: &str) {
    let shared: Arc<FaultStore> = Arc::new(found);
    let collection = match Collection::open(shared, dir(), &resting()) {
        Ok(collection) => collection,
        Err(crate::error::Error::NotFound(_)) if acknowledged == 0 => return,
        Err(error) => panic!("{story}: can't be opened: {error}"),
    };
    let state = shown(&collection.snapshot());
    let first = acknowledged.min(states.len() - 1);
    let allowed = &states[first..(first + 2).min(states.len())];
    assert!(
        allowed.contains(&state),
        "{story}: after step {acknowledged} found\n{state}\nallowed {allowed:#?}"
    );
    let write = Write::Delete(Selector::Ids(vec![PointId::Num(3)]));
    collection.write_and_wait(write).unwrap_or_else(|error| panic!("{story}: can't be written to: {error}"));
    collection.flush().unwrap_or_else(|error| panic!("{story}: can't be flushed: {error}"));
}

#[test]
fn every_step_may_be_the_last() {
    let states = states();
    let whole = FaultStore::default();
    assert_eq!(live(&whole, life()).unwrap(), usize::MAX);
    let mut failed_lives: BTreeMap<&str, u32> = BTreeMap::new();
    for step in 1..=whole.steps() {
        for (name, fault) in
            [("crash", Fault::Crash), ("error", Fault::Error), ("short write", Fault::ShortWrite)]
        {
            let store = FaultStore::default();
            store.fail_at(step, fault);
            let acknowledged = live(&store, life()).unwrap_or(0);
            if acknowledged < usize::MAX {
                *failed_lives.entry(name).or_default() += 1;
            }
            let story = format!("{name} at step {step}");
            check(store.crash(), acknowledged, &states, &story);
            check(store.crash_keeping(step), acknowledged, &states, &format!("{story}, pages kept"));
        }
    }
    assert!(failed_lives["crash"] > 50, "the faults hit the life: {failed_lives:?}");
}

/// A merge that a crash had cut off was begun again by the next flush only: a server that was just asked, never
/// written to, searched too many segments for as long as it ran.
#[test]
fn a_merge_that_was_cut_off_is_begun_again() {
    let life = || vec![upsert(0..4, 0.5), Step::Flush, upsert(4..8, 1.5), Step::Flush];
    let whole = FaultStore::default();
    assert_eq!(live(&whole, life()).unwrap(), usize::MAX);
    let mut due = 0;
    for step in 1..=whole.steps() {
        let store = FaultStore::default();
        store.fail_at(step, Fault::Crash);
        // How far it came shows in the manifest.
        let _ = live(&store, life());
        let found = store.crash();
        let numbers = Manifest::numbers(&found, dir()).unwrap_or_default();
        let Some(&newest) = numbers.last() else { continue };
        if Manifest::read(&found, dir(), newest).unwrap().segments.len() == 2 {
            due += 1;
            let stats = Collection::open(Arc::new(found), dir(), &resting()).unwrap().stats();
            assert!(stats.optimizing.is_some() || stats.segments.len() == 1, "step {step}: {stats:?}");
        }
    }
    assert!(due > 5, "{due}");
}
