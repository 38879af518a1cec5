//! What to start, as data.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::fmt;
use std::path::{Path, PathBuf};
use std::time::Duration;

use tokio::sync::mpsc;

use crate::vitals::Vitals;

/// A program, its arguments, its whole environment, its directory, its input and its limits.
///
/// Arguments are visible to every user of the machine: prompts and secrets belong into [`Stdin`], a private file or
/// the environment. `Debug` shows neither values of the environment nor bytes of the input.
pub struct Command {
    pub(crate) program: PathBuf,
    pub(crate) arguments: Vec<OsString>,
    pub(crate) environment: BTreeMap<OsString, OsString>,
    pub(crate) directory: PathBuf,
    pub(crate) stdin: Stdin,
    pub(crate) limits: Limits,
    pub(crate) stop_words: Vec<String>,
    pub(crate) vitals: Vitals,
}

impl Command {
    /// `program` must be an absolute path (see [`crate::find_program`]) and `directory` an existing directory;
    /// otherwise the run ends in [`crate::Ending::NotFound`] or [`crate::Ending::StartFailed`]. The environment starts
    /// empty, the input too.
    pub fn new(program: impl Into<PathBuf>, directory: impl Into<PathBuf>) -> Self {
        Self {
            program: program.into(),
            arguments: Vec::new(),
            environment: BTreeMap::new(),
            directory: directory.into(),
            stdin: Stdin::Empty,
            limits: Limits::default(),
            stop_words: Vec::new(),
            vitals: Vitals::default(),
        }
    }

    /// Appends one argument.
    #[must_use]
    pub fn arg(mut self, argument: impl Into<OsString>) -> Self {
        self.arguments.push(argument.into());
        self
    }

    /// Appends arguments.
    #[must_use]
    pub fn args<A: Into<OsString>>(mut self, arguments: impl IntoIterator<Item = A>) -> Self {
        self.arguments.extend(arguments.into_iter().map(Into::into));
        self
    }

    /// Sets one variable, replacing an earlier value.
    #[must_use]
    pub fn env(mut self, name: impl Into<OsString>, value: impl Into<OsString>) -> Self {
        self.environment.insert(name.into(), value.into());
        self
    }

    /// Sets variables, replacing earlier values; see [`crate::environment::inherited`].
    #[must_use]
    pub fn envs(mut self, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        self.environment.extend(variables);
        self
    }

    /// Sets the input. Without this call it is empty.
    #[must_use]
    pub fn stdin(mut self, stdin: Stdin) -> Self {
        self.stdin = stdin;
        self
    }

    /// Sets the limits.
    #[must_use]
    pub fn limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Stops the child, as [`crate::Flow::Stop`] does, as soon as standard error holds one of these texts. For agents that tell of their own endless retries only there.
    #[must_use]
    pub fn stop_at_stderr(mut self, texts: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.stop_words = texts.into_iter().map(Into::into).collect();
        self
    }

    /// Lets the run be seen from outside while it goes on.
    #[must_use]
    pub fn vitals(mut self, vitals: Vitals) -> Self {
        self.vitals = vitals;
        self
    }

    /// The program's path.
    #[must_use]
    pub fn program(&self) -> &Path {
        &self.program
    }

    /// The arguments, without the program.
    #[must_use]
    pub fn arguments(&self) -> &[OsString] {
        &self.arguments
    }

    /// The whole environment of the child.
    #[must_use]
    pub fn environment(&self) -> &BTreeMap<OsString, OsString> {
        &self.environment
    }

    /// The working directory of the child.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }
}

impl fmt::Debug for Command {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<&OsStr> = self.environment.keys().map(OsString::as_os_str).collect();
        formatter
            .debug_struct("Command")
            .field("program", &self.program)
            .field("arguments", &self.arguments)
            .field("environment_names", &names)
            .field("directory", &self.directory)
            .field("stdin", &self.stdin)
            .field("limits", &self.limits)
            .field("stop_at_stderr", &self.stop_words)
            .finish()
    }
}

/// What the child can read from its standard input. In every case it meets the end of input sooner or later; a child
/// that stops reading, or never starts, is no failure.
pub enum Stdin {
    /// The end of input at once.
    Empty,
    /// These bytes, then the end of input.
    Bytes(Vec<u8>),
    /// What the [`Input`] sends, until its last clone is dropped; then the end of input.
    Open(InputQueue),
}

impl Stdin {
    /// An input that stays open, for programs that hold a conversation.
    #[must_use]
    pub fn open() -> (Self, Input) {
        let (sender, receiver) = mpsc::unbounded_channel();
        (Self::Open(InputQueue(receiver)), Input(sender))
    }
}

impl fmt::Debug for Stdin {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Empty => formatter.write_str("Empty"),
            Self::Bytes(bytes) => write!(formatter, "Bytes({} bytes)", bytes.len()),
            Self::Open(_) => formatter.write_str("Open"),
        }
    }
}

/// The receiving side of an [`Input`], made by [`Stdin::open`].
pub struct InputQueue(pub(crate) mpsc::UnboundedReceiver<Vec<u8>>);

/// Writes to a running child. Clones write to the same child; each `send` arrives in one piece.
#[derive(Clone)]
pub struct Input(mpsc::UnboundedSender<Vec<u8>>);

impl Input {
    /// Queues bytes for the child and returns at once, also when the child does not read; what waits is held in
    /// memory. An error says that the run is over or that the child closed its input.
    pub fn send(&self, bytes: impl Into<Vec<u8>>) -> Result<(), InputClosed> {
        self.0.send(bytes.into()).map_err(|_| InputClosed)
    }
}

/// The child takes no more input.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InputClosed;

impl fmt::Display for InputClosed {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("the program takes no more input")
    }
}

impl std::error::Error for InputClosed {}

/// The bounds of a run. Durations are measured by a monotonic clock; [`Limits::UNLIMITED`] switches one off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Limits {
    /// From the start to the first byte on standard output.
    pub first_output: Duration,
    /// From the first byte, and then from each line answered with [`crate::Flow::Payload`], to the next such line.
    pub idle: Duration,
    /// From the start to the exit.
    pub total: Duration,
    /// Bytes on standard output, in all.
    pub stdout_bytes: usize,
    /// Bytes of standard error that are kept: the first half from its head, the other from its tail. More is read and
    /// dropped, never a failure.
    pub stderr_bytes: usize,
    /// Bytes in one line of standard output.
    pub line_bytes: usize,
    /// From TERM to KILL; also how long a child may stay after [`crate::Flow::Finished`].
    pub grace: Duration,
    /// How long output is read after the child's exit while a descendant holds it open.
    pub drain: Duration,
}

impl Limits {
    /// No limit in time.
    pub const UNLIMITED: Duration = Duration::MAX;
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            first_output: Duration::from_secs(60),
            idle: Duration::from_secs(300),
            total: Duration::from_secs(1800),
            stdout_bytes: 16 << 20,
            stderr_bytes: 1 << 20,
            line_bytes: 4 << 20,
            grace: Duration::from_secs(2),
            drain: Duration::from_millis(500),
        }
    }
}
