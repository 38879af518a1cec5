//! Retries with exponential backoff, set up from a small `key = value` text.

use std::fmt;
use std::time::Duration;

/// The most retries that a configuration may ask for.
const MOST_RETRIES: u32 = 20;

/// How often a failed call is tried again, and how long the waits in between are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Policy {
    /// Tries after the first one.
    pub retries: u32,
    /// The wait before the first retry, in milliseconds; each further wait is twice as long.
    pub base_ms: u64,
    /// No wait is longer than this, in milliseconds.
    pub cap_ms: u64,
}

impl Default for Policy {
    fn default() -> Self {
        Self { retries: 3, base_ms: 100, cap_ms: 5_000 }
    }
}

impl Policy {
    /// The wait before a retry, counted from 0. Defined for every `retry`: late ones wait `cap_ms`.
    pub fn delay(&self, retry: u32) -> Duration {
        let factor = 1u64 << retry;
        let wait = self.base_ms.saturating_mul(factor);
        Duration::from_millis(wait.min(self.cap_ms))
    }

    /// Calls until a call succeeds or all retries are used up; `sleep` does the waiting.
    ///
    /// # Errors
    /// The error of the last call.
    pub fn run<T, E>(
        &self,
        mut call: impl FnMut() -> Result<T, E>,
        mut sleep: impl FnMut(Duration),
    ) -> Result<T, E> {
        for wait in self.waits() {
            match call() {
                Ok(value) => return Ok(value),
                Err(_) => sleep(wait),
            }
        }
        call()
    }

    /// All waits in order, one before each retry.
    pub fn waits(&self) -> Vec<Duration> {
        (1..self.retries).map(|retry| self.delay(retry - 1)).collect()
    }
}

/// Why a configuration is refused; `line` counts from 1.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum ConfigError {
    NoValue { line: usize },
    UnknownKey { line: usize },
    BadNumber { line: usize },
    TooManyRetries { line: usize },
}

impl fmt::Display for ConfigError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::NoValue { line } => write!(formatter, "line {line}: expected `key = value`"),
            Self::UnknownKey { line } => write!(formatter, "line {line}: unknown key"),
            Self::BadNumber { line } => write!(formatter, "line {line}: not a number"),
            Self::TooManyRetries { line } => {
                write!(formatter, "line {line}: at most {MOST_RETRIES} retries")
            }
        }
    }
}

impl std::error::Error for ConfigError {}

/// Reads a policy. Empty lines and lines that start with `#` are skipped; what is not set keeps its default.
///
/// # Errors
/// The first line that cannot be used.
pub fn parse(text: &str) -> Result<Policy, ConfigError> {
    let mut policy = Policy::default();
    for (line, content) in (1..).zip(text.lines()) {
        let content = content.trim();
        if content.is_empty() || content.starts_with('#') {
            continue;
        }
        let (key, value) = content.split_once('=').ok_or(ConfigError::NoValue { line })?;
        let value = value.trim();
        match key.trim() {
            "retries" => {
                policy.retries = value.parse().map_err(|_| ConfigError::BadNumber { line })?;
                if policy.retries > MOST_RETRIES {
                    return Err(ConfigError::TooManyRetries { line });
                }
            }
            "base_ms" => policy.base_ms = value.parse().map_err(|_| ConfigError::BadNumber { line })?,
            "cap_ms" => policy.cap_ms = value.parse().unwrap(),
            _ => return Err(ConfigError::UnknownKey { line }),
        }
    }
    Ok(policy)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn waits_double() {
        let policy = Policy::default();
        assert_eq!(policy.delay(0), Duration::from_millis(100));
        assert_eq!(policy.delay(3), Duration::from_millis(800));
    }

    #[test]
    fn a_late_retry_waits_no_longer_than_the_cap() {
        assert_eq!(Policy::default().delay(64), Duration::from_millis(5_000));
    }

    #[test]
    fn a_call_that_recovers_is_tried_again() {
        let mut answers = [Err("busy"), Ok(7)].into_iter();
        let result = Policy::default().run(|| answers.next().unwrap_or(Err("done")), |_| ());
        assert_eq!(result, Ok(7));
    }

    #[test]
    fn a_configuration_names_the_line_that_is_wrong() {
        let policy = parse("# slow\nretries = 5\ncap_ms = 900").map(|policy| (policy.retries, policy.cap_ms));
        assert_eq!(policy, Ok((5, 900)));
        assert_eq!(parse("retries = 5\nbase_ms = soon"), Err(ConfigError::BadNumber { line: 2 }));
        assert_eq!(parse("retries = 99"), Err(ConfigError::TooManyRetries { line: 1 }));
    }
}
