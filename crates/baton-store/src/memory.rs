//! The same ports in memory, for tests and simulation.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use baton_core::hash::Hash;
use baton_core::journal::{Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Blobs, BoxFuture, Journal, Lease, Rows, RunSummary, StoreError, VersionedRow};

use crate::lease::{self, Kept};

/// Keeps what it is given as long as a clone of it lives. Refuses what [`crate::SqliteStore`] refuses.
#[derive(Clone, Debug, Default)]
pub struct MemoryStore(Arc<Mutex<State>>);

#[derive(Debug, Default)]
struct State {
    /// In order of `seq`, which begins at 1; bodies are among the blobs.
    events: Vec<Row>,
    streams: BTreeMap<String, Vec<usize>>,
    blobs: HashMap<Hash, Vec<u8>>,
    leases: HashMap<String, Kept>,
    rows: HashMap<(String, String), VersionedRow>,
}

impl State {
    /// Nothing is written unless everything can be.
    fn append_all(&mut self, appends: Vec<Append>) -> Result<u64, StoreError> {
        let kept = (self.events.len(), self.streams.clone());
        for append in appends {
            if let Err(error) = self.append(append) {
                self.events.truncate(kept.0);
                self.streams = kept.1;
                return Err(error);
            }
        }
        Ok(self.events.len() as u64)
    }

    fn append(&mut self, append: Append) -> Result<u64, StoreError> {
        let stream = append.stream.to_string();
        if append.epoch.is_some_and(|epoch| !lease::admits(self.leases.get(&stream), epoch)) {
            return Err(StoreError::Fenced);
        }
        let places = self.streams.get(&stream);
        let actual = places.map_or(0, |places| places.len() as u64);
        if let Some(expected) = append.expected.filter(|expected| *expected != actual) {
            return Err(StoreError::Conflict { expected, actual });
        }
        let last = places.and_then(|places| places.last()).map(|place| &self.events[*place]);
        let mut tail = last.map(|row| (row.ordinal, row.hash));
        self.blobs.extend(append.blobs.into_iter().map(|blob| (blob.hash, blob.bytes)));
        for event in append.events {
            let row = Row::next(tail, &stream, append.epoch.unwrap_or(0), event);
            tail = Some((row.ordinal, row.hash));
            self.push(row);
        }
        Ok(self.events.len() as u64)
    }

    fn push(&mut self, mut row: Row) {
        if let (Some(hash), Some(body)) = (row.body_hash, row.body.take()) {
            self.blobs.insert(hash, body);
        }
        self.streams.entry(row.stream.clone()).or_default().push(self.events.len());
        row.seq = self.events.len() as u64 + 1;
        self.events.push(row);
    }

    fn read(&self, stream: &str, from: u64) -> Vec<Row> {
        let from = usize::try_from(from).unwrap_or(usize::MAX);
        let places = self.streams.get(stream).map_or(&[][..], Vec::as_slice);
        let mut rows: Vec<Row> = places.iter().skip(from).map(|place| self.events[*place].clone()).collect();
        for row in &mut rows {
            row.body = row.body_hash.and_then(|hash| self.blobs.get(&hash).cloned());
        }
        rows
    }

    fn follow(&self, after: u64, limit: usize) -> Vec<Row> {
        let after = usize::try_from(after).unwrap_or(usize::MAX);
        self.events.iter().skip(after).take(limit).cloned().collect()
    }

    fn runs(&self, limit: usize) -> Vec<RunSummary> {
        let runs = self.streams.iter().filter(|(stream, _)| stream.starts_with("run:"));
        let mut summaries: Vec<RunSummary> = runs.filter_map(|(stream, places)| self.summary(stream, places)).collect();
        summaries.sort_by_key(|summary| std::cmp::Reverse(summary.first.seq));
        summaries.truncate(limit);
        summaries
    }

    fn summary(&self, stream: &str, places: &[usize]) -> Option<RunSummary> {
        let mut rows = places.iter().map(|place| &self.events[*place]);
        Some(RunSummary {
            stream: stream.to_owned(),
            decided: rows.clone().rfind(|row| row.kind == "decided").cloned(),
            last: rows.clone().next_back()?.clone(),
            first: rows.next()?.clone(),
        })
    }

    fn claim(&mut self, name: &str, owner: &str, now: Timestamp, ttl_ms: u64) -> Result<Lease, StoreError> {
        let kept = lease::claim(self.leases.get(name), owner, now, ttl_ms)?;
        let lease = kept.as_lease(name);
        self.leases.insert(name.to_owned(), kept);
        Ok(lease)
    }

    fn renew(&mut self, lease: &Lease, now: Timestamp, ttl_ms: u64) -> Result<Lease, StoreError> {
        if !lease::holds(self.leases.get(&lease.name), lease) {
            return Err(StoreError::Fenced);
        }
        let kept = Kept { owner: Some(lease.owner.clone()), epoch: lease.epoch, until: now.plus_millis(ttl_ms) };
        let renewed = kept.as_lease(&lease.name);
        self.leases.insert(lease.name.clone(), kept);
        Ok(renewed)
    }

    fn release(&mut self, lease: &Lease) {
        if lease::holds(self.leases.get(&lease.name), lease)
            && let Some(kept) = self.leases.get_mut(&lease.name)
        {
            kept.owner = None;
        }
    }

    fn set(&mut self, table: &str, key: &str, expected: u64, value: String) -> Result<u64, StoreError> {
        let place = (table.to_owned(), key.to_owned());
        let actual = self.rows.get(&place).map_or(0, |row| row.version);
        if actual != expected {
            return Err(StoreError::Conflict { expected, actual });
        }
        let version = actual.saturating_add(1);
        self.rows.insert(place, VersionedRow { version, value });
        Ok(version)
    }
}

impl MemoryStore {
    fn state(&self) -> MutexGuard<'_, State> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn done<T: Send + 'static>(result: Result<T, StoreError>) -> BoxFuture<'static, Result<T, StoreError>> {
    Box::pin(std::future::ready(result))
}

impl Journal for MemoryStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<u64, StoreError>> {
        done(self.state().append(append))
    }

    fn append_all(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<u64, StoreError>> {
        done(self.state().append_all(appends))
    }

    fn read<'a>(&'a self, stream: &'a Stream, from: u64) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        done(Ok(self.state().read(&stream.to_string(), from)))
    }

    fn follow(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        done(Ok(self.state().follow(after, limit)))
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<RunSummary>, StoreError>> {
        done(Ok(self.state().runs(limit)))
    }

    fn held<'a>(&'a self, prefix: &'a str, now: Timestamp) -> BoxFuture<'a, Result<u32, StoreError>> {
        let state = self.state();
        let of_name = state.leases.iter().filter(|(name, _)| name.starts_with(prefix));
        let held = of_name.filter(|(_, kept)| kept.owner.is_some() && kept.until > now).count();
        done(Ok(u32::try_from(held).unwrap_or(u32::MAX)))
    }

    fn claim<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        now: Timestamp,
        ttl_ms: u64,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        done(self.state().claim(name, owner, now, ttl_ms))
    }

    fn renew<'a>(&'a self, lease: &'a Lease, now: Timestamp, ttl_ms: u64) -> BoxFuture<'a, Result<Lease, StoreError>> {
        done(self.state().renew(lease, now, ttl_ms))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        self.state().release(lease);
        done(Ok(()))
    }
}

impl Blobs for MemoryStore {
    fn put(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<Hash, StoreError>> {
        let hash = Hash::of(&bytes);
        self.state().blobs.insert(hash, bytes);
        done(Ok(hash))
    }

    fn get(&self, hash: Hash) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        let found = self.state().blobs.get(&hash).cloned();
        done(match found {
            Some(bytes) if Hash::of(&bytes) != hash => Err(StoreError::Damaged(format!("blob {hash} was changed"))),
            found => Ok(found),
        })
    }
}

impl Rows for MemoryStore {
    fn get<'a>(&'a self, table: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<VersionedRow>, StoreError>> {
        done(Ok(self.state().rows.get(&(table.to_owned(), key.to_owned())).cloned()))
    }

    fn set<'a>(
        &'a self,
        table: &'a str,
        key: &'a str,
        expected: u64,
        value: String,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        done(self.state().set(table, key, expected, value))
    }
}
