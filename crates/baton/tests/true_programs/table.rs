//! The table: for people, and for programs.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use crate::cases::Seen;
use crate::programs::{Case, Row, Skip};

/// One row as it came out.
pub(crate) struct Outcome {
    pub(crate) row: Row,
    pub(crate) version: String,
    pub(crate) seconds: f64,
    pub(crate) cells: BTreeMap<Case, Seen>,
}

impl Outcome {
    /// Cases that did not end as they must.
    pub(crate) fn surprises(&self) -> Vec<String> {
        let fits = |case: &Case, seen: &Seen| self.row.expected[case].split(" or ").any(|what| what == seen.what);
        let differs = |case: &&Case| !self.cells.get(case).is_some_and(|seen| fits(case, seen));
        let said = |case: &Case| {
            let (expected, seen) = (&self.row.expected[case], self.cells.get(case).cloned().unwrap_or_default());
            format!("{}, {}: `{expected}` expected, `{}` seen: {}", self.row.name, case.name(), seen.what, seen.detail)
        };
        Case::ALL.iter().filter(differs).map(said).collect()
    }
}

/// The table as text, with one line a row and one column a case.
pub(crate) fn text(outcomes: &[Outcome], skips: &[Skip]) -> String {
    let mut lines = vec![header()];
    for outcome in outcomes {
        let mut line = vec![outcome.row.name.clone(), outcome.version.clone()];
        let seen = |case: &Case| outcome.cells.get(case).map_or("-".to_owned(), |seen| seen.what.clone());
        line.extend(Case::ALL.iter().map(seen));
        line.push(format!("{:.0}", outcome.seconds));
        lines.push(line);
    }
    let widths: Vec<usize> = (0..lines[0].len()).map(|column| widest(&lines, column)).collect();
    let mut text = String::new();
    for line in lines {
        let cells: Vec<String> = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}")).collect();
        text.push_str(&format!("| {} |\n", cells.join(" | ")));
        if text.lines().count() == 1 {
            let rule: Vec<String> = widths.iter().map(|width| "-".repeat(*width)).collect();
            text.push_str(&format!("| {} |\n", rule.join(" | ")));
        }
    }
    for skip in skips {
        text.push_str(&format!("skipped: {} ({})\n", skip.name, skip.because));
    }
    text
}

fn header() -> Vec<String> {
    let fixed = ["program".to_owned(), "version".to_owned()];
    fixed.into_iter().chain(Case::ALL.map(|case| case.name().to_owned())).chain(["s".to_owned()]).collect()
}

fn widest(lines: &[Vec<String>], column: usize) -> usize {
    lines.iter().map(|line| line[column].chars().count()).max().unwrap_or_default()
}

/// The same for programs.
pub(crate) fn json(outcomes: &[Outcome], skips: &[Skip]) -> Value {
    let row = |outcome: &Outcome| {
        let cells: BTreeMap<&str, &Seen> = outcome.cells.iter().map(|(case, seen)| (case.name(), seen)).collect();
        json!({
            "name": outcome.row.name, "package": outcome.row.package, "version": outcome.version,
            "seconds": outcome.seconds, "cases": cells,
        })
    };
    let skip = |skip: &Skip| json!({ "name": skip.name, "because": skip.because });
    json!({
        "schema": "baton.true-programs/1",
        "rows": outcomes.iter().map(row).collect::<Vec<_>>(), "skipped": skips.iter().map(skip).collect::<Vec<_>>(),
    })
}
