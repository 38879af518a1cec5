//! The threads that read. They and their connections are made when the first question comes.

use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;

use baton_port::StoreError;
use rusqlite::Connection;

use super::blobs::BlobFiles;
use super::open;
use crate::oneshot::{Answer, oneshot};
use crate::queue::{AbandonAtEnd, Queue, Taken};

const THREADS: usize = 2;

pub(crate) struct Reader {
    pub(crate) connection: Connection,
    pub(crate) path: PathBuf,
    pub(crate) files: BlobFiles,
}

type Question = Box<dyn FnOnce(Result<&Reader, StoreError>) + Send>;

pub(crate) struct Readers {
    queue: Arc<Queue<Question>>,
    /// `None` once closed.
    threads: Mutex<Option<Vec<JoinHandle<()>>>>,
    path: PathBuf,
}

impl Readers {
    pub(crate) fn new(path: &Path) -> Self {
        Self { queue: Arc::default(), threads: Mutex::new(Some(Vec::new())), path: path.to_owned() }
    }

    /// Asks from one of the reading threads. The question is asked also when the answer is dropped.
    pub(crate) fn ask<T: Send + 'static>(
        &self,
        question: impl FnOnce(&Reader) -> Result<T, StoreError> + Send + 'static,
    ) -> Answer<T> {
        let (promise, answer) = oneshot();
        match self.start() {
            Ok(()) => self.queue.push(Box::new(move |reader| promise.keep(reader.and_then(question)))),
            Err(error) => promise.keep(Err(StoreError::Failed(format!("no thread to read with: {error}")))),
        }
        answer
    }

    /// Moves what was committed from the log into the database, as far as nobody reads it. A failure costs nothing:
    /// the log only stays longer.
    pub(crate) fn checkpoint(&self) {
        drop(self.ask(|reader| {
            let _ = reader.connection.query_row("PRAGMA wal_checkpoint(PASSIVE)", [], |_| Ok(()));
            Ok(())
        }));
    }

    /// Ends the threads after what they were asked was answered.
    pub(crate) fn close(&self) {
        self.queue.close();
        let threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner).take();
        for thread in threads.into_iter().flatten() {
            let _ = thread.join();
        }
    }

    fn start(&self) -> std::io::Result<()> {
        let mut threads = self.threads.lock().unwrap_or_else(PoisonError::into_inner);
        let Some(threads) = threads.as_mut() else { return Ok(()) };
        while threads.len() < THREADS {
            let (queue, path) = (Arc::clone(&self.queue), self.path.clone());
            let builder = std::thread::Builder::new().name("baton-store-read".into());
            match builder.spawn(move || answer_all(&queue, &path)) {
                Ok(thread) => threads.push(thread),
                Err(_) if !threads.is_empty() => break,
                Err(error) => return Err(error),
            }
        }
        Ok(())
    }
}

fn answer_all(queue: &Queue<Question>, path: &Path) {
    let _end = AbandonAtEnd(queue);
    let mut reader = None;
    while let Taken::Items(questions) = queue.take(None, |_| true) {
        for question in questions {
            question(opened(&mut reader, path));
        }
    }
}

fn opened<'a>(reader: &'a mut Option<Reader>, path: &Path) -> Result<&'a Reader, StoreError> {
    match reader {
        Some(reader) => Ok(reader),
        None => {
            let connection = open::open_reader(path)?;
            let files = BlobFiles::new(path.parent().unwrap_or(Path::new(".")));
            Ok(reader.insert(Reader { connection, path: path.to_owned(), files }))
        }
    }
}
