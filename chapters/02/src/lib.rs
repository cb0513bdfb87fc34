//! Kith: a vector database.

pub mod vector;
