//! Disputes that the answers' sentences show and the votes do not.

use super::*;

fn answers(text: &str) -> Opinion {
    crate::opinion::read(text, &Question::Text, &crate::source::Sources::default())
}

fn asked(task: &str) -> Table {
    let mut table = table();
    table.task = task.into();
    table.classification.question = Question::Text;
    table
}

#[test]
fn answers_in_prose_that_exclude_each_other_are_a_conflict() {
    let decision = asked("Should we move the queue to Redis?")
        .with("alder", 1, answers("Yes. One system fewer to run."))
        .with("birch", 1, answers("No. Messages would be lost at each restart."))
        .with("cedar", 2, answers("I abstain."))
        .decide();
    assert!(decision.has_conflict);
    let conflict = &decision.conflicts[0];
    assert_eq!(conflict.claim, "move the queue to Redis");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["alder"]), &ids(&["birch"])));
    assert_eq!(conflict.reasons.len(), 2);
    assert_eq!(decision.dissenters.len(), 1);
    assert_eq!(decision.dissenters[0].position, "against: move the queue to Redis");
    assert_eq!(decision.dissenters[0].reason, "Messages would be lost at each restart.");
}

#[test]
fn additions_are_no_conflict() {
    let decision = asked("How do we make the build faster?")
        .with("alder", 1, answers("Cache the dependencies."))
        .with("birch", 1, answers("Split the test job in two."))
        .decide();
    assert!(!decision.has_conflict && decision.dissenters.is_empty());
}

#[test]
fn a_weak_voice_against_strong_ones_dissents_without_a_conflict() {
    let decision = asked("Is the lock needed?")
        .with("alder", 1, answers("Yes, two threads write."))
        .with("birch", 1, answers("It is."))
        .with("cedar", 5, answers("No."))
        .decide();
    assert!(!decision.has_conflict);
}

#[test]
fn a_vote_is_named_once_and_gets_its_reasons() {
    let decision = table()
        .with("alder", 1, answers("Broken: it overflows.\n\n```json\n{\"verdict\":\"reject\"}\n```"))
        .with("birch", 1, answers("Looks good to me.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .decide();
    assert_eq!(decision.conflicts.len(), 1);
    let words: Vec<&str> = decision.conflicts[0].reasons.iter().map(|reason| reason.reason.as_str()).collect();
    assert_eq!(words, ["Looks good to me.", "Broken: it overflows."]);
}

#[test]
fn verdicts_that_agree_are_not_contradicted_by_their_prose() {
    let decision = table()
        .with("alder", 1, answers("This is right.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .with("birch", 1, answers("Wrong, bad, broken.\n\n```json\n{\"verdict\":\"approve\"}\n```"))
        .decide();
    assert!(!decision.has_conflict);
}

#[test]
fn one_place_judged_twice_is_a_conflict_although_the_verdicts_agree() {
    let judged = |severity: &str, claim: &str| {
        answers(&format!(
            "See the list.\n\n```json\n{{\"verdict\":\"reject\",\"findings\":[{{\"file\":\"a.rs\",\"line\":7,\
             \"severity\":\"{severity}\",\"claim\":\"{claim}\"}}]}}\n```"
        ))
    };
    let decision = table()
        .with("alder", 1, judged("high", "unwrap is reached by users"))
        .with("birch", 1, judged("low", "unwrap is fine here"))
        .decide();
    assert_eq!(decision.conflicts.len(), 1);
    assert_eq!(decision.conflicts[0].claim, "a.rs:7: unwrap is reached by users");
}
