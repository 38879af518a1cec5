//! The server seen from outside: literal lines in, lines out, no client library.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "helpers of tests may fail them")]

mod calling;
mod ending;
mod garbage;
mod harness;
mod opening;
