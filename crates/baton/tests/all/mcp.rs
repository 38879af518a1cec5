//! `baton mcp`, as an editor talks to it.

use baton_script::Fault;
use baton_testkit::Conversation;
use serde_json::{Value, json};

use crate::table::{THREE, Table, all, fault, home, model};

const ALLOWED: &str = "allow = [\"ash-co\", \"beech-co\", \"cork-co\"]";

pub(crate) fn open(mut session: Conversation) -> Conversation {
    let hello = json!({"jsonrpc": "2.0", "id": 0, "method": "initialize", "params": {
        "protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "test", "version": "0"}}});
    session.send(&hello.to_string()).unwrap();
    let answer: Value = serde_json::from_str(&session.line().unwrap()).unwrap();
    assert_eq!(answer["result"]["serverInfo"]["name"], "baton");
    session.send(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).unwrap();
    session
}

pub(crate) fn call(session: &mut Conversation, arguments: &Value) -> Value {
    let call = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call",
        "params": {"name": "orchestrate", "arguments": arguments}});
    session.send(&call.to_string()).unwrap();
    loop {
        let message: Value = serde_json::from_str(&session.line().unwrap()).unwrap();
        if message["id"] == 1 {
            return message["result"].clone();
        }
    }
}

#[test]
fn orchestrate_gives_the_decision_and_keeps_the_run() {
    let table = Table::lay_with(THREE, all(THREE, "approve"), "allow = [\"ash-co\", \"beech-co\", \"cork-co\"]");
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let result = call(&mut session, &json!({"task": "Review this change", "priority": "normal"}));
    assert_ne!(result["isError"], true, "{result:#}");
    let decision = &result["structuredContent"];
    assert_eq!((decision["schema"].as_str(), decision["modelCount"].as_u64()), (Some("baton.decision/1"), Some(3)));
    assert!(result["content"][0]["text"].as_str().unwrap().contains("proceed"));
    assert_eq!(session.close().unwrap(), Some(0));
    assert!(table.run(&["runs"]).stdout.contains("Review this change"));
}

#[test]
fn what_is_not_allowed_is_an_error_of_the_tool_with_the_way_out() {
    let table = Table::lay(THREE, all(THREE, "approve"));
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let result = call(&mut session, &json!({"task": "Is this fine?"}));
    let text = result["content"][0]["text"].as_str().unwrap().to_owned();
    assert_eq!(result["isError"], true);
    assert!(text.contains("have not been allowed yet: ash-co") && text.contains("allow = ["), "{text}");
    assert!(text.contains("only the user can allow it") && !text.contains("--yes"), "no flag helps here: {text}");
    let odd = call(&mut session, &json!({"task": "x", "priority": "urgent"}));
    assert!(odd["content"][0]["text"].as_str().unwrap().contains("critical"), "{odd:#}");
    assert!(table.upstream.requests().is_empty());
    session.close().unwrap();
}

#[test]
fn a_refusal_has_all_that_a_model_needs_to_call_again() {
    let table = Table::lay_with(THREE, all(THREE, "approve"), ALLOWED);
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let mut told = |arguments: Value| {
        let result = call(&mut session, &arguments);
        assert_eq!(result["isError"], true);
        result["content"][0]["text"].as_str().unwrap().to_owned()
    };
    let nobody = told(json!({"task": "x", "members": ["nobody"]}));
    assert!(nobody.contains("can be asked: ash, beech, cork"), "{nobody}");
    let absent = told(json!({"task": "x", "files": ["absent.rs"]}));
    let place = std::fs::canonicalize(table.home.work()).unwrap();
    assert!(absent.contains(&format!("current directory, {}", place.display())), "{absent}");
    let unknown = told(json!({"task": "x", "yes": true, "zap": 1}));
    assert!(unknown.contains("`yes`, `zap` are no arguments; accepted: task"), "{unknown}");
    session.close().unwrap();
}

#[test]
fn each_line_of_progress_can_be_read_alone() {
    let mut rules = all(THREE, "approve");
    rules[1] = model("beech", [fault(Fault::Unauthorized)]);
    let table = Table::lay_with(THREE, rules, ALLOWED);
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let request = json!({"jsonrpc": "2.0", "id": 1, "method": "tools/call", "params": {"name": "orchestrate",
        "_meta": {"progressToken": 7}, "arguments": {"task": "Which store?", "choices": ["a", "b"]}}});
    session.send(&request.to_string()).unwrap();
    let mut lines = Vec::new();
    loop {
        let message: Value = serde_json::from_str(&session.line().unwrap()).unwrap();
        if message["id"] == 1 {
            break;
        }
        lines.push(message["params"]["message"].as_str().unwrap().to_owned());
    }
    let has = |beginning: &str| lines.iter().any(|line| line.starts_with(beginning));
    assert!(has("ash is asked") && has("ash primary answered in "), "{lines:#?}");
    assert!(has("beech primary login or key refused after "), "{lines:#?}");
    assert!(has("decided review required: no position, 0.00 of 0.70 needed"), "{lines:#?}");
    assert!(lines.windows(2).all(|pair| pair[0] != pair[1]), "nothing twice: {lines:#?}");
    session.close().unwrap();
}

#[test]
fn a_baton_inside_a_member_refuses_to_ask() {
    let mut table = Table::lay_with(THREE, all(THREE, "approve"), "allow = [\"ash-co\", \"beech-co\", \"cork-co\"]");
    table.home.set("BATON_DEPTH", "1");
    let mut session = open(table.home.converse(&["mcp"]).unwrap());
    let result = call(&mut session, &json!({"task": "Is this fine?"}));
    assert_eq!(result["isError"], true);
    assert!(result["content"][0]["text"].as_str().unwrap().contains("member of a running baton"));
    session.close().unwrap();
}

#[test]
fn the_tools_are_listed_before_anything_is_opened() {
    let home = home();
    home.configure("this is = = no toml").unwrap();
    let mut session = open(home.converse(&["mcp"]).unwrap());
    session.send(r#"{"jsonrpc":"2.0","id":2,"method":"tools/list"}"#).unwrap();
    let answer: Value = serde_json::from_str(&session.line().unwrap()).unwrap();
    assert_eq!(answer["result"]["tools"][0]["name"], "orchestrate");
    assert_eq!(session.close().unwrap(), Some(0));
    assert_eq!(std::fs::read_dir(home.home()).unwrap().count(), 1, "no store was made");
}

/// An agent of the Agent Client Protocol that needs no program but the shell. It notes its process id for each prompt.
const AGENT: &str = r#"#!/bin/sh
id=0
while read -r line; do
  id=$((id + 1))
  case "$line" in
    *'"method":"session/prompt"'*)
      echo "$$" >> "$NOTES"
      text='{"sessionUpdate":"agent_message_chunk","content":{"type":"text","text":"Use a queue."}}'
      echo "{\"method\":\"session/update\",\"params\":{\"sessionId\":\"s\",\"update\":$text}}"
      echo "{\"id\":$id,\"result\":{\"stopReason\":\"end_turn\"}}" ;;
    *'"method":"initialize"'*)
      echo "{\"id\":$id,\"result\":{\"protocolVersion\":1,\"agentCapabilities\":{\"loadSession\":true}}}" ;;
    *) echo "{\"id\":$id,\"result\":{\"sessionId\":\"s\"}}" ;;
  esac
done
"#;

const AGENT_SEAT: &str = r#"
allow = ["elm-co"]
local_servers = false
[[member]]
id = "elm"
vendor = "elm-co"
channel = "acp"
settings = { program = "PROGRAM", "env.NOTES" = "NOTED" }
tier = 1
context_window = 100000
payer = "local"
"#;

#[test]
fn calls_of_one_session_go_through_one_process_that_ends_with_the_server() {
    use std::os::unix::fs::PermissionsExt;
    let home = home();
    let (program, notes) = (home.write("agent", AGENT).unwrap(), home.work().join("notes"));
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    let seat = AGENT_SEAT.replace("PROGRAM", program.to_str().unwrap()).replace("NOTED", notes.to_str().unwrap());
    home.configure(&seat).unwrap();
    let mut session = open(home.converse(&["mcp"]).unwrap());
    for task in ["A queue or a lock?", "And for one writer?"] {
        let arguments = json!({"task": task, "question": "text", "members": ["elm"], "session": "queues"});
        let result = call(&mut session, &arguments);
        assert_ne!(result["isError"], true, "{result:#}");
    }
    let processes = std::fs::read_to_string(&notes).unwrap();
    let ids: Vec<&str> = processes.lines().collect();
    assert!(ids.len() >= 2 && ids.iter().all(|id| *id == ids[0]), "{ids:?}");
    assert_eq!(session.close().unwrap(), Some(0));
    assert!(!std::path::Path::new("/proc").join(ids[0]).exists(), "nobody is left");
}
