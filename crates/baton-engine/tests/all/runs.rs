//! A run from its task to its decision, and what becomes of members that fail.

use std::sync::{Arc, Mutex};

use baton_core::consensus::Recommendation;
use baton_core::evidence::CheckResult;
use baton_core::hash::Hash;
use baton_core::ids::RunId;
use baton_core::outcome::Outcome;
use baton_core::run::{Event, RunState, Stamped, Status};
use baton_engine::Observer;
use baton_port::{Blobs, Cancel, Turn};

use super::house::{FILE, House, attached, but, check, ends, inputs, kinds, starts, verdict};
use super::house::{approves, settle};
use super::panel::{Does, said};
use super::tap::Tap;

#[tokio::test]
async fn three_members_end_in_a_decision_within_three_writes() {
    let house = House::new(approves);
    let tap = Arc::new(Tap::new(house.store.clone()));
    let engine = house.engine_on("one", tap.clone());
    let (run, state) = house.run_on(&engine, inputs(&["a", "b", "c"]), &Cancel::default()).await.unwrap();
    let end = ["step_finished", "opinion_read"].repeat(3);
    assert_eq!(
        tap.written(),
        [vec!["submitted"], vec!["step_started"; 3], [end, vec!["decided"]].concat()],
        "three writes, the last of which brings the answer"
    );
    assert_eq!(state.status, Status::Decided);
    assert_eq!(state.decision.as_ref().unwrap().recommendation, Recommendation::Proceed);
    assert_eq!(tap.blobs_of(1).len(), 3, "lead, second and critic are asked in other words");
    house.check(&run).await;
}

#[tokio::test]
async fn answers_that_come_one_by_one_are_recorded_one_by_one_each_with_its_reading() {
    let late = |after| Does::SaysLate(0, after, verdict("approve"));
    let house = House::new(but(&[("b", late(300)), ("c", late(200))]));
    let tap = Arc::new(Tap::new(house.store.clone()));
    let engine = house.engine_on("one", tap.clone());
    let (run, _) = house.run_on(&engine, inputs(&["a", "b", "c"]), &Cancel::default()).await.unwrap();
    let pair = vec!["step_finished", "opinion_read"];
    assert_eq!(tap.written()[2..], [pair.clone(), pair.clone(), [pair, vec!["decided"]].concat()]);
    assert_eq!(ends(&house.events(&run).await), ["0.0 ok", "2.0 ok", "1.0 ok"]);
    house.check(&run).await;
}

#[tokio::test]
async fn prompts_transcripts_and_answers_are_kept_by_hash() {
    let house = House::new(approves);
    let (run, _) = house.run(inputs(&["a", "b", "c"])).await;
    for event in house.events(&run).await {
        match event {
            Event::StepStarted { prompt, member, .. } => {
                let kept = Blobs::get(&house.store, prompt.unwrap()).await.unwrap().unwrap();
                let asked = house.panel.asked().into_iter().find(|asked| asked.member.id == member).unwrap();
                assert_eq!(String::from_utf8(kept).unwrap(), asked.prompt);
            }
            Event::StepFinished { report, .. } => {
                let answer = Blobs::get(&house.store, report.answer.unwrap()).await.unwrap().unwrap();
                assert_eq!(String::from_utf8(answer).unwrap(), verdict("approve"));
                let transcript = Blobs::get(&house.store, report.transcript.unwrap()).await.unwrap().unwrap();
                assert!(transcript.starts_with(b"raw: "));
            }
            _ => {}
        }
    }
}

#[tokio::test]
async fn equal_roles_share_one_kept_prompt() {
    let mut asked = inputs(&["a", "b", "c", "d", "e"]);
    asked.task.hints.complexity = Some(baton_core::task::Complexity::Complex);
    let house = House::new(approves);
    let tap = Arc::new(Tap::new(house.store.clone()));
    house.run_on(&house.engine_on("one", tap.clone()), asked, &Cancel::default()).await.unwrap();
    let prompts: std::collections::BTreeSet<Hash> =
        house.panel.asked().iter().map(|asked| Hash::of(asked.prompt.as_bytes())).collect();
    assert!(prompts.len() < 5, "some roles are the same");
    assert_eq!(tap.blobs_of(1).len(), prompts.len());
}

#[tokio::test]
async fn a_member_that_fails_is_replaced_and_reported() {
    let house = House::new(but(&[("a", Does::Fails(Outcome::Auth))]));
    let (run, state) = house.run(inputs(&["a", "b", "c", "d"])).await;
    assert_eq!(starts(&house.events(&run).await), ["a 0.0", "b 1.0", "c 2.0", "d 0.1"]);
    let decision = state.decision.unwrap();
    assert_eq!(decision.model_count, 3);
    assert_eq!(decision.failed_models[0].replaced_by.as_ref().unwrap().as_str(), "d");
    house.check(&run).await;
}

#[tokio::test]
async fn an_overloaded_member_is_asked_again_after_a_while() {
    let script = |asked: &super::panel::Asked| match (asked.member.id.as_str(), asked.before) {
        ("b", 0) => Does::Fails(Outcome::RateLimited { retry_after_ms: Some(5_000) }),
        _ => approves(asked),
    };
    let house = House::new(script);
    let (run, state) = house.run(inputs(&["a", "b", "c", "d"])).await;
    let stamped = house.stamped(&run).await;
    assert_eq!(starts(&house.events(&run).await)[3..], ["b 1.1"]);
    let at = |kind: &str| stamped.iter().rfind(|one| one.event.kind() == kind).unwrap().at;
    assert_eq!(at("timer_fired").millis_since(stamped[0].at), 5_000);
    assert_eq!(state.status, Status::Decided);
    house.check(&run).await;
}

#[tokio::test]
async fn a_channel_that_breaks_inside_is_a_crash_of_its_member_only() {
    let house = House::new(but(&[("b", Does::Panics)]));
    let (run, state) = house.run(inputs(&["a", "b", "c", "d"])).await;
    let events = house.events(&run).await;
    assert!(ends(&events).contains(&"1.0 crashed".to_owned()));
    assert_eq!(starts(&events)[3..], ["d 1.1"]);
    assert_eq!(state.decision.unwrap().model_count, 3);
    assert_eq!(house.panel.under_way(), 0);
    house.check(&run).await;
}

#[tokio::test]
async fn a_channel_that_cannot_be_opened_is_not_there() {
    let house = House::new(but(&[("c", Does::Absent)]));
    let (run, state) = house.run(inputs(&["a", "b", "c", "d"])).await;
    assert_eq!(starts(&house.events(&run).await)[3..], ["d 2.1"]);
    let failed = &state.decision.as_ref().unwrap().failed_models[0];
    assert_eq!((failed.class.as_str(), failed.detail.as_str()), ("not there", "there is no c here"));
    house.check(&run).await;
}

#[tokio::test]
async fn nobody_left_is_a_decision_too() {
    let house = House::new(|_| Does::Fails(Outcome::QuotaExhausted));
    let (run, state) = house.run(inputs(&["a", "b", "c", "d"])).await;
    assert_eq!(state.status, Status::Decided);
    assert_eq!(state.decision.unwrap().model_count, 0);
    house.check(&run).await;
}

/// Such a turn was recorded as it was, and its journal could not be followed any more.
#[tokio::test]
async fn a_channel_that_breaks_its_promises_does_not_break_the_run() {
    let mut blank = said(" \n".into(), None);
    let mut judging = said(verdict("reject"), None);
    judging.evidence = Some(baton_core::evidence::read(CheckResult::Passed, "none", ""));
    let mut silent = Turn::failed(Outcome::Ok, "");
    blank.transcript.cut = true;
    silent.text = None;
    let mut asked = inputs(&["a", "b", "c"]);
    asked.members.push(check("tests"));
    let returns = |turn| Does::Returns(Box::new(turn));
    let house = House::new(but(&[
        ("a", returns(blank)),
        ("b", returns(judging)),
        ("c", returns(silent.clone())),
        ("tests", returns(silent)),
    ]));
    let (run, state) = house.run(asked).await;
    let decision = state.decision.unwrap();
    assert_eq!(ends(&house.events(&run).await)[..3], ["0.0 empty answer", "1.0 ok", "2.0 empty answer"]);
    assert_eq!((decision.model_count, decision.checks[0].result.as_str()), (1, "abstained"));
    house.check(&run).await;
}

#[tokio::test]
async fn a_check_is_evidence_and_gets_no_prompt() {
    let mut asked = inputs(&["a", "b", "c"]);
    asked.members.push(check("tests"));
    let house = House::new(but(&[("tests", Does::Finds(CheckResult::Failed, "error at src/main.rs:2"))]));
    let (run, state) = house.run(asked).await;
    let events = house.events(&run).await;
    assert_eq!(kinds(&events)[10..], ["step_started", "step_finished", "evidence_recorded", "decided"]);
    assert!(matches!(&events[10], Event::StepStarted { prompt: None, .. }));
    assert_eq!(state.decision.unwrap().checks[0].result, "failed");
    house.check(&run).await;
}

#[derive(Default)]
struct Watcher(Mutex<Vec<String>>);

impl Observer for Watcher {
    fn begun(&self, run: &RunId) {
        self.0.lock().unwrap().push(format!("begun {}", run.short()));
    }

    fn event(&self, event: &Stamped, _: &RunState) {
        self.0.lock().unwrap().push(event.event.kind().to_owned());
    }
}

#[tokio::test]
async fn an_observer_sees_each_event_once_and_in_order() {
    let house = House::new(but(&[("a", Does::Fails(Outcome::Auth))]));
    let watcher = Watcher::default();
    let engine = house.engine("one");
    let asked = inputs(&["a", "b", "c", "d"]);
    let (run, _) = house.timed(engine.run(asked, vec![attached()], &watcher, &Cancel::default())).await.unwrap();
    settle().await;
    let seen = watcher.0.lock().unwrap().clone();
    assert_eq!(seen[0], "begun 00000000");
    assert_eq!(seen[1..], kinds(&house.events(&run).await)[1..]);
}

#[tokio::test]
async fn what_is_attached_can_be_read_back() {
    let house = House::new(approves);
    let engine = house.engine("one");
    house.run(inputs(&["a"])).await;
    assert_eq!(engine.blob(attached().hash).await.unwrap().unwrap(), FILE.as_bytes());
    assert_eq!(engine.runs(5).await.unwrap().len(), 1);
}
