//! One store, one clock and one panel, on which any number of engines stand.

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use baton_core::catalog::Rules;
use baton_core::handover::Handover;
use baton_core::ids::{MemberId, RunId};
use baton_core::journal::verify_chain;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer, Price};
use baton_core::run::{Event, Inputs, RULES_VERSION, RunState, Stamped};
use baton_core::task::{Attachment, AttachmentForm, Complexity, Hints, Kind, Question, Task};
use baton_core::workflow::{Act, Artefact, Node, When, Who, Workflow};
use baton_engine::{Engine, EngineError, Ports, Silent, Verification};
use baton_port::{Blob, Blobs, Cancel, Journal};
use baton_store::MemoryStore;
use baton_testkit::{FakeClock, SeededIds};

use super::panel::{Asked, Does, Panel};

pub(crate) struct House {
    pub(crate) store: MemoryStore,
    pub(crate) clock: FakeClock,
    pub(crate) panel: Panel,
    ids: Arc<SeededIds>,
}

impl House {
    pub(crate) fn new(script: impl Fn(&Asked) -> Does + Send + Sync + 'static) -> Self {
        let (store, clock) = (MemoryStore::default(), FakeClock::default());
        let panel = Panel::new(store.clone(), clock.clone(), script);
        Self { store, clock, panel, ids: Arc::default() }
    }

    pub(crate) fn ports(&self) -> Ports {
        Ports {
            journal: Arc::new(self.store.clone()),
            blobs: Arc::new(self.store.clone()),
            rows: Arc::new(self.store.clone()),
            channels: Arc::new(self.panel.clone()),
            clock: Arc::new(self.clock.clone()),
            ids: self.ids.clone(),
        }
    }

    pub(crate) fn engine(&self, owner: &str) -> Engine {
        engine(self.ports(), owner)
    }

    pub(crate) fn engine_on(&self, owner: &str, journal: Arc<dyn Journal>) -> Engine {
        engine(Ports { journal, ..self.ports() }, owner)
    }

    pub(crate) fn engine_with(&self, owner: &str, blobs: Arc<dyn Blobs>) -> Engine {
        engine(Ports { blobs, ..self.ports() }, owner)
    }

    /// Runs to its end, moving the clock whenever nothing else can happen.
    pub(crate) async fn timed<F: Future>(&self, future: F) -> F::Output {
        let mut future = pin!(future);
        loop {
            tokio::select! {
                biased;
                output = &mut future => return output,
                () = self.idle() => {}
            }
            assert!(self.clock.elapsed_ms() < 900_000, "it does not end");
        }
    }

    async fn idle(&self) {
        settle().await;
        match self.clock.next_wake() {
            Some(next) => self.clock.advance(next.max(Duration::from_millis(1))),
            None => self.clock.advance(Duration::from_millis(1)),
        }
    }

    /// Waits until so many calls were made.
    pub(crate) async fn until_asked(&self, calls: usize) {
        for _ in 0..10_000 {
            if self.panel.asked().len() >= calls {
                return settle().await;
            }
            tokio::task::yield_now().await;
        }
        panic!("only {:?} were asked", self.panel.names());
    }

    pub(crate) async fn run(&self, inputs: Inputs) -> (RunId, RunState) {
        self.run_on(&self.engine("one"), inputs, &Cancel::default()).await.unwrap()
    }

    pub(crate) async fn run_on(
        &self,
        engine: &Engine,
        inputs: Inputs,
        cancel: &Cancel,
    ) -> Result<(RunId, RunState), EngineError> {
        self.timed(engine.run(inputs, vec![attached()], &Silent, cancel)).await
    }

    pub(crate) async fn events(&self, run: &RunId) -> Vec<Event> {
        self.stamped(run).await.into_iter().map(|stamped| stamped.event).collect()
    }

    pub(crate) async fn stamped(&self, run: &RunId) -> Vec<Stamped> {
        self.engine("reader").events(run).await.unwrap()
    }

    /// What must hold of every run at any time.
    pub(crate) async fn check(&self, run: &RunId) {
        assert_eq!(self.panel.broken(), Vec::<String>::new());
        let engine = self.engine("checker");
        verify_chain(&engine.rows(run).await.unwrap()).unwrap();
        let verified = engine.verify(run).await.unwrap();
        assert!(matches!(verified, Verification::Equal { .. }), "{verified:?}");
    }

    pub(crate) async fn only_run(&self) -> Option<RunId> {
        let runs = self.store.runs(10).await.unwrap();
        assert!(runs.len() <= 1);
        let stream = &runs.first()?.stream;
        Some(RunId::parse(stream.strip_prefix("run:").unwrap()).unwrap())
    }
}

pub(crate) fn engine(ports: Ports, owner: &str) -> Engine {
    Engine::new(ports, owner.to_owned(), "/scratch".into())
}

/// Lets everything go on that can without time.
pub(crate) async fn settle() {
    for _ in 0..40 {
        tokio::task::yield_now().await;
    }
}

pub(crate) fn id(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

pub(crate) fn seat(name: &str) -> Member {
    Member {
        id: id(name),
        nature: Nature::Model,
        vendor: format!("{name}-vendor"),
        family: format!("{name}-family"),
        channel: ChannelSpec { kind: "scripted".into(), settings: BTreeMap::new() },
        model: None,
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 100_000,
        price: Some(Price { input: 1_000_000, output: 10_000_000 }),
        payer: Payer::Subscription,
        account: name.to_owned(),
        limits: Limits::default(),
        scripted: false,
    }
}

pub(crate) fn check(name: &str) -> Member {
    Member { nature: Nature::Check, payer: Payer::Local, tier: 5, ..seat(name) }
}

pub(crate) fn node(id: &str, when: When, act: Act) -> Node {
    Node { id: id.into(), when, act }
}

pub(crate) fn ask(who: Who, template: &str, with: &[Artefact], draft: bool) -> Act {
    Act::Ask { who, template: template.into(), with: with.to_vec(), draft }
}

pub(crate) fn gate(options: &[&str]) -> Act {
    Act::Gate { question: "Accept?".into(), options: options.iter().map(|&option| option.into()).collect() }
}

pub(crate) fn workflow(name: &str, nodes: Vec<Node>) -> Workflow {
    let templates = [
        ("opinion", "{{role}}\n{{task}}\n{{question}}\n{{attachments}}{{trailer}}"),
        ("again", "{{task}}\nTHE OTHERS SAID\n{{opinions}}{{trailer}}"),
        ("draft", "DRAFT\n{{task}}\n{{attachments}}"),
        ("review", "REVIEW\n{{task}}\n{{draft}}{{trailer}}"),
        ("revise", "REVISE\n{{draft}}{{opinions}}NOTE: {{note}}\n"),
        ("dispute", "DISPUTE\n{{task}}\n{{dispute}}{{trailer}}"),
        ("reproduction", "REPRODUCE\n{{claim}}{{trailer}}"),
        ("trailer_verdict", "Give a verdict."),
        ("trailer_test", "Call it {{mark}}."),
    ];
    let templates = templates.map(|(name, text)| (name.to_owned(), text.to_owned())).into();
    Workflow { name: name.into(), about: String::new(), nodes, templates }
}

/// A wave, checks, a decision, and a gate where it is critical.
pub(crate) fn simple() -> Workflow {
    let nodes = vec![
        node("panel", When::Always, ask(Who::Team, "opinion", &[Artefact::Attachments], false)),
        node("checks", When::Checks, Act::Check),
        node("decide", When::Always, Act::Decide),
        node("person", When::Critical, gate(&["approve", "reject"])),
    ];
    workflow("simple", nodes)
}

/// A second wave that is given the opinions of the first.
pub(crate) fn two_rounds() -> Workflow {
    let nodes = vec![
        node("panel", When::Always, ask(Who::Team, "opinion", &[Artefact::Attachments], false)),
        node("again", When::Always, ask(Who::Team, "again", &[Artefact::Opinions], false)),
        node("decide", When::Always, Act::Decide),
    ];
    workflow("two-rounds", nodes)
}

/// A wave and checks; tests of what is claimed; then both sides and an arbiter about what is disputed.
pub(crate) fn escalating() -> Workflow {
    let about = |who| ask(who, "dispute", &[Artefact::Dispute], false);
    let nodes = vec![
        node("panel", When::Always, ask(Who::Team, "opinion", &[Artefact::Attachments], false)),
        node("checks", When::Checks, Act::Check),
        node("decide", When::Always, Act::Decide),
        node("tests", When::Always, ask(Who::Testers, "test", &[Artefact::Claim], false)),
        node("run-tests", When::Always, Act::Reproduce),
        node("after-the-tests", When::Tested, Act::Decide),
        node("sides", When::Conflict, about(Who::Sides)),
        node("after-the-sides", When::Conflict, Act::Decide),
        node("arbiter", When::Conflict, about(Who::Arbiter)),
        node("after-the-arbiter", When::Conflict, Act::Decide),
    ];
    let mut workflow = workflow("escalating", nodes);
    let more = [
        ("dispute", "DISPUTE\n{{dispute}}{{trailer}}"),
        ("test", "TEST\n{{claim}}{{trailer}}"),
        ("trailer_test", "NAME {{mark}}"),
        ("trailer_choice", "Say which."),
    ];
    workflow.templates.extend(more.map(|(name, text)| (name.to_owned(), text.to_owned())));
    workflow
}

/// Draft, review, revise within bounds; then a gate, and once more if that is asked for.
pub(crate) fn refine() -> Workflow {
    let both = [Artefact::Draft, Artefact::Opinions];
    let all = [Artefact::Draft, Artefact::Opinions, Artefact::PersonsNote];
    let nodes = vec![
        node("draft", When::Always, ask(Who::Lead, "draft", &[Artefact::Attachments], true)),
        node("review", When::Always, ask(Who::Others, "review", &[Artefact::Draft], false)),
        node("decide", When::Always, Act::Decide),
        node("revise", When::NotProceeds, ask(Who::Lead, "revise", &both, true)),
        node("again", When::NotProceeds, Act::Repeat { from: "review".into(), at_most: 2 }),
        node("person", When::Always, gate(&["approve", "reject", "revise"])),
        node("wished", When::AskedToRevise, ask(Who::Lead, "revise", &all, true)),
        node("last", When::AskedToRevise, ask(Who::Others, "review", &[Artefact::Draft], false)),
        node("decide-last", When::AskedToRevise, Act::Decide),
        node("last-word", When::AskedToRevise, gate(&["approve", "reject"])),
    ];
    workflow("refine", nodes)
}

pub(crate) const FILE: &str = "fn main() {\n    // {{task}} and {{nothing}}\n}\n";

pub(crate) fn attached() -> Blob {
    Blob::new(FILE.as_bytes().to_vec())
}

/// A standard question about a file: `a`, `b` and `c` are asked, the others stand by.
pub(crate) fn inputs(members: &[&str]) -> Inputs {
    let hints = Hints {
        kind: Some(Kind::CodeReview),
        complexity: Some(Complexity::Standard),
        question: Some(Question::Verdict),
        ..Hints::default()
    };
    let blob = attached();
    let attachment = Attachment {
        name: "src/main.rs".into(),
        form: AttachmentForm::File,
        content: blob.hash,
        bytes: blob.bytes.len() as u64,
    };
    Inputs {
        rules_version: RULES_VERSION,
        task: Task { prompt: "Is this safe?".into(), attachments: vec![attachment], hints, workspace: None },
        workflow: simple(),
        members: members.iter().map(|name| seat(name)).collect(),
        roles: vec![],
        rules: Rules::default(),
        experience: baton_core::learning::Experience::default(),
        load: std::collections::BTreeMap::new(),
        corrections: baton_core::classify::Corrections::default(),
        said_kind: None,
        named: vec![],
        session: None,
        handover: Some(Handover::default()),
        seed: 7,
    }
}

pub(crate) fn verdict(word: &str) -> String {
    format!("I looked at it.\n\n```json\n{{\"verdict\": \"{word}\", \"confidence\": 0.8, \"findings\": []}}\n```\n")
}

pub(crate) fn approves(_: &Asked) -> Does {
    Does::Says(verdict("approve"))
}

/// All approve, save for some who do something else.
pub(crate) fn but(others: &[(&'static str, Does)]) -> impl Fn(&Asked) -> Does + Send + Sync + 'static {
    let others = others.to_vec();
    move |asked| {
        let own = others.iter().find(|(name, _)| *name == asked.member.id.as_str());
        own.map_or_else(|| approves(asked), |(_, does)| does.clone())
    }
}

pub(crate) fn kinds(events: &[Event]) -> Vec<&'static str> {
    events.iter().map(Event::kind).collect()
}

pub(crate) fn starts(events: &[Event]) -> Vec<String> {
    let start = |event: &Event| match event {
        Event::StepStarted { step, attempt, member, .. } => Some(format!("{member} {}.{attempt}", step.0)),
        _ => None,
    };
    events.iter().filter_map(start).collect()
}

pub(crate) fn ends(events: &[Event]) -> Vec<String> {
    let end = |event: &Event| match event {
        Event::StepFinished { step, attempt, report } => {
            Some(format!("{}.{attempt} {}", step.0, report.outcome.label()))
        }
        Event::StepInDoubt { step, attempt } => Some(format!("{}.{attempt} in doubt", step.0)),
        _ => None,
    };
    events.iter().filter_map(end).collect()
}
