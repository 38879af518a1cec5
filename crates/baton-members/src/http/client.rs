//! The connections of the whole process.

use std::fmt;
use std::sync::OnceLock;
use std::time::Duration;

use reqwest::redirect::Policy;
use reqwest::{Request, Response, Url};

use super::settings::is_loopback;

const USER_AGENT: &str = concat!("baton/", env!("CARGO_PKG_VERSION"));

/// How long a connection without work is kept: short of the minute after which many servers close it.
const KEEP_IDLE: Duration = Duration::from_secs(45);

/// Pooled connections. Make one a process and share it.
///
/// Nothing is built before the first request. Requests in plain text never load certificates; those to this machine
/// never go through a proxy; others use the system's proxy settings. Redirects are not followed, nothing is sent
/// twice, no cookie is kept, and no body is decompressed.
#[derive(Default)]
pub struct Client {
    plain: OnceLock<reqwest::Client>,
    secure: OnceLock<reqwest::Client>,
    secure_local: OnceLock<reqwest::Client>,
}

impl Client {
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// Sends one request. The answer's body is still to be read.
    ///
    /// # Errors
    /// What kept an answer's head from coming.
    pub(crate) async fn send(&self, request: Request) -> Result<Response, reqwest::Error> {
        self.of(request.url())?.execute(request).await
    }

    fn of(&self, url: &Url) -> Result<&reqwest::Client, reqwest::Error> {
        let (cell, build): (_, fn() -> Result<reqwest::Client, reqwest::Error>) =
            match (url.scheme() == "https", is_loopback(url)) {
                // Without certificates of its own it can reach nothing by https, and needs none from the disk.
                (false, _) => (&self.plain, || builder().no_proxy().tls_certs_only([]).build()),
                (true, true) => (&self.secure_local, || builder().no_proxy().build()),
                (true, false) => (&self.secure, || builder().build()),
            };
        match cell.get() {
            Some(built) => Ok(built),
            // Two may build at once; the first one stays.
            None => {
                let built = build()?;
                Ok(cell.get_or_init(|| built))
            }
        }
    }
}

impl fmt::Debug for Client {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter
            .debug_struct("Client")
            .field("plain", &self.plain.get().is_some())
            .field("secure", &self.secure.get().is_some())
            .field("secure_local", &self.secure_local.get().is_some())
            .finish()
    }
}

fn builder() -> reqwest::ClientBuilder {
    if rustls::crypto::CryptoProvider::get_default().is_none() {
        // An error says that another thread was faster with it.
        let _ = rustls::crypto::ring::default_provider().install_default();
    }
    reqwest::Client::builder()
        .user_agent(USER_AGENT)
        .redirect(Policy::none())
        .retry(reqwest::retry::never())
        .referer(false)
        .tcp_nodelay(true)
        .pool_idle_timeout(KEEP_IDLE)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_plain_request_builds_no_client_with_certificates() {
        let client = Client::new();
        assert!(client.of(&Url::parse("http://127.0.0.1:1").unwrap()).is_ok());
        assert!(client.plain.get().is_some());
        assert!(client.secure.get().is_none() && client.secure_local.get().is_none());
    }
}
