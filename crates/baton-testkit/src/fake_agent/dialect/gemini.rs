//! Gemini CLI: `-o json`, `-o stream-json` or plain text.

use serde_json::{Value, json};

use super::{Dialect, Failure, Trouble, Turn};

pub(super) struct Gemini;

impl Gemini {
    fn session(turn: &Turn) -> String {
        let named = turn.option("--resume").or_else(|| turn.option("--session-id"));
        named.unwrap_or(&turn.script.session).to_owned()
    }

    fn model(turn: &Turn) -> String {
        turn.option("-m").or_else(|| turn.option("--model")).unwrap_or(&turn.script.model).to_owned()
    }

    fn format(turn: &Turn) -> &str {
        turn.option("-o").or_else(|| turn.option("--output-format")).unwrap_or("text")
    }

    fn stats(turn: &Turn) -> Value {
        let (input, output) = (turn.script.input_tokens, turn.script.output_tokens);
        let tokens =
            json!({ "input": input, "candidates": output, "cached": 0, "thoughts": 0, "total": input + output });
        json!({ "models": { Self::model(turn): { "tokens": tokens, "roles": {} } }, "tools": {}, "files": {} })
    }
}

impl Dialect for Gemini {
    fn version(&self) -> &'static str {
        "0.61.0"
    }

    fn opening(&self, turn: &Turn) -> Vec<String> {
        if Self::format(turn) != "stream-json" {
            return Vec::new();
        }
        vec![
            json!({ "type": "init", "session_id": Self::session(turn), "model": Self::model(turn) }).to_string(),
            json!({ "type": "message", "role": "user", "content": turn.prompt }).to_string(),
        ]
    }

    fn answer(&self, turn: &Turn, text: &str) -> Vec<String> {
        let (input, output) = (turn.script.input_tokens, turn.script.output_tokens);
        match Self::format(turn) {
            "json" => {
                let object = json!({ "session_id": Self::session(turn), "response": text, "stats": Self::stats(turn) });
                vec![object.to_string()]
            }
            "stream-json" => vec![
                json!({ "type": "message", "role": "assistant", "content": text, "delta": true }).to_string(),
                json!({ "type": "result", "status": "success", "stats": {
                    "input_tokens": input, "output_tokens": output, "cached": 0, "duration_ms": 12, "tool_calls": 0,
                } })
                .to_string(),
            ],
            _ => text.lines().map(str::to_owned).collect(),
        }
    }

    fn keep_alive(&self, _turn: &Turn) -> String {
        json!({ "type": "error", "severity": "warning", "message": "still thinking" }).to_string()
    }

    fn retry(&self, _turn: &Turn, number: u64) -> String {
        format!("Attempt {number} failed with status 429. Retrying with backoff...")
    }

    fn retries_on_stderr(&self) -> bool {
        true
    }

    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure {
        let seconds = turn.script.retry_after_seconds;
        let (kind, message, code) = match trouble {
            Trouble::Auth => ("Error", "API key not valid. Please pass a valid API key.".to_owned(), 401),
            Trouble::RateLimited => ("Error", format!("Quota exceeded. Please retry in {seconds}s."), 429),
            Trouble::Overloaded => ("Error", "The model is overloaded. Please try again later.".to_owned(), 503),
            Trouble::ContextTooLong => {
                ("Error", "The input token count exceeds the maximum number of tokens allowed.".to_owned(), 400)
            }
            Trouble::SessionNotFound => ("FatalInputError", "Error resuming session: not found".to_owned(), 42),
            Trouble::UntrustedDirectory => {
                let text = "Gemini CLI is not running in a trusted directory. Use --skip-trust to go on.";
                return Failure::on_stderr(55, text);
            }
        };
        let error = json!({ "type": kind, "message": message, "code": code });
        if Self::format(turn) == "stream-json" {
            let mut stdout = self.opening(turn);
            stdout.push(json!({ "type": "result", "status": "error", "error": error, "stats": {} }).to_string());
            return Failure { stdout, stderr: String::new(), code: code % 256 };
        }
        let object = json!({ "session_id": Self::session(turn), "error": error });
        Failure::on_stderr(code % 256, object.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::super::tests::turn;
    use super::*;

    #[test]
    fn the_exit_code_is_the_status_cut_to_a_byte() {
        let turn = turn(&["-o", "json"]);
        let failure = Gemini.failure(&turn, Trouble::Auth);
        assert_eq!((failure.code, failure.stdout.len()), (145, 0));
        assert_eq!(Gemini.failure(&turn, Trouble::UntrustedDirectory).code, 55);
        assert_eq!(Gemini.failure(&turn, Trouble::SessionNotFound).code, 42);
    }

    #[test]
    fn each_format_has_its_shape() {
        assert_eq!(Gemini.answer(&turn(&[]), "two\nlines"), ["two", "lines"]);
        assert!(Gemini.opening(&turn(&["-o", "json"])).is_empty());
        let answer = &Gemini.answer(&turn(&["-o", "json", "--resume", "abc"]), "x")[0];
        assert!(answer.contains(r#""session_id":"abc""#) && answer.contains(r#""response":"x""#), "{answer}");
        assert!(Gemini.answer(&turn(&["-o", "stream-json"]), "x")[1].contains(r#""status":"success""#));
    }
}
