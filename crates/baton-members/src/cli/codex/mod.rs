//! Codex: `codex exec` with a stream of JSON events.
//!
//! Settings besides the common ones: `sandbox` (default `read-only`), and `config.KEY`, which becomes
//! `--config=KEY=VALUE`: a provider, a web search switched off, project instructions left out; and `user_config`
//! (default `keep`; `ignore` leaves out the user's `config.toml`, with its MCP servers, which are started outside of
//! the sandbox, and with its provider); and `keep_warm` (see [`crate::warm`]).
//!
//! With a pool, the turns of a session go through one `codex app-server` (see `server`). It takes no option that
//! leaves out rules or the user's configuration. So it is used only where `user_config` is `keep` and no `rules` folder
//! with a rule is in the program's home or in a `.codex` folder at or above the directory.
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
mod rules;
mod server;
mod wire;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::PathBuf;
use std::time::Duration;

use baton_core::member::Member;
use baton_port::{Availability, BoxFuture, Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;

use super::oneshot::{Dialect, Invocation, OneShot, Refusal, variables};
use super::settings::Special;
use super::{Environment, SettingError, Settings};
use crate::mcp::server::{Handed, for_codex};
use crate::warm::{Identity, Pool, Seat, Start, Warmth, keep_warm};

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

const SPECIALS: &[Special] = &[
    ("config", &[]),
    ("sandbox", &["read-only", "workspace-write"]),
    ("user_config", &["keep", "ignore"]),
    ("keep_warm", &[]),
];

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
        let warmth = Warmth::new(member, keep_warm(&member.channel.settings)?);
        let dialect = Codex { settings: settings(member)?, servers: Servers::default() };
        Ok(Self(OneShot { dialect, launcher, environment, warmth }))
    }

    /// The MCP servers that its sessions may use, beside those of the user's `config.toml`. Each turn then has a process
    /// and servers of its own.
    ///
    /// # Errors
    /// A server that Codex cannot be handed without showing a secret.
    pub(crate) fn with_servers(mut self, servers: &[Handed]) -> Result<Self, String> {
        let (settings, environment) = for_codex(servers)?;
        let secrets = servers.iter().flat_map(Handed::secrets).collect();
        self.0.warmth.unless(!servers.is_empty());
        self.0.dialect.settings.config.extend(settings);
        self.0.dialect.servers = Servers { environment, secrets };
        Ok(self)
    }

    /// Lets its starts be bounded by this pool, and its processes rest there between the turns of a session.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.0.warmth.pool = Some(pool);
        self
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
        Box::pin(async {
            match self.0.warmth.pool_for(request) {
                Some(pool) if self.can_stay(request) => pool.turn(self, &self.0.launcher, request).await,
                Some(_) | None => self.0.turn(request).await,
            }
        })
    }
}

impl CodexChannel {
    /// `app-server` has no options that leave out the user's configuration, and rules that could allow commands:
    /// where there is anything to leave out, each turn is an `exec`.
    fn can_stay(&self, request: &TurnRequest) -> bool {
        let settings = &self.0.dialect.settings;
        let home = home(&variables(settings, &self.0.environment, args::OWN, args::KEYS));
        settings.special("user_config", "keep") == "keep" && !rules::are_there(home.as_deref(), &request.directory)
    }
}

impl Seat for CodexChannel {
    fn keep_warm(&self) -> Duration {
        self.0.warmth.keep_warm
    }

    /// The effort is each turn's own.
    fn identity(&self, request: &TurnRequest) -> Identity {
        self.0.warmth.identity(None, request)
    }

    fn start(&self, request: &TurnRequest) -> Result<Start, Refusal> {
        let settings = &self.0.dialect.settings;
        let wants = server::Wants::new(settings, request)?;
        let invocation = args::persistent(settings, &self.0.environment);
        self.0.start(request, invocation, Box::new(server::Client::new(wants)))
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
        home(variables)
    }

    /// By the file that holds the login, of whatever kind.
    fn is_logged_in(&self, variables: &BTreeMap<OsString, OsString>) -> bool {
        home(variables).is_some_and(|home| home.join("auth.json").is_file())
    }
}

/// Where the program keeps its state, when it is started with these variables.
fn home(variables: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
    let own = variables.get(OsStr::new("CODEX_HOME")).map(PathBuf::from);
    own.or_else(|| variables.get(OsStr::new("HOME")).map(|home| PathBuf::from(home).join(".codex")))
}
