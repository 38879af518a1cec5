//! Disputed claims: who is asked about them, and what their answers come to.
//!
//! A dispute is put to a member as a choice between two sides, `A` and `B`, each shown by the words of its strongest
//! member and without a name. Nothing but that one claim is asked, so an answer costs little and settles one thing.

use crate::consensus::{Ballot, Conflict, Ruling, Side, Speaker, is_worded_as_vote};
use crate::evidence::Evidence;
use crate::hash::Hash;
use crate::ids::{MemberId, StepId};
use crate::member::Member;
use crate::opinion::Position;
use crate::outcome::Outcome;
use crate::route::{Role, Seat};
use crate::task::Question;

use super::decide::{ballots, checks};
use super::state::{Plan, RunState, Step, StepStatus, Work};

/// How many disputed claims are taken up, in the order of the decision.
const MOST_DISPUTES: usize = 3;
/// The names under which the sides are shown.
const LABELS: [&str; 2] = ["A", "B"];

/// Which side is shown first. Judges lean to a place: an arbiter is asked in both.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Order {
    HoldingFirst,
    AgainstFirst,
}

/// One disputed claim as it is put to a member.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Dispute {
    pub claim: String,
    pub order: Order,
    /// The steps whose answers speak for the claim and against it.
    pub holds: StepId,
    pub against: StepId,
    /// What the asked member itself said; `None` for an arbiter.
    pub own: Option<Side>,
}

impl Dispute {
    /// What is asked about every dispute.
    #[must_use]
    pub fn question() -> Question {
        Question::Choice(LABELS.map(str::to_owned).to_vec())
    }

    /// The sides as shown: label, side, and the step to be quoted.
    #[must_use]
    pub const fn shown(&self) -> [(&'static str, Side, StepId); 2] {
        let (holds, against) = (self.holds, self.against);
        match self.order {
            Order::HoldingFirst => [(LABELS[0], Side::Holds, holds), (LABELS[1], Side::Against, against)],
            Order::AgainstFirst => [(LABELS[0], Side::Against, against), (LABELS[1], Side::Holds, holds)],
        }
    }

    /// The label under which a side is shown.
    #[must_use]
    pub const fn label(&self, side: Side) -> &'static str {
        match (self.order, side) {
            (Order::HoldingFirst, Side::Holds) | (Order::AgainstFirst, Side::Against) => LABELS[0],
            (Order::HoldingFirst, Side::Against) | (Order::AgainstFirst, Side::Holds) => LABELS[1],
        }
    }

    fn side(&self, label: &str) -> Option<Side> {
        [Side::Holds, Side::Against].into_iter().find(|side| self.label(*side) == label)
    }
}

/// What was run, bears on a disputed claim, and did not settle it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ran<'a> {
    /// A check of the files as they are.
    Check(&'a Evidence),
    /// A test that a member wrote for this very claim.
    Test {
        evidence: &'a Evidence,
        /// The test as a diff, as it was run.
        diff: Option<Hash>,
    },
}

/// What is to be told to those who are asked about a claim: tests of it first, then the checks. Where patches are
/// compared the checks say nothing of either.
#[must_use]
pub fn ran<'a>(state: &'a RunState, claim: &str) -> Vec<Ran<'a>> {
    let test = |step: &'a Step| match step.work {
        Work::Reproduce { of, .. } if state.step(of)?.claim()?.claim == claim => {
            Some(Ran::Test { evidence: step.evidence.as_ref()?, diff: step.answer })
        }
        _ => None,
    };
    let patches = state.plan.as_ref().is_some_and(|plan| plan.classification.question == Question::Patch);
    let checks = if patches { Vec::new() } else { checks(state) };
    let checks = checks.into_iter().map(|check| Ran::Check(check.evidence));
    state.steps.iter().filter_map(test).chain(checks).collect()
}

/// A seat and the dispute that it is asked about.
pub(super) type Asked = (Seat, Dispute);

/// The strongest member of either side of each open dispute, each shown the other side first.
pub(super) fn sides(state: &RunState) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (conflict, [holds, against]) in open(state) {
        let seat = |step: &Step, own| {
            let rule = format!("argues about: {}", conflict.claim);
            let order = if own == Side::Holds { Order::AgainstFirst } else { Order::HoldingFirst };
            let dispute =
                Dispute { claim: conflict.claim.clone(), order, holds: holds.id, against: against.id, own: Some(own) };
            (Seat { member: step.member.clone(), role: step.role, rule }, dispute)
        };
        asked.push(seat(holds, Side::Holds));
        asked.push(seat(against, Side::Against));
    }
    asked
}

/// For each open dispute a member that stands on no side of it, nor is of a side's family, once in each order.
pub(super) fn arbiters(state: &RunState, plan: &Plan) -> Vec<Asked> {
    let mut asked = Vec::new();
    for (conflict, [holds, against]) in open(state) {
        let mut argue: Vec<&MemberId> = conflict.holds.iter().chain(&conflict.against).collect();
        if is_worded_as_vote(&conflict.claim) {
            argue.extend(choosers(state));
        }
        let Some(arbiter) = arbiter(state, plan, &argue) else { continue };
        for order in [Order::HoldingFirst, Order::AgainstFirst] {
            let rule = "arbiter: of another family than those who disagree".to_owned();
            let seat = Seat { member: arbiter.id.clone(), role: Role::Arbiter, rule };
            let claim = conflict.claim.clone();
            asked.push((seat, Dispute { claim, order, holds: holds.id, against: against.id, own: None }));
        }
    }
    asked
}

/// Who chose an option: of a dispute between two others it is no judge.
fn choosers(state: &RunState) -> impl Iterator<Item = &MemberId> {
    let chose = |ballot: &Ballot<'_>| matches!(ballot.opinion.position, Position::Choice { .. });
    ballots(state).into_iter().filter(chose).map(|ballot| &ballot.member.id)
}

/// The open conflicts of the last decision, with the steps in which the strongest member of either side spoke.
fn open(state: &RunState) -> Vec<(&Conflict, [&Step; 2])> {
    let Some(decision) = &state.decision else { return Vec::new() };
    let conflicts = decision.conflicts.iter().filter(|conflict| conflict.settled_by.is_none());
    let argued = conflicts.filter_map(|conflict| {
        Some((conflict, [speaker(state, &conflict.holds)?, speaker(state, &conflict.against)?]))
    });
    argued.take(MOST_DISPUTES).collect()
}

/// The step of the strongest of these members whose opinion counts.
fn speaker<'a>(state: &'a RunState, members: &[MemberId]) -> Option<&'a Step> {
    let mut ballots: Vec<Ballot<'_>> = ballots(state);
    ballots.retain(|ballot| members.contains(&ballot.member.id));
    ballots.sort_by(|a, b| (a.member.tier, &a.member.id).cmp(&(b.member.tier, &b.member.id)));
    let strongest = &ballots.first()?.member.id;
    state.steps.iter().rev().find(|step| {
        step.member == *strongest && step.status == StepStatus::Done && step.opinion.is_some() && !step.is_aside()
    })
}

/// The strongest that could be asked, of another family and vendor than those who argue, and that has not failed in
/// this run.
pub(super) fn outsider<'a>(state: &'a RunState, plan: &Plan, argue: &[&MemberId]) -> Option<&'a Member> {
    outsiders(state, plan, argue).into_iter().min_by(|a, b| (a.tier, &a.id).cmp(&(b.tier, &b.id)))
}

/// An arbiter does not vote: the strongest outsider that gave no opinion in this run; only where there is none one that
/// did, and took no side here.
fn arbiter<'a>(state: &'a RunState, plan: &Plan, argue: &[&MemberId]) -> Option<&'a Member> {
    let key = |member: &'a Member| (answered(state, &member.id), member.tier, &member.id);
    outsiders(state, plan, argue).into_iter().min_by_key(|member| key(member))
}

fn outsiders<'a>(state: &'a RunState, plan: &Plan, argue: &[&MemberId]) -> Vec<&'a Member> {
    let argue: Vec<&Member> = argue.iter().filter_map(|id| state.member(id)).collect();
    let of_team = plan.team.seats.iter().map(|seat| &seat.member).chain(&plan.team.ladder);
    let free = of_team.filter_map(|id| state.member(id)).filter(|member| {
        !member.is_check()
            && !has_failed(state, &member.id)
            && !argue.iter().any(|other| other.family == member.family || other.vendor == member.vendor)
    });
    free.collect()
}

/// It gave an opinion on the task, and not only on one claim.
fn answered(state: &RunState, id: &MemberId) -> bool {
    state.steps.iter().any(|step| step.member == *id && step.opinion.is_some() && !step.is_aside())
}

/// A turn in doubt is no failure of the member's: baton was killed, or lost sight of it.
pub(super) fn has_failed(state: &RunState, id: &MemberId) -> bool {
    let mut attempts = state.steps.iter().flat_map(|step| &step.attempts).filter(|attempt| attempt.member == *id);
    let fails = |end: &Outcome| !end.is_ok() && *end != Outcome::InDoubt;
    attempts.any(|attempt| attempt.outcome.as_ref().is_some_and(fails))
}

/// What was answered about disputes.
pub(super) fn rulings(state: &RunState) -> Vec<Ruling> {
    state.steps.iter().filter_map(ruling).collect()
}

fn ruling(step: &Step) -> Option<Ruling> {
    let dispute = step.dispute()?;
    let side = match &step.opinion.as_ref()?.position {
        Position::Choice { option } => dispute.side(option),
        _ => None,
    };
    let speaker = match dispute.own {
        Some(own) => Speaker::Party { own },
        None => Speaker::Arbiter { holding_first: dispute.order == Order::HoldingFirst },
    };
    Some(Ruling { claim: dispute.claim.clone(), member: step.member.clone(), side, speaker })
}
