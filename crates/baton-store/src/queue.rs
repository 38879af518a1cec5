//! The queue between the callers and a thread of the store.

use std::collections::VecDeque;
use std::sync::{Condvar, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// First in, first out. Once closed it takes nothing more and gives out what it still holds.
pub(crate) struct Queue<T> {
    inner: Mutex<Inner<T>>,
    changed: Condvar,
}

struct Inner<T> {
    items: VecDeque<T>,
    closed: bool,
}

pub(crate) enum Taken<T> {
    Items(Vec<T>),
    /// Nothing came in for the given time.
    Idle,
    /// Closed, and empty.
    Closed,
}

impl<T> Default for Queue<T> {
    fn default() -> Self {
        Self { inner: Mutex::new(Inner { items: VecDeque::new(), closed: false }), changed: Condvar::new() }
    }
}

impl<T> Queue<T> {
    /// Drops the item when the queue is closed.
    pub(crate) fn push(&self, item: T) {
        let mut inner = self.lock();
        if inner.closed {
            drop(inner); // an item's destructor may wake somebody who comes back here
            return;
        }
        inner.items.push_back(item);
        drop(inner);
        self.changed.notify_one();
    }

    /// Waits for an item, then takes what is there, up to and including the one for which `enough` says so.
    pub(crate) fn take(&self, idle: Option<Duration>, enough: impl FnMut(&T) -> bool) -> Taken<T> {
        let mut inner = self.lock();
        while inner.items.is_empty() {
            if inner.closed {
                return Taken::Closed;
            }
            let Some(idle) = idle else {
                inner = self.changed.wait(inner).unwrap_or_else(PoisonError::into_inner);
                continue;
            };
            let (woken, timeout) = self.changed.wait_timeout(inner, idle).unwrap_or_else(PoisonError::into_inner);
            inner = woken;
            if timeout.timed_out() && inner.items.is_empty() && !inner.closed {
                return Taken::Idle;
            }
        }
        Taken::Items(drain(&mut inner.items, enough))
    }

    pub(crate) fn close(&self) {
        self.lock().closed = true;
        self.changed.notify_all();
    }

    /// Closes, and drops what nobody will take any more.
    pub(crate) fn abandon(&self) {
        self.close();
        let left = std::mem::take(&mut self.lock().items);
        drop(left);
    }

    fn lock(&self) -> MutexGuard<'_, Inner<T>> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn drain<T>(items: &mut VecDeque<T>, mut enough: impl FnMut(&T) -> bool) -> Vec<T> {
    let mut taken = Vec::with_capacity(items.len().min(64));
    while let Some(item) = items.pop_front() {
        let last = enough(&item);
        taken.push(item);
        if last {
            break;
        }
    }
    taken
}

/// Abandons the queue when its thread ends in any way, so that nobody waits for a thread that is gone.
pub(crate) struct AbandonAtEnd<'a, T>(pub(crate) &'a Queue<T>);

impl<T> Drop for AbandonAtEnd<'_, T> {
    fn drop(&mut self) {
        self.0.abandon();
    }
}

#[cfg(test)]
pub(crate) mod tests {
    use std::future::Future;
    use std::pin::pin;
    use std::sync::Arc;
    use std::task::{Context, Poll, Wake, Waker};

    use super::*;

    /// The smallest executor: shows that no runtime is needed.
    pub(crate) fn block_on<F: Future>(future: F) -> F::Output {
        struct Unpark(std::thread::Thread);
        impl Wake for Unpark {
            fn wake(self: Arc<Self>) {
                self.0.unpark();
            }
        }
        let waker = Waker::from(Arc::new(Unpark(std::thread::current())));
        let mut future = pin!(future);
        loop {
            if let Poll::Ready(output) = future.as_mut().poll(&mut Context::from_waker(&waker)) {
                return output;
            }
            std::thread::park();
        }
    }

    fn items<T>(taken: Taken<T>) -> Option<Vec<T>> {
        match taken {
            Taken::Items(items) => Some(items),
            Taken::Idle | Taken::Closed => None,
        }
    }

    #[test]
    fn all_that_waits_is_taken_at_once_up_to_the_limit() {
        let queue = Queue::default();
        (0..5).for_each(|number| queue.push(number));
        assert_eq!(items(queue.take(None, |number| *number == 2)), Some(vec![0, 1, 2]));
        assert_eq!(items(queue.take(None, |_| false)), Some(vec![3, 4]));
        assert!(matches!(queue.take(Some(Duration::from_millis(1)), |_| false), Taken::Idle));
    }

    #[test]
    fn a_closed_queue_gives_what_it_holds_and_takes_nothing() {
        let queue = Queue::default();
        queue.push(1);
        queue.close();
        queue.push(2);
        assert_eq!(items(queue.take(None, |_| false)), Some(vec![1]));
        assert!(matches!(queue.take(None, |_| false), Taken::Closed));
    }

    #[test]
    fn a_thread_that_dies_leaves_nobody_waiting() {
        let queue = Queue::default();
        let (promise, answer) = crate::oneshot::oneshot::<()>();
        queue.push(promise);
        drop(AbandonAtEnd(&queue));
        assert!(block_on(answer).is_err());
    }
}
