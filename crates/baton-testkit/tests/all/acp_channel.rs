//! The channel of the Agent Client Protocol against every way in which the fake agent behaves.

use baton_core::outcome::{Deadline, Outcome};
use baton_core::units::Usage;
use baton_port::{Availability, Progress};
use baton_testkit::fake_agent::{AcpMode, Script};

use crate::place::on_runtime;
use crate::stage::{IDLE, KEY, PROMPT, Stage, member};

fn seat(mode: AcpMode) -> Stage {
    let settings = [
        ("program", "agent"),
        ("arg.0", "--acp"),
        ("arg.1", "--model={model}"),
        ("arg.2", "--effort={effort}"),
        ("error_texts", "Error: Authentication failed\nInfo: *Retrying"),
        ("retry_texts", "failed with status"),
    ];
    Stage::new(member("acp", &settings), "agent", Script { acp: mode, bytes: 300_000, ..Script::default() })
}

/// What each way to behave must end in. No wildcard: a new one must be decided here.
fn expected(mode: AcpMode) -> Outcome {
    match mode {
        AcpMode::Answer
        | AcpMode::AsksPermission
        | AcpMode::AsksWithoutReject
        | AcpMode::Garbage
        | AcpMode::CannotLoad
        | AcpMode::StaysAtTheEnd => Outcome::Ok,
        AcpMode::ErrorAsAnswer | AcpMode::AuthRequired => Outcome::Auth,
        AcpMode::RetryAsAnswer | AcpMode::RpcError | AcpMode::RetriesOnStderr => {
            Outcome::RateLimited { retry_after_ms: None }
        }
        AcpMode::Hangs | AcpMode::HangsForever => Outcome::TimedOut { deadline: Deadline::Idle },
        AcpMode::Silent => Outcome::TimedOut { deadline: Deadline::FirstEvent },
        AcpMode::CrashesInAnswer | AcpMode::MaxTokens => Outcome::Partial,
        AcpMode::CrashesAtOnce | AcpMode::CancelsItself => Outcome::Crashed,
        AcpMode::OnlyGarbage | AcpMode::OtherVersion => Outcome::Unreadable,
        AcpMode::HugeChunk => Outcome::TooMuchOutput,
        AcpMode::Refuses => Outcome::Refused,
        AcpMode::Empty => Outcome::Empty,
    }
}

#[test]
fn every_behaviour_ends_in_its_class_and_leaves_nobody() {
    for mode in AcpMode::ALL {
        seat(mode).must_end_in(&expected(mode), IDLE, &mode);
    }
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    let stage = seat(AcpMode::Answer);
    let turn = stage.turn();
    let tokens = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 20, reported_cost: None };
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), Some(tokens)));
    assert_eq!(turn.provenance.session.as_deref(), Some(stage.script.session.as_str()));
    assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
    assert!(turn.provenance.program.is_some_and(|program| program.ends_with("/agent")));
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.lines().count() == 5 && !turn.transcript.cut, "{transcript}");
}

#[test]
fn the_agent_gets_the_prompt_by_its_input_and_a_small_environment() {
    let stage = seat(AcpMode::Answer).set("key_env", KEY.0);
    stage.turn();
    let start = stage.place.record().pop().unwrap();
    assert_eq!(start.arguments[1..], ["--acp", "--model=small"], "what the seat does not have is left out");
    assert_eq!(start.directory, stage.place.root().canonicalize().unwrap());
    assert_eq!(start.environment["BATON_DEPTH"], "1");
    assert!(!start.environment.contains_key(KEY.0));
    assert_ne!(start.environment["TMPDIR"], start.environment["HOME"]);
    let sent = stage.sent();
    let methods = ["initialize", "session/new", "session/prompt"];
    assert_eq!(sent.lines().count(), methods.len());
    for (line, method) in sent.lines().zip(methods) {
        assert!(line.contains(&format!("\"method\":\"{method}\"")), "{line}");
    }
    assert!(sent.contains(PROMPT) && sent.contains(&format!("\"cwd\":\"{}\"", stage.place.root().display())));
    let stage = stage.set("api_key", "pass");
    stage.turn();
    assert_eq!(stage.place.record().pop().unwrap().environment[KEY.0], KEY.1);
}

#[test]
fn whoever_asks_for_a_permission_is_told_no() {
    assert_eq!(seat(AcpMode::AsksPermission).turn().text.as_deref(), Some("Told no and -32601."));
    assert_eq!(seat(AcpMode::AsksWithoutReject).turn().text.as_deref(), Some("Told cancelled and -32601."));
}

#[test]
fn tools_are_told_and_the_text_before_them_is_no_answer() {
    let stage = seat(AcpMode::AsksPermission);
    let seen = stage.signs();
    assert_eq!(seen[..2], [Progress::Started, Progress::Thinking]);
    assert!(seen.contains(&Progress::Doing("uses notes.md".to_owned())), "{seen:?}");
}

#[test]
fn model_and_mode_are_chosen_in_the_session() {
    let stage = seat(AcpMode::Answer).set("model_via", "session").set("mode", "plan").set("login", "key");
    assert_eq!(stage.turn().outcome, Outcome::Ok);
    let sent = stage.sent();
    let lines: Vec<&str> = sent.lines().collect();
    assert!(lines[1].contains(r#""method":"authenticate","params":{"methodId":"key"}"#), "{sent}");
    assert!(lines[3].contains(r#""session/set_model""#) && lines[3].contains(r#""modelId":"small""#), "{sent}");
    assert!(lines[4].contains(r#""session/set_mode""#) && lines[4].contains(r#""modeId":"plan""#), "{sent}");
    assert!(lines[5].contains(r#""session/prompt""#), "{sent}");
}

#[test]
fn a_loaded_session_tells_its_past_and_only_the_new_answer_counts() {
    let stage = seat(AcpMode::Answer);
    let id = stage.script.session.clone();
    let turn = stage.resumed(&id);
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")));
    assert!(String::from_utf8_lossy(&turn.transcript.bytes).contains("An earlier answer."));
    assert!(stage.sent().contains("session/load") && !stage.sent().contains("session/new"));
}

#[test]
fn a_session_that_is_lost_is_not_a_new_one() {
    let stage = seat(AcpMode::Answer);
    let turn = stage.resumed("another");
    assert_eq!((turn.outcome, turn.text), (Outcome::SessionNotFound, None));
    assert_eq!(turn.detail, "Internal error: Invalid session identifier");
    assert!(!stage.sent().contains(PROMPT));
    let stage = seat(AcpMode::CannotLoad);
    assert_eq!(stage.resumed(&stage.script.session).outcome, Outcome::SessionNotFound);
    assert!(!stage.sent().contains("session/"));
}

#[test]
fn sums_over_a_session_are_no_numbers_of_a_later_turn() {
    let stage = seat(AcpMode::Answer).set("usage", "session");
    assert_eq!(stage.turn().usage.map(|usage| usage.input_tokens), Some(100));
    assert_eq!(stage.resumed(&stage.script.session).usage, None);
}

#[test]
fn a_wish_to_stop_is_told_to_the_agent_first() {
    let stage = seat(AcpMode::Hangs);
    let (turn, _) = stage.must_stop_at(Progress::Thinking);
    assert_eq!(turn.usage.map(|usage| usage.output_tokens), Some(20), "what was used until then");
    assert!(stage.sent().lines().last().unwrap().contains("session/cancel"));
}

#[test]
fn an_agent_that_does_not_hear_it_is_ended() {
    seat(AcpMode::HangsForever).must_stop_at(Progress::Thinking);
}

#[test]
fn a_probe_tells_the_version_or_what_is_missing() {
    let stage = seat(AcpMode::Answer);
    let Availability::Ready { version } = on_runtime(stage.channel().probe()) else { panic!("not ready") };
    assert!(version.is_some());
    let stage = seat(AcpMode::Answer).set("program", "no-such-program");
    let Availability::NotReady { because, .. } = on_runtime(stage.channel().probe()) else { panic!("ready") };
    assert_eq!(because, "the program `no-such-program` is not on the PATH");
    assert_eq!(stage.turn().outcome, Outcome::NotInstalled);
}
