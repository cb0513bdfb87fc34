use super::*;
use crate::{
    disk::fault::{Fault, FaultStore},
    point::{Payload, Point, PointId, Vector},
};

const DIR: &str = "c/wal";

fn dir() -> &'static Path {
    Path::new(DIR)
}

/// An operation that shows its LSN, longer than a page now and then.
fn operation(lsn: Lsn) -> Operation {
    let numbers = vec![lsn as f32; if lsn.is_multiple_of(3) { 1_500 } else { 2 }];
    let vectors = [(String::new(), Vector::Dense(numbers))].into();
    let point = Point { id: PointId::Num(lsn), vectors, payload: Payload::new() };
    Operation { lsn, changes: vec![Change::Upsert(point), Change::Delete(PointId::Uuid(lsn.into()))] }
}

fn group(lsns: std::ops::RangeInclusive<Lsn>) -> Vec<Operation> {
    lsns.map(operation).collect()
}

fn wal(store: &FaultStore, file: u64) -> Wal {
    Wal::new(Arc::new(store.clone()), dir().into(), file)
}

/// Replays from file 1 and says which LSNs came; each must be the operation that was written.
fn replayed(store: &FaultStore, after: Lsn) -> Result<(Vec<Lsn>, Replayed)> {
    let mut lsns = Vec::new();
    let outcome = replay(store, dir(), 1, after, &mut |found| {
        assert_eq!(found, operation(found.lsn));
        lsns.push(found.lsn);
        Ok(())
    })?;
    assert_eq!(outcome.operations, lsns.len() as u64);
    Ok((lsns, outcome))
}

fn refused(store: &FaultStore) -> String {
    match replayed(store, 0) {
        Err(error @ Error::Corrupt(_)) => error.to_string(),
        other => panic!("not refused: {other:?}"),
    }
}

/// A log of one file with these bytes, and what is in front of it.
fn with_file(number: u64, bytes: &[u8]) -> FaultStore {
    let store = FaultStore::default();
    add_file(&store, number, bytes);
    store
}

fn add_file(store: &FaultStore, number: u64, bytes: &[u8]) {
    store.create_dir(dir()).unwrap();
    let mut file = store.create(&path(dir(), number)).unwrap();
    file.write_all(bytes).unwrap();
    file.flush().unwrap();
    store.sync_dir(dir()).unwrap();
}

/// The bytes of file 1 with groups of 2, 1 and 3 operations, and where each ends.
fn three_groups() -> (Vec<u8>, [usize; 3]) {
    let store = FaultStore::default();
    let mut log = wal(&store, 1);
    let ends = [1..=2, 3..=3, 4..=6].map(|lsns| {
        log.append(&group(lsns)).unwrap();
        log.bytes() as usize
    });
    (store.read(&path(dir(), 1)).unwrap(), ends)
}

#[test]
fn what_is_appended_is_replayed_across_files_and_openings() {
    let store = FaultStore::default();
    let mut log = wal(&store, 1);
    log.rotate();
    assert_eq!((log.file(), log.bytes(), replayed(&store, 0).unwrap().1.next_file), (1, 0, 1));
    log.append(&[]).unwrap();
    log.append(&group(1..=2)).unwrap();
    log.append(&group(3..=3)).unwrap();
    log.rotate();
    log.rotate();
    log.append(&group(4..=4)).unwrap();
    let (lsns, outcome) = replayed(&store, 1).unwrap();
    assert_eq!(
        (lsns, outcome),
        (vec![2, 3, 4], Replayed { last: 4, next_file: 3, cut: None, operations: 3 })
    );

    let mut log = wal(&store, 3);
    log.append(&group(5..=9)).unwrap();
    log.remove_before(2).unwrap();
    assert_eq!(store.crash().list(dir()).unwrap(), ["000002.wal", "000003.wal"]);
    let mut count = 0;
    let outcome = replay(&store, dir(), 2, 3, &mut |_| {
        count += 1;
        Ok(())
    });
    assert_eq!((outcome.unwrap().last, count), (9, 6));
    let outcome = replay(&store, dir(), 4, 9, &mut |_| Ok(())).unwrap();
    assert_eq!(outcome, Replayed { last: 9, next_file: 4, cut: None, operations: 0 });
}

#[test]
fn a_log_that_is_cut_anywhere_has_the_groups_before_the_cut() {
    let (bytes, ends) = three_groups();
    for len in 0..=bytes.len() {
        let store = with_file(1, &bytes[..len]);
        let (lsns, outcome) = replayed(&store, 0).unwrap();
        let (last, kept) = match len {
            _ if len < 64 => (0, 0),
            _ if len < ends[0] => (0, 64),
            _ if len < ends[1] => (2, ends[0]),
            _ if len < ends[2] => (3, ends[1]),
            _ => (6, ends[2]),
        };
        assert!(lsns.iter().copied().eq(1..=last), "cut to {len} bytes");
        let cut = (kept < len).then_some(Cut { file: 1, from: kept as u64, to: len as u64 });
        assert_eq!((outcome.cut, outcome.next_file), (cut, 2));

        wal(&store, 2).append(&group(last + 1..=last + 1)).unwrap();
        let (lsns, outcome) = replayed(&store.crash(), 0).unwrap();
        assert!(lsns.into_iter().eq(1..=last + 1) && outcome.cut.is_none(), "after a cut to {len} bytes");
    }
}

#[test]
fn a_flipped_bit_is_refused_or_cuts_the_last_group() {
    let (bytes, ends) = three_groups();
    let mut followed = with_file(1, &bytes);
    wal(&followed, 2).append(&group(7..=7)).unwrap();
    let next = followed.read(&path(dir(), 2)).unwrap();
    for index in 0..bytes.len() {
        let mut damaged = bytes.clone();
        damaged[index] ^= 1 << (index % 8);
        let store = with_file(1, &damaged);
        if index < ends[1] {
            refused(&store);
        } else {
            let (lsns, outcome) = replayed(&store, 0).unwrap();
            assert_eq!(
                (lsns.as_slice(), outcome.cut.map(|cut| cut.from)),
                (&[1, 2, 3][..], Some(ends[1] as u64))
            );
        }
        followed = with_file(1, &damaged);
        add_file(&followed, 2, &next);
        refused(&followed);
    }
}

#[test]
fn every_refusal_says_where_and_why() {
    let (bytes, [first, second, _]) = three_groups();
    let mut texts = Vec::new();
    let damaged = |at: usize| {
        let mut bytes = bytes.clone();
        bytes[at] ^= 1;
        bytes
    };
    texts.push(refused(&with_file(1, &damaged(first + 20))));
    texts.push(refused(&with_file(1, &damaged(3))));
    texts.push(refused(&with_file(2, &bytes)));
    let store = with_file(1, &bytes[..second - 1]);
    add_file(&store, 2, &[]);
    texts.push(refused(&store));
    let store = with_file(1, &bytes);
    wal(&store, 2).append(&group(9..=9)).unwrap();
    texts.push(refused(&store));
    let store = with_file(1, &bytes);
    texts.push(replayed(&store, 8).unwrap_err().to_string());
    let store = FaultStore::default();
    wal(&store, 1).append(&group(3..=3)).unwrap();
    texts.push(replayed(&store, 1).unwrap_err().to_string());
    let header = |version, number| Header { kind: Kind::Wal, version, number }.encode();
    texts.push(refused(&with_file(1, &header(VERSION + 1, 1))));
    texts.push(refused(&with_file(1, &header(VERSION, 2))));
    let store = with_file(1, &bytes);
    wal(&store, 2).append(&group(4..=6)).unwrap();
    texts.push(refused(&store));
    insta::assert_snapshot!(format!(
        "# Damage that no power loss explains is refused.\n{}",
        texts.join("\n")
    ));
}

/// What a test did to a log: which LSNs it sent, and the last that was acknowledged.
struct Written {
    sent: Lsn,
    acknowledged: Lsn,
}

/// Appends groups and rotates until something fails.
fn write(store: &FaultStore, file: u64, from: Lsn) -> Written {
    let mut log = wal(store, file);
    let mut written = Written { sent: from - 1, acknowledged: from - 1 };
    for (round, length) in [2, 1, 3, 1, 2].into_iter().enumerate() {
        let next = group(written.sent + 1..=written.sent + length);
        written.sent += length;
        if let Err(error) = log.append(&next) {
            assert!(matches!(error, Error::Io { .. }), "{error}");
            assert!(matches!(log.append(&next), Err(Error::Closed(_))), "the log is poisoned");
            break;
        }
        written.acknowledged = written.sent;
        if round % 2 == 1 {
            log.rotate();
        }
    }
    written
}

/// Replays what is left, twice, writes more, and loses the power again: nothing acknowledged may be missing.
fn recover(world: &FaultStore, before: &Written, what: &str) {
    let (lsns, outcome) = replayed(world, 0).unwrap_or_else(|error| panic!("{what}: {error}"));
    assert!(lsns.iter().copied().eq(1..=outcome.last), "{what}: {lsns:?}");
    assert!((before.acknowledged..=before.sent).contains(&outcome.last), "{what}: up to {}", outcome.last);
    let again = replayed(&world.crash(), 0).unwrap();
    assert_eq!(again, (lsns, Replayed { cut: None, ..outcome.clone() }), "{what}: a replay is repeatable");
    let more = write(world, outcome.next_file, outcome.last + 1);
    let (lsns, _) = replayed(&world.crash(), 0).unwrap_or_else(|error| panic!("{what}, then more: {error}"));
    assert!(lsns.into_iter().eq(1..=more.acknowledged), "{what}, then more");
}

#[test]
fn whatever_fails_acknowledged_writes_are_replayed() {
    let trial = FaultStore::default();
    write(&trial, 1, 1);
    for step in 0..trial.steps() {
        for fault in [Fault::Error, Fault::ShortWrite, Fault::Crash] {
            let store = FaultStore::default();
            store.fail_at(step, fault);
            let written = write(&store, 1, 1);
            assert!(written.acknowledged < written.sent, "{fault:?} at step {step} was not told");
            recover(&store.crash(), &written, &format!("{fault:?} at step {step}"));
            for seed in 0..25 {
                recover(
                    &store.crash_keeping(seed),
                    &written,
                    &format!("{fault:?} at step {step}, seed {seed}"),
                );
            }
            if fault != Fault::Crash {
                recover(&store, &written, &format!("{fault:?} at step {step}, and only the process ended"));
            }
        }
    }
}

/// A process was killed between its write and its fsync. The next one read the bytes from the system's cache, wrote
/// new operations behind them into the next file, and acknowledged those; then the power failed. The first file's end
/// had never been on disk, and the log had a hole. So a replay makes durable what it has read.
#[test]
fn what_was_replayed_from_the_cache_is_durable_before_more_is_written() {
    let (bytes, _) = three_groups();
    let store = FaultStore::default();
    store.create_dir(dir()).unwrap();
    store.create(&path(dir(), 1)).unwrap().write_all(&bytes).unwrap();
    let (_, outcome) = replayed(&store, 0).unwrap();
    wal(&store, outcome.next_file).append(&group(7..=7)).unwrap();
    assert_eq!(replayed(&store.crash(), 0).unwrap().1.last, 7);
}

#[test]
fn a_recovery_that_fails_can_be_done_again() {
    let (bytes, ends) = three_groups();
    let torn = || with_file(1, &bytes[..ends[2] - 1]);
    let trial = torn();
    let first = trial.steps();
    replayed(&trial, 0).unwrap();
    assert!(trial.steps() > first);
    for step in first..trial.steps() {
        for fault in [Fault::Error, Fault::Crash] {
            let store = torn();
            store.fail_at(step, fault);
            replayed(&store, 0).unwrap_err();
            for seed in 0..9 {
                assert_eq!(replayed(&store.crash_keeping(seed), 0).unwrap().1.last, 3);
            }
        }
    }
}

#[test]
fn a_write_that_cannot_be_logged_does_not_end_the_log() {
    let store = FaultStore::default();
    let mut log = wal(&store, 1);
    let mut deep = serde_json::Value::Null;
    for _ in 0..200 {
        deep = serde_json::Value::Array(vec![deep]);
    }
    let payload = [("deep".to_owned(), deep)].into_iter().collect();
    let point = Point { id: PointId::Num(1), vectors: Default::default(), payload };
    let refused = log.append(&[Operation { lsn: 1, changes: vec![Change::Upsert(point)] }]);
    assert!(matches!(refused, Err(Error::BadRequest(_))));
    log.append(&group(1..=2)).unwrap();
    assert_eq!(replayed(&store, 0).unwrap().0, [1, 2]);
}

#[test]
fn a_dump_shows_files_records_and_operations() {
    let store = FaultStore::default();
    let mut log = wal(&store, 1);
    let payload = [("title".to_owned(), "kin".into())].into_iter().collect();
    let vectors =
        [(String::new(), Vector::Dense(vec![0.5, -1.0])), ("text".into(), Vector::Dense(vec![2.0]))].into();
    let changes = vec![
        Change::Upsert(Point { id: PointId::Num(7), vectors, payload }),
        Change::Delete(PointId::Uuid(8)),
    ];
    log.append(&[Operation { lsn: 1, changes }, Operation { lsn: 2, changes: vec![] }]).unwrap();
    log.append(&[Operation { lsn: 3, changes: vec![Change::Delete(PointId::Num(7))] }]).unwrap();
    log.rotate();
    log.append(&[Operation { lsn: 4, changes: vec![Change::Delete(PointId::Num(9))] }]).unwrap();
    let bytes = store.read(&path(dir(), 2)).unwrap();
    add_file(&store, 3, &bytes);
    add_file(&store, 4, &[0; 100]);
    let text = dump(&store, dir()).unwrap();
    insta::assert_snapshot!(format!(
        "# A log is files, records and operations; a bad file does not hide the next.\n{text}"
    ));
}
