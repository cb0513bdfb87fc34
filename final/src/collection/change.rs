//! What can be asked of a collection's writer.

use crate::{
    error::Result,
    filter::{Filter, Path},
    hnsw::HnswConfig,
    point::{NamedVectors, Payload, Point, PointId},
    schema::{CollectionSchema, FieldIndex, Quantization},
};

/// One write; all of it is applied or none.
#[derive(Debug, Clone)]
pub enum Write {
    /// Put whole points, replacing what had their ids.
    Upsert {
        /// The points, in order; the later of two with one id wins.
        points: Vec<Point>,
        /// Which of them to put.
        mode: UpsertMode,
        /// Existing points are replaced only if they match.
        only_if: Option<Filter>,
    },
    /// Put vectors of existing points, keeping their other vectors and the payload.
    UpdateVectors {
        /// New vectors by point.
        points: Vec<(PointId, NamedVectors)>,
        /// Points are changed only if they match.
        only_if: Option<Filter>,
    },
    /// Take vectors away from points.
    DeleteVectors {
        /// Their names.
        names: Vec<String>,
        /// Which points.
        of: Selector,
    },
    /// Remove points; unknown ids are no error.
    Delete(Selector),
    /// Merge an object into payloads, at the top or at `at`.
    SetPayload {
        /// The keys to set.
        payload: Payload,
        /// Where, if not at the top.
        at: Option<Path>,
        /// Which points.
        of: Selector,
    },
    /// Replace payloads, or the value at `at`.
    OverwritePayload {
        /// The new payload.
        payload: Payload,
        /// Where, if not at the top.
        at: Option<Path>,
        /// Which points.
        of: Selector,
    },
    /// Remove keys from payloads.
    DeletePayload {
        /// Their paths.
        keys: Vec<Path>,
        /// Which points.
        of: Selector,
    },
    /// Empty payloads.
    ClearPayload(Selector),
}

/// Which points of an upsert are put.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum UpsertMode {
    /// All.
    #[default]
    Upsert,
    /// Those whose ids are new.
    InsertOnly,
    /// Those whose ids exist.
    UpdateOnly,
}

/// Which points a write is for.
#[derive(Debug, Clone)]
pub enum Selector {
    /// These; for everything but a delete each must exist.
    Ids(Vec<PointId>),
    /// All that match when the write's turn comes.
    Filter(Filter),
}

/// One change of the schema.
#[derive(Debug, Clone)]
pub enum Alter {
    /// Declare a payload index; another kind for the same field replaces it.
    SetField(String, FieldIndex),
    /// Withdraw a declared payload index; an unknown one is no error.
    DropField(String),
    /// Graph settings for what is built from now on.
    Hnsw {
        /// The vector they are for; all that have none of their own if `None`.
        vector: Option<String>,
        /// The settings.
        config: HnswConfig,
    },
    /// What is kept of a vector besides its numbers, from now on; what there is, is made anew when nobody writes.
    Quantization {
        /// The vector.
        vector: String,
        /// What is kept.
        quantization: Quantization,
    },
    /// From how many rows on a sealed segment gets a graph; `None` stops graphs from being built.
    IndexingThreshold(Option<u32>),
    /// Replace what the client is shown of its own settings.
    Requested(Payload),
}

impl Alter {
    /// Makes the change.
    pub(super) fn apply(self, schema: &mut CollectionSchema) -> Result<()> {
        match self {
            Self::SetField(field, index) => {
                schema.fields.insert(field, index);
            }
            Self::DropField(field) => {
                schema.fields.remove(&field);
            }
            Self::Hnsw { vector: None, config } => schema.hnsw = config,
            Self::Hnsw { vector: Some(name), config } => {
                schema.vector(&name)?;
                schema.vectors.entry(name).and_modify(|vector| vector.hnsw = Some(config));
            }
            Self::Quantization { vector, quantization } => {
                schema.vector(&vector)?;
                schema.vectors.entry(vector).and_modify(|vector| vector.quantization = quantization);
            }
            Self::IndexingThreshold(threshold) => schema.indexing_threshold = threshold,
            Self::Requested(requested) => schema.requested = requested,
        }
        Ok(())
    }
}

impl Write {
    /// Checks what can be checked without the points, and brings vectors into the form they are stored in.
    pub(super) fn prepare(mut self, schema: &CollectionSchema) -> Result<Self> {
        match &mut self {
            Self::Upsert { points, .. } => {
                points.iter_mut().try_for_each(|point| schema.prepare(&mut point.vectors))?;
            }
            Self::UpdateVectors { points, .. } => {
                points.iter_mut().try_for_each(|(_, vectors)| schema.prepare(vectors))?;
            }
            Self::DeleteVectors { names, .. } => {
                names.iter().try_for_each(|name| schema.vector(name).map(|_| ()))?;
            }
            _ => {}
        }
        Ok(self)
    }

    /// Whether its outcome depends on a search through the points.
    pub(super) fn selects_by_filter(&self) -> bool {
        let of = match self {
            Self::Upsert { .. } | Self::UpdateVectors { .. } => return false,
            Self::DeleteVectors { of, .. }
            | Self::SetPayload { of, .. }
            | Self::OverwritePayload { of, .. }
            | Self::DeletePayload { of, .. }
            | Self::Delete(of)
            | Self::ClearPayload(of) => of,
        };
        matches!(of, Selector::Filter(_))
    }
}
