//! A seat of each program that can stay, in front of the fake.

use std::sync::Arc;

use baton_core::member::Member;
use baton_members::warm::Pool;
use baton_members::{Tools, open};
use baton_port::{Cancel, Channel, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_testkit::fake_agent::record::Start;
use baton_testkit::fake_agent::{Later, MARKER, Script};

use crate::place::{Place, with_shim};
use crate::stage::{self, member, variables};

/// More than the caps of a turn.
const FLOOD: usize = 3 << 20;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    Claude,
    Codex,
    Acp,
}

pub(crate) const KINDS: [Kind; 3] = [Kind::Claude, Kind::Codex, Kind::Acp];

/// A seat, its fake program, and its place.
pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) script: Script,
    member: Member,
    program: &'static str,
}

impl Stage {
    pub(crate) fn new(kind: Kind, later: Later) -> Self {
        let (kind, program, settings) = match kind {
            Kind::Claude => ("claude-cli", "claude", &[][..]),
            Kind::Codex => ("codex-cli", "codex", &[][..]),
            Kind::Acp => ("acp", "agent", &[("program", "agent"), ("arg.0", "--acp")][..]),
        };
        let (place, member) = (Place::new(), Member { model: None, ..member(kind, settings) });
        let marker = place.marker.clone();
        let script = Script { later, bytes: FLOOD, ..Script::default() };
        Self { place, script, member, program }.set(&format!("env.{MARKER}"), &marker)
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.member.channel.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn channel(&self, pool: &Pool) -> Arc<dyn Channel> {
        self.place.install(self.program, &self.script);
        let tools = Tools::new(with_shim(), variables(self.place.root(), &[])).with_pool(pool.clone());
        open(&self.member, &tools).unwrap()
    }

    pub(crate) fn request(&self, prompt: &str, session: SessionUse) -> TurnRequest {
        TurnRequest { session, ..stage::request(self.place.root(), prompt) }
    }

    /// The session's first turn.
    pub(crate) fn first(&self) -> TurnRequest {
        self.request("The first question.", SessionUse::New { id: self.script.session.clone() })
    }

    /// Its second, after the first was answered.
    pub(crate) fn second(&self) -> TurnRequest {
        let exchange = Exchange { prompt: "The first question.".to_owned(), answer: self.script.answer.clone() };
        TurnRequest { history: vec![exchange], ..self.request("The second question.", self.resumed()) }
    }

    pub(crate) fn resumed(&self) -> SessionUse {
        SessionUse::Resume { id: self.script.session.clone() }
    }

    /// The prompts that each start of the program was asked.
    pub(crate) fn asked(&self) -> Vec<Vec<String>> {
        let question = |prompt: &String| prompt.rsplit(": ").next().unwrap_or_default().to_owned();
        self.starts().iter().map(|start| start.asked.iter().map(question).collect()).collect()
    }

    pub(crate) fn starts(&self) -> Vec<Start> {
        self.place.record()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.starts().into_iter().flat_map(|start| start.violations).collect()
    }
}

pub(crate) async fn ask(channel: &Arc<dyn Channel>, request: TurnRequest) -> Turn {
    channel.turn(&request).await
}

/// Wishes to stop at the first sign of thinking.
pub(crate) struct StopsAtThought(pub(crate) Cancel);

impl ProgressSink for StopsAtThought {
    fn report(&self, progress: Progress) {
        if progress == Progress::Thinking {
            self.0.request();
        }
    }
}
