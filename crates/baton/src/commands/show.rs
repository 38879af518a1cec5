//! `baton show`: a run as its journal tells it.

use std::fmt::Write;

use baton_core::ids::RunId;
use baton_core::run::{Event, RunState, Stamped};
use baton_core::text::{one_line, printable};

use super::{answer, find_run, open_question};
use crate::cli::Show;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::{self, Output, json, style};

pub(crate) async fn show(show: &Show, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, show.run.as_deref()).await?;
    if show.journal {
        let rows = setup.engine.rows(&run).await?;
        let lines: Vec<String> = rows.iter().map(|row| format!("{}\n", json::row(row))).collect();
        output.print(&lines.concat())?;
        return Ok(Exit::Ok);
    }
    let events = setup.engine.events(&run).await?;
    let state = baton_core::run::fold(events.clone()).map_err(baton_engine::EngineError::from)?;
    if show.json {
        let value = whole(&setup, &run, &state).await?;
        output.print(&format!("{value:#}\n"))?;
        return Ok(Exit::Ok);
    }
    let mut text = head(&run, &state);
    text.push_str(&render::plan::team(&state));
    text.push_str(&steps(&state));
    if let Some(decision) = &state.decision {
        let answer = answer(&setup.engine, decision).await?;
        text.push_str(&render::decision::screen(&run, &state, decision, answer.as_deref()));
    }
    if let Some((question, options)) = open_question(&state) {
        let _ = writeln!(text, "{} {question} ({})", style::warn("waits:"), options.join(", "));
    }
    if show.transcripts {
        text.push_str(&transcripts(&setup, &events).await?);
    }
    output.print(&text)?;
    Ok(Exit::Ok)
}

async fn whole(setup: &Setup, run: &RunId, state: &RunState) -> Result<serde_json::Value, Failure> {
    match &state.decision {
        Some(decision) => {
            let answer = answer(&setup.engine, decision).await?;
            json::decision(run, state, decision, answer.as_deref())
        }
        None => Ok(serde_json::json!({
            "schema": "baton.decision/1", "run": run.as_str(), "status": json::status(state.status),
            "turns": render::turns::list(state),
        })),
    }
}

fn head(run: &RunId, state: &RunState) -> String {
    let mut text = String::new();
    let _ = writeln!(text, "{} {}  {}", style::strong("run"), run, style::dim(json::status(state.status)));
    if let Some(inputs) = &state.inputs {
        let _ = writeln!(text, "{}", printable(&inputs.task.prompt).trim());
        for attachment in &inputs.task.attachments {
            let _ = writeln!(text, "  with {} ({} bytes)", one_line(&attachment.name, 80), attachment.bytes);
        }
    }
    text
}

fn steps(state: &RunState) -> String {
    let mut text = format!("\n{}\n", style::strong("Steps"));
    for step in &state.steps {
        for attempt in &step.attempts {
            let outcome = attempt.outcome.as_ref().map_or("running", |outcome| outcome.label());
            let cost = attempt.cost.map_or("cost unknown".to_owned(), |cost| cost.to_string());
            let tokens = attempt.usage.map_or(String::new(), |usage| {
                format!(", {} tokens in, {} out", usage.input_tokens, usage.output_tokens)
            });
            let detail =
                if attempt.detail.is_empty() { String::new() } else { format!(": {}", one_line(&attempt.detail, 80)) };
            let scripted =
                if state.member(&attempt.member).is_some_and(|member| member.scripted) { " [scripted]" } else { "" };
            let _ = writeln!(
                text,
                "  {:2} {:14} {:10} {outcome}{detail}  {}",
                step.id.0 + 1,
                format!("{}{scripted}", attempt.member),
                step.role.as_str(),
                style::dim(&format!("{cost} ({}){tokens}", render::turns::payer(state, attempt).as_str()))
            );
            if let Some(words) = attempt.session.as_ref().and_then(render::turns::conversation) {
                let _ = writeln!(text, "     {}", style::dim(&words));
            }
        }
    }
    text
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
