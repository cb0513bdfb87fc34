//! How do points look in JSON, on their way in (writes) and on their way out (records, scored points)?

use serde::{Deserialize, Serialize, Serializer};
use serde_json::Value;

use super::{Id, vector::PointVectors, vector::VectorInput};
use crate::{
    collection::change::UpsertMode,
    point::{NamedVectors, Payload, Vector},
    query::OrderValue,
    server::reject::{Answer, Reject},
};

/// One write, as `POST /points/batch` names it; every other write endpoint is one of these alone.
#[derive(Debug, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Operation {
    /// Put whole points.
    Upsert(UpsertBody),
    /// Remove points.
    Delete(SelectorBody),
    /// Merge into payloads.
    SetPayload(PayloadBody),
    /// Replace payloads.
    OverwritePayload(PayloadBody),
    /// Remove payload keys.
    DeletePayload(KeysBody),
    /// Empty payloads.
    ClearPayload(SelectorBody),
    /// Put vectors of existing points.
    UpdateVectors(UpdateVectorsBody),
    /// Take vectors away.
    DeleteVectors(DeleteVectorsBody),
}

/// `{"operations": […]}`.
#[derive(Debug, Deserialize)]
pub struct OperationsBody {
    /// The writes, in order.
    pub operations: Vec<Operation>,
}

/// `PUT /points`: rows in `points`, or columns in `batch`.
#[derive(Debug, Deserialize)]
pub struct UpsertBody {
    points: Option<Vec<PointInput>>,
    batch: Option<ColumnsInput>,
    /// Existing points are replaced only if they match.
    pub update_filter: Option<Value>,
    update_mode: Option<ModeInput>,
}

/// One point of an upsert.
#[derive(Debug, PartialEq, Deserialize)]
pub struct PointInput {
    /// Its id.
    pub id: Id,
    /// Its vectors.
    #[serde(alias = "vectors")]
    pub vector: PointVectors,
    /// Its payload.
    pub payload: Option<Payload>,
}

#[derive(Debug, Deserialize)]
struct ColumnsInput {
    ids: Vec<Id>,
    #[serde(alias = "vector")]
    vectors: VectorColumns,
    payloads: Option<Vec<Option<Payload>>>,
}

#[derive(Debug, Clone, Copy, Deserialize)]
#[serde(rename_all = "snake_case")]
enum ModeInput {
    Upsert,
    InsertOnly,
    UpdateOnly,
}

/// `[vector, …]` or `{name: [vector, …]}`.
#[derive(Debug)]
enum VectorColumns {
    Rows(Vec<PointVectors>),
    Columns(Vec<(String, Vec<VectorInput>)>),
}

impl<'de> Deserialize<'de> for VectorColumns {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Either;
        impl<'de> serde::de::Visitor<'de> for Either {
            type Value = VectorColumns;
            fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
                f.write_str("a list of vectors, or an object of such lists by name")
            }
            fn visit_seq<A: serde::de::SeqAccess<'de>>(self, mut list: A) -> Result<VectorColumns, A::Error> {
                let mut rows = Vec::new();
                while let Some(row) = list.next_element()? {
                    rows.push(row);
                }
                Ok(VectorColumns::Rows(rows))
            }
            fn visit_map<A: serde::de::MapAccess<'de>>(self, mut map: A) -> Result<VectorColumns, A::Error> {
                let mut columns = Vec::new();
                while let Some(column) = map.next_entry()? {
                    columns.push(column);
                }
                Ok(VectorColumns::Columns(columns))
            }
        }
        deserializer.deserialize_any(Either)
    }
}

impl UpsertBody {
    /// The points, whichever way they came.
    pub fn points(&mut self) -> Answer<Vec<PointInput>> {
        match (self.points.take(), self.batch.take()) {
            (Some(points), None) => Ok(points),
            (None, Some(columns)) => columns.into_points(),
            (Some(_), Some(_)) => Err(Reject::format("either `points` or `batch` is wanted, not both")),
            (None, None) => {
                Err(Reject::format("missing field `points` (a list of points) or `batch` (columns)"))
            }
        }
    }

    /// Which of the points are put.
    pub fn mode(&self) -> UpsertMode {
        match self.update_mode {
            None | Some(ModeInput::Upsert) => UpsertMode::Upsert,
            Some(ModeInput::InsertOnly) => UpsertMode::InsertOnly,
            Some(ModeInput::UpdateOnly) => UpsertMode::UpdateOnly,
        }
    }
}

impl ColumnsInput {
    fn into_points(self) -> Answer<Vec<PointInput>> {
        let count = self.ids.len();
        let vectors = match self.vectors {
            VectorColumns::Rows(rows) => {
                same_length(count, rows.len(), "vectors")?;
                rows
            }
            VectorColumns::Columns(columns) => rows_of(columns, count)?,
        };
        let payloads = match self.payloads {
            None => vec![None; count],
            Some(payloads) => {
                same_length(count, payloads.len(), "payloads")?;
                payloads
            }
        };
        let rows = self.ids.into_iter().zip(vectors).zip(payloads);
        Ok(rows.map(|((id, vector), payload)| PointInput { id, vector, payload }).collect())
    }
}

fn rows_of(columns: Vec<(String, Vec<VectorInput>)>, count: usize) -> Answer<Vec<PointVectors>> {
    let mut rows: Vec<PointVectors> = (0..count).map(|_| PointVectors::default()).collect();
    for (name, column) in columns {
        same_length(count, column.len(), "vectors")?;
        for (row, vector) in rows.iter_mut().zip(column) {
            row.0.push((name.clone(), vector));
        }
    }
    Ok(rows)
}

fn same_length(ids: usize, others: usize, what: &str) -> Answer<()> {
    if ids == others {
        return Ok(());
    }
    Err(Reject::validation("batch", format!("number of ids and {what} must be equal ({ids} != {others})")))
}

/// `{"points": […]}` or `{"filter": …}`.
#[derive(Debug, Deserialize)]
pub struct SelectorBody {
    /// Ids.
    pub points: Option<Vec<Id>>,
    /// Conditions.
    pub filter: Option<Value>,
}

/// A payload to set, and on which points.
#[derive(Debug, Deserialize)]
pub struct PayloadBody {
    /// The payload.
    pub payload: Payload,
    /// Where in the points' payloads, if not at the top.
    pub key: Option<String>,
    /// Ids.
    pub points: Option<Vec<Id>>,
    /// Conditions.
    pub filter: Option<Value>,
}

/// Payload keys to remove, and of which points.
#[derive(Debug, Deserialize)]
pub struct KeysBody {
    /// Their paths.
    pub keys: Vec<String>,
    /// Ids.
    pub points: Option<Vec<Id>>,
    /// Conditions.
    pub filter: Option<Value>,
}

/// Vectors to put on existing points.
#[derive(Debug, Deserialize)]
pub struct UpdateVectorsBody {
    /// The points.
    pub points: Vec<VectorsOfPoint>,
    /// Points are changed only if they match.
    pub update_filter: Option<Value>,
}

/// One point of `PUT /points/vectors`.
#[derive(Debug, Deserialize)]
pub struct VectorsOfPoint {
    /// Its id.
    pub id: Id,
    /// The new vectors.
    #[serde(alias = "vectors")]
    pub vector: PointVectors,
}

/// Vectors to take away, and from which points.
#[derive(Debug, Deserialize)]
pub struct DeleteVectorsBody {
    /// Ids.
    pub points: Option<Vec<Id>>,
    /// Conditions.
    pub filter: Option<Value>,
    /// Their names.
    #[serde(alias = "vectors")]
    pub vector: Vec<String>,
}

/// What a write answers.
#[derive(Debug, Serialize)]
pub struct UpdateResult {
    /// The write's place in the order of all writes, when it is known.
    pub operation_id: Option<u64>,
    /// How far the write got.
    pub status: UpdateStatus,
}

/// How far a write got.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum UpdateStatus {
    /// Logged.
    Acknowledged,
    /// Logged and visible.
    Completed,
    /// Under way still when the caller's time was up.
    WaitTimeout,
}

/// A point on its way out.
#[derive(Debug, Serialize)]
pub struct Record {
    /// Its id.
    pub id: Id,
    /// When it was last written; in query answers only.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub version: Option<u64>,
    /// Its score; in query answers only.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "finite")]
    pub score: Option<f32>,
    /// Its payload, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub payload: Option<Payload>,
    /// Its vectors, if asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub vector: Option<VectorsOut>,
    /// The value it was ordered by.
    #[serde(skip_serializing_if = "Option::is_none", serialize_with = "order_value")]
    pub order_value: Option<OrderValue>,
}

/// Clients can't read a score that is `null`, and JSON has no infinity: the largest number stands for it.
fn finite<S: Serializer>(score: &Option<f32>, serializer: S) -> Result<S::Ok, S::Error> {
    let score = score.unwrap_or_default();
    let printable = if score.is_nan() { f32::MIN } else { score.clamp(f32::MIN, f32::MAX) };
    serializer.serialize_f32(printable)
}

fn order_value<S: Serializer>(value: &Option<OrderValue>, serializer: S) -> Result<S::Ok, S::Error> {
    match value {
        Some(OrderValue::Int(number)) => serializer.serialize_i64(*number),
        Some(OrderValue::Float(number)) => serializer.serialize_f64(*number),
        None => serializer.serialize_none(),
    }
}

/// The vectors of a point on its way out: bare if there is only the unnamed one.
#[derive(Debug, PartialEq)]
pub struct VectorsOut(pub NamedVectors);

impl Serialize for VectorsOut {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        match self.0.get("") {
            Some(Vector::Dense(values)) if self.0.len() == 1 => serializer.collect_seq(values),
            _ => serializer.collect_map(self.0.iter().map(|(name, Vector::Dense(values))| (name, values))),
        }
    }
}
