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
        let mut turns = self.session(member, name).await?;
        // What was said elsewhere stays there, also for members whose history we send.
        turns.retain(|turn| turn.directory == directory);
        let mut history = Vec::new();
        for turn in &turns {
            let (prompt, answer) = (self.text(turn.prompt).await?, self.text(turn.answer).await?);
            if let (Some(prompt), Some(answer)) = (prompt, answer) {
                history.push(Exchange { prompt, answer });
            }
        }
        let provider = turns.last().and_then(|turn| turn.provider.clone());
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
        turn: &SessionTurn,
    ) -> Result<(), EngineError> {
        let event = NewEvent {
            kind: KIND,
            version: 1,
            at: self.ports.clock.now(),
            actor: Actor::Engine,
            header: serde_json::to_string(turn)?,
            body: None,
        };
        let stream = Stream::Session(member.clone(), name.clone());
        let append = Append { stream, expected: None, epoch: None, events: vec![event], blobs: Vec::new() };
        self.ports.journal.append(append).await?;
        Ok(())
    }
}
