//! Merged findings of recorded reviews, leaving one repository out: the table of `docs/decisions/findings.md`.
//!
//! The reviews are not part of the project. They are read from `findings.dev.jsonl` in the folder that
//! `BATON_EVAL_DATA` names.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::PathBuf;

use baton_core::consensus::findings::Settings;
use baton_eval::findings::{Fit, Scores, scores};
use baton_eval::{Case, FindingsCase, read_line};

const PANELS: &[(&str, &[&str])] = &[
    ("all reviewers", &[]),
    ("augment, bugbot, greptile, propel, claude", &["augment", "bugbot", "greptile", "propel", "claude"]),
    ("claude, copilot, gemini", &["claude", "copilot", "gemini"]),
];

/// Settings that are chosen among.
const SAME: [f64; 4] = [0.09, 0.10, 0.11, 0.12];
const NEEDED_SHARE: [f64; 3] = [0.27, 0.31, 0.35];
/// Sizes of the panels that are drawn to choose by, and how many of each.
const DRAWN: [(usize, usize); 3] = [(3, 10), (5, 8), (8, 4)];
const CHOOSING: u64 = 7;
/// Sizes of the panels that are drawn to report on, how many of each, and their seed.
const REPORTED: [(usize, usize); 5] = [(2, 60), (3, 60), (4, 60), (5, 60), (8, 60)];
const REPORTING: u64 = 2_026;

/// The table, three rows a panel: with nothing known of the reviewers, with what the other repositories teach, and
/// with the settings too chosen on the other repositories.
///
/// # Errors
/// No folder is named, or it holds no such reviews.
pub(crate) fn table() -> Result<String, String> {
    let cases = read()?;
    let chosen = chosen(&cases);
    let mut rows = vec![
        "| panel | from the other repositories | precision | recall | F1 | 95 % of draws |".to_owned(),
        "|---|---|---|---|---|---|".to_owned(),
    ];
    for (name, members) in PANELS {
        let panel: Vec<FindingsCase> = cases.iter().map(|case| only(case, members)).collect();
        let nothing = leaving_out(&panel, |held, _| scores(held, &[], Settings::default()));
        let taught = leaving_out(&panel, |held, others| scores(held, others, Settings::default()));
        let all = leaving_out(&panel, |held, others| scores(held, others, chosen_for(&chosen, held)));
        rows.push(row(name, "nothing", &nothing));
        rows.push(row(name, "precisions", &taught));
        rows.push(row(name, "precisions and settings", &all));
    }
    rows.extend(chosen.iter().map(|(held, settings)| format!("{held}: {settings:?}")));
    rows.extend(any_panels(&cases));
    Ok(rows.join("\n"))
}

/// Mean F1 over panels of any members, a row a size: no panel is one that somebody looked at.
fn any_panels(cases: &[FindingsCase]) -> Vec<String> {
    let mut rows = vec!["| drawn panels of | F1, nothing | F1, precisions |".to_owned(), "|---|---|---|".to_owned()];
    for ((size, times), panels) in REPORTED.into_iter().zip(drawn(cases, &REPORTED, REPORTING)) {
        let (mut nothing, mut taught) = (0.0, 0.0);
        for members in &panels {
            let names: Vec<&str> = members.iter().map(String::as_str).collect();
            let panel: Vec<FindingsCase> = cases.iter().map(|case| only(case, &names)).collect();
            nothing += leaving_out(&panel, |held, _| scores(held, &[], Settings::default())).pooled().f1.unwrap_or(0.0);
            taught += leaving_out(&panel, |held, others| scores(held, others, Settings::default()))
                .pooled()
                .f1
                .unwrap_or(0.0);
        }
        let count = f64::from(u32::try_from(panels.len().max(1)).unwrap_or(u32::MAX));
        rows.push(format!("| {size} ({times} times) | {:.3} | {:.3} |", nothing / count, taught / count));
    }
    rows
}

fn chosen_for(chosen: &BTreeMap<String, Settings>, held: &[FindingsCase]) -> Settings {
    held.first().and_then(|case| chosen.get(&case.category)).copied().unwrap_or_default()
}

/// For each repository the settings that do best on the others, over the mean of panels drawn from all reviewers.
fn chosen(cases: &[FindingsCase]) -> BTreeMap<String, Settings> {
    let mut panels = drawn(cases, &DRAWN, CHOOSING);
    // And the whole house.
    panels.push(vec![Vec::new()]);
    let mut chosen = BTreeMap::new();
    for held in repositories(cases) {
        let others: Vec<FindingsCase> = cases.iter().filter(|case| case.category != held).cloned().collect();
        let tried = settings().map(|settings| (mean(&others, &panels, settings), settings));
        let best = tried.max_by(|(one, _), (other, _)| one.total_cmp(other)).map(|(_, settings)| settings);
        chosen.insert(held.to_owned(), best.unwrap_or_default());
    }
    chosen
}

fn settings() -> impl Iterator<Item = Settings> {
    SAME.into_iter().flat_map(|same| NEEDED_SHARE.into_iter().map(move |needed_share| Settings { same, needed_share }))
}

fn mean(cases: &[FindingsCase], panels: &[Vec<Vec<String>>], settings: Settings) -> f64 {
    let of_size = |panels: &Vec<Vec<String>>| {
        let mut pooled = Scores::default();
        for members in panels {
            let names: Vec<&str> = members.iter().map(String::as_str).collect();
            let panel: Vec<FindingsCase> = cases.iter().map(|case| only(case, &names)).collect();
            pooled.add(&scores(&panel, &[], settings));
        }
        pooled.pooled().f1.unwrap_or(0.0)
    };
    panels.iter().map(of_size).sum()
}

/// Panels of each size, the same in every run.
fn drawn(cases: &[FindingsCase], sizes: &[(usize, usize)], seed: u64) -> Vec<Vec<Vec<String>>> {
    let names: BTreeSet<&str> =
        cases.iter().flat_map(|case| &case.opinions).map(|opinion| opinion.member.as_str()).collect();
    let mut state = seed;
    let mut draw = |size: usize| {
        let mut left: Vec<&str> = names.iter().copied().collect();
        let mut panel = Vec::new();
        while panel.len() < size && !left.is_empty() {
            state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
            let at = usize::try_from(state >> 40).unwrap_or(0) % left.len();
            panel.push(left.remove(at).to_owned());
        }
        panel
    };
    sizes.iter().map(|(size, times)| (0..*times).map(|_| draw(*size)).collect()).collect()
}

fn repositories(cases: &[FindingsCase]) -> BTreeSet<&str> {
    cases.iter().map(|case| case.category.as_str()).collect()
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

/// Each repository scored by itself, given the others.
fn leaving_out(cases: &[FindingsCase], score: impl Fn(&[FindingsCase], &[FindingsCase]) -> Scores) -> Scores {
    let mut all = Scores::default();
    for repository in repositories(cases) {
        let (held, others): (Vec<FindingsCase>, Vec<FindingsCase>) =
            cases.iter().cloned().partition(|case| case.category == repository);
        all.add(&score(&held, &others));
    }
    all
}

fn row(name: &str, known: &str, scores: &Scores) -> String {
    let Fit { precision, recall, f1 } = scores.pooled();
    let [precision, recall, f1] = [precision, recall, f1].map(|share| share.unwrap_or(0.0));
    let [low, high] = scores.interval();
    format!("| {name} | {known} | {precision:.3} | {recall:.3} | {f1:.3} | {low:.3} to {high:.3} |")
}
