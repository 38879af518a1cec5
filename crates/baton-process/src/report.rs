//! What happened, as data.

use std::borrow::Cow;
use std::io;
use std::time::Duration;

use crate::capped::Capped;

/// One line of standard output, at most [`crate::Limits::line_bytes`] long. Untrusted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Line<'a> {
    /// The line without its newline; a carriage return before that stays.
    pub bytes: &'a [u8],
    /// False for the last line when the output ended without a newline.
    pub terminated: bool,
}

impl<'a> Line<'a> {
    /// The line as text; bytes that are no UTF-8 become U+FFFD.
    #[must_use]
    pub fn text(&self) -> Cow<'a, str> {
        String::from_utf8_lossy(self.bytes)
    }
}

/// The answer to a line: how the run goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Flow {
    /// Nothing of worth: the idle clock runs on. For keep-alives, banners and noise.
    Continue,
    /// A sign of progress: the idle clock starts anew.
    Payload,
    /// Enough: the child is stopped and no more lines are delivered. The run ends in [`Ending::Stopped`].
    Stop,
    /// The terminal event: the child's input is closed, it may leave by itself within [`crate::Limits::grace`], and is
    /// stopped otherwise. Later lines are still delivered, but their answers count only when they are [`Flow::Stop`].
    Finished,
}

/// How a run ended.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Ending {
    /// The child exited by itself.
    Exited {
        /// Its exit code. Zero says little: many agents exit 0 after an error.
        code: i32,
    },
    /// A signal that was not ours ended the child.
    Signalled {
        /// The signal's number.
        signal: i32,
    },
    /// After [`Flow::Finished`] the child stayed and was stopped. Not a failure.
    Lingered,
    /// A deadline passed and the child was stopped.
    TimedOut {
        /// The deadline.
        which: Deadline,
    },
    /// The caller's `cancel` came true and the child was stopped.
    Cancelled,
    /// The child wrote more than allowed and was stopped.
    TooMuchOutput {
        /// The limit.
        which: Overflow,
    },
    /// The caller answered a line with [`Flow::Stop`], or [`crate::Command::stop_at_stderr`] applied, and the child
    /// was stopped.
    Stopped,
    /// There is no such program, or its interpreter is missing.
    NotFound {
        /// The system's words.
        error: String,
    },
    /// The program exists and could not be started.
    StartFailed {
        /// The system's words.
        error: String,
    },
    /// The child was started, and its end was not seen: the shim was killed. Its process group was killed.
    Lost,
}

impl Ending {
    pub(crate) fn not_started(error: &io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::NotFound => Self::NotFound { error: error.to_string() },
            _ => Self::StartFailed { error: error.to_string() },
        }
    }
}

impl From<Exit> for Ending {
    fn from(exit: Exit) -> Self {
        match exit {
            Exit::Code(code) => Self::Exited { code },
            Exit::Signal(signal) => Self::Signalled { signal },
        }
    }
}

/// A limit in time; see [`crate::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Deadline {
    /// Nothing was written in time.
    FirstOutput,
    /// No payload came for too long.
    Idle,
    /// The run took too long.
    Total,
}

/// A limit in bytes; see [`crate::Limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Overflow {
    /// All of standard output.
    Stdout,
    /// One line of it.
    Line,
}

/// How the child itself left, whoever caused it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Exit {
    /// By an exit code.
    Code(i32),
    /// By a signal.
    Signal(i32),
}

/// The account of one run.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Report {
    /// How the run ended.
    pub ending: Ending,
    /// How the child itself left, when that is known; also set after we stopped it.
    pub exit: Option<Exit>,
    /// Whether a line was answered with [`Flow::Finished`].
    pub finished: bool,
    /// The child's process id, which is also the id of its process group, once it was started.
    pub pid: Option<u32>,
    /// Bytes read from standard output, including those after a stop, which nobody saw.
    pub stdout_bytes: u64,
    /// Standard error, head and tail.
    pub stderr: Capped,
    /// Whether the output ended inside a line; that piece was delivered with [`Line::terminated`] false.
    pub ended_mid_line: bool,
    /// Whether the child took all of its input.
    pub stdin_taken: bool,
    /// From the start to the first byte on standard output.
    pub first_output: Option<Duration>,
    /// From the start to the end.
    pub elapsed: Duration,
}

impl Report {
    /// The exit code, when the child left by itself with one.
    #[must_use]
    pub fn exit_code(&self) -> Option<i32> {
        match self.ending {
            Ending::Exited { code } => Some(code),
            _ => None,
        }
    }

    pub(crate) fn not_started(ending: Ending) -> Self {
        Self {
            ending,
            exit: None,
            finished: false,
            pid: None,
            stdout_bytes: 0,
            stderr: Capped::default(),
            ended_mid_line: false,
            stdin_taken: false,
            first_output: None,
            elapsed: Duration::ZERO,
        }
    }
}
