//! From the state of a run to the ground of its decision.

use std::collections::BTreeMap;

use super::state::{RunState, Status, Step, StepStatus, Work};
use super::{dispute, reproduce, stand_in};
use crate::consensus::{
    self, AnswerRef, Ballot, Blocker, CheckOutcome, DecidedBy, Decision, Failure, Ground, Held, Recommendation, Tried,
};
use crate::hash::Hash;
use crate::ids::{MemberId, StepId};
use crate::journal::Actor;
use crate::member::Member;
use crate::opinion::{Position, Verdict};
use crate::outcome::Outcome;
use crate::task::Question;

/// The decision on what is known now; `None` before anything was submitted.
pub(super) fn decide(state: &RunState) -> Option<Decision> {
    ground(state).as_ref().map(consensus::decide)
}

/// Everything that the decision is computed from.
pub(super) fn ground(state: &RunState) -> Option<Ground<'_>> {
    let (inputs, plan) = (state.inputs.as_ref()?, state.plan.as_ref()?);
    let (cost, cost_unknown) = state.cost();
    Some(Ground {
        task: &inputs.task.prompt,
        classification: &plan.classification,
        rules: &inputs.rules,
        experience: &inputs.experience,
        team: &plan.team,
        ballots: ballots(state),
        failures: failures(state),
        stand_ins: stand_in::told(state),
        checks: checks(state),
        trials: trials(state),
        reproductions: reproduce::reproductions(state),
        untested: &state.untested,
        rulings: dispute::rulings(state),
        members: inputs.members.iter().collect(),
        over_budget: over_budget(state),
        held: held(state),
        draft: draft(state),
        cost,
        cost_unknown,
        elapsed_ms: state.last_at.millis_since(state.submitted_at),
    })
}

/// The decision after a gate was answered: the last one, with the person's word on top. A client's word is recorded
/// and releases nothing that waits for a person.
pub(super) fn answered(state: &RunState) -> Option<Decision> {
    let mut decision = state.decision.as_deref()?.clone();
    let (actor, answer, note) = state.answered.as_ref()?;
    decision.elapsed_ms = state.last_at.millis_since(state.submitted_at);
    match actor {
        Actor::Person => {
            decision.decided_by = DecidedBy::Person { answer: answer.clone(), note: note.clone() };
            // There is nothing to approve where nobody gave an opinion.
            decision.blockers.retain(|blocker| matches!(blocker, Blocker::AllFailed | Blocker::Budget));
            decision.has_conflict = false;
            decision.reasoning.retain(|reason| reason != consensus::NEEDS_PERSON);
            decision.reasoning.push(format!("a person said {answer}"));
            let approved = answer == "approve" && decision.blockers.is_empty();
            decision.recommendation = if approved { Recommendation::Proceed } else { Recommendation::ReviewRequired };
            if answer != "approve" && answer != "revise" {
                decision.blockers.push(Blocker::TurnedDown);
            }
        }
        Actor::Client(name) => {
            decision.decided_by = DecidedBy::Client { name: name.clone(), answer: answer.clone() };
        }
        Actor::Engine => {}
    }
    Some(decision)
}

const PUT: &str = "a person put ";

/// The decision with a person's own verdict or option in the place of that of the members. How sure theirs was stays as
/// it was; who dissents is told anew.
pub(super) fn overridden(state: &RunState, actor: &Actor, answer: &str, note: &str) -> Result<Decision, &'static str> {
    if *actor != Actor::Person {
        return Err("only a person puts another answer in place of a decision");
    }
    if !(state.status.is_over() || matches!(state.status, Status::Waiting { .. })) {
        return Err("the run is under way");
    }
    let mut decision = state.decision.as_deref().ok_or("there is no decision")?.clone();
    let question = &state.plan.as_ref().ok_or("there is no decision")?.classification.question;
    let before = match question {
        Question::Verdict | Question::Findings => {
            let verdict = Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == answer);
            let before = decision.verdict.replace(verdict.ok_or("it is none of approve, revise, reject")?);
            before.map(|verdict| verdict.as_str().to_owned())
        }
        Question::Choice(options) if options.iter().any(|option| option == answer) => {
            decision.choice.replace(answer.to_owned())
        }
        Question::Choice(_) => return Err("it is none of the options"),
        Question::Text | Question::Patch | Question::Test { .. } => {
            return Err("no text or patch is put in place of one by a word");
        }
    };
    // What the members came to stays what is named, however often a person thinks again.
    let instead_of = match &decision.decided_by {
        DecidedBy::Override { instead_of, .. } => instead_of.clone(),
        DecidedBy::Rule | DecidedBy::Person { .. } | DecidedBy::Client { .. } => before,
    };
    decision.dissenters =
        consensus::standing_apart(ballots(state).iter(), decision.verdict, decision.choice.as_deref());
    decision.blockers.clear();
    decision.has_conflict = false;
    decision.recommendation = Recommendation::Proceed;
    decision.elapsed_ms = state.last_at.millis_since(state.submitted_at);
    decision.reasoning.retain(|reason| reason != consensus::NEEDS_PERSON && !reason.starts_with(PUT));
    let place = instead_of.as_deref().unwrap_or("no result");
    decision.reasoning.push(format!("{PUT}{answer} in the place of {place}"));
    decision.decided_by = DecidedBy::Override { answer: answer.to_owned(), instead_of, note: note.to_owned() };
    Ok(decision)
}

/// The last draft, where the workflow makes one: it is what the decision is about.
fn draft(state: &RunState) -> Option<AnswerRef> {
    let step = last_draft(state)?;
    let summary = step.opinion.as_ref().map_or(String::new(), |opinion| opinion.summary.clone());
    Some(AnswerRef { member: step.member.clone(), content: step.answer, summary })
}

fn last_draft(state: &RunState) -> Option<&Step> {
    state.steps.iter().rev().find(|step| step.draft && step.status == StepStatus::Done)
}

/// Each member's last opinion; drafts are none, and neither is what was said of an earlier draft or round, or of one
/// disputed claim only.
pub(super) fn ballots(state: &RunState) -> Vec<Ballot<'_>> {
    let mut latest: BTreeMap<&MemberId, &Step> = BTreeMap::new();
    let drafted = last_draft(state).map(|step| step.id);
    let asked_again = |step: &Step| state.steps.iter().any(|other| other.node == step.node && other.round > step.round);
    let spoke = |step: &&Step| !step.draft && step.opinion.is_some() && !step.is_aside();
    let counts = |step: &&Step| spoke(step) && Some(step.id) > drafted && !asked_again(step);
    for step in state.steps.iter().filter(counts) {
        latest.insert(&step.member, step);
    }
    let mut ballots = Vec::with_capacity(latest.len());
    for step in latest.into_values() {
        if let (Some(member), Some(opinion)) = (state.member(&step.member), step.opinion.as_ref()) {
            ballots.push(Ballot { member, opinion, answer: step.answer });
        }
    }
    ballots
}

/// The last failed try of each member that gave nothing in that step.
fn failures(state: &RunState) -> Vec<Failure> {
    let mut failures: BTreeMap<MemberId, Failure> = BTreeMap::new();
    // What failed in a seat of the task says more than what failed when one claim was put to it.
    let (asked, argued): (Vec<&Step>, Vec<&Step>) =
        state.steps.iter().filter(|step| step.evidence.is_none()).partition(|step| !step.is_aside());
    // How the test of a claim fared is told with it.
    let told = |step: &&Step| !matches!(step.work, Work::Reproduce { .. });
    for step in argued.into_iter().chain(asked).filter(told) {
        for attempt in &step.attempts {
            let Some(outcome) = attempt.outcome.as_ref().filter(|outcome| !outcome.is_ok()) else { continue };
            let answered = step.status == StepStatus::Done;
            if *outcome == Outcome::Cancelled || (answered && step.member == attempt.member) {
                continue;
            }
            let other = if answered { Some(&step.member) } else { answered_for(state, step) };
            failures.insert(
                attempt.member.clone(),
                Failure {
                    member: attempt.member.clone(),
                    outcome: outcome.clone(),
                    detail: attempt.detail.clone(),
                    replaced_by: other.cloned(),
                },
            );
        }
    }
    failures.into_values().collect()
}

/// Who answered in a later step of the same seat.
fn answered_for<'a>(state: &'a RunState, step: &Step) -> Option<&'a MemberId> {
    let of_seat = |other: &&Step| other.id > step.id && other.seat() == step.seat();
    let answered = |other: &&Step| other.status == StepStatus::Done;
    state.steps.iter().filter(of_seat).find(answered).map(|other| &other.member)
}

/// What each check said last.
pub(super) fn checks(state: &RunState) -> Vec<CheckOutcome<'_>> {
    let mut latest: BTreeMap<&MemberId, CheckOutcome<'_>> = BTreeMap::new();
    for step in state.steps.iter().filter(|step| step.work == Work::Check) {
        if let Some(evidence) = &step.evidence {
            latest.insert(&step.member, CheckOutcome { member: &step.member, evidence });
        }
    }
    latest.into_values().collect()
}

fn trials(state: &RunState) -> Vec<Tried<'_>> {
    let tried = |step: &Step| match &step.work {
        Work::Try { patch, .. } => Some(*patch),
        Work::Prompt(_) | Work::Check | Work::Reproduce { .. } => None,
    };
    let mut trials = Vec::new();
    for step in &state.steps {
        if let (Some(content), Some(evidence)) = (tried(step), &step.evidence) {
            trials.push(Tried { content, evidence, diff: step.answer });
        }
    }
    trials
}

/// The distinct patches among the opinions that no step has tried, each with a step whose answer holds it.
pub(super) fn untried(state: &RunState) -> Vec<(StepId, Hash)> {
    let mut untried: Vec<(StepId, Hash)> = Vec::new();
    for ballot in ballots(state) {
        let Position::Patch { content, .. } = &ballot.opinion.position else { continue };
        let known = |step: &Step| matches!(&step.work, Work::Try { patch, .. } if patch == content);
        let of = state.steps.iter().rev().find(|step| {
            step.member == ballot.member.id && step.opinion.as_ref().is_some_and(|own| own == ballot.opinion)
        });
        if let Some(of) = of.filter(|_| !state.steps.iter().any(known))
            && !untried.iter().any(|(_, patch)| patch == content)
        {
            untried.push((of.id, *content));
        }
    }
    untried
}

/// Seats that were held back and have not been asked, with what a call to each is estimated to cost.
pub(super) fn held(state: &RunState) -> Vec<Held<'_>> {
    let Some(plan) = &state.plan else { return Vec::new() };
    let Some(inputs) = &state.inputs else { return Vec::new() };
    let tokens = inputs.task.estimated_tokens();
    let (topic, tiers) = (plan.classification.kind.as_str(), &inputs.rules.tier_reliability);
    let unasked = plan.team.held.iter().filter(|seat| !state.was_asked(&seat.member));
    let members = unasked.filter_map(|seat| state.member(&seat.member));
    let question = &plan.classification.question;
    let held = |member: &'_ Member| inputs.experience.reliability(question, member, topic, tiers);
    members.map(|member| Held { member, reliability: held(member), cost: member.estimate(tokens) }).collect()
}

fn over_budget(state: &RunState) -> Vec<MemberId> {
    let left_out = state.steps.iter().filter(|step| step.status == StepStatus::OverBudget);
    left_out.map(|step| step.member.clone()).collect()
}
