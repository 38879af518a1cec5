//! `baton consult`: one named member, in a conversation that goes on.

use baton_core::ids::SessionName;
use baton_core::member::Effort;
use baton_core::run::Inputs;
use baton_core::task::{Complexity, Hints, Question};

use super::ask::{run, task, usable_member};
use crate::cli::{Consult, EffortName};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::Output;
use crate::seats;

pub(crate) async fn consult(consult: Consult, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let session = consult.session.as_deref().map(SessionName::parse).transpose();
    let session = session.map_err(|error| Failure::input(error.to_string()))?;
    let mut setup = Setup::open()?;
    setup.config.cap(consult.run.max_cost)?;
    let found = setup.seats().await;
    let id = usable_member(&setup, &found, &consult.member)?;
    let mut members = seats::usable(&found);
    members.retain(|member| member.id == id);
    if let (Some(effort), Some(member)) = (consult.effort, members.first_mut()) {
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
    let inputs = Inputs { named: vec![id], session, ..setup.freeze(task, workflow, members) };
    run(&setup, inputs, attached, &consult.run, output).await
}
