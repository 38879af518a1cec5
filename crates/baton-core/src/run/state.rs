//! What is known of a run after some of its events. Pure data; no text of a prompt or an answer is in it.

use std::sync::Arc;

use crate::classify::Classification;
use crate::consensus::Decision;
use crate::evidence::Evidence;
use crate::hash::Hash;
use crate::ids::{MemberId, StepId};
use crate::member::Member;
use crate::opinion::Opinion;
use crate::outcome::Outcome;
use crate::route::{Role, Team};
use crate::task::Question;
use crate::units::{MicroUsd, Timestamp, Usage};
use crate::workflow::Artefact;

use super::dispute::Dispute;
use super::event::{Inputs, SessionStart};
use super::reproduce::TestedClaim;

/// Where a run stands.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Status {
    #[default]
    Open,
    /// Parked at a gate until a person answers.
    Waiting {
        node: usize,
    },
    Decided,
    Cancelled,
}

impl Status {
    #[must_use]
    pub const fn is_over(self) -> bool {
        matches!(self, Self::Decided | Self::Cancelled)
    }
}

/// What classification and routing said.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Plan {
    pub classification: Classification,
    pub team: Team,
}

/// What a prompt is made of: names and references, never the text itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PromptPlan {
    pub template: String,
    pub with: Vec<Artefact>,
    /// The step whose answer is the draft.
    pub draft: Option<StepId>,
    /// Steps whose opinions are quoted, already in the order in which they are shown.
    pub quotes: Vec<StepId>,
    /// What a person said at the last gate.
    pub note: Option<String>,
    /// The disputed claim that is asked about, and nothing else of the task.
    pub dispute: Option<Dispute>,
    /// The claim that a test is asked for, and nothing else of the task.
    pub claim: Option<Box<TestedClaim>>,
}

/// What a step does.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Work {
    Prompt(PromptPlan),
    Check,
    /// Tries the patch that this step's answer holds.
    Try {
        of: StepId,
        patch: Hash,
    },
    /// Runs the test that this step's answer holds.
    Reproduce {
        of: StepId,
        test: Hash,
    },
}

/// One try at a step.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Attempt {
    pub member: MemberId,
    pub started: Timestamp,
    /// `None` while it runs.
    pub outcome: Option<Outcome>,
    pub detail: String,
    pub usage: Option<Usage>,
    /// The model that the member says it used.
    pub model: Option<String>,
    /// `None` while unknown.
    pub cost: Option<MicroUsd>,
    /// Set aside for it before it began.
    pub reserved: MicroUsd,
    pub session: Option<SessionStart>,
}

/// Where a step stands.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum StepStatus {
    /// To be asked now.
    Planned,
    /// To be asked again, not before this time.
    Waiting {
        until: Timestamp,
    },
    Running,
    /// Answered; the reading comes in the same commit.
    Reading,
    Done,
    /// Every try failed.
    GaveUp,
    /// Left out: it would pass the spending cap.
    OverBudget,
}

impl StepStatus {
    #[must_use]
    pub const fn is_over(&self) -> bool {
        matches!(self, Self::Done | Self::GaveUp | Self::OverBudget)
    }
}

/// One effectful unit of the run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Step {
    pub id: StepId,
    /// The workflow's node that planned it.
    pub node: usize,
    /// How often the run had gone back when it was planned: a wave is one round of one node.
    pub round: u32,
    pub role: Role,
    /// The step whose seat it takes, where too few vendors answered; it counts as a try of that one.
    pub stands_in_for: Option<StepId>,
    /// Who is asked now: the seat's own member, or who stepped in.
    pub member: MemberId,
    pub work: Work,
    /// Its answer is a draft and no opinion.
    pub draft: bool,
    pub status: StepStatus,
    pub attempts: Vec<Attempt>,
    pub opinion: Option<Opinion>,
    pub evidence: Option<Evidence>,
    pub answer: Option<Hash>,
}

impl Step {
    /// The first step of its seat: itself, or the one that it stands in for.
    #[must_use]
    pub fn seat(&self) -> StepId {
        self.stands_in_for.unwrap_or(self.id)
    }

    /// It runs commands: what comes of it is evidence and no opinion.
    #[must_use]
    pub const fn is_evidence(&self) -> bool {
        matches!(self.work, Work::Check | Work::Try { .. } | Work::Reproduce { .. })
    }

    /// The disputed claim that it asks about, and nothing else: its answer is no opinion on the task.
    #[must_use]
    pub const fn dispute(&self) -> Option<&Dispute> {
        match &self.work {
            Work::Prompt(plan) => plan.dispute.as_ref(),
            Work::Check | Work::Try { .. } | Work::Reproduce { .. } => None,
        }
    }

    /// The claim that it asks a test for, and nothing else.
    #[must_use]
    pub fn claim(&self) -> Option<&TestedClaim> {
        match &self.work {
            Work::Prompt(plan) => plan.claim.as_deref(),
            Work::Check | Work::Try { .. } | Work::Reproduce { .. } => None,
        }
    }

    /// It asks about one claim only: its answer is no opinion on the task.
    #[must_use]
    pub fn is_aside(&self) -> bool {
        self.dispute().is_some() || self.claim().is_some()
    }
}

/// A run after some of its events.
#[derive(Clone, Debug, Default)]
pub struct RunState {
    pub inputs: Option<Arc<Inputs>>,
    pub plan: Option<Arc<Plan>>,
    pub status: Status,
    /// The workflow's node that is under way, and whether it was entered.
    pub node: usize,
    pub entered: bool,
    /// How often each `repeat` node has gone back.
    pub repeats: Vec<u8>,
    pub steps: Vec<Step>,
    /// The decision as last recorded.
    pub decision: Option<Arc<Decision>>,
    /// A decision that was computed and is not yet in the journal.
    pub to_record: Option<Arc<Decision>>,
    /// The last answer of a person or client at a gate: who, what, why.
    pub answered: Option<(crate::journal::Actor, String, String)>,
    /// Claims that a test could settle and that nobody could be asked about.
    pub untested: Vec<String>,
    pub cancelled: bool,
    pub submitted_at: Timestamp,
    pub last_at: Timestamp,
}

impl RunState {
    #[must_use]
    pub fn step(&self, id: StepId) -> Option<&Step> {
        self.steps.get(id.index())
    }

    /// What a step asks: the task's question, which side of a disputed claim is right, or a test of a claim.
    #[must_use]
    pub fn question(&self, step: StepId) -> Question {
        let step = self.step(step);
        match (step.and_then(Step::dispute), step.and_then(Step::claim)) {
            (Some(_), _) => Dispute::question(),
            (None, Some(claim)) => claim.question(),
            (None, None) => self.plan.as_ref().map_or(Question::Text, |plan| plan.classification.question.clone()),
        }
    }

    /// How often the run has gone back to an earlier node.
    #[must_use]
    pub fn round(&self) -> u32 {
        self.repeats.iter().map(|times| u32::from(*times)).sum()
    }

    #[must_use]
    pub fn member(&self, id: &MemberId) -> Option<&Member> {
        self.inputs.as_ref()?.members.iter().find(|member| member.id == *id)
    }

    /// It has or had a step of this run, also where another one took that over since.
    #[must_use]
    pub fn was_asked(&self, id: &MemberId) -> bool {
        let has = |step: &Step| step.member == *id || step.attempts.iter().any(|attempt| attempt.member == *id);
        self.steps.iter().any(has)
    }

    /// What the ended attempts cost, and whether some did not say.
    #[must_use]
    pub fn cost(&self) -> (MicroUsd, bool) {
        let mut total = MicroUsd(0);
        let mut unknown = false;
        for attempt in self.ended_attempts() {
            match attempt.cost {
                Some(cost) => total = total.plus(cost),
                None => unknown = true,
            }
        }
        (total, unknown)
    }

    fn ended_attempts(&self) -> impl Iterator<Item = &Attempt> {
        self.steps.iter().flat_map(|step| &step.attempts).filter(|attempt| attempt.outcome.is_some())
    }

    /// What is spent or set aside. A call that does not say its cost counts as what was set aside for it.
    #[must_use]
    pub fn committed(&self) -> MicroUsd {
        let attempts = self.steps.iter().flat_map(|step| &step.attempts);
        attempts.fold(MicroUsd(0), |total, attempt| total.plus(attempt.cost.unwrap_or(attempt.reserved)))
    }
}
