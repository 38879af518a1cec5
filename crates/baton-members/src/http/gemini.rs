//! Generated content as Google defines it for Gemini, version v1beta.
//!
//! A stream has no marker for its end: its last event is the one with a reason to stop and the counts.

use std::borrow::Cow;

use baton_core::member::Effort;
use baton_core::opinion::AnswerSchema;
use baton_core::units::Usage;
use baton_port::TurnRequest;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::answer::{Answer, Step, Stop, Trouble};
use super::classify::VendorError;
use super::settings::Settings;

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Body<'a> {
    contents: Vec<Content<'a>>,
    #[serde(skip_serializing_if = "Option::is_none")]
    generation_config: Option<GenerationConfig<'a>>,
}

#[derive(Serialize)]
struct Content<'a> {
    role: &'static str,
    parts: [TextPart<'a>; 1],
}

#[derive(Serialize)]
struct TextPart<'a> {
    text: &'a str,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct GenerationConfig<'a> {
    #[serde(skip_serializing_if = "Option::is_none")]
    max_output_tokens: Option<u64>,
    #[serde(skip_serializing_if = "Option::is_none")]
    thinking_config: Option<ThinkingConfig>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_mime_type: Option<&'static str>,
    #[serde(skip_serializing_if = "Option::is_none")]
    response_json_schema: Option<&'a AnswerSchema>,
}

/// How an effort is told; models know one or the other.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
enum ThinkingConfig {
    ThinkingBudget(u64),
    ThinkingLevel(&'static str),
}

/// In which form a model takes an effort.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Thinking {
    /// A number of tokens.
    Budget,
    /// A word.
    Level,
}

/// Families that take a budget; those that came later take a level.
const TAKE_A_BUDGET: &[&str] = &["gemini-2.5"];

/// Tokens for thoughts, and the word for as much. The least budget that all of the family take is 512, the most 24,576.
const THOUGHTS: [(Effort, u64, &str); 3] =
    [(Effort::Low, 2_048, "LOW"), (Effort::Medium, 8_192, "MEDIUM"), (Effort::High, 24_576, "HIGH")];

impl Thinking {
    pub(crate) fn of_model(model: &str) -> Self {
        let takes_budget = TAKE_A_BUDGET.iter().any(|family| bare(model).starts_with(family));
        if takes_budget { Self::Budget } else { Self::Level }
    }

    fn config(self, effort: Effort) -> Option<ThinkingConfig> {
        let (_, tokens, word) = THOUGHTS.into_iter().find(|(known, ..)| *known == effort)?;
        Some(match self {
            Self::Budget => ThinkingConfig::ThinkingBudget(tokens),
            Self::Level => ThinkingConfig::ThinkingLevel(word),
        })
    }
}

/// What stands behind the base address for a turn: the model is named there, not in the body.
pub(crate) fn path(settings: &Settings) -> String {
    let verb = if settings.stream { "streamGenerateContent" } else { "generateContent" };
    format!("/models/{}:{verb}", bare(&settings.model))
}

/// Whether a name can stand in an address without leading elsewhere.
pub(crate) fn is_model_name(model: &str) -> bool {
    let plain = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_' | b'.');
    let name = bare(model);
    name.bytes().all(plain) && name.bytes().any(|byte| byte != b'.')
}

fn bare(model: &str) -> &str {
    model.strip_prefix("models/").unwrap_or(model)
}

/// The request's body. Thoughts count against the limit of output, so what may be thought comes on top of it.
pub(crate) fn body(settings: &Settings, request: &TurnRequest) -> Result<Vec<u8>, serde_json::Error> {
    let effort = request.effort.or(settings.effort).filter(|_| settings.reasoning);
    let thinking_config = effort.and_then(|effort| settings.thinking.config(effort));
    let thought = match thinking_config {
        Some(ThinkingConfig::ThinkingBudget(tokens)) => tokens,
        _ => 0,
    };
    let max_output_tokens = settings.max_output_tokens.map(|written| written.saturating_add(thought));
    let response_json_schema = settings.schema(request);
    let response_mime_type = response_json_schema.map(|_| "application/json");
    let config = GenerationConfig { max_output_tokens, thinking_config, response_mime_type, response_json_schema };
    let says_something =
        config.max_output_tokens.is_some() || config.thinking_config.is_some() || response_json_schema.is_some();
    serde_json::to_vec(&Body { contents: contents(request), generation_config: says_something.then_some(config) })
}

fn contents(request: &TurnRequest) -> Vec<Content<'_>> {
    let said = |role, text| Content { role, parts: [TextPart { text }] };
    let mut contents = Vec::with_capacity(request.history.len() * 2 + 1);
    for exchange in &request.history {
        contents.push(said("user", exchange.prompt.as_str()));
        contents.push(said("model", exchange.answer.as_str()));
    }
    contents.push(said("user", request.prompt.as_str()));
    contents
}

/// An event of a stream, or a whole answer: they are alike.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Chunk<'a> {
    #[serde(borrow, default)]
    candidates: Option<Vec<Candidate<'a>>>,
    #[serde(borrow, default)]
    prompt_feedback: Option<Feedback<'a>>,
    #[serde(default)]
    usage_metadata: Option<Counts>,
    #[serde(borrow, default)]
    model_version: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    response_id: Option<Cow<'a, str>>,
    #[serde(default)]
    error: Option<Value>,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Candidate<'a> {
    #[serde(borrow, default)]
    content: Option<Said<'a>>,
    #[serde(borrow, default)]
    finish_reason: Option<Cow<'a, str>>,
    #[serde(borrow, default)]
    finish_message: Option<Cow<'a, str>>,
}

#[derive(Deserialize)]
struct Said<'a> {
    #[serde(borrow, default)]
    parts: Option<Vec<Part<'a>>>,
}

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
    /// A summary of what was thought: no part of the answer.
    #[serde(default)]
    thought: bool,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Feedback<'a> {
    #[serde(borrow, default)]
    block_reason: Option<Cow<'a, str>>,
}

/// Totals of the turn so far; a prompt includes what came from the vendor's cache.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Counts {
    #[serde(default)]
    prompt_token_count: u64,
    #[serde(default)]
    cached_content_token_count: u64,
    #[serde(default)]
    candidates_token_count: u64,
    #[serde(default)]
    thoughts_token_count: u64,
}

impl Counts {
    fn usage(&self) -> Usage {
        Usage {
            input_tokens: self.prompt_token_count,
            cached_tokens: self.cached_content_token_count,
            output_tokens: self.candidates_token_count.saturating_add(self.thoughts_token_count),
            reported_cost: None,
        }
    }
}

/// Folds the data of one event. Counts that follow a reason to stop in an event of their own are still taken.
pub(crate) fn event(answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
    if data.trim_ascii().is_empty() {
        return Ok(Step::KeepAlive);
    }
    fold(answer, serde_json::from_slice(data)?)
}

/// Folds an answer that came in one piece.
pub(crate) fn whole(answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
    let chunk: Chunk<'_> = serde_json::from_slice(body)?;
    let speaks = chunk.candidates.as_ref().is_some_and(|candidates| !candidates.is_empty());
    if chunk.error.is_none() && chunk.prompt_feedback.is_none() && !speaks {
        return Err(Trouble::Unreadable("JSON without `candidates`".to_owned()));
    }
    fold(answer, chunk)?;
    answer.ended = true;
    Ok(())
}

fn fold(answer: &mut Answer, chunk: Chunk<'_>) -> Result<Step, Trouble> {
    if let Some(error) = &chunk.error {
        return Err(Trouble::Vendor(VendorError::of_value(error)));
    }
    answer.identify(chunk.model_version, chunk.response_id);
    let counts = chunk.usage_metadata.as_ref().map(Counts::usage);
    answer.usage = counts.or(answer.usage);
    if let Some(reason) = chunk.prompt_feedback.and_then(|feedback| feedback.block_reason) {
        answer.refusal = format!("the prompt was blocked: {reason}");
        answer.ended = true;
    }
    // Only one candidate is asked for.
    let candidate = chunk.candidates.and_then(|candidates| candidates.into_iter().next());
    let nothing = candidate.is_none() && counts.is_none() && !answer.ended;
    let step = candidate.map_or(Step::Working, |candidate| said(answer, candidate));
    Ok(match step {
        _ if answer.ended && counts.is_some() => Step::End,
        _ if nothing => Step::KeepAlive,
        step => step,
    })
}

fn said(answer: &mut Answer, candidate: Candidate<'_>) -> Step {
    let before = answer.text.len();
    for part in candidate.content.and_then(|content| content.parts).into_iter().flatten() {
        if let (false, Some(text)) = (part.thought, part.text) {
            answer.append(&text);
        }
    }
    if let Some(reason) = candidate.finish_reason {
        let stop = stop(&reason);
        if stop == Stop::Refused {
            let because = candidate.finish_message.unwrap_or_default();
            answer.refusal = format!("the answer was stopped: {reason} {because}").trim_end().to_owned();
        }
        answer.stop = Some(stop);
        answer.ended = true;
    }
    match answer.text.len() - before {
        0 => Step::Working,
        bytes => Step::Text(bytes),
    }
}

fn stop(reason: &str) -> Stop {
    match reason {
        "STOP" => Stop::Complete,
        "MAX_TOKENS" => Stop::Length,
        "SAFETY"
        | "RECITATION"
        | "BLOCKLIST"
        | "PROHIBITED_CONTENT"
        | "SPII"
        | "LANGUAGE"
        | "ESCALATION"
        | "PUP_LIMITED_DISABLED"
        | "MODEL_ARMOR" => Stop::Refused,
        // Such as `OTHER`, or a wish for a tool.
        _ => Stop::Open(reason.to_owned()),
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

    #[test]
    fn a_stream_is_folded_without_thoughts_and_its_usage_is_the_last() {
        let (mut answer, steps) = folded(&[
            r#"{"candidates":[{"content":{"parts":[{"text":"hm","thought":true}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9,"totalTokenCount":20,"thoughtsTokenCount":11},"modelVersion":"m","responseId":"r"}"#,
            r#"{"candidates":[{"content":{"parts":[{"text":"a\n"},{"text":"b"}],"role":"model"},"index":0}],"usageMetadata":{"promptTokenCount":9}}"#,
            "",
            "{}",
            r#"{"candidates":[{"content":{"parts":[{"text":""}],"role":"model"},"finishReason":"STOP","index":0}],"usageMetadata":{"promptTokenCount":9,"cachedContentTokenCount":4,"candidatesTokenCount":3,"thoughtsTokenCount":11,"totalTokenCount":23}}"#,
        ]);
        use Step::{End, KeepAlive, Working};
        assert_eq!(steps, [Working, Step::Text(3), KeepAlive, KeepAlive, End]);
        let usage = Usage { input_tokens: 9, cached_tokens: 4, output_tokens: 14, reported_cost: None };
        assert_eq!(answer.usage, Some(usage), "thoughts are output");
        assert_eq!((answer.model.as_deref(), answer.id.as_deref()), (Some("m"), Some("r")));
        assert_eq!(answer.end().text.as_deref(), Some("a\nb"));
    }

    #[test]
    fn counts_may_follow_the_reason_to_stop() {
        let (mut answer, steps) = folded(&[
            r#"{"candidates":[{"content":{"parts":[{"text":"a"}]},"finishReason":"STOP"}]}"#,
            r#"{"usageMetadata":{"promptTokenCount":1,"candidatesTokenCount":2}}"#,
        ]);
        assert_eq!(steps, [Step::Text(1), Step::End]);
        assert_eq!(answer.usage.unwrap().output_tokens, 2);
        assert_eq!(answer.end().outcome, Outcome::Ok);
    }

    #[test]
    fn what_is_blocked_is_refused_and_says_why() {
        let (mut answer, _) = folded(&[r#"{"promptFeedback":{"blockReason":"SAFETY"},"usageMetadata":{}}"#]);
        assert_eq!(answer.end(), refusal("the prompt was blocked: SAFETY"));
        for (more, wanted) in [("", "RECITATION"), (r#","finishMessage":"too close""#, "RECITATION too close")] {
            let whole = format!(
                r#"{{"candidates":[{{"content":{{"parts":[{{"text":"half"}}]}},"finishReason":"RECITATION"{more}}}]}}"#
            );
            let (mut answer, _) = folded(&[&whole]);
            assert_eq!(answer.end(), refusal(&format!("the answer was stopped: {wanted}")));
        }
    }

    fn refusal(detail: &str) -> super::super::answer::Ending {
        super::super::answer::Ending::failed(Outcome::Refused, detail)
    }

    #[test]
    fn reasons_to_stop() {
        assert_eq!(stop("STOP"), Stop::Complete);
        assert_eq!(stop("MAX_TOKENS"), Stop::Length);
        for refused in ["SAFETY", "RECITATION", "PROHIBITED_CONTENT", "SPII", "BLOCKLIST"] {
            assert_eq!(stop(refused), Stop::Refused);
        }
        assert_eq!(stop("MALFORMED_FUNCTION_CALL"), Stop::Open("MALFORMED_FUNCTION_CALL".into()));
        assert_eq!(stop("NEW"), Stop::Open("NEW".into()), "what is not known is no success");
    }

    #[test]
    fn errors_and_foreign_json_are_told_apart() {
        let mut answer = Answer::default();
        let error = br#"{"error":{"code":503,"message":"The model is overloaded.","status":"UNAVAILABLE"}}"#;
        assert!(matches!(event(&mut answer, error), Err(Trouble::Vendor(_))));
        assert!(matches!(whole(&mut answer, error), Err(Trouble::Vendor(_))));
        assert!(matches!(whole(&mut answer, b"{}"), Err(Trouble::Unreadable(_))));
        assert!(matches!(event(&mut answer, b"{\"candidates\":["), Err(Trouble::Cut)));
    }

    #[test]
    fn a_name_cannot_lead_elsewhere() {
        for good in ["gemini-2.5-pro", "models/gemini-3-pro_x"] {
            assert!(is_model_name(good), "{good}");
        }
        for bad in ["..", "a/b", "a?b", "a#b", "a:b", "models/", "ä", "%2e%2e"] {
            assert!(!is_model_name(bad), "{bad}");
        }
    }

    #[test]
    fn a_model_has_one_form_for_its_effort() {
        assert_eq!(Thinking::of_model("gemini-2.5-flash"), Thinking::Budget);
        assert_eq!(Thinking::of_model("models/gemini-2.5-pro"), Thinking::Budget);
        assert_eq!(Thinking::of_model("gemini-3-pro-preview"), Thinking::Level);
    }
}
