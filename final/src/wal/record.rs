//! What does the log say, and in which bytes? Operations, and the frames that make a group of them all or nothing.
//!
//! # A frame
//!
//! | at | bytes | what |
//! |---|--:|---|
//! | 0 | 4 | length of the payload, `u32`, not 0 |
//! | 4 | 4 | crc32c of: the file's number `u64`, the frame's offset in the file `u64`, the length, the LSN, the payload |
//! | 8 | 8 | LSN of the first operation, `u64`; the others follow one by one |
//! | 16 | any | payload: a list of operations, each a list of changes |
//!
//! One frame holds one commit group: everything that one write and one fsync make durable. When the power fails before
//! the fsync returns, the pages of that write may be on disk in any combination, so of several frames the second may
//! be there without the first. With one checksum over the whole group it is valid or it is not; and a valid frame
//! *behind* a bad one then means that something was damaged which had been acknowledged. The checksum covers file
//! number and offset so that a frame counts only where it was written.
//!
//! # A payload
//!
//! bincode 2 with fixed-size little-endian integers: lists are a `u64` count and the elements, variants a `u32`.
//! A test pins the bytes. Vectors and names are byte strings, and a point's payload is its JSON text, because JSON
//! values describe themselves, which bincode can't decode. Decoding trusts no length: a list grows as its elements come.
//!
//! Not here: files; what an operation does to a collection.

use std::borrow::Cow;

use bincode::{
    BorrowDecode, Encode, config,
    de::BorrowDecoder,
    enc::Encoder,
    error::{DecodeError, EncodeError},
};
use crc32c::{crc32c, crc32c_append};
use serde_json::Value;

use crate::{
    disk::format::{u32_at, u64_at},
    error::{Error, Result},
    point::{Lsn, Payload, Point, PointId, Vector},
    schema::CollectionSchema,
};

/// One point's new state. Every write is logged as its outcome, whatever it was asked as, so that replaying it decides
/// nothing and doing so twice does no harm.
#[derive(Debug, Clone, PartialEq)]
pub enum Change {
    /// The point is this now.
    Upsert(Point),
    /// There is no such point now.
    Delete(PointId),
    /// The collection is defined so now.
    Schema(Box<CollectionSchema>),
}

/// One client request: all of it is applied or none.
#[derive(Debug, Clone, PartialEq)]
pub struct Operation {
    /// Its place in the order of all writes.
    pub lsn: Lsn,
    /// What it changes, in order.
    pub changes: Vec<Change>,
}

/// Bytes of a frame before its payload.
pub(super) const HEAD: usize = 16;
/// The shortest operation: one that changes nothing.
pub(super) const SHORTEST: usize = 8;
const MAX_PAYLOAD: usize = 1 << 30;
/// What `serde_json` reads back: its parser stops at 128 levels.
const MAX_DEPTH: usize = 127;

/// A frame that was found whole at its place.
#[derive(Debug, Clone, Copy)]
pub(super) struct Frame<'a> {
    pub(super) first: Lsn,
    /// Where the next frame starts.
    pub(super) end: usize,
    payload: &'a [u8],
}

/// The frame of a group of operations with consecutive LSNs, for one place in one file.
/// [`Error::BadRequest`] if it is longer than 1 GiB or has a payload nested too deeply to be read back.
pub(super) fn encode_frame(file: u64, offset: u64, operations: &[Operation]) -> Result<Vec<u8>> {
    let first = operations.first().map_or(0, |operation| operation.lsn);
    let mut records = Vec::with_capacity(operations.len());
    for (index, operation) in operations.iter().enumerate() {
        assert_eq!(operation.lsn, first + index as u64, "the operations of a group have consecutive LSNs");
        records.push(List(operation.changes.iter().map(ChangeRecord::of).collect::<Result<_>>()?));
    }
    let mut bytes = vec![0; HEAD];
    bincode::encode_into_std_write(List(records), &mut bytes, layout())
        .map_err(|error| Error::bad_request(format!("a write can't be logged: {error}")))?;
    let len = bytes.len() - HEAD;
    if len > MAX_PAYLOAD {
        return Err(Error::bad_request(format!(
            "a group of writes of {len} bytes is longer than the {MAX_PAYLOAD} that one log record can have; \
             send the points in smaller batches"
        )));
    }
    bytes[..4].copy_from_slice(&(len as u32).to_le_bytes());
    bytes[8..16].copy_from_slice(&first.to_le_bytes());
    let checksum = checksum(file, offset, &bytes);
    bytes[4..8].copy_from_slice(&checksum.to_le_bytes());
    Ok(bytes)
}

/// Length of the payload and first LSN of what may be a frame at `offset` of a file's bytes: if it is one, it fits.
pub(super) fn peek(bytes: &[u8], offset: usize) -> Option<(usize, Lsn)> {
    let bytes = bytes.get(offset..).filter(|bytes| bytes.len() > HEAD)?;
    let len = u32_at(bytes, 0) as usize;
    (len > 0 && len <= MAX_PAYLOAD.min(bytes.len() - HEAD)).then(|| (len, u64_at(bytes, 8)))
}

/// The frame at `offset` of a file's bytes, if there is a valid one.
pub(super) fn read_frame(file: u64, offset: usize, bytes: &[u8]) -> Option<Frame<'_>> {
    let (len, first) = peek(bytes, offset)?;
    let end = offset + HEAD + len;
    let frame = &bytes[offset..end];
    let valid = checksum(file, offset as u64, frame) == u32_at(frame, 4);
    valid.then(|| Frame { first, end, payload: &frame[HEAD..] })
}

fn checksum(file: u64, offset: u64, frame: &[u8]) -> u32 {
    let mut place = [0; 16];
    place[..8].copy_from_slice(&file.to_le_bytes());
    place[8..].copy_from_slice(&offset.to_le_bytes());
    let head = crc32c_append(crc32c(&place), &frame[..4]);
    crc32c_append(head, &frame[8..])
}

impl Frame<'_> {
    /// The operations in the frame, or what is wrong with its payload.
    pub(super) fn operations(&self) -> std::result::Result<Vec<Operation>, String> {
        let (records, read) =
            bincode::borrow_decode_from_slice::<List<List<ChangeRecord>>, _>(self.payload, layout())
                .map_err(|error| format!("its payload can't be decoded: {error}"))?;
        if read != self.payload.len() {
            return Err(format!("its payload has {} bytes too many", self.payload.len() - read));
        }
        let count = records.0.len() as u64;
        let Some(lsns) = self.first.checked_add(count).map(|end| self.first..end).filter(|_| count > 0)
        else {
            return Err(format!("it has {count} operations from LSN {}", self.first));
        };
        let operation = |(lsn, changes): (Lsn, List<ChangeRecord>)| {
            let changes =
                changes.0.into_iter().map(ChangeRecord::change).collect::<std::result::Result<_, _>>()?;
            Ok(Operation { lsn, changes })
        };
        lsns.zip(records.0).map(operation).collect()
    }
}

/// bincode's settings. They are part of the file format.
fn layout() -> impl config::Config {
    config::standard().with_little_endian().with_fixed_int_encoding().with_limit::<MAX_PAYLOAD>()
}

#[derive(Encode, BorrowDecode)]
enum ChangeRecord<'a> {
    Upsert {
        id: IdRecord,
        vectors: List<(&'a str, VectorRecord<'a>)>,
        payload: Cow<'a, [u8]>,
    },
    Delete {
        id: IdRecord,
    },
    /// As JSON.
    Schema {
        schema: Cow<'a, [u8]>,
    },
}

#[derive(Encode, BorrowDecode)]
enum IdRecord {
    Num(u64),
    Uuid(u128),
}

/// Sparse vectors and multivectors will be further variants.
#[derive(Encode, BorrowDecode)]
enum VectorRecord<'a> {
    /// Little-endian `f32`s.
    Dense(&'a [u8]),
}

impl<'a> ChangeRecord<'a> {
    fn of(change: &'a Change) -> Result<Self> {
        let point = match change {
            Change::Delete(id) => return Ok(Self::Delete { id: IdRecord::of(*id) }),
            Change::Schema(schema) => {
                let json = serde_json::to_vec(schema);
                let json =
                    json.map_err(|error| Error::bad_request(format!("the schema is not JSON: {error}")))?;
                return Ok(Self::Schema { schema: json.into() });
            }
            Change::Upsert(point) => point,
        };
        let id = point.id;
        if point.payload.values().any(|value| deeper_than(MAX_DEPTH - 1, value)) {
            let limit = format!("the payload of point {id} is nested more than {MAX_DEPTH} levels deep");
            return Err(Error::bad_request(limit));
        }
        let payload = match point.payload.is_empty() {
            true => Vec::new(),
            false => serde_json::to_vec(&point.payload).map_err(|error| {
                Error::bad_request(format!("the payload of point {id} is not JSON: {error}"))
            })?,
        };
        let vector = |(name, vector): (&'a String, &'a Vector)| match vector {
            Vector::Dense(values) => (name.as_str(), VectorRecord::Dense(bytemuck::cast_slice(values))),
        };
        let vectors = List(point.vectors.iter().map(vector).collect());
        Ok(Self::Upsert { id: IdRecord::of(id), vectors, payload: payload.into() })
    }

    fn change(self) -> std::result::Result<Change, String> {
        let (id, vectors, payload) = match self {
            Self::Delete { id } => return Ok(Change::Delete(id.id())),
            Self::Schema { schema } => {
                let schema = serde_json::from_slice(&schema);
                return schema
                    .map(Change::Schema)
                    .map_err(|error| format!("its schema can't be read: {error}"));
            }
            Self::Upsert { id, vectors, payload } => (id.id(), vectors, payload),
        };
        let payload: Payload = match payload.is_empty() {
            true => Payload::new(),
            false => serde_json::from_slice(&payload)
                .map_err(|error| format!("the payload of point {id} is not a JSON object: {error}"))?,
        };
        let vector = |(name, VectorRecord::Dense(bytes)): (&str, VectorRecord)| match bytes.as_chunks() {
            (values, []) => {
                Ok((name.to_owned(), Vector::Dense(values.iter().copied().map(f32::from_le_bytes).collect())))
            }
            _ => Err(format!("vector {name:?} of point {id} has {} bytes", bytes.len())),
        };
        let vectors = vectors.0.into_iter().map(vector).collect::<std::result::Result<_, _>>()?;
        Ok(Change::Upsert(Point { id, vectors, payload }))
    }
}

impl IdRecord {
    fn of(id: PointId) -> Self {
        match id {
            PointId::Num(number) => Self::Num(number),
            PointId::Uuid(bits) => Self::Uuid(bits),
        }
    }

    fn id(self) -> PointId {
        match self {
            Self::Num(number) => PointId::Num(number),
            Self::Uuid(bits) => PointId::Uuid(bits),
        }
    }
}

/// Whether a value has more than `levels` arrays and objects inside each other.
fn deeper_than(levels: usize, value: &Value) -> bool {
    match value {
        Value::Array(values) => levels == 0 || values.iter().any(|value| deeper_than(levels - 1, value)),
        Value::Object(values) => levels == 0 || values.values().any(|value| deeper_than(levels - 1, value)),
        _ => false,
    }
}

/// A list that is encoded as a `Vec` is, and decoded without taking its length at its word.
struct List<T>(Vec<T>);

impl<T: Encode> Encode for List<T> {
    fn encode<E: Encoder>(&self, encoder: &mut E) -> std::result::Result<(), EncodeError> {
        self.0.encode(encoder)
    }
}

impl<'de, T: BorrowDecode<'de, Context>, Context> BorrowDecode<'de, Context> for List<T> {
    fn borrow_decode<D: BorrowDecoder<'de, Context = Context>>(
        decoder: &mut D,
    ) -> std::result::Result<Self, DecodeError> {
        let count = u64::borrow_decode(decoder)?;
        let mut values = Vec::new();
        for _ in 0..count {
            values.push(T::borrow_decode(decoder)?);
        }
        Ok(Self(values))
    }
}

#[cfg(test)]
mod tests;
