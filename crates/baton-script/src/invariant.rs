//! What every request must satisfy, whatever the script answers.

use serde::de::IgnoredAny;
use serde::{Deserialize, Serialize};

use crate::dialect::Dialect;
use crate::http::Request;
use crate::schema::Fields;

/// Something in a request that a real vendor refuses, or that must never be done.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Violation {
    /// Number of the request, as in [`crate::Recorded::number`].
    pub request: u64,
    pub kind: ViolationKind,
}

/// The invariants, by what breaks them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ViolationKind {
    /// The bytes are not HTTP, or break off.
    MalformedHttp,
    /// The body is not JSON.
    InvalidJson,
    /// The body is JSON, but a field that every call has is of another type.
    UnexpectedShape,
    /// `model` is absent or empty.
    ModelMissing,
    /// `messages` (or `input`, or `contents`) is absent or empty.
    MessagesEmpty,
    /// `max_tokens` is absent from an Anthropic call.
    MaxTokensMissing,
    /// There is no key: neither `authorization: Bearer …` nor `x-api-key` nor `x-goog-api-key`.
    KeyMissing,
    /// An Anthropic call without `anthropic-version`.
    VersionMissing,
    /// A Gemini stream without `alt=sse`, which would come as one long array.
    AltMissing,
    /// The answer is held to a schema that the vendor refuses, or in a form that it does not know.
    SchemaRefused,
    /// The content type is not JSON.
    ContentTypeNotJson,
    /// The key, or a parameter that is named like one, stands in the URL.
    KeyInUrl,
    /// No rule of the script matches.
    NoRule,
}

/// What the server needs of a body; read once, everything else is skipped without being kept.
#[derive(Debug, Default, Deserialize)]
pub(crate) struct Body {
    #[serde(default)]
    pub(crate) model: Option<String>,
    #[serde(default)]
    pub(crate) stream: Option<bool>,
    #[serde(default)]
    stream_options: Option<StreamOptions>,
    #[serde(default)]
    messages: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    contents: Option<Vec<IgnoredAny>>,
    #[serde(default)]
    input: Option<Input>,
    #[serde(default)]
    max_tokens: Option<u64>,
    #[serde(flatten)]
    pub(crate) form: Fields,
}

#[derive(Debug, Deserialize)]
struct StreamOptions {
    #[serde(default)]
    include_usage: Option<bool>,
}

/// The Responses dialect takes a text or a list.
#[derive(Debug, Deserialize)]
#[serde(untagged)]
enum Input {
    Text(String),
    Items(Vec<IgnoredAny>),
}

impl Body {
    /// Reads a body; one that cannot be read counts as empty.
    pub(crate) fn read(bytes: &[u8]) -> (Self, Option<ViolationKind>) {
        match serde_json::from_slice(bytes) {
            Ok(body) => (body, None),
            Err(_) if serde_json::from_slice::<IgnoredAny>(bytes).is_ok() => {
                (Self::default(), Some(ViolationKind::UnexpectedShape))
            }
            Err(_) => (Self::default(), Some(ViolationKind::InvalidJson)),
        }
    }

    /// Takes from the address what Gemini says there.
    pub(crate) fn read_address(&mut self, path: &str) {
        let Some((model, verb)) = path.rsplit('/').next().and_then(|last| last.split_once(':')) else { return };
        self.model = Some(model.to_owned());
        self.stream = Some(verb == "streamGenerateContent");
    }

    pub(crate) fn include_usage(&self) -> bool {
        self.stream_options.as_ref().and_then(|options| options.include_usage).unwrap_or(false)
    }

    fn says_nothing(&self, dialect: Dialect) -> bool {
        match (dialect, &self.input) {
            (Dialect::Responses, Some(Input::Text(text))) => text.is_empty(),
            (Dialect::Responses, Some(Input::Items(items))) => items.is_empty(),
            (Dialect::Responses, None) => true,
            (Dialect::Gemini, _) => self.contents.as_ref().is_none_or(Vec::is_empty),
            _ => self.messages.as_ref().is_none_or(Vec::is_empty),
        }
    }
}

/// Whether calls need a key.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Door {
    Open,
    Keyed,
}

/// Violations in what every request has: key and URL.
pub(crate) fn of_any(request: &Request, door: Door) -> Vec<ViolationKind> {
    let mut found = Vec::new();
    let key = key(request);
    if door == Door::Keyed && key.is_none() {
        found.push(ViolationKind::KeyMissing);
    }
    let leaked = key.is_some_and(|key| key.len() >= 4 && request.target.contains(key));
    if leaked || request.query().split('&').any(is_named_like_a_key) {
        found.push(ViolationKind::KeyInUrl);
    }
    found
}

/// Violations in a call with a body.
pub(crate) fn of_call(
    request: &Request,
    dialect: Dialect,
    body: &Body,
    unread: Option<ViolationKind>,
    needs_limit: Limit,
) -> Vec<ViolationKind> {
    let content_type = request.header("content-type").unwrap_or_default();
    let media_type = content_type.split(';').next().unwrap_or_default().trim();
    let mut found = Vec::new();
    if !media_type.eq_ignore_ascii_case("application/json") {
        found.push(ViolationKind::ContentTypeNotJson);
    }
    if dialect == Dialect::Messages && request.header("anthropic-version").is_none() {
        found.push(ViolationKind::VersionMissing);
    }
    let asks_for_events = request.query().split('&').any(|parameter| parameter == "alt=sse");
    if dialect == Dialect::Gemini && body.stream == Some(true) && !asks_for_events {
        found.push(ViolationKind::AltMissing);
    }
    if let Some(kind) = unread {
        found.push(kind);
        return found;
    }
    if body.model.as_ref().is_none_or(String::is_empty) {
        found.push(ViolationKind::ModelMissing);
    }
    if body.says_nothing(dialect) {
        found.push(ViolationKind::MessagesEmpty);
    }
    if body.form.is_refused(dialect) {
        found.push(ViolationKind::SchemaRefused);
    }
    let limited = dialect != Dialect::Messages || body.max_tokens.is_some();
    if needs_limit == Limit::Needed && !limited {
        found.push(ViolationKind::MaxTokensMissing);
    }
    found
}

/// Whether an Anthropic call must name its limit of output tokens; a count of tokens need not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Limit {
    Needed,
    Free,
}

fn key(request: &Request) -> Option<&str> {
    let bearer = request.header("authorization").and_then(|value| {
        let (scheme, token) = value.split_once(' ')?;
        scheme.eq_ignore_ascii_case("bearer").then(|| token.trim())
    });
    let own = || request.header("x-api-key").or_else(|| request.header("x-goog-api-key"));
    bearer.or_else(own).filter(|key| !key.is_empty())
}

fn is_named_like_a_key(parameter: &str) -> bool {
    let name = parameter.split('=').next().unwrap_or_default().to_ascii_lowercase();
    ["key", "api_key", "api-key", "apikey", "x-api-key", "token", "access_token"].contains(&name.as_str())
}
