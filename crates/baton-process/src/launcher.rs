//! Starts a command and stays with it to the end.

use std::ffi::OsString;
use std::future::Future;
use std::io;
use std::path::PathBuf;

use crate::command::Command;
use crate::platform;
use crate::report::{Ending, Flow, Line, Report};

/// The program that calls [`crate::shim::main`]: baton itself with a hidden subcommand. The launcher appends its own
/// arguments to `arguments`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shim {
    /// An absolute path.
    pub program: PathBuf,
    /// What selects the shim in that program.
    pub arguments: Vec<OsString>,
}

/// Starts children. One launcher serves any number of runs at once.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Launcher {
    shim: Option<Shim>,
}

impl Launcher {
    /// With a shim: no descendant of a child outlives its run or this process.
    #[must_use]
    pub fn with_shim(shim: Shim) -> Self {
        Self { shim: Some(shim) }
    }

    /// Without: only the child's process group is ended, and nobody ends it when this process is killed.
    #[must_use]
    pub fn without_shim() -> Self {
        Self { shim: None }
    }

    /// Starts `command` and returns when it and its descendants are gone; the crate's documentation says what holds.
    ///
    /// `on_line` is called for each line of standard output, in order, on the task that polls this future. `cancel`
    /// coming true stops the child. Must run inside a tokio runtime with I/O and time. Dropping the future ends the
    /// child too, but then nobody waits for that end.
    pub async fn run(
        &self,
        command: Command,
        cancel: impl Future<Output = ()>,
        on_line: &mut (dyn FnMut(Line<'_>) -> Flow + Send),
    ) -> Report {
        match check(&command) {
            Ok(()) => platform::run(self.shim.as_ref(), command, cancel, on_line).await,
            Err(ending) => Report::not_started(ending),
        }
    }

    /// Runs `command` and returns its whole standard output, at most [`crate::Limits::stdout_bytes`], byte for byte.
    /// For programs whose output is no stream of events, such as git and checks: every line counts as payload, and no
    /// line is too long.
    pub async fn output(&self, mut command: Command, cancel: impl Future<Output = ()>) -> (Report, Vec<u8>) {
        command.limits.line_bytes = command.limits.stdout_bytes;
        let mut output = Vec::new();
        let report = self
            .run(command, cancel, &mut |line| {
                output.extend_from_slice(line.bytes);
                if line.terminated {
                    output.push(b'\n');
                }
                Flow::Payload
            })
            .await;
        (report, output)
    }
}

/// Finds what the system would report in words that fit two causes: a missing directory looks like a missing program.
fn check(command: &Command) -> Result<(), Ending> {
    if !command.program.is_absolute() {
        let error = format!("{}: not an absolute path", command.program.display());
        return Err(Ending::StartFailed { error });
    }
    if !command.directory.is_dir() {
        let error = format!("{}: not a directory to work in", command.directory.display());
        return Err(Ending::StartFailed { error });
    }
    match std::fs::metadata(&command.program) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Err(Ending::not_started(&error)),
        _ => Ok(()),
    }
}
