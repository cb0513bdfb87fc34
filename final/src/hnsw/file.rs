//! How does the graph lie in a file, and what must hold of it?
//!
//! Four sections, or five, numbered from the one its owner gives: the graph's arrays as they are in memory.
//!
//! | section | numbers, `u32` each | what |
//! |---|---|---|
//! | +0 | 2 or 5 | `m`; the entry, [`NONE`] for a graph without nodes; then, with codes, the dimension, the row in the middle, and how many of the rows a walk starts from the narrowest looks at (before version 4 it was not said) |
//! | +1 | rows × `2m`, or that filled up to whole blocks, or records | links at level 0, then [`NONE`]; or [`codes`](super::codes) with them |
//! | +2 | rows + 1 | `first`: row `r` owns the lists `first[r]..first[r + 1]` above level 0 |
//! | +3 | lists × `m` | links above level 0, as at level 0 |
//! | +4 | a record | the rows a walk starts from; only with codes |
//!
//! What would lead a walk astray is checked when a graph is opened. Records are not: they are nearly all of the file,
//! and a walk takes nothing in them for granted. A link to a row that does not exist is passed over, and one that
//! damage has turned to another row leads to a row like any other, whose distance is computed.

use super::{
    Graph, MAX_LEVEL, MAX_M, NONE, Shape,
    beam::MAX_ROWS,
    codes::{Codes, record_len},
    entries::LEAST,
    height,
    walk::Pool,
};
use crate::{
    disk::{
        Slice,
        format::{File, FileWriter},
    },
    error::{Error, Result},
    point::Ordinal,
    quantize::BLOCK,
};

/// A graph's arrays, as they stand in the sections.
pub(super) struct Arrays {
    pub(super) head: Vec<u32>,
    pub(super) base: Slice<u32>,
    pub(super) first: Slice<u32>,
    pub(super) upper: Slice<u32>,
    pub(super) entries: Option<Slice<u32>>,
}

/// More numbers than any vector has.
const MAX_DIMENSION: usize = 1 << 20;

impl Graph {
    /// Writes the graph as sections, the first of them numbered `section`.
    pub fn write(&self, writer: &mut FileWriter, section: u32) -> Result<()> {
        let Arrays { head, base, first, upper, entries } = self.arrays();
        let arrays = [&head[..], &base, &first, &upper].into_iter().chain(entries.as_deref());
        for (section, numbers) in (section..).zip(arrays) {
            writer.begin(section)?;
            writer.write_slice(numbers)?;
        }
        Ok(())
    }

    /// Opens the graph over `rows` rows that [`Graph::write`] wrote. [`Error::Corrupt`] if a walk could go astray in
    /// it.
    pub fn open(file: &File, section: u32, rows: u32) -> Result<Self> {
        let array = |offset| file.checked_section::<u32>(section + offset);
        let head = array(0)?.to_vec();
        let coded = head.len() > 2;
        let arrays = Arrays {
            head,
            base: if coded { file.section(section + 1)? } else { array(1)? },
            first: array(2)?,
            upper: array(3)?,
            entries: if coded { Some(array(4)?) } else { None },
        };
        Self::from_arrays(rows, arrays)
            .map_err(|what| Error::corrupt(format!("the graph of {rows} rows in section {section}: {what}")))
    }

    pub(super) fn arrays(&self) -> Arrays {
        let mut head = vec![self.shape.m as u32, self.entry];
        head.extend(
            self.codes.iter().flat_map(|codes| [codes.dimension as u32, codes.middle, codes.least as u32]),
        );
        Arrays {
            head,
            base: self.base.clone(),
            first: self.first.clone(),
            upper: self.upper.clone(),
            entries: self.codes.as_ref().map(|codes| codes.entries.clone()),
        }
    }

    pub(super) fn from_arrays(rows: u32, arrays: Arrays) -> std::result::Result<Self, String> {
        let Arrays { head, base, first, upper, entries } = arrays;
        let (m, entry, codes) = match (&head[..], entries) {
            (&[m, entry], None) => (m as usize, entry, None),
            (&[m, entry, dimension, middle, ref least @ ..], Some(entries)) if least.len() < 2 => {
                let least = least.first().map_or(LEAST, |&least| least as usize);
                let codes = open_codes(rows, entry, dimension as usize, middle, entries, least)?;
                (m as usize, entry, Some(codes))
            }
            _ => return Err(format!("its head has {} numbers", head.len())),
        };
        if !(1..=MAX_M).contains(&m) {
            return Err(format!("{m} links per level"));
        }
        if rows > MAX_ROWS {
            return Err("more rows than a graph can have".into());
        }
        let shape = match &codes {
            // A graph that has gone through both passes has as many links as if it had codes.
            None if base.len() == rows as usize * Shape::refined(m).record => Shape::refined(m),
            None => Shape::plain(m),
            Some(codes) => Shape::coded(m, codes.dimension),
        };
        if base.len() != rows as usize * shape.record {
            return Err(format!(
                "{} numbers at level 0, {} expected",
                base.len(),
                rows as usize * shape.record
            ));
        }
        check_heights(rows, m, &first, upper.len())?;
        let graph = Self { shape, entry, base, upper, first, codes, pool: Pool::default() };
        graph.check_entry()?;
        graph.check_links()?;
        Ok(graph)
    }

    fn check_entry(&self) -> std::result::Result<(), String> {
        match self.entry() {
            None if self.codes.is_some() => Ok(()),
            None if self.base.iter().chain(&*self.upper).all(|&link| link == NONE) => Ok(()),
            None => Err("links, but no entry".into()),
            Some(entry) if entry >= self.rows() => Err(format!("the entry is row {entry}")),
            Some(_) => Ok(()),
        }
    }

    /// Every link leads to a row that stands on its level, and nothing comes after the end of a list.
    fn check_links(&self) -> std::result::Result<(), String> {
        let check = |level: usize, slots: &[Ordinal]| {
            let end = slots.iter().position(|&link| link == NONE).unwrap_or(slots.len());
            let (links, rest) = slots.split_at(end);
            let good = |&link: &Ordinal| link < self.rows() && height(&self.first, link) >= level;
            match links.iter().find(|link| !good(link)).or(rest.iter().find(|&&link| link != NONE)) {
                Some(link) => Err(format!("a link to row {link} at level {level}")),
                None => Ok(()),
            }
        };
        if self.codes.is_none() {
            for slots in self.base.chunks_exact(self.shape.links) {
                check(0, slots)?;
            }
        }
        for row in 0..self.rows() {
            for level in 1..=height(&self.first, row) {
                check(level, self.slots(level, row))?;
            }
        }
        Ok(())
    }
}

/// What belongs to codes, where it fits: the rows a walk starts from are whole blocks, seen from a row that is there.
fn open_codes(
    rows: u32,
    entry: Ordinal,
    dimension: usize,
    middle: Ordinal,
    entries: Slice<u32>,
    least: usize,
) -> std::result::Result<Codes, String> {
    let is_there = |row| if entry == NONE { row == NONE } else { row < rows };
    if dimension == 0 || dimension > MAX_DIMENSION || !is_there(middle) {
        return Err(format!("codes of {dimension} numbers around row {middle}"));
    }
    if !entries.len().is_multiple_of(record_len(dimension, BLOCK)) {
        return Err(format!("{} numbers are no rows to start from", entries.len()));
    }
    Ok(Codes::new(dimension, middle, entries, least))
}

/// The rows' lists above level 0 are all the lists there are, in order.
fn check_heights(rows: u32, m: usize, first: &[u32], slots: usize) -> std::result::Result<(), String> {
    if first.len() != rows as usize + 1 || first[0] != 0 {
        return Err(format!("heights of {} rows", first.len().saturating_sub(1)));
    }
    for (row, pair) in first.windows(2).enumerate() {
        if !(pair[0]..=pair[0].saturating_add(MAX_LEVEL as u32)).contains(&pair[1]) {
            return Err(format!("row {row} has its lists from {} to {}", pair[0], pair[1]));
        }
    }
    let lists = first[rows as usize] as usize;
    if slots != lists * m {
        return Err(format!("{slots} slots above level 0, {} expected", lists * m));
    }
    Ok(())
}
