//! From the lines of `claude --output-format stream-json` to a turn. Pure.
//!
//! The terminal event is `result`. A success has `is_error: false`, `subtype: "success"`, and a text; `subtype` alone
//! says nothing, for failures of the vendor carry `success` too.

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::{MicroUsd, Timestamp, Usage};
use baton_port::{Opens, Progress, Turn};
use baton_process::Flow;
use serde_json::Value;

use crate::cli::heard::Heard;
use crate::cli::oneshot::{End, Reaction, Reader};
use crate::cli::words;

/// The model name under which the program prints its own words.
const SYNTHETIC: &str = "<synthetic>";

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    /// The session that was asked for.
    resumed: Option<String>,
    provenance: Provenance,
    directory: String,
    /// The last text of the model.
    text: String,
    /// The word that the program has for what failed, such as `rate_limit`.
    error: Option<String>,
    /// The plan's limit was reached, as a number of seconds since 1970 when it opens again, or nothing.
    limit_reached: Option<String>,
    retry: Option<Value>,
    result: Option<Value>,
    heard: Heard,
}

impl Parser {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a turn that must belong to this session.
    #[must_use]
    pub fn resuming(session: String) -> Self {
        Self { resumed: Some(session), ..Self::default() }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &[u8]) -> Reaction {
        let event = match serde_json::from_slice::<Value>(line) {
            Ok(event) if event.is_object() => event,
            _ => {
                self.heard.other(line);
                return Reaction::quiet(Flow::Continue);
            }
        };
        self.heard.messages += 1;
        match string(&event, "type") {
            "system" => self.system(&event),
            "assistant" => self.assistant(&event),
            "user" | "stream_event" => Reaction::quiet(Flow::Payload),
            "rate_limit_event" => self.limit(&event),
            "result" => {
                self.session(&event);
                self.result = Some(event);
                Reaction::quiet(Flow::Finished)
            }
            _ => Reaction::quiet(Flow::Continue),
        }
    }

    /// Whether this line would end the turn well.
    pub(super) fn would_succeed(&self, line: &[u8]) -> bool {
        let Ok(event) = serde_json::from_slice::<Value>(line) else { return false };
        string(&event, "type") == "result" && event["is_error"] == false
    }

    fn system(&mut self, event: &Value) -> Reaction {
        match string(event, "subtype") {
            "init" => {
                self.session(event);
                self.provenance.program_version = owned(event, "claude_code_version");
                self.provenance.model = owned(event, "model");
                string(event, "cwd").clone_into(&mut self.directory);
                let flow = if self.is_another_session() { Flow::Stop } else { Flow::Payload };
                Reaction { flow, progress: vec![Progress::Thinking] }
            }
            "api_retry" => {
                self.retry = Some(event.clone());
                Reaction::quiet(Flow::Stop)
            }
            _ => Reaction::quiet(Flow::Continue),
        }
    }

    fn session(&mut self, event: &Value) {
        if let Some(session) = owned(event, "session_id") {
            self.provenance.session = Some(session);
        }
    }

    fn is_another_session(&self) -> bool {
        matches!((&self.resumed, &self.provenance.session), (Some(asked), Some(given)) if asked != given)
    }

    fn assistant(&mut self, event: &Value) -> Reaction {
        let message = &event["message"];
        if let Some(error) = owned(event, "error") {
            self.error = Some(error);
        }
        if let Some(request) = owned(event, "request_id") {
            self.provenance.request_id = Some(request);
        }
        if let Some(model) = owned(message, "model").filter(|model| model != SYNTHETIC) {
            self.provenance.model = Some(model);
        }
        let mut progress = Vec::new();
        let mut text = String::new();
        for block in message["content"].as_array().into_iter().flatten() {
            match string(block, "type") {
                "text" => text.push_str(string(block, "text")),
                "tool_use" => progress.push(self.doing(block)),
                "thinking" | "redacted_thinking" => progress.push(Progress::Thinking),
                _ => {}
            }
        }
        // A helper that the member started speaks here too; its words are not the answer.
        if !text.is_empty() && event["parent_tool_use_id"].is_null() && string(message, "model") != SYNTHETIC {
            progress.push(Progress::Text { bytes: text.len() });
            self.text = text;
        }
        Reaction { flow: Flow::Payload, progress }
    }

    fn doing(&self, block: &Value) -> Progress {
        let input = &block["input"];
        let path = string(input, "file_path");
        let inside = path.strip_prefix(&self.directory).map_or(path, |rest| rest.trim_start_matches('/'));
        match string(block, "name") {
            "Read" => words::doing("reads", inside),
            "Edit" | "Write" => words::doing("writes", inside),
            "Grep" => words::doing("searches for", string(input, "pattern")),
            "Glob" => words::doing("looks for", string(input, "pattern")),
            "Bash" => words::doing("runs", string(input, "command")),
            name => words::doing("uses", name),
        }
    }

    fn limit(&mut self, event: &Value) -> Reaction {
        let info = &event["rate_limit_info"];
        if string(info, "status") == "rejected" {
            self.limit_reached = Some(info["resetsAt"].as_i64().map(|at| at.to_string()).unwrap_or_default());
        }
        Reaction::quiet(Flow::Continue)
    }

    /// The turn, when nothing of ours ended the program.
    #[must_use]
    pub fn finish(&self, end: End<'_>) -> Turn {
        if self.is_another_session() {
            return self.unfinished(Outcome::SessionNotFound, "the program answered in another session");
        }
        match (&self.result, &self.retry) {
            (Some(result), _) => self.result_turn(result),
            (None, Some(retry)) => self.retry_turn(retry),
            (None, None) => self.without_result(end),
        }
    }

    /// A turn that ended for another reason.
    #[must_use]
    pub fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        Turn { provenance: self.provenance.clone(), ..Turn::failed(outcome, detail) }
    }

    fn result_turn(&self, result: &Value) -> Turn {
        let text = string(result, "result").trim();
        let mut turn = if result["is_error"] == false && string(result, "subtype") == "success" {
            self.success(result, text)
        } else {
            self.failure(result, text)
        };
        turn.usage = self.usage(result);
        turn
    }

    fn success(&self, result: &Value, text: &str) -> Turn {
        let with_text =
            |outcome, detail: &str| Turn { text: Some(text.to_owned()), ..self.unfinished(outcome, detail) };
        match string(result, "stop_reason") {
            "refusal" => return self.unfinished(Outcome::Refused, &words::detail(text)),
            "max_tokens" if !text.is_empty() => {
                return with_text(Outcome::Partial, "the answer reached the limit of output tokens");
            }
            _ => {}
        }
        if text.is_empty() {
            return self.unfinished(Outcome::Empty, "the program reported success without a text");
        }
        match words::disguised(text) {
            Some(outcome) => self.unfinished(outcome, &words::detail(text)),
            None => with_text(Outcome::Ok, ""),
        }
    }

    fn failure(&self, result: &Value, text: &str) -> Turn {
        let errors: Vec<&str> = result["errors"].as_array().into_iter().flatten().filter_map(Value::as_str).collect();
        let said = if text.is_empty() { errors.join("; ") } else { text.to_owned() };
        let all = [
            said.as_str(),
            string(result, "terminal_reason"),
            string(result, "api_error_type"),
            string(result, "api_error"),
            self.error.as_deref().unwrap_or_default(),
        ]
        .join("\n");
        let outcome = match string(result, "subtype") {
            "error_max_turns" | "error_max_budget_usd" => Some(Outcome::Partial),
            _ => words::class(status(&result["api_error_status"]), &all),
        };
        let outcome = match (outcome, &self.limit_reached) {
            (Some(Outcome::RateLimited { .. }), Some(_)) => Outcome::QuotaExhausted,
            (outcome, _) => outcome.unwrap_or(Outcome::Crashed),
        };
        let reason = if said.is_empty() { string(result, "subtype") } else { said.as_str() };
        let seconds = self.limit_reached.as_deref().and_then(|at| at.parse::<i64>().ok());
        let opens = seconds.map(|at| Opens::At(Timestamp(at.saturating_mul(1_000))));
        Turn { opens, ..self.unfinished(outcome, &self.with_reset(reason)) }
    }

    fn with_reset(&self, reason: &str) -> String {
        match self.limit_reached.as_deref() {
            Some(at) if !at.is_empty() => words::detail(&format!("{reason} (opens again at {at})")),
            _ => words::detail(reason),
        }
    }

    fn retry_turn(&self, retry: &Value) -> Turn {
        let error = string(retry, "error");
        let outcome = words::class(status(&retry["error_status"]), error).unwrap_or(Outcome::Overloaded);
        let status = retry["error_status"].as_u64().map(|status| format!(" {status}")).unwrap_or_default();
        self.unfinished(outcome, &words::detail(&format!("stopped at its first retry:{status} {error}")))
    }

    fn without_result(&self, end: End<'_>) -> Turn {
        let complaint = words::complaint(end.stderr);
        if self.text.is_empty()
            && let Some(outcome) = words::class(None, &complaint)
        {
            return self.unfinished(outcome, &complaint);
        }
        let (outcome, detail) = self.heard.without_end(end.ending, &complaint, "no result; the program");
        match self.text.is_empty() {
            true => self.unfinished(outcome, &detail),
            false => Turn { text: Some(self.text.clone()), ..self.unfinished(Outcome::Partial, &detail) },
        }
    }

    /// This turn's numbers. `usage` counts this turn in every version; `total_cost_usd` and `modelUsage` count the
    /// whole session in newer ones.
    fn usage(&self, result: &Value) -> Option<Usage> {
        let since_last = result.get("model_usage_since_last_result").filter(|usage| usage.is_object());
        let models = since_last.or(result.get("modelUsage").filter(|_| self.resumed.is_none()));
        let mut usage = sums(&result["usage"]);
        if usage == Usage::default() {
            usage = models.map(model_sums).unwrap_or_default();
        }
        usage.reported_cost = match since_last {
            Some(models) => cost(&models_costs(models)),
            None if self.resumed.is_none() => result["total_cost_usd"].as_f64().and_then(micro_usd),
            None => None,
        };
        (usage != Usage::default() && usage != Usage { reported_cost: Some(MicroUsd(0)), ..Usage::default() })
            .then_some(usage)
    }
}

impl Reader for Parser {
    fn line(&mut self, line: &[u8]) -> Reaction {
        Self::line(self, line)
    }

    fn finish(&self, end: End<'_>) -> Turn {
        Self::finish(self, end)
    }

    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        Self::unfinished(self, outcome, detail)
    }
}

fn sums(usage: &Value) -> Usage {
    let cached = number(usage, "cache_read_input_tokens");
    let input = number(usage, "input_tokens").saturating_add(number(usage, "cache_creation_input_tokens"));
    Usage {
        input_tokens: input.saturating_add(cached),
        cached_tokens: cached,
        output_tokens: number(usage, "output_tokens"),
        reported_cost: None,
    }
}

fn model_sums(models: &Value) -> Usage {
    let mut all = Usage::default();
    for model in models.as_object().into_iter().flat_map(serde_json::Map::values) {
        let cached = number(model, "cacheReadInputTokens");
        let input = number(model, "inputTokens").saturating_add(number(model, "cacheCreationInputTokens"));
        all.input_tokens = all.input_tokens.saturating_add(input).saturating_add(cached);
        all.cached_tokens = all.cached_tokens.saturating_add(cached);
        all.output_tokens = all.output_tokens.saturating_add(number(model, "outputTokens"));
    }
    all
}

fn models_costs(models: &Value) -> Vec<Option<f64>> {
    models.as_object().into_iter().flat_map(serde_json::Map::values).map(|model| model["costUSD"].as_f64()).collect()
}

/// The sum, when every part is known.
fn cost(parts: &[Option<f64>]) -> Option<MicroUsd> {
    parts.iter().copied().sum::<Option<f64>>().and_then(micro_usd)
}

fn micro_usd(dollars: f64) -> Option<MicroUsd> {
    let millionths = (dollars * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the test beside it")]
    (0.0..1e15).contains(&millionths).then_some(MicroUsd(millionths as u64))
}

fn status(value: &Value) -> Option<u16> {
    value.as_u64().and_then(|status| u16::try_from(status).ok()).filter(|status| *status >= 400)
}

fn number(value: &Value, name: &str) -> u64 {
    value[name].as_u64().unwrap_or(0)
}

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}

fn owned(value: &Value, name: &str) -> Option<String> {
    value[name].as_str().filter(|text| !text.is_empty()).map(str::to_owned)
}
