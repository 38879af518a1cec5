//! What the vendors say when they refuse: one row for each status fault.

use super::{Dialect, google};
use crate::fault::Fault;
use crate::template::quoted;

/// A refusal, worded for each vendor.
#[derive(Debug, Clone)]
pub(crate) struct Failure {
    openai: Wording,
    anthropic: Wording,
    google: Wording,
}

#[derive(Debug, Clone)]
pub(super) struct Wording {
    status: u16,
    kind: &'static str,
    /// OpenAI's `code`; empty for null. The others have none.
    code: &'static str,
    message: String,
    /// Google's details: JSON values with commas between them.
    pub(super) details: String,
}

impl Wording {
    pub(super) fn new(status: u16, kind: &'static str, message: &str) -> Self {
        Self { status, kind, code: "", message: message.to_owned(), details: String::new() }
    }
}

fn openai(status: u16, kind: &'static str, code: &'static str, message: &str) -> Wording {
    Wording { code, ..Wording::new(status, kind, message) }
}

fn anthropic(status: u16, kind: &'static str, message: &str) -> Wording {
    Wording::new(status, kind, message)
}

impl Failure {
    /// The words of a status fault; those of a server error for any other.
    pub(crate) fn of(fault: Fault, model: &str) -> Self {
        let (openai, anthropic) = match fault {
            Fault::Unauthorized | Fault::Forbidden | Fault::ModelNotFound => access(fault, model),
            Fault::ContextTooLong => (
                openai(
                    400,
                    "invalid_request_error",
                    "context_length_exceeded",
                    "This model's maximum context length is 128000 tokens. However, your messages resulted in 200001 tokens. Please reduce the length of the messages.",
                ),
                anthropic(400, "invalid_request_error", "prompt is too long: 200001 tokens > 200000 maximum"),
            ),
            Fault::TooLarge => (
                openai(413, "invalid_request_error", "request_too_large", "Request too large."),
                anthropic(413, "request_too_large", "Request exceeds the maximum size"),
            ),
            Fault::RateLimited | Fault::RateLimitedSeconds | Fault::RateLimitedDate => (
                openai(
                    429,
                    "requests",
                    "rate_limit_exceeded",
                    "Rate limit reached for requests. Please try again later.",
                ),
                anthropic(429, "rate_limit_error", "This request would exceed your organization's rate limit."),
            ),
            Fault::InsufficientQuota => (
                openai(
                    429,
                    "insufficient_quota",
                    "insufficient_quota",
                    "You exceeded your current quota, please check your plan and billing details.",
                ),
                anthropic(
                    400,
                    "invalid_request_error",
                    "Your credit balance is too low to access the Anthropic API. Please go to Plans & Billing to upgrade or purchase credits.",
                ),
            ),
            Fault::SchemaRefused => (
                openai(
                    400,
                    "invalid_request_error",
                    "",
                    "Invalid parameter: 'response_format' of type 'json_schema' is not supported with this model.",
                ),
                anthropic(400, "invalid_request_error", "output_config.format: Extra inputs are not permitted"),
            ),
            Fault::Unavailable => (
                openai(503, "server_error", "", "The engine is currently overloaded, please try again later."),
                anthropic(503, "api_error", "Service unavailable"),
            ),
            Fault::Overloaded => (
                openai(529, "overloaded_error", "overloaded", "Overloaded"),
                anthropic(529, "overloaded_error", "Overloaded"),
            ),
            _ => (
                openai(
                    500,
                    "server_error",
                    "",
                    "The server had an error while processing your request. Sorry about that!",
                ),
                anthropic(500, "api_error", "Internal server error"),
            ),
        };
        Self { openai, anthropic, google: google::wording(fault, model) }
    }

    /// The failure that arrives in mid-stream.
    pub(crate) fn in_stream() -> Self {
        Self {
            openai: openai(
                500,
                "server_error",
                "server_error",
                "The server had an error while processing your request. Sorry about that!",
            ),
            anthropic: anthropic(529, "overloaded_error", "Overloaded"),
            google: google::wording(Fault::StreamError, ""),
        }
    }

    /// A request that the server itself cannot serve.
    pub(crate) fn own(status: u16, message: &str) -> Self {
        let kind = if status == 404 { "not_found_error" } else { "invalid_request_error" };
        let google = if status == 404 { "NOT_FOUND" } else { "INVALID_ARGUMENT" };
        Self {
            openai: openai(status, "invalid_request_error", "", message),
            anthropic: anthropic(status, kind, message),
            google: Wording::new(status, google, message),
        }
    }

    /// Says when to try again where the vendor says it in the body.
    pub(crate) fn retrying(mut self, seconds: u64) -> Self {
        let details = &mut self.google.details;
        if !details.is_empty() {
            details.push(',');
        }
        details.push_str(&google::retry_info(seconds));
        self
    }

    pub(crate) fn status(&self, dialect: Dialect) -> u16 {
        self.wording(dialect).status
    }

    /// The values of the templates, as JSON.
    pub(super) fn values(&self, dialect: Dialect, id: u64) -> [(&'static str, String); 7] {
        let wording = self.wording(dialect);
        let or_null = |text: &str| if text.is_empty() { "null".to_owned() } else { quoted(text) };
        let details = match wording.details.as_str() {
            "" => String::new(),
            details => format!(",\n    \"details\": [{details}]"),
        };
        let message = match dialect {
            Dialect::Responses => wording.message.replace("'response_format'", "'text.format'"),
            _ => wording.message.clone(),
        };
        let param = match (wording.code, dialect) {
            ("context_length_exceeded", Dialect::Responses) => "input",
            ("context_length_exceeded", _) => "messages",
            _ => "",
        };
        [
            ("message", quoted(&message)),
            ("type", quoted(wording.kind)),
            ("param", or_null(param)),
            ("code", or_null(wording.code)),
            ("id", format!("{id:06}")),
            ("status", wording.status.to_string()),
            ("details", details),
        ]
    }

    const fn wording(&self, dialect: Dialect) -> &Wording {
        match dialect {
            Dialect::Chat | Dialect::Responses => &self.openai,
            Dialect::Messages => &self.anthropic,
            Dialect::Gemini => &self.google,
        }
    }
}

/// The failures that no later try can heal.
fn access(fault: Fault, model: &str) -> (Wording, Wording) {
    match fault {
        Fault::Unauthorized => (
            openai(
                401,
                "invalid_request_error",
                "invalid_api_key",
                "Incorrect API key provided. You can find your API key at https://platform.openai.com/account/api-keys.",
            ),
            anthropic(401, "authentication_error", "invalid x-api-key"),
        ),
        Fault::Forbidden => (
            openai(
                403,
                "invalid_request_error",
                "missing_scope",
                "You have insufficient permissions for this operation.",
            ),
            anthropic(403, "permission_error", "Your API key does not have permission to use the specified resource."),
        ),
        _ => (
            openai(
                404,
                "invalid_request_error",
                "model_not_found",
                &format!("The model `{model}` does not exist or you do not have access to it."),
            ),
            anthropic(404, "not_found_error", &format!("model: {model}")),
        ),
    }
}
