//! What is learned from a run, on the recorded journal of one in which a check settled a dispute.

use std::sync::Arc;

use baton_core::feedback::{ClaimKind, Fact, Feedback, FeedbackError, Source, Subject};
use baton_core::hash::Hash;
use baton_core::ids::RunId;
use baton_core::journal::{Actor, Row};
use baton_core::run::RunState;
use baton_core::units::Timestamp;

use crate::golden;

fn run() -> RunId {
    RunId::parse("0192f3a4-5b6c-7d8e-9f00-112233445566").unwrap()
}

/// `alder` and `cedar` ask for a change, `birch` approves; `birch` denies the finding that a check then points to.
fn settled() -> RunState {
    let mut state = golden::fold("demo-settled");
    let mut decision = state.decision.as_deref().unwrap().clone();
    decision.scripted = false;
    state.decision = Some(Arc::new(decision));
    state
}

fn rights(facts: &[Fact]) -> Vec<(&str, bool)> {
    facts.iter().map(|fact| (fact.member.as_str(), fact.right)).collect()
}

#[test]
fn a_good_decision_was_right_for_those_who_stood_with_it() {
    let said = Feedback::on_decision(&run(), &settled(), true, Source::Person).unwrap();
    assert_eq!(rights(&said.facts), [("alder", true), ("birch", false), ("cedar", true)]);
    assert!(said.facts.iter().all(|fact| fact.claim == ClaimKind::Verdict));
    let said = Feedback::on_decision(&run(), &settled(), false, Source::Revert).unwrap();
    assert_eq!(rights(&said.facts), [("alder", false), ("birch", true), ("cedar", false)]);
}

#[test]
fn a_finding_is_told_of_those_who_reported_and_those_who_denied_it() {
    let said = Feedback::on_finding(&run(), &settled(), 1, true, Source::Person).unwrap();
    assert_eq!(rights(&said.facts), [("alder", true), ("birch", false)]);
    assert!(said.facts.iter().all(|fact| fact.claim == ClaimKind::Finding));
    let said = Feedback::on_finding(&run(), &settled(), 2, false, Source::Person).unwrap();
    assert_eq!(rights(&said.facts), [("alder", false), ("cedar", false)]);
}

#[test]
fn a_refused_finding_is_counted_on_after_the_others() {
    let state = settled();
    let decision = state.decision.as_ref().unwrap();
    let (number, refused) = (decision.issues.len() + 1, &decision.refused_issues[0]);
    let said = Feedback::on_finding(&run(), &state, number, false, Source::Person).unwrap();
    assert_eq!(rights(&said.facts), [(refused.member.as_str(), false)]);
    assert_eq!(said.subject, Subject::Finding { number });
}

#[test]
fn a_check_teaches_without_being_asked() {
    let said = Feedback::from_checks(&run(), &settled());
    assert_eq!(said.len(), 1, "only what the check pointed to");
    assert_eq!((said[0].subject, said[0].source), (Subject::Finding { number: 1 }, Source::Check));
    assert_eq!(rights(&said[0].facts), [("alder", true), ("birch", false)]);
}

#[test]
fn what_is_not_there_or_was_prepared_teaches_nothing() {
    let state = settled();
    let decision = state.decision.as_ref().unwrap();
    let findings = decision.issues.len() + decision.refused_issues.len();
    for number in [0, findings + 1] {
        let refused = Feedback::on_finding(&run(), &state, number, true, Source::Person);
        assert_eq!(refused, Err(FeedbackError::NoSuchFinding { number, findings }));
    }
    let scripted = golden::fold("demo-settled");
    assert_eq!(Feedback::on_decision(&run(), &scripted, true, Source::Person), Err(FeedbackError::Scripted));
    assert!(Feedback::from_checks(&run(), &scripted).is_empty());
    let undecided = Feedback::on_decision(&run(), &RunState::default(), true, Source::Person);
    assert_eq!(undecided, Err(FeedbackError::Undecided));
}

fn rows(said: &[Feedback]) -> Vec<Row> {
    let row = |(ordinal, said): (u64, &Feedback)| {
        let event = said.encode(Timestamp(0), Actor::Person).unwrap();
        Row {
            seq: ordinal,
            stream: "feedback".into(),
            ordinal,
            kind: event.kind.into(),
            version: event.version,
            at: event.at,
            epoch: 0,
            actor: event.actor.as_text(),
            header: event.header,
            body_hash: None,
            body: None,
            prev_hash: Hash::ZERO,
            hash: Hash::ZERO,
        }
    };
    (0..).zip(said).map(row).collect()
}

#[test]
fn the_last_word_counts_and_a_check_never_overrides_a_person() {
    let state = settled();
    let good = Feedback::on_decision(&run(), &state, true, Source::Person).unwrap();
    let bad = Feedback::on_decision(&run(), &state, false, Source::Person).unwrap();
    assert_eq!(Feedback::fold(&rows(&[good.clone(), bad.clone()])).unwrap(), [bad]);
    let wrong = Feedback::on_finding(&run(), &state, 1, false, Source::Person).unwrap();
    let check = Feedback::from_checks(&run(), &state).remove(0);
    let folded = Feedback::fold(&rows(&[wrong.clone(), check.clone(), good.clone()])).unwrap();
    assert_eq!(folded, [wrong.clone(), good]);
    assert_eq!(Feedback::fold(&rows(&[check, wrong.clone()])).unwrap(), [wrong]);
}

#[test]
fn what_is_said_again_is_not_newer_for_that() {
    let state = settled();
    let check = Feedback::from_checks(&run(), &state).remove(0);
    let later = Feedback::on_decision(&run(), &state, true, Source::Person).unwrap();
    let folded = Feedback::fold(&rows(&[check.clone(), later.clone(), check.clone()])).unwrap();
    assert_eq!(folded, [check, later], "a run that is carried on after its end teaches nothing new");
}

#[test]
fn rows_of_a_newer_version_are_passed_over_and_damaged_ones_are_not() {
    let said = Feedback::on_decision(&run(), &settled(), true, Source::Person).unwrap();
    let mut rows = rows(&[said.clone(), said.clone()]);
    rows[1].version = 9;
    rows[1].header = "{}".into();
    assert_eq!(Feedback::fold(&rows).unwrap(), [said]);
    rows[0].header = "{}".into();
    assert!(Feedback::fold(&rows).is_err());
}
