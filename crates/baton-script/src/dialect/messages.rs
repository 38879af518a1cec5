//! Anthropic Messages.

use super::{Frames, Voice};
use crate::script::{Finish, Usage};
use crate::template::{filled, quoted};

const WHOLE: &str = r#"{"model":$model,"id":"msg_$id","type":"message","role":"assistant","content":$content,"stop_reason":$reason,"stop_sequence":null$usage}"#;

const MESSAGE_START: &str = r#"event: message_start
data: {"type":"message_start","message":{"model":$model,"id":"msg_$id","type":"message","role":"assistant","content":[],"stop_reason":null,"stop_sequence":null$usage}}"#;

const BLOCK_START: &str = r#"event: content_block_start
data: {"type":"content_block_start","index":0,"content_block":{"type":"text","text":""}}"#;

const PING: &str = r#"event: ping
data: {"type":"ping"}"#;

const BLOCK_DELTA: &str = r#"event: content_block_delta
data: {"type":"content_block_delta","index":0,"delta":{"type":"text_delta","text":$text}}"#;

const BLOCK_STOP: &str = r#"event: content_block_stop
data: {"type":"content_block_stop","index":0}"#;

const MESSAGE_DELTA: &str = r#"event: message_delta
data: {"type":"message_delta","delta":{"stop_reason":$reason,"stop_sequence":null}$usage}"#;

const MESSAGE_STOP: &str = r#"event: message_stop
data: {"type":"message_stop"}"#;

const USAGE: &str = r#","usage":{"input_tokens":$input,"cache_creation_input_tokens":0,"cache_read_input_tokens":$cached,"output_tokens":$output$tier}"#;

pub(super) fn whole(voice: &Voice) -> String {
    let content = if voice.text.is_empty() {
        "[]".to_owned()
    } else {
        format!("[{{\"type\":\"text\",\"text\":{}}}]", quoted(&voice.text))
    };
    filled(
        WHOLE,
        &[
            ("model", &quoted(&voice.model)),
            ("id", &voice.number()),
            ("content", &content),
            ("reason", reason(voice.finish)),
            ("usage", &counted(voice.usage, Moment::Start)),
        ],
    )
}

pub(super) fn stream(voice: &Voice) -> Frames {
    let mut frames = Frames::default();
    // The vendor's stream opens with all input tokens and one output token; the last delta corrects.
    let begun = voice.usage.map(|usage| Usage { output: usage.output.min(1), ..usage });
    frames.push(
        MESSAGE_START,
        &[("model", &quoted(&voice.model)), ("id", &voice.number()), ("usage", &counted(begun, Moment::Start))],
    );
    let speaks = !voice.text.is_empty();
    if speaks {
        frames.push(BLOCK_START, &[]);
    }
    frames.push(PING, &[]);
    frames.opened();
    for piece in voice.deltas() {
        push_delta(&mut frames, piece);
    }
    frames.spoken();
    if speaks {
        frames.push(BLOCK_STOP, &[]);
    }
    frames.push(MESSAGE_DELTA, &[("reason", reason(voice.finish)), ("usage", &counted(voice.usage, Moment::End))]);
    frames.push(MESSAGE_STOP, &[]);
    frames
}

pub(super) fn push_delta(frames: &mut Frames, text: &str) {
    frames.push(BLOCK_DELTA, &[("text", &quoted(text))]);
}

/// Where in a reply usage stands: only the first mention names the service tier.
#[derive(Clone, Copy)]
enum Moment {
    Start,
    End,
}

fn counted(usage: Option<Usage>, moment: Moment) -> String {
    let Some(usage) = usage else { return String::new() };
    let tier = match moment {
        Moment::Start => ",\"service_tier\":\"standard\"",
        Moment::End => "",
    };
    filled(
        USAGE,
        &[
            ("input", &usage.input.saturating_sub(usage.cached).to_string()),
            ("cached", &usage.cached.to_string()),
            ("output", &usage.output.to_string()),
            ("tier", tier),
        ],
    )
}

/// The vendor has one reason for a refusal by the model and by a filter.
const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "\"end_turn\"",
        Finish::Length => "\"max_tokens\"",
        Finish::Refusal | Finish::ContentFilter => "\"refusal\"",
    }
}
