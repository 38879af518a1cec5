//! One agent process a turn, or a session: see [`crate::warm`].

use std::path::PathBuf;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_port::{Availability, BoxFuture, Cancel, Channel, Progress, SessionUse, Turn, TurnRequest};
use baton_process::{Command, Input, Launcher, Stdin};
use tempfile::TempDir;

use super::client::{Client, Wants};
use super::settings::Settings;
use crate::cli::oneshot::{self, VersionCheck, absolute, ask_version, complete, find, private_directory};
use crate::cli::{End, Environment, Refusal, SettingError};
use crate::mcp::server::{Handed, for_acp};
use crate::warm::{Identity, Place, Pool, Seat, Start, Talk, Warmth, keep_warm};

/// From the wish to stop, told to the agent, to the end of its process.
const GRACE: Duration = Duration::from_secs(2);
/// How long a program may take to tell its version: some start slowly.
const VERSION: Duration = Duration::from_secs(20);
const INSTALL: &str = "Install the program that this seat's setting `program` names.";

/// The channel kind `acp`.
#[derive(Clone, Debug)]
pub struct AcpChannel {
    settings: Settings,
    launcher: Launcher,
    environment: Environment,
    servers: Vec<Handed>,
    warmth: Warmth,
}

/// A command and what must live as long as it runs.
struct Ready {
    program: PathBuf,
    command: Command,
    secrets: Vec<Vec<u8>>,
    private: Option<TempDir>,
}

impl AcpChannel {
    /// # Errors
    /// See [`Settings::read`].
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, SettingError> {
        let warmth = Warmth::new(member, keep_warm(&member.channel.settings)?);
        Ok(Self { settings: Settings::read(member)?, launcher, environment, servers: Vec::new(), warmth })
    }

    /// The MCP servers that its sessions may use: told with the session, by the agent's input. Each turn then has a
    /// process and servers of its own.
    #[must_use]
    pub(crate) fn with_servers(mut self, servers: Vec<Handed>) -> Self {
        self.warmth.unless(!servers.is_empty());
        self.servers = servers;
        self
    }

    /// Lets its starts be bounded by this pool, and its processes rest there between the turns of a session.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.warmth.pool = Some(pool);
        self
    }

    fn prepare(&self, request: &TurnRequest) -> Result<Ready, Refusal> {
        let program = find(&self.settings.common, &self.environment)
            .map_err(|because| Refusal::new(Outcome::NotInstalled, because))?;
        if !request.directory.is_dir() {
            return Err(Refusal::new(Outcome::Rejected, "the directory to work in is not there"));
        }
        let mut variables = self.variables();
        let mut secrets = oneshot::secrets(&variables);
        secrets.extend(self.servers.iter().flat_map(Handed::secrets));
        let private = private_directory(&self.environment, &mut variables);
        let command = Command::new(&program, &request.directory)
            .args(self.settings.arguments(request.effort))
            .envs(variables)
            .stop_at_stderr(self.settings.retry_texts.iter().cloned());
        Ok(Ready { program, command, secrets, private })
    }

    fn variables(&self) -> std::collections::BTreeMap<std::ffi::OsString, std::ffi::OsString> {
        let keys: Vec<&str> = self.settings.keys.iter().map(String::as_str).collect();
        oneshot::variables(&self.settings.common, &self.environment, &[], &keys)
    }

    fn client(&self, request: &TurnRequest) -> Result<Client, Refusal> {
        let resume = match &request.session {
            SessionUse::Resume { id } => Some(id.clone()),
            SessionUse::None | SessionUse::New { .. } => None,
        };
        let directory = absolute(&request.directory)?;
        let mut wants = Wants::new(&self.settings, directory, request.prompt.clone(), resume);
        wants.servers = for_acp(&self.servers);
        Ok(Client::new(wants))
    }

    async fn ask(&self, request: &TurnRequest) -> Result<Turn, Refusal> {
        if request.cancel.is_requested() {
            return Err(Refusal::new(Outcome::Cancelled, "cancelled before the program was started"));
        }
        let place = self.warmth.enter(request).await?;
        let (stdin, input) = Stdin::open();
        let Ready { program, command, secrets, private } = self.prepare(request)?;
        let vitals = place.as_ref().map(Place::vitals).unwrap_or_default();
        let command = command.stdin(stdin).limits(oneshot::limits(request)).vitals(vitals);
        let conversation = Conversation { client: Mutex::new(self.client(request)?), input };
        Ok(self.run(Ready { program, command, secrets, private }, &conversation, request).await)
    }

    async fn run(&self, ready: Ready, conversation: &Conversation, request: &TurnRequest) -> Turn {
        let mut received = Vec::new();
        request.progress.report(Progress::Started);
        conversation.open();
        let report = self
            .launcher
            .run(ready.command, conversation.cancelled(&request.cancel), &mut |line| {
                received.extend_from_slice(line.bytes);
                if line.terminated {
                    received.push(b'\n');
                }
                let reply = conversation.client().line(line.bytes);
                conversation.send(reply.send);
                reply.progress.into_iter().for_each(|progress| request.progress.report(progress));
                reply.flow
            })
            .await;
        let stderr = report.stderr.text();
        let mut turn = match oneshot::our_end(&report) {
            Some((outcome, detail)) => conversation.client().unfinished(outcome, &detail),
            None => conversation.client().finish(End { ending: &report.ending, stderr: &stderr }),
        };
        complete(&mut turn, &ready.program, received, Some(&report), &ready.secrets);
        turn
    }
}

/// The state machine and its way to the agent, shared by the lines that come and the wish to stop.
struct Conversation {
    client: Mutex<Client>,
    input: Input,
}

impl Conversation {
    fn client(&self) -> MutexGuard<'_, Client> {
        self.client.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn open(&self) {
        let first = self.client().open();
        self.send(first);
    }

    /// An agent that takes no more input is heard on its output, or by its end.
    fn send(&self, bytes: Vec<u8>) {
        if !bytes.is_empty() {
            let _ = self.input.send(bytes);
        }
    }

    /// Ends when the process is to be ended: at once where nothing was asked yet, else a grace after the agent was
    /// told to stop.
    async fn cancelled(&self, wish: &Cancel) {
        wish.requested().await;
        let told = self.client().cancel();
        if let Some(cancel) = told {
            self.send(cancel);
            tokio::time::sleep(GRACE).await;
        }
    }
}

impl Seat for AcpChannel {
    fn keep_warm(&self) -> Duration {
        self.warmth.keep_warm
    }

    fn identity(&self, request: &TurnRequest) -> Identity {
        self.warmth.identity(request.effort.or(self.settings.common.effort), request)
    }

    fn start(&self, request: &TurnRequest) -> Result<Start, Refusal> {
        let Ready { program, command, secrets, private } = self.prepare(request)?;
        Ok(Start { program, command, secrets, private, talk: Box::new(self.client(request)?) })
    }
}

impl Channel for AcpChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async {
            match find(&self.settings.common, &self.environment) {
                Err(because) => Availability::NotReady { because, mend: INSTALL.to_owned() },
                Ok(program) => {
                    let check = VersionCheck { argument: "--version", least: None, patience: VERSION };
                    ask_version(&self.launcher, &self.environment, program, self.variables(), check, INSTALL).await
                }
            }
        })
    }

    fn configuration(&self) -> Option<PathBuf> {
        self.variables().get(std::ffi::OsStr::new("HOME")).map(PathBuf::from)
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async {
            if let Some(pool) = self.warmth.pool_for(request) {
                return pool.turn(self, &self.launcher, request).await;
            }
            match self.ask(request).await {
                Ok(turn) => turn,
                Err(refusal) => Turn::failed(refusal.outcome, refusal.detail),
            }
        })
    }
}
