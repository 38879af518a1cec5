//! Scripts: reading them, and which rule answers.

use baton_script::{Answer, Fault, Reply, Rule, Script, ScriptError, Server};

use crate::client::{CHAT, MESSAGES, ask, post, send};

async fn said(server: &Server, request: &str) -> String {
    let body = send(server, request).await.json();
    body["choices"][0]["message"]["content"].as_str().unwrap_or("none").to_owned()
}

fn chat(model: &str, headers: &[&str], prompt: &str) -> String {
    let body = format!(r#"{{"model":"{model}","messages":[{{"content":"{prompt}"}}]}}"#);
    post("/v1/chat/completions", &[&["connection: close"], headers].concat(), &body)
}

fn rule(name: &str) -> Rule {
    Rule::named(name).answer(Answer::text(name))
}

#[tokio::test]
async fn the_first_rule_that_matches_answers() {
    let script = Script::new()
        .rule(rule("by path").path("/azure/"))
        .rule(rule("by header").header("X-Seat", "blue"))
        .rule(rule("by body").body("secret word"))
        .rule(rule("by model and body").model("m-2").body("again"))
        .rule(rule("by model").model("m-2"))
        .rule(rule("rest"));
    let server = Server::start(script).await.unwrap();
    let azure = chat("m-2", &[], "hi").replace("/v1/", "/azure/v1/");
    assert_eq!(said(&server, &azure).await, "by path");
    assert_eq!(said(&server, &chat("m-2", &["x-seat: light blue"], "hi")).await, "by header");
    assert_eq!(said(&server, &chat("m-2", &["x-seat: red"], "hi")).await, "by model");
    assert_eq!(said(&server, &chat("m-1", &[], "the secret word")).await, "by body");
    assert_eq!(said(&server, &chat("m-2", &[], "once again")).await, "by model and body");
    assert_eq!(said(&server, &chat("m-3", &[], "hi")).await, "rest");
    assert_eq!(server.counts().by_rule, [1, 1, 1, 1, 1, 1]);
}

#[tokio::test]
async fn answers_come_in_order_and_the_last_repeats() {
    let limited = Rule::named("r")
        .answer(Answer::fault(Fault::RateLimited))
        .answer(Answer::fault(Fault::Overloaded))
        .answer(Answer::text("fine"));
    let server = Server::start(Script::new().rule(limited)).await.unwrap();
    let mut statuses = Vec::new();
    for _ in 0..4 {
        statuses.push(ask(&server, CHAT, false).await.status);
    }
    assert_eq!(statuses, [429, 529, 200, 200]);
}

#[tokio::test]
async fn a_rule_for_one_call_counts_only_calls_that_it_could_answer() {
    let script = Script::new().rule(rule("second of m-1").model("m-1").nth_call(2)).rule(rule("rest"));
    let server = Server::start(script).await.unwrap();
    let mut heard = Vec::new();
    for model in ["m-1", "m-2", "m-1", "m-1"] {
        heard.push(said(&server, &chat(model, &[], "hi")).await);
    }
    assert_eq!(heard, ["rest", "rest", "second of m-1", "rest"]);
}

#[tokio::test]
async fn concurrent_calls_share_a_sequence_without_loss() {
    let script =
        Script::new().rule(Rule::named("r").answer(Answer::fault(Fault::ServerError)).answer(Answer::text("ok")));
    let server = Server::start(script).await.unwrap();
    let calls = [(); 4].map(|()| ask(&server, CHAT, true));
    let [a, b, c, d] = calls;
    let (a, b, c, d) = tokio::join!(a, b, c, d);
    let mut statuses = [a.status, b.status, c.status, d.status];
    statuses.sort_unstable();
    assert_eq!(statuses, [200, 200, 200, 500]);
    assert_eq!(server.counts().paid, 4);
}

#[tokio::test]
async fn free_routes_are_for_rules_that_name_them() {
    let script = Script::new()
        .rule(Rule::named("list").path("/models").answer(Answer::fault(Fault::Unauthorized)))
        .rule(Rule::named("all of v1").path("/v1").answer(Answer::fault(Fault::ServerError)))
        .rule(Rule::named("count").path("count_tokens").answer(Answer::text("").usage(77, 0, 0)));
    let server = Server::start(script).await.unwrap();
    let models = "GET /v1/models HTTP/1.1\r\nconnection: close\r\n\r\n";
    assert_eq!(send(&server, models).await.status, 401);
    let count = post("/v1/messages/count_tokens", &["connection: close"], MESSAGES_BODY);
    assert_eq!(send(&server, &count).await.text(), r#"{"input_tokens":77}"#);
    assert_eq!(ask(&server, MESSAGES, false).await.status, 500);
    assert_eq!(server.counts().by_rule, [1, 1, 1]);
    assert_eq!(server.counts().paid, 1);
}

const MESSAGES_BODY: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}]}"#;

#[test]
fn a_script_is_read_from_json_and_written_back() {
    let text = r#"{
        "open": true, "recording": "counts", "models": ["m-1"],
        "rules": [{
            "name": "limited at first",
            "when": {"model": "m-1", "header": {"name": "authorization", "contains": "key-a"}, "nth_call": 1},
            "answers": [
                {"fault": "rate_limited_seconds", "retry_after_s": 5, "delay_ms": 1},
                {"reply": {"text": "ok", "finish": "length", "usage": {"input": 3}}, "gap_ms": 2}
            ]
        }]
    }"#;
    let script = Script::from_json(text).unwrap();
    let rule = &script.rules[0];
    assert_eq!(rule.answers[0].fault, Some(Fault::RateLimitedSeconds));
    assert_eq!(rule.answers[1].reply.usage.input, 3);
    assert_eq!(rule.answers[1].reply.delta_characters, Reply::default().delta_characters);
    let written = serde_json::to_string(&script).unwrap();
    assert_eq!(Script::from_json(&written).unwrap(), script);
}

#[test]
fn the_script_of_the_vendors_check_is_in_order() {
    let script = Script::from_json(include_str!("../vendors/script.json")).unwrap();
    assert!(script.rules.len() > 15);
}

#[test]
fn a_script_that_cannot_be_played_is_refused() {
    let refused = |text: &str| Script::from_json(text).unwrap_err();
    let cases = [
        (r#"{"rules":[{"name":"a","answers":[]}]}"#, "rule 1 (\"a\") has no answer"),
        (
            r#"{"rules":[{"name":"b","when":{"nth_call":0},"answers":[{}]}]}"#,
            "rule 1 (\"b\") counts calls from 0; the first call is 1",
        ),
        (
            r#"{"rules":[{"answers":[{"location":"http://x\r\nset-cookie: a"}]}]}"#,
            "rule 1 (\"\") has a location that breaks a header line",
        ),
    ];
    for (text, message) in cases {
        assert_eq!(refused(text).to_string(), message);
    }
    for text in [r#"{"rulez":[]}"#, r#"{"rules":[{"answers":[{"fault":"no_such"}]}]}"#, "{"] {
        assert!(matches!(refused(text), ScriptError::Json(_)), "{text}");
    }
}

#[tokio::test]
async fn a_server_does_not_start_with_such_a_script() {
    let error = Server::start(Script::new().rule(Rule::named("mute"))).await.unwrap_err();
    assert_eq!(error.to_string(), "rule 1 (\"mute\") has no answer");
}
