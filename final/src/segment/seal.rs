//! How does a segment get its files?
//!
//! A flush seals the mutable segment row for row (its ordinals stay, so bitmaps stay valid); a merge seals the live
//! rows of several segments behind one another. Both are a list of rows and this one function. Dead rows keep their
//! place but lose payload, words and graph node. Nothing here is visible to anyone until a manifest names it.

use std::{
    borrow::Cow,
    cell::RefCell,
    path::Path,
    sync::atomic::{AtomicBool, AtomicU32, Ordering},
};

use crate::{
    bitmap::Bitmap,
    disk::{
        Store,
        format::{FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    filter::{TextRules, index},
    hnsw::{Build, Graph, Quality},
    point::{Ordinal, Payload},
    quantize::{Precision, RowCodes},
    schema::{CollectionSchema, VectorSchema},
    segment::{
        Costs, SegmentReader, SegmentView, coarse,
        codes::{self, Codes},
        ids,
        indexed::{GRAPH_SECTIONS, GRAPH_VERSION, GraphEntry},
        payloads,
        vectors::{self, Column},
    },
};

/// Where a row of the new segment comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Origin {
    /// Index into the inputs.
    pub input: u32,
    /// Row there.
    pub ordinal: Ordinal,
}

/// How far a seal has come, and the way to stop it.
#[derive(Debug, Default)]
pub struct Progress {
    done: AtomicU32,
    total: AtomicU32,
    cancelled: AtomicBool,
}

impl Progress {
    /// The part of the work on graphs that is done, once that has begun.
    pub fn fraction(&self) -> Option<f64> {
        let total = self.total.load(Ordering::Relaxed);
        (total > 0).then(|| f64::from(self.done.load(Ordering::Relaxed)) / f64::from(total))
    }

    /// Asks the seal to stop soon; it then ends in [`Error::Closed`].
    pub fn cancel(&self) {
        self.cancelled.store(true, Ordering::Relaxed);
    }
}

/// The rows to seal and where they come from.
#[derive(Debug)]
pub struct Job<'a> {
    /// The segments that rows are taken from, with the tombstones that count.
    pub inputs: &'a [SegmentView],
    /// The rows in the order of their new ordinals.
    pub rows: Vec<Origin>,
    /// What the collection is.
    pub schema: &'a CollectionSchema,
    /// Seeds the graph's levels.
    pub seed: u64,
    /// Whether the rows will be merged with others before long.
    haste: bool,
}

impl<'a> Job<'a> {
    /// A flush: every row of one segment in its place, in haste.
    pub fn flush(input: &'a SegmentView, schema: &'a CollectionSchema, seed: u64) -> Self {
        let rows = (0..input.segment.rows()).map(|ordinal| Origin { input: 0, ordinal }).collect();
        Self { inputs: std::slice::from_ref(input), rows, schema, seed, haste: true }
    }

    /// A merge: the live rows of all inputs, one input behind the other.
    pub fn merge(inputs: &'a [SegmentView], schema: &'a CollectionSchema, seed: u64) -> Self {
        let live = |(input, view): (usize, &'a SegmentView)| {
            let rows = (0..view.segment.rows()).filter(|&row| !view.deleted.contains(row));
            rows.map(move |ordinal| Origin { input: input as u32, ordinal })
        };
        Self { inputs, rows: inputs.iter().enumerate().flat_map(live).collect(), schema, seed, haste: false }
    }

    /// Writes all files into the new folder `dir` and makes them durable; gives their names and summaries.
    pub fn run(&self, store: &dyn Store, dir: &Path, progress: &Progress) -> Result<Vec<(String, Summary)>> {
        store.create_dir(dir)?;
        let rows = self.rows.len() as u32;
        let path = |name: &str| dir.join(name);
        let vector_of = |name: &str, row| {
            let Origin { input, ordinal } = self.rows[row as usize];
            self.inputs[input as usize].segment.vector(name, ordinal)
        };
        let mut files = vec![("ids.bin".to_string(), self.write_ids(store, &path("ids.bin"))?)];
        let summary = vectors::write(store, &path("vectors.bin"), self.schema, rows, vector_of)?;
        store.forget(&path("vectors.bin"));
        files.push(("vectors.bin".to_string(), summary));
        files.push(("payloads.bin".to_string(), self.write_payloads(store, &path("payloads.bin"))?));
        let payloads = RefCell::new(self.payload_source());
        let payload_of = |row| payloads.borrow_mut().get(row);
        let summary = index::write(store, &path("text.bin"), rows, &payload_of, &TextRules::of(self.schema))?;
        files.push(("text.bin".to_string(), summary));
        let (summary, codes) = self.write_graphs(store, dir, progress)?;
        files.push(("graph.bin".to_string(), summary));
        files.push(("codes.bin".to_string(), codes::write(store, &path("codes.bin"), &codes)?));
        ["graph.bin", "codes.bin"].iter().for_each(|name| store.forget(&path(name)));
        store.sync_dir(dir)?;
        Ok(files)
    }

    fn is_dead(&self, row: u32) -> bool {
        let Origin { input, ordinal } = self.rows[row as usize];
        self.inputs[input as usize].deleted.contains(ordinal)
    }

    fn write_ids(&self, store: &dyn Store, path: &Path) -> Result<Summary> {
        let origin = |row: &Origin| (&self.inputs[row.input as usize].segment, row.ordinal);
        let of = |row| {
            let (segment, ordinal) = origin(row);
            (segment.id(ordinal), segment.version(ordinal))
        };
        let (ids, versions): (Vec<_>, Vec<_>) = self.rows.iter().map(of).unzip();
        ids::write(store, path, &ids, &versions)
    }

    fn write_payloads(&self, store: &dyn Store, path: &Path) -> Result<Summary> {
        let mut source = self.payload_source();
        payloads::write(store, path, self.rows.len() as u32, |row, json| source.append_json(row, json))
    }

    fn payload_source(&self) -> PayloadSource<'_> {
        PayloadSource {
            job: self,
            readers: self.inputs.iter().map(|view| SegmentReader::new(&view.segment)).collect(),
        }
    }

    /// Builds the graphs that are worth it, and the codes of all rows.
    fn write_graphs(&self, store: &dyn Store, dir: &Path, progress: &Progress) -> Result<(Summary, Codes)> {
        let rows = self.rows.len() as u32;
        let columns = vectors::open(store, &dir.join("vectors.bin"), rows)?;
        let dead = Bitmap::from_ordinals(rows, (0..rows).filter(|&row| self.is_dead(row)));
        let threshold = self.schema.indexing_threshold.unwrap_or(u32::MAX);
        let lists = columns.iter().map(|(name, column)| {
            let nodes = column.present().and_not(&dead);
            Ok(List { name, vector: self.schema.vector(name)?, column, nodes })
        });
        let lists = lists.collect::<Result<Vec<_>>>()?;
        let (worth, scanned): (Vec<_>, Vec<_>) =
            lists.into_iter().partition(|list| list.nodes.count() >= threshold);
        let passes = |list: &List<'_>| {
            let vector = list.vector;
            list.nodes.count() * Graph::passes(vector.distance, vector.size, self.quality(vector))
        };
        progress.total.store(worth.iter().map(passes).sum(), Ordering::Relaxed);
        let mut writer = FileWriter::create(store, &dir.join("graph.bin"), Kind::Graph, GRAPH_VERSION)?;
        let (mut entries, mut codes) = (Vec::new(), Codes::new());
        for (index, list) in (1u32..).zip(&worth) {
            let (graph, of_rows) = self.build_graph(list, progress)?;
            graph.write(&mut writer, GRAPH_SECTIONS * index)?;
            let costs = Costs::measure(list.vector, list.column, of_rows.as_ref(), &graph);
            let (name, quantization) = (list.name.to_owned(), list.vector.quantization);
            codes.extend(of_rows.map(|of_rows| (name.clone(), of_rows)));
            entries.push(GraphEntry { name, hasty: self.haste, costs, quantization });
        }
        codes.extend(scanned.iter().filter_map(|list| Some((list.name.to_owned(), list.codes()?))));
        writer.begin(0)?;
        writer.write(&serde_json::to_vec(&entries).expect("names and numbers are JSON"))?;
        Ok((writer.finish()?, codes))
    }

    /// The graph of a vector, and the codes of its rows. Where bits turn out to say too little, bytes do instead, and
    /// the graph is walked by them.
    fn build_graph(&self, list: &List<'_>, progress: &Progress) -> Result<(Graph, Option<RowCodes>)> {
        let build = Build {
            config: *self.schema.hnsw_of(list.name),
            seed: self.seed,
            threads: std::thread::available_parallelism().map_or(1, usize::from),
            progress: &|| {
                progress.done.fetch_add(1, Ordering::Relaxed);
            },
            cancel: &progress.cancelled,
        };
        let (metric, quality) = (list.vector.distance, self.quality(list.vector));
        let graph = Graph::of_rows(metric, list.column.matrix(), &list.nodes, &build, quality)?;
        let codes = list.codes();
        let walked_by = codes.as_ref().filter(|_| list.vector.walks_on_codes());
        let choose = list.vector.may_choose_bytes() && !self.haste;
        if choose && coarse::is_coarse(metric, list.column.matrix(), &list.nodes, &graph, walked_by) {
            return Ok((graph.links_alone(), Some(list.codes_of(Precision::Scalar))));
        }
        Ok((graph, codes))
    }

    fn quality(&self, vector: &VectorSchema) -> Quality {
        match self.haste {
            true => Quality::Hasty,
            false if vector.codes_in_graph() => Quality::Coded,
            false => Quality::Plain,
        }
    }
}

/// The rows of one vector that a graph or codes are made of.
struct List<'a> {
    name: &'a str,
    vector: &'a VectorSchema,
    column: &'a Column,
    nodes: Bitmap,
}

impl List<'_> {
    /// What its settings want to be kept of each row.
    fn codes(&self) -> Option<RowCodes> {
        Some(self.codes_of(self.vector.precision()?))
    }

    fn codes_of(&self, precision: Precision) -> RowCodes {
        RowCodes::build(precision, self.vector.distance, self.column.matrix(), &self.nodes)
    }
}

/// Payloads of the job's rows in order; dead rows have none.
struct PayloadSource<'a> {
    job: &'a Job<'a>,
    readers: Vec<SegmentReader<'a>>,
}

impl<'a> PayloadSource<'a> {
    fn get(&mut self, row: u32) -> Result<Cow<'a, Payload>> {
        let Origin { input, ordinal } = self.job.rows[row as usize];
        if self.job.is_dead(row) {
            return Ok(Cow::Owned(Payload::new()));
        }
        self.readers[input as usize].get(ordinal)
    }

    fn append_json(&mut self, row: u32, json: &mut Vec<u8>) -> Result<()> {
        let Origin { input, ordinal } = self.job.rows[row as usize];
        if self.job.is_dead(row) {
            return Ok(());
        }
        match &mut self.readers[input as usize] {
            SegmentReader::Sealed(reader) => json.extend_from_slice(reader.json(ordinal)?),
            SegmentReader::Mutable(segment) => {
                let payload = segment.payload(ordinal);
                if !payload.is_empty() {
                    serde_json::to_writer(json, &**payload)
                        .map_err(|error| Error::corrupt(format!("payload of row {row}: {error}")))?;
                }
            }
        }
        Ok(())
    }
}
