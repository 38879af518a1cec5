//! The loop that carries one run: commit what happened, then do what follows from it.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_core::hash::Hash;
use baton_core::ids::{MemberId, RunId, StepId};
use baton_core::journal::{Actor, Stream};
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::patch;
use baton_core::run::{self, Effect, Event, RunState, Stamped, Step, StepStatus, Work};
use baton_core::source::Sources;
use baton_core::units::Timestamp;
use baton_port::{Append, Blob, BoxFuture, Cancel, Lease, StoreError, Turn};
use tokio::sync::mpsc;
use tokio::task::{AbortHandle, JoinSet};

use crate::around;
use crate::driven::Place;
use crate::lease::{self, LEASE_MS};
use crate::prompt::{self, Texts};
use crate::sessions::{Conversation, Wanted};
use crate::turn::{Attempt, Ended, Sign};
use crate::{Engine, EngineError, Observer};

/// How often foreign events are looked for; a cancel from another process is seen within this time.
const LOOK: Duration = Duration::from_millis(1_000);
/// Looks between two renewals of the lease.
const LOOKS_PER_RENEWAL: u32 = 4;

pub(crate) struct Worker<'a> {
    engine: &'a Engine,
    stream: Stream,
    lease: Lease,
    state: RunState,
    /// The ordinal that the next event gets.
    next: u64,
    texts: Texts,
    sources: Sources,
    tasks: JoinSet<Done>,
    stops: HashMap<StepId, Cancel>,
    /// Which attempt each task makes, so that one whose channel failed inside still ends.
    making: HashMap<tokio::task::Id, (StepId, u8)>,
    /// Timers that are set, by the step that waits for them.
    timers: HashMap<StepId, AbortHandle>,
    signs: (mpsc::UnboundedSender<Sign>, mpsc::UnboundedReceiver<Sign>),
    /// Events folded and on disk that the observer has not seen.
    fresh: Vec<Stamped>,
    _place: Place,
}

/// What a tracked task brings back.
enum Done {
    Ended(Box<Ended>),
    Woken(StepId),
}

/// What the loop woke up for.
enum Wake {
    Done(Vec<Done>),
    Cancel,
    Look,
    Sign(Sign),
}

impl<'a> Worker<'a> {
    /// Takes a run that is in the journal: claims it, folds it, and marks what was under way as in doubt.
    pub(crate) async fn open(engine: &'a Engine, run: &RunId) -> Result<Self, EngineError> {
        let events = engine.events(run).await?;
        let next = events.len() as u64;
        let state = run::fold(events)?;
        let mut worker = Self::claim(engine, run, state, next).await?;
        let recovered = worker.recover().await;
        worker.unless_failed(recovered).await
    }

    /// Takes a run that was just submitted by this process, without reading it back. `submitted` is as it was recorded.
    pub(crate) async fn fresh(engine: &'a Engine, run: &RunId, submitted: Stamped) -> Result<Self, EngineError> {
        let state = run::fold([submitted])?;
        let mut worker = Self::claim(engine, run, state, 1).await?;
        let loaded = worker.load_texts().await;
        worker.unless_failed(loaded).await
    }

    async fn claim(engine: &'a Engine, run: &RunId, state: RunState, next: u64) -> Result<Self, EngineError> {
        let place = engine.driven.enter(run, &engine.owner)?;
        let lease = claim(engine, run).await?;
        let mut worker = Self::new(engine, run, lease, place);
        (worker.state, worker.next) = (state, next);
        Ok(worker)
    }

    async fn recover(&mut self) -> Result<(), EngineError> {
        // The run was read before it was claimed: whoever held it until then may have gone on.
        self.take_foreign().await?;
        self.load_texts().await?;
        let running = self.state.steps.iter().filter(|step| step.status == StepStatus::Running);
        let in_doubt = running.map(|step| Event::StepInDoubt { step: step.id, attempt: last_attempt(step) }).collect();
        self.commit(in_doubt, Vec::new()).await
    }

    async fn unless_failed(self, begun: Result<(), EngineError>) -> Result<Self, EngineError> {
        match begun {
            Ok(()) => Ok(self),
            Err(error) => {
                self.engine.ports.journal.release(&self.lease).await.ok();
                Err(error)
            }
        }
    }

    fn new(engine: &'a Engine, run: &RunId, lease: Lease, place: Place) -> Self {
        Self {
            engine,
            stream: Stream::Run(run.clone()),
            lease,
            state: RunState::default(),
            next: 0,
            texts: Texts::new(),
            sources: Sources::default(),
            tasks: JoinSet::new(),
            stops: HashMap::new(),
            making: HashMap::new(),
            timers: HashMap::new(),
            signs: mpsc::unbounded_channel(),
            fresh: Vec::new(),
            _place: place,
        }
    }

    /// Works until the run is over or parked.
    pub(crate) async fn work(mut self, observer: &dyn Observer, cancel: &Cancel) -> Result<RunState, EngineError> {
        let result = self.carry(observer, cancel).await;
        // After an error, or when another process took over, turns may be under way: they are told to stop and joined,
        // so that nothing stays. Timers have nothing to end.
        self.timers.values().for_each(AbortHandle::abort);
        self.stops.values().for_each(Cancel::request);
        while self.tasks.join_next().await.is_some() {}
        self.engine.ports.journal.release(&self.lease).await.ok();
        result.map(|()| self.state)
    }

    async fn carry(&mut self, observer: &dyn Observer, cancel: &Cancel) -> Result<(), EngineError> {
        let mut looks = 0;
        // Kept over the turns of this loop: signs of life that come quicker than this must not put it off.
        let mut next_look = self.engine.ports.clock.sleep(LOOK);
        loop {
            self.show(observer);
            let over = self.perform().await?;
            self.show(observer);
            if over {
                return Ok(());
            }
            match self.wait(cancel, &mut next_look).await {
                Wake::Done(done) => self.record(done).await?,
                Wake::Cancel => self.commit(vec![Event::CancelRequested], Vec::new()).await?,
                Wake::Look => {
                    next_look = self.engine.ports.clock.sleep(LOOK);
                    looks += 1;
                    self.look(looks % LOOKS_PER_RENEWAL == 0).await?;
                }
                Wake::Sign(sign) => observer.progress(sign.step, &sign.member, &sign.progress),
            }
        }
    }

    fn show(&mut self, observer: &dyn Observer) {
        for event in self.fresh.drain(..) {
            observer.event(&event, &self.state);
        }
    }

    async fn wait(&mut self, cancel: &Cancel, next_look: &mut BoxFuture<'static, ()>) -> Wake {
        let cancelled = self.state.cancelled;
        tokio::select! {
            Some(done) = self.tasks.join_next_with_id() => {
                let mut all = vec![done];
                while let Some(more) = self.tasks.try_join_next_with_id() {
                    all.push(more);
                }
                Wake::Done(all.into_iter().filter_map(|one| self.brought_back(one)).collect())
            }
            () = cancel.requested(), if !cancelled => Wake::Cancel,
            Some(sign) = self.signs.1.recv() => Wake::Sign(sign),
            () = next_look => Wake::Look,
        }
    }

    fn brought_back(&mut self, joined: Result<(tokio::task::Id, Done), tokio::task::JoinError>) -> Option<Done> {
        match joined {
            Ok((id, done)) => {
                self.making.remove(&id);
                Some(done)
            }
            Err(error) => {
                let (step, number) = self.making.remove(&error.id())?;
                let turn = Turn::failed(Outcome::Crashed, "the channel failed inside");
                Some(Done::Ended(Box::new(Ended { step, number, turn, sessions: Vec::new() })))
            }
        }
    }

    /// Does what the state asks for. True when nothing more will come without a person.
    ///
    /// What is due is read off the state each time, and doing it twice does nothing: so nothing is lost when a commit
    /// brings in events of other processes.
    async fn perform(&mut self) -> Result<bool, EngineError> {
        loop {
            // A decision that is due is recorded before anything else is done.
            self.commit(Vec::new(), Vec::new()).await?;
            let mut asks = Vec::new();
            for effect in run::outstanding(&self.state) {
                match effect {
                    Effect::Ask { step, attempt, member } => asks.push((step, attempt, member)),
                    Effect::WakeAt { step, at } => self.wake_at(step, at),
                    Effect::Stop { step } => self.stop(step),
                    // Recorded above.
                    Effect::Record => {}
                    Effect::AskPerson { .. } | Effect::Finish => return Ok(true),
                }
            }
            if asks.is_empty() {
                return Ok(false);
            }
            self.start(asks).await?;
        }
    }

    fn stop(&self, step: StepId) {
        if let Some(stop) = self.stops.get(&step) {
            stop.request();
        }
    }

    fn wake_at(&mut self, step: StepId, at: Timestamp) {
        if self.timers.contains_key(&step) {
            return;
        }
        let clock = self.engine.ports.clock.clone();
        let wait = Duration::from_millis(at.millis_since(clock.now()));
        let timer = self.tasks.spawn(async move {
            clock.sleep(wait).await;
            Done::Woken(step)
        });
        self.timers.insert(step, timer);
    }

    /// Records the start of a whole wave in one commit, then asks.
    async fn start(&mut self, asks: Vec<(StepId, u8, MemberId)>) -> Result<(), EngineError> {
        let mut attempts = Vec::with_capacity(asks.len());
        let mut events = Vec::with_capacity(asks.len());
        let mut blobs: Vec<Blob> = Vec::new();
        for (step, number, member) in asks {
            let own = self.prompt(step).await?;
            let Some(attempt) = self.attempt(step, number, &member, own.clone()).await? else { continue };
            let mut keep = |text: &str| {
                let blob = Blob::new(text.as_bytes().to_vec());
                let hash = blob.hash;
                if !blob.bytes.is_empty() && !blobs.iter().any(|known| known.hash == hash) {
                    blobs.push(blob);
                }
                (!text.is_empty()).then_some(hash)
            };
            keep(&own);
            let prompt = keep(&attempt.prompt);
            let session = attempt.conversation.as_ref().map(|(_, conversation)| conversation.start.clone());
            events.push(Event::StepStarted { step, attempt: number, member, prompt, session });
            attempts.push(attempt);
        }
        // A cancel or another worker may have come in between: then nothing is asked.
        self.commit(events, blobs).await?;
        for attempt in attempts {
            let running = |step: &Step| step.status == StepStatus::Running && last_attempt(step) == attempt.number;
            if self.state.step(attempt.step).is_some_and(running) {
                let accounts = self.engine.accounts.clone();
                self.stops.insert(attempt.step, attempt.cancel.clone());
                if self.state.cancelled {
                    attempt.cancel.request();
                }
                let making = (attempt.step, attempt.number);
                let task = self.tasks.spawn(async move { Done::Ended(Box::new(attempt.make(accounts).await)) });
                self.making.insert(task.id(), making);
            }
        }
        Ok(())
    }

    async fn prompt(&mut self, step: StepId) -> Result<Arc<str>, EngineError> {
        let Some(inputs) = self.state.inputs.clone() else { return Ok(Arc::from("")) };
        let Some(step) = self.state.step(step) else { return Ok(Arc::from("")) };
        let role = step.role;
        let plan = match step.work.clone() {
            Work::Prompt(plan) => plan,
            Work::Try { of, .. } => return self.patch(of).await,
            Work::Reproduce { of, .. } => return self.test(of).await,
            Work::Check => return Ok(Arc::from("")),
        };
        for hash in prompt::needed(&self.state, &plan) {
            self.load_text(hash).await?;
        }
        Ok(Arc::from(prompt::render(&self.state, &inputs, &plan, role, &self.texts)?))
    }

    /// The diff that a step's answer holds, as it was read: what is tried is exactly what the opinion names.
    async fn patch(&mut self, of: StepId) -> Result<Arc<str>, EngineError> {
        let Some(hash) = self.state.step(of).and_then(|step| step.answer) else { return Ok(Arc::from("")) };
        self.load_text(hash).await?;
        let patch = self.texts.get(&hash).and_then(|text| patch::read(text).ok());
        Ok(patch.map_or_else(|| Arc::from(""), |patch| Arc::from(patch.render())))
    }

    /// The test that a step's answer holds, behind a line with what its name holds.
    async fn test(&mut self, of: StepId) -> Result<Arc<str>, EngineError> {
        let diff = self.patch(of).await?;
        let mark = self.state.step(of).and_then(Step::claim).map_or("", |claim| claim.mark.as_str());
        Ok(Arc::from(format!("{mark}\n{diff}")))
    }

    async fn attempt(
        &self,
        step: StepId,
        number: u8,
        member: &MemberId,
        own: Arc<str>,
    ) -> Result<Option<Attempt>, EngineError> {
        let (Some(inputs), Some(member)) = (&self.state.inputs, self.state.member(member)) else { return Ok(None) };
        let directory = inputs.task.workspace.clone().map_or_else(|| self.engine.scratch.clone(), PathBuf::from);
        let channel = self.engine.ports.channels.open(member);
        let conversation = match &inputs.session {
            Some(name) if !member.is_check() => {
                let configuration = channel.as_ref().ok().and_then(|channel| channel.configuration());
                let wanted = Wanted {
                    member,
                    name,
                    directory: &directory.to_string_lossy(),
                    configuration: configuration.map(|path| path.to_string_lossy().into_owned()),
                    instead_of: self.instead_of(step, member),
                    prompt_bytes: own.len(),
                    seed: inputs.seed,
                };
                let conversation: Conversation = self.engine.conversation(wanted).await?;
                Some((name.clone(), conversation))
            }
            Some(_) | None => None,
        };
        let schema = match self.state.step(step).map(|step| &step.work) {
            Some(Work::Prompt(plan)) => prompt::schema(&self.state, inputs, plan),
            _ => None,
        };
        let handoff = conversation.as_ref().and_then(|(_, conversation)| conversation.handoff.as_deref());
        let has_rule = inputs.handover.as_ref().is_some_and(|handover| handover.has_rule(&member.id));
        Ok(Some(Attempt {
            step,
            number,
            channel,
            member: member.clone(),
            own_prompt: Hash::of(own.as_bytes()),
            prompt: handoff.map_or(own.clone(), |handoff| Arc::from(format!("{handoff}{own}"))),
            schema,
            directory,
            cancel: Cancel::default(),
            signs: self.signs.0.clone(),
            conversation,
            clock: self.engine.ports.clock.clone(),
            insisted: inputs.named.contains(&member.id) && !has_rule,
            offset_minutes: inputs.handover.as_ref().map_or(0, |handover| handover.offset_minutes),
        }))
    }

    /// Whose place a member takes in this step: who was asked before, or whom the user named.
    fn instead_of(&self, step: StepId, member: &Member) -> Option<MemberId> {
        let attempts = &self.state.step(step)?.attempts;
        let named = self.state.inputs.as_ref().map_or(&[][..], |inputs| &inputs.named);
        let before = attempts.iter().map(|attempt| &attempt.member).find(|id| **id != member.id);
        before.or_else(|| named.first().filter(|_| !named.contains(&member.id))).cloned()
    }

    /// Commits what tasks brought back, all in one.
    async fn record(&mut self, done: Vec<Done>) -> Result<(), EngineError> {
        let mut events = Vec::new();
        let mut blobs = Vec::new();
        let mut sessions = Vec::new();
        for one in done {
            match one {
                Done::Woken(step) => {
                    self.timers.remove(&step);
                    events.push(Event::TimerFired { step });
                }
                Done::Ended(ended) => {
                    let (mut of_turn, mut its_blobs) = self.read(&ended).await;
                    events.append(&mut of_turn);
                    blobs.append(&mut its_blobs);
                    self.stops.remove(&ended.step);
                    for (member, name, note) in &ended.sessions {
                        sessions.push(self.engine.session_append(member, name, note)?);
                    }
                }
            }
        }
        self.commit_with(events, blobs, sessions).await
    }

    /// What records the end of a turn. Files around the task are looked at now, and never again for this answer.
    async fn read(&mut self, ended: &Ended) -> (Vec<Event>, Vec<Blob>) {
        let question = self.state.question(ended.step);
        let seen = match (self.state.step(ended.step), ended.answer()) {
            (Some(step), Some(answer)) => {
                let known = (&question, &self.sources, &self.texts);
                around::look(&*self.engine.files, &self.state, step, answer, known).await
            }
            _ => Vec::new(),
        };
        self.sources.see(seen);
        let read = ended.events(&question, &self.sources);
        self.sources.see(Vec::new());
        read
    }

    /// Renews the lease now and then, and folds what other processes appended.
    async fn look(&mut self, renew: bool) -> Result<(), EngineError> {
        if renew {
            let now = self.engine.ports.clock.now();
            self.lease = self.engine.ports.journal.renew(&self.lease, now, LEASE_MS).await?;
        }
        self.take_foreign().await
    }

    /// Folds events that others appended since our last one.
    async fn take_foreign(&mut self) -> Result<(), EngineError> {
        let rows = self.engine.ports.journal.read(&self.stream, self.next).await?;
        for row in &rows {
            let event = Stamped::decode(row)?;
            self.fold(event)?;
            self.next = row.ordinal + 1;
        }
        Ok(())
    }

    fn fold(&mut self, event: Stamped) -> Result<(), EngineError> {
        let (state, _) = run::step(std::mem::take(&mut self.state), event.clone())?;
        self.state = state;
        self.fresh.push(event);
        Ok(())
    }

    /// Folds events, adds the decision that follows from them, and appends all in one commit. Only when it is on disk
    /// does the caller act on the state.
    async fn commit(&mut self, events: Vec<Event>, blobs: Vec<Blob>) -> Result<(), EngineError> {
        self.commit_with(events, blobs, Vec::new()).await
    }

    /// As [`Self::commit`], with what belongs to other streams in the same commit.
    async fn commit_with(
        &mut self,
        events: Vec<Event>,
        blobs: Vec<Blob>,
        others: Vec<Append>,
    ) -> Result<(), EngineError> {
        loop {
            let kept = (self.state.clone(), self.fresh.len());
            let stamped = self.fold_all(&events)?;
            if stamped.is_empty() {
                return Ok(());
            }
            let encoded = stamped.iter().map(|one| one.event.encode(one.at, one.actor.clone()));
            let append = Append {
                stream: self.stream.clone(),
                expected: Some(self.next),
                epoch: Some(self.lease.epoch),
                events: encoded.collect::<Result<_, _>>()?,
                blobs: blobs.clone(),
            };
            let journal = &self.engine.ports.journal;
            let appended = match others.is_empty() {
                true => journal.append(append).await,
                false => journal.append_all(std::iter::once(append).chain(others.iter().cloned()).collect()).await,
            };
            match appended {
                Ok(_) => {
                    self.next += stamped.len() as u64;
                    return Ok(());
                }
                Err(StoreError::Conflict { .. }) => {
                    // Somebody asked to cancel or answered a gate: take that first, then try again.
                    self.state = kept.0;
                    self.fresh.truncate(kept.1);
                    self.take_foreign().await?;
                }
                Err(error) => return Err(error.into()),
            }
        }
    }

    fn fold_all(&mut self, events: &[Event]) -> Result<Vec<Stamped>, EngineError> {
        let mut stamped = Vec::with_capacity(events.len() + 1);
        let mut queue: Vec<Event> = events.iter().rev().cloned().collect();
        loop {
            let event = match queue.pop() {
                Some(event) if self.is_stale(&event) => continue,
                Some(event) => event,
                None => match self.state.to_record.clone() {
                    Some(decision) => Event::Decided(Box::new((*decision).clone())),
                    None => return Ok(stamped),
                },
            };
            let actor = if event == Event::CancelRequested { Actor::Person } else { Actor::Engine };
            let event = Stamped { at: self.engine.ports.clock.now(), actor, event };
            self.fold(event.clone())?;
            stamped.push(event);
        }
    }

    /// A start or a timer that a cancel has overtaken.
    fn is_stale(&self, event: &Event) -> bool {
        let planned = |step: &StepId| self.state.step(*step).map(|step| step.status.clone());
        match event {
            Event::StepStarted { step, .. } => {
                self.state.status.is_over() || self.state.cancelled || planned(step) != Some(StepStatus::Planned)
            }
            Event::TimerFired { step } => {
                self.state.status.is_over() || !matches!(planned(step), Some(StepStatus::Waiting { .. }))
            }
            Event::CancelRequested => self.state.cancelled,
            _ => false,
        }
    }

    async fn load_texts(&mut self) -> Result<(), EngineError> {
        let Some(inputs) = self.state.inputs.clone() else { return Ok(()) };
        for attachment in &inputs.task.attachments {
            self.load_text(attachment.content).await?;
            if let Some(text) = self.texts.get(&attachment.content) {
                self.sources.add(&attachment.name, attachment.form, text);
            }
        }
        Ok(())
    }

    async fn load_text(&mut self, hash: Hash) -> Result<(), EngineError> {
        if let std::collections::hash_map::Entry::Vacant(place) = self.texts.entry(hash)
            && let Some(bytes) = self.engine.blob(hash).await?
        {
            place.insert(String::from_utf8_lossy(&bytes).into_owned());
        }
        Ok(())
    }
}

async fn claim(engine: &Engine, run: &RunId) -> Result<Lease, StoreError> {
    let name = Stream::Run(run.clone()).to_string();
    let ports = &engine.ports;
    lease::claim(&*ports.journal, &*ports.clock, &engine.is_gone, &name, &engine.owner).await
}

fn last_attempt(step: &Step) -> u8 {
    u8::try_from(step.attempts.len().saturating_sub(1)).unwrap_or(u8::MAX)
}
