//! One seat behind an HTTP API.

use std::sync::Arc;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_port::{Availability, BoxFuture, Channel, SessionUse, Turn, TurnRequest};
use reqwest::header::{ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Url};

use super::dialect::Dialect;
use super::exchange::Exchange;
use super::settings::Settings;
use super::{BuildError, Client, Secret, anthropic, probe};

/// The channel of the kinds `openai-chat`, `openai-responses`, `anthropic` and `gemini`; the module's documentation says what holds.
#[derive(Debug)]
pub struct HttpChannel {
    pub(crate) settings: Settings,
    pub(crate) key: Option<Secret>,
    pub(crate) client: Arc<Client>,
    /// Where turns are sent.
    pub(crate) url: Url,
    /// Those of every request; the key's is marked, so that `Debug` does not show it.
    pub(crate) headers: HeaderMap,
}

impl HttpChannel {
    /// Reads the member's settings; nothing is connected or looked up.
    ///
    /// # Errors
    /// A setting that is missing, unknown or not allowed; a key that no header can carry.
    pub fn new(member: &Member, key: Option<Secret>, client: Arc<Client>) -> Result<Self, BuildError> {
        let settings = Settings::read(member)?;
        let key = key.filter(|key| !key.is_empty());
        let headers = headers(settings.dialect, key.as_ref())?;
        let url = settings.dialect.url(&settings);
        Ok(Self { settings, key, client, url, headers })
    }

    /// The variable that should hold a key and does not.
    pub(crate) fn missing_key(&self) -> Option<&str> {
        match &self.key {
            None if !self.settings.local => self.settings.key_env.as_deref(),
            _ => None,
        }
    }

    /// Why the turn is not even tried.
    fn refusal(&self, request: &TurnRequest) -> Option<Turn> {
        if request.cancel.is_requested() {
            return Some(Turn::failed(Outcome::Cancelled, "cancelled before it was sent"));
        }
        if let Some(variable) = self.missing_key() {
            return Some(Turn::failed(Outcome::Auth, format!("{variable} is not set")));
        }
        let resumes = matches!(request.session, SessionUse::Resume { .. });
        (resumes && request.history.is_empty())
            .then(|| Turn::failed(Outcome::SessionNotFound, "an API keeps no conversation, and no history was given"))
    }

    async fn ask(&self, request: &TurnRequest) -> Turn {
        if let Some(turn) = self.refusal(request) {
            return turn;
        }
        let body = match self.settings.dialect.body(&self.settings, request) {
            Ok(body) => body,
            Err(error) => return Turn::failed(Outcome::Rejected, format!("the request cannot be written: {error}")),
        };
        let mut call = Request::new(Method::POST, self.url.clone());
        *call.headers_mut() = self.headers.clone();
        *call.body_mut() = Some(body.into());
        Exchange::new(self, request).run(call).await
    }
}

impl Channel for HttpChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(probe::probe(self))
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.ask(request))
    }
}

fn headers(dialect: Dialect, key: Option<&Secret>) -> Result<HeaderMap, BuildError> {
    let mut headers = HeaderMap::with_capacity(4);
    headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
    // What comes compressed cannot be capped by what arrives.
    headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
    if dialect == Dialect::Anthropic {
        headers.insert(HeaderName::from_static("anthropic-version"), HeaderValue::from_static(anthropic::VERSION));
    }
    if let Some(key) = key {
        let (name, value) = dialect.key_header(key)?;
        headers.insert(name, value);
    }
    Ok(headers)
}
