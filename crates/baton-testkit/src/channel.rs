//! Channels that answer from a list, for tests of the engine.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use baton_core::ids::MemberId;
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::units::Usage;
use baton_port::{Availability, BoxFuture, Channel, Progress, Turn, TurnRequest};

/// What a scripted member does when it is asked.
#[derive(Clone, Debug)]
pub enum Reply {
    Says(String),
    Fails(Outcome),
    /// Answers only when it is told to stop.
    Hangs,
    /// The channel itself breaks.
    Panics,
}

/// Replies for each member; the last one repeats. Every call is recorded.
#[derive(Clone, Debug, Default)]
pub struct ScriptedChannels {
    replies: Arc<Mutex<HashMap<MemberId, Vec<Reply>>>>,
    asked: Arc<Mutex<Vec<(MemberId, String)>>>,
}

impl ScriptedChannels {
    #[must_use]
    pub fn member(self, id: &str, replies: impl IntoIterator<Item = Reply>) -> Self {
        if let Ok(id) = MemberId::parse(id) {
            let replies = replies.into_iter().collect();
            self.replies.lock().unwrap_or_else(PoisonError::into_inner).insert(id, replies);
        }
        self
    }

    /// Who was asked, in order.
    #[must_use]
    pub fn asked(&self) -> Vec<String> {
        self.calls().into_iter().map(|(member, _)| member.to_string()).collect()
    }

    /// Who was asked what, in order.
    #[must_use]
    pub fn calls(&self) -> Vec<(MemberId, String)> {
        self.asked.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// The channel of a member, as an engine's `Channels` would open it.
    ///
    /// # Errors
    /// When the test gave no replies for it.
    pub fn open(&self, member: &Member) -> Result<Arc<dyn Channel>, String> {
        let known = self.replies.lock().unwrap_or_else(PoisonError::into_inner).contains_key(&member.id);
        if !known {
            return Err(format!("no replies for {}", member.id));
        }
        Ok(Arc::new(ScriptedChannel { member: member.id.clone(), all: self.clone() }))
    }

    fn next(&self, member: &MemberId) -> Option<Reply> {
        let mut replies = self.replies.lock().unwrap_or_else(PoisonError::into_inner);
        let replies = replies.get_mut(member)?;
        if replies.len() > 1 { Some(replies.remove(0)) } else { replies.first().cloned() }
    }
}

struct ScriptedChannel {
    member: MemberId,
    all: ScriptedChannels,
}

impl Channel for ScriptedChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async { Availability::Ready { version: None } })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            let call = (self.member.clone(), request.prompt.clone());
            self.all.asked.lock().unwrap_or_else(PoisonError::into_inner).push(call);
            request.progress.report(Progress::Started);
            request.progress.report(Progress::Thinking);
            match self.all.next(&self.member) {
                Some(Reply::Says(text)) => said(text),
                Some(Reply::Fails(outcome)) => Turn::failed(outcome, "scripted failure"),
                Some(Reply::Hangs) => {
                    request.cancel.requested().await;
                    Turn::failed(Outcome::Cancelled, "stopped")
                }
                Some(Reply::Panics) => broken(),
                None => Turn::failed(Outcome::NotInstalled, "no reply left"),
            }
        })
    }
}

#[expect(clippy::panic, reason = "a channel that breaks is what the test asked for")]
fn broken() -> Turn {
    panic!("a channel that breaks")
}

fn said(text: String) -> Turn {
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.transcript.bytes = text.clone().into_bytes();
    turn.text = Some(text);
    turn.usage = Some(Usage { input_tokens: 100, output_tokens: 50, ..Usage::default() });
    turn
}
