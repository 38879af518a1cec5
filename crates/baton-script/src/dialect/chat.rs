//! OpenAI Chat Completions.

use super::{CREATED, Frames, Voice};
use crate::script::{Finish, Usage};
use crate::template::{filled, quoted};

const WHOLE: &str = r#"{"id":"chatcmpl-$id","object":"chat.completion","created":$created,"model":$model,"choices":[{"index":0,"message":{"role":"assistant","content":$content,"refusal":$refusal,"annotations":[]},"logprobs":null,"finish_reason":$finish}],$usage"service_tier":"default","system_fingerprint":"fp_scripted"}"#;

const CHUNK: &str = r#"data: {"id":"chatcmpl-$id","object":"chat.completion.chunk","created":$created,"model":$model,"service_tier":"default","system_fingerprint":"fp_scripted","choices":[{"index":0,"delta":$delta,"logprobs":null,"finish_reason":$finish}]$usage}"#;

const USAGE_CHUNK: &str = r#"data: {"id":"chatcmpl-$id","object":"chat.completion.chunk","created":$created,"model":$model,"service_tier":"default","system_fingerprint":"fp_scripted","choices":[],"usage":$usage}"#;

const USAGE: &str = r#"{"prompt_tokens":$input,"completion_tokens":$output,"total_tokens":$total,"prompt_tokens_details":{"cached_tokens":$cached,"audio_tokens":0},"completion_tokens_details":{"reasoning_tokens":0,"audio_tokens":0,"accepted_prediction_tokens":0,"rejected_prediction_tokens":0}}"#;

pub(super) fn whole(voice: &Voice) -> String {
    let text = quoted(&voice.text);
    let null = "null".to_owned();
    let (content, refusal) = if voice.finish == Finish::Refusal { (null, text) } else { (text, null) };
    let usage = voice.usage.map_or(String::new(), |usage| format!("\"usage\":{},", counted(usage)));
    filled(
        WHOLE,
        &[
            ("id", &voice.number()),
            ("created", CREATED),
            ("model", &quoted(&voice.model)),
            ("content", &content),
            ("refusal", &refusal),
            ("finish", reason(voice.finish)),
            ("usage", &usage),
        ],
    )
}

pub(super) fn stream(voice: &Voice) -> Frames {
    let mut frames = Frames::default();
    push_chunk(&mut frames, voice, r#"{"role":"assistant","content":"","refusal":null}"#, "null");
    frames.opened();
    for piece in voice.deltas() {
        push_delta(&mut frames, voice, piece);
    }
    frames.spoken();
    push_chunk(&mut frames, voice, "{}", reason(voice.finish));
    if let (true, Some(usage)) = (voice.include_usage, voice.usage) {
        frames.push(
            USAGE_CHUNK,
            &[
                ("id", &voice.number()),
                ("created", CREATED),
                ("model", &quoted(&voice.model)),
                ("usage", &counted(usage)),
            ],
        );
    }
    frames.push("data: [DONE]", &[]);
    frames
}

pub(super) fn push_delta(frames: &mut Frames, voice: &Voice, text: &str) {
    let field = if voice.finish == Finish::Refusal { "refusal" } else { "content" };
    push_chunk(frames, voice, &format!("{{\"{field}\":{}}}", quoted(text)), "null");
}

fn push_chunk(frames: &mut Frames, voice: &Voice, delta: &str, finish: &str) {
    frames.push(
        CHUNK,
        &[
            ("id", &voice.number()),
            ("created", CREATED),
            ("model", &quoted(&voice.model)),
            ("delta", delta),
            ("finish", finish),
            ("usage", if voice.include_usage { ",\"usage\":null" } else { "" }),
        ],
    );
}

fn counted(usage: Usage) -> String {
    filled(
        USAGE,
        &[
            ("input", &usage.input.to_string()),
            ("output", &usage.output.to_string()),
            ("total", &usage.input.saturating_add(usage.output).to_string()),
            ("cached", &usage.cached.to_string()),
        ],
    )
}

/// A refusal by the model ends with `stop`; only the filter has a reason of its own.
const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop | Finish::Refusal => "\"stop\"",
        Finish::Length => "\"length\"",
        Finish::ContentFilter => "\"content_filter\"",
    }
}
