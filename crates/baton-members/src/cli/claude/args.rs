//! From a seat and a request to what `claude` is started with. Pure.

use std::ffi::OsString;
use std::path::Path;

use baton_core::outcome::Outcome;
use baton_port::{SessionUse, TurnRequest};

use crate::cli::oneshot::{Invocation, Refusal, flag, is_session_id, variables};
use crate::cli::{Environment, Settings};

/// Beat the login when set. The address belongs to them: with a login it would lead the login's token elsewhere.
pub const KEYS: &[&str] = &["ANTHROPIC_API_KEY", "ANTHROPIC_AUTH_TOKEN", "ANTHROPIC_BASE_URL"];

/// Where the program keeps its state, and the login of machines without a browser.
pub const OWN: &[&str] = &["CLAUDE_CONFIG_DIR", "CLAUDE_CODE_OAUTH_TOKEN"];

const QUIET: &[(&str, &str)] = &[
    ("CLAUDE_CODE_MAX_RETRIES", "0"),
    // After a broken stream the program would ask, and pay, once more without saying so.
    ("CLAUDE_CODE_DISABLE_NONSTREAMING_FALLBACK", "1"),
    ("CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC", "1"),
    ("DISABLE_AUTOUPDATER", "1"),
    ("DISABLE_TELEMETRY", "1"),
    ("DISABLE_ERROR_REPORTING", "1"),
];

/// # Errors
/// An id that is none: it would be read as an option.
pub fn invocation(
    settings: &Settings,
    environment: &Environment,
    request: &TurnRequest,
) -> Result<Invocation, Refusal> {
    let mut variables = variables(settings, environment, OWN, KEYS);
    for (name, value) in QUIET {
        variables.entry((*name).into()).or_insert_with(|| (*value).into());
    }
    Ok(Invocation {
        arguments: arguments(settings, request)?,
        environment: variables,
        stdin: request.prompt.clone().into_bytes(),
    })
}

/// For a process of many turns: the prompts come later, as lines.
///
/// # Errors
/// As [`invocation`].
pub fn persistent(
    settings: &Settings,
    environment: &Environment,
    request: &TurnRequest,
) -> Result<Invocation, Refusal> {
    let mut invocation = invocation(settings, environment, request)?;
    invocation.arguments.push(flag("--input-format", "stream-json"));
    invocation.arguments.push("--replay-user-messages".into());
    invocation.stdin.clear();
    Ok(invocation)
}

fn arguments(settings: &Settings, request: &TurnRequest) -> Result<Vec<OsString>, Refusal> {
    let mut arguments: Vec<OsString> = vec!["-p".into(), flag("--output-format", "stream-json"), "--verbose".into()];
    if let Some(model) = &settings.model {
        arguments.push(flag("--model", model));
    }
    if let Some(effort) = request.effort.or(settings.effort) {
        arguments.push(flag("--effort", effort.as_str()));
    }
    // `plan` lets the program read outside the directory and adds a page about writing plans; `dontAsk` refuses.
    arguments.push(flag("--permission-mode", settings.special("permission_mode", "dontAsk")));
    // A checkout's own servers and hooks would be started without a question.
    arguments.push("--strict-mcp-config".into());
    arguments.push(flag("--setting-sources", "user"));
    arguments.push(flag("--tools", settings.special("tools", "Read,Grep,Glob")));
    if settings.special("restricted", "on") == "on" {
        arguments.push("--restricted".into());
    }
    arguments.push(session(&request.session)?);
    Ok(arguments)
}

/// What hands over the servers that a private file describes, and lets their tools be used.
pub(super) fn servers<'a>(file: &Path, names: impl Iterator<Item = &'a str>) -> [OsString; 2] {
    let tools: Vec<String> = names.map(|name| format!("mcp__{name}")).collect();
    [flag("--mcp-config", file), flag("--allowedTools", tools.join(","))]
}

fn session(session: &SessionUse) -> Result<OsString, Refusal> {
    match session {
        SessionUse::None => Ok("--no-session-persistence".into()),
        SessionUse::New { id } if is_session_id(id) => Ok(flag("--session-id", id)),
        SessionUse::New { .. } => Err(Refusal::new(Outcome::Rejected, "this is no id for a session")),
        SessionUse::Resume { id } if is_session_id(id) => Ok(flag("--resume", id)),
        SessionUse::Resume { .. } => Err(Refusal::new(Outcome::SessionNotFound, "this is no id of a session")),
    }
}
