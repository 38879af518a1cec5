//! Each program that can stay, in every way in which the fake fails in a later turn.

use std::time::Duration;

use baton_core::member::Effort;
use baton_core::outcome::{Deadline, Outcome};
use baton_members::warm::Pool;
use baton_port::{Cancel, Deadlines, Progress, SessionUse, TurnRequest};
use baton_testkit::fake_agent::Later;

use crate::place::on_runtime;
use crate::stage::{PATIENT, Watcher};
use crate::warm_support::{KINDS, Kind, ask, seat};

const FIRST: &str = "The first question.";
const SECOND: &str = "The second question.";

/// What the second turn must end in, and what each start was asked. No wildcard: a new fault must be decided here.
fn expected(kind: Kind, later: Later) -> (Outcome, &'static [&'static [&'static str]]) {
    const ONE: &[&[&str]] = &[&[FIRST, SECOND]];
    const TWO: &[&[&str]] = &[&[FIRST], &[SECOND]];
    match later {
        Later::Answers | Later::Garbage | Later::StaysAtTheEnd => (Outcome::Ok, ONE),
        Later::DiesBetween | Later::FloodsBetween => (Outcome::Ok, TWO),
        Later::DiesWhenAsked => (Outcome::Crashed, ONE),
        Later::DiesInAnswer => (Outcome::Partial, ONE),
        Later::Hangs => (Outcome::TimedOut { deadline: Deadline::Idle }, ONE),
        Later::Floods => (Outcome::TooMuchOutput, ONE),
        Later::WrongId if kind == Kind::Claude => (Outcome::Unreadable, ONE),
        Later::WrongId => (Outcome::TimedOut { deadline: Deadline::Idle }, ONE),
        Later::Fails => {
            let retry_after_ms = (kind == Kind::Claude).then_some(3_600_000);
            (Outcome::RateLimited { retry_after_ms }, ONE)
        }
    }
}

#[test]
fn every_fault_of_a_later_turn_ends_in_its_class_and_leaves_nobody() {
    for kind in KINDS {
        for later in Later::ALL {
            on_runtime(second_turn(kind, later));
        }
    }
}

async fn second_turn(kind: Kind, later: Later) {
    let (outcome, asked) = expected(kind, later);
    let (stage, pool) = (seat(kind, later), Pool::default());
    let channel = stage.pooled(&pool);
    let first = ask(&channel, stage.first()).await;
    assert_eq!(first.outcome, Outcome::Ok, "{kind:?} {later:?}: {}", first.detail);
    if asked.len() == 2 {
        stage.place.wait_until_empty().await;
    } else {
        assert_eq!((pool.resting(), pool.running()), (1, 1), "{kind:?} {later:?}");
    }
    // Short only where it is waited for: a slow start is no fault.
    let idle = if matches!(outcome, Outcome::TimedOut { .. }) { Duration::from_millis(300) } else { PATIENT.idle };
    let second = ask(&channel, TurnRequest { deadlines: Deadlines { idle, ..PATIENT }, ..stage.second() }).await;
    assert_eq!(second.outcome, outcome, "{kind:?} {later:?}: {}", second.detail);
    assert_eq!(stage.asked(), asked, "{kind:?} {later:?}");
    assert_eq!(stage.violations(), [] as [String; 0], "{kind:?} {later:?}");
    assert_eq!(second.detail.is_empty(), outcome.is_ok(), "{kind:?} {later:?}: {}", second.detail);
    let text = second.text.as_deref();
    match &outcome {
        Outcome::Ok => assert_eq!(text, Some(stage.script.answer.as_str()), "{kind:?} {later:?}"),
        Outcome::Partial => assert_eq!(text, Some("The change"), "{kind:?} {later:?}"),
        _ => assert_eq!(text, None, "{kind:?} {later:?}"),
    }
    // A second process does the same as the first one.
    if asked.len() == 1 {
        let left = usize::from(outcome.is_ok());
        assert_eq!(pool.resting(), left, "{kind:?} {later:?}");
        assert_eq!(stage.place.survivors().is_empty(), left == 0, "{kind:?} {later:?}: {:?}", stage.place.survivors());
    }
    pool.close().await;
    assert_eq!((pool.resting(), pool.running()), (0, 0), "{kind:?} {later:?}");
    assert_eq!(stage.place.survivors(), [], "{kind:?} {later:?}");
    let left = std::fs::read_dir(stage.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
    let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("baton-")).collect();
    assert!(left.is_empty(), "{kind:?} {later:?}: {left:?}");
}

#[test]
fn numbers_and_transcripts_are_each_turns_own() {
    for kind in KINDS {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Answers), Pool::default());
            let channel = stage.pooled(&pool);
            let first = ask(&channel, stage.first()).await;
            let second = ask(&channel, stage.second()).await;
            for turn in [&first, &second] {
                let usage = turn.usage.expect("is told");
                assert_eq!((usage.input_tokens, usage.output_tokens), (100, 20), "{kind:?}");
                assert_eq!(turn.provenance.session.as_deref(), Some(stage.script.session.as_str()), "{kind:?}");
                assert!(turn.provenance.program_version.is_some() && turn.provenance.program.is_some(), "{kind:?}");
                let transcript = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
                assert_eq!(transcript.matches("is correct.").count().min(1), 1, "{kind:?}: {transcript}");
            }
            let second = String::from_utf8_lossy(&second.transcript.bytes).into_owned();
            assert!(!second.contains("The first question."), "{kind:?}: {second}");
            pool.close().await;
        });
    }
}

#[test]
fn a_session_is_resumed_by_a_new_process_and_its_first_turn_has_its_numbers_where_they_are_told() {
    for kind in KINDS {
        on_runtime(async {
            let stage = seat(kind, Later::Answers);
            for request in [stage.first(), stage.second()] {
                let pool = Pool::default();
                let turn = ask(&stage.pooled(&pool), request).await;
                assert_eq!((&turn.outcome, turn.usage.is_some()), (&Outcome::Ok, true), "{kind:?}");
                pool.close().await;
            }
            assert_eq!(stage.asked(), [[FIRST], [SECOND]], "{kind:?}");
            let resumes = stage.starts()[1].arguments.iter().any(|argument| argument.starts_with("--resume="));
            assert_eq!(resumes, kind == Kind::Claude);
        });
    }
}

#[test]
fn a_lost_session_is_said_to_be_lost() {
    for kind in [Kind::Codex, Kind::Acp] {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Answers), Pool::default());
            let session = SessionUse::Resume { id: "another".to_owned() };
            let turn = ask(&stage.pooled(&pool), stage.question(SECOND, session)).await;
            assert_eq!((turn.outcome, pool.resting()), (Outcome::SessionNotFound, 0), "{kind:?} {}", turn.detail);
            assert_eq!((stage.asked(), stage.place.survivors()), (vec![vec![]], vec![]), "{kind:?}: not even asked");
        });
    }
}

#[test]
fn a_cancelled_turn_ends_its_process() {
    for kind in KINDS {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Hangs), Pool::default());
            let channel = stage.pooled(&pool);
            ask(&channel, stage.first()).await;
            let cancel = Cancel::default();
            let progress = Watcher::stopping_at(Progress::Thinking, &cancel);
            let turn = ask(&channel, TurnRequest { cancel, progress, ..stage.second() }).await;
            assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"), "{kind:?}");
            assert_eq!((pool.resting(), stage.place.survivors()), (0, vec![]), "{kind:?}");
        });
    }
}

#[test]
fn the_effort_is_each_turns_own() {
    for kind in [Kind::Claude, Kind::Codex] {
        on_runtime(async {
            let (stage, pool) = (seat(kind, Later::Answers), Pool::default());
            let channel = stage.pooled(&pool);
            ask(&channel, TurnRequest { effort: Some(Effort::Low), ..stage.first() }).await;
            let second = ask(&channel, TurnRequest { effort: Some(Effort::High), ..stage.second() }).await;
            assert_eq!(second.outcome, Outcome::Ok);
            let starts = stage.starts();
            let asked: Vec<&String> = starts.iter().flat_map(|start| &start.asked).collect();
            match kind {
                Kind::Codex => assert_eq!(asked, ["low: The first question.", "high: The second question."]),
                _ => assert!(starts[1].arguments.contains(&"--effort=high".to_owned()), "a new process"),
            }
            assert_eq!(starts.len(), if kind == Kind::Codex { 1 } else { 2 });
            pool.close().await;
        });
    }
}

#[test]
fn codex_is_not_kept_where_there_are_rules_or_a_configuration_to_leave_out() {
    on_runtime(async {
        let (stage, pool) = (seat(Kind::Codex, Later::Answers), Pool::default());
        let without = seat(Kind::Codex, Later::Answers).set("user_config", "ignore");
        std::fs::create_dir_all(stage.place.root().join(".codex/rules")).unwrap();
        std::fs::write(stage.place.root().join(".codex/rules/default.rules"), "").unwrap();
        for stage in [stage, without] {
            let turn = ask(&stage.pooled(&pool), stage.first()).await;
            assert_eq!((turn.outcome, pool.resting()), (Outcome::Ok, 0));
            assert_eq!(stage.starts()[0].arguments[1], "exec");
        }
    });
}
