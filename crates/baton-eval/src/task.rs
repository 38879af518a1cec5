//! Prompts with known kinds: how often the classification of a live run says the right kind, complexity and priority.
//!
//! Training cases act as the user's corrections: each is learned from once, in the order given, just as when a user
//! says what a task really was.

use std::collections::BTreeMap;

use baton_core::classify::{Classification, Corrections, Model, classify_with};
use baton_core::task::{Complexity, Hints, Kind, Task};
use serde::Serialize;

use crate::case::{TaskCase, TaskTruth};
use crate::parallel;

/// Shares of the cases that have a truth; `None` where there is none.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct TaskFigures {
    /// Cases with truth. The others are classified and not scored.
    pub cases: usize,
    pub without_truth: usize,
    /// Kinds said rightly; another kind that the case accepts is right too.
    pub accuracy: Option<f64>,
    /// The mean over kinds of 2 right / (said + true). A case whose other kind was said counts as being of that kind.
    pub macro_f1: Option<f64>,
    /// Accuracy on the half with the highest confidence, the larger half of an odd number.
    pub accuracy_of_surest_half: Option<f64>,
    pub complexity_accuracy: Option<f64>,
    pub priority_accuracy: Option<f64>,
    /// Where the kind was left open; its nearest kind is what the other figures count.
    pub unsure: Option<f64>,
    /// How many corrections were learned from.
    pub corrections: u32,
}

/// What a case was taken for.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct TaskLine {
    pub id: String,
    pub kind: Kind,
    pub complexity: Complexity,
    pub confidence: f64,
}

/// Classifies every case as a live run would after the corrections in `training`.
#[must_use]
pub fn evaluate(cases: &[TaskCase], training: &[TaskCase]) -> (TaskFigures, Vec<TaskLine>) {
    let corrections = learn(training);
    let seen: Vec<Classification> = parallel::map(cases, |case| classify_with(&task(&case.prompt), &corrections));
    let lines = cases.iter().zip(&seen).map(|(case, seen)| line(case, seen)).collect();
    let scored: Vec<(&TaskTruth, &Classification)> =
        cases.iter().zip(&seen).filter_map(|(case, seen)| case.truth.as_ref().map(|truth| (truth, seen))).collect();
    (figures(cases.len(), &scored, corrections.count()), lines)
}

fn learn(training: &[TaskCase]) -> Corrections {
    let model = Model::shipped();
    let mut corrections = Corrections::default();
    for case in training {
        if let Some(truth) = &case.truth {
            corrections.learn(&model, &case.prompt, truth.kind);
        }
    }
    corrections
}

fn task(prompt: &str) -> Task {
    Task { prompt: prompt.to_owned(), attachments: Vec::new(), hints: Hints::default(), workspace: None }
}

fn line(case: &TaskCase, seen: &Classification) -> TaskLine {
    TaskLine { id: case.id.clone(), kind: seen.kind, complexity: seen.complexity, confidence: seen.confidence.as_f64() }
}

fn figures(cases: usize, scored: &[(&TaskTruth, &Classification)], corrections: u32) -> TaskFigures {
    let mut surest = scored.to_vec();
    surest.sort_by_key(|(_, seen)| std::cmp::Reverse(seen.confidence));
    surest.truncate(scored.len().div_ceil(2));
    TaskFigures {
        cases: scored.len(),
        without_truth: cases - scored.len(),
        accuracy: share(scored, accepts),
        macro_f1: macro_f1(scored),
        accuracy_of_surest_half: share(&surest, accepts),
        complexity_accuracy: share(scored, |truth, seen| truth.complexity == seen.complexity),
        priority_accuracy: share(scored, |truth, seen| truth.priority == seen.priority),
        unsure: share(scored, |_, seen| seen.unsure),
        corrections,
    }
}

fn accepts(truth: &TaskTruth, seen: &Classification) -> bool {
    truth.kind == seen.kind || truth.kind_alt.contains(&seen.kind)
}

#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn share(scored: &[(&TaskTruth, &Classification)], right: impl Fn(&TaskTruth, &Classification) -> bool) -> Option<f64> {
    let rightly = scored.iter().filter(|(truth, seen)| right(truth, seen)).count();
    (!scored.is_empty()).then(|| rightly as f64 / scored.len() as f64)
}

/// Over the kinds that are said or true at least once.
#[expect(clippy::cast_precision_loss, reason = "counts of cases")]
fn macro_f1(scored: &[(&TaskTruth, &Classification)]) -> Option<f64> {
    let mut counts: BTreeMap<Kind, (usize, usize)> = BTreeMap::new();
    for (truth, seen) in scored {
        let is = if accepts(truth, seen) { seen.kind } else { truth.kind };
        counts.entry(is).or_default().1 += 1;
        let said = counts.entry(seen.kind).or_default();
        said.1 += 1;
        said.0 += usize::from(is == seen.kind);
    }
    let sum: f64 = counts.values().map(|(right, total)| 2.0 * *right as f64 / *total as f64).sum();
    (!counts.is_empty()).then(|| sum / counts.len() as f64)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::case::{Case, read_line};

    fn case(line: &str) -> TaskCase {
        match read_line(line).unwrap() {
            Case::Task(case) => case,
            other => panic!("{other:?}"),
        }
    }

    fn cases() -> Vec<TaskCase> {
        [
            r#"{"id":"a","kind":"task","prompt":"write a readme for newcomers","truth":{"kind":"documentation","complexity":"standard","priority":"normal"}}"#,
            r#"{"id":"b","kind":"task","prompt":"brainstorm some crazy ideas","truth":{"kind":"architecture","kind_alt":["brainstorming"],"complexity":"quick","priority":"normal"}}"#,
            r#"{"id":"c","kind":"task","prompt":"why is this query so slow","truth":{"kind":"quick_fix","complexity":"quick","priority":"low"}}"#,
            r#"{"id":"d","kind":"task","prompt":"anything lighter than axios"}"#,
        ]
        .map(case)
        .to_vec()
    }

    #[test]
    fn accepted_alternatives_count_and_cases_without_truth_are_only_decided() {
        let (figures, lines) = evaluate(&cases(), &[]);
        assert_eq!((figures.cases, figures.without_truth, figures.corrections), (3, 1, 0));
        assert_eq!(figures.accuracy, Some(2.0 / 3.0), "{figures:?} {lines:?}");
        assert_eq!(figures.priority_accuracy, Some(2.0 / 3.0));
        // documentation 1, brainstorming 1, performance 0, quick fix 0
        assert_eq!(figures.macro_f1, Some(0.5));
        assert_eq!(lines.len(), 4);
        assert_eq!(lines[3].kind, Kind::Alternatives);
    }

    #[test]
    fn a_line_has_the_shape_that_the_docs_give() {
        let (_, lines) = evaluate(&cases()[..1], &[]);
        let value = serde_json::to_value(&lines[0]).unwrap();
        assert_eq!(value["id"], "a");
        assert_eq!(value["kind"], "documentation");
        assert!(value["complexity"].is_string() && value["confidence"].as_f64().unwrap() <= 1.0);
        assert_eq!(value.as_object().unwrap().len(), 4);
    }

    #[test]
    fn training_cases_are_corrections() {
        let odd = case(
            r#"{"id":"x","kind":"task","prompt":"zurbify the frobnicator","truth":{"kind":"documentation","complexity":"quick","priority":"normal"}}"#,
        );
        let training = vec![odd.clone(); 5];
        let (before, _) = evaluate(std::slice::from_ref(&odd), &[]);
        let (after, _) = evaluate(&[odd], &training);
        assert_eq!((before.corrections, after.corrections), (0, 5));
        assert_eq!(after.accuracy, Some(1.0));
    }

    #[test]
    fn nothing_to_score_gives_no_figures() {
        assert_eq!(evaluate(&[], &[]).0, TaskFigures::default());
        let (figures, lines) = evaluate(&cases()[3..], &[]);
        assert_eq!(figures, TaskFigures { without_truth: 1, ..TaskFigures::default() });
        assert_eq!(lines.len(), 1);
    }
}
