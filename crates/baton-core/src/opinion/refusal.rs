//! Texts that stand where an answer should and are none: a service's error, or a model that declines.

/// The longest text that can be one; a longer text that begins like an error is an answer about errors.
const LONGEST: usize = 400;

const APOLOGIES: &[&str] = &[
    "i'm sorry, but ",
    "i am sorry, but ",
    "sorry, but ",
    "sorry, ",
    "i'm sorry. ",
    "unfortunately, ",
    "i apologize, but ",
];
const UNABLE: &[&str] = &[
    "i cannot",
    "i can't",
    "i can not",
    "i am unable to",
    "i'm unable to",
    "i am not able to",
    "i'm not able to",
    "i won't be able to",
    "i will not be able to",
    "i must decline to",
    "i have to decline to",
    "i decline to",
    "we cannot",
    "we are unable to",
];
/// What a member that declines is unable to do. Being unable to find a flaw is a view.
const SERVICES: &[&str] = &[
    "assist",
    "help",
    "comply",
    "fulfil",
    "fulfill",
    "process",
    "continue",
    "answer",
    "provide",
    "complete",
    "do that",
    "do this",
    "discuss",
    "engage",
    "respond",
    "participate",
    "support this",
    "perform",
    "review this",
    "access",
];
const DECLINES: &[&str] = &[
    "as an ai",
    "as a language model",
    "as a large language model",
    "this request violates",
    "i must decline.",
    "request blocked",
    "this content may violate",
];
const ERRORS: &[&str] = &[
    "api error",
    "http error",
    "internal server error",
    "rate limit exceeded",
    "rate limit reached",
    "rate limited",
    "rate_limit",
    "quota exceeded",
    "insufficient_quota",
    "overloaded_error",
    "the model is overloaded",
    "the model is currently overloaded",
    "service unavailable",
    "bad gateway",
    "gateway timeout",
    "connection refused",
    "connection reset",
    "connection error",
    "network error",
    "request timed out",
    "request failed",
    "you have exceeded",
    "you've hit your",
    "you have hit your",
    "you have reached your",
    "you've reached your",
    "usage limit reached",
    "claude ai usage limit",
    "credit balance is too low",
    "your credit balance",
    "invalid api key",
    "invalid_api_key",
    "unauthorized",
    "authentication failed",
    "authentication_error",
    "permission denied",
    "not logged in",
    "please run /login",
    "please log in",
    "context length exceeded",
    "prompt is too long",
    "this model's maximum context",
    "stream error",
    "upstream error",
    "unexpected error",
    "an error occurred",
    "<html",
    "<!doctype",
    "traceback (most recent call last)",
    "no response from",
    "fatal:",
];
/// What follows "error:" when it is a program's and not a reviewer's.
const FAULTS: &[&str] = &[
    "rate",
    "limit",
    "quota",
    "timeout",
    "timed out",
    "connect",
    "network",
    "unauthorized",
    "forbidden",
    "overloaded",
    "api",
    "internal",
    "context",
    "token",
    "401",
    "403",
    "404",
    "408",
    "413",
    "429",
    "500",
    "502",
    "503",
    "504",
    "529",
    "econn",
    "socket",
    "stream",
    "model",
    "login",
];

/// Why a text is no answer; `None` when it may be one.
pub(super) fn of(text: &str) -> Option<&'static str> {
    let plain = text.trim().to_lowercase().replace('\u{2019}', "'");
    if plain.is_empty() || plain.len() > LONGEST {
        return None;
    }
    if fails(&plain) {
        return Some("the answer is an error text");
    }
    declines(&plain).then_some("the answer is a refusal")
}

fn fails(plain: &str) -> bool {
    let code = plain
        .get(..3)
        .is_some_and(|start| start.starts_with(['4', '5']) && start.bytes().all(|byte| byte.is_ascii_digit()));
    let status = code
        && ERRORS
            .iter()
            .chain(&["too many requests", "forbidden", "not found", "error"])
            .any(|error| plain.contains(error));
    let labelled = ["error: ", "error ", "[error]", "{\"error\"", "{\"type\":\"error\""]
        .iter()
        .find_map(|label| plain.strip_prefix(label));
    let fault = labelled.is_some_and(|rest| FAULTS.iter().any(|fault| rest.contains(fault)) && rest.len() < 200);
    status || fault || ERRORS.iter().any(|error| plain.starts_with(error))
}

fn declines(plain: &str) -> bool {
    let apology = APOLOGIES.iter().find_map(|apology| plain.strip_prefix(apology));
    let rest = apology.unwrap_or(plain);
    let unable = UNABLE.iter().find_map(|start| rest.strip_prefix(start));
    let serves = |rest: &str| {
        let rest = rest.trim_start();
        SERVICES.iter().any(|service| rest.starts_with(service)) && !rest.starts_with("help noticing")
    };
    unable.is_some_and(serves) || DECLINES.iter().any(|start| rest.starts_with(start))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn errors_and_refusals_are_no_answers() {
        for text in [
            "API Error: 529 {\"type\":\"error\",\"error\":{\"type\":\"overloaded_error\"}}",
            "Error: rate limit exceeded, retry after 20s",
            "429 Too Many Requests",
            "503 Service Unavailable",
            "<html><body>502 Bad Gateway</body></html>",
            "You've hit your usage limit. Upgrade to continue.",
            "{\"error\":{\"message\":\"model not found\"}}",
            "Invalid API key \u{b7} Please run /login",
        ] {
            assert_eq!(of(text), Some("the answer is an error text"), "{text}");
        }
        for text in [
            "I cannot assist with this.",
            "I\u{2019}m sorry, but I can\u{2019}t help with that request.",
            "As an AI, I have no opinion.",
            "I am unable to provide a security review.",
        ] {
            assert_eq!(of(text), Some("the answer is a refusal"), "{text}");
        }
    }

    #[test]
    fn answers_about_errors_stay_answers() {
        for text in [
            "I cannot make it disclose anything.",
            "I am unable to find a flaw.",
            "I can't see that it breaks anyone.",
            "Error handling is missing in the loop.",
            "Rate limiting looks right.",
            "400 lines is too long for one function.",
            "Error: the second branch is never reached.",
            "",
        ] {
            assert_eq!(of(text), None, "{text}");
        }
    }
}
