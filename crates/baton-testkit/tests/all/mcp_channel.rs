//! The channel of the Model Context Protocol against every way in which the fake server behaves, started here.

use std::sync::Arc;
use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_members::cli::Environment;
use baton_members::http::{Client, Secret};
use baton_members::mcp::{Inspected, McpChannel};
use baton_port::{Availability, Cancel, Caps, Deadlines, Exchange, Progress, SessionUse, TurnRequest};
use baton_testkit::fake_agent::{McpMode, Script};

use crate::place::{on_runtime, with_shim};
use crate::stage::{IDLE, KEY, PATIENT, PROMPT, SHORT, Stage, member, variables};

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
    ("key_env", KEY.0),
];

pub(crate) fn script(mode: McpMode) -> Script {
    Script { mcp: mode, bytes: 300_000, ..Script::default() }
}

fn seat(mode: McpMode) -> Stage {
    let server = [("program", "server"), ("arg.0", "mcp-fake"), ("arg.1", "--quiet")];
    Stage::new(member("mcp", &[TOOL, &server].concat()), "server", script(mode))
}

/// A look at the stage's server.
pub(crate) fn inspect(stage: &Stage, limit: Duration) -> Inspected {
    stage.channel();
    let root = stage.place.root();
    let environment = Environment::new(variables(root, &[KEY]));
    let key = |name: &str| (name == KEY.0).then(|| Secret::new(KEY.1));
    let channel = McpChannel::new(&stage.member, with_shim(), environment, Arc::new(Client::new()), key).unwrap();
    on_runtime(channel.inspect(root, limit, &Cancel::default()))
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
        seat(mode).must_end_in(&expected(mode), IDLE, &mode);
    }
}

#[test]
fn values_that_unfold_in_memory_are_no_message() {
    // Within the caps in bytes, and far beyond those in values: the message is passed over.
    let mut stage = seat(McpMode::ManyValues);
    stage.script.bytes = 250_000;
    let deadlines = Deadlines { idle: IDLE, ..PATIENT };
    let caps = Caps { total: 4 << 20, line: 2 << 20 };
    let turn = stage.ask(&TurnRequest { deadlines, caps, ..stage.request() });
    assert_eq!(turn.outcome, Outcome::TimedOut { deadline: Deadline::Idle });
    assert_eq!(stage.place.survivors(), []);
}

#[test]
fn an_answer_comes_with_its_origin_and_its_session() {
    let stage = seat(McpMode::Answer);
    let turn = stage.turn();
    assert_eq!((turn.text.as_deref(), turn.usage), (Some("The change is correct."), None));
    assert_eq!(turn.provenance.session.as_deref(), Some(stage.script.session.as_str()));
    assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
    assert!(turn.provenance.program.is_some_and(|program| program.ends_with("/server")));
    let transcript = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(transcript.lines().count() == 5 && !turn.transcript.cut, "{transcript}");
}

#[test]
fn without_a_path_all_texts_are_the_answer_and_a_prefix_is_the_servers_own() {
    let stage = seat(McpMode::Answer).without("answer");
    assert_eq!(stage.turn().text.as_deref(), Some("Fake says:\nThe change is correct."));
    let stage = stage.set("answer_prefix", "Fake says:");
    assert_eq!(stage.turn().text.as_deref(), Some("The change is correct."));
}

#[test]
fn the_prompt_is_an_argument_of_the_tool_and_of_nothing_else() {
    let stage = seat(McpMode::Answer);
    stage.turn();
    let start = stage.place.record().pop().unwrap();
    assert_eq!(start.arguments[1..], ["mcp-fake", "--quiet"]);
    assert_eq!(start.directory, stage.place.root().canonicalize().unwrap());
    assert_eq!(start.environment["BATON_DEPTH"], "1");
    assert!(!start.environment.contains_key(KEY.0));
    let sent = stage.sent();
    let methods: Vec<String> = sent
        .lines()
        .map(|line| serde_json::from_str::<serde_json::Value>(line).unwrap()["method"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(methods, ["initialize", "notifications/initialized", "tools/list", "tools/call"]);
    let call: serde_json::Value = serde_json::from_str(sent.lines().last().unwrap()).unwrap();
    let directory = stage.place.root().to_str().unwrap();
    let wanted = serde_json::json!({ "prompt": PROMPT, "model": "small", "cwd": directory, "strict": true });
    assert_eq!(call["params"]["arguments"], wanted, "an argument without a value is left out");
    let stage = stage.set("api_key", "pass");
    stage.turn();
    assert_eq!(stage.place.record().pop().unwrap().environment[KEY.0], KEY.1);
}

#[test]
fn a_server_that_asks_back_is_refused_and_it_is_told() {
    let refused = "Told r1 -32601, r2 -32601, r3 -32601.";
    let stage = seat(McpMode::Asks).set("answer", "content.*.text");
    assert_eq!(stage.turn().text.as_deref(), Some(refused));
    let turn = seat(McpMode::NeedsModel).turn();
    assert!(turn.detail.contains("No model is offered") && turn.detail.contains("a model of ours"), "{}", turn.detail);
}

#[test]
fn a_tool_that_is_missing_is_told_with_those_that_are_there() {
    let stage = seat(McpMode::OtherTools);
    assert_eq!(stage.turn().detail, "the server has no such tool; it has echo, add");
    assert!(!stage.sent().contains(PROMPT), "nothing is asked");
}

#[test]
fn a_slow_start_is_told_with_what_the_server_wrote_and_the_way_out() {
    let stage = seat(McpMode::Silent);
    let deadlines = Deadlines { first_event: SHORT, ..PATIENT };
    let turn = stage.ask(&TurnRequest { deadlines, ..stage.request() });
    assert!(turn.detail.contains("1 lines that are no messages") && turn.detail.contains("start_s"), "{}", turn.detail);
}

#[test]
fn progress_is_shown() {
    let stage = seat(McpMode::Answer);
    let seen = stage.signs();
    assert_eq!(seen[..2], [Progress::Started, Progress::Thinking]);
    assert!(seen.contains(&Progress::Doing("says: Reading the change.".to_owned())), "{seen:?}");
}

#[test]
fn a_session_goes_on_with_its_own_tool_and_id() {
    let stage = seat(McpMode::Answer)
        .set("resume_tool", "reply")
        .set("resume.session", "{session}")
        .set("new.session", "{session}");
    let with = |session| stage.ask(&TurnRequest { session, ..stage.request() });
    let turn = with(SessionUse::New { id: "ours-1".into() });
    assert_eq!(turn.provenance.session.as_deref(), Some("ours-1"));
    assert!(stage.sent().contains(r#""name":"ask""#));
    let turn = with(SessionUse::Resume { id: "ours-1".into() });
    assert_eq!(turn.provenance.session.as_deref(), Some("ours-1"));
    assert!(stage.sent().contains(r#""name":"reply""#) && stage.sent().contains(r#""session":"ours-1""#));
    assert_eq!(with(SessionUse::Resume { id: "--odd".into() }).outcome, Outcome::SessionNotFound);
}

#[test]
fn a_server_without_memory_is_told_the_past() {
    let stage = seat(McpMode::Answer);
    let session = SessionUse::Resume { id: "any".into() };
    let lost = stage.ask(&TurnRequest { session: session.clone(), ..stage.request() });
    assert_eq!(lost.outcome, Outcome::SessionNotFound);
    let history = vec![Exchange { prompt: "An earlier question.".into(), answer: "An earlier answer.".into() }];
    stage.ask(&TurnRequest { session, history, ..stage.request() });
    assert!(stage.sent().contains("An earlier answer.") && stage.sent().contains(PROMPT));
}

#[test]
fn a_wish_to_stop_is_heard() {
    seat(McpMode::Hangs).must_stop_at(Progress::Thinking);
}

#[test]
fn a_probe_starts_no_server() {
    let stage = seat(McpMode::Answer);
    assert_eq!(on_runtime(stage.channel().probe()), Availability::Ready { version: None });
    assert_eq!(stage.place.record().len(), 0);
    let missing = seat(McpMode::Answer).set("program", "no-such-program");
    assert!(matches!(on_runtime(missing.channel().probe()), Availability::NotReady { .. }));
    assert_eq!(missing.turn().outcome, Outcome::NotInstalled);
}

#[test]
fn versions_decide_where_a_server_came_or_went_with_one() {
    let probe = |printed: &str| {
        let mut stage = seat(McpMode::Answer)
            .set("version_arg", "--version")
            .set("min_version", "0.144")
            .set("below_version", "0.152");
        stage.script.version = Some(printed.to_owned());
        on_runtime(stage.channel().probe())
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
    let stage = seat(McpMode::Answer);
    let found = inspect(&stage, PATIENT.total);
    assert_eq!((found.name.as_deref(), found.version.as_deref()), (Some("fake"), Some("1.2.3")));
    assert_eq!((found.tools, found.trouble), (vec!["ask".to_owned(), "reply".to_owned()], None));
    assert!(!stage.sent().contains("tools/call"));
    let slow = seat(McpMode::Silent);
    let found = inspect(&slow, SHORT);
    assert!(found.trouble.is_some_and(|(outcome, _)| outcome == Outcome::TimedOut { deadline: Deadline::FirstEvent }));
    assert_eq!(slow.place.survivors(), []);
}
