//! Where is a row's payload? In a compressed block of its neighbours' payloads.
//!
//! `payloads.bin`, version 1:
//! ```text
//! section 0  the blocks, one behind the other; a block is LZ4 of: (rows + 1) × u32 offsets, then the payloads as JSON
//! section 1  one [`BlockEntry`] per block, in row order: first row, rows, offset, lengths, checksum
//! ```
//! A block closes at [`BLOCK_BYTES`], so reading one payload decompresses a few pages. Each block carries its own
//! checksum, verified on every read. An empty payload takes no bytes.

use std::{path::Path, sync::Arc};

use bytemuck::{AnyBitPattern, NoUninit};

use crate::{
    disk::{
        Slice, Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    point::{Ordinal, Payload},
};

const VERSION: u16 = 1;

/// A block closes once it holds this many bytes of JSON.
const BLOCK_BYTES: usize = 16 << 10;

/// A longer block is refused on reading: no writer makes one, and a garbled length must not allocate the world.
const MAX_BLOCK_BYTES: u32 = 1 << 30;

#[derive(Debug, Clone, Copy, AnyBitPattern, NoUninit)]
#[repr(C)]
struct BlockEntry {
    offset: u64,
    first_row: u32,
    rows: u32,
    packed_len: u32,
    raw_len: u32,
    crc32c: u32,
    reserved: u32,
}

/// The payloads of a sealed segment.
#[derive(Debug, Clone)]
pub struct Payloads {
    bytes: Slice<u8>,
    blocks: Slice<BlockEntry>,
    path: Arc<Path>,
}

/// Reads many payloads, keeping the block it read last.
#[derive(Debug)]
pub struct PayloadReader<'a> {
    payloads: &'a Payloads,
    last: Option<(usize, Vec<u8>)>,
}

impl Payloads {
    /// Opens `payloads.bin` of a segment with this many rows.
    pub fn open(store: &dyn Store, path: &Path, rows: u32) -> Result<Self> {
        let file = File::open(store, path, Kind::Payloads, VERSION)?;
        let (bytes, blocks) = (file.section::<u8>(0)?, file.checked_section::<BlockEntry>(1)?);
        let mut row = 0u32;
        for block in blocks.iter() {
            let end = block.offset.checked_add(u64::from(block.packed_len));
            let fits = end.is_some_and(|end| end <= bytes.len() as u64) && block.raw_len <= MAX_BLOCK_BYTES;
            let next =
                row.checked_add(block.rows).filter(|_| fits && block.rows > 0 && block.first_row == row);
            row = next.ok_or_else(|| Error::corrupt(format!("{}: bad block table", path.display())))?;
        }
        if row != rows {
            return Err(Error::corrupt(format!("{}: {row} rows, expected {rows}", path.display())));
        }
        Ok(Self { bytes, blocks, path: path.into() })
    }

    /// A reader for many rows; fastest in ascending order.
    pub fn reader(&self) -> PayloadReader<'_> {
        PayloadReader { payloads: self, last: None }
    }

    fn corrupt(&self, index: usize, what: &str) -> Error {
        Error::corrupt(format!("{}: block {index}: {what}", self.path.display()))
    }

    /// Decompresses a block and checks that its offsets are in order.
    fn block(&self, index: usize) -> Result<Vec<u8>> {
        let block = &self.blocks[index];
        let packed = &self.bytes[block.offset as usize..][..block.packed_len as usize];
        if crc32c::crc32c(packed) != block.crc32c {
            return Err(self.corrupt(index, "checksum differs"));
        }
        let raw = lz4_flex::block::decompress(packed, block.raw_len as usize)
            .map_err(|error| self.corrupt(index, &error.to_string()))?;
        let mut end = 4 * (block.rows as usize + 1);
        for entry in 0..=block.rows as usize {
            let offset = offset_at(&raw, entry).ok_or_else(|| self.corrupt(index, "too short"))?;
            if offset < end || offset > raw.len() {
                return Err(self.corrupt(index, "offsets out of order"));
            }
            end = offset;
        }
        Ok(raw)
    }
}

fn offset_at(raw: &[u8], entry: usize) -> Option<usize> {
    let bytes = raw.get(4 * entry..4 * entry + 4)?;
    Some(u32::from_le_bytes(bytes.try_into().ok()?) as usize)
}

impl PayloadReader<'_> {
    /// The payload of a row as JSON; empty if the row has none.
    pub fn json(&mut self, ordinal: Ordinal) -> Result<&[u8]> {
        let index = self.payloads.blocks.partition_point(|block| block.first_row <= ordinal) - 1;
        if self.last.as_ref().is_none_or(|(last, _)| *last != index) {
            self.last = Some((index, self.payloads.block(index)?));
        }
        let raw = &self.last.as_ref().expect("just filled").1;
        let entry = (ordinal - self.payloads.blocks[index].first_row) as usize;
        match (offset_at(raw, entry), offset_at(raw, entry + 1)) {
            (Some(start), Some(end)) => Ok(&raw[start..end]),
            _ => Err(self.payloads.corrupt(index, "too short")),
        }
    }

    /// The payload of a row.
    pub fn get(&mut self, ordinal: Ordinal) -> Result<Payload> {
        let json = self.json(ordinal)?;
        if json.is_empty() {
            return Ok(Payload::new());
        }
        let parsed = serde_json::from_slice(json);
        parsed.map_err(|error| Error::corrupt(format!("payload of row {ordinal}: {error}")))
    }
}

/// Writes `payloads.bin` for rows in order; `json(row)` is empty for a row without payload.
pub fn write(
    store: &dyn Store,
    path: &Path,
    rows: u32,
    mut json: impl FnMut(u32, &mut Vec<u8>) -> Result<()>,
) -> Result<Summary> {
    let mut writer = FileWriter::create(store, path, Kind::Payloads, VERSION)?;
    let (mut entries, mut offset) = (Vec::new(), 0u64);
    let (mut ends, mut bytes) = (Vec::new(), Vec::new());
    writer.begin(0)?;
    for row in 0..rows {
        json(row, &mut bytes)?;
        ends.push(bytes.len());
        if bytes.len() >= BLOCK_BYTES || row + 1 == rows {
            let count = ends.len() as u32;
            let (packed, raw_len) = pack(&ends, &bytes);
            writer.write(&packed)?;
            entries.push(BlockEntry {
                offset,
                first_row: row + 1 - count,
                rows: count,
                packed_len: packed.len() as u32,
                raw_len: raw_len as u32,
                crc32c: crc32c::crc32c(&packed),
                reserved: 0,
            });
            offset += packed.len() as u64;
            ends.clear();
            bytes.clear();
        }
    }
    writer.begin(1)?;
    writer.write_slice(&entries)?;
    writer.finish()
}

fn pack(ends: &[usize], bytes: &[u8]) -> (Vec<u8>, usize) {
    let head = 4 * (ends.len() + 1);
    let mut raw = Vec::with_capacity(head + bytes.len());
    raw.extend((head as u32).to_le_bytes());
    ends.iter().for_each(|end| raw.extend(((head + end) as u32).to_le_bytes()));
    raw.extend_from_slice(bytes);
    (lz4_flex::block::compress(&raw), raw.len())
}
