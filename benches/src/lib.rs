//! How fast is Kith, and how much memory and disk does it take?
//!
//! | | |
//! |---|---|
//! | `benches/` | criterion: one kernel, one search, one build, one append at a time, to see what a change did |
//! | `peers/` | Kith and other systems on the same files in one run; it writes `RESULTS.md` and `results.json` |
//! | `src/main.rs` | the process in which `peers/` measures Kith: commands as JSON lines on standard input |
//!
//! Nothing here is asserted: how long something takes depends on the machine. What must be true is tested elsewhere.

pub mod clock;
pub mod engine;
pub mod http;
pub mod matrix;
pub mod mirror;

/// What goes wrong here ends the command with its message.
pub type Result<T> = std::result::Result<T, Box<dyn std::error::Error + Send + Sync>>;
