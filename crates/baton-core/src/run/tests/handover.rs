//! Who takes over when an account cannot be used.

use super::*;
use crate::handover::{Away, Because, Handover};
use crate::member::Limits;

const HOUR: u64 = 3_600_000;

fn handover(rules: &[(&str, &[&str])], away: &[&str]) -> Handover {
    let rules = rules.iter().map(|(name, to)| (id(name), to.iter().map(|name| id(name)).collect()));
    let away = away.iter().map(|account| Away {
        account: (*account).into(),
        until: Timestamp(0).plus_millis(HOUR),
        because: Because::Quota,
    });
    Handover { rules: rules.collect(), away: away.collect(), offset_minutes: 60 }
}

/// `a`, `b` and `c` would be seated; `d` and `e` stand by.
fn five(handover: Handover) -> Inputs {
    let mut inputs = Inputs { handover: Some(handover), ..inputs() };
    inputs.members.push(Member { payer: Payer::Subscription, ..seat("e", 2) });
    inputs
}

fn asked(inputs: Inputs, script: Script) -> String {
    let outside = Outside::submit(inputs, script).run();
    outside.starts().iter().map(|(member, _)| *member).collect::<Vec<_>>().join(" ")
}

fn team(inputs: Inputs) -> (Vec<String>, Vec<String>) {
    let outside = Outside::submit(inputs, all_approve);
    let team = &outside.state.plan.as_ref().unwrap().team;
    (team.seats.iter().map(|seat| seat.member.to_string()).collect(), team.notes.clone())
}

#[test]
fn a_run_goes_round_a_used_up_account_and_says_until_when_and_who_takes_over() {
    let (seats, notes) = team(five(handover(&[], &["a"])));
    assert_eq!(seats, ["b", "c", "d"]);
    assert_eq!(notes, ["a is out of quota until 02:00; d takes over"]);
    let (seats, notes) = team(five(handover(&[], &[])));
    assert_eq!((seats.join(" "), notes.len()), ("a b c".to_owned(), 0));
}

#[test]
fn the_users_rule_says_who_takes_over() {
    let (seats, notes) = team(five(handover(&[("a", &["e", "d"])], &["a"])));
    assert_eq!(seats, ["b", "c", "e"]);
    assert_eq!(notes, ["a is out of quota until 02:00; e takes over"]);
    let (seats, notes) = team(five(handover(&[("a", &["e", "d"])], &["a", "e"])));
    assert_eq!(seats, ["b", "c", "d"], "the first one that can");
    assert!(notes.contains(&"e is out of quota until 02:00".to_owned()), "{notes:?}");
}

#[test]
fn after_the_reset_the_member_takes_over_again_by_itself() {
    let mut late = five(handover(&[("a", &["e"])], &["a"]));
    if let Some(handover) = &mut late.handover {
        handover.away[0].until = Timestamp(10); // the moment of the submission
    }
    assert_eq!(team(late).0, ["a", "b", "c"]);
}

#[test]
fn seats_of_one_account_are_away_together_and_nobody_is_left_is_said() {
    let mut inputs = five(handover(&[], &["login"]));
    for member in &mut inputs.members {
        member.account = "login".into();
    }
    let (seats, notes) = team(inputs);
    assert!(seats.is_empty());
    assert_eq!(notes.iter().filter(|note| note.contains("is out of quota until 02:00")).count(), 5);
}

#[test]
fn a_named_member_is_asked_all_the_same_unless_a_rule_says_who_follows() {
    let named = |handover| Inputs { named: vec![id("a")], ..five(handover) };
    let (seats, notes) = team(named(handover(&[], &["a"])));
    assert_eq!(seats, ["a"]);
    assert!(notes[0].contains("asked all the same, as you named it"));
    let (seats, notes) = team(named(handover(&[("a", &["e"])], &["a"])));
    assert_eq!(
        (seats.as_slice(), notes[0].as_str()),
        (&["e".to_owned()][..], "a is out of quota until 02:00; e takes over")
    );
}

#[test]
fn a_member_that_uses_up_its_quota_hands_over_by_the_rule_and_its_account_is_not_tried_again() {
    let quota: Script = |member, _, _| match member {
        "a" => Reply::Fails(Outcome::QuotaExhausted),
        _ => Reply::Says(Verdict::Approve),
    };
    assert_eq!(asked(five(handover(&[("a", &["e", "d"])], &[])), quota), "a b c e");
    assert_eq!(asked(five(handover(&[], &[])), quota), "a b c d");
    let mut shared = five(handover(&[("a", &["d", "e"])], &[]));
    shared.members[3].account = "a".into();
    assert_eq!(asked(shared, quota), "a b c e", "d is on the same account");
    let broken: Script = |member, _, _| match member {
        "a" => Reply::Fails(Outcome::Crashed),
        _ => Reply::Says(Verdict::Approve),
    };
    assert_eq!(asked(five(handover(&[("a", &["e"])], &[])), broken), "a b c d", "a crash is no quota");
}

#[test]
fn a_rule_hands_over_even_from_a_named_member_and_nothing_else_does() {
    let limited: Script = |member, _, _| match member {
        "a" => Reply::Fails(Outcome::RateLimited { retry_after_ms: Some(7_200_000) }),
        _ => Reply::Says(Verdict::Approve),
    };
    let named = |handover| Inputs { named: vec![id("a")], ..five(handover) };
    assert_eq!(asked(named(handover(&[("a", &["b"])], &[])), limited), "a b");
    assert_eq!(asked(named(handover(&[], &[])), limited), "a");
}

/// Folded before this was recorded, and for ever so.
#[test]
fn a_run_without_the_record_goes_by_the_ladder_as_it_always_did() {
    let mut old = five(Handover::default());
    old.handover = None;
    old.members[3].account = "a".into();
    let quota: Script = |member, _, _| match member {
        "a" => Reply::Fails(Outcome::QuotaExhausted),
        _ => Reply::Says(Verdict::Approve),
    };
    assert_eq!(asked(old, quota), "a b c d");
}

#[test]
fn a_task_that_the_way_to_a_member_cannot_take_is_not_sent_there() {
    let mut inputs = five(handover(&[], &[]));
    inputs.task.prompt = "x".repeat(200_000);
    inputs.members[0].limits = Limits { prompt_bytes: Some(128_000), ..Limits::default() };
    let (seats, notes) = team(inputs);
    assert_eq!(seats, ["b", "c", "d"]);
    assert_eq!(notes, ["a is left out: the task has 200 KB, it takes at most 128 KB"]);
}

/// Every set of accounts that are away, with rules that name seats, reserves, themselves and each other.
#[test]
fn nobody_sits_twice_and_nobody_who_is_away_sits() {
    let names = ["a", "b", "c", "d", "e"];
    let rules: [&[(&str, &[&str])]; 4] = [
        &[],
        &[("a", &["b", "e"]), ("b", &["a", "e"])],
        &[("a", &["a"]), ("c", &["d"]), ("b", &["d"])],
        &[("a", &["e", "d", "c"]), ("b", &["e"]), ("c", &["e"])],
    ];
    for (rules, set) in rules.into_iter().flat_map(|rules| (0..32_u32).map(move |set| (rules, set))) {
        let away: Vec<&str> = (0..5).filter(|bit| set >> bit & 1 == 1).map(|bit| names[bit]).collect();
        let outside = Outside::submit(five(handover(rules, &away)), all_approve);
        let team = outside.state.plan.as_ref().unwrap().team.clone();
        let mut all: Vec<&str> = team.seats.iter().map(|seat| seat.member.as_str()).collect();
        assert_eq!(all.len(), 3.min(5 - away.len()), "{away:?} {rules:?}");
        all.extend(team.ladder.iter().map(MemberId::as_str));
        all.sort_unstable();
        let present: Vec<&str> = names.into_iter().filter(|name| !away.contains(name)).collect();
        assert_eq!(all, present, "{away:?} {rules:?}");
        let told = away.iter().all(|name| team.notes.iter().any(|note| note.starts_with(&format!("{name} is out"))));
        assert!(told, "{away:?}: {:?}", team.notes);
    }
}

fn resumed() -> Option<SessionStart> {
    Some(SessionStart { state: SessionState::Resumed, because: None, handed_on: 0, from: None })
}

#[test]
fn a_member_that_lost_a_conversation_is_asked_anew_once() {
    let mut outside = Outside::submit(five(Handover::default()), all_approve);
    outside.happens(Event::StepStarted {
        step: StepId(0),
        attempt: 0,
        member: id("a"),
        prompt: None,
        session: resumed(),
    });
    let effects = outside.finish(StepId(0), 0, Reply::Fails(Outcome::SessionNotFound));
    assert!(matches!(&effects[..], [Effect::Ask { member, .. }] if *member == id("a")), "{effects:?}");
    outside.start(StepId(0), 1, id("a"));
    let effects = outside.finish(StepId(0), 1, Reply::Fails(Outcome::SessionNotFound));
    assert!(matches!(&effects[..], [Effect::Ask { member, .. }] if *member == id("d")), "not in circles: {effects:?}");
}
