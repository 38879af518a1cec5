//! Confidence, thresholds, and what evidence does to a vote.

use super::*;
use crate::units::Probability;
use Recommendation::{Proceed, ProceedWithCaution, ReviewRequired};
use Verdict::{Approve, Reject, Revise};

#[test]
fn the_edges_of_threshold_and_caution_band_are_exact() {
    let confidence = table().says("a", 1, Approve).decide().overall_confidence.millionths();
    let cases = [
        (Priority::Low, 0, Proceed),
        (Priority::Low, 1, ProceedWithCaution),
        (Priority::Low, 100_000, ProceedWithCaution),
        (Priority::Low, 100_001, ReviewRequired),
        (Priority::Normal, 0, Proceed),
        (Priority::Normal, 100_000, ProceedWithCaution),
        (Priority::Normal, 100_001, ReviewRequired),
        (Priority::High, 0, Proceed),
        (Priority::High, 1, ReviewRequired),
    ];
    for (priority, above, expected) in cases {
        let mut table = table().priority(priority).says("a", 1, Approve);
        let threshold = Probability::from_millionths(confidence + above);
        let thresholds = &mut table.rules.thresholds;
        (thresholds.low, thresholds.normal, thresholds.high) = (threshold, threshold, threshold);
        let decision = table.decide();
        assert_eq!((decision.recommendation, decision.threshold), (expected, threshold), "{priority} {above}");
    }
}

#[test]
fn each_priority_has_the_threshold_of_the_rules() {
    let expected = [600_000, 700_000, 800_000, 900_000];
    for (priority, threshold) in Priority::ALL.iter().zip(expected) {
        assert_eq!(table().priority(*priority).decide().threshold.millionths(), threshold, "{priority}");
    }
}

#[test]
fn a_prior_is_never_above_the_strongest_supporters_own_reliability() {
    let names = ["a", "b", "c", "d", "e", "f"];
    for (tier, cap) in [(1, 750_000), (2, 680_000), (5, 450_000)] {
        let decision = names.iter().fold(table(), |table, name| table.says(name, tier, Approve)).decide();
        assert_eq!(decision.overall_confidence.millionths(), cap, "tier {tier}");
        assert_eq!(decision.confidence_source, ConfidenceSource::Prior);
    }
}

#[test]
fn opposition_lowers_the_confidence() {
    let alone = table().says("a", 1, Approve).decide().overall_confidence;
    let opposed = table().says("a", 1, Approve).says("b", 5, Reject).decide().overall_confidence;
    assert!(opposed < alone, "{opposed:?} {alone:?}");
}

#[test]
fn a_free_text_is_the_strongest_members_and_worth_its_reliability() {
    let text =
        |summary: &str| Opinion { position: Position::Answer, summary: summary.into(), ..Opinion::abstaining("") };
    let mut table = table().with("b", 3, text("weaker")).with("a", 2, text("stronger")).with("c", 5, text("weakest"));
    table.classification.question = Question::Text;
    let decision = table.decide();
    assert_eq!(decision.overall_confidence.millionths(), 680_000);
    assert_eq!(decision.confidence_source, ConfidenceSource::Prior);
    let answer = decision.answer.unwrap();
    assert_eq!((answer.member, &*answer.summary), (id("a"), "stronger"));
    assert_eq!((decision.verdict, decision.choice, decision.model_count), (None, None, 3));
}

#[test]
fn a_failing_check_settles_for_change_and_lifts_the_confidence() {
    let open = table().says("a", 1, Approve).says("b", 1, Reject);
    assert!(open.decide().has_conflict);
    let settled = open.check("tests", CheckResult::Failed, &[]).decide();
    assert_eq!((settled.verdict, settled.has_conflict), (Some(Revise), false));
    assert_eq!(settled.conflicts[0].settled_by.as_deref(), Some("tests failed"), "it stays on record");
    assert_eq!(names(&settled.dissenters), ["a"]);
    assert_eq!(settled.confidence_source, ConfidenceSource::PriorAndEvidence);
    assert!(settled.overall_confidence.millionths() > 750_000, "{:?}", settled.overall_confidence);
    assert!(settled.overall_confidence.millionths() <= 950_000);
}

#[test]
fn evidence_never_lifts_above_its_cap() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let table = names.iter().fold(table(), |table, name| table.says(name, 1, Reject));
    let decision = table.check("tests", CheckResult::Failed, &[]).decide();
    assert_eq!((decision.verdict, decision.overall_confidence.millionths()), (Some(Reject), 950_000));
}

#[test]
fn passed_and_abstained_checks_settle_nothing() {
    let open = || table().says("a", 1, Approve).says("b", 1, Reject);
    let unsettled = open().decide();
    let abstained = CheckResult::Abstained { reason: "no cargo here".into() };
    for (result, shown, summary) in
        [(CheckResult::Passed, "passed", "1 of 2"), (abstained, "abstained", "no cargo here")]
    {
        let decision = open().check("tests", result, &[("src/net.rs", 10)]).decide();
        assert!(decision.has_conflict, "{shown}");
        assert_eq!(decision.conflicts, unsettled.conflicts, "{shown}");
        assert_eq!(decision.overall_confidence, unsettled.overall_confidence, "{shown}");
        assert_eq!((&*decision.checks[0].result, &*decision.checks[0].summary), (shown, summary));
    }
}

#[test]
fn a_failing_check_against_a_unanimous_approval_asks_for_change() {
    let decision = table().says("a", 1, Approve).says("b", 1, Approve).check("lint", CheckResult::Failed, &[]).decide();
    assert_eq!(decision.verdict, Some(Revise));
    assert_eq!(names(&decision.dissenters), ["a", "b"]);
    assert!(decision.reasoning.contains(&"revise holds: lint failed".to_owned()), "{:?}", decision.reasoning);
}

#[test]
fn a_credible_critical_finding_cannot_be_outvoted() {
    let against = |tier: u8, finding: Finding| {
        table().says("a", 1, Approve).says("b", 1, Approve).finds("c", tier, &[finding]).decide()
    };
    for tier in 1..=3 {
        let decision = against(tier, critical(10, "remote code execution"));
        assert_eq!(decision.verdict, Some(Revise), "tier {tier}");
        assert!(decision.blocked_by(Blocker::CriticalFinding), "tier {tier}");
        assert_ne!(decision.recommendation, Proceed, "tier {tier}");
        assert_eq!(decision.issues[0].standing, Standing::Confirmed);
    }
    let unargued = Finding { evidence: None, ..critical(10, "remote code execution") };
    let unlocated = Finding { location: LocationCheck::Unknown, ..critical(10, "remote code execution") };
    let invented = Finding { location: LocationCheck::QuoteNotThere, ..critical(10, "remote code execution") };
    let high = Finding { severity: Severity::High, ..critical(10, "remote code execution") };
    let outvoted =
        [(4, critical(10, "rce")), (5, unargued.clone()), (3, unargued), (3, unlocated), (3, invented), (3, high)];
    for (tier, finding) in outvoted {
        let decision = against(tier, finding.clone());
        assert_eq!(decision.verdict, Some(Approve), "tier {tier} {finding:?}");
        assert!(!decision.blocked_by(Blocker::CriticalFinding), "tier {tier} {finding:?}");
    }
}

#[test]
fn two_seats_make_a_critical_finding_credible_unless_what_they_quote_is_not_there() {
    let both = |location: LocationCheck| {
        let finding = Finding { evidence: None, location, ..critical(10, "remote code execution") };
        let table = table().says("a", 1, Approve).says("b", 1, Approve);
        table.finds("c", 5, std::slice::from_ref(&finding)).finds("d", 5, &[finding]).decide()
    };
    assert!(both(LocationCheck::Unknown).blocked_by(Blocker::CriticalFinding));
    let invented = both(LocationCheck::QuoteNotThere);
    assert_eq!((invented.verdict, invented.issues[0].standing), (Some(Approve), Standing::Unconfirmed));
    assert!(!invented.blocked_by(Blocker::CriticalFinding));
}

#[test]
fn a_critical_finding_that_a_check_confirms_is_settled_and_no_longer_blocks() {
    let decision = table()
        .says("a", 1, Approve)
        .finds("c", 3, &[critical(10, "remote code execution")])
        .check("tests", CheckResult::Failed, &[("net.rs", 12)])
        .decide();
    assert_eq!(decision.verdict, Some(Revise));
    assert!(!decision.blocked_by(Blocker::CriticalFinding));
    assert_eq!(decision.issues[0].because, "tests failed at net.rs:12");
}
