//! The channels of one-shot programs against every fault of the fake agent.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::{Deadline, Outcome};
use baton_core::units::{MicroUsd, Usage};
use baton_members::cli::{ClaudeChannel, CodexChannel, Environment};
use baton_port::{
    Availability, Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use baton_process::Launcher;
use baton_testkit::fake_agent::{MARKER, Mode, Script};

use crate::place::{Place, on_runtime, prompt, with_shim};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };

struct Seat {
    place: Place,
    name: &'static str,
    script: Script,
    launcher: Launcher,
    settings: Vec<(String, String)>,
}

impl Seat {
    fn new(name: &'static str, script: Script) -> Self {
        Self { place: Place::new(), name, script, launcher: with_shim(), settings: vec![] }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    fn channel(&self) -> Box<dyn Channel> {
        self.place.install(self.name, &self.script);
        let marker = [(format!("env.{MARKER}"), self.place.marker.clone())];
        let settings = self.settings.iter().cloned().chain(marker).collect();
        let member = Member {
            id: MemberId::parse("seat").unwrap(),
            nature: Nature::Model,
            vendor: "vendor".into(),
            family: "family".into(),
            channel: ChannelSpec { kind: format!("{}-cli", self.name), settings },
            model: Some("small".into()),
            effort: None,
            tier: 1,
            strengths: vec![],
            context_window: 100_000,
            price: None,
            payer: Payer::Key,
            account: "account".into(),
            limits: Limits::default(),
            scripted: false,
        };
        let root = self.place.root().as_os_str().to_owned();
        let variables = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.clone()));
        let environment = Environment::new(variables);
        match self.name {
            "claude" => Box::new(ClaudeChannel::new(&member, self.launcher.clone(), environment).unwrap()),
            _ => Box::new(CodexChannel::new(&member, self.launcher.clone(), environment).unwrap()),
        }
    }

    fn request(&self, progress: Arc<dyn ProgressSink>) -> TurnRequest {
        TurnRequest {
            prompt: String::from_utf8(prompt()).unwrap(),
            effort: None,
            schema: None,
            session: SessionUse::None,
            history: vec![],
            directory: self.place.root().to_owned(),
            deadlines: PATIENT,
            caps: Caps { total: 1 << 20, line: 1 << 18 },
            cancel: Cancel::default(),
            progress,
        }
    }

    fn turn(&self, deadlines: Deadlines) -> Turn {
        on_runtime(self.channel().turn(&TurnRequest { deadlines, ..self.request(Arc::new(Silent)) }))
    }

    /// Folders that the turn made and did not take away.
    fn leftovers(&self) -> Vec<String> {
        let names = std::fs::read_dir(self.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
        names.map(|name| name.to_string_lossy().into_owned()).filter(|name| name.starts_with("baton-")).collect()
    }
}

struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _: Progress) {}
}

fn timed_out(deadline: Deadline) -> Outcome {
    Outcome::TimedOut { deadline }
}

/// What each way to behave must end in. No wildcard: a new one must be decided here.
fn expected(mode: Mode, name: &str) -> Outcome {
    match mode {
        Mode::Answer
        | Mode::AnswerThenExitOne
        | Mode::NeverReadsStdin
        | Mode::StderrFlood
        | Mode::GrandchildHoldsPipe
        | Mode::Daemonises
        | Mode::InvalidUtf8
        | Mode::NulBytes
        | Mode::Banner
        | Mode::WritesOutside
        | Mode::StaysAfterAnswer => Outcome::Ok,
        Mode::EmptyOutput | Mode::ExitsAtOnce | Mode::HalfLine | Mode::Segfault | Mode::KillsItself => Outcome::Crashed,
        Mode::ErrorAsAnswer => Outcome::RateLimited { retry_after_ms: None },
        Mode::LosesTail => Outcome::Partial,
        Mode::LongLine | Mode::StdoutFlood | Mode::AnsiFlood => Outcome::TooMuchOutput,
        Mode::SilentForever => timed_out(Deadline::FirstEvent),
        Mode::ClosesStdout
        | Mode::IgnoresTerm
        | Mode::ManyChildren
        | Mode::SilentAfterFirst
        | Mode::KeepAliveForever
        | Mode::UpdatePrompt => timed_out(Deadline::Idle),
        Mode::AuthError => Outcome::Auth,
        Mode::RateLimited => Outcome::RateLimited { retry_after_ms: Some(3_600_000) },
        Mode::Overloaded => Outcome::Overloaded,
        // One of them says why it tries again.
        Mode::RetriesForever if name == "claude" => Outcome::RateLimited { retry_after_ms: None },
        Mode::RetriesForever => Outcome::Overloaded,
        Mode::ContextTooLong => Outcome::ContextTooLong,
        Mode::SessionNotFound => Outcome::SessionNotFound,
        Mode::UntrustedDirectory => Outcome::UntrustedDirectory,
    }
}

fn check(name: &'static str, mode: Mode) {
    let mut script = Script { bytes: 3_000_000, ..Script::of(mode) };
    let mut seat = Seat::new(name, Script::default());
    script.outside = Some(seat.place.root().join("outside"));
    seat.script = script;
    let outcome = expected(mode, name);
    // Short only where it is waited for: a slow start is no fault.
    let deadlines = match &outcome {
        Outcome::TimedOut { deadline: Deadline::FirstEvent } => Deadlines { first_event: SHORT, ..PATIENT },
        Outcome::TimedOut { .. } => Deadlines { idle: SHORT, ..PATIENT },
        _ => PATIENT,
    };
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

#[test]
fn claude_ends_every_fault_in_its_class_and_leaves_nobody() {
    Mode::ALL.into_iter().for_each(|mode| check("claude", mode));
}

#[test]
fn codex_ends_every_fault_in_its_class_and_leaves_nobody() {
    Mode::ALL.into_iter().for_each(|mode| check("codex", mode));
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    let turn = Seat::new("claude", Script::default()).turn(PATIENT);
    let tokens = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 20, reported_cost: None };
    assert_eq!(turn.text.as_deref(), Some("The change is correct."));
    assert_eq!(turn.usage, Some(Usage { reported_cost: Some(MicroUsd(10_000)), ..tokens }));
    let origin = turn.provenance;
    assert!(origin.program.is_some_and(|program| program.ends_with("/claude")));
    assert_eq!((origin.program_version.as_deref(), origin.model.as_deref()), (Some("2.1.329"), Some("small")));
    let seat = Seat::new("codex", Script::default());
    let turn = seat.turn(PATIENT);
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), Some(tokens)));
    assert_eq!(turn.provenance.session, Some(seat.script.session));
}

#[test]
fn the_program_gets_the_prompt_its_directory_and_a_small_environment() {
    for name in ["claude", "codex"] {
        let seat = Seat::new(name, Script::default());
        seat.turn(PATIENT);
        let starts = seat.place.record();
        let [start] = starts.as_slice() else { panic!("{starts:?}") };
        assert_eq!(start.stdin.as_deref().map(str::as_bytes), Some(prompt().as_slice()));
        assert_eq!(start.directory, seat.place.root().canonicalize().unwrap());
        assert_eq!(start.environment.get("BATON_DEPTH").map(String::as_str), Some("1"));
        assert!(start.environment["TMPDIR"].starts_with(seat.place.root().to_str().unwrap()));
        assert_ne!(start.environment["TMPDIR"], start.environment["HOME"]);
    }
}

#[test]
fn the_transcript_holds_both_outputs_and_no_secret() {
    let seat = Seat::new("claude", Script { answer: "say sk-test-123456 again".to_owned(), ..Script::default() });
    let turn = seat.set("env.ANTHROPIC_API_KEY", "sk-test-123456").turn(PATIENT);
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert_eq!(transcript.lines().count(), 3);
    assert!(transcript.contains("say [secret] again") && !transcript.contains("sk-test"));
    let turn = Seat::new("codex", Script::of(Mode::SessionNotFound)).turn(PATIENT);
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.starts_with("[standard error]\nError: thread/resume failed"), "{transcript}");
}

#[test]
fn a_flood_is_kept_up_to_the_cap() {
    let turn = Seat::new("codex", Script { bytes: 3_000_000, ..Script::of(Mode::StdoutFlood) }).turn(PATIENT);
    assert!(turn.transcript.cut && turn.transcript.bytes.len() <= 1 << 20, "{}", turn.transcript.bytes.len());
    assert!(turn.transcript.bytes.len() > 1 << 19);
}

/// Asks for the end as soon as the member shows that it works.
struct Impatient(Cancel, std::sync::Mutex<Vec<Progress>>);

impl ProgressSink for Impatient {
    fn report(&self, progress: Progress) {
        if progress == Progress::Thinking {
            self.0.request();
        }
        self.1.lock().unwrap().push(progress);
    }
}

#[test]
fn a_wish_to_stop_is_granted_and_recorded() {
    for name in ["claude", "codex"] {
        let seat = Seat::new(name, Script::of(Mode::ManyChildren));
        let sink = Arc::new(Impatient(Cancel::default(), std::sync::Mutex::default()));
        let request = TurnRequest { cancel: sink.0.clone(), ..seat.request(sink.clone()) };
        let channel = seat.channel();
        let turn = on_runtime(channel.turn(&request));
        assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"));
        assert_eq!(*sink.1.lock().unwrap(), [Progress::Started, Progress::Thinking]);
        assert_eq!(seat.place.survivors(), []);
        let again = on_runtime(channel.turn(&request));
        assert_eq!((again.outcome, seat.place.record().len()), (Outcome::Cancelled, 1), "not even started");
    }
}

#[test]
fn resumed_turns_report_only_what_is_theirs() {
    for name in ["claude", "codex"] {
        let seat = Seat::new(name, Script::default());
        let channel = seat.channel();
        let first = on_runtime(channel.turn(&seat.request(Arc::new(Silent))));
        let session = SessionUse::Resume { id: first.provenance.session.unwrap() };
        let request = TurnRequest { session, ..seat.request(Arc::new(Silent)) };
        let second = on_runtime(channel.turn(&request));
        assert_eq!(second.outcome, Outcome::Ok, "{}", second.detail);
        assert_eq!(second.usage.and_then(|usage| usage.reported_cost), None);
        assert_eq!(second.usage.map(|usage| usage.input_tokens), (name == "claude").then_some(100));
    }
}

#[test]
fn a_probe_tells_the_version_or_what_is_missing() {
    let seat = Seat::new("codex", Script::default());
    let version = Some("0.169.0".to_owned());
    assert_eq!(on_runtime(seat.channel().probe()), Availability::Ready { version });
    let seat = Seat::new("claude", Script::default()).set("program", "no-such-program");
    let Availability::NotReady { because, mend } = on_runtime(seat.channel().probe()) else { panic!("ready") };
    assert_eq!(because, "the program `no-such-program` is not on the PATH");
    assert!(mend.contains("npm install"));
    let turn = seat.turn(PATIENT);
    assert_eq!((turn.outcome, turn.detail), (Outcome::NotInstalled, because));
    assert_eq!(seat.leftovers(), [] as [String; 0]);
}

#[test]
fn a_key_never_reaches_a_program_that_is_logged_in() {
    for (name, login, text, key) in [
        ("claude", ".claude/.credentials.json", r#"{"claudeAiOauth":{}}"#, "env.ANTHROPIC_API_KEY"),
        ("codex", ".codex/auth.json", "{}", "env.CODEX_API_KEY"),
    ] {
        let seat = Seat::new(name, Script::default()).set(key, "test-key");
        assert_eq!(seat.turn(PATIENT).outcome, Outcome::Ok);
        let login = seat.place.root().join(login);
        std::fs::create_dir_all(login.parent().unwrap()).unwrap();
        std::fs::write(login, text).unwrap();
        assert_eq!(seat.turn(PATIENT).outcome, Outcome::Rejected);
        assert_eq!(seat.place.record().len(), 1);
        assert!(matches!(on_runtime(seat.channel().probe()), Availability::NotReady { .. }));
    }
}

#[test]
fn a_directory_or_an_interpreter_that_is_missing_is_told() {
    let seat = Seat::new("claude", Script::default());
    let request = TurnRequest { directory: "/no/such/place".into(), ..seat.request(Arc::new(Silent)) };
    assert_eq!(on_runtime(seat.channel().turn(&request)).outcome, Outcome::Rejected);
    let script = seat.place.root().join("broken");
    std::fs::write(&script, "#!/usr/bin/env no-such-interpreter\n").unwrap();
    let executable = std::os::unix::fs::PermissionsExt::from_mode(0o755);
    std::fs::set_permissions(&script, executable).unwrap();
    let seat = seat.set("program", script.to_str().unwrap());
    assert_eq!(seat.turn(PATIENT).outcome, Outcome::NotInstalled);
}
