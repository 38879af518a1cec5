//! The same channel against the fake server on a port of this machine, in all its carriages.

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Availability, Deadlines, TurnRequest};
use baton_testkit::fake_agent::{Carriage, FakeMcpServer, McpMode};

use crate::mcp_channel::{TOOL, inspect, script};
use crate::place::on_runtime;
use crate::stage::{KEY, PATIENT, PROMPT, SHORT, Stage, member};

fn visit(mode: McpMode, carriage: Carriage) -> (Stage, FakeMcpServer) {
    let server = FakeMcpServer::start(script(mode), carriage).unwrap();
    (Stage::new(member("mcp", TOOL), "nobody", script(mode)).set("url", &server.url()), server)
}

#[test]
fn a_server_is_greeted_asked_and_left() {
    for carriage in [Carriage::Plain, Carriage::Events] {
        let (stage, server) = visit(McpMode::Answer, carriage.clone());
        let turn = stage.turn();
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("The change is correct.")), "{carriage:?}");
        assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
        let requests = server.requests();
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
    let (stage, server) = visit(McpMode::Answer, Carriage::Plain);
    stage.turn();
    let all = server.requests();
    assert!(all.iter().all(|request| request.header("authorization") == Some("Bearer test-key-1")));
    let told = r#"{"error":"the key test-key-1 is not known"}"#;
    let (stage, _server) = visit(McpMode::Answer, Carriage::Status(401, told.into()));
    let turn = stage.turn();
    assert_eq!(turn.outcome, Outcome::Auth);
    assert!(!turn.detail.contains(KEY.1), "{}", turn.detail);
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains(KEY.1));
    let turn = stage.set("key_env", "NOT_SET").turn();
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
        let (stage, _server) = visit(McpMode::Answer, carriage.clone());
        let idle = if carriage == Carriage::Hangs { SHORT } else { PATIENT.idle };
        let turn = stage.ask(&TurnRequest { deadlines: Deadlines { idle, ..PATIENT }, ..stage.request() });
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
        let (stage, _server) = visit(mode, Carriage::Plain);
        let turn = stage.turn();
        assert_eq!(turn.outcome, outcome, "{mode:?}: {}", turn.detail);
    }
}

#[test]
fn a_port_where_nobody_listens_is_told_before_and_in_a_turn() {
    let (stage, _server) = visit(McpMode::Answer, Carriage::Plain);
    assert_eq!(on_runtime(stage.channel().probe()), Availability::Ready { version: None });
    let stage = stage.set("url", "http://127.0.0.1:1/mcp");
    let found = on_runtime(stage.channel().probe());
    let Availability::NotReady { because, mend } = found else { panic!("ready") };
    assert!(because.contains("127.0.0.1:1") && mend.contains("url"), "{because} {mend}");
    let turn = stage.turn();
    assert_eq!(turn.outcome, Outcome::NotInstalled);
    assert!(turn.detail.contains("port"), "{}", turn.detail);
}

#[test]
fn a_look_tells_the_tools_of_a_server_that_runs() {
    let (stage, _server) = visit(McpMode::Answer, Carriage::Events);
    let found = inspect(&stage, PATIENT.total);
    assert_eq!((found.tools, found.trouble), (vec!["ask".to_owned(), "reply".to_owned()], None));
}
