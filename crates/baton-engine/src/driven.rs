//! Which runs this process drives: the store's lease keeps other processes out, and lets its own owner in again.

use std::collections::HashSet;
use std::sync::{Arc, Mutex, PoisonError};

use baton_core::ids::RunId;
use baton_port::StoreError;

/// The runs that this process drives right now.
#[derive(Clone, Debug, Default)]
pub(crate) struct Driven(Arc<Mutex<HashSet<RunId>>>);

/// The right to drive one run in this process, until it is dropped.
#[derive(Debug)]
pub(crate) struct Place {
    run: RunId,
    all: Driven,
}

impl Driven {
    /// `Busy` when the run is driven already: two at once would hold the same lease, and each would take the other's
    /// turns for lost ones.
    pub(crate) fn enter(&self, run: &RunId, owner: &str) -> Result<Place, StoreError> {
        let mut runs = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if !runs.insert(run.clone()) {
            return Err(StoreError::Busy { owner: owner.to_owned() });
        }
        Ok(Place { run: run.clone(), all: self.clone() })
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.all.0.lock().unwrap_or_else(PoisonError::into_inner).remove(&self.run);
    }
}
