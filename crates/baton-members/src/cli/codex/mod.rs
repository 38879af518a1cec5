//! Codex: `codex exec` with a stream of JSON events.
//!
//! Settings besides the common ones: `sandbox` (default `read-only`), and `config.KEY`, which becomes
//! `--config=KEY=VALUE`: a provider, a web search switched off, project instructions left out; and `user_config`
//! (default `keep`; `ignore` leaves out the user's `config.toml`, with its MCP servers, which are started outside of
//! the sandbox, and with its provider).
//!
//! MCP servers of the user's choice are told by `--config=mcp_servers.…`, their secrets by variables that it names.
//!
//! The id of a new session is the program's choice; [`baton_port::SessionUse::New`] is answered with it in the
//! provenance. Tokens are counted up over the turns of a thread, and one process does not know the earlier total: a
//! resumed turn has no usage.
//!
//! The built-in provider repeats a failed request a few times before its first sign of it, and nothing but another
//! provider's settings can stop that; see `config.KEY`.

pub mod args;
pub mod parse;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;

use baton_core::member::Member;
use baton_port::{Availability, BoxFuture, Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;

use super::oneshot::{Dialect, Invocation, OneShot, Refusal};
use super::settings::Special;
use super::{Environment, SettingError, Settings};
use crate::mcp::server::{Handed, for_codex};

/// The channel kind `codex-cli`.
#[derive(Debug)]
pub struct CodexChannel(OneShot<Codex>);

#[derive(Debug)]
struct Codex {
    settings: Settings,
    servers: Servers,
}

/// What goes with MCP servers beside their settings.
#[derive(Default)]
struct Servers {
    /// The variables that those settings name.
    environment: BTreeMap<String, String>,
    secrets: Vec<Vec<u8>>,
}

impl fmt::Debug for Servers {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_set().entries(self.environment.keys()).finish()
    }
}

const SPECIALS: &[Special] =
    &[("config", &[]), ("sandbox", &["read-only", "workspace-write"]), ("user_config", &["keep", "ignore"])];

/// The settings of a `codex-cli` seat.
///
/// # Errors
/// A setting that this kind does not know, or a value that it does not take.
pub fn settings(member: &Member) -> Result<Settings, SettingError> {
    Settings::read(member, "codex", SPECIALS)
}

impl CodexChannel {
    /// # Errors
    /// A setting that this kind does not know, or a value that it does not take.
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, SettingError> {
        let dialect = Codex { settings: settings(member)?, servers: Servers::default() };
        Ok(Self(OneShot { dialect, launcher, environment }))
    }

    /// The MCP servers that its sessions may use, beside those of the user's `config.toml`.
    ///
    /// # Errors
    /// A server that Codex cannot be handed without showing a secret.
    pub(crate) fn with_servers(mut self, servers: &[Handed]) -> Result<Self, String> {
        let (settings, environment) = for_codex(servers)?;
        let secrets = servers.iter().flat_map(Handed::secrets).collect();
        self.0.dialect.settings.config.extend(settings);
        self.0.dialect.servers = Servers { environment, secrets };
        Ok(self)
    }

    /// Whether the program has a login of its own, as far as its files tell. Starts nothing.
    #[must_use]
    pub fn is_logged_in(&self) -> bool {
        self.0.is_logged_in()
    }
}

impl Channel for CodexChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(self.0.probe())
    }

    fn configuration(&self) -> Option<PathBuf> {
        self.0.configuration()
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.0.turn(request))
    }
}

impl Dialect for Codex {
    type Reader = parse::Parser;

    const INSTALL: &'static str = "Install it with `npm install -g @openai/codex`, then run `codex login`.";
    const KEYS: &'static [&'static str] = args::KEYS;
    const OWN: &'static [&'static str] = args::OWN;

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        self.servers.secrets.clone()
    }

    fn invocation(&self, environment: &Environment, request: &TurnRequest) -> Result<Invocation, Refusal> {
        let mut invocation = args::invocation(&self.settings, environment, request)?;
        let named = self.servers.environment.iter();
        invocation.environment.extend(named.map(|(name, value)| (name.into(), value.into())));
        Ok(invocation)
    }

    fn reader(&self, request: &TurnRequest) -> parse::Parser {
        match &request.session {
            SessionUse::Resume { id } => parse::Parser::resuming(id.clone()),
            SessionUse::None | SessionUse::New { .. } => parse::Parser::new(),
        }
    }

    fn configuration(&self, variables: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
        let named = variables.get(OsStr::new("CODEX_HOME")).map(PathBuf::from);
        named.or_else(|| variables.get(OsStr::new("HOME")).map(|home| PathBuf::from(home).join(".codex")))
    }

    /// By the file that holds the login, of whatever kind.
    fn is_logged_in(&self, variables: &BTreeMap<OsString, OsString>) -> bool {
        let Some(directory) = self.configuration(variables) else { return false };
        directory.join("auth.json").is_file()
    }
}
