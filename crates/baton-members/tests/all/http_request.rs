//! What is sent: bodies, headers, keys.

use baton_core::member::Effort;
use baton_core::outcome::Outcome;
use baton_port::{Exchange, SessionUse};
use baton_script::{Answer, Recorded, Script, Server};
use serde_json::{Value, json};

use crate::http_support::{KEY, Kind, ask, channel, member, request};

async fn sent(kind: Kind, settings: &[(&str, &str)], effort: Option<Effort>) -> (Recorded, Value) {
    let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
    let mut seat = member(kind, &server.url(), settings);
    seat.effort = effort;
    let mut request = request("and now?");
    request.history = vec![Exchange { prompt: "first \"q\"\n".into(), answer: "a ä".into() }];
    assert_eq!(ask(&seat, &request).await.outcome, Outcome::Ok);
    assert_eq!(server.violations(), []);
    let recorded = server.requests().remove(0);
    let body = serde_json::from_str(&recorded.body).unwrap();
    (recorded, body)
}

fn conversation() -> Value {
    json!([
        {"role": "user", "content": "first \"q\"\n"},
        {"role": "assistant", "content": "a ä"},
        {"role": "user", "content": "and now?"},
    ])
}

#[tokio::test]
async fn a_chat_request_is_what_its_settings_say() {
    let (recorded, body) = sent(Kind::OpenAi, &[], None).await;
    assert_eq!((recorded.method.as_str(), recorded.path.as_str()), ("POST", "/v1/chat/completions"));
    let usage = json!({"include_usage": true});
    assert_eq!(body, json!({"model": "m-1", "messages": conversation(), "stream": true, "stream_options": usage}));
    let settings = [("stream", "false"), ("max_output_tokens", "99")];
    let (_, body) = sent(Kind::OpenAi, &settings, Some(Effort::High)).await;
    assert_eq!(
        body,
        json!({"model": "m-1", "messages": conversation(), "stream": false, "reasoning_effort": "high", "max_tokens": 99})
    );
    let settings = [
        ("stream_options", "false"),
        ("reasoning", "none"),
        ("max_output_tokens", "7"),
        ("max_tokens_field", "max_completion_tokens"),
    ];
    let (_, body) = sent(Kind::OpenAi, &settings, Some(Effort::High)).await;
    assert_eq!(body, json!({"model": "m-1", "messages": conversation(), "stream": true, "max_completion_tokens": 7}));
}

#[tokio::test]
async fn a_responses_request_is_what_its_settings_say() {
    let (recorded, body) = sent(Kind::Responses, &[], None).await;
    assert_eq!((recorded.method.as_str(), recorded.path.as_str()), ("POST", "/v1/responses"));
    assert_eq!(recorded.header("authorization"), Some(format!("Bearer {KEY}").as_str()));
    assert_eq!(body, json!({"model": "m-1", "input": conversation(), "stream": true, "store": false}));
    let settings = [("stream", "false"), ("max_output_tokens", "99")];
    let (_, body) = sent(Kind::Responses, &settings, Some(Effort::High)).await;
    let wanted = json!({
        "model": "m-1", "input": conversation(), "stream": false, "store": false, "max_output_tokens": 99,
        "reasoning": {"effort": "high"},
    });
    assert_eq!(body, wanted);
    let (_, body) = sent(Kind::Responses, &[("reasoning", "none")], Some(Effort::High)).await;
    assert_eq!(body.get("reasoning"), None);
}

#[tokio::test]
async fn a_gemini_request_is_what_its_settings_say() {
    let (recorded, body) = sent(Kind::Gemini, &[], None).await;
    assert_eq!(recorded.path, "/v1beta/models/m-1:streamGenerateContent?alt=sse");
    assert_eq!((recorded.header("x-goog-api-key"), recorded.header("authorization")), (Some(KEY), None));
    let part = |role: &str, text: &str| json!({"role": role, "parts": [{"text": text}]});
    let contents = json!([part("user", "first \"q\"\n"), part("model", "a ä"), part("user", "and now?")]);
    assert_eq!(body, json!({"contents": contents}), "the model stands in the address only");
    let (recorded, body) = sent(Kind::Gemini, &[("stream", "false")], Some(Effort::High)).await;
    assert_eq!(recorded.path, "/v1beta/models/m-1:generateContent");
    assert_eq!(body["generationConfig"], json!({"thinkingConfig": {"thinkingLevel": "HIGH"}}));
    let settings = [("reasoning", "budget"), ("max_output_tokens", "1000")];
    let (_, body) = sent(Kind::Gemini, &settings, Some(Effort::Low)).await;
    let thinking = json!({"thinkingBudget": 2_048});
    assert_eq!(body["generationConfig"], json!({"maxOutputTokens": 3_048, "thinkingConfig": thinking}));
    let settings = [("reasoning", "none"), ("max_output_tokens", "7")];
    let (_, body) = sent(Kind::Gemini, &settings, Some(Effort::Low)).await;
    assert_eq!(body["generationConfig"], json!({"maxOutputTokens": 7}));
}

#[tokio::test]
async fn the_name_of_a_gemini_model_chooses_the_form_of_its_effort() {
    for (model, wanted) in [
        ("gemini-2.5-pro", json!({"thinkingBudget": 8_192})),
        ("models/gemini-2.5-flash", json!({"thinkingBudget": 8_192})),
        ("gemini-3-pro-preview", json!({"thinkingLevel": "MEDIUM"})),
    ] {
        let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
        let mut seat = member(Kind::Gemini, &server.url(), &[]);
        (seat.model, seat.effort) = (Some(model.into()), Some(Effort::Medium));
        assert_eq!(ask(&seat, &request("q")).await.outcome, Outcome::Ok);
        let recorded = server.requests().remove(0);
        let body: Value = serde_json::from_str(&recorded.body).unwrap();
        assert_eq!(body["generationConfig"]["thinkingConfig"], wanted, "{model}");
        let name = model.trim_start_matches("models/");
        assert_eq!(recorded.path, format!("/v1beta/models/{name}:streamGenerateContent?alt=sse"));
    }
}

#[tokio::test]
async fn a_messages_request_is_what_its_settings_say() {
    let (recorded, body) = sent(Kind::Anthropic, &[], None).await;
    assert_eq!(recorded.path, "/v1/messages");
    assert_eq!(recorded.header("anthropic-version"), Some("2023-06-01"));
    assert_eq!(recorded.header("x-api-key"), Some(KEY));
    assert_eq!(recorded.header("authorization"), None);
    assert_eq!(body, json!({"model": "m-1", "messages": conversation(), "stream": true, "max_tokens": 16_000}));
    let settings = [("max_output_tokens", "1000"), ("stream", "false")];
    let (_, body) = sent(Kind::Anthropic, &settings, Some(Effort::Low)).await;
    let thinking = json!({"type": "enabled", "budget_tokens": 2_048});
    assert_eq!(
        body,
        json!({"model": "m-1", "messages": conversation(), "stream": false, "max_tokens": 3_048, "thinking": thinking})
    );
    let (_, body) = sent(Kind::Anthropic, &[("reasoning", "none")], Some(Effort::Low)).await;
    assert_eq!(body.get("thinking"), None);
}

#[tokio::test]
async fn headers_say_who_asks_and_hold_the_key_once() {
    for kind in Kind::ALL {
        let (recorded, _) = sent(kind, &[], None).await;
        assert_eq!(recorded.header("user-agent"), Some(concat!("baton/", env!("CARGO_PKG_VERSION"))));
        assert_eq!(recorded.header("accept-encoding"), Some("identity"));
        assert_eq!(recorded.header("content-type"), Some("application/json"));
        assert_eq!(recorded.header("cookie"), None);
        assert!(!recorded.path.contains(KEY) && !recorded.body.contains(KEY));
        assert_eq!(recorded.headers.iter().filter(|(_, value)| value.contains(KEY)).count(), 1);
    }
}

#[tokio::test]
async fn the_effort_of_a_turn_goes_before_the_seats() {
    let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
    let mut seat = member(Kind::OpenAi, &server.url(), &[("reasoning", "openai")]);
    let mut asked = request("q");
    asked.effort = Some(Effort::Medium);
    ask(&seat, &asked).await;
    seat.effort = Some(Effort::Low);
    ask(&seat, &asked).await;
    ask(&seat, &request("q")).await;
    seat.channel.settings.remove("reasoning");
    seat.effort = None;
    ask(&seat, &asked).await;
    let effort =
        |recorded: Recorded| serde_json::from_str::<Value>(&recorded.body).unwrap()["reasoning_effort"].clone();
    let efforts: Vec<_> = server.requests().into_iter().map(effort).collect();
    assert_eq!(efforts, [json!("medium"), json!("medium"), json!("low"), Value::Null]);
}

#[tokio::test]
async fn a_conversation_without_its_history_is_not_begun_anew() {
    let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
    let mut asked = request("go on");
    asked.session = SessionUse::Resume { id: "old".into() };
    let seat = member(Kind::OpenAi, &server.url(), &[]);
    assert_eq!(ask(&seat, &asked).await.outcome, Outcome::SessionNotFound);
    assert_eq!(server.counts().requests, 0);
    asked.history = vec![Exchange { prompt: "q".into(), answer: "a".into() }];
    assert_eq!(ask(&seat, &asked).await.outcome, Outcome::Ok);
}

#[test]
fn a_channel_does_not_show_its_key() {
    for kind in Kind::ALL {
        let shown = format!("{:?}", channel(&member(kind, "http://127.0.0.1:1", &[])));
        assert!(shown.contains("Secret(***)") && !shown.contains(KEY), "{shown}");
    }
}
