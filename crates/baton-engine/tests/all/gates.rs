//! Where a run waits for a person, and who may release it.

use std::sync::Arc;

use baton_core::consensus::{Blocker, DecidedBy, Recommendation};
use baton_core::ids::RunId;
use baton_core::journal::Actor;
use baton_core::opinion::Verdict;
use baton_core::run::{Event, Inputs, Status};
use baton_core::task::Priority;
use baton_engine::{EngineError, Silent};
use baton_port::{Append, Cancel};

use super::house::{House, approves, attached, inputs, refine};
use super::tap::Tap;

fn critical() -> Inputs {
    let mut inputs = inputs(&["a", "b", "c"]);
    inputs.task.hints.priority = Some(Priority::Critical);
    inputs
}

fn client() -> Actor {
    Actor::Client("editor".into())
}

async fn parked() -> (House, RunId) {
    let house = House::new(approves);
    let (run, state) = house.run(critical()).await;
    assert!(matches!(state.status, Status::Waiting { .. }));
    assert!(state.decision.unwrap().blocked_by(Blocker::NeedsPerson));
    (house, run)
}

#[tokio::test]
async fn a_critical_run_waits_and_a_person_releases_it() {
    let (house, run) = parked().await;
    let engine = house.engine("two");
    let state = engine.drive(&run, &Silent, &Cancel::default()).await.unwrap();
    assert!(matches!(state.status, Status::Waiting { .. }), "to look at it does not move it");
    engine.answer(&run, Actor::Person, "approve", "looks right").await.unwrap();
    let state = engine.drive(&run, &Silent, &Cancel::default()).await.unwrap();
    let decision = state.decision.unwrap();
    assert_eq!((state.status, decision.recommendation), (Status::Decided, Recommendation::Proceed));
    assert_eq!(decision.decided_by, DecidedBy::Person { answer: "approve".into(), note: "looks right".into() });
    house.check(&run).await;
}

#[tokio::test]
async fn a_persons_own_verdict_is_kept_is_verified_and_is_learned_from() {
    let (house, run) = parked().await;
    let engine = house.engine("two");
    let wrong = engine.override_decision(&run, "perhaps", "").await;
    assert!(matches!(wrong, Err(EngineError::Illegal(_))), "{wrong:?}");
    engine.override_decision(&run, "reject", "seen it fail").await.unwrap();
    let state = engine.drive(&run, &Silent, &Cancel::default()).await.unwrap();
    let decision = state.decision.unwrap();
    assert_eq!((state.status, decision.verdict), (Status::Decided, Some(Verdict::Reject)));
    let said = engine.feedback().await.unwrap();
    let facts = &said[0].facts;
    assert_eq!((said.len(), facts.len(), facts.iter().any(|fact| fact.right)), (1, 3, false), "all had approved");
    house.check(&run).await;
}

#[tokio::test]
async fn a_program_that_speaks_for_somebody_releases_nothing() {
    let (house, run) = parked().await;
    let engine = house.engine("two");
    engine.answer(&run, client(), "approve", "").await.unwrap();
    let state = engine.drive(&run, &Silent, &Cancel::default()).await.unwrap();
    let decision = state.decision.unwrap();
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
    assert!(decision.blocked_by(Blocker::NeedsPerson));
    assert_eq!(decision.decided_by, DecidedBy::Client { name: "editor".into(), answer: "approve".into() });
    house.check(&run).await;
}

#[tokio::test]
async fn a_run_that_does_not_wait_takes_no_answer() {
    let house = House::new(approves);
    let (run, _) = house.run(inputs(&["a", "b", "c"])).await;
    let events = house.events(&run).await.len();
    let error = house.engine("two").answer(&run, Actor::Person, "approve", "").await.unwrap_err();
    assert!(matches!(error, EngineError::NotWaiting(_)));
    assert_eq!(house.events(&run).await.len(), events);
    let absent = RunId::parse("absent").unwrap();
    let error = house.engine("two").answer(&absent, Actor::Person, "approve", "").await.unwrap_err();
    assert!(matches!(error, EngineError::NoSuchRun(_)));
}

/// Both were appended, and the second one made the journal unreadable.
#[tokio::test]
async fn of_two_answers_at_once_one_counts_and_the_other_is_told() {
    let (house, run) = parked().await;
    let stream = baton_core::journal::Stream::Run(run.clone());
    let node = house.engine("one").state(&run).await.unwrap().node;
    let tap = Tap::intruding(house.store.clone(), move |_, append, number| {
        let other = Event::PersonAnswered { node, answer: "reject".into(), note: String::new() };
        let event = other.encode(append.events[0].at, Actor::Person).unwrap();
        let stream = stream.clone();
        (number == 0).then(|| Append { stream, expected: None, epoch: None, events: vec![event], blobs: vec![] })
    });
    let engine = house.engine_on("two", Arc::new(tap));
    let error = engine.answer(&run, Actor::Person, "approve", "").await.unwrap_err();
    assert!(matches!(error, EngineError::NotWaiting(_)), "{error}");
    let state = engine.drive(&run, &Silent, &Cancel::default()).await.unwrap();
    assert!(state.decision.unwrap().blocked_by(Blocker::TurnedDown));
    house.check(&run).await;
}

#[tokio::test]
async fn a_waiting_run_can_be_cancelled_by_anybody() {
    let (house, run) = parked().await;
    let engine = house.engine("two");
    engine.request_cancel(&run, client()).await.unwrap();
    assert_eq!(engine.drive(&run, &Silent, &Cancel::default()).await.unwrap().status, Status::Cancelled);
    house.check(&run).await;
}

#[tokio::test]
async fn a_persons_note_reaches_the_revision_and_a_programs_does_not() {
    let house = House::new(approves);
    let (run, _) = house.run(Inputs { workflow: refine(), ..inputs(&["a", "b", "c"]) }).await;
    let engine = house.engine("one");
    engine.answer(&run, client(), "revise", "from a program").await.unwrap();
    let state = house.timed(engine.drive(&run, &Silent, &Cancel::default())).await.unwrap();
    assert!(matches!(state.status, Status::Waiting { .. }), "the gate stays open for a person");
    assert_eq!(house.panel.names().len(), 3);
    engine.answer(&run, Actor::Person, "revise", "mind the {{draft}}").await.unwrap();
    house.timed(engine.drive(&run, &Silent, &Cancel::default())).await.unwrap();
    let asked = house.panel.asked();
    let prompt = asked.iter().rfind(|asked| asked.prompt.starts_with("REVISE")).unwrap();
    assert!(prompt.prompt.contains("NOTE: mind the {{draft}}\n"));
    assert!(!asked.iter().any(|asked| asked.prompt.contains("from a program")));
    house.check(&run).await;
}

#[tokio::test]
async fn what_is_attached_is_kept_while_a_run_waits() {
    let (house, _) = parked().await;
    assert!(house.engine("two").blob(attached().hash).await.unwrap().is_some());
}
