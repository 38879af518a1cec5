//! Google Gemini: generated content, version v1beta.

use super::{Frames, Voice};
use crate::script::{Finish, Usage};
use crate::template::{filled, quoted};

/// The vendor writes what is not streamed over several lines.
const WHOLE: &str = r#"{
  "candidates": [
    {
      "content": {$parts
        "role": "model"
      },
      "finishReason": $reason,
      "index": 0
    }
  ],$usage
  "modelVersion": $model,
  "responseId": "resp_$id"
}"#;

const CHUNK: &str = r#"data: {"candidates": [{"content": {$parts"role": "model"},$reason"index": 0}],$usage"modelVersion": $model,"responseId": "resp_$id"}"#;

/// A prompt that is not answered has no candidate.
const BLOCKED: &str = r#"{"promptFeedback": {"blockReason": "PROHIBITED_CONTENT"},$usage"modelVersion": $model,"responseId": "resp_$id"}"#;

const BEGUN: &str = r#""usageMetadata": {"promptTokenCount": $input,"totalTokenCount": $input,"promptTokensDetails": [{"modality": "TEXT","tokenCount": $input}]},"#;

const USAGE: &str = r#""usageMetadata": {"promptTokenCount": $input,$cached"candidatesTokenCount": $output,"totalTokenCount": $total,"promptTokensDetails": [{"modality": "TEXT","tokenCount": $input}]},"#;

/// Values are those of [`super::Failure`]; the details bring their own comma.
pub(super) const ERROR: &str = r#"{
  "error": {
    "code": $status,
    "message": $message,
    "status": $type$details
  }
}
"#;

pub(super) fn whole(voice: &Voice) -> String {
    if voice.finish == Finish::Refusal {
        return blocked(voice);
    }
    filled(
        WHOLE,
        &[
            ("parts", &parts(&voice.text)),
            ("reason", reason(voice.finish)),
            ("usage", &voice.usage.map_or(String::new(), |usage| counted(USAGE, usage))),
            ("model", &quoted(&voice.model)),
            ("id", &voice.number()),
        ],
    )
}

/// Nothing opens this stream: each event is a whole answer with a piece of the text.
pub(super) fn stream(voice: &Voice) -> Frames {
    let mut frames = Frames::default();
    frames.opened();
    if voice.finish == Finish::Refusal {
        frames.spoken();
        frames.push("data: $blocked", &[("blocked", &blocked(voice))]);
        return frames;
    }
    for piece in voice.deltas() {
        push_delta(&mut frames, voice, piece);
    }
    frames.spoken();
    let reason = format!("\"finishReason\": {},", reason(voice.finish));
    let usage = voice.usage.map_or(String::new(), |usage| counted(USAGE, usage));
    push_chunk(&mut frames, voice, "\"parts\": [{\"text\": \"\"}],", &reason, &usage);
    frames
}

pub(super) fn push_delta(frames: &mut Frames, voice: &Voice, text: &str) {
    let usage = voice.usage.map_or(String::new(), |usage| counted(BEGUN, usage));
    push_chunk(frames, voice, &parts(text), "", &usage);
}

fn push_chunk(frames: &mut Frames, voice: &Voice, parts: &str, reason: &str, usage: &str) {
    frames.push(
        CHUNK,
        &[
            ("parts", parts),
            ("reason", reason),
            ("usage", usage),
            ("model", &quoted(&voice.model)),
            ("id", &voice.number()),
        ],
    );
}

fn blocked(voice: &Voice) -> String {
    let usage = voice.usage.map_or(String::new(), |usage| counted(BEGUN, usage));
    filled(BLOCKED, &[("usage", &usage), ("model", &quoted(&voice.model)), ("id", &voice.number())])
}

/// Without a text there are no parts.
fn parts(text: &str) -> String {
    if text.is_empty() {
        return String::new();
    }
    format!("\"parts\": [{{\"text\": {}}}],", quoted(text))
}

fn counted(template: &str, usage: Usage) -> String {
    let cached = match usage.cached {
        0 => String::new(),
        cached => format!("\"cachedContentTokenCount\": {cached},"),
    };
    filled(
        template,
        &[
            ("input", &usage.input.to_string()),
            ("cached", &cached),
            ("output", &usage.output.to_string()),
            ("total", &usage.input.saturating_add(usage.output).to_string()),
        ],
    )
}

/// A refusal blocks the prompt and comes here only for completeness.
const fn reason(finish: Finish) -> &'static str {
    match finish {
        Finish::Stop => "\"STOP\"",
        Finish::Length => "\"MAX_TOKENS\"",
        Finish::Refusal => "\"PROHIBITED_CONTENT\"",
        Finish::ContentFilter => "\"SAFETY\"",
    }
}
