//! A plan before anybody is asked: what the task was taken for, who would be asked and why, what it may cost.

use std::fmt::Write;

use baton_core::run::{Inputs, RunState};
use baton_core::units::MicroUsd;
use baton_engine::Rendered;

use super::style;

/// The classification and the team, one line a seat.
pub(crate) fn team(state: &RunState) -> String {
    let mut out = String::new();
    let Some(plan) = &state.plan else { return out };
    let seen = &plan.classification;
    let _ = writeln!(
        out,
        "{} {} task of {} priority; asks for {}",
        seen.complexity,
        if seen.unsure { "general".to_owned() } else { seen.kind.to_string() },
        seen.priority,
        seen.question.as_str()
    );
    for reason in &seen.reasons {
        let _ = writeln!(out, "  {}", style::dim(reason));
    }
    for seat in &plan.team.seats {
        let _ = writeln!(out, "  {:14} {:10} {}", seat.member, seat.role.as_str(), style::dim(&seat.rule));
    }
    for seat in &plan.team.held {
        let rule = format!("{}; asked only if it may change the result", seat.rule);
        let _ = writeln!(out, "  {:14} {:10} {}", seat.member, "held back", style::dim(&rule));
    }
    if !plan.team.ladder.is_empty() {
        let ladder: Vec<&str> = plan.team.ladder.iter().map(baton_core::ids::MemberId::as_str).collect();
        let _ = writeln!(out, "  {:14} {:10} {}", "", "step in", style::dim(&ladder.join(", ")));
    }
    for note in &plan.team.notes {
        let _ = writeln!(out, "{} {note}", style::warn("!"));
    }
    out
}

/// Everything that `--dry-run` shows.
pub(crate) fn dry_run(inputs: &Inputs, state: &RunState, prompts: &[Rendered]) -> String {
    let mut out = team(state);
    let (known, unknown) = estimate(inputs, state);
    let cap = inputs.rules.spend_cap.map_or("no cap".to_owned(), |cap| format!("capped at {cap}"));
    let estimate = if unknown { "unknown, as a price is missing".to_owned() } else { format!("at most about {known}") };
    let _ = writeln!(out, "estimate: {estimate}; {cap}");
    let mut shown: Vec<&str> = Vec::new();
    for prompt in prompts {
        if shown.contains(&prompt.prompt.as_str()) {
            let _ = writeln!(out, "\n{}", style::strong(&format!("prompt for {}: the same as above", prompt.member)));
            continue;
        }
        shown.push(&prompt.prompt);
        let _ =
            writeln!(out, "\n{}", style::strong(&format!("prompt for {} ({})", prompt.member, prompt.role.as_str())));
        let _ = writeln!(out, "{}", baton_core::text::printable(&prompt.prompt));
    }
    let _ = writeln!(out, "\nNobody was asked.");
    out
}

/// What the first wave may cost, and whether a price is missing.
pub(crate) fn estimate(inputs: &Inputs, state: &RunState) -> (MicroUsd, bool) {
    let tokens = inputs.task.estimated_tokens();
    let members = state.steps.iter().filter_map(|step| state.member(&step.member)).filter(|member| !member.is_check());
    members.fold((MicroUsd(0), false), |(sum, unknown), member| match member.estimate(tokens) {
        Some(cost) => (sum.plus(cost), unknown),
        None => (sum, true),
    })
}
