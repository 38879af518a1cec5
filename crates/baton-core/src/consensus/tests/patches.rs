//! Patches: what a trial says comes before what members say.

use CheckResult::{Failed, Passed};

use super::*;
use crate::evidence::{Fit, Trial, TrialCheck};

/// A member that writes this patch.
pub(super) struct Author<'a> {
    name: &'a str,
    tier: u8,
    patch: &'a str,
    class: &'a str,
    weakens_tests: bool,
}

pub(super) fn author<'a>(name: &'a str, tier: u8, patch: &'a str) -> Author<'a> {
    Author { name, tier, patch, class: patch, weakens_tests: false }
}

pub(super) fn writes(author: &Author<'_>) -> Opinion {
    let position = Position::Patch {
        files: vec!["a.rs".into()],
        class: Hash::of(author.class.as_bytes()),
        content: Hash::of(author.patch.as_bytes()),
        changed_lines: u32::try_from(author.patch.len()).unwrap(),
        weakens_tests: author.weakens_tests,
    };
    Opinion { position, reading: Reading::Strict, ..Opinion::abstaining("") }
}

pub(super) fn fits(results: &[CheckResult]) -> Trial {
    let check = |(number, result): (usize, &CheckResult)| TrialCheck {
        check: id(&format!("check-{number}")),
        result: result.clone(),
        command: "run".into(),
        summary: "s".into(),
    };
    Trial { fit: Fit::Yes, checks: results.iter().enumerate().map(check).collect(), probes: vec![] }
}

fn misfit() -> Trial {
    Trial { fit: Fit::No { because: "no such line".into() }, checks: vec![], probes: vec![] }
}

pub(super) fn asked() -> Table {
    let mut table = table();
    table.classification.question = Question::Patch;
    table
}

/// The decision on these patches, tried with these outcomes.
fn decided(authors: &[Author<'_>], trials: &[(&str, Trial)]) -> Decision {
    decided_at(asked(), authors, trials)
}

fn decided_at(mut table: Table, authors: &[Author<'_>], trials: &[(&str, Trial)]) -> Decision {
    for author in authors {
        table = table.with(author.name, author.tier, writes(author));
    }
    let evidence: Vec<(Hash, Evidence)> = trials
        .iter()
        .map(|(patch, trial)| {
            let evidence = crate::evidence::read(CheckResult::Passed, "git apply", "");
            (Hash::of(patch.as_bytes()), Evidence { trial: Some(trial.clone()), ..evidence })
        })
        .collect();
    let tried = evidence.iter().map(|(content, evidence)| Tried { content: *content, evidence, diff: None });
    table.decide_with(tried.collect())
}

fn order(decision: &Decision) -> Vec<&str> {
    decision.patches.iter().map(|patch| patch.by[0].as_str()).collect()
}

fn silent() -> CheckResult {
    CheckResult::Abstained { reason: "not here".into() }
}

#[test]
fn the_checks_come_before_any_number_of_votes() {
    let authors = [author("a", 1, "bad"), author("b", 1, "bad"), author("c", 1, "bad"), author("d", 5, "good")];
    let trials = [("bad", fits(&[Passed, Failed])), ("good", fits(&[Passed, Passed]))];
    let decision = decided(&authors, &trials);
    assert_eq!(order(&decision), ["d", "a"]);
    assert_eq!(decision.patch, Some(Hash::of(b"good")));
    assert_eq!(decision.confidence_source, ConfidenceSource::PriorAndEvidence);
    assert!(decision.reasoning[0].contains("check-0 and check-1 passes"), "{:?}", decision.reasoning);
    assert!(decision.reasoning[1].ends_with("the checks decide"), "{:?}", decision.reasoning);
}

#[test]
fn each_ground_is_looked_at_only_where_those_before_are_equal() {
    let first = |one: Trial, other: Trial| {
        let authors = [author("one", 2, "first"), author("other", 2, "other")];
        order(&decided(&authors, &[("first", one), ("other", other)]))[0].to_owned()
    };
    assert_eq!(first(misfit(), fits(&[Failed])), "other", "what applies comes first");
    assert_eq!(first(fits(&[Failed, Passed]), fits(&[Passed, Failed])), "other", "the check named first counts first");
    assert_eq!(first(fits(&[silent()]), fits(&[Failed])), "one");
    assert_eq!(first(fits(&[silent()]), fits(&[Passed])), "other");
}

#[test]
fn equal_patches_go_by_weight_then_by_length_then_by_author() {
    let trials = ["long patch", "short", "shirt"].map(|patch| (patch, fits(&[Passed])));
    let weight = [author("a", 1, "long patch"), author("b", 3, "short")];
    assert_eq!(order(&decided(&weight, &trials)), ["a", "b"]);
    let length = [author("a", 2, "long patch"), author("b", 2, "short")];
    assert_eq!(order(&decided(&length, &trials)), ["b", "a"]);
    let name = [author("b", 2, "shirt"), author("a", 2, "short")];
    assert_eq!(order(&decided(&name, &trials)), ["a", "b"]);
}

#[test]
fn who_wrote_the_same_stands_behind_it() {
    let same = |name, patch| Author { class: "same", ..author(name, 2, patch) };
    let authors = [author("z", 1, "lonely"), same("a", "spaced  out"), same("b", "spaced out")];
    let trials = ["lonely", "spaced  out", "spaced out"].map(|patch| (patch, fits(&[Passed])));
    let decision = decided(&authors, &trials);
    let two = decision.patches.iter().find(|patch| patch.by == ids(&["b"])).unwrap();
    assert_eq!(two.backed_by, ids(&["a"]));
    let alone = decided(&authors[1..2], &trials);
    assert!(decision.overall_confidence >= alone.overall_confidence);
}

#[test]
fn taking_something_out_of_tests_ranks_lower_and_lifts_nothing() {
    let cheat = Author { weakens_tests: true, ..author("a", 1, "cheat") };
    let trials = ["cheat", "honest"].map(|patch| (patch, fits(&[Passed])));
    let both = decided(&[cheat, author("b", 4, "honest")], &trials);
    assert_eq!(order(&both), ["b", "a"]);
    let cheat = Author { weakens_tests: true, ..author("a", 1, "cheat") };
    let alone = decided(&[cheat], &trials);
    assert_eq!(alone.confidence_source, ConfidenceSource::Prior);
    assert!(alone.overall_confidence.as_f64() <= 0.75);
}

#[test]
fn a_patch_that_fails_blocks_and_one_that_does_not_apply_is_not_adopted() {
    let authors = [author("a", 1, "x"), author("b", 1, "x")];
    let failing = decided(&authors, &[("x", fits(&[Failed]))]);
    assert!(failing.blocked_by(Blocker::PatchFails) && failing.patch.is_some());
    assert_eq!(failing.recommendation, Recommendation::ReviewRequired);
    let nothing = decided(&authors, &[("x", misfit())]);
    assert!(nothing.blocked_by(Blocker::PatchFails) && nothing.patch.is_none());
}

#[test]
fn without_a_trial_votes_are_all_there_is_and_nothing_is_lifted() {
    let authors = [author("a", 1, "x"), author("b", 1, "x"), author("c", 2, "y")];
    let unknown = Trial { fit: Fit::Unknown { because: "no repository".into() }, checks: vec![], probes: vec![] };
    for trials in [vec![], vec![("x", unknown.clone()), ("y", unknown)]] {
        let decision = decided(&authors, &trials);
        assert_eq!(order(&decision), ["a", "c"]);
        assert_eq!(decision.confidence_source, ConfidenceSource::Prior);
        assert!(decision.overall_confidence.as_f64() <= 0.75, "a prior is capped at the strongest author's");
        assert!(!decision.blocked_by(Blocker::PatchFails));
    }
}

/// One strong author, whose word alone is over the threshold.
fn strong(priority: Priority, weakens_tests: bool, trials: &[(&str, Trial)]) -> Decision {
    let sure = Author { weakens_tests, ..author("a", 1, "x") };
    let mut table = asked();
    table.classification.priority = priority;
    decided_at(table, &[sure], trials)
}

#[test]
fn a_patch_that_nothing_shows_to_work_is_advised_with_caution_at_most() {
    let unknown = Trial { fit: Fit::Unknown { because: "no repository".into() }, checks: vec![], probes: vec![] };
    let said = |decision: &Decision| {
        let reason = decision.reasoning.iter().find(|reason| reason.starts_with("nothing shows that"));
        (decision.recommendation, reason.cloned())
    };
    let because =
        |why: &str| Some(format!("nothing shows that this patch works, as {why}: look at it before you take it"));
    for (trials, why) in [
        (vec![], "it was not tried"),
        (vec![("x", unknown)], "it was not tried"),
        (vec![("x", fits(&[]))], "no check passed with it"),
        (vec![("x", fits(&[silent()]))], "no check passed with it"),
    ] {
        let decision = strong(Priority::Normal, false, &trials);
        assert!(decision.overall_confidence >= decision.threshold, "{decision:?}");
        assert_eq!(said(&decision), (Recommendation::ProceedWithCaution, because(why)));
    }
    let passed = [("x", fits(&[silent(), Passed]))];
    let weaker = strong(Priority::Normal, true, &passed);
    let why = because("the tests that pass are weaker than before");
    assert_eq!(said(&weaker), (Recommendation::ProceedWithCaution, why));
    let shown = strong(Priority::Normal, false, &passed);
    assert_eq!(said(&shown), (Recommendation::Proceed, None));
    assert!(shown.reasoning.last().unwrap().contains("and checks that pass with it"), "{:?}", shown.reasoning);
    let failed = strong(Priority::Normal, false, &[("x", fits(&[Failed]))]);
    assert_eq!(said(&failed), (Recommendation::ReviewRequired, None), "that is told as what it is");
}

#[test]
fn where_much_is_at_stake_such_a_patch_waits_for_a_look() {
    for priority in [Priority::High, Priority::Critical] {
        let decision = strong(priority, false, &[]);
        assert_eq!(decision.recommendation, Recommendation::ReviewRequired, "{priority:?}");
    }
    let mut table = asked();
    table.classification.priority = Priority::High;
    let mut rules = table.rules.clone();
    rules.thresholds.high = Probability::from_millionths(100_000);
    table.rules = rules;
    let decision = decided_at(table, &[author("a", 1, "x")], &[]);
    assert!(decision.overall_confidence >= decision.threshold);
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired, "however sure it is");
}

#[test]
fn nobody_wrote_a_patch() {
    let table = asked().with("a", 1, Opinion::abstaining("it gives no diff"));
    let decision = table.decide_with(vec![]);
    assert_eq!((decision.patch, decision.patches.len(), decision.overall_confidence.millionths()), (None, 0, 0));
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
}
