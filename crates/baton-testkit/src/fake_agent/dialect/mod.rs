//! How each agent talks.

mod claude;
mod codex;
mod copilot;
mod gemini;
mod generic;

use super::turn::Turn;

/// The shapes of one agent's output. Every string is one line.
pub(crate) trait Dialect {
    /// The answer to `--version`.
    fn version(&self) -> &'static str;

    /// What comes before the answer; may be nothing.
    fn opening(&self, turn: &Turn) -> Vec<String>;

    /// The answer, the terminal event last.
    fn answer(&self, turn: &Turn, text: &str) -> Vec<String>;

    /// A sign of life that is no progress.
    fn keep_alive(&self, turn: &Turn) -> String;

    /// What it says about its own retry with this number.
    fn retry(&self, turn: &Turn, number: u64) -> String;

    /// Whether `retry` goes to standard error.
    fn retries_on_stderr(&self) -> bool {
        false
    }

    /// A turn that failed.
    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure;

    /// The exit code and words for arguments that the real program refuses.
    fn usage_error(&self, _turn: &Turn) -> Option<(i32, String)> {
        None
    }
}

/// Why a turn failed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Trouble {
    Auth,
    RateLimited,
    Overloaded,
    ContextTooLong,
    SessionNotFound,
    UntrustedDirectory,
}

impl Trouble {
    /// The status of the provider's answer, where it was the provider who refused.
    fn status(self) -> Option<u16> {
        match self {
            Self::Auth => Some(401),
            Self::RateLimited => Some(429),
            Self::Overloaded => Some(529),
            Self::ContextTooLong => Some(400),
            Self::SessionNotFound | Self::UntrustedDirectory => None,
        }
    }
}

/// What a failed turn leaves.
#[derive(Debug, Default)]
pub(crate) struct Failure {
    pub(crate) stdout: Vec<String>,
    pub(crate) stderr: String,
    pub(crate) code: i32,
}

impl Failure {
    fn on_stderr(code: i32, text: impl Into<String>) -> Self {
        Self { stdout: Vec::new(), stderr: text.into(), code }
    }
}

pub(crate) fn of(name: &str) -> Box<dyn Dialect> {
    match name {
        "claude" => Box::new(claude::Claude { version: "2.1.329 (Claude Code)" }),
        "grok" => Box::new(claude::Claude { version: "grok 1.0.41 (0a1b2c3)" }),
        "qwen" => Box::new(claude::Claude { version: "0.24.4" }),
        "cursor-agent" => Box::new(claude::Claude { version: "2026.09.02-fake" }),
        "codex" => Box::new(codex::Codex),
        "gemini" => Box::new(gemini::Gemini),
        "copilot" => Box::new(copilot::Copilot),
        _ => Box::new(generic::Generic),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::Value;

    use super::*;
    use crate::fake_agent::Script;

    pub(super) fn turn(arguments: &[&str]) -> Turn {
        let arguments = arguments.iter().map(ToString::to_string).collect();
        Turn { arguments, script: Script::default(), prompt: "prompt".to_owned(), number: 2 }
    }

    const TROUBLES: [Trouble; 6] = [
        Trouble::Auth,
        Trouble::RateLimited,
        Trouble::Overloaded,
        Trouble::ContextTooLong,
        Trouble::SessionNotFound,
        Trouble::UntrustedDirectory,
    ];

    #[test]
    fn every_line_of_a_json_dialect_is_json() {
        let turn = turn(&["-o", "stream-json"]);
        for name in ["claude", "grok", "codex", "gemini", "copilot"] {
            let dialect = of(name);
            let mut lines = dialect.opening(&turn);
            lines.extend(dialect.answer(&turn, "a \"quoted\"\nanswer"));
            lines.push(dialect.keep_alive(&turn));
            lines.extend(TROUBLES.iter().flat_map(|trouble| dialect.failure(&turn, *trouble).stdout));
            for line in lines {
                assert!(serde_json::from_str::<Value>(&line).is_ok_and(|value| value.is_object()), "{name}: {line}");
            }
        }
    }

    #[test]
    fn every_failure_says_something_and_no_line_is_two() {
        for name in ["claude", "codex", "gemini", "copilot", "anything"] {
            for trouble in TROUBLES {
                let failure = of(name).failure(&turn(&[]), trouble);
                assert!(!failure.stdout.is_empty() || !failure.stderr.is_empty(), "{name} {trouble:?}");
                assert!(failure.code != 0, "{name} {trouble:?}");
                assert!(failure.stdout.iter().all(|line| !line.contains('\n')));
            }
        }
    }
}
