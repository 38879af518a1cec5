//! Recorded answers, byte for byte, with the turns that they become.

use std::fmt::Write;

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::Usage;
use baton_port::{Transcript, Turn};

use crate::http_support::{KEY, Kind, Literal, ask, member, request, response, streamed};

const CHAT: &str = r#"data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1-2025-01-01","choices":[{"index":0,"delta":{"role":"assistant","content":"","refusal":null},"logprobs":null,"finish_reason":null}],"usage":null,"obfuscation":"x"}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1-2025-01-01","choices":[{"index":0,"delta":{"content":"Grüße,"},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1-2025-01-01","choices":[{"index":0,"delta":{"content":" \"you\"\n"},"logprobs":null,"finish_reason":null}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1-2025-01-01","choices":[{"index":0,"delta":{},"logprobs":null,"finish_reason":"stop"}],"usage":null}

data: {"id":"chatcmpl-1","object":"chat.completion.chunk","created":1,"model":"m-1-2025-01-01","choices":[],"usage":{"prompt_tokens":1200,"completion_tokens":80,"total_tokens":1280,"prompt_tokens_details":{"cached_tokens":1024,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":64,"audio_tokens":0}}}

data: [DONE]

"#;

const MESSAGES: &str = r#"event: message_start
data: {"type":"message_start","message":{"model":"m-1-20250101","id":"msg_01","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null,"usage":{"input_tokens":9,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":1,"service_tier":"standard"}}}

event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":"","signature":""}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"thinking_delta","thinking":"How to greet?"}}

event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"signature_delta","signature":"abc="}}

event: content_block_stop
data: {"type":"content_block_stop","index":0}

event: content_block_start
data: {"type":"content_block_start","index":1,"content_block":{"type":"text","text":""}}

event: ping
data: {"type": "ping"}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":"Grüße,"}}

event: content_block_delta
data: {"type":"content_block_delta","index":1,"delta":{"type":"text_delta","text":" \"you\"\n"}}

event: content_block_stop
data: {"type":"content_block_stop","index":1}

event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"usage":{"input_tokens":9,"cache_creation_input_tokens":100,"cache_read_input_tokens":1000,"output_tokens":80}}

event: message_stop
data: {"type":"message_stop"}

"#;

const RESPONSE: &str = r#"event: response.created
data: {"type":"response.created","sequence_number":0,"response":{"id":"resp_1","object":"response","created_at":1,"status":"in_progress","error":null,"incomplete_details":null,"model":"m-1-2025-01-01","output":[],"usage":null}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":1,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}

event: response.output_item.done
data: {"type":"response.output_item.done","sequence_number":2,"output_index":0,"item":{"id":"rs_1","type":"reasoning","summary":[]}}

event: response.output_item.added
data: {"type":"response.output_item.added","sequence_number":3,"output_index":1,"item":{"id":"msg_1","type":"message","status":"in_progress","role":"assistant","content":[]}}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":4,"item_id":"msg_1","output_index":1,"content_index":0,"delta":"Grüße,","logprobs":[],"obfuscation":"x"}

event: response.output_text.delta
data: {"type":"response.output_text.delta","sequence_number":5,"item_id":"msg_1","output_index":1,"content_index":0,"delta":" \"you\"\n","logprobs":[],"obfuscation":"y"}

event: response.output_text.done
data: {"type":"response.output_text.done","sequence_number":6,"item_id":"msg_1","output_index":1,"content_index":0,"text":"Grüße, \"you\"\n","logprobs":[]}

event: response.completed
data: {"type":"response.completed","sequence_number":7,"response":{"id":"resp_1","object":"response","created_at":1,"status":"completed","error":null,"incomplete_details":null,"model":"m-1-2025-01-01","output":[{"id":"rs_1","type":"reasoning","summary":[]},{"id":"msg_1","type":"message","status":"completed","role":"assistant","content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"Grüße, \"you\"\n"}]}],"usage":{"input_tokens":1200,"input_tokens_details":{"cached_tokens":1024},"output_tokens":80,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":1280}}}

"#;

const GEMINI: &str = r#"data: {"candidates": [{"content": {"parts": [{"text": "How to greet?","thought": true}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 1200,"totalTokenCount": 1264,"thoughtsTokenCount": 64},"modelVersion": "gemini-2.5-pro","responseId": "r-1"}

data: {"candidates": [{"content": {"parts": [{"text": "Grüße,"}],"role": "model"},"index": 0}],"usageMetadata": {"promptTokenCount": 1200,"candidatesTokenCount": 4,"totalTokenCount": 1268,"thoughtsTokenCount": 64},"modelVersion": "gemini-2.5-pro","responseId": "r-1"}

data: {"candidates": [{"content": {"parts": [{"text": " \"you\"\n"}],"role": "model"},"finishReason": "STOP","index": 0}],"usageMetadata": {"promptTokenCount": 1200,"candidatesTokenCount": 16,"totalTokenCount": 1280,"cachedContentTokenCount": 1024,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 1200}],"thoughtsTokenCount": 64},"modelVersion": "gemini-2.5-pro","responseId": "r-1"}

"#;

/// The body in chunks of `size` bytes, which cut lines and characters anywhere.
fn chunked(head: &str, body: &str, size: usize) -> Vec<u8> {
    let mut bytes = format!("{}\r\ntransfer-encoding: chunked\r\n\r\n", head.replace('\n', "\r\n")).into_bytes();
    for piece in body.as_bytes().chunks(size) {
        let mut line = String::new();
        write!(line, "{:x}\r\n", piece.len()).unwrap();
        bytes.extend([line.as_bytes(), piece, b"\r\n"].concat());
    }
    bytes.extend(b"0\r\n\r\n");
    bytes
}

fn golden(model: &str, request_id: &str, usage: Usage, head: &str, body: &str) -> Turn {
    Turn {
        outcome: Outcome::Ok,
        text: Some("Grüße, \"you\"\n".into()),
        detail: String::new(),
        usage: Some(usage),
        provenance: Provenance {
            model: Some(model.into()),
            request_id: Some(request_id.into()),
            ..Provenance::default()
        },
        transcript: Transcript { bytes: format!("{head}\r\n\r\n{body}").into_bytes(), cut: false },
        evidence: None,
        opens: None,
    }
}

#[tokio::test]
async fn a_chat_stream() {
    let usage = Usage { input_tokens: 1200, cached_tokens: 1024, output_tokens: 80, reported_cost: None };
    let kept = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\nx-request-id: req_1";
    for size in [1, 7, 100_000] {
        let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream\nset-cookie: a=b\nx-request-id: req_1";
        let server = Literal::start(chunked(head, CHAT, size));
        let turn = ask(&member(Kind::OpenAi, &server.url, &[]), &request("greet")).await;
        assert_eq!(turn, golden("m-1-2025-01-01", "req_1", usage, kept, CHAT), "in chunks of {size}");
    }
}

#[tokio::test]
async fn a_responses_stream() {
    let usage = Usage { input_tokens: 1200, cached_tokens: 1024, output_tokens: 80, reported_cost: None };
    let kept = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8";
    for size in [1, 7, 100_000] {
        let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream; charset=utf-8\nserver: x";
        let server = Literal::start(chunked(head, RESPONSE, size));
        let turn = ask(&member(Kind::Responses, &server.url, &[]), &request("greet")).await;
        assert_eq!(turn, golden("m-1-2025-01-01", "resp_1", usage, kept, RESPONSE), "in chunks of {size}");
    }
}

#[tokio::test]
async fn a_gemini_stream() {
    let usage = Usage { input_tokens: 1200, cached_tokens: 1024, output_tokens: 80, reported_cost: None };
    let kept = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream";
    for size in [1, 7, 100_000] {
        let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream\nserver: scaffolding on HTTPServer2";
        let server = Literal::start(chunked(head, GEMINI, size));
        let turn = ask(&member(Kind::Gemini, &server.url, &[]), &request("greet")).await;
        assert_eq!(turn, golden("gemini-2.5-pro", "r-1", usage, kept, GEMINI), "in chunks of {size}");
    }
}

#[tokio::test]
async fn an_error_within_a_gemini_stream_is_found_with_and_without_its_field() {
    let error = "{\n  \"error\": {\n    \"code\": 503,\n    \"message\": \"overloaded\",\n    \"status\": \"UNAVAILABLE\"\n  }\n}\n";
    let begun = GEMINI.split_inclusive("\n\n").next().unwrap();
    let event = r#"data: {"error":{"code":503,"message":"overloaded","status":"UNAVAILABLE"}}"#;
    for body in [format!("{begun}{error}"), error.to_owned(), format!("[{error}]"), format!("{begun}{event}\n\n")] {
        let server = Literal::start(chunked("HTTP/1.1 200 OK\ncontent-type: text/event-stream", &body, 50));
        let turn = ask(&member(Kind::Gemini, &server.url, &[]), &request("greet")).await;
        assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Overloaded, "overloaded"), "{body}");
    }
}

#[tokio::test]
async fn used_up_limits_tell_every_dialect_when_to_ask_again() {
    let head = "HTTP/1.1 429 Too Many Requests\ncontent-type: application/json";
    let error = r#"{"error":{"message":"slow","code":429,"status":"RESOURCE_EXHAUSTED"}}"#;
    for kind in Kind::ALL {
        let left = "x-ratelimit-remaining-requests: 0\nx-ratelimit-reset-requests: 6s";
        let server = Literal::start(response(&format!("{head}\n{left}"), error));
        let turn = ask(&member(kind, &server.url, &[]), &request("q")).await;
        assert_eq!(turn.outcome, Outcome::RateLimited { retry_after_ms: Some(6_000) }, "{kind:?}");
    }
}

#[tokio::test]
async fn a_messages_stream() {
    let usage = Usage { input_tokens: 1109, cached_tokens: 1000, output_tokens: 80, reported_cost: None };
    let kept = "HTTP/1.1 200 OK\r\ncontent-type: text/event-stream; charset=utf-8";
    for size in [1, 7, 100_000] {
        let head = "HTTP/1.1 200 OK\ncontent-type: text/event-stream; charset=utf-8\nserver: x";
        let server = Literal::start(chunked(head, MESSAGES, size));
        let turn = ask(&member(Kind::Anthropic, &server.url, &[]), &request("greet")).await;
        assert_eq!(turn, golden("m-1-20250101", "msg_01", usage, kept, MESSAGES), "in chunks of {size}");
    }
}

#[tokio::test]
async fn a_stream_without_the_last_blank_line_is_whole() {
    let server = Literal::start(chunked("HTTP/1.1 200 OK\ncontent-type: text/event-stream", CHAT.trim_end(), 50));
    let turn = ask(&member(Kind::OpenAi, &server.url, &[]), &request("greet")).await;
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Ok, ""));
}

#[tokio::test]
async fn the_answers_own_type_goes_before_what_was_asked_for() {
    let server = Literal::start(chunked("HTTP/1.1 200 OK\ncontent-type: text/event-stream", CHAT, 50));
    let turn = ask(&member(Kind::OpenAi, &server.url, &[streamed(false)]), &request("greet")).await;
    assert_eq!(turn.outcome, Outcome::Ok);
    let whole = r#"{"model":"m","choices":[{"message":{"content":"hi"},"finish_reason":"stop"}]}"#;
    let server = Literal::start(response("HTTP/1.1 200 OK\ncontent-type: application/json", whole));
    let turn = ask(&member(Kind::OpenAi, &server.url, &[]), &request("greet")).await;
    assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("hi")));
}

#[tokio::test]
async fn a_key_that_comes_back_is_masked_everywhere() {
    let echo = format!(r#"{{"error":{{"message":"wrong key {KEY} for you","code":"invalid_api_key"}}}}"#);
    let head = format!("HTTP/1.1 401 Unauthorized\ncontent-type: application/json\nx-request-id: {KEY}");
    let server = Literal::start(response(&head, &echo));
    let seat = member(Kind::OpenAi, &server.url, &[]);
    let refused = ask(&seat, &request("q")).await;
    assert_eq!((refused.outcome.clone(), refused.detail.as_str()), (Outcome::Auth, "wrong key *** for you"));

    let said = format!(r#"{{"choices":[{{"message":{{"content":"it is {KEY}"}},"finish_reason":"stop"}}]}}"#);
    let server = Literal::start(response("HTTP/1.1 200 OK\ncontent-type: application/json", &said));
    let answered = ask(&member(Kind::OpenAi, &server.url, &[]), &request("q")).await;
    assert_eq!(answered.text, Some(format!("it is {}", "*".repeat(KEY.len()))));
    for turn in [refused, answered] {
        assert!(!format!("{turn:?}").contains(KEY));
        assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains(KEY));
        assert!(!turn.transcript.bytes.is_empty());
    }
}

#[tokio::test]
async fn a_date_to_come_back_counts_from_the_answers_date() {
    let head = "HTTP/1.1 429 Too Many Requests\ncontent-type: application/json\n\
        date: Sun, 06 Nov 1994 08:49:37 GMT\nretry-after: Sun, 06 Nov 1994 08:49:47 GMT";
    let server = Literal::start(response(head, r#"{"error":{"message":"slow down"}}"#));
    let turn = ask(&member(Kind::Anthropic, &server.url, &[]), &request("q")).await;
    assert_eq!(turn.outcome, Outcome::RateLimited { retry_after_ms: Some(10_000) });
    let kept = String::from_utf8(turn.transcript.bytes).unwrap();
    assert!(kept.contains("retry-after: Sun, 06 Nov 1994 08:49:47 GMT\r\n"), "{kept}");
}

#[tokio::test]
async fn compressed_bytes_are_not_unpacked() {
    let server = Literal::start(
        [
            b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-encoding: gzip\r\ncontent-length: 6\r\n\r\n"
                .as_slice(),
            b"\x1f\x8b\x08\x00\x00\x00",
        ]
        .concat(),
    );
    let turn = ask(&member(Kind::OpenAi, &server.url, &[]), &request("q")).await;
    assert_eq!(turn.outcome, Outcome::Unreadable);
    assert!(turn.transcript.bytes.ends_with(b"\x1f\x8b\x08\x00\x00\x00"));
}

#[tokio::test]
async fn the_request_line_holds_no_more_than_the_path() {
    let server = Literal::start(response("HTTP/1.1 500 Oh", ""));
    let turn = ask(&member(Kind::OpenAi, &server.url, &[]), &request("q")).await;
    assert_eq!((turn.outcome, turn.detail.as_str()), (Outcome::Overloaded, "status 500 without a readable error"));
    assert!(server.request().starts_with("POST /v1/chat/completions HTTP/1.1\r\n"));
}
