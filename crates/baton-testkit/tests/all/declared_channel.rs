//! Declared programs, as the catalogue describes them, against every fault of the fake agent.

use std::os::unix::fs::PermissionsExt;

use baton_core::member::Member;
use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Availability, Caps, Exchange, SessionUse, TurnRequest};
use baton_testkit::fake_agent::{Mode, Script};
use serde::Deserialize;

use crate::place::{on_runtime, prompt};
use crate::stage::{SHORT, Stage};

#[derive(Deserialize)]
struct Catalogue {
    member: Vec<Member>,
}

/// A declared member of the catalogue in front of the program that it names.
fn seat(id: &str) -> Stage {
    let catalogue: Catalogue = toml::from_str(include_str!("../../../../catalog/members.toml")).unwrap();
    let member = catalogue.member.into_iter().find(|member| member.id.as_str() == id).unwrap();
    let program = member.channel.settings["program"].clone();
    let caps = Caps { total: 2 << 20, line: 1 << 20 };
    let prompt = String::from_utf8(prompt()).unwrap();
    Stage { prompt, caps, ..Stage::new(member, &program, Script::default()) }
}

/// How a kind of program differs from the others where it fails.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// One document at the end.
    Document,
    /// Events, the answer in one before the last.
    Events,
    /// Events, the answer in the last one.
    AnswerLast,
    /// Plain text.
    Text,
}

fn limited(seconds: Option<u64>) -> Outcome {
    Outcome::RateLimited { retry_after_ms: seconds.map(|seconds| seconds * 1_000) }
}

/// What each way to behave must end in. No wildcard: a new one must be decided here.
fn expected(mode: Mode, shape: Shape) -> Outcome {
    let is_text = shape == Shape::Text;
    let timed_out = |deadline| Outcome::TimedOut { deadline };
    match mode {
        Mode::Answer
        | Mode::NeverReadsStdin
        | Mode::StderrFlood
        | Mode::GrandchildHoldsPipe
        | Mode::Daemonises
        | Mode::InvalidUtf8
        | Mode::NulBytes
        | Mode::Banner
        | Mode::WritesOutside => Outcome::Ok,
        Mode::AnswerThenExitOne if is_text => Outcome::Partial,
        Mode::StaysAfterAnswer if is_text => timed_out(Deadline::Idle),
        Mode::AnswerThenExitOne | Mode::StaysAfterAnswer => Outcome::Ok,
        Mode::EmptyOutput | Mode::ExitsAtOnce if is_text => Outcome::Empty,
        // The one line of the answer is its tail.
        Mode::LosesTail if is_text => Outcome::Empty,
        Mode::HalfLine if is_text => Outcome::Ok,
        Mode::Segfault | Mode::KillsItself if is_text => Outcome::Partial,
        Mode::HalfLine if shape == Shape::Document => Outcome::Unreadable,
        Mode::LosesTail if shape == Shape::Events => Outcome::Partial,
        Mode::EmptyOutput
        | Mode::ExitsAtOnce
        | Mode::LosesTail
        | Mode::HalfLine
        | Mode::Segfault
        | Mode::KillsItself => Outcome::Crashed,
        Mode::ErrorAsAnswer => limited(None),
        Mode::LongLine | Mode::StdoutFlood | Mode::AnsiFlood => Outcome::TooMuchOutput,
        Mode::SilentForever => timed_out(Deadline::FirstEvent),
        // Nothing tells a sign of life from an answer there, so only the total ends it.
        Mode::KeepAliveForever | Mode::RetriesForever if is_text => timed_out(Deadline::Total),
        Mode::ClosesStdout
        | Mode::IgnoresTerm
        | Mode::ManyChildren
        | Mode::SilentAfterFirst
        | Mode::KeepAliveForever
        | Mode::UpdatePrompt => timed_out(Deadline::Idle),
        Mode::AuthError => Outcome::Auth,
        Mode::RateLimited => limited(Some(3_600)),
        Mode::Overloaded => Outcome::Overloaded,
        Mode::RetriesForever => limited(None),
        Mode::ContextTooLong => Outcome::ContextTooLong,
        Mode::SessionNotFound => Outcome::SessionNotFound,
        Mode::UntrustedDirectory => Outcome::UntrustedDirectory,
    }
}

fn check(seat: impl Fn() -> Stage, shape: Shape) {
    for mode in Mode::ALL {
        let mut stage = seat();
        let outside = Some(stage.place.root().join("outside"));
        stage.script = Script { bytes: 6_000_000, outside, ..Script::of(mode) };
        stage.must_end_in(&expected(mode, shape), SHORT, &mode);
    }
}

#[test]
fn gemini_ends_every_fault_in_its_class_and_leaves_nobody() {
    check(|| seat("gemini-cli"), Shape::Document);
}

#[test]
fn copilot_ends_every_fault_in_its_class_and_leaves_nobody() {
    check(|| seat("copilot"), Shape::Events);
}

#[test]
fn cursor_ends_every_fault_in_its_class_and_leaves_nobody() {
    check(|| seat("cursor"), Shape::AnswerLast);
}

#[test]
fn qwen_ends_every_fault_in_its_class_and_leaves_nobody() {
    check(|| seat("qwen-code"), Shape::AnswerLast);
}

#[test]
fn plain_text_ends_every_fault_in_its_class_and_leaves_nobody() {
    let declared = || seat("antigravity").set("outcome.untrusted_directory", "is not trusted");
    check(declared, Shape::Text);
}

/// The same program in its other format, declared by other settings alone.
#[test]
fn gemini_can_be_declared_with_events_too() {
    let declared = || {
        seat("gemini-cli")
            .set("arg.1", "--output-format=stream-json")
            .set("output", "jsonl")
            .set("text", "content")
            .set("text_event", "type=message & role=assistant")
            .set("text_mode", "concat")
            .set("done_event", "type=result & status=success")
            .set("error_event", "type=result & status!=success")
            .set("keep_alive_event", "type=error")
    };
    check(declared, Shape::Events);
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    for (id, input, model) in [
        ("gemini-cli", Some(100), None),
        ("copilot", None, Some("fake-model-1")),
        ("cursor", None, Some("fake-model-1")),
        ("qwen-code", Some(100), Some("fake-model-1")),
    ] {
        let stage = seat(id);
        let turn = stage.turn();
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")), "{id}");
        assert_eq!(turn.usage.map(|usage| usage.input_tokens), input, "{id}");
        assert_eq!(turn.provenance.model.as_deref(), model, "{id}");
        assert_eq!(turn.provenance.session, Some(stage.script.session.clone()), "{id}");
        let starts = stage.place.record();
        let [start] = starts.as_slice() else { panic!("{starts:?}") };
        assert_eq!(start.stdin.as_deref().map(str::as_bytes), Some(prompt().as_slice()), "{id}");
        assert_ne!(start.environment["TMPDIR"], start.environment["HOME"], "{id}");
    }
}

#[test]
fn a_session_begins_and_goes_on_under_one_id() {
    // The last one chooses its ids itself.
    for (id, takes_ours) in [("gemini-cli", true), ("copilot", true), ("qwen-code", false)] {
        let stage = seat(id);
        let channel = stage.channel();
        let ask = |session, history| on_runtime(channel.turn(&TurnRequest { session, history, ..stage.request() }));
        let begun = ask(SessionUse::New { id: "one-1".into() }, vec![]);
        let session = begun.provenance.session.unwrap();
        assert_eq!((begun.outcome, session == "one-1"), (Outcome::Ok, takes_ours), "{id}");
        let history = vec![Exchange { prompt: "old".into(), answer: "older".into() }];
        let gone_on = ask(SessionUse::Resume { id: session.clone() }, history);
        assert_eq!((gone_on.outcome, gone_on.provenance.session), (Outcome::Ok, Some(session)), "{id}");
        assert!(stage.place.record().iter().all(|start| start.stdin.as_deref().map(str::len) == Some(prompt().len())));
    }
}

#[test]
fn a_prompt_file_is_private_and_goes_away() {
    let stage = seat("antigravity").set("prompt", "file").set("arg.2", "--prompt-file={prompt_file}");
    let turn = stage.turn();
    assert_eq!(turn.outcome, Outcome::Ok, "{}", turn.detail);
    let starts = stage.place.record();
    let [start] = starts.as_slice() else { panic!("{starts:?}") };
    assert_eq!((start.stdin.as_deref(), start.violations.len()), (Some(""), 0));
    let path = start.arguments[2].strip_prefix("--prompt-file=").unwrap();
    assert!(path.starts_with(&start.environment["TMPDIR"]) && !std::path::Path::new(path).exists(), "{path}");
    // A program of ours tells the rights and the bytes of the file that it was given.
    let script = stage.place.root().join("teller");
    std::fs::write(&script, "#!/bin/sh\nstat -c %a \"$2\"; wc -c < \"$2\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let stage =
        stage.set("program", script.to_str().unwrap()).set("arg.2", "{prompt_file}").set("env.PATH", "/usr/bin:/bin");
    let told = stage.turn().text.unwrap();
    assert_eq!(told.split_whitespace().collect::<Vec<_>>(), ["600", &prompt().len().to_string()]);
}

#[test]
fn an_old_program_is_not_asked() {
    let version = Some("0.61.0".to_owned());
    let stage = seat("gemini-cli");
    assert_eq!(on_runtime(stage.channel().probe()), Availability::Ready { version });
    let stage = stage.set("min_version", "0.62");
    let Availability::NotReady { because, .. } = on_runtime(stage.channel().probe()) else { panic!("ready") };
    assert!(because.contains("0.61.0 is older than 0.62"), "{because}");
    let stage = stage.set("min_version", "0.9.1").set("version_arg", "-V");
    assert!(matches!(on_runtime(stage.channel().probe()), Availability::Ready { .. }));
    assert_eq!(stage.place.record().last().unwrap().arguments[1], "-V");
}
