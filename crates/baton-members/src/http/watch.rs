//! The clocks of one turn, and the wish to stop it.

use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Context, Poll};
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Cancel, Cancelled, Deadlines};
use tokio::time::{Instant, Sleep, sleep_until};

/// Stands for a limit that no clock can hold.
const NEVER: Duration = Duration::from_secs(60 * 60 * 24 * 365);

/// Wraps each wait of a turn in its deadlines and in its cancellation.
pub(crate) struct Watch {
    cancelled: Pin<Box<Cancelled>>,
    /// One timer for all deadlines: it is moved only when it fires too early, not at each payload.
    alarm: Pin<Box<Sleep>>,
    limits: Deadlines,
    started: Instant,
    last_payload: Option<Instant>,
}

/// Why a wait ended without what it waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    TimedOut(Deadline),
    Cancelled,
}

impl Stop {
    pub(crate) fn outcome(self) -> Outcome {
        match self {
            Self::TimedOut(deadline) => Outcome::TimedOut { deadline },
            Self::Cancelled => Outcome::Cancelled,
        }
    }
}

impl Watch {
    /// Starts the clocks.
    pub(crate) fn new(limits: Deadlines, cancel: &Cancel) -> Self {
        let started = Instant::now();
        let mut watch = Self {
            cancelled: Box::pin(cancel.requested()),
            alarm: Box::pin(sleep_until(started)),
            limits,
            started,
            last_payload: None,
        };
        let next = watch.next().0;
        watch.alarm.as_mut().reset(next);
        watch
    }

    /// Something of the answer came: the idle clock starts anew.
    pub(crate) fn payload(&mut self) {
        let first = self.last_payload.is_none();
        self.last_payload = Some(Instant::now());
        if first {
            // The idle limit may be shorter than what was left for the first event.
            let next = self.next().0;
            self.alarm.as_mut().reset(next);
        }
    }

    pub(crate) fn saw_payload(&self) -> bool {
        self.last_payload.is_some()
    }

    /// Waits for `future`, or for the first reason to give up. A reason goes before a result that is there at the same
    /// moment, so that a peer who always has bytes cannot outrun a clock.
    pub(crate) async fn wait<F: Future>(&mut self, future: F) -> Result<F::Output, Stop> {
        let mut future = pin!(future);
        poll_fn(|context| match self.stopped(context) {
            Some(stop) => Poll::Ready(Err(stop)),
            None => future.as_mut().poll(context).map(Ok),
        })
        .await
    }

    fn stopped(&mut self, context: &mut Context<'_>) -> Option<Stop> {
        if self.cancelled.as_mut().poll(context).is_ready() {
            return Some(Stop::Cancelled);
        }
        while self.alarm.as_mut().poll(context).is_ready() {
            let (next, deadline) = self.next();
            if next <= Instant::now() {
                return Some(Stop::TimedOut(deadline));
            }
            self.alarm.as_mut().reset(next);
        }
        None
    }

    /// The deadline that comes first.
    fn next(&self) -> (Instant, Deadline) {
        let total = (after(self.started, self.limits.total), Deadline::Total);
        let silence = match self.last_payload {
            None => (after(self.started, self.limits.first_event), Deadline::FirstEvent),
            Some(payload) => (after(payload, self.limits.idle), Deadline::Idle),
        };
        if silence.0 <= total.0 { silence } else { total }
    }

    pub(crate) fn limit(&self, deadline: Deadline) -> Duration {
        match deadline {
            Deadline::FirstEvent => self.limits.first_event,
            Deadline::Idle => self.limits.idle,
            Deadline::Total => self.limits.total,
        }
    }
}

fn after(start: Instant, duration: Duration) -> Instant {
    start.checked_add(duration.min(NEVER)).unwrap_or(start)
}

#[cfg(test)]
mod tests {
    use std::future::{pending, ready};

    use super::*;

    fn watch(first_event: u64, idle: u64, total: u64) -> (Watch, Cancel) {
        let cancel = Cancel::default();
        let limit = Duration::from_millis;
        let limits = Deadlines { first_event: limit(first_event), idle: limit(idle), total: limit(total) };
        (Watch::new(limits, &cancel), cancel)
    }

    fn run<T>(future: impl Future<Output = T>) -> T {
        tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap().block_on(future)
    }

    #[test]
    fn each_deadline_is_told_apart() {
        run(async {
            let never = 60_000;
            let (mut first, _) = watch(1, never, never);
            assert_eq!(first.wait(pending::<()>()).await, Err(Stop::TimedOut(Deadline::FirstEvent)));
            let (mut idle, _) = watch(never, 1, never);
            idle.payload();
            assert_eq!(idle.wait(pending::<()>()).await, Err(Stop::TimedOut(Deadline::Idle)));
            let (mut total, _) = watch(never, never, 1);
            assert_eq!(total.wait(pending::<()>()).await, Err(Stop::TimedOut(Deadline::Total)));
        });
    }

    #[test]
    fn cancelling_wins_over_a_result_that_is_there() {
        run(async {
            let (mut watch, cancel) = watch(60_000, 60_000, 60_000);
            assert_eq!(watch.wait(ready(7)).await, Ok(7));
            cancel.request();
            assert_eq!(watch.wait(ready(7)).await, Err(Stop::Cancelled));
        });
    }

    #[test]
    fn a_limit_beyond_every_clock_is_none() {
        run(async {
            let limits = Deadlines { first_event: Duration::MAX, idle: Duration::MAX, total: Duration::MAX };
            let mut watch = Watch::new(limits, &Cancel::default());
            watch.payload();
            assert_eq!(watch.wait(ready(1)).await, Ok(1));
        });
    }
}
