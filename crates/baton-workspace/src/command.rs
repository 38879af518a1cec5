//! One of the user's commands, run in a copy and in the sandbox.

use std::ffi::OsString;
use std::time::Duration;

use baton_core::evidence::could_not_run;
use baton_core::ids::MemberId;
use baton_port::TurnRequest;
use baton_process::{Command, Ending, Limits, Report, find_program};
use serde::{Deserialize, Serialize};

use crate::Workshop;
use crate::sandbox::{Room, Sandbox};
use crate::worktree::Worktree;

/// One of the user's checks, as it is run with what a model wrote.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCommand {
    pub id: MemberId,
    /// A name to be found on the `PATH` or an absolute path, then its arguments. No shell is involved.
    pub words: Vec<String>,
    pub total_ms: u64,
}

impl CheckCommand {
    /// The command on one line, as it is shown.
    #[must_use]
    pub fn shown(&self) -> String {
        self.words.join(" ")
    }
}

/// How a command ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Ended {
    Passed,
    Failed,
    /// It hung or flooded, and was ended.
    Stopped(&'static str),
    /// It was not run, or not to its end: nothing follows.
    Silent(String),
}

/// How a command ended, and all that it wrote.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Run {
    pub(crate) ended: Ended,
    pub(crate) text: String,
}

impl Run {
    fn silent(because: impl Into<String>) -> Self {
        Self { ended: Ended::Silent(because.into()), text: String::new() }
    }
}

/// Runs a command in a copy. Without a sandbox it is not run.
pub(crate) async fn run(shop: &Workshop, check: &CheckCommand, worktree: &Worktree, request: &TurnRequest) -> Run {
    let sandbox = match shop.sandbox().await {
        Ok(sandbox) => sandbox,
        Err(refusal) => {
            let because = &refusal.because;
            return Run::silent(format!("there is no sandbox here ({because}), so this was shown and not run"));
        }
    };
    let command = match prepare(check, shop, sandbox, worktree) {
        Ok(command) => command.limits(limits(check, request.caps.total)),
        Err(because) => return Run::silent(because),
    };
    let (report, output) = shop.launcher.output(command, request.cancel.requested()).await;
    ended(&report, &output)
}

/// A command of the user's as it is run in a copy; why not, where it cannot be.
pub(crate) fn prepare(
    check: &CheckCommand,
    shop: &Workshop,
    sandbox: &Sandbox,
    worktree: &Worktree,
) -> Result<Command, String> {
    let (name, arguments) = check.words.split_first().ok_or("it names no program")?;
    let program = find_program(name, shop.path()).ok_or_else(|| format!("the program `{name}` is not on the PATH"))?;
    let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
    let private = worktree.private().map_err(|error| error.to_string())?;
    let room = Room { tree: worktree.tree(), private: &private, start: worktree.directory() };
    sandbox.command(&program, &arguments, &room)
}

pub(crate) fn limits(check: &CheckCommand, most_bytes: usize) -> Limits {
    Limits {
        first_output: Limits::UNLIMITED,
        idle: Limits::UNLIMITED,
        total: Duration::from_millis(check.total_ms),
        stdout_bytes: most_bytes,
        ..Limits::default()
    }
}

fn ended(report: &Report, output: &[u8]) -> Run {
    let errors = report.stderr.text();
    let text = format!("{}{errors}", String::from_utf8_lossy(output));
    let ended = match &report.ending {
        Ending::Exited { code: 0 } => Ended::Passed,
        Ending::Exited { code } => match why_silent(*code, &errors, &text) {
            Some(because) => Ended::Silent(because),
            None => Ended::Failed,
        },
        Ending::TimedOut { .. } => Ended::Stopped("it took too long"),
        Ending::TooMuchOutput { .. } => Ended::Stopped("it wrote too much"),
        other => Ended::Silent(format!("it could not be run to its end: {other:?}")),
    };
    Run { ended, text }
}

/// An exit that says something of the place, and nothing of what was run.
fn why_silent(code: i32, errors: &str, text: &str) -> Option<String> {
    match Sandbox::not_furnished(code, errors) {
        Some(because) => Some(format!("the sandbox could not be built: {because}")),
        None => could_not_run(code, text),
    }
}
