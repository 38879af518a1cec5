//! Claims that do not wait for the dead.

use std::sync::Arc;

use baton_port::{Clock, Journal, Lease, StoreError};

/// How long a lease holds without renewal. A process that died is followed by another after this time.
pub(crate) const LEASE_MS: u64 = 15_000;

/// Says when the process behind an owner's name is known to have ended.
pub(crate) type IsGone = Arc<dyn Fn(&str) -> bool + Send + Sync>;

/// Takes a lease that is free, has run out, or belongs to a process that is known to have ended.
pub(crate) async fn claim(
    journal: &dyn Journal,
    clock: &dyn Clock,
    is_gone: &IsGone,
    name: &str,
    owner: &str,
) -> Result<Lease, StoreError> {
    let now = clock.now();
    match journal.claim(name, owner, now, LEASE_MS).await {
        // A holder that is known to have ended cannot renew: its lease is as good as run out.
        Err(StoreError::Busy { owner: holder }) if is_gone(&holder) => {
            let lease = journal.claim(name, owner, now.plus_millis(LEASE_MS), LEASE_MS).await?;
            // Counted from now again, or whoever follows this process would have to wait twice as long.
            journal.renew(&lease, now, LEASE_MS).await
        }
        claimed => claimed,
    }
}
