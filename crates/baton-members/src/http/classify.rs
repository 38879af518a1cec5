//! From a failure to its class: the vendor's own code and words first, the status next.

use std::error::Error;

use baton_core::outcome::Outcome;
use serde_json::Value;

use super::answer::Ending;
use super::retry_after;

/// Codes, types and words of the vendors, all in lower case.
const QUOTA: &[&str] = &[
    "insufficient_quota",
    "billing_hard_limit_reached",
    "billing_not_active",
    "billing_error",
    "insufficient_balance",
    "insufficient_credits",
    "exceeded_current_quota_error",
];
const QUOTA_WORDS: &[&str] = &[
    "credit balance is too low",
    "insufficient balance",
    "insufficient credits",
    "used all available credits",
    "credits are depleted",
];
const CONTEXT: &[&str] =
    &["context_length_exceeded", "request_too_large", "string_above_max_length", "exceed_context_size_error"];
const CONTEXT_WORDS: &[&str] = &[
    "prompt is too long",
    "maximum context length",
    "maximum prompt length",
    "context window",
    "context size",
    "context length",
    "input is too long",
    "maximum number of tokens",
    "request payload size exceeds",
];
const AUTH: &[&str] = &[
    "invalid_api_key",
    "api_key_invalid",
    "authentication_error",
    "permission_error",
    "permission_denied",
    "unauthenticated",
    "unauthorized",
    "missing_scope",
    "unsupported_country_region_territory",
];
const AUTH_WORDS: &[&str] = &["api key not valid", "invalid api key", "incorrect api key", "location is not supported"];
const RATE: &[&str] = &["rate_limit_exceeded", "rate_limit_error", "resource_exhausted", "too_many_requests"];
const OVERLOADED: &[&str] = &[
    "overloaded",
    "overloaded_error",
    "engine_overloaded",
    "server_error",
    "api_error",
    "internal",
    "internal_error",
    "internal_server_error",
    "unavailable",
    "service_unavailable",
    "timeout_error",
    "deadline_exceeded",
    "server_is_overloaded",
    "slow_down",
];
const REFUSED: &[&str] = &["content_filter", "content_policy_violation", "invalid_prompt", "moderation"];

const STRUCTURED_OFF: &str = "set `structured = \"off\"` for this seat";

/// Fields that some servers refuse, and the setting that leaves them out.
const HINTS: &[(&str, &str)] = &[
    ("response_format", STRUCTURED_OFF),
    ("text.format", STRUCTURED_OFF),
    ("output_config", STRUCTURED_OFF),
    ("json_schema", STRUCTURED_OFF),
    ("esponse_mime_type", STRUCTURED_OFF),
    ("esponseJsonSchema", STRUCTURED_OFF),
    ("esponseMimeType", STRUCTURED_OFF),
    ("structured output", STRUCTURED_OFF),
    ("stream_options", "set `stream_options = \"false\"` for this seat"),
    ("reasoning_effort", "set `reasoning = \"none\"` for this seat"),
    ("reasoning.effort", "set `reasoning = \"none\"` for this seat"),
    ("hinking", "set `reasoning` for this seat"),
    ("max_completion_tokens", "set `max_tokens_field` for this seat"),
    ("max_tokens", "set `max_tokens_field` for this seat"),
];

/// An error as a vendor writes it.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VendorError {
    pub(crate) message: String,
    /// Its type and code, in lower case.
    names: Vec<String>,
    /// A status that stands in the body.
    status: Option<u16>,
    /// When the body says that the vendor can be asked again.
    wait: Option<u64>,
}

impl VendorError {
    /// Reads the value of `error`: an object, or only a text.
    pub(crate) fn of_value(error: &Value) -> Self {
        let text = |name: &str| error.get(name).and_then(Value::as_str);
        let own = ["code", "type", "status"].into_iter().filter_map(text);
        let details = Details::of(error);
        let names = own.chain(details.names).map(str::to_lowercase).collect();
        let status = error.get("code").and_then(Value::as_u64).and_then(|code| u16::try_from(code).ok());
        let message = text("message").or(error.as_str()).map_or_else(|| error.to_string(), str::to_owned);
        Self { message, names, status: status.filter(|status| (400..600).contains(status)), wait: details.wait }
    }

    /// Finds an error in a body, in any of the shapes that are in use.
    pub(crate) fn of_body(body: &[u8]) -> Option<Self> {
        let value: Value = serde_json::from_slice(body).ok()?;
        let value = value.get(0).unwrap_or(&value);
        if let Some(error) = value.get("error").filter(|error| !error.is_null()) {
            return Some(Self::of_value(error));
        }
        let message = value.get("message").or_else(|| value.get("detail"))?.as_str()?;
        Some(Self { message: message.to_owned(), ..Self::default() })
    }

    /// Finds an error that stands behind the events of a stream without being one, as Google writes it.
    pub(crate) fn behind_events(body: &[u8]) -> Option<Self> {
        let starts = |two: &[u8]| matches!(two, b"\n{" | b"\n[");
        let start = body.windows(2).rposition(starts).map_or(0, |at| at + 1);
        let value: Value = serde_json::from_slice(&body[start..]).ok()?;
        let error = value.get(0).unwrap_or(&value).get("error").filter(|error| !error.is_null())?;
        Some(Self::of_value(error))
    }

    fn is_named(&self, known: &[&str]) -> bool {
        self.names.iter().any(|name| known.contains(&name.as_str()))
    }

    fn says(&self, words: &[&str]) -> bool {
        let message = self.message.to_lowercase();
        words.iter().any(|word| message.contains(word))
    }

    /// The class by code and words alone, where they tell.
    fn class(&self, wait: Option<u64>) -> Option<Outcome> {
        let class = if self.is_named(QUOTA) || self.says(QUOTA_WORDS) {
            Outcome::QuotaExhausted
        } else if self.is_named(CONTEXT) || self.says(CONTEXT_WORDS) {
            Outcome::ContextTooLong
        } else if self.is_named(AUTH) || self.says(AUTH_WORDS) {
            Outcome::Auth
        } else if self.is_named(RATE) {
            Outcome::RateLimited { retry_after_ms: wait }
        } else if self.is_named(REFUSED) {
            Outcome::Refused
        } else if self.is_named(OVERLOADED) {
            Outcome::Overloaded
        } else {
            return None;
        };
        Some(class)
    }

    /// The class of an error that came as an answer: with status 200, or within a stream.
    pub(crate) fn ending(&self, wait: Option<u64>) -> Ending {
        let wait = wait.or(self.wait);
        let by_status = || self.status.map(|status| by_status(status, Some(self), wait));
        let outcome = self.class(wait).or_else(by_status).unwrap_or(Outcome::Rejected);
        Ending::failed(outcome, self.message.clone())
    }
}

/// What Google tells beside code and words (`google.rpc`, `error_details.proto`).
#[derive(Default)]
struct Details<'a> {
    names: Vec<&'a str>,
    wait: Option<u64>,
}

impl<'a> Details<'a> {
    fn of(error: &'a Value) -> Self {
        let mut details = Self::default();
        for detail in error.get("details").and_then(Value::as_array).into_iter().flatten() {
            let text = |name: &str| detail.get(name).and_then(Value::as_str);
            details.names.extend(text("reason"));
            details.wait = details.wait.or(text("retryDelay").and_then(retry_after::length));
            let violations = detail.get("violations").and_then(Value::as_array).into_iter().flatten();
            let mut limits = violations.filter_map(|violation| violation.get("quotaId")?.as_str());
            // It comes back tomorrow, whatever the delay beside it says.
            if limits.any(|limit| limit.contains("PerDay")) {
                details.names.push("insufficient_quota");
            }
        }
        details
    }
}

/// The class of an answer with an error status. `model` is named where it is not there.
pub(crate) fn refused(status: u16, body: &[u8], wait: Option<u64>, model: &str) -> Ending {
    let error = VendorError::of_body(body);
    let wait = wait.or(error.as_ref().and_then(|error| error.wait));
    let outcome = by_status(status, error.as_ref(), wait);
    let detail = match error {
        None if status == 404 => "nothing is served at this address (status 404); check `base_url`".to_owned(),
        None => format!("status {status} without a readable error"),
        Some(error) if status == 404 => format!("model `{model}` is not there: {}", error.message),
        Some(error) if outcome == Outcome::Rejected => with_hint(error.message),
        Some(error) => error.message,
    };
    Ending::failed(outcome, detail)
}

fn by_status(status: u16, error: Option<&VendorError>, wait: Option<u64>) -> Outcome {
    let class = error.and_then(|error| error.class(wait));
    match (status, class) {
        (402, _) => Outcome::QuotaExhausted,
        (413, _) => Outcome::ContextTooLong,
        (408 | 500.., _) => Outcome::Overloaded,
        (401 | 403 | 429, Some(Outcome::QuotaExhausted)) => Outcome::QuotaExhausted,
        (403, Some(Outcome::Refused)) => Outcome::Refused,
        (401 | 403, _) => Outcome::Auth,
        (404, _) => Outcome::Rejected,
        (429, _) => Outcome::RateLimited { retry_after_ms: wait },
        (_, class) => class.unwrap_or(Outcome::Rejected),
    }
}

fn with_hint(message: String) -> String {
    match HINTS.iter().find(|(field, _)| message.contains(field)) {
        Some((_, hint)) => format!("{hint}: {message}"),
        None => message,
    }
}

/// The class of a request that got no answer at all.
pub(crate) fn unanswered(error: &reqwest::Error, address: &str) -> Ending {
    let cause = root(error);
    if error.is_builder() {
        return Ending::failed(Outcome::Rejected, format!("the request could not be prepared: {cause}"));
    }
    if error.is_connect() && is_about_encryption(error) {
        return Ending::failed(Outcome::NotInstalled, format!("no secure connection to {address}: {cause}"));
    }
    if error.is_connect() {
        return Ending::failed(Outcome::NotInstalled, format!("nothing answers at {address}: {cause}"));
    }
    if is_broken_connection(error) {
        return Ending::failed(Outcome::Overloaded, format!("the connection broke before an answer came: {cause}"));
    }
    Ending::unreadable(format!("the answer is not HTTP as it should be: {cause}"))
}

fn sources(error: &reqwest::Error) -> impl Iterator<Item = &(dyn Error + 'static)> {
    std::iter::successors(error.source(), |cause| Error::source(*cause))
}

fn root(error: &reqwest::Error) -> String {
    sources(error).last().map_or_else(|| error.to_string(), ToString::to_string)
}

/// The cause may be wrapped several times over in errors of input and output, whose source is what is behind the
/// wrapped one.
fn is_about_encryption(error: &reqwest::Error) -> bool {
    sources(error).any(|source| {
        let mut source = source;
        while let Some(inner) = source.downcast_ref::<std::io::Error>().and_then(std::io::Error::get_ref) {
            source = inner;
        }
        source.is::<rustls::Error>()
    })
}

/// The HTTP library tells an early end of the connection only by its words.
fn is_broken_connection(error: &reqwest::Error) -> bool {
    sources(error).any(|source| source.is::<std::io::Error>() || source.to_string().contains("connection closed"))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn class(status: u16, body: &str) -> Outcome {
        refused(status, body.as_bytes(), Some(7), "m-1").outcome
    }

    fn code(code: &str) -> String {
        format!(r#"{{"error":{{"message":"words","type":"t","code":"{code}"}}}}"#)
    }

    #[test]
    fn the_code_goes_before_the_status_where_the_status_is_vague() {
        let limited = Outcome::RateLimited { retry_after_ms: Some(7) };
        for (status, body, wanted) in [
            (400, code("context_length_exceeded"), Outcome::ContextTooLong),
            (400, code("content_filter"), Outcome::Refused),
            (400, code("invalid_api_key"), Outcome::Auth),
            (400, code("nothing_known"), Outcome::Rejected),
            (429, code("insufficient_quota"), Outcome::QuotaExhausted),
            (429, code("context_length_exceeded"), limited.clone()),
            (429, code("rate_limit_exceeded"), limited.clone()),
            (403, code("unsupported_country_region_territory"), Outcome::Auth),
            (401, code("server_error"), Outcome::Auth),
            (500, code("invalid_api_key"), Outcome::Overloaded),
        ] {
            assert_eq!(class(status, &body), wanted, "{status} {body}");
        }
    }

    #[test]
    fn a_status_alone_tells_enough() {
        for (status, wanted) in [
            (402, Outcome::QuotaExhausted),
            (404, Outcome::Rejected),
            (408, Outcome::Overloaded),
            (413, Outcome::ContextTooLong),
            (418, Outcome::Rejected),
            (429, Outcome::RateLimited { retry_after_ms: Some(7) }),
            (502, Outcome::Overloaded),
            (504, Outcome::Overloaded),
            (529, Outcome::Overloaded),
        ] {
            assert_eq!(class(status, "<html>"), wanted, "{status}");
        }
    }

    #[test]
    fn words_are_read_where_there_is_no_code() {
        let said = |words: &str| class(400, &format!(r#"{{"type":"error","error":{{"message":"{words}"}}}}"#));
        assert_eq!(said("prompt is too long: 2 tokens > 1 maximum"), Outcome::ContextTooLong);
        assert_eq!(said("Your credit balance is too low to access"), Outcome::QuotaExhausted);
        assert_eq!(said("API key not valid. Please pass a valid API key."), Outcome::Auth);
        assert_eq!(said("something else"), Outcome::Rejected);
    }

    /// Google's errors; the second value is its details.
    fn google(status: u16, word: &str, details: &str) -> Outcome {
        let body =
            format!(r#"{{"error":{{"code":{status},"message":"words","status":"{word}","details":[{details}]}}}}"#);
        refused(status, body.as_bytes(), None, "m-1").outcome
    }

    #[test]
    fn the_details_of_google_tell_delay_reason_and_quota() {
        let delay = r#"{"@type":"type.googleapis.com/google.rpc.RetryInfo","retryDelay":"45.837906927s"}"#;
        let quota = |id: &str| {
            format!(
                r#"{{"@type":"type.googleapis.com/google.rpc.QuotaFailure","violations":[{{"quotaId":"{id}"}}]}},{delay}"#
            )
        };
        let limited = |retry_after_ms| Outcome::RateLimited { retry_after_ms };
        let reason = r#"{"@type":"type.googleapis.com/google.rpc.ErrorInfo","reason":"API_KEY_INVALID"}"#;
        for (status, word, details, wanted) in [
            (429, "RESOURCE_EXHAUSTED", "", limited(None)),
            (429, "RESOURCE_EXHAUSTED", delay, limited(Some(45_837))),
            (429, "RESOURCE_EXHAUSTED", &quota("GenerateRequestsPerMinutePerProject"), limited(Some(45_837))),
            (429, "RESOURCE_EXHAUSTED", &quota("GenerateRequestsPerDayPerProject"), Outcome::QuotaExhausted),
            (429, "RESOURCE_EXHAUSTED", r#"{"retryDelay":"soon"},7,{"violations":[1]}"#, limited(None)),
            (400, "INVALID_ARGUMENT", reason, Outcome::Auth),
            (401, "UNAUTHENTICATED", "", Outcome::Auth),
            (403, "PERMISSION_DENIED", "", Outcome::Auth),
            (400, "INVALID_ARGUMENT", "", Outcome::Rejected),
            (503, "UNAVAILABLE", "", Outcome::Overloaded),
            (504, "DEADLINE_EXCEEDED", "", Outcome::Overloaded),
        ] {
            assert_eq!(google(status, word, details), wanted, "{status} {word} {details}");
        }
        let header = refused(429, format!(r#"{{"error":{{"details":[{delay}]}}}}"#).as_bytes(), Some(7), "m-1");
        assert_eq!(header.outcome, limited(Some(7)), "a header goes before the body");
    }

    #[test]
    fn words_of_google_are_read() {
        let said =
            |words: &str| class(400, &format!(r#"{{"error":{{"message":"{words}","status":"INVALID_ARGUMENT"}}}}"#));
        let tokens = "The input token count (1200293) exceeds the maximum number of tokens allowed (1048576).";
        assert_eq!(said(tokens), Outcome::ContextTooLong);
        assert_eq!(said("Request payload size exceeds the limit: 20971520 bytes."), Outcome::ContextTooLong);
        assert_eq!(said("User location is not supported for the API use."), Outcome::Auth);
        let body = r#"{"error":{"message":"Thinking level is not supported for this model."}}"#;
        assert!(refused(400, body.as_bytes(), None, "m-1").detail.starts_with("set `reasoning` for this seat: "));
    }

    #[test]
    fn an_error_behind_events_is_found_and_nothing_else_is_taken_for_one() {
        let behind = |body: &str| VendorError::behind_events(body.as_bytes()).map(|error| error.message);
        assert_eq!(behind("data: {}\n\n{\n  \"error\": {\n    \"message\": \"m\"\n  }\n}\n").as_deref(), Some("m"));
        assert_eq!(behind("[{\n  \"error\": \"m\"}\n]").as_deref(), Some("m"));
        for body in
            ["", "data: {\"error\":\"m\"}\n\n", "\n{\"not\":\"an event\"}\n", "{\"error\":null}", "\n{\"error\":"]
        {
            assert_eq!(behind(body), None, "{body}");
        }
    }

    #[test]
    fn every_shape_of_an_error_is_read() {
        for body in [
            r#"{"error":"words"}"#,
            r#"[{"error":{"message":"words"}}]"#,
            r#"{"message":"words"}"#,
            r#"{"detail":"words"}"#,
        ] {
            assert_eq!(VendorError::of_body(body.as_bytes()).unwrap().message, "words", "{body}");
        }
        for body in ["", "[]", "7", r#"{"error":null}"#, r#"{"detail":[1]}"#, &"[".repeat(10_000)] {
            assert_eq!(VendorError::of_body(body.as_bytes()), None);
        }
    }

    #[test]
    fn an_error_within_an_answer_is_classified_by_its_code() {
        let ending = |body: &str| VendorError::of_body(body.as_bytes()).unwrap().ending(None).outcome;
        assert_eq!(ending(&code("server_error")), Outcome::Overloaded);
        assert_eq!(ending(r#"{"error":{"message":"w","code":429}}"#), Outcome::RateLimited { retry_after_ms: None });
        assert_eq!(ending(r#"{"error":{"message":"w","code":502}}"#), Outcome::Overloaded);
        assert_eq!(ending(r#"{"error":{"message":"w","code":1}}"#), Outcome::Rejected);
    }

    #[test]
    fn details_name_the_model_or_the_setting() {
        let body = code("model_not_found");
        assert_eq!(refused(404, body.as_bytes(), None, "m-1").detail, "model `m-1` is not there: words");
        let body = r#"{"error":{"message":"Unknown field: stream_options"}}"#;
        let detail = refused(400, body.as_bytes(), None, "m-1").detail;
        assert_eq!(detail, "set `stream_options = \"false\"` for this seat: Unknown field: stream_options");
    }
}
