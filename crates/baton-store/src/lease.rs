//! The rules of leases, the same for every store.

use baton_core::units::Timestamp;
use baton_port::{Lease, StoreError};

/// A lease as it is kept. It stays after it was given back, because its epoch must never be used twice.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Kept {
    /// `None` once it was given back.
    pub(crate) owner: Option<String>,
    pub(crate) epoch: u64,
    pub(crate) until: Timestamp,
}

impl Kept {
    pub(crate) fn as_lease(&self, name: &str) -> Lease {
        Lease {
            name: name.to_owned(),
            owner: self.owner.clone().unwrap_or_default(),
            epoch: self.epoch,
            until: self.until,
        }
    }
}

/// What the lease becomes when `owner` asks for it.
pub(crate) fn claim(found: Option<&Kept>, owner: &str, now: Timestamp, ttl_ms: u64) -> Result<Kept, StoreError> {
    let until = now.plus_millis(ttl_ms);
    let epoch = match found {
        None => 1,
        Some(Kept { owner: Some(holder), epoch, until }) if *until > now => {
            if holder != owner {
                return Err(StoreError::Busy { owner: holder.clone() });
            }
            *epoch
        }
        Some(kept) => kept.epoch.saturating_add(1),
    };
    Ok(Kept { owner: Some(owner.to_owned()), epoch, until })
}

/// Whether this is still the holder. A lease that ran out and that nobody took over still counts as held.
pub(crate) fn holds(found: Option<&Kept>, lease: &Lease) -> bool {
    found.is_some_and(|kept| kept.epoch == lease.epoch && kept.owner.as_deref() == Some(&lease.owner))
}

/// Whether something may be appended under this epoch.
pub(crate) fn admits(found: Option<&Kept>, epoch: u64) -> bool {
    found.is_some_and(|kept| kept.epoch == epoch && kept.owner.is_some())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn kept(owner: Option<&str>, until: i64) -> Kept {
        Kept { owner: owner.map(str::to_owned), epoch: 4, until: Timestamp(until) }
    }

    #[test]
    fn the_epoch_grows_whenever_somebody_else_could_have_held_it() {
        let epoch = |found: Option<Kept>, owner| claim(found.as_ref(), owner, Timestamp(10), 5).map(|kept| kept.epoch);
        assert_eq!(epoch(None, "a"), Ok(1));
        assert_eq!(epoch(Some(kept(Some("a"), 11)), "a"), Ok(4), "its own, still running");
        assert_eq!(epoch(Some(kept(Some("a"), 10)), "a"), Ok(5), "its own, run out");
        assert_eq!(epoch(Some(kept(Some("a"), 10)), "b"), Ok(5), "another's, run out");
        assert_eq!(epoch(Some(kept(None, 11)), "b"), Ok(5), "given back");
        assert_eq!(epoch(Some(kept(Some("a"), 11)), "b"), Err(StoreError::Busy { owner: "a".into() }));
    }

    #[test]
    fn a_lease_that_ran_out_still_admits_until_it_is_taken_or_given_back() {
        assert!(admits(Some(&kept(Some("a"), 0)), 4));
        assert!(!admits(Some(&kept(Some("a"), 99)), 3));
        assert!(!admits(Some(&kept(None, 99)), 4));
        assert!(!admits(None, 1));
    }
}
