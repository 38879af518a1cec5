//! Every way a child can misbehave ends in its class, in bounded memory, and leaves nobody behind.

use std::future::pending;
use std::time::Duration;

use baton_process::{Deadline, Ending, Exit, Flow, Launcher, Limits, Line, Overflow, Report};
use baton_testkit::fake_agent::{Mode, Script};
use serde_json::Value;

use crate::place::{Place, limits, on_runtime, with_shim};

/// How a channel for Claude answers lines, in the small.
fn answer(line: Line<'_>) -> Flow {
    let event: Value = serde_json::from_slice(line.bytes).unwrap_or_default();
    match (event["type"].as_str(), event["subtype"].as_str()) {
        (Some("result"), _) => Flow::Finished,
        (Some("assistant"), _) => Flow::Payload,
        (Some("system"), Some("api_retry")) => Flow::Stop,
        _ => Flow::Continue,
    }
}

fn timed_out(which: Deadline) -> Ending {
    Ending::TimedOut { which }
}

/// The ending, and whether the terminal event was seen.
fn expected(mode: Mode) -> (Ending, bool) {
    let exited = |code, finished| (Ending::Exited { code }, finished);
    match mode {
        Mode::Answer | Mode::ErrorAsAnswer | Mode::NeverReadsStdin | Mode::StderrFlood | Mode::Banner => {
            exited(0, true)
        }
        Mode::GrandchildHoldsPipe | Mode::Daemonises | Mode::WritesOutside => exited(0, true),
        Mode::InvalidUtf8 | Mode::NulBytes | Mode::AnsiFlood => exited(0, true),
        Mode::EmptyOutput | Mode::LosesTail | Mode::HalfLine | Mode::ExitsAtOnce => exited(0, false),
        Mode::AnswerThenExitOne => exited(1, true),
        Mode::AuthError | Mode::RateLimited | Mode::Overloaded | Mode::ContextTooLong => exited(1, true),
        Mode::SessionNotFound | Mode::UntrustedDirectory => exited(1, false),
        Mode::Segfault => (Ending::Signalled { signal: 11 }, false),
        Mode::KillsItself => (Ending::Signalled { signal: 9 }, false),
        Mode::LongLine => (Ending::TooMuchOutput { which: Overflow::Line }, false),
        Mode::StdoutFlood => (Ending::TooMuchOutput { which: Overflow::Stdout }, false),
        Mode::SilentForever => (timed_out(Deadline::FirstOutput), false),
        Mode::ClosesStdout | Mode::IgnoresTerm | Mode::ManyChildren => (timed_out(Deadline::Idle), false),
        Mode::SilentAfterFirst | Mode::KeepAliveForever | Mode::UpdatePrompt => (timed_out(Deadline::Idle), false),
        Mode::StaysAfterAnswer => (Ending::Lingered, true),
        Mode::RetriesForever => (Ending::Stopped, false),
    }
}

/// Short clocks only where the fault is that they run out.
fn limits_for(mode: Mode) -> Limits {
    let short = Duration::from_millis(150);
    match expected(mode).0 {
        // Time to write down that TERM came.
        _ if mode == Mode::IgnoresTerm => Limits { idle: short, grace: Duration::from_millis(600), ..limits() },
        Ending::TimedOut { which: Deadline::FirstOutput } => Limits { first_output: short, ..limits() },
        Ending::TimedOut { .. } => Limits { idle: short, ..limits() },
        _ => limits(),
    }
}

fn script_for(mode: Mode, place: &Place) -> Script {
    let bytes = match mode {
        Mode::AnsiFlood => 10_000_000,
        _ => 50_000_000,
    };
    Script { bytes, outside: Some(place.root().join("outside")), ..Script::of(mode) }
}

fn run(launcher: &Launcher, mode: Mode, place: &Place) -> Report {
    let command = place.claude(&script_for(mode, place)).limits(limits_for(mode));
    on_runtime(launcher.run(command, pending(), &mut answer))
}

fn check(mode: Mode, report: &Report, place: &Place) {
    assert_eq!((report.ending.clone(), report.finished), expected(mode), "{mode:?}: {}", report.stderr.text());
    assert!(report.stderr.kept() <= limits().stderr_bytes, "{mode:?}");
    let pid = report.pid.unwrap();
    if mode == Mode::SilentForever {
        // It may be ended before it came to itself.
        return;
    }
    let starts = place.record();
    assert_eq!(starts.iter().map(|start| start.pid).collect::<Vec<_>>(), [pid], "{mode:?}");
    assert_eq!(starts[0].violations, [""; 0], "{mode:?}");
    match mode {
        Mode::StderrFlood => assert_eq!(report.stderr.total(), 50_000_000),
        Mode::HalfLine => assert!(report.ended_mid_line),
        Mode::NeverReadsStdin | Mode::ExitsAtOnce => assert!(!report.stdin_taken),
        Mode::IgnoresTerm => {
            assert_eq!(report.exit, Some(Exit::Signal(9)));
            assert_eq!(starts[0].signals, ["TERM"], "exactly one TERM comes before KILL");
        }
        Mode::WritesOutside => assert!(place.root().join("outside").exists()),
        _ => {}
    }
}

#[test]
fn with_a_shim_every_fault_has_its_class_and_nobody_survives() {
    for mode in Mode::ALL {
        let place = Place::new();
        let report = run(&with_shim(), mode, &place);
        assert_eq!(place.survivors(), [], "{mode:?}");
        check(mode, &report, &place);
    }
}

#[test]
fn without_a_shim_the_classes_are_the_same_and_the_group_does_not_survive() {
    for mode in Mode::ALL {
        let place = Place::new();
        let report = run(&Launcher::without_shim(), mode, &place);
        let survivors = place.survivors();
        let escaped = survivors.iter().filter(|(_, command)| command.contains("__daemon")).count();
        let expected_escapes = match mode {
            Mode::Daemonises => 1,
            Mode::ManyChildren => 10,
            _ => 0,
        };
        assert_eq!((survivors.len(), escaped), (expected_escapes, expected_escapes), "{mode:?}: {survivors:?}");
        check(mode, &report, &place);
    }
}

#[test]
fn there_are_thirty_faults() {
    assert!(Mode::ALL.len() > 30);
    for (index, mode) in Mode::ALL.iter().enumerate() {
        assert!(!Mode::ALL[..index].contains(mode), "{mode:?} is listed twice");
    }
}

#[test]
fn faults_at_the_same_time_do_not_disturb_each_other() {
    let place = Place::new();
    let modes = [Mode::StderrFlood, Mode::Answer, Mode::LongLine, Mode::Banner, Mode::StdoutFlood, Mode::Answer];
    let endings: Vec<(Ending, bool)> = on_runtime(async {
        let mut runs = tokio::task::JoinSet::new();
        for (number, mode) in modes.into_iter().enumerate() {
            let script = script_for(mode, &place);
            let program = place.install(&format!("agent-{number}"), &script);
            let command = place.command(program).env("FAKE_AGENT_AS", "claude");
            runs.spawn(async move {
                let report = with_shim().run(command, pending(), &mut answer).await;
                (number, report.ending, report.finished)
            });
        }
        let mut done = runs.join_all().await;
        done.sort_by_key(|(number, ..)| *number);
        done.into_iter().map(|(_, ending, finished)| (ending, finished)).collect()
    });
    assert_eq!(endings, modes.map(expected));
    assert_eq!(place.survivors(), []);
}
