//! Claude Code: `claude -p` with a stream of JSON events.
//!
//! Settings besides the common ones: `tools` (default `Read,Grep,Glob`; empty means none), `permission_mode` (default
//! `dontAsk`), `restricted` (default `on`; `off` for versions that do not know the flag), and `keep_warm` (see
//! [`crate::warm`]).
//!
//! With a pool, the turns of a session go through one process, as lines of JSON (`--input-format=stream-json`). Each
//! prompt has an id that the program repeats when it takes it up; in a later turn of a process no answer counts that
//! comes before.
//!
//! MCP servers of the user's choice are told by `--mcp-config`, in a private file; their tools are allowed beside those
//! of `tools`. Without any, no server is started, not even one of the user's own settings.
//!
//! A session that was asked for and is answered under another id counts as lost. Costs count up over the turns of a
//! session; the difference is taken from the program where it tells it, and a resumed turn has no cost otherwise.

pub mod args;
pub mod parse;
mod talk;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_core::member::Member;
use baton_port::{Availability, BoxFuture, Channel, SessionUse, Turn, TurnRequest};
use baton_process::Launcher;

use super::oneshot::{Dialect, Invocation, OneShot, Refusal};
use super::settings::Special;
use super::{Environment, SettingError, Settings};
use crate::mcp::server::{Handed, as_file};
use crate::warm::{Identity, Pool, Seat, Start, Warmth, keep_warm};

/// The channel kind `claude-cli`.
#[derive(Debug)]
pub struct ClaudeChannel(OneShot<Claude>);

#[derive(Debug)]
struct Claude {
    settings: Settings,
    servers: Vec<Handed>,
}

const SPECIALS: &[Special] = &[
    ("tools", &[]),
    // Nothing that would run without being asked: what a member may change is not decided by its program.
    ("permission_mode", &["dontAsk", "plan", "manual", "acceptEdits"]),
    ("restricted", &["on", "off"]),
    ("keep_warm", &[]),
];

/// The settings of a `claude-cli` seat.
///
/// # Errors
/// A setting that this kind does not know, or a value that it does not take.
pub fn settings(member: &Member) -> Result<Settings, SettingError> {
    Settings::read(member, "claude", SPECIALS)
}

impl ClaudeChannel {
    /// # Errors
    /// A setting that this kind does not know, or a value that it does not take.
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, SettingError> {
        let warmth = Warmth::new(member, keep_warm(&member.channel.settings)?);
        let dialect = Claude { settings: settings(member)?, servers: Vec::new() };
        Ok(Self(OneShot { dialect, launcher, environment, warmth }))
    }

    /// The MCP servers that its sessions may use: told in a private file, and no others beside them. Each turn then has
    /// a process and servers of its own.
    #[must_use]
    pub(crate) fn with_servers(mut self, servers: Vec<Handed>) -> Self {
        self.0.warmth.unless(!servers.is_empty());
        self.0.dialect.servers = servers;
        self
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

impl Channel for ClaudeChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(self.0.probe())
    }

    fn configuration(&self) -> Option<PathBuf> {
        self.0.configuration()
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async {
            match self.0.warmth.pool_for(request) {
                Some(pool) => pool.turn(self, &self.0.launcher, request).await,
                None => self.0.turn(request).await,
            }
        })
    }
}

impl Seat for ClaudeChannel {
    fn keep_warm(&self) -> Duration {
        self.0.warmth.keep_warm
    }

    fn identity(&self, request: &TurnRequest) -> Identity {
        let effort = request.effort.or(self.0.dialect.settings.effort);
        self.0.warmth.identity(effort, request)
    }

    fn start(&self, request: &TurnRequest) -> Result<Start, Refusal> {
        let invocation = args::persistent(&self.0.dialect.settings, &self.0.environment, request)?;
        self.0.start(request, invocation, Box::new(talk::Talk::new(request)))
    }
}

impl Dialect for Claude {
    type Reader = parse::Parser;

    const INSTALL: &'static str =
        "Install it with `npm install -g @anthropic-ai/claude-code`, then run `claude` once and log in.";
    const KEYS: &'static [&'static str] = args::KEYS;
    const OWN: &'static [&'static str] = args::OWN;

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn secrets(&self) -> Vec<Vec<u8>> {
        self.servers.iter().flat_map(Handed::secrets).collect()
    }

    /// The servers: their variables may hold secrets.
    fn private_file(&self, _request: &TurnRequest) -> Option<Vec<u8>> {
        (!self.servers.is_empty()).then(|| as_file(&self.servers).to_string().into_bytes())
    }

    fn invocation_with(
        &self,
        environment: &Environment,
        request: &TurnRequest,
        private_file: Option<&Path>,
    ) -> Result<Invocation, Refusal> {
        let mut invocation = self.invocation(environment, request)?;
        if let Some(file) = private_file {
            let names = self.servers.iter().map(Handed::name);
            invocation.arguments.extend(args::servers(file, names));
        }
        Ok(invocation)
    }

    fn invocation(&self, environment: &Environment, request: &TurnRequest) -> Result<Invocation, Refusal> {
        args::invocation(&self.settings, environment, request)
    }

    fn reader(&self, request: &TurnRequest) -> parse::Parser {
        match &request.session {
            SessionUse::Resume { id } => parse::Parser::resuming(id.clone()),
            SessionUse::None | SessionUse::New { .. } => parse::Parser::new(),
        }
    }

    fn configuration(&self, variables: &BTreeMap<OsString, OsString>) -> Option<PathBuf> {
        let named = variables.get(OsStr::new("CLAUDE_CONFIG_DIR")).map(PathBuf::from);
        named.or_else(|| variables.get(OsStr::new("HOME")).map(|home| PathBuf::from(home).join(".claude")))
    }

    /// By the file that holds the login; one in the system's keychain is not seen.
    fn is_logged_in(&self, variables: &BTreeMap<OsString, OsString>) -> bool {
        let Some(directory) = self.configuration(variables) else { return false };
        // The same file holds logins to other servers; only the name of the member is looked for.
        let stored = std::fs::read_to_string(directory.join(".credentials.json"));
        stored.is_ok_and(|text| text.contains("\"claudeAiOauth\""))
    }
}
