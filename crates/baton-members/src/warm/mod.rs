//! Processes that stay for the next turn of their session: one pool for all programs that can.
//!
//! A [`Pool`] belongs to one baton process. A channel that was given one ([`crate::Tools::with_pool`]) asks turns of a
//! session through it; turns without a session, and seats with `keep_warm = "0"`, are one process each as ever.
//!
//! What holds:
//!
//! - A process is kept for one seat and one session, and only after a turn that ended in `ok`. After an error, a
//!   limit or a cancelled turn it is ended before the turn is returned.
//! - It is used again only by a turn of the same seat, session, directory and, where the program takes it at its
//!   start, effort; and only where [`baton_port::TurnRequest::history`] says that the session went on with nothing but
//!   what this process said. Otherwise it is ended first, and another one resumes the session.
//! - A kept process that died is replaced by one fresh start, which resumes, within the same turn; but only where not
//!   one byte of the prompt was taken by its pipe. Otherwise the turn is `crashed`, or `partial` with what came.
//! - It is ended when it rested for the seat's `keep_warm`, when the pool holds more than [`Limits::most`] resting ones
//!   (the least recently used goes), when its group is larger than [`Limits::process_bytes`] after a turn, when memory
//!   is short, when its session ends ([`Pool::end_session`]), and when baton ends ([`Pool::close`], which waits for
//!   all). Dropping the pool ends all too, without waiting. To end means: its input is closed, and it has
//!   half a second; then TERM, a grace, KILL.
//! - Two turns of one session at once: neither process is kept, for each would miss what the other said.
//! - Limits of a turn ([`baton_port::Deadlines`], [`baton_port::Caps`]) hold for each turn by itself. What a process
//!   says between turns is no part of any transcript; it may not exceed the caps either.
//! - Standard error is in the transcript of turns that ended their process only: nothing tells to which turn it belongs.
//!
//! # Memory
//!
//! Every start of a program, also for a single turn, passes the pool's gate. A start is let in when the free memory
//! ([`baton_process::free_memory`]) less what others that were let in are still expected to take
//! ([`Limits::start_bytes`] − their resident bytes) leaves [`Limits::start_bytes`] + [`Limits::spare_bytes`].
//! Otherwise resting processes are ended, the least recently used first; then it waits while another process runs, for
//! that one's end gives memory back, at most for the turn's first deadline; and is refused as `overloaded` when none
//! does. Where the system does not tell its free memory, nothing is refused.

mod exchange;
mod gate;
mod pool;
mod process;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::time::Duration;

use baton_core::member::{Effort, Member};
use baton_core::outcome::Outcome;
use baton_port::{Progress, SessionUse, Turn, TurnRequest};
use baton_process::{Command, Flow};
use tempfile::TempDir;

use crate::cli::{End, Refusal, SettingError};

pub(crate) use gate::Place;
pub use gate::{FreeMemory, Limits};
pub use pool::Pool;

/// How long a seat's process rests before it is ended, without a setting.
pub const KEEP_WARM: Duration = Duration::from_secs(300);

/// One conversation with a process that stays, as a state machine: lines in, bytes out. Pure.
pub trait Talk: Send {
    /// The first bytes of the process's first turn.
    fn open(&mut self) -> Vec<u8>;

    /// The first bytes of a later turn; what the last one left is forgotten.
    fn go_on(&mut self, request: &TurnRequest) -> Vec<u8>;

    fn line(&mut self, line: &[u8]) -> Reply;

    /// The wish to stop, as bytes for the program. `None` where the end of the process is the only way.
    fn cancel(&mut self) -> Option<Vec<u8>>;

    /// The turn, when no limit and no wish of ours ended it.
    fn finish(&self, end: End<'_>) -> Turn;

    /// The turn in the other case.
    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn;
}

/// The answer to one line.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Reply {
    /// [`Flow::Finished`] ends the turn and not the process.
    pub flow: Flow,
    pub progress: Vec<Progress>,
    /// Bytes for the program; may be empty.
    pub send: Vec<u8>,
}

impl Reply {
    pub(crate) fn quiet(flow: Flow) -> Self {
        Self { flow, progress: Vec::new(), send: Vec::new() }
    }

    pub(crate) fn send(send: Vec<u8>) -> Self {
        Self { send, ..Self::quiet(Flow::Payload) }
    }

    pub(crate) fn progress(progress: Progress) -> Self {
        Self { progress: vec![progress], ..Self::quiet(Flow::Payload) }
    }
}

/// What is started, and what must live as long as it runs.
pub(crate) struct Start {
    pub(crate) program: PathBuf,
    /// Without input and limits.
    pub(crate) command: Command,
    pub(crate) secrets: Vec<Vec<u8>>,
    pub(crate) private: Option<TempDir>,
    pub(crate) talk: Box<dyn Talk>,
}

/// A seat whose program can stay.
pub(crate) trait Seat: Send + Sync {
    /// How long it rests before it is ended.
    fn keep_warm(&self) -> Duration;

    /// What a process must have been started with to serve this turn.
    fn identity(&self, request: &TurnRequest) -> Identity;

    fn start(&self, request: &TurnRequest) -> Result<Start, Refusal>;
}

/// See [`Seat::identity`].
#[derive(Clone, Debug, PartialEq)]
pub(crate) struct Identity {
    pub(crate) member: Member,
    /// Where it is an argument.
    pub(crate) effort: Option<Effort>,
    pub(crate) directory: PathBuf,
}

/// A seat's pool, and how long its processes rest there.
#[derive(Clone, Debug)]
pub(crate) struct Warmth {
    /// Without one every turn is a process, and starts are not bounded.
    pub(crate) pool: Option<Pool>,
    member: Member,
    pub(crate) keep_warm: Duration,
}

impl Warmth {
    pub(crate) fn new(member: &Member, keep_warm: Duration) -> Self {
        Self { pool: None, member: member.clone(), keep_warm }
    }

    /// Keeps nothing warm where something speaks against it.
    pub(crate) const fn unless(&mut self, hindered: bool) {
        if hindered {
            self.keep_warm = Duration::ZERO;
        }
    }

    /// The pool, for a turn that goes through a process that stays.
    pub(crate) fn pool_for(&self, request: &TurnRequest) -> Option<&Pool> {
        let stays = request.session != SessionUse::None && !self.keep_warm.is_zero();
        self.pool.as_ref().filter(|pool| stays && pool.keeps())
    }

    /// A place for a process of one turn; `None` where starts are not bounded.
    pub(crate) async fn enter(&self, request: &TurnRequest) -> Result<Option<Place>, Refusal> {
        match &self.pool {
            Some(pool) => pool.enter(request).await.map(Some),
            None => Ok(None),
        }
    }

    pub(crate) fn identity(&self, effort: Option<Effort>, request: &TurnRequest) -> Identity {
        Identity { member: self.member.clone(), effort, directory: request.directory.clone() }
    }
}

/// The setting `keep_warm`: `0`, or a whole number with `s`, `m` or `h`.
///
/// # Errors
/// Anything else.
pub(crate) fn keep_warm(settings: &BTreeMap<String, String>) -> Result<Duration, SettingError> {
    let Some(text) = settings.get("keep_warm") else { return Ok(KEEP_WARM) };
    let wrong = || SettingError {
        setting: "keep_warm".to_owned(),
        because: "takes 0, or a time such as 90s, 5m or 1h".to_owned(),
    };
    if text == "0" {
        return Ok(Duration::ZERO);
    }
    let unit = match text.chars().last() {
        Some('s') => 1,
        Some('m') => 60,
        Some('h') => 3600,
        _ => return Err(wrong()),
    };
    let number = text.get(..text.len() - 1).and_then(|number| number.parse::<u32>().ok()).ok_or_else(wrong)?;
    Ok(Duration::from_secs(u64::from(number) * unit))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_read_and_nothing_else_is() {
        let read = |text: &str| keep_warm(&[("keep_warm".to_owned(), text.to_owned())].into());
        assert_eq!(read("0"), Ok(Duration::ZERO));
        assert_eq!(read("90s"), Ok(Duration::from_secs(90)));
        assert_eq!(read("5m"), Ok(Duration::from_secs(300)));
        assert_eq!(read("1h"), Ok(Duration::from_secs(3600)));
        for odd in ["", "5", "m", "-1s", "1.5m", "5 m", "5é", "99999999999s"] {
            assert!(read(odd).is_err(), "{odd:?}");
        }
        assert_eq!(keep_warm(&BTreeMap::new()), Ok(KEEP_WARM));
    }
}
