//! The modules stand in the order of their layers, lowest first: each uses only those above it in this list
//! (a test in package `tests` keeps it so).
#![doc = include_str!("../ARCHITECTURE.md")]
#![warn(missing_docs)]
// Tests may be long lists of cases.
#![cfg_attr(not(test), warn(clippy::unwrap_used, clippy::too_many_lines))]

pub mod error;
pub mod point;
pub mod bitmap;
pub mod disk;
pub mod vector;
pub mod embed;
pub mod quantize;
pub mod hnsw;
pub mod schema;
pub mod filter;
pub mod segment;
pub mod manifest;
pub mod wal;
pub mod query;
pub mod collection;
pub mod config;
pub mod server;
pub mod demo;
