//! What the writer does within one transaction.

use std::collections::HashMap;
use std::path::Path;

use baton_core::hash::Hash;
use baton_core::journal::{Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Lease, StoreError};
use rusqlite::{Connection, OptionalExtension as _, Params, params};

use super::blobs::{self, BlobFiles};
use super::error::At;
use super::number::Number;
use crate::lease::{self, Kept};

/// How many streams' ends are remembered.
const REMEMBERED: usize = 4_096;

const INSERT_EVENT: &str = "INSERT INTO event
    (stream, ordinal, kind, version, at, epoch, actor, header, body_hash, prev_hash, hash)
    VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11)";
const UPSERT_RUN: &str = "INSERT INTO run (stream, first_seq, last_seq, decided_seq) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (stream) DO UPDATE SET last_seq = excluded.last_seq,
    decided_seq = coalesce(excluded.decided_seq, decided_seq)";
const SELECT_TAIL: &str = "SELECT ordinal, hash FROM event WHERE stream = ?1 ORDER BY ordinal DESC LIMIT 1";
const SELECT_LEASE: &str = "SELECT owner, epoch, until FROM lease WHERE name = ?1";
const UPSERT_LEASE: &str = "INSERT INTO lease (name, owner, epoch, until) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (name) DO UPDATE SET owner = excluded.owner, epoch = excluded.epoch, until = excluded.until";
const UPSERT_ROW: &str = "INSERT INTO row (tbl, key, version, value) VALUES (?1, ?2, ?3, ?4)
    ON CONFLICT (tbl, key) DO UPDATE SET version = excluded.version, value = excluded.value";

/// The last ordinal and hash of streams, as this transaction sees them.
#[derive(Default)]
pub(crate) struct Tails(HashMap<String, (u64, Hash)>);

impl Tails {
    pub(crate) fn forget_all(&mut self) {
        self.0.clear();
    }

    fn remember(&mut self, stream: String, tail: (u64, Hash)) {
        if self.0.len() >= REMEMBERED {
            self.0.clear();
        }
        self.0.insert(stream, tail);
    }
}

/// The open transaction of the writer. Every method does all of its work or leaves an error, after which the caller
/// rolls back to the savepoint before it.
pub(crate) struct Batch<'a> {
    pub(crate) connection: &'a Connection,
    pub(crate) path: &'a Path,
    pub(crate) tails: &'a mut Tails,
    pub(crate) files: &'a mut BlobFiles,
}

impl Batch<'_> {
    pub(crate) fn append(&mut self, append: Append) -> Result<u64, StoreError> {
        let stream = append.stream.to_string();
        if let Some(epoch) = append.epoch
            && !lease::admits(self.lease(&stream)?.as_ref(), epoch)
        {
            return Err(StoreError::Fenced);
        }
        let mut tail = self.tail(&stream)?;
        let actual = tail.map_or(0, |(ordinal, _)| ordinal + 1);
        if let Some(expected) = append.expected.filter(|expected| *expected != actual) {
            return Err(StoreError::Conflict { expected, actual });
        }
        for blob in &append.blobs {
            self.store_blob(&blob.hash, &blob.bytes)?;
        }
        let mut written = Written::default();
        for event in append.events {
            let row = Row::next(tail, &stream, append.epoch.unwrap_or(0), event);
            tail = Some((row.ordinal, row.hash));
            self.insert(&row, &mut written)?;
        }
        self.finish_append(append.stream, stream, tail, &written)
    }

    pub(crate) fn append_all(&mut self, appends: Vec<Append>) -> Result<u64, StoreError> {
        let done = appends.into_iter().try_fold(0, |_, append| self.append(append));
        if done.is_err() {
            // The earlier ones are undone with the savepoint; what is remembered of their streams is wrong.
            self.tails.forget_all();
        }
        done
    }

    fn finish_append(
        &mut self,
        kind: Stream,
        stream: String,
        tail: Option<(u64, Hash)>,
        written: &Written,
    ) -> Result<u64, StoreError> {
        let Some(last) = written.last else {
            return self.last_of_all();
        };
        if matches!(kind, Stream::Run(_)) {
            self.execute(UPSERT_RUN, params![stream, written.first, last, written.decided])?;
        }
        if let Some(tail) = tail {
            self.tails.remember(stream, tail);
        }
        self.unsigned(last)
    }

    fn insert(&mut self, row: &Row, written: &mut Written) -> Result<(), StoreError> {
        if let (Some(hash), Some(body)) = (&row.body_hash, &row.body) {
            self.store_blob(hash, body)?;
        }
        self.execute(
            INSERT_EVENT,
            params![
                row.stream,
                Number(row.ordinal),
                row.kind,
                row.version,
                row.at.0,
                Number(row.epoch),
                row.actor,
                row.header,
                row.body_hash.as_ref().map(Hash::as_bytes),
                row.prev_hash.as_bytes(),
                row.hash.as_bytes(),
            ],
        )?;
        written.note(self.connection.last_insert_rowid(), &row.kind);
        Ok(())
    }

    pub(crate) fn put(&mut self, bytes: &[u8]) -> Result<Hash, StoreError> {
        let hash = Hash::of(bytes);
        self.store_blob(&hash, bytes)?;
        Ok(hash)
    }

    fn store_blob(&mut self, hash: &Hash, bytes: &[u8]) -> Result<(), StoreError> {
        blobs::store(self.connection, self.files, self.path, hash, bytes)
    }

    pub(crate) fn claim(&mut self, name: &str, owner: &str, now: Timestamp, ttl_ms: u64) -> Result<Lease, StoreError> {
        let kept = lease::claim(self.lease(name)?.as_ref(), owner, now, ttl_ms)?;
        self.keep_lease(name, &kept)?;
        Ok(kept.as_lease(name))
    }

    pub(crate) fn renew(&mut self, lease: &Lease, now: Timestamp, ttl_ms: u64) -> Result<Lease, StoreError> {
        if !lease::holds(self.lease(&lease.name)?.as_ref(), lease) {
            return Err(StoreError::Fenced);
        }
        let kept = Kept { owner: Some(lease.owner.clone()), epoch: lease.epoch, until: now.plus_millis(ttl_ms) };
        self.keep_lease(&lease.name, &kept)?;
        Ok(kept.as_lease(&lease.name))
    }

    pub(crate) fn release(&mut self, lease: &Lease) -> Result<(), StoreError> {
        if !lease::holds(self.lease(&lease.name)?.as_ref(), lease) {
            return Ok(());
        }
        self.keep_lease(&lease.name, &Kept { owner: None, epoch: lease.epoch, until: lease.until })
    }

    pub(crate) fn set(&mut self, table: &str, key: &str, expected: u64, value: &str) -> Result<u64, StoreError> {
        let actual = super::query::row_of(self.connection, table, key).at(self.path)?.map_or(0, |row| row.version);
        if actual != expected {
            return Err(StoreError::Conflict { expected, actual });
        }
        let version = actual.saturating_add(1);
        self.execute(UPSERT_ROW, params![table, key, Number(version), value])?;
        Ok(version)
    }

    fn lease(&self, name: &str) -> Result<Option<Kept>, StoreError> {
        self.find(SELECT_LEASE, [name], |row| {
            Ok(Kept { owner: row.get(0)?, epoch: row.get::<_, Number>(1)?.0, until: Timestamp(row.get(2)?) })
        })
    }

    fn keep_lease(&self, name: &str, kept: &Kept) -> Result<(), StoreError> {
        self.execute(UPSERT_LEASE, params![name, kept.owner, Number(kept.epoch), kept.until.0])
    }

    fn tail(&self, stream: &str) -> Result<Option<(u64, Hash)>, StoreError> {
        if let Some(tail) = self.tails.0.get(stream) {
            return Ok(Some(*tail));
        }
        self.find(SELECT_TAIL, [stream], |row| Ok((row.get::<_, Number>(0)?.0, Hash::from_bytes(row.get(1)?))))
    }

    fn last_of_all(&self) -> Result<u64, StoreError> {
        Ok(self
            .find("SELECT seq FROM event ORDER BY seq DESC LIMIT 1", [], |row| row.get::<_, Number>(0))?
            .map_or(0, |seq| seq.0))
    }

    fn execute(&self, sql: &str, parameters: impl Params) -> Result<(), StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.execute(parameters))
            .at(self.path)
            .map(drop)
    }

    fn find<T>(
        &self,
        sql: &str,
        parameters: impl Params,
        read: impl FnOnce(&rusqlite::Row<'_>) -> rusqlite::Result<T>,
    ) -> Result<Option<T>, StoreError> {
        self.connection
            .prepare_cached(sql)
            .and_then(|mut statement| statement.query_row(parameters, read).optional())
            .at(self.path)
    }

    fn unsigned(&self, place: i64) -> Result<u64, StoreError> {
        u64::try_from(place).map_err(|_| super::error::damaged(self.path, "a place in the journal is negative"))
    }
}

/// The places of what one append wrote.
#[derive(Default)]
struct Written {
    first: Option<i64>,
    last: Option<i64>,
    decided: Option<i64>,
}

impl Written {
    fn note(&mut self, place: i64, kind: &str) {
        self.first.get_or_insert(place);
        self.last = Some(place);
        if kind == "decided" {
            self.decided = Some(place);
        }
    }
}
