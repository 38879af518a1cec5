//! Random teams, replies, faults and delays: a run always ends, within its means, and every call was announced.

use std::collections::BTreeSet;

use baton_core::evidence::CheckResult;
use baton_core::ids::MemberId;
use baton_core::member::{Limits, Payer};
use baton_core::outcome::{Deadline, Outcome};
use baton_core::route::Role;
use baton_core::run::{Event, Inputs, RunState, Status};
use baton_core::task::{Complexity, Priority};
use baton_core::units::MicroUsd;
use baton_port::Cancel;

use super::further;
use super::house::{House, check, inputs, refine, simple, two_rounds, verdict};
use super::panel::{Asked, Does};

/// SplitMix64.
#[derive(Clone)]
struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    fn below(&mut self, limit: u64) -> u64 {
        self.next() % limit
    }

    fn one_in(&mut self, number: u64) -> bool {
        self.below(number) == 0
    }

    fn of<T: Clone>(&mut self, options: &[T]) -> T {
        options[usize::try_from(self.below(options.len() as u64)).unwrap()].clone()
    }
}

const NAMES: [&str; 6] = ["a", "b", "c", "d", "e", "f"];

fn random_inputs(dice: &mut Dice) -> Inputs {
    let count = usize::try_from(dice.below(6)).unwrap() + 1;
    let mut inputs = inputs(&NAMES[..count]);
    for member in &mut inputs.members {
        member.tier = u8::try_from(dice.below(5)).unwrap() + 1;
        member.payer = dice.of(&[Payer::Key, Payer::Subscription, Payer::Local]);
        member.account = dice.of(&["one", "two", "three"]).into();
        member.limits = Limits { concurrent: u32::try_from(dice.below(3)).unwrap() + 1, ..Limits::default() };
        if dice.one_in(3) {
            member.vendor = "same".into();
            member.family = "same".into();
        }
        if dice.one_in(6) {
            member.price = None;
        }
    }
    for name in ["tests", "lint"] {
        if dice.one_in(3) {
            inputs.members.push(check(name));
        }
    }
    inputs.workflow = dice.of(&[simple(), two_rounds(), refine(), further::whole(), further::debate()]);
    inputs.task.hints.priority = Some(dice.of(Priority::ALL));
    inputs.task.hints.complexity = Some(dice.of(Complexity::ALL));
    inputs.rules.spend_cap = dice.of(&[None, Some(MicroUsd(90_000)), Some(MicroUsd(300_000))]);
    inputs.rules.attempts = u8::try_from(dice.below(5)).unwrap() + 1;
    inputs.seed = dice.next();
    inputs
}

const OUTCOMES: [Outcome; 14] = [
    Outcome::Auth,
    Outcome::Overloaded,
    Outcome::RateLimited { retry_after_ms: Some(3_000) },
    Outcome::RateLimited { retry_after_ms: None },
    Outcome::QuotaExhausted,
    Outcome::ContextTooLong,
    Outcome::Refused,
    Outcome::Empty,
    Outcome::Unreadable,
    Outcome::Crashed,
    Outcome::TimedOut { deadline: Deadline::Idle },
    Outcome::TooMuchOutput,
    Outcome::SessionNotFound,
    Outcome::Rejected,
];

fn random_reply(asked: &Asked, seed: u64) -> Does {
    let name = asked.member.id.as_str().bytes().fold(seed, |sum, byte| sum.wrapping_mul(31) + u64::from(byte));
    let mut dice = Dice(name ^ (asked.before as u64) << 40);
    if asked.member.is_check() {
        let result = dice.of(&[CheckResult::Passed, CheckResult::Failed]);
        return if dice.one_in(5) {
            Does::Fails(Outcome::Crashed)
        } else {
            Does::Finds(result, "error at src/main.rs:2")
        };
    }
    let text = match dice.below(5) {
        0 => "no trailer, only words".to_owned(),
        1 => verdict("revise"),
        2 => verdict("reject"),
        _ => verdict("approve"),
    };
    match dice.below(12) {
        0 => Does::Panics,
        1 => Does::Absent,
        2 => Does::Says(String::new()),
        3 => Does::FailsLate(dice.below(4_000), dice.of(&OUTCOMES)),
        4 => Does::Fails(dice.of(&OUTCOMES)),
        5 => Does::Says(text),
        _ => Does::SaysLate(dice.below(2_000), dice.below(9_000), text),
    }
}

fn unique<'a>(members: impl Iterator<Item = &'a MemberId>, what: &str) -> BTreeSet<MemberId> {
    let mut seen = BTreeSet::new();
    for member in members {
        assert!(seen.insert(member.clone()), "{what}: {member} twice");
    }
    seen
}

fn within_means(state: &RunState, inputs: &Inputs) {
    if let Some(cap) = inputs.rules.spend_cap {
        assert!(state.cost().0 <= cap && state.committed() <= cap, "{:?} of {cap:?}", state.committed());
    }
    let Some(decision) = &state.decision else { return };
    let models = inputs.members.iter().filter(|member| !member.is_check()).count();
    let abstained = unique(decision.abstained.iter().map(|one| &one.member), "abstained");
    unique(decision.failed_models.iter().map(|one| &one.member), "failed");
    unique(decision.checks.iter().map(|one| &one.check), "checks");
    assert!(decision.model_count + abstained.len() <= models, "each member is counted once");
}

/// Whoever judges a dispute is asked twice or not at all, and stands on no side of it, nor does its family or vendor.
fn arbiters_stand_apart(state: &RunState, inputs: &Inputs) -> usize {
    let member = |id: &MemberId| inputs.members.iter().find(|member| member.id == *id).unwrap();
    let Some(decision) = &state.decision else { return 0 };
    let arbiters: Vec<_> = state.steps.iter().filter(|step| step.role == Role::Arbiter).collect();
    for step in &arbiters {
        let claim = &step.dispute().unwrap().claim;
        let same = arbiters.iter().filter(|other| other.dispute().is_some_and(|dispute| dispute.claim == *claim));
        assert_eq!(same.count(), 2, "{claim}");
        let conflict = decision.conflicts.iter().find(|conflict| conflict.claim == *claim);
        for party in conflict.iter().flat_map(|conflict| conflict.holds.iter().chain(&conflict.against)) {
            let (party, arbiter) = (member(party), member(&step.member));
            assert!(party.family != arbiter.family && party.vendor != arbiter.vendor, "{claim}: {}", arbiter.id);
        }
    }
    arbiters.len()
}

/// Each start has one end, and no event comes after the last one.
fn well_formed(events: &[Event], state: &RunState) {
    let count = |kinds: &[&str]| events.iter().filter(|event| kinds.contains(&event.kind())).count();
    assert_eq!(count(&["step_started"]), count(&["step_finished"]));
    assert_eq!(count(&["step_in_doubt"]), 0);
    let read = count(&["opinion_read", "evidence_recorded"]);
    let ok = |event: &&Event| matches!(event, Event::StepFinished { report, .. } if report.outcome.is_ok());
    assert_eq!(read, events.iter().filter(ok).count());
    assert!(state.steps.iter().all(|step| state.status == Status::Cancelled || step.status.is_over()));
}

#[tokio::test]
async fn three_hundred_random_runs_end_well() {
    let (mut decided, mut parked, mut cancelled) = (0, 0, 0);
    let mut arbiters = 0;
    for seed in 0..300 {
        let mut dice = Dice(seed);
        let inputs = random_inputs(&mut dice);
        let house = House::new(move |asked: &Asked| random_reply(asked, seed));
        let engine = house.engine("one");
        let cancel = Cancel::default();
        let (after, stops) = (dice.below(12_000), dice.one_in(6));
        let stop = async {
            if stops {
                baton_port::Clock::sleep(&house.clock, std::time::Duration::from_millis(after)).await;
                cancel.request();
            }
        };
        let both = async { tokio::join!(house.run_on(&engine, inputs.clone(), &cancel), stop).0 };
        let (run, state) = house.timed(both).await.unwrap_or_else(|error| panic!("seed {seed}: {error}"));
        match state.status {
            Status::Decided => decided += 1,
            Status::Waiting { .. } => parked += 1,
            Status::Cancelled => cancelled += 1,
            Status::Open => panic!("seed {seed}: still open"),
        }
        within_means(&state, &inputs);
        arbiters += arbiters_stand_apart(&state, &inputs);
        well_formed(&house.events(&run).await, &state);
        assert_eq!(house.panel.under_way(), 0, "seed {seed}");
        house.check(&run).await;
    }
    assert!(arbiters > 0, "some runs come to an arbiter");
    assert!(decided > 50 && parked > 50 && cancelled > 10, "{decided} {parked} {cancelled}");
}
