//! The spending cap, and what costs are known.

use super::*;

/// Members paid by use; the cap is so many times what one call sets aside.
fn capped(calls: u64) -> (Inputs, MicroUsd) {
    let mut inputs = inputs();
    for member in &mut inputs.members {
        member.payer = Payer::Key;
    }
    let one = inputs.members[0].estimate(inputs.task.estimated_tokens()).unwrap();
    inputs.rules.spend_cap = Some(MicroUsd(one.0 * calls));
    (inputs, one)
}

fn costing(micros: u64) -> Option<Usage> {
    Some(Usage { reported_cost: Some(MicroUsd(micros)), ..Usage::default() })
}

#[test]
fn a_parallel_wave_sets_money_aside_and_leaves_out_what_does_not_fit() {
    let (inputs, one) = capped(2);
    let outside = Outside::submit(inputs, all_approve);
    assert_eq!(outside.open.len(), 2);
    let statuses: Vec<_> = outside.state.steps.iter().map(|step| step.status.clone()).collect();
    assert_eq!(statuses, [StepStatus::Planned, StepStatus::Planned, StepStatus::OverBudget]);
    let outside = outside.run();
    assert_eq!(outside.starts(), [("a", 0), ("b", 1)]);
    assert_eq!(outside.state.committed(), MicroUsd(one.0 * 2), "what does not say its cost counts as set aside");
    assert!(outside.decision().cost_unknown);
    assert!(outside.decision().reasoning.iter().any(|line| line.starts_with("c was left out")));
}

#[test]
fn a_cap_that_fits_nobody_ends_as_budget() {
    let (inputs, _) = capped(0);
    let outside = Outside::submit(inputs, all_approve).run();
    assert!(outside.starts().is_empty());
    assert_eq!(outside.decision().blockers, [Blocker::Budget]);
    assert_eq!(outside.state.status, Status::Decided);
}

#[test]
fn without_a_cap_everybody_is_asked() {
    let (mut inputs, _) = capped(0);
    inputs.rules.spend_cap = None;
    assert_eq!(Outside::submit(inputs, all_approve).run().starts().len(), 3);
}

#[test]
fn what_a_call_said_it_cost_takes_the_place_of_what_was_set_aside() {
    let (mut inputs, one) = capped(3);
    inputs.workflow.nodes.insert(1, node("second", When::Always, ask(Who::Team, &[Artefact::Opinions])));
    let mut outside = Outside::submit(inputs, all_approve);
    outside.usage = costing(5);
    let outside = outside.run();
    // 15 are spent after the first wave, so that one of the second does not fit any more.
    assert_eq!(outside.starts().len(), 5);
    assert_eq!(outside.decision().cost, MicroUsd(25));
    assert!(!outside.decision().cost_unknown && outside.state.committed() < one);
}

#[test]
fn neither_a_retry_nor_a_stand_in_passes_the_cap() {
    for outcome in [Outcome::Crashed, Outcome::Overloaded, Outcome::InDoubt] {
        let (inputs, one) = capped(3);
        let mut outside = Outside::submit(inputs, all_approve);
        outside.start_all();
        outside.finish(StepId(0), 0, Reply::Fails(outcome.clone()));
        assert_eq!(outside.state.steps[0].status, StepStatus::GaveUp, "{outcome:?}: all is set aside or spent");
        let outside = outside.run();
        assert!(outside.state.committed() <= MicroUsd(one.0 * 3), "{outcome:?}");
    }
}

#[test]
fn a_stand_in_that_fits_is_found_behind_one_that_does_not() {
    let (mut inputs, _) = capped(3);
    inputs.members[3].price.as_mut().unwrap().output *= 10;
    inputs.members.push(Member { payer: Payer::Subscription, ..seat("e", 2) });
    let mut outside = Outside::submit(inputs, all_approve);
    outside.start_all();
    let effects = outside.finish(StepId(0), 0, Reply::Fails(Outcome::Crashed));
    assert_eq!(effects, [Effect::Ask { step: StepId(0), attempt: 1, member: id("e") }]);
}

#[test]
fn a_retry_that_waits_has_its_money_set_aside() {
    let (inputs, _) = capped(4);
    let mut outside = Outside::submit(inputs, all_approve);
    outside.start_all();
    outside.finish(StepId(0), 0, Reply::Fails(Outcome::Overloaded));
    assert!(matches!(outside.state.steps[0].status, StepStatus::Waiting { .. }));
    outside.finish(StepId(1), 0, Reply::Fails(Outcome::Overloaded));
    assert_eq!(outside.state.steps[1].status, StepStatus::GaveUp, "the fourth call is already promised");
}

#[test]
fn a_doubtful_call_costs_nothing_where_calls_are_free_and_is_unknown_elsewhere() {
    let doubted = |inputs: Inputs| {
        let mut outside = Outside::submit(inputs, all_approve);
        outside.usage = costing(5);
        outside.start_all();
        outside.running.retain(|(step, _)| *step != StepId(0));
        outside.happens(Event::StepInDoubt { step: StepId(0), attempt: 0 });
        outside.run().decision().cost_unknown
    };
    assert!(!doubted(inputs()));
    assert!(doubted(capped(9).0));
}

#[test]
fn a_lost_conversation_is_asked_anew_only_within_the_cap() {
    for (cost, again) in [(0, true), (1, false)] {
        let (inputs, _) = capped(1);
        let mut outside = Outside::submit(inputs, all_approve);
        outside.usage = costing(cost);
        let session = Some(SessionStart { state: SessionState::Resumed, because: None, handed_on: 0, from: None });
        let (step, member) = (StepId(0), id("a"));
        outside.happens(Event::StepStarted { step, attempt: 0, member, prompt: None, session });
        let effects = outside.finish(step, 0, Reply::Fails(Outcome::SessionNotFound));
        let asks = effects.iter().any(|effect| matches!(effect, Effect::Ask { .. }));
        assert_eq!(asks, again, "after {cost}: {effects:?}");
    }
}
