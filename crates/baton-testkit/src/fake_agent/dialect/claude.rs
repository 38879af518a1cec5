//! Claude Code's `--output-format stream-json`, which grok, qwen and the Cursor agent share in the main.

use serde_json::{Value, json};

use super::{Dialect, Failure, Trouble, Turn};

pub(super) struct Claude {
    pub(super) version: &'static str,
}

impl Claude {
    fn session(turn: &Turn) -> String {
        let named = ["--session-id", "--resume", "-s", "-r"].iter().find_map(|name| turn.option(name));
        named.unwrap_or(&turn.script.session).to_owned()
    }

    fn model(turn: &Turn) -> String {
        turn.option("--model").unwrap_or(&turn.script.model).to_owned()
    }

    fn speaks_in_events(turn: &Turn) -> bool {
        let format = turn.option("--output-format");
        format.is_none_or(|format| format.starts_with("stream"))
    }

    /// The key `type` is not the first on purpose: versions differ in the order.
    fn result(turn: &Turn, text: &str, status: Option<Value>) -> Value {
        let script = &turn.script;
        let sum = script.cost * turn.number as f64;
        let is_error = status.is_some();
        let usage = json!({
            "input_tokens": if is_error { 0 } else { script.input_tokens },
            "cache_creation_input_tokens": 0,
            "cache_read_input_tokens": 0,
            "output_tokens": if is_error { 0 } else { script.output_tokens },
        });
        json!({
            "duration_ms": 12, "duration_api_ms": 10, "ttft_ms": 5, "num_turns": 1, "permission_denials": [],
            "is_error": is_error, "subtype": "success", "api_error_status": status.unwrap_or_default(),
            "result": text, "session_id": Self::session(turn), "total_cost_usd": sum, "usage": usage,
            "modelUsage": { Self::model(turn): {
                "inputTokens": script.input_tokens * turn.number as u64,
                "outputTokens": script.output_tokens * turn.number as u64,
                "costUSD": sum, "contextWindow": 200_000,
            } },
            "terminal_reason": if is_error { "api_error" } else { "completed" },
            "type": "result",
        })
    }
}

impl Dialect for Claude {
    fn version(&self) -> &'static str {
        self.version
    }

    fn opening(&self, turn: &Turn) -> Vec<String> {
        if !Self::speaks_in_events(turn) {
            return Vec::new();
        }
        let event = json!({
            "type": "system", "subtype": "init", "session_id": Self::session(turn), "model": Self::model(turn),
            "tools": [], "mcp_servers": [], "permissionMode": turn.option("--permission-mode").unwrap_or("default"),
            "claude_code_version": "2.1.329", "cwd": std::env::current_dir().unwrap_or_default(),
        });
        vec![event.to_string()]
    }

    fn answer(&self, turn: &Turn, text: &str) -> Vec<String> {
        match turn.option("--output-format") {
            Some("text") => return text.lines().map(str::to_owned).collect(),
            Some("json") => return vec![Self::result(turn, text, None).to_string()],
            _ => {}
        }
        let message = json!({
            "type": "assistant", "session_id": Self::session(turn), "parent_tool_use_id": null,
            "message": {
                "id": "msg_fake", "type": "message", "role": "assistant", "model": Self::model(turn),
                "content": [{ "type": "text", "text": text }], "stop_reason": null,
                "usage": { "input_tokens": turn.script.input_tokens, "output_tokens": 1 },
            },
        });
        vec![message.to_string(), Self::result(turn, text, None).to_string()]
    }

    fn keep_alive(&self, turn: &Turn) -> String {
        json!({ "type": "system", "subtype": "status", "status": null, "session_id": Self::session(turn) }).to_string()
    }

    fn retry(&self, turn: &Turn, number: u64) -> String {
        json!({
            "type": "system", "subtype": "api_retry", "attempt": number, "max_retries": 10,
            "retry_delay_ms": 500 * number, "error_status": 429, "error": "rate_limit",
            "session_id": Self::session(turn),
        })
        .to_string()
    }

    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure {
        let seconds = turn.script.retry_after_seconds;
        let text = match trouble {
            Trouble::Auth => "Failed to authenticate. API Error: 401 invalid x-api-key".to_owned(),
            Trouble::RateLimited => {
                format!("API Error: Request rejected (429) · this would exceed your limit, retry after {seconds} s")
            }
            Trouble::Overloaded => "API Error: Repeated 529 Overloaded errors".to_owned(),
            Trouble::ContextTooLong => "Prompt is too long".to_owned(),
            Trouble::SessionNotFound => {
                let session = Self::session(turn);
                return Failure::on_stderr(1, format!("No conversation found with session ID: {session}"));
            }
            Trouble::UntrustedDirectory => return Failure::on_stderr(1, "This directory is not trusted."),
        };
        // Here the program knows no number for an overloaded service.
        let status = trouble.status().filter(|status| *status != 529);
        let mut stdout = self.opening(turn);
        stdout.push(Self::result(turn, &text, Some(json!(status))).to_string());
        Failure { stdout, stderr: String::new(), code: 1 }
    }

    fn usage_error(&self, turn: &Turn) -> Option<(i32, String)> {
        let needs_verbose = turn.has("-p") && turn.option("--output-format") == Some("stream-json");
        if needs_verbose && self.version.ends_with("(Claude Code)") && !turn.has("--verbose") {
            let text = "Error: When using --print, --output-format=stream-json requires --verbose";
            return Some((1, text.to_owned()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::turn;
    use super::*;

    fn last(lines: &[String]) -> Value {
        serde_json::from_str(lines.last().unwrap()).unwrap()
    }

    const CLAUDE: Claude = Claude { version: "2.1.329 (Claude Code)" };

    #[test]
    fn the_session_is_the_callers() {
        for name in ["--session-id", "--resume"] {
            let turn = turn(&["-p", name, "abc"]);
            assert_eq!(last(&CLAUDE.opening(&turn))["session_id"], "abc");
            assert_eq!(last(&CLAUDE.answer(&turn, "x"))["session_id"], "abc");
        }
    }

    #[test]
    fn cost_adds_up_and_usage_does_not() {
        let result = last(&CLAUDE.answer(&turn(&[]), "x"));
        assert_eq!(result["total_cost_usd"], 0.02);
        assert_eq!(result["usage"]["input_tokens"], 100);
    }

    #[test]
    fn an_error_claims_success_in_its_subtype() {
        let result = last(&CLAUDE.failure(&turn(&[]), Trouble::RateLimited).stdout);
        assert_eq!((&result["subtype"], &result["is_error"]), (&json!("success"), &json!(true)));
        assert_eq!(result["api_error_status"], 429);
        assert!(last(&CLAUDE.failure(&turn(&[]), Trouble::Overloaded).stdout)["api_error_status"].is_null());
    }

    #[test]
    fn events_need_verbose() {
        let arguments = ["-p", "--output-format", "stream-json"];
        assert!(CLAUDE.usage_error(&turn(&arguments)).is_some());
        assert!(CLAUDE.usage_error(&turn(&[&arguments[..], &["--verbose"]].concat())).is_none());
    }
}
