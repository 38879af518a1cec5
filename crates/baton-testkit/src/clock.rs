//! Time and ids that a test controls.

use std::future::poll_fn;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Poll, Waker};
use std::time::Duration;

use baton_core::ids::RunId;
use baton_core::units::Timestamp;
use baton_port::{BoxFuture, Clock, Ids};

/// A clock that stands still until it is moved. Sleepers wake in order as it passes them.
#[derive(Clone, Debug, Default)]
pub struct FakeClock(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    now_ms: u64,
    /// Added to the wall time only: a jump that sleepers must not feel.
    offset_ms: i64,
    sleepers: Vec<(u64, Waker)>,
    /// Moves by itself to the next sleeper as soon as somebody sleeps.
    hurried: bool,
}

impl FakeClock {
    /// A clock on which every sleep ends at once, and is counted as slept.
    #[must_use]
    pub fn hurried() -> Self {
        let clock = Self::default();
        clock.lock().hurried = true;
        clock
    }

    pub fn advance(&self, duration: Duration) {
        let mut inner = self.lock();
        inner.now_ms += u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let now = inner.now_ms;
        let (due, waiting) = std::mem::take(&mut inner.sleepers).into_iter().partition(|(until, _)| *until <= now);
        inner.sleepers = waiting;
        let due: Vec<(u64, Waker)> = due;
        drop(inner);
        due.into_iter().for_each(|(_, waker)| waker.wake());
    }

    /// How long until the next sleeper wakes; `None` when nobody sleeps.
    #[must_use]
    pub fn next_wake(&self) -> Option<Duration> {
        let inner = self.lock();
        let next = inner.sleepers.iter().map(|(until, _)| *until).min()?;
        Some(Duration::from_millis(next.saturating_sub(inner.now_ms)))
    }

    /// Sets the wall clock forward or back without moving time.
    pub fn jump(&self, milliseconds: i64) {
        self.lock().offset_ms += milliseconds;
    }

    /// Milliseconds that have passed on this clock.
    #[must_use]
    pub fn elapsed_ms(&self) -> u64 {
        self.lock().now_ms
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Inner> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Clock for FakeClock {
    fn now(&self) -> Timestamp {
        let inner = self.lock();
        Timestamp(1_700_000_000_000 + inner.now_ms.cast_signed() + inner.offset_ms)
    }

    fn sleep(&self, duration: Duration) -> BoxFuture<'static, ()> {
        let clock = self.clone();
        let millis = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
        let mut until = None;
        let mut yielded = false;
        Box::pin(poll_fn(move |context| {
            let mut inner = clock.lock();
            let until = *until.get_or_insert(inner.now_ms.saturating_add(millis));
            if inner.hurried && yielded {
                inner.now_ms = inner.now_ms.max(until);
            }
            if inner.now_ms >= until && millis > 0 || millis == 0 {
                return Poll::Ready(());
            }
            if inner.hurried {
                // One turn of the loop for everybody else first, so that work goes before waiting.
                yielded = true;
                context.waker().wake_by_ref();
            } else {
                let known = |(at, waker): &(u64, Waker)| *at == until && waker.will_wake(context.waker());
                if !inner.sleepers.iter().any(known) {
                    inner.sleepers.push((until, context.waker().clone()));
                }
            }
            Poll::Pending
        }))
    }
}

/// Ids that count up, the same in every run of a test.
#[derive(Debug, Default)]
pub struct SeededIds(AtomicU64);

impl Ids for SeededIds {
    fn run(&self) -> RunId {
        let number = self.0.fetch_add(1, Ordering::Relaxed);
        RunId::from_uuid_text(&format!("00000000-0000-7000-8000-{number:012x}"))
    }

    fn seed(&self) -> u64 {
        7
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn sleepers_wake_when_time_passes_and_not_before() {
        let clock = FakeClock::default();
        let mut nap = clock.sleep(Duration::from_millis(10));
        let early = poll_fn(|context| Poll::Ready(nap.as_mut().poll(context).is_pending())).await;
        assert!(early);
        clock.jump(1_000_000);
        clock.advance(Duration::from_millis(9));
        assert!(poll_fn(|context| Poll::Ready(nap.as_mut().poll(context).is_pending())).await, "a jump is no time");
        clock.advance(Duration::from_millis(1));
        nap.await;
    }

    #[tokio::test]
    async fn a_hurried_clock_counts_what_was_slept() {
        let clock = FakeClock::hurried();
        clock.sleep(Duration::from_secs(5)).await;
        assert_eq!(clock.elapsed_ms(), 5_000);
    }

    #[test]
    fn ids_are_the_same_every_time() {
        let (one, other) = (SeededIds::default(), SeededIds::default());
        assert_eq!(one.run(), other.run());
        assert_ne!(one.run(), one.run());
    }
}
