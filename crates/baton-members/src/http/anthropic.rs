//! Messages as Anthropic defines them, version 2023-06-01.

use std::borrow::Cow;

use baton_core::member::Effort;
use baton_core::opinion::AnswerSchema;
use baton_core::units::Usage;
use baton_port::TurnRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Step, Stop, Trouble};
use super::classify::VendorError;
use super::dialect::{Message, messages};
use super::settings::{DEFAULT_OUTPUT_TOKENS, Settings};

pub(crate) const VERSION: &str = "2023-06-01";

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    max_tokens: u64,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking: Option<Thinking>,
    #[serde(skip_serializing_if = "Option::is_none")]
    output_config: Option<OutputConfig<'a>>,
}

#[derive(Serialize)]
struct OutputConfig<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    schema: &'a AnswerSchema,
}

impl<'a> OutputConfig<'a> {
    fn of(schema: &'a AnswerSchema) -> Self {
        Self { format: Format { kind: "json_schema", schema } }
    }
}

#[derive(Serialize)]
struct Thinking {
    #[serde(rename = "type")]
    kind: &'static str,
    budget_tokens: u64,
}

/// The request's body. What the model may think comes on top of what it may write.
pub(crate) fn body(settings: &Settings, request: &TurnRequest) -> Result<Vec<u8>, serde_json::Error> {
    let effort = request.effort.or(settings.effort).filter(|_| settings.reasoning);
    let budget = effort.map(budget);
    let written = settings.max_output_tokens.unwrap_or(DEFAULT_OUTPUT_TOKENS);
    serde_json::to_vec(&Body {
        model: &settings.model,
        max_tokens: written.saturating_add(budget.unwrap_or(0)),
        messages: messages(request),
        stream: settings.stream,
        thinking: budget.map(|budget_tokens| Thinking { kind: "enabled", budget_tokens }),
        output_config: settings.schema(request).map(OutputConfig::of),
    })
}

/// The vendor's least is 1,024 tokens.
const fn budget(effort: Effort) -> u64 {
    match effort {
        Effort::Low => 2_048,
        Effort::Medium => 8_192,
        Effort::High => 24_576,
    }
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    message: Option<Reply<'a>>,
    #[serde(borrow, default)]
    content_block: Option<Block<'a>>,
    #[serde(borrow, default)]
    delta: Option<Delta<'a>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Reply<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    content: Option<Vec<Block<'a>>>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

/// A block or a delta of one; blocks that are no text have none.
#[derive(Deserialize)]
struct Block<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Delta<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    stop_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    input_tokens: Option<u64>,
    #[serde(default)]
    cache_creation_input_tokens: Option<u64>,
    #[serde(default)]
    cache_read_input_tokens: Option<u64>,
    #[serde(default)]
    output_tokens: Option<u64>,
}

impl Counts {
    /// Numbers of a later event are totals of the turn so far: each replaces an earlier one and is never added.
    fn onto(&self, before: Option<Usage>) -> Usage {
        let mut usage = before.unwrap_or_default();
        if let Some(fresh) = self.input_tokens {
            let read = self.cache_read_input_tokens.unwrap_or(0);
            let input = fresh.saturating_add(read).saturating_add(self.cache_creation_input_tokens.unwrap_or(0));
            usage.input_tokens = usage.input_tokens.max(input);
            usage.cached_tokens = usage.cached_tokens.max(read);
        }
        usage.output_tokens = self.output_tokens.unwrap_or(usage.output_tokens);
        usage
    }
}

/// Folds the data of one event. Kinds of events that are not known are skipped, as the vendor asks.
pub(crate) fn event(answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
    if data.trim_ascii().is_empty() {
        return Ok(Step::KeepAlive);
    }
    let event: Event<'_> = serde_json::from_slice(data)?;
    if let Some(error) = &event.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    match event.kind.as_deref().unwrap_or_default() {
        "message_start" => {
            if let Some(reply) = event.message {
                count(answer, reply.usage.as_ref());
                answer.identify(reply.model, reply.id);
            }
        }
        "content_block_start" => return Ok(said(answer, event.content_block.and_then(|block| block.text))),
        "content_block_delta" => return Ok(said(answer, event.delta.and_then(|delta| delta.text))),
        "message_delta" => {
            count(answer, event.usage.as_ref());
            let reason = event.delta.and_then(|delta| delta.stop_reason);
            answer.stop = reason.as_deref().map(stop).or(answer.stop.take());
        }
        "message_stop" => {
            answer.ended = true;
            return Ok(Step::End);
        }
        "content_block_stop" => {}
        _ => return Ok(Step::KeepAlive),
    }
    Ok(Step::Working)
}

/// Folds an answer that came in one piece.
pub(crate) fn whole(answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
    let reply: Reply<'_> = serde_json::from_slice(body)?;
    if let Some(error) = &reply.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    let blocks = reply.content.ok_or_else(|| Trouble::Unreadable("JSON without `content`".to_owned()))?;
    count(answer, reply.usage.as_ref());
    answer.identify(reply.model, reply.id);
    for block in blocks {
        said(answer, block.text);
    }
    answer.stop = reply.stop_reason.as_deref().map(stop);
    answer.ended = true;
    Ok(())
}

fn count(answer: &mut Answer, counts: Option<&Counts>) {
    answer.usage = counts.map(|counts| counts.onto(answer.usage)).or(answer.usage);
}

fn said(answer: &mut Answer, text: Option<Cow<'_, str>>) -> Step {
    text.map_or(Step::Working, |text| answer.append(&text))
}

fn stop(reason: &str) -> Stop {
    match reason {
        "max_tokens" | "model_context_window_exceeded" => Stop::Length,
        "refusal" => Stop::Refused,
        "tool_use" | "pause_turn" => Stop::Open(reason.to_owned()),
        _ => Stop::Complete,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folded(events: &[&str]) -> (Answer, Vec<Step>) {
        let mut answer = Answer::default();
        let steps = events.iter().map(|data| event(&mut answer, data.as_bytes()).unwrap()).collect();
        (answer, steps)
    }

    #[test]
    fn a_stream_is_folded_and_its_usage_is_counted_once() {
        let (mut answer, steps) = folded(&[
            r#"{"type":"message_start","message":{"id":"msg_1","model":"m","content":[],"usage":{"input_tokens":5,"cache_creation_input_tokens":2,"cache_read_input_tokens":3,"output_tokens":1}}}"#,
            r#"{"type":"content_block_start","index":0,"content_block":{"type":"thinking","thinking":""}}"#,
            r#"{"type":"ping"}"#,
            r#"{"type":"content_block_delta","delta":{"type":"thinking_delta","thinking":"hm"}}"#,
            r#"{"type":"content_block_delta","delta":{"type":"text_delta","text":"a\nb"}}"#,
            r#"{"type":"content_block_stop","index":0}"#,
            r#"{"type":"brand_new","delta":{"text":"not said"}}"#,
            r#"{"type":"message_delta","delta":{"stop_reason":"end_turn"},"usage":{"input_tokens":5,"output_tokens":7}}"#,
            r#"{"type":"message_stop"}"#,
        ]);
        use Step::{End, KeepAlive, Working};
        let wanted = [Working, Working, KeepAlive, Working, Step::Text(3), Working, KeepAlive, Working, End];
        assert_eq!(steps, wanted);
        let usage = Usage { input_tokens: 10, cached_tokens: 3, output_tokens: 7, reported_cost: None };
        assert_eq!(answer.usage, Some(usage));
        assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("m"), Some("msg_1")));
        assert_eq!(answer.end().text.as_deref(), Some("a\nb"));
    }

    #[test]
    fn reasons_to_stop() {
        assert_eq!(stop("end_turn"), Stop::Complete);
        assert_eq!(stop("stop_sequence"), Stop::Complete);
        assert_eq!(stop("max_tokens"), Stop::Length);
        assert_eq!(stop("refusal"), Stop::Refused);
        assert_eq!(stop("pause_turn"), Stop::Open("pause_turn".into()));
    }

    #[test]
    fn errors_and_foreign_json_are_told_apart() {
        let mut answer = Answer::default();
        let error = br#"{"type":"error","error":{"type":"overloaded_error","message":"Overloaded"}}"#;
        assert!(matches!(event(&mut answer, error), Err(Trouble::Vendor(_))));
        assert!(matches!(whole(&mut answer, error), Err(Trouble::Vendor(_))));
        assert!(matches!(whole(&mut answer, b"{}"), Err(Trouble::Unreadable(_))));
        assert!(matches!(event(&mut answer, b"{\"type\""), Err(Trouble::Cut)));
    }
}
