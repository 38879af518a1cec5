//! The bytes of single faults.

use baton_script::{Answer, Fault, Reply, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use crate::client::{
    CHAT, DIALECTS, Ending, GEMINI, MESSAGES, Patience, RESPONSES, Response, ask, call, failing, playing, send,
    send_up_to,
};

/// The answer in pieces of one letter: `a`, `b`, `c`.
fn letters(fault: Fault) -> Answer {
    let reply = Reply { text: "abc".into(), delta_characters: 1, ..Reply::default() };
    Answer { reply, ..Answer::fault(fault).after_deltas(2) }
}

async fn chat_stream(answer: Answer) -> Response {
    let patience = Patience::with(answer.fault);
    let server = playing(answer).await;
    send_up_to(&server, &call(CHAT, true), 1 << 20, patience).await.0
}

fn said(response: &Response) -> String {
    let deltas = String::from_utf8_lossy(&response.body)
        .lines()
        .filter_map(|line| line.split_once(r#""delta":{"content":""#))
        .filter_map(|(_, rest)| rest.split_once('"').map(|(text, _)| text.to_owned()))
        .collect::<Vec<_>>();
    deltas.concat()
}

#[tokio::test]
async fn statuses_and_types() {
    let cases = [
        (Fault::Unauthorized, 401, "invalid_request_error", 401, "authentication_error"),
        (Fault::Forbidden, 403, "invalid_request_error", 403, "permission_error"),
        (Fault::ModelNotFound, 404, "invalid_request_error", 404, "not_found_error"),
        (Fault::ContextTooLong, 400, "invalid_request_error", 400, "invalid_request_error"),
        (Fault::TooLarge, 413, "invalid_request_error", 413, "request_too_large"),
        (Fault::RateLimited, 429, "requests", 429, "rate_limit_error"),
        (Fault::RateLimitedSeconds, 429, "requests", 429, "rate_limit_error"),
        (Fault::RateLimitedDate, 429, "requests", 429, "rate_limit_error"),
        (Fault::InsufficientQuota, 429, "insufficient_quota", 400, "invalid_request_error"),
        (Fault::SchemaRefused, 400, "invalid_request_error", 400, "invalid_request_error"),
        (Fault::ServerError, 500, "server_error", 500, "api_error"),
        (Fault::Unavailable, 503, "server_error", 503, "api_error"),
        (Fault::Overloaded, 529, "overloaded_error", 529, "overloaded_error"),
        (Fault::ErrorInSuccess, 200, "server_error", 200, "api_error"),
    ];
    for (fault, openai_status, openai_type, anthropic_status, anthropic_type) in cases {
        let server = failing(fault).await;
        for dialect in [CHAT, RESPONSES] {
            let response = ask(&server, dialect, true).await;
            assert_eq!(response.status, openai_status, "{}", fault.name());
            assert_eq!(response.json()["error"]["type"], openai_type, "{}", fault.name());
        }
        let response = ask(&server, MESSAGES, false).await;
        assert_eq!(response.status, anthropic_status, "{}", fault.name());
        assert_eq!(response.json()["type"], "error");
        assert_eq!(response.json()["error"]["type"], anthropic_type, "{}", fault.name());
    }
}

#[tokio::test]
async fn statuses_in_words() {
    let cases = [
        (Fault::Unauthorized, 400, "INVALID_ARGUMENT"),
        (Fault::Forbidden, 403, "PERMISSION_DENIED"),
        (Fault::ModelNotFound, 404, "NOT_FOUND"),
        (Fault::ContextTooLong, 400, "INVALID_ARGUMENT"),
        (Fault::TooLarge, 400, "INVALID_ARGUMENT"),
        (Fault::RateLimited, 429, "RESOURCE_EXHAUSTED"),
        (Fault::InsufficientQuota, 429, "RESOURCE_EXHAUSTED"),
        (Fault::SchemaRefused, 400, "INVALID_ARGUMENT"),
        (Fault::ServerError, 500, "INTERNAL"),
        (Fault::Unavailable, 503, "UNAVAILABLE"),
        (Fault::Overloaded, 503, "UNAVAILABLE"),
        (Fault::ErrorInSuccess, 200, "INTERNAL"),
    ];
    for (fault, status, word) in cases {
        let server = failing(fault).await;
        for streamed in [false, true] {
            let response = ask(&server, GEMINI, streamed).await;
            assert_eq!((response.status, &response.json()["error"]["status"]), (status, &word.into()), "{fault:?}");
        }
    }
}

#[tokio::test]
async fn retry_after_in_each_of_its_forms() {
    let server = failing(Fault::RateLimited).await;
    let response = ask(&server, CHAT, false).await;
    assert_eq!(response.header("retry-after"), None);
    assert_eq!(response.header("x-ratelimit-remaining-requests"), Some("0"));

    let answer = Answer { retry_after_s: Some(17), ..Answer::fault(Fault::RateLimitedSeconds) };
    assert_eq!(chat_stream(answer).await.header("retry-after"), Some("17"));

    let day = Answer { retry_after_s: Some(86_400), ..Answer::fault(Fault::RateLimitedDate) };
    let response = chat_stream(day).await;
    let date = response.header("retry-after").unwrap();
    assert_eq!((date.len(), &date[3..5], &date[25..]), (29, ", ", " GMT"));

    assert_eq!(chat_stream(letters(Fault::Overloaded)).await.header("retry-after"), None);
    let answer = Answer { retry_after_s: Some(3), ..Answer::fault(Fault::Overloaded) };
    assert_eq!(chat_stream(answer).await.header("retry-after"), Some("3"));
}

#[tokio::test]
async fn pages_and_redirects() {
    let response = chat_stream(letters(Fault::BadGatewayHtml)).await;
    assert_eq!(response.status, 502);
    assert_eq!(response.header("content-type"), Some("text/html; charset=utf-8"));
    assert_eq!(response.header("x-request-id"), None);
    assert!(response.text().starts_with("<html>"));

    let response = chat_stream(letters(Fault::HtmlSuccess)).await;
    assert_eq!((response.status, &response.text()[..15]), (200, "<!DOCTYPE html>"));

    let location = Some("http://127.0.0.1:9/x".to_owned());
    let response = chat_stream(Answer { location, ..letters(Fault::Redirect) }).await;
    assert_eq!((response.status, response.header("location")), (302, Some("http://127.0.0.1:9/x")));

    let response = chat_stream(letters(Fault::EmptyBody)).await;
    assert_eq!((response.status, response.header("content-length")), (200, Some("0")));
}

#[tokio::test]
async fn cuts_come_after_the_deltas_that_were_promised() {
    let faults =
        [Fault::CutMidStream, Fault::EndsEarly, Fault::ResetMidStream, Fault::HangMidStream, Fault::BrokenChunk];
    for fault in faults {
        let response = chat_stream(letters(fault)).await;
        assert_eq!(said(&response), "ab", "{}", fault.name());
        assert!(response.text().ends_with("\n\n"));
        assert!(!response.text().contains("[DONE]"));
        let response = chat_stream(letters(fault).after_deltas(0)).await;
        assert_eq!(said(&response), "", "{}", fault.name());
        let response = chat_stream(letters(fault).after_deltas(99)).await;
        assert_eq!(said(&response), "abc", "{}", fault.name());
    }
}

#[tokio::test]
async fn a_body_is_cut_in_half() {
    for dialect in DIALECTS {
        let whole = ask(&playing(letters(Fault::SlowBytes)).await, dialect, false).await.body;
        let server = playing(letters(Fault::CutMidStream)).await;
        let half = ask(&server, dialect, false).await;
        assert_eq!(half.header("content-length"), Some(whole.len().to_string().as_str()));
        assert_eq!(half.body, whole[..whole.len() / 2]);
    }
}

#[tokio::test]
async fn a_character_is_cut_after_its_first_byte() {
    for dialect in DIALECTS {
        for streamed in [false, true] {
            let server = playing(letters(Fault::CutInCharacter)).await;
            let body = ask(&server, dialect, streamed).await.body;
            let error = std::str::from_utf8(&body).unwrap_err();
            assert_eq!((error.valid_up_to(), error.error_len()), (body.len() - 1, None));
        }
    }
}

#[tokio::test]
async fn the_end_marker_is_missing_or_doubled() {
    let markers = [
        (CHAT, "data: [DONE]\n\n"),
        (MESSAGES, "event: message_stop\ndata: {\"type\":\"message_stop\"}\n\n"),
        (RESPONSES, "event: response.completed\n"),
        (GEMINI, r#""finishReason": "STOP""#),
    ];
    for (dialect, marker) in markers {
        for (fault, times) in [(Fault::MissingEnd, 0), (Fault::DuplicateEnd, 2)] {
            let server = playing(letters(fault)).await;
            let response = ask(&server, dialect, true).await;
            assert_eq!(response.text().matches(marker).count(), times, "{marker}");
            assert_eq!(response.ending, Ending::Proper);
        }
    }
    for fault in [Fault::MissingEnd, Fault::DuplicateEnd] {
        let server = playing(letters(fault)).await;
        let body = ask(&server, CHAT, false).await.body;
        assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
    }
}

#[tokio::test]
async fn errors_in_mid_stream() {
    let response = chat_stream(letters(Fault::StreamError)).await;
    assert_eq!(said(&response), "ab");
    let last = response.text().split_terminator("\n\n").last().unwrap();
    assert!(last.starts_with(r#"data: {"error":{"message":"#));

    let server = playing(letters(Fault::StreamError)).await;
    let response = ask(&server, MESSAGES, true).await;
    let last = response.text().split_terminator("\n\n").last().unwrap();
    assert_eq!(
        last,
        concat!(
            "event: error\n",
            r#"data: {"type":"error","error":{"type":"overloaded_error","message":"Overloaded"},"#,
            r#""request_id":"req_000001"}"#,
        )
    );
    let response = ask(&server, RESPONSES, true).await;
    assert!(response.text().contains("event: error\ndata: {\"type\":\"error\""));
    let last = response.text().split_terminator("\n\n").last().unwrap();
    assert!(last.starts_with("event: response.failed\n"));
    assert!(last.contains(r#""status":"failed""#));
    let response = ask(&server, GEMINI, true).await;
    let error = response.text().rsplit_once("}\n\n").unwrap().1;
    assert!(error.starts_with("{\n  \"error\": {\n    \"code\": 503,"), "not as an event: {error}");
}

#[tokio::test]
async fn broken_lines_stand_between_good_ones() {
    let response = chat_stream(letters(Fault::InvalidJsonLine)).await;
    let broken = response
        .text()
        .lines()
        .filter_map(|line| line.strip_prefix("data: {"))
        .filter(|rest| serde_json::from_str::<serde_json::Value>(&format!("{{{rest}")).is_err())
        .count();
    assert_eq!((broken, said(&response).as_str()), (1, "abc"));

    let response = chat_stream(letters(Fault::GarbageLines)).await;
    assert_eq!(response.text().matches("garbage without a colon\n").count(), 6);
    assert_eq!(said(&response), "abc");

    let server = playing(letters(Fault::InvalidJsonLine)).await;
    let body = ask(&server, MESSAGES, false).await.body;
    assert!(serde_json::from_slice::<serde_json::Value>(&body).is_err());
}

#[tokio::test]
async fn garbage_is_neither_text_nor_json() {
    for streamed in [false, true] {
        let server = playing(letters(Fault::GarbageBody)).await;
        let response = ask(&server, CHAT, streamed).await;
        assert_eq!(response.status, 200);
        assert!(std::str::from_utf8(&response.body).is_err());
        assert_eq!(response.body[..4], [0x00, 0xff, 0xfe, 0x80]);
    }
}

#[tokio::test]
async fn sizes_are_as_large_as_they_say() {
    let response = chat_stream(letters(Fault::ManyHeaders)).await;
    assert_eq!(response.head.matches("\r\nx-filler-").count(), 10_000);
    assert_eq!(said(&response), "abc");

    let response = chat_stream(letters(Fault::DeepJson)).await;
    assert!(response.text().starts_with(&format!("data: {{\"deep\":{}", "[".repeat(10_000))));
    let server = playing(letters(Fault::DeepJson)).await;
    let response = ask(&server, RESPONSES, false).await;
    assert!(response.text().contains(&"]".repeat(10_000)));
}

#[tokio::test]
async fn a_huge_line_is_one_valid_line_of_fifty_megabytes() {
    for (dialect, streamed) in [(CHAT, true), (MESSAGES, true), (RESPONSES, true), (GEMINI, true), (CHAT, false)] {
        let server = playing(letters(Fault::HugeLine)).await;
        let (response, _) = send_up_to(&server, &call(dialect, streamed), 60 << 20, Patience::LONG).await;
        assert_eq!(response.ending, Ending::Proper);
        let line = response.text().lines().max_by_key(|line| line.len()).unwrap();
        assert!((50_000_000..50_001_000).contains(&line.len()), "{}", line.len());
        let json = line.strip_prefix("data: ").unwrap_or(line);
        assert!(serde_json::from_str::<serde::de::IgnoredAny>(json).is_ok());
    }
}

#[tokio::test]
async fn keep_alive_says_nothing_again_and_again() {
    let server = playing(letters(Fault::KeepAliveOnly).gap_ms(1)).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(call(CHAT, true).as_bytes()).await.unwrap();
    let mut raw = Vec::new();
    while raw.windows(6).filter(|six| six == b": ping").count() < 3 {
        assert!(stream.read_buf(&mut raw).await.unwrap() > 0);
    }
    assert!(!String::from_utf8(raw).unwrap().contains("data:"));
    drop(stream);
    server.idle().await;
}

#[tokio::test]
async fn endless_tokens_outlast_any_patience() {
    let server = playing(letters(Fault::EndlessTokens)).await;
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(call(MESSAGES, true).as_bytes()).await.unwrap();
    let (mut buffer, mut total) = (vec![0; 1 << 16], 0);
    while total < 20 << 20 {
        total += stream.read(&mut buffer).await.unwrap();
    }
    assert!(String::from_utf8_lossy(&buffer).contains(r#""text":"token ""#));
    drop(stream);
    server.idle().await;
}

#[tokio::test]
async fn slow_bytes_are_all_there_in_the_end() {
    let plain = ask(&playing(letters(Fault::SlowBytes)).await, CHAT, true).await;
    assert_eq!((said(&plain).as_str(), plain.ending), ("abc", Ending::Proper));
}

#[tokio::test]
async fn replies_that_are_well_formed_and_still_wrong() {
    let content = |response: &Response| response.json()["choices"][0]["message"]["content"].clone();
    let text = |text: &str| Answer::text(text);
    let with = |fault| Answer { fault: Some(fault), ..text("half and half") };

    let response = ask(&playing(with(Fault::EmptyText)).await, CHAT, false).await;
    assert_eq!(content(&response), "");
    let response = ask(&playing(with(Fault::Length)).await, CHAT, false).await;
    assert_eq!(content(&response), "half a");
    let response = ask(&playing(with(Fault::ContentFilter)).await, CHAT, false).await;
    assert_eq!(response.json()["choices"][0]["finish_reason"], "content_filter");
    let response = ask(&playing(with(Fault::Refusal)).await, MESSAGES, false).await;
    assert_eq!(response.json()["stop_reason"], "refusal");
    let response = ask(&playing(with(Fault::WrongModel)).await, RESPONSES, false).await;
    assert_eq!(response.json()["model"], "other-than-m-1");
    for dialect in DIALECTS {
        let response = ask(&playing(with(Fault::NoUsage)).await, dialect, false).await;
        assert!(response.json().get("usage").is_none_or(serde_json::Value::is_null));
        assert_eq!(response.json().get("usageMetadata"), None);
    }
}

#[tokio::test]
async fn a_redirect_without_a_place_leads_nowhere() {
    let server: Server = failing(Fault::Redirect).await;
    let response = send(&server, &call(MESSAGES, false)).await;
    assert_eq!(response.header("location"), Some("http://127.0.0.1:1/elsewhere"));
}
