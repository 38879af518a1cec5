//! Finding out, free of cost, whether a seat can be asked.

use std::time::Duration;

use baton_port::Availability;
use reqwest::header::HeaderMap;
use reqwest::{Method, Request, Url};
use serde::Deserialize;

use super::Client;
use super::channel::HttpChannel;
use super::settings::{checked_url, join};

/// For a server on this machine; one that has not answered by then does not run.
const LIMIT: Duration = Duration::from_millis(300);

/// Bytes of a list of models.
const LONGEST_LIST: usize = 1 << 20;

#[derive(Deserialize)]
struct Models {
    /// Null where there is none; Google has another name for it.
    #[serde(alias = "models")]
    data: Option<Vec<Model>>,
}

#[derive(Deserialize)]
struct Model {
    #[serde(alias = "name")]
    id: String,
}

/// A vendor is never called: a key is all that can be known for free. A server that nobody pays for is asked for its
/// models.
pub(super) async fn probe(channel: &HttpChannel) -> Availability {
    if let Some(variable) = channel.missing_key() {
        return Availability::NotReady {
            because: format!("{variable} is not set"),
            mend: format!("Set {variable} to your API key."),
        };
    }
    if !channel.settings.local {
        return Availability::Ready { version: None };
    }
    let url = join(&channel.settings.base_url, channel.settings.dialect.models_path());
    match models(&channel.client, url, channel.headers.clone(), LIMIT).await {
        Some(_) => Availability::Ready { version: None },
        None => Availability::NotReady {
            because: format!("no model server answers at {}", channel.settings.base_url),
            mend: "Start the server, or set `base_url` to where it listens.".to_owned(),
        },
    }
}

/// The ids of the models that an OpenAI compatible server at `base_url` lists; `None` when there is no such server, or
/// when it does not answer within `limit`. Sends no key. Addresses that a seat may not have are not asked.
pub async fn local_models(client: &Client, base_url: &str, limit: Duration) -> Option<Vec<String>> {
    let base = checked_url(base_url).ok()?;
    models(client, join(&base, "/models"), HeaderMap::new(), limit).await
}

async fn models(client: &Client, url: Url, headers: HeaderMap, limit: Duration) -> Option<Vec<String>> {
    let mut call = Request::new(Method::GET, url);
    *call.headers_mut() = headers;
    tokio::time::timeout(limit, list(client, call)).await.ok()?
}

async fn list(client: &Client, call: Request) -> Option<Vec<String>> {
    let mut response = client.send(call).await.ok().filter(|response| response.status().is_success())?;
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.ok()? {
        if body.len() + chunk.len() > LONGEST_LIST {
            return None;
        }
        body.extend_from_slice(&chunk);
    }
    let models: Models = serde_json::from_slice(&body).ok()?;
    Some(models.data.into_iter().flatten().map(|model| model.id).collect())
}
