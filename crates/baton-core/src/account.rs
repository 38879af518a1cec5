//! What is known of an account, and what the end of a turn says about it. Pure: the outside keeps the record and
//! brings the time.

use serde::{Deserialize, Serialize};

use crate::outcome::{LONGEST_WAIT_MS, Outcome};
use crate::units::Timestamp;

/// So many failures of the service or the program in a row make an account rest.
pub const FAILURES_BEFORE_REST: u32 = 5;
/// The first rest. Each failure after it doubles the next one.
const FIRST_REST_MS: u64 = 30_000;
const LONGEST_REST_MS: u64 = 600_000;
/// No plan has a longer window than a week; what says so by more is not believed.
const LONGEST_WINDOW_MS: u64 = 8 * 24 * 3_600_000;

/// What all processes know of one account. The default knows nothing: it can be used.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "snake_case")]
pub struct AccountRecord {
    /// Its quota is used up until then.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spent_until: Option<Timestamp>,
    /// Turns in a row that ended as overloaded or crashed.
    pub failures: u32,
    /// After too many of them, it is left alone until then; later one call at a time tries it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rest_until: Option<Timestamp>,
}

/// Whether an account can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    Open,
    /// Used up until then.
    Spent(Timestamp),
    /// Failed too often; left alone until then.
    Resting(Timestamp),
    /// Rested enough: one call may try whether it works again.
    OnTrial,
}

impl AccountRecord {
    #[must_use]
    pub fn standing(&self, now: Timestamp) -> Standing {
        if let Some(until) = self.spent_until.filter(|until| *until > now) {
            return Standing::Spent(until);
        }
        match self.rest_until {
            Some(until) if until > now => Standing::Resting(until),
            Some(_) => Standing::OnTrial,
            None => Standing::Open,
        }
    }

    /// The record after a turn on the account ended at `now`. `window_ms` is how long a used-up quota lasts: as the
    /// member says, else as configured. An answer clears everything; what says nothing about the account changes
    /// nothing.
    #[must_use]
    pub fn after(self, outcome: &Outcome, now: Timestamp, window_ms: u64) -> Self {
        let spent = |ms: u64| Self { spent_until: Some(now.plus_millis(ms.min(LONGEST_WINDOW_MS))), ..self };
        match outcome {
            Outcome::Ok => Self::default(),
            Outcome::QuotaExhausted => spent(window_ms),
            Outcome::RateLimited { retry_after_ms: Some(ms) } if *ms > LONGEST_WAIT_MS => spent(*ms),
            Outcome::Overloaded | Outcome::Crashed => self.failed(now),
            Outcome::Partial
            | Outcome::Auth
            | Outcome::RateLimited { .. }
            | Outcome::ContextTooLong
            | Outcome::Refused
            | Outcome::Empty
            | Outcome::Unreadable
            | Outcome::TimedOut { .. }
            | Outcome::TooMuchOutput
            | Outcome::NotInstalled
            | Outcome::UntrustedDirectory
            | Outcome::SessionNotFound
            | Outcome::Rejected
            | Outcome::Cancelled
            | Outcome::InDoubt => self,
        }
    }

    fn failed(self, now: Timestamp) -> Self {
        let failures = self.failures.saturating_add(1);
        let beyond = failures.checked_sub(FAILURES_BEFORE_REST);
        let rest = |over: u32| FIRST_REST_MS.saturating_mul(1 << over.min(10)).min(LONGEST_REST_MS);
        Self { failures, rest_until: beyond.map(|over| now.plus_millis(rest(over))).or(self.rest_until), ..self }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW: Timestamp = Timestamp(1_000_000);
    const HOUR: u64 = 3_600_000;

    fn after(record: AccountRecord, outcomes: &[Outcome]) -> AccountRecord {
        outcomes.iter().fold(record, |record, outcome| record.after(outcome, NOW, HOUR))
    }

    #[test]
    fn a_used_up_quota_lasts_as_long_as_it_says_or_for_the_configured_window() {
        let spent = |outcome| after(AccountRecord::default(), &[outcome]).standing(NOW);
        assert_eq!(spent(Outcome::QuotaExhausted), Standing::Spent(NOW.plus_millis(HOUR)));
        let limited = |ms| Outcome::RateLimited { retry_after_ms: ms };
        assert_eq!(spent(limited(Some(7_200_000))), Standing::Spent(NOW.plus_millis(7_200_000)));
        assert_eq!(spent(limited(Some(5_000))), Standing::Open, "that is waited for");
        assert_eq!(spent(limited(None)), Standing::Open);
        let forever = after(AccountRecord::default(), &[limited(Some(u64::MAX))]);
        assert_eq!(forever.standing(NOW.plus_millis(LONGEST_WINDOW_MS)), Standing::Open);
    }

    #[test]
    fn it_is_open_again_after_the_reset_and_by_an_answer() {
        let spent = after(AccountRecord::default(), &[Outcome::QuotaExhausted]);
        assert_eq!(spent.standing(NOW.plus_millis(HOUR)), Standing::Open);
        assert_eq!(after(spent, &[Outcome::Ok]), AccountRecord::default());
        assert_eq!(after(spent, &[Outcome::Refused]), spent, "that says nothing about the account");
    }

    #[test]
    fn failures_in_a_row_make_it_rest_for_a_growing_time_and_one_call_tries_it() {
        let four = after(
            AccountRecord::default(),
            &[Outcome::Crashed, Outcome::Overloaded, Outcome::Crashed, Outcome::Crashed],
        );
        assert_eq!(four.standing(NOW), Standing::Open);
        let five = after(four, &[Outcome::Overloaded]);
        assert_eq!(five.standing(NOW), Standing::Resting(NOW.plus_millis(30_000)));
        assert_eq!(five.standing(NOW.plus_millis(30_000)), Standing::OnTrial);
        let six = after(five, &[Outcome::Overloaded]);
        assert_eq!(six.standing(NOW), Standing::Resting(NOW.plus_millis(60_000)));
        let many = after(six, &vec![Outcome::Crashed; 100]);
        assert_eq!(many.standing(NOW), Standing::Resting(NOW.plus_millis(LONGEST_REST_MS)));
        assert_eq!(after(many, &[Outcome::Ok]).standing(NOW), Standing::Open);
        let between = after(four, &[Outcome::Ok, Outcome::Crashed]);
        assert_eq!(between.failures, 1, "in a row");
    }

    #[test]
    fn a_record_of_a_later_version_is_read_as_far_as_it_is_known() {
        let read: AccountRecord = serde_json::from_str(r#"{"spent_until":5,"later":true}"#).unwrap();
        assert_eq!(read.spent_until, Some(Timestamp(5)));
    }
}
