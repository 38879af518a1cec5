//! Which processes rest, and who gets them.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_core::hash::Hash;
use baton_core::outcome::Outcome;
use baton_port::{Cancel, Exchange, SessionUse, Turn, TurnRequest};
use baton_process::{Launcher, free_memory};
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::exchange::{self, Ended};
use super::gate::{FreeMemory, Gate, Limits, Place};
use super::process::{Order, Process};
use super::{Identity, Seat};
use crate::cli::Refusal;

/// A pool of processes; clones are the same pool. See the module's documentation for what holds.
#[derive(Clone)]
pub struct Pool(Arc<Inner>);

struct Inner {
    gate: Gate,
    state: Mutex<State>,
    closing: Cancel,
}

#[derive(Default)]
struct State {
    tasks: JoinSet<()>,
    resting: BTreeMap<Key, Resting>,
    /// Turns that are being asked, by session.
    asked: BTreeMap<Key, Asked>,
    uses: u64,
    closed: bool,
}

/// A seat's id and the session's.
type Key = (String, String);

struct Resting {
    process: Process,
    identity: Identity,
    said: Said,
    /// Grows with each use.
    used: u64,
}

/// Turns of one session at this moment.
#[derive(Default)]
struct Asked {
    turns: usize,
    /// There were two at once.
    contested: bool,
}

/// How far a session had come when its process last spoke.
#[derive(Clone, Copy, PartialEq, Eq)]
struct Said {
    exchanges: usize,
    prompt: Hash,
    answer: Hash,
}

impl Said {
    fn by(request: &TurnRequest, answer: &str) -> Self {
        let (prompt, answer) = (Hash::of(request.prompt.as_bytes()), Hash::of(answer.as_bytes()));
        Self { exchanges: request.history.len() + 1, prompt, answer }
    }

    /// Whether the session is where it was then, as far as its history tells.
    fn is_all_of(&self, history: &[Exchange]) -> bool {
        history.last().is_some_and(|last| {
            let (prompt, answer) = (Hash::of(last.prompt.as_bytes()), Hash::of(last.answer.as_bytes()));
            *self == Self { exchanges: history.len(), prompt, answer }
        })
    }
}

impl fmt::Debug for Pool {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Pool").field("resting", &self.resting()).finish_non_exhaustive()
    }
}

impl Default for Pool {
    fn default() -> Self {
        Self::new(Limits::default())
    }
}

impl Pool {
    /// Bounded by these limits and by this machine's memory. Nothing is started here.
    #[must_use]
    pub fn new(limits: Limits) -> Self {
        Self::with_memory(limits, Arc::new(free_memory))
    }

    /// With another source of the free memory.
    #[must_use]
    pub fn with_memory(limits: Limits, free: FreeMemory) -> Self {
        let gate = Gate::new(limits, free);
        Self(Arc::new(Inner { gate, state: Mutex::default(), closing: Cancel::default() }))
    }

    /// Whether processes may rest here at all.
    pub(crate) fn keeps(&self) -> bool {
        self.0.gate.limits().most > 0
    }

    /// Processes that rest and can serve a next turn.
    #[must_use]
    pub fn resting(&self) -> usize {
        let mut state = self.state();
        state.sweep();
        state.resting.len()
    }

    /// Programs that run now: those that rest, and those that are asked, for one turn or more.
    #[must_use]
    pub fn running(&self) -> usize {
        self.0.gate.running()
    }

    /// Ends what rests for a session that is over. Returns once it is gone.
    pub async fn end_session(&self, member: &str, session: &str) {
        let found = self.state().resting.remove(&(member.to_owned(), session.to_owned()));
        if let Some(mut resting) = found {
            resting.process.end(Order::Leave).await;
        }
    }

    /// Ends all processes, also those that are asked, whose turns then end as `cancelled`. Once this returns none of
    /// them is left, and none is started any more.
    pub async fn close(&self) {
        self.0.closing.request();
        let mut tasks = {
            let mut state = self.state();
            state.closed = true;
            while state.dismiss_one() {}
            std::mem::take(&mut state.tasks)
        };
        while tasks.join_next().await.is_some() {}
    }

    /// A place for a process of one turn, for as long as that runs.
    pub(crate) async fn enter(&self, request: &TurnRequest) -> Result<Place, Refusal> {
        self.0.gate.enter(request, || self.state().dismiss_one()).await
    }

    /// One turn of a session.
    pub(crate) async fn turn(&self, seat: &dyn Seat, launcher: &Launcher, request: &TurnRequest) -> Turn {
        if request.cancel.is_requested() {
            return Turn::failed(Outcome::Cancelled, "cancelled before the program was started");
        }
        let asking = Asking::new(self, seat, request);
        if let Some(mut process) = self.take(&asking).await {
            exchange::forget_what_waits(&mut process);
            let first = process.talk.go_on(request);
            match exchange::turn(&mut process, request, first, &self.0.closing).await {
                Ended::Fit(turn) => return self.after(&asking, process, turn).await,
                Ended::Over(turn) => return turn,
                Ended::NotSent(_) => {}
            }
        }
        match self.fresh(seat, launcher, request).await {
            Err(refusal) => Turn::failed(refusal.outcome, refusal.detail),
            Ok(mut process) => {
                let first = process.talk.open();
                match exchange::turn(&mut process, request, first, &self.0.closing).await {
                    Ended::Fit(turn) => self.after(&asking, process, turn).await,
                    Ended::Over(turn) | Ended::NotSent(turn) => turn,
                }
            }
        }
    }

    async fn fresh(&self, seat: &dyn Seat, launcher: &Launcher, request: &TurnRequest) -> Result<Process, Refusal> {
        let start = seat.start(request)?;
        let place = self.enter(request).await?;
        let mut state = self.state();
        if state.closed {
            return Err(Refusal::new(Outcome::Cancelled, "baton ends, and starts no more programs"));
        }
        while state.tasks.try_join_next().is_some() {}
        let closing = self.0.closing.clone();
        Ok(Process::start(start, place, request.caps, launcher.clone(), &mut state.tasks, closing))
    }

    /// The process that rests for this turn. One that does not fit is ended first, so that a session never has two.
    async fn take(&self, asking: &Asking<'_>) -> Option<Process> {
        let SessionUse::Resume { id } = &asking.request.session else { return None };
        let mut resting = self.state().resting.remove(&key(&asking.identity, id))?;
        let fits = resting.identity == asking.identity && resting.said.is_all_of(&asking.request.history);
        if !fits || resting.process.is_over() || resting.process.flooded() {
            resting.process.end(Order::Leave).await;
            return None;
        }
        resting.process.order(Order::Work);
        Some(resting.process)
    }

    /// Lets the process rest, or ends it.
    async fn after(&self, asking: &Asking<'_>, mut process: Process, turn: Turn) -> Turn {
        let room = self.has_room_for(&process);
        if let (Some(session), true, false) = (&turn.provenance.session, room, asking.is_contested()) {
            let mut state = self.state();
            if !state.closed && !process.is_over() {
                let until = Instant::now().checked_add(asking.keep_warm);
                process.order(until.map_or(Order::Work, Order::Rest));
                let said = Said::by(asking.request, turn.text.as_deref().unwrap_or_default());
                let identity = asking.identity.clone();
                state.rest(key(&identity, session), process, identity, said, self.0.gate.limits().most);
                return turn;
            }
        }
        process.end(Order::Leave).await;
        turn
    }

    fn has_room_for(&self, process: &Process) -> bool {
        let most = self.0.gate.limits().process_bytes;
        let fits = most == 0 || process.vitals.resident().is_none_or(|resident| resident <= most);
        fits && self.0.gate.has_spare()
    }

    fn state(&self) -> MutexGuard<'_, State> {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn key(identity: &Identity, session: &str) -> Key {
    (identity.member.id.as_str().to_owned(), session.to_owned())
}

impl State {
    fn sweep(&mut self) {
        self.resting.retain(|_, resting| !resting.process.is_over());
    }

    fn rest(&mut self, key: Key, process: Process, identity: Identity, said: Said, most: usize) {
        self.uses += 1;
        let resting = Resting { process, identity, said, used: self.uses };
        if let Some(older) = self.resting.insert(key, resting) {
            older.process.order(Order::Leave);
        }
        self.sweep();
        while self.resting.len() > most {
            self.dismiss_one();
        }
    }

    /// Ends the least recently used one; false when none rests.
    fn dismiss_one(&mut self) -> bool {
        let oldest = self.resting.iter().min_by_key(|(_, resting)| resting.used).map(|(key, _)| key.clone());
        let Some(resting) = oldest.and_then(|key| self.resting.remove(&key)) else { return false };
        resting.process.order(Order::Leave);
        true
    }
}

/// A turn of a session while it is asked.
struct Asking<'a> {
    pool: &'a Pool,
    request: &'a TurnRequest,
    identity: Identity,
    keep_warm: Duration,
    key: Option<Key>,
}

impl<'a> Asking<'a> {
    fn new(pool: &'a Pool, seat: &dyn Seat, request: &'a TurnRequest) -> Self {
        let identity = seat.identity(request);
        let key = match &request.session {
            SessionUse::None => None,
            SessionUse::New { id } | SessionUse::Resume { id } => Some(key(&identity, id)),
        };
        if let Some(key) = &key {
            let mut state = pool.state();
            let asked = state.asked.entry(key.clone()).or_default();
            asked.turns += 1;
            asked.contested |= asked.turns > 1;
        }
        Self { pool, request, identity, keep_warm: seat.keep_warm(), key }
    }

    fn is_contested(&self) -> bool {
        let state = self.pool.state();
        self.key.as_ref().and_then(|key| state.asked.get(key)).is_some_and(|asked| asked.contested)
    }
}

impl Drop for Asking<'_> {
    fn drop(&mut self) {
        let Some(key) = &self.key else { return };
        let mut state = self.pool.state();
        if let Some(asked) = state.asked.get_mut(key) {
            asked.turns -= 1;
            if asked.turns == 0 {
                state.asked.remove(key);
            }
        }
    }
}
