//! Answers that do not count leave the quorum to others, as long as there are any.

use super::*;

/// What the end of its name says: `says`, `quiet` (an answer that takes no position), `fails`, `limited`.
fn as_named(member: &str, _: u8, _: u32) -> Reply {
    match member.rsplit('-').next() {
        Some("quiet") => Reply::Abstains,
        Some("fails") => Reply::Fails(Outcome::Crashed),
        Some("limited") => Reply::Fails(Outcome::RateLimited { retry_after_ms: None }),
        _ => Reply::Says(Verdict::Approve),
    }
}

/// Members on subscriptions, each of its own vendor, of tier 1.
fn table(complexity: Complexity, names: &[&str]) -> Inputs {
    let mut inputs = inputs();
    inputs.task.hints.complexity = Some(complexity);
    inputs.members = names.iter().map(|name| Member { payer: Payer::Subscription, ..seat(name, 1) }).collect();
    inputs
}

fn ran(inputs: Inputs) -> Outside {
    Outside::submit(inputs, as_named).run()
}

fn asked(outside: &Outside) -> Vec<&str> {
    outside.starts().into_iter().map(|(member, _)| member).collect()
}

fn has_quorum(outside: &Outside) -> bool {
    !outside.decision().blockers.iter().any(|one| matches!(one, Blocker::NoQuorum | Blocker::AllFailed))
}

#[test]
fn a_refusal_and_an_unreadable_answer_have_a_stand_in_while_vendors_are_missing() {
    let outside = ran(table(Complexity::Standard, &["a-limited", "b-quiet", "c-quiet", "d-says", "e-says"]));
    assert_eq!(asked(&outside), ["a-limited", "b-quiet", "c-quiet", "d-says", "e-says"]);
    assert!(has_quorum(&outside), "{:?}", outside.decision().blockers);
    let decision = outside.decision();
    assert_eq!((decision.model_count, decision.abstained.len(), decision.failed_models.len()), (2, 2, 1));
    let told = "e-says was asked in place of b-quiet: too few vendors had answered";
    assert!(decision.reasoning.iter().any(|line| line == told), "{:?}", decision.reasoning);
    assert_eq!(outside.state.steps[3].role, outside.state.steps[1].role, "it takes the seat as it was");
}

#[test]
fn where_one_answer_is_enough_one_is_looked_for() {
    let outside = ran(table(Complexity::Quick, &["a-quiet", "b-quiet", "c-says", "d-says", "e-says"]));
    assert_eq!(asked(&outside), ["a-quiet", "b-quiet", "c-says"]);
    assert_eq!((has_quorum(&outside), outside.decision().model_count), (true, 1));
}

#[test]
fn as_many_as_are_missing_are_asked_at_once() {
    let names = ["a-quiet", "b-quiet", "c-quiet", "d-says", "e-says", "f-says"];
    let mut outside = Outside::submit(table(Complexity::Standard, &names), as_named);
    outside.start_all();
    while outside.running.len() > 1 {
        outside.finish_next();
    }
    assert!(outside.open.is_empty(), "the third may still answer");
    outside.finish_next();
    assert_eq!(outside.open.len(), 2, "{:?}", outside.open);
    assert_eq!(asked(&outside.run()).len(), 5);
}

#[test]
fn with_the_quorum_met_an_abstention_stays_one() {
    let outside = ran(table(Complexity::Standard, &["a-quiet", "b-says", "c-says", "d-says"]));
    assert_eq!(asked(&outside).len(), 3);
}

#[test]
fn the_tries_of_a_seat_are_bounded_whoever_makes_them() {
    for (attempts, expected) in [(1, 1), (2, 2), (4, 4)] {
        let names = ["a-quiet", "b-fails", "c-quiet", "d-quiet", "e-quiet", "f-says"];
        let mut inputs = table(Complexity::Quick, &names);
        inputs.rules.attempts = attempts;
        (inputs.rules.team.quick.least, inputs.rules.team.quick.most) = (1, 1);
        assert_eq!(asked(&ran(inputs)).len(), expected, "{attempts} tries");
    }
}

#[test]
fn nobody_is_asked_who_could_not_mend_it_or_does_not_fit_the_cap() {
    let names = ["a-says", "b-quiet", "c-quiet", "d-says"];
    let mut same = table(Complexity::Standard, &names);
    same.members[3].vendor = same.members[0].vendor.clone();
    assert_eq!(asked(&ran(same)).len(), 3, "another one of a vendor that has answered");
    let mut dear = table(Complexity::Standard, &names);
    dear.members[3].payer = Payer::Key;
    dear.rules.spend_cap = Some(MicroUsd(1));
    let outside = ran(dear);
    assert_eq!((asked(&outside).len(), has_quorum(&outside)), (3, false));
}

#[test]
fn a_seat_that_the_cap_left_out_is_not_filled_by_another() {
    let mut inputs = table(Complexity::Standard, &["a-says", "b-says", "c-says", "d-says"]);
    for dear in [1, 2] {
        inputs.members[dear].payer = Payer::Key;
    }
    inputs.rules.spend_cap = Some(MicroUsd(1));
    let mut outside = Outside::submit(inputs, as_named);
    outside.start_all();
    outside.finish_next();
    assert!(outside.state.steps.iter().all(|step| step.stands_in_for.is_none()));
    assert_eq!(asked(&outside.run()), ["a-says", "d-says"], "who is held back is asked, as it costs nothing");
}

#[test]
fn one_answer_is_better_than_none_where_no_quorum_can_be_had() {
    let outside = ran(table(Complexity::Standard, &["a-quiet", "b-quiet", "c-quiet", "d-says"]));
    assert_eq!((asked(&outside).len(), outside.decision().model_count), (4, 1));
    assert!(outside.decision().blockers.contains(&Blocker::NoQuorum));
}

#[test]
fn a_stand_in_of_a_vendor_that_answered_leaves_room_for_another() {
    let mut inputs = table(Complexity::Standard, &["a-says", "b-fails", "c-fails", "d-says", "e-says", "f-says"]);
    for taken in [3, 4] {
        inputs.members[taken].vendor = inputs.members[0].vendor.clone();
    }
    (inputs.rules.team.standard.least, inputs.rules.team.standard.most) = (3, 3);
    inputs.members[5].tier = 2;
    let outside = ran(inputs);
    assert_eq!(asked(&outside), ["a-says", "b-fails", "c-fails", "d-says", "e-says", "f-says"]);
    assert!(has_quorum(&outside));
}

#[test]
fn a_critical_task_is_not_handed_on_to_a_weaker_one_for_its_vendor() {
    for (tier, expected) in [(1, 4), (2, 3)] {
        let mut inputs = table(Complexity::Standard, &["a-quiet", "b-quiet", "c-quiet"]);
        inputs.task.hints.priority = Some(Priority::Critical);
        let mut outside = Outside::submit(inputs.clone(), as_named);
        // Routing seats everybody for a critical task; a rule that seats fewer must not open this door.
        inputs.members.push(Member { payer: Payer::Subscription, ..seat("z-says", tier) });
        outside.state.inputs = Some(inputs.into());
        let mut plan = outside.state.plan.as_deref().unwrap().clone();
        plan.team.ladder = vec![id("z-says")];
        outside.state.plan = Some(plan.into());
        assert_eq!(asked(&outside.run()).len(), expected, "tier {tier}");
    }
}

#[test]
fn a_draft_that_was_refused_is_written_by_another() {
    let mut inputs = table(Complexity::Standard, &["a-quiet", "b-says", "c-says", "d-says"]);
    let draft = Act::Ask { who: Who::Lead, template: "draft".into(), with: vec![], draft: true };
    inputs.workflow.templates.insert("draft".into(), "draft".into());
    inputs.workflow.nodes.insert(0, node("draft", When::Always, draft));
    let outside = ran(inputs);
    let drafts: Vec<&str> =
        outside.state.steps.iter().filter(|step| step.draft).map(|step| step.member.as_str()).collect();
    assert_eq!(drafts, ["a-quiet", "d-says"]);
}

#[test]
fn who_was_named_has_nobody_in_its_place() {
    let mut inputs = table(Complexity::Standard, &["a-quiet", "b-says"]);
    inputs.named = vec![id("a-quiet")];
    assert_eq!(asked(&ran(inputs)), ["a-quiet"]);
}

/// Five members that say something, are quiet or fail, in all ways, of two layouts of vendors: whoever could have made
/// the quorum was asked, nobody twice in a wave, and a process may die after any commit.
#[test]
fn no_quorum_is_given_up_while_somebody_could_make_it() {
    for case in 0..3_usize.pow(5) * 2 {
        let reply = |place: u32| ["says", "quiet", "fails"][case / 2 / 3_usize.pow(place) % 3];
        let names: Vec<String> =
            ["a", "b", "c", "d", "e"].iter().zip(0..).map(|(name, place)| format!("{name}-{}", reply(place))).collect();
        let names: Vec<&str> = names.iter().map(String::as_str).collect();
        let mut inputs = table(Complexity::Standard, &names);
        inputs.rules.attempts = 9;
        if case % 2 == 1 {
            for (one, other) in [(1, 0), (4, 3)] {
                inputs.members[one].vendor = inputs.members[other].vendor.clone();
            }
        }
        let members = inputs.members.clone();
        let outside = ran(inputs);
        let mut once = asked(&outside);
        once.sort_unstable();
        assert!(once.windows(2).all(|two| two[0] != two[1]), "{names:?}: {once:?}");
        let says = |member: &&Member| member.id.as_str().ends_with("says");
        let could: std::collections::BTreeSet<&str> =
            members.iter().filter(says).map(|member| member.vendor.as_str()).collect();
        assert_eq!(has_quorum(&outside), could.len() >= 2, "{names:?}: asked {once:?}");
        assert_eq!(outside.decision().model_count > 0, !could.is_empty(), "{names:?}: one answer is better than none");
        // A step that is prime visits every sort of case.
        for length in outside.commits.iter().filter(|_| case % 7 == 0) {
            let resumed = Outside::recovered(&outside.journal[..*length], &outside).run();
            assert_eq!(has_quorum(&resumed), has_quorum(&outside), "{names:?} after {length}");
        }
    }
}
