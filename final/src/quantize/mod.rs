//! What can be said of a distance without reading the vector?
//!
//! One bit per coordinate, in the right basis, tells a distance to a few parts in a hundred; 32 such codes are compared
//! with a query in the time that one vector takes. A walk that estimates so where to go, and computes exactly only
//! where it goes, reads a seventh of what it would otherwise. A scan that estimates every row, and reads only those that
//! may be among the nearest, takes a sixth of the time.
//!
//! | file | its question |
//! |---|---|
//! | `rotate` | how is a vector turned so that no coordinate matters more than another? |
//! | `code` | what do the signs of a vector say about a distance? |
//! | `fastscan` | how are 32 codes compared with a query at once? |
//! | `rows` | what is kept of every row, so that most rows need not be read? |
//! | `nearest` | which of some rows are nearest, when few of them should be read? |
//! | `kernel`, `x86` | the arithmetic of all of them, as fast as this machine can do it |
//!
//! Not here: which rows have codes and where they lie. That is the graph's and the segment's.

pub mod code;
pub mod fastscan;
pub mod kernel;
pub mod nearest;
pub mod rotate;
pub mod rows;
#[cfg(target_arch = "x86_64")]
mod x86;

#[cfg(test)]
mod tests;

pub use self::{
    code::{Code, Signs},
    fastscan::{BLOCK, Lookup, pack},
    kernel::Kernels,
    nearest::{nearest, rescore},
    rotate::Rotation,
    rows::{CodeScorer, Precision, RowCodes},
};
