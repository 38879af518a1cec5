//! The settings of an HTTP seat, read once and checked.

use std::net::IpAddr;

use baton_core::member::{Effort, Member, Payer};
use baton_core::opinion::AnswerSchema;
use baton_port::TurnRequest;
use reqwest::Url;

use super::dialect::Dialect;
use super::gemini::{Thinking, is_model_name};

/// Why a seat cannot be built. Names the setting, never its secret parts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BuildError {
    #[error(
        "channel kind `{0}` is not spoken over HTTP; the kinds are `openai-chat`, `openai-responses`, `anthropic` and `gemini`"
    )]
    Kind(String),
    #[error("setting `{0}` is missing")]
    Missing(&'static str),
    #[error("setting `{setting}`: {because}")]
    Invalid { setting: String, because: String },
}

fn invalid(setting: &str, because: impl Into<String>) -> BuildError {
    BuildError::Invalid { setting: setting.to_owned(), because: because.into() }
}

/// What Anthropic is told when nothing is set: it must be told something.
pub(crate) const DEFAULT_OUTPUT_TOKENS: u64 = 16_000;

/// What one seat is asked with.
#[derive(Clone, Debug)]
pub(crate) struct Settings {
    pub(crate) dialect: Dialect,
    pub(crate) base_url: Url,
    pub(crate) key_env: Option<String>,
    pub(crate) model: String,
    pub(crate) effort: Option<Effort>,
    pub(crate) stream: bool,
    pub(crate) stream_usage: bool,
    pub(crate) max_output_tokens: Option<u64>,
    pub(crate) max_tokens_field: MaxTokensField,
    pub(crate) reasoning: bool,
    /// For Gemini: how an effort is told.
    pub(crate) thinking: Thinking,
    pub(crate) local: bool,
    /// The API is held to the form that a turn asks for.
    pub(crate) structured: bool,
}

/// Under which name a chat server takes the limit of output tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum MaxTokensField {
    MaxTokens,
    MaxCompletionTokens,
}

impl Settings {
    pub(crate) fn read(member: &Member) -> Result<Self, BuildError> {
        let dialect = Dialect::of_kind(&member.channel.kind)?;
        let model = member.model.clone().filter(|model| !model.is_empty()).ok_or(BuildError::Missing("model"))?;
        let base_url = member.channel.settings.get("base_url").ok_or(BuildError::Missing("base_url"))?;
        let base_url = checked_url(base_url).map_err(|because| invalid("base_url", because))?;
        if dialect == Dialect::Gemini && !is_model_name(&model) {
            return Err(invalid("model", "is put into an address and takes only letters, digits, `-`, `_` and `.`"));
        }
        let is_openai = base_url.host_str() == Some("api.openai.com");
        let mut settings = Self {
            dialect,
            base_url,
            key_env: None,
            thinking: Thinking::of_model(&model),
            model,
            effort: member.effort,
            stream: true,
            stream_usage: true,
            max_output_tokens: None,
            max_tokens_field: if is_openai { MaxTokensField::MaxCompletionTokens } else { MaxTokensField::MaxTokens },
            reasoning: member.effort.is_some(),
            local: member.payer == Payer::Local,
            structured: false,
        };
        for (name, value) in &member.channel.settings {
            settings.take(name, value).map_err(|because| invalid(name, because))?;
        }
        Ok(settings)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        match name {
            "base_url" => {}
            "key_env" => self.key_env = Some(value.to_owned()),
            "stream" => self.stream = one_of(value, &[("true", true), ("false", false)])?,
            "stream_options" => self.stream_usage = one_of(value, &[("true", true), ("false", false)])?,
            "max_output_tokens" => self.max_output_tokens = Some(positive(value)?),
            "max_tokens_field" => {
                self.max_tokens_field = one_of(
                    value,
                    &[
                        ("max_tokens", MaxTokensField::MaxTokens),
                        ("max_completion_tokens", MaxTokensField::MaxCompletionTokens),
                    ],
                )?;
            }
            "reasoning" => self.take_reasoning(value)?,
            "structured" => {
                let own = self.dialect.is_own_host(self.base_url.host_str().unwrap_or_default());
                self.structured = one_of(value, &[("auto", own), ("on", true), ("off", false)])?;
            }
            _ => return Err("is not known to this kind of channel".to_owned()),
        }
        Ok(())
    }

    /// The form to hold the API to in this turn.
    pub(crate) fn schema<'a>(&self, request: &'a TurnRequest) -> Option<&'a AnswerSchema> {
        request.schema.as_ref().filter(|_| self.structured)
    }

    fn take_reasoning(&mut self, value: &str) -> Result<(), String> {
        let on = self.dialect.reasoning_names().iter().map(|name| (*name, true));
        let known: Vec<_> = on.chain([("none", false)]).collect();
        self.reasoning = one_of(value, &known)?;
        match value {
            "budget" => self.thinking = Thinking::Budget,
            "level" => self.thinking = Thinking::Level,
            _ => {}
        }
        Ok(())
    }
}

fn one_of<T: Copy>(value: &str, known: &[(&str, T)]) -> Result<T, String> {
    let found = known.iter().find(|(name, _)| *name == value).map(|(_, meaning)| *meaning);
    found.ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        format!("takes one of: {}", names.join(", "))
    })
}

fn positive(value: &str) -> Result<u64, String> {
    value.parse().ok().filter(|number| *number > 0).ok_or_else(|| "takes a whole number above zero".to_owned())
}

/// An address that a key may be sent to: encrypted, or on this machine; without anything that belongs elsewhere.
pub(crate) fn checked_url(text: &str) -> Result<Url, String> {
    let url = Url::parse(text).map_err(|error| format!("is no address: {error}"))?;
    if !url.username().is_empty() || url.password().is_some() {
        return Err("must not hold a user or a password; a key is given by `key_env`".to_owned());
    }
    if url.query().is_some() || url.fragment().is_some() {
        return Err("must not hold a query or a fragment".to_owned());
    }
    match (url.scheme(), url.host_str()) {
        (_, None) => Err("names no host".to_owned()),
        ("https", Some(_)) => Ok(url),
        ("http", Some(_)) if is_loopback(&url) => Ok(url),
        ("http", Some(host)) => {
            Err(format!("plain http to `{host}` would show key and text to the network; use https, or a local address"))
        }
        (scheme, Some(_)) => Err(format!("scheme `{scheme}` is not spoken; use https, or http on this machine")),
    }
}

/// Whether the host is this machine by its name alone: no name is looked up.
pub(crate) fn is_loopback(url: &Url) -> bool {
    let host = url.host_str().unwrap_or_default();
    let address = host.trim_start_matches('[').trim_end_matches(']').parse::<IpAddr>();
    host == "localhost" || address.is_ok_and(|address| address.is_loopback())
}

/// `base` with `path` behind it, whether or not it ends in a slash.
pub(crate) fn join(base: &Url, path: &str) -> Url {
    let mut url = base.clone();
    url.set_path(&format!("{}{path}", base.path().trim_end_matches('/')));
    url
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_encrypted_or_local_addresses_are_taken() {
        for good in [
            "https://api.openai.com/v1",
            "http://127.0.0.1:1/v1",
            "http://[::1]:8/x",
            "http://localhost",
            "http://127.9.9.9",
        ] {
            assert!(checked_url(good).is_ok(), "{good}");
        }
        for (bad, word) in [
            ("http://example.com/v1", "plain http"),
            ("http://192.168.1.5:11434", "plain http"),
            ("http://localhost.example.com", "plain http"),
            ("http://0.0.0.0:1", "plain http"),
            ("https://me:pass@example.com", "password"),
            ("https://me@example.com", "user"),
            ("https://example.com/?key=1", "query"),
            ("ftp://example.com", "scheme"),
            ("file:///etc/passwd", "host"),
            ("example.com", "no address"),
        ] {
            let because = checked_url(bad).unwrap_err();
            assert!(because.contains(word), "{bad}: {because}");
            assert!(!because.contains("pass@"), "{because}");
        }
    }

    #[test]
    fn a_path_is_put_behind_the_base() {
        let base = |text: &str| Url::parse(text).unwrap();
        assert_eq!(join(&base("https://a/v1"), "/models").as_str(), "https://a/v1/models");
        assert_eq!(join(&base("https://a/v1/"), "/models").as_str(), "https://a/v1/models");
        assert_eq!(join(&base("https://a"), "/v1/messages").as_str(), "https://a/v1/messages");
    }
}
