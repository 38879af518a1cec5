//! A decision as Markdown, to be pasted into a pull request or an issue.
//!
//! Whatever a member wrote is shown as text: it cannot make a heading, an image or HTML, cannot hide where a link
//! leads, and cannot call anybody or refer to an issue by `@name` or `#1`. An adopted text stands in a fence that it
//! cannot close.

use std::fmt::Write;

use baton_core::consensus::{Decision, Grounds};
use baton_core::ids::RunId;
use baton_core::run::RunState;
use baton_core::text::{one_line, printable};

use super::Texts;
use super::disputes::{self, Ended};
use super::style;
use super::words::{self, LONGEST};

/// Evidence is kept up to this length: it is shown whole.
const WHOLE: usize = 1_000;

/// The whole document.
pub(crate) fn document(run: &RunId, state: &RunState, decision: &Decision, texts: &Texts) -> String {
    let mut out = String::new();
    head(decision, &mut out);
    if let Some(text) = &texts.answer {
        let (title, language) = if decision.patch.is_some() { ("Patch", "diff") } else { ("Answer", "markdown") };
        section(title, &mut out);
        patches(decision, &mut out);
        let text = printable(text);
        let fence = fence(&text);
        let _ = writeln!(out, "{fence}{language}\n{}\n{fence}", text.trim_matches('\n'));
    }
    findings(decision, &mut out);
    disputes(state, decision, &mut out);
    apart(decision, &mut out);
    checks(decision, &mut out);
    tests(decision, &texts.tests, &mut out);
    let _ = writeln!(out, "\n<details><summary>Why</summary>\n");
    for reason in &decision.reasoning {
        let _ = writeln!(out, "- {}", escaped(reason));
    }
    let cost = style::paid(decision.cost, decision.cost_unknown, &super::turns::payers(state));
    let time = style::duration(decision.elapsed_ms);
    let _ = writeln!(out, "\n</details>\n\nbaton run `{}`, {cost}, {time}", run.short());
    out
}

fn head(decision: &Decision, out: &mut String) {
    let (word, meaning) = words::recommendation(decision);
    let scripted = if decision.scripted { " \\[scripted answers\\]" } else { "" };
    let _ = writeln!(out, "## {word}: {meaning}{scripted}\n");
    if !words::is_empty(decision) {
        let (what, value) = words::position(decision);
        let by = words::decided_by(decision).map_or(String::new(), |by| format!(", {}", escaped(&by)));
        let strong = if value.is_empty() { String::new() } else { format!(" **{}**", escaped(&value)) };
        let _ = writeln!(out, "{what}{strong}{by}; {}\n", escaped(&words::counted(decision)));
        let (confidence, threshold) = (decision.overall_confidence.as_f64(), decision.threshold.as_f64());
        let source = words::source(decision);
        let _ = writeln!(out, "Confidence **{confidence:.2}** of {threshold:.2} needed ({source})");
    }
    if !decision.blockers.is_empty() {
        out.push('\n');
    }
    for blocker in &decision.blockers {
        let _ = writeln!(out, "- **{}**", words::blocked(*blocker));
    }
}

fn section(title: &str, out: &mut String) {
    let _ = writeln!(out, "\n### {title}\n");
}

/// How each fared, the adopted one first.
fn patches(decision: &Decision, out: &mut String) {
    for (number, patch) in (1..).zip(&decision.patches) {
        let mark = if patch.adopted { "**adopted**" } else { "not adopted" };
        let applies = match patch.applies.as_str() {
            "yes" => "applies",
            "no" => "does not apply",
            _ => "not tried",
        };
        let checks: String =
            patch.checks.iter().map(|check| format!(", {} {}", escaped(check.check.as_str()), check.result)).collect();
        let _ = writeln!(out, "{number}. {mark}: by {}; {applies}{checks}", words::names(&patch.by));
    }
    if !decision.patches.is_empty() {
        out.push('\n');
    }
}

fn findings(decision: &Decision, out: &mut String) {
    for (title, group) in words::groups(decision) {
        section(&format!("{title}: {}", words::plural(group.len(), "finding")), out);
        for (number, issue) in group {
            let place = words::place(issue).map_or(String::new(), |place| format!(" {}", code(&place)));
            let _ = writeln!(out, "- {number}\\. **{}**{place} {}  ", issue.severity.as_str(), escaped(&issue.claim));
            let _ = writeln!(out, "  _{}_", escaped(&words::behind(issue)));
            issue.evidence.iter().for_each(|ground| grounds(ground, out));
        }
    }
    if !decision.refused_issues.is_empty() {
        section(&format!("Refused: {}", words::plural(decision.refused_issues.len(), "finding")), out);
    }
    for (number, refused) in words::refused(decision) {
        let place = code(&format!("{}:{}", one_line(&refused.file, 200), refused.line));
        let _ = writeln!(out, "- {number}\\. {place} {}  ", escaped(&refused.claim));
        let _ = writeln!(out, "  _by {}; {}_", refused.member, escaped(&refused.because));
    }
}

/// What a reporter points to, as a quotation below the finding.
fn grounds(ground: &Grounds, out: &mut String) {
    let _ = write!(out, "\n  > **{}**", ground.member);
    let text = ground.text.as_deref().map_or(String::new(), |text| format!(": {}", escaped_up_to(text, WHOLE)));
    let quote =
        ground.quote.as_deref().map(|quote| format!(" {} {}", words::quotes(ground), code(&one_line(quote, WHOLE))));
    let _ = writeln!(out, "{}{text}", quote.unwrap_or_default());
}

fn disputes(state: &RunState, decision: &Decision, out: &mut String) {
    if decision.conflicts.is_empty() {
        return;
    }
    section(&format!("Disputed: {}", words::plural(decision.conflicts.len(), "claim")), out);
    for conflict in &decision.conflicts {
        let (Ended::Settled(how) | Ended::Open(how)) = disputes::ended(conflict, state, decision);
        let _ = writeln!(out, "- {}", escaped(&conflict.claim));
        let (holds, against) = (words::names(&conflict.holds), words::names(&conflict.against));
        let _ = writeln!(out, "  - for {holds}; against {against}");
        for said in &conflict.reasons {
            let _ = writeln!(out, "  - {}: {}", said.member, escaped(&said.reason));
        }
        let _ = writeln!(out, "  - **{}**", escaped(&how));
    }
}

fn apart(decision: &Decision, out: &mut String) {
    let dissenters = words::dissenters(decision);
    if !dissenters.is_empty() {
        section("Against it", out);
    }
    for one in dissenters {
        let _ = writeln!(out, "- **{}** says {}: {}", one.member, escaped(&one.position), escaped(&one.reason));
    }
    let missing = words::missing(decision);
    if !missing.is_empty() || !decision.abstained.is_empty() {
        section("Without an opinion", out);
    }
    for one in &decision.abstained {
        let _ = writeln!(out, "- **{}** abstained: {}", one.member, escaped(&one.reason));
    }
    for one in missing {
        let instead = one.instead.map_or(String::new(), |other| format!("; **{other}** was asked instead"));
        let _ = writeln!(out, "- **{}** failed, {}{instead}", one.member, escaped(&one.because));
    }
    if let Some((members, because)) = words::not_asked(decision) {
        section("Not asked", out);
        let _ = writeln!(out, "- **{members}** {because}");
    }
}

/// The tests that were asked for of claims, each with its diff folded away.
fn tests(decision: &Decision, diffs: &[Option<String>], out: &mut String) {
    if !decision.reproductions.is_empty() {
        section("Tests of claims", out);
    }
    for (at, test) in decision.reproductions.iter().enumerate() {
        let place = words::tested_place(test).map_or(String::new(), |place| format!(" {}", code(&place)));
        let _ = writeln!(out, "- **{}**{place} {}  ", words::tested(test), escaped(&test.claim));
        let _ = writeln!(out, "  _{}_", escaped(&words::tested_by(test)));
        for line in test.summary.lines().filter(|line| !line.trim().is_empty()).take(4) {
            let _ = writeln!(out, "  - {}", code(&one_line(line, 200)));
        }
        let Some(diff) = diffs.get(at).and_then(Option::as_deref) else { continue };
        let (diff, fence) = (printable(diff), fence(diff));
        let _ = writeln!(
            out,
            "\n<details><summary>The test</summary>\n\n{fence}diff\n{}\n{fence}\n\n</details>\n",
            diff.trim_end()
        );
    }
}

fn checks(decision: &Decision, out: &mut String) {
    if decision.checks.is_empty() {
        return;
    }
    section(words::checks_title(decision), out);
    for check in &decision.checks {
        let _ =
            writeln!(out, "- {} **{}** {}", check.check, escaped(&check.result), code(&one_line(&check.command, 200)));
        for line in check.summary.lines().filter(|line| !line.trim().is_empty()).take(4) {
            let _ = writeln!(out, "  - {}", code(&one_line(line, 200)));
        }
    }
}

/// One line of text that Markdown shows as it is.
fn escaped(text: &str) -> String {
    escaped_up_to(text, LONGEST)
}

fn escaped_up_to(text: &str, longest: usize) -> String {
    let mut out = String::with_capacity(text.len());
    for character in one_line(text, longest).chars() {
        match character {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            // An empty comment parts the sign from the name, so that nobody is called.
            '@' | '#' => {
                out.push(character);
                out.push_str("<!-- -->");
            }
            '\\' | '`' | '*' | '_' | '[' | ']' | '|' | '~' | '$' => {
                out.push('\\');
                out.push(character);
            }
            _ => out.push(character),
        }
    }
    out
}

/// Code within a line: delimited by more backticks than it holds in a row.
fn code(text: &str) -> String {
    let ticks = "`".repeat(longest_run(text) + 1);
    let pad = if text.starts_with('`') || text.ends_with('`') { " " } else { "" };
    format!("{ticks}{pad}{text}{pad}{ticks}")
}

fn fence(text: &str) -> String {
    "`".repeat(longest_run(text).max(2) + 1)
}

/// The most backticks in a row.
fn longest_run(text: &str) -> usize {
    text.split(|character| character != '`').map(str::len).max().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::render::sample;

    #[test]
    fn what_members_wrote_stays_text() {
        assert_eq!(escaped("a*b <img> [x](y) `c`"), "a\\*b &lt;img&gt; \\[x\\](y) \\`c\\`");
        assert_eq!(escaped("@lead, see #12"), "@<!-- -->lead, see #<!-- -->12");
        assert_eq!(escaped("one\n# two"), "one #<!-- --> two", "a claim makes no heading");
    }

    #[test]
    fn code_cannot_be_closed_from_within() {
        assert_eq!(code("a"), "`a`");
        assert_eq!(code("a``b"), "```a``b```");
        assert_eq!(code("`a"), "`` `a ``");
        assert_eq!(fence("x\n````\ny"), "`````");
        assert_eq!(fence("plain"), "```");
    }

    #[test]
    fn a_whole_document() {
        let (run, state, mut decision) = sample::decided();
        decision.scripted = true;
        let text = document(
            &run,
            &state,
            &decision,
            &Texts { answer: Some("Take a queue.\n```\nx\n```".into()), ..Texts::default() },
        );
        for part in [
            "## proceed: this can be acted on \\[scripted answers\\]\n",
            "verdict **reject**; 2 members; standard task, code\\_review, normal priority",
            "Confidence **0.95** of 0.70 needed (learned over 12 outcomes, and a check that settled it)",
            "````markdown\nTake a queue.\n```\nx\n```\n````",
            "### Confirmed: 2 findings",
            "- 1\\. **critical** `src/a b.rs:29` The shift overflows  \n  _by alder, cedar; denied by birch; tests failed; confidence 0.93_",
            "confidence 0.93_\n\n  > **alder** quotes `1 << retry`: 1 &lt;&lt; 64 is no number\n\n  > **cedar** quotes what does not stand there ``let `x` = 1 << retry;``\n",
            "### Unconfirmed: 2 findings",
            "### Refused: 1 finding\n\n- 5\\. `src/lib.rs:412` It sleeps  \n  _by cedar; there is no line 412_",
            "  - **settled by a check: tests failed at src/a b.rs:29**",
            "- **birch** says approve: It is &lt;b&gt;fine&lt;/b&gt;",
            "- **dogwood** failed, rate limited: later; **cedar** was asked instead",
            "- **elm** could hardly have changed this for the price; about $0.02 saved",
            "- tests **failed** `cargo test`",
        ] {
            assert!(text.contains(part), "{part}\n---\n{text}");
        }
    }

    #[test]
    fn where_nobody_answered_no_figure_is_shown() {
        let (run, state, mut decision) = sample::decided();
        decision.blockers.push(baton_core::consensus::Blocker::AllFailed);
        let text = document(&run, &state, &decision, &Texts::default());
        assert!(text.starts_with("## no decision: nobody gave an opinion\n"), "{text}");
        assert!(!text.contains("Confidence **"), "{text}");
    }
}
