//! Events that cannot follow are refused, whoever wrote them.

use super::*;

fn refused(outside: &Outside, event: Event) -> String {
    let kind = event.kind();
    let stamped = Stamped { at: Timestamp(99), actor: Actor::Engine, event };
    let error = step(outside.state.clone(), stamped.clone()).expect_err(kind);
    assert_eq!(error.event, kind);
    let journal = outside.journal.iter().cloned().chain([stamped]);
    assert_eq!(fold(journal).unwrap_err(), error, "folding refuses the same");
    error.because
}

fn started(step: u32, attempt: u8, member: &str) -> Event {
    Event::StepStarted { step: StepId(step), attempt, member: id(member), prompt: None, session: None }
}

fn finished(step: u32, attempt: u8) -> Event {
    Event::StepFinished { step: StepId(step), attempt, report: report(Outcome::Ok, None) }
}

fn read(step: u32) -> Event {
    Event::OpinionRead { step: StepId(step), reader: 1, opinion: opinion(Verdict::Approve) }
}

fn answered(node: usize) -> Event {
    Event::PersonAnswered { node, answer: "approve".into(), note: String::new() }
}

fn done() -> Outside {
    Outside::submit(inputs(), all_approve).run()
}

#[test]
fn a_run_is_submitted_first_and_once() {
    let because = "a run begins with `submitted`, once";
    let fresh = Outside::empty(all_approve);
    assert_eq!(refused(&fresh, started(0, 0, "a")), because);
    assert_eq!(refused(&fresh, Event::CancelRequested), because);
    let submitted = Outside::submit(inputs(), all_approve);
    assert_eq!(refused(&submitted, Event::Submitted(Box::new(inputs()))), because);
    assert_eq!(refused(&done(), Event::Submitted(Box::new(inputs()))), because);
}

#[test]
fn a_step_is_started_as_planned_and_only_then() {
    let mut outside = Outside::submit(inputs(), all_approve);
    for event in [started(0, 1, "a"), started(0, 0, "b"), started(0, 0, "d")] {
        assert_eq!(refused(&outside, event), "the step was not to be asked so");
    }
    assert_eq!(refused(&outside, started(7, 0, "a")), "there is no such step");
    outside.start(StepId(0), 0, id("a"));
    assert_eq!(refused(&outside, started(0, 0, "a")), "the step was not to be asked so");
    assert_eq!(refused(&outside, started(0, 1, "a")), "the step was not to be asked so");
}

#[test]
fn only_what_runs_can_end() {
    let mut outside = Outside::submit(inputs(), all_approve);
    let doubt = |step, attempt| Event::StepInDoubt { step: StepId(step), attempt };
    for event in [finished(0, 0), doubt(0, 0)] {
        assert_eq!(refused(&outside, event), "the step was not running");
    }
    assert_eq!(refused(&outside, finished(9, 0)), "there is no such step");
    outside.start(StepId(0), 0, id("a"));
    for event in [finished(0, 1), finished(1, 0), doubt(0, 1)] {
        assert_eq!(refused(&outside, event), "the step was not running");
    }
    outside.finish(StepId(0), 0, Reply::Says(Verdict::Approve));
    assert_eq!(refused(&outside, finished(0, 0)), "the step was not running");
}

#[test]
fn only_an_answer_is_read_and_each_as_what_it_is() {
    let mut with_check = inputs();
    with_check.members.push(check("tests"));
    with_check.workflow.nodes.swap(0, 1);
    let proof = |step| Event::EvidenceRecorded { step: StepId(step), evidence: evidence(CheckResult::Passed) };
    let mut outside = Outside::submit(with_check, all_approve);
    assert_eq!(refused(&outside, proof(0)), "the step has no answer to be read");
    outside.start(StepId(0), 0, id("tests"));
    assert_eq!(refused(&outside, proof(0)), "the step has no answer to be read");
    outside.happens(finished(0, 0));
    assert!(refused(&outside, read(0)).starts_with("a check gives evidence"), "a check has no vote");
    outside.happens(proof(0));
    outside.start(StepId(1), 0, id("a"));
    outside.happens(finished(1, 0));
    assert!(refused(&outside, proof(1)).starts_with("a check gives evidence"));
    outside.happens(read(1));
    assert_eq!(refused(&outside, read(1)), "the step has no answer to be read");
}

#[test]
fn a_timer_an_answer_and_a_decision_need_somebody_who_waits() {
    let mut outside = Outside::submit(inputs(), all_approve);
    assert_eq!(refused(&outside, Event::TimerFired { step: StepId(0) }), "the step waits for no timer");
    assert_eq!(refused(&outside, answered(3)), "no question is open there");
    let decision = done().decision().clone();
    assert_eq!(refused(&outside, Event::Decided(Box::new(decision.clone()))), "nothing was decided here");
    outside.start_all();
    while outside.finish_next() {}
    outside.record();
    let parked = Outside::submit(critical(), all_approve).run();
    assert_eq!(refused(&parked, answered(2)), "no question is open there");
    assert_eq!(refused(&parked, Event::Decided(Box::new(decision))), "nothing was decided here");
}

#[test]
fn nothing_happens_after_the_end() {
    let mut cancelled = Outside::submit(inputs(), all_approve);
    cancelled.happens(Event::CancelRequested);
    for over in [done(), cancelled] {
        let decision = Event::Decided(Box::new(done().decision().clone()));
        for event in [started(0, 0, "a"), finished(0, 0), read(0), answered(3), decision] {
            assert_eq!(refused(&over, event), "the run is over");
        }
    }
}

#[test]
fn the_recorded_decision_stands_even_where_another_would_be_computed() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start_all();
    while outside.finish_next() {}
    let mut recorded = outside.state.to_record.as_deref().unwrap().clone();
    recorded.reasoning.push("by older rules".into());
    outside.happens(Event::Decided(Box::new(recorded.clone())));
    assert_eq!(*outside.decision(), recorded);
}
