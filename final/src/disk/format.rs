//! What is the shape of a file? Header, sections, table, trailer: the same for every kind of segment file.
//!
//! | at | bytes | what |
//! |---|--:|---|
//! | 0 | 64 | [`Header`]: magic, kind, version, number, checksum |
//! | 64 | any | sections, each starting at a multiple of 64, zeros between them |
//! | a multiple of 64 | 24 each | the table: id `u32`, crc32c `u32`, offset `u64`, length `u64` of each section, in order |
//! | right behind | 32 | trailer: table offset `u64`, file length `u64`, sections `u32`, crc32c of the table `u32`, magic |
//!
//! All numbers are little-endian. The table stands at the end because lengths and checksums are known only then: a
//! file is written in one pass, only appended to and never touched again, which is all that an object store can do.
//! A start at a multiple of 64 is a cache line's and is enough for every type and every vector register.
//!
//! When are checksums verified? What is used as an address (ids, links, offsets) when it is opened
//! ([`File::checked_section`]), since a wrong one leads anywhere; plain numbers (vectors, codes) when a merge
//! reads all of them anyway ([`File::verify`]), since reading them at open would cost what mapping saves.
//!
//! Not here: what sections mean; each kind's module knows its ids.

use std::{
    fmt::Write as _,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use bytemuck::{AnyBitPattern, NoUninit};
use crc32c::{crc32c, crc32c_append};

use super::{Mapping, Slice, Store, Writer};
use crate::error::{Error, Result};

const MAGIC: [u8; 8] = *b"KITH\r\n\x1a\n";
const END_MAGIC: [u8; 8] = *b"\nend\nKTH";
const ALIGN: u64 = 64;
const ENTRY: u64 = 24;
const TRAILER: u64 = 32;

/// What a file holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u16)]
pub enum Kind {
    /// Rows of numbers.
    Vectors = 1,
    /// Point ids.
    Ids = 2,
    /// Payloads in compressed blocks.
    Payloads = 3,
    /// A graph, with its vectors and codes or without.
    Graph = 4,
    /// Quantized vectors.
    Codes = 5,
    /// A text index.
    Text = 6,
    /// Tombstones.
    Deletes = 7,
    /// A write-ahead log; it has the header of all files and then frames instead of sections.
    Wal = 8,
}

impl Kind {
    const ALL: [Self; 8] = [
        Self::Vectors,
        Self::Ids,
        Self::Payloads,
        Self::Graph,
        Self::Codes,
        Self::Text,
        Self::Deletes,
        Self::Wal,
    ];

    /// Whether searches jump about in such a file.
    fn is_walked(self) -> bool {
        matches!(self, Self::Vectors | Self::Graph | Self::Codes)
    }
}

/// The first 64 bytes of every file.
///
/// | at | bytes | what |
/// |---|--:|---|
/// | 0 | 8 | `KITH\r\n\x1a\n`; the line ends show a copy that was made as text |
/// | 8 | 2 | kind |
/// | 10 | 2 | version of the kind's format |
/// | 12 | 4 | zero |
/// | 16 | 8 | the file's number if it belongs to a numbered sequence, else 0 |
/// | 24 | 36 | zero |
/// | 60 | 4 | crc32c of the 60 bytes before |
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// What the file holds.
    pub kind: Kind,
    /// Version of that kind's format, from 1 up.
    pub version: u16,
    /// The file's number if it belongs to a numbered sequence, else 0.
    pub number: u64,
}

impl Header {
    /// The length of a header in bytes.
    pub const LEN: usize = 64;

    /// The header's bytes.
    pub fn encode(&self) -> [u8; Self::LEN] {
        let mut bytes = [0; Self::LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        bytes[8..10].copy_from_slice(&(self.kind as u16).to_le_bytes());
        bytes[10..12].copy_from_slice(&self.version.to_le_bytes());
        bytes[16..24].copy_from_slice(&self.number.to_le_bytes());
        let checksum = crc32c(&bytes[..60]);
        bytes[60..].copy_from_slice(&checksum.to_le_bytes());
        bytes
    }

    /// Whether a file starts with a header that was written whole, of whatever kind and version.
    pub fn is_whole(bytes: &[u8]) -> bool {
        let header = bytes.get(..Self::LEN).filter(|header| header[..8] == MAGIC);
        header.is_some_and(|header| crc32c(&header[..60]) == u32_at(header, 60))
    }

    /// Reads the header at the start of a file and checks that it is of `kind` and of a version up to `newest`.
    pub fn decode(bytes: &[u8], path: &Path, kind: Kind, newest: u16) -> Result<Self> {
        let bad = |what: String| Error::corrupt(format!("{}: {what}", path.display()));
        if !Self::is_whole(bytes) {
            return Err(bad("the file does not start with a sound header of Kith's".into()));
        }
        let number = u16_at(bytes, 8);
        if number != kind as u16 {
            let found = Kind::ALL.into_iter().find(|kind| *kind as u16 == number);
            let found = found.map_or(format!("kind {number}"), |kind| format!("{kind:?}"));
            return Err(bad(format!("the file holds {found}, and {kind:?} was expected")));
        }
        let version = u16_at(bytes, 10);
        if version == 0 || version > newest {
            return Err(bad(format!(
                "the file has version {version} of the format for {kind:?}, and this Kith reads versions 1 to \
                 {newest}; open it with the Kith that wrote it or a newer one"
            )));
        }
        Ok(Self { kind, version, number: u64_at(bytes, 16) })
    }
}

/// What a finished file is: what a manifest says about it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Summary {
    /// Its length in bytes.
    pub len: u64,
    /// The crc32c of all its bytes.
    pub crc32c: u32,
}

/// One line of the table.
#[derive(Debug, Clone, Copy)]
struct Section {
    id: u32,
    crc32c: u32,
    offset: u64,
    len: u64,
}

/// Writes a file in one pass: [`begin`](Self::begin) a section, [`write`](Self::write) it, and so on to
/// [`finish`](Self::finish). A file that was not finished can't be opened.
pub struct FileWriter {
    path: PathBuf,
    out: BufWriter<Writer>,
    summary: Summary,
    sections: Vec<Section>,
}

impl FileWriter {
    /// Creates the file; [`Error::Conflict`] if it exists. Its folder is synced by whoever commits it.
    pub fn create(store: &dyn Store, path: &Path, kind: Kind, version: u16) -> Result<Self> {
        let out = BufWriter::with_capacity(1 << 18, store.create(path)?);
        let summary = Summary { len: 0, crc32c: 0 };
        let mut file = Self { path: path.to_owned(), out, summary, sections: Vec::new() };
        file.append(&Header { kind, version, number: 0 }.encode())?;
        Ok(file)
    }

    /// Starts a section and ends the one before. Each id is used once.
    pub fn begin(&mut self, section: u32) -> Result<()> {
        assert!(self.sections.iter().all(|other| other.id != section), "section {section} is begun twice");
        self.pad()?;
        self.sections.push(Section { id: section, crc32c: 0, offset: self.summary.len, len: 0 });
        Ok(())
    }

    /// Appends to the current section.
    pub fn write(&mut self, bytes: &[u8]) -> Result<()> {
        let section =
            self.sections.last_mut().expect("a section is begun before anything is written into it");
        section.len += bytes.len() as u64;
        section.crc32c = crc32c_append(section.crc32c, bytes);
        self.append(bytes)
    }

    /// Appends numbers to the current section, as they lie in memory: little-endian, without gaps.
    pub fn write_slice<T: NoUninit>(&mut self, values: &[T]) -> Result<()> {
        self.write(bytemuck::cast_slice(values))
    }

    /// Writes table and trailer and makes the file's bytes durable.
    pub fn finish(mut self) -> Result<Summary> {
        self.pad()?;
        let (offset, mut table) = (self.summary.len, Vec::new());
        for Section { id, crc32c, offset, len } in &self.sections {
            table.extend(id.to_le_bytes());
            table.extend(crc32c.to_le_bytes());
            table.extend(offset.to_le_bytes());
            table.extend(len.to_le_bytes());
        }
        let checksum = crc32c(&table);
        table.extend(offset.to_le_bytes());
        table.extend((offset + table.len() as u64 + TRAILER - 8).to_le_bytes());
        table.extend((self.sections.len() as u32).to_le_bytes());
        table.extend(checksum.to_le_bytes());
        table.extend(END_MAGIC);
        self.append(&table)?;
        self.out.flush().map_err(Error::io("write and sync", &self.path))?;
        Ok(self.summary)
    }

    fn pad(&mut self) -> Result<()> {
        let rest = self.summary.len.next_multiple_of(ALIGN) - self.summary.len;
        self.append(&[0; ALIGN as usize][..rest as usize])
    }

    fn append(&mut self, bytes: &[u8]) -> Result<()> {
        self.summary.len += bytes.len() as u64;
        self.summary.crc32c = crc32c_append(self.summary.crc32c, bytes);
        self.out.write_all(bytes).map_err(Error::io("write", &self.path))
    }
}

/// An opened file: its mapping and its table. Cloning it is cheap.
#[derive(Debug, Clone)]
pub struct File {
    path: PathBuf,
    bytes: Mapping,
    header: Header,
    sections: Vec<Section>,
}

impl File {
    /// Maps a file and checks header, trailer and table: the kind, a version up to `version`, and that every section
    /// lies where it can. [`Error::NotFound`] if there is none.
    pub fn open(store: &dyn Store, path: &Path, kind: Kind, version: u16) -> Result<Self> {
        let bytes = store.map(path)?;
        if kind.is_walked() {
            bytes.advise_often();
        }
        let header = Header::decode(&bytes, path, kind, version)?;
        let sections = read_table(&bytes).map_err(|what| {
            Error::corrupt(format!("{}: {what}; the file is cut or damaged", path.display()))
        })?;
        Ok(Self { path: path.to_owned(), bytes, header, sections })
    }

    /// The version of its kind's format that it is in.
    pub fn version(&self) -> u16 {
        self.header.version
    }

    /// All its bytes, for hints on how they will be read.
    pub fn mapping(&self) -> &Mapping {
        &self.bytes
    }

    /// Whether there is a section with this id; it may be empty.
    pub fn has_section(&self, id: u32) -> bool {
        self.find(id).is_ok()
    }

    /// A section's values, with its checksum not verified. [`Error::Corrupt`] if there is none with this id or its
    /// length is not a multiple of the value's.
    pub fn section<T: AnyBitPattern>(&self, id: u32) -> Result<Slice<T>> {
        let section = self.find(id)?;
        let (size, len) = (size_of::<T>(), section.len as usize);
        if size == 0 || len % size != 0 {
            return Err(self.corrupt(format!("section {id} has {len} bytes, and its values have {size}")));
        }
        Slice::new(&self.bytes, section.offset as usize, len / size)
            .map_err(|error| self.corrupt(format!("section {id}: {error}")))
    }

    /// A section's values, with its checksum verified.
    pub fn checked_section<T: AnyBitPattern>(&self, id: u32) -> Result<Slice<T>> {
        self.check(self.find(id)?)?;
        self.section(id)
    }

    /// Reads the whole file and verifies every section's checksum.
    pub fn verify(&self) -> Result<()> {
        self.bytes.advise_sequential();
        self.sections.iter().try_for_each(|section| self.check(section))
    }

    /// Reads the whole file: its length and the checksum of all its bytes, as [`FileWriter::finish`] gave them.
    pub fn summary(&self) -> Summary {
        Summary { len: self.bytes.len() as u64, crc32c: crc32c(&self.bytes) }
    }

    /// Header and table as text, a line for each section.
    pub fn dump(&self) -> String {
        let Header { kind, version, .. } = self.header;
        let mut text = format!("{kind:?} version {version}, {} bytes\n", self.bytes.len());
        for Section { id, crc32c, offset, len } in &self.sections {
            // Writing to a string does not fail.
            let _ = writeln!(text, "section {id} at {offset}: {len} bytes, crc32c {crc32c:08x}");
        }
        text
    }

    fn find(&self, id: u32) -> Result<&Section> {
        let found = self.sections.iter().find(|section| section.id == id);
        found.ok_or_else(|| self.corrupt(format!("the file has no section {id}")))
    }

    fn check(&self, section: &Section) -> Result<()> {
        let &Section { id, offset, len, .. } = section;
        if crc32c(&self.bytes[offset as usize..][..len as usize]) == section.crc32c {
            return Ok(());
        }
        Err(self.corrupt(format!("the checksum of section {id} ({len} bytes at {offset}) is wrong")))
    }

    fn corrupt(&self, what: String) -> Error {
        Error::corrupt(format!("{}: {what}", self.path.display()))
    }
}

/// Reads trailer and table. Each number in them follows from the others or is checked, so that none can mislead.
fn read_table(bytes: &[u8]) -> std::result::Result<Vec<Section>, String> {
    let len = bytes.len() as u64;
    let Some(end) = len.checked_sub(TRAILER).filter(|end| *end >= Header::LEN as u64) else {
        return Err(format!("{len} bytes are too few"));
    };
    let trailer = &bytes[end as usize..];
    if trailer[24..] != END_MAGIC {
        return Err("the file does not end as it should".into());
    }
    if u64_at(trailer, 8) != len {
        return Err(format!("the file says it has {} bytes and has {len}", u64_at(trailer, 8)));
    }
    let (start, count) = (u64_at(trailer, 0), u64::from(u32_at(trailer, 16)));
    if start.checked_add(count * ENTRY) != Some(end) {
        return Err(format!("a table of {count} sections at byte {start} does not end at {end}"));
    }
    let table = &bytes[start as usize..end as usize];
    if crc32c(table) != u32_at(trailer, 20) {
        return Err("the table's checksum is wrong".into());
    }
    let sections: Vec<_> = table.chunks_exact(ENTRY as usize).map(section_at).collect();
    let mut free = Header::LEN as u64;
    for Section { id, offset, len, .. } in &sections {
        let section_end = offset.checked_add(*len).filter(|end| *end <= start);
        let Some(section_end) = section_end.filter(|_| *offset == free) else {
            return Err(format!("section {id} can't have {len} bytes at {offset}"));
        };
        free = section_end.next_multiple_of(ALIGN);
    }
    if free != start { Err(format!("the table can't start at {start}")) } else { Ok(sections) }
}

fn section_at(entry: &[u8]) -> Section {
    Section {
        id: u32_at(entry, 0),
        crc32c: u32_at(entry, 4),
        offset: u64_at(entry, 8),
        len: u64_at(entry, 16),
    }
}

/// The little-endian number at a place that the caller knows to exist.
pub fn u16_at(bytes: &[u8], at: usize) -> u16 {
    u16::from_le_bytes(array_at(bytes, at))
}

/// The little-endian number at a place that the caller knows to exist.
pub fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(array_at(bytes, at))
}

/// The little-endian number at a place that the caller knows to exist.
pub fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(array_at(bytes, at))
}

fn array_at<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    std::array::from_fn(|index| bytes[at + index])
}

#[cfg(test)]
mod tests;
