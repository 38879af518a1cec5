//! Persons, clients, loops and cancelling.

use super::*;

const GATE: usize = 3;

fn parked() -> Outside {
    let outside = Outside::submit(critical(), all_approve).run();
    assert_eq!(outside.state.status, Status::Waiting { node: GATE });
    assert_eq!(outside.open, [Effect::AskPerson { node: GATE }]);
    assert_eq!(outside.decision().blockers, [Blocker::NeedsPerson]);
    outside
}

fn answered(actor: Actor, answer: &str) -> Outside {
    let mut outside = parked();
    assert_eq!(outside.answer(actor, GATE, answer), [Effect::Record]);
    let outside = outside.run();
    assert_eq!(outside.state.status, Status::Decided);
    outside
}

fn by(decision: &Decision) -> serde_json::Value {
    serde_json::to_value(&decision.decided_by).unwrap()
}

#[test]
fn a_person_releases_a_critical_run() {
    let outside = answered(Actor::Person, "approve");
    let decision = outside.decision();
    assert_eq!((decision.recommendation, decision.blockers.len()), (Recommendation::Proceed, 0));
    assert_eq!(by(decision), serde_json::json!({"by": "person", "answer": "approve", "note": "because"}));
}

#[test]
fn a_client_is_recorded_as_one_and_releases_nothing() {
    let mut outside = parked();
    outside.answer(Actor::Client("editor".into()), GATE, "approve");
    let mut outside = outside.run();
    assert_eq!(outside.state.status, Status::Waiting { node: GATE }, "a person can still answer");
    let decision = outside.decision();
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
    assert_eq!(decision.blockers, [Blocker::NeedsPerson]);
    assert_eq!(by(decision), serde_json::json!({"by": "client", "name": "editor", "answer": "approve"}));
    outside.answer(Actor::Person, GATE, "approve");
    assert_eq!(outside.run().decision().recommendation, Recommendation::Proceed);
}

#[test]
fn a_rejection_turns_the_decision_down_and_a_revision_does_not() {
    for (answer, blockers) in
        [("reject", vec![Blocker::TurnedDown]), ("whatever", vec![Blocker::TurnedDown]), ("revise", vec![])]
    {
        let outside = answered(Actor::Person, answer);
        assert_eq!(outside.decision().recommendation, Recommendation::ReviewRequired, "{answer}");
        assert_eq!(outside.decision().blockers, blockers, "{answer}");
    }
}

#[test]
fn a_person_cannot_approve_what_nobody_said() {
    let mut outside = Outside::submit(critical(), |_, _, _| Reply::Fails(Outcome::Crashed)).run();
    outside.answer(Actor::Person, GATE, "approve");
    let outside = outside.run();
    assert_eq!(outside.decision().blockers, [Blocker::AllFailed], "and nobody turned it down");
    assert_eq!(outside.decision().recommendation, Recommendation::ReviewRequired);
}

fn overridden(answer: &str) -> Event {
    Event::Overridden { answer: answer.into(), note: "seen it fail".into() }
}

#[test]
fn a_person_puts_another_verdict_in_place_of_the_decision_whenever() {
    for mut outside in [Outside::submit(inputs(), all_approve).run(), parked()] {
        assert_eq!(outside.decision().verdict, Some(Verdict::Approve));
        outside.happens_by(Actor::Person, overridden("reject"));
        outside.record();
        assert_eq!(outside.state.status, Status::Decided);
        assert_eq!(outside.open, [Effect::Finish]);
        let decision = outside.decision();
        assert_eq!((decision.verdict, decision.recommendation), (Some(Verdict::Reject), Recommendation::Proceed));
        assert_eq!((decision.has_conflict, &decision.blockers[..]), (false, &[][..]));
        assert_eq!(decision.dissenters.len(), decision.model_count, "they all said otherwise");
        let expected = serde_json::json!(
            {"by": "override", "answer": "reject", "instead_of": "approve", "note": "seen it fail"}
        );
        assert_eq!(by(decision), expected);
        outside.happens_by(Actor::Person, overridden("approve"));
        outside.record();
        let decision = outside.decision();
        assert_eq!(decision.verdict, Some(Verdict::Approve), "and changes its mind");
        assert!(decision.dissenters.is_empty());
        assert_eq!(by(decision)["instead_of"], "approve", "the members' own result");
        let told = decision.reasoning.iter().filter(|reason| reason.starts_with("a person put"));
        assert_eq!(told.collect::<Vec<_>>(), ["a person put approve in the place of approve"]);
    }
}

#[test]
fn no_program_and_no_stray_word_takes_the_place_of_a_decision() {
    let refused = |outside: &Outside, actor: Actor, answer: &str| {
        let stamped = Stamped { at: Timestamp(0), actor, event: overridden(answer) };
        step(outside.state.clone(), stamped).unwrap_err().because
    };
    let decided = Outside::submit(inputs(), all_approve).run();
    assert!(refused(&decided, Actor::Client("editor".into()), "reject").contains("only a person"));
    assert!(refused(&decided, Actor::Person, "perhaps").contains("none of approve, revise, reject"));
    assert!(refused(&Outside::submit(inputs(), all_approve), Actor::Person, "reject").contains("under way"));
}

/// Draft, review and decide, at most two times more; then a person where it still does not stand.
fn looping() -> Inputs {
    let mut inputs = inputs();
    let draft = Act::Ask {
        who: Who::Lead,
        template: "opinion".into(),
        with: vec![Artefact::Draft, Artefact::Opinions, Artefact::PersonsNote],
        draft: true,
    };
    let options = vec!["approve".into(), "reject".into()];
    inputs.workflow.nodes = vec![
        node("draft", When::Always, draft),
        node("review", When::Always, ask(Who::Others, &[Artefact::Draft])),
        node("decide", When::Always, Act::Decide),
        node("again", When::NotProceeds, Act::Repeat { from: "draft".into(), at_most: 2 }),
        node("person", When::NotProceeds, Act::Gate { question: "Take it?".into(), options }),
    ];
    inputs.workflow.validate().unwrap();
    inputs
}

pub(super) fn looping_until(script: Script) -> Outside {
    let mut outside = Outside::submit(looping(), script);
    outside.persons = |_| Some((Actor::Person, "approve"));
    outside.run()
}

#[test]
fn a_draft_is_made_again_until_its_reviewers_let_it_stand() {
    let outside = looping_until(|_, _, round| Reply::Says(if round < 1 { Verdict::Revise } else { Verdict::Approve }));
    let starts = outside.starts();
    assert_eq!(starts, [("a", 0), ("b", 1), ("c", 2), ("a", 3), ("b", 4), ("c", 5)]);
    assert_eq!(outside.decision().recommendation, Recommendation::Proceed);
    assert_eq!(by(outside.decision()), serde_json::json!({"by": "rule"}));
    assert_eq!(outside.decision().model_count, 2, "a draft is no opinion");
    let Work::Prompt(redraft) = &outside.state.steps[3].work else { panic!("a prompt") };
    let mut quotes = redraft.quotes.clone();
    quotes.sort();
    assert_eq!((redraft.draft, quotes), (Some(StepId(0)), vec![StepId(1), StepId(2)]));
    let Work::Prompt(review) = &outside.state.steps[4].work else { panic!("a prompt") };
    assert_eq!((review.draft, review.quotes.len()), (Some(StepId(3)), 0));
}

#[test]
fn the_loop_is_bounded_and_a_person_has_the_last_word() {
    let outside = looping_until(|_, _, _| Reply::Says(Verdict::Reject));
    assert_eq!(outside.starts().len(), 9, "three rounds of three");
    assert_eq!(outside.state.status, Status::Decided);
    let decided = outside.journal.iter().filter(|one| one.event.kind() == "decided").count();
    assert_eq!(decided, 4, "each round and the person");
    assert_eq!(by(outside.decision())["by"], "person");
}

#[test]
fn what_was_said_of_an_earlier_draft_does_not_count_for_the_next() {
    let outside = looping_until(|member, _, round| match (member, round) {
        ("b", 0) => Reply::Fails(Outcome::Crashed),
        (_, 0) => Reply::Says(Verdict::Reject),
        _ => Reply::Says(Verdict::Approve),
    });
    assert_eq!(outside.attempts(1), ["b", "d"], "d stood in for the first draft");
    let decision = outside.decision();
    assert_eq!((decision.verdict, decision.model_count), (Some(Verdict::Approve), 2));
    assert!(decision.dissenters.is_empty() && !decision.has_conflict);
}

#[test]
fn a_stand_in_may_stand_in_again_in_the_next_round() {
    let outside = looping_until(|member, _, round| match (member, round) {
        ("b", _) => Reply::Fails(Outcome::Crashed),
        (_, 0) => Reply::Says(Verdict::Reject),
        _ => Reply::Says(Verdict::Approve),
    });
    assert_eq!((outside.attempts(1), outside.attempts(4)), (vec!["b", "d"], vec!["b", "d"]));
}

#[test]
fn a_later_wave_of_the_same_round_keeps_what_the_earlier_one_said() {
    let mut inputs = inputs();
    inputs.workflow.nodes.insert(1, node("second", When::Always, ask(Who::Lead, &[Artefact::Opinions])));
    let outside = Outside::submit(inputs, all_approve).run();
    assert_eq!((outside.starts().len(), outside.decision().model_count), (4, 3));
}

#[test]
fn a_gate_that_is_asked_again_at_once_is_said_again() {
    let mut inputs = inputs();
    let options = vec!["approve".into(), "revise".into()];
    inputs.workflow.nodes = vec![
        node("plan", When::Always, Act::Gate { question: "Start?".into(), options }),
        node("again", When::AskedToRevise, Act::Repeat { from: "plan".into(), at_most: 1 }),
        node("panel", When::Always, ask(Who::Team, &[Artefact::PersonsNote])),
        node("decide", When::Always, Act::Decide),
    ];
    let mut outside = Outside::submit(inputs, all_approve);
    assert_eq!(outside.answer(Actor::Person, 0, "revise"), [Effect::AskPerson { node: 0 }]);
    assert_eq!(outside.answer(Actor::Person, 0, "approve").len(), 3);
    let Work::Prompt(prompt) = &outside.state.steps[0].work else { panic!("a prompt") };
    assert_eq!(prompt.note.as_deref(), Some("because"));
    assert_eq!(outside.run().state.status, Status::Decided);
}

#[test]
fn a_cancelled_run_stops_what_runs_and_asks_nobody_more() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start(StepId(0), 0, id("a"));
    outside.start(StepId(1), 0, id("b"));
    let effects = outside.happens_by(Actor::Person, Event::CancelRequested);
    assert_eq!(effects, [Effect::Stop { step: StepId(0) }, Effect::Stop { step: StepId(1) }]);
    assert_eq!(outstanding(&outside.state), effects, "c is not to be asked any more");
    assert!(outside.happens(Event::CancelRequested).is_empty(), "asked twice, stopped once");
    assert!(outside.finish(StepId(0), 0, Reply::Fails(Outcome::Cancelled)).is_empty());
    assert_eq!(outside.state.status, Status::Open, "b still runs");
    assert_eq!(outside.finish(StepId(1), 0, Reply::Fails(Outcome::Overloaded)), [Effect::Finish], "and is not retried");
    assert_eq!(outside.state.status, Status::Cancelled);
    assert_eq!(outside.starts().len(), 2);
    assert!(outside.state.decision.is_none());
}

#[test]
fn an_answer_that_comes_in_spite_of_a_cancel_is_kept_and_decides_nothing() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start_all();
    outside.happens(Event::CancelRequested);
    for step in 0..3 {
        outside.finish(StepId(step), 0, Reply::Says(Verdict::Approve));
    }
    assert_eq!(outside.state.status, Status::Cancelled);
    assert!(outside.state.steps.iter().all(|step| step.opinion.is_some()));
    assert!(outside.state.decision.is_none() && outside.state.to_record.is_none());
}

#[test]
fn a_cancel_ends_a_run_that_waits_for_a_timer_a_person_or_a_record() {
    let mut waiting = Outside::submit(inputs(), all_approve);
    waiting.start_all();
    waiting.finish(StepId(1), 0, Reply::Says(Verdict::Approve));
    waiting.finish(StepId(2), 0, Reply::Says(Verdict::Approve));
    waiting.finish(StepId(0), 0, Reply::Fails(Outcome::Overloaded));
    let mut recording = Outside::submit(inputs(), all_approve);
    recording.start_all();
    while recording.finish_next() {}
    let fresh = Outside::submit(inputs(), all_approve);
    for mut outside in [waiting, parked(), recording, fresh] {
        assert_eq!(outside.happens(Event::CancelRequested), [Effect::Finish]);
        assert_eq!(outside.state.status, Status::Cancelled);
    }
}

#[test]
fn a_cancel_after_the_end_changes_nothing() {
    let mut outside = Outside::submit(inputs(), all_approve).run();
    assert!(outside.happens(Event::CancelRequested).is_empty());
    assert_eq!((outside.state.status, outside.state.cancelled), (Status::Decided, false));
}
