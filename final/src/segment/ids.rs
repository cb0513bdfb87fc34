//! Which point is a row, and which row is a point?
//!
//! `ids.bin`, version 1:
//! ```text
//! section 0  ids by row: u64 each if all are numbers, else 3 × u64 (0 number | 1 UUID, high half, low half)
//! section 1  versions by row: u64, the LSN of the write that made the row
//! section 2  rows sorted by (id, row): u32
//! ```
//! An id may stand in several rows of one segment (it was written again before the flush); only the last of them
//! can be alive. Look-up is a binary search through section 2, on the mapping, with nothing to load.

use std::path::Path;

use crate::{
    disk::{
        Slice, Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    point::{Lsn, Ordinal, PointId},
};

const VERSION: u16 = 1;

/// The ids and versions of a sealed segment.
#[derive(Debug, Clone)]
pub struct Ids {
    ids: Packed,
    versions: Slice<u64>,
    order: Slice<u32>,
}

#[derive(Debug, Clone)]
enum Packed {
    Numbers(Slice<u64>),
    Mixed(Slice<[u64; 3]>),
}

impl Packed {
    fn get(&self, row: usize) -> PointId {
        match self {
            Self::Numbers(ids) => PointId::Num(ids[row]),
            Self::Mixed(ids) => match ids[row] {
                [0, _, low] => PointId::Num(low),
                [_, high, low] => PointId::Uuid(u128::from(high) << 64 | u128::from(low)),
            },
        }
    }

    fn len(&self) -> usize {
        match self {
            Self::Numbers(ids) => ids.len(),
            Self::Mixed(ids) => ids.len(),
        }
    }
}

impl Ids {
    /// Opens `ids.bin` of a segment with this many rows.
    pub fn open(store: &dyn Store, path: &Path, rows: u32) -> Result<Self> {
        let file = File::open(store, path, Kind::Ids, VERSION)?;
        let versions = file.checked_section::<u64>(1)?;
        let order = file.checked_section::<u32>(2)?;
        let numbers = file.checked_section::<u64>(0)?;
        let rows = rows as usize;
        let ids = if numbers.len() == rows {
            Packed::Numbers(numbers)
        } else {
            Packed::Mixed(file.checked_section::<[u64; 3]>(0)?)
        };
        let in_range = order.iter().all(|&row| (row as usize) < rows);
        if ids.len() != rows || versions.len() != rows || order.len() != rows || !in_range {
            return Err(Error::corrupt(format!("{}: not the ids of {rows} rows", path.display())));
        }
        Ok(Self { ids, versions, order })
    }

    /// The id of a row.
    pub fn id(&self, ordinal: Ordinal) -> PointId {
        self.ids.get(ordinal as usize)
    }

    /// The LSN of the write that made a row.
    pub fn version(&self, ordinal: Ordinal) -> Lsn {
        self.versions[ordinal as usize]
    }

    /// The last row of this id.
    pub fn find(&self, id: PointId) -> Option<Ordinal> {
        let after = self.order.partition_point(|&row| self.id(row) <= id);
        let row = self.order[after.checked_sub(1)?];
        (self.id(row) == id).then_some(row)
    }

    /// The rows in the order of their ids, from the first id that is not below `from`.
    pub fn sorted_from(&self, from: Option<PointId>) -> impl Iterator<Item = Ordinal> + '_ {
        let start = from.map_or(0, |from| self.order.partition_point(|&row| self.id(row) < from));
        self.order[start..].iter().copied()
    }
}

/// Writes `ids.bin` for rows given in order.
pub fn write(store: &dyn Store, path: &Path, ids: &[PointId], versions: &[Lsn]) -> Result<Summary> {
    let mut writer = FileWriter::create(store, path, Kind::Ids, VERSION)?;
    writer.begin(0)?;
    let numbers: Option<Vec<u64>> = ids
        .iter()
        .map(|id| match id {
            PointId::Num(number) => Some(*number),
            PointId::Uuid(_) => None,
        })
        .collect();
    match numbers {
        Some(numbers) => writer.write_slice(&numbers)?,
        None => {
            let words = |id: &PointId| match id {
                PointId::Num(number) => [0, 0, *number],
                PointId::Uuid(bits) => [1, (bits >> 64) as u64, *bits as u64],
            };
            writer.write_slice(&ids.iter().map(words).collect::<Vec<_>>())?;
        }
    }
    writer.begin(1)?;
    writer.write_slice(versions)?;
    writer.begin(2)?;
    let mut order: Vec<u32> = (0..ids.len() as u32).collect();
    order.sort_by_key(|&row| (ids[row as usize], row));
    writer.write_slice(&order)?;
    writer.finish()
}
