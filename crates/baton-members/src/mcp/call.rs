//! From a seat and a request to a tool's arguments, and from the tool's result to a turn. Pure.

use baton_core::member::Effort;
use baton_core::outcome::Outcome;
use baton_port::{SessionUse, Turn, TurnRequest};
use rmcp::model::JsonObject;
use serde_json::Value;

use super::settings::{Argument, Filling, Settings, When};
use super::talk::Wish;
use crate::cli::Refusal;
use crate::cli::declared::args::retold;
use crate::cli::declared::classes::Failure;
use crate::cli::oneshot::{absolute, is_session_id};
use crate::cli::words;

/// What stands for the gaps of one turn.
struct Values<'a> {
    prompt: String,
    model: Option<&'a str>,
    effort: Option<Effort>,
    directory: Option<String>,
    session: Option<&'a str>,
}

/// The call that this turn is.
///
/// # Errors
/// A session that the server cannot go on with, and that was not told either.
pub(super) fn wish(settings: &Settings, request: &TurnRequest) -> Result<Wish, Refusal> {
    let (when, session) = session(settings, request)?;
    let knows = when == When::Resume;
    let values = Values {
        prompt: if knows || request.history.is_empty() { request.prompt.clone() } else { retold(request) },
        model: settings.common.model.as_deref(),
        effort: request.effort.or(settings.common.effort),
        directory: absolute(&request.directory).ok(),
        session,
    };
    let is_given = |argument: &&Argument| argument.when == When::Always || argument.when == when;
    let given = settings.arguments.iter().filter(is_given);
    let arguments: JsonObject =
        given.filter_map(|argument| Some((argument.name.clone(), fill(&argument.filling, &values)?))).collect();
    let resume_tool = settings.resume_tool.as_ref().filter(|_| knows);
    Ok(Wish::Call { tool: resume_tool.unwrap_or(&settings.tool).clone(), arguments })
}

/// `When::Always` stands for no session at all.
fn session<'a>(settings: &Settings, request: &'a TurnRequest) -> Result<(When, Option<&'a str>), Refusal> {
    let lost = |because: &str| Err(Refusal::new(Outcome::SessionNotFound, because));
    match &request.session {
        SessionUse::None => Ok((When::Always, None)),
        SessionUse::New { id } if is_session_id(id) => Ok((When::New, Some(id))),
        SessionUse::New { .. } => Err(Refusal::new(Outcome::Rejected, "this is no id for a session")),
        SessionUse::Resume { id } if settings.resumes() && is_session_id(id) => Ok((When::Resume, Some(id))),
        SessionUse::Resume { .. } if settings.resumes() => lost("this is no id of a session"),
        SessionUse::Resume { .. } if request.history.is_empty() => {
            lost("the server keeps no conversation, and no history was given")
        }
        SessionUse::Resume { .. } => Ok((When::Always, None)),
    }
}

/// `None` where a gap has nothing to be filled with: the argument is left out.
fn fill(filling: &Filling, values: &Values<'_>) -> Option<Value> {
    let template = match filling {
        Filling::Json(value) => return Some(value.clone()),
        Filling::Text(template) => template,
    };
    let mut text = String::new();
    let mut rest = template.as_str();
    while let Some(at) = rest.find('{') {
        let (before, after) = rest.split_at(at);
        text.push_str(before);
        let end = after.find('}').map_or(after.len(), |end| end + 1);
        let (gap, behind) = after.split_at(end);
        match value_of(gap, values) {
            Some(value) => text.push_str(value?),
            None => text.push_str(gap),
        }
        rest = behind;
    }
    text.push_str(rest);
    Some(Value::String(text))
}

/// `None` is no gap, `Some(None)` a gap without a value.
fn value_of<'a>(gap: &str, values: &'a Values<'_>) -> Option<Option<&'a str>> {
    Some(match gap {
        "{prompt}" => Some(values.prompt.as_str()),
        "{model}" => values.model,
        "{effort}" => values.effort.map(Effort::as_str),
        "{directory}" => values.directory.as_deref(),
        "{session}" => values.session,
        _ => return None,
    })
}

/// Reads a tool's result. The session is the one that the result tells, else the one that was asked for.
pub(super) fn turn(settings: &Settings, request: &TurnRequest, result: &Value) -> Turn {
    let said = texts(result);
    let mut turn = match result["isError"].as_bool() {
        Some(true) => failed(settings, &said),
        _ => answered(settings, result, &said),
    };
    turn.provenance.session = settings.session.text(result).or_else(|| kept(settings, &request.session));
    if turn.provenance.session.as_deref().is_some_and(|id| !is_session_id(id)) {
        turn.provenance.session = None;
    }
    turn
}

fn kept(settings: &Settings, session: &SessionUse) -> Option<String> {
    match session {
        SessionUse::Resume { id } if settings.resumes() => Some(id.clone()),
        SessionUse::New { id } if settings.has(When::New) => Some(id.clone()),
        _ => None,
    }
}

/// All texts of the result's content.
fn texts(result: &Value) -> String {
    let blocks = result["content"].as_array().into_iter().flatten();
    let texts: Vec<&str> =
        blocks.filter(|block| block["type"] == "text").filter_map(|block| block["text"].as_str()).collect();
    texts.join("\n").trim().to_owned()
}

fn failed(settings: &Settings, said: &str) -> Turn {
    if said.is_empty() {
        return Turn::failed(Outcome::Crashed, "the tool failed and does not say why");
    }
    let outcome = settings.classes.of(Failure { text: said, said, ..Failure::default() });
    // Many servers put the protocol's own code for wrong arguments into such a text.
    let otherwise = if said.contains("-32602") { Outcome::Rejected } else { Outcome::Crashed };
    Turn::failed(outcome.unwrap_or(otherwise), words::detail(said))
}

fn answered(settings: &Settings, result: &Value, said: &str) -> Turn {
    let told = settings.answer.text(result);
    let mut answer = told.as_deref().unwrap_or(if settings.answer.is_empty() { said } else { "" }).trim();
    for prefix in &settings.prefixes {
        answer = answer.strip_prefix(prefix.as_str()).unwrap_or(answer).trim_start();
    }
    if answer.is_empty() {
        return Turn::failed(Outcome::Empty, "the tool succeeded without a text where the answer belongs");
    }
    let begins = |line: &str| settings.error_texts.iter().any(|text| line.starts_with(text.as_str()));
    if begins(answer) {
        // The question may be told again in it: only the last line that begins as an error is judged.
        let complaint = words::detail(answer.lines().rfind(|line| begins(line)).unwrap_or(answer));
        let failure = Failure { text: &complaint, said: &complaint, ..Failure::default() };
        return Turn::failed(settings.classes.of(failure).unwrap_or(Outcome::Crashed), complaint);
    }
    match settings.classes.disguised(answer) {
        Some(outcome) => Turn::failed(outcome, words::detail(answer)),
        None => Turn { text: Some(answer.to_owned()), ..Turn::failed(Outcome::Ok, "") },
    }
}
