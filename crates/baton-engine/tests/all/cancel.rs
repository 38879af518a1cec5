//! Stopping a run, from its own process and from another.

use std::sync::Arc;
use std::time::Duration;

use baton_core::ids::RunId;
use baton_core::journal::{Actor, Stream};
use baton_core::outcome::Outcome;
use baton_core::run::{Event, Status};
use baton_engine::{EngineError, Silent};
use baton_port::{Append, Cancel, Clock, Journal};

use super::house::{House, attached, but, ends, inputs, kinds, settle, starts, verdict};
use super::panel::Does;
use super::tap::Tap;

#[tokio::test]
async fn a_hanging_member_is_stopped_and_its_end_recorded() {
    let house = House::new(but(&[("b", Does::Hangs), ("c", Does::Fails(Outcome::Overloaded))]));
    let engine = house.engine("one");
    let cancel = Cancel::default();
    let asked = inputs(&["a", "b", "c"]);
    let stop = async {
        house.until_asked(3).await;
        cancel.request();
    };
    let (ended, ()) = tokio::join!(engine.run(asked, vec![attached()], &Silent, &cancel), stop);
    let (run, state) = ended.unwrap();
    assert_eq!(state.status, Status::Cancelled);
    assert!(state.decision.is_none());
    assert_eq!(house.panel.under_way(), 0, "every turn was joined");
    let events = house.events(&run).await;
    assert_eq!(kinds(&events)[kinds(&events).len() - 2..], ["cancel_requested", "step_finished"]);
    assert!(ends(&events).contains(&"1.0 cancelled".to_owned()));
    // Nothing comes after the end: neither the wait for `c` nor anything else.
    house.clock.advance(Duration::from_secs(60));
    settle().await;
    assert_eq!(house.events(&run).await.len(), events.len());
    house.check(&run).await;
}

#[tokio::test]
async fn a_run_that_is_stopped_before_it_begins_asks_nobody() {
    let house = House::new(super::house::approves);
    let cancel = Cancel::default();
    cancel.request();
    let engine = house.engine("one");
    let (run, _) = house.run_on(&engine, inputs(&["a", "b", "c"]), &cancel).await.unwrap();
    house.check(&run).await;
    let state = house.timed(engine.drive(&run, &Silent, &cancel)).await.unwrap();
    assert!(state.status.is_over());
}

#[tokio::test]
async fn another_process_is_heard_at_the_next_look() {
    let house = House::new(but(&[("b", Does::Hangs)]));
    let (one, two) = (house.engine("one"), house.engine("two"));
    let cancel = Cancel::default();
    let stop = async {
        house.until_asked(3).await;
        let run = house.only_run().await.unwrap();
        two.request_cancel(&run, Actor::Client("editor".into())).await.unwrap();
        settle().await;
        assert_eq!(house.panel.under_way(), 1, "nobody has looked yet");
        house.clock.advance(Duration::from_secs(1));
    };
    let (ended, ()) = tokio::join!(one.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel), stop);
    let (run, state) = ended.unwrap();
    assert_eq!(state.status, Status::Cancelled);
    let by = house.stamped(&run).await.into_iter().find(|one| one.event == Event::CancelRequested).unwrap().actor;
    assert_eq!(by, Actor::Client("editor".into()));
    house.check(&run).await;
}

/// Each sign of life began the wait for the next look anew: nobody was heard, and the lease ran out.
#[tokio::test]
async fn a_member_that_chatters_does_not_keep_others_from_being_heard() {
    let house = House::new(but(&[("b", Does::Chatters(100))]));
    let (one, two) = (house.engine("one"), house.engine("two"));
    let cancel = Cancel::default();
    let stop = async {
        house.until_asked(3).await;
        let run = house.only_run().await.unwrap();
        house.clock.sleep(Duration::from_secs(40)).await;
        let busy = two.drive(&run, &Silent, &cancel).await.unwrap_err();
        assert!(busy.to_string().contains("held by one"), "the lease was kept for 40 seconds: {busy}");
        two.request_cancel(&run, Actor::Person).await.unwrap();
    };
    let both = async { tokio::join!(one.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel), stop) };
    let (ended, ()) = house.timed(both).await;
    assert_eq!(ended.unwrap().1.status, Status::Cancelled);
}

/// A cancel that came just before a commit was folded with it, and what followed from it was forgotten.
#[tokio::test]
async fn a_cancel_that_slips_in_before_any_write_is_followed() {
    for place in 1..4 {
        let late = Does::SaysLate(0, 50, verdict("approve"));
        let house = House::new(but(&[("b", Does::Hangs), ("c", late)]));
        let tap = Tap::intruding(house.store.clone(), move |_, append, number| {
            let event = Event::CancelRequested.encode(append.events[0].at, Actor::Person).unwrap();
            let stream = append.stream.clone();
            (number == place).then(|| Append {
                stream,
                expected: None,
                epoch: None,
                events: vec![event],
                blobs: vec![],
            })
        });
        let engine = house.engine_on("one", Arc::new(tap));
        let (run, state) = house.run_on(&engine, inputs(&["a", "b", "c"]), &Cancel::default()).await.unwrap();
        assert_eq!(state.status, Status::Cancelled, "before write {place}");
        assert_eq!(house.panel.under_way(), 0);
        let asked = if place == 1 { 0 } else { 3 };
        assert_eq!(starts(&house.events(&run).await).len(), asked);
        house.check(&run).await;
    }
}

#[tokio::test]
async fn a_wait_for_a_second_try_ends_with_the_run() {
    let limited = Outcome::RateLimited { retry_after_ms: Some(20_000) };
    let house = House::new(but(&[("b", Does::Fails(limited))]));
    let engine = house.engine("one");
    let cancel = Cancel::default();
    let stop = async {
        house.until_asked(3).await;
        cancel.request();
    };
    let (ended, ()) = tokio::join!(engine.run(inputs(&["a", "b", "c"]), vec![attached()], &Silent, &cancel), stop);
    assert_eq!(ended.unwrap().1.status, Status::Cancelled);
    assert_eq!(house.clock.elapsed_ms(), 0);
}

#[tokio::test]
async fn a_cancel_after_the_end_changes_nothing() {
    let house = House::new(super::house::approves);
    let (run, state) = house.run(inputs(&["a", "b", "c"])).await;
    let engine = house.engine("one");
    engine.request_cancel(&run, Actor::Person).await.unwrap();
    assert_eq!(engine.state(&run).await.unwrap().decision, state.decision);
    house.check(&run).await;
}

/// It began a stream that no run could be read from.
#[tokio::test]
async fn a_run_that_is_not_there_cannot_be_cancelled() {
    let house = House::new(super::house::approves);
    let run = RunId::parse("nothing").unwrap();
    let error = house.engine("one").request_cancel(&run, Actor::Person).await.unwrap_err();
    assert!(matches!(error, EngineError::NoSuchRun(_)));
    assert!(house.store.read(&Stream::Run(run), 0).await.unwrap().is_empty());
}
