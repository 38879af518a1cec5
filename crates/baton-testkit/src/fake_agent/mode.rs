//! Ways to behave.

use serde::{Deserialize, Serialize};

/// What the fake agent does with a turn. All but the first are faults, most of them seen in real agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Mode {
    /// Answers as the real program does, exit 0.
    #[default]
    Answer,
    /// Says nothing, exit 0.
    EmptyOutput,
    /// A complete answer, exit 1.
    AnswerThenExitOne,
    /// The text of an error in the shape of an answer, exit 0.
    ErrorAsAnswer,
    /// A complete answer up to its terminal event, which is missing, exit 0.
    LosesTail,
    /// Dies by SIGSEGV after its first event.
    Segfault,
    /// Dies by SIGKILL after its first event.
    KillsItself,
    /// Closes standard output after its first event and stays.
    ClosesStdout,
    /// Answers without a look at standard input.
    NeverReadsStdin,
    /// Writes `bytes` to standard error, then answers.
    StderrFlood,
    /// Writes one line of `bytes`, then answers.
    LongLine,
    /// Writes lines of `bytes` in all, then answers.
    StdoutFlood,
    /// Answers and exits, and leaves a child that holds standard output and error open.
    GrandchildHoldsPipe,
    /// Writes its first event, ignores TERM and INT, and stays.
    IgnoresTerm,
    /// Answers and exits, and leaves a child that went into a session of its own.
    Daemonises,
    /// Starts `children` children, every second one in a session of its own, then writes its first event and
    /// stays.
    ManyChildren,
    /// Breaks off inside an event, exit 0.
    HalfLine,
    /// Writes bytes that are no UTF-8, then answers.
    InvalidUtf8,
    /// Writes NUL bytes, then answers.
    NulBytes,
    /// Writes `bytes` of terminal escapes in lines, then answers.
    AnsiFlood,
    /// Writes the file `outside`, then answers.
    WritesOutside,
    /// Exits 0 within about a millisecond: reads nothing, says nothing.
    ExitsAtOnce,
    /// Stays and says nothing.
    SilentForever,
    /// Writes its first event and stays.
    SilentAfterFirst,
    /// Writes signs of life for ever.
    KeepAliveForever,
    /// A complete answer, and stays.
    StaysAfterAnswer,
    /// Asks at standard output whether to install an update, and waits for an answer that never comes.
    UpdatePrompt,
    /// Reports that it is not logged in.
    AuthError,
    /// Reports a rate limit that ends in `retry_after_seconds`.
    RateLimited,
    /// Reports that the service has too much to do.
    Overloaded,
    /// Reports one retry after another, for ever.
    RetriesForever,
    /// Reports that the prompt is too long.
    ContextTooLong,
    /// Reports that it does not know the session.
    SessionNotFound,
    /// Refuses to work in a directory that nobody trusted (exit 55 for Gemini).
    UntrustedDirectory,
    /// Writes a line that is no event, then answers.
    Banner,
}

impl Mode {
    /// Every mode.
    pub const ALL: [Self; 35] = [
        Self::Answer,
        Self::EmptyOutput,
        Self::AnswerThenExitOne,
        Self::ErrorAsAnswer,
        Self::LosesTail,
        Self::Segfault,
        Self::KillsItself,
        Self::ClosesStdout,
        Self::NeverReadsStdin,
        Self::StderrFlood,
        Self::LongLine,
        Self::StdoutFlood,
        Self::GrandchildHoldsPipe,
        Self::IgnoresTerm,
        Self::Daemonises,
        Self::ManyChildren,
        Self::HalfLine,
        Self::InvalidUtf8,
        Self::NulBytes,
        Self::AnsiFlood,
        Self::WritesOutside,
        Self::ExitsAtOnce,
        Self::SilentForever,
        Self::SilentAfterFirst,
        Self::KeepAliveForever,
        Self::StaysAfterAnswer,
        Self::UpdatePrompt,
        Self::AuthError,
        Self::RateLimited,
        Self::Overloaded,
        Self::RetriesForever,
        Self::ContextTooLong,
        Self::SessionNotFound,
        Self::UntrustedDirectory,
        Self::Banner,
    ];

    /// Whether standard input is left unread in this mode.
    pub(crate) fn leaves_stdin(self) -> bool {
        matches!(self, Self::NeverReadsStdin | Self::ExitsAtOnce | Self::UpdatePrompt)
    }
}
