//! What is remembered of requests, and what is wrong with them.

use baton_script::{Answer, Fault, Recording, Rule, Script, Server, ViolationKind};
use tokio::io::AsyncWriteExt;
use tokio::net::TcpStream;

use crate::client::{CHAT, DIALECTS, GEMINI_WHOLE, MESSAGES, ask, failing, playing, post, send};

async fn kinds(request: &str) -> Vec<ViolationKind> {
    let server = playing(Answer::text("ok")).await;
    send(&server, request).await;
    server.violations().iter().map(|violation| violation.kind).collect()
}

fn closing(path: &str, body: &str) -> String {
    post(path, &["connection: close"], body)
}

const GOOD: &str = r#"{"model":"m","messages":[{"role":"user","content":"x"}],"max_tokens":1}"#;

#[tokio::test]
async fn a_request_is_recorded_as_it_came() {
    let script = Script::new().rule(Rule::named("seat a").model("m").answer(Answer::fault(Fault::ServerError)));
    let server = Server::start(script).await.unwrap();
    send(&server, &post("/x/v1/chat/completions?a=1", &["X-Odd: Ünï", "connection: close"], GOOD)).await;
    let requests = server.requests();
    assert_eq!(requests.len(), 1);
    let request = &requests[0];
    assert_eq!((request.number, request.method.as_str()), (1, "POST"));
    assert_eq!(request.path, "/x/v1/chat/completions?a=1");
    assert_eq!(request.header("x-odd"), Some("Ünï"));
    assert_eq!(request.header("authorization"), Some("Bearer test-key"));
    assert_eq!(request.body, GOOD);
    assert_eq!(request.rule.as_deref(), Some("seat a"));
    assert!(request.paid, "a call counts as paid whatever was answered");
}

#[tokio::test]
async fn only_completions_count_as_paid() {
    let server = playing(Answer::text("ok")).await;
    for dialect in DIALECTS {
        ask(&server, dialect, true).await;
    }
    for line in ["GET /v1/models", "GET /", "HEAD /", "GET /v1/messages", "POST /telemetry"] {
        send(&server, &format!("{line} HTTP/1.1\r\nconnection: close\r\n\r\n")).await;
    }
    let counts = server.counts();
    assert_eq!((counts.requests, counts.paid, counts.by_rule), (9, 4, vec![4]));
    assert_eq!(server.requests().iter().filter(|request| request.paid).count(), 4);
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn counts_alone_are_kept_when_asked() {
    let script = Script::always(Answer::text("ok")).recording(Recording::Counts);
    let server = Server::start(script).await.unwrap();
    ask(&server, CHAT, false).await;
    send(&server, &closing(CHAT.0, "{")).await;
    assert_eq!((server.counts().paid, server.requests().len()), (2, 0));
    assert_eq!(server.violations().len(), 1, "invariants are checked all the same");
}

#[tokio::test]
async fn a_good_call_violates_nothing() {
    for dialect in DIALECTS {
        let server = playing(Answer::text("ok")).await;
        ask(&server, dialect, false).await;
        ask(&server, dialect, true).await;
        assert_eq!(server.violations(), []);
    }
}

#[tokio::test]
async fn bodies_are_checked() {
    let cases = [
        (CHAT.0, "not json", ViolationKind::InvalidJson),
        (CHAT.0, "", ViolationKind::InvalidJson),
        (CHAT.0, r#"{"model":5}"#, ViolationKind::UnexpectedShape),
        (CHAT.0, r#"{"messages":[1]}"#, ViolationKind::ModelMissing),
        (CHAT.0, r#"{"model":"","messages":[1]}"#, ViolationKind::ModelMissing),
        (CHAT.0, r#"{"model":"m"}"#, ViolationKind::MessagesEmpty),
        (CHAT.0, r#"{"model":"m","messages":[]}"#, ViolationKind::MessagesEmpty),
        ("/v1/responses", r#"{"model":"m","input":[]}"#, ViolationKind::MessagesEmpty),
        ("/v1/responses", r#"{"model":"m","messages":[1]}"#, ViolationKind::MessagesEmpty),
        (MESSAGES.0, r#"{"model":"m","messages":[1]}"#, ViolationKind::MaxTokensMissing),
        (GEMINI_WHOLE, r#"{"contents":[]}"#, ViolationKind::MessagesEmpty),
        ("/v1beta/models/:generateContent", r#"{"contents":[1]}"#, ViolationKind::ModelMissing),
        ("/v1beta/models/m:streamGenerateContent", r#"{"contents":[1]}"#, ViolationKind::AltMissing),
        (
            CHAT.0,
            r#"{"model":"m","messages":[1],"response_format":{"type":"json_schema","json_schema":{"name":"a","schema":{"properties":{"b":{}}}}}}"#,
            ViolationKind::SchemaRefused,
        ),
    ];
    for (path, body, kind) in cases {
        assert_eq!(kinds(&closing(path, body)).await, [kind], "{body}");
    }
}

#[tokio::test]
async fn headers_are_checked() {
    let request = closing(CHAT.0, GOOD);
    let without_key = request.replace("Authorization: Bearer test-key\r\n", "");
    assert_eq!(kinds(&without_key).await, [ViolationKind::KeyMissing]);
    let other_scheme = request.replace("Bearer test-key", "Basic dXNlcg==");
    assert_eq!(kinds(&other_scheme).await, [ViolationKind::KeyMissing]);
    let own_header = request.replace("Authorization: Bearer test-key", "X-Api-Key: test-key");
    assert_eq!(kinds(&own_header).await, []);
    let googles = request.replace("Authorization: Bearer test-key", "X-Goog-Api-Key: test-key");
    assert_eq!(kinds(&googles).await, []);
    let form = request.replace("application/json", "text/plain");
    assert_eq!(kinds(&form).await, [ViolationKind::ContentTypeNotJson]);
    let charset = request.replace("application/json", "Application/JSON; charset=utf-8");
    assert_eq!(kinds(&charset).await, []);
    let messages = closing(MESSAGES.0, GOOD).replace("Anthropic-Version: 2023-06-01\r\n", "");
    assert_eq!(kinds(&messages).await, [ViolationKind::VersionMissing]);
}

#[tokio::test]
async fn a_key_in_the_url_is_seen() {
    for path in ["/v1/chat/completions?key=abc", "/v1/chat/completions?a=1&api_key=x", "/test-key/chat/completions"] {
        assert_eq!(kinds(&closing(path, GOOD)).await, [ViolationKind::KeyInUrl], "{path}");
    }
    assert_eq!(kinds(&closing("/v1/chat/completions?keyboard=1", GOOD)).await, []);
}

#[tokio::test]
async fn an_open_server_needs_no_key() {
    let script = Script::always(Answer::text("ok")).open();
    let server = Server::start(script).await.unwrap();
    let request = closing(CHAT.0, GOOD).replace("Authorization: Bearer test-key\r\n", "");
    assert_eq!(send(&server, &request).await.status, 200);
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn a_call_without_a_rule_is_refused_and_listed() {
    let script = Script::new().rule(Rule::named("a").model("other").answer(Answer::default()));
    let server = Server::start(script).await.unwrap();
    let response = ask(&server, MESSAGES, true).await;
    assert_eq!(response.status, 400);
    assert_eq!(response.json()["error"]["message"], "no rule of the script matches this call");
    let violations = server.violations();
    assert_eq!((violations[0].request, violations[0].kind), (1, ViolationKind::NoRule));
    assert_eq!(server.requests()[0].rule, None);
}

#[tokio::test]
async fn violations_are_judged_also_where_the_script_fails() {
    let server = failing(Fault::HangBeforeHead).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(closing(CHAT.0, "{}").as_bytes()).await.unwrap();
    server.arrived(1).await;
    let found: Vec<_> = server.violations().iter().map(|violation| violation.kind).collect();
    assert_eq!(found, [ViolationKind::ModelMissing, ViolationKind::MessagesEmpty]);
}
