//! Kith: a vector database.
//!
//! The modules stand in the order of their layers, lowest first.

pub mod error;
pub mod point;
pub mod vector;
pub mod schema;
pub mod collection;
pub mod config;
pub mod server;
