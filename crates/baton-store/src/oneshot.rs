//! One answer from a thread of the store to whoever awaits it, in any runtime.

use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

use baton_port::StoreError;

/// A promise and the future of its answer. A promise that is dropped answers that the store was closed, so nobody
/// waits for ever.
pub(crate) fn oneshot<T>() -> (Promise<T>, Answer<T>) {
    let slot = Arc::new(Mutex::new(Slot::Waiting(None)));
    (Promise(Arc::clone(&slot)), Answer(slot))
}

enum Slot<T> {
    Waiting(Option<Waker>),
    Ready(Result<T, StoreError>),
    Taken,
}

pub(crate) struct Promise<T>(Arc<Mutex<Slot<T>>>);

impl<T> Promise<T> {
    pub(crate) fn keep(self, result: Result<T, StoreError>) {
        self.put(result);
    }

    /// The first result stays.
    fn put(&self, result: Result<T, StoreError>) {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Slot::Waiting(waker) = &mut *slot else { return };
        let waker = waker.take();
        *slot = Slot::Ready(result);
        drop(slot);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

impl<T> Drop for Promise<T> {
    fn drop(&mut self) {
        self.put(Err(closed()));
    }
}

pub(crate) struct Answer<T>(Arc<Mutex<Slot<T>>>);

impl<T> Future for Answer<T> {
    type Output = Result<T, StoreError>;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        let mut slot = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let Slot::Waiting(waker) = &mut *slot {
            *waker = Some(context.waker().clone());
            return Poll::Pending;
        }
        match std::mem::replace(&mut *slot, Slot::Taken) {
            Slot::Ready(result) => Poll::Ready(result),
            Slot::Waiting(_) | Slot::Taken => Poll::Ready(Err(closed())),
        }
    }
}

fn closed() -> StoreError {
    StoreError::Failed("it was closed before this was done".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn poll<T>(answer: &mut Answer<T>) -> Poll<Result<T, StoreError>> {
        Pin::new(answer).poll(&mut Context::from_waker(Waker::noop()))
    }

    #[test]
    fn a_kept_promise_is_the_answer() {
        let (promise, mut answer) = oneshot();
        assert!(poll(&mut answer).is_pending());
        promise.keep(Ok(7));
        assert_eq!(poll(&mut answer), Poll::Ready(Ok(7)));
    }

    #[test]
    fn a_dropped_promise_is_an_error_not_silence() {
        let (promise, mut answer) = oneshot::<u8>();
        drop(promise);
        assert_eq!(poll(&mut answer), Poll::Ready(Err(closed())));
    }

    #[test]
    fn nobody_need_listen() {
        let (promise, answer) = oneshot();
        drop(answer);
        promise.keep(Ok(()));
    }

    #[test]
    fn a_waiter_in_another_thread_is_woken() {
        let (promise, answer) = oneshot();
        let waiter = std::thread::spawn(move || crate::queue::tests::block_on(answer));
        promise.keep(Ok("done"));
        assert_eq!(waiter.join().unwrap(), Ok("done"));
    }
}
