//! What is a sealed segment? A folder of files that are never changed, served from their mappings.
//!
//! ```text
//! segments/000031/  ids.bin  vectors.bin  codes.bin  graph.bin  payloads.bin  text.bin  deletes-000042.bin
//! ```
//! `graph.bin` holds a graph for every vector that enough rows have (section 0 lists them as JSON, the graph of entry i
//! starts at section [`GRAPH_SECTIONS`]` × (i + 1)`); without a graph, rows are compared one by one. Segments of before
//! version 3 have a list of mere names there, and no `codes.bin`. `deletes-N.bin`
//! belongs to manifest N, which names it.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    bitmap::Bitmap,
    disk::{
        Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    filter::index::TermIndex,
    hnsw::{Graph, Quality},
    quantize::{Precision, RowCodes},
    schema::{CollectionSchema, Quantization, VectorSchema},
    segment::{
        codes::{self, Codes},
        costs::Costs,
        ids::Ids,
        payloads::Payloads,
        vectors::{self, Columns},
    },
};

/// How many section numbers one graph may use.
pub(super) const GRAPH_SECTIONS: u32 = 16;
pub(super) const GRAPH_VERSION: u16 = 3;
const DELETES_VERSION: u16 = 1;

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
struct SealedGraph {
    graph: Graph,
    hasty: bool,
    costs: Costs,
    quantization: Quantization,
}

/// An opened segment folder.
#[derive(Debug)]
pub struct Sealed {
    number: u64,
    rows: u32,
    ids: Ids,
    columns: Columns,
    codes: Codes,
    graphs: BTreeMap<String, SealedGraph>,
    payloads: Payloads,
    index: TermIndex,
}

impl Sealed {
    /// Opens the folder of segment `number`, which has `rows` rows. What will be used as an address is verified now.
    pub fn open(store: &dyn Store, dir: &Path, number: u64, rows: u32) -> Result<Self> {
        let columns = vectors::open(store, &dir.join("vectors.bin"), rows)?;
        let (graphs, version) = open_graphs(store, &dir.join("graph.bin"), rows, &columns)?;
        let codes = match version {
            ..3 => Codes::new(),
            _ => codes::open(store, &dir.join("codes.bin"), rows, &columns)?,
        };
        Ok(Self {
            number,
            rows,
            ids: Ids::open(store, &dir.join("ids.bin"), rows)?,
            codes,
            graphs,
            columns,
            payloads: Payloads::open(store, &dir.join("payloads.bin"), rows)?,
            index: TermIndex::open(store, &dir.join("text.bin"), rows)?,
        })
    }

    /// Whether this is a segment of a collection defined so: [`Error::Corrupt`] if its vectors have other lengths.
    pub fn check(&self, schema: &CollectionSchema) -> Result<()> {
        for (name, column) in &self.columns {
            let (found, expected) = (column.dimension(), schema.vectors.get(name).map(|vector| vector.size));
            if expected != Some(found) {
                let expected = expected.map_or("none".to_string(), |size| size.to_string());
                return Err(Error::corrupt(format!(
                    "segment {:06}: vector {name:?} has {found} numbers, and the collection says {expected}; \
                     vectors.bin is another collection's",
                    self.number
                )));
            }
        }
        Ok(())
    }

    /// Tells the system of the vectors that are read only to rescore, here and there, so that it does not read around
    /// them: memory would fill with numbers that nobody asked for.
    pub fn advise(&self, schema: &CollectionSchema) {
        let lean = |name: &str| schema.vector(name).is_ok_and(VectorSchema::walks_on_codes);
        let columns = self.columns.iter().filter(|(name, _)| lean(name));
        columns.for_each(|(_, column)| column.advise_random());
    }

    /// Its folder's number.
    pub fn number(&self) -> u64 {
        self.number
    }

    /// How many rows it has, dead ones too.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// Ids and versions by row.
    pub fn ids(&self) -> &Ids {
        &self.ids
    }

    /// Vectors by name and row.
    pub fn columns(&self) -> &Columns {
        &self.columns
    }

    /// The graph of a vector, if it was worth building.
    pub fn graph(&self, name: &str) -> Option<&Graph> {
        self.graphs.get(name).map(|sealed| &sealed.graph)
    }

    /// What looking at the rows of a vector costs that has a graph.
    pub fn costs(&self, name: &str) -> Option<Costs> {
        self.graphs.get(name).map(|sealed| sealed.costs)
    }

    /// What walks to the rows of a vector go by.
    pub fn walkable(&self, schema: &CollectionSchema, name: &str) -> Walkable {
        let asked = schema.vector(name).is_ok_and(VectorSchema::walks_on_codes);
        match (self.graph(name), self.codes(name).map(RowCodes::precision)) {
            (None, _) => Walkable::Nothing,
            (Some(graph), _) if graph.dimension().is_some() => Walkable::ByNeighbours,
            // Bytes are there only because they were asked for, or because bits were too coarse.
            (_, Some(Precision::Scalar)) => Walkable::ByCodes,
            (_, Some(Precision::Binary)) if asked => Walkable::ByCodes,
            _ => Walkable::ByRows,
        }
    }

    /// The codes of a vector's rows, if it has any.
    pub fn codes(&self, name: &str) -> Option<&RowCodes> {
        self.codes.get(name)
    }

    /// Whether it was sealed in haste or when other settings held, so that a merge would make it better.
    pub fn is_behind(&self, schema: &CollectionSchema) -> bool {
        self.graphs.iter().any(|(name, sealed)| {
            schema.vector(name).is_ok_and(|vector| {
                let hasty = sealed.hasty && Graph::passes(vector.distance, vector.size, Quality::Plain) > 1;
                hasty || vector.differs_from(sealed.quantization)
            })
        })
    }

    /// The vectors that have a graph.
    pub fn graph_names(&self) -> impl Iterator<Item = &str> {
        self.graphs.keys().map(String::as_str)
    }

    /// Payloads by row.
    pub fn payloads(&self) -> &Payloads {
        &self.payloads
    }

    /// The terms and words of its payloads.
    pub fn index(&self) -> &TermIndex {
        &self.index
    }
}

/// The graphs of a segment, and the version of their file.
fn open_graphs(
    store: &dyn Store,
    path: &Path,
    rows: u32,
    columns: &Columns,
) -> Result<(BTreeMap<String, SealedGraph>, u16)> {
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
        graphs.insert(name, SealedGraph { graph, hasty, costs, quantization });
    }
    Ok((graphs, file.version()))
}

/// The name of the tombstone file that manifest `number` names.
pub fn deletes_name(manifest: u64) -> String {
    format!("deletes-{manifest:06}.bin")
}

/// Writes a segment's tombstones.
pub fn write_deletes(store: &dyn Store, path: &Path, deleted: &Bitmap) -> Result<Summary> {
    let mut writer = FileWriter::create(store, path, Kind::Deletes, DELETES_VERSION)?;
    writer.begin(0)?;
    writer.write_slice(&deleted.to_words())?;
    writer.finish()
}

/// Reads a segment's tombstones.
pub fn read_deletes(store: &dyn Store, path: &Path, rows: u32) -> Result<Bitmap> {
    let words = File::open(store, path, Kind::Deletes, DELETES_VERSION)?.checked_section::<u64>(0)?;
    if words.len() != rows.div_ceil(64) as usize {
        return Err(Error::corrupt(format!("{}: not the tombstones of {rows} rows", path.display())));
    }
    Ok(Bitmap::from_words(rows, &words))
}

#[cfg(test)]
mod tests;
