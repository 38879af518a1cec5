//! All figures together, as JSON and as a table for people.

use std::fmt::Write;

use serde::Serialize;

use crate::choice::{self, ChoiceFigures, ChoiceLine};
use crate::conflict::{self, ConflictFigures, ConflictLine};
use crate::findings::{self, FindingsFigures, FindingsLine, Fit};
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
}

impl Report {
    /// Decides all cases, learning from the training ones only.
    #[must_use]
    pub fn of(cases: &Recorded, training: &Recorded) -> Self {
        let mut report = Self { schema: "baton.eval/1", ..Self::default() };
        (report.choice, report.lines.choice) = measured(&cases.choice, &training.choice, choice::evaluate);
        (report.findings, report.lines.findings) = measured(&cases.findings, &training.findings, findings::evaluate);
        (report.conflict, report.lines.conflict) = measured(&cases.conflict, &training.conflict, conflict::evaluate);
        (report.task, report.lines.task) = measured(&cases.task, &training.task, task::evaluate);
        report
    }

    /// The figures as one table a kind.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        if let Some(figures) = &self.choice {
            choice_table(figures, &mut text);
        }
        if let Some(figures) = &self.findings {
            findings_table(figures, &mut text);
        }
        if let Some(figures) = &self.conflict {
            conflict_table(figures, &mut text);
        }
        if let Some(figures) = &self.task {
            task_table(figures, &mut text);
        }
        text
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
    /// One JSON object a case, one a line.
    ///
    /// # Errors
    /// When a line cannot be written as JSON, which does not happen with figures that are numbers.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let mut text = String::new();
        write_lines(&self.choice, &mut text)?;
        write_lines(&self.findings, &mut text)?;
        write_lines(&self.conflict, &mut text)?;
        write_lines(&self.task, &mut text)?;
        Ok(text)
    }
}

fn write_lines<T: Serialize>(lines: &[T], text: &mut String) -> Result<(), serde_json::Error> {
    for line in lines {
        text.push_str(&serde_json::to_string(line)?);
        text.push('\n');
    }
    Ok(())
}

/// A share of nothing has no row.
fn optional(text: &mut String, name: &str, value: Option<f64>) {
    if let Some(value) = value {
        row(text, name, value);
    }
}

fn conflict_table(figures: &ConflictFigures, text: &mut String) {
    let _ = writeln!(text, "conflict: {} cases, {} of them conflicts", figures.cases, figures.conflicts);
    optional(text, "precision", figures.precision);
    optional(text, "recall", figures.recall);
    optional(text, "F1", figures.f1);
    optional(text, "MCC", figures.mcc);
    optional(text, "sides as people named them", figures.sides);
}

fn findings_table(figures: &FindingsFigures, text: &mut String) {
    let _ = writeln!(text, "findings: {} cases; {} reviews learned from", figures.cases, figures.learned_from);
    let fit = |text: &mut String, name: &str, fit: &Fit| {
        let _ = writeln!(text, "  {name:<36}{:>8.4}{:>8.4}{:>8.4}", fit.precision, fit.recall, fit.f1);
    };
    let _ = writeln!(text, "  {:<36}{:>8}{:>8}{:>8}", "", "P", "R", "F1");
    fit(text, "confirmed", &figures.confirmed);
    let [low, high] = figures.f1_interval;
    let _ = writeln!(text, "  {:<36}{low:>16.4} to {high:.4}", "F1 in 95 of 100 draws over cases");
    fit(text, "everything reported", &figures.union);
    for (member, own) in &figures.members {
        fit(text, &format!("  {member} alone"), own);
    }
}

fn task_table(figures: &TaskFigures, text: &mut String) {
    let _ = writeln!(
        text,
        "task: {} cases, {} with truth; {} corrections learned from",
        figures.cases, figures.scored, figures.corrections
    );
    row(text, "accuracy, accepted kinds counted", figures.accuracy);
    row(text, "macro-F1", figures.macro_f1);
    row(text, "accuracy on the half that is surest", figures.accuracy_of_surest_half);
    row(text, "complexity", figures.complexity_accuracy);
    row(text, "priority", figures.priority_accuracy);
    row(text, "left open", figures.unsure);
}

fn row(text: &mut String, name: &str, value: f64) {
    // Writing into a String does not fail.
    let _ = writeln!(text, "  {name:<36}{value:>8.4}");
}

fn choice_table(figures: &ChoiceFigures, text: &mut String) {
    let learned = format!("{} cases learned from", figures.training);
    let without = match figures.without_truth {
        0 => String::new(),
        some => format!(", {some} more without truth"),
    };
    let _ = writeln!(text, "choice: {} cases{without}; {learned}", figures.cases);
    row(text, "accuracy", figures.accuracy);
    if let Some(single) = &figures.best_single {
        row(text, &format!("best single ({})", single.member), single.accuracy);
    }
    row(text, "plain majority", figures.majority);
    if let Some(auroc) = figures.auroc {
        row(text, "AUROC of the confidence", auroc);
    }
    row(text, "ECE, 10 bins", figures.ece);
    row(text, "coverage at 90 % accuracy", figures.coverage_at_90);
    let _ = writeln!(text, "  confidence: {} over {} cases", figures.confidence.source, figures.confidence.over);
    if let Some(texts) = &figures.texts {
        row(text, &format!("positions read as recorded ({})", texts.read), texts.as_recorded);
    }
    let _ = writeln!(text, "  each member alone");
    for (member, accuracy) in &figures.members {
        row(text, &format!("  {member}"), *accuracy);
    }
}
