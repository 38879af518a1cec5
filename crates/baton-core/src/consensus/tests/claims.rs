//! How findings of several members become claims, and how each claim stands.

use super::*;
use crate::units::Probability;

/// The line of each claim and who reports it.
fn shown(decision: &Decision) -> Vec<(u32, Vec<&str>)> {
    decision
        .issues
        .iter()
        .map(|issue| (issue.line.unwrap_or_default(), issue.reported_by.iter().map(MemberId::as_str).collect()))
        .collect()
}

#[test]
fn findings_merge_by_place_first_and_by_words_when_the_place_is_near() {
    let merged = |line: u32, claim: &str| {
        let first = finding(10, "the shift overflows after many retries");
        let decision = table().finds("a", 1, &[first]).finds("b", 2, &[finding(line, claim)]).decide();
        decision.issues.len() == 1
    };
    let cases = [
        (10, "something else entirely", true),
        (11, "something else entirely", true),
        (12, "something else entirely", false),
        (12, "overflows: shift count grows with retries", true),
        (15, "overflows: shift count grows with retries", true),
        (16, "overflows: shift count grows with retries", false),
    ];
    for (line, claim, expected) in cases {
        assert_eq!(merged(line, claim), expected, "line {line}: {claim}");
    }
}

#[test]
fn another_file_is_another_claim_and_no_line_needs_more_words() {
    let first = || finding(10, "the shift overflows after many retries");
    let elsewhere = Finding { file: Some("src/tcp.rs".into()), ..first() };
    assert_eq!(table().finds("a", 1, &[first()]).finds("b", 2, &[elsewhere]).decide().issues.len(), 2);
    let vague = |claim: &str| Finding { file: None, line: None, ..finding(0, claim) };
    let count = |claim: &str| table().finds("a", 1, &[first()]).finds("b", 2, &[vague(claim)]).decide().issues.len();
    assert_eq!(count("shift overflows after many retries"), 1);
    assert_eq!(count("shift counters should have better names"), 2);
}

#[test]
fn the_strongest_reporter_words_the_claim_and_the_gravest_severity_stays() {
    let grave = Finding { severity: Severity::High, ..finding(11, "weak words") };
    let decision = table().finds("b", 4, &[grave]).finds("a", 1, &[finding(10, "strong words")]).decide();
    let issue = &decision.issues[0];
    assert_eq!((&*issue.claim, issue.line, issue.severity), ("strong words", Some(10), Severity::High));
    assert_eq!(issue.reported_by, ids(&["a", "b"]));
}

#[test]
fn two_findings_of_one_member_stay_two_unless_they_name_the_same_line() {
    let near = [finding(10, "the shift overflows"), finding(11, "the shift overflows")];
    assert_eq!(shown(&table().finds("a", 1, &near).decide()), [(10, vec!["a"]), (11, vec!["a"])]);
    let same = [finding(10, "the shift overflows"), finding(10, "the name misleads")];
    assert_eq!(shown(&table().finds("a", 1, &same).decide()), [(10, vec!["a"])]);
}

#[test]
fn a_line_that_does_not_exist_refuses_the_finding() {
    let beyond = Finding { location: LocationCheck::NoSuchLine { lines: 42 }, ..critical(4_711, "overflow") };
    let decision = table().finds("a", 1, &[beyond, finding(10, "real")]).decide();
    assert_eq!(shown(&decision), [(10, vec!["a"])]);
    let refused = &decision.refused_issues[0];
    assert_eq!((refused.member.as_str(), refused.line, &*refused.claim), ("a", 4_711, "overflow"));
    assert_eq!(refused.because, "src/net.rs has 42 lines: there is no line 4711");
    assert!(decision.reasoning.contains(&"1 finding refused: no such line".to_owned()));
}

#[test]
fn a_file_that_does_not_exist_refuses_the_finding_whoever_reports_it() {
    let ghost = || Finding { location: LocationCheck::NoSuchFile, ..critical(3, "overflow") };
    let decision = table().finds("a", 1, &[ghost()]).finds("b", 1, &[ghost()]).decide();
    assert_eq!((decision.issues.len(), decision.refused_issues.len()), (0, 2));
    assert_eq!(decision.refused_issues[0].because, "there is no file src/net.rs");
    assert!(!decision.blocked_by(Blocker::CriticalFinding));
    assert!(decision.reasoning.contains(&"2 findings refused: no such file or line".to_owned()));
}

#[test]
fn a_critical_finding_at_an_empty_line_is_not_located() {
    let at = |location: LocationCheck| table().finds("a", 3, &[Finding { location, ..critical(3, "overflow") }]);
    let located = at(LocationCheck::Verified).decide().issues.remove(0);
    assert_eq!(located.because, "critical, located and argued");
    assert!(located.is_not_to_be_outvoted());
    let empty = at(LocationCheck::EmptyLine).decide();
    assert_eq!(empty.issues[0].because, "one reporter, and nothing stands on the line that it names");
    assert_eq!(empty.issues[0].standing, Standing::Unconfirmed);
    assert!(!empty.blocked_by(Blocker::CriticalFinding));
}

#[test]
fn of_two_that_are_as_grave_the_better_supported_comes_first() {
    let high = |line, claim: &str| Finding { severity: Severity::High, ..finding(line, claim) };
    let sure = high(50, "the shift overflows");
    let decision = table()
        .finds("a", 1, &[high(10, "the lock is never released"), sure.clone()])
        .finds("b", 1, &[high(10, "the lock is never released"), sure.clone()])
        .finds("c", 1, &[sure])
        .decide();
    let lines: Vec<_> = decision.issues.iter().map(|issue| issue.line.unwrap()).collect();
    assert_eq!(lines, [50, 10]);
    assert!(decision.issues[0].confidence > decision.issues[1].confidence);
}

#[test]
fn what_each_reporter_points_to_is_in_the_decision() {
    let quoted = Finding { evidence: Some("1 << n".into()), quote: Some("1 << n".into()), ..finding(10, "overflow") };
    let argued = Finding { evidence: Some("n may be 64".into()), ..finding(10, "overflow") };
    let decision = table().finds("a", 2, &[quoted]).finds("b", 1, &[argued]).finds("c", 3, &[finding(10, "overflow")]);
    let grounds = decision.decide().issues.remove(0).evidence;
    let seen: Vec<_> =
        grounds.iter().map(|one| (one.member.as_str(), one.text.as_deref(), one.quote.as_deref())).collect();
    assert_eq!(seen, [("b", Some("n may be 64"), None), ("a", None, Some("1 << n"))]);
}

#[test]
fn a_better_place_goes_before_a_stronger_member_s_bad_one() {
    for location in [LocationCheck::QuoteNotThere, LocationCheck::EmptyLine] {
        let missing = location == LocationCheck::QuoteNotThere;
        let bad = Finding { location, quote: Some("2 << n".into()), ..finding(9, "the shift overflows") };
        let good = Finding { evidence: Some("n may be 64".into()), ..finding(10, "the shift overflows at 64") };
        let decision = table().finds("a", 1, &[bad]).finds("b", 2, &[good]).decide();
        let issue = &decision.issues[0];
        assert_eq!((issue.line, &*issue.claim, issue.reported_by.len()), (Some(10), "the shift overflows at 64", 2));
        let told: Vec<_> = issue.evidence.iter().map(|one| (one.member.as_str(), one.quote_missing)).collect();
        assert_eq!(told, if missing { [("b", false), ("a", true)] } else { [("a", false), ("b", false)] });
    }
}

#[test]
fn a_quotation_that_is_not_there_lowers_even_what_two_report() {
    let invented = || Finding { location: LocationCheck::QuoteNotThere, ..finding(10, "overflow") };
    let both = table().finds("a", 1, &[invented()]).finds("b", 1, &[invented()]).decide();
    assert_eq!(both.issues[0].standing, Standing::Unconfirmed);
    assert_eq!(both.issues[0].because, "what it quotes does not stand there");
    let one = table().finds("a", 1, &[invented()]).finds("b", 1, &[finding(10, "overflow")]).decide();
    assert_eq!(one.issues[0].standing, Standing::Confirmed);
}

#[test]
fn two_families_confirm_and_two_of_one_family_do_not() {
    let of = |other: &str| {
        let table = table().finds("a", 1, &[finding(10, "overflow")]).of("v", "x");
        table.finds("b", 1, &[finding(10, "overflow")]).of("w", other).decide().issues.remove(0)
    };
    let independent = of("y");
    assert_eq!((independent.standing, &*independent.because), (Standing::Confirmed, "2 independent reporters"));
    let alike = of("x");
    assert_eq!((alike.standing, &*alike.because), (Standing::Unconfirmed, "one reporter"));
    let alone = table().finds("a", 1, &[finding(10, "overflow")]).finds("b", 1, &[]).of("w", "x").decide();
    assert!(independent.confidence > alike.confidence);
    assert_eq!(alike.confidence, alone.issues[0].confidence, "the family counts once");
}

#[test]
fn confirmed_ones_come_first_then_the_gravest() {
    let low = Finding { severity: Severity::Low, ..finding(50, "name") };
    let high = Finding { severity: Severity::High, ..finding(30, "leak") };
    let medium = finding(40, "loop");
    let decision = table()
        .finds("a", 1, &[high, medium, low.clone(), finding(20, "slow")])
        .finds("b", 1, &[low, finding(20, "slow")])
        .decide();
    let lines: Vec<_> = decision.issues.iter().map(|issue| issue.line.unwrap()).collect();
    assert_eq!(lines, [20, 50, 30, 40]);
    assert_eq!(decision.confirmed().count(), 2);
}

#[test]
fn a_failing_check_at_the_place_confirms_the_claim_and_settles_who_denies_it() {
    let denied = Finding { stance: Stance::DoesNotHold, ..finding(10, "overflow") };
    let open = || {
        let mut sure = says(Verdict::Approve, "looked at it");
        sure.findings = vec![denied.clone()];
        table().finds("a", 1, &[finding(10, "overflow")]).with("b", 1, sure)
    };
    let cases = [("src/net.rs", 10), ("net.rs", 15), ("crates/x/src/net.rs", 5)];
    for place in cases {
        let decision = open().check("tests", CheckResult::Failed, &[place]).decide();
        let issue = &decision.issues[0];
        assert_eq!((issue.standing, issue.confidence.millionths()), (Standing::Confirmed, 950_000), "{place:?}");
        assert_eq!(issue.because, format!("tests failed at {}:{}", place.0, place.1));
        assert!(!decision.has_conflict, "{place:?}");
        assert!(decision.conflicts.iter().all(|conflict| conflict.settled_by.is_some()));
    }
    for elsewhere in [("src/net.rs", 16), ("src/internet.rs", 10)] {
        let decision = open().check("tests", CheckResult::Failed, &[elsewhere]).decide();
        let claim = decision.conflicts.iter().find(|conflict| conflict.claim == "overflow").unwrap();
        assert_eq!(claim.settled_by, None, "{elsewhere:?}");
        assert!(decision.has_conflict);
    }
    let passed = open().check("tests", CheckResult::Passed, &[("src/net.rs", 10)]).decide();
    assert!(passed.has_conflict);
    assert_eq!(passed.issues[0].standing, Standing::Unconfirmed);
}

#[test]
fn a_denied_finding_is_a_conflict_on_that_claim_alone() {
    let denied = Finding { stance: Stance::DoesNotHold, ..finding(11, "no overflow: it is bounded") };
    let decision = table().finds("a", 1, &[finding(10, "overflow")]).finds("b", 2, &[denied]).decide();
    assert_eq!(decision.conflicts.len(), 1, "both reject");
    let conflict = &decision.conflicts[0];
    assert_eq!((&*conflict.claim, &conflict.holds, &conflict.against), ("overflow", &ids(&["a"]), &ids(&["b"])));
    let issue = &decision.issues[0];
    assert_eq!((&issue.reported_by, &issue.denied_by), (&ids(&["a"]), &ids(&["b"])));
    let undenied = table().finds("a", 1, &[finding(10, "overflow")]).finds("b", 2, &[]).decide().issues[0].confidence;
    let expected = Probability::saturating(undenied.as_f64() * (1.0 - 0.42));
    assert_eq!(issue.confidence, expected, "less the share of who denies it");
    assert_eq!(decision.recommendation, Recommendation::ConflictResolutionNeeded);
}

#[test]
fn what_is_only_denied_is_nobodys_claim() {
    let denied = Finding { stance: Stance::DoesNotHold, ..finding(10, "overflow") };
    let decision = table().finds("a", 1, &[denied]).decide();
    assert!(decision.issues.is_empty() && decision.conflicts.is_empty());
}

#[test]
fn nobody_is_in_conflict_with_itself() {
    let denied = Finding { stance: Stance::DoesNotHold, ..finding(10, "the lock is fine") };
    let decision = table().finds("a", 1, &[finding(10, "the shift overflows"), denied]).decide();
    assert!(decision.conflicts.is_empty(), "{:?}", decision.conflicts);
    assert_eq!(shown(&decision), [(10, vec!["a"])]);
}

#[test]
fn a_credible_critical_finding_in_prose_cannot_be_outvoted_either() {
    let mut sources = crate::source::Sources::default();
    sources.add("src/lib.rs", crate::task::AttachmentForm::File, &"x\n".repeat(20));
    let read = |text: &str| crate::opinion::read(text, &Question::Findings, &sources);
    let critical = "REJECT. Critical: src/lib.rs:10 divides by zero when size is 0, so pages(1, 0) panics";
    for (name, text) in [("with a verdict", critical), ("without one", &critical[8..])] {
        let decision =
            table().says("a", 1, Verdict::Approve).says("b", 1, Verdict::Approve).with("c", 3, read(text)).decide();
        assert_eq!(decision.verdict, Some(Verdict::Revise), "{name}");
        assert!(decision.blocked_by(Blocker::CriticalFinding), "{name}: {:?}", decision.blockers);
        let issue = &decision.issues[0];
        assert_eq!((issue.severity, issue.line, issue.standing), (Severity::Critical, Some(10), Standing::Confirmed));
        assert_eq!(issue.claim, "divides by zero when size is 0, so pages(1, 0) panics", "{name}");
    }
}
