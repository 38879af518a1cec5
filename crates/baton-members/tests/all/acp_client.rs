//! The client's side of the Agent Client Protocol: lines in, lines and a turn out.

use baton_core::outcome::Outcome;
use baton_members::acp::client::{Client, Wants};
use baton_members::acp::{Settings, Source};
use baton_members::cli::End;
use baton_members::warm::{Reply, Talk as _};
use baton_port::{Progress, Turn};
use baton_process::{Ending, Flow};
use serde_json::{Value, json};

use crate::cli_args::member;

const PROGRAM: (&str, &str) = ("program", "agent");

fn settings(more: &[(&str, &str)]) -> Settings {
    Settings::read(&member("acp", Some("small"), &[&[PROGRAM], more].concat())).unwrap()
}

fn refused(more: &[(&str, &str)]) -> String {
    Settings::read(&member("acp", Some("small"), more)).unwrap_err().to_string()
}

struct Talk(Client);

impl Talk {
    fn new(resume: Option<&str>, more: &[(&str, &str)]) -> Self {
        let wants = Wants::new(&settings(more), "/work-dir".into(), "Is it right?".into(), resume.map(str::to_owned));
        let mut client = Client::new(wants);
        assert!(!client.open().is_empty());
        Self(client)
    }

    /// After the prompt was sent.
    fn asked(more: &[(&str, &str)]) -> Self {
        let mut talk = Self::new(None, more);
        talk.result(1, json!({ "protocolVersion": 1, "agentCapabilities": { "loadSession": true } }));
        assert_eq!(talk.result(2, json!({ "sessionId": "s" })).1["method"], "session/prompt");
        talk
    }

    /// The reply and the message that was sent with it.
    fn line(&mut self, message: &Value) -> (Reply, Value) {
        let reply = self.0.line(message.to_string().as_bytes());
        let sent = match reply.send.as_slice() {
            [] => Value::Null,
            [line @ .., b'\n'] if !line.contains(&b'\n') => serde_json::from_slice(line).unwrap(),
            other => panic!("not one line: {other:?}"),
        };
        (reply, sent)
    }

    fn result(&mut self, id: u64, result: Value) -> (Reply, Value) {
        self.line(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
    }

    fn update(&mut self, update: Value) -> Reply {
        self.line(&json!({ "method": "session/update", "params": { "sessionId": "s", "update": update } })).0
    }

    fn text(&mut self, text: &str) -> Reply {
        self.update(json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } }))
    }

    fn stop(mut self, reason: &str) -> Turn {
        assert_eq!(self.result(3, json!({ "stopReason": reason })).0.flow, Flow::Finished);
        self.end("")
    }

    fn error(mut self, error: Value) -> Turn {
        assert_eq!(self.line(&json!({ "id": 3, "error": error })).0.flow, Flow::Finished);
        self.end("")
    }

    fn end(&self, stderr: &str) -> Turn {
        self.0.finish(End { ending: &Ending::Exited { code: 0 }, stderr })
    }
}

#[test]
fn the_conversation_has_its_order() {
    let mut talk = Talk::new(None, &[]);
    let (_, sent) = talk.result(1, json!({ "protocolVersion": 1, "agentInfo": { "version": "2.0" } }));
    assert_eq!((&sent["method"], &sent["id"]), (&json!("session/new"), &json!(2)));
    assert_eq!(sent["params"], json!({ "cwd": "/work-dir", "mcpServers": [] }));
    let (reply, sent) = talk.result(2, json!({ "sessionId": "s" }));
    assert_eq!((reply.flow, reply.progress), (Flow::Payload, vec![Progress::Thinking]));
    let prompt = json!([{ "type": "text", "text": "Is it right?" }]);
    assert_eq!(sent["params"], json!({ "sessionId": "s", "prompt": prompt }));
    assert_eq!(talk.text("VER").progress, [Progress::Text { bytes: 3 }]);
    talk.text("DICT");
    let turn = talk.stop("end_turn");
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("VERDICT")));
    assert_eq!(turn.provenance.program_version.as_deref(), Some("2.0"));
}

#[test]
fn stop_reasons_have_their_class() {
    for (reason, text, outcome) in [
        ("end_turn", "yes", Outcome::Ok),
        ("end_turn", " ", Outcome::Empty),
        ("end_turn", "API Error: 529 Overloaded.", Outcome::Overloaded),
        ("refusal", "I must not", Outcome::Refused),
        ("max_tokens", "it beg", Outcome::Partial),
        ("max_turn_requests", "it beg", Outcome::Partial),
        ("cancelled", "", Outcome::Crashed),
        ("cancelled", "it beg", Outcome::Partial),
        ("of_tomorrow", "", Outcome::Unreadable),
        ("", "it beg", Outcome::Partial),
    ] {
        let mut talk = Talk::asked(&[]);
        talk.text(text);
        let turn = talk.stop(reason);
        let kept = matches!(outcome, Outcome::Ok | Outcome::Partial);
        assert_eq!((turn.outcome, turn.text.is_some()), (outcome, kept), "{reason} {text}");
    }
}

#[test]
fn a_vague_error_after_a_part_of_the_answer_leaves_the_part() {
    let mut talk = Talk::asked(&[]);
    talk.text("It beg");
    let turn = talk.error(json!({ "code": -32603, "message": "Internal error" }));
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Partial, Some("It beg")));
    let mut talk = Talk::asked(&[]);
    talk.text("Please log in.");
    let turn = talk.error(json!({ "code": -32000, "message": "Authentication required" }));
    assert_eq!((turn.outcome, turn.text), (Outcome::Auth, None));
}

#[test]
fn an_end_without_a_response_is_never_a_success() {
    let mut talk = Talk::asked(&[]);
    assert_eq!(talk.end("").outcome, Outcome::Crashed);
    assert_eq!(talk.end("Error: 401 status unauthorized").outcome, Outcome::Auth);
    talk.text("It is right.");
    let turn = talk.end("");
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Partial, Some("It is right.")));
    let mut talk = Talk::new(None, &[]);
    talk.0.line(b"Welcome!");
    assert_eq!(talk.end("").outcome, Outcome::Unreadable);
}

#[test]
fn retries_on_standard_error_have_their_class() {
    let talk = Talk::asked(&[("retry_texts", "failed with status")]);
    let turn = talk.end("Attempt 1 failed with status 429. Retrying\nat line 12\n");
    assert_eq!(turn.outcome, Outcome::RateLimited { retry_after_ms: None });
    assert!(turn.detail.starts_with("stopped at its first retry: Attempt 1"), "{}", turn.detail);
}

#[test]
fn an_error_text_ends_the_turn_as_soon_as_it_is_whole() {
    let mut talk = Talk::asked(&[("error_texts", "Error: Authentication failed\nInfo: *Retrying")]);
    assert_eq!(talk.text("Error: Authen").flow, Flow::Payload);
    assert_eq!(talk.text("tication failed (401)").flow, Flow::Stop);
    assert_eq!((talk.end("").outcome, talk.end("").text), (Outcome::Auth, None));
    let mut talk = Talk::asked(&[("error_texts", "Info: *Retrying")]);
    talk.text("It beg");
    assert_eq!(talk.text("Info: Failed. Retrying").flow, Flow::Stop, "also after a part of the answer");
}

#[test]
fn what_is_not_known_changes_nothing() {
    let mut talk = Talk::asked(&[]);
    for noise in [
        json!({ "method": "_x.ai/queue", "params": {} }),
        json!({ "method": "session/update" }),
        json!({ "id": 99, "result": { "stopReason": "end_turn" } }),
        json!({ "id": 3 }),
        json!({ "id": null, "error": { "code": -32700 } }),
        json!([1, 2]),
        json!("text"),
    ] {
        let (reply, sent) = talk.line(&noise);
        assert_eq!((reply.flow, sent), (Flow::Continue, Value::Null), "{noise}");
    }
    talk.update(json!({ "sessionUpdate": "user_message_chunk", "content": { "text": "echo" } }));
    talk.update(json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "image" } }));
    talk.text("yes");
    assert_eq!(talk.stop("end_turn").text.as_deref(), Some("yes"));
}

#[test]
fn nothing_after_the_end_counts() {
    let mut talk = Talk::asked(&[]);
    talk.text("yes");
    talk.result(3, json!({ "stopReason": "end_turn" }));
    talk.text(" and no");
    assert_eq!(talk.0.cancel(), None);
    assert_eq!(talk.end("").text.as_deref(), Some("yes"));
}

#[test]
fn requests_of_the_agent_are_answered_by_policy() {
    let mut talk = Talk::asked(&[]);
    let mut ask =
        |id: Value, method: &str, params: Value| talk.line(&json!({ "id": id, "method": method, "params": params })).1;
    let options = json!([{ "optionId": "a", "kind": "allow_once" }, { "optionId": "r", "kind": "reject_once" }]);
    let told = ask(json!("x"), "session/request_permission", json!({ "options": options }));
    assert_eq!(
        (&told["id"], &told["result"]["outcome"]),
        (&json!("x"), &json!({ "outcome": "selected", "optionId": "r" }))
    );
    for params in [json!({ "options": [{ "optionId": "a", "kind": "allow_once" }] }), json!({}), Value::Null] {
        let told = ask(json!(5), "session/request_permission", params);
        assert_eq!(told["result"]["outcome"], json!({ "outcome": "cancelled" }));
    }
    for method in ["fs/read_text_file", "fs/write_text_file", "terminal/create", "_vendor/ask"] {
        assert_eq!(ask(json!(6), method, json!({}))["error"]["code"], -32601, "{method}");
    }
}

#[test]
fn model_and_mode_are_chosen_by_what_the_agent_offers() {
    let want = [("model_via", "session"), ("mode", "plan")];
    let begin = || {
        let mut talk = Talk::new(None, &want);
        talk.result(1, json!({ "protocolVersion": 1 }));
        talk
    };
    let options = json!([{ "id": "m", "category": "model" }, { "id": "mode", "category": "mode" }]);
    let mut talk = begin();
    let (_, sent) = talk.result(2, json!({ "sessionId": "s", "configOptions": options }));
    assert_eq!(sent["params"], json!({ "sessionId": "s", "configId": "m", "value": "small" }));
    let (_, sent) = talk.result(3, json!({}));
    assert_eq!(sent["params"], json!({ "sessionId": "s", "configId": "mode", "value": "plan" }));
    assert_eq!(talk.result(4, json!({})).1["method"], "session/prompt");
    let mut talk = begin();
    let lists = json!({ "sessionId": "s", "models": { "availableModels": [] }, "modes": { "availableModes": [] } });
    assert_eq!(talk.result(2, lists).1["method"], "session/set_model");
    assert_eq!(talk.result(3, json!({})).1["method"], "session/set_mode");
    let mut talk = begin();
    assert_eq!(talk.result(2, json!({ "sessionId": "s" })).0.flow, Flow::Finished);
    assert_eq!(talk.end("").outcome, Outcome::Rejected, "never with another model than the seat's");
}

#[test]
fn a_session_is_loaded_or_lost() {
    let able = json!({ "protocolVersion": 1, "agentCapabilities": { "loadSession": true } });
    let mut talk = Talk::new(Some("old"), &[]);
    let (_, sent) = talk.result(1, able.clone());
    assert_eq!(sent["params"], json!({ "sessionId": "old", "cwd": "/work-dir", "mcpServers": [] }));
    talk.text("What I said before.");
    assert_eq!(talk.result(2, Value::Null).1["method"], "session/prompt");
    assert_eq!(talk.stop("end_turn").outcome, Outcome::Empty, "the past is no answer");
    for (error, outcome) in [
        (json!({ "code": -32603, "message": "Invalid session identifier" }), Outcome::SessionNotFound),
        (json!({ "code": -32602, "message": "Invalid params" }), Outcome::SessionNotFound),
        (json!({ "code": -32000, "message": "Authentication required" }), Outcome::Auth),
    ] {
        let mut talk = Talk::new(Some("old"), &[]);
        talk.result(1, able.clone());
        talk.line(&json!({ "id": 2, "error": error }));
        assert_eq!(talk.end("").outcome, outcome);
    }
    let mut talk = Talk::new(Some("old"), &[]);
    talk.result(1, able);
    talk.result(2, json!({ "sessionId": "new" }));
    assert_eq!(talk.end("").outcome, Outcome::SessionNotFound);
}

#[test]
fn only_a_prompt_can_be_cancelled() {
    let mut talk = Talk::new(None, &[]);
    assert_eq!(talk.0.cancel(), None);
    let mut talk = Talk::asked(&[]);
    let told: Value = serde_json::from_slice(&talk.0.cancel().unwrap()).unwrap();
    assert_eq!((&told["method"], &told["params"]), (&json!("session/cancel"), &json!({ "sessionId": "s" })));
    assert_eq!(talk.stop("end_turn").outcome, Outcome::Cancelled);
}

#[test]
fn settings_are_read_or_refused() {
    let read = settings(&[("arg.1", "--model={model}"), ("arg.0", "--acp"), ("arg.2", "{effort}"), ("usage", "meta")]);
    assert_eq!(read.arguments(None), ["--acp", "--model=small", "low"]);
    assert_eq!(read.usage, Source::Meta);
    let lists = settings(&[("key_env", "A_KEY, B_KEY"), ("retry_texts", "one\n\n two ")]);
    assert_eq!(
        (lists.keys, lists.retry_texts),
        (vec!["A_KEY".into(), "B_KEY".into()], vec!["one".into(), "two".into()])
    );
    assert!(refused(&[]).contains("`program`"));
    assert!(refused(&[PROGRAM, ("arg.1", "x")]).contains("`arg.0`"));
    assert!(refused(&[PROGRAM, ("usage", "often")]).contains("takes one of"));
    assert!(refused(&[PROGRAM, ("colour", "red")]).contains("not known"));
    assert!(refused(&[PROGRAM, ("arg.x", "red")]).contains("not known"));
}

/// Without a reason: the third says that no end is near; an error that comes before it has its own class.
#[test]
fn retries_without_a_reason_end_the_turn_at_the_third() {
    let more = [("retry_messages", "Info: *etrying"), ("error_texts", "Error: ")];
    let info = "Info: Request failed due to a transient API error. Retrying...";
    let mut talk = Talk::asked(&more);
    assert_eq!(
        (talk.text(info).flow, talk.text(info).flow, talk.text(info).flow),
        (Flow::Payload, Flow::Payload, Flow::Stop)
    );
    assert_eq!(talk.end("").outcome, Outcome::Overloaded);
    let mut talk = Talk::asked(&more);
    talk.text(info);
    talk.text(info);
    assert_eq!(talk.text("Error: Authentication failed with provider (HTTP 401).").flow, Flow::Stop);
    assert_eq!(talk.end("").outcome, Outcome::Auth);
    let mut talk = Talk::asked(&more);
    talk.text(info);
    talk.text("VERDICT: approve");
    let turn = talk.stop("end_turn");
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("VERDICT: approve")));
}

/// Gemini CLI repeats the beginning of an answer at each attempt, and then ends with success.
#[test]
fn an_answer_for_which_no_token_was_counted_broke_off() {
    let ended = |tokens: u64| {
        let mut talk = Talk::asked(&[("usage", "meta")]);
        talk.text("This is ");
        talk.text("This is ");
        let counted = json!({ "quota": { "token_count": { "input_tokens": tokens, "output_tokens": tokens } } });
        talk.result(3, json!({ "stopReason": "end_turn", "_meta": counted }));
        talk.end("").outcome
    };
    assert_eq!((ended(0), ended(5)), (Outcome::Partial, Outcome::Ok));
}

#[test]
fn the_agents_own_way_to_log_in_is_taken_where_it_names_one() {
    let first = |named: Value| {
        let mut talk = Talk::new(None, &[("login", "default")]);
        talk.result(1, json!({ "protocolVersion": 1, "_meta": { "defaultAuthMethodId": named } })).1
    };
    let sent = first(json!("xai.api_key"));
    assert_eq!((&sent["method"], &sent["params"]["methodId"]), (&json!("authenticate"), &json!("xai.api_key")));
    assert_eq!(first(Value::Null)["method"], "session/new", "a login that needs a person is none of ours");
}
