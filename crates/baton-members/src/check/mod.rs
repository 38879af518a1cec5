//! A check: a command of the user's own, such as the tests or a linter, as a seat. Its outcome is evidence.
//!
//! What it says is read from its exit code alone: 0 passed, anything else failed. A command that is not there abstains:
//! nothing follows from it. One that does not end in time, floods, or is ended by a signal is a failed turn of its
//! class, and no evidence either.
//!
//! Settings (others are refused when the channel is made): `program`, a name to be found on the `PATH` or an absolute
//! path, and its arguments `arg.0`, `arg.1` and so on. No shell is involved.

use std::path::PathBuf;
use std::time::Duration;

use baton_core::evidence::{CheckResult, read};
use baton_core::member::Member;
use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Availability, BoxFuture, Channel, Progress, Transcript, Turn, TurnRequest};
use baton_process::{Command, Ending, Launcher, Limits, Report};

use crate::cli::Environment;

/// Variables that builds and tests need beside the base ones. None of them holds a secret.
const TOOLS: &[&str] = &[
    "CARGO_HOME",
    "RUSTUP_HOME",
    "RUSTUP_TOOLCHAIN",
    "GOPATH",
    "GOCACHE",
    "JAVA_HOME",
    "VIRTUAL_ENV",
    "NVM_DIR",
    "PYENV_ROOT",
];

/// Why a check cannot be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum CheckError {
    #[error("the check has no setting `program`")]
    NoProgram,
    #[error("the check has a setting `{0}` that no check has")]
    Unknown(String),
    #[error("the check's arguments have a gap: `arg.{0}` is missing")]
    Gap(usize),
}

/// A command whose outcome is evidence.
#[derive(Clone, Debug)]
pub struct CheckChannel {
    program: String,
    arguments: Vec<String>,
    launcher: Launcher,
    environment: Environment,
}

impl CheckChannel {
    /// # Errors
    /// Settings that are missing, unknown or have a gap.
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, CheckError> {
        let settings = &member.channel.settings;
        let program = settings.get("program").filter(|text| !text.is_empty()).ok_or(CheckError::NoProgram)?.clone();
        let count = settings.len() - 1;
        let mut arguments = Vec::with_capacity(count);
        for index in 0..count {
            match settings.get(&format!("arg.{index}")) {
                Some(argument) => arguments.push(argument.clone()),
                None => return Err(unknown_or_gap(settings.keys(), index)),
            }
        }
        Ok(Self { program, arguments, launcher, environment })
    }

    fn find(&self) -> Option<PathBuf> {
        let path = PathBuf::from(&self.program);
        if path.is_absolute() {
            return path.is_file().then_some(path);
        }
        baton_process::find_program(&self.program, self.environment.path())
    }

    fn shown(&self) -> String {
        let words: Vec<&str> = std::iter::once(&self.program).chain(&self.arguments).map(String::as_str).collect();
        words.join(" ")
    }

    fn missing(&self) -> String {
        format!("the program `{}` is not on the PATH", self.program)
    }

    async fn run(&self, program: PathBuf, request: &TurnRequest) -> Turn {
        request.progress.report(Progress::Started);
        request.progress.report(Progress::Doing(self.shown()));
        let command = Command::new(program, &request.directory)
            .args(self.arguments.iter().cloned())
            .envs(self.environment.for_child(TOOLS))
            .env("TERM", "dumb")
            .env("CARGO_TERM_COLOR", "never")
            .env("CARGO_NET_OFFLINE", "true")
            .limits(limits(request));
        let (report, output) = self.launcher.output(command, request.cancel.requested()).await;
        self.turn(&report, &output)
    }

    fn turn(&self, report: &Report, output: &[u8]) -> Turn {
        let errors = report.stderr.text();
        let mut text = String::from_utf8_lossy(output).into_owned();
        text.push_str(&errors);
        let result = match &report.ending {
            Ending::Exited { code: 0 } => CheckResult::Passed,
            Ending::Exited { .. } => CheckResult::Failed,
            ending => return self.unfinished(ending, text),
        };
        let mut turn = Turn::failed(Outcome::Ok, "");
        turn.evidence = Some(read(result, &self.shown(), &text));
        turn.transcript = Transcript { bytes: text.into_bytes(), cut: report.stderr.left_out() > 0 };
        turn
    }

    fn unfinished(&self, ending: &Ending, text: String) -> Turn {
        let outcome = match ending {
            Ending::TimedOut { which } => Outcome::TimedOut { deadline: deadline(*which) },
            Ending::TooMuchOutput { .. } => Outcome::TooMuchOutput,
            Ending::Cancelled | Ending::Stopped => Outcome::Cancelled,
            Ending::NotFound { .. } | Ending::StartFailed { .. } => Outcome::NotInstalled,
            _ => Outcome::Crashed,
        };
        let mut turn = Turn::failed(outcome, format!("`{}` did not end by itself", self.shown()));
        turn.transcript = Transcript { bytes: text.into_bytes(), cut: false };
        turn
    }
}

fn unknown_or_gap<'a>(mut keys: impl Iterator<Item = &'a String>, index: usize) -> CheckError {
    let known = |key: &&String| **key == "program" || key.strip_prefix("arg.").is_some_and(|rest| rest.parse::<u16>().is_ok());
    match keys.find(|key| !known(key)) {
        Some(key) => CheckError::Unknown(key.clone()),
        None => CheckError::Gap(index),
    }
}

/// A build is silent for long: only the whole time counts.
fn limits(request: &TurnRequest) -> Limits {
    let total: Duration = request.deadlines.total;
    Limits {
        first_output: total,
        idle: total,
        total,
        stdout_bytes: request.caps.total,
        line_bytes: request.caps.total,
        ..Limits::default()
    }
}

fn deadline(which: baton_process::Deadline) -> Deadline {
    match which {
        baton_process::Deadline::FirstOutput => Deadline::FirstEvent,
        baton_process::Deadline::Idle => Deadline::Idle,
        baton_process::Deadline::Total => Deadline::Total,
    }
}

impl Channel for CheckChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async {
            match self.find() {
                Some(_) => Availability::Ready { version: None },
                None => Availability::NotReady { because: self.missing(), mend: "install it".into() },
            }
        })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            let Some(program) = self.find() else {
                let mut turn = Turn::failed(Outcome::Ok, "");
                turn.evidence = Some(read(CheckResult::Abstained { reason: self.missing() }, &self.shown(), ""));
                return turn;
            };
            self.run(program, request).await
        })
    }
}
