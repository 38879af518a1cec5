//! MCP servers of the user's choice on their way to members' sessions.

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_members::mcp::{Server, Way};
use baton_members::{OpenError, SERVERS, Tools, open};
use baton_testkit::fake_agent::{MARKER, Script};

use crate::place::{Place, on_runtime, with_shim};
use crate::stage::{PROMPT, member, request, variables};

const SECRET: &str = "secret-token-1";

fn notes() -> Server {
    let way = Way::Program {
        program: "notes-server".into(),
        arguments: vec!["--quiet".into()],
        variables: [("PLAIN".to_owned(), "1".to_owned())].into(),
        inherit: vec!["NOTES_TOKEN".into()],
    };
    Server { name: "notes".into(), way, start: None }
}

fn tools(place: &Place) -> Tools {
    place.install("notes-server", &Script::default());
    Tools::new(with_shim(), variables(place.root(), &[("NOTES_TOKEN", SECRET)]))
}

fn seat(place: &Place, kind: &str, settings: &[(&str, &str)]) -> Member {
    let marker = format!("env.{MARKER}");
    member(kind, &[settings, &[(SERVERS, "notes"), (&marker, &place.marker)]].concat())
}

/// The arguments, the environment's names and the input of a turn whose program plays its part well.
fn turn(kind: &str, program: &str, settings: &[(&str, &str)]) -> (String, Vec<String>, String) {
    let place = Place::new();
    place.install(program, &Script::default());
    let tools = tools(&place);
    tools.admit([notes()]);
    let channel = open(&seat(&place, kind, settings), &tools).unwrap();
    let turn = on_runtime(channel.turn(&request(place.root(), PROMPT)));
    assert_eq!(turn.outcome, Outcome::Ok, "{kind}: {}", turn.detail);
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains(SECRET));
    let start = place.record().pop().unwrap();
    assert_eq!(start.violations, [] as [String; 0], "{kind}");
    (start.arguments.join(" "), start.environment.into_keys().collect(), start.stdin.unwrap())
}

#[test]
fn claude_is_told_in_a_private_file_that_goes_away() {
    let (arguments, environment, _) = turn("claude-cli", "claude", &[]);
    let file = arguments.split("--mcp-config=").nth(1).unwrap().split(' ').next().unwrap();
    assert!(
        arguments.contains("--strict-mcp-config") && arguments.contains("--allowedTools=mcp__notes"),
        "{arguments}"
    );
    assert!(!std::path::Path::new(file).exists() && !arguments.contains(SECRET));
    assert!(!environment.contains(&"NOTES_TOKEN".to_owned()), "it is the server's, not the program's");
}

#[test]
fn codex_is_told_by_settings_whose_secrets_are_variables() {
    let (arguments, environment, _) = turn("codex-cli", "codex", &[]);
    for part in
        ["mcp_servers.notes.command=", "mcp_servers.notes.args=[\"--quiet\"]", "env_vars=[\"NOTES_TOKEN\",\"PLAIN\"]"]
    {
        assert!(arguments.contains(part), "{arguments}");
    }
    assert!(!arguments.contains(SECRET) && environment.contains(&"NOTES_TOKEN".to_owned()));
}

#[test]
fn an_agent_is_told_with_its_session() {
    let settings = [("program", "agent"), ("arg.0", "--acp"), ("arg.1", "--model={model}")];
    let (arguments, _, sent) = turn("acp", "agent", &settings);
    let new: serde_json::Value = serde_json::from_str(sent.lines().nth(1).unwrap()).unwrap();
    let server = &new["params"]["mcpServers"][0];
    assert!(server["command"].as_str().unwrap().ends_with("/notes-server"));
    assert_eq!(server["env"][0], serde_json::json!({ "name": "NOTES_TOKEN", "value": SECRET }));
    assert!(!arguments.contains(SECRET));
}

#[test]
fn a_server_that_nobody_trusted_is_left_out_and_an_unknown_one_is_refused() {
    let place = Place::new();
    let tools = tools(&place);
    let seat = seat(&place, "claude-cli", &[]);
    let refusal = |tools: &Tools| open(&seat, tools).map(drop).unwrap_err();
    let OpenError::Setting(because) = refusal(&tools) else { panic!() };
    assert!(because.contains("`notes`"), "{because}");
    tools.hold_back(["notes".to_owned()]);
    assert!(open(&seat, &tools).is_ok());
    tools.admit([notes()]);
    assert!(open(&seat, &tools).is_ok());
    tools.hold_back(["notes".to_owned()]);
    let mut gone = notes();
    gone.way = Way::Program { program: "gone".into(), arguments: vec![], variables: [].into(), inherit: vec![] };
    tools.admit([gone]);
    let OpenError::Setting(because) = refusal(&tools) else { panic!() };
    assert!(because.contains("`gone`"), "{because}");
    let other = crate::mcp_handover::seat(&place, "openai-chat", &[("base_url", "https://example.com")]);
    assert!(open(&other, &tools).is_err(), "a model behind an API uses no tools");
}
