//! From the lines of `codex exec --json` to a turn. Pure.
//!
//! The terminal events are `turn.completed` and `turn.failed`. An `item.completed` of type `error` is a notice: it
//! comes with good answers too.

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::Usage;
use baton_port::{Progress, Turn};
use baton_process::Flow;
use serde_json::Value;

use crate::cli::heard::Heard;
use crate::cli::oneshot::{End, Reaction, Reader};
use crate::cli::words;

/// What was read so far.
#[derive(Clone, Debug, Default)]
pub struct Parser {
    /// The thread that was asked for.
    resumed: Option<String>,
    thread: Option<String>,
    /// The last text of the model: earlier ones accompany its work.
    text: String,
    /// The program's last `error`, or what `turn.failed` says.
    error: Option<String>,
    retry: Option<String>,
    completed: Option<Value>,
    failed: bool,
    heard: Heard,
}

impl Parser {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// For a turn that must belong to this thread.
    #[must_use]
    pub fn resuming(thread: String) -> Self {
        Self { resumed: Some(thread), ..Self::default() }
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
            "thread.started" => {
                self.thread = event["thread_id"].as_str().map(str::to_owned);
                Reaction::quiet(if self.is_another_thread() { Flow::Stop } else { Flow::Payload })
            }
            "turn.started" => Reaction { flow: Flow::Payload, progress: vec![Progress::Thinking] },
            "turn.completed" => {
                self.completed = Some(event);
                Reaction::quiet(Flow::Finished)
            }
            "turn.failed" => {
                self.failed = true;
                self.error = Some(string(&event["error"], "message").to_owned());
                Reaction::quiet(Flow::Finished)
            }
            "error" => self.error(string(&event, "message")),
            kind if kind.starts_with("item.") => self.item(kind, &event["item"]),
            _ => Reaction::quiet(Flow::Continue),
        }
    }

    fn is_another_thread(&self) -> bool {
        matches!((&self.resumed, &self.thread), (Some(asked), Some(given)) if asked != given)
    }

    /// A failure that a `turn.failed` will follow, or a retry. A web socket that cannot be opened is no retry of a
    /// request: the program goes over to plain requests by itself, and nothing was asked yet.
    fn error(&mut self, message: &str) -> Reaction {
        if message.starts_with("Reconnecting") {
            if message.contains("ws://") || message.contains("wss://") {
                return Reaction::quiet(Flow::Continue);
            }
            self.retry = Some(message.to_owned());
            return Reaction::quiet(Flow::Stop);
        }
        self.error = Some(message.to_owned());
        Reaction::quiet(Flow::Continue)
    }

    fn item(&mut self, kind: &str, item: &Value) -> Reaction {
        let begins = kind == "item.started";
        let progress = match string(item, "type") {
            "error" => return Reaction::quiet(Flow::Continue),
            "agent_message" if kind == "item.completed" => {
                let text = string(item, "text");
                if !text.trim().is_empty() {
                    text.clone_into(&mut self.text);
                }
                vec![Progress::Text { bytes: text.len() }]
            }
            "reasoning" => vec![Progress::Thinking],
            "command_execution" if begins => vec![words::doing("runs", string(item, "command"))],
            "web_search" if begins => vec![words::doing("searches the web for", string(item, "query"))],
            "mcp_tool_call" if begins => vec![words::doing("uses", string(item, "tool"))],
            "file_change" => vec![words::doing("writes", string(&item["changes"][0], "path"))],
            _ => Vec::new(),
        };
        Reaction { flow: Flow::Payload, progress }
    }

    /// The turn, when nothing of ours ended the program.
    #[must_use]
    pub fn finish(&self, end: End<'_>) -> Turn {
        if self.is_another_thread() {
            return self.unfinished(Outcome::SessionNotFound, "the program answered in another session");
        }
        match (&self.completed, &self.retry) {
            _ if self.failed => self.failure(),
            (Some(completed), _) => Turn { usage: self.usage(completed), ..self.success() },
            (None, Some(retry)) => {
                let outcome = words::class(None, retry).unwrap_or(Outcome::Overloaded);
                self.unfinished(outcome, &words::detail(&format!("stopped at its first retry: {retry}")))
            }
            (None, None) => self.without_end(end),
        }
    }

    /// A turn that ended for another reason.
    #[must_use]
    pub fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        let provenance = Provenance { session: self.thread.clone(), ..Provenance::default() };
        Turn { provenance, ..Turn::failed(outcome, detail) }
    }

    fn success(&self) -> Turn {
        let text = self.text.trim();
        if text.is_empty() {
            return self.unfinished(Outcome::Empty, "the program completed its turn without a text");
        }
        match words::disguised(text) {
            Some(outcome) => self.unfinished(outcome, &words::detail(text)),
            None => Turn { text: Some(text.to_owned()), ..self.unfinished(Outcome::Ok, "") },
        }
    }

    fn failure(&self) -> Turn {
        let message = self.error.as_deref().unwrap_or_default();
        let outcome = words::class(None, message).unwrap_or(Outcome::Crashed);
        let said = if message.is_empty() { "the program failed its turn without a reason" } else { message };
        self.unfinished(outcome, &words::detail(said))
    }

    fn without_end(&self, end: End<'_>) -> Turn {
        let complaint = words::complaint(end.stderr);
        let said = self.error.as_deref().unwrap_or(&complaint);
        if self.text.is_empty()
            && let Some(outcome) = words::class(None, said)
        {
            return self.unfinished(outcome, &words::detail(said));
        }
        let (outcome, detail) = self.heard.without_end(end.ending, said, "no end of the turn; the program");
        match self.text.is_empty() {
            true => self.unfinished(outcome, &detail),
            false => Turn { text: Some(self.text.clone()), ..self.unfinished(Outcome::Partial, &detail) },
        }
    }

    /// The thread's total is this turn's alone only in the first turn.
    fn usage(&self, completed: &Value) -> Option<Usage> {
        let usage = completed.get("usage").filter(|usage| usage.is_object() && self.resumed.is_none())?;
        let number = |name: &str| usage[name].as_u64().unwrap_or(0);
        Some(Usage {
            input_tokens: number("input_tokens"),
            cached_tokens: number("cached_input_tokens"),
            output_tokens: number("output_tokens"),
            reported_cost: None,
        })
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

fn string<'a>(value: &'a Value, name: &str) -> &'a str {
    value[name].as_str().unwrap_or_default()
}
