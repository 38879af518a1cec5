//! A decision as people read it: what to do, how sure that is, what was found by whom, and what speaks against it.

use baton_core::consensus::{Decision, MergedFinding, Recommendation, RefusedFinding, Standing};
use baton_core::ids::RunId;
use baton_core::opinion::Severity;
use baton_core::run::RunState;
use baton_core::text::{one_line, printable};

use super::Texts;
use super::disputes::{self, Ended};
use super::page::Page;
use super::style;
use super::words::{self, LONGEST};

const WIDEST_BAR: usize = 40;
/// The room that the figures beside the bar take.
const FIGURES: usize = 24;

/// The whole screen for a decision, for a terminal of `width` columns.
pub(crate) fn screen(run: &RunId, state: &RunState, decision: &Decision, texts: &Texts, width: usize) -> String {
    let mut page = Page::new(width);
    head(decision, &mut page);
    let answer = texts.answer.as_deref();
    let diff = answer.filter(|_| decision.patch.is_some());
    if let (Some(text), None) = (answer, diff) {
        page.section("Answer");
        written(text, &mut page);
    }
    super::patches::section(run, state, decision, diff, &mut page);
    findings(decision, &mut page);
    disputes(state, decision, &mut page);
    apart(decision, &mut page);
    checks(decision, &mut page);
    super::reproductions::section(run, state, decision, &texts.tests, &mut page);
    page.section("Why");
    for reason in &decision.reasoning {
        page.paragraph("  ", 4, &one_line(reason, LONGEST));
    }
    let cost = style::paid(decision.cost, decision.cost_unknown, &super::turns::payers(state));
    let time = style::duration(decision.elapsed_ms);
    page.blank();
    page.paragraph("", 2, &style::dim(&format!("run {}   {cost}   {time}", run.short())));
    page.into_text()
}

/// The decision in one line, as the live view ends.
pub(crate) fn in_short(decision: &Decision) -> String {
    let (word, _) = words::recommendation(decision);
    if words::is_empty(decision) {
        return painted(decision, word);
    }
    let (what, value) = words::position(decision);
    let sure = decision.overall_confidence.as_f64();
    let needed = decision.threshold.as_f64();
    let position = if value.is_empty() { what.to_owned() } else { format!("{what} {}", style::strong(&value)) };
    format!("{}: {position}, {sure:.2} of {needed:.2} needed", painted(decision, word))
}

fn painted(decision: &Decision, word: &str) -> String {
    match decision.recommendation {
        _ if words::is_empty(decision) => style::bad(word),
        Recommendation::Proceed => style::good(word),
        Recommendation::ProceedWithCaution | Recommendation::ReviewRequired => style::warn(word),
        Recommendation::ConflictResolutionNeeded => style::bad(word),
    }
}

fn head(decision: &Decision, page: &mut Page) {
    let (word, meaning) = words::recommendation(decision);
    let scripted = if decision.scripted { style::warn("   [scripted answers]") } else { String::new() };
    page.paragraph("", 2, &format!("{}: {meaning}{scripted}", painted(decision, word)));
    if !words::is_empty(decision) {
        confidence(decision, page);
        position(decision, page);
    }
    for blocker in &decision.blockers {
        page.paragraph(&format!("{} ", style::warn("!")), 2, words::blocked(*blocker));
    }
}

fn confidence(decision: &Decision, page: &mut Page) {
    let (confidence, threshold) = (decision.overall_confidence.as_f64(), decision.threshold.as_f64());
    let cells = WIDEST_BAR.min(page.width().saturating_sub(FIGURES));
    page.verbatim(&format!("{}  {confidence:.2} of {threshold:.2} needed", bar(confidence, threshold, cells)));
    page.paragraph("", 2, &style::dim(&words::source(decision)));
}

fn position(decision: &Decision, page: &mut Page) {
    let (what, value) = words::position(decision);
    let by = words::decided_by(decision).map_or(String::new(), |by| format!(", {by}"));
    page.paragraph("", 2, &format!("{what} {}{by}   {}", style::strong(&value), words::counted(decision)));
}

/// The confidence as a bar, with a mark at the threshold.
fn bar(confidence: f64, threshold: f64, cells: usize) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to 1 by type"
    )]
    let cell = |share: f64| (share * cells as f64) as usize;
    let (filled, mark) = (cell(confidence), cell(threshold).min(cells.saturating_sub(1)));
    (0..cells)
        .map(|at| match (at == mark, at < filled) {
            (true, _) => '|',
            (false, true) => '█',
            (false, false) => '░',
        })
        .collect()
}

/// A member's text. Its prose is wrapped; code and tables are left as they are, so that they can be copied.
fn written(text: &str, page: &mut Page) {
    let mut in_code = false;
    for line in printable(text).trim().lines() {
        let bare = line.trim_start();
        let fence = bare.starts_with("```") || bare.starts_with("~~~");
        if fence || in_code || bare.starts_with('|') {
            page.verbatim(&format!("  {line}"));
        } else if bare.is_empty() {
            page.blank();
        } else {
            let indent = 2 + line.chars().count() - bare.chars().count();
            let marker = ["- ", "* ", "> "].iter().any(|marker| bare.starts_with(marker));
            page.paragraph(&" ".repeat(indent), indent + if marker { 2 } else { 0 }, bare);
        }
        in_code ^= fence;
    }
}

/// The number of a finding is how `accept` and `reject` name it.
fn findings(decision: &Decision, page: &mut Page) {
    for (title, group) in words::groups(decision) {
        page.section(&format!("{title}: {}", words::plural(group.len(), "finding")));
        group.into_iter().for_each(|(number, issue)| finding(number, issue, page));
    }
    if !decision.refused_issues.is_empty() {
        page.section(&format!("Refused: {}", words::plural(decision.refused_issues.len(), "finding")));
        words::refused(decision).for_each(|(number, refused)| not_taken(number, refused, page));
    }
}

fn finding(number: usize, issue: &MergedFinding, page: &mut Page) {
    let severity = match issue.severity {
        Severity::Critical | Severity::High => style::bad(issue.severity.as_str()),
        Severity::Medium | Severity::Low => style::warn(issue.severity.as_str()),
    };
    let place = words::place(issue).map_or(String::new(), |place| format!("  {place}"));
    page.paragraph(&format!("{number:>3} "), 4, &format!("{severity}{place}"));
    page.indented(4, &one_line(&issue.claim, LONGEST));
    if let Some(ground) = strongest_ground(issue, page.width()) {
        page.indented(4, &style::dim(&ground));
    }
    page.indented(4, &style::dim(&words::behind(issue)));
}

/// What a finding rests on, on two lines at most, where somebody may act on it or argue about it.
fn strongest_ground(issue: &MergedFinding, width: usize) -> Option<String> {
    let matters = issue.standing == Standing::Confirmed || !issue.denied_by.is_empty();
    let room = width.saturating_sub(4).saturating_mul(2);
    // A long word may leave a part of the first line empty.
    let ground = words::ground(issue.evidence.first().filter(|_| matters)?, LONGEST)?;
    Some(one_line(&ground, room.saturating_sub(room / 8)))
}

fn not_taken(number: usize, refused: &RefusedFinding, page: &mut Page) {
    page.paragraph(&format!("{number:>3} "), 4, &format!("{}:{}", one_line(&refused.file, 200), refused.line));
    page.indented(4, &one_line(&refused.claim, LONGEST));
    page.indented(4, &style::dim(&format!("by {}; {}", refused.member, one_line(&refused.because, 200))));
}

fn disputes(state: &RunState, decision: &Decision, page: &mut Page) {
    if decision.conflicts.is_empty() {
        return;
    }
    page.section(&format!("Disputed: {}", words::plural(decision.conflicts.len(), "claim")));
    for conflict in &decision.conflicts {
        page.paragraph("  - ", 4, &one_line(&conflict.claim, LONGEST));
        page.paragraph("    for      ", 13, &words::names(&conflict.holds));
        page.paragraph("    against  ", 13, &words::names(&conflict.against));
        for said in &conflict.reasons {
            page.paragraph("    ", 6, &style::dim(&format!("{}: {}", said.member, one_line(&said.reason, LONGEST))));
        }
        let ended = match disputes::ended(conflict, state, decision) {
            Ended::Settled(how) => coloured(&how, style::good),
            Ended::Open(why) => coloured(&why, style::bad),
        };
        page.paragraph("    ", 6, &ended);
    }
}

/// What stands before the first colon, in colour.
fn coloured(text: &str, paint: impl Fn(&str) -> String) -> String {
    text.split_once(':').map_or(text.to_owned(), |(word, rest)| format!("{}:{rest}", paint(word)))
}

/// Who does not stand with the decision, who gave nothing, who was asked instead, and who was not asked.
fn apart(decision: &Decision, page: &mut Page) {
    let dissenters = words::dissenters(decision);
    if !dissenters.is_empty() {
        page.section("Against it");
        for one in dissenters {
            let position = style::strong(&one_line(&one.position, LONGEST));
            named(one.member.as_str(), &format!("says {position}: {}", one_line(&one.reason, LONGEST)), page);
        }
    }
    let missing = words::missing(decision);
    if !missing.is_empty() || !decision.abstained.is_empty() {
        page.section("Without an opinion");
        for one in &decision.abstained {
            named(one.member.as_str(), &format!("abstained: {}", one_line(&one.reason, LONGEST)), page);
        }
        for one in missing {
            named(one.member.as_str(), &format!("failed, {}", one.because), page);
            if let Some(other) = one.instead {
                page.indented(4, &format!("{} was asked instead", style::strong(other.as_str())));
            }
        }
    }
    if let Some((members, because)) = words::not_asked(decision) {
        page.section("Not asked");
        named(&members, &because, page);
    }
}

fn named(name: &str, text: &str, page: &mut Page) {
    page.paragraph("  ", 4, &format!("{name} {text}"));
}

fn checks(decision: &Decision, page: &mut Page) {
    if decision.checks.is_empty() {
        return;
    }
    page.section(words::checks_title(decision));
    for check in &decision.checks {
        let result = match check.result.as_str() {
            "passed" => style::good("passed"),
            "failed" => style::bad("failed"),
            other => style::warn(other),
        };
        let command = style::dim(&one_line(&check.command, 200));
        page.paragraph("  ", 4, &format!("{} {result}  {command}", check.check));
        for line in check.summary.lines().take(4) {
            page.paragraph("    ", 6, &style::dim(&one_line(line, 200)));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mark_stands_at_the_threshold_and_stays_on_the_bar() {
        assert_eq!(bar(0.5, 0.7, 10), "█████░░|░░");
        assert_eq!(bar(1.0, 1.0, 10), "█████████|");
        assert_eq!(bar(0.0, 0.0, 10), "|░░░░░░░░░");
    }

    #[test]
    fn a_screen_tells_everything_and_fits_any_width() {
        let (run, state, decision) = crate::render::sample::decided();
        for width in [40, 50, 80, 120] {
            let text = screen(&run, &state, &decision, &Texts::default(), width);
            let wide = text.lines().map(console::measure_text_width).max();
            assert!(wide <= Some(width), "{text}");
        }
        let text = screen(&run, &state, &decision, &Texts::default(), 120);
        let text = anstream::adapter::strip_str(&text).to_string();
        for part in [
            "Confirmed: 2 findings\n  1 critical  src/a b.rs:29\n    The shift overflows\n    alder: 1 << 64 is no number\n    by alder, cedar; denied by birch;",
            "Unconfirmed: 2 findings\n  3 high  src/b.rs:3\n",
            "  4 low\n    The name is odd\n",
            "Refused: 1 finding\n  5 src/lib.rs:412\n",
            "    for      alder, cedar\n    against  birch\n    birch: It is bounded above.\n    settled by a check: tests",
            "Against it\n  birch says approve: It is <b>fine</b>\n",
            "  fir abstained: I see no diff\n",
            "  dogwood failed, rate limited: later\n    cedar was asked instead\n",
            "Not asked\n  elm could hardly have changed this for the price; about $0.02 saved\n",
            "  tests failed  cargo test\n",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
    }

    #[test]
    fn what_stands_by_its_weight_alone_is_not_called_confirmed() {
        let (run, state, mut decision) = crate::render::sample::decided();
        decision.issues[0].because = "critical, located and argued".into();
        let text = screen(&run, &state, &decision, &Texts::default(), 120);
        let text = anstream::adapter::strip_str(&text).to_string();
        assert!(text.contains("Not to be outvoted: 1 finding\n  1 critical  src/a b.rs:29\n"), "{text}");
        assert!(text.contains("Confirmed: 1 finding\n  2 medium"), "{text}");
    }

    #[test]
    fn evidence_takes_two_lines_at_most() {
        let (_, _, mut decision) = crate::render::sample::decided();
        let issue = &mut decision.issues[0];
        issue.evidence[0].text = Some("word ".repeat(200));
        let mut page = Page::new(60);
        page.indented(4, &strongest_ground(issue, 60).unwrap());
        let text = page.into_text();
        assert!(text.lines().count() == 2 && text.contains('…'), "{text}");
        issue.standing = Standing::Unconfirmed;
        issue.denied_by.clear();
        assert_eq!(strongest_ground(issue, 60), None);
    }

    #[test]
    fn code_in_an_answer_is_not_wrapped() {
        let mut page = Page::new(40);
        let code = format!("let x = {};", "1 + ".repeat(20));
        written(&format!("{}\n\n```rust\n{code}\n```\n- {}", "word ".repeat(20), "item ".repeat(12)), &mut page);
        let text = page.into_text();
        assert!(text.contains(&code), "{text}");
        assert!(text.lines().filter(|line| !line.contains("let x")).all(|line| line.len() <= 40), "{text}");
        assert!(text.contains("  - item") && text.contains("\n    item"), "{text}");
    }
}
