//! Who is asked in place of a member that gave nothing.
//!
//! A failure has its stand-in at once, as a further attempt of its step. A refusal, an unreadable answer or an abstention
//! is an answer, and the others may still be enough without it; so is a failure for which nobody was left but members of
//! vendors that have answered. These are looked at when a wave is over: while vendors are missing that the decision needs,
//! and somebody is left who could mend that, others are asked, each in a step of its own for one of the empty seats.
//!
//! All tries for one seat together are bounded by `Rules::attempts`, all money by the spending cap. A critical task is
//! never handed to a weaker member.

use std::collections::BTreeSet;

use super::apply::fits_cap;
use super::decide;
use super::state::{RunState, Step, StepStatus};
use crate::handover;
use crate::ids::{MemberId, StepId};
use crate::outcome::Outcome;
use crate::route::Role;
use crate::task::Priority;
use crate::units::Timestamp;
use crate::workflow::{Act, Who};

/// The best member of the ladder that this wave has not asked and that fits the spending cap.
pub(super) fn of_failed(state: &RunState, id: StepId, outcome: &Outcome, at: Timestamp) -> Option<MemberId> {
    let step = state.step(id)?;
    handover::ladder(state, step, outcome, at).into_iter().find(|member| may_take(state, step, member))
}

/// How often a seat was tried, by all who were asked for it.
pub(super) fn tries(state: &RunState, seat: StepId) -> usize {
    state.steps.iter().filter(|step| step.seat() == seat).map(|step| step.attempts.len()).sum()
}

/// Who stood in for whom in a step of its own.
pub(super) fn told(state: &RunState) -> Vec<(MemberId, MemberId)> {
    let asked = state.steps.iter().filter(|step| !step.attempts.is_empty());
    let of_seat = |step: &Step| {
        let seat = state.step(step.stands_in_for?)?;
        let own = seat.attempts.first().map_or(&seat.member, |first| &first.member);
        Some((step.member.clone(), own.clone()))
    };
    asked.filter_map(of_seat).collect()
}

fn may_take(state: &RunState, step: &Step, member: &MemberId) -> bool {
    // Nobody can take a side's part in a dispute, an arbiter answers in both orders or not at all, and who writes a test
    // must be of a family that has no part in it.
    let alone = step.role == Role::Check || step.is_aside();
    !alone && !was_asked(state, step, member) && is_strong_enough(state, step, member) && fits_cap(state, member)
}

/// It was asked in this wave. What later seats are asked, the first ones were asked as well.
fn was_asked(state: &RunState, step: &Step, member: &MemberId) -> bool {
    let of_wave = state.steps.iter().filter(|other| (other.node, other.round) == (step.node, step.round));
    let mut asked = of_wave.flat_map(|other| other.attempts.iter().map(|one| &one.member).chain([&other.member]));
    let later = matches!(act(state, step.node), Some(Act::Ask { who: Who::Further, .. }));
    asked.any(|known| known == member) || (later && state.was_asked(member))
}

fn act(state: &RunState, node: usize) -> Option<&Act> {
    Some(&state.inputs.as_ref()?.workflow.nodes.get(node)?.act)
}

fn is_strong_enough(state: &RunState, step: &Step, member: &MemberId) -> bool {
    let critical = state.plan.as_ref().is_some_and(|plan| plan.classification.priority == Priority::Critical);
    let tier = state.member(&step.member).map_or(5, |member| member.tier);
    !critical || state.member(member).is_some_and(|other| other.tier <= tier)
}

/// The next one to be asked for an empty seat of the wave that is over, while its answers are of too few vendors. Asked
/// again once that one has its step, it names the next, until enough are under way.
pub(super) fn for_quorum(state: &RunState) -> Option<(StepId, MemberId)> {
    let (inputs, plan) = (state.inputs.as_ref()?, state.plan.as_ref()?);
    let Act::Ask { draft, who, .. } = act(state, state.node)? else { return None };
    let needed = if *who == Who::Lead { 1 } else { usize::from(plan.team.vendors_needed).max(1) };
    let mut vendors = if *draft { drafters(state) } else { voters(state) };
    vendors.extend(wave(state).filter(|step| !step.status.is_over()).filter_map(|step| vendor(state, &step.member)));
    if vendors.len() >= needed {
        return None;
    }
    let tries_left = |step: &&Step| tries(state, step.seat()) < usize::from(inputs.rules.attempts);
    // What the cap left out stays out, though money came back since: its member was told to be left out, not to fail.
    let failed = |seat: &Step| seat.status != StepStatus::OverBudget && !gave(seat);
    let free = |seat: &&Step| failed(seat) && !is_under_way(state, seat.id);
    let seats = wave(state).filter(|step| step.stands_in_for.is_none()).filter(tries_left).filter(free);
    // Where a stand-in took a position already, the seat is used only when no empty one is left.
    let (filled, empty): (Vec<&Step>, Vec<&Step>) = seats.partition(|seat| is_filled(state, seat.id));
    let takers = |seat: &Step| takers(state, seat, &vendors);
    let taken: Vec<(StepId, MemberId)> = empty.into_iter().chain(filled).flat_map(takers).collect();
    let reach: BTreeSet<&str> = taken.iter().filter_map(|(_, member)| vendor(state, member)).collect();
    // Where enough cannot be had any more, one answer is still better than none.
    let mends = vendors.is_empty() || vendors.len() + reach.len() >= needed;
    taken.into_iter().next().filter(|_| mends)
}

fn wave(state: &RunState) -> impl Iterator<Item = &Step> {
    let round = state.round();
    state.steps.iter().filter(move |step| (step.node, step.round) == (state.node, round))
}

fn vendor<'a>(state: &'a RunState, member: &MemberId) -> Option<&'a str> {
    state.member(member).map(|member| member.vendor.as_str())
}

/// Vendors whose members take a position that is counted.
fn voters(state: &RunState) -> BTreeSet<&str> {
    let counted = decide::ballots(state).into_iter().filter(|ballot| !ballot.opinion.position.abstains());
    counted.map(|ballot| ballot.member.vendor.as_str()).collect()
}

/// Vendors whose members wrote a draft in this wave.
fn drafters(state: &RunState) -> BTreeSet<&str> {
    wave(state).filter(|step| has_position(step)).filter_map(|step| vendor(state, &step.member)).collect()
}

fn has_position(step: &Step) -> bool {
    step.status == StepStatus::Done && step.opinion.as_ref().is_some_and(|opinion| !opinion.position.abstains())
}

fn is_under_way(state: &RunState, seat: StepId) -> bool {
    state.steps.iter().any(|step| step.seat() == seat && !step.status.is_over())
}

/// Somebody took a position in this seat.
fn is_filled(state: &RunState, seat: StepId) -> bool {
    state.steps.iter().any(|step| step.seat() == seat && has_position(step))
}

/// The member whose seat it is took a position itself. Where another one did so for it, there is still room for one of
/// a vendor that is missing.
fn gave(seat: &Step) -> bool {
    has_position(seat) && seat.attempts.first().is_some_and(|first| first.member == seat.member)
}

/// Who could take this seat and is of a vendor that is missing, best first.
fn takers(state: &RunState, seat: &Step, vendors: &BTreeSet<&str>) -> Vec<(StepId, MemberId)> {
    let outcome = seat.attempts.last().and_then(|last| last.outcome.clone()).unwrap_or(Outcome::Ok);
    let new = |member: &MemberId| vendor(state, member).is_some_and(|vendor| !vendors.contains(vendor));
    let ladder = handover::ladder(state, seat, &outcome, state.last_at).into_iter();
    ladder.filter(|member| new(member) && may_take(state, seat, member)).map(|member| (seat.id, member)).collect()
}
