//! A seat of each program that can stay, in front of the fake.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_members::acp::AcpChannel;
use baton_members::cli::{ClaudeChannel, CodexChannel, Environment};
use baton_members::warm::Pool;
use baton_port::{Cancel, Caps, Channel, Deadlines, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_testkit::fake_agent::record::Start;
use baton_testkit::fake_agent::{Later, MARKER, Script};

use crate::place::{Place, with_shim};

const LONG: Duration = Duration::from_secs(60);
pub(crate) const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };
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
    pub(crate) kind: Kind,
    pub(crate) place: Place,
    pub(crate) script: Script,
    settings: Vec<(String, String)>,
}

impl Stage {
    pub(crate) fn new(kind: Kind, later: Later) -> Self {
        let place = Place::new();
        let script = Script { later, bytes: FLOOD, ..Script::default() };
        let mut settings = vec![(format!("env.{MARKER}"), place.marker.clone())];
        if kind == Kind::Acp {
            settings.extend([("program".to_owned(), "agent".to_owned()), ("arg.0".to_owned(), "--acp".to_owned())]);
        }
        Self { kind, place, script, settings }
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn channel(&self, pool: &Pool) -> Arc<dyn Channel> {
        let root = self.place.root().as_os_str().to_owned();
        let variables = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.clone()));
        let (environment, launcher, pool) = (Environment::new(variables), with_shim(), pool.clone());
        let name = match self.kind {
            Kind::Claude => "claude",
            Kind::Codex => "codex",
            Kind::Acp => "agent",
        };
        self.place.install(name, &self.script);
        let member = member(self.settings.clone());
        match self.kind {
            Kind::Claude => Arc::new(ClaudeChannel::new(&member, launcher, environment).unwrap().with_pool(pool)),
            Kind::Codex => Arc::new(CodexChannel::new(&member, launcher, environment).unwrap().with_pool(pool)),
            Kind::Acp => Arc::new(AcpChannel::new(&member, launcher, environment).unwrap().with_pool(pool)),
        }
    }

    pub(crate) fn request(&self, prompt: &str, session: SessionUse) -> TurnRequest {
        TurnRequest {
            prompt: prompt.to_owned(),
            effort: None,
            schema: None,
            session,
            history: vec![],
            directory: self.place.root().to_owned(),
            deadlines: PATIENT,
            caps: Caps { total: 1 << 20, line: 1 << 18 },
            cancel: Cancel::default(),
            progress: Arc::new(Nobody),
        }
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

fn member(settings: Vec<(String, String)>) -> Member {
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: "any".into(), settings: settings.into_iter().collect() },
        model: None,
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 100_000,
        price: None,
        payer: Payer::Key,
        account: "account".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

struct Nobody;

impl ProgressSink for Nobody {
    fn report(&self, _progress: Progress) {}
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
