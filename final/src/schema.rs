//! What is a collection? Its vectors, its declared payload indexes, and how it wants to be indexed.
//!
//! The schema travels whole in every manifest. What a client asked for beyond this (settings that Kith keeps for
//! the echo but does not act on) is carried as an opaque object that only the server reads.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::{
    error::{Error, Result},
    hnsw::HnswConfig,
    point::{NamedVectors, Payload, Vector},
    quantize::{Code, Precision},
    vector::Metric,
};

/// The largest dimension of a dense vector.
pub const MAX_DIMENSION: usize = 65_536;

/// The definition of a collection.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct CollectionSchema {
    /// The vectors a point may have, by name; the unnamed one is `""`.
    pub vectors: BTreeMap<String, VectorSchema>,
    /// How graphs are built, where a vector does not say otherwise.
    pub hnsw: HnswConfig,
    /// From how many rows on a sealed segment gets a graph; `None` stops graphs from being built.
    pub indexing_threshold: Option<u32>,
    /// Payload fields whose index was declared. Any field is filterable without; a declared text index
    /// changes what `match.text` means.
    pub fields: BTreeMap<String, FieldIndex>,
    /// What the client sent when it made the collection, for the echo; opaque below the server.
    pub requested: Payload,
}

/// One named vector.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct VectorSchema {
    /// Numbers per vector, 1 to [`MAX_DIMENSION`].
    pub size: usize,
    /// What "near" means.
    pub distance: Metric,
    /// How this vector's graph is built, if not as the collection's.
    pub hnsw: Option<HnswConfig>,
    /// What is kept of its rows besides the numbers.
    #[serde(default)]
    pub quantization: Quantization,
}

/// What is kept of vectors for searching, besides their numbers; the words are Qdrant's.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Quantization {
    /// What is fastest: in the graph a bit for each coordinate of each node's neighbours, and a bit for each of every
    /// row; nothing for short vectors and for Manhattan distances.
    #[default]
    Auto,
    /// What needs no vectors in memory: a bit for each coordinate of every row, or a byte where a sample shows that bits
    /// say too little; vectors are read from disk only to rescore. Nothing for short vectors and Manhattan distances.
    Lean,
    /// Little memory: a byte for each coordinate, and vectors are read from disk only to rescore.
    Scalar,
    /// Least memory: a bit for each coordinate, and vectors are read from disk only to rescore.
    Binary,
    /// Nothing: every distance is computed from the numbers.
    Disabled,
}

impl VectorSchema {
    /// How much is kept of every row, if anything is.
    pub fn precision(&self) -> Option<Precision> {
        match self.quantization {
            _ if self.distance == Metric::Manhattan => None,
            Quantization::Disabled => None,
            Quantization::Auto | Quantization::Lean => {
                Code::is_for(self.distance, self.size).then_some(Precision::Binary)
            }
            Quantization::Binary => Some(Precision::Binary),
            Quantization::Scalar => Some(Precision::Scalar),
        }
    }

    /// Whether graphs have codes of each node's neighbours.
    pub fn codes_in_graph(&self) -> bool {
        self.quantization == Quantization::Auto && Code::is_for(self.distance, self.size)
    }

    /// Whether walks go by the codes of rows.
    pub fn walks_on_codes(&self) -> bool {
        let lean =
            matches!(self.quantization, Quantization::Lean | Quantization::Scalar | Quantization::Binary);
        lean && self.precision().is_some()
    }

    /// Whether bytes may take the place of bits, if a sample asks for that.
    pub fn may_choose_bytes(&self) -> bool {
        matches!(self.quantization, Quantization::Auto | Quantization::Lean) && self.precision().is_some()
    }

    /// Whether segments that were sealed for another quantization are not as they should be.
    pub fn differs_from(&self, quantization: Quantization) -> bool {
        self.kept() != Self { quantization, ..self.clone() }.kept()
    }

    /// Codes of rows, codes of neighbours, whether walks go by the former, and whether a sample has a say in that.
    fn kept(&self) -> (Option<Precision>, bool, bool, bool) {
        (self.precision(), self.codes_in_graph(), self.walks_on_codes(), self.may_choose_bytes())
    }
}

/// A declared payload index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct FieldIndex {
    /// What kind of values it is for.
    pub kind: FieldKind,
    /// The parameters as the client sent them, for the echo; opaque below the server.
    pub requested: Option<Payload>,
}

/// The kinds of payload index.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum FieldKind {
    /// Exact strings.
    Keyword,
    /// 64-bit integers, for equality, for ranges, or both.
    Integer {
        /// Equality is asked for.
        lookup: bool,
        /// Ranges and ordering are asked for.
        range: bool,
    },
    /// Numbers.
    Float,
    /// Places on Earth.
    Geo,
    /// Words in a text; these options say what a word is.
    Text(TextOptions),
    /// `true` and `false`.
    Bool,
    /// RFC 3339 dates and times.
    Datetime,
    /// UUIDs.
    Uuid,
}

/// The options of a text index: what its words are.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TextOptions {
    /// How a text falls into words.
    #[serde(default)]
    pub tokenizer: Tokenizer,
    /// Whether capitals are as small letters.
    #[serde(default = "yes")]
    pub lowercase: bool,
    /// Words of fewer characters are left out.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub min_token_len: Option<usize>,
    /// Words of more characters are left out; prefixes end here.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub max_token_len: Option<usize>,
}

fn yes() -> bool {
    true
}

impl Default for TextOptions {
    fn default() -> Self {
        Self { tokenizer: Tokenizer::Word, lowercase: true, min_token_len: None, max_token_len: None }
    }
}

/// How a text falls into words.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tokenizer {
    /// Runs of letters and digits, as Unicode knows them.
    #[default]
    Word,
    /// What stands between white space.
    Whitespace,
    /// As `Word`; a text also has the beginnings of its words, from the least to the greatest length.
    Prefix,
}

impl CollectionSchema {
    /// The vector of this name; the message for a missing one is Qdrant's.
    pub fn vector(&self, name: &str) -> Result<&VectorSchema> {
        self.vectors
            .get(name)
            .ok_or_else(|| Error::bad_request(format!("Wrong input: Not existing vector name error: {name}")))
    }

    /// The graph settings of one vector.
    pub fn hnsw_of(&self, name: &str) -> &HnswConfig {
        self.vectors.get(name).and_then(|vector| vector.hnsw.as_ref()).unwrap_or(&self.hnsw)
    }

    /// Checks names, sizes and numbers of a point's vectors and brings them into the form they are stored in
    /// (unit length for cosine).
    pub fn prepare(&self, vectors: &mut NamedVectors) -> Result<()> {
        for (name, vector) in vectors {
            let Vector::Dense(values) = vector;
            self.prepare_dense(name, values)?;
        }
        Ok(())
    }

    /// Checks one dense vector, stored or searched for, and normalises it where the metric is cosine.
    pub fn prepare_dense(&self, name: &str, values: &mut [f32]) -> Result<()> {
        self.check_dense(name, values)?.distance.prepare(values);
        Ok(())
    }

    /// Checks that a dense vector has the right size and finite numbers; gives the schema of its name.
    pub fn check_dense(&self, name: &str, values: &[f32]) -> Result<&VectorSchema> {
        let schema = self.vector(name)?;
        if values.len() != schema.size {
            return Err(Error::bad_request(format!(
                "Wrong input: Vector dimension error: expected dim: {}, got {}",
                schema.size,
                values.len()
            )));
        }
        if let Some(place) = values.iter().position(|value| !value.is_finite()) {
            return Err(Error::bad_request(format!(
                "Wrong input: vector {name:?} holds {} at position {place}; every number must be finite",
                values[place]
            )));
        }
        Ok(schema)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vector(size: usize, distance: Metric, quantization: Quantization) -> VectorSchema {
        VectorSchema { size, distance, hnsw: None, quantization }
    }

    #[test]
    fn what_is_kept_follows_from_what_is_asked_for() {
        let bits = Some(Precision::Binary);
        // Of each row; whether of neighbours in the graph; whether walks go by the rows' codes; whether by a sample.
        for (quantization, kept) in [
            (Quantization::Auto, (bits, true, false, true)),
            (Quantization::Lean, (bits, false, true, true)),
            (Quantization::Scalar, (Some(Precision::Scalar), false, true, false)),
            (Quantization::Binary, (bits, false, true, false)),
            (Quantization::Disabled, (None, false, false, false)),
        ] {
            let wide = vector(64, Metric::Cosine, quantization);
            assert_eq!(wide.kept(), kept, "{quantization:?}");
            let manhattan = vector(64, Metric::Manhattan, quantization);
            assert_eq!(manhattan.kept(), (None, false, false, false), "{quantization:?}");
        }
        for quantization in [Quantization::Auto, Quantization::Lean] {
            assert_eq!(vector(16, Metric::Dot, quantization).kept(), (None, false, false, false));
        }
    }

    #[test]
    fn a_segment_is_sealed_anew_only_if_that_changes_it() {
        let wide = vector(64, Metric::Cosine, Quantization::Auto);
        assert!(wide.differs_from(Quantization::Lean) && wide.differs_from(Quantization::Scalar));
        assert!(!wide.differs_from(Quantization::Auto));
        assert!(!vector(16, Metric::Cosine, Quantization::Auto).differs_from(Quantization::Lean));
        assert!(!vector(64, Metric::Manhattan, Quantization::Auto).differs_from(Quantization::Scalar));
    }

    /// As manifests had it before there was a choice.
    #[test]
    fn a_vector_of_before_is_read() {
        let old = r#"{"size": 64, "distance": "Cosine", "hnsw": null}"#;
        let read: VectorSchema = serde_json::from_str(old).unwrap();
        assert_eq!(read, vector(64, Metric::Cosine, Quantization::Auto));
        let lean = vector(64, Metric::Cosine, Quantization::Lean);
        assert_eq!(
            serde_json::from_str::<VectorSchema>(&serde_json::to_string(&lean).unwrap()).unwrap(),
            lean
        );
    }
}
