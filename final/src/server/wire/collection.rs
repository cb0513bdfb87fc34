//! How is a collection defined in JSON?
//!
//! Definitions come back in [`super::info`] as they were sent: clients refuse keys there that they do not know. So a
//! body is read into types that hold every key Qdrant has, those Kith does not act on included, and what these types
//! print again (without the absent ones) is kept in the schema as `requested`.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize, de::DeserializeOwned};
use serde_json::{Map, Value};

use crate::{
    hnsw::HnswConfig,
    point::Payload,
    schema::{CollectionSchema, MAX_DIMENSION, Quantization, VectorSchema},
    server::reject::{Answer, Reject},
    vector::Metric,
};

/// Kilobytes of vectors from which on a segment gets a graph, if the client does not say.
pub const INDEXING_THRESHOLD_KB: u64 = 10_000;

/// The body of `PUT /collections/{c}`.
#[derive(Debug, Clone, Default, Serialize, Deserialize)]
pub struct CreateBody {
    /// The vectors: one, or several by name.
    pub vectors: Option<VectorsInput>,
    /// Sparse vectors by name.
    pub sparse_vectors: Option<Payload>,
    /// How graphs are built.
    pub hnsw_config: Option<HnswInput>,
    /// When they are built.
    #[serde(alias = "optimizer_config")]
    pub optimizers_config: Option<OptimizersInput>,
    /// For the echo.
    pub wal_config: Option<Payload>,
    /// What is kept of vectors besides their numbers.
    #[serde(alias = "quantization")]
    pub quantization_config: Option<Value>,
    /// For the echo: payloads are always served from mapped files.
    pub on_disk_payload: Option<bool>,
    /// For the echo.
    pub shard_number: Option<u32>,
    /// For the echo.
    pub replication_factor: Option<u32>,
    /// For the echo.
    pub write_consistency_factor: Option<u32>,
    /// For the echo.
    pub sharding_method: Option<Value>,
    /// For the echo.
    pub strict_mode_config: Option<Payload>,
    /// Whatever the client wants to remember with the collection.
    pub metadata: Option<Payload>,
}

/// `vectors`: the unnamed one, or several by name.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum VectorsInput {
    /// The unnamed vector.
    One(VectorInput),
    /// Vectors by name.
    Named(BTreeMap<String, VectorInput>),
}

/// What one vector is.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorInput {
    /// Numbers per vector.
    pub size: u64,
    /// What near means; [`Metric`]'s names are Qdrant's.
    pub distance: Metric,
    /// Whether searches are to do without its numbers in memory. Where `quantization_config` says what is kept, that
    /// counts.
    pub on_disk: Option<bool>,
    /// How its graph is built.
    pub hnsw_config: Option<HnswInput>,
    /// What is kept of it besides its numbers.
    #[serde(alias = "quantization")]
    pub quantization_config: Option<Value>,
    /// For the echo: Kith keeps 32 bits.
    pub datatype: Option<Datatype>,
    /// Refused.
    pub multivector_config: Option<Payload>,
}

/// How numbers are kept.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[expect(missing_docs, reason = "Qdrant's names say it")]
pub enum Datatype {
    Float32,
    Uint8,
    Float16,
}

/// How graphs are built.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct HnswInput {
    /// Links per node.
    pub m: Option<u64>,
    /// Breadth of the search for neighbours while building.
    pub ef_construct: Option<u64>,
    /// For the echo.
    pub full_scan_threshold: Option<u64>,
    /// For the echo.
    pub max_indexing_threads: Option<u64>,
    /// For the echo: graphs are always served from mapped files.
    pub on_disk: Option<bool>,
    /// For the echo.
    pub payload_m: Option<u64>,
}

/// When graphs are built.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct OptimizersInput {
    /// For the echo.
    pub deleted_threshold: Option<f64>,
    /// For the echo.
    pub vacuum_min_vector_number: Option<u64>,
    /// For the echo.
    pub default_segment_number: Option<u64>,
    /// For the echo.
    pub max_segment_size: Option<u64>,
    /// For the echo.
    pub memmap_threshold: Option<u64>,
    /// Kilobytes of vectors from which on a segment gets a graph; 0 never.
    pub indexing_threshold: Option<u64>,
    /// For the echo.
    pub flush_interval_sec: Option<u64>,
    /// 0 stops graphs from being built; a number or `"auto"`.
    pub max_optimization_threads: Option<Value>,
}

impl<'de> Deserialize<'de> for VectorsInput {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let object = Map::<String, Value>::deserialize(deserializer)?;
        let params = |key: &str| object.get(key).is_some_and(|value| !value.is_object());
        let unnamed = params("size") || params("distance");
        let value = Value::Object(object);
        let read = if unnamed { exactly(value).map(Self::One) } else { exactly(value).map(Self::Named) };
        read.map_err(serde::de::Error::custom)
    }
}

fn exactly<T: DeserializeOwned>(value: Value) -> Result<T, serde_json::Error> {
    serde_json::from_value(value)
}

impl CreateBody {
    /// What the collection is to be, checked.
    pub fn schema(&self) -> Answer<CollectionSchema> {
        if self.sparse_vectors.as_ref().is_some_and(|sparse| !sparse.is_empty()) {
            return Err(Reject::wrong_input(
                "sparse vectors are not supported; for ranking by words, query with `bm25` over payload texts",
            ));
        }
        let vectors = self.vector_schemas()?;
        let hnsw = hnsw_config("hnsw_config", &HnswConfig::default(), self.hnsw_config.as_ref())?;
        let indexing_threshold = self.indexing_threshold(&vectors);
        Ok(CollectionSchema {
            vectors,
            hnsw,
            indexing_threshold,
            fields: BTreeMap::new(),
            requested: self.requested(),
        })
    }

    /// What was asked for, as it will be shown: only known keys, only those that were sent.
    pub fn requested(&self) -> Payload {
        match serde_json::to_value(self).map(without_nulls) {
            Ok(Value::Object(object)) => object,
            _ => Payload::new(),
        }
    }

    fn vector_schemas(&self) -> Answer<BTreeMap<String, VectorSchema>> {
        let mut schemas = BTreeMap::new();
        match &self.vectors {
            None => {}
            Some(VectorsInput::One(vector)) => {
                schemas.insert(String::new(), vector.schema("vectors", self)?);
            }
            Some(VectorsInput::Named(named)) => {
                for (name, vector) in named {
                    check_name(name, 200, "vector")?;
                    let place = format!("vectors.{name}");
                    schemas.insert(name.clone(), vector.schema(&place, self)?);
                }
            }
        }
        Ok(schemas)
    }

    /// Qdrant counts kilobytes, a graph counts rows: the widest vector decides.
    pub fn indexing_threshold(&self, vectors: &BTreeMap<String, VectorSchema>) -> Option<u32> {
        let optimizers = self.optimizers_config.clone().unwrap_or_default();
        let stopped = optimizers.max_optimization_threads == Some(Value::from(0));
        let no_links = self.hnsw_config.as_ref().and_then(|hnsw| hnsw.m) == Some(0);
        let kilobytes = optimizers.indexing_threshold.unwrap_or(INDEXING_THRESHOLD_KB);
        if stopped || no_links || kilobytes == 0 {
            return None;
        }
        let widest = vectors.values().map(|vector| vector.size as u64 * 4).max().unwrap_or(4).max(1);
        let rows = kilobytes.saturating_mul(1024) / widest;
        Some(u32::try_from(rows.max(1)).unwrap_or(u32::MAX))
    }
}

impl VectorInput {
    fn schema(&self, place: &str, of_collection: &CreateBody) -> Answer<VectorSchema> {
        if self.size == 0 || self.size > MAX_DIMENSION as u64 {
            return Err(Reject::validation(
                &format!("{place}.size"),
                format!("value {} invalid, must be from 1 to {MAX_DIMENSION}", self.size),
            ));
        }
        if self.multivector_config.is_some() {
            return Err(Reject::wrong_input(format!(
                "{place}.multivector_config: multivectors are not supported"
            )));
        }
        let hnsw = match &self.hnsw_config {
            None => None,
            Some(own) => {
                let base =
                    hnsw_config("hnsw_config", &HnswConfig::default(), of_collection.hnsw_config.as_ref())?;
                Some(hnsw_config(&format!("{place}.hnsw_config"), &base, Some(own))?)
            }
        };
        let quantization = match &self.quantization_config {
            None => quantization("quantization_config", of_collection.quantization_config.as_ref())?,
            own => quantization(&format!("{place}.quantization_config"), own.as_ref())?,
        };
        let quantization = match quantization {
            Quantization::Auto if self.on_disk == Some(true) => Quantization::Lean,
            chosen => chosen,
        };
        Ok(VectorSchema { size: self.size as usize, distance: self.distance, hnsw, quantization })
    }
}

/// `base` with what the client changed. An `m` of 0 means "no graph" and is seen to by the threshold.
fn hnsw_config(place: &str, base: &HnswConfig, input: Option<&HnswInput>) -> Answer<HnswConfig> {
    let mut config = *base;
    let narrow = |value: u64| u32::try_from(value).unwrap_or(u32::MAX);
    if let Some(m) = input.and_then(|input| input.m).filter(|&m| m != 0) {
        config.m = narrow(m);
    }
    if let Some(ef) = input.and_then(|input| input.ef_construct) {
        config.ef_construct = narrow(ef);
    }
    config.validate().map_err(|error| Reject::validation(place, error.to_string()))?;
    Ok(config)
}

/// What a quantization's one key says; its parameters are for the echo. Product quantization is none of Kith's kinds.
fn quantization(place: &str, input: Option<&Value>) -> Answer<Quantization> {
    let kinds = match input {
        None | Some(Value::Null) => return Ok(Quantization::Auto),
        Some(Value::String(word)) if word == "Disabled" => return Ok(Quantization::Disabled),
        Some(Value::Object(kinds)) => kinds.keys().map(String::as_str).collect::<Vec<_>>(),
        Some(_) => Vec::new(),
    };
    match kinds[..] {
        ["scalar"] => Ok(Quantization::Scalar),
        ["binary"] => Ok(Quantization::Binary),
        _ => Err(Reject::validation(
            place,
            "must be {\"scalar\": {…}}, {\"binary\": {…}} or \"Disabled\"; without it Kith chooses",
        )),
    }
}

/// Names of collections and vectors end up in paths.
pub fn check_name(name: &str, longest: usize, what: &str) -> Answer<()> {
    const FORBIDDEN: [char; 11] = ['<', '>', ':', '"', '/', '\\', '|', '?', '*', '\0', '\u{1F}'];
    let part = if what == "collection" { "path parameters" } else { "JSON body" };
    let count = name.chars().count();
    if count > longest || (count == 0 && what == "collection") {
        let text = format!("value {name:?} invalid, must be from 1 to {longest} characters long");
        return Err(Reject::invalid(part, &format!("{what} name"), &text));
    }
    match name.chars().find(|letter| FORBIDDEN.contains(letter)) {
        Some(letter) => {
            let text = format!("value {name:?} invalid, {what} name cannot contain {letter:?} char");
            Err(Reject::invalid(part, &format!("{what} name"), &text))
        }
        None if what == "collection" && matches!(name, "." | "..") => Err(Reject::invalid(
            part,
            "collection name",
            &format!("value {name:?} invalid, it names a folder"),
        )),
        None => Ok(()),
    }
}

/// The value without any object member that is `null`.
pub fn without_nulls(value: Value) -> Value {
    match value {
        Value::Object(object) => {
            let kept = object.into_iter().filter(|(_, value)| !value.is_null());
            Value::Object(kept.map(|(key, value)| (key, without_nulls(value))).collect())
        }
        other => other,
    }
}
