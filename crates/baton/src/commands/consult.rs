//! `baton consult`: one named member, in a conversation that goes on.

use baton_core::consensus::Decision;
use baton_core::ids::{RunId, SessionName};
use baton_core::member::Effort;
use baton_core::run::{Inputs, RunState};
use baton_core::task::{Complexity, Hints, Question};
use baton_core::text::printable;

use super::ask::{affordable, carry_out, task, usable_member};
use super::{answer, conclude};
use crate::cli::{Consult, EffortName};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output, style};
use crate::seats;

pub(crate) async fn consult(consult: Consult, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let session = consult.session.as_deref().map(SessionName::parse).transpose();
    let session = session.map_err(|error| Failure::input(error.to_string()))?;
    let mut setup = Setup::open()?;
    setup.config.cap(consult.run.max_cost)?;
    setup.admit_trusted().await?;
    let found = setup.seats().await;
    let id = usable_member(&setup, &found, &consult.member)?;
    let mut members = affordable(seats::usable(&found), consult.run.max_cost);
    // Who takes over by the user's rule comes along; nobody else is asked in place of a member that was named.
    let followers = setup.config.followers(&members).remove(&id).unwrap_or_default();
    members.retain(|member| member.id == id || followers.contains(&member.id));
    let asked = members.iter_mut().find(|member| member.id == id);
    if let (Some(effort), Some(member)) = (consult.effort, asked) {
        member.effort = Some(match effort {
            EffortName::Low => Effort::Low,
            EffortName::Medium => Effort::Medium,
            EffortName::High => Effort::High,
        });
    }
    // One member's word, as text: nothing is counted.
    let hints = Hints { question: Some(Question::Text), complexity: Some(Complexity::Quick), ..Hints::default() };
    let (task, attached) = task(&setup, &consult.task, &consult.files, hints)?;
    let workflow = setup.config.consult.clone();
    let inputs = Inputs { named: vec![id], session, ..setup.freeze(task, workflow, members).await? };
    let (run, state) = carry_out(&setup, inputs, attached, &consult.run).await?;
    match &state.decision {
        Some(decision) if consult.run.form().is_none() && decision.answer.is_some() => {
            say(&setup, &run, &state, decision, output).await
        }
        decision => {
            let answered = decision.as_ref().is_some_and(|decision| decision.answer.is_some());
            let exit = conclude(&setup.engine, &run, &state, &consult.run, output).await?;
            Ok(if answered { Exit::Ok } else { exit })
        }
    }
}

/// One member's own words, and nothing but a line about where they are kept.
async fn say(
    setup: &Setup,
    run: &RunId,
    state: &RunState,
    decision: &Decision,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let text = answer(&setup.engine, decision).await?.unwrap_or_default();
    output.print(&format!("{}\n", printable(&text).trim_end()))?;
    let answered = state.steps.iter().filter_map(|step| step.attempts.last());
    for attempt in answered {
        if let Some(words) = attempt.session.as_ref().and_then(render::turns::conversation) {
            render::note(&format!("{} {}: {words}", style::warn("!"), attempt.member));
        }
    }
    let cost = style::paid(decision.cost, decision.cost_unknown, &render::turns::payers(state));
    let time = style::duration(decision.elapsed_ms);
    render::note(&style::dim(&format!("run {}   {cost}   {time}", run.short())));
    Ok(Exit::Ok)
}
