//! Who may start a process, by the memory that is free.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::TurnRequest;
use baton_process::Vitals;
use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

use crate::cli::Refusal;

/// How often free memory is looked at while a start waits: other programs give some back too.
const LOOK: Duration = Duration::from_millis(200);

/// How much the pool may hold. Bytes of zero switch a bound off.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Processes that rest.
    pub most: usize,
    /// Resident bytes of a process group that may still rest.
    pub process_bytes: u64,
    /// What a program is expected to take.
    pub start_bytes: u64,
    /// What is left to others.
    pub spare_bytes: u64,
}

impl Default for Limits {
    fn default() -> Self {
        Self { most: 4, process_bytes: 1500 << 20, start_bytes: 300 << 20, spare_bytes: 200 << 20 }
    }
}

/// Tells the free bytes of the machine; `None` when nobody knows.
pub type FreeMemory = Arc<dyn Fn() -> Option<u64> + Send + Sync>;

/// The gate in front of all starts.
#[derive(Clone)]
pub(super) struct Gate(Arc<Inner>);

struct Inner {
    limits: Limits,
    free: FreeMemory,
    places: Mutex<Places>,
    changed: Notify,
}

#[derive(Default)]
struct Places {
    next: u64,
    taken: BTreeMap<u64, Vitals>,
}

/// The right to run one process; given back when dropped.
pub(crate) struct Place {
    gate: Arc<Inner>,
    number: u64,
    vitals: Vitals,
}

impl Place {
    /// To be given to the command that runs on this place.
    pub(crate) fn vitals(&self) -> Vitals {
        self.vitals.clone()
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        self.gate.places().taken.remove(&self.number);
        self.gate.changed.notify_waiters();
    }
}

impl Inner {
    fn places(&self) -> MutexGuard<'_, Places> {
        self.places.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Gate {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_struct("Gate").field("limits", &self.0.limits).finish_non_exhaustive()
    }
}

impl Gate {
    pub(super) fn new(limits: Limits, free: FreeMemory) -> Self {
        Self(Arc::new(Inner { limits, free, places: Mutex::default(), changed: Notify::new() }))
    }

    pub(super) fn limits(&self) -> Limits {
        self.0.limits
    }

    /// Whether what is left to others is left.
    pub(super) fn has_spare(&self) -> bool {
        (self.0.free)().is_none_or(|free| free >= self.0.limits.spare_bytes)
    }

    /// Processes that run or are about to.
    pub(super) fn running(&self) -> usize {
        self.0.places().taken.len()
    }

    /// Waits for a place. `make_room` ends a process that rests, and says whether there was one.
    ///
    /// # Errors
    /// Cancelled, too late, or not enough memory with nobody whose end could be waited for.
    pub(super) async fn enter(&self, request: &TurnRequest, make_room: impl Fn() -> bool) -> Result<Place, Refusal> {
        let end = Instant::now().checked_add(request.deadlines.first_event);
        let mut hope = false;
        loop {
            let changed = self.0.changed.notified();
            let mut changed = std::pin::pin!(changed);
            changed.as_mut().enable();
            let Some(short) = self.shortage() else { return Ok(self.place()) };
            match (make_room() || self.running() > 0, hope) {
                (true, _) => hope = true,
                // What a process held is not always free at the moment of its end.
                (false, true) => hope = false,
                (false, false) => return Err(Refusal::new(Outcome::Overloaded, short)),
            }
            let late = Refusal::new(Outcome::TimedOut { deadline: Deadline::FirstEvent }, short);
            let look = Instant::now() + LOOK;
            if end.is_some_and(|end| Instant::now() >= end) {
                return Err(late);
            }
            tokio::select! {
                () = request.cancel.requested() => {
                    return Err(Refusal::new(Outcome::Cancelled, "cancelled before the program was started"));
                }
                () = changed => {}
                () = sleep_until(end.map_or(look, |end| end.min(look))) => {}
            }
        }
    }

    fn place(&self) -> Place {
        let mut places = self.0.places();
        places.next += 1;
        let (number, vitals) = (places.next, Vitals::default());
        places.taken.insert(number, vitals.clone());
        Place { gate: self.0.clone(), number, vitals }
    }

    /// Why nobody may start now.
    fn shortage(&self) -> Option<String> {
        let free = (self.0.free)()?;
        let taken: Vec<Vitals> = self.0.places().taken.values().cloned().collect();
        let residents: Vec<u64> = taken.iter().map(|vitals| vitals.resident().unwrap_or(0)).collect();
        shortage(free, self.0.limits, &residents)
    }
}

/// The rule of the module's documentation.
fn shortage(free: u64, limits: Limits, residents: &[u64]) -> Option<String> {
    if limits.start_bytes == 0 {
        return None;
    }
    let expected = |resident: &u64| limits.start_bytes.saturating_sub(*resident);
    let promised = residents.iter().map(expected).fold(0, u64::saturating_add);
    let left = free.saturating_sub(promised);
    let needed = limits.start_bytes.saturating_add(limits.spare_bytes);
    (left < needed).then(|| {
        let (left, needed) = (left >> 20, needed >> 20);
        format!("not enough memory to start a program: {left} MiB are free, {needed} are needed")
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: Limits = Limits { most: 4, process_bytes: 0, start_bytes: 300 << 20, spare_bytes: 200 << 20 };

    #[test]
    fn young_processes_count_with_what_they_are_expected_to_take() {
        let is_short = |free: u64, residents: &[u64]| shortage(free << 20, LIMITS, residents).is_some();
        assert!(!is_short(500, &[]) && is_short(499, &[]));
        assert!(is_short(500, &[0]) && !is_short(800, &[0]), "one was let in and has taken nothing yet");
        assert!(!is_short(600, &[200 << 20]) && is_short(599, &[200 << 20]));
        assert!(!is_short(500, &[900 << 20]), "a large one has what it takes already");
        assert!(shortage(0, Limits { start_bytes: 0, ..LIMITS }, &[0]).is_none());
    }

    #[test]
    fn the_reason_says_how_much() {
        let because = shortage(100 << 20, LIMITS, &[]).unwrap();
        assert_eq!(because, "not enough memory to start a program: 100 MiB are free, 500 are needed");
    }
}
