//! The literal text of each dialect.

use baton_script::{Answer, Fault, Finish, Reply, Rule, Script, Server, Usage};

use crate::client::{CHAT, Ending, GEMINI, MESSAGES, RESPONSES, ask, failing, playing, post, send};

fn two_words() -> Answer {
    let reply = Reply {
        text: "One \"two\"".into(),
        usage: Usage { input: 100, output: 7, cached: 60 },
        delta_characters: 4,
        ..Reply::default()
    };
    Answer { reply, ..Answer::default() }
}

#[tokio::test]
async fn chat_whole() {
    let server = playing(two_words()).await;
    let response = ask(&server, CHAT, false).await;
    assert_eq!((response.status, response.ending), (200, Ending::Proper));
    assert_eq!(
        response.text(),
        concat!(
            r#"{"id":"chatcmpl-000001","object":"chat.completion","created":1700000000,"model":"m-1","#,
            r#""choices":[{"index":0,"message":{"role":"assistant","content":"One \"two\"","#,
            r#""refusal":null,"annotations":[]},"logprobs":null,"finish_reason":"stop"}],"#,
            r#""usage":{"prompt_tokens":100,"completion_tokens":7,"total_tokens":107,"#,
            r#""prompt_tokens_details":{"cached_tokens":60,"audio_tokens":0},"#,
            r#""completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"#,
            r#""accepted_prediction_tokens":0,"rejected_prediction_tokens":0}},"#,
            r#""service_tier":"default","system_fingerprint":"fp_scripted"}"#,
        )
    );
}

#[tokio::test]
async fn chat_streamed() {
    let server = playing(two_words()).await;
    let response = ask(&server, CHAT, true).await;
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let chunk = |delta: &str, finish: &str| {
        format!(
            concat!(
                r#"data: {{"id":"chatcmpl-000001","object":"chat.completion.chunk","created":1700000000,"#,
                r#""model":"m-1","service_tier":"default","system_fingerprint":"fp_scripted","#,
                r#""choices":[{{"index":0,"delta":{delta},"logprobs":null,"finish_reason":{finish}}}]}}"#,
                "\n\n",
            ),
            delta = delta,
            finish = finish,
        )
    };
    let expected = [
        chunk(r#"{"role":"assistant","content":"","refusal":null}"#, "null"),
        chunk(r#"{"content":"One "}"#, "null"),
        chunk(r#"{"content":"\"two"}"#, "null"),
        chunk(r#"{"content":"\""}"#, "null"),
        chunk("{}", "\"stop\""),
        "data: [DONE]\n\n".to_owned(),
    ];
    assert_eq!(response.text(), expected.concat());
    assert_eq!(response.ending, Ending::Proper);
}

#[tokio::test]
async fn chat_streams_usage_only_when_asked() {
    let server = playing(two_words()).await;
    let body = r#"{"model":"m","stream":true,"stream_options":{"include_usage":true},"messages":[1]}"#;
    let response = send(&server, &post(CHAT.0, &["connection: close"], body)).await;
    let lines: Vec<_> = response.text().split_terminator("\n\n").collect();
    assert_eq!(lines.len(), 7);
    assert!(lines[..5].iter().all(|line| line.ends_with(r#"}],"usage":null}"#)));
    assert!(lines[5].contains(r#""choices":[],"usage":{"prompt_tokens":100,"completion_tokens":7,"#));
    assert_eq!(lines[6], "data: [DONE]");
}

#[tokio::test]
async fn messages_whole() {
    let server = playing(two_words()).await;
    let response = ask(&server, MESSAGES, false).await;
    assert_eq!(
        response.text(),
        concat!(
            r#"{"model":"m-1","id":"msg_000001","type":"message","role":"assistant","#,
            r#""content":[{"type":"text","text":"One \"two\""}],"#,
            r#""stop_reason":"end_turn","stop_sequence":null,"#,
            r#""usage":{"input_tokens":40,"cache_creation_input_tokens":0,"#,
            r#""cache_read_input_tokens":60,"output_tokens":7,"service_tier":"standard"}}"#,
        )
    );
}

#[tokio::test]
async fn messages_streamed() {
    let server = playing(two_words()).await;
    let response = ask(&server, MESSAGES, true).await;
    let delta = |text: &str| {
        format!(
            "event: content_block_delta\ndata: {{\"type\":\"content_block_delta\",\"index\":0,\
             \"delta\":{{\"type\":\"text_delta\",\"text\":{text}}}}}\n\n"
        )
    };
    let expected = [
        concat!(
            "event: message_start\n",
            r#"data: {"type":"message_start","message":{"model":"m-1","id":"msg_000001","#,
            r#""type":"message","role":"assistant","content":[],"stop_reason":null,"#,
            r#""stop_sequence":null,"usage":{"input_tokens":40,"cache_creation_input_tokens":0,"#,
            r#""cache_read_input_tokens":60,"output_tokens":1,"service_tier":"standard"}}}"#,
            "\n\nevent: content_block_start\n",
            r#"data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#,
            "\n\nevent: ping\ndata: {\"type\":\"ping\"}\n\n",
        )
        .to_owned(),
        delta(r#""One ""#),
        delta(r#""\"two""#),
        delta(r#""\"""#),
        concat!(
            "event: content_block_stop\ndata: {\"type\":\"content_block_stop\",\"index\":0}\n\n",
            "event: message_delta\n",
            r#"data: {"type":"message_delta","delta":{"stop_reason":"end_turn","stop_sequence":null},"#,
            r#""usage":{"input_tokens":40,"cache_creation_input_tokens":0,"#,
            r#""cache_read_input_tokens":60,"output_tokens":7}}"#,
            "\n\nevent: message_stop\ndata: {\"type\":\"message_stop\"}\n\n",
        )
        .to_owned(),
    ];
    assert_eq!(response.text(), expected.concat());
}

#[tokio::test]
async fn responses_whole() {
    let server = playing(two_words()).await;
    let body = ask(&server, RESPONSES, false).await;
    let text = body.text();
    assert!(text.starts_with(concat!(
        r#"{"id":"resp_000001","object":"response","created_at":1700000000,"status":"completed","#,
        r#""background":false,"error":null,"incomplete_details":null,"#,
    )));
    assert!(text.contains(concat!(
        r#""output":[{"id":"msg_000001","type":"message","status":"completed","role":"assistant","#,
        r#""content":[{"type":"output_text","annotations":[],"logprobs":[],"text":"One \"two\""}]}]"#,
    )));
    assert!(text.contains(concat!(
        r#""usage":{"input_tokens":100,"input_tokens_details":{"cached_tokens":60},"#,
        r#""output_tokens":7,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":107}"#,
    )));
    assert_eq!(body.json()["model"], "m-1");
}

#[tokio::test]
async fn responses_streamed() {
    let server = playing(two_words()).await;
    let response = ask(&server, RESPONSES, true).await;
    let events: Vec<_> = response.text().split_terminator("\n\n").collect();
    let names: Vec<_> = events.iter().map(|event| event.lines().next().unwrap()).collect();
    assert_eq!(
        names,
        [
            "event: response.created",
            "event: response.in_progress",
            "event: response.output_item.added",
            "event: response.content_part.added",
            "event: response.output_text.delta",
            "event: response.output_text.delta",
            "event: response.output_text.delta",
            "event: response.output_text.done",
            "event: response.content_part.done",
            "event: response.output_item.done",
            "event: response.completed",
        ]
    );
    for (number, event) in events.iter().enumerate() {
        let start = format!(
            "{name}\ndata: {{\"type\":\"{kind}\",\"sequence_number\":{number},",
            name = names[number],
            kind = &names[number]["event: ".len()..],
        );
        assert!(event.starts_with(&start), "{event}");
    }
    assert!(
        events[5]
            .ends_with(r#""item_id":"msg_000001","output_index":0,"content_index":0,"delta":"\"two","logprobs":[]}"#)
    );
    assert!(events[7].ends_with(r#""text":"One \"two\"","logprobs":[]}"#));
    assert!(events[0].contains(r#""status":"in_progress""#));
    assert!(events[0].contains(r#""usage":null"#));
    assert!(events[10].contains(r#""total_tokens":107"#));
}

#[tokio::test]
async fn gemini_whole() {
    let server = playing(two_words()).await;
    let body = ask(&server, GEMINI, false).await;
    assert!(body.text().starts_with("{\n  \"candidates\": [\n    {\n      \"content\": {"));
    let usage = serde_json::json!({
        "promptTokenCount": 100, "cachedContentTokenCount": 60, "candidatesTokenCount": 7, "totalTokenCount": 107,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": 100}],
    });
    assert_eq!(
        body.json(),
        serde_json::json!({
            "candidates": [{
                "content": {"parts": [{"text": "One \"two\""}], "role": "model"}, "finishReason": "STOP", "index": 0,
            }],
            "usageMetadata": usage, "modelVersion": "m-1", "responseId": "resp_000001",
        })
    );
}

#[tokio::test]
async fn gemini_streamed() {
    let server = playing(two_words()).await;
    let response = ask(&server, GEMINI, true).await;
    assert_eq!(response.header("content-type"), Some("text/event-stream; charset=utf-8"));
    let begun = r#""usageMetadata": {"promptTokenCount": 100,"totalTokenCount": 100,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 100}]}"#;
    let ended = r#""usageMetadata": {"promptTokenCount": 100,"cachedContentTokenCount": 60,"candidatesTokenCount": 7,"totalTokenCount": 107,"promptTokensDetails": [{"modality": "TEXT","tokenCount": 100}]}"#;
    let chunk = |text: &str, reason: &str, usage: &str| {
        format!(
            r#"data: {{"candidates": [{{"content": {{"parts": [{{"text": {text}}}],"role": "model"}},{reason}"index": 0}}],{usage},"modelVersion": "m-1","responseId": "resp_000001"}}"#
        ) + "\n\n"
    };
    let expected = [
        chunk(r#""One ""#, "", begun),
        chunk(r#""\"two""#, "", begun),
        chunk(r#""\"""#, "", begun),
        chunk(r#""""#, r#""finishReason": "STOP","#, ended),
    ];
    assert_eq!(response.text(), expected.concat());
    assert_eq!(response.ending, Ending::Proper);
}

#[tokio::test]
async fn a_prompt_that_gemini_blocks_has_no_candidate() {
    let server = playing(two_words().finish(Finish::Refusal)).await;
    let whole = ask(&server, GEMINI, false).await.json();
    assert_eq!(whole["promptFeedback"]["blockReason"], "PROHIBITED_CONTENT");
    assert_eq!(whole.get("candidates"), None);
    let streamed = ask(&server, GEMINI, true).await;
    assert!(streamed.text().starts_with(r#"data: {"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},"#));
    assert_eq!(streamed.text().matches("data: ").count(), 1);
}

#[tokio::test]
async fn gemini_says_in_the_body_what_others_say_in_headers() {
    let answer = Answer { retry_after_s: Some(17), ..Answer::fault(Fault::RateLimitedSeconds) };
    let response = ask(&playing(answer).await, GEMINI, true).await;
    assert_eq!((response.status, response.header("retry-after")), (429, None));
    let error = &response.json()["error"];
    assert_eq!((&error["code"], &error["status"]), (&429.into(), &"RESOURCE_EXHAUSTED".into()));
    assert_eq!(error["details"][1]["retryDelay"], "17s");
    let response = ask(&failing(Fault::Unauthorized).await, GEMINI, false).await;
    assert_eq!((response.status, &response.json()["error"]["details"][0]["reason"]), (400, &"API_KEY_INVALID".into()));
}

#[tokio::test]
async fn every_dialect_says_why_it_stopped() {
    let cases = [
        (Finish::Stop, "stop", "end_turn", "completed", "STOP"),
        (Finish::Length, "length", "max_tokens", "incomplete", "MAX_TOKENS"),
        (Finish::Refusal, "stop", "refusal", "completed", ""),
        (Finish::ContentFilter, "content_filter", "refusal", "incomplete", "SAFETY"),
    ];
    for (finish, chat, messages, responses, gemini) in cases {
        let server = playing(two_words().finish(finish)).await;
        let body = ask(&server, CHAT, false).await.json();
        assert_eq!(body["choices"][0]["finish_reason"], chat);
        let body = ask(&server, MESSAGES, false).await.json();
        assert_eq!(body["stop_reason"], messages);
        let body = ask(&server, RESPONSES, false).await.json();
        assert_eq!(body["status"], responses);
        let body = ask(&server, GEMINI, false).await.json();
        assert_eq!(body["candidates"][0]["finishReason"].as_str().unwrap_or_default(), gemini);
    }
}

#[tokio::test]
async fn a_refusal_stands_where_the_vendor_puts_it() {
    let server = playing(two_words().finish(Finish::Refusal)).await;
    let message = &ask(&server, CHAT, false).await.json()["choices"][0]["message"];
    assert_eq!((&message["content"], &message["refusal"]), (&serde_json::Value::Null, &"One \"two\"".into()));
    let part = &ask(&server, RESPONSES, false).await.json()["output"][0]["content"][0];
    assert_eq!(part, &serde_json::json!({"type": "refusal", "refusal": "One \"two\""}));
    let streamed = ask(&server, RESPONSES, true).await;
    assert!(streamed.text().contains("event: response.refusal.delta\n"));
    let streamed = ask(&server, CHAT, true).await;
    assert!(streamed.text().contains(r#""delta":{"refusal":"One "}"#));
}

#[tokio::test]
async fn headers_are_those_of_the_vendor() {
    let server = playing(two_words()).await;
    let openai = ask(&server, CHAT, false).await;
    assert_eq!(openai.header("x-request-id"), Some("req_000001"));
    assert_eq!(openai.header("x-ratelimit-remaining-requests"), Some("4999"));
    assert_eq!(openai.header("request-id"), None);
    let anthropic = ask(&server, MESSAGES, true).await;
    assert_eq!(anthropic.header("request-id"), Some("req_000002"));
    assert_eq!(anthropic.header("anthropic-ratelimit-requests-remaining"), Some("4999"));
    assert!(anthropic.header("anthropic-ratelimit-requests-reset").unwrap().ends_with('Z'));
}

#[tokio::test]
async fn errors_have_the_shape_of_the_vendor() {
    let server = failing(Fault::Unauthorized).await;
    assert_eq!(
        ask(&server, CHAT, true).await.text(),
        concat!(
            r#"{"error":{"message":"Incorrect API key provided. You can find your API key at "#,
            r#"https://platform.openai.com/account/api-keys.","type":"invalid_request_error","#,
            r#""param":null,"code":"invalid_api_key"}}"#,
        )
    );
    assert_eq!(
        ask(&server, MESSAGES, true).await.text(),
        concat!(
            r#"{"type":"error","error":{"type":"authentication_error","message":"invalid x-api-key"},"#,
            r#""request_id":"req_000002"}"#,
        )
    );
}

#[tokio::test]
async fn the_context_error_names_the_field_of_its_dialect() {
    let server = failing(Fault::ContextTooLong).await;
    for (dialect, field) in [(CHAT, "messages"), (RESPONSES, "input")] {
        assert_eq!(ask(&server, dialect, false).await.json()["error"]["param"], field);
    }
}

#[tokio::test]
async fn the_script_names_the_model_that_answers() {
    let reply = Reply { model: Some("m-1-2026".into()), ..Reply::default() };
    let server = playing(Answer { reply, ..Answer::default() }).await;
    for dialect in [CHAT, MESSAGES, RESPONSES] {
        assert_eq!(ask(&server, dialect, false).await.json()["model"], "m-1-2026");
    }
    assert_eq!(ask(&server, GEMINI, false).await.json()["modelVersion"], "m-1-2026");
}

#[tokio::test]
async fn models_are_listed_in_the_shape_that_is_asked_for() {
    let rule = Rule::named("a").model("m \"1\"").answer(two_words());
    let server = Server::start(Script::new().rule(rule)).await.unwrap();
    let get = "GET /v1/models?limit=5 HTTP/1.1\r\nconnection: close\r\n";
    assert_eq!(
        send(&server, &format!("{get}\r\n")).await.text(),
        concat!(
            r#"{"object":"list","data":[{"id":"m \"1\"","object":"model","created":1700000000,"#,
            r#""owned_by":"scripted"}]}"#,
        )
    );
    assert_eq!(
        send(&server, &format!("{get}anthropic-version: 2023-06-01\r\n\r\n")).await.text(),
        concat!(
            r#"{"data":[{"type":"model","id":"m \"1\"","display_name":"m \"1\"","#,
            r#""created_at":"2023-11-14T22:13:20Z"}],"has_more":false,"#,
            r#""first_id":"m \"1\"","last_id":"m \"1\""}"#,
        )
    );
    let gemini = send(&server, "GET /v1beta/models HTTP/1.1\r\nconnection: close\r\n\r\n").await.json();
    assert_eq!(gemini["models"][0]["name"], "models/m \"1\"");
    assert_eq!(server.violations(), []);
}

#[tokio::test]
async fn tokens_are_counted_without_using_up_an_answer() {
    let server = playing(two_words()).await;
    let path = "/v1/messages/count_tokens?beta=true";
    let body = r#"{"model":"m","messages":[{"role":"user","content":"hello"}]}"#;
    let response = send(&server, &post(path, &["connection: close"], body)).await;
    assert_eq!(response.text(), format!("{{\"input_tokens\":{}}}", body.len() / 4));
    assert_eq!(server.counts().by_rule, [0]);
    assert_eq!(server.violations(), []);
}
