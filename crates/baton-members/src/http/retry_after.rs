//! When a vendor says that it can be asked again, in milliseconds from its answer.
//!
//! No clock is read: dates are compared with the answer's own `date`, and say nothing without it.

use reqwest::header::HeaderMap;

const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads `retry-after-ms`, then `retry-after`, then the resets of used-up limits. A `retry-after` that cannot be
/// understood is not replaced by a reset, which may be much sooner.
pub(crate) fn wait(headers: &HeaderMap) -> Option<u64> {
    let text = |name: &str| headers.get(name).and_then(|value| value.to_str().ok()).map(str::trim);
    let now = text("date").and_then(http_date);
    let milliseconds = text("retry-after-ms").and_then(number).map(|value| value as u64);
    milliseconds.or_else(|| match text("retry-after") {
        Some(value) => retry_after(value, now),
        None => resets(&text, now),
    })
}

fn retry_after(value: &str, now: Option<u64>) -> Option<u64> {
    number(value).map(|seconds| (seconds * 1e3) as u64).or_else(|| until(http_date(value)?, now))
}

/// The longest of the resets whose limit has nothing left.
fn resets<'a>(text: &impl Fn(&str) -> Option<&'a str>, now: Option<u64>) -> Option<u64> {
    let mut longest = None;
    for kind in ["requests", "tokens", "input-tokens", "output-tokens"] {
        for (left, reset) in [
            (format!("x-ratelimit-remaining-{kind}"), format!("x-ratelimit-reset-{kind}")),
            (format!("anthropic-ratelimit-{kind}-remaining"), format!("anthropic-ratelimit-{kind}-reset")),
        ] {
            if text(&left) == Some("0") {
                longest = longest.max(text(&reset).and_then(|value| reset_in(value, now)));
            }
        }
    }
    longest.or_else(|| text("x-ratelimit-reset").and_then(|value| reset_in(value, now)))
}

/// A reset is a length (`6m0s`, `12ms`, `3`), a date, or seconds or milliseconds since 1970.
fn reset_in(value: &str, now: Option<u64>) -> Option<u64> {
    match number(value) {
        Some(epoch) if epoch >= 1e12 => until(epoch as u64 / 1_000, now),
        Some(epoch) if epoch >= 1e9 => until(epoch as u64, now),
        Some(seconds) => Some((seconds * 1e3) as u64),
        None => length(value).or_else(|| until(rfc3339(value)?, now)),
    }
}

fn until(then: u64, now: Option<u64>) -> Option<u64> {
    Some(then.saturating_sub(now?).saturating_mul(1_000))
}

fn number(text: &str) -> Option<f64> {
    let plain = text.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.');
    plain.then(|| text.parse().ok()).flatten().filter(|value: &f64| value.is_finite())
}

/// `1h2m3.5s` and `12ms`, in milliseconds.
pub(crate) fn length(text: &str) -> Option<u64> {
    let mut total = 0.0;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !(c.is_ascii_digit() || c == '.'))?;
        let amount = number(&rest[..digits])?;
        let unit = rest[digits..].find(|c: char| c.is_ascii_digit()).map_or(rest.len(), |at| digits + at);
        total += amount
            * match &rest[digits..unit] {
                "ms" => 1.0,
                "s" => 1e3,
                "m" => 6e4,
                "h" => 3.6e6,
                "d" => 8.64e7,
                _ => return None,
            };
        rest = &rest[unit..];
    }
    (!text.is_empty()).then_some(total as u64)
}

/// Seconds since 1970 of `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, IMF-fixdate).
fn http_date(text: &str) -> Option<u64> {
    let mut words = text.split_ascii_whitespace().skip(1);
    let day = words.next()?.parse().ok()?;
    let name = words.next()?;
    let month = MONTHS.iter().position(|month| *month == name)? as u64 + 1;
    let year = words.next()?.parse().ok()?;
    let seconds = time_of_day(words.next()?)?;
    (words.next() == Some("GMT")).then_some(())?;
    Some(days(year, month, day)? * 86_400 + seconds)
}

/// Seconds since 1970 of `1994-11-06T08:49:37Z`, with or without a fraction (RFC 3339, UTC only).
fn rfc3339(text: &str) -> Option<u64> {
    let (date, time) = text.strip_suffix('Z')?.split_once('T')?;
    let mut parts = date.split('-').map(|part| part.parse().ok());
    let (year, month, day) = (parts.next()??, parts.next()??, parts.next()??);
    let time = time.split_once('.').map_or(time, |(whole, _)| whole);
    Some(days(year, month, day)? * 86_400 + time_of_day(time)?)
}

fn time_of_day(text: &str) -> Option<u64> {
    let mut parts = text.split(':').map(|part| part.parse::<u64>().ok().filter(|value| *value <= 60));
    let (hour, minute, second) = (parts.next()??, parts.next()??, parts.next()??);
    (hour < 24).then_some(hour * 3_600 + minute * 60 + second)
}

/// Days from 1970 to a civil date (Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
fn days(year: u64, month: u64, day: u64) -> Option<u64> {
    if !(1970..=9999).contains(&year) || !(1..=12).contains(&month) || !(1..=31).contains(&day) {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let year_of_era = year % 400;
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let day_of_era = year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year;
    (year / 400 * 146_097 + day_of_era).checked_sub(719_468)
}

#[cfg(test)]
mod tests {
    use reqwest::header::{HeaderName, HeaderValue};

    use super::*;

    const DATE: (&str, &str) = ("date", "Sun, 06 Nov 1994 08:49:37 GMT");

    fn waits(headers: &[(&str, &str)]) -> Option<u64> {
        let pair = |(name, value): &(&str, &str)| {
            (HeaderName::from_bytes(name.as_bytes()).unwrap(), HeaderValue::from_str(value).unwrap())
        };
        wait(&headers.iter().map(pair).collect())
    }

    #[test]
    fn seconds_and_milliseconds() {
        assert_eq!(waits(&[("retry-after", "2")]), Some(2_000));
        assert_eq!(waits(&[("retry-after", "0.5")]), Some(500));
        assert_eq!(waits(&[("retry-after", "0")]), Some(0));
        assert_eq!(waits(&[("retry-after", "1000000000")]), Some(1_000_000_000_000));
        assert_eq!(waits(&[("retry-after-ms", "250"), ("retry-after", "9")]), Some(250));
        assert_eq!(waits(&[("retry-after", &"9".repeat(400))]), None);
    }

    #[test]
    fn a_date_counts_from_the_answers_own_date() {
        let later = ("retry-after", "Sun, 06 Nov 1994 08:50:07 GMT");
        assert_eq!(waits(&[DATE, later]), Some(30_000));
        assert_eq!(waits(&[later]), None, "no clock of ours is asked");
        assert_eq!(waits(&[DATE, ("retry-after", "Sat, 05 Nov 1994 08:50:07 GMT")]), Some(0));
        assert_eq!(waits(&[DATE, ("retry-after", "Tue, 01 Mar 2000 00:00:00 GMT")]), Some(167_757_023_000));
    }

    #[test]
    fn only_a_used_up_limit_tells_when() {
        let reset = ("x-ratelimit-reset-requests", "1m0.5s");
        assert_eq!(waits(&[("x-ratelimit-remaining-requests", "0"), reset]), Some(60_500));
        assert_eq!(waits(&[("x-ratelimit-remaining-requests", "4"), reset]), None);
        let left = ("anthropic-ratelimit-tokens-remaining", "0");
        let reset = ("anthropic-ratelimit-tokens-reset", "1994-11-06T08:49:40Z");
        assert_eq!(waits(&[DATE, left, reset]), Some(3_000));
        let date = ("date", "Tue, 01 Mar 2005 00:00:00 GMT");
        for epoch in ["1109635205", "1109635205000"] {
            assert_eq!(waits(&[date, ("x-ratelimit-reset", epoch)]), Some(5_000));
        }
    }

    #[test]
    fn nonsense_tells_nothing() {
        for value in
            ["", "soon", "-1", "1e9", "NaN", "Sun, 32 Foo 1994 08:49:37 GMT", "Sun, 06 Nov 1994", "1.2.3", "\u{7f}"]
        {
            if let Ok(value) = HeaderValue::from_str(value) {
                let headers = [("retry-after", value.to_str().unwrap_or(""))];
                assert_eq!(waits(&[DATE, headers[0]]), None, "{value:?}");
            }
        }
        assert_eq!(length("5x"), None);
        assert_eq!(length("m"), None);
        assert_eq!(days(1970, 1, 1), Some(0));
        assert_eq!(days(1969, 12, 31), None);
    }
}
