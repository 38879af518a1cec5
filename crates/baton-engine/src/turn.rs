//! One attempt, from the seat's account to the events that record its end.

use std::path::PathBuf;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use baton_core::evidence::{self, CheckResult, Evidence};
use baton_core::hash::Hash;
use baton_core::ids::{MemberId, SessionName, StepId};
use baton_core::member::Member;
use baton_core::opinion::{self, READER_VERSION};
use baton_core::outcome::Outcome;
use baton_core::run::{Event, TurnReport};
use baton_core::source::Sources;
use baton_core::task::Question;
use baton_port::{Blob, Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use tokio::sync::OwnedSemaphorePermit;

use crate::sessions::{Conversation, Lost, SessionNote};
use crate::{Accounts, SessionTurn};

/// One attempt that is about to be made.
pub(crate) struct Attempt {
    pub(crate) step: StepId,
    pub(crate) number: u8,
    pub(crate) member: Member,
    pub(crate) channel: Result<Arc<dyn Channel>, String>,
    pub(crate) prompt: Arc<str>,
    pub(crate) prompt_hash: Hash,
    pub(crate) directory: PathBuf,
    pub(crate) cancel: Cancel,
    pub(crate) signs: tokio::sync::mpsc::UnboundedSender<Sign>,
    pub(crate) conversation: Option<(SessionName, Conversation)>,
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
    pub(crate) session: Option<(MemberId, SessionName, SessionNote)>,
}

impl Attempt {
    /// Waits for a place on the account, then asks. Always ends; a failure is the turn's outcome.
    pub(crate) async fn make(self, accounts: Arc<Accounts>) -> Ended {
        let (step, number) = (self.step, self.number);
        let turn = match &self.channel {
            Err(because) => Turn::failed(Outcome::NotInstalled, because.clone()),
            Ok(channel) => self.ask(channel.clone(), &accounts).await,
        };
        let turn = as_promised(turn, &self.member);
        let session = self.session_note(&turn);
        Ended { step, number, turn, session }
    }

    async fn ask(&self, channel: Arc<dyn Channel>, accounts: &Accounts) -> Turn {
        let mut seat = tokio::select! {
            biased;
            // First, because the end of another member's turn may free the place that this one waits for.
            () = self.cancel.requested() => return Turn::failed(Outcome::Cancelled, "cancelled before it was asked"),
            seat = accounts.enter(&self.member) => seat,
        };
        let sink = Sink {
            step: self.step,
            member: self.member.id.clone(),
            signs: self.signs.clone(),
            start: Mutex::new(seat.start.take()),
        };
        channel.turn(&self.request(Arc::new(sink))).await
    }

    fn request(&self, progress: Arc<Sink>) -> TurnRequest {
        let limits = &self.member.limits;
        let conversation = self.conversation.as_ref().map(|(_, conversation)| conversation.clone()).unwrap_or_default();
        TurnRequest {
            prompt: self.prompt.to_string(),
            effort: self.member.effort,
            session: conversation.session,
            history: conversation.history,
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

    fn session_note(&self, turn: &Turn) -> Option<(MemberId, SessionName, SessionNote)> {
        let (name, conversation) = self.conversation.as_ref()?;
        let directory = self.directory.to_string_lossy().into_owned();
        let resumed = matches!(conversation.session, SessionUse::Resume { .. });
        let note = match (&turn.outcome, &turn.text) {
            (Outcome::Ok, Some(answer)) => SessionNote::Turn(SessionTurn {
                provider: turn.provenance.session.clone(),
                directory,
                program_version: turn.provenance.program_version.clone(),
                prompt: self.prompt_hash,
                answer: Hash::of(answer.as_bytes()),
            }),
            (Outcome::SessionNotFound, _) if resumed => SessionNote::Lost(Lost { directory }),
            _ => return None,
        };
        Some((self.member.id.clone(), name.clone(), note))
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
    start: Mutex<Option<OwnedSemaphorePermit>>,
}

impl ProgressSink for Sink {
    fn report(&self, progress: Progress) {
        if progress != Progress::Started {
            drop(self.start.lock().unwrap_or_else(PoisonError::into_inner).take());
        }
        // Nobody may be watching any more; signs of life are lossy.
        let _ = self.signs.send(Sign { step: self.step, member: self.member.clone(), progress });
    }
}

impl Ended {
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
