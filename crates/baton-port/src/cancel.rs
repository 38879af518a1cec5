//! A request to stop that many parties can wait for.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// Set once, never unset. Clones share it.
///
/// Dropping a future is never the way to cancel a turn: its end must be recorded. A channel that sees this stops the
/// member and returns its turn with the class `cancelled` and whatever was used until then.
#[derive(Clone, Debug, Default)]
pub struct Cancel(Arc<Mutex<Inner>>);

#[derive(Debug, Default)]
struct Inner {
    requested: bool,
    waiting: Vec<Waker>,
}

impl Cancel {
    pub fn request(&self) {
        let mut inner = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        inner.requested = true;
        let waiting = std::mem::take(&mut inner.waiting);
        drop(inner);
        waiting.into_iter().for_each(Waker::wake);
    }

    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).requested
    }

    /// Ends once stopping was requested; at once when it already was.
    #[must_use]
    pub fn requested(&self) -> Cancelled {
        Cancelled(self.clone())
    }
}

/// See [`Cancel::requested`].
#[derive(Debug)]
pub struct Cancelled(Cancel);

impl Future for Cancelled {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut inner = self.0.0.lock().unwrap_or_else(PoisonError::into_inner);
        if inner.requested {
            return Poll::Ready(());
        }
        if !inner.waiting.iter().any(|known| known.will_wake(context.waker())) {
            inner.waiting.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_clones_see_it_and_waiters_are_woken() {
        let cancel = Cancel::default();
        let mut waiter = Box::pin(cancel.clone().requested());
        let mut context = Context::from_waker(Waker::noop());
        assert!(waiter.as_mut().poll(&mut context).is_pending());
        cancel.request();
        assert!(waiter.as_mut().poll(&mut context).is_ready());
        assert!(cancel.is_requested());
        assert!(Box::pin(cancel.requested()).as_mut().poll(&mut context).is_ready());
    }
}
