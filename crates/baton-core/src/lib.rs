//! The pure domain of baton: what a task is, who is asked, what their answers mean and what follows from them.
//!
//! Everything here is data in, data out. This crate knows no runtime, no file, no socket, no clock and no
//! randomness: time enters as the `at` of an event, chance as the seed frozen in [`run::Inputs`]. It cannot fail for
//! outside reasons, and the same inputs give the same bytes on every machine. Live runs, recovery, replay and
//! verification all go through [`run::step`].

pub mod account;
pub mod catalog;
pub mod classify;
pub mod consensus;
pub mod evidence;
pub mod feedback;
pub mod handoff;
pub mod handover;
pub mod hash;
pub mod ids;
pub mod journal;
pub mod learning;
pub mod member;
pub mod opinion;
pub mod outcome;
pub mod patch;
pub mod quote;
pub mod route;
pub mod run;
pub mod source;
pub mod task;
pub mod text;
pub mod units;
pub mod workflow;
