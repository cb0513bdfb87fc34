use proptest::prelude::*;
use serde_json::json;

use super::*;

fn object(value: Value) -> Payload {
    value.as_object().unwrap().clone()
}

fn ids() -> impl Strategy<Value = PointId> {
    prop_oneof![any::<u64>().prop_map(PointId::Num), any::<u128>().prop_map(PointId::Uuid)]
}

fn values() -> impl Strategy<Value = Value> {
    let leaf = prop_oneof![
        Just(Value::Null),
        any::<bool>().prop_map(Value::from),
        any::<i64>().prop_map(Value::from),
        any::<u64>().prop_map(Value::from),
        any::<f64>().prop_map(Value::from),
        any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 0..4).prop_map(Value::from),
            proptest::collection::btree_map(any::<String>(), inner, 0..4)
                .prop_map(|map| Value::Object(map.into_iter().collect())),
        ]
    })
}

fn changes() -> impl Strategy<Value = Change> {
    let vector = proptest::collection::vec(-1e9f32..1e9, 0..9).prop_map(Vector::Dense);
    let vectors = proptest::collection::btree_map(any::<String>(), vector, 0..3);
    let payload = proptest::collection::btree_map(any::<String>(), values(), 0..3);
    let point = (ids(), vectors, payload).prop_map(|(id, vectors, payload)| {
        Change::Upsert(Point { id, vectors, payload: payload.into_iter().collect() })
    });
    prop_oneof![3 => point, 1 => ids().prop_map(Change::Delete)]
}

fn groups() -> impl Strategy<Value = Vec<Operation>> {
    let changes = proptest::collection::vec(proptest::collection::vec(changes(), 0..4), 1..5);
    (1..1u64 << 40, changes).prop_map(|(first, changes)| {
        (first..).zip(changes).map(|(lsn, changes)| Operation { lsn, changes }).collect()
    })
}

proptest! {
    #[test]
    fn operations_come_back(group in groups(), file in 0..99u64, before in 0..99usize) {
        let frame = encode_frame(file, before as u64, &group).unwrap();
        let bytes = [vec![9; before], frame, vec![9; 5]].concat();
        let found = read_frame(file, before, &bytes).unwrap();
        prop_assert_eq!((found.first, found.end), (group[0].lsn, bytes.len() - 5));
        prop_assert_eq!(found.operations().unwrap(), group);
        prop_assert!(read_frame(file + 1, before, &bytes).is_none(), "it counts in its own file only");
        let moved = [&[9][..], &bytes].concat();
        prop_assert!(read_frame(file, before + 1, &moved).is_none(), "and at its own place");
    }

    /// Bytes with a right checksum are not random in practice; the decoder does not rely on it.
    #[test]
    fn any_payload_is_decoded_or_refused(payload in proptest::collection::vec(0..6u8, 1..200), first: u64) {
        let _ = Frame { first, end: 0, payload: &payload }.operations();
    }

    #[test]
    fn a_payload_with_a_wrong_byte_is_decoded_or_refused(group in groups(), at: prop::sample::Index, byte: u8) {
        let mut payload = encode_frame(0, 0, &group).unwrap().split_off(HEAD);
        let at = at.index(payload.len());
        payload[at] = byte;
        let _ = Frame { first: 1, end: 0, payload: &payload }.operations();
    }
}

#[test]
fn a_length_is_not_believed() {
    let huge = [0, 1 << 30, u64::MAX].map(|count: u64| [1, count].map(u64::to_le_bytes).concat());
    for payload in huge.iter().chain([&vec![255; 40], &vec![0; 8], &vec![0; 9], &vec![1]]) {
        let decoded = Frame { first: 1, end: 0, payload }.operations();
        assert_eq!(decoded.is_ok(), payload == &huge[0], "{payload:?}");
    }
    let last = Frame { first: u64::MAX, end: 0, payload: &huge[0] };
    assert!(last.operations().is_err(), "no LSN comes after the last one");
}

/// A payload that can be written and not read back would be lost with its whole group, acknowledged as it was.
#[test]
fn nesting_is_limited_to_what_can_be_read_back() {
    let nested =
        |levels: usize| {
            let value = (1..levels).fold(json!({}), |inner, level| {
                if level % 2 == 0 { json!({"a": inner}) } else { json!([inner]) }
            });
            let payload = object(json!({ "deep": value }));
            [Operation {
                lsn: 1,
                changes: vec![Change::Upsert(Point {
                    id: PointId::Num(1),
                    vectors: Default::default(),
                    payload,
                })],
            }]
        };
    let deepest = nested(MAX_DEPTH - 1);
    let frame = encode_frame(1, 0, &deepest).unwrap();
    assert_eq!(read_frame(1, 0, &frame).unwrap().operations().unwrap(), deepest);
    let error = encode_frame(1, 0, &nested(MAX_DEPTH)).unwrap_err();
    assert!(matches!(&error, Error::BadRequest(text) if text.contains("point 1 is nested")), "{error}");
}

#[test]
fn the_bytes_of_a_frame_do_not_change() {
    let point = Point {
        id: PointId::Num(7),
        vectors: [("".into(), Vector::Dense(vec![1.0, -2.5])), ("text".into(), Vector::Dense(vec![]))].into(),
        payload: object(json!({"a": 1.5})),
    };
    let group = [
        Operation {
            lsn: 300,
            changes: vec![Change::Upsert(point), Change::Delete(PointId::Uuid(0xabcd << 112))],
        },
        Operation { lsn: 301, changes: vec![] },
    ];
    let frame = encode_frame(17, 64, &group).unwrap();
    let (head, payload) = frame.split_at(HEAD);
    let mut lines =
        vec![hex(&head[..4]) + " length", hex(&head[4..8]) + " crc32c", hex(&head[8..]) + " first LSN"];
    lines.extend(payload.chunks(16).map(hex));
    let lines = lines.join("\n");
    insta::assert_snapshot!(format!("# These bytes are the format: logs on disk have them.\n{lines}"));
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect::<Vec<_>>().join(" ")
}
