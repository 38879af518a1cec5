//! Every fault that the scripted server knows ends in its class: all dialects, streamed and whole.

use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::Turn;
use baton_script::{Answer, Fault, Script, Server};

use crate::http_support::{KEY, Kind, ask, member, request, streamed};

fn timed_out(deadline: Deadline) -> Outcome {
    Outcome::TimedOut { deadline }
}

fn expected(fault: Fault, kind: Kind, stream: bool) -> Outcome {
    let limited = |retry_after_ms| Outcome::RateLimited { retry_after_ms };
    match fault {
        Fault::Unauthorized | Fault::Forbidden => Outcome::Auth,
        Fault::ModelNotFound | Fault::Redirect | Fault::SchemaRefused => Outcome::Rejected,
        Fault::ContextTooLong | Fault::TooLarge => Outcome::ContextTooLong,
        // Its reset is a length; Anthropic's is a date, and the script sends no `date` to count from; Google has none.
        Fault::RateLimited if matches!(kind, Kind::OpenAi | Kind::Responses) => limited(Some(12)),
        Fault::RateLimited | Fault::RateLimitedDate => limited(None),
        Fault::RateLimitedSeconds => limited(Some(2_000)),
        Fault::InsufficientQuota => Outcome::QuotaExhausted,
        Fault::ServerError | Fault::BadGatewayHtml | Fault::Unavailable | Fault::Overloaded => Outcome::Overloaded,
        Fault::ErrorInSuccess | Fault::StreamError => Outcome::Overloaded,
        Fault::CloseBeforeHead | Fault::Reset => Outcome::Overloaded,
        Fault::HtmlSuccess | Fault::GarbageBody | Fault::InvalidJsonLine | Fault::ManyHeaders => Outcome::Unreadable,
        Fault::EmptyBody | Fault::EmptyText => Outcome::Empty,
        Fault::HangBeforeHead | Fault::HangAfterHead | Fault::KeepAliveOnly => timed_out(Deadline::FirstEvent),
        Fault::HangMidStream => timed_out(Deadline::Idle),
        Fault::CutMidStream | Fault::CutInCharacter | Fault::EndsEarly | Fault::MissingEnd => Outcome::Partial,
        Fault::ResetMidStream | Fault::Length => Outcome::Partial,
        Fault::DuplicateEnd | Fault::GarbageLines if stream => Outcome::Ok,
        Fault::DuplicateEnd | Fault::GarbageLines => Outcome::Unreadable,
        // The JSON of a whole answer came in full before the framing broke.
        Fault::BrokenChunk if stream => Outcome::Partial,
        Fault::BrokenChunk => Outcome::Ok,
        Fault::HugeLine | Fault::EndlessTokens => Outcome::TooMuchOutput,
        Fault::Refusal | Fault::ContentFilter => Outcome::Refused,
        Fault::SlowBytes | Fault::DeepJson | Fault::NoUsage | Fault::WrongModel => Outcome::Ok,
    }
}

/// Faults after which not a byte of an answer has come.
fn has_no_head(fault: Fault) -> bool {
    matches!(fault, Fault::HangBeforeHead | Fault::CloseBeforeHead | Fault::Reset | Fault::ManyHeaders)
}

async fn spoiled(fault: Fault, kind: Kind, stream: bool) -> Turn {
    let server = Server::start(Script::always(Answer::fault(fault).after_deltas(2))).await.unwrap();
    let mut request = request("hello");
    let soon = Duration::from_millis(60);
    match expected(fault, kind, stream) {
        Outcome::TimedOut { deadline: Deadline::FirstEvent } => request.deadlines.first_event = soon,
        Outcome::TimedOut { .. } => request.deadlines.idle = soon,
        _ => {}
    }
    let turn = ask(&member(kind, &server.url(), &[streamed(stream)]), &request).await;
    assert_eq!(server.counts().requests, 1, "{fault:?}: asked once");
    assert_eq!(server.violations(), [], "{fault:?}");
    // The client is gone, and with it every connection.
    server.idle().await;
    server.shutdown().await;
    turn
}

fn check(fault: Fault, kind: Kind, stream: bool, turn: &Turn) {
    let place = format!("{fault:?} {kind:?} streamed: {stream}: {:?}", turn.detail);
    assert_eq!(turn.outcome, expected(fault, kind, stream), "{place}");
    assert_eq!(turn.detail.is_empty(), turn.outcome.is_ok(), "{place}");
    assert!(turn.detail.chars().count() <= 300 && !turn.detail.contains('\n'), "{place}");
    assert_eq!(turn.transcript.bytes.is_empty(), has_no_head(fault), "{place}");
    assert!(turn.transcript.bytes.len() <= (64 << 10) + (4 << 10), "{place}");
    assert_eq!(turn.transcript.cut, turn.outcome == Outcome::TooMuchOutput, "{place}");
    assert!(!format!("{turn:?}").contains(KEY), "{place}");
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains(KEY), "{place}");
    let may_speak = matches!(turn.outcome, Outcome::Ok | Outcome::Partial);
    assert!(may_speak || turn.text.is_none(), "{place}");
    assert!(!turn.outcome.is_ok() || turn.text.as_deref() == Some("This is a scripted reply."), "{place}");
}

async fn all(kind: Kind, stream: bool) {
    for fault in Fault::ALL {
        let turn = spoiled(*fault, kind, stream).await;
        check(*fault, kind, stream, &turn);
    }
}

#[tokio::test]
async fn every_fault_of_a_chat_stream() {
    all(Kind::OpenAi, true).await;
}

#[tokio::test]
async fn every_fault_of_a_whole_chat_answer() {
    all(Kind::OpenAi, false).await;
}

#[tokio::test]
async fn every_fault_of_a_responses_stream() {
    all(Kind::Responses, true).await;
}

#[tokio::test]
async fn every_fault_of_a_whole_response() {
    all(Kind::Responses, false).await;
}

#[tokio::test]
async fn every_fault_of_a_gemini_stream() {
    all(Kind::Gemini, true).await;
}

#[tokio::test]
async fn every_fault_of_a_whole_gemini_answer() {
    all(Kind::Gemini, false).await;
}

#[tokio::test]
async fn every_fault_of_a_messages_stream() {
    all(Kind::Anthropic, true).await;
}

#[tokio::test]
async fn every_fault_of_a_whole_messages_answer() {
    all(Kind::Anthropic, false).await;
}

#[tokio::test]
async fn a_stream_that_breaks_off_keeps_its_text() {
    for kind in Kind::ALL {
        for fault in [Fault::CutMidStream, Fault::CutInCharacter, Fault::EndsEarly, Fault::ResetMidStream] {
            let turn = spoiled(fault, kind, true).await;
            assert_eq!(turn.text.as_deref(), Some("This is a script"), "{fault:?} {kind:?}");
        }
        let turn = spoiled(Fault::Length, kind, false).await;
        assert_eq!(turn.text.as_deref(), Some("This is a sc"));
        assert!(turn.usage.is_some());
    }
}

#[tokio::test]
async fn what_a_good_answer_lacks_or_changes_is_told() {
    for kind in Kind::ALL {
        for stream in [true, false] {
            assert_eq!(spoiled(Fault::NoUsage, kind, stream).await.usage, None);
            let other = spoiled(Fault::WrongModel, kind, stream).await;
            assert_eq!(other.provenance.model.as_deref(), Some("other-than-m-1"));
            let refused = spoiled(Fault::ModelNotFound, kind, stream).await;
            assert!(refused.detail.contains("model `m-1` is not there"), "{}", refused.detail);
        }
    }
    for kind in [Kind::OpenAi, Kind::Responses] {
        for stream in [true, false] {
            assert_eq!(spoiled(Fault::Refusal, kind, stream).await.detail, "I'm sorry, but I can't help with that.");
        }
    }
    let blocked = spoiled(Fault::Refusal, Kind::Gemini, true).await;
    assert_eq!(blocked.detail, "the prompt was blocked: PROHIBITED_CONTENT");
    let filtered = spoiled(Fault::ContentFilter, Kind::Gemini, false).await;
    assert_eq!(filtered.detail, "the answer was stopped: SAFETY");
}

#[tokio::test]
async fn the_target_of_a_redirect_is_never_contacted() {
    for kind in Kind::ALL {
        let target = Server::start(Script::always(Answer::text("stolen"))).await.unwrap();
        let mut answer = Answer::fault(Fault::Redirect);
        answer.location = Some(format!("{}/v1/chat/completions", target.url()));
        let server = Server::start(Script::always(answer)).await.unwrap();
        let turn = ask(&member(kind, &server.url(), &[]), &request("hello")).await;
        assert_eq!(turn.outcome, Outcome::Rejected);
        assert!(turn.detail.contains("no redirect is followed"), "{}", turn.detail);
        assert_eq!(target.counts().requests, 0);
        assert_eq!(target.connections(), 0);
    }
}
