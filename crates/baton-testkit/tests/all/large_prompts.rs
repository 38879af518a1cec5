//! A prompt of 200 KB arrives whole through every kind of channel: what came in is compared by hash.

use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use baton_core::hash::Hash;
use baton_core::ids::MemberId;
use baton_core::member::{ChannelSpec, Limits, Member, Nature, Payer};
use baton_core::outcome::Outcome;
use baton_members::{Tools, open};
use baton_port::{Cancel, Caps, Deadlines, Progress, ProgressSink, SessionUse, Turn, TurnRequest};
use baton_script::{Answer, Script as ServerScript};
use baton_testkit::Upstream;
use baton_testkit::fake_agent::{MARKER, Script};
use serde_json::Value;

use crate::place::{Place, on_runtime, with_shim};

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

struct Silent;

impl ProgressSink for Silent {
    fn report(&self, _: Progress) {}
}

fn member(kind: &str, settings: &[(&str, &str)]) -> Member {
    let settings = settings.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
    Member {
        id: MemberId::parse("seat").unwrap(),
        nature: Nature::Model,
        vendor: "vendor".into(),
        family: "family".into(),
        channel: ChannelSpec { kind: kind.into(), settings: settings.collect() },
        model: Some("small".into()),
        effort: None,
        tier: 1,
        strengths: vec![],
        context_window: 200_000,
        price: None,
        payer: Payer::Key,
        account: "account".into(),
        limits: Limits::default(),
        scripted: false,
    }
}

fn turn(place: &Place, member: &Member) -> Turn {
    let root = place.root().as_os_str().to_owned();
    let variables = ["PATH", "HOME", "TMPDIR"].map(|name| (OsString::from(name), root.clone()));
    let key = [("TEST_KEY".into(), "sk-test".into())];
    let tools = Tools::new(with_shim(), variables.into_iter().chain(key));
    let long = Duration::from_secs(60);
    let request = TurnRequest {
        prompt: large(),
        effort: None,
        schema: None,
        session: SessionUse::None,
        history: vec![],
        directory: place.root().to_owned(),
        deadlines: Deadlines { first_event: long, idle: long, total: long },
        caps: Caps::default(),
        cancel: Cancel::default(),
        progress: Arc::new(Silent),
    };
    let channel = open(member, &tools).unwrap();
    on_runtime(channel.turn(&request))
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
        let place = Place::new();
        place.install(name, &Script::default());
        let mut member = member(kind, settings);
        member.channel.settings.insert(format!("env.{MARKER}"), place.marker.clone());
        let ended = turn(&place, &member);
        let starts = place.record();
        assert_eq!(starts.len(), 1, "{kind}: {} {}", ended.outcome.label(), ended.detail);
        is_whole(kind, starts[0].stdin.as_deref().unwrap());
        assert_eq!(starts[0].violations, Vec::<String>::new(), "{kind}");
    }
}

#[test]
fn an_agent_of_the_protocol_gets_it_in_one_message() {
    let place = Place::new();
    place.install("agent", &Script::default());
    let mut member = member("acp", &[("program", "agent"), ("arg.0", "--acp")]);
    member.channel.settings.insert(format!("env.{MARKER}"), place.marker.clone());
    let ended = turn(&place, &member);
    assert_eq!(ended.outcome, Outcome::Ok, "{}", ended.detail);
    let sent = place.record().remove(0).stdin.unwrap();
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
        let ended = turn(&Place::new(), &member(kind, &[("base_url", &url), ("key_env", "TEST_KEY")]));
        assert_eq!(ended.outcome, Outcome::Ok, "{kind}: {}", ended.detail);
        let requests = server.requests();
        assert_eq!(requests.len(), 1, "{kind}");
        is_whole(kind, &longest(&serde_json::from_str(&requests[0].body).unwrap()));
    }
}
