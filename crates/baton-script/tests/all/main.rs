//! The server seen from outside: raw TCP, literal bytes, no client library.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod client;
mod dialects;
mod every_fault;
mod faults;
mod matching;
mod records;
mod transport;
