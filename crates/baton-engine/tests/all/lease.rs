//! One process drives a run at a time, and another goes on where it stopped.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use baton_core::run::{Event, Status};
use baton_engine::{EngineError, Silent};
use baton_port::{Cancel, Clock, StoreError};
use baton_testkit::{Fault, FaultyJournal};

use super::house::{House, approves, attached, but, ends, inputs, settle, starts, verdict};
use super::panel::{Asked, Does};

fn refused(error: &EngineError) -> &StoreError {
    match error {
        EngineError::Store(error) => error,
        other => panic!("{other}"),
    }
}

#[tokio::test]
async fn a_run_is_driven_once_at_a_time_also_by_one_process() {
    let house = House::new(but(&[("b", Does::WaitsAtDoor(verdict("approve")))]));
    let (one, two) = (house.engine("one"), house.engine("two"));
    let cancel = Cancel::default();
    let others = async {
        house.until_asked(3).await;
        let run = house.only_run().await.unwrap();
        for engine in [&two, &one] {
            let error = engine.drive(&run, &Silent, &cancel).await.unwrap_err();
            assert_eq!(*refused(&error), StoreError::Busy { owner: "one".into() });
        }
        house.panel.door.add_permits(1);
    };
    let (ended, ()) = tokio::join!(one.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel), others);
    let (run, state) = ended.unwrap();
    assert_eq!((state.status, house.panel.names().len()), (Status::Decided, 3));
    assert!(two.drive(&run, &Silent, &cancel).await.unwrap().status.is_over(), "given back at the end");
    house.check(&run).await;
}

/// The first call of `b` waits at the door, later ones answer.
fn door_once(asked: &Asked) -> Does {
    match (asked.member.id.as_str(), asked.before) {
        ("b", 0) => Does::WaitsAtDoor(verdict("reject")),
        _ => approves(asked),
    }
}

#[tokio::test]
async fn who_comes_back_after_its_lease_ran_out_writes_nothing_more() {
    let house = House::new(door_once);
    let (one, two) = (house.engine("one"), house.engine("two"));
    let cancel = Cancel::default();
    let mut first = pin!(one.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it waits for b"),
        () = async { house.until_asked(3).await; settle().await } => {}
    }
    // The first process stands still while the wall clock goes on.
    house.clock.jump(15_001);
    let run = house.only_run().await.unwrap();
    let state = two.drive(&run, &Silent, &cancel).await.unwrap();
    assert_eq!(state.status, Status::Decided);
    let recorded = house.events(&run).await;
    assert_eq!(starts(&recorded), ["a 0.0", "b 1.0", "c 2.0", "b 1.1"], "only what was in doubt is asked again");
    assert!(ends(&recorded).contains(&"1.0 in doubt".to_owned()));

    house.panel.door.add_permits(1);
    let error = first.await.unwrap_err();
    assert_eq!(*refused(&error), StoreError::Fenced);
    assert_eq!(house.events(&run).await, recorded);
    assert_eq!(house.panel.under_way(), 0);
    house.check(&run).await;
}

#[tokio::test]
async fn who_sees_that_another_went_on_stops_its_members() {
    let house = House::new(|asked: &Asked| match (asked.member.id.as_str(), asked.before) {
        ("b", 0) => Does::Hangs,
        _ => approves(asked),
    });
    let (one, two) = (house.engine("one"), house.engine("two"));
    let cancel = Cancel::default();
    let mut first = pin!(one.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel));
    tokio::select! {
        biased;
        _ = &mut first => panic!("it waits for b"),
        () = async { house.until_asked(3).await; settle().await } => {}
    }
    house.clock.jump(15_001);
    let run = house.only_run().await.unwrap();
    two.drive(&run, &Silent, &cancel).await.unwrap();
    let recorded = house.events(&run).await.len();
    let _ = house.timed(first).await;
    assert_eq!(
        (house.panel.under_way(), house.panel.stopped()),
        (0, 1),
        "its member was stopped and joined, not dropped"
    );
    assert_eq!(house.events(&run).await.len(), recorded);
}

#[tokio::test]
async fn a_store_that_fails_leaves_no_member_behind_and_no_wait() {
    let limited = baton_core::outcome::Outcome::RateLimited { retry_after_ms: Some(20_000) };
    let late = Does::SaysLate(0, 10, verdict("approve"));
    let house = House::new(but(&[("a", Does::Fails(limited)), ("b", Does::Hangs), ("c", late)]));
    let journal = Arc::new(FaultyJournal::new(Arc::new(house.store.clone()), 4, Fault::Before));
    let engine = house.engine_on("one", journal);
    let error = house.run_on(&engine, inputs(&["a", "b", "c"]), &Cancel::default()).await.unwrap_err();
    assert_eq!(*refused(&error), StoreError::Failed("injected".into()));
    assert_eq!((house.panel.under_way(), house.panel.stopped()), (0, 1));
    assert!(house.clock.now().millis_since(baton_core::units::Timestamp(1_700_000_000_000)) < 100);
}

#[tokio::test]
async fn a_process_that_is_known_to_be_gone_is_followed_at_once_any_number_of_times() {
    let house = House::new(approves);
    let run = house.engine("zero").submit(inputs(&["a", "b", "c"]), vec![attached()]).await.unwrap();
    let cancel = Cancel::default();
    for (owner, gone) in [("one", "nobody"), ("two", "one"), ("three", "two")] {
        // Dies at its first append, with the lease in its hand; taking over is one or two writes before it.
        let journal = FaultyJournal::new(Arc::new(house.store.clone()), u64::from(gone != "nobody") + 1, Fault::Before);
        let engine = house.engine_on(owner, Arc::new(journal)).with_gone_owners(move |name| name == gone);
        let error = house.timed(engine.drive(&run, &Silent, &cancel)).await.unwrap_err();
        assert_eq!(*refused(&error), StoreError::Failed("injected".into()), "{owner}");
    }
    let last = house.engine("four").with_gone_owners(|name| name == "three");
    let state = house.timed(last.drive(&run, &Silent, &cancel)).await.unwrap();
    assert_eq!(state.status, Status::Decided);
    house.check(&run).await;
}

#[tokio::test]
async fn a_run_that_nobody_began_can_be_taken_by_anybody() {
    let house = House::new(approves);
    let run = house.engine("one").submit(inputs(&["a", "b", "c"]), vec![attached()]).await.unwrap();
    let state = house.timed(house.engine("two").drive(&run, &Silent, &Cancel::default())).await.unwrap();
    assert_eq!(state.status, Status::Decided);
    assert!(!house.events(&run).await.iter().any(|event| matches!(event, Event::StepInDoubt { .. })));
    house.clock.advance(Duration::from_secs(1));
    house.check(&run).await;
}

/// The time of the submission was taken twice, so that the decision's duration was another than the journal's.
#[tokio::test]
async fn a_decision_is_equal_also_when_time_passes_between_two_looks_at_the_clock() {
    struct Ticking(baton_testkit::FakeClock);
    impl Clock for Ticking {
        fn now(&self) -> baton_core::units::Timestamp {
            self.0.jump(3);
            self.0.now()
        }
        fn sleep(&self, duration: Duration) -> baton_port::BoxFuture<'static, ()> {
            self.0.sleep(duration)
        }
    }
    let house = House::new(approves);
    let ports = baton_engine::Ports { clock: Arc::new(Ticking(house.clock.clone())), ..house.ports() };
    let engine = super::house::engine(ports, "one");
    let (run, state) = house.run_on(&engine, inputs(&["a", "b", "c"]), &Cancel::default()).await.unwrap();
    assert!(state.decision.unwrap().elapsed_ms > 0);
    house.check(&run).await;
}
