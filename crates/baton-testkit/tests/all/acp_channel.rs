//! The channel of the Agent Client Protocol against every way in which the fake agent behaves.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::{Deadline, Outcome};
use baton_core::units::Usage;
use baton_members::acp::AcpChannel;
use baton_members::cli::Environment;
use baton_port::{
    Availability, Cancel, Caps, Channel, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use baton_testkit::fake_agent::{AcpMode, MARKER, Script};

use crate::place::{Place, on_runtime, with_shim};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };
const PROMPT: &str = "Is this change correct?";

struct Seat {
    place: Place,
    script: Script,
    settings: Vec<(String, String)>,
}

impl Seat {
    fn new(mode: AcpMode) -> Self {
        let script = Script { acp: mode, bytes: 300_000, ..Script::default() };
        let place = Place::new();
        let fixed = [
            ("program", "agent".to_owned()),
            ("arg.0", "--acp".to_owned()),
            ("arg.1", "--model={model}".to_owned()),
            ("arg.2", "--effort={effort}".to_owned()),
            ("error_texts", "Error: Authentication failed\nInfo: *Retrying".to_owned()),
            ("retry_texts", "failed with status".to_owned()),
        ];
        let marker = (format!("env.{MARKER}"), place.marker.clone());
        let settings = fixed.into_iter().map(|(name, value)| (name.to_owned(), value)).chain([marker]).collect();
        Self { place, script, settings }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    fn channel(&self) -> AcpChannel {
        self.place.install("agent", &self.script);
        let settings = self.settings.iter().cloned().collect();
        let member = Member {
            id: MemberId::parse("seat").unwrap(),
            nature: Nature::Model,
            vendor: "vendor".into(),
            family: "family".into(),
            channel: ChannelSpec { kind: "acp".into(), settings },
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
        let environment = Environment::new(variables.into_iter().chain([("FAKE_API_KEY".into(), "test-key-1".into())]));
        AcpChannel::new(&member, with_shim(), environment).unwrap()
    }

    fn request(&self) -> TurnRequest {
        TurnRequest {
            prompt: PROMPT.to_owned(),
            effort: None,
            schema: None,
            session: SessionUse::None,
            history: vec![],
            directory: self.place.root().to_owned(),
            deadlines: PATIENT,
            caps: Caps { total: 1 << 20, line: 1 << 18 },
            cancel: Cancel::default(),
            progress: Arc::new(Watcher::default()),
        }
    }

    fn turn(&self) -> Turn {
        on_runtime(self.channel().turn(&self.request()))
    }

    fn resumed(&self, id: &str) -> Turn {
        let session = SessionUse::Resume { id: id.to_owned() };
        on_runtime(self.channel().turn(&TurnRequest { session, ..self.request() }))
    }

    /// What the agent was sent in its last start.
    fn sent(&self) -> String {
        self.place.record().pop().and_then(|start| start.stdin).unwrap()
    }

    fn violations(&self) -> Vec<String> {
        self.place.record().into_iter().flat_map(|start| start.violations).collect()
    }
}

/// Keeps the signs of life, and wishes to stop at the first one of this kind.
#[derive(Default)]
struct Watcher {
    seen: Mutex<Vec<Progress>>,
    stop_at: Option<Progress>,
    cancel: Cancel,
}

impl ProgressSink for Watcher {
    fn report(&self, progress: Progress) {
        if self.stop_at.as_ref() == Some(&progress) {
            self.cancel.request();
        }
        self.seen.lock().unwrap().push(progress);
    }
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
        let seat = Seat::new(mode);
        let outcome = expected(mode);
        // Short only where it is waited for: a slow start is no fault.
        let deadlines = match &outcome {
            Outcome::TimedOut { deadline: Deadline::FirstEvent } => Deadlines { first_event: SHORT, ..PATIENT },
            Outcome::TimedOut { .. } => Deadlines { idle: Duration::from_millis(900), ..PATIENT },
            _ => PATIENT,
        };
        let turn = on_runtime(seat.channel().turn(&TurnRequest { deadlines, ..seat.request() }));
        assert_eq!(turn.outcome, outcome, "{mode:?}: {}", turn.detail);
        assert_eq!(turn.text.is_some(), matches!(outcome, Outcome::Ok | Outcome::Partial), "{mode:?}");
        assert_eq!(turn.detail.is_empty(), outcome.is_ok(), "{mode:?}: {}", turn.detail);
        assert_eq!(seat.place.survivors(), [], "{mode:?}");
        assert_eq!(seat.violations(), [] as [String; 0], "{mode:?}");
        let left = std::fs::read_dir(seat.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("baton-")).collect();
        assert_eq!(left, [] as [OsString; 0], "{mode:?}");
    }
}

#[test]
fn an_answer_comes_with_its_numbers_and_its_origin() {
    let seat = Seat::new(AcpMode::Answer);
    let turn = seat.turn();
    let tokens = Usage { input_tokens: 100, cached_tokens: 0, output_tokens: 20, reported_cost: None };
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), Some(tokens)));
    assert_eq!(turn.provenance.session.as_deref(), Some(seat.script.session.as_str()));
    assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
    assert!(turn.provenance.program.is_some_and(|program| program.ends_with("/agent")));
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.lines().count() == 5 && !turn.transcript.cut, "{transcript}");
}

#[test]
fn the_agent_gets_the_prompt_by_its_input_and_a_small_environment() {
    let seat = Seat::new(AcpMode::Answer).set("key_env", "FAKE_API_KEY");
    seat.turn();
    let start = seat.place.record().pop().unwrap();
    assert_eq!(start.arguments[1..], ["--acp", "--model=small"], "what the seat does not have is left out");
    assert_eq!(start.directory, seat.place.root().canonicalize().unwrap());
    assert_eq!(start.environment["BATON_DEPTH"], "1");
    assert!(!start.environment.contains_key("FAKE_API_KEY"));
    assert_ne!(start.environment["TMPDIR"], start.environment["HOME"]);
    let sent = seat.sent();
    let methods = ["initialize", "session/new", "session/prompt"];
    assert_eq!(sent.lines().count(), methods.len());
    for (line, method) in sent.lines().zip(methods) {
        assert!(line.contains(&format!("\"method\":\"{method}\"")), "{line}");
    }
    assert!(sent.contains(PROMPT) && sent.contains(&format!("\"cwd\":\"{}\"", seat.place.root().display())));
    let seat = seat.set("api_key", "pass");
    seat.turn();
    assert_eq!(seat.place.record().pop().unwrap().environment["FAKE_API_KEY"], "test-key-1");
}

#[test]
fn whoever_asks_for_a_permission_is_told_no() {
    assert_eq!(Seat::new(AcpMode::AsksPermission).turn().text.as_deref(), Some("Told no and -32601."));
    assert_eq!(Seat::new(AcpMode::AsksWithoutReject).turn().text.as_deref(), Some("Told cancelled and -32601."));
}

#[test]
fn tools_are_told_and_the_text_before_them_is_no_answer() {
    let seat = Seat::new(AcpMode::AsksPermission);
    let watcher = Arc::new(Watcher::default());
    on_runtime(seat.channel().turn(&TurnRequest { progress: watcher.clone(), ..seat.request() }));
    let seen = watcher.seen.lock().unwrap();
    assert_eq!(seen[..2], [Progress::Started, Progress::Thinking]);
    assert!(seen.contains(&Progress::Doing("uses notes.md".to_owned())), "{seen:?}");
}

#[test]
fn model_and_mode_are_chosen_in_the_session() {
    let seat = Seat::new(AcpMode::Answer).set("model_via", "session").set("mode", "plan").set("login", "key");
    assert_eq!(seat.turn().outcome, Outcome::Ok);
    let sent = seat.sent();
    let lines: Vec<&str> = sent.lines().collect();
    assert!(lines[1].contains(r#""method":"authenticate","params":{"methodId":"key"}"#), "{sent}");
    assert!(lines[3].contains(r#""session/set_model""#) && lines[3].contains(r#""modelId":"small""#), "{sent}");
    assert!(lines[4].contains(r#""session/set_mode""#) && lines[4].contains(r#""modeId":"plan""#), "{sent}");
    assert!(lines[5].contains(r#""session/prompt""#), "{sent}");
}

#[test]
fn a_loaded_session_tells_its_past_and_only_the_new_answer_counts() {
    let seat = Seat::new(AcpMode::Answer);
    let id = seat.script.session.clone();
    let turn = seat.resumed(&id);
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")));
    assert!(String::from_utf8_lossy(&turn.transcript.bytes).contains("An earlier answer."));
    assert!(seat.sent().contains("session/load") && !seat.sent().contains("session/new"));
}

#[test]
fn a_session_that_is_lost_is_not_a_new_one() {
    let seat = Seat::new(AcpMode::Answer);
    let turn = seat.resumed("another");
    assert_eq!((turn.outcome, turn.text), (Outcome::SessionNotFound, None));
    assert_eq!(turn.detail, "Internal error: Invalid session identifier");
    assert!(!seat.sent().contains(PROMPT));
    let seat = Seat::new(AcpMode::CannotLoad);
    assert_eq!(seat.resumed(&seat.script.session).outcome, Outcome::SessionNotFound);
    assert!(!seat.sent().contains("session/"));
}

#[test]
fn sums_over_a_session_are_no_numbers_of_a_later_turn() {
    let seat = Seat::new(AcpMode::Answer).set("usage", "session");
    assert_eq!(seat.turn().usage.map(|usage| usage.input_tokens), Some(100));
    assert_eq!(seat.resumed(&seat.script.session).usage, None);
}

fn cancelled_at(seat: &Seat, sign: Progress) -> Turn {
    let watcher = Arc::new(Watcher { stop_at: Some(sign), ..Watcher::default() });
    let request = TurnRequest { cancel: watcher.cancel.clone(), progress: watcher, ..seat.request() };
    let channel = seat.channel();
    let turn = on_runtime(channel.turn(&request));
    let again = on_runtime(channel.turn(&request));
    assert_eq!((again.outcome, seat.place.record().len()), (Outcome::Cancelled, 1), "not even started");
    turn
}

#[test]
fn a_wish_to_stop_is_told_to_the_agent_first() {
    let seat = Seat::new(AcpMode::Hangs);
    let turn = cancelled_at(&seat, Progress::Thinking);
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"));
    assert_eq!(turn.usage.map(|usage| usage.output_tokens), Some(20), "what was used until then");
    assert!(seat.sent().lines().last().unwrap().contains("session/cancel"));
    assert_eq!(seat.place.survivors(), []);
}

#[test]
fn an_agent_that_does_not_hear_it_is_ended() {
    let seat = Seat::new(AcpMode::HangsForever);
    let turn = cancelled_at(&seat, Progress::Thinking);
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"));
    assert_eq!(seat.place.survivors(), []);
}

#[test]
fn a_probe_tells_the_version_or_what_is_missing() {
    let seat = Seat::new(AcpMode::Answer);
    let Availability::Ready { version } = on_runtime(seat.channel().probe()) else { panic!("not ready") };
    assert!(version.is_some());
    let seat = Seat::new(AcpMode::Answer).set("program", "no-such-program");
    let Availability::NotReady { because, .. } = on_runtime(seat.channel().probe()) else { panic!("ready") };
    assert_eq!(because, "the program `no-such-program` is not on the PATH");
    assert_eq!(seat.turn().outcome, Outcome::NotInstalled);
}
