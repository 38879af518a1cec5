//! GitHub Copilot CLI's `--output-format json`.

use serde_json::{Value, json};

use super::{Dialect, Failure, Trouble, Turn};

pub(super) struct Copilot;

impl Copilot {
    fn session(turn: &Turn) -> String {
        let named = turn.option("--resume").or_else(|| turn.option("--session-id"));
        named.unwrap_or(&turn.script.session).to_owned()
    }

    fn event(kind: &str, data: &Value) -> String {
        let timestamp = "2026-01-01T00:00:00.000Z";
        json!({ "type": kind, "data": data, "id": "event", "timestamp": timestamp, "parentId": null }).to_string()
    }

    fn result(turn: &Turn, code: i32) -> String {
        json!({ "type": "result", "sessionId": Self::session(turn), "exitCode": code, "usage": {
            "premiumRequests": 1, "totalApiDurationMs": 10, "sessionDurationMs": 12,
            "codeChanges": { "linesAdded": 0, "linesRemoved": 0, "filesModified": [] },
        } })
        .to_string()
    }
}

impl Dialect for Copilot {
    fn version(&self) -> &'static str {
        "1.0.102"
    }

    fn opening(&self, turn: &Turn) -> Vec<String> {
        vec![
            Self::event("user.message", &json!({ "content": turn.prompt })),
            Self::event("assistant.turn_start", &json!({ "turnId": "0" })),
        ]
    }

    fn answer(&self, turn: &Turn, text: &str) -> Vec<String> {
        let message = json!({ "content": text, "model": turn.script.model, "toolRequests": [] });
        vec![
            Self::event("assistant.message_delta", &json!({ "deltaContent": text })),
            Self::event("assistant.message", &message),
            Self::event("assistant.idle", &json!({})),
            Self::result(turn, 0),
        ]
    }

    fn keep_alive(&self, _turn: &Turn) -> String {
        Self::event("session.info", &json!({ "message": "still here" }))
    }

    fn retry(&self, _turn: &Turn, number: u64) -> String {
        Self::event("assistant.turn_retry", &json!({ "reason": "rate_limit", "retryAttempt": number }))
    }

    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure {
        let (kind, message) = match trouble {
            Trouble::Auth => return Failure::on_stderr(1, "Error: No authentication information found."),
            Trouble::SessionNotFound => {
                let session = Self::session(turn);
                return Failure::on_stderr(1, format!("Error: No session or task matched '{session}'"));
            }
            Trouble::UntrustedDirectory => return Failure::on_stderr(1, "Error: this folder is not trusted"),
            Trouble::RateLimited => {
                ("rate_limit", format!("429 Too Many Requests, retry after {} s", turn.script.retry_after_seconds))
            }
            Trouble::Overloaded => ("query", "529 Overloaded".to_owned()),
            Trouble::ContextTooLong => ("query", "400 the prompt exceeds the context window".to_owned()),
        };
        let data = json!({ "errorType": kind, "message": message, "statusCode": trouble.status() });
        let mut stdout = self.opening(turn);
        stdout.push(Self::event("session.error", &data));
        stdout.push(Self::result(turn, 1));
        Failure { stdout, stderr: String::new(), code: 1 }
    }
}
