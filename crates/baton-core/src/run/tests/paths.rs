//! Waves, retries and stand-ins.

use super::*;
use crate::hash::Hash;
use crate::task::{Attachment, AttachmentForm, Question};

fn ask_of(step: u32, attempt: u8, member: &str) -> Effect {
    Effect::Ask { step: StepId(step), attempt, member: id(member) }
}

#[test]
fn a_simple_run_asks_its_team_at_once_and_ends_decided() {
    let outside = Outside::submit(inputs(), all_approve);
    assert_eq!(outside.open, [ask_of(0, 0, "a"), ask_of(1, 0, "b"), ask_of(2, 0, "c")]);
    let outside = outside.run();
    assert_eq!(outside.state.status, Status::Decided);
    assert_eq!(outside.starts(), [("a", 0), ("b", 1), ("c", 2)]);
    assert_eq!(outside.decision().verdict, Some(Verdict::Approve));
    assert_eq!(outside.decision().recommendation, Recommendation::Proceed);
    let kinds: Vec<_> = outside.journal.iter().rev().take(3).map(|one| one.event.kind()).collect();
    assert_eq!(kinds, ["decided", "opinion_read", "step_finished"]);
    assert_eq!(outside.open, [Effect::Finish]);
}

#[test]
fn the_decision_waits_for_the_whole_wave() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start_all();
    assert!(outside.finish_next() && outside.finish_next());
    assert!(outside.open.is_empty() && outside.state.to_record.is_none());
    assert!(outside.finish_next());
    assert_eq!(outside.open, [Effect::Record]);
}

#[test]
fn a_failed_member_is_replaced_from_the_ladder_and_reported() {
    let script: Script = |member, _, _| match member {
        "a" => Reply::Fails(Outcome::Crashed),
        _ => Reply::Says(Verdict::Approve),
    };
    let outside = Outside::submit(inputs(), script).run();
    assert_eq!(outside.attempts(0), ["a", "d"]);
    let failed = &outside.decision().failed_models[0];
    assert_eq!((failed.member.as_str(), &failed.replaced_by), ("a", &Some(id("d"))));
    assert_eq!(outside.decision().model_count, 3);
}

#[test]
fn one_stand_in_is_not_given_to_two_seats() {
    let script: Script = |member, _, _| match member {
        "a" | "b" => Reply::Fails(Outcome::Crashed),
        _ => Reply::Says(Verdict::Approve),
    };
    let outside = Outside::submit(inputs(), script).run();
    assert_eq!((outside.attempts(0), outside.attempts(1)), (vec!["a", "d"], vec!["b"]));
    assert_eq!(outside.state.steps[1].status, StepStatus::GaveUp);
    assert_eq!(outside.decision().model_count, 2);
}

#[test]
fn an_overloaded_member_is_asked_again_after_a_wait_and_then_no_more() {
    let mut outside = Outside::submit(inputs(), all_approve);
    outside.start_all();
    let effects = outside.finish(StepId(0), 0, Reply::Fails(Outcome::Overloaded));
    let at = Timestamp(outside.clock + 1_000);
    assert_eq!(effects, [Effect::WakeAt { step: StepId(0), at }]);
    let effects = outside.happens(Event::TimerFired { step: StepId(0) });
    assert_eq!(effects, [ask_of(0, 1, "a")]);
    outside.start(StepId(0), 1, id("a"));
    let effects = outside.finish(StepId(0), 1, Reply::Fails(Outcome::Overloaded));
    assert_eq!(effects, [ask_of(0, 2, "d")]);
}

#[test]
fn a_rate_limit_is_waited_for_only_when_it_is_short() {
    for (retry_after_ms, waits) in
        [(Some(0), false), (Some(1), true), (Some(20_000), true), (Some(20_001), false), (None, false)]
    {
        let mut outside = Outside::submit(inputs(), all_approve);
        outside.start_all();
        let effects = outside.finish(StepId(0), 0, Reply::Fails(Outcome::RateLimited { retry_after_ms }));
        let member = if retry_after_ms == Some(0) { "a" } else { "d" };
        let at = Timestamp(outside.clock).plus_millis(retry_after_ms.unwrap_or_default());
        let expected = if waits { Effect::WakeAt { step: StepId(0), at } } else { ask_of(0, 1, member) };
        assert_eq!(effects, [expected], "{retry_after_ms:?}");
    }
}

#[test]
fn attempts_are_bounded_over_all_members() {
    for (most, expected) in [(1, 3), (2, 6), (3, 7)] {
        let mut inputs = inputs();
        inputs.members.extend(["e", "f", "g"].map(|name| Member { payer: Payer::Local, ..seat(name, 2) }));
        inputs.rules.attempts = most;
        let outside = Outside::submit(inputs, |_, _, _| Reply::Fails(Outcome::Empty)).run();
        assert_eq!(outside.starts().len(), expected, "at most {most} tries, and seven members");
        assert!(outside.state.steps.iter().all(|step| step.attempts.len() <= usize::from(most)));
        assert_eq!(outside.decision().blockers, [Blocker::AllFailed]);
    }
    let endless = Outside::submit(inputs(), |_, _, _| Reply::Fails(Outcome::Overloaded)).run();
    assert!(endless.state.steps.iter().all(|step| step.attempts.len() <= 4));
}

#[test]
fn a_critical_task_is_never_handed_to_a_weaker_member() {
    for (tier, handed) in [(1, true), (2, false), (5, false)] {
        let mut inputs = critical();
        inputs.members.truncate(3);
        let mut outside = Outside::submit(inputs.clone(), all_approve);
        // Routing seats everybody for a critical task; a rule that seats fewer must not open this door.
        inputs.members.push(seat("z", tier));
        outside.state.inputs = Some(inputs.into());
        let mut plan = (**outside.state.plan.as_ref().unwrap()).clone();
        plan.team.ladder = vec![id("z")];
        outside.state.plan = Some(plan.into());
        outside.start_all();
        let effects = outside.finish(StepId(0), 0, Reply::Fails(Outcome::Crashed));
        assert_eq!(effects == [ask_of(0, 1, "z")], handed, "tier {tier}");
        assert_eq!(outside.state.steps[0].status == StepStatus::GaveUp, !handed, "tier {tier}");
    }
}

#[test]
fn checks_run_after_the_wave_and_give_evidence_not_votes() {
    let mut inputs = inputs();
    inputs.members.push(check("tests"));
    let script: Script = |member, _, _| match member {
        "tests" => Reply::Finds(CheckResult::Failed),
        "a" => Reply::Says(Verdict::Approve),
        _ => Reply::Says(Verdict::Reject),
    };
    let outside = Outside::submit(inputs, script).run();
    assert_eq!(outside.starts().last(), Some(&("tests", 3)));
    let decision = outside.decision();
    assert_eq!((decision.model_count, &*decision.checks[0].result), (3, "failed"));
    assert_eq!((decision.verdict, decision.has_conflict), (Some(Verdict::Reject), false));
}

#[test]
fn checks_run_only_where_what_is_judged_is_in_the_workspace() {
    let asks = |question: Option<Question>, kind: Kind, attached: bool| {
        let mut inputs = inputs();
        inputs.members.push(check("tests"));
        inputs.task.hints = Hints { question, kind: Some(kind), ..inputs.task.hints };
        if attached {
            let (name, content) = ("src/lib.rs".into(), Hash::of(b"x"));
            inputs.task.attachments.push(Attachment { name, form: AttachmentForm::File, content, bytes: 1 });
        }
        let script: Script = |member, _, _| match member {
            "tests" => Reply::Finds(CheckResult::Failed),
            _ => Reply::Says(Verdict::Approve),
        };
        let outside = Outside::submit(inputs, script).run();
        (outside.decision().checks.len(), outside.decision().verdict)
    };
    let name_of_a_company = asks(Some(Question::Verdict), Kind::Brainstorming, false);
    assert_eq!(name_of_a_company, (0, Some(Verdict::Approve)));
    assert_eq!(asks(Some(Question::Verdict), Kind::Brainstorming, true), (1, Some(Verdict::Revise)));
    assert_eq!(asks(Some(Question::Verdict), Kind::QuickFix, false), (1, Some(Verdict::Revise)));
    assert_eq!(asks(Some(Question::Findings), Kind::Architecture, false), (1, Some(Verdict::Revise)));
    assert_eq!(asks(Some(Question::Text), Kind::CodeReview, true).0, 0, "nothing that is counted hangs on it");
}

#[test]
fn a_check_that_cannot_start_is_not_handed_to_a_member() {
    let mut inputs = inputs();
    inputs.members.push(check("tests"));
    let script: Script = |member, _, _| match member {
        "tests" => Reply::Fails(Outcome::NotInstalled),
        _ => Reply::Says(Verdict::Approve),
    };
    let outside = Outside::submit(inputs, script).run();
    assert_eq!(outside.attempts(3), ["tests"]);
    assert_eq!(outside.state.status, Status::Decided);
}

#[test]
fn without_any_member_the_run_ends_and_says_so() {
    let mut inputs = inputs();
    inputs.members.clear();
    let outside = Outside::submit(inputs, all_approve).run();
    assert_eq!((outside.state.status, outside.starts().len()), (Status::Decided, 0));
    assert_eq!(outside.decision().blockers, [Blocker::AllFailed]);
}

#[test]
fn what_was_abstained_is_no_failure_and_no_vote() {
    let script: Script = |member, _, _| if member == "a" { Reply::Abstains } else { Reply::Says(Verdict::Approve) };
    let outside = Outside::submit(inputs(), script).run();
    let decision = outside.decision();
    assert_eq!((decision.model_count, decision.abstained.len(), decision.failed_models.len()), (2, 1, 0));
}

#[test]
fn two_decisions_in_a_row_are_both_recorded() {
    let mut inputs = inputs();
    inputs.workflow.nodes.insert(3, node("decide-again", When::Always, Act::Decide));
    let outside = Outside::submit(inputs, all_approve).run();
    let decided = outside.journal.iter().filter(|one| one.event.kind() == "decided").count();
    assert_eq!((decided, outside.state.status), (2, Status::Decided));
}
