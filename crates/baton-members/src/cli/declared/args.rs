//! From a declaration and a request to what the program is started with. Pure.

use std::ffi::OsString;
use std::path::Path;

use baton_core::outcome::Outcome;
use baton_port::{SessionUse, TurnRequest};

use super::declaration::{Declaration, PromptBy};
use super::template::{Slot, Values};
use crate::cli::Environment;
use crate::cli::oneshot::{Invocation, Refusal, is_session_id, variables};

/// # Errors
/// An id that is none, or a session to go on with that is neither the program's to keep nor ours to tell again.
pub fn invocation(
    declaration: &Declaration,
    environment: &Environment,
    request: &TurnRequest,
    prompt_file: Option<&Path>,
) -> Result<Invocation, Refusal> {
    let stdin = match declaration.prompt {
        PromptBy::Stdin => prompt(declaration, request).into_bytes(),
        PromptBy::File => Vec::new(),
    };
    Ok(Invocation {
        arguments: arguments(declaration, request, prompt_file)?,
        environment: variables(&declaration.settings, environment, &[], &[]),
        stdin,
    })
}

/// What the program is to read: the prompt, after the earlier turns where it does not know them itself.
#[must_use]
pub fn prompt(declaration: &Declaration, request: &TurnRequest) -> String {
    let knows = declaration.map.resumes && matches!(request.session, SessionUse::Resume { .. });
    if knows || request.history.is_empty() {
        return request.prompt.clone();
    }
    retold(request)
}

/// The prompt after the earlier turns, for a member that does not know them itself.
pub(crate) fn retold(request: &TurnRequest) -> String {
    let mut text = String::from("This conversation goes on. What was said before:\n");
    for exchange in &request.history {
        text.push_str(&format!("\n[question]\n{}\n\n[your answer]\n{}\n", exchange.prompt, exchange.answer));
    }
    text.push_str(&format!("\n[question, to be answered now]\n{}", request.prompt));
    text
}

fn arguments(
    declaration: &Declaration,
    request: &TurnRequest,
    prompt_file: Option<&Path>,
) -> Result<Vec<OsString>, Refusal> {
    let session = session(declaration, request)?;
    let effort = request.effort.or(declaration.settings.effort);
    let model = declaration.settings.model.as_deref();
    let values = Values {
        model,
        effort: effort.map(baton_core::member::Effort::as_str),
        session: session.map(|(_, id)| id),
        directory: Some(&request.directory),
        prompt_file,
    };
    let is_given = |slot: Slot| match slot {
        Slot::Always => true,
        Slot::Model => model.is_some(),
        Slot::Effort => effort.is_some(),
        other => session.is_some_and(|(wanted, _)| wanted == other),
    };
    let given = declaration.templates.iter().filter(|template| is_given(template.slot));
    let missing = || Refusal::new(Outcome::Rejected, "an argument of the declaration cannot be filled");
    given.map(|template| template.fill(values).ok_or_else(missing)).collect()
}

/// The group of arguments that belongs to the request's session, and the id.
fn session<'a>(declaration: &Declaration, request: &'a TurnRequest) -> Result<Option<(Slot, &'a str)>, Refusal> {
    match &request.session {
        SessionUse::New { id } if declaration.has(Slot::New) && !is_session_id(id) => {
            Err(Refusal::new(Outcome::Rejected, "this is no id for a session"))
        }
        SessionUse::New { id } if declaration.has(Slot::New) => Ok(Some((Slot::New, id))),
        SessionUse::None | SessionUse::New { .. } => Ok(None),
        SessionUse::Resume { id } if declaration.map.resumes && is_session_id(id) => Ok(Some((Slot::Resume, id))),
        SessionUse::Resume { .. } if declaration.map.resumes => {
            Err(Refusal::new(Outcome::SessionNotFound, "this is no id of a session"))
        }
        SessionUse::Resume { .. } if request.history.is_empty() => {
            Err(Refusal::new(Outcome::SessionNotFound, "the program keeps no conversation, and no history was given"))
        }
        SessionUse::Resume { .. } => Ok(None),
    }
}
