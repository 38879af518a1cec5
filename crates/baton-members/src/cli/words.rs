//! What the words of a program or its vendor say about how a turn ended.
//!
//! Both programs report failures as sentences for people, often without a number. The sentences here were seen from
//! the true programs or are documented by their vendors; a sentence that is not known gives no class.

use baton_core::outcome::{Deadline, Outcome};
use baton_core::units::Timestamp;
use baton_port::{Opens, Progress};

/// The longest detail that is kept, in characters.
const DETAIL: usize = 300;
/// An error in disguise is one short line; a real answer that speaks of errors is longer.
const DISGUISE: usize = 400;

const SESSION: &[&str] = &["no conversation found", "no rollout found", "session not found", "thread not found"];
const CONTEXT: &[&str] = &[
    "prompt is too long",
    "prompt_too_long",
    "context_length_exceeded",
    "maximum context length",
    "ran out of room in the model's context",
    "exceeds the context window",
    "input is too long",
    "request too large",
];
const QUOTA: &[&str] = &[
    "usage limit",
    "hit your limit",
    "session limit",
    "weekly limit",
    "out of extra usage",
    "credit balance is too low",
    "insufficient_quota",
    "quota exceeded",
    "exceeded your current quota",
    "spend limit",
    "out of credits",
];
const AUTH: &[&str] = &[
    "invalid api key",
    "incorrect api key",
    "please run /login",
    "not logged in",
    "codex login",
    "failed to authenticate",
    "authentication failed",
    "authentication_failed",
    "authentication_error",
    "oauth token",
    "missing environment variable",
    "missing bearer",
    "refresh token",
    "log in again",
    "unauthorized",
];
/// A vendor that calls it a bad request, with status 400.
const KEY: &[&str] = &["api key not valid", "api_key_invalid"];
const RATE: &[&str] = &["too many requests", "rate limit", "rate_limit"];
const REFUSED: &[&str] = &["usage policy", "content policy", "violate our", "invalid_prompt"];
const OVERLOADED: &[&str] = &[
    "overloaded",
    "high demand",
    "at capacity",
    "internal server error",
    "service unavailable",
    "server_error",
    "connection failed",
    // The word for every lost or refused connection; the lost ones are told from it by their sentence.
    "connection_failed",
    "connection refused",
    "unable to connect",
    "error sending request",
    "request timed out",
];
const BROKEN: &[&str] = &["stream disconnected", "connection to the api was lost", "econnreset"];
const REJECTED: &[&str] = &[
    "model_not_found",
    "issue with the selected model",
    "does not exist",
    "is not supported",
    "already in use",
    "invalid session id",
    "unknown option",
    "unexpected argument",
    "invalid value",
    "error loading config",
    "invalid_request",
    "model: ",
];
const UNTRUSTED: &[&str] = &["not inside a trusted directory", "skip-git-repo-check", "directory is not trusted"];

/// The class of a failure, from a status where there is one and from the words. `None`: neither says anything.
pub(crate) fn class(status: Option<u16>, text: &str) -> Option<Outcome> {
    let text = text.to_lowercase().replace('’', "'");
    let has = |words: &[&str]| words.iter().any(|word| text.contains(word));
    let status = status.or_else(|| status_in(&text));
    // From the most telling to the vaguest: a vendor's status 400 can mean an empty purse, its 429 a plan used up.
    Some(match status {
        _ if has(SESSION) => Outcome::SessionNotFound,
        _ if has(UNTRUSTED) => Outcome::UntrustedDirectory,
        _ if has(CONTEXT) => Outcome::ContextTooLong,
        _ if has(QUOTA) => Outcome::QuotaExhausted,
        Some(401 | 403) => Outcome::Auth,
        _ if has(KEY) => Outcome::Auth,
        Some(402) => Outcome::QuotaExhausted,
        Some(413) => Outcome::ContextTooLong,
        Some(429) => Outcome::RateLimited { retry_after_ms: wait_in(&text) },
        Some(500..) => Outcome::Overloaded,
        _ if has(REFUSED) => Outcome::Refused,
        Some(400..) => Outcome::Rejected,
        _ if has(AUTH) => Outcome::Auth,
        _ if has(RATE) => Outcome::RateLimited { retry_after_ms: wait_in(&text) },
        _ if text.contains("idle timeout") => Outcome::TimedOut { deadline: Deadline::Idle },
        _ if has(BROKEN) => Outcome::Partial,
        _ if has(OVERLOADED) => Outcome::Overloaded,
        _ if has(REJECTED) => Outcome::Rejected,
        _ => return None,
    })
}

/// The class of an answer that is an error in disguise: a program that prints its vendor's refusal where the answer
/// belongs.
pub(crate) fn disguised(answer: &str) -> Option<Outcome> {
    const BEGINNINGS: &[&str] = &[
        "api error",
        "claude ai usage limit reached",
        "claude usage limit reached",
        "you've hit your",
        "credit balance is too low",
        "invalid api key",
        "not logged in",
        "failed to authenticate",
        "prompt is too long",
        "oauth token",
        "request timed out",
        "error: ",
        "unexpected status ",
        "exceeded retry limit",
        "sorry, i encountered an error",
        "stream disconnected before completion",
    ];
    let answer = answer.trim();
    if answer.contains('\n') || answer.chars().count() > DISGUISE {
        return None;
    }
    let lower = answer.to_lowercase().replace('’', "'");
    let begins = BEGINNINGS.iter().find(|beginning| lower.starts_with(*beginning))?;
    // "Error: " may begin an honest answer; the others are nobody's verdict.
    class(None, answer).or_else(|| (*begins != "error: ").then_some(Outcome::Overloaded))
}

/// The first number from 400 to 599 after "status", "error" or "http", or alone in parentheses.
fn status_in(text: &str) -> Option<u16> {
    let mut before = "";
    for word in text.split(|letter: char| !letter.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        let number = word.parse().ok().filter(|number| (400..600).contains(number) && word.len() == 3);
        if number.is_some() && (matches!(before, "status" | "error" | "http") || text.contains(&format!("({word})"))) {
            return number;
        }
        before = word;
    }
    None
}

/// Milliseconds from "try again in 1.5s" and the like; seconds and milliseconds only, the longer ones are no wait.
pub(crate) fn wait_in(text: &str) -> Option<u64> {
    let (_, rest) = text
        .split_once("try again in ")
        .or_else(|| text.split_once("retry after ").or_else(|| text.split_once("retry in ")))?;
    let digits = rest.find(|letter: char| !letter.is_ascii_digit() && letter != '.').unwrap_or(rest.len());
    let (number, unit) = rest.split_at_checked(digits)?;
    let (whole, fraction) = number.split_once('.').unwrap_or((number, ""));
    let whole: u64 = whole.parse().ok()?;
    let unit: String = unit.trim_start().chars().take_while(char::is_ascii_alphabetic).collect();
    match unit.as_str() {
        "ms" => Some(whole),
        "s" | "second" | "seconds" => {
            let thousandths: u64 = format!("{fraction:0<3}").get(..3)?.parse().ok()?;
            Some(whole.saturating_mul(1000).saturating_add(thousandths))
        }
        _ => None,
    }
}

/// When a used-up quota opens again: seconds since 1970 behind a bar at the end of the first line ("limit
/// reached|1699999999"), or "try again in 3 days 2 hours 5 minutes". A time of day alone is of no known zone.
pub(crate) fn opens(text: &str) -> Option<Opens> {
    let after_bar = text.lines().next().and_then(|line| line.rsplit_once('|')).map(|(_, rest)| rest.trim());
    let seconds = after_bar.filter(|rest| rest.len() == 10).and_then(|rest| rest.parse::<i64>().ok());
    seconds.map(|at| Opens::At(Timestamp(at.saturating_mul(1_000)))).or_else(|| long_wait_in(text).map(Opens::AfterMs))
}

/// Days, hours, minutes and seconds behind "try again in", in that or any other order.
fn long_wait_in(text: &str) -> Option<u64> {
    let text = text.to_lowercase();
    let (_, rest) = text.split_once("try again in ")?;
    let mut words = rest.split(|letter: char| letter.is_whitespace() || matches!(letter, ',' | '.'));
    let mut sum: u64 = 0;
    while let Some(number) = words.by_ref().find(|word| !word.is_empty() && *word != "and") {
        let Ok(number) = number.parse::<u64>() else { break };
        let unit = match words.next()?.trim_end_matches('s') {
            "day" => 86_400_000,
            "hour" => 3_600_000,
            "minute" => 60_000,
            "second" => 1_000,
            _ => break,
        };
        sum = sum.saturating_add(number.saturating_mul(unit));
    }
    (sum > 0).then_some(sum)
}

/// One line without control characters, short enough for a screen.
pub(crate) fn detail(text: &str) -> String {
    shorten(text, DETAIL)
}

/// What a member does, in a few words.
pub(crate) fn doing(verb: &str, object: &str) -> Progress {
    Progress::Doing(shorten(&format!("{verb} {object}"), 80))
}

fn shorten(text: &str, limit: usize) -> String {
    let words: Vec<&str> = text.split(|letter: char| letter.is_whitespace() || letter.is_control()).collect();
    let line = words.into_iter().filter(|word| !word.is_empty()).collect::<Vec<_>>().join(" ");
    if line.chars().count() <= limit {
        return line;
    }
    line.chars().take(limit.saturating_sub(1)).chain(['…']).collect()
}

/// What standard error says that is no warning: its last such line.
pub(crate) fn complaint(stderr: &str) -> String {
    let mut lines = stderr.lines().map(str::trim).filter(|line| !line.is_empty());
    lines.rfind(|line| !line.to_lowercase().starts_with("warning")).map(detail).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn limited(ms: u64) -> Option<Outcome> {
        Some(Outcome::RateLimited { retry_after_ms: Some(ms) })
    }

    #[test]
    fn when_a_quota_opens_again_is_read_where_it_is_said() {
        let cases = [
            ("Claude AI usage limit reached|1699999999", Some(Opens::At(Timestamp(1_699_999_999_000)))),
            ("You've hit your usage limit. Try again in 3 days 2 hours 5 minutes.", Some(Opens::AfterMs(266_700_000))),
            ("Try again in 1 hour, 1 minute and 1 second", Some(Opens::AfterMs(3_661_000))),
            ("You've hit your usage limit. Try again at 3:00 PM.", None),
            ("Try again in a while", None),
            ("a | b", None),
            ("try again in 99999999999999999999 days", None),
            ("", None),
        ];
        for (text, expected) in cases {
            assert_eq!(opens(text), expected, "{text}");
        }
    }

    #[test]
    fn sentences_of_the_programs_have_their_class() {
        let cases = [
            ("Failed to authenticate. API Error: 401 Incorrect API key provided", Outcome::Auth),
            ("Not logged in · Please run /login", Outcome::Auth),
            ("Missing environment variable: `MOCK_KEY`.", Outcome::Auth),
            (r#"{"error":{"code":400,"message":"API key not valid. Please pass one."}} (400)"#, Outcome::Auth),
            ("unexpected status 403 Forbidden: not allowed, url: http://host/v1/responses", Outcome::Auth),
            ("exceeded retry limit, last status: 429 Too Many Requests", Outcome::RateLimited { retry_after_ms: None }),
            ("API Error: Request rejected (429) · Rate limit reached", Outcome::RateLimited { retry_after_ms: None }),
            ("Quota exceeded. Check your plan and billing details.", Outcome::QuotaExhausted),
            ("You've hit your usage limit. Try again at 3:00 PM.", Outcome::QuotaExhausted),
            ("Claude AI usage limit reached|1699999999", Outcome::QuotaExhausted),
            ("Credit balance is too low", Outcome::QuotaExhausted),
            ("We’re currently experiencing high demand, which may cause temporary errors.", Outcome::Overloaded),
            ("unexpected status 529 <unknown status code>: Overloaded, url: http://host", Outcome::Overloaded),
            ("API Error: 500 internal. This is a server-side issue", Outcome::Overloaded),
            ("Connection failed: error sending request", Outcome::Overloaded),
            ("API Error: Connection refused — a firewall may be blocking it (ECONNREFUSED)", Outcome::Overloaded),
            ("Codex ran out of room in the model's context window. Start a new thread", Outcome::ContextTooLong),
            (r#"{"error":{"code":"context_length_exceeded"}}"#, Outcome::ContextTooLong),
            ("Prompt is too long · the request is ~250000 tokens (limit 200000)", Outcome::ContextTooLong),
            ("stream disconnected before completion: Transport error", Outcome::Partial),
            ("API Error: Connection to the API was lost (ECONNRESET).", Outcome::Partial),
            (
                "stream disconnected before completion: idle timeout waiting for SSE",
                Outcome::TimedOut { deadline: Deadline::Idle },
            ),
            ("There's an issue with the selected model (x). It may not exist", Outcome::Rejected),
            ("model: nope", Outcome::Rejected),
            ("Error: Session ID 1111 is already in use.", Outcome::Rejected),
            ("no rollout found for thread id 0000 (code -32600)", Outcome::SessionNotFound),
            (
                "Not inside a trusted directory and --skip-git-repo-check was not specified.",
                Outcome::UntrustedDirectory,
            ),
        ];
        for (text, outcome) in cases {
            assert_eq!(class(None, text), Some(outcome), "{text}");
        }
        assert_eq!(class(None, "something else"), None);
    }

    #[test]
    fn a_status_decides_where_the_words_do_not() {
        assert_eq!(class(Some(503), "something else"), Some(Outcome::Overloaded));
        assert_eq!(class(Some(400), "something else"), Some(Outcome::Rejected));
        assert_eq!(class(Some(400), "Your credit balance is too low"), Some(Outcome::QuotaExhausted));
    }

    #[test]
    fn a_wait_is_read_from_the_words() {
        assert_eq!(class(Some(429), "Please try again in 1.5s."), limited(1_500));
        assert_eq!(class(Some(429), "Please try again in 20 seconds"), limited(20_000));
        assert_eq!(class(Some(429), "Please try again in 350ms."), limited(350));
        assert_eq!(class(Some(429), "Please retry in 7s."), limited(7_000));
        assert_eq!(class(Some(429), "try again in 2 days"), Some(Outcome::RateLimited { retry_after_ms: None }));
        assert_eq!(class(Some(429), "try again in .s"), Some(Outcome::RateLimited { retry_after_ms: None }));
    }

    #[test]
    fn a_number_that_is_no_status_is_none() {
        for text in ["line 404 is wrong", "port 500", "status 99", "errors: 12400", "status 4010"] {
            assert_eq!(status_in(text), None, "{text}");
        }
    }

    #[test]
    fn errors_in_disguise_are_told_from_answers_about_errors() {
        assert_eq!(disguised("API Error: 529 Overloaded."), Some(Outcome::Overloaded));
        assert_eq!(disguised("API Error: whatever comes next year"), Some(Outcome::Overloaded));
        assert_eq!(disguised("Claude AI usage limit reached|1699999999"), Some(Outcome::QuotaExhausted));
        assert_eq!(disguised("Error: rate limit exceeded"), Some(Outcome::RateLimited { retry_after_ms: None }));
        assert_eq!(disguised("Error: the second branch is never taken."), None);
        assert_eq!(disguised("The code answers `API Error: 529` where it should wait."), None);
        assert_eq!(disguised("API Error: 529 is what the handler returns.\nVERDICT: approve"), None);
        assert_eq!(disguised(""), None);
    }

    #[test]
    fn a_detail_is_one_short_line_that_cannot_steer_a_terminal() {
        assert_eq!(detail(" a\n\tb\u{1b}[31m c "), "a b [31m c");
        assert_eq!(detail(&"ä".repeat(1000)).chars().count(), 300);
    }

    #[test]
    fn warnings_are_no_complaint() {
        assert_eq!(complaint("WARNING: one\nError: two\nwarning: three\n\n"), "Error: two");
        assert_eq!(complaint("WARNING: one"), "");
    }
}
