//! Building seats, and finding out whether they can be asked.

use std::sync::Arc;
use std::time::Duration;

use baton_core::member::{Member, Payer};
use baton_core::outcome::Outcome;
use baton_members::http::{BuildError, Client, HttpChannel, Secret, local_models};
use baton_port::{Availability, Channel};
use baton_script::{Answer, Rule, Script, Server};

use crate::http_support::{Kind, Literal, member, request, response};

fn build(member: &Member, key: Option<&str>) -> Result<HttpChannel, BuildError> {
    HttpChannel::new(member, key.map(Secret::new), Arc::new(Client::new()))
}

fn refused(settings: &[(&str, &str)]) -> String {
    build(&member(Kind::OpenAi, "http://127.0.0.1:1", settings), None).unwrap_err().to_string()
}

#[test]
fn a_wrong_setting_is_named() {
    assert!(refused(&[("strem", "false")]).starts_with("setting `strem`: is not known"));
    assert_eq!(refused(&[("stream", "no")]), "setting `stream`: takes one of: true, false");
    assert_eq!(refused(&[("reasoning", "anthropic")]), "setting `reasoning`: takes one of: openai, none");
    assert!(refused(&[("max_output_tokens", "0")]).starts_with("setting `max_output_tokens`: takes a whole number"));
    assert!(refused(&[("max_tokens_field", "x")]).contains("max_completion_tokens"));
    assert!(refused(&[("base_url", "http://example.com/v1")]).starts_with("setting `base_url`: plain http"));
    assert!(!refused(&[("base_url", "https://me:hunter2@example.com")]).contains("hunter2"));
}

#[test]
fn settings_are_those_of_the_kind() {
    let refused = |kind, settings: &[(&str, &str)]| {
        build(&member(kind, "http://127.0.0.1:1", settings), None).unwrap_err().to_string()
    };
    let wrong = [("reasoning", "gemini")];
    assert_eq!(refused(Kind::Gemini, &wrong), "setting `reasoning`: takes one of: budget, level, none");
    assert_eq!(refused(Kind::Responses, &wrong), "setting `reasoning`: takes one of: openai, none");
    let mut seat = member(Kind::Gemini, "http://127.0.0.1:1", &[]);
    for name in ["../../evil", "m?key=1", "a/b"] {
        seat.model = Some(name.into());
        assert!(build(&seat, None).unwrap_err().to_string().starts_with("setting `model`"), "{name}");
    }
}

#[test]
fn what_is_missing_is_named() {
    let mut seat = member(Kind::OpenAi, "http://127.0.0.1:1", &[]);
    seat.model = None;
    assert_eq!(build(&seat, None).unwrap_err(), BuildError::Missing("model"));
    let mut seat = member(Kind::OpenAi, "http://127.0.0.1:1", &[]);
    seat.channel.settings.remove("base_url");
    assert_eq!(build(&seat, None).unwrap_err(), BuildError::Missing("base_url"));
    seat.channel.kind = "claude-cli".into();
    assert_eq!(build(&seat, None).unwrap_err(), BuildError::Kind("claude-cli".into()));
}

#[test]
fn a_key_that_no_header_can_carry_is_refused_and_not_shown() {
    let seat = member(Kind::Anthropic, "http://127.0.0.1:1", &[]);
    let error = build(&seat, Some("sk-a\nb-0123456")).unwrap_err().to_string();
    assert!(error.starts_with("setting `key_env`") && !error.contains("0123456"), "{error}");
}

#[tokio::test]
async fn a_vendors_seat_is_ready_by_its_key_and_is_not_called() {
    let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
    let seat = member(Kind::OpenAi, &server.url(), &[]);
    let ready = Availability::Ready { version: None };
    assert_eq!(build(&seat, Some("sk-1")).unwrap().probe().await, ready);
    for missing in [None, Some("  ")] {
        let channel = build(&seat, missing).unwrap();
        let Availability::NotReady { because, mend } = channel.probe().await else { panic!("ready without a key") };
        assert_eq!(because, "TEST_KEY is not set");
        assert_eq!(mend, "Set TEST_KEY to your API key.");
        assert_eq!(channel.turn(&request("q")).await.outcome, Outcome::Auth);
    }
    assert_eq!(server.counts().requests, 0);
}

#[tokio::test]
async fn a_local_seat_is_ready_when_its_server_lists_models() {
    let server = Server::start(Script::always(Answer::text("hi")).open()).await.unwrap();
    for kind in Kind::ALL {
        let mut seat = member(kind, &server.url(), &[]);
        seat.payer = Payer::Local;
        seat.channel.settings.remove("key_env");
        let channel = build(&seat, None).unwrap();
        assert_eq!(channel.probe().await, Availability::Ready { version: None });
        assert_eq!(channel.turn(&request("q")).await.outcome, Outcome::Ok);
        seat.channel.settings.insert("base_url".into(), "http://127.0.0.1:1".into());
        let Availability::NotReady { because, mend } = build(&seat, None).unwrap().probe().await else {
            panic!("nobody is there")
        };
        assert!(because.contains("http://127.0.0.1:1") && mend.contains("Start the server"));
    }
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn models_are_listed_and_anything_else_is_no_server() {
    let client = Client::new();
    let limit = Duration::from_secs(20);
    let script = Script::new().open().rule(Rule::named("a").model("one").answer(Answer::text("hi")));
    let server = Server::start(script).await.unwrap();
    let found = local_models(&client, &format!("{}/v1", server.url()), limit).await;
    assert_eq!(found, Some(vec!["one".to_owned()]));
    for (head, body, wanted) in [
        ("HTTP/1.1 200 OK", r#"{"object":"list","data":null}"#, Some(vec![])),
        ("HTTP/1.1 200 OK", r#"{"models":[{"name":"models/m"}]}"#, Some(vec!["models/m".to_owned()])),
        ("HTTP/1.1 200 OK", "<html>", None),
        ("HTTP/1.1 404 Not Found", r#"{"data":[]}"#, None),
    ] {
        let literal = Literal::start(response(head, body));
        assert_eq!(local_models(&client, &literal.url, limit).await, wanted, "{head} {body}");
    }
    assert_eq!(local_models(&client, "http://example.com/v1", limit).await, None, "not even asked");
    assert_eq!(local_models(&client, "http://127.0.0.1:1", limit).await, None);
}

#[tokio::test]
async fn a_silent_server_is_given_up_on() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let url = format!("http://{}", silent.local_addr().unwrap());
    assert_eq!(local_models(&Client::new(), &url, Duration::from_millis(20)).await, None);
}
