//! The JSON that programs read.

use super::*;

#[test]
fn the_decision_has_the_names_that_programs_rely_on() {
    let located = Finding { severity: Severity::High, ..finding(31, "the shift overflows") };
    let beyond = Finding { location: LocationCheck::NoSuchLine { lines: 42 }, ..finding(99, "leak") };
    let denied = Finding { stance: Stance::DoesNotHold, ..finding(31, "bounded above") };
    let mut sure = says(Verdict::Approve, "Looks bounded to me.");
    sure.findings = vec![denied];
    let decision = table()
        .vendors(2, 4)
        .finds("codex", 1, &[located, beyond])
        .with("claude", 1, sure)
        .with("grok", 3, Opinion::abstaining("the answer gives no verdict"))
        .fails("gemini", Outcome::Auth, Some("grok"))
        .check("tests", CheckResult::Abstained { reason: "not trusted here".into() }, &[])
        .decide();
    let shown = serde_json::to_string_pretty(&decision).unwrap();
    assert_eq!(shown, EXPECTED);
    let read: Decision = serde_json::from_str(&shown).unwrap();
    assert_eq!(read, decision);
}

#[test]
fn enumerations_are_written_in_snake_case() {
    assert_eq!(text(&Recommendation::ConflictResolutionNeeded), "\"conflict_resolution_needed\"");
    assert_eq!(text(&Recommendation::ProceedWithCaution), "\"proceed_with_caution\"");
    assert_eq!(text(&Blocker::SingleVendor), "\"single_vendor\"");
    assert_eq!(text(&ConfidenceSource::PriorAndEvidence), "\"prior_and_evidence\"");
    let person = DecidedBy::Person { answer: "approve".into(), note: String::new() };
    assert_eq!(text(&person), r#"{"by":"person","answer":"approve","note":""}"#);
}

fn text<T: serde::Serialize>(value: &T) -> String {
    serde_json::to_string(value).unwrap()
}

const EXPECTED: &str = r#"{
  "recommendation": "conflict_resolution_needed",
  "overallConfidence": 500000,
  "confidenceSource": "prior",
  "threshold": 700000,
  "blockers": [
    "conflict"
  ],
  "decidedBy": {
    "by": "rule"
  },
  "kind": "code_review",
  "complexity": "standard",
  "priority": "normal",
  "verdict": "approve",
  "modelCount": 2,
  "abstained": [
    {
      "member": "grok",
      "position": "abstain",
      "reason": "the answer gives no verdict"
    }
  ],
  "failedModels": [
    {
      "member": "gemini",
      "class": "login or key refused",
      "detail": "its own words",
      "replacedBy": "grok"
    }
  ],
  "hasConflict": true,
  "conflicts": [
    {
      "claim": "the verdict is approve",
      "for": [
        "claude"
      ],
      "against": [
        "codex"
      ],
      "reasons": [
        {
          "member": "claude",
          "reason": "Looks bounded to me."
        },
        {
          "member": "codex",
          "reason": "the shift overflows"
        }
      ]
    },
    {
      "claim": "the shift overflows",
      "for": [
        "codex"
      ],
      "against": [
        "claude"
      ],
      "reasons": [
        {
          "member": "codex",
          "reason": "the shift overflows"
        },
        {
          "member": "claude",
          "reason": "bounded above"
        }
      ]
    }
  ],
  "dissenters": [
    {
      "member": "codex",
      "position": "reject",
      "reason": "see the list"
    }
  ],
  "issues": [
    {
      "file": "src/net.rs",
      "line": 31,
      "severity": "high",
      "claim": "the shift overflows",
      "reportedBy": [
        "codex"
      ],
      "deniedBy": [
        "claude"
      ],
      "standing": "unconfirmed",
      "because": "one reporter",
      "confidence": 161142
    }
  ],
  "refusedIssues": [
    {
      "member": "codex",
      "file": "src/net.rs",
      "line": 99,
      "claim": "leak",
      "because": "src/net.rs has 42 lines: there is no line 99"
    }
  ],
  "checks": [
    {
      "check": "tests",
      "command": "run tests",
      "result": "abstained",
      "summary": "not trusted here"
    }
  ],
  "reasoning": [
    "approve: claude (weight 9.0)",
    "against it: codex says reject (weight 9.0)",
    "1 finding refused: no such line",
    "gemini failed: login or key refused; grok was asked instead",
    "members contradict each other: no check could settle it, as tests could not be run",
    "confidence 0.50 against 0.70 (a prior from tiers, capped at the strongest supporter's)"
  ],
  "cost": 12345,
  "costUnknown": false,
  "elapsedMs": 7,
  "scripted": false
}"#;
