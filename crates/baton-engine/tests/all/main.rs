//! The engine against ports in memory: real journal, scripted members, time that a test moves.
#![expect(clippy::unwrap_used, clippy::panic, reason = "helpers of tests fail as tests do")]

mod accounts;
mod around;
mod cancel;
mod crash;
mod evidence;
mod further;
mod gates;
mod house;
mod lease;
mod money;
mod panel;
mod prompts;
mod runs;
mod sessions;
mod shared;
mod simulation;
mod tap;
mod verify;
