//! The screen: what was measured on what, and why a figure is missing.

use baton_eval::{Recorded, Report};

fn table(cases: &[&str], training: &[&str]) -> String {
    let read = |lines: &[&str]| {
        let mut recorded = Recorded::default();
        recorded.read(&lines.join("\n")).unwrap();
        recorded
    };
    Report::of(&read(cases), &read(training)).table()
}

const RIGHT: &str = r#"{"id":"q","kind":"choice","options":["A","B"],"opinions":[{"member":"ann","tier":1,"position":"A"},{"member":"bob","tier":2,"position":"A"}],"truth":"A"}"#;
const SILENT: &str = r#"{"id":"s","kind":"choice","options":["A","B"],"opinions":[],"truth":"A"}"#;
const UNKNOWN: &str = r#"{"id":"u","kind":"choice","options":["A","B"],"opinions":[]}"#;

#[test]
fn one_case_is_no_cases_and_a_missing_figure_says_why() {
    let said = table(&[RIGHT], &[]);
    let expected = "\
choice: 1 case; nothing was learned from
  accuracy                                  1.0000
  best single (ann)                         1.0000
  picked by its tier and name: no training case tells who is best
  plain majority                            1.0000
  AUROC of the confidence                        -
  all are right
";
    assert!(said.starts_with(expected), "{said}");
    assert!(said.contains("confidence: a prior, as too little was learned from"), "{said}");
    let learned = table(&[RIGHT], &[RIGHT]);
    assert!(learned.starts_with("choice: 1 case; learned from 1 case\n"), "{learned}");
    assert!(!learned.contains("picked by its tier"), "{learned}");
}

#[test]
fn cases_without_truth_or_opinions_are_named() {
    let said = table(&[RIGHT, SILENT, UNKNOWN], &[]);
    assert!(said.starts_with("choice: 2 cases, and 1 more without truth;"), "{said}");
    assert!(said.contains("1 case has no opinion to decide by, which counts as wrong"), "{said}");
    let nothing = table(&[UNKNOWN], &[]);
    assert_eq!(nothing, "choice: 1 case without truth: decided, and nothing to measure; nothing was learned from\n");
}

#[test]
fn each_kind_has_its_own_table_and_its_own_reasons() {
    let findings = r#"{"id":"f","kind":"findings","opinions":[{"member":"m\u001b[31m","tier":3,"findings":[]}],"truth":{"issues":[{"id":"g"}],"matches":{}}}"#;
    let conflict =
        r#"{"id":"c","kind":"conflict","opinions":[{"member":"m","tier":1,"text":"yes"}],"truth":{"conflict":false}}"#;
    let task = r#"{"id":"t","kind":"task","prompt":"write a readme","truth":{"kind":"documentation","complexity":"quick","priority":"normal"}}"#;
    let said = table(&[findings, conflict, task], &[task]);
    for part in [
        "findings: 1 case; nothing was learned from\n",
        "-: P of nothing reported, or R where there is no issue to find\n\n",
        "conflict: 1 case\n  0 are conflicts by the truth\n",
        "nothing was called a conflict",
        "no case is a conflict",
        "task: 1 case; learned from 1 correction\n",
    ] {
        assert!(said.contains(part), "{part}: {said}");
    }
    assert!(!said.contains('\u{1b}'), "a name moves no cursor");
}
