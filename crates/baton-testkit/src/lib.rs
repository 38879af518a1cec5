//! For tests only: a misbehaving fake agent, faulty ports, a fake clock, a hermetic environment.
//!
//! Nobody sleeps and nobody waits for the wall clock: time moves when a test says so, faults come at a chosen call,
//! and a program under test sees a home, a PATH and an environment of its own.

mod channel;
mod clock;
mod environment;
#[cfg(unix)]
pub mod fake_agent;
mod faulty;
mod upstream;

pub use channel::{Reply, ScriptedChannels};
pub use clock::{FakeClock, SeededIds};
pub use environment::{Conversation, Environment, Ran, Running};
pub use faulty::{Fault, FaultyJournal};
pub use upstream::Upstream;
