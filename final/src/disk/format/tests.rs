use proptest::prelude::*;

use super::*;
use crate::disk::fault::FaultStore;

const PATH: &str = "file";

fn written(sections: &[(u32, Vec<u8>)]) -> (FaultStore, Summary) {
    let store = FaultStore::default();
    let mut file = FileWriter::create(&store, Path::new(PATH), Kind::Ids, 3).unwrap();
    for (id, bytes) in sections {
        file.begin(*id).unwrap();
        bytes.chunks(7).for_each(|chunk| file.write(chunk).unwrap());
    }
    let summary = file.finish().unwrap();
    store.sync_dir(Path::new("")).unwrap();
    (store.crash(), summary)
}

fn with_bytes(bytes: &[u8]) -> FaultStore {
    let store = FaultStore::default();
    store.create(Path::new(PATH)).unwrap().write_all(bytes).unwrap();
    store
}

fn open(store: &FaultStore) -> Result<File> {
    File::open(store, Path::new(PATH), Kind::Ids, 3)
}

/// All sections as a reader that checks everything gets them.
fn contents(store: &FaultStore) -> Result<Vec<(u32, Vec<u8>)>> {
    let file = open(store)?;
    file.verify()?;
    file.sections
        .iter()
        .map(|section| Ok((section.id, file.checked_section::<u8>(section.id)?.to_vec())))
        .collect()
}

proptest! {
    #[test]
    fn sections_come_back(
        sections in proptest::collection::btree_map(any::<u32>(), proptest::collection::vec(any::<u8>(), 0..300), 0..6),
    ) {
        let sections: Vec<_> = sections.into_iter().collect();
        let (store, summary) = written(&sections);
        prop_assert_eq!(contents(&store).unwrap(), sections);
        prop_assert_eq!(open(&store).unwrap().summary(), summary);
    }

    #[test]
    fn any_bytes_are_refused_without_a_panic(bytes in proptest::collection::vec(any::<u8>(), 0..300)) {
        let mut file = written(&[(1, vec![5; 100])]).0.read(Path::new(PATH)).unwrap();
        let keep = file.len() - bytes.len().min(file.len());
        file.splice(keep.., bytes);
        let _ = contents(&with_bytes(&file));
    }
}

#[test]
fn a_cut_or_a_flipped_bit_is_an_error_or_harmless() {
    let sections = vec![(7, vec![1; 70]), (2, Vec::new()), (9, b"the last".to_vec())];
    let (store, summary) = written(&sections);
    let whole = store.read(Path::new(PATH)).unwrap();
    for len in 0..whole.len() {
        assert!(contents(&with_bytes(&whole[..len])).is_err(), "cut to {len} bytes");
    }
    for index in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[index / 8] ^= 1 << (index % 8);
        let store = with_bytes(&bytes);
        match contents(&store) {
            // The zeros between sections say nothing, but a manifest's checksum covers them too.
            Ok(found) => assert!(found == sections && bytes[index / 8].is_power_of_two(), "bit {index}"),
            Err(error) => assert!(error.to_string().contains(PATH), "{error}"),
        }
        assert!(open(&store).is_err() || open(&store).unwrap().summary() != summary);
    }
}

#[test]
fn what_does_not_fit_is_said() {
    let (store, _) = written(&[(1, vec![0; 12])]);
    let file = open(&store).unwrap();
    assert_eq!(*file.section::<u32>(1).unwrap(), [0; 3]);
    assert!(file.has_section(1) && !file.has_section(2));
    let path = Path::new(PATH);
    let errors = [
        file.section::<u64>(1).unwrap_err(),
        file.section::<u8>(2).unwrap_err(),
        File::open(&store, path, Kind::Graph, 3).unwrap_err(),
        File::open(&store, path, Kind::Ids, 2).unwrap_err(),
        File::open(&store, Path::new("other"), Kind::Ids, 3).unwrap_err(),
        FileWriter::create(&store, path, Kind::Ids, 3).err().unwrap(),
    ];
    let errors = errors.map(|error| error.to_string()).join("\n");
    insta::assert_snapshot!(format!(
        "# What a file does not have, or is not, is said with its path.\n{errors}"
    ));
}

#[test]
fn the_bytes_of_the_format_do_not_change() {
    let (store, summary) = written(&[(1, b"ids".to_vec()), (2, Vec::new())]);
    let bytes = store.read(Path::new(PATH)).unwrap();
    let lines = bytes.chunks(16).enumerate().filter(|(_, line)| line.iter().any(|byte| *byte != 0));
    let hex = lines.map(|(row, line)| {
        let line: Vec<_> = line.iter().map(|byte| format!("{byte:02x}")).collect();
        format!("{:4} {}\n", row * 16, line.join(" "))
    });
    let hex: String = hex.collect();
    let dump = open(&store).unwrap().dump();
    insta::assert_snapshot!(format!(
        "# These bytes are the format: files on disk have them.\n{dump}{summary:?}\n{hex}"
    ));
}
