//! Short ways to say what the tests say often.

use std::future::Future;
use std::path::Path;
use std::pin::pin;
use std::sync::Arc;
use std::task::{Context, Poll, Wake, Waker};

use baton_core::ids::RunId;
use baton_core::journal::{Actor, NewEvent, Row, Stream, verify_chain};
use baton_core::units::Timestamp;
use baton_port::{Append, Journal, StoreError};
use baton_store::{Options, SqliteStore};

/// Awaits without a runtime, as the store promises that one can.
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

pub(crate) fn open(directory: &Path) -> SqliteStore {
    SqliteStore::open(directory, Options::default()).unwrap()
}

pub(crate) fn run(name: &str) -> Stream {
    Stream::Run(RunId::parse(name).unwrap())
}

pub(crate) fn event(kind: &'static str, body: Option<&[u8]>) -> NewEvent {
    NewEvent {
        kind,
        version: 1,
        at: Timestamp(1_000),
        actor: Actor::Engine,
        header: format!("{{\"kind\":\"{kind}\"}}"),
        body: body.map(<[u8]>::to_vec),
    }
}

/// One event at the end of a stream, whatever it is.
pub(crate) fn one(stream: &Stream, kind: &'static str) -> Append {
    many(stream, vec![event(kind, Some(kind.as_bytes()))])
}

pub(crate) fn many(stream: &Stream, events: Vec<NewEvent>) -> Append {
    Append { stream: stream.clone(), expected: None, epoch: None, events, blobs: Vec::new() }
}

pub(crate) fn append(store: &dyn Journal, append: Append) -> Result<u64, StoreError> {
    block_on(store.append(append))
}

/// The whole stream, checked.
pub(crate) fn rows(store: &dyn Journal, stream: &Stream) -> Vec<Row> {
    let rows = block_on(store.read(stream, 0)).unwrap();
    assert_eq!(verify_chain(&rows), Ok(()), "{stream}");
    rows
}

pub(crate) fn kinds(rows: &[Row]) -> Vec<&str> {
    rows.iter().map(|row| row.kind.as_str()).collect()
}

/// Random numbers that are the same every time.
pub(crate) struct Seeded(u64);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1)
    }

    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        usize::try_from(self.0 >> 11).unwrap() % bound
    }

    pub(crate) fn bytes(&mut self, count: usize) -> Vec<u8> {
        (0..count).map(|_| u8::try_from(self.below(256)).unwrap()).collect()
    }
}
