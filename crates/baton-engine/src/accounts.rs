//! What an account may do at a time, agreed on by all processes that share the store: how many turns, one start of a
//! login at a time, and whether it can be used at all.
//!
//! A place is a lease: it is renewed while the turn lasts, and taken over when its process is gone. Who waits in this
//! process is woken at once, who waits for another process looks again after [`LOOK`]. What is known of an account
//! (used up until when, failures in a row) is one row of the store.
//!
//! A store that fails limits nothing here: it ends the run at its next write.

use std::collections::{BTreeMap, HashMap, HashSet};
use std::future::Future;
use std::pin::pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use baton_core::account::{AccountRecord, Standing};
use baton_core::handover::Away;
use baton_core::ids::MemberId;
use baton_core::member::{Member, Payer};
use baton_core::outcome::Outcome;
use baton_core::route::Load;
use baton_core::units::Timestamp;
use baton_port::{Clock, Journal, Lease, Opens, Rows, StoreError, Turn};
use tokio::sync::{Notify, OwnedSemaphorePermit, Semaphore};

use crate::lease::{self, IsGone, LEASE_MS};

/// How soon a place that another process holds is looked for again.
const LOOK: Duration = Duration::from_millis(250);
const RENEW: Duration = Duration::from_millis(LEASE_MS / 3);
/// Where records are kept, by account.
const TABLE: &str = "account";
/// How long members take, by member.
const PACE: &str = "pace";
/// How long somebody else's trial of a rested account is waited for.
const TRIAL_MS: u64 = 1_000;
/// Tries to write a record that others write too.
const TRIES: u32 = 8;

/// The limits of all accounts, as this process sees them.
pub(crate) struct Accounts {
    journal: Arc<dyn Journal>,
    rows: Arc<dyn Rows>,
    clock: Arc<dyn Clock>,
    owner: String,
    is_gone: IsGone,
    local: Mutex<HashMap<String, Account>>,
    /// Names of the leases that this process uses: to the store they are all one owner's.
    held: Arc<Mutex<HashSet<String>>>,
}

#[derive(Clone)]
struct Account {
    turns: Arc<Semaphore>,
    /// One start at a time until its first event: programs that share a login refresh its token at start, and two at
    /// once can log the user out.
    starts: Arc<Semaphore>,
}

/// The right to run one turn. Dropped without [`Seat::during`] it is free for this process at once, and for others when
/// its leases run out.
pub(crate) struct Seat<'a> {
    accounts: &'a Accounts,
    places: Vec<Place>,
    /// Given back at the first sign of life.
    start: Option<(Option<Place>, OwnedSemaphorePermit)>,
    _turn: Option<OwnedSemaphorePermit>,
}

/// One lease, and its name among those of this process.
struct Place {
    lease: Lease,
    _held: Held,
}

struct Held(String, Arc<Mutex<HashSet<String>>>);

impl Drop for Held {
    fn drop(&mut self) {
        self.1.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.0);
    }
}

/// Why an account cannot be asked now.
pub(crate) enum Closed {
    Away(Away),
    /// Another call tries whether it works again.
    OnTrial,
}

impl Closed {
    /// The outcome of a turn that is not made; free of cost, and never counted against the account.
    pub(crate) fn outcome(&self, now: Timestamp) -> Outcome {
        match self {
            Self::Away(away) if away.because == baton_core::handover::Because::Quota => Outcome::QuotaExhausted,
            Self::Away(away) => Outcome::RateLimited { retry_after_ms: Some(away.until.millis_since(now)) },
            Self::OnTrial => Outcome::RateLimited { retry_after_ms: Some(TRIAL_MS) },
        }
    }

    pub(crate) fn words(&self, member: &Member, now: Timestamp, offset_minutes: i32) -> String {
        match self {
            Self::Away(away) => format!("{} {}; it was not asked", member.id, away.words(now, offset_minutes)),
            Self::OnTrial => format!("{} failed too often in a row, and another call tries it just now", member.id),
        }
    }
}

impl Accounts {
    pub(crate) fn new(ports: &crate::Ports, owner: String, is_gone: IsGone) -> Self {
        Self {
            journal: ports.journal.clone(),
            rows: ports.rows.clone(),
            clock: ports.clock.clone(),
            owner,
            is_gone,
            local: Mutex::default(),
            held: Arc::default(),
        }
    }

    /// Waits for a place on the member's account. A check shares nothing with other processes.
    pub(crate) async fn enter(&self, member: &Member) -> Seat<'_> {
        let account = self.account(member);
        let turn = account.turns.acquire_owned().await.ok();
        let mut seat = Seat { accounts: self, places: Vec::new(), start: None, _turn: turn };
        if member.is_check() {
            return seat;
        }
        seat.places.extend(self.wait(&member.account, "turn", member.limits.concurrent.max(1)).await);
        match member.payer {
            Payer::Subscription | Payer::Unknown => {
                if let Ok(permit) = account.starts.acquire_owned().await {
                    seat.start = Some((self.wait(&member.account, "start", 1).await, permit));
                }
            }
            Payer::Key | Payer::Local => {}
        }
        seat
    }

    fn account(&self, member: &Member) -> Account {
        let mut accounts = self.local.lock().unwrap_or_else(PoisonError::into_inner);
        let places = usize::try_from(member.limits.concurrent.max(1)).unwrap_or(1);
        let fresh = || Account { turns: Arc::new(Semaphore::new(places)), starts: Arc::new(Semaphore::new(1)) };
        accounts.entry(member.account.clone()).or_insert_with(fresh).clone()
    }

    /// One of so many places; `None` when the store fails.
    async fn wait(&self, account: &str, what: &str, places: u32) -> Option<Place> {
        loop {
            match self.take(account, what, places).await {
                Ok(Some(place)) => return Some(place),
                Ok(None) => self.clock.sleep(LOOK).await,
                Err(_) => return None,
            }
        }
    }

    /// The first place that is free; `None` when others hold them all.
    async fn take(&self, account: &str, what: &str, places: u32) -> Result<Option<Place>, StoreError> {
        for number in 0..places {
            let name = format!("account:{account}/{what}-{number}");
            let Some(held) = self.hold(&name) else { continue };
            match lease::claim(&*self.journal, &*self.clock, &self.is_gone, &name, &self.owner).await {
                Ok(lease) => return Ok(Some(Place { lease, _held: held })),
                Err(StoreError::Busy { .. }) => {}
                Err(error) => return Err(error),
            }
        }
        Ok(None)
    }

    fn hold(&self, name: &str) -> Option<Held> {
        let mut held = self.held.lock().unwrap_or_else(PoisonError::into_inner);
        held.insert(name.to_owned()).then(|| Held(name.to_owned(), self.held.clone()))
    }

    /// Whether the member's account is known to be of no use now.
    pub(crate) async fn closed(&self, member: &Member) -> Option<Closed> {
        let record = self.record(&member.account).await.ok()?.1;
        Away::of(&member.account, record.standing(self.clock.now())).map(Closed::Away)
    }

    /// As [`Self::closed`], once the seat is there; an account on trial is tried by one call at a time.
    pub(crate) async fn admit(&self, member: &Member, seat: &mut Seat<'_>) -> Option<Closed> {
        let standing = self.record(&member.account).await.ok()?.1.standing(self.clock.now());
        if standing == Standing::OnTrial {
            return match self.take(&member.account, "trial", 1).await {
                Ok(Some(place)) => {
                    seat.places.push(place);
                    None
                }
                Ok(None) => Some(Closed::OnTrial),
                Err(_) => None,
            };
        }
        Away::of(&member.account, standing).map(Closed::Away)
    }

    /// Keeps what the end of a turn says about the account, for all processes and the next runs.
    pub(crate) async fn note(&self, member: &Member, turn: &Turn) {
        if member.is_check() {
            return;
        }
        for _ in 0..TRIES {
            let Ok((version, record)) = self.record(&member.account).await else { return };
            let now = self.clock.now();
            let window_ms = match turn.opens {
                Some(Opens::At(at)) => at.millis_since(now),
                Some(Opens::AfterMs(ms)) => ms,
                None => member.limits.quota_window_ms,
            };
            let after = record.after(&turn.outcome, now, window_ms);
            let (true, Ok(value)) = (after != record, serde_json::to_string(&after)) else { return };
            match self.rows.set(TABLE, &member.account, version, value).await {
                Err(StoreError::Conflict { .. }) => {}
                Ok(_) | Err(_) => return,
            }
        }
    }

    /// The version and the content of an account's row. One that cannot be read counts as unknown.
    async fn record(&self, account: &str) -> Result<(u64, AccountRecord), StoreError> {
        let row = self.rows.get(TABLE, account).await?;
        Ok(row.map_or_else(Default::default, |row| (row.version, serde_json::from_str(&row.value).unwrap_or_default())))
    }

    /// How busy and how quick these members are, as all processes know it.
    pub(crate) async fn load(&self, members: &[Member]) -> Result<BTreeMap<MemberId, Load>, StoreError> {
        let mut load = BTreeMap::new();
        for member in members.iter().filter(|member| !member.is_check()) {
            let places = format!("account:{}/turn-", member.account);
            let in_flight = self.journal.held(&places, self.clock.now()).await?;
            let known = Load { in_flight, ..self.pace(&member.id).await?.1 };
            if known != Load::default() {
                load.insert(member.id.clone(), known);
            }
        }
        Ok(load)
    }

    /// Keeps how long an answer took. Two processes that write at the same time: one of them is kept.
    pub(crate) async fn note_pace(&self, member: &Member, took_ms: u64) {
        let Ok((version, pace)) = self.pace(&member.id).await else { return };
        if let Ok(value) = serde_json::to_string(&pace.after_turn(took_ms)) {
            self.rows.set(PACE, member.id.as_str(), version, value).await.ok();
        }
    }

    async fn pace(&self, member: &MemberId) -> Result<(u64, Load), StoreError> {
        let row = self.rows.get(PACE, member.as_str()).await?;
        Ok(row.map_or_else(Default::default, |row| (row.version, serde_json::from_str(&row.value).unwrap_or_default())))
    }

    /// The accounts of these members that cannot be used now.
    pub(crate) async fn away(&self, members: &[Member]) -> Result<Vec<Away>, StoreError> {
        let accounts: std::collections::BTreeSet<&str> =
            members.iter().filter(|member| !member.is_check()).map(|member| member.account.as_str()).collect();
        let mut away = Vec::new();
        for account in accounts {
            let standing = self.record(account).await?.1.standing(self.clock.now());
            away.extend(Away::of(account, standing));
        }
        Ok(away)
    }
}

impl Seat<'_> {
    /// Keeps the places while the turn lasts, gives the start back when `alive` says so, and all of it at the end.
    pub(crate) async fn during<T>(mut self, turn: impl Future<Output = T>, alive: &Notify) -> T {
        let mut turn = pin!(turn);
        let ended = loop {
            tokio::select! {
                biased;
                () = alive.notified(), if self.start.is_some() => self.started().await,
                ended = &mut turn => break ended,
                () = self.accounts.clock.sleep(RENEW) => self.renew().await,
            }
        };
        self.leave().await;
        ended
    }

    async fn started(&mut self) {
        if let Some((Some(place), _)) = self.start.take() {
            self.accounts.journal.release(&place.lease).await.ok();
        }
    }

    /// A place that was lost while this process stood still is used to the end all the same.
    async fn renew(&mut self) {
        let start = self.start.iter_mut().filter_map(|(place, _)| place.as_mut());
        for place in self.places.iter_mut().chain(start) {
            let now = self.accounts.clock.now();
            if let Ok(lease) = self.accounts.journal.renew(&place.lease, now, LEASE_MS).await {
                place.lease = lease;
            }
        }
    }

    pub(crate) async fn leave(mut self) {
        self.started().await;
        for place in self.places.drain(..) {
            self.accounts.journal.release(&place.lease).await.ok();
        }
    }
}
