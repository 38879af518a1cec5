//! What became of decisions: a person's word, tests, a merge, a revert, a check that settled something. Reliabilities
//! and calibration are learned from these and from nothing else.
//!
//! Each piece carries its facts, worked out from the run when it was given, so that what was learned can be computed
//! again from this one stream. A later word on the same subject takes the place of an earlier one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consensus::{Decision, MergedFinding};
use crate::ids::{MemberId, RunId};
use crate::journal::{Actor, NewEvent, Row};
use crate::opinion::Position;
use crate::run::{RunState, Step};
use crate::task::Kind;
use crate::units::Timestamp;

/// What a piece of feedback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum Subject {
    /// The decision as a whole.
    Decision,
    /// One finding of it, by its number on the screen, from 1.
    Finding { number: usize },
}

/// Where the knowledge comes from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Source {
    Person,
    /// Tests that were run on the result.
    Tests,
    Merge,
    Revert,
    /// A check inside the run that settled a claim.
    Check,
}

/// On what sort of claim a member was right or wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum ClaimKind {
    Verdict,
    Choice,
    Finding,
    Text,
}

/// One member was right or wrong once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub member: MemberId,
    pub tier: u8,
    /// The model as reported, else as configured: another one is another member in part.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// `None` for a task of no kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    pub claim: ClaimKind,
    pub right: bool,
}

/// One piece of feedback, as journalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    pub run: RunId,
    #[serde(flatten)]
    pub subject: Subject,
    pub good: bool,
    pub source: Source,
    pub facts: Vec<Fact>,
}

/// Why feedback cannot be taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum FeedbackError {
    #[error("the run has no decision yet")]
    Undecided,
    #[error("the answers of this run were prepared in advance: nothing is learned from them")]
    Scripted,
    #[error("the decision has no finding {number}; it has {findings}")]
    NoSuchFinding { number: usize, findings: usize },
}

const KIND: &str = "outcome";
const VERSION: u16 = 1;

impl Feedback {
    /// A word on the decision as a whole. Members that stood with it were right if it was good; those that stood
    /// against it were right if it was bad, where there are only two sides.
    ///
    /// # Errors
    /// When there is no decision, or none that can be learned from.
    pub fn on_decision(run: &RunId, state: &RunState, good: bool, source: Source) -> Result<Self, FeedbackError> {
        let decision = decided(state)?;
        let spoke = state.steps.iter().filter(|step| !step.draft && step.dispute().is_none());
        let facts = spoke.filter_map(|step| stood(state, decision, step, good)).collect();
        Ok(Self { run: run.clone(), subject: Subject::Decision, good, source, facts: last_of_each(facts) })
    }

    /// A word on one finding: who reported it was right if it was good, who denied it was right if it was not.
    ///
    /// # Errors
    /// When there is no such finding, or none that can be learned from.
    pub fn on_finding(
        run: &RunId,
        state: &RunState,
        number: usize,
        good: bool,
        source: Source,
    ) -> Result<Self, FeedbackError> {
        let decision = decided(state)?;
        let findings = decision.issues.len();
        let no_such = FeedbackError::NoSuchFinding { number, findings };
        let finding = number.checked_sub(1).and_then(|at| decision.issues.get(at)).ok_or(no_such)?;
        let facts = on_claim(state, finding, good);
        Ok(Self { run: run.clone(), subject: Subject::Finding { number }, good, source, facts })
    }

    /// What the checks of a run settled, finding by finding.
    #[must_use]
    pub fn from_checks(run: &RunId, state: &RunState) -> Vec<Self> {
        let Ok(decision) = decided(state) else { return Vec::new() };
        let by_check = |finding: &MergedFinding| {
            decision.checks.iter().any(|check| finding.because.starts_with(&format!("{} failed at", check.check)))
        };
        let settled = (1..).zip(&decision.issues).filter(|(_, finding)| by_check(finding));
        let piece = |(number, finding): (usize, &MergedFinding)| Self {
            run: run.clone(),
            subject: Subject::Finding { number },
            good: true,
            source: Source::Check,
            facts: on_claim(state, finding, true),
        };
        settled.map(piece).collect()
    }

    /// # Errors
    /// Never in practice: the shape is plain data.
    pub fn encode(&self, at: Timestamp, actor: Actor) -> Result<NewEvent, serde_json::Error> {
        let header = serde_json::to_string(self)?;
        Ok(NewEvent { kind: KIND, version: VERSION, at, actor, header, body: None })
    }

    /// What counts of a stream: for each subject of each run the last word, in the order in which they were given. A
    /// person's word is never replaced by a check's. Rows of newer versions are left out.
    ///
    /// # Errors
    /// When a row of a known version is damaged.
    pub fn fold(rows: &[Row]) -> Result<Vec<Self>, serde_json::Error> {
        let mut latest: BTreeMap<(RunId, Subject), (usize, Self)> = BTreeMap::new();
        for (order, row) in rows.iter().enumerate().filter(|(_, row)| row.kind == KIND && row.version == VERSION) {
            let said: Self = serde_json::from_str(&row.header)?;
            let key = (said.run.clone(), said.subject);
            let kept = latest
                .get(&key)
                .is_some_and(|(_, known)| known.source != Source::Check && said.source == Source::Check);
            if !kept {
                latest.insert(key, (order, said));
            }
        }
        let mut all: Vec<(usize, Self)> = latest.into_values().collect();
        all.sort_by_key(|(order, _)| *order);
        Ok(all.into_iter().map(|(_, said)| said).collect())
    }
}

fn decided(state: &RunState) -> Result<&Decision, FeedbackError> {
    let decision = state.decision.as_deref().ok_or(FeedbackError::Undecided)?;
    if decision.scripted { Err(FeedbackError::Scripted) } else { Ok(decision) }
}

fn stood(state: &RunState, decision: &Decision, step: &Step, good: bool) -> Option<Fact> {
    let (claim, with_it) = match &step.opinion.as_ref()?.position {
        Position::Verdict { verdict } => (ClaimKind::Verdict, verdict.approves() == decision.verdict?.approves()),
        Position::Choice { option } => (ClaimKind::Choice, Some(option) == decision.choice.as_ref()),
        Position::Answer => (ClaimKind::Text, decision.answer.as_ref()?.member == step.member),
        Position::Abstain { .. } => return None,
    };
    // That one option was wrong does not say which other is right, and a text that was not chosen was not judged.
    let two_sided = claim == ClaimKind::Verdict;
    if !with_it && !good && !two_sided || !with_it && claim == ClaimKind::Text {
        return None;
    }
    fact(state, &step.member, claim, with_it == good)
}

fn on_claim(state: &RunState, finding: &MergedFinding, good: bool) -> Vec<Fact> {
    let holding = finding.reported_by.iter().map(|member| (member, good));
    let denying = finding.denied_by.iter().map(|member| (member, !good));
    holding.chain(denying).filter_map(|(member, right)| fact(state, member, ClaimKind::Finding, right)).collect()
}

fn fact(state: &RunState, id: &MemberId, claim: ClaimKind, right: bool) -> Option<Fact> {
    let member = state.member(id)?;
    let attempts = state.steps.iter().flat_map(|step| &step.attempts).filter(|attempt| attempt.member == *id);
    let reported = attempts.filter_map(|attempt| attempt.model.clone()).next_back();
    let classification = state.plan.as_ref().map(|plan| &plan.classification)?;
    Some(Fact {
        member: id.clone(),
        tier: member.tier,
        model: reported.or_else(|| member.model.clone()),
        kind: (!classification.unsure).then_some(classification.kind),
        claim,
        right,
    })
}

/// A member that spoke in several rounds is judged by its last word.
fn last_of_each(facts: Vec<Fact>) -> Vec<Fact> {
    let mut last: BTreeMap<MemberId, Fact> = BTreeMap::new();
    for fact in facts {
        last.insert(fact.member.clone(), fact);
    }
    last.into_values().collect()
}
