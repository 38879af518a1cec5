//! What became of decisions: a person's word, tests, a merge, a revert, a check that settled something. Reliabilities
//! and calibration are learned from these and from nothing else.
//!
//! Each piece carries its facts, worked out from the run when it was given, so that what was learned can be computed
//! again from this one stream. A later word on the same subject takes the place of an earlier one.

mod correction;
mod lessons;
mod patches;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::consensus::{Decision, MergedFinding};
use crate::ids::{MemberId, RunId};
use crate::journal::{Actor, NewEvent, Row};
use crate::opinion::{Position, Verdict};
use crate::run::{RunState, Step};
use crate::task::{Kind, Question};
use crate::units::Timestamp;

pub use correction::{Correction, corrections};
pub use lessons::experience;
pub use patches::{Commit, Fate, fate};

/// What a piece of feedback is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "about")]
pub enum Subject {
    /// The decision as a whole.
    Decision,
    /// One finding of it, by its number on the screen, from 1.
    Finding { number: usize },
    /// One patch of it, by its number on the screen, from 1.
    Patch { number: usize },
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
    Patch,
}

/// One member was right or wrong once.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fact {
    pub member: MemberId,
    pub tier: u8,
    pub family: String,
    pub version: Version,
    pub claim: ClaimKind,
    /// What it held, of options that exclude each other; verdicts by their camp.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub option: Option<String>,
    pub right: bool,
}

/// What a member was made of. Another model under the same name is in part another member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Version {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub configured: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reported: Option<String>,
}

/// One piece of feedback, as journalled.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Feedback {
    pub run: RunId,
    #[serde(flatten)]
    pub subject: Subject,
    pub good: bool,
    pub source: Source,
    /// `None` for a task of no kind.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub kind: Option<Kind>,
    /// How many options excluded each other; 0 where nothing was voted on.
    #[serde(default)]
    pub options: usize,
    /// The option that is known to be right by it. All votes are among the facts then.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub right: Option<String>,
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
    #[error("the decision has no patch {number}; it has {patches}")]
    NoSuchPatch { number: usize, patches: usize },
}

const KIND: &str = "outcome";
const VERSION: u16 = 1;
/// Words on patches, which older batons do not know and pass over.
const VERSION_OF_PATCHES: u16 = 2;

impl Feedback {
    /// A word on the decision as a whole. Members that stood with it were right if it was good; those that stood
    /// against it were right if it was bad, where there are only two sides. Where a patch was adopted, it is a word on
    /// that patch.
    ///
    /// # Errors
    /// When there is no decision, or none that can be learned from.
    pub fn on_decision(run: &RunId, state: &RunState, good: bool, source: Source) -> Result<Self, FeedbackError> {
        let decision = decided(state)?;
        if let Some(number) = patches::adopted(state, decision) {
            return Self::on_patch(run, state, number, good, source);
        }
        let spoke = state.steps.iter().filter(|step| !step.draft && !step.is_aside());
        let facts = spoke.filter_map(|step| stood(state, decision, step, good)).collect();
        let (options, right) = vote(state, decision, good);
        let facts = last_of_each(facts);
        let (kind, subject) = (kind(state), Subject::Decision);
        Ok(Self { run: run.clone(), subject, good, source, kind, options, right, facts })
    }

    /// A word on one finding: who reported it was right if it was good, who denied it was right if it was not. Refused ones
    /// are counted on after the others.
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
        let at = number.checked_sub(1);
        if let Some(finding) = at.and_then(|at| decision.issues.get(at)) {
            return Ok(Self::of_finding(run, state, (number, finding), good, source));
        }
        let refused = at.and_then(|at| decision.refused_issues.get(at.checked_sub(decision.issues.len())?));
        let findings = decision.issues.len() + decision.refused_issues.len();
        let refused = refused.ok_or(FeedbackError::NoSuchFinding { number, findings })?;
        let facts = fact(state, &refused.member, ClaimKind::Finding, None, good).into_iter().collect();
        let subject = Subject::Finding { number };
        Ok(Self { run: run.clone(), subject, good, source, kind: kind(state), options: 0, right: None, facts })
    }

    /// What the checks of a run settled, finding by finding and patch by patch.
    #[must_use]
    pub fn from_checks(run: &RunId, state: &RunState) -> Vec<Self> {
        let Ok(decision) = decided(state) else { return Vec::new() };
        let by_check = |finding: &MergedFinding| {
            decision.checks.iter().any(|check| finding.because.starts_with(&format!("{} failed at", check.check)))
        };
        let settled = (1..).zip(&decision.issues).filter(|(_, finding)| by_check(finding));
        let findings = settled.map(|named| Self::of_finding(run, state, named, true, Source::Check));
        findings.chain(Self::from_trials(run, state, decision)).collect()
    }

    fn of_finding(
        run: &RunId,
        state: &RunState,
        (number, finding): (usize, &MergedFinding),
        good: bool,
        source: Source,
    ) -> Self {
        let subject = Subject::Finding { number };
        let facts = on_claim(state, finding, good);
        Self { run: run.clone(), subject, good, source, kind: kind(state), options: 0, right: None, facts }
    }

    /// # Errors
    /// Never in practice: the shape is plain data.
    pub fn encode(&self, at: Timestamp, actor: Actor) -> Result<NewEvent, serde_json::Error> {
        let header = serde_json::to_string(self)?;
        let is_of_patch = matches!(self.subject, Subject::Patch { .. });
        let version = if is_of_patch { VERSION_OF_PATCHES } else { VERSION };
        Ok(NewEvent { kind: KIND, version, at, actor, header, body: None })
    }

    /// What counts of a stream: for each subject of each run the last word, in the order in which they were given. A
    /// person's word is never replaced by a check's, and what is only said again stays as old as it is. Rows of newer
    /// versions are left out.
    ///
    /// # Errors
    /// When a row of a known version is damaged.
    pub fn fold(rows: &[Row]) -> Result<Vec<Self>, serde_json::Error> {
        let mut latest: BTreeMap<(RunId, Subject), (usize, Self)> = BTreeMap::new();
        for (order, row) in rows.iter().enumerate().filter(|(_, row)| is_known(row)) {
            let said: Self = serde_json::from_str(&row.header)?;
            let key = (said.run.clone(), said.subject);
            let kept = latest.get(&key).is_some_and(|(_, known)| {
                *known == said || (known.source != Source::Check && said.source == Source::Check)
            });
            if !kept {
                latest.insert(key, (order, said));
            }
        }
        let mut all: Vec<(usize, Self)> = latest.into_values().collect();
        all.sort_by_key(|(order, _)| *order);
        Ok(all.into_iter().map(|(_, said)| said).collect())
    }
}

fn is_known(row: &Row) -> bool {
    row.kind == KIND && matches!(row.version, VERSION | VERSION_OF_PATCHES)
}

fn decided(state: &RunState) -> Result<&Decision, FeedbackError> {
    let decision = state.decision.as_deref().ok_or(FeedbackError::Undecided)?;
    if decision.scripted { Err(FeedbackError::Scripted) } else { Ok(decision) }
}

fn stood(state: &RunState, decision: &Decision, step: &Step, good: bool) -> Option<Fact> {
    let (claim, option, with_it) = match &step.opinion.as_ref()?.position {
        Position::Verdict { verdict } => {
            (ClaimKind::Verdict, Some(camp(*verdict)), verdict.approves() == decision.verdict?.approves())
        }
        Position::Choice { option } => {
            (ClaimKind::Choice, Some(option.as_str()), Some(option) == decision.choice.as_ref())
        }
        Position::Answer => (ClaimKind::Text, None, decision.answer.as_ref()?.member == step.member),
        // That a decision without a patch to adopt was good or bad says nothing of any.
        Position::Patch { .. } | Position::Test { .. } | Position::Abstain { .. } => return None,
    };
    // That one option was wrong does not say which other is right, and a text that was not chosen was not judged.
    let two_sided = vote(state, decision, good).0 == 2;
    if !with_it && !good && !two_sided || !with_it && claim == ClaimKind::Text {
        return None;
    }
    fact(state, &step.member, claim, option, with_it == good)
}

/// To leave a thing as it is, or to change it.
const fn camp(verdict: Verdict) -> &'static str {
    if verdict.approves() { Verdict::Approve.as_str() } else { Verdict::Reject.as_str() }
}

/// How many options there were, and which is right by this word.
fn vote(state: &RunState, decision: &Decision, good: bool) -> (usize, Option<String>) {
    if let Some(verdict) = decision.verdict {
        let approves = verdict.approves() == good;
        return (2, Some(camp(if approves { Verdict::Approve } else { Verdict::Reject }).to_owned()));
    }
    let options = match state.plan.as_ref().map(|plan| &plan.classification.question) {
        Some(Question::Choice(options)) => options.as_slice(),
        _ => &[],
    };
    let other = |chosen: &String| options.iter().find(|option| *option != chosen && options.len() == 2).cloned();
    let right = decision.choice.as_ref().and_then(|chosen| if good { Some(chosen.clone()) } else { other(chosen) });
    (options.len(), right)
}

/// `None` where no kind stood out.
fn kind(state: &RunState) -> Option<Kind> {
    let classification = state.plan.as_ref().map(|plan| &plan.classification)?;
    (!classification.unsure).then_some(classification.kind)
}

fn on_claim(state: &RunState, finding: &MergedFinding, good: bool) -> Vec<Fact> {
    let holding = finding.reported_by.iter().map(|member| (member, good));
    let denying = finding.denied_by.iter().map(|member| (member, !good));
    holding.chain(denying).filter_map(|(member, right)| fact(state, member, ClaimKind::Finding, None, right)).collect()
}

fn fact(state: &RunState, id: &MemberId, claim: ClaimKind, option: Option<&str>, right: bool) -> Option<Fact> {
    let member = state.member(id)?;
    let attempts = state.steps.iter().flat_map(|step| &step.attempts).filter(|attempt| attempt.member == *id);
    let reported = attempts.filter_map(|attempt| attempt.model.clone()).next_back();
    Some(Fact {
        member: id.clone(),
        tier: member.tier,
        family: member.family.clone(),
        version: Version { configured: member.model.clone(), reported },
        claim,
        option: option.map(str::to_owned),
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
