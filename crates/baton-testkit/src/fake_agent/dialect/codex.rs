//! `codex exec --json`.

use serde_json::json;

use super::{Dialect, Failure, Trouble, Turn};

pub(super) struct Codex;

impl Codex {
    /// `exec … resume ID`, else the script's.
    fn thread(turn: &Turn) -> String {
        let mut words = turn.arguments.iter().skip_while(|word| *word != "resume").skip(1);
        let named = words.find(|word| !word.starts_with('-'));
        named.unwrap_or(&turn.script.session).clone()
    }
}

impl Dialect for Codex {
    fn version(&self) -> &'static str {
        "codex-cli 0.169.0"
    }

    fn opening(&self, turn: &Turn) -> Vec<String> {
        vec![
            json!({ "type": "thread.started", "thread_id": Self::thread(turn) }).to_string(),
            json!({ "type": "turn.started" }).to_string(),
        ]
    }

    fn answer(&self, turn: &Turn, text: &str) -> Vec<String> {
        let number = turn.number as u64;
        vec![
            json!({ "type": "item.completed", "item": { "id": "item_0", "type": "agent_message", "text": text } })
                .to_string(),
            json!({ "type": "turn.completed", "usage": {
                "input_tokens": turn.script.input_tokens * number, "cached_input_tokens": 0,
                "cache_write_input_tokens": 0, "output_tokens": turn.script.output_tokens * number,
                "reasoning_output_tokens": 0,
            } })
            .to_string(),
        ]
    }

    fn keep_alive(&self, _turn: &Turn) -> String {
        let item = json!({ "id": "item_1", "type": "error", "message": "Model metadata not found." });
        json!({ "type": "item.completed", "item": item }).to_string()
    }

    fn retry(&self, _turn: &Turn, number: u64) -> String {
        json!({ "type": "error", "message": format!("Reconnecting... {number}/5") }).to_string()
    }

    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure {
        let message = match trouble {
            Trouble::Auth => "unexpected status 401 Unauthorized: Missing bearer authentication".to_owned(),
            Trouble::RateLimited => format!(
                "exceeded retry limit, last status: 429 Too Many Requests, try again in {} seconds",
                turn.script.retry_after_seconds
            ),
            Trouble::Overloaded => "We're currently experiencing high demand, which may cause errors.".to_owned(),
            Trouble::ContextTooLong => json!({ "error": {
                "message": "Your input exceeds the context window of this model.",
                "type": "invalid_request_error", "code": "context_length_exceeded",
            } })
            .to_string(),
            Trouble::SessionNotFound => {
                let thread = Self::thread(turn);
                let text = format!("Error: thread/resume failed: no rollout found for thread id {thread}");
                return Failure::on_stderr(1, text);
            }
            Trouble::UntrustedDirectory => {
                let text = "Not inside a trusted directory and --skip-git-repo-check was not specified.";
                return Failure::on_stderr(1, text);
            }
        };
        let mut stdout = self.opening(turn);
        stdout.push(json!({ "type": "error", "message": message }).to_string());
        stdout.push(json!({ "type": "turn.failed", "error": { "message": message } }).to_string());
        Failure { stdout, stderr: String::new(), code: 1 }
    }

    fn usage_error(&self, turn: &Turn) -> Option<(i32, String)> {
        let reads_stdin = turn.arguments.last().is_some_and(|last| last == "-");
        if turn.has("exec") && !reads_stdin {
            return Some((2, "error: this fake reads its prompt from standard input only: end with -".to_owned()));
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::turn;
    use super::*;

    #[test]
    fn a_resumed_thread_keeps_its_id() {
        for arguments in [["exec", "resume", "--json", "abc", "-"], ["exec", "--json", "resume", "abc", "-"]] {
            assert!(Codex.opening(&turn(&arguments))[0].contains(r#""thread_id":"abc""#));
        }
        assert!(!Codex.opening(&turn(&["exec", "--json", "-"]))[0].contains("abc"));
    }

    #[test]
    fn usage_adds_up() {
        assert!(Codex.answer(&turn(&[]), "x")[1].contains(r#""input_tokens":200"#));
    }

    #[test]
    fn the_prompt_comes_by_standard_input() {
        assert!(Codex.usage_error(&turn(&["exec", "--json", "do it"])).is_some());
        assert!(Codex.usage_error(&turn(&["exec", "--json", "-"])).is_none());
    }
}
