//! A seat of any kind in front of a fake, and what must hold after each of its turns.

use std::ffi::OsString;
use std::fmt::Debug;
use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::{Deadline, Outcome};
use baton_members::warm::Pool;
use baton_members::{Tools, open};
use baton_port::{Cancel, Caps, Channel, Deadlines, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_testkit::fake_agent::record::Start;
use baton_testkit::fake_agent::{MARKER, Script};

use crate::place::{Place, on_runtime, with_shim};

const LONG: Duration = Duration::from_secs(60);
pub(crate) const SHORT: Duration = Duration::from_millis(300);
/// The silence that ends a turn with a program that is talked with.
pub(crate) const IDLE: Duration = Duration::from_millis(900);
pub(crate) const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };
pub(crate) const PROMPT: &str = "Is this change correct?";
/// The one key that seats of these tests can name.
pub(crate) const KEY: (&str, &str) = ("FAKE_API_KEY", "test-key-1");

pub(crate) fn member(kind: &str, settings: &[(&str, &str)]) -> Member {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: kind.into(), settings },
        model: Some("small".into()),
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 200_000,
        price: None,
        payer: Payer::Key,
        account: "account".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

/// All that a seat sees of this machine: one folder, and these variables.
pub(crate) fn variables(root: &Path, more: &[(&str, &str)]) -> impl Iterator<Item = (OsString, OsString)> {
    let base = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.into()));
    let more: Vec<_> = more.iter().map(|(name, value)| (name.into(), value.into())).collect();
    base.into_iter().chain(more)
}

pub(crate) fn request(directory: &Path, prompt: &str) -> TurnRequest {
    TurnRequest {
        prompt: prompt.to_owned(),
        effort: None,
        schema: None,
        session: SessionUse::None,
        history: vec![],
        directory: directory.to_owned(),
        deadlines: PATIENT,
        caps: Caps { total: 1 << 20, line: 1 << 18 },
        cancel: Cancel::default(),
        progress: Arc::new(Watcher::default()),
    }
}

/// Keeps the signs of life, and wishes to stop at the first one of this kind.
#[derive(Default)]
pub(crate) struct Watcher {
    seen: Mutex<Vec<Progress>>,
    stop_at: Option<Progress>,
    cancel: Cancel,
}

impl Watcher {
    pub(crate) fn stopping_at(sign: Progress, cancel: &Cancel) -> Arc<Self> {
        Arc::new(Self { seen: Mutex::default(), stop_at: Some(sign), cancel: cancel.clone() })
    }
}

impl ProgressSink for Watcher {
    fn report(&self, progress: Progress) {
        if self.stop_at.as_ref() == Some(&progress) {
            self.cancel.request();
        }
        self.seen.lock().unwrap().push(progress);
    }
}

pub(crate) struct Stage {
    pub(crate) place: Place,
    pub(crate) member: Member,
    /// The name under which the fake is installed.
    pub(crate) program: String,
    pub(crate) script: Script,
    pub(crate) prompt: String,
    pub(crate) caps: Caps,
}

impl Stage {
    pub(crate) fn new(member: Member, program: &str, script: Script) -> Self {
        let (place, program, prompt) = (Place::new(), program.to_owned(), PROMPT.to_owned());
        let caps = request(place.root(), "").caps;
        let marker = place.marker.clone();
        Self { place, member, program, script, prompt, caps }.set(&format!("env.{MARKER}"), &marker)
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.member.channel.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.member.channel.settings.remove(name);
        self
    }

    /// The seat's channel, with its program installed as the script says now.
    pub(crate) fn channel(&self) -> Arc<dyn Channel> {
        self.open(&self.tools())
    }

    /// The same, whose starts are bounded by this pool.
    pub(crate) fn pooled(&self, pool: &Pool) -> Arc<dyn Channel> {
        self.open(&self.tools().with_pool(pool.clone()))
    }

    fn tools(&self) -> Tools {
        Tools::new(with_shim(), variables(self.place.root(), &[KEY]))
    }

    fn open(&self, tools: &Tools) -> Arc<dyn Channel> {
        self.place.install(&self.program, &self.script);
        open(&self.member, tools).unwrap()
    }

    pub(crate) fn request(&self) -> TurnRequest {
        TurnRequest { caps: self.caps, ..request(self.place.root(), &self.prompt) }
    }

    pub(crate) fn turn(&self) -> Turn {
        self.ask(&self.request())
    }

    pub(crate) fn ask(&self, request: &TurnRequest) -> Turn {
        on_runtime(self.channel().turn(request))
    }

    pub(crate) fn resumed(&self, id: &str) -> Turn {
        self.ask(&TurnRequest { session: SessionUse::Resume { id: id.to_owned() }, ..self.request() })
    }

    /// The signs of life of a turn.
    pub(crate) fn signs(&self) -> Vec<Progress> {
        let watcher = Arc::new(Watcher::default());
        self.ask(&TurnRequest { progress: watcher.clone(), ..self.request() });
        watcher.seen.lock().unwrap().clone()
    }

    /// A turn that ends so, and of which nothing is left. `idle` is how long a silence lasts that ends it.
    pub(crate) fn must_end_in(&self, outcome: &Outcome, idle: Duration, case: &dyn Debug) {
        // Short only where it is waited for: a slow start is no fault.
        let deadlines = match outcome {
            Outcome::TimedOut { deadline: Deadline::FirstEvent } => Deadlines { first_event: SHORT, ..PATIENT },
            Outcome::TimedOut { deadline: Deadline::Total } => Deadlines { total: SHORT * 3, ..PATIENT },
            Outcome::TimedOut { .. } => Deadlines { idle, ..PATIENT },
            _ => PATIENT,
        };
        let turn = self.ask(&TurnRequest { deadlines, ..self.request() });
        let case = format!("{} {case:?}", self.program);
        assert_eq!(turn.outcome, *outcome, "{case}: {}", turn.detail);
        assert_eq!(turn.text.is_some(), matches!(outcome, Outcome::Ok | Outcome::Partial), "{case}");
        assert_eq!(turn.detail.is_empty(), outcome.is_ok(), "{case}: {}", turn.detail);
        assert!(!turn.detail.contains("Is this change correct"), "{case}");
        assert_eq!(self.violations(), [] as [String; 0], "{case}");
        self.must_be_empty(&case);
    }

    /// A turn that is cancelled at this sign of life, and with it every later one of the same wish.
    pub(crate) fn must_stop_at(&self, sign: Progress) -> (Turn, Vec<Progress>) {
        let cancel = Cancel::default();
        let watcher = Watcher::stopping_at(sign, &cancel);
        let request = TurnRequest { cancel, progress: watcher.clone(), ..self.request() };
        let channel = self.channel();
        let turn = on_runtime(channel.turn(&request));
        assert_eq!((&turn.outcome, turn.detail.as_str()), (&Outcome::Cancelled, "was cancelled"));
        self.must_be_empty(&self.program);
        let seen = watcher.seen.lock().unwrap().clone();
        let again = on_runtime(channel.turn(&request));
        assert_eq!((again.outcome, self.starts().len()), (Outcome::Cancelled, 1), "not even started");
        (turn, seen)
    }

    /// Nobody runs, and no folder of a turn is left.
    pub(crate) fn must_be_empty(&self, case: &str) {
        assert_eq!(self.place.survivors(), [], "{case}");
        let names = std::fs::read_dir(self.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = names.filter(|name| name.to_string_lossy().starts_with("baton-")).collect();
        assert_eq!(left, [] as [OsString; 0], "{case}");
    }

    pub(crate) fn question(&self, prompt: &str, session: SessionUse) -> TurnRequest {
        TurnRequest { session, ..request(self.place.root(), prompt) }
    }

    /// The session's first turn.
    pub(crate) fn first(&self) -> TurnRequest {
        self.question("The first question.", SessionUse::New { id: self.script.session.clone() })
    }

    /// Its second, after the first was answered.
    pub(crate) fn second(&self) -> TurnRequest {
        let exchange = Exchange { prompt: "The first question.".to_owned(), answer: self.script.answer.clone() };
        TurnRequest { history: vec![exchange], ..self.question("The second question.", self.in_session()) }
    }

    pub(crate) fn in_session(&self) -> SessionUse {
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

    /// What the program was sent in its last start.
    pub(crate) fn sent(&self) -> String {
        self.starts().pop().and_then(|start| start.stdin).unwrap()
    }

    pub(crate) fn violations(&self) -> Vec<String> {
        self.starts().into_iter().flat_map(|start| start.violations).collect()
    }
}
