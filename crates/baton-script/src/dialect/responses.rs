//! OpenAI Responses.

use super::{CREATED, Dialect, Failure, Frames, Voice};
use crate::script::{Finish, Usage};
use crate::template::{filled, quoted};

const WHOLE: &str = r#"{"id":"resp_$id","object":"response","created_at":$created,"status":$status,"background":false,"error":$error,"incomplete_details":$incomplete,"instructions":null,"max_output_tokens":null,"model":$model,"output":$output,"parallel_tool_calls":true,"previous_response_id":null,"reasoning":{"effort":null,"summary":null},"service_tier":"default","store":false,"temperature":1.0,"text":{"format":{"type":"text"},"verbosity":"medium"},"tool_choice":"auto","tools":[],"top_p":1.0,"truncation":"disabled","usage":$usage,"user":null,"metadata":{}}"#;

const ITEM: &str = r#"{"id":"msg_$id","type":"message","status":$status,"role":"assistant","content":$content}"#;

const TEXT_PART: &str = r#"{"type":"output_text","annotations":[],"logprobs":[],"text":$text}"#;

const REFUSAL_PART: &str = r#"{"type":"refusal","refusal":$text}"#;

const LIFE: &str = r#"event: $event
data: {"type":"$event","sequence_number":$number,"response":$response}"#;

const ITEM_EVENT: &str = r#"event: $event
data: {"type":"$event","sequence_number":$number,"output_index":0,"item":$item}"#;

const PART_EVENT: &str = r#"event: $event
data: {"type":"$event","sequence_number":$number,"item_id":"msg_$id","output_index":0,"content_index":0,"part":$part}"#;

const TEXT_EVENT: &str = r#"event: $event
data: {"type":"$event","sequence_number":$number,"item_id":"msg_$id","output_index":0,"content_index":0,"$field":$text$logprobs}"#;

const ERROR_EVENT: &str = r#"event: error
data: {"type":"error","sequence_number":4,"error":{"type":$type,"code":$code,"message":$message,"param":null}}"#;

const USAGE: &str = r#"{"input_tokens":$input,"input_tokens_details":{"cached_tokens":$cached},"output_tokens":$output,"output_tokens_details":{"reasoning_tokens":0},"total_tokens":$total}"#;

pub(super) fn whole(voice: &Voice) -> String {
    let output = format!("[{}]", item(voice, State::Ended));
    object(voice, status(voice.finish), "null", &output)
}

pub(super) fn stream(voice: &Voice) -> Frames {
    let mut frames = Frames::default();
    let begun = object(voice, "\"in_progress\"", "null", "[]");
    push_life(&mut frames, "response.created", 0, &begun);
    push_life(&mut frames, "response.in_progress", 1, &begun);
    push_item(&mut frames, "response.output_item.added", 2, &item(voice, State::Begun));
    push_part(&mut frames, voice, "response.content_part.added", 3, &part(voice, ""));
    frames.opened();
    let mut number = 4;
    for piece in voice.deltas() {
        push_delta(&mut frames, voice, piece, number);
        number += 1;
    }
    frames.spoken();
    push_text(&mut frames, voice, Speech::Done, &voice.text, number);
    let spoken = part(voice, &voice.text);
    push_part(&mut frames, voice, "response.content_part.done", number + 1, &spoken);
    let ended = item(voice, State::Ended);
    push_item(&mut frames, "response.output_item.done", number + 2, &ended);
    let response = object(voice, status(voice.finish), "null", &format!("[{ended}]"));
    let event = match voice.finish {
        Finish::Stop | Finish::Refusal => "response.completed",
        Finish::Length | Finish::ContentFilter => "response.incomplete",
    };
    push_life(&mut frames, event, number + 3, &response);
    frames
}

pub(super) fn push_delta(frames: &mut Frames, voice: &Voice, text: &str, number: usize) {
    push_text(frames, voice, Speech::Delta, text, number);
}

/// The two events of a failure: the vendor sends `error`, then the failed response.
pub(super) fn failed(voice: &Voice) -> String {
    let failure = Failure::in_stream();
    let values = failure.values(Dialect::Responses, voice.id);
    let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
    let error = filled(r#"{"code":$code,"message":$message}"#, &values);
    let silent = Voice { usage: None, ..voice.clone() };
    let mut frames = Frames::default();
    frames.push(ERROR_EVENT, &values);
    let response = object(&silent, "\"failed\"", &error, "[]");
    push_life(&mut frames, "response.failed", 5, &response);
    frames.text
}

fn object(voice: &Voice, status: &str, error: &str, output: &str) -> String {
    let incomplete = match (status, voice.finish) {
        ("\"incomplete\"", Finish::Length) => r#"{"reason":"max_output_tokens"}"#,
        ("\"incomplete\"", _) => r#"{"reason":"content_filter"}"#,
        _ => "null",
    };
    let ended = status != "\"in_progress\"";
    let usage = voice.usage.filter(|_| ended).map_or("null".to_owned(), counted);
    filled(
        WHOLE,
        &[
            ("id", &voice.number()),
            ("created", CREATED),
            ("status", status),
            ("error", error),
            ("incomplete", incomplete),
            ("model", &quoted(&voice.model)),
            ("output", output),
            ("usage", &usage),
        ],
    )
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum State {
    Begun,
    Ended,
}

fn item(voice: &Voice, state: State) -> String {
    let (status, content) = match state {
        State::Begun => ("\"in_progress\"", "[]".to_owned()),
        State::Ended => (status(voice.finish), format!("[{}]", part(voice, &voice.text))),
    };
    filled(ITEM, &[("id", &voice.number()), ("status", status), ("content", &content)])
}

fn part(voice: &Voice, text: &str) -> String {
    let template = if voice.finish == Finish::Refusal { REFUSAL_PART } else { TEXT_PART };
    filled(template, &[("text", &quoted(text))])
}

const fn status(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Refusal => "\"completed\"",
        Finish::Length | Finish::ContentFilter => "\"incomplete\"",
    }
}

fn push_life(frames: &mut Frames, event: &str, number: usize, response: &str) {
    let number = number.to_string();
    frames.push(LIFE, &[("event", event), ("number", &number), ("response", response)]);
}

fn push_item(frames: &mut Frames, event: &str, number: usize, item: &str) {
    let number = number.to_string();
    frames.push(ITEM_EVENT, &[("event", event), ("number", &number), ("item", item)]);
}

fn push_part(frames: &mut Frames, voice: &Voice, event: &str, number: usize, part: &str) {
    frames.push(
        PART_EVENT,
        &[("event", event), ("number", &number.to_string()), ("id", &voice.number()), ("part", part)],
    );
}

#[derive(Clone, Copy)]
enum Speech {
    Delta,
    Done,
}

fn push_text(frames: &mut Frames, voice: &Voice, speech: Speech, text: &str, number: usize) {
    let refusal = voice.finish == Finish::Refusal;
    let (event, field) = match (refusal, speech) {
        (false, Speech::Delta) => ("response.output_text.delta", "delta"),
        (false, Speech::Done) => ("response.output_text.done", "text"),
        (true, Speech::Delta) => ("response.refusal.delta", "delta"),
        (true, Speech::Done) => ("response.refusal.done", "refusal"),
    };
    frames.push(
        TEXT_EVENT,
        &[
            ("event", event),
            ("number", &number.to_string()),
            ("id", &voice.number()),
            ("field", field),
            ("text", &quoted(text)),
            ("logprobs", if refusal { "" } else { ",\"logprobs\":[]" }),
        ],
    );
}

fn counted(usage: Usage) -> String {
    filled(
        USAGE,
        &[
            ("input", &usage.input.to_string()),
            ("cached", &usage.cached.to_string()),
            ("output", &usage.output.to_string()),
            ("total", &usage.input.saturating_add(usage.output).to_string()),
        ],
    )
}
