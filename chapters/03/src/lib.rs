//! Kith: a vector database.
//!
//! The modules stand in the order of their layers, lowest first.

pub mod vector;
pub mod collection;
