//! Patches that all hold and behave differently on a probe.

use super::patches::{asked, author, fits, writes};
use super::*;
use crate::evidence::{CheckResult, Probe, ProbeResult, Shown, Trial};

fn shows(output: &str) -> ProbeResult {
    ProbeResult::Showed(Shown::new(0, output))
}

fn trial(check: CheckResult, result: ProbeResult) -> Trial {
    Trial { probes: vec![Probe { probe: id("behave"), command: "run".into(), result }], ..fits(&[check]) }
}

/// `a`, `b` and `c` each write a patch of their own, with these trials and these answers about disputes.
fn decided(trials: [Trial; 3], rulings: Vec<Ruling>) -> Decision {
    let mut table = asked();
    table.rulings = rulings;
    for (name, tier) in [("a", 1), ("b", 2), ("c", 3)] {
        table = table.with(name, tier, writes(&author(name, tier, name)));
    }
    let evidence: Vec<(Hash, Evidence)> = ["a", "b", "c"]
        .into_iter()
        .zip(trials)
        .map(|(patch, trial)| {
            let evidence = crate::evidence::read(CheckResult::Passed, "git apply", "");
            (Hash::of(patch.as_bytes()), Evidence { trial: Some(trial), ..evidence })
        })
        .collect();
    let tried = evidence.iter().map(|(content, evidence)| Tried { content: *content, evidence, diff: Some(*content) });
    table.decide_with(tried.collect())
}

const PASSED: CheckResult = CheckResult::Passed;

fn differ() -> [Trial; 3] {
    [
        trial(PASSED, shows("one\ntotal 3\n")),
        trial(PASSED, shows("one\ntotal 4\n")),
        trial(PASSED, shows("one\ntotal 3\n")),
    ]
}

#[test]
fn different_behaviour_is_a_conflict_that_names_both_sides_and_the_first_difference() {
    let decision = decided(differ(), vec![]);
    assert_eq!(decision.recommendation, Recommendation::ConflictResolutionNeeded);
    let [conflict] = decision.conflicts.as_slice() else { panic!("{:?}", decision.conflicts) };
    assert_eq!(conflict.claim, "line 2 of what the probe behave prints should be `total 3`, not `total 4`");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["a", "c"]), &ids(&["b"])));
    let reasons: Vec<&str> = conflict.reasons.iter().map(|one| one.reason.as_str()).collect();
    assert_eq!(reasons[1], "with its patch line 2 of behave is `total 4`");
    assert!(decision.reasoning.iter().any(|one| one.contains("tells the patch of a from that of b")), "{decision:?}");
}

#[test]
fn the_same_behaviour_is_said_and_lifts_nothing() {
    let same = || trial(PASSED, shows("total 3\n"));
    let decision = decided([same(), same(), same()], vec![]);
    let without = decided([fits(&[PASSED]), fits(&[PASSED]), fits(&[PASSED])], vec![]);
    assert!(decision.conflicts.is_empty() && !decision.has_conflict);
    assert_eq!(decision.overall_confidence, without.overall_confidence);
    let said = "the probe behave shows the same with the patch of a and of b and of c";
    assert!(decision.reasoning.iter().any(|one| one == said), "{:?}", decision.reasoning);
}

#[test]
fn a_patch_that_fails_and_a_probe_that_says_nothing_are_not_compared() {
    let failing = trial(CheckResult::Failed, shows("total 4\n"));
    let silent = trial(PASSED, ProbeResult::Abstained { reason: "its output is not the same twice".into() });
    let decision = decided([trial(PASSED, shows("total 3\n")), failing, silent.clone()], vec![]);
    assert!(decision.conflicts.is_empty(), "{:?}", decision.conflicts);
    let decision = decided([silent, differ()[1].clone(), differ()[0].clone()], vec![]);
    assert!(decision.conflicts.is_empty(), "the first one shows nothing to compare with");
    assert!(decision.reasoning.iter().any(|one| one.contains("not the same twice")), "{:?}", decision.reasoning);
}

#[test]
fn how_the_dispute_ends_says_which_patch_comes_first() {
    let claim = decided(differ(), vec![]).conflicts[0].claim.clone();
    let says = |side, first| Ruling {
        claim: claim.clone(),
        member: id("judge"),
        side: Some(side),
        speaker: Speaker::Arbiter { holding_first: first },
    };
    let ended = |side| decided(differ(), vec![says(side, true), says(side, false)]);
    let against = ended(Side::Against);
    let order: Vec<&str> = against.patches.iter().map(|patch| patch.by[0].as_str()).collect();
    assert_eq!((order, against.has_conflict), (vec!["b", "a", "c"], false), "{:?}", against.reasoning);
    assert!(against.reasoning.iter().any(|one| one.ends_with("the dispute about what it does went against it")));
    let held = ended(Side::Holds);
    assert_eq!((held.patches[0].by[0].as_str(), held.has_conflict), ("a", false));
}

#[test]
fn exit_codes_missing_lines_and_long_outputs_differ_too() {
    let claim = |one: Shown, other: Shown| {
        let shows = |shown| trial(PASSED, ProbeResult::Showed(shown));
        decided([shows(one.clone()), shows(other), shows(one)], vec![]).conflicts[0].claim.clone()
    };
    assert!(claim(Shown::new(0, "x"), Shown::new(3, "x")).ends_with("exit code 0, not 3"));
    assert!(claim(Shown::new(0, "x\n"), Shown::new(0, "x\ny\n")).ends_with("should be nothing more, not `y`"));
    let long = "same\n".repeat(10_000);
    let other = format!("{long}other\n");
    assert!(claim(Shown::new(0, &long), Shown::new(0, &other)).contains("after its first 16384 bytes"));
}
