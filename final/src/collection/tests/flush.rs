//! A flush that was asked for always ends.

use std::sync::Arc;

use super::{
    super::{Collection, Write},
    script::{dir, options, point, schema},
};
use crate::{disk::fault::FaultStore, point::PointId};

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
