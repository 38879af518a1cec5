//! All figures together, as JSON and as a table for people.

use std::fmt::Write;

use serde::Serialize;

use crate::choice::{self, ChoiceFigures, ChoiceLine};
use crate::conflict::{self, ConflictFigures, ConflictLine};
use crate::recorded::Recorded;

/// The figures of every kind that has cases.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    schema: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub choice: Option<ChoiceFigures>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub conflict: Option<ConflictFigures>,
    #[serde(skip)]
    pub lines: Lines,
}

/// What was decided, case by case.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Lines {
    pub choice: Vec<ChoiceLine>,
    pub conflict: Vec<ConflictLine>,
}

impl Report {
    /// Decides all cases, learning from the training ones only.
    ///
    /// # Errors
    /// When there are cases of a kind that this version cannot measure.
    pub fn of(cases: &Recorded, training: &Recorded) -> Result<Self, NotMeasured> {
        measured(cases)?;
        let mut report = Self { schema: "baton.eval/1", choice: None, conflict: None, lines: Lines::default() };
        if !cases.choice.is_empty() {
            let (figures, lines) = choice::evaluate(&cases.choice, &training.choice);
            report.choice = Some(figures);
            report.lines.choice = lines;
        }
        if !cases.conflict.is_empty() {
            let (figures, lines) = conflict::evaluate(&cases.conflict, &training.conflict);
            report.conflict = Some(figures);
            report.lines.conflict = lines;
        }
        Ok(report)
    }

    /// The figures as one table a kind.
    #[must_use]
    pub fn table(&self) -> String {
        let mut text = String::new();
        if let Some(figures) = &self.choice {
            choice_table(figures, &mut text);
        }
        if let Some(figures) = &self.conflict {
            conflict_table(figures, &mut text);
        }
        text
    }
}

/// A kind of case that is read and cannot be measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{cases} cases are of the kind `{kind}`, which this version cannot measure yet")]
pub struct NotMeasured {
    pub kind: &'static str,
    pub cases: usize,
}

fn measured(cases: &Recorded) -> Result<(), NotMeasured> {
    let others = [("findings", cases.findings.len()), ("task", cases.task.len())];
    match others.into_iter().find(|(_, cases)| *cases > 0) {
        Some((kind, cases)) => Err(NotMeasured { kind, cases }),
        None => Ok(()),
    }
}

impl Lines {
    /// One JSON object a case, one a line.
    ///
    /// # Errors
    /// When a line cannot be written as JSON, which does not happen with figures that are numbers.
    pub fn json(&self) -> Result<String, serde_json::Error> {
        let mut text = String::new();
        write_lines(&self.choice, &mut text)?;
        write_lines(&self.conflict, &mut text)?;
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
