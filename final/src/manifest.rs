//! Which files are the collection, now?
//!
//! A manifest is a small JSON file, `manifest-000042.json`, that names everything a reader needs: the schema, each
//! live segment with its files (length and checksum) and tombstones, and the log file that replay starts from. It is
//! the exact state at its [`Manifest::lsn`]. Manifests are numbered and never changed; the newest counts, and one
//! rename makes it so. The two before it are kept with all they need.
//!
//! ```text
//! {"crc32c": 305419896, "manifest": { … the fields of [`Manifest`] … }}
//! ```
//!
//! The checksum is over the manifest as compact JSON with sorted keys, so an edited file is noticed, a truncated one
//! does not parse.

use std::path::Path;

use serde::{Deserialize, Serialize};
use serde_json::Value;

use crate::{
    disk::{Store, commit},
    error::{Error, Result},
    point::Lsn,
    schema::CollectionSchema,
};

/// The layout this code writes; it reads no newer one.
const FORMAT: u32 = 1;

/// The exact state of a collection at one log sequence number.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// The layout of the manifest itself.
    pub format: u32,
    /// The number in its file name, one more than the manifest before.
    pub number: u64,
    /// How often the collection has been opened for writing.
    pub epoch: u64,
    /// Who wrote it, for humans.
    pub writer: String,
    /// Every write up to here is in the segments and tombstones; later ones are in the log.
    pub lsn: Lsn,
    /// The number of the first log file that may hold later writes.
    pub replay_from: u64,
    /// The number the next segment gets; numbers are never used twice.
    pub next_segment: u64,
    /// What the collection is.
    pub schema: CollectionSchema,
    /// The sealed segments, oldest first.
    pub segments: Vec<SegmentEntry>,
}

/// A sealed segment as a manifest names it.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct SegmentEntry {
    /// Its folder's number.
    pub number: u64,
    /// Its rows, dead ones too.
    pub rows: u32,
    /// Its files.
    pub files: Vec<FileEntry>,
    /// The file of its tombstones; none if every row lives.
    pub deletes: Option<FileEntry>,
}

/// A file as a manifest names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileEntry {
    /// Its name inside the segment's folder.
    pub name: String,
    /// Its length in bytes.
    pub len: u64,
    /// CRC-32C of all of it.
    pub crc32c: u32,
}

#[derive(Serialize, Deserialize)]
struct Envelope {
    crc32c: u32,
    manifest: Value,
}

impl Envelope {
    /// The checksum of what is inside; the keys of a [`Value`] are sorted.
    fn checksum(&self) -> u32 {
        crc32c::crc32c(self.manifest.to_string().as_bytes())
    }
}

impl Manifest {
    /// The first manifest of a new collection.
    pub fn first(schema: CollectionSchema, writer: &str) -> Self {
        Self {
            format: FORMAT,
            number: 1,
            epoch: 1,
            writer: writer.to_string(),
            lsn: 0,
            replay_from: 1,
            next_segment: 1,
            schema,
            segments: Vec::new(),
        }
    }

    /// Makes this the newest manifest in the collection's folder: durable and visible at once, or not at all.
    pub fn commit(&self, store: &dyn Store, dir: &Path) -> Result<()> {
        let place = dir.join(file_name(self.number));
        let as_corrupt = |error| Error::corrupt(format!("{} can't be written: {error}", place.display()));
        let mut envelope = Envelope { crc32c: 0, manifest: serde_json::to_value(self).map_err(as_corrupt)? };
        envelope.crc32c = envelope.checksum();
        let bytes = serde_json::to_vec(&envelope).map_err(as_corrupt)?;
        commit::commit(store, dir, &file_name(self.number), &bytes)
    }

    /// Reads one manifest, checking its text against the checksum. [`Error::Corrupt`] if it is damaged,
    /// [`Error::BadRequest`] if it is of a newer format.
    pub fn read(store: &dyn Store, dir: &Path, number: u64) -> Result<Self> {
        let path = dir.join(file_name(number));
        let bytes = store.read(&path)?;
        let corrupt = |what: String| Error::corrupt(format!("{}: {what}", path.display()));
        let envelope: Envelope =
            serde_json::from_slice(&bytes).map_err(|error| corrupt(format!("not a manifest: {error}")))?;
        let found = envelope.checksum();
        if found != envelope.crc32c {
            return Err(corrupt(format!("checksum {found:#010x}, expected {:#010x}", envelope.crc32c)));
        }
        // Before the rest is read: a newer format may have other fields.
        let format = envelope.manifest["format"].as_u64().unwrap_or_default();
        if format > FORMAT.into() {
            return Err(Error::bad_request(format!(
                "{}: format {format} is newer than {FORMAT}, the newest this program reads; open it with the Kith \
                 that wrote it or a newer one",
                path.display()
            )));
        }
        let manifest: Self = serde_json::from_value(envelope.manifest)
            .map_err(|error| corrupt(format!("unreadable: {error}")))?;
        if manifest.number != number {
            return Err(corrupt(format!("it says it is number {}", manifest.number)));
        }
        Ok(manifest)
    }

    /// The numbers of the manifests in a collection's folder, oldest first.
    pub fn numbers(store: &dyn Store, dir: &Path) -> Result<Vec<u64>> {
        let mut numbers: Vec<u64> = store.list(dir)?.iter().filter_map(|name| number_of(name)).collect();
        numbers.sort_unstable();
        Ok(numbers)
    }
}

/// The name of the manifest with this number.
pub fn file_name(number: u64) -> String {
    format!("manifest-{number:06}.json")
}

/// The number in a manifest's file name.
pub fn number_of(name: &str) -> Option<u64> {
    name.strip_prefix("manifest-")?.strip_suffix(".json")?.parse().ok()
}
