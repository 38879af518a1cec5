//! All figures together, and what was decided case by case. [`Report::table`] is in `table`.

use serde::Serialize;

use crate::case::CaseKind;
use crate::choice::{self, ChoiceFigures, ChoiceLine};
use crate::conflict::{self, ConflictFigures, ConflictLine};
use crate::findings::{self, FindingsFigures, FindingsLine};
use crate::recorded::Recorded;
use crate::task::{self, TaskFigures, TaskLine};

/// The figures of every kind that has cases.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<ChoiceFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub findings: Option<FindingsFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<ConflictFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub task: Option<TaskFigures>,
    #[serde(skip)]
    pub lines: Lines,
}

/// What was decided, case by case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub choice: Vec<ChoiceLine>,
    pub findings: Vec<FindingsLine>,
    pub conflict: Vec<ConflictLine>,
    pub task: Vec<TaskLine>,
    /// The kind of each case, in the order in which they were read.
    order: Vec<CaseKind>,
}

impl Report {
    /// Decides all cases, learning from the training ones only.
    #[must_use]
    pub fn of(cases: &Recorded, training: &Recorded) -> Self {
        let mut report = Self { schema: "baton.eval/1", ..Self::default() };
        report.lines.order = cases.order().to_vec();
        (report.choice, report.lines.choice) = measured(&cases.choice, &training.choice, choice::evaluate);
        (report.findings, report.lines.findings) = measured(&cases.findings, &training.findings, findings::evaluate);
        (report.conflict, report.lines.conflict) = measured(&cases.conflict, &training.conflict, conflict::evaluate);
        (report.task, report.lines.task) = measured(&cases.task, &training.task, task::evaluate);
        report
    }
}

/// The figures of one kind; none where there is no case of it.
fn measured<Case, Figures, Line>(
    cases: &[Case],
    training: &[Case],
    evaluate: impl Fn(&[Case], &[Case]) -> (Figures, Vec<Line>),
) -> (Option<Figures>, Vec<Line>) {
    if cases.is_empty() {
        return (None, Vec::new());
    }
    let (figures, lines) = evaluate(cases, training);
    (Some(figures), lines)
}

impl Lines {
    /// One JSON object a case, one a line, in the order in which the cases were read.
    ///
    /// # Errors
    /// When a line cannot be written as JSON, which does not happen with figures that are numbers.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let [mut choice, mut findings] = [written(&self.choice)?, written(&self.findings)?].map(Vec::into_iter);
        let [mut conflict, mut task] = [written(&self.conflict)?, written(&self.task)?].map(Vec::into_iter);
        let next = |kind: &CaseKind| match kind {
            CaseKind::Choice => choice.next(),
            CaseKind::Findings => findings.next(),
            CaseKind::Conflict => conflict.next(),
            CaseKind::Task => task.next(),
        };
        Ok(self.order.iter().filter_map(next).collect())
    }
}

fn written<T: Serialize>(lines: &[T]) -> Result<Vec<String>, serde_json::Error> {
    lines.iter().map(|line| serde_json::to_string(line).map(|line| line + "\n")).collect()
}
