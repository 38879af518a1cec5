//! The patches of a decision: who wrote each, and how it fared in its copy of the repository.

use baton_core::consensus::{Decision, PatchReport};
use baton_core::ids::RunId;
use baton_core::text::one_line;

use super::page::Page;
use super::style;
use super::words::{LONGEST, names};

/// So many files of a patch are named.
const MOST_FILES: usize = 4;

pub(super) fn section(run: &RunId, decision: &Decision, page: &mut Page) {
    if decision.patches.is_empty() {
        return;
    }
    page.section("Patches");
    for (number, patch) in (1..).zip(&decision.patches) {
        one(number, patch, page);
    }
    if decision.patch.is_some() {
        page.indented(2, &style::dim(&format!("to take it: baton show {} --patch | git apply", run.short())));
    }
}

/// By the number that `accept` and `reject` take.
fn one(number: usize, patch: &PatchReport, page: &mut Page) {
    let mark = if patch.adopted { style::good("adopted") } else { style::dim("not    ") };
    let files: Vec<String> = patch.files.iter().take(MOST_FILES).map(|file| one_line(file, 60)).collect();
    let more = if patch.files.len() > files.len() { ", ..." } else { "" };
    let what = format!("{}  {}{more}, {} lines", names(&patch.by), files.join(", "), patch.changed_lines);
    page.paragraph(&format!("  {number} {mark}  "), 13, &what);
    let state = match (patch.applies.as_str(), &patch.because) {
        ("yes", _) => "applies".to_owned(),
        ("no", Some(because)) => format!("does not apply: {}", one_line(because, LONGEST)),
        (_, because) => format!("not tried: {}", one_line(because.as_deref().unwrap_or_default(), LONGEST)),
    };
    page.indented(13, &style::dim(&state));
    for check in &patch.checks {
        let passed = check.result == "passed";
        let why = if passed { String::new() } else { format!(": {}", one_line(&check.summary, LONGEST)) };
        page.indented(13, &format!("{} {}{}", check.check, check.result, style::dim(&why)));
    }
    if !patch.backed_by.is_empty() {
        page.indented(13, &style::dim(&format!("the same by {}", names(&patch.backed_by))));
    }
}
