//! Chat completions as OpenAI defines them, and as others copied them.

use std::borrow::Cow;

use baton_core::member::Effort;
use baton_core::opinion::AnswerSchema;
use baton_core::units::{MicroUsd, Usage};
use baton_port::TurnRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Step, Stop, Text, Trouble};
use super::classify::VendorError;
use super::dialect::{Message, SCHEMA_NAME, messages};
use super::settings::{MaxTokensField, Settings};

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    messages: Vec<Message<'a>>,
    stream: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    stream_options: Option<StreamOptions>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning_effort: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_completion_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_format: Option<ResponseFormat<'a>>,
}

#[derive(Serialize)]
struct ResponseFormat<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    json_schema: JsonSchema<'a>,
}

#[derive(Serialize)]
struct JsonSchema<'a> {
    name: &'static str,
    strict: bool,
    schema: &'a AnswerSchema,
}

impl<'a> ResponseFormat<'a> {
    fn of(schema: &'a AnswerSchema) -> Self {
        Self { kind: "json_schema", json_schema: JsonSchema { name: SCHEMA_NAME, strict: true, schema } }
    }
}

#[derive(Serialize)]
struct StreamOptions {
    include_usage: bool,
}

/// The request's body.
pub(crate) fn body(settings: &Settings, request: &TurnRequest) -> Result<Vec<u8>, serde_json::Error> {
    let effort = request.effort.or(settings.effort).filter(|_| settings.reasoning);
    let limit = |field| settings.max_output_tokens.filter(|_| settings.max_tokens_field == field);
    serde_json::to_vec(&Body {
        model: &settings.model,
        messages: messages(request),
        stream: settings.stream,
        stream_options: (settings.stream && settings.stream_usage).then_some(StreamOptions { include_usage: true }),
        reasoning_effort: effort.map(Effort::as_str),
        max_tokens: limit(MaxTokensField::MaxTokens),
        max_completion_tokens: limit(MaxTokensField::MaxCompletionTokens),
        response_format: settings.schema(request).map(ResponseFormat::of),
    })
}

/// An event of a stream, or a whole answer: they differ in one name.
#[derive(Deserialize)]
struct Chunk<'a> {
    #[serde(borrow, default)]
    id: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    model: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    choices: Option<Vec<Choice<'a>>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Choice<'a> {
    #[serde(borrow, default)]
    delta: Option<Said<'a>>,
    #[serde(borrow, default)]
    message: Option<Said<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    content: Option<Text<'a>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    prompt_tokens: Option<u64>,
    #[serde(default)]
    completion_tokens: Option<u64>,
    #[serde(default)]
    total_tokens: Option<u64>,
    #[serde(default)]
    prompt_tokens_details: Option<InputDetails>,
    /// In dollars, from gateways that say what they charged; elsewhere it may be of another shape.
    #[serde(default)]
    cost: Option<Value>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl Counts {
    fn usage(&self) -> Usage {
        let input = self.prompt_tokens.unwrap_or(0);
        let written = self.completion_tokens.unwrap_or(0);
        Usage {
            input_tokens: input,
            cached_tokens: self.prompt_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0),
            // Some servers count hidden reasoning only in the total.
            output_tokens: written.max(self.total_tokens.unwrap_or(0).saturating_sub(input)),
            reported_cost: self.cost.as_ref().and_then(Value::as_f64).and_then(dollars),
        }
    }
}

fn dollars(amount: f64) -> Option<MicroUsd> {
    (amount.is_finite() && amount >= 0.0).then(|| MicroUsd((amount * 1e6).round() as u64))
}

/// Folds the data of one event.
pub(crate) fn event(answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
    match data.trim_ascii() {
        b"" => return Ok(Step::KeepAlive),
        b"[DONE]" => {
            answer.ended = true;
            return Ok(Step::End);
        }
        _ => {}
    }
    fold(answer, serde_json::from_slice(data)?)
}

/// Folds an answer that came in one piece.
pub(crate) fn whole(answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
    let chunk: Chunk<'_> = serde_json::from_slice(body)?;
    let speaks = chunk.choices.as_ref().is_some_and(|choices| !choices.is_empty());
    if chunk.error.is_none() && !speaks {
        return Err(Trouble::Unreadable("JSON without `choices`".to_owned()));
    }
    fold(answer, chunk)?;
    answer.ended = true;
    Ok(())
}

fn fold(answer: &mut Answer, chunk: Chunk<'_>) -> Result<Step, Trouble> {
    if let Some(error) = &chunk.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    answer.identify(chunk.model, chunk.id);
    let counts = chunk.usage.as_ref().map(Counts::usage);
    answer.usage = counts.or(answer.usage);
    // Only one choice is asked for.
    let Some(choice) = chunk.choices.and_then(|choices| choices.into_iter().next()) else {
        return Ok(if counts.is_some() { Step::Working } else { Step::KeepAlive });
    };
    if let Some(reason) = choice.finish_reason {
        answer.stop = Some(stop(&reason));
    }
    let Some(said) = choice.delta.or(choice.message) else { return Ok(Step::Working) };
    if let Some(refusal) = said.refusal {
        answer.refusal.push_str(&refusal);
    }
    Ok(said.content.map_or(Step::Working, |text| answer.append(&text.0)))
}

fn stop(reason: &str) -> Stop {
    match reason {
        "length" | "max_tokens" | "model_length" => Stop::Length,
        "content_filter" | "refusal" | "safety" | "recitation" => Stop::Refused,
        "error" => Stop::Failed,
        "tool_calls" | "function_call" => Stop::Open(reason.to_owned()),
        // `stop`, and what servers with words of their own mean by it.
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
    fn a_stream_is_folded_into_text_model_and_usage() {
        let (mut answer, steps) = folded(&[
            r#"{"id":"c1","model":"m","choices":[{"index":0,"delta":{"role":"assistant","content":""},"finish_reason":null}],"usage":null}"#,
            r#"{"id":"c1","model":"m","choices":[{"delta":{"reasoning_content":"hm","content":null}}]}"#,
            r#"{"choices":[{"delta":{"content":"a\nb"}}]}"#,
            "",
            r#"{"choices":[{"delta":{},"finish_reason":"stop"}]}"#,
            r#"{"choices":[],"usage":{"prompt_tokens":9,"completion_tokens":3,"total_tokens":17,"prompt_tokens_details":{"cached_tokens":4},"cost":0.0012}}"#,
            "[DONE]",
        ]);
        let wanted =
            [Step::Working, Step::Working, Step::Text(3), Step::KeepAlive, Step::Working, Step::Working, Step::End];
        assert_eq!(steps, wanted);
        assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("m"), Some("c1")));
        let usage = Usage { input_tokens: 9, cached_tokens: 4, output_tokens: 8, reported_cost: Some(MicroUsd(1_200)) };
        assert_eq!(answer.usage, Some(usage), "reasoning that only the total holds is output");
        assert_eq!(answer.end().text.as_deref(), Some("a\nb"));
    }

    #[test]
    fn a_refusal_and_other_reasons_are_kept_apart() {
        let (mut answer, _) = folded(&[r#"{"choices":[{"delta":{"refusal":"no"},"finish_reason":"stop"}]}"#, "[DONE]"]);
        assert_eq!(answer.end().detail, "no");
        assert_eq!(stop("length"), Stop::Length);
        assert_eq!(stop("content_filter"), Stop::Refused);
        assert_eq!(stop("eos"), Stop::Complete);
    }

    #[test]
    fn errors_and_foreign_json_are_told_apart() {
        let mut answer = Answer::default();
        let error = event(&mut answer, br#"{"error":{"message":"m","code":"server_error"}}"#);
        assert!(matches!(error, Err(Trouble::Vendor(_))));
        assert!(matches!(event(&mut answer, b"{\"a\":}"), Err(Trouble::Unreadable(_))));
        assert!(matches!(event(&mut answer, b"7"), Err(Trouble::Unreadable(_))));
        assert!(matches!(event(&mut answer, b"{\"choices\":["), Err(Trouble::Cut)));
        assert!(matches!(whole(&mut answer, b"{\"ok\":true}"), Err(Trouble::Unreadable(_))));
        let odd = br#"{"choices":[{"message":{"content":"x"},"finish_reason":"stop"}],"choices":[]}"#;
        assert!(matches!(whole(&mut answer, odd), Err(Trouble::Unreadable(_))), "a name that stands twice");
    }
}
