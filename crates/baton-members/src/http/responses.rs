//! Responses as OpenAI defines them: the items of an answer, by the kinds of their events.

use std::borrow::Cow;

use baton_core::member::Effort;
use baton_core::opinion::AnswerSchema;
use baton_core::units::Usage;
use baton_port::TurnRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Step, Stop, Trouble};
use super::classify::VendorError;
use super::dialect::{Message, SCHEMA_NAME, messages};
use super::settings::Settings;

#[derive(Serialize)]
struct Body<'a> {
    model: &'a str,
    input: Vec<Message<'a>>,
    stream: bool,
    /// The vendor would keep the answer for later turns; ours bring their history with them.
    store: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    reasoning: Option<Reasoning>,
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    text: Option<Text<'a>>,
}

#[derive(Serialize)]
struct Text<'a> {
    format: Format<'a>,
}

#[derive(Serialize)]
struct Format<'a> {
    #[serde(rename = "type")]
    kind: &'static str,
    name: &'static str,
    strict: bool,
    schema: &'a AnswerSchema,
}

impl<'a> Text<'a> {
    fn of(schema: &'a AnswerSchema) -> Self {
        Self { format: Format { kind: "json_schema", name: SCHEMA_NAME, strict: true, schema } }
    }
}

#[derive(Serialize)]
struct Reasoning {
    effort: &'static str,
}

/// The request's body.
pub(crate) fn body(settings: &Settings, request: &TurnRequest) -> Result<Vec<u8>, serde_json::Error> {
    let effort = request.effort.or(settings.effort).filter(|_| settings.reasoning);
    serde_json::to_vec(&Body {
        model: &settings.model,
        input: messages(request),
        stream: settings.stream,
        store: false,
        reasoning: effort.map(Effort::as_str).map(|effort| Reasoning { effort }),
        max_output_tokens: settings.max_output_tokens,
        text: settings.schema(request).map(Text::of),
    })
}

#[derive(Deserialize)]
struct Event<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    delta: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response: Option<Reply<'a>>,
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
    status: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    incomplete_details: Option<Incomplete<'a>>,
    #[serde(borrow, default)]
    output: Option<Vec<Item<'a>>>,
    #[serde(default)]
    usage: Option<Counts>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
struct Incomplete<'a> {
    #[serde(borrow, default)]
    reason: Option<Cow<'a, str>>,
}

/// A message; items of other kinds, such as reasoning, say nothing.
#[derive(Deserialize)]
struct Item<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    content: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    refusal: Option<Cow<'a, str>>,
}

/// Input includes what came from the vendor's cache, output what was thought and not said.
#[derive(Deserialize)]
struct Counts {
    #[serde(default)]
    input_tokens: u64,
    #[serde(default)]
    output_tokens: u64,
    #[serde(default)]
    input_tokens_details: Option<InputDetails>,
}

#[derive(Deserialize)]
struct InputDetails {
    #[serde(default)]
    cached_tokens: Option<u64>,
}

impl Counts {
    fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.input_tokens,
            cached_tokens: self.input_tokens_details.as_ref().and_then(|details| details.cached_tokens).unwrap_or(0),
            output_tokens: self.output_tokens,
            reported_cost: None,
        }
    }
}

/// Folds the data of one event. Kinds that are not known prolong no deadline, unless they are of the answer's life.
pub(crate) fn event(answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
    if data.trim_ascii().is_empty() || data.trim_ascii() == b"[DONE]" {
        return Ok(Step::KeepAlive);
    }
    let event: Event<'_> = serde_json::from_slice(data)?;
    if let Some(error) = &event.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    match event.kind.as_deref().unwrap_or_default() {
        // In the older form the error's fields stand beside the type.
        "error" => Err(Trouble::Vendor(VendorError::of_value(&serde_json::from_slice(data)?))),
        "response.output_text.delta" => Ok(event.delta.map_or(Step::Working, |text| answer.append(&text))),
        "response.refusal.delta" => {
            answer.refusal.push_str(event.delta.as_deref().unwrap_or_default());
            Ok(Step::Working)
        }
        "response.completed" | "response.incomplete" | "response.failed" | "response.cancelled" => {
            let reply = event.response.ok_or_else(|| Trouble::Unreadable("an end without `response`".to_owned()))?;
            settle(answer, reply)?;
            Ok(Step::End)
        }
        kind if kind.starts_with("response.") => {
            if let Some(reply) = event.response {
                answer.identify(reply.model, reply.id);
            }
            Ok(Step::Working)
        }
        _ => Ok(Step::KeepAlive),
    }
}

/// Folds an answer that came in one piece.
pub(crate) fn whole(answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
    let reply: Reply<'_> = serde_json::from_slice(body)?;
    if reply.error.is_none() && reply.output.is_none() {
        return Err(Trouble::Unreadable("JSON without `output`".to_owned()));
    }
    settle(answer, reply)
}

/// Takes from the whole response what the events before it did not bring.
fn settle(answer: &mut Answer, reply: Reply<'_>) -> Result<(), Trouble> {
    answer.usage = reply.usage.as_ref().map(Counts::usage).or(answer.usage);
    answer.identify(reply.model, reply.id);
    if let Some(error) = &reply.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    if answer.text.is_empty() && answer.refusal.is_empty() {
        let messages = reply.output.into_iter().flatten().filter(|item| item.kind == "message");
        for part in messages.flat_map(|item| item.content.unwrap_or_default()) {
            answer.text.push_str(part.text.as_deref().unwrap_or_default());
            answer.refusal.push_str(part.refusal.as_deref().unwrap_or_default());
        }
    }
    let reason = reply.incomplete_details.and_then(|details| details.reason);
    answer.stop = Some(stop(reply.status.as_deref().unwrap_or_default(), reason.as_deref()));
    answer.ended = true;
    Ok(())
}

fn stop(status: &str, reason: Option<&str>) -> Stop {
    match (status, reason) {
        ("completed", _) => Stop::Complete,
        ("failed", _) => Stop::Failed,
        ("incomplete", Some("max_output_tokens")) => Stop::Length,
        ("incomplete", Some("content_filter")) => Stop::Refused,
        (status, reason) => Stop::Open(reason.unwrap_or(status).to_owned()),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use baton_core::outcome::Outcome;

    fn folded(events: &[&str]) -> (Answer, Vec<Step>) {
        let mut answer = Answer::default();
        let steps = events.iter().map(|data| event(&mut answer, data.as_bytes()).unwrap()).collect();
        (answer, steps)
    }

    fn failure(data: &str) -> Outcome {
        match event(&mut Answer::default(), data.as_bytes()) {
            Err(Trouble::Vendor(error)) => error.ending(None).outcome,
            other => panic!("no error of the vendor: {other:?}"),
        }
    }

    #[test]
    fn a_stream_is_folded_and_reasoning_is_work_but_no_text() {
        let (mut answer, steps) = folded(&[
            r#"{"type":"response.created","response":{"id":"resp_1","model":"m","status":"in_progress","output":[],"error":null,"usage":null}}"#,
            r#"{"type":"response.output_item.added","output_index":0,"item":{"type":"reasoning","summary":[]}}"#,
            r#"{"type":"response.reasoning_summary_text.delta","delta":"hm"}"#,
            r#"{"type":"keepalive","sequence_number":3}"#,
            r#"{"type":"response.output_text.delta","delta":"a\nb"}"#,
            r#"{"type":"response.output_text.done","text":"a\nb"}"#,
            r#"{"type":"response.completed","response":{"id":"resp_1","model":"m","status":"completed","error":null,"incomplete_details":null,"output":[{"type":"reasoning","summary":[]},{"type":"message","content":[{"type":"output_text","text":"a\nb"}]}],"usage":{"input_tokens":9,"input_tokens_details":{"cached_tokens":4},"output_tokens":70,"output_tokens_details":{"reasoning_tokens":64},"total_tokens":79}}}"#,
        ]);
        use Step::{End, KeepAlive, Working};
        assert_eq!(steps, [Working, Working, Working, KeepAlive, Step::Text(3), Working, End]);
        let usage = Usage { input_tokens: 9, cached_tokens: 4, output_tokens: 70, reported_cost: None };
        assert_eq!(answer.usage, Some(usage), "what was thought is in the output already");
        assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("m"), Some("resp_1")));
        assert_eq!(answer.end().text.as_deref(), Some("a\nb"));
    }

    #[test]
    fn an_answer_that_was_not_streamed_is_read_from_its_end() {
        let (mut answer, _) = folded(&[
            r#"{"type":"response.completed","response":{"status":"completed","output":[{"type":"message","content":[{"type":"output_text","text":"all"}]}]}}"#,
        ]);
        assert_eq!(answer.end().text.as_deref(), Some("all"));
        let refused =
            br#"{"status":"completed","output":[{"type":"message","content":[{"type":"refusal","refusal":"no"}]}]}"#;
        let mut answer = Answer::default();
        whole(&mut answer, refused).unwrap();
        let ending = answer.end();
        assert_eq!((ending.outcome, ending.detail.as_str()), (Outcome::Refused, "no"));
    }

    #[test]
    fn statuses_that_are_not_completed() {
        assert_eq!(stop("incomplete", Some("max_output_tokens")), Stop::Length);
        assert_eq!(stop("incomplete", Some("content_filter")), Stop::Refused);
        assert_eq!(stop("incomplete", Some("new")), Stop::Open("new".into()));
        assert_eq!(stop("queued", None), Stop::Open("queued".into()));
        assert_eq!(stop("failed", None), Stop::Failed);
    }

    #[test]
    fn an_error_is_read_in_each_of_its_three_places() {
        let nested = r#"{"type":"error","sequence_number":4,"error":{"type":"server_error","code":"server_error","message":"m"}}"#;
        let flat = r#"{"type":"error","code":"rate_limit_exceeded","message":"m","param":null}"#;
        let failed = r#"{"type":"response.failed","response":{"status":"failed","error":{"code":"context_length_exceeded","message":"m"},"output":[]}}"#;
        assert_eq!(failure(nested), Outcome::Overloaded);
        assert_eq!(failure(flat), Outcome::RateLimited { retry_after_ms: None });
        assert_eq!(failure(failed), Outcome::ContextTooLong);
        let policy = failed.replace("context_length_exceeded", "invalid_prompt");
        assert_eq!(failure(&policy), Outcome::Refused);
    }

    #[test]
    fn foreign_json_is_no_answer() {
        let mut answer = Answer::default();
        assert!(matches!(whole(&mut answer, b"{}"), Err(Trouble::Unreadable(_))));
        assert!(matches!(event(&mut answer, b"{\"type\""), Err(Trouble::Cut)));
        assert!(matches!(event(&mut answer, br#"{"type":"response.completed"}"#), Err(Trouble::Unreadable(_))));
    }
}
