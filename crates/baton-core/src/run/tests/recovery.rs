//! A process may die after any commit; the next one goes on from the journal alone.

use super::*;

fn scenarios() -> Vec<(&'static str, Outside)> {
    let person: Persons = |_| Some((Actor::Person, "approve"));
    let with = |inputs: Inputs, script: Script| {
        let mut outside = Outside::submit(inputs, script);
        outside.persons = person;
        outside.run()
    };
    let mut checked = inputs();
    checked.members.push(check("tests"));
    vec![
        ("simple", with(inputs(), all_approve)),
        (
            "a stand-in",
            with(inputs(), |member, _, _| match member {
                "a" => Reply::Fails(Outcome::Crashed),
                "b" => Reply::Says(Verdict::Reject),
                _ => Reply::Says(Verdict::Approve),
            }),
        ),
        (
            "a wait",
            with(inputs(), |member, attempt, _| match (member, attempt) {
                ("b", 0) => Reply::Fails(Outcome::Overloaded),
                _ => Reply::Says(Verdict::Approve),
            }),
        ),
        (
            "a missing quorum",
            with(inputs(), |member, _, _| match member {
                "a" | "b" => Reply::Abstains,
                _ => Reply::Says(Verdict::Approve),
            }),
        ),
        ("a gate", with(critical(), all_approve)),
        ("all fail", with(inputs(), |_, _, _| Reply::Fails(Outcome::Auth))),
        (
            "a check",
            with(checked, |member, _, _| match member {
                "tests" => Reply::Finds(CheckResult::Failed),
                "a" => Reply::Abstains,
                "b" => Reply::Says(Verdict::Reject),
                _ => Reply::Says(Verdict::Approve),
            }),
        ),
        (
            "a loop",
            gates::looping_until(|_, _, round| Reply::Says(if round < 2 { Verdict::Revise } else { Verdict::Approve })),
        ),
        ("patches", patches::ran()),
        ("a loop without end", gates::looping_until(|_, _, _| Reply::Says(Verdict::Reject))),
    ]
}

/// Time passes differently in a run that was interrupted; nothing else may differ.
fn timeless(outside: &Outside) -> Decision {
    Decision { elapsed_ms: 0, ..outside.decision().clone() }
}

#[test]
fn every_prefix_folds_to_the_live_state_and_to_what_was_open_then() {
    for (name, live) in scenarios() {
        for length in 1..=live.journal.len() {
            let state = fold(live.journal[..length].iter().cloned()).unwrap();
            assert_eq!(sorted(outstanding(&state)), sorted(live.history[length - 1].clone()), "{name} after {length}");
        }
        let whole = fold(live.journal.iter().cloned()).unwrap();
        assert_eq!(format!("{whole:?}"), format!("{:?}", live.state), "{name}");
    }
}

#[test]
fn from_every_commit_the_run_ends_with_the_same_decision() {
    for (name, live) in scenarios() {
        assert!(live.state.status.is_over(), "{name}");
        for length in &live.commits {
            let resumed = Outside::recovered(&live.journal[..*length], &live).run();
            assert_eq!(resumed.state.status, live.state.status, "{name} after {length}");
            assert_eq!(timeless(&resumed), timeless(&live), "{name} after {length}");
        }
    }
}

#[test]
fn a_finished_step_is_never_asked_again() {
    for (name, live) in scenarios() {
        for length in &live.commits {
            let prefix = &live.journal[..*length];
            let before = fold(prefix.iter().cloned()).unwrap();
            let over: Vec<StepId> =
                before.steps.iter().filter(|step| step.status.is_over()).map(|step| step.id).collect();
            let resumed = Outside::recovered(prefix, &live).run();
            for event in &resumed.journal[*length..] {
                if let Event::StepStarted { step, .. } = &event.event {
                    assert!(!over.contains(step), "{name} after {length}: {step} again");
                }
            }
        }
    }
}

#[test]
fn a_step_in_doubt_is_asked_again_within_its_attempts() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start_all();
    let doubt = |outside: &mut Outside, attempt: u8| outside.happens(Event::StepInDoubt { step: StepId(0), attempt });
    let ask = |attempt, member| Effect::Ask { step: StepId(0), attempt, member: id(member) };
    assert_eq!(doubt(&mut outside, 0), [ask(1, "a")]);
    outside.start(StepId(0), 1, id("a"));
    assert_eq!(doubt(&mut outside, 1), [ask(2, "d")], "one that dies with it every time is not asked for ever");
    outside.start(StepId(0), 2, id("d"));
    assert_eq!(doubt(&mut outside, 2), [ask(3, "d")]);
    outside.start(StepId(0), 3, id("d"));
    assert!(doubt(&mut outside, 3).is_empty());
    assert_eq!(outside.state.steps[0].status, StepStatus::GaveUp);
    let outcomes = outside.state.steps[0].attempts.iter().map(|attempt| attempt.outcome.clone());
    assert!(outcomes.eq([const { Some(Outcome::InDoubt) }; 4]));
}

#[test]
fn crashing_after_every_commit_still_ends() {
    let live = Outside::submit(inputs(), all_approve).run();
    let mut journal = live.journal[..1].to_vec();
    for _ in 0..100 {
        let mut resumed = Outside::recovered(&journal, &live);
        if !resumed.act() {
            break;
        }
        journal = resumed.journal;
    }
    let end = fold(journal).unwrap();
    assert_eq!(end.status, Status::Decided);
    assert!(end.steps.iter().all(|step| step.attempts.len() <= 4));
}

#[test]
fn a_cancelled_run_that_is_picked_up_asks_nobody() {
    let mut live = Outside::submit(inputs(), all_approve);
    live.start(StepId(0), 0, id("a"));
    live.happens(Event::CancelRequested);
    let resumed = Outside::recovered(&live.journal, &live).run();
    assert_eq!(resumed.state.status, Status::Cancelled);
    assert_eq!(resumed.starts(), [("a", 0)]);
}

#[test]
fn an_answer_whose_reading_is_missing_is_not_asked_for_again() {
    let mut live = Outside::submit(inputs(), all_approve);
    live.start(StepId(0), 0, id("a"));
    live.happens(Event::StepFinished { step: StepId(0), attempt: 0, report: report(Outcome::Ok, None) });
    let state = fold(live.journal).unwrap();
    assert_eq!(state.steps[0].status, StepStatus::Reading);
    assert!(!outstanding(&state).iter().any(|effect| matches!(effect, Effect::Ask { step: StepId(0), .. })));
}

#[test]
fn nothing_is_outstanding_before_a_run_begins() {
    assert!(outstanding(&RunState::default()).is_empty());
    assert!(outstanding(&fold([]).unwrap()).is_empty());
}
