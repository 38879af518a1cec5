//! How a turn ended, as a closed set of classes, each with a decision of what may follow.

use serde::{Deserialize, Serialize};

/// Which of the time limits was passed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Deadline {
    FirstEvent,
    Idle,
    Total,
}

/// How a turn ended. Never read from an exit code or a status alone: each channel says in its docs what it looks at.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case", tag = "class")]
pub enum Outcome {
    /// The channel's terminal success was seen, with an answer that is no error in disguise.
    Ok,
    /// The answer broke off.
    Partial,
    /// No login, or a key that is not accepted.
    Auth,
    /// Too many requests; the member says when to come back, if it says so.
    RateLimited {
        #[serde(default, skip_serializing_if = "Option::is_none")]
        retry_after_ms: Option<u64>,
    },
    /// The plan or the balance is used up.
    QuotaExhausted,
    /// The member's own service failed.
    Overloaded,
    ContextTooLong,
    /// The model declined.
    Refused,
    Empty,
    /// Bytes that are not of the protocol.
    Unreadable,
    Crashed,
    TimedOut {
        deadline: Deadline,
    },
    TooMuchOutput,
    /// The program, the server or the model is not there.
    NotInstalled,
    UntrustedDirectory,
    SessionNotFound,
    /// The request itself was turned down: a wrong model name or setting.
    Rejected,
    Cancelled,
    /// The process that ran it died before the end was recorded: whether it was answered, and paid, is not known.
    InDoubt,
}

/// What may follow a failed attempt.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Retry {
    Never,
    /// The same member, not before this many milliseconds; another one when there is no time for it.
    SameMember {
        after_ms: u64,
    },
    OtherMember,
}

/// The longest wait for a member that says when to come back; beyond it another one is asked.
pub(crate) const LONGEST_WAIT_MS: u64 = 20_000;

impl Outcome {
    #[must_use]
    pub const fn is_ok(&self) -> bool {
        matches!(self, Self::Ok)
    }

    /// The decision for each class. No wildcard: a new class must be decided here.
    #[must_use]
    pub const fn retry(&self) -> Retry {
        match self {
            Self::Ok | Self::Cancelled => Retry::Never,
            Self::RateLimited { retry_after_ms: Some(after_ms) } if *after_ms <= LONGEST_WAIT_MS => {
                Retry::SameMember { after_ms: *after_ms }
            }
            Self::Overloaded => Retry::SameMember { after_ms: 1_000 },
            Self::InDoubt => Retry::SameMember { after_ms: 0 },
            Self::RateLimited { .. }
            | Self::Partial
            | Self::Auth
            | Self::QuotaExhausted
            | Self::ContextTooLong
            | Self::Refused
            | Self::Empty
            | Self::Unreadable
            | Self::Crashed
            | Self::TimedOut { .. }
            | Self::TooMuchOutput
            | Self::NotInstalled
            | Self::UntrustedDirectory
            | Self::SessionNotFound
            | Self::Rejected => Retry::OtherMember,
        }
    }

    /// Nothing is charged for an attempt that was turned away before the model began.
    #[must_use]
    pub const fn is_free(&self) -> bool {
        matches!(
            self,
            Self::Auth
                | Self::RateLimited { .. }
                | Self::QuotaExhausted
                | Self::ContextTooLong
                | Self::NotInstalled
                | Self::UntrustedDirectory
                | Self::SessionNotFound
                | Self::Rejected
        )
    }

    /// The class in a word or two, for screens.
    #[must_use]
    pub const fn label(&self) -> &'static str {
        match self {
            Self::Ok => "ok",
            Self::Partial => "answer broke off",
            Self::Auth => "login or key refused",
            Self::RateLimited { .. } => "rate limited",
            Self::QuotaExhausted => "quota used up",
            Self::Overloaded => "overloaded",
            Self::ContextTooLong => "context too long",
            Self::Refused => "refused",
            Self::Empty => "empty answer",
            Self::Unreadable => "unreadable reply",
            Self::Crashed => "crashed",
            Self::TimedOut { deadline: Deadline::FirstEvent } => "no sign of life",
            Self::TimedOut { deadline: Deadline::Idle } => "fell silent",
            Self::TimedOut { deadline: Deadline::Total } => "took too long",
            Self::TooMuchOutput => "too much output",
            Self::NotInstalled => "not there",
            Self::UntrustedDirectory => "directory not trusted",
            Self::SessionNotFound => "session not found",
            Self::Rejected => "request rejected",
            Self::Cancelled => "cancelled",
            Self::InDoubt => "in doubt",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_short_wait_is_waited_and_a_long_one_is_not() {
        let after = |ms| Outcome::RateLimited { retry_after_ms: ms }.retry();
        assert_eq!(after(Some(1_000)), Retry::SameMember { after_ms: 1_000 });
        assert_eq!(after(Some(1_000_000_000)), Retry::OtherMember);
        assert_eq!(after(None), Retry::OtherMember);
    }

    #[test]
    fn the_stored_form_is_stable() {
        let text = serde_json::to_string(&Outcome::TimedOut { deadline: Deadline::FirstEvent }).unwrap();
        assert_eq!(text, r#"{"class":"timed_out","deadline":"first_event"}"#);
        assert_eq!(serde_json::to_string(&Outcome::Ok).unwrap(), r#"{"class":"ok"}"#);
    }
}
