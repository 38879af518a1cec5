//! A plan before anybody is asked: what the task was taken for, who would be asked and why, what it may cost.

use std::fmt::Write;

use baton_core::ids::MemberId;
use baton_core::member::{Member, Nature};
use baton_core::route::{Seat, Team};
use baton_core::run::{Inputs, MOST_TESTS, RunState};
use baton_core::task::Question;
use baton_core::units::MicroUsd;
use baton_engine::Rendered;
use serde_json::{Value, json};

use super::page::Page;
use super::style;

/// The classification and the team, one paragraph a seat, for a terminal of `width` columns.
pub(crate) fn team(state: &RunState, width: usize) -> String {
    let mut page = Page::new(width);
    let Some(plan) = &state.plan else { return page.into_text() };
    let seen = &plan.classification;
    let kind = if seen.unsure { "general".to_owned() } else { seen.kind.to_string() };
    let (complexity, priority, question) = (seen.complexity, seen.priority, seen.question.as_str());
    page.paragraph("", 2, &format!("{complexity} {kind} task of {priority} priority; asks for {question}"));
    for reason in &seen.reasons {
        page.paragraph("  ", 4, &style::dim(reason));
    }
    for row in &plan.team.seats {
        seat(row.member.as_str(), row.role.as_str(), &row.rule, &mut page);
    }
    for row in &plan.team.held {
        seat(
            row.member.as_str(),
            "held back",
            &format!("{}; asked only if it may change the result", row.rule),
            &mut page,
        );
    }
    if !plan.team.ladder.is_empty() {
        seat("", "step in", &ladder(&plan.team), &mut page);
    }
    if let Some(runner) = runner(state) {
        let what = "up to two findings that are critical, disputed or high are put to a test by another member";
        seat(runner.id.as_str(), "tests", what, &mut page);
    }
    for note in &plan.team.notes {
        page.paragraph(&format!("{} ", style::warn("!")), 2, note);
    }
    page.into_text()
}

/// Who runs tests of claims; nobody where a patch is asked for, as a patch claims nothing.
fn runner(state: &RunState) -> Option<&Member> {
    let claims = state.plan.as_ref().is_some_and(|plan| plan.classification.question != Question::Patch);
    let mut members = state.inputs.iter().flat_map(|inputs| &inputs.members);
    members.find(|member| claims && member.nature == Nature::Reproduction)
}

/// Who may step in, best first, with what decided the place of those who have no row of their own.
fn ladder(team: &Team) -> String {
    let held = |id: &MemberId| team.held.iter().any(|seat| seat.member == *id);
    let name = |id: &MemberId| match team.remarks.get(id).filter(|_| !held(id)) {
        Some(remark) => format!("{id} ({remark})"),
        None => id.to_string(),
    };
    team.ladder.iter().map(name).collect::<Vec<_>>().join(", ")
}

/// The plan for programs: what the task was taken for, who is asked, who is held back and who may step in, each with
/// what decided it. `None` before a run was submitted.
pub(crate) fn value(state: &RunState) -> Option<Value> {
    let plan = state.plan.as_ref()?;
    let (seen, team) = (&plan.classification, &plan.team);
    let seat = |seat: &Seat| json!({ "member": seat.member, "role": seat.role, "because": seat.rule });
    let held = |seat: &Seat| json!({ "member": seat.member, "because": seat.rule });
    let ladder = |id: &MemberId| json!({ "member": id, "because": team.remarks.get(id) });
    Some(json!({
        "kind": (!seen.unsure).then_some(seen.kind), "complexity": seen.complexity, "priority": seen.priority,
        "question": seen.question.as_str(), "reasons": seen.reasons,
        "seats": team.seats.iter().map(seat).collect::<Vec<_>>(),
        "held": team.held.iter().map(held).collect::<Vec<_>>(),
        "standIns": team.ladder.iter().map(ladder).collect::<Vec<_>>(),
        "vendorsNeeded": team.vendors_needed, "notes": team.notes,
    }))
}

/// `baton.plan/1`: what `--dry-run` shows, for programs. `estimateUsd` is `null` where a price is missing.
pub(crate) fn dry_run_value(inputs: &Inputs, state: &RunState, prompts: &[Rendered]) -> Value {
    let (known, unknown) = estimate(inputs, state);
    let prompt = |one: &Rendered| json!({ "member": one.member, "role": one.role, "prompt": one.prompt });
    json!({
        "schema": "baton.plan/1", "plan": value(state),
        "estimateUsd": (!unknown).then(|| super::turns::dollars(known)),
        "capUsd": inputs.rules.spend_cap.map(super::turns::dollars),
        "prompts": prompts.iter().map(prompt).collect::<Vec<_>>(),
    })
}

/// The reason hangs beside the names, or below them where there is little room.
fn seat(member: &str, role: &str, rule: &str, page: &mut Page) {
    let hang = if page.width() < 70 { 6 } else { 28 };
    page.paragraph(&format!("  {member:14} {role:10} "), hang, &style::dim(rule));
}

/// Everything that `--dry-run` shows.
pub(crate) fn dry_run(inputs: &Inputs, state: &RunState, prompts: &[Rendered], width: usize) -> String {
    let mut out = team(state, width);
    let (known, unknown) = estimate(inputs, state);
    let cap = inputs.rules.spend_cap.map_or("no cap".to_owned(), |cap| format!("capped at {cap}"));
    let estimate = if unknown { "unknown, as a price is missing".to_owned() } else { format!("at most about {known}") };
    let tests = match (runner(state), tests(inputs, state)) {
        (None, _) => String::new(),
        (Some(_), Some(cost)) => format!(", and up to about {cost} for the writing of tests"),
        (Some(_), None) => ", and what the writing of tests costs is unknown, as a price is missing".to_owned(),
    };
    let _ = writeln!(out, "estimate: {estimate}{tests}; {cap}");
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

/// What it may cost that members write tests of claims: as many as there can be, by the dearest member that could be
/// asked; `None` where one of them has no price.
fn tests(inputs: &Inputs, state: &RunState) -> Option<MicroUsd> {
    let team = &state.plan.as_ref()?.team;
    let tokens = inputs.task.estimated_tokens();
    let could = team.seats.iter().map(|seat| &seat.member).chain(&team.ladder);
    let prices: Option<Vec<MicroUsd>> =
        could.filter_map(|id| state.member(id)).map(|member| member.estimate(tokens)).collect();
    let dearest = prices?.into_iter().max()?;
    Some((0..MOST_TESTS).fold(MicroUsd(0), |sum, _| sum.plus(dearest)))
}
