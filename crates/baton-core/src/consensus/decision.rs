//! The shape of a decision, as journalled and as printed by `--json`.

use serde::{Deserialize, Serialize};

use crate::hash::Hash;
use crate::ids::MemberId;
use crate::opinion::{Severity, Verdict};
use crate::task::{Complexity, Kind, Priority};
use crate::units::{MicroUsd, Probability};

/// What the user is advised to do with the decision.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recommendation {
    Proceed,
    /// At most 0.1 below the threshold, or a patch of which nothing that was run shows that it works; only for low and
    /// normal priority.
    ProceedWithCaution,
    ReviewRequired,
    ConflictResolutionNeeded,
}

/// Why a decision may not be acted on by itself, beside its confidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Blocker {
    /// Nobody gave an opinion.
    AllFailed,
    /// The spending cap left nobody to ask.
    Budget,
    /// Seats failed, and too few vendors are left.
    NoQuorum,
    /// The members present are of too few vendors to begin with.
    SingleVendor,
    Conflict,
    /// A credible critical finding stands against the vote.
    CriticalFinding,
    /// Critical tasks wait for a person.
    NeedsPerson,
    /// The best patch does not apply, or a check fails with it.
    PatchFails,
    /// A person turned it down.
    TurnedDown,
}

/// Who took the decision.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "by")]
pub enum DecidedBy {
    Rule,
    /// A person, at a terminal.
    Person {
        answer: String,
        note: String,
    },
    /// A person, at a terminal, who put another verdict or option in the place of that of the members.
    Override {
        answer: String,
        /// `None` where there was none.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        instead_of: Option<String>,
        note: String,
    },
    /// A program that spoke for somebody.
    Client {
        name: String,
        answer: String,
    },
}

/// Where the confidence comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ConfidenceSource {
    /// From tiers alone: no outcome has been learned from.
    Prior,
    /// From tiers, and a check that settled the question.
    PriorAndEvidence,
    /// From earlier outcomes; `learned_over` says how many.
    Learned,
    /// From earlier outcomes, and a check that settled the question.
    LearnedAndEvidence,
}

/// How well a merged finding stands.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Standing {
    Confirmed,
    Unconfirmed,
}

/// One finding of the team, merged over its members.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct MergedFinding {
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    pub severity: Severity,
    /// Who says how bad it is, from the least, where they are two levels apart or more; the worst one counts.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub severities: Vec<Rated>,
    pub claim: String,
    /// Members that report it, strongest first.
    pub reported_by: Vec<MemberId>,
    /// Members that looked at it and say that it does not hold.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub denied_by: Vec<MemberId>,
    pub standing: Standing,
    /// What confirmed or lowered it, in words.
    pub because: String,
    /// The chance that it is worth acting on.
    pub confidence: Probability,
    /// What its reporters point to, strongest first, those last whose quotation is not there; who gave no reason is not
    /// among them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub evidence: Vec<Grounds>,
}

/// Members who hold a finding to be as bad as this.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rated {
    pub severity: Severity,
    /// Strongest first.
    pub by: Vec<MemberId>,
}

/// Why a finding that its reporters do not confirm by their number cannot be outvoted.
pub(super) const ARGUED: &str = "critical, located and argued";
pub(super) const TWICE: &str = "critical, by more than one member";

impl MergedFinding {
    /// It stands because it is critical, however little else speaks for it.
    #[must_use]
    pub fn is_not_to_be_outvoted(&self) -> bool {
        let critical = [ARGUED, TWICE].iter().any(|words| self.because.starts_with(words));
        self.standing == Standing::Confirmed && critical
    }
}

/// What a reporter of a finding points to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Grounds {
    pub member: MemberId,
    /// Why it is so, in the member's words.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub text: Option<String>,
    /// What it quotes from the place.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quote: Option<String>,
    /// That does not stand there.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub quote_missing: bool,
}

/// A finding that was not taken in: it points to a file or a line that does not exist.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct RefusedFinding {
    pub member: MemberId,
    pub file: String,
    pub line: u32,
    pub claim: String,
    pub because: String,
}

impl RefusedFinding {
    pub(super) const NO_FILE: &str = "there is no file";

    /// The file itself is not there.
    pub(super) fn is_of_no_file(&self) -> bool {
        self.because.starts_with(Self::NO_FILE)
    }
}

/// Incompatible positions on the same claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Conflict {
    pub claim: String,
    #[serde(rename = "for")]
    pub holds: Vec<MemberId>,
    pub against: Vec<MemberId>,
    /// Why each member stands on its side, in its own words, where there are any: of a finding what it points to, else
    /// the sentence that says so.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reasons: Vec<Reason>,
    /// What settled it; `None` while it is open.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub settled_by: Option<String>,
}

/// One member's own words on a disputed claim.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Reason {
    pub member: MemberId,
    pub reason: String,
}

/// A member that does not stand with the decision, and why.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Dissenter {
    pub member: MemberId,
    pub position: String,
    pub reason: String,
}

/// A seat that gave no opinion.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct FailedMember {
    pub member: MemberId,
    pub class: String,
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub replaced_by: Option<MemberId>,
}

/// A check that was run.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct CheckReport {
    pub check: MemberId,
    pub command: String,
    /// `passed`, `failed` or `abstained`.
    pub result: String,
    pub summary: String,
}

/// One of the patches, and how it fared.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct PatchReport {
    /// Members who wrote just this, strongest first.
    pub by: Vec<MemberId>,
    /// Members who wrote the same but for white space, comments or the order of imports.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backed_by: Vec<MemberId>,
    pub files: Vec<String>,
    pub changed_lines: u32,
    /// `yes`, `no` or `unknown`.
    pub applies: String,
    /// Why not, or why that is unknown.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The checks with this patch, in the order in which the user names them.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub checks: Vec<CheckReport>,
    /// It takes something out of what look like tests.
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub weakens_tests: bool,
    /// Where its diff is kept; `None` where it was not tried.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Hash>,
    #[serde(default, skip_serializing_if = "std::ops::Not::not")]
    pub adopted: bool,
}

/// A test that was asked for to reproduce a finding, and how it ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct ReproductionReport {
    pub claim: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub file: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub line: Option<u32>,
    /// Who wrote the test, or was to write it: of another family than those who argue about the finding.
    pub by: MemberId,
    /// What the test's name holds.
    pub test: String,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub files: Vec<String>,
    /// `reproduced`, `not_reproduced` or `unknown`.
    pub result: String,
    /// Why nothing is known.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// The user's command that ran the tests; `None` where it did not come to that.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub summary: String,
    /// Where the test's diff is kept; `None` where none could be taken.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Hash>,
}

/// The text that was adopted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct AnswerRef {
    pub member: MemberId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub content: Option<Hash>,
    pub summary: String,
}

const fn is_nothing(money: &MicroUsd) -> bool {
    money.0 == 0
}

/// What was decided, by whom, how sure that is, and why. Superseded by a later one, never changed.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Decision {
    pub recommendation: Recommendation,
    /// The chance that a person would accept this verdict, choice, list or text.
    pub overall_confidence: Probability,
    pub confidence_source: ConfidenceSource,
    /// How many outcomes a learned confidence comes from.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub learned_over: Option<u32>,
    pub threshold: Probability,
    pub blockers: Vec<Blocker>,
    pub decided_by: DecidedBy,
    /// `None` when no kind stood out.
    pub kind: Option<Kind>,
    pub complexity: Complexity,
    pub priority: Priority,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub verdict: Option<Verdict>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub choice: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<AnswerRef>,
    /// Where the adopted patch is kept, ready for `git apply`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub patch: Option<Hash>,
    /// All patches, best first.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub patches: Vec<PatchReport>,
    /// Opinions that were counted; seats that abstained or failed are not among them.
    pub model_count: usize,
    pub abstained: Vec<Dissenter>,
    pub failed_models: Vec<FailedMember>,
    pub has_conflict: bool,
    pub conflicts: Vec<Conflict>,
    pub dissenters: Vec<Dissenter>,
    /// Confirmed ones first, then by severity, then by confidence.
    pub issues: Vec<MergedFinding>,
    pub refused_issues: Vec<RefusedFinding>,
    pub checks: Vec<CheckReport>,
    /// Tests that were asked for to reproduce findings, in the order in which they were.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub reproductions: Vec<ReproductionReport>,
    /// Members that were not asked, since they could hardly have changed this for their price.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub not_asked: Vec<MemberId>,
    /// What that saved, as estimated; seats without a known price are left out.
    #[serde(default, skip_serializing_if = "is_nothing")]
    pub saved: MicroUsd,
    pub reasoning: Vec<String>,
    pub cost: MicroUsd,
    pub cost_unknown: bool,
    pub elapsed_ms: u64,
    /// Some answers were prepared in advance.
    pub scripted: bool,
}

impl Decision {
    #[must_use]
    pub fn blocked_by(&self, blocker: Blocker) -> bool {
        self.blockers.contains(&blocker)
    }

    pub fn confirmed(&self) -> impl Iterator<Item = &MergedFinding> {
        self.issues.iter().filter(|issue| issue.standing == Standing::Confirmed)
    }
}
