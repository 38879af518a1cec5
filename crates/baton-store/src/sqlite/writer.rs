//! The one thread that writes. It takes all that waits, does it in one transaction, syncs once, and only then answers.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::Duration;

use baton_port::StoreError;
use rusqlite::Connection;

use super::batch::{Batch, Tails};
use super::blobs::BlobFiles;
use super::error::At;
use super::reader::Readers;
use crate::oneshot::{Answer, Promise, oneshot};
use crate::queue::{AbandonAtEnd, Queue, Taken};

const MOST_REQUESTS: usize = 512;
const MOST_BYTES: usize = 8 << 20;
/// After this much the log is moved into the database in the background, by a reader's connection.
const CHECKPOINT_BYTES: usize = 4 << 20;
/// With nothing to do for this long, the log is moved whatever its size.
const IDLE: Duration = Duration::from_millis(500);
/// What a request costs in the log beside its own bytes, roughly.
const OVERHEAD: usize = 1 << 10;
/// For so many commits after another process wrote, a gap is left for it between two commits.
const POLITE_COMMITS: u32 = 64;
const POLITE_GAP: Duration = Duration::from_millis(1);

/// One request, in two halves: what is done in the transaction, and the answer after the commit.
trait Work: Send {
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError>;
    fn answer(self: Box<Self>, committed: &Result<(), StoreError>);
}

struct Request<T, F> {
    operation: Option<F>,
    result: Option<Result<T, StoreError>>,
    promise: Promise<T>,
}

impl<T, F> Work for Request<T, F>
where
    T: Send,
    F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send,
{
    fn run(&mut self, batch: &mut Batch<'_>) -> Result<(), StoreError> {
        let Some(operation) = self.operation.take() else { return Ok(()) };
        let result = operation(batch);
        let outcome = result.as_ref().map(drop).map_err(Clone::clone);
        self.result = Some(result);
        outcome
    }

    fn answer(self: Box<Self>, committed: &Result<(), StoreError>) {
        match (committed, self.result) {
            (Ok(()), Some(result)) => self.promise.keep(result),
            (Err(error), _) => self.promise.keep(Err(error.clone())),
            (Ok(()), None) => {} // dropping the promise answers
        }
    }
}

struct Job {
    bytes: usize,
    /// Answered only once it would survive a loss of power.
    synced: bool,
    work: Box<dyn Work>,
}

pub(crate) struct Writer {
    queue: Arc<Queue<Job>>,
    thread: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(connection: Connection, path: &Path, readers: Arc<Readers>) -> std::io::Result<Self> {
        let queue: Arc<Queue<Job>> = Arc::default();
        let files = BlobFiles::new(path.parent().unwrap_or(Path::new(".")));
        let mut state = State {
            connection,
            path: path.to_owned(),
            readers,
            files,
            tails: Tails::default(),
            data_version: None,
            polite: 0,
            unmoved: 0,
            synced: true,
        };
        let jobs = Arc::clone(&queue);
        let builder = std::thread::Builder::new().name("baton-store-write".into());
        let thread = builder.spawn(move || state.work(&jobs))?;
        Ok(Self { queue, thread: Mutex::new(Some(thread)) })
    }

    /// Accepts a request at once, in the order of the calls; it is done also when the answer is dropped.
    pub(crate) fn submit<T, F>(&self, bytes: usize, operation: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.accept(bytes, true, operation)
    }

    /// As [`Self::submit`], for what holds between living processes only: alone it is committed without a sync. Every
    /// later commit that is synced makes it durable too, as the log is synced from its beginning.
    pub(crate) fn submit_unsynced<T, F>(&self, operation: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        self.accept(0, false, operation)
    }

    fn accept<T, F>(&self, bytes: usize, synced: bool, operation: F) -> Answer<T>
    where
        T: Send + 'static,
        F: FnOnce(&mut Batch<'_>) -> Result<T, StoreError> + Send + 'static,
    {
        let (promise, answer) = oneshot();
        let work = Box::new(Request { operation: Some(operation), result: None, promise });
        self.queue.push(Job { bytes: bytes + OVERHEAD, synced, work });
        answer
    }

    /// Ends the thread after what it accepted was done.
    pub(crate) fn close(&self) {
        self.queue.close();
        if let Some(thread) = self.thread.lock().unwrap_or_else(PoisonError::into_inner).take() {
            let _ = thread.join();
        }
    }
}

struct State {
    connection: Connection,
    path: PathBuf,
    readers: Arc<Readers>,
    files: BlobFiles,
    tails: Tails,
    /// SQLite's mark of the last change that another connection made.
    data_version: Option<i64>,
    polite: u32,
    /// Bytes committed since the log was last moved.
    unmoved: usize,
    /// How the connection is set: commits are synced.
    synced: bool,
}

impl State {
    fn work(&mut self, jobs: &Queue<Job>) {
        let _end = AbandonAtEnd(jobs);
        loop {
            let idle = (self.unmoved > 0).then_some(IDLE);
            match jobs.take(idle, limit()) {
                Taken::Items(jobs) => self.commit(jobs),
                Taken::Idle => self.checkpoint(),
                Taken::Closed => return,
            }
        }
    }

    fn commit(&mut self, mut jobs: Vec<Job>) {
        let committed = self.transaction(&mut jobs);
        if committed.is_err() {
            self.tails.forget_all();
            if !self.connection.is_autocommit() {
                // When even this fails, the next BEGIN does too, and says so.
                let _ = self.execute("ROLLBACK");
            }
        }
        self.unmoved += jobs.iter().map(|job| job.bytes).sum::<usize>();
        for job in jobs {
            job.work.answer(&committed);
        }
        if self.unmoved > CHECKPOINT_BYTES {
            self.checkpoint();
        }
        if self.polite > 0 {
            self.polite -= 1;
            std::thread::sleep(POLITE_GAP);
        }
    }

    fn transaction(&mut self, jobs: &mut [Job]) -> Result<(), StoreError> {
        self.sync_next(jobs.iter().any(|job| job.synced))?;
        self.execute("BEGIN IMMEDIATE")?;
        self.notice_others()?;
        for job in jobs {
            self.run_alone(job)?;
        }
        self.files.sync()?;
        self.execute("COMMIT")
    }

    /// Whether the next commit is synced. Only settable between transactions.
    fn sync_next(&mut self, synced: bool) -> Result<(), StoreError> {
        if self.synced != synced {
            self.execute(if synced { "PRAGMA synchronous = FULL" } else { "PRAGMA synchronous = NORMAL" })?;
            self.synced = synced;
        }
        Ok(())
    }

    /// A request that is refused fails alone, unless its error ended the whole transaction.
    fn run_alone(&mut self, job: &mut Job) -> Result<(), StoreError> {
        self.execute("SAVEPOINT request")?;
        let mut batch =
            Batch { connection: &self.connection, path: &self.path, tails: &mut self.tails, files: &mut self.files };
        if let Err(error) = job.work.run(&mut batch) {
            if self.connection.is_autocommit() {
                return Err(error);
            }
            self.execute("ROLLBACK TO request")?;
        }
        self.execute("RELEASE request")
    }

    /// What is remembered of the ends of streams holds only until another connection writes.
    fn notice_others(&mut self) -> Result<(), StoreError> {
        let version = self
            .connection
            .prepare_cached("PRAGMA data_version")
            .and_then(|mut pragma| pragma.query_row([], |row| row.get(0)))
            .at(&self.path)?;
        if self.data_version != Some(version) {
            self.tails.forget_all();
            self.polite = if self.data_version.is_some() { POLITE_COMMITS } else { 0 };
            self.data_version = Some(version);
        }
        Ok(())
    }

    fn checkpoint(&mut self) {
        self.unmoved = 0;
        self.readers.checkpoint();
    }

    fn execute(&self, sql: &str) -> Result<(), StoreError> {
        self.connection.prepare_cached(sql).and_then(|mut statement| statement.execute([])).at(&self.path).map(drop)
    }
}

fn limit() -> impl FnMut(&Job) -> bool {
    let (mut requests, mut bytes) = (0, 0);
    move |job| {
        requests += 1;
        bytes += job.bytes;
        requests >= MOST_REQUESTS || bytes >= MOST_BYTES
    }
}
