//! How many turns may run on one account at a time, and that logins are not raced.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use baton_core::member::{Member, Payer};
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The limits of all accounts that this process uses.
#[derive(Default)]
pub struct Accounts(Mutex<HashMap<String, Account>>);

#[derive(Clone)]
struct Account {
    turns: Arc<Semaphore>,
    /// One start at a time until its first event: programs that share a login refresh its token at start, and two at
    /// once can log the user out.
    starts: Arc<Semaphore>,
}

/// The right to run one turn.
pub(crate) struct Seat {
    _turn: Option<OwnedSemaphorePermit>,
    /// Given back at the first sign of life.
    pub(crate) start: Option<OwnedSemaphorePermit>,
}

impl Accounts {
    /// Waits for a place on the member's account.
    pub(crate) async fn enter(&self, member: &Member) -> Seat {
        let account = self.account(member);
        let turn = account.turns.acquire_owned().await.ok();
        let start = match member.payer {
            Payer::Subscription => account.starts.acquire_owned().await.ok(),
            Payer::Key | Payer::Local => None,
        };
        Seat { _turn: turn, start }
    }

    fn account(&self, member: &Member) -> Account {
        let mut accounts = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let places = usize::try_from(member.limits.concurrent.max(1)).unwrap_or(1);
        let fresh = || Account { turns: Arc::new(Semaphore::new(places)), starts: Arc::new(Semaphore::new(1)) };
        accounts.entry(member.account.clone()).or_insert_with(fresh).clone()
    }
}
