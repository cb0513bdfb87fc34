//! Kith: a vector database.
//!
//! The modules stand in the order of their layers: each uses only those above it.

pub mod vector;
pub mod collection;
