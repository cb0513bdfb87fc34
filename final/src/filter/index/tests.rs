use std::borrow::Cow;

use serde_json::json;
use tempfile::TempDir;

use super::*;
use crate::{
    disk::FsStore,
    filter::{
        Bounds, MatchValue, TextRules, Tokenizer,
        postings::{length_code, length_of},
        term::text_place,
    },
    point::Payload,
};

/// Writes and opens the index of these payloads.
fn index(dir: &TempDir, name: &str, payloads: &[Payload], rules: &TextRules) -> Result<TermIndex> {
    let (path, rows) = (dir.path().join(name), payloads.len() as u32);
    write(&FsStore, &path, rows, &|row| Ok(Cow::Borrowed(&payloads[row as usize])), rules)?;
    TermIndex::open(&FsStore, &path, rows)
}

fn payloads() -> Vec<Payload> {
    let text = |row: u32| ["red fox", "über FOX", "a", ""][row as usize % 4];
    let payload = |row| json!({"n": row, "t": [text(row), text(row + 1)], "deep": {"t": text(row)}});
    (0..300).map(|row| payload(row).as_object().unwrap().clone()).collect()
}

#[test]
fn lengths_have_the_same_code_in_memory_and_sealed() {
    for code in 0..=255 {
        assert_eq!(length_of(code), FieldNormReader::id_to_fieldnorm(code), "code {code}");
        assert_eq!(length_code(length_of(code)), code);
    }
    for length in (0..5000).chain([u32::MAX - 1, u32::MAX, 1 << 20, (1 << 20) - 1]) {
        assert_eq!(length_code(length), FieldNormReader::fieldnorm_to_id(length), "length {length}");
    }
}

#[test]
fn many_threads_may_read_one_index() {
    fn shared<T: Send + Sync>() {}
    shared::<TermIndex>();
}

#[test]
fn document_ids_are_ordinals() {
    let dir = TempDir::new().unwrap();
    let (payloads, key) = (payloads(), "n".parse().unwrap());
    let index = index(&dir, "text.bin", &payloads, &TextRules::default()).unwrap();
    for row in 0..300 {
        let (term, exact) = Place::of(&key).value(&MatchValue::Int(row.into()));
        let mut found = Vec::new();
        index.rows_in(&term, &mut |rows| found.extend_from_slice(rows)).unwrap();
        assert_eq!((found, exact), (vec![row], true));
    }
    let range = Place::of(&key).numbers(&Bounds::between(100.0, 199.0)).unwrap();
    assert_eq!(index.numbers().find(&range).rows(), (100..200).collect::<Vec<_>>());
}

#[test]
fn a_file_of_the_first_version_has_its_numbers_too() {
    let rows = [
        r#"{"n": 3, "at": "2020-06-01", "t": "red fox"}"#,
        r#"{"n": [999.5, 5000, 9007199254740993], "at": ["2021-01-01T00:00:00Z", "soon"]}"#,
        r#"{"n": -0.0, "m": {"n": 3.0}}"#,
        r#"{"n": 18446744073709551615, "t": "3"}"#,
        r#"{}"#,
        r#"{"n": null, "m": {"n": -7}}"#,
    ];
    let dir = TempDir::new().unwrap();
    let payloads = rows.map(|row| serde_json::from_str(row).unwrap());
    let now = index(&dir, "text.bin", &payloads, &TextRules::default()).unwrap();
    let old = dir.path().join("version-1.bin");
    std::fs::write(&old, include_bytes!("version-1.bin")).unwrap();
    let old = TermIndex::open(&FsStore, &old, 6).unwrap();
    assert_eq!(old.numbers().list(), now.numbers().list());
    for path in ["n", "n[]", "at", "at[]", "m.n"] {
        let place = Place::of(&path.parse().unwrap());
        let dates = place.dates(&Bounds { lt: Some(1_600_000_000_000_000), ..Bounds::default() });
        for interval in [place.numbers(&Bounds::default()), place.numbers(&Bounds::between(0.0, 5e3)), dates]
        {
            let interval = interval.unwrap();
            let rows = [&old, &now].map(|index| index.numbers().find(&interval).rows());
            assert_eq!(rows[0], rows[1], "{interval}");
        }
    }
}

#[test]
fn equal_rows_make_equal_files() {
    let dir = TempDir::new().unwrap();
    let rules =
        TextRules::new([("t".parse().unwrap(), TextOptions { lowercase: false, ..TextOptions::default() })]);
    let declared = index(&dir, "a", &payloads(), &rules).unwrap();
    index(&dir, "b", &payloads(), &rules).unwrap();
    let read = |name| std::fs::read(dir.path().join(name)).unwrap();
    assert!(read("a") == read("b"), "a random name or an unsorted map is in the file");
    let place = |path: &str| text_place(&path.parse().unwrap()).as_bytes().to_vec();
    let field = &declared.fields()[&place("t")];
    assert_eq!(field.options.as_ref(), rules.get(&"t".parse().unwrap()));
    assert_eq!((field.rows, field.words), (300, 75 * (4 + 3 + 1 + 2)));
    assert_eq!(declared.fields()[&place("deep.t")].rows, 225);
}

#[test]
fn declared_texts_are_indexed_before_the_first_64() {
    let dir = TempDir::new().unwrap();
    let payload: Payload =
        (0..100).map(|key| (format!("k{key}"), json!("word ".repeat(200 - key)))).collect();
    let paths = ["k99", "k98"].map(|path| path.parse().unwrap());
    let options = TextOptions { tokenizer: Tokenizer::Whitespace, ..TextOptions::default() };
    let rules = TextRules::new(paths.clone().map(|path| (path, options.clone())));
    let index = index(&dir, "text.bin", &[payload], &rules).unwrap();
    assert_eq!(index.fields().len(), 64);
    for path in paths.iter().chain([&"k61".parse().unwrap()]) {
        assert!(index.fields().contains_key(Place::of(path).as_bytes()), "{path}");
    }
    assert!(!index.fields().contains_key(Place::of(&"k62".parse().unwrap()).as_bytes()));
}

#[test]
fn a_damaged_file_is_an_error() {
    let dir = TempDir::new().unwrap();
    index(&dir, "text.bin", &payloads(), &TextRules::default()).unwrap();
    let bytes = std::fs::read(dir.path().join("text.bin")).unwrap();
    let open = |bytes: &[u8], rows| {
        std::fs::write(dir.path().join("bad"), bytes).unwrap();
        TermIndex::open(&FsStore, &dir.path().join("bad"), rows).err()
    };
    assert!(open(&bytes, 300).is_none());
    for at in (0..bytes.len()).step_by(7) {
        let mut bad = bytes.clone();
        bad[at] ^= 0x10;
        // Between sections and in the header's reserve a byte says nothing; everywhere else it is missed.
        if let Some(error) = open(&bad, 300) {
            assert!(matches!(error, Error::Corrupt(_)), "byte {at}: {error}");
        } else {
            let sections =
                crate::disk::format::File::open(&FsStore, &dir.path().join("bad"), Kind::Text, VERSION)
                    .unwrap();
            assert!(sections.verify().is_ok(), "byte {at}");
        }
    }
    for len in (0..bytes.len()).step_by(bytes.len() / 50) {
        assert!(matches!(open(&bytes[..len], 300), Some(Error::Corrupt(_))), "cut to {len}");
    }
    let error = open(&bytes, 299).unwrap();
    assert!(error.to_string().contains("the index has 300 rows and the segment 299"), "{error}");
}

#[test]
fn an_empty_segment_has_an_index_too() {
    let dir = TempDir::new().unwrap();
    let index = index(&dir, "text.bin", &[], &TextRules::default()).unwrap();
    let place = Place::of(&"a".parse().unwrap());
    assert_eq!((index.rows(), index.count(&place.anything(), 9).unwrap().most), (0, 0));
    index.rows_in(&place.anything(), &mut |rows| panic!("rows {rows:?}")).unwrap();
    index.word(place.as_bytes(), "x", &mut |row, _| panic!("row {row}")).unwrap();
}
