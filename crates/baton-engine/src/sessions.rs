//! Persistent conversations: a stream for each, with one event for each turn.
//!
//! A turn binds the conversation to where it was held. One that cannot go on there is begun anew; the new one is said
//! to be new, and is told of the old one in a bounded quotation.

use baton_core::handoff::{self, Said};
use baton_core::hash::Hash;
use baton_core::ids::{MemberId, SessionName};
use baton_core::journal::{Actor, NewEvent, Row, Stream};
use baton_core::member::Member;
use baton_core::run::{SessionStart, SessionState};
use baton_port::{Append, Exchange, SessionUse};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError};

/// One turn of a conversation, as recorded: what was said, and what binds it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTurn {
    /// The provider's id; `None` for members that keep nothing, whose history is sent again.
    pub provider: Option<String>,
    /// Sessions of agent programs are bound to their directory.
    pub directory: String,
    /// Where the program keeps its conversations.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub configuration: Option<String>,
    pub program_version: Option<String>,
    /// The model that answered, as the member says.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub prompt: Hash,
    /// The prompt as it was sent, where a quotation of an old conversation stood before it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub sent: Option<Hash>,
    pub answer: Hash,
    /// How the turn stood to the conversation; `None` in turns of before this was recorded.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub start: Option<SessionStart>,
}

const TURN: &str = "session_turn";
const LOST: &str = "session_lost";
const LEFT: &str = "session_left";

/// What a turn means for a conversation.
pub(crate) enum SessionNote {
    Turn(Box<SessionTurn>),
    /// The member does not know its own conversation of this directory any more: the next turn begins a new one.
    Lost(Lost),
    /// Another member went on with it.
    Left(Left),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) directory: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(crate) because: Option<String>,
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Left {
    pub(crate) to: MemberId,
}

/// What a next turn in the conversation needs.
#[derive(Clone, Debug)]
pub(crate) struct Conversation {
    pub(crate) session: SessionUse,
    pub(crate) history: Vec<Exchange>,
    pub(crate) start: SessionStart,
    /// To be put before the prompt.
    pub(crate) handoff: Option<String>,
    /// The version of the program that kept the last turn.
    pub(crate) program_version: Option<String>,
    /// Where the program keeps its conversations now.
    pub(crate) configuration: Option<String>,
    /// Who would have been asked.
    pub(crate) instead_of: Option<MemberId>,
}

/// Where a conversation is to go on.
pub(crate) struct Wanted<'a> {
    pub(crate) member: &'a Member,
    pub(crate) name: &'a SessionName,
    pub(crate) directory: &'a str,
    pub(crate) configuration: Option<String>,
    /// Whose place the member takes.
    pub(crate) instead_of: Option<MemberId>,
    pub(crate) prompt_bytes: usize,
    pub(crate) seed: u64,
}

/// A conversation's stream, read for one place.
#[derive(Default)]
struct Record {
    /// What can go on there, each with its place in the whole journal: an order that no clock can disturb.
    own: Vec<(u64, SessionTurn)>,
    all: Vec<(u64, SessionTurn)>,
    /// Who went on with it after its last turn there.
    left: Vec<MemberId>,
    /// Why there is nothing that can go on, where there was.
    because: Option<String>,
}

impl Record {
    fn read(rows: &[Row], directory: &str, configuration: Option<&str>) -> Result<Self, serde_json::Error> {
        let mut record = Self::default();
        for row in rows {
            match row.kind.as_str() {
                TURN => record.turn(row.seq, serde_json::from_str(&row.header)?, directory),
                LOST => {
                    let lost: Lost = serde_json::from_str(&row.header)?;
                    if lost.directory == directory {
                        record.own.clear();
                        record.because = Some(lost.because.unwrap_or_else(|| "the member lost it".into()));
                    }
                }
                LEFT => record.left.push(serde_json::from_str::<Left>(&row.header)?.to),
                _ => {}
            }
        }
        record.check_configuration(configuration);
        Ok(record)
    }

    fn turn(&mut self, place: u64, turn: SessionTurn, directory: &str) {
        self.all.push((place, turn.clone()));
        if turn.directory == directory {
            let moved = self.own.last().is_some_and(|(_, last)| last.configuration != turn.configuration);
            if moved {
                self.own.clear();
            }
            self.own.push((place, turn));
            self.left.clear();
            self.because = None;
        } else if self.own.is_empty() && self.because.is_none() {
            self.because = Some(format!("it was held in {}", turn.directory));
        }
    }

    /// A program finds its conversations only where it keeps them. Members that keep none are told their turns anyway.
    fn check_configuration(&mut self, configuration: Option<&str>) {
        let Some((_, last)) = self.own.last() else { return };
        if let (Some(_), Some(then), Some(now)) = (&last.provider, last.configuration.as_deref(), configuration)
            && then != now
        {
            self.because = Some(format!("its program kept it in {then}, and now uses {now}"));
            self.own.clear();
        }
    }
}

impl Engine {
    /// The turns of a conversation, oldest first; empty when it does not exist.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&self, member: &MemberId, name: &SessionName) -> Result<Vec<SessionTurn>, EngineError> {
        let rows = self.session_rows(member, name).await?;
        let turns = rows.iter().filter(|row| row.kind == TURN).map(|row| serde_json::from_str(&row.header));
        Ok(turns.collect::<Result<_, _>>()?)
    }

    async fn session_rows(&self, member: &MemberId, name: &SessionName) -> Result<Vec<Row>, EngineError> {
        Ok(self.ports.journal.read(&Stream::Session(member.clone(), name.clone()), 0).await?)
    }

    /// The conversation as the next turn continues it.
    pub(crate) async fn conversation(&self, wanted: Wanted<'_>) -> Result<Conversation, EngineError> {
        let rows = self.session_rows(&wanted.member.id, wanted.name).await?;
        let record = Record::read(&rows, wanted.directory, wanted.configuration.as_deref())?;
        let mut start = SessionStart {
            state: if record.own.is_empty() { SessionState::New } else { SessionState::Resumed },
            because: record.because.clone().filter(|_| !record.all.is_empty()),
            handed_on: 0,
            from: None,
        };
        let handoff = self.handoff(&wanted, &record, &mut start).await?;
        let mut history = Vec::new();
        for (_, turn) in &record.own {
            let texts = (self.text(turn.sent.unwrap_or(turn.prompt)).await?, self.text(turn.answer).await?);
            if let (Some(prompt), Some(answer)) = texts {
                history.push(Exchange { prompt, answer });
            }
        }
        let last = record.own.last().map(|(_, turn)| turn);
        Ok(Conversation {
            session: match last.and_then(|turn| turn.provider.clone()) {
                Some(id) => SessionUse::Resume { id },
                None => SessionUse::New { id: self.ports.ids.run().to_string() },
            },
            history,
            start,
            handoff,
            program_version: last.and_then(|turn| turn.program_version.clone()),
            configuration: wanted.configuration,
            instead_of: wanted.instead_of,
        })
    }

    /// What the member has not heard: its own turns that it cannot go on with, and what was said with others since.
    async fn handoff(
        &self,
        wanted: &Wanted<'_>,
        record: &Record,
        start: &mut SessionStart,
    ) -> Result<Option<String>, EngineError> {
        let mut unheard = if record.own.is_empty() { record.all.clone() } else { Vec::new() };
        let since = record.own.last().map(|(place, _)| *place);
        let others: std::collections::BTreeSet<&MemberId> = record.left.iter().chain(&wanted.instead_of).collect();
        for other in others {
            let rows = self.session_rows(other, wanted.name).await?;
            let mut theirs = Record::read(&rows, wanted.directory, None)?.all;
            theirs
                .retain(|(place, turn)| turn.directory == wanted.directory && since.is_none_or(|since| *place > since));
            if !theirs.is_empty() {
                start.from = Some(other.clone());
            }
            unheard.append(&mut theirs);
        }
        unheard.sort_by_key(|(place, _)| *place);
        if let (Some(from), None) = (&start.from, &start.because) {
            start.because = Some(format!("it was held with {from}"));
        }
        let because = start.because.clone().unwrap_or_default();
        let pack = handoff::pack(&because, &self.said(&unheard).await?, wanted.seed, room(wanted));
        start.handed_on = pack.as_ref().map_or(0, |pack| pack.kept);
        Ok(pack.map(|pack| pack.text))
    }

    async fn said(&self, turns: &[(u64, SessionTurn)]) -> Result<Vec<Said>, EngineError> {
        let mut said = Vec::with_capacity(turns.len());
        for (_, turn) in turns {
            if let (Some(prompt), Some(answer)) = (self.text(turn.prompt).await?, self.text(turn.answer).await?) {
                said.push(Said { prompt, answer });
            }
        }
        Ok(said)
    }

    async fn text(&self, hash: Hash) -> Result<Option<String>, EngineError> {
        Ok(self.blob(hash).await?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    /// What a turn means for its conversation, to be appended with the turn's own events.
    pub(crate) fn session_append(
        &self,
        member: &MemberId,
        name: &SessionName,
        note: &SessionNote,
    ) -> Result<Append, EngineError> {
        let (kind, header) = match note {
            SessionNote::Turn(turn) => (TURN, serde_json::to_string(turn)?),
            SessionNote::Lost(lost) => (LOST, serde_json::to_string(lost)?),
            SessionNote::Left(left) => (LEFT, serde_json::to_string(left)?),
        };
        let event = NewEvent { kind, version: 1, at: self.ports.clock.now(), actor: Actor::Engine, header, body: None };
        let stream = Stream::Session(member.clone(), name.clone());
        Ok(Append { stream, expected: None, epoch: None, events: vec![event], blobs: Vec::new() })
    }
}

/// What a quotation may take: an eighth of the window (a token has about four bytes), and what the prompt leaves of
/// the bytes that the member takes.
fn room(wanted: &Wanted<'_>) -> usize {
    let window = usize::try_from(wanted.member.context_window / 2).unwrap_or(usize::MAX);
    let most = wanted.member.limits.prompt_bytes.and_then(|most| usize::try_from(most).ok()).unwrap_or(usize::MAX);
    window.min(most.saturating_sub(wanted.prompt_bytes))
}
