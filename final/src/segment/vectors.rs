//! Where are a segment's vectors? One matrix per name, row by ordinal.
//!
//! `vectors.bin`, version 1:
//! ```text
//! section 0       the columns as JSON: [{"name": "", "dimension": 384}, …]
//! section 2i + 1  column i, which rows have the vector: u64 words, lowest ordinal in the lowest bit
//! section 2i + 2  column i, rows × dimension f32; a row without the vector is zeros
//! ```
//! The numbers are served from the mapping. They are nobody's address, so their checksum is verified when a merge
//! reads all of them, not at open: a merge must not give damaged numbers a fresh checksum.

use std::{collections::BTreeMap, path::Path};

use serde::{Deserialize, Serialize};

use crate::{
    bitmap::Bitmap,
    disk::{
        Slice, Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    point::{NamedVectors, Ordinal, Vector},
    schema::CollectionSchema,
    vector::Matrix,
};

const VERSION: u16 = 1;

/// The rows of one named vector; shared, so a copy costs nothing.
#[derive(Debug, Clone)]
pub struct Column {
    dimension: usize,
    values: Slice<f32>,
    present: Bitmap,
}

/// The columns of a segment by vector name.
pub type Columns = BTreeMap<String, Column>;

impl Column {
    /// A column in memory: `values` is rows × dimension, row-major.
    pub fn new(dimension: usize, values: Vec<f32>, present: Bitmap) -> Self {
        assert_eq!(values.len(), dimension * present.rows() as usize, "every row has its numbers");
        Self { dimension, values: Slice::from_vec(values), present }
    }

    /// Numbers per row.
    pub fn dimension(&self) -> usize {
        self.dimension
    }

    /// Which rows have the vector.
    pub fn present(&self) -> &Bitmap {
        &self.present
    }

    /// All rows, absent ones as zeros.
    pub fn matrix(&self) -> Matrix<'_> {
        Matrix::new(self.dimension, &self.values)
    }

    /// Tells the system that rows will be read here and there.
    pub fn advise_random(&self) {
        self.values.advise_random();
    }

    /// Brings all rows from the disk into memory.
    pub fn bring_in(&self) {
        self.values.bring_in();
    }

    /// The vector of a row, if it has one.
    pub fn row(&self, ordinal: Ordinal) -> Option<&[f32]> {
        self.present.contains(ordinal).then(|| {
            let start = ordinal as usize * self.dimension;
            &self.values[start..start + self.dimension]
        })
    }
}

/// The vectors of one row by name.
pub fn row<'a>(columns: impl Iterator<Item = (&'a String, &'a Column)>, ordinal: Ordinal) -> NamedVectors {
    columns
        .filter_map(|(name, column)| Some((name.clone(), Vector::Dense(column.row(ordinal)?.to_vec()))))
        .collect()
}

/// Collects rows into columns, in the order of their ordinals.
#[derive(Debug, Default)]
pub struct ColumnsBuilder {
    rows: u32,
    columns: BTreeMap<String, (usize, Vec<f32>, Vec<Ordinal>)>,
}

impl ColumnsBuilder {
    /// Columns for the schema's vectors, with no rows yet.
    pub fn new(schema: &CollectionSchema) -> Self {
        let empty = |(name, vector): (&String, &crate::schema::VectorSchema)| {
            (name.clone(), (vector.size, Vec::new(), Vec::new()))
        };
        Self { rows: 0, columns: schema.vectors.iter().map(empty).collect() }
    }

    /// Appends a row; names that the schema lacks are left out (a vector dropped from it since).
    pub fn push<'a>(&mut self, vector_of: impl Fn(&str) -> Option<&'a [f32]>) {
        for (name, (dimension, values, present)) in &mut self.columns {
            match vector_of(name).filter(|vector| vector.len() == *dimension) {
                Some(vector) => {
                    values.extend_from_slice(vector);
                    present.push(self.rows);
                }
                None => values.resize(values.len() + *dimension, 0.0),
            }
        }
        self.rows += 1;
    }

    /// The columns of all rows pushed.
    pub fn finish(self) -> Columns {
        let rows = self.rows;
        let column = |(name, (dimension, values, present))| {
            (name, Column::new(dimension, values, Bitmap::from_ordinals(rows, present)))
        };
        self.columns.into_iter().map(column).collect()
    }
}

#[derive(Serialize, Deserialize)]
struct ColumnEntry {
    name: String,
    dimension: usize,
}

/// Writes `vectors.bin` row by row; `vector_of(name, row)` is asked for every row of every column in order.
pub fn write<'a>(
    store: &dyn Store,
    path: &Path,
    schema: &CollectionSchema,
    rows: u32,
    vector_of: impl Fn(&str, u32) -> Option<&'a [f32]>,
) -> Result<Summary> {
    let mut writer = FileWriter::create(store, path, Kind::Vectors, VERSION)?;
    let entries: Vec<ColumnEntry> = schema
        .vectors
        .iter()
        .map(|(name, vector)| ColumnEntry { name: name.clone(), dimension: vector.size })
        .collect();
    writer.begin(0)?;
    writer.write(&serde_json::to_vec(&entries).expect("names and numbers are JSON"))?;
    for (index, entry) in entries.iter().enumerate() {
        let index = index as u32;
        let vector = |row| vector_of(&entry.name, row).filter(|vector| vector.len() == entry.dimension);
        let present = Bitmap::from_ordinals(rows, (0..rows).filter(|&row| vector(row).is_some()));
        writer.begin(2 * index + 1)?;
        writer.write_slice(&present.to_words())?;
        writer.begin(2 * index + 2)?;
        let absent = vec![0.0; entry.dimension];
        for row in 0..rows {
            writer.write_slice(vector(row).unwrap_or(&absent))?;
        }
    }
    writer.finish()
}

/// Reads all of `vectors.bin` and compares it with its checksums; [`Error::Corrupt`] if it differs.
pub fn verify(store: &dyn Store, path: &Path) -> Result<()> {
    File::open(store, path, Kind::Vectors, VERSION)?.verify()
}

/// Opens `vectors.bin`; the numbers stay in the mapping.
pub fn open(store: &dyn Store, path: &Path, rows: u32) -> Result<Columns> {
    let file = File::open(store, path, Kind::Vectors, VERSION)?;
    let corrupt = |what: String| Error::corrupt(format!("{}: {what}", path.display()));
    let meta = file.checked_section::<u8>(0)?;
    let entries: Vec<ColumnEntry> =
        serde_json::from_slice(&meta).map_err(|error| corrupt(format!("column list: {error}")))?;
    let mut columns = Columns::new();
    for (index, entry) in entries.into_iter().enumerate() {
        let index = index as u32;
        let words = file.checked_section::<u64>(2 * index + 1)?;
        let values = file.section::<f32>(2 * index + 2)?;
        if entry.dimension == 0
            || words.len() != rows.div_ceil(64) as usize
            || Some(values.len()) != entry.dimension.checked_mul(rows as usize)
        {
            return Err(corrupt(format!("column {:?} is not {rows} × {}", entry.name, entry.dimension)));
        }
        let present = Bitmap::from_words(rows, &words);
        columns.insert(entry.name, Column { dimension: entry.dimension, values, present });
    }
    Ok(columns)
}
