//! The embedded store: journal, blobs, leases and small versioned rows, in one SQLite file and a folder of large blobs.
//!
//! [`SqliteStore`] is what baton runs on; [`MemoryStore`] keeps the same promises, save durability, for tests and
//! simulation. One set of tests runs against both.
//!
//! This crate knows no runtime: its futures are completed by its own threads and can be awaited anywhere. It is the
//! only crate that names SQLite.

mod cost;
mod lease;
mod memory;
mod oneshot;
mod queue;
mod sqlite;

pub use cost::fdatasync_cost;
pub use memory::MemoryStore;
pub use sqlite::{Options, SqliteStore};
