//! What the dialects have in common, and the choice between them.

use std::borrow::Cow;

use baton_port::TurnRequest;
use reqwest::Url;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Serialize;

use super::answer::{Answer, Step, Trouble};
use super::settings::{BuildError, Settings, join};
use super::{Secret, anthropic, gemini, openai, responses};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Responses,
    Anthropic,
    Gemini,
}

/// One message of a conversation.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

/// What OpenAI and those who copied it call a schema.
pub(crate) const SCHEMA_NAME: &str = "answer";

/// The history, and the prompt as the last message.
pub(crate) fn messages(request: &TurnRequest) -> Vec<Message<'_>> {
    let mut messages = Vec::with_capacity(request.history.len() * 2 + 1);
    for exchange in &request.history {
        messages.push(Message { role: "user", content: &exchange.prompt });
        messages.push(Message { role: "assistant", content: &exchange.answer });
    }
    messages.push(Message { role: "user", content: &request.prompt });
    messages
}

impl Dialect {
    pub(crate) fn of_kind(kind: &str) -> Result<Self, BuildError> {
        match kind {
            "openai-chat" => Ok(Self::OpenAi),
            "openai-responses" => Ok(Self::Responses),
            "anthropic" => Ok(Self::Anthropic),
            "gemini" => Ok(Self::Gemini),
            _ => Err(BuildError::Kind(kind.to_owned())),
        }
    }

    /// The values of the setting `reasoning` that switch it on.
    pub(crate) const fn reasoning_names(self) -> &'static [&'static str] {
        match self {
            Self::OpenAi | Self::Responses => &["openai"],
            Self::Anthropic => &["anthropic"],
            Self::Gemini => &["budget", "level"],
        }
    }

    /// Whether this is the vendor's own API, which is known to take a schema.
    pub(crate) fn is_own_host(self, host: &str) -> bool {
        host == match self {
            Self::OpenAi | Self::Responses => "api.openai.com",
            Self::Anthropic => "api.anthropic.com",
            Self::Gemini => "generativelanguage.googleapis.com",
        }
    }

    /// Where a turn is sent.
    pub(crate) fn url(self, settings: &Settings) -> Url {
        let path = match self {
            Self::OpenAi => Cow::Borrowed("/chat/completions"),
            Self::Responses => Cow::Borrowed("/responses"),
            Self::Anthropic => Cow::Borrowed("/v1/messages"),
            Self::Gemini => Cow::Owned(gemini::path(settings)),
        };
        let mut url = join(&settings.base_url, &path);
        // Without it that vendor streams one long array.
        if self == Self::Gemini && settings.stream {
            url.set_query(Some("alt=sse"));
        }
        url
    }

    /// What stands behind the base address for the list of models.
    pub(crate) const fn models_path(self) -> &'static str {
        match self {
            Self::OpenAi | Self::Responses | Self::Gemini => "/models",
            Self::Anthropic => "/v1/models",
        }
    }

    /// The header that carries the key; an error for a key that no header can carry.
    pub(crate) fn key_header(self, key: &Secret) -> Result<(HeaderName, HeaderValue), BuildError> {
        let (name, text) = match self {
            Self::OpenAi | Self::Responses => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            Self::Anthropic => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
            Self::Gemini => (HeaderName::from_static("x-goog-api-key"), key.expose().to_owned()),
        };
        let because = "the key holds characters that no header can carry".to_owned();
        let mut value =
            HeaderValue::try_from(text).map_err(|_| BuildError::Invalid { setting: "key_env".to_owned(), because })?;
        value.set_sensitive(true);
        Ok((name, value))
    }

    pub(crate) fn body(self, settings: &Settings, request: &TurnRequest) -> Result<Vec<u8>, serde_json::Error> {
        match self {
            Self::OpenAi => openai::body(settings, request),
            Self::Responses => responses::body(settings, request),
            Self::Anthropic => anthropic::body(settings, request),
            Self::Gemini => gemini::body(settings, request),
        }
    }

    pub(crate) fn event(self, answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
        match self {
            Self::OpenAi => openai::event(answer, data),
            Self::Responses => responses::event(answer, data),
            Self::Anthropic => anthropic::event(answer, data),
            Self::Gemini => gemini::event(answer, data),
        }
    }

    pub(crate) fn whole(self, answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
        match self {
            Self::OpenAi => openai::whole(answer, body),
            Self::Responses => responses::whole(answer, body),
            Self::Anthropic => anthropic::whole(answer, body),
            Self::Gemini => gemini::whole(answer, body),
        }
    }
}
