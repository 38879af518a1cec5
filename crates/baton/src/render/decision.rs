//! A decision as people read it: what to do, how sure that is, what was found by whom, and what speaks against it.

use std::fmt::Write;

use baton_core::consensus::{Blocker, ConfidenceSource, DecidedBy, Decision, MergedFinding, Recommendation, Standing};
use baton_core::ids::{MemberId, RunId};
use baton_core::opinion::Severity;
use baton_core::run::RunState;
use baton_core::task::Kind;
use baton_core::text::{one_line, printable};

use super::style;

const BAR: usize = 40;

/// The whole screen for a decision. `answer` is the adopted text, where a text was asked for.
pub(crate) fn screen(run: &RunId, state: &RunState, decision: &Decision, answer: Option<&str>) -> String {
    let mut out = String::new();
    head(decision, &mut out);
    if let Some(text) = answer {
        section("Answer", &mut out);
        for line in printable(text).trim().lines() {
            let _ = writeln!(out, "  {line}");
        }
    }
    findings(decision, &mut out);
    conflicts(decision, &mut out);
    apart(decision, &mut out);
    checks(decision, &mut out);
    section("Why", &mut out);
    for reason in &decision.reasoning {
        let _ = writeln!(out, "  {}", one_line(reason, 200));
    }
    let cost = style::paid(decision.cost, decision.cost_unknown, &super::turns::payers(state));
    let time = style::duration(decision.elapsed_ms);
    let _ = writeln!(out, "\n{}", style::dim(&format!("run {}   {cost}   {time}", run.short())));
    out
}

fn head(decision: &Decision, out: &mut String) {
    let none = decision.blocked_by(Blocker::AllFailed) || decision.blocked_by(Blocker::Budget);
    let (word, meaning) = match decision.recommendation {
        _ if none => (style::bad("no decision"), "nobody gave an opinion"),
        Recommendation::Proceed => (style::good("proceed"), "this can be acted on"),
        Recommendation::ProceedWithCaution => (style::warn("proceed with caution"), "just below the threshold"),
        Recommendation::ReviewRequired => (style::warn("review required"), "look at this before you act on it"),
        Recommendation::ConflictResolutionNeeded => (style::bad("conflict"), "members contradict each other"),
    };
    let scripted = if decision.scripted { style::warn("   [scripted answers]") } else { String::new() };
    let _ = writeln!(out, "{word}: {meaning}{scripted}");
    if !none {
        confidence(decision, out);
        position(decision, out);
    }
    for blocker in &decision.blockers {
        let _ = writeln!(out, "{} {}", style::warn("!"), blocked(*blocker));
    }
}

fn confidence(decision: &Decision, out: &mut String) {
    let over = decision.learned_over.unwrap_or_default();
    let source = match decision.confidence_source {
        ConfidenceSource::Prior => "prior: nothing learned yet".to_owned(),
        ConfidenceSource::PriorAndEvidence => "prior and evidence".to_owned(),
        ConfidenceSource::Learned => format!("learned over {over} outcomes"),
        ConfidenceSource::LearnedAndEvidence => format!("learned over {over} outcomes, and evidence"),
    };
    let (confidence, threshold) = (decision.overall_confidence.as_f64(), decision.threshold.as_f64());
    let _ = writeln!(out, "{}  {confidence:.2} of {threshold:.2} needed ({source})", bar(confidence, threshold));
}

fn position(decision: &Decision, out: &mut String) {
    let what = match (&decision.verdict, &decision.choice, &decision.answer) {
        (Some(verdict), ..) => format!("verdict {}", style::strong(verdict.as_str())),
        (_, Some(choice), _) => format!("choice {}", style::strong(&one_line(choice, 80))),
        (_, _, Some(answer)) => format!("answer by {}", answer.member),
        _ => "no position".to_owned(),
    };
    let by = match &decision.decided_by {
        DecidedBy::Rule => String::new(),
        DecidedBy::Person { answer, note } => format!(", a person said {answer}{}", because(note)),
        DecidedBy::Client { name, answer } => format!(", client {} said {answer}", one_line(name, 40)),
    };
    let members = if decision.model_count == 1 { "1 member" } else { &format!("{} members", decision.model_count) };
    let kind = decision.kind.map_or("general", Kind::as_str);
    let _ =
        writeln!(out, "{what}{by}   {members}; {} task, {kind}, {} priority", decision.complexity, decision.priority);
}

fn because(note: &str) -> String {
    if note.is_empty() { String::new() } else { format!(" ({})", one_line(note, 120)) }
}

fn blocked(blocker: Blocker) -> &'static str {
    match blocker {
        Blocker::AllFailed => "every seat failed; nobody gave an opinion",
        Blocker::Budget => "the spending cap left nobody to ask; raise it with --max-cost",
        Blocker::NoQuorum => "too few vendors answered",
        Blocker::SingleVendor => "too few vendors could be asked; `baton members` shows who is there",
        Blocker::Conflict => "a contradiction is open",
        Blocker::CriticalFinding => "a credible critical finding stands against the vote",
        Blocker::NeedsPerson => "critical: a person must answer",
        Blocker::TurnedDown => "a person turned it down",
    }
}

/// The confidence as a bar, with a mark at the threshold.
fn bar(confidence: f64, threshold: f64) -> String {
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        clippy::cast_precision_loss,
        reason = "0 to 1 by type"
    )]
    let cell = |share: f64| (share * BAR as f64) as usize;
    let (filled, mark) = (cell(confidence), cell(threshold).min(BAR - 1));
    (0..BAR)
        .map(|at| match (at == mark, at < filled) {
            (true, _) => '|',
            (false, true) => '█',
            (false, false) => '░',
        })
        .collect()
}

fn section(title: &str, out: &mut String) {
    let _ = writeln!(out, "\n{}", style::strong(title));
}

fn findings(decision: &Decision, out: &mut String) {
    if decision.issues.is_empty() && decision.refused_issues.is_empty() {
        return;
    }
    let confirmed = decision.confirmed().count();
    let unconfirmed = decision.issues.len() - confirmed;
    let refused = decision.refused_issues.len();
    let counted = [(confirmed, "confirmed"), (unconfirmed, "unconfirmed"), (refused, "refused")];
    let counts: Vec<String> =
        counted.iter().filter(|(count, _)| *count > 0).map(|(count, what)| format!("{count} {what}")).collect();
    section(&format!("Findings: {}", counts.join(", ")), out);
    for (number, issue) in (1..).zip(&decision.issues) {
        finding(number, issue, out);
    }
    for refused in &decision.refused_issues {
        let _ = writeln!(
            out,
            "    {} {}:{}  {}",
            style::dim("refused "),
            one_line(&refused.file, 60),
            refused.line,
            one_line(&refused.claim, 100)
        );
        let _ = writeln!(
            out,
            "             {}",
            style::dim(&format!("{}; {}", refused.member, one_line(&refused.because, 120)))
        );
    }
}

/// The number is how `accept` and `reject` name it.
fn finding(number: usize, issue: &MergedFinding, out: &mut String) {
    let severity = match issue.severity {
        Severity::Critical | Severity::High => style::bad(&format!("{:8}", issue.severity.as_str())),
        Severity::Medium | Severity::Low => style::warn(&format!("{:8}", issue.severity.as_str())),
    };
    let place = match (&issue.file, issue.line) {
        (Some(file), Some(line)) => format!("{}:{line}  ", one_line(file, 60)),
        (Some(file), None) => format!("{}  ", one_line(file, 60)),
        _ => String::new(),
    };
    let _ = writeln!(out, "{number:>3} {severity} {place}{}", one_line(&issue.claim, 160));
    let standing = match issue.standing {
        Standing::Confirmed => style::good("confirmed"),
        Standing::Unconfirmed => style::dim("unconfirmed"),
    };
    let denied =
        if issue.denied_by.is_empty() { String::new() } else { format!("; denied by {}", names(&issue.denied_by)) };
    let because = style::dim(&format!("by {}{denied}; {}", names(&issue.reported_by), one_line(&issue.because, 120)));
    let _ = writeln!(out, "             {standing} {because}");
}

fn names(members: &[MemberId]) -> String {
    members.iter().map(MemberId::as_str).collect::<Vec<_>>().join(", ")
}

fn conflicts(decision: &Decision, out: &mut String) {
    if decision.conflicts.is_empty() {
        return;
    }
    section("Contradictions", out);
    for conflict in &decision.conflicts {
        let _ = writeln!(out, "  {}", one_line(&conflict.claim, 160));
        let _ = writeln!(out, "    for {}   against {}", names(&conflict.holds), names(&conflict.against));
        let _ = match &conflict.settled_by {
            Some(check) => writeln!(out, "    {} {}", style::good("settled:"), one_line(check, 160)),
            None => writeln!(out, "    {} no check settled it", style::bad("open:")),
        };
    }
}

/// Seats that do not stand with the decision: dissenters, abstentions, failures.
fn apart(decision: &Decision, out: &mut String) {
    let people = decision.dissenters.iter().map(|one| (format!("says {}", one.position), one));
    let silent = decision.abstained.iter().map(|one| ("abstained".to_owned(), one));
    let mut lines: Vec<String> = people
        .chain(silent)
        .map(|(what, one)| format!("{:12} {what}: {}", one.member, one_line(&one.reason, 140)))
        .collect();
    lines.extend(decision.failed_models.iter().map(|failed| {
        let instead = failed.replaced_by.as_ref().map_or(String::new(), |other| format!("; {other} was asked instead"));
        let detail =
            if failed.detail.is_empty() { String::new() } else { format!(": {}", one_line(&failed.detail, 120)) };
        format!("{:12} failed, {}{detail}{instead}", failed.member, failed.class)
    }));
    if lines.is_empty() {
        return;
    }
    section("Apart", out);
    for line in lines {
        let _ = writeln!(out, "  {line}");
    }
}

fn checks(decision: &Decision, out: &mut String) {
    if decision.checks.is_empty() {
        return;
    }
    section("Checks", out);
    for check in &decision.checks {
        let result = match check.result.as_str() {
            "passed" => style::good("passed"),
            "failed" => style::bad("failed"),
            other => style::warn(other),
        };
        let _ = writeln!(out, "  {:12} {result}  {}", check.check, style::dim(&one_line(&check.command, 80)));
        for line in check.summary.lines().take(4) {
            let _ = writeln!(out, "    {}", style::dim(&one_line(line, 120)));
        }
    }
}
