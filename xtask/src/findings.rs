//! Merged findings of recorded reviews, leaving one repository out: the table of `docs/decisions/findings.md`.
//!
//! The reviews are not part of the project. They are read from `findings.dev.jsonl` in the folder that
//! `BATON_EVAL_DATA` names.

use std::collections::BTreeSet;
use std::fs;
use std::path::PathBuf;

use baton_eval::findings::{Fit, Scores, scores};
use baton_eval::{Case, FindingsCase, read_line};

const PANELS: &[(&str, &[&str])] = &[
    ("all reviewers", &[]),
    ("augment, bugbot, greptile, propel, claude", &["augment", "bugbot", "greptile", "propel", "claude"]),
    ("claude, copilot, gemini", &["claude", "copilot", "gemini"]),
];

/// The table, one row a panel: with nothing known of the reviewers, and with what the other repositories teach.
///
/// # Errors
/// No folder is named, or it holds no such reviews.
pub(crate) fn table() -> Result<String, String> {
    let cases = read()?;
    let mut rows = vec![
        "| panel | known | precision | recall | F1 | 95 % of draws |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for (name, members) in PANELS {
        let panel: Vec<FindingsCase> = cases.iter().map(|case| only(case, members)).collect();
        for (known, taught) in [("nothing", Taught::Nothing), ("the other repositories", Taught::Others)] {
            rows.push(row(name, known, &leaving_out(&panel, taught)));
        }
    }
    Ok(rows.join("\n"))
}

#[derive(Clone, Copy)]
enum Taught {
    Nothing,
    Others,
}

fn read() -> Result<Vec<FindingsCase>, String> {
    let folder = std::env::var_os("BATON_EVAL_DATA").ok_or("BATON_EVAL_DATA names no folder with recorded reviews")?;
    let path = PathBuf::from(folder).join("findings.dev.jsonl");
    let text = fs::read_to_string(&path).map_err(|error| format!("{}: {error}", path.display()))?;
    let mut cases = Vec::new();
    for (number, line) in (1..).zip(text.lines()) {
        match read_line(line) {
            Ok(Case::Findings(case)) => cases.push(case),
            Ok(_) => {}
            Err(error) => return Err(format!("line {number} {error}")),
        }
    }
    Ok(cases)
}

fn only(case: &FindingsCase, members: &[&str]) -> FindingsCase {
    let mut case = case.clone();
    case.opinions.retain(|opinion| members.is_empty() || members.contains(&opinion.member.as_str()));
    case
}

fn leaving_out(cases: &[FindingsCase], taught: Taught) -> Scores {
    let repositories: BTreeSet<&str> = cases.iter().map(|case| case.category.as_str()).collect();
    let mut all = Scores::default();
    for repository in repositories {
        let (held, others): (Vec<FindingsCase>, Vec<FindingsCase>) =
            cases.iter().cloned().partition(|case| case.category == repository);
        let training = match taught {
            Taught::Nothing => Vec::new(),
            Taught::Others => others,
        };
        all.add(&scores(&held, &training));
    }
    all
}

fn row(name: &str, known: &str, scores: &Scores) -> String {
    let Fit { precision, recall, f1 } = scores.pooled();
    let [low, high] = scores.interval();
    format!("| {name} | {known} | {precision:.3} | {recall:.3} | {f1:.3} | {low:.3} to {high:.3} |")
}
