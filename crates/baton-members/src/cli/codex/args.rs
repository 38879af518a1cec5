//! From a seat and a request to what `codex` is started with. Pure.

use std::ffi::OsString;

use baton_core::outcome::Outcome;
use baton_port::{SessionUse, TurnRequest};

use crate::cli::oneshot::{Invocation, Refusal, flag, is_session_id, variables};
use crate::cli::{Environment, Settings};

/// Beats a login when set. (`OPENAI_API_KEY` is not read by `exec`; a provider of the user's own may name it.)
pub const KEYS: &[&str] = &["CODEX_API_KEY"];

/// Where the program keeps its state and login.
pub const OWN: &[&str] = &["CODEX_HOME"];

const QUIET: &[&str] = &[
    "analytics.enabled=false",
    "check_for_update_on_startup=false",
    // Without this a connection that is refused is tried for ever.
    "features.unbounded_connection_retries=false",
    // Plugins are fetched with git at every start. As a feature's value, and not by `--disable`, for an unknown name
    // is a notice here and an error there.
    "features.plugins=false",
    // A member must not start baton again. The command is there for users who have no such server: one without a
    // command is refused, even switched off.
    "mcp_servers.baton.command=baton",
    "mcp_servers.baton.enabled=false",
];

/// # Errors
/// An id that is none: it would be read as an option.
pub fn invocation(
    settings: &Settings,
    environment: &Environment,
    request: &TurnRequest,
) -> Result<Invocation, Refusal> {
    Ok(Invocation {
        arguments: arguments(settings, request)?,
        environment: variables(settings, environment, OWN, KEYS),
        stdin: request.prompt.clone().into_bytes(),
    })
}

/// For a process of many turns: what is asked comes later, as messages.
#[must_use]
pub fn persistent(settings: &Settings, environment: &Environment) -> Invocation {
    let mut arguments: Vec<OsString> = vec!["app-server".into()];
    arguments.extend(QUIET.iter().map(|setting| flag("--config", setting)));
    arguments.extend(settings.config.iter().map(|(key, value)| flag("--config", format!("{key}={value}"))));
    Invocation { arguments, environment: variables(settings, environment, OWN, KEYS), stdin: Vec::new() }
}

fn arguments(settings: &Settings, request: &TurnRequest) -> Result<Vec<OsString>, Refusal> {
    let mut arguments: Vec<OsString> = vec!["exec".into(), "--json".into(), "--skip-git-repo-check".into()];
    // Directory and sandbox are options of `exec` that `resume` does not have: they stand before it.
    arguments.push(flag("--cd", &request.directory));
    arguments.push(flag("--sandbox", settings.special("sandbox", "read-only")));
    if let Some(model) = &settings.model {
        arguments.push(flag("--model", model));
    }
    if let Some(effort) = request.effort.or(settings.effort) {
        arguments.push(flag("--config", format!("model_reasoning_effort={}", effort.as_str())));
    }
    arguments.extend(QUIET.iter().map(|setting| flag("--config", setting)));
    // Rules could allow commands.
    arguments.push("--ignore-rules".into());
    if settings.special("user_config", "keep") == "ignore" {
        arguments.push("--ignore-user-config".into());
    }
    arguments.extend(settings.config.iter().map(|(key, value)| flag("--config", format!("{key}={value}"))));
    match &request.session {
        SessionUse::None => arguments.push("--ephemeral".into()),
        SessionUse::New { .. } => {}
        SessionUse::Resume { id } if is_session_id(id) => arguments.extend(["resume".into(), id.into()]),
        SessionUse::Resume { .. } => {
            return Err(Refusal::new(Outcome::SessionNotFound, "this is no id of a session"));
        }
    }
    arguments.push("-".into());
    Ok(arguments)
}
