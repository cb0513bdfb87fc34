//! A flush that was asked for always ends, and no merge passes damage on.

use std::sync::Arc;

use super::{
    super::{Collection, Options, Write},
    script::{dir, options, point, resting, schema},
};
use crate::{
    disk::{Store, fault::FaultStore},
    point::PointId,
    segment::Segment,
};

/// Once, a flush that was asked for while another one ran waited for ever: the one that ran had frozen its rows before
/// the asker's write, its end answered only those it covered, and nothing began the next one.
#[test]
fn a_flush_asked_for_during_another_is_answered() {
    let collection =
        Collection::create(Arc::new(FaultStore::default()), dir(), schema(), &options()).unwrap();
    std::thread::scope(|scope| {
        for writer in 0..4u64 {
            let collection = &collection;
            scope.spawn(move || {
                for round in 0..20 {
                    let points = vec![point(PointId::Num(100 * writer + round), 0.5, Default::default())];
                    let write = Write::Upsert { points, mode: Default::default(), only_if: None };
                    let written = collection.write_and_wait(write).unwrap();
                    assert!(collection.flush().unwrap() >= written);
                }
            });
        }
    });
    let snapshot = collection.snapshot();
    assert_eq!(snapshot.points(), 80);
    assert_eq!(collection.stats().failure, None);
}

/// Once, a merge copied its inputs' vectors as it found them, and a flipped bit came out under a fresh checksum.
#[test]
fn a_merge_refuses_damaged_vectors() {
    let store = FaultStore::default();
    let shared = Arc::new(store.clone());
    let collection = Collection::create(shared.clone(), dir(), schema(), &resting()).unwrap();
    let put = |ids: std::ops::Range<u64>| {
        let points = ids.map(|id| point(PointId::Num(id), 0.5, Default::default())).collect();
        collection.write_and_wait(Write::Upsert { points, mode: Default::default(), only_if: None }).unwrap();
        collection.flush().unwrap();
    };
    put(0..3);
    let path = dir().join("segments/000001/vectors.bin");
    let mut bytes = store.read(&path).unwrap();
    let place = bytes.windows(4).position(|four| four == 0.5f32.to_le_bytes()).unwrap();
    bytes[place] ^= 1;
    store.remove(&path).unwrap();
    let mut file = store.create(&path).unwrap();
    file.write_all(&bytes).unwrap();
    file.flush().unwrap();
    put(3..6);
    let failure = collection.stats().failure.unwrap();
    assert!(failure.contains("000001/vectors.bin"), "{failure}");
    assert_eq!(collection.snapshot().points(), 6);
}

/// Once, a writer took whatever came while it sealed a segment: points that came ten times as fast as graphs could be
/// built filled the memory until none was left.
#[test]
fn what_cannot_be_sealed_yet_waits_outside() {
    const SEGMENT: usize = 4 << 10;
    let options = Options { flush_bytes: SEGMENT, ..options() };
    let collection = Collection::create(Arc::new(FaultStore::default()), dir(), schema(), &options).unwrap();
    let batch = |first: u64| (first..first + 10).map(|id| point(PointId::Num(id), 0.5, Default::default()));
    let mut most = 0;
    for first in (0..5_000).step_by(10) {
        let write = Write::Upsert { points: batch(first).collect(), mode: Default::default(), only_if: None };
        collection.write_and_wait(write).unwrap();
        let snapshot = collection.snapshot();
        let held = snapshot.segments().iter().map(|view| match &view.segment {
            Segment::Mutable(segment) => segment.bytes(),
            Segment::Sealed(_) => 0,
        });
        most = held.fold(most, usize::max);
    }
    assert!((SEGMENT..10 * SEGMENT).contains(&most), "{most} bytes in one segment that is not sealed");
    assert_eq!(collection.snapshot().points(), 5_000);
}
