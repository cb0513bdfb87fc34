//! How is a file read without reading it? It is mapped into memory, and typed windows are laid over its bytes.
//!
//! A [`Mapping`] is a file's bytes; a [`Slice`] is a checked window on them that keeps the mapping alive, or a vector
//! of its own, so that what was just built and what was opened are of one type. Numbers are little-endian on disk and
//! in memory, and every section of a file starts at a multiple of 64, so a window costs a check and no copy.
//!
//! A mapped file must not change. Kith's files are written once and the folder is locked against a second process, so
//! only somebody else's `truncate` can break that. A disk that fails under a mapping ends the process with a signal;
//! that is the price of not having a cache of one's own.
//!
//! Large pages: a jump to another place of a mapped file costs a look-up of its address, and the processor remembers the
//! addresses of some thousand pages, 4 KB each. Linux keeps files in pages of 2 MB where it is told to before it reads
//! them ([`Mapping::advise_often`]). What was just written lies in small ones, so a segment's files are forgotten
//! ([`Store::forget`](super::Store::forget)) and brought in again before anybody searches them. A walk through 60,000
//! rows of 784 numbers takes 23.3 µs so instead of 26.8, one through the demo's 6,260 of 256 as long as before.
//! The price is paid where memory does not hold the files: a row that is not there is read with 2 MB around it. Vectors
//! that are not to be in memory say so (`on_disk`) and are read page by page.
//!
//! Rejected: writing files in pieces of 2 MB, for which Linux takes large pages only while much of the memory is free.
//!
//! Not here: checksums ([`format`](super::format)), and writing through a mapping, which nobody does.

#![allow(unsafe_code)] // The system's mmap, and a pointer kept instead of a cast at every access of a hot loop.

use std::{any::Any, fmt, fs::File, io, ops::Deref, ptr::NonNull, sync::Arc};

use bytemuck::AnyBitPattern;

use crate::error::{Error, Result};

#[cfg(target_endian = "big")]
compile_error!("Kith's files are little-endian and are used as they are; this target is big-endian");

/// The bytes of a file, read-only, starting at a multiple of 64 in memory. Cloning it is cheap.
#[derive(Clone)]
pub struct Mapping(Arc<Bytes>);

enum Bytes {
    Mapped(memmap2::Mmap),
    Heap { lines: Vec<Line>, len: usize },
}

/// Bytes on the heap come in cache lines, for their alignment.
#[derive(Clone, Copy, bytemuck::Zeroable, bytemuck::Pod)]
#[repr(C, align(64))]
struct Line([u8; 64]);

impl Mapping {
    /// Maps a whole file. An empty one has nothing to map and gives an empty mapping.
    pub(super) fn of_file(file: &File) -> io::Result<Self> {
        if file.metadata()?.len() == 0 {
            return Ok(Self::from_bytes(Vec::new()));
        }
        // SAFETY: the file is Kith's own: written once, not changed while it is mapped, in a locked folder.
        let mapped = unsafe { memmap2::Mmap::map(file)? };
        Ok(Self(Arc::new(Bytes::Mapped(mapped))))
    }

    /// The same for bytes that are in memory already; they are copied to where they are aligned.
    pub fn from_bytes(bytes: Vec<u8>) -> Self {
        let mut lines = vec![Line([0; 64]); bytes.len().div_ceil(64)];
        bytemuck::cast_slice_mut(&mut lines)[..bytes.len()].copy_from_slice(&bytes);
        Self(Arc::new(Bytes::Heap { lines, len: bytes.len() }))
    }

    /// Tells the system that reads will jump about, again and again: Linux then brings the file in by pages of 2 MB, where
    /// its file system has such (ext4 from 6.16, XFS). It must be said before anything is read.
    pub fn advise_often(&self) {
        #[cfg(target_os = "linux")]
        if let Bytes::Mapped(mapped) = &*self.0 {
            // As below.
            let _ = mapped.advise(memmap2::Advice::HugePage);
        }
    }

    /// Tells the system that reads will go from front to back.
    pub fn advise_sequential(&self) {
        #[cfg(unix)]
        if let Bytes::Mapped(mapped) = &*self.0 {
            // It is a hint; a system that refuses it serves the file all the same.
            let _ = mapped.advise(memmap2::Advice::Sequential);
        }
    }
}

impl Deref for Mapping {
    type Target = [u8];

    fn deref(&self) -> &[u8] {
        match &*self.0 {
            Bytes::Mapped(mapped) => mapped,
            Bytes::Heap { lines, len } => &bytemuck::cast_slice(lines)[..*len],
        }
    }
}

impl fmt::Debug for Mapping {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Mapping of {} bytes", self.len())
    }
}

/// Values of one type, in a mapped file or in memory. Cloning it is cheap, and so is looking into it.
pub struct Slice<T> {
    start: NonNull<T>,
    len: usize,
    /// What keeps the values where they are: the mapping's bytes, or the vector.
    owner: Arc<dyn Any + Send + Sync>,
}

// SAFETY: a slice is shared read access to values that it also keeps alive, as an `Arc<[T]>` is; the same bounds do.
unsafe impl<T: Send + Sync> Send for Slice<T> {}
// SAFETY: as above.
unsafe impl<T: Send + Sync> Sync for Slice<T> {}

impl<T: AnyBitPattern> Slice<T> {
    /// The `count` values that start `offset` bytes into a mapping.
    /// [`Error::Corrupt`] if they go past its end or don't start at a multiple of their alignment.
    pub fn new(mapping: &Mapping, offset: usize, count: usize) -> Result<Self> {
        let size = size_of::<T>();
        let bytes = count.checked_mul(size).and_then(|len| mapping.get(offset..offset.checked_add(len)?));
        let Some(values) = bytes.and_then(|bytes| bytemuck::try_cast_slice::<u8, T>(bytes).ok()) else {
            return Err(Error::corrupt(format!(
                "no {count} values of {size} bytes can lie at byte {offset} of a file of {} bytes",
                mapping.len()
            )));
        };
        Ok(Self { start: NonNull::from(values).cast(), len: values.len(), owner: mapping.0.clone() })
    }
}

impl<T: Send + Sync + 'static> Slice<T> {
    /// The values of a vector, which the slice takes over.
    pub fn from_vec(values: Vec<T>) -> Self {
        let owner = Arc::new(values);
        Self { start: NonNull::from(owner.as_slice()).cast(), len: owner.len(), owner }
    }
}

impl<T> Slice<T> {
    /// Tells the system that reads of these values will jump about and be few, so that it does not read around them.
    /// Others of the same file that share a page with them are meant too.
    pub fn advise_random(&self) {
        #[cfg(unix)]
        self.advise(memmap2::Advice::Random);
        #[cfg(target_os = "linux")]
        self.advise(memmap2::Advice::NoHugePage);
    }

    /// Brings the values from the disk into memory.
    pub fn bring_in(&self) {
        #[cfg(target_os = "linux")]
        self.advise(memmap2::Advice::PopulateRead);
    }

    #[cfg(unix)]
    fn advise(&self, advice: memmap2::Advice) {
        if let Some(Bytes::Mapped(mapped)) = self.owner.downcast_ref() {
            let offset = self.start.addr().get() - mapped.as_ptr().addr();
            // It is a hint; a system that refuses it serves the file all the same.
            let _ = mapped.advise_range(advice, offset, self.len * size_of::<T>());
        }
    }
}

impl<T> Deref for Slice<T> {
    type Target = [T];

    #[inline]
    fn deref(&self) -> &[T] {
        // SAFETY: `start` and `len` were taken from a `&[T]` of what `owner` owns. `owner` never changes or moves
        // that: both the bytes of a mapping and the buffer of a vector stay put when their handle moves, and nobody
        // has them mutably, since they are behind an `Arc` that only slices and mappings share.
        unsafe { std::slice::from_raw_parts(self.start.as_ptr(), self.len) }
    }
}

// SAFETY: the values stay where they are while the slice, or a copy of it, moves; `deref` says why.
unsafe impl<T> stable_deref_trait::StableDeref for Slice<T> {}

impl<T> Clone for Slice<T> {
    fn clone(&self) -> Self {
        Self { start: self.start, len: self.len, owner: self.owner.clone() }
    }
}

impl<T: Send + Sync + 'static> Default for Slice<T> {
    fn default() -> Self {
        Self::from_vec(Vec::new())
    }
}

impl<T: fmt::Debug> fmt::Debug for Slice<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} values: ", self.len)?;
        f.debug_list().entries(self.iter().take(16)).finish()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slice_outlives_its_mapping_and_checks_its_bounds() {
        let mapping = Mapping::from_bytes((0..70).collect());
        assert_eq!(mapping.as_ptr() as usize % 64, 0);
        let slice = Slice::<u16>::new(&mapping, 64, 3).unwrap();
        for (offset, count) in [(64, 4), (70, 1), (71, 0), (1, 1), (0, usize::MAX), (usize::MAX, 1)] {
            assert!(Slice::<u16>::new(&mapping, offset, count).is_err(), "{count} at {offset}");
        }
        assert_eq!(Slice::<u16>::new(&mapping, 70, 0).unwrap().len(), 0);
        drop(mapping);
        let copy = std::thread::spawn(move || slice.clone()).join().unwrap();
        assert_eq!(*copy, [0x4140, 0x4342, 0x4544]);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn advice_reaches_the_mapping() {
        let mut file = tempfile::tempfile().unwrap();
        std::io::Write::write_all(&mut file, &[7; 1 << 16]).unwrap();
        let mapping = Mapping::of_file(&file).unwrap();
        mapping.advise_often();
        let slice = Slice::<u64>::new(&mapping, 1 << 14, 100).unwrap();
        slice.advise_random();
        slice.bring_in();
        assert!(slice.iter().all(|&value| value == 0x0707_0707_0707_0707));
        Slice::from_vec(vec![1.0]).advise_random();
        Slice::from_vec(vec![1.0]).bring_in();
        // The flags stand below the line with the addresses, among others.
        let maps = std::fs::read_to_string("/proc/self/smaps").unwrap();
        let has = |at: *const u8, flag: &str| {
            let place = format!("{:x}-", at.addr() & !0xfff);
            let mut lines = maps.lines().skip_while(|line| !line.starts_with(&place));
            lines.find(|line| line.starts_with("VmFlags")).is_none_or(|flags| flags.contains(flag))
        };
        let (start, part) = (mapping.as_ptr(), slice.as_ptr().cast());
        // A system without large pages knows no such flag.
        let large = std::fs::exists("/sys/kernel/mm/transparent_hugepage").unwrap();
        assert!(!large || has(start, " hg") && has(part, " nh"), "{maps}");
        assert!(has(part, " rr"), "{maps}");
    }

    #[test]
    fn a_vector_is_a_slice_too() {
        let slice = Slice::from_vec(vec![String::from("kept"), String::from("alive")]);
        let copy = slice.clone();
        drop(slice);
        assert_eq!(copy.concat(), "keptalive");
        assert!(Slice::<u8>::default().is_empty());
    }
}
