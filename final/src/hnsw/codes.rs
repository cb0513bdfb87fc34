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
//!
//! Not here: the vectors. SymphonyQG has them in the records, one piece of memory instead of two; here they lie one
//! after the other, for whoever reads all of them.

use super::{Graph, NONE, Shape, entries::LEAST, parallel, walk::Pool};
use crate::{
    disk::Slice,
    point::Ordinal,
    quantize::{BLOCK, Code, Lookup, Rotation, fastscan::Factors, fastscan::NO_CODE, pack},
    vector::{Matrix, Metric},
};

/// Draws the rotation, the same for every graph: it is drawn again whenever a graph is opened.
const ROTATION_SEED: u64 = 0x6b69_7468;

/// What belongs to the codes of a graph besides its records.
pub(super) struct Codes {
    pub(super) dimension: usize,
    pub(super) rotation: Rotation,
    /// The row that the entries are seen from.
    pub(super) middle: Ordinal,
    /// A record of the [`entries`](super::entries).
    pub(super) entries: Slice<u32>,
    /// How many of them the narrowest walk looks at.
    pub(super) least: usize,
}

impl Codes {
    pub(super) fn new(dimension: usize, middle: Ordinal, entries: Slice<u32>, least: usize) -> Self {
        Self { dimension, rotation: rotation(dimension), middle, entries, least }
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
        let codes = Codes::new(self.matrix.dimension(), middle, Slice::from_vec(entries), LEAST);
        Graph { shape, base: Slice::from_vec(base), codes: Some(codes), ..graph }
    }

    /// A rotated row.
    pub(super) fn row(&self, row: Ordinal) -> &[f32] {
        &self.rotated[row as usize * self.padded..][..self.padded]
    }

    /// Writes the record of a node; `links` are whole blocks.
    fn write(&self, node: Ordinal, links: &[Ordinal], record: &mut [u32]) {
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
                    link => Code::new(self.metric, self.row(link), self.row(node), &mut packed[place]),
                };
                bases[start + place] = code.base.to_bits();
                slopes[start + place] = code.slope.to_bits();
            }
            pack(&packed, bytemuck::cast_slice_mut(signs));
        }
    }
}
