//! The patches of a decision: who wrote each, how it fared in its copy of the repository, and the adopted one itself.

use baton_core::consensus::{Decision, PatchReport};
use baton_core::ids::RunId;
use baton_core::opinion::Position;
use baton_core::run::RunState;
use baton_core::text::{one_line, printable};

use super::page::Page;
use super::style;
use super::taking;
use super::words::{LONGEST, names, plural};

/// So many files of a patch are named.
const MOST_FILES: usize = 4;
/// So many lines of the adopted one are shown; the rest is a command away.
const MOST_LINES: usize = 100;

/// `diff` is the adopted patch, where there is one.
pub(super) fn section(run: &RunId, state: &RunState, decision: &Decision, diff: Option<&str>, page: &mut Page) {
    if decision.patches.is_empty() {
        return;
    }
    page.section("Patches");
    for (number, patch) in (1..).zip(&decision.patches) {
        one(number, patch, page);
        if let Some(words) = patch.adopted.then(|| words_of_author(state, patch)).flatten() {
            page.indented(4, &one_line(words, LONGEST));
        }
    }
    if let Some(diff) = diff {
        page.blank();
        shown(diff, page);
    }
    if decision.patch.is_some() {
        page.blank();
        let others = if decision.patches.len() > 1 { ", or another one by its number (--patch=2)" } else { "" };
        page.indented(2, &style::dim(&format!("nothing of yours was changed; to take it{others}:")));
        page.verbatim(&format!("  baton show {} --patch | {}", run.short(), taking::command(state)));
    }
}

/// What its strongest author said of it.
fn words_of_author<'a>(state: &'a RunState, patch: &PatchReport) -> Option<&'a str> {
    let author = patch.by.first()?;
    let mut opinions =
        state.steps.iter().filter(|step| step.member == *author).filter_map(|step| step.opinion.as_ref());
    let last = opinions.rfind(|opinion| matches!(opinion.position, Position::Patch { .. }))?;
    Some(last.summary.as_str()).filter(|words| !words.trim().is_empty())
}

fn shown(diff: &str, page: &mut Page) {
    let text = printable(diff);
    for line in text.lines().take(MOST_LINES) {
        let painted = match line.as_bytes().first() {
            Some(b'+') if !line.starts_with("+++ ") => style::good(line),
            Some(b'-') if !line.starts_with("--- ") => style::bad(line),
            Some(b' ') => line.to_owned(),
            _ => style::dim(line),
        };
        page.verbatim(&format!("  {painted}"));
    }
    let more = text.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        page.indented(2, &style::dim(&format!("... and {more} more lines")));
    }
}

/// By the number that `accept` and `reject` take.
fn one(number: usize, patch: &PatchReport, page: &mut Page) {
    let mark = if patch.adopted { style::good("adopted") } else { style::dim("not adopted") };
    let files: Vec<String> = patch.files.iter().take(MOST_FILES).map(|file| one_line(file, 60)).collect();
    let more = if patch.files.len() > files.len() { ", ..." } else { "" };
    let changed = plural(patch.changed_lines as usize, "changed line");
    let what = format!("{mark}  by {}  {}{more}, {changed}", names(&patch.by), files.join(", "));
    page.paragraph(&format!("{number:>3} "), 4, &what);
    let state = match (patch.applies.as_str(), &patch.because) {
        ("yes", _) => "applies".to_owned(),
        ("no", Some(because)) => format!("does not apply: {}", one_line(because, LONGEST)),
        (_, because) => format!("not tried: {}", one_line(because.as_deref().unwrap_or_default(), LONGEST)),
    };
    page.indented(4, &style::dim(&state));
    for check in &patch.checks {
        let passed = check.result == "passed";
        let why = if passed { String::new() } else { format!(": {}", one_line(&check.summary, LONGEST)) };
        page.indented(4, &format!("{} {}{}", check.check, check.result, style::dim(&why)));
    }
    if !patch.backed_by.is_empty() {
        page.indented(4, &style::dim(&format!("the same by {}", names(&patch.backed_by))));
    }
}
