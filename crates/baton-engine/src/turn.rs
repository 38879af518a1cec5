//! One attempt, from the seat's account to the events that record its end.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use baton_core::evidence::{self, CheckResult, Evidence};
use baton_core::hash::Hash;
use baton_core::ids::{MemberId, SessionName, StepId};
use baton_core::member::Member;
use baton_core::opinion::{self, AnswerSchema, READER_VERSION};
use baton_core::outcome::Outcome;
use baton_core::run::{Event, TurnReport};
use baton_core::source::Sources;
use baton_core::task::Question;
use baton_port::{
    Blob, Cancel, Caps, Channel, Clock, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use tokio::sync::Notify;

use crate::SessionTurn;
use crate::accounts::{Accounts, Closed};
use crate::sessions::{Conversation, Left, Lost, SessionNote};

/// One attempt that is about to be made.
pub(crate) struct Attempt {
    pub(crate) step: StepId,
    pub(crate) number: u8,
    pub(crate) member: Member,
    pub(crate) channel: Result<Arc<dyn Channel>, String>,
    pub(crate) prompt: Arc<str>,
    /// The form that the prompt asks for.
    pub(crate) schema: Option<AnswerSchema>,
    /// The prompt without what is quoted of an old conversation.
    pub(crate) own_prompt: Hash,
    pub(crate) directory: PathBuf,
    pub(crate) cancel: Cancel,
    pub(crate) signs: tokio::sync::mpsc::UnboundedSender<Sign>,
    pub(crate) conversation: Option<(SessionName, Conversation)>,
    pub(crate) clock: Arc<dyn Clock>,
    /// The user named the member, and no rule says who follows it.
    pub(crate) insisted: bool,
    /// The user's clock, as the run has it.
    pub(crate) offset_minutes: i32,
}

/// A sign of life on its way to the observer.
pub(crate) struct Sign {
    pub(crate) step: StepId,
    pub(crate) member: MemberId,
    pub(crate) progress: Progress,
}

/// How an attempt ended.
pub(crate) struct Ended {
    pub(crate) step: StepId,
    pub(crate) number: u8,
    pub(crate) turn: Turn,
    pub(crate) sessions: Vec<(MemberId, SessionName, SessionNote)>,
}

impl Attempt {
    /// Waits for a place on the account, then asks. Always ends; a failure is the turn's outcome.
    pub(crate) async fn make(self, accounts: Arc<Accounts>) -> Ended {
        let (step, number) = (self.step, self.number);
        let most = self.member.limits.prompt_bytes.and_then(|most| usize::try_from(most).ok());
        let turn = match (&self.channel, most) {
            (Err(because), _) => Turn::failed(Outcome::NotInstalled, because.clone()),
            (_, Some(most)) if self.prompt.len() > most => {
                let because = format!("the prompt has {} bytes, and at most {most} can be sent", self.prompt.len());
                Turn::failed(Outcome::ContextTooLong, because)
            }
            (Ok(channel), _) => self.ask(channel.clone(), &accounts).await,
        };
        let turn = self.unless_of_another_version(as_promised(turn, &self.member));
        let sessions = self.session_notes(&turn);
        Ended { step, number, turn, sessions }
    }

    async fn ask(&self, channel: Arc<dyn Channel>, accounts: &Accounts) -> Turn {
        if let Some(closed) = self.closed(accounts.closed(&self.member).await) {
            return closed;
        }
        let mut seat = tokio::select! {
            biased;
            // First, because the end of another member's turn may free the place that this one waits for.
            () = self.cancel.requested() => return Turn::failed(Outcome::Cancelled, "cancelled before it was asked"),
            seat = accounts.enter(&self.member) => seat,
        };
        // While this one waited, another turn may have found the account used up.
        if let Some(closed) = self.closed(accounts.admit(&self.member, &mut seat).await) {
            seat.leave().await;
            return closed;
        }
        let alive = Arc::new(Notify::new());
        let sink =
            Sink { step: self.step, member: self.member.id.clone(), signs: self.signs.clone(), alive: alive.clone() };
        let request = self.request(Arc::new(sink));
        let turn = async {
            let began = self.clock.now();
            let turn = channel.turn(&request).await;
            if turn.outcome.is_ok() && !self.member.is_check() {
                accounts.note_pace(&self.member, self.clock.now().millis_since(began)).await;
            }
            // Before the place is free: whoever gets it next looks at what this turn found.
            accounts.note(&self.member, &turn).await;
            turn
        };
        seat.during(turn, &alive).await
    }

    /// The end of a turn that is not made. A person who named the member is heard over what is known of its account.
    fn closed(&self, closed: Option<Closed>) -> Option<Turn> {
        let closed = closed.filter(|_| !self.insisted)?;
        let now = self.clock.now();
        Some(Turn::failed(closed.outcome(now), closed.words(&self.member, now, self.offset_minutes)))
    }

    fn request(&self, progress: Arc<Sink>) -> TurnRequest {
        let limits = &self.member.limits;
        let conversation = self.conversation.as_ref().map(|(_, conversation)| conversation);
        TurnRequest {
            prompt: self.prompt.to_string(),
            effort: self.member.effort,
            schema: self.schema.clone(),
            session: conversation.map_or(SessionUse::None, |conversation| conversation.session.clone()),
            history: conversation.map(|conversation| conversation.history.clone()).unwrap_or_default(),
            directory: self.directory.clone(),
            deadlines: Deadlines {
                first_event: Duration::from_millis(limits.first_event_ms),
                idle: Duration::from_millis(limits.idle_ms),
                total: Duration::from_millis(limits.total_ms),
            },
            caps: Caps::default(),
            cancel: self.cancel.clone(),
            progress,
        }
    }

    fn resumed(&self) -> Option<&Conversation> {
        let (_, conversation) = self.conversation.as_ref()?;
        matches!(conversation.session, SessionUse::Resume { .. }).then_some(conversation)
    }

    /// A conversation that another version of the program kept, and that this one turns down, counts as not found.
    fn unless_of_another_version(&self, mut turn: Turn) -> Turn {
        let then = self.resumed().and_then(|conversation| conversation.program_version.as_ref());
        if let (Some(then), Some(now)) = (then, &turn.provenance.program_version)
            && then != now
            && matches!(turn.outcome, Outcome::Rejected | Outcome::Unreadable)
        {
            turn.outcome = Outcome::SessionNotFound;
            turn.detail = format!("version {now} cannot go on with what version {then} kept: {}", turn.detail);
        }
        turn
    }

    fn session_notes(&self, turn: &Turn) -> Vec<(MemberId, SessionName, SessionNote)> {
        let Some((name, conversation)) = &self.conversation else { return Vec::new() };
        let directory = self.directory.to_string_lossy().into_owned();
        let mut notes = Vec::new();
        match (&turn.outcome, &turn.text) {
            (Outcome::Ok, Some(answer)) => {
                let turn = SessionTurn {
                    provider: turn.provenance.session.clone(),
                    directory,
                    configuration: conversation.configuration.clone(),
                    program_version: turn.provenance.program_version.clone(),
                    model: turn.provenance.model.clone(),
                    prompt: self.own_prompt,
                    sent: conversation.handoff.as_ref().map(|_| Hash::of(self.prompt.as_bytes())),
                    answer: Hash::of(answer.as_bytes()),
                    start: Some(conversation.start.clone()),
                };
                notes.push((self.member.id.clone(), name.clone(), SessionNote::Turn(Box::new(turn))));
                if let Some(other) = &conversation.instead_of {
                    let left = Left { to: self.member.id.clone() };
                    notes.push((other.clone(), name.clone(), SessionNote::Left(left)));
                }
            }
            (Outcome::SessionNotFound, _) if self.resumed().is_some() => {
                let because = match turn.detail.is_empty() {
                    true => "it was not found any more".to_owned(),
                    false => baton_core::text::one_line(&turn.detail, 200),
                };
                let lost = Lost { directory, because: Some(because) };
                notes.push((self.member.id.clone(), name.clone(), SessionNote::Lost(lost)));
            }
            _ => {}
        }
        notes
    }
}

/// What a channel must keep to so that its turn can be recorded: an answer has text, a check gives evidence, and nothing
/// but a check does.
fn as_promised(mut turn: Turn, member: &Member) -> Turn {
    if !member.is_check() {
        turn.evidence = None;
        if turn.outcome.is_ok() && turn.text.as_deref().is_none_or(|text| text.trim().is_empty()) {
            turn.outcome = Outcome::Empty;
        }
    } else if turn.outcome.is_ok() && turn.evidence.is_none() {
        let result = CheckResult::Abstained { reason: "it reported no result".into() };
        turn.evidence = Some(evidence::read(result, member.id.as_str(), turn.text.as_deref().unwrap_or_default()));
    }
    turn
}

/// Passes signs of life on, and frees the account's start gate at the first one that shows a running session.
struct Sink {
    step: StepId,
    member: MemberId,
    signs: tokio::sync::mpsc::UnboundedSender<Sign>,
    alive: Arc<Notify>,
}

impl ProgressSink for Sink {
    fn report(&self, progress: Progress) {
        if progress != Progress::Started {
            self.alive.notify_one();
        }
        // Nobody may be watching any more; signs of life are lossy.
        let _ = self.signs.send(Sign { step: self.step, member: self.member.clone(), progress });
    }
}

impl Ended {
    /// The text that is read as an opinion.
    pub(crate) fn answer(&self) -> Option<&str> {
        let is_opinion = self.turn.outcome.is_ok() && self.turn.evidence.is_none();
        self.turn.text.as_deref().filter(|_| is_opinion)
    }

    /// The events and blobs that record this end: the report, and in the same commit what was read from the answer.
    pub(crate) fn events(&self, question: &Question, sources: &Sources) -> (Vec<Event>, Vec<Blob>) {
        let mut blobs = Vec::new();
        let mut keep = |bytes: &[u8]| {
            let blob = Blob::new(bytes.to_vec());
            let hash = blob.hash;
            blobs.push(blob);
            hash
        };
        let turn = &self.turn;
        let transcript = (!turn.transcript.bytes.is_empty()).then(|| keep(&turn.transcript.bytes));
        let answer = turn.text.as_ref().map(|text| keep(text.as_bytes()));
        let report = TurnReport {
            outcome: turn.outcome.clone(),
            detail: baton_core::text::one_line(&turn.detail, 500),
            usage: turn.usage,
            provenance: turn.provenance.clone(),
            transcript,
            answer,
        };
        let mut events = vec![Event::StepFinished { step: self.step, attempt: self.number, report }];
        if turn.outcome.is_ok() {
            events.push(self.read(turn.evidence.as_ref(), question, sources));
        }
        (events, blobs)
    }

    fn read(&self, evidence: Option<&Evidence>, question: &Question, sources: &Sources) -> Event {
        if let Some(evidence) = evidence {
            return Event::EvidenceRecorded { step: self.step, evidence: evidence.clone() };
        }
        let text = self.turn.text.as_deref().unwrap_or_default();
        let opinion = opinion::read(text, question, sources);
        Event::OpinionRead { step: self.step, reader: READER_VERSION, opinion }
    }
}
