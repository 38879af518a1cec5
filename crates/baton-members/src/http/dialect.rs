//! What the dialects have in common, and the choice between them.

use baton_port::TurnRequest;
use reqwest::header::{AUTHORIZATION, HeaderName, HeaderValue};
use serde::Serialize;

use super::answer::{Answer, Step, Trouble};
use super::settings::{BuildError, Settings};
use super::{Secret, anthropic, openai};

/// A wire format.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Dialect {
    OpenAi,
    Anthropic,
}

/// One message of a conversation.
#[derive(Serialize)]
pub(crate) struct Message<'a> {
    role: &'static str,
    content: &'a str,
}

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
            "anthropic" => Ok(Self::Anthropic),
            _ => Err(BuildError::Kind(kind.to_owned())),
        }
    }

    /// The value of the setting `reasoning` that switches it on.
    pub(crate) const fn reasoning_name(self) -> &'static str {
        match self {
            Self::OpenAi => "openai",
            Self::Anthropic => "anthropic",
        }
    }

    /// What stands behind the base address for a turn.
    pub(crate) const fn path(self) -> &'static str {
        match self {
            Self::OpenAi => "/chat/completions",
            Self::Anthropic => "/v1/messages",
        }
    }

    /// What stands behind the base address for the list of models.
    pub(crate) const fn models_path(self) -> &'static str {
        match self {
            Self::OpenAi => "/models",
            Self::Anthropic => "/v1/models",
        }
    }

    /// The header that carries the key; an error for a key that no header can carry.
    pub(crate) fn key_header(self, key: &Secret) -> Result<(HeaderName, HeaderValue), BuildError> {
        let (name, text) = match self {
            Self::OpenAi => (AUTHORIZATION, format!("Bearer {}", key.expose())),
            Self::Anthropic => (HeaderName::from_static("x-api-key"), key.expose().to_owned()),
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
            Self::Anthropic => anthropic::body(settings, request),
        }
    }

    pub(crate) fn event(self, answer: &mut Answer, data: &[u8]) -> Result<Step, Trouble> {
        match self {
            Self::OpenAi => openai::event(answer, data),
            Self::Anthropic => anthropic::event(answer, data),
        }
    }

    pub(crate) fn whole(self, answer: &mut Answer, body: &[u8]) -> Result<(), Trouble> {
        match self {
            Self::OpenAi => openai::whole(answer, body),
            Self::Anthropic => anthropic::whole(answer, body),
        }
    }
}
