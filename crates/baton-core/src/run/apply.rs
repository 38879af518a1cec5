//! The transition table: what each event does to the state, and when it cannot happen.

use std::sync::Arc;

use super::event::{Event, Inputs, SessionState, Stamped, TurnReport};
use super::state::{Attempt, Plan, RunState, Status, Step, StepStatus};
use super::{Illegal, decide, stand_in};
use crate::classify::{asking, classify_with};
use crate::handover;
use crate::ids::{MemberId, StepId};
use crate::journal::Actor;
use crate::outcome::{Outcome, Retry};
use crate::route::{Request, Team, route};
use crate::units::{MicroUsd, Timestamp};

pub(super) fn apply(state: &mut RunState, stamped: Stamped) -> Result<(), Illegal> {
    let Stamped { at, actor, event } = stamped;
    let kind = event.kind();
    let illegal = |because: &str| Illegal { event: kind, because: because.to_owned() };
    if state.inputs.is_none() != matches!(event, Event::Submitted(_)) {
        return Err(illegal("a run begins with `submitted`, once"));
    }
    if state.status.is_over() && !follows_the_end(state, &event) {
        return Err(illegal("the run is over"));
    }
    state.last_at = at;
    match event {
        Event::Submitted(inputs) => submitted(state, *inputs, at),
        Event::StepStarted { step, attempt, member, session, .. } => {
            let begun = started(state, step, attempt, member, at).map_err(illegal)?;
            begun.session = session;
        }
        Event::StepFinished { step, attempt, report } => finished(state, step, attempt, report, at).map_err(illegal)?,
        Event::OpinionRead { step, opinion, .. } => {
            let step = reading(state, step, Reads::Opinion).map_err(illegal)?;
            step.opinion = Some(opinion);
        }
        Event::EvidenceRecorded { step, evidence } => {
            let step = reading(state, step, Reads::Evidence).map_err(illegal)?;
            step.evidence = Some(evidence);
        }
        Event::StepInDoubt { step, attempt } => in_doubt(state, step, attempt, at).map_err(illegal)?,
        Event::TimerFired { step } => timer_fired(state, step).map_err(illegal)?,
        Event::CancelRequested if state.status.is_over() => {}
        Event::CancelRequested => {
            state.cancelled = true;
            // A run that is parked at a gate is not to wait for an answer any more.
            state.status = Status::Open;
        }
        Event::PersonAnswered { node, answer, note } => {
            if state.status != (Status::Waiting { node }) {
                return Err(illegal("no question is open there"));
            }
            // A client's word is recorded; the gate stays open for a person.
            if !matches!(actor, Actor::Client(_)) {
                state.status = Status::Open;
            }
            state.answered = Some((actor, answer, note));
            state.to_record = decide::answered(state).map(Arc::new);
        }
        Event::Overridden { answer, note } => {
            let decision = decide::overridden(state, &actor, &answer, &note).map_err(illegal)?;
            // Where it was waited for a person, the person has said more than was asked.
            state.status = Status::Decided;
            state.to_record = Some(Arc::new(decision));
        }
        Event::Decided(decision) => {
            if state.to_record.take().is_none() {
                return Err(illegal("nothing was decided here"));
            }
            // The recorded decision is kept, not the computed one: `verify` compares the two.
            state.decision = Some(Arc::new(*decision));
        }
    }
    Ok(())
}

/// What may still come when a run is over: a wish to stop that came too late, and a person's other decision.
fn follows_the_end(state: &RunState, event: &Event) -> bool {
    match event {
        Event::CancelRequested | Event::Overridden { .. } => true,
        Event::Decided(_) => state.to_record.is_some(),
        _ => false,
    }
}

fn submitted(state: &mut RunState, inputs: Inputs, at: Timestamp) {
    let mut classification = classify_with(&inputs.task, &inputs.corrections);
    if let Some(heard) = &inputs.said_kind {
        classification = asking::settle(&inputs.task, classification, heard.member.as_str(), heard.said);
    }
    let present = handover::present(&inputs, at);
    let whole = Request {
        members: &inputs.members,
        roles: &inputs.roles,
        rules: &inputs.rules,
        experience: &inputs.experience,
        load: &inputs.load,
        tokens: inputs.task.estimated_tokens(),
        named: &inputs.named,
        // With somebody away nobody is held back: who takes a seat over is to be seen at once.
        grows: inputs.workflow.asks_later() && !present.is_anybody_away(),
    };
    let mut team = route(&classification, &Request { members: &present.members, named: &present.named, ..whole });
    let whole = if present.is_anybody_away() { route(&classification, &whole) } else { Team::default() };
    present.settle(&inputs, &whole, &mut team);
    state.repeats = vec![0; inputs.workflow.nodes.len()];
    state.plan = Some(Arc::new(Plan { classification, team }));
    state.inputs = Some(Arc::new(inputs));
    state.submitted_at = at;
}

fn find(state: &mut RunState, id: StepId) -> Result<&mut Step, &'static str> {
    state.steps.get_mut(id.index()).ok_or("there is no such step")
}

fn started(
    state: &mut RunState,
    id: StepId,
    attempt: u8,
    member: MemberId,
    at: Timestamp,
) -> Result<&mut Attempt, &'static str> {
    let reserved = reserve(state, &member);
    let step = find(state, id)?;
    if step.status != StepStatus::Planned || usize::from(attempt) != step.attempts.len() || step.member != member {
        return Err("the step was not to be asked so");
    }
    step.status = StepStatus::Running;
    step.attempts.push(Attempt {
        member,
        started: at,
        outcome: None,
        detail: String::new(),
        usage: None,
        model: None,
        cost: None,
        reserved,
        session: None,
    });
    step.attempts.last_mut().ok_or("the step was not to be asked so")
}

/// What a turn of this member may cost; nothing when that is unknown, which is said in the decision.
pub(super) fn reserve(state: &RunState, member: &MemberId) -> MicroUsd {
    let tokens = state.inputs.as_ref().map_or(0, |inputs| inputs.task.estimated_tokens());
    state.member(member).and_then(|member| member.estimate(tokens)).unwrap_or_default()
}

/// Money is set aside for every call that is still to come, so that a parallel wave cannot pass the cap together.
pub(super) fn fits_cap(state: &RunState, member: &MemberId) -> bool {
    let Some(cap) = state.inputs.as_ref().and_then(|inputs| inputs.rules.spend_cap) else { return true };
    let to_come = |step: &&Step| matches!(step.status, StepStatus::Planned | StepStatus::Waiting { .. });
    let planned = state.steps.iter().filter(to_come);
    let planned = planned.fold(MicroUsd(0), |sum, step| sum.plus(reserve(state, &step.member)));
    state.committed().plus(planned).plus(reserve(state, member)) <= cap
}

fn finished(
    state: &mut RunState,
    id: StepId,
    attempt: u8,
    report: TurnReport,
    at: Timestamp,
) -> Result<(), &'static str> {
    let asked = state.steps.get(id.index()).map(|step| step.member.clone()).ok_or("there is no such step")?;
    let told = state.member(&asked).and_then(|member| member.cost(report.usage.as_ref()));
    let cost = if report.usage.is_none() && report.outcome.is_free() { Some(MicroUsd(0)) } else { told };
    let step = find(state, id)?;
    if step.status != StepStatus::Running || usize::from(attempt) + 1 != step.attempts.len() {
        return Err("the step was not running");
    }
    if let Some(last) = step.attempts.last_mut() {
        last.outcome = Some(report.outcome.clone());
        last.detail = report.detail;
        last.usage = report.usage;
        last.model = report.provenance.model;
        last.cost = cost;
    }
    if report.outcome.is_ok() {
        step.answer = report.answer;
        step.status = StepStatus::Reading;
    } else {
        after_failure(state, id, &report.outcome, at);
    }
    Ok(())
}

/// What an answer is read as.
#[derive(PartialEq, Eq)]
enum Reads {
    Opinion,
    Evidence,
}

fn reading(state: &mut RunState, id: StepId, reads: Reads) -> Result<&mut Step, &'static str> {
    let step = find(state, id)?;
    if step.is_evidence() != (reads == Reads::Evidence) {
        return Err("a check gives evidence and no opinion, a member an opinion and no evidence");
    }
    if step.status != StepStatus::Reading {
        return Err("the step has no answer to be read");
    }
    step.status = StepStatus::Done;
    Ok(step)
}

fn in_doubt(state: &mut RunState, id: StepId, attempt: u8, at: Timestamp) -> Result<(), &'static str> {
    // Known all the same where a call costs nothing.
    let cost = state.step(id).and_then(|step| state.member(&step.member)).and_then(|member| member.cost(None));
    let step = find(state, id)?;
    if step.status != StepStatus::Running || usize::from(attempt) + 1 != step.attempts.len() {
        return Err("the step was not running");
    }
    if let Some(last) = step.attempts.last_mut() {
        last.outcome = Some(Outcome::InDoubt);
        last.cost = cost;
        last.detail = "the process ended while this was being asked".into();
    }
    after_failure(state, id, &Outcome::InDoubt, at);
    Ok(())
}

fn timer_fired(state: &mut RunState, id: StepId) -> Result<(), &'static str> {
    let step = find(state, id)?;
    if !matches!(step.status, StepStatus::Waiting { .. }) {
        return Err("the step waits for no timer");
    }
    step.status = StepStatus::Planned;
    Ok(())
}

/// Same member later, another member, or the end of the step.
fn after_failure(state: &mut RunState, id: StepId, outcome: &Outcome, at: Timestamp) {
    let tries = state.inputs.as_ref().map_or(1, |inputs| usize::from(inputs.rules.attempts));
    let used = stand_in::tries(state, state.steps[id.index()].seat());
    let same = state.steps[id.index()].member.clone();
    let next = if state.cancelled || used >= tries {
        None
    } else {
        match outcome.retry() {
            Retry::Never => None,
            // The same member again, in a new conversation that is told of the old one.
            _ if lost_its_session(state, id, outcome) && fits_cap(state, &same) => Some((same, 0)),
            Retry::SameMember { after_ms }
                if first_of_its_sort(&state.steps[id.index()], outcome) && fits_cap(state, &same) =>
            {
                Some((same, after_ms))
            }
            Retry::SameMember { .. } | Retry::OtherMember => {
                stand_in::of_failed(state, id, outcome, at).map(|member| (member, 0))
            }
        }
    };
    let step = &mut state.steps[id.index()];
    match next {
        None => step.status = StepStatus::GaveUp,
        Some((member, 0)) => {
            step.member = member;
            step.status = StepStatus::Planned;
        }
        Some((member, after_ms)) => {
            step.member = member;
            step.status = StepStatus::Waiting { until: at.plus_millis(after_ms) };
        }
    }
}

/// The member does not know the conversation that it was to go on with; it has not been asked anew yet.
fn lost_its_session(state: &RunState, id: StepId, outcome: &Outcome) -> bool {
    let resumed =
        |attempt: &Attempt| matches!(&attempt.session, Some(session) if session.state == SessionState::Resumed);
    let last = state.steps[id.index()].attempts.last();
    *outcome == Outcome::SessionNotFound && last.is_some_and(resumed)
}

/// The member has not failed so in this step before. That a process died is no failure of the member, nor the other way
/// round.
fn first_of_its_sort(step: &Step, outcome: &Outcome) -> bool {
    let in_doubt = |outcome: &Outcome| *outcome == Outcome::InDoubt;
    let of_member = step.attempts.iter().filter(|attempt| attempt.member == step.member);
    let ends = of_member.filter_map(|attempt| attempt.outcome.as_ref());
    ends.filter(|end| in_doubt(end) == in_doubt(outcome)).count() < 2
}
