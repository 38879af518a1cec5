//! The figures for people: one table a kind, each saying what was measured on what, and why a figure is missing.

use std::fmt::Write;

use baton_core::text::one_line;

use crate::choice::{ChoiceFigures, Picked};
use crate::conflict::ConflictFigures;
use crate::findings::{FindingsFigures, Fit};
use crate::report::Report;
use crate::task::TaskFigures;

/// Columns of the name of a figure; a longer one moves its own figure only.
const NAME: usize = 40;
/// Members may have names of any length.
const LONGEST_NAME: usize = 60;

impl Report {
    /// The figures as one table a kind, with an empty line between two.
    #[must_use]
    pub fn table(&self) -> String {
        let tables = [
            self.choice.as_ref().map(choice),
            self.findings.as_ref().map(findings),
            self.conflict.as_ref().map(conflict),
            self.task.as_ref().map(task),
        ];
        tables.into_iter().flatten().collect::<Vec<_>>().join("\n")
    }
}

fn choice(figures: &ChoiceFigures) -> String {
    let measured = Measured { cases: figures.cases, without_truth: figures.without_truth };
    let learned = match figures.training {
        0 => "nothing was learned from".to_owned(),
        training => format!("learned from {}", counted(training, "case", "cases")),
    };
    let mut text = format!("choice: {}; {learned}\n", measured.said());
    if !measured.any() {
        return text;
    }
    row(&mut text, "accuracy", figures.accuracy);
    if let Some(single) = &figures.best_single {
        row(&mut text, &format!("best single ({})", shown(&single.member)), Some(single.accuracy));
        if single.picked_by == Picked::Tier {
            note(&mut text, "picked by its tier and name: no training case tells who is best");
        }
    }
    row(&mut text, "plain majority", figures.majority);
    row(&mut text, "AUROC of the confidence", figures.auroc);
    if figures.auroc.is_none() {
        note(&mut text, &format!("all are {}", if figures.accuracy > Some(0.0) { "right" } else { "wrong" }));
    }
    row(&mut text, "ECE, 10 bins", figures.ece);
    row(&mut text, "coverage at 90 % accuracy", figures.coverage_at_90);
    note(&mut text, &confidence(figures));
    if figures.unanswered > 0 {
        let cases = counted(figures.unanswered, "case has", "cases have");
        note(&mut text, &format!("{cases} no opinion to decide by, which counts as wrong"));
    }
    if let Some(texts) = &figures.texts {
        row(&mut text, &format!("positions read as recorded ({})", texts.read), Some(texts.as_recorded));
    }
    if !figures.members.is_empty() {
        note(&mut text, "each member alone, where it was asked");
    }
    for (member, accuracy) in &figures.members {
        row(&mut text, &format!("  {}", shown(member)), Some(*accuracy));
    }
    text
}

fn confidence(figures: &ChoiceFigures) -> String {
    match figures.confidence.source {
        "prior" => "confidence: a prior, as too little was learned from".to_owned(),
        source => format!("confidence: {source} over {} cases", figures.confidence.over),
    }
}

fn findings(figures: &FindingsFigures) -> String {
    let measured = Measured { cases: figures.cases, without_truth: figures.without_truth };
    let learned = match figures.learned_from {
        0 => "nothing was learned from".to_owned(),
        reviews => format!("learned from {}", counted(reviews as usize, "review", "reviews")),
    };
    let mut text = format!("findings: {}; {learned}\n", measured.said());
    if !measured.any() {
        return text;
    }
    let _ = writeln!(text, "  {:<NAME$}{:>8}{:>8}{:>8}", "", "P", "R", "F1");
    fit(&mut text, "confirmed", &figures.confirmed);
    if let Some([low, high]) = figures.f1_interval {
        let _ = writeln!(text, "  {:<NAME$}{low:>16.4} to {high:.4}", "F1 in 95 of 100 draws over cases");
    }
    fit(&mut text, "everything reported", &figures.union);
    for (member, own) in &figures.members {
        fit(&mut text, &format!("  {} alone", shown(member)), own);
    }
    let fits = figures.members.values().chain([&figures.confirmed, &figures.union]);
    if fits.into_iter().any(|fit| fit.precision.is_none() || fit.recall.is_none()) {
        note(&mut text, "-: P of nothing reported, or R where there is no issue to find");
    }
    text
}

fn fit(text: &mut String, name: &str, fit: &Fit) {
    let [precision, recall, f1] = [fit.precision, fit.recall, fit.f1].map(number);
    let _ = writeln!(text, "  {name:<NAME$}{precision:>8}{recall:>8}{f1:>8}");
}

fn conflict(figures: &ConflictFigures) -> String {
    let measured = Measured { cases: figures.cases, without_truth: figures.without_truth };
    let mut text = format!("conflict: {}\n", measured.said());
    if !measured.any() {
        return text;
    }
    note(&mut text, &format!("{} by the truth", counted(figures.conflicts, "is a conflict", "are conflicts")));
    row(&mut text, "precision", figures.precision);
    if figures.precision.is_none() {
        note(&mut text, "nothing was called a conflict");
    }
    row(&mut text, "recall", figures.recall);
    if figures.recall.is_none() {
        note(&mut text, "no case is a conflict");
    }
    row(&mut text, "F1", figures.f1);
    row(&mut text, "MCC", figures.mcc);
    if figures.sides.is_some() {
        row(&mut text, "sides as people named them", figures.sides);
    }
    text
}

fn task(figures: &TaskFigures) -> String {
    let measured = Measured { cases: figures.cases, without_truth: figures.without_truth };
    let learned = match figures.corrections {
        0 => "nothing was learned from".to_owned(),
        some => format!("learned from {}", counted(some as usize, "correction", "corrections")),
    };
    let mut text = format!("task: {}; {learned}\n", measured.said());
    if !measured.any() {
        return text;
    }
    row(&mut text, "accuracy, accepted kinds counted", figures.accuracy);
    row(&mut text, "macro-F1", figures.macro_f1);
    row(&mut text, "accuracy on the half that is surest", figures.accuracy_of_surest_half);
    row(&mut text, "complexity", figures.complexity_accuracy);
    row(&mut text, "priority", figures.priority_accuracy);
    row(&mut text, "left open", figures.unsure);
    text
}

/// On what the figures of a kind stand.
struct Measured {
    cases: usize,
    without_truth: usize,
}

impl Measured {
    const fn any(&self) -> bool {
        self.cases > 0
    }

    fn said(&self) -> String {
        let Self { cases, without_truth } = *self;
        match (cases, without_truth) {
            (0, some) => format!("{} without truth: decided, and nothing to measure", counted(some, "case", "cases")),
            (_, 0) => counted(cases, "case", "cases"),
            _ => format!("{}, and {without_truth} more without truth", counted(cases, "case", "cases")),
        }
    }
}

fn counted(count: usize, one: &str, many: &str) -> String {
    format!("{count} {}", if count == 1 { one } else { many })
}

fn shown(member: &str) -> String {
    one_line(member, LONGEST_NAME)
}

fn number(value: Option<f64>) -> String {
    value.map_or_else(|| "-".to_owned(), |value| format!("{value:.4}"))
}

fn row(text: &mut String, name: &str, value: Option<f64>) {
    // Writing into a String does not fail.
    let _ = writeln!(text, "  {name:<NAME$}{:>8}", number(value));
}

fn note(text: &mut String, note: &str) {
    let _ = writeln!(text, "  {note}");
}
