//! What must survive: the journal, blobs, leases and a few versioned rows.

use baton_core::hash::Hash;
use baton_core::journal::{NewEvent, Row, Stream};
use baton_core::units::Timestamp;

use crate::BoxFuture;

/// Bytes kept under their own hash.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Blob {
    pub hash: Hash,
    pub bytes: Vec<u8>,
}

impl Blob {
    #[must_use]
    pub fn new(bytes: Vec<u8>) -> Self {
        Self { hash: Hash::of(&bytes), bytes }
    }
}

/// One atomic write to a stream.
#[derive(Clone, Debug)]
pub struct Append {
    pub stream: Stream,
    /// The ordinal that the first event will get; `Conflict` when the stream is at another. `None` appends at the
    /// end, whatever it is.
    pub expected: Option<u64>,
    /// The lease under which this is written; `None` for what any process may append.
    pub epoch: Option<u64>,
    pub events: Vec<NewEvent>,
    /// Written in the same commit.
    pub blobs: Vec<Blob>,
}

/// A claim on a run, held by one process at a time.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Lease {
    pub name: String,
    pub owner: String,
    /// Grows with every new owner; a late writer with an older one is refused.
    pub epoch: u64,
    pub until: Timestamp,
}

/// A small JSON value with a version for compare-and-set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VersionedRow {
    pub version: u64,
    pub value: String,
}

/// One line of the list of runs, read from headers alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RunSummary {
    pub stream: String,
    pub first: Row,
    /// The last event; its kind tells whether the run is over.
    pub last: Row,
    /// The last `decided` row, if there is one.
    pub decided: Option<Row>,
}

/// Why the store did not do it. After any of these the caller's view is not to be trusted: read again, or stop.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum StoreError {
    /// Somebody else appended in between.
    #[error("the stream is at event {actual}, not at the expected {expected}")]
    Conflict { expected: u64, actual: u64 },
    /// Somebody else holds the lease by now.
    #[error("another process has taken over this run")]
    Fenced,
    #[error("the lease is held by {owner}")]
    Busy { owner: String },
    #[error("there is no room left on the disk; nothing was lost, and nothing was written")]
    Full,
    #[error("the store cannot be written: {0}")]
    ReadOnly(String),
    #[error("the store was written by a newer baton (schema {found}, this one knows {known})")]
    Newer { found: u32, known: u32 },
    #[error("the store is damaged: {0}")]
    Damaged(String),
    #[error("the store failed: {0}")]
    Failed(String),
}

/// The ordered log. When `append` returns, the events are on disk (for a store that has one).
pub trait Journal: Send + Sync {
    /// Appends atomically: all events and blobs, or nothing. Returns the place of the last event in the whole journal.
    fn append(&self, append: Append) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// Appends to several streams atomically, in this order: all of them, or none.
    fn append_all(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<u64, StoreError>>;

    /// A stream's rows from an ordinal on, bodies included.
    fn read<'a>(&'a self, stream: &'a Stream, from: u64) -> BoxFuture<'a, Result<Vec<Row>, StoreError>>;

    /// Rows of the whole journal after a cursor, at most `limit`, without bodies.
    fn follow(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, StoreError>>;

    /// Runs, newest first.
    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<RunSummary>, StoreError>>;

    /// How many leases whose names begin so are held at this time.
    fn held<'a>(&'a self, prefix: &'a str, now: Timestamp) -> BoxFuture<'a, Result<u32, StoreError>>;

    /// Takes a lease that is free, expired, or already this owner's. The epoch grows when the owner changes. Leases hold
    /// between living processes: a loss of power may undo one.
    fn claim<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        now: Timestamp,
        ttl_ms: u64,
    ) -> BoxFuture<'a, Result<Lease, StoreError>>;

    /// Extends a lease; `Fenced` when it was lost.
    fn renew<'a>(&'a self, lease: &'a Lease, now: Timestamp, ttl_ms: u64) -> BoxFuture<'a, Result<Lease, StoreError>>;

    /// Gives a lease back; no error when it was lost before.
    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>>;
}

/// Content-addressed bytes.
pub trait Blobs: Send + Sync {
    fn put(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<Hash, StoreError>>;

    /// `None` when it was never there or was dropped. Bytes that do not match their hash are `Damaged`.
    fn get(&self, hash: Hash) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>>;
}

/// Small shared values: what is not history but must be agreed on by all processes. They outlive every process; a loss
/// of power may undo the last ones.
pub trait Rows: Send + Sync {
    fn get<'a>(&'a self, table: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<VersionedRow>, StoreError>>;

    /// Writes when the row is at `expected` (0: it must not exist); returns the new version.
    fn set<'a>(
        &'a self,
        table: &'a str,
        key: &'a str,
        expected: u64,
        value: String,
    ) -> BoxFuture<'a, Result<u64, StoreError>>;
}
