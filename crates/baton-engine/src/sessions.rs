//! Persistent conversations: a stream for each, with one event for each turn.

use baton_core::hash::Hash;
use baton_core::ids::{MemberId, SessionName};
use baton_core::journal::{Actor, NewEvent, Stream};
use baton_port::{Append, Exchange, SessionUse};
use serde::{Deserialize, Serialize};

use crate::{Engine, EngineError};

/// One turn of a conversation, as recorded.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SessionTurn {
    /// The provider's id; `None` for members that keep nothing, whose history is sent again.
    pub provider: Option<String>,
    /// Sessions of agent programs are bound to their directory.
    pub directory: String,
    pub program_version: Option<String>,
    pub prompt: Hash,
    pub answer: Hash,
}

const KIND: &str = "session_turn";
const LOST: &str = "session_lost";

/// What a turn means for its conversation.
pub(crate) enum SessionNote {
    Turn(SessionTurn),
    /// The member does not know its own conversation of this directory any more: the next turn begins a new one.
    Lost(Lost),
}

#[derive(Serialize, Deserialize)]
pub(crate) struct Lost {
    pub(crate) directory: String,
}

/// What a next turn in the conversation needs.
#[derive(Clone, Debug, Default)]
pub(crate) struct Conversation {
    pub(crate) session: SessionUse,
    pub(crate) history: Vec<Exchange>,
}

impl Engine {
    /// The turns of a conversation, oldest first; empty when it does not exist.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn session(&self, member: &MemberId, name: &SessionName) -> Result<Vec<SessionTurn>, EngineError> {
        let stream = Stream::Session(member.clone(), name.clone());
        let rows = self.ports.journal.read(&stream, 0).await?;
        let turns = rows.iter().filter(|row| row.kind == KIND).map(|row| serde_json::from_str(&row.header));
        Ok(turns.collect::<Result<_, _>>()?)
    }

    /// The conversation as the next turn in `directory` continues it. One that was begun elsewhere is begun anew.
    pub(crate) async fn conversation(
        &self,
        member: &MemberId,
        name: &SessionName,
        directory: &str,
    ) -> Result<Conversation, EngineError> {
        let rows = self.ports.journal.read(&Stream::Session(member.clone(), name.clone()), 0).await?;
        let (mut turns, mut lost) = (Vec::new(), false);
        for row in &rows {
            // What was said elsewhere stays there, also for members whose history we send.
            if row.kind == KIND {
                let turn: SessionTurn = serde_json::from_str(&row.header)?;
                if turn.directory == directory {
                    turns.push(turn);
                    lost = false;
                }
            } else if row.kind == LOST {
                lost |= serde_json::from_str::<Lost>(&row.header)?.directory == directory;
            }
        }
        let mut history = Vec::new();
        for turn in &turns {
            let (prompt, answer) = (self.text(turn.prompt).await?, self.text(turn.answer).await?);
            if let (Some(prompt), Some(answer)) = (prompt, answer) {
                history.push(Exchange { prompt, answer });
            }
        }
        let provider = turns.last().filter(|_| !lost).and_then(|turn| turn.provider.clone());
        let session = match provider {
            Some(id) => SessionUse::Resume { id },
            None => SessionUse::New { id: self.ports.ids.run().to_string() },
        };
        Ok(Conversation { session, history })
    }

    async fn text(&self, hash: Hash) -> Result<Option<String>, EngineError> {
        Ok(self.blob(hash).await?.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()))
    }

    pub(crate) async fn record_session(
        &self,
        member: &MemberId,
        name: &SessionName,
        note: &SessionNote,
    ) -> Result<(), EngineError> {
        let (kind, header) = match note {
            SessionNote::Turn(turn) => (KIND, serde_json::to_string(turn)?),
            SessionNote::Lost(lost) => (LOST, serde_json::to_string(lost)?),
        };
        let event = NewEvent { kind, version: 1, at: self.ports.clock.now(), actor: Actor::Engine, header, body: None };
        let stream = Stream::Session(member.clone(), name.clone());
        let append = Append { stream, expected: None, epoch: None, events: vec![event], blobs: Vec::new() };
        self.ports.journal.append(append).await?;
        Ok(())
    }
}
