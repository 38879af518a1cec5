//! What the tests of other members do to findings and verdicts.

use super::*;

const CLAIM: &str = "When two writers come at once, the second reads a stale entry, never sees the first, and its \
                     update is lost";

/// A test of the claim at this line, with this outcome.
fn test_of(line: u32, tested: Tested, by: &MemberId) -> Reproduction<'_> {
    Reproduction {
        claim: CLAIM,
        file: Some("src/net.rs"),
        line: Some(line),
        by,
        mark: "reproduces_0",
        files: &[],
        tested,
        evidence: None,
        diff: None,
    }
}

fn decided(table: &Table, tested: Tested) -> Decision {
    let by = id("tester");
    table.decide_after(vec![test_of(31, tested, &by)])
}

fn high(line: u32) -> Finding {
    Finding { severity: Severity::High, ..finding(line, CLAIM) }
}

/// One reports it, two see nothing.
fn outvoted(finding: Finding) -> Table {
    let mut opinion = says(Verdict::Reject, "see the list");
    opinion.findings = vec![finding];
    table().with("a", 1, opinion).says("b", 1, Verdict::Approve).says("c", 1, Verdict::Approve)
}

#[test]
fn a_test_that_fails_confirms_the_finding_and_outweighs_the_votes() {
    let table = outvoted(high(31));
    let before = table.decide();
    assert_eq!(before.verdict, Some(Verdict::Approve));
    let decision = decided(&table, Tested::Fails);
    let issue = &decision.issues[0];
    assert_eq!((issue.standing, issue.confidence.millionths()), (Standing::Confirmed, 900_000));
    assert_eq!(decision.verdict, Some(Verdict::Revise));
    assert_eq!(decision.confidence_source, ConfidenceSource::PriorAndEvidence);
    assert!(decision.conflicts.iter().all(|conflict| conflict.settled_by.is_some()), "{:?}", decision.conflicts);
    assert!(decision.reasoning.iter().any(|reason| reason.starts_with("reproduced: ")), "{:?}", decision.reasoning);
    assert!(decision.reasoning.last().unwrap().contains("and a test that settled it"), "{:?}", decision.reasoning);
}

#[test]
fn a_small_fault_that_is_shown_leaves_the_verdict_alone() {
    let small = outvoted(finding(31, CLAIM));
    let decision = decided(&small, Tested::Fails);
    assert_eq!(decision.issues[0].standing, Standing::Confirmed);
    assert_eq!((decision.verdict, decision.confidence_source), (Some(Verdict::Approve), ConfidenceSource::Prior));
}

#[test]
fn a_test_that_passes_halves_the_odds_and_takes_back_what_one_family_says() {
    let table = table().finds("a", 1, &[high(31)]).finds("b", 1, &[]).finds("c", 1, &[]);
    let (before, after) = (table.decide(), decided(&table, Tested::Passes));
    assert_eq!(before.issues[0].standing, Standing::Confirmed, "it says little and that in detail");
    assert_eq!(after.issues[0].standing, Standing::Unconfirmed);
    assert!(after.issues[0].because.ends_with("a test by tester for it passes"), "{}", after.issues[0].because);
    let odds = |decision: &Decision| {
        let chance = decision.issues[0].confidence.as_f64();
        chance / (1.0 - chance)
    };
    assert!((odds(&after) / odds(&before) - 0.5).abs() < 1e-4);
}

#[test]
fn a_test_that_passes_never_takes_a_critical_finding_away() {
    let table = outvoted(critical(31, CLAIM));
    let (before, after) = (table.decide(), decided(&table, Tested::Passes));
    assert_eq!((after.issues[0].standing, after.verdict), (Standing::Confirmed, before.verdict));
    assert_eq!(after.blockers, before.blockers);
    assert!(after.issues[0].confidence < before.issues[0].confidence);
}

#[test]
fn a_test_that_passes_settles_no_dispute() {
    let mut denies = says(Verdict::Approve, "it is bounded");
    denies.findings = vec![Finding { stance: Stance::DoesNotHold, ..high(31) }];
    let table = table().finds("a", 1, &[high(31)]).with("b", 1, denies);
    let open = decided(&table, Tested::Passes);
    assert!(open.has_conflict);
    let why =
        "members contradict each other: there is no check that could settle it, and a test that was to show it passes";
    assert!(open.reasoning.iter().any(|reason| reason == why), "{:?}", open.reasoning);
    let settled = decided(&table, Tested::Fails);
    assert!(!settled.has_conflict && settled.conflicts[0].settled_by.as_deref().unwrap().contains("reproduces_0"));
    assert_eq!(names(&settled.dissenters), ["b"], "who reported what was shown does not dissent");
}

#[test]
fn without_an_outcome_or_about_another_claim_nothing_changes() {
    let table = outvoted(high(31));
    let plain = Decision { reproductions: vec![], reasoning: vec![], ..table.decide() };
    let same = |decision: Decision| Decision { reproductions: vec![], reasoning: vec![], ..decision };
    let unknown = decided(&table, Tested::Unknown("it does not apply".into()));
    assert_eq!(unknown.reproductions[0].because.as_deref(), Some("it does not apply"));
    assert!(unknown.reasoning.iter().any(|reason| reason.starts_with("not tested: ")));
    assert_eq!(same(unknown), plain);
    let by = id("tester");
    assert_eq!(same(table.decide_after(vec![test_of(90, Tested::Fails, &by)])), plain);
}

#[test]
fn a_check_at_the_place_comes_before_any_test() {
    let table = outvoted(high(31)).check("tests", CheckResult::Failed, &[("src/net.rs", 31)]);
    let decision = decided(&table, Tested::Passes);
    assert_eq!(decision.issues[0].confidence.millionths(), 950_000);
    assert_eq!(decision.issues[0].because, "tests failed at src/net.rs:31");
}

#[test]
fn what_is_critical_or_disputed_or_high_is_open_to_a_test_and_in_that_order() {
    let disputed = "The name of the thing is read before it is written anywhere";
    let mut denies = says(Verdict::Approve, "fine");
    denies.findings = vec![Finding { stance: Stance::DoesNotHold, ..finding(300, disputed) }];
    let found =
        [high(31), finding(300, disputed), critical(600, "It writes the password into the log"), finding(900, "odd")];
    let table = table().finds("a", 1, &found).with("b", 1, denies);
    let open = table.with_ground(vec![], vec![], open_claims);
    let lines: Vec<Option<u32>> = open.iter().map(|claim| claim.line).collect();
    assert_eq!(lines, [Some(600), Some(300), Some(31)]);
    assert_eq!((open[0].evidence.as_deref(), open[1].denied_by.len()), (Some("1 << 64"), 1));
    let settled = table.check("tests", CheckResult::Failed, &[("src/net.rs", 600)]);
    let open = settled.with_ground(vec![], vec![], open_claims);
    assert_eq!(open.len(), 2, "what a check has settled needs no test");
}
