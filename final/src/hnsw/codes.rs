//! What does a node know of its neighbours, so that a walk need not visit them to judge them?
//!
//! A graph with codes has a *record* per node: the links, and for each linked row its [`Code`] seen from the node. A
//! walk that comes to a node reads its vector and its record, two contiguous pieces of memory, computes the one exact
//! distance, and has estimates for all neighbours (the layout of SymphonyQG: Gou et al., *SymphonyQG: Towards
//! Symphonious Integration of Quantization and Graph for Approximate Nearest Neighbor Search*, 2025). A walk is bound
//! by the bytes it fetches: 32 neighbours cost 100 bytes each in a record, and 3 KB each as vectors of 784 numbers.
//!
//! Numbers of a record, `u32` each, with `n` links, a multiple of [`BLOCK`]:
//! ```text
//! links       n               NONE where there is none
//! bases       n               f32
//! slopes      n               f32
//! signs       n/32 · padded   of 32 codes after another
//! ```
//! The *entries* are one more record, of rows spread over the segment as seen from a row in the middle: a walk starts
//! from the nearest of them. A look at 256 rows that lie beside each other costs about as much as two hops, and a walk
//! down the upper layers seven: 28.8 µs instead of 34.4 for recall 0.992 of 784 numbers, and on the demo's 256 recall
//! 0.956 instead of 0.936 in the same time. A wide walk looks at more of them, since it can afford to and is to miss
//! less: on the demo, at `ef` 96, recall 0.993 instead of 0.985 for 0.3 µs.
//!
//! Not here: the vectors. SymphonyQG has them in the records, one piece of memory instead of two; here they lie one
//! after the other, for whoever reads all of them.

use super::{Graph, NONE, Shape, parallel, walk::Pool};
use crate::{
    disk::Slice,
    point::Ordinal,
    quantize::{BLOCK, Code, Lookup, Rotation, fastscan::Factors, fastscan::NO_CODE, pack},
    vector::{Matrix, Metric},
};

/// From how many rows a walk may start, and how many of them the narrowest looks at.
const ENTRIES: usize = 1024;
const LEAST_ENTRIES: usize = 256;

/// How many more of them for each unit of a walk's width.
const ENTRIES_PER_WIDTH: usize = 8;

/// Draws the rotation, the same for every graph: it is drawn again whenever a graph is opened.
const ROTATION_SEED: u64 = 0x6b69_7468;

/// What belongs to the codes of a graph besides its records.
pub(super) struct Codes {
    pub(super) dimension: usize,
    pub(super) rotation: Rotation,
    /// The row that the entries are seen from.
    pub(super) middle: Ordinal,
    /// A record of the entries.
    pub(super) entries: Slice<u32>,
}

impl Codes {
    pub(super) fn new(dimension: usize, middle: Ordinal, entries: Slice<u32>) -> Self {
        Self { dimension, rotation: rotation(dimension), middle, entries }
    }

    /// The rows that a walk of this width looks at first.
    pub(super) fn starts(&self, width: usize) -> impl Iterator<Item = Block<'_>> {
        let links = self.entries.len() / record_len(self.dimension, BLOCK) * BLOCK;
        let looked_at = (ENTRIES_PER_WIDTH * width).max(LEAST_ENTRIES).div_ceil(BLOCK);
        blocks(&self.entries, links).take(looked_at)
    }
}

impl Graph {
    /// The same graph without codes.
    pub fn links_alone(&self) -> Self {
        let base = (0..self.rows()).flat_map(|node| self.slots(0, node)).copied().collect();
        Self {
            shape: Shape { record: self.shape.links, ..self.shape },
            entry: self.entry,
            base: Slice::from_vec(base),
            upper: self.upper.clone(),
            first: self.first.clone(),
            codes: None,
            pool: Pool::default(),
        }
    }
}

/// Numbers in a record of so many links, whole blocks of them.
pub(super) fn record_len(dimension: usize, links: usize) -> usize {
    3 * links + links / BLOCK * Rotation::padded(dimension)
}

fn rotation(dimension: usize) -> Rotation {
    Rotation::new(dimension, ROTATION_SEED)
}

/// A query as the codes want it; kept from one walk to the next.
#[derive(Default)]
pub(super) struct Target {
    rotated: Vec<f32>,
    lookup: Lookup,
}

impl Target {
    /// Rotates a query and makes its tables.
    pub(super) fn set(&mut self, codes: &Codes, query: &[f32]) {
        codes.rotation.apply(query, &mut self.rotated);
        self.lookup.set(&self.rotated);
    }

    /// Estimates the distances of a block's rows from that of the row they are seen from. Returns a bit for each that
    /// is below `bound`.
    #[inline]
    pub(super) fn estimate(
        &self,
        distance: f32,
        block: &Block<'_>,
        bound: f32,
        estimates: &mut [f32; BLOCK],
    ) -> u32 {
        self.lookup.estimate(distance, &block.factors, block.signs, bound, estimates)
    }
}

/// A part of a record: [`BLOCK`] links with their codes.
pub(super) struct Block<'a> {
    pub(super) rows: &'a [Ordinal; BLOCK],
    factors: Factors<'a>,
    signs: &'a [u8],
}

/// The blocks of a record with so many links.
#[inline]
pub(super) fn blocks(record: &[u32], links: usize) -> impl Iterator<Item = Block<'_>> {
    let (rows, rest) = record.split_at(links);
    let (bases, rest) = rest.split_at(links);
    let (slopes, signs) = rest.split_at(links);
    let signs: &[u8] = bytemuck::cast_slice(signs);
    let factors = bases.as_chunks::<BLOCK>().0.iter().zip(slopes.as_chunks::<BLOCK>().0);
    let blocks = rows.as_chunks().0.iter().zip(factors).zip(signs.chunks_exact(signs.len() / links * BLOCK));
    blocks.map(|((rows, (bases, slopes)), signs)| Block {
        rows,
        factors: Factors { bases: bytemuck::cast_ref(bases), slopes: bytemuck::cast_ref(slopes) },
        signs,
    })
}

/// Makes records. All rows are rotated once, for each of them is seen from many others.
pub(super) struct Encoder<'a> {
    metric: Metric,
    matrix: Matrix<'a>,
    threads: usize,
    padded: usize,
    rotated: Vec<f32>,
}

impl<'a> Encoder<'a> {
    /// Rotates the rows, in memory as large as they are.
    pub(super) fn new(metric: Metric, matrix: Matrix<'a>, threads: usize) -> Self {
        const ROWS: usize = 1_024;
        let (rotation, padded) = (rotation(matrix.dimension()), Rotation::padded(matrix.dimension()));
        let mut rotated = vec![0.0; matrix.rows() as usize * padded];
        parallel(threads, rotated.chunks_mut(ROWS * padded).enumerate(), |(chunk, places)| {
            let mut one = Vec::new();
            for (row, place) in ((chunk * ROWS) as u32..).zip(places.chunks_exact_mut(padded)) {
                rotation.apply(matrix.row(row), &mut one);
                place.copy_from_slice(&one);
            }
        });
        Self { metric, matrix, threads, padded, rotated }
    }

    /// The graph with codes for its links at level 0; it must have none yet.
    pub(super) fn encode(&self, graph: Graph) -> Graph {
        let shape = Shape::coded(graph.shape.m, self.matrix.dimension());
        let Shape { links, record, .. } = shape;
        let mut base = vec![0; graph.rows() as usize * record];
        let nodes = base.chunks_exact_mut(record).zip(0..);
        parallel(self.threads, nodes, |(place, node)| {
            let mut linked: Vec<Ordinal> = graph.slots(0, node).to_vec();
            linked.resize(links, NONE);
            self.write(node, &linked, place);
        });
        let (middle, spread) = self.entries(&graph);
        let mut entries = vec![0; record_len(self.matrix.dimension(), spread.len())];
        self.write(middle, &spread, &mut entries);
        let codes = Codes::new(self.matrix.dimension(), middle, Slice::from_vec(entries));
        Graph { shape, base: Slice::from_vec(base), codes: Some(codes), ..graph }
    }

    /// A row in the middle, and rows spread over all, filled up to whole blocks.
    fn entries(&self, graph: &Graph) -> (Ordinal, Vec<Ordinal>) {
        let nodes: Vec<Ordinal> =
            (0..graph.rows()).filter(|&row| graph.entry == row || graph.slots(0, row)[0] != NONE).collect();
        let step = nodes.len().div_ceil(ENTRIES).max(1);
        let even: Vec<Ordinal> = nodes.iter().copied().step_by(step).collect();
        // The first quarter and the first half of them are spread over all, too.
        let parts = [(0, 4), (2, 4), (1, 2)].map(|(first, step)| even.iter().skip(first).step_by(step));
        let mut spread: Vec<Ordinal> = parts.into_iter().flatten().copied().collect();
        let rotated = |row: Ordinal| &self.rotated[row as usize * self.padded..][..self.padded];
        let mut mean = vec![0.0; self.padded];
        for &row in &spread {
            mean.iter_mut().zip(rotated(row)).for_each(|(sum, value)| *sum += value / spread.len() as f32);
        }
        let off = |row: Ordinal| crate::vector::distance(Metric::Euclid, rotated(row), &mean);
        let middle = spread.iter().copied().min_by(|&a, &b| off(a).total_cmp(&off(b))).unwrap_or(NONE);
        spread.resize(spread.len().next_multiple_of(BLOCK), NONE);
        (middle, spread)
    }

    /// Writes the record of a node; `links` are whole blocks.
    fn write(&self, node: Ordinal, links: &[Ordinal], record: &mut [u32]) {
        let row = |row: Ordinal| &self.rotated[row as usize * self.padded..][..self.padded];
        let (rows, rest) = record.split_at_mut(links.len());
        let (bases, rest) = rest.split_at_mut(links.len());
        let (slopes, signs) = rest.split_at_mut(links.len());
        rows.copy_from_slice(links);
        let mut packed = vec![Vec::new(); BLOCK];
        for (start, signs) in (0..links.len()).step_by(BLOCK).zip(signs.chunks_exact_mut(self.padded)) {
            for place in 0..BLOCK {
                let code = match links[start + place] {
                    NONE => {
                        packed[place].clear();
                        NO_CODE
                    }
                    link => Code::new(self.metric, row(link), row(node), &mut packed[place]),
                };
                bases[start + place] = code.base.to_bits();
                slopes[start + place] = code.slope.to_bits();
            }
            pack(&packed, bytemuck::cast_slice_mut(signs));
        }
    }
}
