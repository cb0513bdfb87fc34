//! What is a sealed segment? A folder of files that are never changed, served from their mappings.
//!
//! ```text
//! segments/000031/  ids.bin  vectors.bin  codes.bin  graph.bin  payloads.bin  text.bin  deletes-000042.bin
//! ```
//! What there is for each vector, in `vectors.bin`, `codes.bin` and `graph.bin`, is in [`indexed`].
//! `deletes-N.bin` belongs to manifest N, which names it.

use std::{collections::BTreeMap, path::Path};

use crate::{
    bitmap::Bitmap,
    disk::{
        Store,
        format::{File, FileWriter, Kind, Summary},
    },
    error::{Error, Result},
    filter::index::TermIndex,
    schema::{CollectionSchema, VectorSchema},
    segment::{
        ids::Ids,
        indexed::{self, Indexed},
        payloads::Payloads,
    },
};

const DELETES_VERSION: u16 = 1;

/// An opened segment folder.
#[derive(Debug)]
pub struct Sealed {
    number: u64,
    rows: u32,
    ids: Ids,
    vectors: BTreeMap<String, Indexed>,
    payloads: Payloads,
    index: TermIndex,
}

impl Sealed {
    /// Opens the folder of segment `number`, which has `rows` rows. What will be used as an address is verified now.
    pub fn open(store: &dyn Store, dir: &Path, number: u64, rows: u32) -> Result<Self> {
        Ok(Self {
            number,
            rows,
            ids: Ids::open(store, &dir.join("ids.bin"), rows)?,
            vectors: indexed::open(store, dir, rows)?,
            payloads: Payloads::open(store, &dir.join("payloads.bin"), rows)?,
            index: TermIndex::open(store, &dir.join("text.bin"), rows)?,
        })
    }

    /// Whether this is a segment of a collection defined so: [`Error::Corrupt`] if its vectors have other lengths.
    pub fn check(&self, schema: &CollectionSchema) -> Result<()> {
        for (name, indexed) in &self.vectors {
            let (found, expected) =
                (indexed.column().dimension(), schema.vectors.get(name).map(|vector| vector.size));
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
        let lean = self.vectors.iter().filter(|(name, _)| is_lean(schema, name));
        lean.for_each(|(_, indexed)| indexed.column().advise_random());
    }

    /// Brings from the disk into memory what searches read.
    pub fn bring_in(&self, schema: &CollectionSchema) {
        self.vectors.iter().for_each(|(name, indexed)| indexed.bring_in(is_lean(schema, name)));
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

    /// What there is for each vector by name.
    pub fn vectors(&self) -> &BTreeMap<String, Indexed> {
        &self.vectors
    }

    /// What there is for a vector, if a row has it.
    pub fn vector(&self, name: &str) -> Option<&Indexed> {
        self.vectors.get(name)
    }

    /// Whether it was sealed in haste or when other settings held, so that a merge would make it better.
    pub fn is_behind(&self, schema: &CollectionSchema) -> bool {
        let is_behind = |(name, indexed): (&String, &Indexed)| {
            schema.vector(name).is_ok_and(|vector| indexed.is_behind(vector))
        };
        self.vectors.iter().any(is_behind)
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

fn is_lean(schema: &CollectionSchema, name: &str) -> bool {
    schema.vector(name).is_ok_and(VectorSchema::walks_on_codes)
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
