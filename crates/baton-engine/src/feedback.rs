//! What became of decisions, as a stream of its own: what is learned is folded from it and from nothing else.

use baton_core::classify::Corrections;
use baton_core::feedback::{Correction, Feedback, FeedbackError, Source, Subject};
use baton_core::ids::RunId;
use baton_core::journal::{Actor, Stream};
use baton_core::run::{Inputs, RunState};
use baton_port::Append;

use crate::{Engine, EngineError};

impl Engine {
    /// Records a word on a run: on its decision, on one of its findings or patches. On disk when this returns; a later word on
    /// the same subject takes its place.
    ///
    /// # Errors
    /// When the run has no decision, no such finding, or none that can be learned from; when the store fails.
    pub async fn rate(
        &self,
        run: &RunId,
        subject: Subject,
        good: bool,
        source: Source,
        actor: Actor,
    ) -> Result<Feedback, EngineError> {
        let state = self.state(run).await?;
        let said = match subject {
            Subject::Decision => Feedback::on_decision(run, &state, good, source),
            Subject::Finding { number } => Feedback::on_finding(run, &state, number, good, source),
            Subject::Patch { number } => Feedback::on_patch(run, &state, number, good, source),
        }?;
        self.record_feedback(std::slice::from_ref(&said), actor).await?;
        Ok(said)
    }

    /// A person's own answer is known to be right. Answers that were prepared teach nothing.
    pub(crate) async fn learn_from_override(&self, run: &RunId) -> Result<(), EngineError> {
        match self.rate(run, Subject::Decision, true, Source::Person, Actor::Person).await {
            Ok(_) | Err(EngineError::Feedback(FeedbackError::Scripted)) => Ok(()),
            Err(error) => Err(error),
        }
    }

    /// All feedback that counts, in the order in which it was given.
    ///
    /// # Errors
    /// When the store fails, or a row was changed.
    pub async fn feedback(&self) -> Result<Vec<Feedback>, EngineError> {
        let rows = self.ports.journal.read(&Stream::Feedback, 0).await?;
        baton_core::journal::verify_chain(&rows)?;
        Ok(Feedback::fold(&rows)?)
    }

    /// What the user's corrections of kinds say about a prompt: to be frozen into the inputs of a run.
    ///
    /// # Errors
    /// When the store fails, or a row was changed.
    pub async fn corrections(&self, prompt: &str) -> Result<Corrections, EngineError> {
        let rows = self.ports.journal.read(&Stream::Feedback, 0).await?;
        baton_core::journal::verify_chain(&rows)?;
        Ok(baton_core::feedback::corrections(&rows)?.about(prompt))
    }

    /// The kind that the user named, where classification would have said another.
    pub(crate) fn correction(&self, run: &RunId, inputs: &Inputs) -> Result<Option<Append>, EngineError> {
        let Some(said) = Correction::of(run, &inputs.task) else { return Ok(None) };
        let events = vec![said.encode(self.ports.clock.now())?];
        Ok(Some(Append { stream: Stream::Feedback, expected: None, epoch: None, events, blobs: Vec::new() }))
    }

    /// What the checks of a run have settled teaches without being asked. A crash before this leaves it unlearned.
    pub(crate) async fn learn_from_checks(&self, run: &RunId, state: &RunState) -> Result<(), EngineError> {
        let settled = if state.status.is_over() { Feedback::from_checks(run, state) } else { Vec::new() };
        if settled.is_empty() { Ok(()) } else { self.record_feedback(&settled, Actor::Engine).await }
    }

    async fn record_feedback(&self, said: &[Feedback], actor: Actor) -> Result<(), EngineError> {
        let now = self.ports.clock.now();
        let events = said.iter().map(|one| one.encode(now, actor.clone())).collect::<Result<_, _>>()?;
        let append = Append { stream: Stream::Feedback, expected: None, epoch: None, events, blobs: Vec::new() };
        self.ports.journal.append(append).await?;
        Ok(())
    }
}
