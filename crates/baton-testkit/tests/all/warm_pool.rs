//! The pool: what is kept, for how long, within which bounds.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_members::warm::{Limits, Pool};
use baton_port::{Cancel, Deadlines, Exchange, Progress, SessionUse, TurnRequest};
use baton_testkit::fake_agent::Later;

use crate::place::{on_runtime, wait_for};
use crate::stage::{PATIENT, Stage, Watcher};
use crate::warm_support::{KINDS, Kind, ask, seat};

fn unbounded() -> Limits {
    Limits { start_bytes: 0, spare_bytes: 0, process_bytes: 0, ..Limits::default() }
}

/// A claude seat with sessions of any name, for it takes the caller's id.
fn in_session(stage: &Stage, id: &str) -> TurnRequest {
    stage.question("Which one?", SessionUse::New { id: id.to_owned() })
}

#[test]
fn turns_without_a_session_and_seats_without_the_setting_are_one_process_each() {
    for kind in KINDS {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Answers), Pool::default());
            let turn = ask(&stage.pooled(&pool), stage.question("A question.", SessionUse::None)).await;
            assert_eq!((turn.outcome, pool.resting(), pool.running()), (Outcome::Ok, 0, 0), "{kind:?}");
            let stage = seat(kind, Later::Answers).set("keep_warm", "0");
            assert_eq!(ask(&stage.pooled(&pool), stage.first()).await.outcome, Outcome::Ok, "{kind:?}");
            assert_eq!((pool.resting(), stage.place.survivors()), (0, vec![]), "{kind:?}");
            let (stage, pool) = (seat(kind, Later::Answers), Pool::new(Limits { most: 0, ..unbounded() }));
            assert_eq!(ask(&stage.pooled(&pool), stage.first()).await.outcome, Outcome::Ok, "{kind:?}");
            assert_eq!((pool.resting(), stage.place.survivors()), (0, vec![]), "{kind:?}");
        });
    }
}

#[test]
fn who_rested_long_enough_is_ended() {
    for kind in KINDS {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Answers).set("keep_warm", "1s"), Pool::default());
            let channel = stage.pooled(&pool);
            assert_eq!(ask(&channel, stage.first()).await.outcome, Outcome::Ok);
            wait_for(|| pool.resting() == 0, || format!("{kind:?} still rests")).await;
            stage.place.wait_until_empty().await;
            assert_eq!(ask(&channel, stage.second()).await.outcome, Outcome::Ok);
            assert_eq!(stage.starts().len(), 2);
            pool.close().await;
        });
    }
}

#[test]
fn the_least_recently_used_makes_room() {
    on_runtime(async {
        let (stage, pool) = (seat(Kind::Claude, Later::Answers), Pool::new(Limits { most: 2, ..unbounded() }));
        let channel = stage.pooled(&pool);
        let answered = Exchange { prompt: "Which one?".into(), answer: stage.script.answer.clone() };
        for id in ["one", "two"] {
            ask(&channel, in_session(&stage, id)).await;
        }
        let again = TurnRequest {
            history: vec![answered],
            ..stage.question("Which one?", SessionUse::Resume { id: "one".into() })
        };
        ask(&channel, again).await;
        ask(&channel, in_session(&stage, "three")).await;
        assert_eq!(pool.resting(), 2);
        wait_for(|| stage.place.survivors().iter().all(|(_, line)| !line.contains("=two")), || "two".into()).await;
        let left: Vec<String> = stage.place.survivors().into_iter().map(|(_, line)| line).collect();
        let has = |id: &str| left.iter().any(|line| line.contains(&format!("--session-id={id}")));
        assert!(has("one") && has("three"), "{left:?}");
        pool.close().await;
        assert_eq!(stage.place.survivors(), []);
    });
}

#[test]
fn a_session_that_went_on_elsewhere_is_resumed_anew() {
    let said = |prompt: &str, answer: &str| Exchange { prompt: prompt.into(), answer: answer.into() };
    let first = said("The first question.", "The change is correct.");
    let elsewhere = said("Asked elsewhere.", "Answered elsewhere.");
    let histories =
        [vec![], vec![first.clone(), elsewhere.clone()], vec![elsewhere.clone(), first.clone()], vec![elsewhere]];
    for history in histories {
        on_runtime(async {
            let (stage, pool) = (seat(Kind::Claude, Later::Answers), Pool::default());
            let channel = stage.pooled(&pool);
            ask(&channel, stage.first()).await;
            let second = ask(&channel, TurnRequest { history, ..stage.second() }).await;
            assert_eq!((second.outcome, stage.starts().len(), pool.resting()), (Outcome::Ok, 2, 1));
            assert_eq!(pool.running(), 1, "the older one was ended first");
            pool.close().await;
        });
    }
}

#[test]
fn two_turns_of_one_session_at_once_keep_none() {
    on_runtime(async {
        let (stage, pool) = (seat(Kind::Claude, Later::Answers), Pool::default());
        let channel = stage.pooled(&pool);
        let (one, two) = tokio::join!(ask(&channel, stage.first()), ask(&channel, stage.first()));
        assert_eq!((one.outcome, two.outcome, pool.resting()), (Outcome::Ok, Outcome::Ok, 0));
        assert_eq!(stage.place.survivors(), []);
        assert_eq!(ask(&channel, stage.second()).await.outcome, Outcome::Ok);
        assert_eq!(pool.resting(), 1, "it is forgotten afterwards");
        pool.close().await;
    });
}

#[test]
fn a_session_that_ends_takes_its_process_along() {
    on_runtime(async {
        let (stage, pool) = (seat(Kind::Codex, Later::Answers), Pool::default());
        ask(&stage.pooled(&pool), stage.first()).await;
        pool.end_session("seat", "another").await;
        assert_eq!(pool.resting(), 1);
        pool.end_session("seat", &stage.script.session).await;
        assert_eq!((pool.resting(), pool.running(), stage.place.survivors()), (0, 0, vec![]));
    });
}

#[test]
fn closing_ends_who_is_asked_and_starts_nobody_any_more() {
    for kind in KINDS {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Hangs), Pool::default());
            let channel = stage.pooled(&pool);
            ask(&channel, stage.first()).await;
            let seen = Cancel::default();
            let progress = Watcher::stopping_at(Progress::Thinking, &seen);
            let asked = ask(&channel, TurnRequest { progress, ..stage.second() });
            let closed = async {
                seen.requested().await;
                pool.close().await;
                stage.place.survivors()
            };
            let (turn, survivors) = tokio::join!(asked, closed);
            assert_eq!((turn.outcome, survivors), (Outcome::Cancelled, vec![]), "{kind:?}: {}", turn.detail);
            assert_eq!(ask(&channel, stage.second()).await.outcome, Outcome::Cancelled, "{kind:?}");
            assert_eq!(stage.starts().len(), 1, "{kind:?}");
        });
    }
}

#[test]
fn dropping_the_pool_or_a_turn_ends_their_processes() {
    on_runtime(async {
        let (stage, pool) = (seat(Kind::Acp, Later::Hangs), Pool::default());
        let channel = stage.pooled(&pool);
        ask(&channel, stage.first()).await;
        let cancel = Cancel::default();
        let request = TurnRequest { progress: Watcher::stopping_at(Progress::Thinking, &cancel), ..stage.second() };
        tokio::select! {
            _ = channel.turn(&request) => panic!("hangs"),
            () = cancel.requested() => {}
        }
        stage.place.wait_until_empty().await;
        drop(channel);
        let stage = seat(Kind::Claude, Later::Answers);
        let channel = stage.pooled(&pool);
        ask(&channel, stage.first()).await;
        assert_eq!(pool.resting(), 1);
        drop((channel, pool));
        stage.place.wait_until_empty().await;
    });
}

#[test]
fn a_process_that_grew_too_large_is_not_kept() {
    on_runtime(async {
        let limits = Limits { process_bytes: 1, ..unbounded() };
        let (stage, pool) = (seat(Kind::Codex, Later::Answers), Pool::new(limits));
        assert_eq!(ask(&stage.pooled(&pool), stage.first()).await.outcome, Outcome::Ok);
        let is_known = cfg!(target_os = "linux");
        assert_eq!((pool.resting() == 0, stage.place.survivors().is_empty()), (is_known, is_known));
        pool.close().await;
    });
}

/// A pool on a machine whose free memory the test sets.
fn pool_with(free: &Arc<AtomicU64>) -> Pool {
    let free = free.clone();
    Pool::with_memory(Limits::default(), Arc::new(move || Some(free.load(Ordering::Relaxed))))
}

const PLENTY: u64 = 16 << 30;
const LITTLE: u64 = 100 << 20;

#[test]
fn without_memory_nothing_is_started() {
    for kind in KINDS {
        on_runtime(async {
            let free = Arc::new(AtomicU64::new(LITTLE));
            let (stage, pool) = (seat(kind, Later::Answers), pool_with(&free));
            let channel = stage.pooled(&pool);
            for request in [stage.first(), stage.question("A question.", SessionUse::None)] {
                let turn = ask(&channel, request).await;
                assert_eq!(turn.outcome, Outcome::Overloaded, "{kind:?}");
                assert_eq!(turn.detail, "not enough memory to start a program: 100 MiB are free, 500 are needed");
            }
            assert_eq!((stage.starts(), pool.running()), (vec![], 0), "{kind:?}");
            free.store(PLENTY, Ordering::Relaxed);
            assert_eq!(ask(&channel, stage.first()).await.outcome, Outcome::Ok, "{kind:?}");
            free.store(LITTLE, Ordering::Relaxed);
            assert_eq!(ask(&channel, stage.second()).await.outcome, Outcome::Ok, "{kind:?}: it runs already");
            assert_eq!((pool.resting(), stage.place.survivors()), (0, vec![]), "{kind:?}: and is not kept");
        });
    }
}

#[test]
fn who_rests_makes_room_for_who_starts() {
    on_runtime(async {
        let free = Arc::new(AtomicU64::new(PLENTY));
        let (stage, pool) = (seat(Kind::Claude, Later::Answers), pool_with(&free));
        let channel = stage.pooled(&pool);
        ask(&channel, in_session(&stage, "one")).await;
        free.store(LITTLE, Ordering::Relaxed);
        let room = async {
            stage.place.wait_until_empty().await;
            free.store(PLENTY, Ordering::Relaxed);
        };
        let (turn, ()) = tokio::join!(ask(&channel, in_session(&stage, "two")), room);
        assert_eq!((turn.outcome, pool.resting(), pool.running()), (Outcome::Ok, 1, 1));
        pool.close().await;
    });
}

#[test]
fn a_start_waits_for_the_end_of_another_and_not_for_ever() {
    on_runtime(async {
        let free = Arc::new(AtomicU64::new(PLENTY));
        let (stage, pool) = (seat(Kind::Acp, Later::Hangs), pool_with(&free));
        let channel = stage.pooled(&pool);
        ask(&channel, stage.first()).await;
        let (seen, stop) = (Cancel::default(), Cancel::default());
        let progress = Watcher::stopping_at(Progress::Thinking, &seen);
        let asked = ask(&channel, TurnRequest { progress, cancel: stop.clone(), ..stage.second() });
        let others = async {
            seen.requested().await;
            free.store(LITTLE, Ordering::Relaxed);
            let another = || stage.question("A question.", SessionUse::None);
            let deadlines = Deadlines { first_event: Duration::from_millis(50), ..PATIENT };
            let late = ask(&channel, TurnRequest { deadlines, ..another() }).await;
            assert_eq!(late.outcome, Outcome::TimedOut { deadline: Deadline::FirstEvent }, "{}", late.detail);
            let cancel = Cancel::default();
            cancel.request();
            assert_eq!(ask(&channel, TurnRequest { cancel, ..another() }).await.outcome, Outcome::Cancelled);
            free.store(PLENTY, Ordering::Relaxed);
            stop.request();
            ask(&channel, another()).await
        };
        let (turn, after) = tokio::join!(asked, others);
        assert_eq!((turn.outcome, after.outcome, pool.running()), (Outcome::Cancelled, Outcome::Ok, 0));
    });
}
