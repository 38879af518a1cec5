//! A process dies at any write, before or after it was done; another goes on. The end is the same.

use std::sync::Arc;
use std::time::Duration;

use baton_core::consensus::Decision;
use baton_core::evidence::CheckResult;
use baton_core::ids::RunId;
use baton_core::journal::Actor;
use baton_core::outcome::Outcome;
use baton_core::run::{Event, Inputs, RunState, Status};
use baton_engine::{Engine, EngineError, Silent};
use baton_port::Cancel;
use baton_testkit::{Fault, FaultyJournal};

use super::further;
use super::house::{House, approves, attached, check, inputs, refine, verdict};
use super::panel::{Asked, Does};

struct Scenario {
    name: &'static str,
    inputs: fn() -> Inputs,
    script: fn(&Asked) -> Does,
    /// What a person says at the gates, one after the other.
    answers: &'static [&'static str],
}

fn four() -> Inputs {
    inputs(&["a", "b", "c", "d", "e"])
}

fn failing(asked: &Asked) -> Does {
    match asked.member.id.as_str() {
        "a" => Does::Fails(Outcome::Auth),
        "b" => Does::Fails(Outcome::Overloaded),
        "c" => Does::SaysLate(0, 70, verdict("approve")),
        _ => approves(asked),
    }
}

fn checked() -> Inputs {
    let mut inputs = inputs(&["a", "b", "c"]);
    inputs.members.push(check("tests"));
    inputs.members.push(check("lint"));
    inputs
}

fn checking(asked: &Asked) -> Does {
    match asked.member.id.as_str() {
        "tests" => Does::Finds(CheckResult::Failed, "error at src/main.rs:2"),
        "lint" => Does::Finds(CheckResult::Passed, ""),
        "b" => Does::Says(verdict("revise")),
        _ => approves(asked),
    }
}

fn refined() -> Inputs {
    Inputs { workflow: refine(), ..inputs(&["a", "b", "c"]) }
}

/// The lead drafts; the second form of the draft is good enough.
fn refining(asked: &Asked) -> Does {
    let draft = |number| Does::Says(format!("draft {number}\n\n```json\n{{\"abstain\": \"a draft\"}}\n```"));
    match asked.prompt.lines().next().unwrap_or_default() {
        "DRAFT" => draft("one"),
        "REVISE" if asked.prompt.contains("draft two") => draft("three"),
        "REVISE" => draft("two"),
        _ if asked.prompt.contains("draft one") => Does::Says(verdict("revise")),
        _ => approves(asked),
    }
}

fn in_session() -> Inputs {
    let session = Some(baton_core::ids::SessionName::parse("auth").unwrap());
    Inputs { session, named: vec![super::house::id("a")], ..inputs(&["a"]) }
}

fn conversing(_: &Asked) -> Does {
    Does::SaysInSession(verdict("approve"), "thread-1")
}

fn stopping(asked: &Asked) -> Does {
    match asked.member.id.as_str() {
        "b" => Does::HangsAndStops,
        "c" => Does::SaysLate(0, 70, verdict("approve")),
        _ => approves(asked),
    }
}

const SCENARIOS: &[Scenario] = &[
    Scenario { name: "simple", inputs: four, script: approves, answers: &[] },
    Scenario { name: "fallback", inputs: four, script: failing, answers: &[] },
    Scenario { name: "checks", inputs: checked, script: checking, answers: &[] },
    Scenario { name: "refine", inputs: refined, script: refining, answers: &["revise", "approve"] },
    Scenario { name: "cancel", inputs: four, script: stopping, answers: &[] },
    Scenario { name: "conversation", inputs: in_session, script: conversing, answers: &[] },
    Scenario { name: "arbiter", inputs: further::disputed, script: further::disputing, answers: &[] },
    Scenario { name: "person", inputs: further::disputed, script: further::leaning, answers: &["approve"] },
    Scenario { name: "critical", inputs: further::critical, script: further::failing_on_the_way, answers: &["reject"] },
    Scenario { name: "patches", inputs: further::patched, script: further::patching, answers: &[] },
    Scenario { name: "reproduction", inputs: further::reproduced, script: further::reproducing, answers: &[] },
    Scenario { name: "debate", inputs: further::debated, script: further::disputing, answers: &[] },
    Scenario { name: "debate, person", inputs: further::debated, script: further::leaning, answers: &["reject"] },
];

/// One process: begins the run or goes on with it, and answers the gates.
async fn live(house: &House, engine: &Engine, scenario: &Scenario) -> Result<RunState, EngineError> {
    let cancel = house.panel.listen();
    let run = match house.only_run().await {
        Some(run) => run,
        None => engine.run((scenario.inputs)(), vec![attached()], &Silent, &cancel).await?.0,
    };
    loop {
        let state = engine.drive(&run, &Silent, &cancel).await?;
        let given = engine.events(&run).await?;
        let given = given.iter().filter(|one| matches!(one.event, Event::PersonAnswered { .. })).count();
        match (state.status, scenario.answers.get(given)) {
            (Status::Waiting { .. }, Some(answer)) => engine.answer(&run, Actor::Person, answer, "my note").await?,
            _ => return Ok(state),
        }
    }
}

/// What must be the same. When it ended and what doubtful tries cost is not.
fn essence(state: &RunState) -> (Status, Option<Decision>) {
    let decision = state.decision.as_deref().cloned().map(|mut decision| {
        decision.elapsed_ms = 0;
        decision
    });
    (state.status, decision)
}

fn unended(events: &[Event]) -> usize {
    let mut open: i64 = 0;
    for event in events {
        match event {
            Event::StepStarted { .. } => open += 1,
            Event::StepFinished { .. } => open -= 1,
            _ => {}
        }
    }
    usize::try_from(open).unwrap()
}

async fn recorded(house: &House) -> Option<(RunId, Vec<Event>)> {
    let run = house.only_run().await?;
    let events = house.events(&run).await;
    Some((run, events))
}

/// Crashes at write `number`; false when the run ended before it.
async fn crash(scenario: &Scenario, expected: &RunState, number: u64, fault: Fault) -> bool {
    let place = format!("{} at write {number} {fault:?}", scenario.name);
    let house = House::new(scenario.script);
    let journal = Arc::new(FaultyJournal::new(Arc::new(house.store.clone()), number, fault));
    let first = house.engine_on("one", journal);
    if house.timed(live(&house, &first, scenario)).await.is_ok() {
        return false;
    }
    assert_eq!(house.panel.under_way(), 0, "{place}");
    let Some((run, before)) = recorded(&house).await else {
        assert_eq!((number, fault), (0, Fault::Before), "{place}");
        return true;
    };
    house.clock.advance(Duration::from_secs(16));
    let second = house.engine("two");
    let state = house.timed(live(&house, &second, scenario)).await.unwrap_or_else(|error| panic!("{place}: {error}"));
    assert_eq!(essence(&state), essence(expected), "{place}");
    let events = house.events(&run).await;
    assert_eq!(events[..before.len()], before, "{place}: what was recorded stays");
    let doubted = events.iter().filter(|event| matches!(event, Event::StepInDoubt { .. })).count();
    assert_eq!(doubted, unended(&before), "{place}");
    never_asked_again(&before, &events, &place);
    if let Some(name) = (scenario.inputs)().session {
        let turns = second.session(&super::house::id("a"), &name).await.unwrap();
        assert_eq!(turns.len(), 1, "{place}: an answer and its place in the conversation come together");
    }
    house.check(&run).await;
    true
}

/// A step that was answered before the crash has no start after it.
fn never_asked_again(before: &[Event], events: &[Event], place: &str) {
    for event in before {
        let Event::StepFinished { step: done, report, .. } = event else { continue };
        let again = |event: &Event| matches!(event, Event::StepStarted { step, .. } if step == done);
        assert!(!report.outcome.is_ok() || !events[before.len()..].iter().any(again), "{place}: {done} again");
    }
}

async fn crash_everywhere(scenario: &Scenario) {
    let house = House::new(scenario.script);
    let expected = house.timed(live(&house, &house.engine("one"), scenario)).await.unwrap();
    assert!(expected.status.is_over(), "{}", scenario.name);
    let mut crashes = 0;
    for fault in [Fault::Before, Fault::After] {
        let mut number = 0;
        while crash(scenario, &expected, number, fault).await {
            number += 1;
        }
        crashes += number;
    }
    assert!(crashes >= 8, "{}: only {crashes} writes", scenario.name);
}

#[tokio::test]
async fn a_simple_run() {
    crash_everywhere(&SCENARIOS[0]).await;
}

#[tokio::test]
async fn a_run_with_members_that_fail() {
    crash_everywhere(&SCENARIOS[1]).await;
}

#[tokio::test]
async fn a_run_with_checks() {
    crash_everywhere(&SCENARIOS[2]).await;
}

#[tokio::test]
async fn a_loop_with_gates() {
    crash_everywhere(&SCENARIOS[3]).await;
}

#[tokio::test]
async fn a_turn_of_a_conversation() {
    crash_everywhere(&SCENARIOS[5]).await;
}

#[tokio::test]
async fn a_run_that_is_stopped() {
    crash_everywhere(&SCENARIOS[4]).await;
}

#[tokio::test]
async fn a_dispute_that_an_arbiter_ends() {
    crash_everywhere(&SCENARIOS[6]).await;
    let members = asked_in(&SCENARIOS[6]).await;
    assert_eq!(members, ["a", "b", "c", "d", "a", "c", "e", "e"], "wave, later seat, both sides, both orders");
}

#[tokio::test]
async fn a_dispute_that_a_person_ends() {
    crash_everywhere(&SCENARIOS[7]).await;
}

#[tokio::test]
async fn a_critical_task_with_members_that_fail_on_the_way() {
    crash_everywhere(&SCENARIOS[8]).await;
}

#[tokio::test]
async fn patches_that_are_tried() {
    crash_everywhere(&SCENARIOS[9]).await;
    let tried = asked_in(&SCENARIOS[9]).await.iter().filter(|name| *name == "trial").count();
    assert_eq!(tried, 2, "each distinct one once");
}

#[tokio::test]
async fn a_claim_that_is_put_to_a_test() {
    crash_everywhere(&SCENARIOS[10]).await;
    let members = asked_in(&SCENARIOS[10]).await;
    assert_eq!(members.iter().filter(|name| *name == "runner").count(), 1, "{members:?}");
}

#[tokio::test]
async fn a_debate_that_an_arbiter_ends() {
    crash_everywhere(&SCENARIOS[11]).await;
    let members = asked_in(&SCENARIOS[11]).await;
    assert_eq!(members, ["a", "b", "c", "a", "b", "c", "e", "e"], "two rounds, both orders");
}

#[tokio::test]
async fn a_debate_that_a_person_ends() {
    crash_everywhere(&SCENARIOS[12]).await;
}

/// Who is asked, in order, where nothing goes wrong.
async fn asked_in(scenario: &Scenario) -> Vec<String> {
    let house = House::new(scenario.script);
    house.timed(live(&house, &house.engine("one"), scenario)).await.unwrap();
    house.panel.names()
}

/// Two processes die one after the other, at every pair of early writes.
#[tokio::test]
async fn a_run_whose_followers_die_too() {
    let scenario = &SCENARIOS[1];
    let house = House::new(scenario.script);
    let expected = house.timed(live(&house, &house.engine("one"), scenario)).await.unwrap();
    for (first, second) in (1..6).flat_map(|first| (1..5).map(move |second| (first, second))) {
        let house = House::new(scenario.script);
        for (owner, number) in [("one", first), ("two", second)] {
            let journal = FaultyJournal::new(Arc::new(house.store.clone()), number, Fault::After);
            let engine = house.engine_on(owner, Arc::new(journal));
            let _ = house.timed(live(&house, &engine, scenario)).await;
            house.clock.advance(Duration::from_secs(16));
        }
        let state = house.timed(live(&house, &house.engine("three"), scenario)).await.unwrap();
        assert!(state.status.is_over());
        let same = |state: &RunState| state.decision.as_ref().map(|decision| decision.verdict);
        assert_eq!(same(&state), same(&expected), "{first} {second}");
        house.check(&house.only_run().await.unwrap()).await;
    }
}

#[tokio::test]
async fn a_cancel_that_was_recorded_holds_after_a_crash() {
    let house = House::new(super::house::but(&[("b", Does::Hangs)]));
    let engine = house.engine("one");
    let run = engine.submit(inputs(&["a", "b", "c"]), vec![attached()]).await.unwrap();
    let journal = FaultyJournal::new(Arc::new(house.store.clone()), 2, Fault::After);
    let dying = house.engine_on("one", Arc::new(journal));
    house.timed(dying.drive(&run, &Silent, &Cancel::default())).await.unwrap_err();
    engine.request_cancel(&run, Actor::Person).await.unwrap();
    house.clock.advance(Duration::from_secs(16));
    let calls = house.panel.asked().len();
    let state = house.timed(house.engine("two").drive(&run, &Silent, &Cancel::default())).await.unwrap();
    assert_eq!((state.status, house.panel.asked().len()), (Status::Cancelled, calls), "nobody is asked any more");
    house.check(&run).await;
}
