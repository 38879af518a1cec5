//! A journal and blobs that watch what is written, slip something in before a write, and change what is read.

use std::sync::{Arc, Mutex};

use baton_core::hash::Hash;
use baton_core::journal::{Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Blobs, BoxFuture, Journal, Lease, RunSummary, StoreError};
use baton_store::MemoryStore;

type Intrude = Box<dyn Fn(&MemoryStore, &Append, usize) -> Option<Append> + Send + Sync>;
type Change = Box<dyn Fn(&mut Vec<Row>) + Send + Sync>;

pub(crate) struct Tap {
    store: MemoryStore,
    /// The kinds of the events of each append that was done, with the hashes of its blobs.
    written: Mutex<Vec<(Vec<&'static str>, Vec<Hash>)>>,
    intrude: Intrude,
    change: Change,
    tried: Mutex<usize>,
}

impl Tap {
    pub(crate) fn new(store: MemoryStore) -> Self {
        let intrude = Box::new(|_: &MemoryStore, _: &Append, _| None);
        Self { store, written: Mutex::default(), intrude, change: Box::new(|_| {}), tried: Mutex::new(0) }
    }

    /// `intrude` is told each append before it is done, with its number, and may have another one done first.
    pub(crate) fn intruding(
        store: MemoryStore,
        intrude: impl Fn(&MemoryStore, &Append, usize) -> Option<Append> + Send + Sync + 'static,
    ) -> Self {
        Self { intrude: Box::new(intrude), ..Self::new(store) }
    }

    pub(crate) fn changing(store: MemoryStore, change: impl Fn(&mut Vec<Row>) + Send + Sync + 'static) -> Self {
        Self { change: Box::new(change), ..Self::new(store) }
    }

    pub(crate) fn written(&self) -> Vec<Vec<&'static str>> {
        self.written.lock().unwrap().iter().map(|(kinds, _)| kinds.clone()).collect()
    }

    pub(crate) fn blobs_of(&self, append: usize) -> Vec<Hash> {
        self.written.lock().unwrap()[append].1.clone()
    }
}

impl Journal for Tap {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let number = {
                let mut tried = self.tried.lock().unwrap();
                *tried += 1;
                *tried - 1
            };
            if let Some(other) = (self.intrude)(&self.store, &append, number) {
                self.store.append(other).await?;
            }
            let kinds = append.events.iter().map(|event| event.kind).collect();
            let blobs = append.blobs.iter().map(|blob| blob.hash).collect();
            let done = self.store.append(append).await?;
            self.written.lock().unwrap().push((kinds, blobs));
            Ok(done)
        })
    }

    fn append_all(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<u64, StoreError>> {
        Box::pin(async move {
            let kinds = appends.iter().flat_map(|append| append.events.iter().map(|event| event.kind)).collect();
            let blobs = appends.iter().flat_map(|append| append.blobs.iter().map(|blob| blob.hash)).collect();
            let done = self.store.append_all(appends).await?;
            self.written.lock().unwrap().push((kinds, blobs));
            Ok(done)
        })
    }

    fn read<'a>(&'a self, stream: &'a Stream, from: u64) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        Box::pin(async move {
            let mut rows = self.store.read(stream, from).await?;
            (self.change)(&mut rows);
            Ok(rows)
        })
    }

    fn follow(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        self.store.follow(after, limit)
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<RunSummary>, StoreError>> {
        self.store.runs(limit)
    }

    fn held<'a>(&'a self, prefix: &'a str, now: Timestamp) -> BoxFuture<'a, Result<u32, StoreError>> {
        self.store.held(prefix, now)
    }

    fn claim<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        now: Timestamp,
        ttl_ms: u64,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        self.store.claim(name, owner, now, ttl_ms)
    }

    fn renew<'a>(&'a self, lease: &'a Lease, now: Timestamp, ttl_ms: u64) -> BoxFuture<'a, Result<Lease, StoreError>> {
        self.store.renew(lease, now, ttl_ms)
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.store.release(lease)
    }
}

/// Blobs of which one is gone, or was changed.
pub(crate) struct Holes {
    pub(crate) store: Arc<dyn Blobs>,
    pub(crate) hole: Hash,
    pub(crate) found: Result<Option<Vec<u8>>, StoreError>,
}

impl Blobs for Holes {
    fn put(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<Hash, StoreError>> {
        self.store.put(bytes)
    }

    fn get(&self, hash: Hash) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        if hash == self.hole { Box::pin(std::future::ready(self.found.clone())) } else { self.store.get(hash) }
    }
}
