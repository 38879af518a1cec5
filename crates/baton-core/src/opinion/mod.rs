//! Opinions: what a member's answer says, once read. Text that cannot be read abstains; it never approves.

mod blocks;
mod choice;
mod denied;
mod items;
mod label;
mod mend;
mod own;
mod place;
mod prose;
mod read;
mod refusal;
mod schema;
mod statements;
mod trailer;

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::source::{LocationCheck, Sighting};
use crate::units::Probability;

pub use choice::choice;
pub use read::{READER_VERSION, body, places, read};
pub use schema::AnswerSchema;

/// Stand or change: the two camps that cannot both be right.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Verdict {
    Approve,
    /// Sound at heart, to be changed first.
    Revise,
    Reject,
}

impl Verdict {
    pub const ALL: [Self; 3] = [Self::Approve, Self::Revise, Self::Reject];

    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Approve => "approve",
            Self::Revise => "revise",
            Self::Reject => "reject",
        }
    }

    #[must_use]
    pub const fn approves(self) -> bool {
        matches!(self, Self::Approve)
    }
}

/// Where a member stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "kind")]
pub enum Position {
    Verdict {
        verdict: Verdict,
    },
    /// One of the options of the question, spelled as there.
    Choice {
        option: String,
    },
    /// A change of files that can be tried.
    Patch {
        /// By path.
        files: Vec<String>,
        /// What it does, whatever its white space, comments and order of imports.
        class: Hash,
        /// The diff as it is tried: [`crate::patch::Patch::render`].
        content: Hash,
        changed_lines: u32,
        /// It takes something out of what look like tests.
        #[serde(default, skip_serializing_if = "std::ops::Not::not")]
        weakens_tests: bool,
    },
    /// A test for one claim, that can be run.
    Test {
        /// By path: new ones, and such as hold tests.
        files: Vec<String>,
        /// The diff as it is run: [`crate::patch::Patch::render`].
        content: Hash,
    },
    /// A text; what it says is not counted.
    Answer,
    Abstain {
        reason: String,
    },
}

impl Position {
    #[must_use]
    pub const fn verdict(&self) -> Option<Verdict> {
        match self {
            Self::Verdict { verdict } => Some(*verdict),
            Self::Choice { .. } | Self::Patch { .. } | Self::Test { .. } | Self::Answer | Self::Abstain { .. } => None,
        }
    }

    #[must_use]
    pub const fn abstains(&self) -> bool {
        matches!(self, Self::Abstain { .. })
    }
}

/// How bad a finding is said to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    Low,
    Medium,
    High,
    Critical,
}

impl Severity {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Low => "low",
            Self::Medium => "medium",
            Self::High => "high",
            Self::Critical => "critical",
        }
    }
}

/// Does the member say that the claim holds, or that it was looked at and does not.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stance {
    #[default]
    Holds,
    DoesNotHold,
}

/// One claim about one place.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Finding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub severity: Severity,
    pub claim: String,
    /// Why it is so: what the member points to.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub evidence: Option<String>,
    /// The words that it quotes from there.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    #[serde(default)]
    pub stance: Stance,
    pub location: LocationCheck,
}

/// How well an answer could be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Reading {
    /// The trailer, as asked for.
    Strict,
    /// A trailer that had to be searched for or mended.
    Lenient,
    /// No trailer: plain words said it.
    Prose,
    /// Nothing that could be counted.
    None,
}

/// A member's answer, as read.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Opinion {
    pub position: Position,
    /// What the member says of its own certainty. Kept, and given no weight.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub stated_confidence: Option<Probability>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub findings: Vec<Finding>,
    /// The answer without its trailer, shortened.
    pub summary: String,
    /// The option that the trailer names, whether or not one was asked for.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    /// The sentences of the prose, shortened; none where the member declares that it takes no position.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub statements: Vec<String>,
    pub reading: Reading,
    /// What the files around the task said of the places that it names, when it was read.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub seen: Vec<Sighting>,
}

impl Opinion {
    #[must_use]
    pub fn abstaining(reason: &str) -> Self {
        Self {
            position: Position::Abstain { reason: reason.to_owned() },
            stated_confidence: None,
            findings: Vec::new(),
            summary: String::new(),
            choice: None,
            statements: Vec::new(),
            reading: Reading::None,
            seen: Vec::new(),
        }
    }
}
