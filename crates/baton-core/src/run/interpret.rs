//! The one interpreter of workflows: enters nodes whose condition holds and leaves them when their work is over.

use std::sync::Arc;

use super::apply::fits_cap;
use super::dispute::{self, Dispute};
use super::state::{PromptPlan, RunState, Status, Step, StepStatus, Work};
use super::{Inputs, Plan, TestedClaim, decide, reproduce, stand_in};
use crate::consensus::{Recommendation, worth_asking};
use crate::ids::{MemberId, StepId};
use crate::member::Nature;
use crate::opinion::Verdict;
use crate::route::{Role, Seat};
use crate::task::{Kind, Priority, Question};
use crate::workflow::{Act, Artefact, When, Who};

/// Goes as far as it can without the outside.
pub(super) fn advance(state: &mut RunState) {
    let (Some(inputs), Some(plan)) = (state.inputs.clone(), state.plan.clone()) else { return };
    while state.status == Status::Open {
        if state.cancelled {
            end_if_quiet(state);
            return;
        }
        if !state.entered {
            let Some(node) = inputs.workflow.nodes.get(state.node) else {
                state.status = Status::Decided;
                return;
            };
            if holds(state, &plan, node.when) {
                state.entered = true;
                enter(state, &inputs, &plan, &node.act);
                continue;
            }
            state.node += 1;
            continue;
        }
        if !is_over(state, &inputs) {
            return;
        }
        if !mend_quorum(state) {
            leave(state, &inputs);
        }
    }
}

/// A cancelled run ends once nothing is under way any more.
fn end_if_quiet(state: &mut RunState) {
    let running = |step: &Step| matches!(step.status, StepStatus::Running | StepStatus::Reading);
    if !state.steps.iter().any(running) {
        state.to_record = None;
        state.status = Status::Cancelled;
    }
}

fn holds(state: &RunState, plan: &Plan, when: When) -> bool {
    match when {
        When::Always => true,
        When::Checks => has_checks(state) && bears_on_code(state, plan),
        When::Proceeds => proceeds(state),
        When::NotProceeds => !proceeds(state),
        When::Conflict => in_conflict(state),
        When::Critical => plan.classification.priority == Priority::Critical,
        When::NeedsPerson => plan.classification.priority == Priority::Critical || in_conflict(state),
        When::WorthAsking => decide::decide(state).is_some_and(|so_far| {
            let rules = state.inputs.as_ref().map(|inputs| &inputs.rules);
            let question = &plan.classification.question;
            rules.is_some_and(|rules| worth_asking(&so_far, question, &decide::held(state), rules))
        }),
        When::Tested => !state.untested.is_empty() || state.steps.iter().any(|step| step.claim().is_some()),
        When::AskedToRevise => state.answered.as_ref().is_some_and(|(_, answer, _)| answer == "revise"),
    }
}

fn in_conflict(state: &RunState) -> bool {
    state.decision.as_ref().is_some_and(|decision| decision.has_conflict)
}

/// The decision may be acted on, with caution at least. Where a draft is under review, one that is sure to need changes may not.
fn proceeds(state: &RunState) -> bool {
    let drafted = state.steps.iter().any(|step| step.draft);
    state.decision.as_ref().is_some_and(|decision| {
        let stands = decision.verdict.is_none_or(Verdict::approves);
        let acts = matches!(decision.recommendation, Recommendation::Proceed | Recommendation::ProceedWithCaution);
        acts && (stands || !drafted)
    })
}

fn has_checks(state: &RunState) -> bool {
    state.inputs.as_ref().is_some_and(|inputs| inputs.members.iter().any(|member| member.nature == Nature::Check))
}

/// What is judged is in the workspace, so that its checks say something about it: it is looked through for findings, or
/// it is attached, or the verdict is on a kind of work on code. A failing test says nothing on a company's name.
fn bears_on_code(state: &RunState, plan: &Plan) -> bool {
    let attached = state.inputs.as_ref().is_some_and(|inputs| !inputs.task.attachments.is_empty());
    let class = &plan.classification;
    let on_code = || {
        use Kind::{CodeReview, Implementation, Performance, QuickFix, Refactoring, SecurityReview, TestingStrategy};
        let kinds = matches!(
            class.kind,
            CodeReview | Implementation | Performance | QuickFix | Refactoring | SecurityReview | TestingStrategy
        );
        kinds && !class.unsure
    };
    match class.question {
        // What they say without any patch is held beside what they say with each.
        Question::Findings | Question::Patch => true,
        Question::Verdict => attached || on_code(),
        // Nothing that is counted there hangs on a check.
        Question::Choice(_) | Question::Text | Question::Test { .. } => false,
    }
}

fn enter(state: &mut RunState, inputs: &Inputs, plan: &Plan, act: &Act) {
    match act {
        Act::Ask { who, template, with, draft } => {
            let prompt = prompt_plan(state, inputs, template, with);
            // Where the draft failed there is nothing to review or revise.
            if !draft && with.contains(&Artefact::Draft) && prompt.draft.is_none() {
                return;
            }
            let before = state.steps.len();
            for (seat, about) in asked(state, plan, *who) {
                add_step(state, &seat, Work::Prompt(about.into(prompt.clone())), *draft);
            }
            if *who == Who::Arbiter {
                both_orders_or_none(&mut state.steps[before..]);
            }
        }
        Act::Check => {
            for check in inputs.members.iter().filter(|member| member.nature == Nature::Check) {
                let seat = Seat { member: check.id.clone(), role: Role::Check, rule: "check".into() };
                add_step(state, &seat, Work::Check, false);
            }
        }
        Act::Try => trials(state, inputs),
        Act::Reproduce => reproductions(state),
        Act::Decide => state.to_record = decide::decide(state).map(Arc::new),
        Act::Gate { .. } => state.status = Status::Waiting { node: state.node },
        Act::Repeat { .. } => {}
    }
}

/// An arbiter's word in one order settles nothing: where there is no money for the other, none is asked for.
fn both_orders_or_none(arbiters: &mut [Step]) {
    for orders in
        arbiters.chunk_by_mut(|one, other| one.dispute().map(|of| &of.claim) == other.dispute().map(|of| &of.claim))
    {
        if orders.iter().any(|step| step.status == StepStatus::OverBudget) {
            orders.iter_mut().for_each(|step| step.status = StepStatus::OverBudget);
        }
    }
}

/// A step for each distinct patch that was not tried yet.
fn trials(state: &mut RunState, inputs: &Inputs) {
    let Some(trial) = inputs.members.iter().find(|member| member.nature == Nature::Trial) else { return };
    for (of, patch) in decide::untried(state) {
        let seat = Seat { member: trial.id.clone(), role: Role::Check, rule: "trial".into() };
        add_step(state, &seat, Work::Try { of, patch }, false);
    }
}

/// A step for each test that was written and not run.
fn reproductions(state: &mut RunState) {
    let Some(runner) = reproduce::runner(state).map(|member| member.id.clone()) else { return };
    for (of, test) in reproduce::unrun(state) {
        let seat = Seat { member: runner.clone(), role: Role::Check, rule: "reproduction".into() };
        add_step(state, &seat, Work::Reproduce { of, test }, false);
    }
}

/// What a seat is asked about.
enum About {
    Task,
    Dispute(Dispute),
    Claim(TestedClaim),
}

impl About {
    fn into(self, plan: PromptPlan) -> PromptPlan {
        match self {
            Self::Task => plan,
            Self::Dispute(dispute) => PromptPlan { dispute: Some(dispute), ..plan },
            Self::Claim(claim) => PromptPlan { claim: Some(Box::new(claim)), ..plan },
        }
    }
}

/// Who writes tests. Claims for which nobody can are remembered, to be told.
fn testers(state: &mut RunState, plan: &Plan) -> Vec<(Seat, About)> {
    let mut asked = Vec::new();
    for (claim, seat) in reproduce::testers(state, plan) {
        match seat {
            Some(seat) => asked.push((seat, About::Claim(claim))),
            None if state.untested.contains(&claim.claim) => {}
            None => state.untested.push(claim.claim),
        }
    }
    asked
}

fn asked(state: &mut RunState, plan: &Plan, who: Who) -> Vec<(Seat, About)> {
    let seats = &plan.team.seats;
    let of_the_task = |seats: &[Seat]| seats.iter().map(|seat| (seat.clone(), About::Task)).collect();
    let of_disputes =
        |asked: Vec<dispute::Asked>| asked.into_iter().map(|(seat, about)| (seat, About::Dispute(about))).collect();
    match who {
        Who::Team => of_the_task(seats),
        Who::Lead => of_the_task(&seats[..seats.len().min(1)]),
        Who::Others if seats.len() > 1 => of_the_task(&seats[1..]),
        Who::Others => of_the_task(seats),
        Who::Further => {
            // Some may have stepped in for others already.
            let held = plan.team.held.iter().filter(|seat| !state.was_asked(&seat.member));
            of_the_task(&held.cloned().collect::<Vec<_>>())
        }
        Who::Sides => of_disputes(dispute::sides(state)),
        Who::Arbiter => of_disputes(dispute::arbiters(state, plan)),
        Who::Testers => testers(state, plan),
    }
}

fn add_step(state: &mut RunState, seat: &Seat, work: Work, draft: bool) {
    let id = StepId(u32::try_from(state.steps.len()).unwrap_or(u32::MAX));
    let status = if fits_cap(state, &seat.member) { StepStatus::Planned } else { StepStatus::OverBudget };
    state.steps.push(Step {
        id,
        node: state.node,
        round: state.round(),
        role: seat.role,
        stands_in_for: None,
        member: seat.member.clone(),
        work,
        draft,
        status,
        attempts: Vec::new(),
        opinion: None,
        evidence: None,
        answer: None,
    });
}

/// Whether others are asked now, as too few vendors answered in a wave that is over.
fn mend_quorum(state: &mut RunState) -> bool {
    let before = state.steps.len();
    while let Some((seat, member)) = stand_in::for_quorum(state) {
        take_seat(state, seat, member);
    }
    state.steps.len() > before
}

/// Asks somebody else what a seat was asked that gave nothing.
fn take_seat(state: &mut RunState, seat: StepId, member: MemberId) {
    let Some(of) = state.step(seat).cloned() else { return };
    let seat = Seat { member, role: of.role, rule: "stands in".into() };
    add_step(state, &seat, of.work, of.draft);
    if let Some(step) = state.steps.last_mut() {
        step.stands_in_for = Some(of.id);
    }
}

fn prompt_plan(state: &RunState, inputs: &Inputs, template: &str, with: &[Artefact]) -> PromptPlan {
    let answered = |step: &&Step| step.status == StepStatus::Done && !step.is_evidence() && !step.is_aside();
    let draft = state.steps.iter().rev().find(|step| step.draft && answered(step)).map(|step| step.id);
    let last_wave =
        state.steps.iter().rev().filter(answered).find(|step| !step.draft).map(|step| (step.node, step.round));
    let mut quotes = Vec::new();
    if with.contains(&Artefact::Opinions) {
        // A wave that was repeated is quoted in its last form.
        let of_wave = |step: &&Step| Some((step.node, step.round)) == last_wave && !step.draft;
        quotes = state.steps.iter().filter(answered).filter(of_wave).map(|step| step.id).collect();
        shuffle(&mut quotes, inputs.seed ^ state.steps.len() as u64);
    }
    let note = state.answered.as_ref().map(|(_, _, note)| note.clone());
    PromptPlan {
        template: template.to_owned(),
        with: with.to_vec(),
        draft: draft.filter(|_| with.contains(&Artefact::Draft)),
        quotes,
        note: note.filter(|_| with.contains(&Artefact::PersonsNote)),
        dispute: None,
        claim: None,
    }
}

/// Fisher-Yates with SplitMix64, so that the order depends on the frozen seed alone.
fn shuffle(steps: &mut [StepId], mut seed: u64) {
    for last in (1..steps.len()).rev() {
        seed = seed.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (seed ^ (seed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^= mixed >> 31;
        let range = last as u64 + 1;
        steps.swap(last, usize::try_from(mixed % range).unwrap_or(0));
    }
}

fn is_over(state: &RunState, inputs: &Inputs) -> bool {
    match inputs.workflow.nodes.get(state.node).map(|node| &node.act) {
        Some(Act::Ask { .. } | Act::Check | Act::Try | Act::Reproduce) => {
            state.steps.iter().filter(|step| step.node == state.node).all(|step| step.status.is_over())
        }
        Some(Act::Decide | Act::Gate { .. }) => state.to_record.is_none(),
        Some(Act::Repeat { .. }) | None => true,
    }
}

fn leave(state: &mut RunState, inputs: &Inputs) {
    state.entered = false;
    if let Some(Act::Repeat { from, at_most }) = inputs.workflow.nodes.get(state.node).map(|node| &node.act)
        && state.repeats[state.node] < *at_most
        && let Some(earlier) = inputs.workflow.position(from)
    {
        state.repeats[state.node] += 1;
        state.node = earlier;
        return;
    }
    state.node += 1;
}
