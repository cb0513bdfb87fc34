//! Which rows lie near a vector, without looking at all of them?
//!
//! A hierarchical navigable small world (Malkov & Yashunin, *Efficient and robust approximate nearest neighbor search
//! using Hierarchical Navigable Small World graphs*, 2016): every row is a node linked to some of its neighbours, and
//! a walk from node to nearer node arrives. A few nodes also stand on levels above, with links of their own, so that
//! the walk crosses the whole set in large steps first.
//!
//! The graph knows rows by their ordinals and vectors only through a [`Scorer`](crate::vector::Scorer). It is a few
//! flat arrays of numbers, written to a file as they are and used from the mapped file without being loaded. Where the
//! metric allows it, level 0 also holds codes of each node's neighbours, and a walk estimates most distances instead of
//! computing them.
//!
//! | file | its question |
//! |---|---|
//! | `visited` | which rows has this walk seen? |
//! | `beam` | which are the nearest so far? |
//! | `walk` | how does one walk through one level go? |
//! | `select` | which neighbours does a node link to? |
//! | `build` | how does the graph come about, on all cores? |
//! | `search` | how does a query go through all levels, with or without a filter? |
//! | `codes` | what does a node know of its neighbours, so that a walk need not visit them to judge them? |
//! | `entries` | where does an estimating walk start? |
//! | `glide` | how does a walk go that estimates? |
//! | `refine` | how does a graph get better links, once it has codes? |
//! | `file` | how does the graph lie in a file, and what must hold of it? |
//!
//! Not here: deletes. A graph is built once, over the rows of a sealed segment; a deleted row stays a stepping stone
//! and is kept out of results by the caller's bitmap, until a merge builds a graph without it.

mod beam;
mod build;
mod codes;
mod entries;
mod file;
mod glide;
mod refine;
mod search;
mod select;
mod visited;
mod walk;

#[cfg(test)]
mod tests;

use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

pub use self::{build::Build, glide::Breadth, refine::Quality, search::Accepted, walk::WalkStats};
use self::{
    codes::{Codes, record_len},
    walk::Pool,
};
use crate::{
    disk::Slice,
    error::{Error, Result},
    point::Ordinal,
    quantize::BLOCK,
    vector::kernel,
};

/// Ends a list of links that is not full; also the entry of a graph without nodes. No row has this ordinal.
const NONE: Ordinal = Ordinal::MAX;

/// More links per level than anybody needs.
const MAX_M: usize = 512;

/// No node stands higher; by the law that draws levels, none would among all rows a segment can have.
const MAX_LEVEL: usize = 32;

/// How densely a graph is linked and how thoroughly built; the names are Qdrant's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct HnswConfig {
    /// Links per node and level; twice as many at level 0.
    pub m: u32,
    /// How many candidates a new node's links are chosen from.
    pub ef_construct: u32,
}

impl Default for HnswConfig {
    fn default() -> Self {
        Self { m: 16, ef_construct: 100 }
    }
}

impl HnswConfig {
    /// Refuses what no graph can be built with.
    pub fn validate(&self) -> Result<()> {
        let within = |name: &str, found: u32, least: u32, most: u32| match found {
            _ if (least..=most).contains(&found) => Ok(()),
            _ => Err(Error::bad_request(format!("{name} is {found}, must be from {least} to {most}"))),
        };
        within("hnsw_config.m", self.m, 2, MAX_M as u32)?;
        within("hnsw_config.ef_construct", self.ef_construct, 4, 65_536)
    }
}

/// Who is linked to whom. A walk is the same over a finished graph and over one that is being built.
trait Links: Sync {
    /// The neighbours of a node that stands on this level.
    fn links(&self, level: usize, node: Ordinal) -> impl Iterator<Item = Ordinal>;

    /// A hint that the node's neighbours at level 0 will be asked for soon.
    fn prefetch(&self, _node: Ordinal) {}
}

/// How wide lists of links are.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Shape {
    /// Slots per list above level 0.
    m: usize,
    /// Slots per list at level 0.
    links: usize,
    /// Numbers from one list at level 0 to the next: the slots, and codes if there are any.
    record: usize,
}

impl Shape {
    /// Of a graph without codes.
    fn plain(m: usize) -> Self {
        Self { m, links: 2 * m, record: 2 * m }
    }

    /// Of a graph whose lists are filled up to whole blocks.
    fn refined(m: usize) -> Self {
        let links = (2 * m).next_multiple_of(BLOCK);
        Self { m, links, record: links }
    }

    /// Of a graph with codes for vectors with so many numbers.
    fn coded(m: usize, dimension: usize) -> Self {
        let Self { links, .. } = Self::refined(m);
        Self { m, links, record: record_len(dimension, links) }
    }

    /// The slots of a node's list on a level that it stands on.
    #[inline]
    fn slots<'a, T>(
        &self,
        first: &[u32],
        base: &'a [T],
        upper: &'a [T],
        level: usize,
        node: Ordinal,
    ) -> &'a [T] {
        let node = node as usize;
        if level == 0 {
            return &base[node * self.record..][..self.links];
        }
        let list = first[node] as usize + level - 1;
        &upper[list * self.m..(list + 1) * self.m]
    }
}

/// A finished graph.
///
/// Level 0 is dense: a list for every row, [`NONE`] after the last link. The levels above are compact: lists of `m`
/// slots, of which row `r` owns numbers `first[r]..first[r + 1]`, one for each level above 0 that it stands on.
pub struct Graph {
    shape: Shape,
    entry: Ordinal,
    base: Slice<Ordinal>,
    upper: Slice<Ordinal>,
    first: Slice<u32>,
    codes: Option<Codes>,
    pool: Pool,
}

impl Graph {
    /// How many rows the graph is over; some may be no nodes of it.
    pub fn rows(&self) -> u32 {
        (self.first.len() - 1) as u32
    }

    /// How many links a node has at most on the levels above 0.
    pub fn m(&self) -> u32 {
        self.shape.m as u32
    }

    /// How many numbers the vectors have that its codes are of, if it has codes.
    pub fn dimension(&self) -> Option<usize> {
        self.codes.as_ref().map(|codes| codes.dimension)
    }

    /// Brings it from the disk into memory.
    pub fn bring_in(&self) {
        self.base.bring_in();
    }

    fn entry(&self) -> Option<Ordinal> {
        (self.entry != NONE).then_some(self.entry)
    }

    #[inline]
    fn slots(&self, level: usize, node: Ordinal) -> &[Ordinal] {
        self.shape.slots(&self.first, &self.base, &self.upper, level, node)
    }

    /// All numbers of a node's list at level 0.
    #[inline]
    fn record(&self, node: Ordinal) -> &[u32] {
        &self.base[node as usize * self.shape.record..][..self.shape.record]
    }
}

impl std::fmt::Debug for Graph {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "graph over {} rows, m = {}", self.rows(), self.shape.m)
    }
}

impl Links for Graph {
    #[inline]
    fn links(&self, level: usize, node: Ordinal) -> impl Iterator<Item = Ordinal> {
        // Also the end of a list that the disk has damaged: links at level 0 are not checked when a graph is opened.
        let rows = self.rows();
        self.slots(level, node).iter().copied().take_while(move |&link| link < rows)
    }

    #[inline]
    fn prefetch(&self, node: Ordinal) {
        kernel::prefetch(self.slots(0, node));
    }
}

/// The highest level a node stands on.
#[inline]
fn height(first: &[u32], node: Ordinal) -> usize {
    (first[node as usize + 1] - first[node as usize]) as usize
}

/// Hands items out to threads until there are none left.
fn parallel<I: Iterator<Item: Send> + Send>(threads: usize, items: I, each: impl Fn(I::Item) + Sync) {
    let items = Mutex::new(items);
    let next = || items.lock().unwrap_or_else(PoisonError::into_inner).next();
    let work = || {
        while let Some(item) = next() {
            each(item);
        }
    };
    std::thread::scope(|scope| {
        (1..threads).for_each(|_| drop(scope.spawn(work)));
        work();
    });
}
