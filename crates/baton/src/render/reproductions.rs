//! The tests that were asked for of claims: who wrote each, what ran it, what came out, and the test itself.

use baton_core::consensus::{Decision, ReproductionReport};
use baton_core::ids::RunId;
use baton_core::run::RunState;
use baton_core::text::{one_line, printable};

use super::page::Page;
use super::style;
use super::taking;
use super::words::{self, LONGEST};

/// A longer test is cut on the screen; `baton show --test` has it whole.
const MOST_LINES: usize = 40;

/// `diffs` are the tests themselves, in their order.
pub(super) fn section(run: &RunId, state: &RunState, decision: &Decision, diffs: &[Option<String>], page: &mut Page) {
    if decision.reproductions.is_empty() {
        return;
    }
    page.section(&format!("Tests of claims: {}", decision.reproductions.len()));
    for (number, test) in (1..).zip(&decision.reproductions) {
        one(number, test, page);
        if let Some(diff) = diffs.get(number - 1).and_then(Option::as_deref) {
            written(diff, page);
            let which = if number == 1 { String::new() } else { format!("={number}") };
            let keep = format!("to keep it: baton show {} --test{which} | {}", run.short(), taking::command(state));
            page.verbatim(&format!("    {}", style::dim(&keep)));
            if let (Some(command), "unknown") = (&test.command, test.result.as_str()) {
                page.indented(4, &style::dim(&format!("to run it yourself then: {}", one_line(command, 120))));
            }
        }
    }
}

fn one(number: usize, test: &ReproductionReport, page: &mut Page) {
    let word = words::tested(test);
    let word = match test.result.as_str() {
        "reproduced" => style::bad(word),
        "not_reproduced" => style::good(word),
        _ => style::warn(word),
    };
    let place = words::tested_place(test).map_or(String::new(), |place| format!("  {place}"));
    page.paragraph(&format!("{number:>3} "), 4, &format!("{word}{place}"));
    page.indented(4, &one_line(&test.claim, LONGEST));
    page.indented(4, &style::dim(&words::tested_by(test)));
    for line in test.summary.lines().take(4) {
        page.paragraph("    ", 6, &style::dim(&one_line(line, 200)));
    }
}

/// Not wrapped, so that it can be read as a diff.
fn written(diff: &str, page: &mut Page) {
    page.blank();
    let diff = printable(diff);
    for line in diff.lines().take(MOST_LINES) {
        page.verbatim(&format!("    {}", line.chars().take(page.width().saturating_sub(4)).collect::<String>()));
    }
    let more = diff.lines().count().saturating_sub(MOST_LINES);
    if more > 0 {
        page.indented(4, &style::dim(&format!("... and {more} more lines")));
    }
    page.blank();
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample::{self, id};
    use baton_core::hash::Hash;

    pub(crate) fn tested(result: &str, command: Option<&str>, because: Option<&str>) -> ReproductionReport {
        ReproductionReport {
            claim: "The shift overflows".into(),
            file: Some("src/a b.rs".into()),
            line: Some(29),
            by: id("fir"),
            test: "reproduces_1".into(),
            files: vec!["tests/claim.rs".into()],
            result: result.into(),
            because: because.map(str::to_owned),
            command: command.map(str::to_owned),
            summary: "test reproduces_1 ... FAILED".into(),
            content: Some(Hash::of(b"x")),
        }
    }

    fn shown(tests: Vec<ReproductionReport>, diff: Option<&str>) -> String {
        let (run, state, mut decision) = sample::decided();
        let diffs: Vec<Option<String>> = tests.iter().map(|_| diff.map(str::to_owned)).collect();
        decision.reproductions = tests;
        let mut page = Page::new(100);
        section(&run, &state, &decision, &diffs, &mut page);
        anstream::adapter::strip_str(&page.into_text()).to_string()
    }

    #[test]
    fn a_test_is_shown_with_what_ran_it_and_how_to_keep_it() {
        let text = shown(vec![tested("reproduced", Some("cargo test"), None)], Some("+++ b/tests/claim.rs\n+one"));
        for part in [
            "Tests of claims: 1\n  1 reproduced  src/a b.rs:29\n    The shift overflows\n",
            "    reproduces_1 by fir fails with `cargo test`, which passes without it\n    test reproduces_1 ... FAILED\n",
            "\n    +++ b/tests/claim.rs\n    +one\n",
            " --test | git apply\n",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
    }

    #[test]
    fn where_nothing_was_run_it_is_told_why_and_with_what_the_user_can_run_it() {
        let silent = tested("unknown", Some("cargo test"), Some("there is no sandbox here"));
        let text = shown(vec![tested("not_reproduced", Some("cargo test"), None), silent], Some("+one"));
        assert!(text.contains("  1 not reproduced  src/a b.rs:29"), "{text}");
        assert!(text.contains("says nothing with `cargo test`: there is no sandbox here"), "{text}");
        assert!(text.contains("--test=2 | git apply\n    to run it yourself then: cargo test"), "{text}");
        let never = shown(vec![tested("unknown", None, Some("fir gave no test: refused"))], None);
        assert!(never.contains("    fir gave no test: refused\n") && !never.contains("git apply"), "{never}");
    }

    #[test]
    fn a_long_test_is_cut() {
        let long = "+line\n".repeat(50);
        assert!(shown(vec![tested("reproduced", Some("x"), None)], Some(&long)).contains("... and 10 more lines"));
    }
}
