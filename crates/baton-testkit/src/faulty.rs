//! A journal that fails at a chosen call, before or after it did what it was asked.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use baton_core::journal::{Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, BoxFuture, Journal, Lease, RunSummary, StoreError};

/// What goes wrong.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Fault {
    /// The call fails and did nothing.
    Before,
    /// The call did its work, and the caller never learns of it: as if the process died right then.
    After,
}

/// Wraps a journal. The n-th write (append or claim), counted from 0, fails, and so does every later call that changes
/// or reads a stream: a process that died makes no more calls. Renewals are not counted, as they come by the clock, nor
/// are claims of anything but a run: places on accounts come and go beside it.
pub struct FaultyJournal {
    inner: Arc<dyn Journal>,
    fail_at: u64,
    fault: Fault,
    writes: AtomicU64,
}

impl FaultyJournal {
    #[must_use]
    pub fn new(inner: Arc<dyn Journal>, fail_at: u64, fault: Fault) -> Self {
        Self { inner, fail_at, fault, writes: AtomicU64::new(0) }
    }

    /// Writes that were tried.
    #[must_use]
    pub fn writes(&self) -> u64 {
        self.writes.load(Ordering::SeqCst)
    }

    /// `None` to go on; `Some(true)` when the call must do its work first.
    fn verdict(&self) -> Option<bool> {
        match self.writes.fetch_add(1, Ordering::SeqCst) {
            number if number == self.fail_at => Some(self.fault == Fault::After),
            number if number > self.fail_at => Some(false),
            _ => None,
        }
    }

    fn dead(&self) -> bool {
        self.writes() > self.fail_at
    }
}

fn failure<T>() -> Result<T, StoreError> {
    Err(StoreError::Failed("injected".into()))
}

impl Journal for FaultyJournal {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            match self.verdict() {
                None => self.inner.append(append).await,
                Some(true) => self.inner.append(append).await.and_then(|_| failure()),
                Some(false) => failure(),
            }
        })
    }

    fn append_all(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            match self.verdict() {
                None => self.inner.append_all(appends).await,
                Some(true) => self.inner.append_all(appends).await.and_then(|_| failure()),
                Some(false) => failure(),
            }
        })
    }

    fn read<'a>(&'a self, stream: &'a Stream, from: u64) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move { if self.dead() { failure() } else { self.inner.read(stream, from).await } })
    }

    fn follow(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.inner.follow(after, limit)
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<RunSummary>, StoreError>> {
        self.inner.runs(limit)
    }

    fn held<'a>(&'a self, prefix: &'a str, now: Timestamp) -> BoxFuture<'a, Result<u32, StoreError>> {
        self.inner.held(prefix, now)
    }

    fn claim<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        now: Timestamp,
        ttl_ms: u64,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        Box::pin(async move {
            if !name.starts_with("run:") {
                return if self.dead() { failure() } else { self.inner.claim(name, owner, now, ttl_ms).await };
            }
            match self.verdict() {
                None => self.inner.claim(name, owner, now, ttl_ms).await,
                Some(true) => self.inner.claim(name, owner, now, ttl_ms).await.and_then(|_| failure()),
                Some(false) => failure(),
            }
        })
    }

    fn renew<'a>(&'a self, lease: &'a Lease, now: Timestamp, ttl_ms: u64) -> BoxFuture<'a, Result<Lease, StoreError>> {
        Box::pin(async move { if self.dead() { failure() } else { self.inner.renew(lease, now, ttl_ms).await } })
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        // A dead process gives nothing back.
        Box::pin(async move { if self.dead() { failure() } else { self.inner.release(lease).await } })
    }
}
