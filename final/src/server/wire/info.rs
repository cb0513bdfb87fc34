//! How is a collection described in JSON? `GET /collections/{c}`.
//!
//! Clients refuse keys they do not know inside the parts that came from a request, so those are shown as they were
//! sent; only `hnsw_config` and `optimizer_config` must be whole, and get Kith's values where the request said nothing.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::{collection::INDEXING_THRESHOLD_KB, field::kind_name};
use crate::{point::Payload, schema::CollectionSchema, segment::Walkable};

/// What changes from one moment to the next.
#[derive(Debug, Clone, Default)]
pub struct Condition {
    /// Points in it.
    pub points: u64,
    /// Vectors with a graph over them.
    pub indexed_vectors: u64,
    /// Segments it consists of.
    pub segments: usize,
    /// What the graph of each vector is walked by, in the largest segment that has one.
    pub graphs: BTreeMap<String, Walkable>,
    /// Whether graphs or merges are under way.
    pub optimizing: bool,
    /// Why it can't be written to any more.
    pub error: Option<String>,
}

/// How a collection is doing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Colour {
    /// All is built.
    Green,
    /// Something is being built.
    Yellow,
    /// It takes no more writes.
    Red,
}

impl Condition {
    /// In one word.
    pub fn colour(&self) -> Colour {
        match self {
            Self { error: Some(_), .. } => Colour::Red,
            Self { optimizing: true, .. } => Colour::Yellow,
            _ => Colour::Green,
        }
    }
}

/// The answer to `GET /collections/{c}`; `points_of` counts the points that have a value at a declared path.
pub fn collection_info(
    schema: &CollectionSchema,
    condition: &Condition,
    points_of: impl Fn(&str) -> u64,
) -> Value {
    let fields = schema.fields.iter().map(|(path, field)| {
        let mut entry = json!({ "data_type": kind_name(&field.kind), "points": points_of(path) });
        if let Some(params) = &field.requested {
            entry["params"] = Value::Object(params.clone());
        }
        (path.clone(), entry)
    });
    let optimizer_status = match &condition.error {
        Some(error) => json!({ "error": error }),
        None => json!("ok"),
    };
    json!({
        "status": condition.colour(),
        "optimizer_status": optimizer_status,
        "indexed_vectors_count": condition.indexed_vectors,
        "points_count": condition.points,
        "segments_count": condition.segments,
        "graphs_walked_by": condition.graphs,
        "update_queue": { "length": 0 },
        "config": config(schema),
        "payload_schema": fields.collect::<Payload>(),
    })
}

const DISABLED: &str = "Disabled";

fn config(schema: &CollectionSchema) -> Value {
    let asked = |key: &str| schema.requested.get(key).cloned();
    let mut params = json!({
        "shard_number": asked("shard_number").unwrap_or(json!(1)),
        "replication_factor": asked("replication_factor").unwrap_or(json!(1)),
        "write_consistency_factor": asked("write_consistency_factor").unwrap_or(json!(1)),
        "on_disk_payload": asked("on_disk_payload").unwrap_or(json!(true)),
    });
    if let Some(mut vectors) = asked("vectors") {
        without_disabled(&mut vectors);
        params["vectors"] = vectors;
    }
    let mut config = json!({
        "params": params,
        "hnsw_config": over(json!({
            "m": schema.hnsw.m, "ef_construct": schema.hnsw.ef_construct, "full_scan_threshold": 10_000,
            "max_indexing_threads": 0, "on_disk": false,
        }), asked("hnsw_config")),
        "optimizer_config": over(json!({
            "deleted_threshold": 0.2, "vacuum_min_vector_number": 1000, "default_segment_number": 0,
            "max_segment_size": null, "memmap_threshold": null, "indexing_threshold": INDEXING_THRESHOLD_KB,
            "flush_interval_sec": 5, "max_optimization_threads": null,
        }), asked("optimizers_config")),
        "wal_config": over(
            json!({ "wal_capacity_mb": 32, "wal_segments_ahead": 0, "wal_retain_closed": 1 }),
            asked("wal_config"),
        ),
        "quantization_config": asked("quantization_config").filter(|value| value != DISABLED),
    });
    for optional in ["strict_mode_config", "metadata"] {
        if let Some(value) = asked(optional) {
            config[optional] = value;
        }
    }
    config
}

/// Clients know this word of a change, and nothing in its place in what is shown.
fn without_disabled(vectors: &mut Value) {
    let Some(object) = vectors.as_object_mut() else { return };
    object.retain(|key, value| key != "quantization_config" || value != DISABLED);
    object.values_mut().filter(|value| value.is_object()).for_each(without_disabled);
}

/// `base` with the members of `asked` in place of its own.
fn over(mut base: Value, asked: Option<Value>) -> Value {
    if let (Some(base), Some(Value::Object(asked))) = (base.as_object_mut(), asked) {
        base.extend(asked);
    }
    base
}
