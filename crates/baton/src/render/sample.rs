//! A decision in which everything occurs, for the tests of what is made of decisions.

use baton_core::consensus::{
    CheckReport, ConfidenceSource, Conflict, DecidedBy, Decision, Dissenter, FailedMember, Grounds, MergedFinding,
    Reason, Recommendation, RefusedFinding, Standing,
};
use baton_core::ids::{MemberId, RunId};
use baton_core::opinion::{Severity, Verdict};
use baton_core::run::RunState;
use baton_core::task::{Complexity, Kind, Priority};
use baton_core::units::{MicroUsd, Probability};

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn finding(place: (Option<&str>, Option<u32>), severity: Severity, claim: &str, standing: Standing) -> MergedFinding {
    MergedFinding {
        file: place.0.map(str::to_owned),
        line: place.1,
        severity,
        severities: Vec::new(),
        claim: claim.into(),
        reported_by: vec![id("cedar")],
        denied_by: Vec::new(),
        standing,
        because: "one reporter".into(),
        confidence: Probability::from_millionths(400_000),
        evidence: Vec::new(),
    }
}

fn grounds() -> Vec<Grounds> {
    vec![
        Grounds {
            member: id("alder"),
            text: Some("1 << 64 is no number".into()),
            quote: Some("1 << retry".into()),
            quote_missing: false,
        },
        Grounds { member: id("cedar"), text: None, quote: Some("let `x` = 1 << retry;".into()), quote_missing: true },
    ]
}

fn issues() -> Vec<MergedFinding> {
    let shift = finding((Some("src/a b.rs"), Some(29)), Severity::Critical, "The shift overflows", Standing::Confirmed);
    vec![
        MergedFinding {
            reported_by: vec![id("alder"), id("cedar")],
            denied_by: vec![id("birch")],
            because: "tests failed".into(),
            confidence: Probability::from_millionths(930_000),
            evidence: grounds(),
            ..shift
        },
        finding((Some("src/b.rs"), None), Severity::Medium, "It has no tests", Standing::Confirmed),
        finding((Some("src/b.rs"), Some(3)), Severity::High, "It panics", Standing::Unconfirmed),
        finding((None, None), Severity::Low, "The name is odd", Standing::Unconfirmed),
    ]
}

fn conflict() -> Conflict {
    Conflict {
        claim: "The shift overflows".into(),
        holds: vec![id("alder"), id("cedar")],
        against: vec![id("birch")],
        reasons: vec![Reason { member: id("birch"), reason: "It is bounded above.".into() }],
        settled_by: Some("tests failed at src/a b.rs:29".into()),
    }
}

/// A rejection that a check settled. Its state has no steps.
pub(crate) fn decided() -> (RunId, RunState, Decision) {
    let decision = Decision {
        recommendation: Recommendation::Proceed,
        overall_confidence: Probability::from_millionths(950_000),
        confidence_source: ConfidenceSource::LearnedAndEvidence,
        learned_over: Some(12),
        threshold: Probability::from_millionths(700_000),
        blockers: Vec::new(),
        decided_by: DecidedBy::Rule,
        kind: Some(Kind::CodeReview),
        complexity: Complexity::Standard,
        priority: Priority::Normal,
        verdict: Some(Verdict::Reject),
        choice: None,
        answer: None,
        model_count: 2,
        abstained: vec![Dissenter { member: id("fir"), position: "abstain".into(), reason: "I see no diff".into() }],
        failed_models: vec![FailedMember {
            member: id("dogwood"),
            class: "rate limited".into(),
            detail: "later".into(),
            replaced_by: Some(id("cedar")),
        }],
        has_conflict: false,
        conflicts: vec![conflict()],
        dissenters: vec![Dissenter {
            member: id("birch"),
            position: "approve".into(),
            reason: "It is <b>fine</b>".into(),
        }],
        issues: issues(),
        refused_issues: vec![RefusedFinding {
            member: id("cedar"),
            file: "src/lib.rs".into(),
            line: 412,
            claim: "It sleeps".into(),
            because: "there is no line 412".into(),
        }],
        checks: vec![CheckReport {
            check: id("tests"),
            command: "cargo test".into(),
            result: "failed".into(),
            summary: "attempt to shift left with overflow".into(),
        }],
        patch: None,
        patches: Vec::new(),
        reproductions: Vec::new(),
        not_asked: vec![id("elm")],
        saved: MicroUsd(20_000),
        reasoning: vec!["reject: alder (weight 9.0)".into()],
        cost: MicroUsd(50_000),
        cost_unknown: false,
        elapsed_ms: 4_600,
        scripted: false,
    };
    (RunId::from_uuid_text("0192e4a1-0000-7000-8000-0000a105dfe6"), RunState::default(), decision)
}
