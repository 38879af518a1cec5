//! Prompts: templates filled with the task and with quoted texts.
//!
//! Whatever did not come from the user's own words stands in an envelope whose boundary is made from the text's hash
//! and the run's seed. A text cannot contain its own boundary, so it cannot end its envelope early.

use std::collections::HashMap;

use baton_core::consensus::Side;
use baton_core::evidence::{CheckResult, Evidence, NOW_AND_THEN};
use baton_core::hash::Hash;
use baton_core::ids::MemberId;
use baton_core::opinion::AnswerSchema;
use baton_core::quote::envelope;
use baton_core::route::Role;
use baton_core::run::{Dispute, Inputs, PromptPlan, Ran, RunState, Stamped, Work};
use baton_core::task::{Attachment, AttachmentForm, Question};
use baton_core::text::{one_line, prefix, printable};
use baton_core::workflow::Artefact;

use baton_port::Blob;

use crate::{Engine, EngineError};

/// Why a prompt cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PromptError {
    #[error("the workflow uses the template `{0}`, which is not there")]
    NoTemplate(String),
    #[error("the text of `{0}` is not in the store any more")]
    TextMissing(String),
}

/// A prompt and who would get it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    pub member: MemberId,
    pub role: Role,
    pub prompt: String,
}

/// Texts by hash, read from the store once for each run.
pub(crate) type Texts = HashMap<Hash, String>;

/// Fills the template of a step.
pub(crate) fn render(
    state: &RunState,
    inputs: &Inputs,
    plan: &PromptPlan,
    role: Role,
    texts: &Texts,
) -> Result<String, PromptError> {
    let template = template(inputs, &plan.template)?;
    let question = &question(state, plan);
    let trailer = inputs.workflow.templates.get(&format!("trailer_{}", question.as_str())).map_or("", String::as_str);
    let trailer = trailer.replace("{{options}}", &options(question)).replace("{{mark}}", mark(question));
    let mut filled = String::with_capacity(template.len() + 1024);
    let mut rest = template;
    // One pass: what is filled in is never searched for placeholders again.
    while let Some((before, after)) = rest.split_once("{{") {
        filled.push_str(before);
        let Some((name, after)) = after.split_once("}}") else {
            return Err(PromptError::NoTemplate(format!("{{{{{}", one_line(after, 40))));
        };
        match name.trim() {
            "task" => filled.push_str(&inputs.task.prompt),
            "role" => filled.push_str(role_words(role)),
            "question" => filled.push_str(&question_words(question)),
            "trailer" => filled.push_str(&trailer),
            "note" => filled.push_str(plan.note.as_deref().unwrap_or("")),
            "attachments" => attachments(inputs, plan, texts, &mut filled)?,
            "draft" => draft(state, inputs, plan, texts, &mut filled)?,
            "dispute" => dispute(state, inputs, plan, texts, &mut filled)?,
            "claim" => claim(inputs, plan, &mut filled),
            "opinions" => opinions(state, inputs, plan, texts, &mut filled)?,
            other => return Err(PromptError::NoTemplate(format!("{{{{{other}}}}}"))),
        }
        rest = after;
    }
    filled.push_str(rest);
    Ok(filled)
}

fn question(state: &RunState, plan: &PromptPlan) -> Question {
    match (&plan.dispute, &plan.claim, &state.plan) {
        (Some(_), ..) => Dispute::question(),
        (None, Some(claim), _) => claim.question(),
        (None, None, Some(plan)) => plan.classification.question.clone(),
        (None, None, None) => Question::Text,
    }
}

/// The form that the prompt of a plan asks for; none where its template asks for none, and none for a diff, which
/// stands in the answer's text.
pub(crate) fn schema(state: &RunState, inputs: &Inputs, plan: &PromptPlan) -> Option<AnswerSchema> {
    let asks = template(inputs, &plan.template).is_ok_and(|template| template.contains("{{trailer}}"));
    let question = question(state, plan);
    let is_diff = matches!(question, Question::Patch | Question::Test { .. });
    (asks && !is_diff).then(|| AnswerSchema::of(question))
}

fn template<'a>(inputs: &'a Inputs, name: &str) -> Result<&'a str, PromptError> {
    inputs.workflow.templates.get(name).map(String::as_str).ok_or_else(|| PromptError::NoTemplate(name.to_owned()))
}

fn role_words(role: Role) -> &'static str {
    match role {
        Role::Primary => "You lead: your answer weighs most, so be complete and exact.",
        Role::Secondary => "You give an independent second view.",
        Role::Critic => "You are the critic: look for what others would miss or take for granted.",
        Role::Arbiter => "You are the arbiter: weigh what is quoted and decide by its evidence.",
        Role::Check => "",
    }
}

fn options(question: &Question) -> String {
    match question {
        Question::Choice(options) => options.join(" | "),
        Question::Verdict | Question::Findings | Question::Patch | Question::Test { .. } | Question::Text => {
            String::new()
        }
    }
}

const fn mark(question: &Question) -> &str {
    match question {
        Question::Test { mark } => mark.as_str(),
        _ => "",
    }
}

fn question_words(question: &Question) -> String {
    match question {
        Question::Verdict => "Should this stand as it is? Approve, revise or reject.".into(),
        Question::Choice(options) => format!("Which one of these: {}?", options.join(", ")),
        Question::Findings => "What is wrong here, and where? List each finding, and give a verdict.".into(),
        Question::Patch => "Write the change, as one diff.".into(),
        Question::Test { .. } => "Write a test for one claim, as one diff.".into(),
        Question::Text => "Answer in your own words.".into(),
    }
}

fn attachments(inputs: &Inputs, plan: &PromptPlan, texts: &Texts, out: &mut String) -> Result<(), PromptError> {
    if !plan.with.contains(&Artefact::Attachments) {
        return Ok(());
    }
    for attachment in &inputs.task.attachments {
        let text = texts.get(&attachment.content).ok_or_else(|| PromptError::TextMissing(attachment.name.clone()))?;
        envelope(inputs.seed, &attachment_label(attachment), &numbered(attachment.form, text), out);
    }
    Ok(())
}

fn attachment_label(attachment: &Attachment) -> String {
    let form = match attachment.form {
        AttachmentForm::File => "file, with line numbers",
        AttachmentForm::Diff => "unified diff",
    };
    format!("{} ({form})", attachment.name)
}

/// Files get line numbers, so that members name lines that exist.
fn numbered(form: AttachmentForm, text: &str) -> String {
    match form {
        AttachmentForm::Diff => text.to_owned(),
        AttachmentForm::File => {
            let mut lines = String::with_capacity(text.len() + text.len() / 4);
            for (number, line) in (1..).zip(text.lines()) {
                let number: u32 = number;
                lines.push_str(&format!("{number:>5} | {line}\n"));
            }
            lines
        }
    }
}

fn draft(
    state: &RunState,
    inputs: &Inputs,
    plan: &PromptPlan,
    texts: &Texts,
    out: &mut String,
) -> Result<(), PromptError> {
    let Some(step) = plan.draft.and_then(|id| state.step(id)) else { return Ok(()) };
    let text = step.answer.and_then(|hash| texts.get(&hash)).ok_or(PromptError::TextMissing("the draft".into()))?;
    envelope(inputs.seed, "draft", &printable(text), out);
    Ok(())
}

fn opinions(
    state: &RunState,
    inputs: &Inputs,
    plan: &PromptPlan,
    texts: &Texts,
    out: &mut String,
) -> Result<(), PromptError> {
    for (number, id) in (1..).zip(&plan.quotes) {
        let number: u32 = number;
        let answer = state.step(*id).and_then(|step| step.answer);
        let text = answer
            .and_then(|hash| texts.get(&hash))
            .ok_or_else(|| PromptError::TextMissing(format!("opinion {number}")))?;
        envelope(inputs.seed, &format!("opinion {number}"), &printable(text), out);
    }
    Ok(())
}

/// The claim, what the strongest member of either side said, and what was run: quoted, without a name.
fn dispute(
    state: &RunState,
    inputs: &Inputs,
    plan: &PromptPlan,
    texts: &Texts,
    out: &mut String,
) -> Result<(), PromptError> {
    let Some(dispute) = &plan.dispute else { return Ok(()) };
    envelope(inputs.seed, "the claim in dispute", &printable(&dispute.claim), out);
    for (label, side, id) in dispute.shown() {
        let answer = state.step(id).and_then(|step| step.answer);
        let text = answer
            .and_then(|hash| texts.get(&hash))
            .ok_or_else(|| PromptError::TextMissing(format!("side {label} of a dispute")))?;
        let says = if side == Side::Holds { "says that the claim holds" } else { "says that it does not hold" };
        out.push_str(&format!("Side {label} {says}:\n"));
        envelope(inputs.seed, &format!("side {label}"), &printable(text), out);
    }
    if let Some(own) = dispute.own {
        out.push_str(&format!(
            "Side {} quotes your own first answer; the other is a colleague's.\n",
            dispute.label(own)
        ));
    }
    evidence(state, inputs, &dispute.claim, texts, out);
    Ok(())
}

/// So much of a test is shown to those who are asked about its claim.
const MOST_OF_TEST: usize = 4 << 10;

/// What was run and did not settle the claim: quoted and without names, as none of it is a word of ours. Nothing that a
/// test printed is told: a model wrote it, and where it is run it can read what the user can.
fn evidence(state: &RunState, inputs: &Inputs, claim: &str, texts: &Texts, out: &mut String) {
    let ran = baton_core::run::ran(state, claim);
    if ran.is_empty() {
        return;
    }
    out.push_str("What was run here, and did not settle it:\n");
    for ran in ran {
        let (label, text) = match ran {
            Ran::Check(evidence) => ("a check of the files as they are", checked(evidence)),
            Ran::Test { evidence, diff } => {
                let test = diff.and_then(|hash| texts.get(&hash)).map(|text| shortened(text));
                let test = test.map_or(String::new(), |test| format!("\nThe test:\n{test}"));
                let label = "a test of this claim, by a colleague who takes no side";
                (label, tested(evidence) + &test)
            }
        };
        envelope(inputs.seed, label, &printable(&text), out);
    }
    out.push_str("What passes shows no more than what it tests; what says nothing speaks for neither side.\n");
}

/// The command, how it ended, and the lines of its output that say most.
fn checked(evidence: &Evidence) -> String {
    let (result, summary) = match &evidence.result {
        CheckResult::Passed => ("passes".to_owned(), evidence.summary.as_str()),
        CheckResult::Failed => ("fails".to_owned(), evidence.summary.as_str()),
        CheckResult::Abstained { reason } => (format!("says nothing: {}", one_line(reason, 300)), ""),
    };
    format!("`{}` {result}\n{summary}", evidence.command).trim_end().to_owned()
}

fn tested(evidence: &Evidence) -> String {
    let result = match &evidence.result {
        CheckResult::Passed => "passes".to_owned(),
        CheckResult::Failed => "fails".to_owned(),
        CheckResult::Abstained { reason } if reason == NOW_AND_THEN => format!("says nothing: {NOW_AND_THEN}"),
        CheckResult::Abstained { .. } => "says nothing".to_owned(),
    };
    format!("`{}` with that test {result}", evidence.command)
}

fn shortened(test: &str) -> String {
    let kept = prefix(test, MOST_OF_TEST);
    if kept.len() < test.len() { format!("{kept}\n[the rest is left out]") } else { test.to_owned() }
}

/// The claim that a test is asked for, where it is, and what is said for it: quoted, without a name.
fn claim(inputs: &Inputs, plan: &PromptPlan, out: &mut String) {
    let Some(claim) = &plan.claim else { return };
    let place = match (&claim.file, claim.line) {
        (Some(file), Some(line)) => format!("the claim, about {file}:{line}"),
        (Some(file), None) => format!("the claim, about {file}"),
        (None, _) => "the claim".to_owned(),
    };
    envelope(inputs.seed, &place, &printable(&claim.claim), out);
    if let Some(evidence) = &claim.evidence {
        envelope(inputs.seed, "what is said for it", &printable(evidence), out);
    }
}

/// Which texts a plan needs beside the attachments. Without a test's text its outcome is told all the same.
pub(crate) fn needed(state: &RunState, plan: &PromptPlan) -> Vec<Hash> {
    let answer = |id| state.step(id).and_then(|step| step.answer);
    let sides = plan.dispute.iter().flat_map(|dispute| [dispute.holds, dispute.against]);
    let ran = plan.dispute.iter().flat_map(|dispute| baton_core::run::ran(state, &dispute.claim));
    let tests = ran.filter_map(|ran| match ran {
        Ran::Test { diff, .. } => diff,
        Ran::Check(_) => None,
    });
    plan.quotes.iter().copied().chain(plan.draft).chain(sides).filter_map(answer).chain(tests).collect()
}

pub(crate) fn preview(
    engine: &Engine,
    inputs: Inputs,
    attachments: &[Blob],
) -> Result<(RunState, Vec<Rendered>), EngineError> {
    let text = |blob: &Blob| (blob.hash, String::from_utf8_lossy(&blob.bytes).into_owned());
    let texts: Texts = attachments.iter().map(text).collect();
    let submitted = Stamped {
        at: engine.ports.clock.now(),
        actor: baton_core::journal::Actor::Person,
        event: baton_core::run::Event::Submitted(Box::new(inputs.clone())),
    };
    let state = baton_core::run::fold([submitted])?;
    let mut prompts = Vec::new();
    for step in &state.steps {
        if let Work::Prompt(plan) = &step.work {
            let prompt = render(&state, &inputs, plan, step.role, &texts)?;
            prompts.push(Rendered { member: step.member.clone(), role: step.role, prompt });
        }
    }
    Ok((state, prompts))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn files_are_numbered_and_diffs_are_not() {
        assert_eq!(numbered(AttachmentForm::File, "a\nb"), "    1 | a\n    2 | b\n");
        assert_eq!(numbered(AttachmentForm::Diff, "+a"), "+a");
    }
}
