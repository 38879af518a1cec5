//! What ends a command without a decision: a class with its exit code, a message, and the way out.

use baton_engine::EngineError;
use baton_port::StoreError;

/// The exit codes, as documented in the README.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(i32)]
pub(crate) enum Exit {
    Ok = 0,
    BadInput = 2,
    Configuration = 3,
    NoMember = 4,
    Store = 5,
    AllFailed = 6,
    Budget = 7,
    Caution = 10,
    Review = 11,
    Conflict = 12,
    NoQuorum = 13,
    Cancelled = 130,
}

/// Why a command could not do what it was asked, for people.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) exit: Exit,
    pub(crate) message: String,
    pub(crate) hints: Vec<String>,
    /// Another process holds what was asked for.
    pub(crate) busy: bool,
}

impl Failure {
    pub(crate) fn new(exit: Exit, message: impl Into<String>) -> Self {
        Self { exit, message: message.into(), hints: Vec::new(), busy: false }
    }

    pub(crate) fn input(message: impl Into<String>) -> Self {
        Self::new(Exit::BadInput, message)
    }

    pub(crate) fn configuration(message: impl Into<String>) -> Self {
        Self::new(Exit::Configuration, message)
    }

    #[must_use]
    pub(crate) fn hint(mut self, hint: impl Into<String>) -> Self {
        self.hints.push(hint.into());
        self
    }
}

/// In the user's words: a lease and its owner are the store's.
fn said(error: &StoreError) -> String {
    match error {
        StoreError::Busy { owner } => match owner.split(' ').nth(2) {
            Some(process) => format!("another baton (process {process}) works on this run"),
            None => "another baton works on this run".to_owned(),
        },
        other => other.to_string(),
    }
}

impl From<StoreError> for Failure {
    fn from(error: StoreError) -> Self {
        let failure = Self::new(Exit::Store, said(&error));
        match error {
            StoreError::Newer { .. } => failure.hint("install the newer baton again; nothing was changed"),
            StoreError::ReadOnly(_) => failure.hint("set BATON_HOME to a directory that you can write to"),
            StoreError::Full => failure.hint("free some room, then `baton resume`"),
            StoreError::Damaged(_) => {
                failure.hint("nothing was changed; move the file away to begin a new store, and keep it for recovery")
            }
            StoreError::Busy { .. } | StoreError::Fenced => {
                Self { busy: true, ..failure }.hint("wait for it; `baton cancel RUN` stops it")
            }
            StoreError::Failed(_) => failure.hint("set BATON_HOME to another directory if this one cannot be used"),
            StoreError::Conflict { .. } => failure,
        }
    }
}

impl From<EngineError> for Failure {
    fn from(error: EngineError) -> Self {
        match error {
            EngineError::Store(error) => error.into(),
            EngineError::NoSuchRun(_) => Self::input(error.to_string()).hint("`baton runs` lists them"),
            EngineError::NotWaiting(_) | EngineError::Feedback(_) => Self::input(error.to_string()),
            EngineError::Prompt(_) => Self::configuration(error.to_string()),
            EngineError::Chain(_) | EngineError::Codec(_) | EngineError::Illegal(_) | EngineError::Encode(_) => {
                Self::new(Exit::Store, error.to_string()).hint("`baton verify RUN` tells more")
            }
        }
    }
}
