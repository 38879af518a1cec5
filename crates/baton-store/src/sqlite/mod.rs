//! The ports on SQLite.

mod batch;
mod blobs;
mod error;
mod files;
mod number;
mod open;
mod query;
mod reader;
mod writer;

use std::path::Path;
use std::sync::Arc;

use baton_core::hash::Hash;
use baton_core::journal::{Row, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Blobs, BoxFuture, Journal, Lease, Rows, RunSummary, StoreError, VersionedRow};

use reader::Readers;
use writer::Writer;

/// How a store is opened.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Options {
    /// The most pages of 4 KiB that the database may grow to; beyond it writes are refused as `Full`. Large blobs,
    /// which are files, do not count.
    pub page_limit: Option<u32>,
}

/// The store in one directory: `baton.db` with its log, and `blobs/` for what is larger than 64 KiB.
///
/// - A write is accepted when it is called, in the order of the calls, whether or not its future is polled. Its future
///   ends after the commit that holds it was synced: what was acknowledged survives a kill and a loss of power.
/// - Requests that wait are committed together. One that is refused fails alone and leaves no trace; when the commit
///   itself fails, all of them fail and none was written.
/// - Any number of processes may have the same directory open.
/// - No call blocks the caller's thread, save [`SqliteStore::open`], [`SqliteStore::close`] and dropping.
///
/// A blob that comes with an append is kept under the hash that it comes with; whether they agree is checked when it
/// is read.
pub struct SqliteStore {
    readers: Arc<Readers>,
    writer: Writer,
}

impl SqliteStore {
    /// The database's name in the directory.
    pub const FILE: &str = open::FILE;
    /// The schema that a store has once it is open.
    pub const SCHEMA: usize = open::MIGRATIONS.len();

    /// Opens the store, and makes it (for its owner alone) where there is none. A schema of an older baton is brought
    /// up to date, each step whole or not at all. A few milliseconds when it is there already.
    ///
    /// # Errors
    /// `Newer` for a schema that this baton does not know, `Damaged` for a file that is no database, not ours, or
    /// broken: in these cases the file stays as it is. `ReadOnly` and `Full` when it cannot be written. Errors about a
    /// file name it.
    pub fn open(directory: &Path, options: Options) -> Result<Self, StoreError> {
        let (connection, path) = open::open(directory, &options)?;
        let readers = Arc::new(Readers::new(&path));
        let writer = Writer::start(connection, &path, Arc::clone(&readers))
            .map_err(|error| StoreError::Failed(format!("no thread to write with: {error}")))?;
        Ok(Self { readers, writer })
    }

    /// Looks for damage without reading every byte: the structure of all pages, and that large blobs have their files.
    /// Changed content is found by the hash chain and by reading blobs, not by this.
    ///
    /// # Errors
    /// `Damaged` with the first thing found.
    pub fn check(&self) -> BoxFuture<'_, Result<(), StoreError>> {
        Box::pin(self.readers.ask(query::check))
    }

    /// Does what was accepted, moves the log into the database, and ends the threads. Dropping does the same.
    pub fn close(self) {
        drop(self);
    }
}

impl Drop for SqliteStore {
    fn drop(&mut self) {
        // Readers first: the connection that closes last moves the log, and only the writer's is allowed to write.
        self.readers.close();
        self.writer.close();
    }
}

impl std::fmt::Debug for SqliteStore {
    fn fmt(&self, formatter: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        formatter.debug_struct("SqliteStore").finish_non_exhaustive()
    }
}

fn size_of_append(append: &Append) -> usize {
    let events = append.events.iter().map(|event| event.header.len() + event.body.as_ref().map_or(0, Vec::len));
    let blobs = append.blobs.iter().map(|blob| blob.bytes.len());
    events.chain(blobs).sum()
}

impl Journal for SqliteStore {
    fn append(&self, append: Append) -> BoxFuture<'_, Result<u64, StoreError>> {
        let bytes = size_of_append(&append);
        Box::pin(self.writer.submit(bytes, move |batch| batch.append(append)))
    }

    fn append_all(&self, appends: Vec<Append>) -> BoxFuture<'_, Result<u64, StoreError>> {
        let bytes = appends.iter().map(size_of_append).sum();
        Box::pin(self.writer.submit(bytes, move |batch| batch.append_all(appends)))
    }

    fn read<'a>(&'a self, stream: &'a Stream, from: u64) -> BoxFuture<'a, Result<Vec<Row>, StoreError>> {
        let stream = stream.to_string();
        Box::pin(self.readers.ask(move |reader| query::read(reader, &stream, from)))
    }

    fn follow(&self, after: u64, limit: usize) -> BoxFuture<'_, Result<Vec<Row>, StoreError>> {
        Box::pin(self.readers.ask(move |reader| query::follow(reader, after, limit)))
    }

    fn runs(&self, limit: usize) -> BoxFuture<'_, Result<Vec<RunSummary>, StoreError>> {
        Box::pin(self.readers.ask(move |reader| query::runs(reader, limit)))
    }

    fn held<'a>(&'a self, prefix: &'a str, now: Timestamp) -> BoxFuture<'a, Result<u32, StoreError>> {
        let prefix = prefix.to_owned();
        Box::pin(self.readers.ask(move |reader| query::held(reader, &prefix, now)))
    }

    fn claim<'a>(
        &'a self,
        name: &'a str,
        owner: &'a str,
        now: Timestamp,
        ttl_ms: u64,
    ) -> BoxFuture<'a, Result<Lease, StoreError>> {
        let (name, owner) = (name.to_owned(), owner.to_owned());
        Box::pin(self.writer.submit_unsynced(move |batch| batch.claim(&name, &owner, now, ttl_ms)))
    }

    fn renew<'a>(&'a self, lease: &'a Lease, now: Timestamp, ttl_ms: u64) -> BoxFuture<'a, Result<Lease, StoreError>> {
        let lease = lease.clone();
        Box::pin(self.writer.submit_unsynced(move |batch| batch.renew(&lease, now, ttl_ms)))
    }

    fn release<'a>(&'a self, lease: &'a Lease) -> BoxFuture<'a, Result<(), StoreError>> {
        let lease = lease.clone();
        Box::pin(self.writer.submit_unsynced(move |batch| batch.release(&lease)))
    }
}

impl Blobs for SqliteStore {
    fn put(&self, bytes: Vec<u8>) -> BoxFuture<'_, Result<Hash, StoreError>> {
        Box::pin(self.writer.submit(bytes.len(), move |batch| batch.put(&bytes)))
    }

    fn get(&self, hash: Hash) -> BoxFuture<'_, Result<Option<Vec<u8>>, StoreError>> {
        Box::pin(self.readers.ask(move |reader| query::blob(reader, &hash)))
    }
}

impl Rows for SqliteStore {
    fn get<'a>(&'a self, table: &'a str, key: &'a str) -> BoxFuture<'a, Result<Option<VersionedRow>, StoreError>> {
        use error::At as _;
        let (table, key) = (table.to_owned(), key.to_owned());
        Box::pin(self.readers.ask(move |reader| query::row_of(&reader.connection, &table, &key).at(&reader.path)))
    }

    fn set<'a>(
        &'a self,
        table: &'a str,
        key: &'a str,
        expected: u64,
        value: String,
    ) -> BoxFuture<'a, Result<u64, StoreError>> {
        let (table, key) = (table.to_owned(), key.to_owned());
        Box::pin(self.writer.submit_unsynced(move |batch| batch.set(&table, &key, expected, &value)))
    }
}
