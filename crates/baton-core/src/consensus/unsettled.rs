//! Why what was run did not settle a dispute, in words. Where nothing was run nothing is said to have been tried.

use super::decision::{CheckReport, Decision, ReproductionReport};

/// Why no check and no test settled the dispute about this claim, as a part of a sentence.
#[must_use]
pub fn unsettled(decision: &Decision, claim: &str) -> String {
    // Checks of the files as they are tell nothing of two patches; both pass what was run with them.
    if !decision.patches.is_empty() {
        return "no check tells the two patches apart".to_owned();
    }
    words(&decision.checks, &decision.reproductions, &[claim])
}

/// As [`unsettled`], for all open claims together.
pub(super) fn words(checks: &[CheckReport], tests: &[ReproductionReport], claims: &[&str]) -> String {
    let tests = tests.iter().filter(|test| claims.contains(&test.claim.as_str()));
    let results: Vec<&str> = tests.map(|test| test.result.as_str()).collect();
    let tested = if results.contains(&"not_reproduced") {
        ", and a test that was to show it passes"
    } else if results.is_empty() {
        ""
    } else {
        ", and no test of it told anything"
    };
    format!("{}{tested}", checked(checks))
}

fn checked(checks: &[CheckReport]) -> String {
    let named = |result: &str| {
        let of: Vec<&str> =
            checks.iter().filter(|check| check.result == result).map(|check| check.check.as_str()).collect();
        (!of.is_empty()).then(|| of.join(" and "))
    };
    match (named("failed"), named("passed"), named("abstained")) {
        (Some(failed), ..) => format!("{failed} failed, which does not tell who is right about it"),
        (None, Some(passed), _) => format!("{passed} passed, which does not tell who is right"),
        (None, None, Some(abstained)) => format!("no check could settle it, as {abstained} could not be run"),
        (None, None, None) => "there is no check that could settle it".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::MemberId;

    fn check(id: &str, result: &str) -> CheckReport {
        let check = MemberId::parse(id).unwrap();
        CheckReport { check, command: id.into(), result: result.into(), summary: String::new() }
    }

    fn test(claim: &str, result: &str) -> ReproductionReport {
        ReproductionReport {
            claim: claim.into(),
            file: None,
            line: None,
            by: MemberId::parse("d").unwrap(),
            test: "reproduces_1".into(),
            files: vec![],
            result: result.into(),
            because: None,
            command: None,
            summary: String::new(),
            content: None,
        }
    }

    #[test]
    fn what_was_run_is_told_and_what_was_not_is_not() {
        let said = |checks: &[CheckReport]| words(checks, &[], &["c"]);
        assert_eq!(said(&[]), "there is no check that could settle it");
        let silent = [check("lint", "abstained")];
        assert_eq!(said(&silent), "no check could settle it, as lint could not be run");
        let (build, tests) = (check("build", "passed"), check("tests", "passed"));
        assert_eq!(
            said(&[build.clone(), check("lint", "abstained"), tests]),
            "build and tests passed, which does not tell who is right"
        );
        let failed = check("tests", "failed");
        assert_eq!(said(&[build, failed]), "tests failed, which does not tell who is right about it");
    }

    #[test]
    fn only_tests_of_a_claim_that_is_open_are_told() {
        let said = |result: &str| words(&[], &[test("c", result), test("other", "not_reproduced")], &["c"]);
        assert!(said("not_reproduced").ends_with(", and a test that was to show it passes"));
        assert!(said("unknown").ends_with(", and no test of it told anything"));
        assert_eq!(words(&[], &[test("other", "unknown")], &["c"]), "there is no check that could settle it");
    }
}
