//! What is disputed goes to both sides, to an arbiter, to a person: each only when the one before did not settle it.

use super::*;
use crate::workflow::Workflow;

/// `a` and `b` against `c`; `d` is of no side.
fn split(member: &str, _: u8, _: u32) -> Reply {
    Reply::Says(if member == "c" { Verdict::Reject } else { Verdict::Approve })
}

fn escalating() -> Workflow {
    let gate = Act::Gate { question: "Accept?".into(), options: vec!["approve".into()] };
    let about = |who| ask(who, &[Artefact::Dispute]);
    Workflow {
        nodes: vec![
            node("panel", When::Always, ask(Who::Team, &[])),
            node("further", When::WorthAsking, ask(Who::Further, &[])),
            node("decide", When::Always, Act::Decide),
            node("sides", When::Conflict, about(Who::Sides)),
            node("after-the-sides", When::Conflict, Act::Decide),
            node("arbiter", When::Conflict, about(Who::Arbiter)),
            node("after-the-arbiter", When::Conflict, Act::Decide),
            node("person", When::NeedsPerson, gate),
        ],
        ..simple()
    }
}

/// A team of three that cannot grow, in a workflow that escalates.
fn disputed() -> Inputs {
    let mut inputs = Inputs { workflow: escalating(), ..inputs() };
    (inputs.rules.team.standard.least, inputs.rules.team.standard.most) = (3, 3);
    inputs
}

fn run(inputs: Inputs, script: Script, judge: Judge) -> Outside {
    Outside { judge, ..Outside::submit(inputs, script) }.run()
}

#[test]
fn a_side_that_gives_way_settles_it_with_two_calls() {
    let outside = run(disputed(), split, |_, _| Some(Side::Holds));
    let asked: Vec<&str> = outside.starts()[3..].iter().map(|(member, _)| *member).collect();
    assert_eq!(asked, ["a", "c"], "the strongest of either side, and nobody else");
    let decision = outside.decision();
    assert_eq!((outside.state.status, decision.has_conflict), (Status::Decided, false));
    assert_eq!(decision.verdict, Some(Verdict::Approve));
    assert_eq!(decision.conflicts[0].settled_by.as_deref(), Some("c gave way to the other side's evidence"));
    assert!(decision.dissenters.is_empty(), "who gave way does not dissent any more");
}

#[test]
fn an_arbiter_of_another_family_is_asked_in_both_orders_and_can_turn_the_verdict() {
    let outside = run(disputed(), split, |member, dispute| match member {
        "d" => Some(Side::Against),
        _ => dispute.own,
    });
    let asked: Vec<&str> = outside.starts()[5..].iter().map(|(member, _)| *member).collect();
    assert_eq!(asked, ["d", "d"]);
    let shown: Vec<&str> = outside.state.steps[5..]
        .iter()
        .filter_map(|step| match &step.work {
            Work::Prompt(plan) => plan.dispute.as_ref().map(|dispute| dispute.label(Side::Holds)),
            Work::Check | Work::Try { .. } | Work::Reproduce { .. } => None,
        })
        .collect();
    assert_eq!(shown, ["A", "B"]);
    let decision = outside.decision();
    assert_eq!((decision.verdict, decision.has_conflict), (Some(Verdict::Reject), false));
    assert!(decision.conflicts[0].settled_by.as_deref().unwrap().contains("both orders"));
    assert_eq!(decision.dissenters.len(), 2, "those who were outvoted by evidence are still named");
}

#[test]
fn an_arbiter_that_leans_to_a_place_settles_nothing_and_a_person_is_asked() {
    let outside = run(disputed(), split, |member, dispute| match member {
        // Always the side that stands first.
        "d" if dispute.label(Side::Holds) == "A" => Some(Side::Holds),
        "d" => Some(Side::Against),
        _ => dispute.own,
    });
    assert_eq!(outside.state.status, Status::Waiting { node: 7 });
    assert!(outside.decision().has_conflict);
}

#[test]
fn without_another_family_a_person_is_asked_at_once() {
    let mut inputs = disputed();
    inputs.members.pop();
    let outside = run(inputs, split, stands_firm);
    assert_eq!((outside.starts().len(), outside.state.status), (5, Status::Waiting { node: 7 }));
}

#[test]
fn an_arbiter_that_fails_has_no_stand_in() {
    let mut outside = Outside::submit(disputed(), split);
    while outside.state.steps.len() < 7 {
        outside.act();
    }
    outside.start_all();
    let arbiters: Vec<(StepId, u8)> = outside.running.iter().copied().collect();
    for (step, attempt) in arbiters {
        outside.finish(step, attempt, Reply::Fails(Outcome::Refused));
    }
    let outside = outside.run();
    assert_eq!(outside.state.status, Status::Waiting { node: 7 });
    assert_eq!(outside.attempts(5), ["d"]);
}

#[test]
fn who_failed_in_the_run_is_no_arbiter() {
    let outside = run(
        disputed(),
        |member, _, _| match member {
            "b" => Reply::Fails(Outcome::Refused),
            "c" => Reply::Says(Verdict::Reject),
            _ => Reply::Says(Verdict::Approve),
        },
        |_, dispute| dispute.own.or(Some(Side::Holds)),
    );
    assert_eq!(outside.state.status, Status::Waiting { node: 7 }, "d stepped in for b and argues; nobody else is left");
    assert!(outside.starts()[4..].iter().all(|(member, _)| *member != "b"), "{:?}", outside.starts());
}

#[test]
fn a_turn_that_was_lost_with_its_process_is_no_failure_of_the_member() {
    let mut state = run(disputed(), all_approve, stands_firm).state;
    let member = state.steps[0].attempts[0].member.clone();
    for (end, failed) in [(Outcome::InDoubt, false), (Outcome::Refused, true)] {
        state.steps[0].attempts[0].outcome = Some(end);
        assert_eq!(super::super::dispute::has_failed(&state, &member), failed);
    }
}

/// `a` reports something that `b` denies; `c` says nothing of it.
fn denied(member: &str, _: u8, _: u32) -> Reply {
    match member {
        "a" => Reply::Reports(Severity::High, "the shift overflows"),
        "b" => Reply::Denies("the shift overflows"),
        _ => Reply::Says(Verdict::Reject),
    }
}

/// Who was asked as an arbiter, with the claim.
fn arbiters(outside: &Outside) -> Vec<(&str, &str)> {
    let steps = outside.state.steps.iter().filter(|step| step.role == crate::route::Role::Arbiter);
    steps.filter_map(|step| Some((step.member.as_str(), step.dispute()?.claim.as_str()))).collect()
}

#[test]
fn an_arbiter_is_one_who_gave_no_opinion_also_where_a_stronger_one_took_no_side() {
    let mut inputs = disputed();
    inputs.members[3].tier = 4;
    let outside = run(inputs, denied, stands_firm);
    let (vote, finding) = ("the verdict is reject", "the shift overflows");
    assert_eq!(arbiters(&outside), [("d", vote), ("d", vote), ("d", finding), ("d", finding)]);
}

#[test]
fn where_everybody_answered_one_that_took_no_side_of_the_claim_is_the_arbiter() {
    let mut inputs = disputed();
    inputs.members.pop();
    let outside = run(inputs, denied, stands_firm);
    let finding = "the shift overflows";
    assert_eq!(arbiters(&outside), [("c", finding), ("c", finding)], "all three voted on the verdict");
}

/// Three members, three options.
fn three_ways(member: &str, _: u8, _: u32) -> Reply {
    Reply::Takes(match member {
        "a" => "postgres",
        "b" => "sqlite",
        _ => "redis",
    })
}

#[test]
fn who_chose_a_third_option_is_no_judge_between_the_first_two() {
    let mut inputs = disputed();
    let options = ["postgres", "sqlite", "redis"].map(str::to_owned).to_vec();
    inputs.task.hints.question = Some(crate::task::Question::Choice(options));
    let with_d = run(inputs.clone(), three_ways, stands_firm);
    let claim = "the answer is postgres, not sqlite";
    assert_eq!(arbiters(&with_d), [("d", claim), ("d", claim)]);
    inputs.members.pop();
    let without = run(inputs, three_ways, stands_firm);
    assert_eq!(arbiters(&without), []);
    assert_eq!(without.state.status, Status::Waiting { node: 7 });
}

#[test]
fn agreement_asks_nobody_else() {
    let outside = run(disputed(), all_approve, stands_firm);
    assert_eq!((outside.starts().len(), outside.state.status), (3, Status::Decided));
}

#[test]
fn a_held_seat_is_asked_when_the_first_wave_is_split() {
    let mut inputs = disputed();
    inputs.rules.team.standard.most = 4;
    let outside = run(inputs, split, |_, dispute| dispute.own.or(Some(Side::Holds)));
    assert_eq!(outside.starts()[3], ("d", 3), "one more opinion before anybody argues");
}

#[test]
fn a_held_seat_is_left_alone_when_it_could_change_nothing() {
    let mut inputs = disputed();
    inputs.rules.team.standard.most = 4;
    inputs.members[3].payer = Payer::Key;
    let outside = run(inputs, all_approve, stands_firm);
    let decision = outside.decision();
    assert_eq!(outside.starts().len(), 3);
    assert_eq!(decision.not_asked, [id("d")]);
    assert!(decision.saved > MicroUsd(0));
    assert!(decision.reasoning.iter().any(|reason| reason.contains("d not asked")), "{:?}", decision.reasoning);
}

#[test]
fn a_critical_task_holds_nobody_back() {
    let mut inputs = disputed();
    inputs.task.hints.priority = Some(Priority::Critical);
    let outside = run(inputs, all_approve, stands_firm);
    assert_eq!(outside.starts().len(), 4);
    assert!(outside.decision().not_asked.is_empty());
}

/// A first wave of three with `d` and `e` held back, and `f` without a seat.
fn growing(script: Script) -> Outside {
    let mut inputs = disputed();
    (inputs.rules.team.standard.least, inputs.rules.team.standard.most) = (3, 5);
    inputs.members.extend(["e", "f"].map(|name| Member { payer: Payer::Key, ..seat(name, 1) }));
    inputs.members[3].payer = Payer::Key;
    inputs.rules.spend_cap = None;
    run(inputs, script, stands_firm)
}

/// How often each member was asked what the task asks.
fn asked_of_the_task(outside: &Outside) -> Vec<(&str, usize)> {
    let steps = outside.state.steps.iter().filter(|step| !step.is_aside());
    let mut asked: Vec<&str> = steps.flat_map(|step| &step.attempts).map(|attempt| attempt.member.as_str()).collect();
    asked.sort_unstable();
    asked.chunk_by(|a, b| a == b).map(|same| (same[0], same.len())).collect()
}

#[test]
fn a_held_seat_that_stepped_in_is_not_asked_a_second_time() {
    let outside = growing(|member, _, _| match member {
        "b" => Reply::Fails(Outcome::Refused),
        "c" => Reply::Says(Verdict::Reject),
        _ => Reply::Says(Verdict::Approve),
    });
    assert_eq!(asked_of_the_task(&outside), [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
}

#[test]
fn nobody_who_was_asked_steps_in_for_a_later_seat() {
    let outside = growing(|member, _, _| match member {
        "b" | "e" => Reply::Fails(Outcome::Refused),
        "c" => Reply::Says(Verdict::Reject),
        _ => Reply::Says(Verdict::Approve),
    });
    assert_eq!(asked_of_the_task(&outside), [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1), ("f", 1)]);
}

#[test]
fn a_held_seat_that_stepped_in_and_failed_was_asked_and_saved_nothing() {
    let outside = growing(|member, _, _| match member {
        "b" | "d" => Reply::Fails(Outcome::Refused),
        _ => Reply::Says(Verdict::Approve),
    });
    let decision = outside.decision();
    assert_eq!(asked_of_the_task(&outside), [("a", 1), ("b", 1), ("c", 1), ("d", 1), ("e", 1)]);
    assert_eq!((decision.not_asked.as_slice(), decision.saved), (&[][..], MicroUsd(0)));
    assert_eq!(decision.failed_models.iter().map(|one| one.member.as_str()).collect::<Vec<_>>(), ["b", "d"]);
}

#[test]
fn an_arbiter_is_paid_for_both_orders_or_for_none() {
    for (calls, arbiters) in [(0, 0), (1, 0), (2, 2)] {
        let mut inputs = disputed();
        inputs.members[3].payer = Payer::Key;
        let one = inputs.members[3].estimate(inputs.task.estimated_tokens()).unwrap();
        inputs.rules.spend_cap = Some(MicroUsd(one.0 * calls));
        let outside = run(inputs, split, |_, dispute| dispute.own.or(Some(Side::Holds)));
        let asked = outside.starts().iter().filter(|(member, _)| *member == "d").count();
        assert_eq!(asked, arbiters, "money for {calls}");
        assert_eq!(outside.decision().has_conflict, arbiters == 0);
        let left_out = outside.decision().reasoning.iter().filter(|line| line.starts_with("d was left out")).count();
        assert_eq!(left_out, usize::from(arbiters == 0), "it is said, once");
    }
}
