//! Running one check and reading its end.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};

use baton_core::evidence::{CheckResult, could_not_run, read};
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::text::one_line;
use baton_port::{Availability, BoxFuture, Channel, Progress, Transcript, Turn, TurnRequest};
use baton_process::environment::select;
use baton_process::{Command, Ending, Launcher, Limits, Report, find_program};
use tempfile::TempDir;

use super::settings::{CheckError, Settings, TargetDirectory};
use crate::cli::{DEPTH, Environment};

/// What builds and tests need of the caller's environment. None of it holds a secret.
const ALLOWED: &[&str] = &[
    "PATH",
    "HOME",
    "USER",
    "LOGNAME",
    "TMPDIR",
    "LANG",
    "LANGUAGE",
    "LC_*",
    "TZ",
    "XDG_CACHE_HOME",
    "XDG_CONFIG_HOME",
    "XDG_DATA_HOME",
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "PYENV_ROOT",
    DEPTH,
];

/// What keeps colours out of the output, and build tools off the network.
const FIXED: &[(&str, &str)] = &[("TERM", "dumb"), ("CARGO_TERM_COLOR", "never"), ("CARGO_NET_OFFLINE", "true")];

/// Bytes of standard error that are kept.
const STDERR: usize = 1 << 20;

/// Between the two in a transcript.
const STDERR_TITLE: &str = "[standard error]\n";

/// A command whose outcome is evidence; the module's documentation says what holds.
#[derive(Clone, Debug)]
pub struct CheckChannel {
    settings: Settings,
    launcher: Launcher,
    environment: Environment,
}

/// A command, and what must live as long as it runs.
struct Ready {
    command: Command,
    _target: Option<TempDir>,
}

impl CheckChannel {
    /// # Errors
    /// Settings that are missing, unknown, or contradict each other.
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, CheckError> {
        Ok(Self { settings: Settings::read(member)?, launcher, environment })
    }

    /// The program's path; otherwise which program is not there.
    fn find(&self) -> Result<PathBuf, String> {
        let path_of = |name: &str| find_program(name, self.environment.path());
        let missing = |name: &str| match Path::new(name).is_absolute() {
            true => format!("there is no program `{name}`"),
            false => format!("the program `{name}` is not on the PATH"),
        };
        if let Some(name) = self.settings.needs.iter().find(|name| path_of(name).is_none()) {
            return Err(missing(name));
        }
        path_of(&self.settings.program).ok_or_else(|| missing(&self.settings.program))
    }

    /// The command as people read it.
    fn shown(&self) -> String {
        let words = std::iter::once(&self.settings.program).chain(&self.settings.arguments);
        words.map(String::as_str).collect::<Vec<_>>().join(" ")
    }

    async fn check(&self, request: &TurnRequest) -> Turn {
        if request.cancel.is_requested() {
            return self.abstained(Outcome::Cancelled, "cancelled before it was started", String::new());
        }
        let program = match self.find() {
            Ok(program) => program,
            Err(missing) => return self.abstained(Outcome::Ok, &missing, String::new()),
        };
        let ready = match self.prepare(&program, request) {
            Ok(ready) => ready,
            Err(because) => return self.abstained(Outcome::Ok, &because, String::new()),
        };
        request.progress.report(Progress::Started);
        request.progress.report(Progress::Doing(one_line(&self.shown(), 80)));
        let (report, output) = self.launcher.output(ready.command, request.cancel.requested()).await;
        let mut turn = self.read(&report, &output);
        turn.provenance = Provenance { program: Some(program.display().to_string()), ..Provenance::default() };
        turn
    }

    fn prepare(&self, program: &Path, request: &TurnRequest) -> Result<Ready, String> {
        let mut variables = self.variables();
        let target = match &self.settings.target {
            TargetDirectory::Own => None,
            TargetDirectory::At(path) => {
                variables.insert("CARGO_TARGET_DIR".into(), path.into());
                None
            }
            TargetDirectory::Private => {
                let target = tempfile::Builder::new().prefix("baton-check-").tempdir();
                let target = target.map_err(|error| format!("no private target directory could be made: {error}"))?;
                variables.insert("CARGO_TARGET_DIR".into(), target.path().into());
                Some(target)
            }
        };
        let command = Command::new(program, &request.directory)
            .args(self.settings.arguments.iter().cloned())
            .envs(variables)
            .limits(limits(request));
        Ok(Ready { command, _target: target })
    }

    fn variables(&self) -> BTreeMap<OsString, OsString> {
        let mut variables = select(self.environment.for_child(ALLOWED), ALLOWED);
        let set = FIXED.iter().copied().chain(self.settings.variables.iter().map(|(name, value)| (&**name, &**value)));
        variables.extend(set.map(|(name, value)| (OsString::from(name), OsString::from(value))));
        variables
    }

    fn read(&self, report: &Report, output: &[u8]) -> Turn {
        let text = joined(output, report);
        let mut turn = match &report.ending {
            Ending::Exited { code: 0 } => self.found(CheckResult::Passed, text),
            Ending::Exited { code } => match could_not_run(*code, &text) {
                Some(because) => self.abstained(Outcome::Ok, &because, text),
                None => self.found(CheckResult::Failed, text),
            },
            Ending::NotFound { error } => self.abstained(Outcome::Ok, &format!("it cannot be started: {error}"), text),
            Ending::Cancelled => self.abstained(Outcome::Cancelled, "it was cancelled", text),
            ending => self.abstained(Outcome::Ok, &unfinished(ending), text),
        };
        turn.transcript.cut = matches!(report.ending, Ending::TooMuchOutput { .. }) || report.stderr.left_out() > 0;
        turn
    }

    fn found(&self, result: CheckResult, text: String) -> Turn {
        let mut turn = Turn::failed(Outcome::Ok, "");
        turn.evidence = Some(read(result, &self.shown(), &text));
        turn.transcript = Transcript { bytes: text.into_bytes(), cut: false };
        turn
    }

    fn abstained(&self, outcome: Outcome, reason: &str, text: String) -> Turn {
        let reason = one_line(reason, 300);
        let mut turn = self.found(CheckResult::Abstained { reason: reason.clone() }, text);
        turn.outcome = outcome;
        turn.detail = format!("`{}` says nothing: {reason}", one_line(&self.shown(), 80));
        turn
    }
}

impl Channel for CheckChannel {
    /// Only looks for the programs: nothing is started.
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async {
            match self.find() {
                Ok(_) => Availability::Ready { version: None },
                Err(because) => Availability::NotReady {
                    because,
                    mend: "Install it, or remove this check from the configuration.".to_owned(),
                },
            }
        })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.check(request))
    }
}

fn limits(request: &TurnRequest) -> Limits {
    Limits {
        first_output: Limits::UNLIMITED,
        idle: Limits::UNLIMITED,
        total: request.deadlines.total,
        stdout_bytes: request.caps.total,
        stderr_bytes: STDERR.min(request.caps.total),
        ..Limits::default()
    }
}

fn joined(output: &[u8], report: &Report) -> String {
    let mut text = String::from_utf8_lossy(output).into_owned();
    let errors = report.stderr.text();
    if !errors.is_empty() {
        if !text.is_empty() && !text.ends_with('\n') {
            text.push('\n');
        }
        text.push_str(STDERR_TITLE);
        text.push_str(&errors);
    }
    text
}

/// Why a command that did not end by itself says nothing, in words that follow its name.
fn unfinished(ending: &Ending) -> String {
    match ending {
        Ending::TimedOut { .. } => "it took too long and was stopped".to_owned(),
        Ending::TooMuchOutput { .. } => "it wrote more than allowed and was stopped".to_owned(),
        Ending::Signalled { signal } => format!("it was ended by signal {signal}"),
        Ending::StartFailed { error } => format!("it could not be started: {error}"),
        _ => "its end was not seen".to_owned(),
    }
}
