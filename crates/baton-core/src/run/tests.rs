//! The state machine, driven by hand. `Outside` plays everything that is not the core: it does what effects ask for,
//! in a fixed order, and checks after each event that no effect was lost or said twice.

mod budget;
mod codec;
mod disputes;
mod gates;
mod handover;
mod illegal;
mod patches;
mod paths;
mod quorum;
mod recovery;
mod reproductions;

use std::collections::VecDeque;

use super::*;
use crate::catalog::Rules;
use crate::classify::tests::task;
use crate::consensus::Side;
use crate::consensus::{Blocker, Decision, Recommendation};
use crate::evidence::{CheckResult, Evidence};
use crate::journal::Actor;
use crate::member::tests::seat;
use crate::member::{Member, Nature, Payer};
use crate::opinion::{Opinion, Position, Reading, Severity, Verdict};
use crate::outcome::Outcome;
use crate::task::{Complexity, Hints, Kind, Priority};
use crate::units::{MicroUsd, Usage};
use crate::workflow::tests::{ask, node, simple};
use crate::workflow::{Act, Artefact, When, Who};

/// What a member does when it is asked.
#[derive(Clone, Debug)]
enum Reply {
    Says(Verdict),
    Abstains,
    Takes(&'static str),
    Fails(Outcome),
    Finds(CheckResult),
    Writes(&'static str),
    Tries(CheckResult),
    /// Rejects, for a finding of this severity with these words.
    Reports(Severity, &'static str),
    /// Approves, and denies the finding with these words.
    Denies(&'static str),
    Tests(&'static str),
}

/// The reply of a member at its n-th attempt of a step, in a round.
type Script = fn(member: &str, attempt: u8, round: u32) -> Reply;
/// Which side a member takes when it is asked about a dispute; `None` abstains.
type Judge = fn(member: &str, dispute: &Dispute) -> Option<Side>;
/// What a member does when it is asked for a test.
type Tester = fn(member: &str, attempt: u8) -> Reply;
/// What is said at a gate, by how many answers were given before; `None` leaves it open.
type Persons = fn(before: usize) -> Option<(Actor, &'static str)>;

#[derive(Clone)]
struct Outside {
    state: RunState,
    journal: Vec<Stamped>,
    /// Effects that were said and not yet followed.
    open: VecDeque<Effect>,
    /// After each event: what was open then.
    history: Vec<Vec<Effect>>,
    /// Lengths of the journal at which a process may have died.
    commits: Vec<usize>,
    running: VecDeque<(StepId, u8)>,
    clock: i64,
    script: Script,
    judge: Judge,
    tester: Tester,
    persons: Persons,
    usage: Option<Usage>,
}

fn nobody(_: usize) -> Option<(Actor, &'static str)> {
    None
}

/// Nobody gives way, and an arbiter cannot tell.
fn stands_firm(_: &str, dispute: &Dispute) -> Option<Side> {
    dispute.own
}

fn all_approve(_: &str, _: u8, _: u32) -> Reply {
    Reply::Says(Verdict::Approve)
}

/// A standard review by `a`, `b` and `c` with `d` in reserve, all of tier 1 on subscriptions of their own.
fn inputs() -> Inputs {
    let mut task = task("Review this diff");
    task.hints = Hints { kind: Some(Kind::CodeReview), complexity: Some(Complexity::Standard), ..Hints::default() };
    let members = ["a", "b", "c", "d"].map(|name| Member { payer: Payer::Subscription, ..seat(name, 1) });
    Inputs {
        rules_version: RULES_VERSION,
        task,
        workflow: simple(),
        members: members.to_vec(),
        roles: vec![],
        rules: Rules::default(),
        experience: crate::learning::Experience::default(),
        load: std::collections::BTreeMap::new(),
        corrections: crate::classify::Corrections::default(),
        said_kind: None,
        named: vec![],
        session: None,
        handover: None,
        seed: 7,
    }
}

fn critical() -> Inputs {
    let mut inputs = inputs();
    inputs.task.hints.priority = Some(Priority::Critical);
    inputs
}

fn check(name: &str) -> Member {
    Member { nature: Nature::Check, payer: Payer::Local, ..seat(name, 5) }
}

fn id(name: &str) -> MemberId {
    MemberId::parse(name).unwrap()
}

fn opinion(verdict: Verdict) -> Opinion {
    Opinion { position: Position::Verdict { verdict }, reading: Reading::Strict, ..Opinion::abstaining("") }
}

fn evidence(result: CheckResult) -> Evidence {
    Evidence { result, command: "run it".into(), places: vec![], summary: String::new(), trial: None }
}

fn report(outcome: Outcome, usage: Option<Usage>) -> TurnReport {
    let provenance = Provenance::default();
    TurnReport { outcome, detail: String::new(), usage, provenance, transcript: None, answer: None }
}

/// The event does what the effect asked for.
fn follows(event: &Event, effect: &Effect) -> bool {
    match (event, effect) {
        (Event::StepStarted { step: done, .. }, Effect::Ask { step, .. })
        | (Event::TimerFired { step: done }, Effect::WakeAt { step, .. })
        | (Event::StepFinished { step: done, .. } | Event::StepInDoubt { step: done, .. }, Effect::Stop { step }) => {
            done == step
        }
        (Event::Decided(_), Effect::Record) => true,
        (Event::PersonAnswered { node: done, .. }, Effect::AskPerson { node }) => done == node,
        _ => false,
    }
}

fn sorted(effects: impl IntoIterator<Item = Effect>) -> Vec<String> {
    let mut shown: Vec<String> = effects.into_iter().map(|effect| format!("{effect:?}")).collect();
    shown.sort();
    shown
}

impl Outside {
    fn empty(script: Script) -> Self {
        Self {
            state: RunState::default(),
            journal: vec![],
            open: VecDeque::new(),
            history: vec![],
            commits: vec![],
            running: VecDeque::new(),
            clock: 0,
            script,
            judge: stands_firm,
            tester: |_, _| Reply::Tests("a test"),
            persons: nobody,
            usage: None,
        }
    }

    fn submit(inputs: Inputs, script: Script) -> Self {
        let mut outside = Self::empty(script);
        outside.happens(Event::Submitted(Box::new(inputs)));
        outside.commit();
        outside
    }

    /// A fresh process on what an earlier one left: it is told what is outstanding, and doubts what was running.
    fn recovered(journal: &[Stamped], from: &Self) -> Self {
        let mut outside =
            Self { judge: from.judge, tester: from.tester, persons: from.persons, ..Self::empty(from.script) };
        outside.usage = from.usage;
        outside.state = fold(journal.iter().cloned()).unwrap();
        outside.clock = journal.last().map_or(0, |event| event.at.0);
        outside.journal = journal.to_vec();
        outside.open = outstanding(&outside.state).into();
        let running = outside.state.steps.iter().filter(|step| step.status == StepStatus::Running);
        let lost: Vec<(StepId, usize)> = running.map(|step| (step.id, step.attempts.len() - 1)).collect();
        for (step, attempt) in lost {
            outside.happens(Event::StepInDoubt { step, attempt: attempt.try_into().unwrap() });
        }
        outside
    }

    fn happens(&mut self, event: Event) -> Vec<Effect> {
        self.happens_by(Actor::Engine, event)
    }

    fn happens_by(&mut self, actor: Actor, event: Event) -> Vec<Effect> {
        self.clock += 10;
        let stamped = Stamped { at: Timestamp(self.clock), actor, event };
        let (state, effects) = step(std::mem::take(&mut self.state), stamped.clone()).unwrap();
        self.state = state;
        let due = outstanding(&self.state);
        self.open.retain(|effect| !follows(&stamped.event, effect) && due.contains(effect));
        self.open.extend(effects.clone());
        assert_eq!(sorted(self.open.clone()), sorted(due), "effects lost or doubled after {}", stamped.event.kind());
        self.journal.push(stamped);
        self.history.push(self.open.iter().cloned().collect());
        effects
    }

    fn commit(&mut self) {
        self.commits.push(self.journal.len());
    }

    fn start(&mut self, step: StepId, attempt: u8, member: MemberId) -> Vec<Effect> {
        self.running.push_back((step, attempt));
        self.happens(Event::StepStarted { step, attempt, member, prompt: None, session: None })
    }

    /// Starts everything that is to be asked now.
    fn start_all(&mut self) {
        while let Some(Effect::Ask { step, attempt, member }) = self.next_of(|one| matches!(one, Effect::Ask { .. })) {
            self.start(step, attempt, member);
            self.commit();
        }
    }

    fn next_of(&self, wanted: fn(&Effect) -> bool) -> Option<Effect> {
        self.open.iter().find(|effect| wanted(effect)).cloned()
    }

    /// Ends the turn that has run longest, as the script has it.
    fn finish_next(&mut self) -> bool {
        let Some((step, attempt)) = self.running.pop_front() else { return false };
        let asked = self.state.step(step).unwrap();
        let reply = match &asked.work {
            Work::Prompt(PromptPlan { dispute: Some(dispute), .. }) => (self.judge)(asked.member.as_str(), dispute)
                .map_or(Reply::Abstains, |side| Reply::Takes(dispute.label(side))),
            Work::Prompt(PromptPlan { claim: Some(_), .. }) => (self.tester)(asked.member.as_str(), attempt),
            _ => (self.script)(asked.member.as_str(), attempt, asked.round),
        };
        self.finish(step, attempt, reply);
        true
    }

    fn finish(&mut self, step: StepId, attempt: u8, reply: Reply) -> Vec<Effect> {
        self.running.retain(|(running, _)| *running != step);
        let mut done = |outcome| {
            let report = report(outcome, self.usage);
            self.happens(Event::StepFinished { step, attempt, report })
        };
        let effects = match reply {
            Reply::Fails(ref outcome) => done(outcome.clone()),
            _ => done(Outcome::Ok),
        };
        let more = match reply {
            Reply::Says(verdict) => self.happens(Event::OpinionRead { step, reader: 1, opinion: opinion(verdict) }),
            Reply::Abstains => {
                self.happens(Event::OpinionRead { step, reader: 1, opinion: Opinion::abstaining("unreadable") })
            }
            Reply::Takes(label) => {
                let position = Position::Choice { option: label.into() };
                let opinion = Opinion { position, ..Opinion::abstaining("") };
                self.happens(Event::OpinionRead { step, reader: 1, opinion })
            }
            Reply::Writes(patch) => {
                self.happens(Event::OpinionRead { step, reader: 1, opinion: patches::patch_opinion(patch) })
            }
            Reply::Tries(result) => self.happens(Event::EvidenceRecorded { step, evidence: patches::tried(result) }),
            Reply::Reports(..) | Reply::Denies(_) | Reply::Tests(_) => {
                let opinion = reproductions::read(&reply);
                self.happens(Event::OpinionRead { step, reader: 1, opinion })
            }
            Reply::Finds(result) => self.happens(Event::EvidenceRecorded { step, evidence: evidence(result) }),
            Reply::Fails(_) => Vec::new(),
        };
        self.commit();
        effects.into_iter().chain(more).collect()
    }

    /// Does one thing that is due; false when there is nothing left to do.
    fn act(&mut self) -> bool {
        if self.next_of(|one| matches!(one, Effect::Ask { .. })).is_some() {
            self.start_all();
        } else if let Some(Effect::Stop { step }) = self.next_of(|one| matches!(one, Effect::Stop { .. })) {
            let at = self.running.iter().position(|(running, _)| *running == step).unwrap();
            let (step, attempt) = self.running.remove(at).unwrap();
            self.finish(step, attempt, Reply::Fails(Outcome::Cancelled));
        } else if self.open.contains(&Effect::Record) {
            self.record();
        } else if self.finish_next() {
        } else if let Some(Effect::WakeAt { step, at }) = self.next_of(|one| matches!(one, Effect::WakeAt { .. })) {
            self.clock = self.clock.max(at.0);
            self.happens(Event::TimerFired { step });
            self.commit();
        } else if let Some(Effect::AskPerson { node }) = self.next_of(|one| matches!(one, Effect::AskPerson { .. })) {
            let before = self.journal.iter().filter(|one| matches!(one.event, Event::PersonAnswered { .. })).count();
            let Some((actor, answer)) = (self.persons)(before) else { return false };
            self.answer(actor, node, answer);
        } else {
            return false;
        }
        true
    }

    fn record(&mut self) {
        let decision = self.state.to_record.as_deref().unwrap().clone();
        self.happens(Event::Decided(Box::new(decision)));
        self.commit();
    }

    fn answer(&mut self, actor: Actor, node: usize, answer: &str) -> Vec<Effect> {
        let event = Event::PersonAnswered { node, answer: answer.into(), note: "because".into() };
        let effects = self.happens_by(actor, event);
        self.commit();
        effects
    }

    fn run(mut self) -> Self {
        while self.act() {}
        self
    }

    fn decision(&self) -> &Decision {
        self.state.decision.as_deref().unwrap()
    }

    /// Every start, as member and step.
    fn starts(&self) -> Vec<(&str, u32)> {
        self.journal
            .iter()
            .filter_map(|one| match &one.event {
                Event::StepStarted { step, member, .. } => Some((member.as_str(), step.0)),
                _ => None,
            })
            .collect()
    }

    fn attempts(&self, step: usize) -> Vec<&str> {
        self.state.steps[step].attempts.iter().map(|attempt| attempt.member.as_str()).collect()
    }
}
