//! A prompt of 200 KB arrives whole through every kind of channel: what came in is compared by hash.

use baton_core::hash::Hash;
use baton_core::outcome::Outcome;
use baton_port::Caps;
use baton_script::{Answer, Script as ServerScript};
use baton_testkit::Upstream;
use baton_testkit::fake_agent::{MARKER, Script};
use serde_json::Value;

use crate::stage::{KEY, Stage, member};

const BYTES: usize = 200_000;

/// No part of it is like another, and everything that a shell, JSON or a terminal could take amiss is in it.
fn large() -> String {
    let mut text = String::with_capacity(BYTES + 100);
    for line in 0.. {
        if text.len() >= BYTES {
            return text;
        }
        text.push_str(&format!("{line}: \"Grüße\" \\n 'x' $HOME `id` {{\"a\":[{line}]}} \u{1F600} <b>&amp;\t%s\n"));
    }
    text
}

fn stage(program: &str, kind: &str, settings: &[(&str, &str)]) -> Stage {
    let stage = Stage::new(member(kind, settings), program, Script::default());
    Stage { prompt: large(), caps: Caps::default(), ..stage }
}

/// The longest text anywhere in a message.
fn longest(value: &Value) -> String {
    match value {
        Value::String(text) => text.clone(),
        Value::Array(all) => all.iter().map(longest).max_by_key(String::len).unwrap_or_default(),
        Value::Object(all) => all.values().map(longest).max_by_key(String::len).unwrap_or_default(),
        _ => String::new(),
    }
}

fn is_whole(kind: &str, arrived: &str) {
    assert_eq!(arrived.len(), large().len(), "{kind}");
    assert_eq!(Hash::of(arrived.as_bytes()), Hash::of(large().as_bytes()), "{kind}");
}

#[test]
fn programs_get_it_by_standard_input() {
    let declared =
        [("program", "qwen"), ("arg.1", "--json"), ("output", "json"), ("text", "result"), ("error_in_disguise", "no")];
    for (name, kind, settings) in
        [("claude", "claude-cli", &[][..]), ("codex", "codex-cli", &[]), ("qwen", "cli", &declared)]
    {
        let stage = stage(name, kind, settings);
        let ended = stage.turn();
        let starts = stage.place.record();
        assert_eq!(starts.len(), 1, "{kind}: {} {}", ended.outcome.label(), ended.detail);
        is_whole(kind, starts[0].stdin.as_deref().unwrap());
        assert_eq!(starts[0].violations, Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn an_agent_of_the_protocol_gets_it_in_one_message() {
    let stage = stage("agent", "acp", &[("program", "agent"), ("arg.0", "--acp")]);
    let ended = stage.turn();
    assert_eq!(ended.outcome, Outcome::Ok, "{}", ended.detail);
    let sent = stage.sent();
    let messages = sent.lines().map(|line| serde_json::from_str::<Value>(line).unwrap());
    let prompt = messages.filter(|message| message["method"] == "session/prompt").map(|message| longest(&message));
    is_whole("acp", prompt.collect::<Vec<_>>().last().unwrap());
}

#[test]
fn servers_get_it_in_the_body() {
    for (kind, base) in [("openai-chat", "/v1"), ("openai-responses", "/v1"), ("anthropic", ""), ("gemini", "/v1beta")]
    {
        let server = Upstream::start(ServerScript::always(Answer::text("It is whole."))).unwrap();
        let url = format!("{}{base}", server.url());
        let stage = stage("nobody", kind, &[("base_url", &url), ("key_env", KEY.0)]);
        let ended = stage.without(&format!("env.{MARKER}")).turn();
        assert_eq!(ended.outcome, Outcome::Ok, "{kind}: {}", ended.detail);
        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{kind}");
        is_whole(kind, &longest(&serde_json::from_str(&requests[0].body).unwrap()));
    }
}
