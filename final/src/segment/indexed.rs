//! What does a sealed segment have for one vector? Its rows, codes of them, and a graph.
//!
//! `graph.bin` holds a graph for every vector that enough rows have: section 0 lists them as JSON, the graph of entry i
//! starts at section [`GRAPH_SECTIONS`]` × (i + 1)`. Without a graph, rows are compared one by one. Segments of before
//! version 3 have a list of mere names there, and no `codes.bin`.
//!
//! All of it is found by one look-up of the vector's name. Several would cost a query a microsecond: the usual name is
//! empty, and comparing empty names is slow where the processor first asks whether their addresses exist.
//!
//! Not here: the files of rows and codes ([`vectors`], [`codes`]).

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    disk::{
        Store,
        format::{File, Kind},
    },
    error::{Error, Result},
    hnsw::{Graph, Quality},
    quantize::{Precision, RowCodes},
    schema::{Quantization, VectorSchema},
    segment::{
        codes::{self, Codes},
        costs::Costs,
        vectors::{self, Column, Columns},
    },
};

/// How many section numbers one graph may use.
pub(super) const GRAPH_SECTIONS: u32 = 16;
pub(super) const GRAPH_VERSION: u16 = 4;

/// What a graph is walked by.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
pub enum Walkable {
    /// There is no graph.
    #[serde(rename = "nothing")]
    Nothing,
    /// The vectors, one by one.
    #[serde(rename = "vectors")]
    ByRows,
    /// The codes of rows, one by one.
    #[serde(rename = "codes of rows")]
    ByCodes,
    /// The codes of all neighbours of a node at once.
    #[serde(rename = "codes of neighbours")]
    ByNeighbours,
}

/// What `graph.bin` lists.
#[derive(Debug, Serialize, Deserialize)]
pub(super) struct GraphEntry {
    pub(super) name: String,
    /// Built in haste; a merge builds a better one.
    pub(super) hasty: bool,
    pub(super) costs: Costs,
    /// What was to be kept of its vectors.
    #[serde(default)]
    pub(super) quantization: Quantization,
}

#[derive(Debug)]
struct IndexedGraph {
    graph: Graph,
    hasty: bool,
    costs: Costs,
    quantization: Quantization,
}

/// What there is for a vector.
#[derive(Debug)]
pub struct Indexed {
    column: Column,
    codes: Option<RowCodes>,
    graph: Option<IndexedGraph>,
}

impl Indexed {
    /// The rows.
    pub fn column(&self) -> &Column {
        &self.column
    }

    /// The codes of the rows, if they have any.
    pub fn codes(&self) -> Option<&RowCodes> {
        self.codes.as_ref()
    }

    /// The graph, if it was worth building.
    pub fn graph(&self) -> Option<&Graph> {
        self.graph.as_ref().map(|indexed| &indexed.graph)
    }

    /// What looking at the rows costs, where there is a graph.
    pub fn costs(&self) -> Option<Costs> {
        self.graph.as_ref().map(|indexed| indexed.costs)
    }

    /// What walks to the rows go by.
    pub fn walkable(&self, schema: &VectorSchema) -> Walkable {
        match (self.graph(), self.codes().map(RowCodes::precision)) {
            (None, _) => Walkable::Nothing,
            (Some(graph), _) if graph.dimension().is_some() => Walkable::ByNeighbours,
            // Bytes are there only because they were asked for, or because bits were too coarse.
            (_, Some(Precision::Scalar)) => Walkable::ByCodes,
            (_, Some(Precision::Binary)) if schema.walks_on_codes() => Walkable::ByCodes,
            _ => Walkable::ByRows,
        }
    }

    /// Brings it from the disk into memory; not the rows of a `lean` one.
    pub(super) fn bring_in(&self, lean: bool) {
        if !lean {
            self.column.bring_in();
        }
        self.codes.iter().for_each(RowCodes::bring_in);
        self.graph().iter().for_each(|graph| graph.bring_in());
    }

    /// Whether it was sealed in haste or when other settings held, so that a merge would make it better.
    pub(super) fn is_behind(&self, schema: &VectorSchema) -> bool {
        self.graph.as_ref().is_some_and(|indexed| {
            let hasty = indexed.hasty && Graph::passes(schema.distance, schema.size, Quality::Plain) > 1;
            hasty || schema.differs_from(indexed.quantization)
        })
    }
}

/// Opens what the folder of a segment has for each vector, by name.
pub(super) fn open(store: &dyn Store, dir: &Path, rows: u32) -> Result<BTreeMap<String, Indexed>> {
    let columns = vectors::open(store, &dir.join("vectors.bin"), rows)?;
    let (mut graphs, version) = open_graphs(store, &dir.join("graph.bin"), rows, &columns)?;
    let mut codes = match version {
        ..3 => Codes::new(),
        _ => codes::open(store, &dir.join("codes.bin"), rows, &columns)?,
    };
    let indexed = columns.into_iter().map(|(name, column)| {
        let (codes, graph) = (codes.remove(&name), graphs.remove(&name));
        (name, Indexed { column, codes, graph })
    });
    Ok(indexed.collect())
}

/// The graphs of a segment, and the version of their file.
fn open_graphs(
    store: &dyn Store,
    path: &Path,
    rows: u32,
    columns: &Columns,
) -> Result<(BTreeMap<String, IndexedGraph>, u16)> {
    let file = File::open(store, path, Kind::Graph, GRAPH_VERSION)?;
    let list = file.checked_section::<u8>(0)?;
    let before = |name: String| GraphEntry {
        costs: Costs::guess(1),
        name,
        hasty: true,
        quantization: Quantization::Auto,
    };
    let entries = match file.version() {
        ..3 => {
            serde_json::from_slice::<Vec<String>>(&list).map(|names| names.into_iter().map(before).collect())
        }
        _ => serde_json::from_slice::<Vec<GraphEntry>>(&list),
    };
    let entries =
        entries.map_err(|error| Error::corrupt(format!("{}: graph list: {error}", path.display())))?;
    let mut graphs = BTreeMap::new();
    for (index, GraphEntry { name, hasty, costs, quantization }) in (0u32..).zip(entries) {
        let Some(column) = columns.get(&name) else {
            return Err(Error::corrupt(format!(
                "{}: a graph of {name:?}, which has no vectors",
                path.display()
            )));
        };
        let graph = Graph::open(&file, GRAPH_SECTIONS * (index + 1), rows)?;
        let (found, expected) = (graph.dimension(), column.dimension());
        if found.is_some_and(|found| found != expected) {
            return Err(Error::corrupt(format!(
                "{}: the codes of {name:?} are of {found:?} numbers, and its vectors have {expected}",
                path.display()
            )));
        }
        graphs.insert(name, IndexedGraph { graph, hasty, costs, quantization });
    }
    Ok((graphs, file.version()))
}
