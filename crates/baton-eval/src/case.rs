//! The recorded cases, one JSON object a line. `docs/decisions.md` gives the shapes.

use std::collections::BTreeMap;

use baton_core::task::{Complexity, Kind, Priority};
use serde::{Deserialize, Deserializer};

/// A line that is no case, and why.
#[derive(Debug, thiserror::Error)]
pub enum CaseError {
    #[error("is no JSON object")]
    NoObject,
    #[error("is not a case: {0}")]
    Shape(#[from] serde_json::Error),
    #[error("case {id}: {because}")]
    Content { id: String, because: String },
}

/// One recorded case of any kind.
#[derive(Clone, Debug, Deserialize)]
#[serde(tag = "kind", rename_all = "lowercase")]
pub enum Case {
    Choice(ChoiceCase),
    Findings(FindingsCase),
    Task(TaskCase),
    Conflict(ConflictCase),
}

/// What a case is of.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum CaseKind {
    Choice,
    Findings,
    Task,
    Conflict,
}

impl CaseKind {
    /// As it stands in a line.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Choice => "choice",
            Self::Findings => "findings",
            Self::Task => "task",
            Self::Conflict => "conflict",
        }
    }
}

impl Case {
    #[must_use]
    pub const fn kind(&self) -> CaseKind {
        match self {
            Self::Choice(_) => CaseKind::Choice,
            Self::Findings(_) => CaseKind::Findings,
            Self::Task(_) => CaseKind::Task,
            Self::Conflict(_) => CaseKind::Conflict,
        }
    }

    #[must_use]
    pub fn id(&self) -> &str {
        match self {
            Self::Choice(case) => &case.id,
            Self::Findings(case) => &case.id,
            Self::Task(case) => &case.id,
            Self::Conflict(case) => &case.id,
        }
    }
}

/// A question with closed options.
#[derive(Clone, Debug, Deserialize)]
pub struct ChoiceCase {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub category: String,
    pub options: Vec<String>,
    pub opinions: Vec<ChoiceOpinion>,
    /// The right option; cases without it are decided and not scored.
    #[serde(default)]
    pub truth: Option<String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ChoiceOpinion {
    pub member: String,
    #[serde(default, deserialize_with = "or_default")]
    pub family: String,
    pub tier: u8,
    /// `None` where nothing could be read from the recorded answer.
    #[serde(default)]
    pub position: Option<String>,
    /// The whole answer, where it was recorded: the position is then read from it.
    #[serde(default)]
    pub text: Option<String>,
}

/// A change under review.
#[derive(Clone, Debug, Deserialize)]
pub struct FindingsCase {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub category: String,
    pub opinions: Vec<FindingsOpinion>,
    #[serde(default)]
    pub truth: Option<FindingsTruth>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct FindingsOpinion {
    pub member: String,
    #[serde(default, deserialize_with = "or_default")]
    pub family: String,
    pub tier: u8,
    pub findings: Vec<StatedFinding>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct StatedFinding {
    pub id: String,
    pub claim: String,
    #[serde(default)]
    pub file: Option<String>,
    #[serde(default)]
    pub line: Option<u32>,
    #[serde(default)]
    pub severity: Option<String>,
}

/// The issues that a change is known to have, and which finding tells of which.
#[derive(Clone, Debug, Deserialize)]
pub struct FindingsTruth {
    pub issues: Vec<GoldenIssue>,
    /// From the id of a finding to the id of its issue; a finding without an entry is wrong.
    pub matches: BTreeMap<String, String>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct GoldenIssue {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub text: String,
    #[serde(default, deserialize_with = "or_default")]
    pub severity: String,
}

/// A prompt to be classified.
#[derive(Clone, Debug, Deserialize)]
pub struct TaskCase {
    pub id: String,
    pub prompt: String,
    #[serde(default)]
    pub truth: Option<TaskTruth>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TaskTruth {
    pub kind: Kind,
    /// Other kinds that are as good.
    #[serde(default, deserialize_with = "or_default")]
    pub kind_alt: Vec<Kind>,
    pub complexity: Complexity,
    pub priority: Priority,
}

/// Answers of several members to one task, in free text with or without a trailer.
#[derive(Clone, Debug, Deserialize)]
pub struct ConflictCase {
    pub id: String,
    #[serde(default, deserialize_with = "or_default")]
    pub task: String,
    pub opinions: Vec<TextOpinion>,
    #[serde(default)]
    pub truth: Option<ConflictTruth>,
}

#[derive(Clone, Debug, Deserialize)]
pub struct TextOpinion {
    pub member: String,
    #[serde(default, deserialize_with = "or_default")]
    pub family: String,
    pub tier: u8,
    pub text: String,
}

#[derive(Clone, Debug, Deserialize)]
pub struct ConflictTruth {
    pub conflict: bool,
    #[serde(default, deserialize_with = "or_default")]
    pub disputed: Vec<String>,
    #[serde(default, deserialize_with = "or_default")]
    pub sides: BTreeMap<String, Sides>,
}

#[derive(Clone, Debug, Default, Deserialize)]
pub struct Sides {
    #[serde(rename = "for")]
    pub holds: Vec<String>,
    pub against: Vec<String>,
}

/// What may be left out may also be `null`.
fn or_default<'de, D: Deserializer<'de>, T: Default + Deserialize<'de>>(from: D) -> Result<T, D::Error> {
    Ok(Option::deserialize(from)?.unwrap_or_default())
}

/// Reads one line.
///
/// # Errors
/// What is wrong with it: no JSON, an unknown kind, a missing field, a tier that is none, or a truth that does not fit
/// the case.
pub fn read_line(line: &str) -> Result<Case, CaseError> {
    if !line.trim_start().starts_with('{') {
        return Err(CaseError::NoObject);
    }
    let case: Case = serde_json::from_str(line)?;
    match problem(&case) {
        Some(because) => Err(CaseError::Content { id: case.id().to_owned(), because }),
        None => Ok(case),
    }
}

fn problem(case: &Case) -> Option<String> {
    let tiers: Vec<(&String, u8)> = match case {
        Case::Choice(case) => case.opinions.iter().map(|one| (&one.member, one.tier)).collect(),
        Case::Findings(case) => case.opinions.iter().map(|one| (&one.member, one.tier)).collect(),
        Case::Conflict(case) => case.opinions.iter().map(|one| (&one.member, one.tier)).collect(),
        Case::Task(_) => Vec::new(),
    };
    if let Some((member, tier)) = tiers.iter().find(|(_, tier)| !(1..=5).contains(tier)) {
        return Some(format!("`{member}` has the tier {tier}: tiers are 1 to 5"));
    }
    match case {
        Case::Choice(case) => choice_problem(case),
        Case::Findings(case) => findings_problem(case),
        Case::Conflict(case) => conflict_problem(case),
        Case::Task(_) => None,
    }
}

/// A position outside the options is what a member wrote, and no position; a truth outside them is a mistake.
fn choice_problem(case: &ChoiceCase) -> Option<String> {
    let truth = case.truth.as_ref().filter(|truth| !case.options.contains(truth))?;
    Some(format!("the truth `{truth}` is none of the options"))
}

fn findings_problem(case: &FindingsCase) -> Option<String> {
    let truth = case.truth.as_ref()?;
    let twice = (0..).zip(&truth.issues).find(|(at, issue)| truth.issues[..*at].iter().any(|one| one.id == issue.id));
    if let Some((_, issue)) = twice {
        return Some(format!("the truth lists the issue `{}` twice", issue.id));
    }
    let unknown = truth.matches.values().find(|issue| truth.issues.iter().all(|known| known.id != **issue))?;
    Some(format!("the truth names an issue `{unknown}` that it does not list"))
}

fn conflict_problem(case: &ConflictCase) -> Option<String> {
    let sides = case.truth.iter().flat_map(|truth| truth.sides.values());
    let mut named = sides.flat_map(|sides| sides.holds.iter().chain(&sides.against));
    let unknown = named.find(|named| case.opinions.iter().all(|opinion| opinion.member != **named))?;
    Some(format!("the truth names a member `{unknown}` that gave no opinion"))
}
