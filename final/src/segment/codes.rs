//! Where are the codes of a segment's vectors? One list per name, row by ordinal, for searches that read few vectors.
//!
//! `codes.bin`, version 1:
//! ```text
//! section 0       the lists as JSON: [{"name": "", "dimension": 384, "precision": "binary"}, …]
//! section 2i + 1  list i, the rotated middle of its rows: f32
//! section 2i + 2  list i, rows × record numbers, as `quantize::rows` says
//! ```
//! A vector has none where its metric or its settings do without. The codes are served from the mapping and are nobody's
//! address: a damaged one makes an estimate wrong.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    disk::{
        Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    quantize::{Precision, RowCodes},
    schema::CollectionSchema,
    segment::vectors::{Column, Columns},
};

const VERSION: u16 = 1;

/// The codes of a segment by vector name.
pub type Codes = BTreeMap<String, RowCodes>;

#[derive(Serialize, Deserialize)]
struct Entry {
    name: String,
    dimension: usize,
    precision: Precision,
}

/// Codes of all rows in memory, for the vectors that want some.
pub fn of(schema: &CollectionSchema, columns: &Columns) -> Codes {
    let list = |(name, column): (&String, &Column)| {
        let vector = schema.vector(name).ok()?;
        let codes = RowCodes::build(vector.precision()?, vector.distance, column.matrix(), column.present());
        Some((name.clone(), codes))
    };
    columns.iter().filter_map(list).collect()
}

/// Writes `codes.bin`.
pub fn write(store: &dyn Store, path: &Path, codes: &Codes) -> Result<Summary> {
    let entries = codes.iter().map(|(name, list)| {
        let (dimension, precision) = (list.dimension(), list.precision());
        Entry { name: name.clone(), dimension, precision }
    });
    let entries: Vec<Entry> = entries.collect();
    let mut writer = FileWriter::create(store, path, Kind::Codes, VERSION)?;
    writer.begin(0)?;
    writer.write(&serde_json::to_vec(&entries).expect("names and numbers are JSON"))?;
    for (index, list) in (0u32..).zip(codes.values()) {
        let (middle, records) = list.arrays();
        writer.begin(2 * index + 1)?;
        writer.write_slice(middle)?;
        writer.begin(2 * index + 2)?;
        writer.write_slice(records)?;
    }
    writer.finish()
}

/// Opens `codes.bin` beside these columns; the codes stay in the mapping.
pub fn open(store: &dyn Store, path: &Path, rows: u32, columns: &Columns) -> Result<Codes> {
    let file = File::open(store, path, Kind::Codes, VERSION)?;
    let corrupt = |what: String| Error::corrupt(format!("{}: {what}", path.display()));
    let entries: Vec<Entry> = serde_json::from_slice(&file.checked_section::<u8>(0)?)
        .map_err(|error| corrupt(format!("list of codes: {error}")))?;
    let mut codes = Codes::new();
    for (index, Entry { name, dimension, precision }) in (0u32..).zip(entries) {
        if columns.get(&name).is_none_or(|column| column.dimension() != dimension) {
            return Err(corrupt(format!("codes of {name:?} × {dimension}, which are not this segment's")));
        }
        let (middle, records) = (file.checked_section(2 * index + 1)?, file.section(2 * index + 2)?);
        let list = RowCodes::open(precision, dimension, rows, middle, records)
            .map_err(|what| corrupt(format!("{name:?}: {what}")))?;
        codes.insert(name, list);
    }
    Ok(codes)
}
