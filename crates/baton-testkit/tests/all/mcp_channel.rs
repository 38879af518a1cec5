//! The channel of the Model Context Protocol against every way in which the fake server behaves, started here.

use std::ffi::OsString;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::{Deadline, Outcome};
use baton_members::cli::Environment;
use baton_members::http::{Client, Secret};
use baton_members::mcp::McpChannel;
use baton_port::{
    Availability, Cancel, Caps, Channel, Deadlines, Exchange, Progress, ProgressSink, SessionUse, Turn, TurnRequest,
};
use baton_testkit::fake_agent::{MARKER, McpMode, Script};

use crate::place::{Place, on_runtime, with_shim};

const LONG: Duration = Duration::from_secs(60);
const SHORT: Duration = Duration::from_millis(300);
const PATIENT: Deadlines = Deadlines { first_event: LONG, idle: LONG, total: LONG };
pub(crate) const PROMPT: &str = "Is this change correct?";

pub(crate) fn member(settings: &[(String, String)]) -> Member {
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: "mcp".into(), settings: settings.iter().cloned().collect() },
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
    }
}

pub(crate) fn request(place: &Place) -> TurnRequest {
    TurnRequest {
        prompt: PROMPT.to_owned(),
        effort: None,
        schema: None,
        session: SessionUse::None,
        history: vec![],
        directory: place.root().to_owned(),
        deadlines: PATIENT,
        caps: Caps { total: 1 << 20, line: 1 << 18 },
        cancel: Cancel::default(),
        progress: Arc::new(Watcher::default()),
    }
}

pub(crate) fn owned(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
    pairs.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect()
}

pub(crate) fn channel(place: &Place, settings: &[(String, String)]) -> McpChannel {
    let root = place.root().as_os_str().to_owned();
    let variables = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.clone()));
    let environment = Environment::new(variables.into_iter().chain([("FAKE_API_KEY".into(), "test-key-1".into())]));
    let key = |name: &str| (name == "FAKE_API_KEY").then(|| Secret::new("test-key-1"));
    McpChannel::new(&member(settings), with_shim(), environment, Arc::new(Client::new()), key).unwrap()
}

/// What each seat of these tests says about its tool.
pub(crate) const TOOL: &[(&str, &str)] = &[
    ("tool", "ask"),
    ("argument.prompt", "{prompt}"),
    ("argument.model", "{model}"),
    ("argument.effort", "{effort}"),
    ("argument.cwd", "{directory}"),
    ("json.strict", "true"),
    ("answer", "structuredContent.content\ncontent.*.text"),
    ("session", "structuredContent.threadId"),
    ("key_env", "FAKE_API_KEY"),
];

struct Seat {
    place: Place,
    script: Script,
    settings: Vec<(String, String)>,
}

impl Seat {
    fn new(mode: McpMode) -> Self {
        let script = Script { mcp: mode, bytes: 300_000, ..Script::default() };
        let place = Place::new();
        let mut settings = owned(TOOL);
        settings.extend(owned(&[("program", "server"), ("arg.0", "mcp-fake"), ("arg.1", "--quiet")]));
        settings.push((format!("env.{MARKER}"), place.marker.clone()));
        Self { place, script, settings }
    }

    fn set(mut self, name: &str, value: &str) -> Self {
        self.settings.retain(|(known, _)| known != name);
        self.settings.push((name.to_owned(), value.to_owned()));
        self
    }

    fn channel(&self) -> McpChannel {
        self.place.install("server", &self.script);
        channel(&self.place, &self.settings)
    }

    fn request(&self) -> TurnRequest {
        request(&self.place)
    }

    fn turn(&self) -> Turn {
        on_runtime(self.channel().turn(&self.request()))
    }

    /// What the server was sent in its last start.
    fn sent(&self) -> String {
        self.place.record().pop().and_then(|start| start.stdin).unwrap()
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
fn expected(mode: McpMode) -> Outcome {
    match mode {
        McpMode::Answer | McpMode::Asks | McpMode::Garbage | McpMode::StaysAtTheEnd => Outcome::Ok,
        McpMode::ToolError => Outcome::QuotaExhausted,
        McpMode::ErrorAsAnswer => Outcome::Overloaded,
        McpMode::RpcError => Outcome::RateLimited { retry_after_ms: Some(2_000) },
        McpMode::WrongArguments | McpMode::OtherTools => Outcome::Rejected,
        McpMode::AuthAtStart => Outcome::Auth,
        McpMode::SilentToolError | McpMode::NeedsModel | McpMode::DiesAtOnce | McpMode::DiesInCall => Outcome::Crashed,
        McpMode::Silent => Outcome::TimedOut { deadline: Deadline::FirstEvent },
        McpMode::Hangs | McpMode::LogsForever => Outcome::TimedOut { deadline: Deadline::Idle },
        McpMode::Floods | McpMode::HugeAnswer | McpMode::ManyValues => Outcome::TooMuchOutput,
        McpMode::OnlyGarbage | McpMode::WrongShape | McpMode::MakesTask => Outcome::Unreadable,
        McpMode::Empty => Outcome::Empty,
    }
}

#[test]
fn every_behaviour_ends_in_its_class_and_leaves_nobody() {
    for mode in McpMode::ALL {
        let seat = Seat::new(mode);
        let outcome = expected(mode);
        // Short only where it is waited for: a slow start is no fault.
        let deadlines = match &outcome {
            Outcome::TimedOut { deadline: Deadline::FirstEvent } => Deadlines { first_event: SHORT, ..PATIENT },
            Outcome::TimedOut { .. } => Deadlines { idle: Duration::from_millis(900), ..PATIENT },
            _ => PATIENT,
        };
        let turn = on_runtime(seat.channel().turn(&TurnRequest { deadlines, ..seat.request() }));
        println!("{mode:?}: {:?} {}", turn.outcome, turn.detail);
        assert_eq!(turn.outcome, outcome, "{mode:?}: {}", turn.detail);
        assert_eq!(turn.text.is_some(), outcome.is_ok(), "{mode:?}");
        assert_eq!(turn.detail.is_empty(), outcome.is_ok(), "{mode:?}: {}", turn.detail);
        assert_eq!(seat.place.survivors(), [], "{mode:?}");
        let left = std::fs::read_dir(seat.place.root()).unwrap().map(|entry| entry.unwrap().file_name());
        let left: Vec<_> = left.filter(|name| name.to_string_lossy().starts_with("baton-")).collect();
        assert_eq!(left, [] as [OsString; 0], "{mode:?}");
    }
}

#[test]
fn values_that_unfold_in_memory_are_no_message() {
    // Within the caps in bytes, and far beyond those in values: the message is passed over.
    let mut seat = Seat::new(McpMode::ManyValues);
    seat.script.bytes = 250_000;
    let deadlines = Deadlines { idle: Duration::from_millis(900), ..PATIENT };
    let caps = Caps { total: 4 << 20, line: 2 << 20 };
    let turn = on_runtime(seat.channel().turn(&TurnRequest { deadlines, caps, ..seat.request() }));
    assert_eq!(turn.outcome, Outcome::TimedOut { deadline: Deadline::Idle });
    assert_eq!(seat.place.survivors(), []);
}

#[test]
fn an_answer_comes_with_its_origin_and_its_session() {
    let seat = Seat::new(McpMode::Answer);
    let turn = seat.turn();
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), None));
    assert_eq!(turn.provenance.session.as_deref(), Some(seat.script.session.as_str()));
    assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
    assert!(turn.provenance.program.is_some_and(|program| program.ends_with("/server")));
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.lines().count() == 5 && !turn.transcript.cut, "{transcript}");
}

#[test]
fn without_a_path_all_texts_are_the_answer_and_a_prefix_is_the_servers_own() {
    let mut seat = Seat::new(McpMode::Answer);
    seat.settings.retain(|(name, _)| name != "answer");
    assert_eq!(seat.turn().text.as_deref(), Some("Fake says:\nThe change is correct."));
    let seat = seat.set("answer_prefix", "Fake says:");
    assert_eq!(seat.turn().text.as_deref(), Some("The change is correct."));
}

#[test]
fn the_prompt_is_an_argument_of_the_tool_and_of_nothing_else() {
    let seat = Seat::new(McpMode::Answer);
    seat.turn();
    let start = seat.place.record().pop().unwrap();
    assert_eq!(start.arguments[1..], ["mcp-fake", "--quiet"]);
    assert_eq!(start.directory, seat.place.root().canonicalize().unwrap());
    assert_eq!(start.environment["BATON_DEPTH"], "1");
    assert!(!start.environment.contains_key("FAKE_API_KEY"));
    let sent = seat.sent();
    let methods: Vec<String> = sent
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["method"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call"]);
    let call: serde_json::Value = serde_json::from_str(sent.lines().last().unwrap()).unwrap();
    let directory = seat.place.root().to_str().unwrap();
    let wanted = serde_json::json!({ "prompt": PROMPT, "model": "small", "cwd": directory, "strict": true });
    assert_eq!(call["params"]["arguments"], wanted, "an argument without a value is left out");
    let seat = seat.set("api_key", "pass");
    seat.turn();
    assert_eq!(seat.place.record().pop().unwrap().environment["FAKE_API_KEY"], "test-key-1");
}

#[test]
fn a_server_that_asks_back_is_refused_and_it_is_told() {
    let refused = "Told r1 -32601, r2 -32601, r3 -32601.";
    let seat = Seat::new(McpMode::Asks).set("answer", "content.*.text");
    assert_eq!(seat.turn().text.as_deref(), Some(refused));
    let turn = Seat::new(McpMode::NeedsModel).turn();
    assert!(turn.detail.contains("No model is offered") && turn.detail.contains("a model of ours"), "{}", turn.detail);
}

#[test]
fn a_tool_that_is_missing_is_told_with_those_that_are_there() {
    let seat = Seat::new(McpMode::OtherTools);
    assert_eq!(seat.turn().detail, "the server has no such tool; it has echo, add");
    assert!(!seat.sent().contains(PROMPT), "nothing is asked");
}

#[test]
fn a_slow_start_is_told_with_what_the_server_wrote_and_the_way_out() {
    let seat = Seat::new(McpMode::Silent);
    let deadlines = Deadlines { first_event: SHORT, ..PATIENT };
    let turn = on_runtime(seat.channel().turn(&TurnRequest { deadlines, ..seat.request() }));
    assert!(turn.detail.contains("1 lines that are no messages") && turn.detail.contains("start_s"), "{}", turn.detail);
}

#[test]
fn progress_is_shown() {
    let seat = Seat::new(McpMode::Answer);
    let watcher = Arc::new(Watcher::default());
    on_runtime(seat.channel().turn(&TurnRequest { progress: watcher.clone(), ..seat.request() }));
    let seen = watcher.seen.lock().unwrap();
    assert_eq!(seen[..2], [Progress::Started, Progress::Thinking]);
    assert!(seen.contains(&Progress::Doing("says: Reading the change.".to_owned())), "{seen:?}");
}

#[test]
fn a_session_goes_on_with_its_own_tool_and_id() {
    let seat = Seat::new(McpMode::Answer)
        .set("resume_tool", "reply")
        .set("resume.session", "{session}")
        .set("new.session", "{session}");
    let with = |session| on_runtime(seat.channel().turn(&TurnRequest { session, ..seat.request() }));
    let turn = with(SessionUse::New { id: "ours-1".into() });
    assert_eq!(turn.provenance.session.as_deref(), Some("ours-1"));
    assert!(seat.sent().contains(r#""name":"ask""#));
    let turn = with(SessionUse::Resume { id: "ours-1".into() });
    assert_eq!(turn.provenance.session.as_deref(), Some("ours-1"));
    assert!(seat.sent().contains(r#""name":"reply""#) && seat.sent().contains(r#""session":"ours-1""#));
    assert_eq!(with(SessionUse::Resume { id: "--odd".into() }).outcome, Outcome::SessionNotFound);
}

#[test]
fn a_server_without_memory_is_told_the_past() {
    let seat = Seat::new(McpMode::Answer);
    let session = SessionUse::Resume { id: "any".into() };
    let lost = on_runtime(seat.channel().turn(&TurnRequest { session: session.clone(), ..seat.request() }));
    assert_eq!(lost.outcome, Outcome::SessionNotFound);
    let history = vec![Exchange { prompt: "An earlier question.".into(), answer: "An earlier answer.".into() }];
    on_runtime(seat.channel().turn(&TurnRequest { session, history, ..seat.request() }));
    assert!(seat.sent().contains("An earlier answer.") && seat.sent().contains(PROMPT));
}

#[test]
fn a_wish_to_stop_is_heard() {
    let seat = Seat::new(McpMode::Hangs);
    let watcher = Arc::new(Watcher { stop_at: Some(Progress::Thinking), ..Watcher::default() });
    let request = TurnRequest { cancel: watcher.cancel.clone(), progress: watcher, ..seat.request() };
    let channel = seat.channel();
    let turn = on_runtime(channel.turn(&request));
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Cancelled, "was cancelled"));
    assert_eq!(seat.place.survivors(), []);
    let again = on_runtime(channel.turn(&request));
    assert_eq!((again.outcome, seat.place.record().len()), (Outcome::Cancelled, 1), "not even started");
}

#[test]
fn a_probe_starts_no_server() {
    let seat = Seat::new(McpMode::Answer);
    assert_eq!(on_runtime(seat.channel().probe()), Availability::Ready { version: None });
    assert_eq!(seat.place.record().len(), 0);
    let missing = Seat::new(McpMode::Answer).set("program", "no-such-program");
    assert!(matches!(on_runtime(missing.channel().probe()), Availability::NotReady { .. }));
    assert_eq!(missing.turn().outcome, Outcome::NotInstalled);
}

#[test]
fn versions_decide_where_a_server_came_or_went_with_one() {
    let probe = |printed: &str| {
        let mut seat = Seat::new(McpMode::Answer)
            .set("version_arg", "--version")
            .set("min_version", "0.144")
            .set("below_version", "0.152");
        seat.script.version = Some(printed.to_owned());
        on_runtime(seat.channel().probe())
    };
    let ready = |version: &str| Availability::Ready { version: Some(version.to_owned()) };
    assert_eq!(probe("codex-cli 0.144.5"), ready("0.144.5"));
    assert_eq!(probe("codex-cli 0.151.0"), ready("0.151.0"));
    for other in ["codex-cli 0.169.0", "codex-cli 0.100.0", "welcome"] {
        assert!(matches!(probe(other), Availability::NotReady { .. }), "{other}");
    }
}

#[test]
fn a_look_tells_name_version_and_tools_and_calls_none() {
    let seat = Seat::new(McpMode::Answer);
    let found = on_runtime(seat.channel().inspect(seat.place.root(), LONG, &Cancel::default()));
    assert_eq!((found.name.as_deref(), found.version.as_deref()), (Some("fake"), Some("1.2.3")));
    assert_eq!((found.tools, found.trouble), (vec!["ask".to_owned(), "reply".to_owned()], None));
    assert!(!seat.sent().contains("tools/call"));
    let slow = Seat::new(McpMode::Silent);
    let found = on_runtime(slow.channel().inspect(slow.place.root(), SHORT, &Cancel::default()));
    assert!(found.trouble.is_some_and(|(outcome, _)| outcome == Outcome::TimedOut { deadline: Deadline::FirstEvent }));
    assert_eq!(slow.place.survivors(), []);
}
