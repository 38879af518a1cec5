//! Scripted members. What a member does is a function of what it is asked, so that it does the same after a crash.
//! Each call is checked: its start must be in the journal, with this prompt and without an end.

use std::collections::{BTreeMap, HashMap};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_core::evidence::{self, CheckResult};
use baton_core::hash::Hash;
use baton_core::journal::Stream;
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::run::{Event, Stamped};
use baton_core::units::Usage;
use baton_engine::Channels;
use baton_port::{
    Availability, BoxFuture, Cancel, Channel, Clock, Exchange, Journal, Progress, SessionUse, Turn, TurnRequest,
};
use baton_store::MemoryStore;
use baton_testkit::FakeClock;
use tokio::sync::Semaphore;

/// One call of a member.
#[derive(Clone, Debug)]
pub(crate) struct Asked {
    pub(crate) member: Member,
    pub(crate) prompt: String,
    pub(crate) session: SessionUse,
    pub(crate) history: Vec<Exchange>,
    /// Calls of this member before.
    pub(crate) before: usize,
}

/// What a member does with a call.
#[derive(Clone, Debug)]
pub(crate) enum Does {
    Says(String),
    SaysInSession(String, &'static str),
    /// The first number of milliseconds without a sign of life, then as many with, then the answer.
    SaysLate(u64, u64, String),
    Fails(Outcome),
    FailsLate(u64, Outcome),
    Finds(CheckResult, &'static str),
    /// Whatever a channel that breaks its promises brings back.
    Returns(Box<Turn>),
    Hangs,
    /// Hangs, and the user stops the run now.
    HangsAndStops,
    /// Shows a sign of life ten times a second for this many seconds, then approves.
    Chatters(u64),
    /// Answers once the test opens the door.
    WaitsAtDoor(String),
    Panics,
    Absent,
}

type Script = dyn Fn(&Asked) -> Does + Send + Sync;

#[derive(Clone)]
pub(crate) struct Panel {
    script: Arc<Script>,
    store: MemoryStore,
    clock: FakeClock,
    seen: Arc<Mutex<Seen>>,
    pub(crate) door: Arc<Semaphore>,
}

#[derive(Default)]
struct Seen {
    asked: Vec<Asked>,
    broken: Vec<String>,
    /// By account: turns now, most turns at once, starts now, most starts at once.
    load: BTreeMap<String, [usize; 4]>,
    stop: Cancel,
    /// Turns that ended because they were told to.
    stopped: usize,
    configuration: Option<std::path::PathBuf>,
    /// The journal is in a store that this panel does not see.
    trusted: bool,
}

impl Panel {
    pub(crate) fn new(
        store: MemoryStore,
        clock: FakeClock,
        script: impl Fn(&Asked) -> Does + Send + Sync + 'static,
    ) -> Self {
        let door = Arc::new(Semaphore::new(0));
        Self { script: Arc::new(script), store, clock, seen: Arc::default(), door }
    }

    pub(crate) fn trust(&self) {
        self.seen.lock().unwrap().trusted = true;
    }

    pub(crate) fn keep_conversations_in(&self, directory: &str) {
        self.seen.lock().unwrap().configuration = Some(directory.into());
    }

    pub(crate) fn asked(&self) -> Vec<Asked> {
        self.seen.lock().unwrap().asked.clone()
    }

    pub(crate) fn names(&self) -> Vec<String> {
        self.asked().into_iter().map(|asked| asked.member.id.to_string()).collect()
    }

    pub(crate) fn broken(&self) -> Vec<String> {
        self.seen.lock().unwrap().broken.clone()
    }

    /// The most turns, and the most starts without a sign of life, that an account had at once.
    pub(crate) fn most(&self, account: &str) -> (usize, usize) {
        let seen = self.seen.lock().unwrap();
        seen.load.get(account).map_or((0, 0), |load| (load[1], load[3]))
    }

    pub(crate) fn under_way(&self) -> usize {
        self.seen.lock().unwrap().load.values().map(|load| load[0]).sum()
    }

    pub(crate) fn stopped(&self) -> usize {
        self.seen.lock().unwrap().stopped
    }

    /// What stops the run when a member does [`Does::HangsAndStops`].
    pub(crate) fn listen(&self) -> Cancel {
        let mut seen = self.seen.lock().unwrap();
        seen.stop = Cancel::default();
        seen.stop.clone()
    }

    fn call(&self, member: &Member, request: &TurnRequest) -> Does {
        let mut seen = self.seen.lock().unwrap();
        let asked = Asked {
            member: member.clone(),
            prompt: request.prompt.clone(),
            session: request.session.clone(),
            history: request.history.clone(),
            before: seen.asked.iter().filter(|asked| asked.member.id == member.id).count(),
        };
        seen.asked.push(asked.clone());
        drop(seen);
        (self.script)(&asked)
    }

    fn change(&self, member: &Member, place: usize, by: isize) {
        let mut seen = self.seen.lock().unwrap();
        let load = seen.load.entry(member.account.clone()).or_default();
        load[place] = load[place].checked_add_signed(by).unwrap();
        load[place + 1] = load[place + 1].max(load[place]);
    }

    async fn check_journalled(&self, member: &Member, prompt: &str) {
        if self.seen.lock().unwrap().trusted {
            return;
        }
        let wanted = (!prompt.is_empty()).then(|| Hash::of(prompt.as_bytes()));
        for run in self.store.runs(100).await.unwrap() {
            let rows = self.store.read(&Stream::parse(&run.stream).unwrap(), 0).await.unwrap();
            let mut open = HashMap::new();
            for row in &rows {
                match Stamped::decode(row).unwrap().event {
                    Event::StepStarted { step, member, prompt, .. } => drop(open.insert(step, (member, prompt))),
                    Event::StepFinished { step, .. } | Event::StepInDoubt { step, .. } => drop(open.remove(&step)),
                    _ => {}
                }
            }
            if open.values().any(|(id, hash)| *id == member.id && *hash == wanted) {
                return;
            }
        }
        self.seen.lock().unwrap().broken.push(format!("{} was asked before its start was recorded", member.id));
    }
}

impl Channels for Panel {
    fn open(&self, member: &Member) -> Result<Arc<dyn Channel>, String> {
        let asked = Asked {
            member: member.clone(),
            prompt: String::new(),
            session: SessionUse::None,
            history: vec![],
            before: 0,
        };
        match (self.script)(&asked) {
            Does::Absent => Err(format!("there is no {} here", member.id)),
            _ => Ok(Arc::new(Line { member: member.clone(), panel: self.clone() })),
        }
    }
}

struct Line {
    member: Member,
    panel: Panel,
}

/// Counts a turn for as long as it lives, also when it panics.
struct Counted<'a>(&'a Line, usize);

impl<'a> Counted<'a> {
    fn new(line: &'a Line, place: usize) -> Self {
        line.panel.change(&line.member, place, 1);
        Self(line, place)
    }
}

impl Drop for Counted<'_> {
    fn drop(&mut self) {
        self.0.panel.change(&self.0.member, self.1, -1);
    }
}

impl Channel for Line {
    fn configuration(&self) -> Option<std::path::PathBuf> {
        self.panel.seen.lock().unwrap().configuration.clone()
    }

    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async { Availability::Ready { version: None } })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(async move {
            let _turn = Counted::new(self, 0);
            self.panel.check_journalled(&self.member, &request.prompt).await;
            tokio::select! {
                biased;
                turn = self.answer(request) => turn,
                () = request.cancel.requested() => {
                    self.panel.seen.lock().unwrap().stopped += 1;
                    Turn::failed(Outcome::Cancelled, "stopped")
                }
            }
        })
    }
}

impl Line {
    async fn answer(&self, request: &TurnRequest) -> Turn {
        let starting = Counted::new(self, 2);
        request.progress.report(Progress::Started);
        let does = self.panel.call(&self.member, request);
        if let Does::SaysLate(silent, ..) = does {
            self.sleep(silent).await;
        }
        drop(starting);
        request.progress.report(Progress::Thinking);
        match does {
            Does::Says(text) => said(text, None),
            Does::SaysInSession(text, session) => said(text, Some(session)),
            Does::SaysLate(_, rest, text) => {
                self.sleep(rest).await;
                said(text, None)
            }
            Does::Fails(outcome) => Turn::failed(outcome, "as scripted"),
            Does::FailsLate(after, outcome) => {
                self.sleep(after).await;
                Turn::failed(outcome, "as scripted")
            }
            Does::Finds(result, output) => found(result, output),
            Does::Returns(turn) => *turn,
            Does::Hangs => std::future::pending().await,
            Does::HangsAndStops => {
                let stop = self.panel.seen.lock().unwrap().stop.clone();
                stop.request();
                std::future::pending().await
            }
            Does::Chatters(seconds) => {
                for _ in 0..seconds * 10 {
                    self.sleep(100).await;
                    request.progress.report(Progress::Text { bytes: 1 });
                }
                said(super::house::verdict("approve"), None)
            }
            Does::WaitsAtDoor(text) => {
                drop(self.panel.door.acquire().await.unwrap());
                said(text, None)
            }
            Does::Panics | Does::Absent => panic!("a channel that breaks"),
        }
    }

    async fn sleep(&self, millis: u64) {
        self.panel.clock.sleep(Duration::from_millis(millis)).await;
    }
}

pub(crate) fn said(text: String, session: Option<&str>) -> Turn {
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.transcript.bytes = format!("raw: {text}").into_bytes();
    turn.text = Some(text);
    turn.usage = Some(Usage { input_tokens: 100, output_tokens: 50, ..Usage::default() });
    turn.provenance.session = session.map(str::to_owned);
    turn
}

fn found(result: CheckResult, output: &str) -> Turn {
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.transcript.bytes = output.as_bytes().to_vec();
    turn.evidence = Some(evidence::read(result, "run the tests", output));
    turn
}
