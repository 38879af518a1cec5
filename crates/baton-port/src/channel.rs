//! How a member is reached. One implementation a protocol; one instance a seat.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_core::evidence::Evidence;
use baton_core::member::Effort;
use baton_core::opinion::AnswerSchema;
use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::{Timestamp, Usage};

use crate::{BoxFuture, Cancel};

/// One seat's way to its member.
///
/// Rules for every implementation:
/// - It asks once. Retry and fallback are the core's choice; the member's own retries are switched off, or cut at the
///   first sign of one.
/// - Success is the protocol's terminal success event together with a non-empty text that is no error in disguise;
///   never an exit code or a status alone.
/// - Everything received is in the transcript, on failure too, up to the caps. No secret is in it, in `detail`, or in
///   any log.
/// - All four limits hold: first event, idle since the last payload (keep-alives do not count), total, bytes.
/// - After the returned future ends, nothing that it started is left: no process, no connection in use. Except what an
///   implementation openly keeps for the session's next turn, after a turn that ended in `ok`: bounded, and with an owner
///   who ends it.
pub trait Channel: Send + Sync {
    /// Can this seat be asked here and now? Free of cost: no model is called. Bounded in time by the implementation.
    fn probe(&self) -> BoxFuture<'_, Availability>;

    /// The directory in which its program keeps conversations, where it is on this machine and known: one that was begun
    /// there is not found from another.
    fn configuration(&self) -> Option<PathBuf> {
        None
    }

    /// One turn. Never fails: what went wrong is the turn's outcome.
    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn>;
}

/// Whether a seat can be asked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Availability {
    /// With the version of the program or server, where it tells.
    Ready {
        version: Option<String>,
    },
    NotReady {
        because: String,
        mend: HowToMend,
    },
}

/// What the user can do about it, as one sentence; empty when nothing is known.
pub type HowToMend = String;

/// The time limits of one turn.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Deadlines {
    pub first_event: Duration,
    pub idle: Duration,
    pub total: Duration,
}

/// The size limits of one turn, in bytes. Passing one ends the turn as `too_much_output`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Caps {
    /// All that is received.
    pub total: usize,
    /// One line or one event of a stream.
    pub line: usize,
}

impl Default for Caps {
    fn default() -> Self {
        Self { total: 16 << 20, line: 4 << 20 }
    }
}

/// Which conversation a turn belongs to.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum SessionUse {
    /// None: the member forgets it afterwards.
    #[default]
    None,
    /// A new one under an id chosen by us, where the member lets us choose.
    New { id: String },
    /// The one with the provider's id. Lost ones end as `session_not_found`, never silently as new.
    Resume { id: String },
}

/// One earlier turn of a conversation, for members that keep none themselves.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    pub prompt: String,
    pub answer: String,
}

/// What to ask, and within which limits.
#[derive(Clone)]
pub struct TurnRequest {
    /// The whole prompt. Goes by standard input, a private file or a request body; never as an argument.
    pub prompt: String,
    /// Overrides the seat's own effort.
    pub effort: Option<Effort>,
    /// The form that the prompt asks for at its end, for channels whose interface can hold a member to it; their turn's
    /// text is as if the member had written it. Others leave it to the prompt.
    pub schema: Option<AnswerSchema>,
    pub session: SessionUse,
    /// All earlier exchanges of the session, oldest first. By it a process that was kept for the session sees that
    /// nobody else went on with it; without it, it is not used again.
    pub history: Vec<Exchange>,
    /// Where a member that can read files is started.
    pub directory: PathBuf,
    pub deadlines: Deadlines,
    pub caps: Caps,
    pub cancel: Cancel,
    pub progress: Arc<dyn ProgressSink>,
}

/// A sign of life. Lossy: for the live view only, never journalled.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Progress {
    /// The request is on its way, or the program runs.
    Started,
    /// The member shows that it works on it.
    Thinking,
    /// This many more bytes of the answer came in.
    Text { bytes: usize },
    /// What the member does, in a few words: a tool it uses, a file it reads.
    Doing(String),
}

pub trait ProgressSink: Send + Sync {
    fn report(&self, progress: Progress);
}

/// All bytes received in a turn, in order of arrival, cut at the cap.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Transcript {
    pub bytes: Vec<u8>,
    /// More came than was kept.
    pub cut: bool,
}

/// When a used-up quota opens again, as the member says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Opens {
    At(Timestamp),
    AfterMs(u64),
}

/// How one turn ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Turn {
    pub outcome: Outcome,
    /// The answer. With `partial`, as far as it came; it is kept and never counted.
    pub text: Option<String>,
    /// What went wrong, in the member's words or ours, short and without secrets.
    pub detail: String,
    /// This turn's alone, also where the member counts up. `None` where it does not tell.
    pub usage: Option<Usage>,
    pub provenance: Provenance,
    pub transcript: Transcript,
    /// Set by checks, and only by them.
    pub evidence: Option<Evidence>,
    /// With `quota_exhausted`, where the member says it.
    pub opens: Option<Opens>,
}

impl Turn {
    /// A turn that ended without an answer.
    #[must_use]
    pub fn failed(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self {
            outcome,
            text: None,
            detail: detail.into(),
            usage: None,
            provenance: Provenance::default(),
            transcript: Transcript::default(),
            evidence: None,
            opens: None,
        }
    }
}
