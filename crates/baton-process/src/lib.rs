//! The one place that starts a child process: members, checks, git, installers.
//!
//! A [`Command`] is data. [`Launcher::run`] turns it into a [`Report`], which is also data: nothing here returns an
//! error, because a program that cannot start, hangs, floods or dies is an everyday answer, not an exception.
//!
//! What holds for every run:
//!
//! - The environment is cleared; the child sees exactly [`Command::environment`]. The working directory is explicit.
//! - Standard input, output and error are served at the same time, so no side can block another; input is always
//!   closed after it was written. Bytes kept in memory are bounded by [`Limits`].
//! - The child has its own process group. To stop it means TERM, a grace, KILL, for the group.
//! - With a [`Shim`], no descendant outlives `run`, also one that called `setsid`, and none outlives the caller, also
//!   when that is killed by SIGKILL. Dropping the future of `run` has the same effect, a moment later. Without a shim
//!   this holds for the child's process group only, and not when the caller is killed.
//! - A descendant that holds standard output open delays the report by [`Limits::drain`] at most.
//!
//! What is absent: this crate knows no member, no agent's output format, no retry and no policy. It does not sandbox.

#![cfg_attr(not(unix), allow(dead_code, reason = "no child is started there, so nothing reads what describes one"))]

mod capped;
mod command;
pub mod environment;
mod find;
mod launcher;
#[cfg(unix)]
mod lines;
mod memory;
mod report;
pub mod shim;
mod vitals;
#[cfg(unix)]
mod words;

#[cfg(unix)]
#[path = "unix.rs"]
mod platform;
#[cfg(not(unix))]
#[path = "windows.rs"]
mod platform;

pub use capped::Capped;
pub use command::{Command, Input, InputClosed, InputQueue, Limits, Stdin};
pub use find::find_program;
pub use launcher::{Launcher, Shim};
pub use memory::free_memory;
pub use report::{Deadline, Ending, Exit, Flow, Line, Overflow, Report};
pub use vitals::Vitals;
