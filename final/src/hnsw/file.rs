//! How does the graph lie in a file, and what must hold of it?
//!
//! Four sections, numbered from the one its owner gives: the graph's arrays as they are in memory.
//!
//! | section | numbers, `u32` each | what |
//! |---|---|---|
//! | +0 | 2 | `m`; the entry, [`NONE`] for a graph without nodes |
//! | +1 | rows × `2m` | links at level 0, then [`NONE`] |
//! | +2 | rows + 1 | `first`: row `r` owns the lists `first[r]..first[r + 1]` above level 0 |
//! | +3 | lists × `m` | links above level 0, as at level 0 |
//!
//! A walk trusts every number it reads, so opening checks every one. That reads the links once, in order.

use super::{Graph, MAX_LEVEL, MAX_M, NONE, height, walk::Pool};
use crate::{
    disk::{
        Slice,
        format::{File, FileWriter},
    },
    error::{Error, Result},
    point::Ordinal,
};

impl Graph {
    /// How many sections a graph takes in a file.
    pub const SECTIONS: u32 = 4;

    /// Writes the graph as [`Graph::SECTIONS`] sections, the first of them numbered `section`.
    pub fn write(&self, writer: &mut FileWriter, section: u32) -> Result<()> {
        let head = [self.m as u32, self.entry];
        let arrays = [&head[..], &self.base, &self.first, &self.upper];
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
        Self::from_arrays(rows, &array(0)?, array(1)?, array(2)?, array(3)?)
            .map_err(|what| Error::corrupt(format!("the graph of {rows} rows in section {section}: {what}")))
    }

    pub(super) fn from_arrays(
        rows: u32,
        head: &[u32],
        base: Slice<u32>,
        first: Slice<u32>,
        upper: Slice<u32>,
    ) -> std::result::Result<Self, String> {
        let &[m, entry] = head else { return Err(format!("its head has {} numbers, not 2", head.len())) };
        let m = m as usize;
        if !(1..=MAX_M).contains(&m) {
            return Err(format!("{m} links per level"));
        }
        if base.len() != rows as usize * 2 * m {
            return Err(format!("{} slots at level 0, {} expected", base.len(), rows as usize * 2 * m));
        }
        check_heights(rows, m, &first, upper.len())?;
        let graph = Self { m, entry, base, upper, first, pool: Pool::default() };
        graph.check_entry()?;
        graph.check_links()?;
        Ok(graph)
    }

    fn check_entry(&self) -> std::result::Result<(), String> {
        match self.entry() {
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
        for slots in self.base.chunks_exact(2 * self.m) {
            check(0, slots)?;
        }
        for row in 0..self.rows() {
            for level in 1..=height(&self.first, row) {
                check(level, self.slots(level, row))?;
            }
        }
        Ok(())
    }
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
