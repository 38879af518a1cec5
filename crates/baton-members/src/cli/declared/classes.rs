//! What a failure means: the declaration's own rules first, what all programs say next.

use std::collections::BTreeMap;

use baton_core::outcome::Outcome;
use serde_json::json;

use super::path::lines;
use crate::cli::words;

/// The classes that a declaration may name. The others are found by the channel itself.
const NAMES: &[&str] = &[
    "auth",
    "context_too_long",
    "crashed",
    "empty",
    "not_installed",
    "overloaded",
    "partial",
    "quota_exhausted",
    "rate_limited",
    "refused",
    "rejected",
    "session_not_found",
    "untrusted_directory",
];

/// Rules for reading failures.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Classes {
    /// Texts in lower case, with the class that they stand for.
    texts: Vec<(String, Outcome)>,
    exits: BTreeMap<i32, Outcome>,
    /// In lower case: how answers begin that are errors.
    disguises: Vec<String>,
}

/// What is known of a failure.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Failure<'a> {
    pub(crate) status: Option<u16>,
    pub(crate) exit: Option<i32>,
    /// Where the declaration's texts are looked for.
    pub(crate) text: &'a str,
    /// What was said for people; here the words that all programs use are looked for.
    pub(crate) said: &'a str,
}

impl Classes {
    /// # Errors
    /// A class that does not exist or is not for declarations to give, or no text.
    pub(crate) fn add_texts(&mut self, class: &str, texts: &str) -> Result<(), String> {
        let outcome = named(class)?;
        let before = self.texts.len();
        self.texts.extend(lines(texts).map(|text| (text.to_lowercase(), outcome.clone())));
        if self.texts.len() == before { Err("names no text".to_owned()) } else { Ok(()) }
    }

    /// # Errors
    /// A code that is none, or zero: it says nothing.
    pub(crate) fn add_exit(&mut self, code: &str, class: &str) -> Result<(), String> {
        let code = code.parse().ok().filter(|code| (1..=255).contains(code));
        let code = code.ok_or_else(|| "an exit code is a number from 1 to 255".to_owned())?;
        self.exits.insert(code, named(class.trim())?);
        Ok(())
    }

    pub(crate) fn add_disguises(&mut self, texts: &str) {
        self.disguises.extend(lines(texts).map(str::to_lowercase));
    }

    /// The class of a failure; `None` when nothing says what it was.
    pub(crate) fn of(&self, failure: Failure<'_>) -> Option<Outcome> {
        let text = failure.text.to_lowercase();
        let ruled = self.texts.iter().find(|(wanted, _)| text.contains(wanted)).map(|(_, outcome)| outcome.clone());
        let numbered = || failure.status.and_then(|status| words::class(Some(status), failure.said));
        let exited = || failure.exit.and_then(|code| self.exits.get(&code).cloned());
        let outcome = ruled.or_else(numbered).or_else(exited).or_else(|| words::class(None, failure.said))?;
        Some(match outcome {
            Outcome::RateLimited { retry_after_ms: None } => {
                Outcome::RateLimited { retry_after_ms: words::wait_in(&text) }
            }
            other => other,
        })
    }

    /// The line that a text of the declaration stands in.
    pub(crate) fn line_in<'a>(&self, stderr: &'a str) -> Option<&'a str> {
        let is_meant = |line: &&str| {
            let line = line.to_lowercase();
            self.texts.iter().any(|(wanted, _)| line.contains(wanted))
        };
        stderr.lines().find(is_meant)
    }

    /// The class of an answer that is an error in disguise: one short line that begins as the declaration, or all
    /// programs, begin their errors.
    pub(crate) fn disguised(&self, answer: &str) -> Option<Outcome> {
        let answer = answer.trim();
        let lower = answer.to_lowercase();
        let is_declared = self.disguises.iter().any(|beginning| lower.starts_with(beginning));
        if is_declared && !answer.contains('\n') && answer.chars().count() <= 400 {
            return Some(
                self.of(Failure { text: answer, said: answer, ..Failure::default() }).unwrap_or(Outcome::Overloaded),
            );
        }
        words::disguised(answer)
    }
}

fn named(class: &str) -> Result<Outcome, String> {
    let unknown = || format!("`{class}` is none of: {}", NAMES.join(", "));
    if !NAMES.contains(&class) {
        return Err(unknown());
    }
    serde_json::from_value(json!({ "class": class })).map_err(|_| unknown())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_a_class() {
        for name in NAMES {
            assert!(named(name).is_ok_and(|outcome| !outcome.is_ok()), "{name}");
        }
        for name in ["ok", "cancelled", "in_doubt", "timed_out", "nonsense", ""] {
            assert!(named(name).is_err(), "{name}");
        }
    }

    #[test]
    fn the_most_telling_sign_decides() {
        let mut classes = Classes::default();
        classes.add_texts("rate_limited", "please retry in").unwrap();
        classes.add_exit("41", "auth").unwrap();
        let of = |status, exit, text| classes.of(Failure { status, exit, text, said: text });
        let limited = |retry_after_ms| Some(Outcome::RateLimited { retry_after_ms });
        assert_eq!(of(Some(500), Some(41), "Quota exceeded. Please retry in 5s."), limited(Some(5_000)));
        assert_eq!(of(Some(500), Some(41), "nothing"), Some(Outcome::Overloaded));
        assert_eq!(of(None, Some(41), "too many requests"), Some(Outcome::Auth));
        assert_eq!(of(None, Some(42), "too many requests"), limited(None));
        assert_eq!(of(None, Some(42), "nothing"), None);
    }

    #[test]
    fn declared_disguises_are_seen_beside_the_known_ones() {
        let mut classes = Classes::default();
        classes.add_disguises("Info: Request failed\n");
        assert_eq!(classes.disguised("Info: Request failed, retrying"), Some(Outcome::Overloaded));
        assert_eq!(classes.disguised("Info: request failed: invalid API key"), Some(Outcome::Auth));
        assert_eq!(classes.disguised("Info: Request failed\nis what the log should say"), None);
        assert_eq!(classes.disguised("API Error: 529 Overloaded"), Some(Outcome::Overloaded));
        assert_eq!(classes.disguised("All is well"), None);
    }

    #[test]
    fn rules_that_mean_nothing_are_refused() {
        let mut classes = Classes::default();
        assert!(classes.add_texts("auth", " \n").is_err() && classes.add_texts("ok", "x").is_err());
        for code in ["0", "256", "-1", "x"] {
            assert!(classes.add_exit(code, "auth").is_err(), "{code}");
        }
        assert!(classes.add_exit("1", "ok").is_err());
    }
}
