//! What is true of Kith as a whole? Everything here looks at it from outside: at its sources as text, and at the
//! binary over HTTP, as a stranger's client would.
//!
//! ```text
//! layers      who may use whom, and the other rules that a compiler does not know
//! http        the life of a collection, the refusals, keys, stopping, one process per data directory
//! busy        who searches for long keeps nobody waiting who only asks whether the server is well
//! crash_loop  SIGKILL under concurrent writers: every acknowledged write is there afterwards
//! client      the Python client that people already use
//! book        the chapters are what the posts yield, and what the posts show is what was run
//! browser     the book's pages are right in a browser
//! readme      how fast the README says Kith is, is what was measured
//! ```
//! Not here: what one module promises by itself; its tests stand beside it.

#![allow(unreachable_pub, reason = "nobody outside this binary can reach anything")]

mod server;
mod writers;

// What a compiler says and how a program is killed differ between systems; the book is proven on one.
#[cfg(target_os = "linux")]
mod book;
#[cfg(target_os = "linux")]
mod browser;
mod busy;
mod client;
mod crash_loop;
mod http;
mod layers;
mod readme;
