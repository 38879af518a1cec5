//! The same channel against the fake server on a port of this machine, in all its carriages.

use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Availability, Cancel, Channel, Deadlines, Turn, TurnRequest};
use baton_testkit::fake_agent::{Carriage, FakeMcpServer, McpMode, Script};

use crate::mcp_channel::{PROMPT, TOOL, channel, owned, request};
use crate::place::{Place, on_runtime};

struct Visit {
    place: Place,
    server: FakeMcpServer,
    settings: Vec<(String, String)>,
}

impl Visit {
    fn new(mode: McpMode, carriage: Carriage) -> Self {
        let script = Script { mcp: mode, bytes: 300_000, ..Script::default() };
        let server = FakeMcpServer::start(script, carriage).unwrap();
        let mut settings = owned(TOOL);
        settings.push(("url".into(), server.url()));
        Self { place: Place::new(), server, settings }
    }

    fn turn(&self) -> Turn {
        self.turn_with(&request(&self.place))
    }

    fn turn_with(&self, request: &TurnRequest) -> Turn {
        on_runtime(channel(&self.place, &self.settings).turn(request))
    }
}

#[test]
fn a_server_is_greeted_asked_and_left() {
    for carriage in [Carriage::Plain, Carriage::Events] {
        let visit = Visit::new(McpMode::Answer, carriage.clone());
        let turn = visit.turn();
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")), "{carriage:?}");
        assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
        let requests = visit.server.requests();
        let methods: Vec<&str> = requests.iter().map(|request| request.method.as_str()).collect();
        assert_eq!(methods, ["POST", "POST", "POST", "POST", "DELETE"]);
        assert!(requests[3].body.contains(PROMPT));
        assert!(requests[0].header("mcp-session-id").is_none() && requests[0].header("mcp-protocol-version").is_none());
        for later in &requests[1..] {
            assert_eq!(later.header("mcp-session-id"), Some("session-of-the-fake"));
            assert!(later.header("mcp-protocol-version").is_some(), "{later:?}");
        }
    }
}

#[test]
fn the_key_is_sent_as_a_token_and_is_in_nothing_that_is_kept() {
    let mut visit = Visit::new(McpMode::Answer, Carriage::Plain);
    visit.turn();
    let all = visit.server.requests();
    assert!(all.iter().all(|request| request.header("authorization") == Some("Bearer test-key-1")));
    let told = r#"{"error":"the key test-key-1 is not known"}"#;
    visit = Visit::new(McpMode::Answer, Carriage::Status(401, told.into()));
    let turn = visit.turn();
    assert_eq!(turn.outcome, Outcome::Auth);
    assert!(!turn.detail.contains("test-key-1"), "{}", turn.detail);
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("test-key-1"));
    visit.settings.retain(|(name, _)| name != "key_env");
    visit.settings.push(("key_env".into(), "NOT_SET".into()));
    let turn = visit.turn();
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Auth, "NOT_SET is not set"));
}

#[test]
fn every_carriage_ends_in_its_class() {
    let quota = r#"{"error":{"message":"You exceeded your current quota"}}"#;
    let cases = [
        (Carriage::Status(401, String::new()), Outcome::Auth),
        (Carriage::Status(404, String::new()), Outcome::NotInstalled),
        (Carriage::Status(405, String::new()), Outcome::NotInstalled),
        (Carriage::Status(429, "try again in 2s".into()), Outcome::RateLimited { retry_after_ms: Some(2_000) }),
        (Carriage::Status(429, quota.into()), Outcome::QuotaExhausted),
        (Carriage::Status(500, "oops".into()), Outcome::Overloaded),
        (Carriage::Status(302, String::new()), Outcome::Crashed),
        (Carriage::Page, Outcome::Unreadable),
        (Carriage::BreaksOff, Outcome::Crashed),
        (Carriage::Hangs, Outcome::TimedOut { deadline: Deadline::Idle }),
        (Carriage::Flood, Outcome::TooMuchOutput),
    ];
    for (carriage, outcome) in cases {
        let visit = Visit::new(McpMode::Answer, carriage.clone());
        let mut wanted = request(&visit.place);
        if carriage == Carriage::Hangs {
            wanted.deadlines = Deadlines { idle: Duration::from_millis(300), ..wanted.deadlines };
        }
        let turn = visit.turn_with(&wanted);
        println!("{carriage:?}: {:?} {}", turn.outcome, turn.detail);
        assert_eq!(turn.outcome, outcome, "{carriage:?}: {}", turn.detail);
        assert!(turn.text.is_none() && !turn.detail.is_empty(), "{carriage:?}");
    }
}

#[test]
fn behaviours_end_as_they_do_in_a_process() {
    for (mode, outcome) in [
        (McpMode::ToolError, Outcome::QuotaExhausted),
        (McpMode::RpcError, Outcome::RateLimited { retry_after_ms: Some(2_000) }),
        (McpMode::AuthAtStart, Outcome::Auth),
        (McpMode::OtherTools, Outcome::Rejected),
        (McpMode::HugeAnswer, Outcome::TooMuchOutput),
        (McpMode::WrongShape, Outcome::Unreadable),
        (McpMode::Empty, Outcome::Empty),
    ] {
        let turn = Visit::new(mode, Carriage::Plain).turn();
        assert_eq!(turn.outcome, outcome, "{mode:?}: {}", turn.detail);
    }
}

#[test]
fn a_port_where_nobody_listens_is_told_before_and_in_a_turn() {
    let mut visit = Visit::new(McpMode::Answer, Carriage::Plain);
    assert_eq!(on_runtime(channel(&visit.place, &visit.settings).probe()), Availability::Ready { version: None });
    visit.settings.retain(|(name, _)| name != "url");
    visit.settings.push(("url".into(), "http://127.0.0.1:1/mcp".into()));
    let found = on_runtime(channel(&visit.place, &visit.settings).probe());
    let Availability::NotReady { because, mend } = found else { panic!("ready") };
    assert!(because.contains("127.0.0.1:1") && mend.contains("url"), "{because} {mend}");
    let turn = visit.turn();
    assert_eq!(turn.outcome, Outcome::NotInstalled);
    assert!(turn.detail.contains("port"), "{}", turn.detail);
}

#[test]
fn a_look_tells_the_tools_of_a_server_that_runs() {
    let visit = Visit::new(McpMode::Answer, Carriage::Events);
    let seat = channel(&visit.place, &visit.settings);
    let found = on_runtime(seat.inspect(visit.place.root(), Duration::from_secs(30), &Cancel::default()));
    assert_eq!((found.tools, found.trouble), (vec!["ask".to_owned(), "reply".to_owned()], None));
}
