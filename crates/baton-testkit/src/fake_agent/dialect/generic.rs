//! A program of no renown: plain text.

use super::{Dialect, Failure, Trouble, Turn};

pub(super) struct Generic;

impl Dialect for Generic {
    fn version(&self) -> &'static str {
        "fake-agent 1.0.0"
    }

    fn opening(&self, _turn: &Turn) -> Vec<String> {
        Vec::new()
    }

    fn answer(&self, _turn: &Turn, text: &str) -> Vec<String> {
        text.lines().map(str::to_owned).collect()
    }

    fn keep_alive(&self, _turn: &Turn) -> String {
        "...".to_owned()
    }

    fn retry(&self, _turn: &Turn, number: u64) -> String {
        format!("retrying ({number})")
    }

    fn failure(&self, turn: &Turn, trouble: Trouble) -> Failure {
        let text = match trouble {
            Trouble::Auth => "error: not logged in".to_owned(),
            Trouble::RateLimited => {
                format!("error: rate limit reached, retry after {} seconds", turn.script.retry_after_seconds)
            }
            Trouble::Overloaded => "error: the service is overloaded".to_owned(),
            Trouble::ContextTooLong => "error: the prompt is too long".to_owned(),
            Trouble::SessionNotFound => "error: session not found".to_owned(),
            Trouble::UntrustedDirectory => "error: this directory is not trusted".to_owned(),
        };
        Failure::on_stderr(1, text)
    }
}
