//! One seat behind a tool of a server.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_port::{
    Availability, BoxFuture, Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, Transcript, Turn, TurnRequest,
};
use baton_process::{Command, Ending, Launcher, Limits};
use tempfile::TempDir;

use super::process;
use super::remote::{self, Address, Trouble, Visited};
use super::server::{Server, Way};
use super::settings::{Reach, Settings};
use super::talk::{Ended, Said, Wish};
use super::{call, end};
use crate::cli::oneshot::{self, VersionCheck, ask_version, complete, numbers, private_directory};
use crate::cli::{Environment, Refusal, SettingError};
use crate::http::redact::blot;
use crate::http::watch::Watch;
use crate::http::{Client, Secret, redact};

/// How long a program may take to tell its version: some start slowly.
const VERSION: Duration = Duration::from_secs(20);
/// For a server on this machine; one that has not answered by then does not run.
const LOCAL: Duration = Duration::from_millis(300);
const INSTALL: &str = "Install the program that this seat's setting `program` names.";
const START: &str = "Start the server, or set `url` to where it listens.";

/// The channel kind `mcp`.
#[derive(Clone, Debug)]
pub struct McpChannel {
    settings: Settings,
    launcher: Launcher,
    environment: Environment,
    client: Arc<Client>,
    key: Option<Secret>,
    /// Sent to a URL beside the key.
    headers: BTreeMap<String, String>,
}

/// A command and what must live as long as it runs.
struct Ready {
    program: PathBuf,
    command: Command,
    secrets: Vec<Vec<u8>>,
    _private: Option<TempDir>,
}

impl McpChannel {
    /// `key` finds the key in a variable; it is asked for those that the settings name.
    ///
    /// # Errors
    /// See [`Settings::read`].
    pub fn new(
        member: &Member,
        launcher: Launcher,
        environment: Environment,
        client: Arc<Client>,
        key: impl Fn(&str) -> Option<Secret>,
    ) -> Result<Self, SettingError> {
        let settings = Settings::read(member)?;
        let key = settings.keys.first().and_then(|name| key(name));
        Ok(Self { settings, launcher, environment, client, key, headers: BTreeMap::new() })
    }

    /// For a look at a server that is no seat's.
    ///
    /// # Errors
    /// An address that is none.
    pub(crate) fn of_server(
        server: &Server,
        launcher: Launcher,
        environment: Environment,
        client: Arc<Client>,
        key: impl Fn(&str) -> Option<Secret>,
    ) -> Result<Self, String> {
        let settings = Settings::of_server(server)?;
        let key = settings.keys.first().and_then(|name| key(name));
        let headers = match &server.way {
            Way::Url { headers, .. } => headers.clone(),
            Way::Program { .. } => BTreeMap::new(),
        };
        Ok(Self { settings, launcher, environment, client, key, headers })
    }

    /// The server's name, version and tools, within `limit`. Starts it, or asks it where it runs; calls no tool.
    pub async fn inspect(&self, directory: &Path, limit: Duration, cancel: &Cancel) -> super::Inspected {
        let deadlines = Deadlines { first_event: limit, idle: limit, total: limit };
        let watch = Watch::new(deadlines, cancel);
        let (said, turn) = match &self.settings.reach {
            Reach::Program(_) => match self.prepare(directory) {
                Ok(ready) => self.start(ready, Wish::Tools, watch, Caps::default(), &Quiet).await,
                Err(refusal) => return super::Inspected::failed(refusal.outcome, refusal.detail),
            },
            Reach::Url(_) => match self.address() {
                Ok(address) => self.visit(address, Wish::Tools, watch, Caps::default(), &Quiet).await,
                Err(refusal) => return super::Inspected::failed(refusal.outcome, refusal.detail),
            },
        };
        super::Inspected::of(said, turn)
    }

    fn prepare(&self, directory: &Path) -> Result<Ready, Refusal> {
        let program = oneshot::find(&self.settings.common, &self.environment)
            .map_err(|because| Refusal::new(Outcome::NotInstalled, because))?;
        if !directory.is_dir() {
            return Err(Refusal::new(Outcome::Rejected, "the directory to work in is not there"));
        }
        let arguments = match &self.settings.reach {
            Reach::Program(arguments) => arguments.clone(),
            Reach::Url(_) => Vec::new(),
        };
        let mut variables = self.variables();
        let secrets = oneshot::secrets(&variables);
        let private = private_directory(&self.environment, &mut variables);
        let command = Command::new(&program, directory).args(arguments).envs(variables);
        Ok(Ready { program, command, secrets, _private: private })
    }

    fn variables(&self) -> BTreeMap<OsString, OsString> {
        let keys: Vec<&str> = self.settings.keys.iter().map(String::as_str).collect();
        oneshot::variables(&self.settings.common, &self.environment, &[], &keys)
    }

    fn address(&self) -> Result<Address, Refusal> {
        let Reach::Url(url) = &self.settings.reach else {
            return Err(Refusal::new(Outcome::Rejected, "this seat has no address"));
        };
        if let (Some(name), None) = (self.settings.keys.first(), &self.key) {
            return Err(Refusal::new(Outcome::Auth, format!("{name} is not set")));
        }
        Address::new(url.clone(), self.key.as_ref(), &self.headers)
            .ok_or_else(|| Refusal::new(Outcome::Auth, "the key or a header holds letters that no header can carry"))
    }

    async fn ask(&self, request: &TurnRequest) -> Result<Turn, Refusal> {
        if request.cancel.is_requested() {
            return Err(Refusal::new(Outcome::Cancelled, "cancelled before the server was asked"));
        }
        let wish = call::wish(&self.settings, request)?;
        let first_event = self.settings.start.unwrap_or(request.deadlines.first_event);
        let clocks = || Watch::new(Deadlines { first_event, ..request.deadlines }, &request.cancel);
        let progress = &*request.progress;
        progress.report(Progress::Started);
        let (said, turn) = match &self.settings.reach {
            Reach::Program(_) => {
                let ready = self.prepare(&request.directory)?;
                self.start(ready, wish, clocks(), request.caps, progress).await
            }
            Reach::Url(_) => self.visit(self.address()?, wish, clocks(), request.caps, progress).await,
        };
        let mut turn = match &said.ended {
            Ended::Answered(result) => {
                let Turn { transcript, provenance: Provenance { program, program_version, .. }, .. } = turn;
                let mut answer = call::turn(&self.settings, request, result);
                answer.transcript = transcript;
                answer.provenance.program = program;
                answer.provenance.program_version = program_version;
                answer
            }
            _ => turn,
        };
        self.finish(&mut turn, &said);
        Ok(turn)
    }

    /// What is the same in every turn: what was asked of us is told, and no key is in any of it.
    fn finish(&self, turn: &mut Turn, said: &Said) {
        if !turn.outcome.is_ok() && !said.asked.is_empty() {
            turn.detail.push_str(&format!(" (it asked for {}, which no server gets)", said.asked.join(" and ")));
        }
        turn.detail = redact(&turn.detail, self.key.as_ref());
    }

    async fn start(
        &self,
        ready: Ready,
        wish: Wish,
        watch: Watch,
        caps: Caps,
        progress: &dyn ProgressSink,
    ) -> (Said, Turn) {
        let limits = Limits { stdout_bytes: caps.total, line_bytes: caps.line, ..Limits::default() };
        let mut ran = process::run(&self.launcher, ready.command, limits, wish, watch, progress).await;
        let (outcome, detail) = end::of_process(&ran);
        let mut turn = self.unanswered(&ran.said, outcome, detail);
        let received = std::mem::take(&mut ran.received);
        complete(&mut turn, &ready.program, received, Some(&ran.report), &ready.secrets);
        // Our own wish that a server leaves is no cut in what it said.
        turn.transcript.cut = matches!(ran.report.ending, Ending::TooMuchOutput { .. });
        (ran.said, turn)
    }

    async fn visit(
        &self,
        address: Address,
        wish: Wish,
        watch: Watch,
        caps: Caps,
        progress: &dyn ProgressSink,
    ) -> (Said, Turn) {
        let url = address.url.to_string();
        let Visited { said, mut received, trouble } =
            remote::visit(&self.client, address, caps, wish, watch, progress).await;
        let (outcome, detail) = end::of_visit(&said, trouble.as_ref(), &url);
        let mut turn = self.unanswered(&said, outcome, detail);
        blot(&mut received, self.key.as_ref());
        turn.transcript = Transcript { bytes: received, cut: trouble == Some(Trouble::TooMuch) };
        (said, turn)
    }

    fn unanswered(&self, said: &Said, outcome: Outcome, detail: String) -> Turn {
        let mut turn = Turn::failed(outcome, detail);
        turn.provenance.program_version = said.version.clone();
        turn
    }

    async fn probe_program(&self) -> Availability {
        let program = match oneshot::find(&self.settings.common, &self.environment) {
            Ok(program) => program,
            Err(because) => return Availability::NotReady { because, mend: INSTALL.to_owned() },
        };
        let gate = &self.settings.version;
        let Some(argument) = &gate.argument else { return Availability::Ready { version: None } };
        let check = VersionCheck { argument, least: gate.least.as_deref(), patience: VERSION };
        let found = ask_version(&self.launcher, &self.environment, program, self.variables(), check, INSTALL).await;
        match (&found, &gate.below) {
            (Availability::Ready { version }, Some(below)) => match version {
                Some(version) if numbers(version) < numbers(below) => found,
                _ => gone(version.as_deref(), below),
            },
            _ => found,
        }
    }

    async fn probe_address(&self) -> Availability {
        let address = match self.address() {
            Ok(address) => address,
            Err(refusal) => return Availability::NotReady { because: refusal.detail, mend: String::new() },
        };
        // Others are never called before a turn is wanted.
        if !crate::http::settings::is_loopback(&address.url) || address.answers(&self.client, LOCAL).await {
            return Availability::Ready { version: None };
        }
        let because = format!("no server answers at {}", address.url);
        Availability::NotReady { because, mend: START.to_owned() }
    }
}

fn gone(version: Option<&str>, below: &str) -> Availability {
    let version = version.unwrap_or("that it does not tell");
    Availability::NotReady {
        because: format!("version {version} of the program has no such server: it went away with {below}"),
        mend: format!("Ask the program itself, or install a version before {below}."),
    }
}

/// For a look, which nobody watches.
struct Quiet;

impl ProgressSink for Quiet {
    fn report(&self, _progress: Progress) {}
}

impl Channel for McpChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async {
            match self.settings.reach {
                Reach::Program(_) => self.probe_program().await,
                Reach::Url(_) => self.probe_address().await,
            }
        })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async {
            match self.ask(request).await {
                Ok(turn) => turn,
                Err(refusal) => Turn::failed(refusal.outcome, refusal.detail),
            }
        })
    }
}

impl super::Inspected {
    pub(crate) fn failed(outcome: Outcome, detail: String) -> Self {
        Self { name: None, version: None, tools: Vec::new(), trouble: Some((outcome, detail)) }
    }

    fn of(said: Said, turn: Turn) -> Self {
        let trouble = (!matches!(said.ended, Ended::Listed)).then_some((turn.outcome, turn.detail));
        Self { name: said.name, version: said.version, tools: said.tools, trouble }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_server_that_went_away_is_told_with_its_version() {
        let Availability::NotReady { because, mend } = gone(Some("0.169.0"), "0.152") else { panic!("ready") };
        assert!(because.contains("0.169.0") && because.contains("0.152") && mend.contains("0.152"));
    }
}
