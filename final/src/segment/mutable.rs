//! Where do new rows go? Into blocks that are never changed.
//!
//! Each commit group becomes one immutable [`Block`] (rows, ids, vectors, postings); the mutable segment is the list
//! of them. A reader's copy of the list stays as it is whatever the writer appends. So that a thousand small writes
//! do not become a thousand blocks, a new block swallows its predecessors while they are no larger than twice its
//! own size, up to [`BLOCK_ROWS`]: every row is copied a logarithmic number of times. Then the rows get codes, as sealed
//! rows have them.
//!
//! Rejected: a lock around growing vectors (readers wait for the writer), and a shared, growing array of which a
//! reader sees a prefix (an update between two reads would hide both versions of a point, and it needs `unsafe`).

use std::sync::Arc;

use crate::{
    bitmap::Bitmap,
    filter::{TextRules, postings::Postings},
    point::{Lsn, NamedVectors, Ordinal, Payload, Point, PointId},
    quantize::RowCodes,
    schema::CollectionSchema,
    segment::{
        codes::{self, Codes},
        vectors::{self, Column, Columns, ColumnsBuilder},
    },
};

/// Blocks of this many rows are left alone.
const BLOCK_ROWS: u32 = 8_192;

/// Rows that were committed together, or grew together.
#[derive(Debug)]
pub struct Block {
    ids: Vec<PointId>,
    versions: Vec<Lsn>,
    payloads: Vec<Arc<Payload>>,
    columns: Columns,
    /// Of blocks that won't be swallowed any more.
    codes: Codes,
    by_id: Vec<u32>,
    postings: Postings,
    bytes: usize,
}

impl Block {
    /// A block of these points, each with the LSN of the write that made it.
    pub fn new(schema: &CollectionSchema, points: Vec<(Point, Lsn)>) -> Self {
        let mut columns = ColumnsBuilder::new(schema);
        let (mut ids, mut versions, mut payloads) = (Vec::new(), Vec::new(), Vec::new());
        for (point, version) in points {
            columns.push(|name| point.vectors.get(name).map(|vector| vector.as_dense()));
            ids.push(point.id);
            versions.push(version);
            payloads.push(Arc::new(point.payload));
        }
        let postings = Postings::build(payloads.iter().map(|payload| &**payload), &TextRules::of(schema));
        Self::assemble(schema, (ids, versions, payloads), columns.finish(), postings)
    }

    fn assemble(
        schema: &CollectionSchema,
        (ids, versions, payloads): (Vec<PointId>, Vec<Lsn>, Vec<Arc<Payload>>),
        columns: Columns,
        postings: Postings,
    ) -> Self {
        let mut by_id: Vec<u32> = (0..ids.len() as u32).collect();
        by_id.sort_by_key(|&row| (ids[row as usize], row));
        let per_row: usize = columns.values().map(|column| 4 * column.dimension()).sum();
        let bytes = ids.len() * (per_row + 64);
        let whole = ids.len() as u32 >= BLOCK_ROWS;
        let codes = if whole { codes::of(schema, &columns) } else { Codes::new() };
        Self { ids, versions, payloads, columns, codes, by_id, postings, bytes }
    }

    /// One block of the rows of both, `self` first.
    fn join(&self, other: &Self, schema: &CollectionSchema) -> Self {
        let mut columns = ColumnsBuilder::new(schema);
        for block in [self, other] {
            for row in 0..block.rows() {
                columns.push(|name| block.columns.get(name).and_then(|column| column.row(row)));
            }
        }
        Self::assemble(
            schema,
            (
                [&self.ids[..], &other.ids].concat(),
                [&self.versions[..], &other.versions].concat(),
                [&self.payloads[..], &other.payloads].concat(),
            ),
            columns.finish(),
            Postings::merge(&[&self.postings, &other.postings]),
        )
    }

    /// How many rows it has.
    pub fn rows(&self) -> u32 {
        self.ids.len() as u32
    }

    /// The column of a vector; none if the vector was added to the schema since.
    pub fn column(&self, name: &str) -> Option<&Column> {
        self.columns.get(name)
    }

    /// The codes of a vector's rows; only a block that is full has them.
    pub fn codes(&self, name: &str) -> Option<&RowCodes> {
        self.codes.get(name)
    }

    /// The terms and words of its payloads.
    pub fn postings(&self) -> &Postings {
        &self.postings
    }

    fn find(&self, id: PointId) -> Option<Ordinal> {
        let after = self.by_id.partition_point(|&row| self.ids[row as usize] <= id);
        let row = self.by_id[after.checked_sub(1)?];
        (self.ids[row as usize] == id).then_some(row)
    }
}

/// The rows that are not sealed yet: blocks, each starting where the one before ends.
#[derive(Debug, Clone, Default)]
pub struct Mutable {
    blocks: Vec<Arc<Block>>,
    starts: Vec<Ordinal>,
    rows: u32,
    bytes: usize,
}

impl Mutable {
    /// This segment with one more block of rows behind the others.
    pub fn with_block(&self, block: Block, schema: &CollectionSchema) -> Self {
        let mut blocks = self.blocks.clone();
        let mut last = block;
        while let Some(before) = blocks.last() {
            if before.rows() >= BLOCK_ROWS || before.rows() > 2 * last.rows() {
                break;
            }
            last = before.join(&last, schema);
            blocks.pop();
        }
        blocks.push(Arc::new(last));
        Self::of(blocks)
    }

    fn of(blocks: Vec<Arc<Block>>) -> Self {
        let mut rows = 0;
        let mut starts = Vec::with_capacity(blocks.len());
        for block in &blocks {
            starts.push(rows);
            rows += block.rows();
        }
        let bytes = blocks.iter().map(|block| block.bytes).sum();
        Self { blocks, starts, rows, bytes }
    }

    /// How many rows there are, dead ones too.
    pub fn rows(&self) -> u32 {
        self.rows
    }

    /// About how much memory the rows take.
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// The blocks with the ordinal of their first row.
    pub fn blocks(&self) -> impl Iterator<Item = (Ordinal, &Block)> {
        self.starts.iter().copied().zip(self.blocks.iter().map(|block| &**block))
    }

    /// The block a row is in, and its row there.
    fn place(&self, ordinal: Ordinal) -> (&Block, usize) {
        let index = self.starts.partition_point(|&start| start <= ordinal) - 1;
        (&self.blocks[index], (ordinal - self.starts[index]) as usize)
    }

    /// The id of a row.
    pub fn id(&self, ordinal: Ordinal) -> PointId {
        let (block, row) = self.place(ordinal);
        block.ids[row]
    }

    /// The LSN of the write that made a row.
    pub fn version(&self, ordinal: Ordinal) -> Lsn {
        let (block, row) = self.place(ordinal);
        block.versions[row]
    }

    /// The payload of a row.
    pub fn payload(&self, ordinal: Ordinal) -> &Arc<Payload> {
        let (block, row) = self.place(ordinal);
        &block.payloads[row]
    }

    /// The vectors of a row.
    pub fn vectors(&self, ordinal: Ordinal) -> NamedVectors {
        let (block, row) = self.place(ordinal);
        vectors::row(block.columns.iter(), row as Ordinal)
    }

    /// One vector of a row.
    pub fn vector(&self, name: &str, ordinal: Ordinal) -> Option<&[f32]> {
        let (block, row) = self.place(ordinal);
        block.columns.get(name)?.row(row as Ordinal)
    }

    /// Which rows have the vector.
    pub fn present(&self, name: &str) -> Bitmap {
        let rows = self.blocks().flat_map(|(start, block)| {
            let present = block.columns.get(name).map(|column| column.present().iter());
            present.into_iter().flatten().map(move |row| start + row)
        });
        Bitmap::from_ordinals(self.rows, rows)
    }

    /// The last row of this id.
    pub fn find(&self, id: PointId) -> Option<Ordinal> {
        let mut newest_first = self.starts.iter().zip(&self.blocks).rev();
        newest_first.find_map(|(start, block)| Some(start + block.find(id)?))
    }

    /// All rows in the order of their ids, from the first id that is not below `from`.
    pub fn sorted_from(&self, from: Option<PointId>) -> Vec<Ordinal> {
        let mut rows: Vec<(PointId, Ordinal)> = Vec::new();
        for (start, block) in self.blocks() {
            let first =
                from.map_or(0, |from| block.by_id.partition_point(|&row| block.ids[row as usize] < from));
            rows.extend(block.by_id[first..].iter().map(|&row| (block.ids[row as usize], start + row)));
        }
        rows.sort_unstable();
        rows.into_iter().map(|(_, row)| row).collect()
    }
}
