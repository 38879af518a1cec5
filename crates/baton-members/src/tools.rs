//! What all channels share, and the one place that knows which channel is of which kind.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_port::{Cancel, Channel};
use baton_process::Launcher;

use crate::acp::AcpChannel;
use crate::check::CheckChannel;
use crate::cli::{ClaudeChannel, CodexChannel, DeclaredChannel, Environment};
use crate::http::{Client, HttpChannel, Secret};
use crate::mcp::server::Handed;
use crate::mcp::{Inspected, McpChannel, Server};
use crate::warm::Pool;

/// This process's launcher, environment and HTTP client.
pub struct Tools {
    launcher: Launcher,
    environment: Environment,
    client: Arc<Client>,
    pool: Option<Pool>,
    variables: Vec<(OsString, OsString)>,
    /// By name; those without a server are known and held back.
    servers: Mutex<BTreeMap<String, Option<Server>>>,
}

/// The setting by which a member names the MCP servers that its sessions get, separated by commas.
pub const SERVERS: &str = "mcp_servers";

impl Tools {
    /// `variables` are usually the process's own; later ones win. Nothing is opened here.
    #[must_use]
    pub fn new(launcher: Launcher, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let variables: Vec<(OsString, OsString)> = variables.into_iter().collect();
        let environment = Environment::new(variables.iter().cloned());
        let servers = Mutex::new(BTreeMap::new());
        Self { launcher, environment, client: Arc::new(Client::new()), pool: None, variables, servers }
    }

    /// Lets the starts of all agent programs be bounded by this pool, and those that can rest there.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.pool = Some(pool);
        self
    }

    #[must_use]
    pub fn pool(&self) -> Option<&Pool> {
        self.pool.as_ref()
    }

    #[must_use]
    pub fn client(&self) -> &Client {
        &self.client
    }

    /// Where a program is found on the PATH.
    #[must_use]
    pub fn find_program(&self, name: &str) -> Option<PathBuf> {
        baton_process::find_program(name, self.environment.path())
    }

    /// What a program sees that needs no secret: the base variables.
    #[must_use]
    pub fn base_variables(&self) -> BTreeMap<OsString, OsString> {
        self.environment.for_child(&[])
    }

    #[must_use]
    pub fn launcher(&self) -> &Launcher {
        &self.launcher
    }

    /// MCP servers that members may name from now on. A later one of the same name replaces the earlier.
    pub fn admit(&self, servers: impl IntoIterator<Item = Server>) {
        let named = servers.into_iter().map(|server| (server.name.clone(), Some(server)));
        self.servers().extend(named);
    }

    /// Names that are no mistake where a member names them, and stand for nothing: servers that nobody trusted yet.
    pub fn hold_back(&self, names: impl IntoIterator<Item = String>) {
        for name in names {
            self.servers().entry(name).or_insert(None);
        }
    }

    /// Starts a server, or asks it where it runs, for its name and its tools, and leaves it.
    pub async fn look_at(&self, server: &Server, directory: &Path, limit: Duration, cancel: &Cancel) -> Inspected {
        let (launcher, environment) = (self.launcher.clone(), self.environment.clone());
        match McpChannel::of_server(server, launcher, environment, self.client.clone(), |name| self.key(name)) {
            Ok(channel) => channel.inspect(directory, limit, cancel).await,
            Err(because) => Inspected::failed(Outcome::Rejected, because),
        }
    }

    fn servers(&self) -> MutexGuard<'_, BTreeMap<String, Option<Server>>> {
        self.servers.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The servers that a member names, with what their programs need.
    fn handed(&self, member: &Member) -> Result<Vec<Handed>, OpenError> {
        let named = member.channel.settings.get(SERVERS).map(String::as_str).unwrap_or_default();
        let mut handed = Vec::new();
        for name in named.split(',').map(str::trim).filter(|name| !name.is_empty()) {
            let known = self.servers().get(name).cloned();
            let unknown = || OpenError::Setting(format!("there is no MCP server `{name}` in the configuration"));
            if let Some(server) = known.ok_or_else(unknown)? {
                handed.push(self.hand(&server).map_err(OpenError::Setting)?);
            }
        }
        Ok(handed)
    }

    fn hand(&self, server: &Server) -> Result<Handed, String> {
        if let Some(problem) = server.problem() {
            return Err(format!("the MCP server `{}` {problem}", server.name));
        }
        Handed::of(server, |program| self.find_program(program), |name| Some(self.key(name)?.expose().to_owned()))
    }

    /// The key in a variable; `None` when it is not set or empty.
    #[must_use]
    pub fn key(&self, name: &str) -> Option<Secret> {
        let found = self.variables.iter().rev().find(|(known, _)| known == name)?;
        let text = found.1.to_str()?;
        (!text.is_empty()).then(|| Secret::new(text))
    }
}

/// Why a seat has no channel.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    #[error("there is no channel of kind `{0}`")]
    UnknownKind(String),
    #[error("{0}")]
    Setting(String),
}

/// Opens the channel of a seat. Cheap: nothing is started or called.
///
/// # Errors
/// A kind that does not exist, or settings that it cannot be opened with.
pub fn open(member: &Member, tools: &Tools) -> Result<Arc<dyn Channel>, OpenError> {
    let launcher = tools.launcher.clone();
    let environment = tools.environment.clone();
    let pool = tools.pool.as_ref();
    let kind = member.channel.kind.as_str();
    if matches!(kind, "claude-cli" | "codex-cli" | "acp") {
        let servers = tools.handed(member)?;
        let mut member = member.clone();
        member.channel.settings.remove(SERVERS);
        return match kind {
            "claude-cli" => channel(
                ClaudeChannel::new(&member, launcher, environment)
                    .map(|seat| with(pool, seat.with_servers(servers), ClaudeChannel::with_pool)),
            ),
            "codex-cli" => channel(
                CodexChannel::new(&member, launcher, environment)
                    .map_err(|error| error.to_string())
                    .and_then(|seat| seat.with_servers(&servers))
                    .map(|seat| with(pool, seat, CodexChannel::with_pool)),
            ),
            _ => channel(
                AcpChannel::new(&member, launcher, environment)
                    .map(|seat| with(pool, seat.with_servers(servers), AcpChannel::with_pool)),
            ),
        };
    }
    match kind {
        "cli" => channel(
            DeclaredChannel::new(member, launcher, environment)
                .map(|seat| with(pool, seat, DeclaredChannel::with_pool)),
        ),
        "mcp" => channel(McpChannel::new(member, launcher, environment, tools.client.clone(), |name| tools.key(name))),
        "check" => channel(CheckChannel::new(member, launcher, environment)),
        "openai-chat" | "openai-responses" | "anthropic" | "gemini" => {
            let key = member.channel.settings.get("key_env").and_then(|name| tools.key(name));
            channel(HttpChannel::new(member, key, tools.client.clone()))
        }
        other => Err(OpenError::UnknownKind(other.to_owned())),
    }
}

/// Whether the program of a seat has a login of its own, where its channel can tell; `None` elsewhere.
#[must_use]
pub fn is_logged_in(member: &Member, tools: &Tools) -> Option<bool> {
    let (launcher, environment) = (tools.launcher.clone(), tools.environment.clone());
    let mut member = member.clone();
    member.channel.settings.remove(SERVERS);
    let member = &member;
    match member.channel.kind.as_str() {
        "claude-cli" => Some(ClaudeChannel::new(member, launcher, environment).ok()?.is_logged_in()),
        "codex-cli" => Some(CodexChannel::new(member, launcher, environment).ok()?.is_logged_in()),
        _ => None,
    }
}

fn with<C>(pool: Option<&Pool>, seat: C, put: impl Fn(C, Pool) -> C) -> C {
    match pool {
        Some(pool) => put(seat, pool.clone()),
        None => seat,
    }
}

fn channel<C: Channel + 'static, E: std::fmt::Display>(built: Result<C, E>) -> Result<Arc<dyn Channel>, OpenError> {
    match built {
        Ok(channel) => Ok(Arc::new(channel)),
        Err(error) => Err(OpenError::Setting(error.to_string())),
    }
}
