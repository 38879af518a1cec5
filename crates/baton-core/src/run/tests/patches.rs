//! Patches on their way: written, tried once each, ranked.

use super::*;
use crate::evidence::{Fit, Trial, TrialCheck};
use crate::hash::Hash;
use crate::task::Question;

pub(super) fn patch_opinion(text: &str) -> Opinion {
    let hash = Hash::of(text.as_bytes());
    let position = Position::Patch {
        files: vec!["a.rs".into()],
        class: hash,
        content: hash,
        changed_lines: 2,
        weakens_tests: false,
    };
    Opinion { position, ..Opinion::abstaining("") }
}

pub(super) fn tried(result: CheckResult) -> Evidence {
    let check = TrialCheck { check: id("tests"), result: result.clone(), command: "run".into(), summary: "s".into() };
    Evidence { trial: Some(Trial { fit: Fit::Yes, checks: vec![check], probes: vec![] }), ..evidence(result) }
}

/// A wave, trials, a second wave of everybody, trials again, a decision.
fn asking_for_a_patch() -> Inputs {
    let mut inputs = inputs();
    inputs.task.hints.question = Some(Question::Patch);
    inputs.members.push(Member { nature: Nature::Trial, ..check("trial") });
    let again = inputs.workflow.nodes[0].act.clone();
    inputs.workflow.nodes = vec![
        node("panel", When::Always, again.clone()),
        node("try", When::Always, Act::Try),
        node("again", When::Always, again),
        node("try-again", When::Always, Act::Try),
        node("decide", When::Always, Act::Decide),
    ];
    inputs
}

fn two_write_the_same(member: &str, attempt: u8, _: u32) -> Reply {
    match (member, attempt) {
        ("trial", _) => Reply::Tries(CheckResult::Passed),
        ("c", _) => Reply::Writes("of its own"),
        _ => Reply::Writes("the same"),
    }
}

pub(super) fn ran() -> Outside {
    Outside::submit(asking_for_a_patch(), two_write_the_same).run()
}

#[test]
fn each_distinct_patch_is_tried_once() {
    let outside = ran();
    let trials: Vec<&Step> = outside.state.steps.iter().filter(|step| step.is_evidence()).collect();
    assert_eq!(trials.len(), 2, "the second wave wrote nothing new");
    let decision = outside.decision();
    assert_eq!(decision.patches[0].by, [id("a"), id("b")]);
    assert_eq!((decision.model_count, decision.checks.len()), (3, 0), "a trial is no vote and no check of the tree");
    let of: Vec<StepId> = trials
        .iter()
        .filter_map(|step| match step.work {
            Work::Try { of, .. } => Some(of),
            _ => None,
        })
        .collect();
    assert!(of.iter().all(|step| outside.state.step(*step).unwrap().opinion.is_some()));
}

#[test]
fn a_trial_in_doubt_is_made_again_and_one_that_is_given_up_leaves_the_patch_untried() {
    let crashes = |member: &str, attempt: u8, round: u32| match member {
        "trial" => Reply::Fails(Outcome::Crashed),
        _ => two_write_the_same(member, attempt, round),
    };
    let decision = Outside::submit(asking_for_a_patch(), crashes).run();
    assert_eq!(decision.decision().patches[0].applies, "unknown");
    assert!(decision.decision().patches.iter().all(|patch| patch.content.is_none()));
}

#[test]
fn where_nobody_can_try_nothing_is_tried() {
    let mut inputs = asking_for_a_patch();
    inputs.members.retain(|member| member.nature != Nature::Trial);
    let outside = Outside::submit(inputs, two_write_the_same).run();
    assert!(outside.state.steps.iter().all(|step| !step.is_evidence()));
    assert_eq!(outside.decision().patches.len(), 2);
}
