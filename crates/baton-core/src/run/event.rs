//! What can happen to a run, and how it is written down.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::catalog::{RoleRow, Rules};
use crate::classify::{Corrections, asking::Heard};
use crate::consensus::Decision;
use crate::evidence::Evidence;
use crate::handover::Handover;
use crate::hash::Hash;
use crate::ids::{MemberId, SessionName, StepId};
use crate::journal::{Actor, NewEvent, Row};
use crate::learning::Experience;
use crate::member::Member;
use crate::opinion::Opinion;
use crate::outcome::Outcome;
use crate::route::Load;
use crate::task::Task;
use crate::units::{MicroUsd, Timestamp, Usage};
use crate::workflow::Workflow;

/// Everything that a run depends on, frozen when it is submitted. A step reads nothing else.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Inputs {
    pub rules_version: u16,
    pub task: Task,
    pub workflow: Workflow,
    /// The members that could be asked, and the checks that may be run.
    pub members: Vec<Member>,
    pub roles: Vec<RoleRow>,
    pub rules: Rules,
    /// What was known of the members from earlier outcomes.
    #[serde(default, skip_serializing_if = "Experience::is_empty")]
    pub experience: Experience,
    /// What the user's corrections say about this prompt.
    #[serde(default, skip_serializing_if = "Corrections::is_empty")]
    pub corrections: Corrections,
    /// What kind of task a member said this is; asked only where the words did not tell and the user allows it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub said_kind: Option<Heard>,
    /// How busy and how quick members were when it was submitted.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub load: BTreeMap<MemberId, Load>,
    /// When not empty, just these members.
    #[serde(default)]
    pub named: Vec<MemberId>,
    /// The lead member's persistent conversation, when one is used.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub session: Option<SessionName>,
    /// What was known of accounts, and who takes over; `None` in runs of before it was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub handover: Option<Handover>,
    /// Decides the order of quoted opinions.
    pub seed: u64,
}

/// Where an answer came from.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Provenance {
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub program_version: Option<String>,
    /// The model that the member says it used.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub request_id: Option<String>,
    /// The provider's id of the conversation.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub session: Option<String>,
}

/// How an attempt stands to the persistent conversation that it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionStart {
    pub state: SessionState,
    /// Why a conversation that there was could not go on.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub because: Option<String>,
    /// Turns of the old conversation that are quoted in the prompt.
    #[serde(default, skip_serializing_if = "is_zero")]
    pub handed_on: usize,
    /// Whose conversation they are from, where that is another member.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub from: Option<MemberId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum SessionState {
    /// The member begins with this turn.
    New,
    /// The member goes on, or is told its own earlier turns word for word.
    Resumed,
}

#[expect(clippy::trivially_copy_pass_by_ref, reason = "what serde calls")]
const fn is_zero(number: &usize) -> bool {
    *number == 0
}

/// How one attempt ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnReport {
    pub outcome: Outcome,
    /// In the member's words, without secrets, for people.
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub detail: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub usage: Option<Usage>,
    #[serde(default)]
    pub provenance: Provenance,
    /// All that was received, as received.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub transcript: Option<Hash>,
    /// The answer's text.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub answer: Option<Hash>,
}

/// What can happen to a run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Event {
    Submitted(Box<Inputs>),
    /// Written before the member is called.
    StepStarted {
        step: StepId,
        attempt: u8,
        member: MemberId,
        prompt: Option<Hash>,
        /// `None` where it belongs to no conversation.
        session: Option<SessionStart>,
    },
    /// Written before anything else learns of the answer.
    StepFinished {
        step: StepId,
        attempt: u8,
        report: TurnReport,
    },
    /// In the same commit as its `StepFinished`.
    OpinionRead {
        step: StepId,
        reader: u16,
        opinion: Opinion,
    },
    EvidenceRecorded {
        step: StepId,
        evidence: Evidence,
    },
    /// The process died between start and end: whether the call was paid is not known.
    StepInDoubt {
        step: StepId,
        attempt: u8,
    },
    TimerFired {
        step: StepId,
    },
    CancelRequested,
    PersonAnswered {
        node: usize,
        answer: String,
        note: String,
    },
    /// A person puts another verdict or option in place of the decision. Its `Decided` is in the same commit.
    Overridden {
        answer: String,
        note: String,
    },
    Decided(Box<Decision>),
}

/// An event with the time and the author that the journal gives it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Stamped {
    pub at: Timestamp,
    pub actor: Actor,
    pub event: Event,
}

/// Why a row is no event of this version.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CodecError {
    #[error(
        "event {ordinal} is of kind `{kind}` version {version}, which this baton does not know: it was written by a newer one"
    )]
    Unknown { ordinal: u64, kind: String, version: u16 },
    #[error("the body of event {ordinal} was dropped")]
    BodyDropped { ordinal: u64 },
    #[error("event {ordinal} cannot be read: {because}")]
    Damaged { ordinal: u64, because: String },
}

const VERSION: u16 = 1;

#[derive(Serialize, Deserialize)]
struct StartedHeader {
    step: StepId,
    attempt: u8,
    member: MemberId,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    prompt: Option<Hash>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    session: Option<SessionStart>,
}

#[derive(Serialize, Deserialize)]
struct FinishedHeader {
    step: StepId,
    attempt: u8,
    #[serde(flatten)]
    report: TurnReport,
}

#[derive(Serialize, Deserialize)]
struct ReadHeader {
    step: StepId,
    #[serde(default)]
    reader: u16,
}

#[derive(Serialize, Deserialize)]
struct AttemptHeader {
    step: StepId,
    attempt: u8,
}

#[derive(Serialize, Deserialize)]
struct OverriddenHeader {
    answer: String,
    note: String,
}

#[derive(Serialize, Deserialize)]
struct AnsweredHeader {
    node: usize,
    answer: String,
    note: String,
}

/// For lists: what a run is about without reading its body.
#[derive(Serialize)]
struct SubmittedHeader<'a> {
    prompt: String,
    workflow: &'a str,
    workspace: Option<&'a str>,
    scripted: bool,
}

#[derive(Serialize)]
struct DecidedHeader<'a> {
    recommendation: crate::consensus::Recommendation,
    confidence: crate::units::Probability,
    blockers: &'a [crate::consensus::Blocker],
    cost: MicroUsd,
}

impl Event {
    #[must_use]
    pub const fn kind(&self) -> &'static str {
        match self {
            Self::Submitted(_) => "submitted",
            Self::StepStarted { .. } => "step_started",
            Self::StepFinished { .. } => "step_finished",
            Self::OpinionRead { .. } => "opinion_read",
            Self::EvidenceRecorded { .. } => "evidence_recorded",
            Self::StepInDoubt { .. } => "step_in_doubt",
            Self::TimerFired { .. } => "timer_fired",
            Self::CancelRequested => "cancel_requested",
            Self::PersonAnswered { .. } => "person_answered",
            Self::Overridden { .. } => "overridden",
            Self::Decided(_) => "decided",
        }
    }

    /// The event as a row to append.
    ///
    /// # Errors
    /// When a value cannot be written as JSON, which no value of these types can.
    pub fn encode(&self, at: Timestamp, actor: Actor) -> Result<NewEvent, serde_json::Error> {
        let (header, body) = self.parts()?;
        Ok(NewEvent { kind: self.kind(), version: VERSION, at, actor, header, body })
    }

    fn parts(&self) -> Result<(String, Option<Vec<u8>>), serde_json::Error> {
        Ok(match self {
            Self::Submitted(inputs) => (submitted_header(inputs)?, Some(serde_json::to_vec(inputs)?)),
            Self::StepStarted { step, attempt, member, prompt, session } => {
                let (member, session) = (member.clone(), session.clone());
                let header = StartedHeader { step: *step, attempt: *attempt, member, prompt: *prompt, session };
                (serde_json::to_string(&header)?, None)
            }
            Self::StepFinished { step, attempt, report } => (
                serde_json::to_string(&FinishedHeader { step: *step, attempt: *attempt, report: report.clone() })?,
                None,
            ),
            Self::OpinionRead { step, reader, opinion } => (
                serde_json::to_string(&ReadHeader { step: *step, reader: *reader })?,
                Some(serde_json::to_vec(opinion)?),
            ),
            Self::EvidenceRecorded { step, evidence } => {
                (serde_json::to_string(&ReadHeader { step: *step, reader: 0 })?, Some(serde_json::to_vec(evidence)?))
            }
            Self::StepInDoubt { step, attempt } => {
                (serde_json::to_string(&AttemptHeader { step: *step, attempt: *attempt })?, None)
            }
            Self::TimerFired { step } => (serde_json::to_string(&ReadHeader { step: *step, reader: 0 })?, None),
            Self::CancelRequested => ("{}".into(), None),
            Self::PersonAnswered { node, answer, note } => {
                let header = AnsweredHeader { node: *node, answer: answer.clone(), note: note.clone() };
                (serde_json::to_string(&header)?, None)
            }
            Self::Overridden { answer, note } => {
                let header = OverriddenHeader { answer: answer.clone(), note: note.clone() };
                (serde_json::to_string(&header)?, None)
            }
            Self::Decided(decision) => {
                let header = DecidedHeader {
                    recommendation: decision.recommendation,
                    confidence: decision.overall_confidence,
                    blockers: &decision.blockers,
                    cost: decision.cost,
                };
                (serde_json::to_string(&header)?, Some(serde_json::to_vec(decision)?))
            }
        })
    }
}

fn submitted_header(inputs: &Inputs) -> Result<String, serde_json::Error> {
    serde_json::to_string(&SubmittedHeader {
        prompt: crate::text::one_line(&inputs.task.prompt, 120),
        workflow: &inputs.workflow.name,
        workspace: inputs.task.workspace.as_deref(),
        scripted: inputs.members.iter().any(|member| member.scripted),
    })
}

impl Stamped {
    /// Reads a row back.
    ///
    /// # Errors
    /// When it is of a newer version, was damaged, or its body was dropped.
    pub fn decode(row: &Row) -> Result<Self, CodecError> {
        let event = decode(row)?;
        Ok(Self { at: row.at, actor: actor(&row.actor), event })
    }
}

fn actor(text: &str) -> Actor {
    match text {
        "engine" => Actor::Engine,
        "person" => Actor::Person,
        other => Actor::Client(other.strip_prefix("client ").unwrap_or(other).to_owned()),
    }
}

fn decode(row: &Row) -> Result<Event, CodecError> {
    let unknown = || CodecError::Unknown { ordinal: row.ordinal, kind: row.kind.clone(), version: row.version };
    if row.version > VERSION {
        return Err(unknown());
    }
    Ok(match row.kind.as_str() {
        "submitted" => Event::Submitted(Box::new(body(row)?)),
        "step_started" => {
            let StartedHeader { step, attempt, member, prompt, session } = header(row)?;
            Event::StepStarted { step, attempt, member, prompt, session }
        }
        "step_finished" => {
            let FinishedHeader { step, attempt, report } = header(row)?;
            Event::StepFinished { step, attempt, report }
        }
        "opinion_read" => {
            let ReadHeader { step, reader } = header(row)?;
            Event::OpinionRead { step, reader, opinion: body(row)? }
        }
        "evidence_recorded" => Event::EvidenceRecorded { step: header::<ReadHeader>(row)?.step, evidence: body(row)? },
        "step_in_doubt" => {
            let AttemptHeader { step, attempt } = header(row)?;
            Event::StepInDoubt { step, attempt }
        }
        "timer_fired" => Event::TimerFired { step: header::<ReadHeader>(row)?.step },
        "cancel_requested" => Event::CancelRequested,
        "person_answered" => {
            let AnsweredHeader { node, answer, note } = header(row)?;
            Event::PersonAnswered { node, answer, note }
        }
        "overridden" => {
            let OverriddenHeader { answer, note } = header(row)?;
            Event::Overridden { answer, note }
        }
        "decided" => Event::Decided(Box::new(body(row)?)),
        _ => return Err(unknown()),
    })
}

fn header<'a, T: Deserialize<'a>>(row: &'a Row) -> Result<T, CodecError> {
    serde_json::from_str(&row.header).map_err(|error| damaged(row, &error))
}

fn body<'a, T: Deserialize<'a>>(row: &'a Row) -> Result<T, CodecError> {
    let bytes = row.body.as_deref().ok_or(CodecError::BodyDropped { ordinal: row.ordinal })?;
    serde_json::from_slice(bytes).map_err(|error| damaged(row, &error))
}

fn damaged(row: &Row, error: &serde_json::Error) -> CodecError {
    CodecError::Damaged { ordinal: row.ordinal, because: error.to_string() }
}
