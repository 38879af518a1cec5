//! Runs the decision rules of the core over recorded opinions and says how good they are.
//!
//! Nothing is decided here: each kind of case is handed to the same functions of `baton-core` that a live run uses.
//! This crate reads the cases, keeps apart what may be learned from, and computes the figures. It does no I/O.

mod case;
pub mod choice;
pub mod conflict;
pub mod figures;
pub mod findings;
mod parallel;
mod recorded;
mod remarks;
mod report;
mod table;
pub mod task;

pub use case::{
    Case, CaseError, CaseKind, ChoiceCase, ChoiceOpinion, ConflictCase, ConflictTruth, FindingsCase, FindingsOpinion,
    FindingsTruth, GoldenIssue, Sides, StatedFinding, TaskCase, TaskTruth, TextOpinion, read_line,
};
pub use recorded::{BrokenLine, Recorded, Remark};
pub use report::{Lines, Report};
