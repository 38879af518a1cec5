//! Answers that are held to a schema: what is sent, what comes back, and what is refused.

use baton_core::hash::Hash;
use baton_core::opinion::AnswerSchema;
use baton_core::outcome::Outcome;
use baton_core::task::Question;
use baton_members::http::{Client, HttpChannel};
use baton_port::{Turn, TurnRequest};
use baton_script::{Answer, Fault, Reply, Script, Server};
use serde_json::{Value, json};

use crate::http_support::{Kind, ask, member, request, streamed};

const ON: (&str, &str) = ("structured", "on");

fn asking(question: Question) -> TurnRequest {
    TurnRequest { schema: Some(AnswerSchema::of(question)), ..request("Is it sound?") }
}

async fn turn(kind: Kind, answer: Answer, settings: &[(&str, &str)]) -> (Turn, Vec<String>) {
    let server = Server::start(Script::always(answer)).await.unwrap();
    let turn = ask(&member(kind, &server.url(), settings), &asking(Question::Verdict)).await;
    assert_eq!(server.violations(), [], "{kind:?}");
    (turn, server.requests().into_iter().map(|recorded| recorded.body).collect())
}

/// Where each dialect has the schema, and what stands beside it.
fn form(kind: Kind, body: &Value) -> Value {
    match kind {
        Kind::OpenAi => body["response_format"].clone(),
        Kind::Responses => body["text"].clone(),
        Kind::Anthropic => body["output_config"].clone(),
        Kind::Gemini => body["generationConfig"].clone(),
    }
}

fn wanted(kind: Kind) -> Value {
    let schema = serde_json::to_value(AnswerSchema::of(Question::Verdict)).unwrap();
    match kind {
        Kind::OpenAi => {
            json!({"type": "json_schema", "json_schema": {"name": "answer", "strict": true, "schema": schema}})
        }
        Kind::Responses => {
            json!({"format": {"type": "json_schema", "name": "answer", "strict": true, "schema": schema}})
        }
        Kind::Anthropic => json!({"format": {"type": "json_schema", "schema": schema}}),
        Kind::Gemini => json!({"responseMimeType": "application/json", "responseJsonSchema": schema}),
    }
}

#[tokio::test]
async fn each_dialect_sends_the_schema_its_own_way_and_the_same_bytes_each_time() {
    for kind in Kind::ALL {
        let (_, first) = turn(kind, Answer::text("hi"), &[ON]).await;
        let (_, again) = turn(kind, Answer::text("hi"), &[ON]).await;
        assert_eq!(form(kind, &serde_json::from_str(&first[0]).unwrap()), wanted(kind));
        assert_eq!(Hash::of(first[0].as_bytes()), Hash::of(again[0].as_bytes()), "{kind:?}");
        let fields = ["\"answer\":{", "\"findings\":{", "\"verdict\":{", "\"confidence\":{", "\"abstain\":{"];
        let places: Vec<_> = fields.iter().map(|name| first[0].find(name)).collect();
        assert!(places.is_sorted() && places[0].is_some(), "{kind:?}: {places:?}");
    }
}

#[tokio::test]
async fn nothing_is_sent_unless_it_is_set_and_asked_for() {
    for kind in Kind::ALL {
        // This address is not the vendor's own.
        for settings in [&[][..], &[("structured", "off")], &[("structured", "auto")]] {
            let (turn, sent) = turn(kind, Answer::text("I approve."), settings).await;
            assert_eq!(form(kind, &serde_json::from_str(&sent[0]).unwrap()), Value::Null);
            assert_eq!(turn.text.as_deref(), Some("I approve."));
        }
        let server = Server::start(Script::always(Answer::text("hi"))).await.unwrap();
        ask(&member(kind, &server.url(), &[ON]), &request("plain")).await;
        assert_eq!(form(kind, &serde_json::from_str(&server.requests()[0].body).unwrap()), Value::Null);
    }
}

#[tokio::test]
async fn the_text_is_what_was_said_and_the_trailer_while_the_transcript_keeps_the_bytes() {
    for kind in Kind::ALL {
        for stream in [true, false] {
            let (turn, _) = turn(kind, Answer::text("It is sound.").usage(9, 9, 0), &[ON, streamed(stream)]).await;
            let text = "It is sound.\n\n```json\n{\n  \"verdict\": \"approve\",\n  \"confidence\": 0,\n  \"findings\": []\n}\n```\n";
            assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some(text)), "{kind:?}");
            let bytes = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
            assert!(bytes.contains("It is sound.") || stream, "{bytes}");
            assert!(!bytes.contains("```json"), "{bytes}");
        }
    }
}

#[tokio::test]
async fn an_api_that_refuses_the_field_ends_the_turn_with_the_setting_to_change() {
    for kind in Kind::ALL {
        let (turn, sent) = turn(kind, Answer::fault(Fault::SchemaRefused), &[ON]).await;
        assert_eq!((turn.outcome, sent.len()), (Outcome::Rejected, 1), "{kind:?}: asked once");
        assert!(turn.detail.starts_with("set `structured = \"off\"` for this seat: "), "{}", turn.detail);
    }
}

#[tokio::test]
async fn an_answer_of_another_form_stays_as_it_is() {
    for kind in Kind::ALL {
        let other = r#"{"verdict":"reject","why":"it \"leaks\""}"#;
        let (turn, _) = turn(kind, Answer::text(other), &[ON]).await;
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some(other)), "{kind:?}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_partial_and_kept_as_it_came() {
    for kind in Kind::ALL {
        let reply = Reply { text: "It is sound.".into(), delta_characters: 20, ..Reply::default() };
        let cut = Answer { reply, ..Answer::fault(Fault::CutMidStream).after_deltas(2) };
        let (turn, _) = turn(kind, cut, &[ON]).await;
        assert_eq!(turn.outcome, Outcome::Partial, "{kind:?}");
        let text = turn.text.unwrap();
        assert!(text.starts_with('{') && text.len() == 40 && !text.contains("```"), "{kind:?}: {text}");
    }
}

#[test]
fn an_unknown_value_is_refused_by_name() {
    let seat = member(Kind::OpenAi, "http://127.0.0.1:1", &[("structured", "yes")]);
    let error = HttpChannel::new(&seat, None, Client::new().into()).unwrap_err().to_string();
    assert_eq!(error, "setting `structured`: takes one of: auto, on, off");
}
