//! `baton show`: a run as its journal tells it.

use std::fmt::Write;

use baton_core::ids::RunId;
use baton_core::outcome::Outcome;
use baton_core::run::{Attempt, Event, RunState, Stamped, Status, Step};
use baton_core::task::Question;
use baton_core::text::{one_line, printable};

use super::{find_run, open_question, question_text, texts, written};
use crate::cli::{Format, Show};
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::page::Page;
use crate::render::{self, Output, json, style};

pub(crate) async fn show(show: &Show, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, show.run.as_deref()).await?;
    if let Some(number) = show.patch {
        return patch(&setup, &run, number, output).await;
    }
    if let Some(number) = show.test {
        return test(&setup, &run, number, output).await;
    }
    if show.journal {
        let rows = setup.engine.rows(&run).await?;
        let lines: Vec<String> = rows.iter().map(|row| format!("{}\n", json::row(row))).collect();
        output.print(&lines.concat())?;
        return Ok(Exit::Ok);
    }
    let events = setup.engine.events(&run).await?;
    let state = baton_core::run::fold(events.clone()).map_err(baton_engine::EngineError::from)?;
    let format = if show.json { Some(Format::Json) } else { show.format };
    if let Some(format) = format {
        output.print(&handed_on(&setup, &run, &state, format).await?)?;
        return Ok(Exit::Ok);
    }
    let width = output.width();
    let mut text = head(&run, &state, width);
    text.push_str(&render::plan::team(&state, width));
    text.push_str(&steps(&state, width));
    if let Some(decision) = &state.decision {
        let texts = texts(&setup.engine, decision).await?;
        text.push('\n');
        text.push_str(&render::decision::screen(&run, &state, decision, &texts, width));
    }
    let mut page = Page::new(width);
    render::became::section(&run, &setup.engine.feedback().await?, &mut page);
    text.push_str(&page.into_text());
    text.push_str(&still_open(&run, &state, width));
    if show.transcripts {
        text.push_str(&transcripts(&setup, &events).await?);
    }
    output.print(&text)?;
    Ok(Exit::Ok)
}

/// What a run that is not over waits for, and the command that carries it on.
fn still_open(run: &RunId, state: &RunState, width: usize) -> String {
    if let Some(question) = open_question(state) {
        return format!("{}\n", question_text(run, &question, width));
    }
    let mut page = Page::new(width);
    if state.status == Status::Open {
        page.blank();
        page.paragraph("", 0, "Not over yet. If the baton that worked on it was stopped, carry it on:");
        page.verbatim(&format!("  baton resume {}", run.short()));
    }
    page.into_text()
}

/// One patch and nothing else, the adopted one where no number is given; what speaks against it goes to standard error.
async fn patch(setup: &Setup, run: &RunId, number: usize, output: &mut Output) -> Result<Exit, Failure> {
    let state = setup.engine.state(run).await?;
    let patches = state.decision.as_deref().map_or(&[][..], |decision| &decision.patches);
    let named = match number.checked_sub(1) {
        None => patches.iter().find(|patch| patch.adopted),
        Some(at) => patches.get(at),
    };
    let asked_for_one = state.plan.as_ref().is_some_and(|plan| plan.classification.question == Question::Patch);
    let none = || match (number, patches.len()) {
        (_, 0) if asked_for_one => Failure::input(format!("run {} has no patch: nobody gave one", run.short()))
            .hint(format!("`baton show {} --transcripts` has what the members wrote", run.short())),
        (0, 1..) => Failure::input(format!("run {} adopted no patch", run.short()))
            .hint(format!("`baton show {} --patch=1` has the first that was given", run.short())),
        (_, 0) => Failure::input(format!("run {} has no patch", run.short()))
            .hint("`baton ask --question patch` asks for one"),
        (number, count) => Failure::input(format!("run {} has no patch {number}; it has {count}", run.short())),
    };
    let named = named.ok_or_else(none)?;
    let dropped = || Failure::input("the patch's text is not kept");
    let hash = named.content.ok_or_else(dropped)?;
    let bytes = setup.engine.blob(hash).await?.ok_or_else(dropped)?;
    if named.applies == "no" {
        render::note("this patch does not apply");
    }
    let failed = named.checks.iter().filter(|check| check.result == "failed");
    let names: Vec<&str> = failed.map(|check| check.check.as_str()).collect();
    if !names.is_empty() {
        render::note(&format!("with this patch {} fails", names.join(" and ")));
    }
    tell_place(&state);
    output.print_exact(&String::from_utf8_lossy(&bytes))?;
    Ok(Exit::Ok)
}

/// Its paths are from the root of the repository; elsewhere git would apply nothing and say that all is well.
fn tell_place(state: &RunState) {
    if render::taking::needs_place(state) {
        render::note(&format!("its paths are from the root of the repository: {}", render::taking::command(state)));
    }
}

/// A test that was written for a claim and nothing else; how it ended goes to standard error.
async fn test(setup: &Setup, run: &RunId, number: usize, output: &mut Output) -> Result<Exit, Failure> {
    let state = setup.engine.state(run).await?;
    let tests = state.decision.as_deref().map_or(&[][..], |decision| &decision.reproductions);
    let none = || {
        let because = format!("run {} has no test {number} of a claim; it has {}", run.short(), tests.len());
        Failure::input(because).hint("`baton ask --reproduce` asks for tests")
    };
    let test = number.checked_sub(1).and_then(|at| tests.get(at)).ok_or_else(none)?;
    let Some(hash) = test.content else {
        return Err(Failure::input(format!("test {number} was not written: {}", render::words::tested_by(test))));
    };
    let bytes = setup.engine.blob(hash).await?.ok_or_else(|| Failure::input("the test's text was dropped"))?;
    render::note(&format!("{}, {}", render::words::tested(test), render::words::tested_by(test)));
    tell_place(&state);
    output.print_exact(&String::from_utf8_lossy(&bytes))?;
    Ok(Exit::Ok)
}

/// The decision alone, to be handed on. Only JSON can tell of a run that has none yet.
async fn handed_on(setup: &Setup, run: &RunId, state: &RunState, format: Format) -> Result<String, Failure> {
    match &state.decision {
        Some(decision) => {
            let texts = texts(&setup.engine, decision).await?;
            written(run, state, decision, &texts, format)
        }
        None if format == Format::Json => {
            let value = serde_json::json!({
                "schema": "baton.decision/1", "run": run.as_str(), "status": json::status(state.status),
                "turns": render::turns::list(state),
            });
            Ok(format!("{value:#}\n"))
        }
        None => Err(Failure::input(format!("run {} has no decision yet", run.short()))
            .hint("`baton resume` carries it on; `baton show` has what came in")),
    }
}

fn head(run: &RunId, state: &RunState, width: usize) -> String {
    let mut page = Page::new(width);
    page.paragraph("", 2, &format!("{} {}  {}", style::strong("run"), run, style::dim(json::status(state.status))));
    if let Some(inputs) = &state.inputs {
        for line in printable(&inputs.task.prompt).trim().lines() {
            page.paragraph("", 0, line);
        }
        for attachment in &inputs.task.attachments {
            let name = one_line(&attachment.name, 200);
            page.paragraph("  ", 4, &format!("with {name} ({} bytes)", attachment.bytes));
        }
    }
    page.into_text()
}

fn steps(state: &RunState, width: usize) -> String {
    let mut page = Page::new(width);
    page.blank();
    page.paragraph("", 0, &style::strong("Steps"));
    let seats = state.steps.iter().flat_map(|step| &step.attempts).map(|attempt| seat(state, attempt).len());
    let widest = seats.max().unwrap_or_default().max(14);
    for step in &state.steps {
        step.attempts.iter().for_each(|attempt| tried(state, step, attempt, widest, &mut page));
    }
    page.into_text()
}

fn seat(state: &RunState, attempt: &Attempt) -> String {
    let scripted = state.member(&attempt.member).is_some_and(|member| member.scripted);
    format!("{}{}", attempt.member, if scripted { " [scripted]" } else { "" })
}

fn tried(state: &RunState, step: &Step, attempt: &Attempt, widest: usize, page: &mut Page) {
    let result = step.evidence.as_ref().filter(|_| attempt.outcome.as_ref().is_some_and(Outcome::is_ok));
    let outcome = match (&attempt.outcome, result) {
        (None, _) => "no answer yet",
        (_, Some(evidence)) => render::words::outcome(step, &evidence.result),
        (Some(outcome), None) => outcome.label(),
    };
    let cost = attempt.cost.map_or("cost unknown".to_owned(), |cost| cost.to_string());
    let tokens = attempt
        .usage
        .map_or(String::new(), |usage| format!(", {} tokens in, {} out", usage.input_tokens, usage.output_tokens));
    let detail =
        if attempt.detail.is_empty() { String::new() } else { format!(": {}", one_line(&attempt.detail, 200)) };
    let payer = render::turns::payer(state, attempt).as_str();
    let (seat, part) = (seat(state, attempt), render::words::part(state, step));
    let paid = attempt.outcome.as_ref().map_or(String::new(), |_| style::dim(&format!("{cost} ({payer}){tokens}")));
    let lead = format!("  {:2} ", step.id.0 + 1);
    page.paragraph(&lead, 7, &format!("{seat:widest$} {part:10} {outcome}{detail}  {paid}"));
    if let Some(words) = attempt.session.as_ref().and_then(render::turns::conversation) {
        page.paragraph("     ", 7, &style::dim(&words));
    }
}

/// What was sent and what came back, with everything that could move a terminal's cursor taken out.
async fn transcripts(setup: &Setup, events: &[Stamped]) -> Result<String, Failure> {
    let mut text = String::new();
    for stamped in events {
        let texts = match &stamped.event {
            Event::StepStarted { step, member, prompt, .. } => vec![(format!("{step}: prompt to {member}"), *prompt)],
            Event::StepFinished { step, report, .. } => vec![
                (format!("{step}: received ({})", report.outcome.label()), report.transcript),
                (format!("{step}: its answer"), report.answer),
            ],
            _ => continue,
        };
        for (title, hash) in texts {
            let Some(hash) = hash else { continue };
            let _ = writeln!(text, "\n{}", style::strong(&title));
            match setup.engine.blob(hash).await? {
                Some(bytes) => {
                    let _ = writeln!(text, "{}", printable(&String::from_utf8_lossy(&bytes)));
                }
                None => text.push_str("(dropped)\n"),
            }
        }
    }
    Ok(text)
}
