//! The imperative shell: feeds events to the core, performs the effects that it asks for, and writes everything down
//! before anything else learns of it.
//!
//! The engine knows ports only. Which journal, which channels and which clock it works with is chosen by its caller.

mod accounts;
mod around;
mod driven;
mod error;
mod feedback;
mod lease;
mod observer;
mod prompt;
mod sessions;
mod turn;
mod verify;
mod worker;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use baton_core::handover::Away;
use baton_core::ids::{MemberId, RunId};
use baton_core::journal::{Actor, Row, Stream};
use baton_core::member::Member;
use baton_core::route::Load;
use baton_core::run::{Event, Inputs, RunState, Stamped, Status};
use baton_port::{
    Append, Blob, Blobs, Cancel, Channel, Clock, Files, Ids, Journal, NoFiles, Rows, RunSummary, StoreError,
};

pub use error::EngineError;
pub use observer::{Observer, Silent};
pub use prompt::{PromptError, Rendered};
pub use sessions::SessionTurn;
pub use verify::Verification;

/// Builds the channel of a seat. Seats are frozen into a run, so a resumed run asks the same ones.
pub trait Channels: Send + Sync {
    /// # Errors
    /// Why this seat cannot be asked here, in words for the user; recorded as `not_installed`.
    fn open(&self, member: &Member) -> Result<Arc<dyn Channel>, String>;
}

/// Everything that the engine needs from outside.
#[derive(Clone)]
pub struct Ports {
    pub journal: Arc<dyn Journal>,
    pub blobs: Arc<dyn Blobs>,
    pub rows: Arc<dyn Rows>,
    pub channels: Arc<dyn Channels>,
    pub clock: Arc<dyn Clock>,
    pub ids: Arc<dyn Ids>,
}

/// One process's engine.
#[derive(Clone)]
pub struct Engine {
    ports: Ports,
    accounts: Arc<accounts::Accounts>,
    driven: driven::Driven,
    /// Names this process in leases.
    owner: String,
    /// Where members are started when a task names no workspace: an empty directory.
    scratch: PathBuf,
    is_gone: lease::IsGone,
    files: Arc<dyn Files>,
}

impl Engine {
    #[must_use]
    pub fn new(ports: Ports, owner: String, scratch: PathBuf) -> Self {
        let is_gone: lease::IsGone = Arc::new(|_| false);
        let accounts = Arc::new(accounts::Accounts::new(&ports, owner.clone(), is_gone.clone()));
        Self { ports, accounts, driven: driven::Driven::default(), owner, scratch, is_gone, files: Arc::new(NoFiles) }
    }

    /// Lets findings be held against the files of a task's workspace as they are when an answer is read. What is seen is
    /// recorded with the opinion; without this, only what was attached is known.
    #[must_use]
    pub fn with_files(mut self, files: Arc<dyn Files>) -> Self {
        self.files = files;
        self
    }

    /// Tells the engine how to see that the process behind an owner's name has ended. Its runs are then taken over at
    /// once; without this, only when its lease has run out. Must be right when it says yes.
    #[must_use]
    pub fn with_gone_owners(mut self, is_gone: impl Fn(&str) -> bool + Send + Sync + 'static) -> Self {
        self.is_gone = Arc::new(is_gone);
        let accounts = accounts::Accounts::new(&self.ports, self.owner.clone(), self.is_gone.clone());
        self.accounts = Arc::new(accounts);
        self
    }

    /// The accounts of these members that cannot be used now, as all processes on the store know it: to be frozen into
    /// the inputs of a run, so that it goes round them.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn away(&self, members: &[Member]) -> Result<Vec<Away>, EngineError> {
        Ok(self.accounts.away(members).await?)
    }

    /// How busy and how quick these members are, as all processes on the store know it: to be frozen into the inputs of
    /// a run, so that equal seats share the load.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn load(&self, members: &[Member]) -> Result<BTreeMap<MemberId, Load>, EngineError> {
        Ok(self.accounts.load(members).await?)
    }

    /// Records a task. Once this returns, the task is on disk and will not be lost.
    ///
    /// # Errors
    /// When the store does not take it; then nothing was recorded.
    pub async fn submit(&self, inputs: Inputs, attachments: Vec<Blob>) -> Result<RunId, EngineError> {
        Ok(self.record_submitted(inputs, attachments).await?.0)
    }

    async fn record_submitted(&self, inputs: Inputs, attachments: Vec<Blob>) -> Result<(RunId, Stamped), EngineError> {
        let run = self.ports.ids.run();
        let correction = self.correction(&run, &inputs)?;
        let event = Event::Submitted(Box::new(inputs));
        let submitted = Stamped { at: self.ports.clock.now(), actor: Actor::Person, event };
        let append = Append {
            stream: Stream::Run(run.clone()),
            expected: Some(0),
            epoch: None,
            events: vec![submitted.event.encode(submitted.at, submitted.actor.clone())?],
            blobs: attachments,
        };
        match correction {
            Some(correction) => self.ports.journal.append_all(vec![append, correction]).await?,
            None => self.ports.journal.append(append).await?,
        };
        Ok((run, submitted))
    }

    /// Carries a run as far as it goes without a person: to its end, or to a gate. Recovers it first when another
    /// process left it: what is finished is never asked again; what had begun and has no end is marked in doubt.
    ///
    /// # Errors
    /// When another process works on it, when its journal cannot be read, or when the store fails. The run stays as
    /// it is recorded and can be resumed.
    pub async fn drive(&self, run: &RunId, observer: &dyn Observer, cancel: &Cancel) -> Result<RunState, EngineError> {
        let state = worker::Worker::open(self, run).await?.work(observer, cancel).await?;
        self.learn_from_checks(run, &state).await?;
        Ok(state)
    }

    /// Submits and drives in one go.
    ///
    /// # Errors
    /// As [`Self::submit`] and [`Self::drive`]; `begun` has the id from the moment at which the run is on disk.
    pub async fn run(
        &self,
        inputs: Inputs,
        attachments: Vec<Blob>,
        observer: &dyn Observer,
        cancel: &Cancel,
    ) -> Result<(RunId, RunState), EngineError> {
        let (run, submitted) = self.record_submitted(inputs, attachments).await?;
        observer.begun(&run);
        let state = worker::Worker::fresh(self, &run, submitted).await?.work(observer, cancel).await?;
        self.learn_from_checks(&run, &state).await?;
        Ok((run, state))
    }

    /// Records an answer at the gate at which a run waits. Who answers decides what follows: only a person releases.
    ///
    /// # Errors
    /// When the run does not wait there.
    pub async fn answer(&self, run: &RunId, actor: Actor, answer: &str, note: &str) -> Result<(), EngineError> {
        loop {
            let events = self.events(run).await?;
            let read = events.len() as u64;
            let Status::Waiting { node } = baton_core::run::fold(events)?.status else {
                return Err(EngineError::NotWaiting(run.clone()));
            };
            let event = Event::PersonAnswered { node, answer: answer.to_owned(), note: note.to_owned() };
            // Where somebody else answers in between, this one must not be appended: no run could follow it.
            match self.append_foreign(run, &event, actor.clone(), Some(read)).await {
                Err(EngineError::Store(StoreError::Conflict { .. })) => {}
                other => return other,
            }
        }
    }

    /// Puts a person's own verdict or option in the place of a run's decision, and lets that be learned from: by it
    /// members were right or wrong. Both are on disk when this returns; a crash in between leaves it unlearned.
    ///
    /// # Errors
    /// When there is no such run, no decision yet, or the answer is none that can stand there; when the store fails.
    pub async fn override_decision(&self, run: &RunId, answer: &str, note: &str) -> Result<(), EngineError> {
        loop {
            let events = self.events(run).await?;
            let expected = Some(events.len() as u64);
            let event = Event::Overridden { answer: answer.to_owned(), note: note.to_owned() };
            let at = self.ports.clock.now();
            let stamped = Stamped { at, actor: Actor::Person, event: event.clone() };
            let (state, _) = baton_core::run::step(baton_core::run::fold(events)?, stamped)?;
            let Some(decision) = state.to_record.as_deref() else { return Ok(()) };
            let decided = Event::Decided(Box::new(decision.clone())).encode(at, Actor::Engine)?;
            let events = vec![event.encode(at, Actor::Person)?, decided];
            let append = Append { stream: Stream::Run(run.clone()), expected, epoch: None, events, blobs: Vec::new() };
            match self.ports.journal.append(append).await {
                // Somebody wrote in between: what was decided may be another thing by now.
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => return Err(error.into()),
                Ok(_) => return self.learn_from_override(run).await,
            }
        }
    }

    /// Asks whichever process drives the run to stop it. It is seen within a second.
    ///
    /// # Errors
    /// When there is no such run, or the store does not take it.
    pub async fn request_cancel(&self, run: &RunId, actor: Actor) -> Result<(), EngineError> {
        self.rows(run).await?;
        self.append_foreign(run, &Event::CancelRequested, actor, None).await
    }

    async fn append_foreign(
        &self,
        run: &RunId,
        event: &Event,
        actor: Actor,
        expected: Option<u64>,
    ) -> Result<(), EngineError> {
        let event = event.encode(self.ports.clock.now(), actor)?;
        let stream = Stream::Run(run.clone());
        let append = Append { stream, expected, epoch: None, events: vec![event], blobs: Vec::new() };
        self.ports.journal.append(append).await?;
        Ok(())
    }

    /// A run's rows, checked against its hash chain.
    ///
    /// # Errors
    /// When there is no such run, or a row was changed.
    pub async fn rows(&self, run: &RunId) -> Result<Vec<Row>, EngineError> {
        let rows = self.ports.journal.read(&Stream::Run(run.clone()), 0).await?;
        if rows.is_empty() {
            return Err(EngineError::NoSuchRun(run.to_string()));
        }
        baton_core::journal::verify_chain(&rows)?;
        Ok(rows)
    }

    /// A run's events.
    ///
    /// # Errors
    /// As [`Self::rows`], and for rows of a newer version.
    pub async fn events(&self, run: &RunId) -> Result<Vec<Stamped>, EngineError> {
        self.rows(run).await?.iter().map(|row| Stamped::decode(row).map_err(EngineError::from)).collect()
    }

    /// A run as its journal tells.
    ///
    /// # Errors
    /// As [`Self::events`].
    pub async fn state(&self, run: &RunId) -> Result<RunState, EngineError> {
        Ok(baton_core::run::fold(self.events(run).await?)?)
    }

    /// Runs, newest first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn runs(&self, limit: usize) -> Result<Vec<RunSummary>, EngineError> {
        Ok(self.ports.journal.runs(limit).await?)
    }

    /// The bytes kept under a hash.
    ///
    /// # Errors
    /// When the store fails or the bytes do not match.
    pub async fn blob(&self, hash: baton_core::hash::Hash) -> Result<Option<Vec<u8>>, EngineError> {
        Ok(self.ports.blobs.get(hash).await?)
    }

    /// Computes a run's decision again from its journal and compares.
    ///
    /// # Errors
    /// When the store fails or there is no such run. What is wrong with the journal is the answer, not an error.
    pub async fn verify(&self, run: &RunId) -> Result<Verification, EngineError> {
        verify::verify(self, run).await
    }

    /// The prompts that a run would send first, without sending them.
    ///
    /// # Errors
    /// When a template or an attachment is missing.
    pub fn preview(&self, inputs: Inputs, attachments: &[Blob]) -> Result<(RunState, Vec<Rendered>), EngineError> {
        prompt::preview(self, inputs, attachments)
    }
}
