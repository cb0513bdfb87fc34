//! Any bytes as log files: replay says what is wrong with them, or gives operations that are the same on the second
//! reading and can be logged again.

use std::{path::Path, sync::Arc};

use kith::{
    disk::{
        Store,
        fault::FaultStore,
        format::{Header, Kind},
    },
    wal::{self, Operation, Replayed, Wal},
};

/// Bytes of a frame before its payload.
const HEAD: usize = 16;

/// The first byte says where the rest is parted into two files, 0 for one file; the second whether checksums are made
/// right (odd), without which the fuzzer would never get past them.
pub fn run(input: &[u8]) {
    let Some((&[part, mend], rest)) = input.split_first_chunk() else { return };
    let store = FaultStore::default();
    let cut = if part == 0 { rest.len() } else { rest.len() * usize::from(part) / 256 };
    let (first, second) = rest.split_at(cut);
    write(&store, 1, first, mend % 2 == 1);
    if part != 0 {
        write(&store, 2, second, mend % 2 == 1);
    }
    let _ = wal::dump(&store, dir());
    let Ok((operations, _)) = replayed(&store) else { return };
    let again = replayed(&store).expect("what was replayed once can be again");
    assert!(
        texts(&operations).eq(texts(&again.0)) && again.1.cut.is_none(),
        "a second replay finds the same"
    );
    log_again(&operations);
}

fn dir() -> &'static Path {
    Path::new("wal")
}

fn write(store: &FaultStore, number: u64, bytes: &[u8], mend: bool) {
    let mut bytes = bytes.to_vec();
    if mend {
        mended(number, &mut bytes);
    }
    store.create_dir(dir()).expect("memory has room");
    let mut file = store.create(&dir().join(format!("{number:06}.wal"))).expect("it is new");
    file.write_all(&bytes).and_then(|()| file.flush()).expect("memory has room");
}

/// Puts a sound header in front and right checksums wherever a frame fits.
pub fn mended(number: u64, bytes: &mut [u8]) {
    let Some(header) = bytes.first_chunk_mut() else { return };
    *header = Header { kind: Kind::Wal, version: 1, number }.encode();
    let mut offset = Header::LEN;
    while let Some(frame) = bytes.get_mut(offset..).filter(|frame| frame.len() > HEAD) {
        let len = u32::from_le_bytes([frame[0], frame[1], frame[2], frame[3]]) as usize;
        let Some(frame) = frame.get_mut(..HEAD + len) else { return };
        let place = [number.to_le_bytes(), (offset as u64).to_le_bytes()].concat();
        let checksum = crc32c::crc32c_append(crc32c::crc32c(&place), &frame[..4]);
        let checksum = crc32c::crc32c_append(checksum, &frame[8..]);
        frame[4..8].copy_from_slice(&checksum.to_le_bytes());
        offset += HEAD + len;
    }
}

/// Operations compare by their text: a vector that was damaged may hold what equals nothing.
fn replayed(store: &FaultStore) -> kith::error::Result<(Vec<(Operation, String)>, Replayed)> {
    let mut operations = Vec::new();
    let replayed = wal::replay(store, dir(), 1, 0, &mut |operation| {
        let text = format!("{operation:?}");
        operations.push((operation, text));
        Ok(())
    })?;
    Ok((operations, replayed))
}

fn log_again(operations: &[(Operation, String)]) {
    let store = FaultStore::default();
    let mut log = Wal::new(Arc::new(store.clone()), dir().to_owned(), 1);
    let all: Vec<Operation> = operations.iter().map(|(operation, _)| operation.clone()).collect();
    log.append(&all).expect("what was read can be written");
    if all.first().is_some_and(|first| first.lsn == 1) {
        let (found, _) = replayed(&store).expect("what was written can be read");
        assert!(texts(&found).eq(texts(operations)), "what was written is read");
    }
}

fn texts(operations: &[(Operation, String)]) -> impl Iterator<Item = &String> {
    operations.iter().map(|(_, text)| text)
}
