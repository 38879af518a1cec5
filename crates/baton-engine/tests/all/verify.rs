//! What can be computed again, and what was changed.

use std::sync::Arc;

use baton_core::hash::Hash;
use baton_core::ids::RunId;
use baton_core::journal::{Actor, NewEvent, Row, Stream};
use baton_core::opinion::{Position, Verdict};
use baton_core::run::{Event, Stamped, Status};
use baton_core::units::{Probability, Timestamp};
use baton_engine::{EngineError, Verification};
use baton_port::{Append, Journal, StoreError};
use baton_store::MemoryStore;

use super::house::{House, approves, but, inputs, verdict};
use super::panel::Does;
use super::tap::{Holes, Tap};

async fn decided() -> (House, RunId) {
    let house = House::new(but(&[("c", Does::Says(verdict("revise")))]));
    let (run, _) = house.run(inputs(&["a", "b", "c"])).await;
    (house, run)
}

/// The run as another journal tells it, whose chain holds.
async fn forged(house: &House, run: &RunId, change: impl Fn(&mut Vec<Stamped>)) -> Verification {
    let mut events = house.stamped(run).await;
    change(&mut events);
    let store = MemoryStore::default();
    let events = events.iter().map(|one| one.event.encode(one.at, one.actor.clone()).unwrap()).collect();
    let stream = Stream::Run(run.clone());
    store.append(Append { stream, expected: Some(0), epoch: None, events, blobs: vec![] }).await.unwrap();
    house.engine_on("forger", Arc::new(store)).verify(run).await.unwrap()
}

async fn changed(house: &House, run: &RunId, change: impl Fn(&mut Vec<Row>) + Send + Sync + 'static) -> Verification {
    let tap = Tap::changing(house.store.clone(), change);
    house.engine_on("reader", Arc::new(tap)).verify(run).await.unwrap()
}

fn not_equal_at(verification: &Verification) -> u64 {
    match verification {
        Verification::NotEqual { event, .. } => *event,
        other => panic!("{other:?}"),
    }
}

fn position(events: &[Stamped], kind: &str) -> usize {
    events.iter().position(|one| one.event.kind() == kind).unwrap()
}

#[tokio::test]
async fn a_run_is_equal_to_itself() {
    let (house, run) = decided().await;
    assert_eq!(house.engine("two").verify(&run).await.unwrap(), Verification::Equal { events: 11, decisions: 1 });
    assert!(matches!(forged(&house, &run, |_| {}).await, Verification::Equal { .. }));
    let absent = RunId::parse("absent").unwrap();
    assert!(matches!(house.engine("two").verify(&absent).await, Err(EngineError::NoSuchRun(_))));
}

#[tokio::test]
async fn a_changed_row_is_seen_whatever_was_changed() {
    let (house, run) = decided().await;
    let changes: [fn(&mut Vec<Row>); 5] = [
        |rows| rows[4].header = rows[4].header.replace("ok", "no"),
        |rows| rows[2].actor = "person".into(),
        |rows| rows[5].at = Timestamp(1),
        |rows| drop(rows.remove(3)),
        |rows| rows[0].body.as_mut().unwrap().push(b' '),
    ];
    for change in changes {
        let seen = changed(&house, &run, change).await;
        assert!(matches!(seen, Verification::Tampered { .. }), "{seen:?}");
    }
}

#[tokio::test]
async fn a_decision_that_does_not_follow_is_named() {
    let (house, run) = decided().await;
    let last = house.events(&run).await.len() - 1;
    let better = |events: &mut Vec<Stamped>| {
        if let Event::Decided(decision) = &mut events.last_mut().unwrap().event {
            decision.overall_confidence = Probability::ONE;
        }
    };
    assert_eq!(not_equal_at(&forged(&house, &run, better).await), last as u64);
    let early = |events: &mut Vec<Stamped>| {
        let decided = events.pop().unwrap();
        events.insert(1, decided);
    };
    assert_eq!(not_equal_at(&forged(&house, &run, early).await), 1);
    let unasked = |events: &mut Vec<Stamped>| drop(events.remove(1));
    assert!(not_equal_at(&forged(&house, &run, unasked).await) > 0);
}

#[tokio::test]
async fn an_opinion_that_its_answer_does_not_say_is_named() {
    let (house, run) = decided().await;
    let at = position(&house.stamped(&run).await, "opinion_read");
    let turned = move |events: &mut Vec<Stamped>| {
        if let Event::OpinionRead { opinion, .. } = &mut events[at].event {
            opinion.position = Position::Verdict { verdict: Verdict::Reject };
        }
    };
    assert_eq!(not_equal_at(&forged(&house, &run, turned).await), at as u64);
}

#[tokio::test]
async fn other_rules_are_said_to_be_other_rules() {
    let (house, run) = decided().await;
    let older = |events: &mut Vec<Stamped>| {
        if let Event::Submitted(inputs) = &mut events[0].event {
            inputs.rules_version = 0;
        }
    };
    assert_eq!(forged(&house, &run, older).await, Verification::OtherRules { recorded: 0 });
}

#[tokio::test]
async fn dropped_bodies_are_no_change_and_no_equality() {
    let (house, run) = decided().await;
    let dropped = changed(&house, &run, |rows| rows[0].body = None).await;
    assert_eq!(dropped, Verification::BodiesDropped { event: 0 });
    let at = position(&house.stamped(&run).await, "opinion_read");
    let dropped = changed(&house, &run, move |rows| rows[at].body = None).await;
    assert_eq!(dropped, Verification::BodiesDropped { event: at as u64 });
}

async fn first_answer(house: &House, run: &RunId) -> Hash {
    let answer = |event: Event| match event {
        Event::StepFinished { report, .. } => report.answer,
        _ => None,
    };
    house.events(run).await.into_iter().find_map(answer).unwrap()
}

/// An opinion that could not be read again counted as equal; a changed text was an error.
#[tokio::test]
async fn an_answer_that_is_gone_or_was_changed_is_said() {
    let (house, run) = decided().await;
    let hole = first_answer(&house, &run).await;
    let at = position(&house.stamped(&run).await, "opinion_read") as u64;
    let holes = |found| Arc::new(Holes { store: Arc::new(house.store.clone()), hole, found });
    let gone = house.engine_with("reader", holes(Ok(None))).verify(&run).await.unwrap();
    assert_eq!(gone, Verification::BodiesDropped { event: at });
    let damaged = holes(Err(StoreError::Damaged("changed".into())));
    let damaged = house.engine_with("reader", damaged).verify(&run).await.unwrap();
    assert!(matches!(damaged, Verification::Tampered { .. }));
    let failed = holes(Err(StoreError::Failed("no disk".into())));
    assert!(house.engine_with("reader", failed).verify(&run).await.is_err(), "not to know is no verdict");
}

#[tokio::test]
async fn what_a_newer_baton_wrote_is_not_judged() {
    for (kind, version) in [("rehearsed", 1), ("timer_fired", 2)] {
        let house = House::new(approves);
        let (run, state) = house.run(inputs(&["a", "b", "c"])).await;
        assert_eq!(state.status, Status::Decided);
        let at = house.stamped(&run).await[0].at;
        let event = NewEvent { kind, version, at, actor: Actor::Engine, header: "{}".into(), body: None };
        let stream = Stream::Run(run.clone());
        let append = Append { stream, expected: None, epoch: None, events: vec![event], blobs: vec![] };
        house.store.append(append).await.unwrap();
        let seen = house.engine("two").verify(&run).await.unwrap();
        assert!(matches!(&seen, Verification::Unreadable { because } if because.contains("newer")), "{seen:?}");
    }
}

#[tokio::test]
async fn a_run_under_way_is_equal_as_far_as_it_goes() {
    let house = House::new(approves);
    let run = house.engine("one").submit(inputs(&["a"]), vec![super::house::attached()]).await.unwrap();
    assert_eq!(house.engine("two").verify(&run).await.unwrap(), Verification::Equal { events: 1, decisions: 0 });
}
