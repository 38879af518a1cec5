//! Declared programs, as the catalogue describes them, against every fault of the fake agent.

use std::ffi::OsString;
use std::os::unix::fs::PermissionsExt;
use std::sync::Arc;
use std::time::Duration;

use baton_core::member::Member;
use baton_core::outcome::{Deadline, Outcome};
use baton_members::cli::{DeclaredChannel, Environment};
use baton_port::{
    Availability, Cancel, Caps, Channel, Deadlines, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use baton_testkit::fake_agent::{MARKER, Mode, Script};
use serde::Deserialize;

use crate::place::{Place, on_runtime, prompt, with_shim};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };

#[derive(Deserialize)]
struct Catalogue {
    member: Vec<Member>,
}

/// A declared member of the catalogue, and the program that it names.
fn catalogued(id: &str) -> (Member, String) {
    let catalogue: Catalogue = toml::from_str(include_str!("../../../../catalog/members.toml")).unwrap();
    let member = catalogue.member.into_iter().find(|member| member.id.as_str() == id).unwrap();
    let program = member.channel.settings["program"].clone();
    (member, program)
}

struct Seat {
    place: Place,
    member: Member,
    program: String,
    script: Script,
}

impl Seat {
    fn new(id: &str, script: Script) -> Self {
        let (member, program) = catalogued(id);
        Self { place: Place::new(), member, program, script }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.member.channel.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    fn channel(&self) -> DeclaredChannel {
        self.place.install(&self.program, &self.script);
        let mut member = self.member.clone();
        member.channel.settings.insert(format!("env.{MARKER}"), self.place.marker.clone());
        let root = self.place.root().as_os_str().to_owned();
        let variables = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.clone()));
        DeclaredChannel::new(&member, with_shim(), Environment::new(variables)).unwrap()
    }

    fn request(&self) -> TurnRequest {
        TurnRequest {
            prompt: String::from_utf8(prompt()).unwrap(),
            effort: None,
            schema: None,
            session: SessionUse::None,
            history: vec![],
            directory: self.place.root().to_owned(),
            deadlines: PATIENT,
            caps: Caps { total: 2 << 20, line: 1 << 20 },
            cancel: Cancel::default(),
            progress: Arc::new(Silent),
        }
    }

    fn turn(&self, deadlines: Deadlines) -> Turn {
        on_runtime(self.channel().turn(&TurnRequest { deadlines, ..self.request() }))
    }

    fn leftovers(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("baton-")).collect()
    }
}

struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _: Progress) {}
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

fn check(seat: impl Fn() -> Seat, shape: Shape, mode: Mode) {
    let mut seat = seat();
    let outside = Some(seat.place.root().join("outside"));
    seat.script = Script { bytes: 6_000_000, outside, ..Script::of(mode) };
    let outcome = expected(mode, shape);
    let deadlines = match &outcome {
        Outcome::TimedOut { deadline: Deadline::FirstEvent } => Deadlines { first_event: SHORT, ..PATIENT },
        Outcome::TimedOut { deadline: Deadline::Idle } => Deadlines { idle: SHORT, ..PATIENT },
        Outcome::TimedOut { deadline: Deadline::Total } => Deadlines { total: SHORT * 3, ..PATIENT },
        _ => PATIENT,
    };
    let name = seat.member.id.clone();
    let turn = seat.turn(deadlines);
    assert_eq!(turn.outcome, outcome, "{name} {mode:?}: {}", turn.detail);
    assert_eq!(turn.text.is_some(), matches!(outcome, Outcome::Ok | Outcome::Partial), "{name} {mode:?}");
    assert_eq!(turn.detail.is_empty(), outcome.is_ok(), "{name} {mode:?}: {}", turn.detail);
    assert!(!turn.detail.contains("Is this change correct"), "{name} {mode:?}");
    assert_eq!(seat.place.survivors(), [], "{name} {mode:?}");
    assert_eq!(seat.leftovers(), [] as [String; 0], "{name} {mode:?}");
    let violations: Vec<String> = seat.place.record().into_iter().flat_map(|start| start.violations).collect();
    assert_eq!(violations, [] as [String; 0], "{name} {mode:?}");
}

fn check_all(id: &str, shape: Shape) {
    Mode::ALL.into_iter().for_each(|mode| check(|| Seat::new(id, Script::default()), shape, mode));
}

#[test]
fn gemini_ends_every_fault_in_its_class_and_leaves_nobody() {
    check_all("gemini-cli", Shape::Document);
}

#[test]
fn copilot_ends_every_fault_in_its_class_and_leaves_nobody() {
    check_all("copilot", Shape::Events);
}

#[test]
fn cursor_ends_every_fault_in_its_class_and_leaves_nobody() {
    check_all("cursor", Shape::AnswerLast);
}

#[test]
fn qwen_ends_every_fault_in_its_class_and_leaves_nobody() {
    check_all("qwen-code", Shape::AnswerLast);
}

#[test]
fn plain_text_ends_every_fault_in_its_class_and_leaves_nobody() {
    let seat = || Seat::new("antigravity", Script::default()).set("outcome.untrusted_directory", "is not trusted");
    Mode::ALL.into_iter().for_each(|mode| check(seat, Shape::Text, mode));
}

/// The same program in its other format, declared by other settings alone.
#[test]
fn gemini_can_be_declared_with_events_too() {
    let seat = || {
        Seat::new("gemini-cli", Script::default())
            .set("arg.1", "--output-format=stream-json")
            .set("output", "jsonl")
            .set("text", "content")
            .set("text_event", "type=message & role=assistant")
            .set("text_mode", "concat")
            .set("done_event", "type=result & status=success")
            .set("error_event", "type=result & status!=success")
            .set("keep_alive_event", "type=error")
    };
    Mode::ALL.into_iter().for_each(|mode| check(seat, Shape::Events, mode));
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    for (id, input, model) in [
        ("gemini-cli", Some(100), None),
        ("copilot", None, Some("fake-model-1")),
        ("cursor", None, Some("fake-model-1")),
        ("qwen-code", Some(100), Some("fake-model-1")),
    ] {
        let seat = Seat::new(id, Script::default());
        let turn = seat.turn(PATIENT);
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")), "{id}");
        assert_eq!(turn.usage.map(|usage| usage.input_tokens), input, "{id}");
        assert_eq!(turn.provenance.model.as_deref(), model, "{id}");
        assert_eq!(turn.provenance.session, Some(seat.script.session.clone()), "{id}");
        let starts = seat.place.record();
        let [start] = starts.as_slice() else { panic!("{starts:?}") };
        assert_eq!(start.stdin.as_deref().map(str::as_bytes), Some(prompt().as_slice()), "{id}");
        assert_ne!(start.environment["TMPDIR"], start.environment["HOME"], "{id}");
    }
}

#[test]
fn a_session_begins_and_goes_on_under_one_id() {
    // The last one chooses its ids itself.
    for (id, takes_ours) in [("gemini-cli", true), ("copilot", true), ("qwen-code", false)] {
        let seat = Seat::new(id, Script::default());
        let channel = seat.channel();
        let ask = |session, history| on_runtime(channel.turn(&TurnRequest { session, history, ..seat.request() }));
        let begun = ask(SessionUse::New { id: "one-1".into() }, vec![]);
        let session = begun.provenance.session.unwrap();
        assert_eq!((begun.outcome, session == "one-1"), (Outcome::Ok, takes_ours), "{id}");
        let history = vec![Exchange { prompt: "old".into(), answer: "older".into() }];
        let gone_on = ask(SessionUse::Resume { id: session.clone() }, history);
        assert_eq!((gone_on.outcome, gone_on.provenance.session), (Outcome::Ok, Some(session)), "{id}");
        assert!(seat.place.record().iter().all(|start| start.stdin.as_deref().map(str::len) == Some(prompt().len())));
    }
}

#[test]
fn a_prompt_file_is_private_and_goes_away() {
    let seat =
        Seat::new("antigravity", Script::default()).set("prompt", "file").set("arg.2", "--prompt-file={prompt_file}");
    let turn = seat.turn(PATIENT);
    assert_eq!(turn.outcome, Outcome::Ok, "{}", turn.detail);
    let starts = seat.place.record();
    let [start] = starts.as_slice() else { panic!("{starts:?}") };
    assert_eq!((start.stdin.as_deref(), start.violations.len()), (Some(""), 0));
    let path = start.arguments[2].strip_prefix("--prompt-file=").unwrap();
    assert!(path.starts_with(&start.environment["TMPDIR"]) && !std::path::Path::new(path).exists(), "{path}");
    // A program of ours tells the rights and the bytes of the file that it was given.
    let script = seat.place.root().join("teller");
    std::fs::write(&script, "#!/bin/sh\nstat -c %a \"$2\"; wc -c < \"$2\"\n").unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    let seat =
        seat.set("program", script.to_str().unwrap()).set("arg.2", "{prompt_file}").set("env.PATH", "/usr/bin:/bin");
    let told = seat.turn(PATIENT).text.unwrap();
    assert_eq!(told.split_whitespace().collect::<Vec<_>>(), ["600", &prompt().len().to_string()]);
}

#[test]
fn an_old_program_is_not_asked() {
    let version = Some("0.61.0".to_owned());
    let seat = Seat::new("gemini-cli", Script::default());
    assert_eq!(on_runtime(seat.channel().probe()), Availability::Ready { version });
    let seat = seat.set("min_version", "0.62");
    let Availability::NotReady { because, .. } = on_runtime(seat.channel().probe()) else { panic!("ready") };
    assert!(because.contains("0.61.0 is older than 0.62"), "{because}");
    let seat = seat.set("min_version", "0.9.1").set("version_arg", "-V");
    assert!(matches!(on_runtime(seat.channel().probe()), Availability::Ready { .. }));
    assert_eq!(seat.place.record().last().unwrap().arguments[1], "-V");
}
