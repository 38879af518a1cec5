//! Tests for claims: which findings are put to whom, what was written, and what running it came to.
//!
//! A claim is asked about once in a run, of one member, and nobody stands in for it. The tests are run only where a
//! member of the nature [`Nature::Reproduction`] is seated; without one nobody is asked.

use crate::consensus::{self, OpenClaim, Reproduction, Tested};
use crate::hash::{FieldHasher, Hash};
use crate::ids::StepId;
use crate::member::{Member, Nature};
use crate::opinion::Position;
use crate::route::{Role, Seat};
use crate::task::Question;

use super::state::{Plan, RunState, Step, StepStatus, Work};
use super::{decide, dispute};

/// How many claims are put to a test in one run, each by one call.
pub const MOST_TESTS: usize = 2;
const NO_FILES: &[String] = &[];

/// One claim as it is put to a member that is to write a test for it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TestedClaim {
    pub claim: String,
    pub file: Option<String>,
    pub line: Option<u32>,
    /// What is said for it.
    pub evidence: Option<String>,
    /// What the test's name must hold, so that it can be told in what a command prints.
    pub mark: String,
}

impl TestedClaim {
    fn of(open: OpenClaim) -> Self {
        let mark = mark(&open);
        Self { claim: open.claim, file: open.file, line: open.line, evidence: open.evidence, mark }
    }

    /// What is asked about it.
    #[must_use]
    pub fn question(&self) -> Question {
        Question::Test { mark: self.mark.clone() }
    }

    fn is(&self, open: &OpenClaim) -> bool {
        (&self.claim, &self.file, self.line) == (&open.claim, &open.file, open.line)
    }
}

/// A name that nothing else has by chance, and that every language takes as a part of a name.
fn mark(open: &OpenClaim) -> String {
    let file = open.file.as_deref().unwrap_or_default();
    let place = FieldHasher::default().field(file.as_bytes()).number(u64::from(open.line.unwrap_or_default()));
    let hash = place.field(open.claim.as_bytes()).finish().to_string();
    format!("reproduces_{}", &hash[..8])
}

/// The claims that a test could settle and that nobody was asked about, each with the strongest member that argues on
/// no side; `None` where there is no such member.
pub(super) fn testers(state: &RunState, plan: &Plan) -> Vec<(TestedClaim, Option<Seat>)> {
    if runner(state).is_none() {
        return Vec::new();
    }
    let Some(ground) = decide::ground(state) else { return Vec::new() };
    let known: Vec<&TestedClaim> = state.steps.iter().filter_map(Step::claim).collect();
    let open = consensus::open_claims(&ground).into_iter().filter(|open| !known.iter().any(|known| known.is(open)));
    let asked = open.map(|open| {
        let argue: Vec<_> = open.reported_by.iter().chain(&open.denied_by).collect();
        let seat = dispute::outsider(state, plan, &argue).map(|member| {
            let rule = "writes a test: of another family than those who argue".to_owned();
            Seat { member: member.id.clone(), role: Role::Critic, rule }
        });
        (TestedClaim::of(open), seat)
    });
    // A claim that nobody can be asked about takes no other's place.
    let (free, nobody): (Vec<_>, Vec<_>) = asked.partition(|(_, seat)| seat.is_some());
    let most = MOST_TESTS.saturating_sub(known.len());
    free.into_iter().take(most).chain(nobody.into_iter().take(MOST_TESTS)).collect()
}

/// Who runs tests here.
pub(super) fn runner(state: &RunState) -> Option<&Member> {
    state.inputs.as_ref()?.members.iter().find(|member| member.nature == Nature::Reproduction)
}

/// The tests that were written and that no step runs, each with the step whose answer holds it.
pub(super) fn unrun(state: &RunState) -> Vec<(StepId, Hash)> {
    let runs =
        |of: StepId| state.steps.iter().any(|step| matches!(step.work, Work::Reproduce { of: its, .. } if its == of));
    let written = state.steps.iter().filter(|step| step.claim().is_some() && !runs(step.id));
    let test = |step: &Step| match &step.opinion.as_ref()?.position {
        Position::Test { content, .. } => Some((step.id, *content)),
        _ => None,
    };
    written.filter_map(test).collect()
}

/// What came of every test that was asked for.
pub(super) fn reproductions(state: &RunState) -> Vec<Reproduction<'_>> {
    state.steps.iter().filter_map(|step| Some(reproduction(state, step, step.claim()?))).collect()
}

fn reproduction<'a>(state: &'a RunState, step: &'a Step, claim: &'a TestedClaim) -> Reproduction<'a> {
    let run = state.steps.iter().find(|other| matches!(other.work, Work::Reproduce { of, .. } if of == step.id));
    let evidence = run.and_then(|run| run.evidence.as_ref());
    let written = step.opinion.as_ref().map(|opinion| &opinion.position);
    let (files, content) = match written {
        Some(Position::Test { files, content }) => (files.as_slice(), Some(*content)),
        _ => (NO_FILES, None),
    };
    Reproduction {
        claim: &claim.claim,
        file: claim.file.as_deref(),
        line: claim.line,
        by: &step.member,
        mark: &claim.mark,
        files,
        tested: evidence.map_or_else(|| Tested::Unknown(why_not(step, run)), consensus::tested),
        evidence,
        // As git wrote it, where it was run; as it was sent to be run otherwise.
        diff: run.and_then(|run| run.answer.or(content)),
    }
}

/// Why there is no outcome.
fn why_not(step: &Step, run: Option<&Step>) -> String {
    let by = &step.member;
    let failure = |step: &Step| {
        let outcome = step.attempts.last().and_then(|attempt| attempt.outcome.as_ref());
        outcome.map_or("it was not asked", |outcome| outcome.label())
    };
    match (&step.status, &step.opinion, run) {
        (StepStatus::OverBudget, ..) => format!("{by} was not asked for a test: it would pass the spending cap"),
        (StepStatus::GaveUp, ..) => format!("{by} gave no test: {}", failure(step)),
        (_, Some(opinion), None) => match &opinion.position {
            Position::Abstain { reason } => format!("{by} gave no test that can be run: {reason}"),
            _ => format!("the test of {by} was not run"),
        },
        (.., Some(run)) => format!("the test of {by} could not be run: {}", failure(run)),
        (_, None, None) => format!("{by} was asked for a test"),
    }
}
