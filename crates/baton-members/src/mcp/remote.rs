//! A server that runs already: messages are posted to its address, and answered by a document or a stream of events.
//!
//! What the protocol offers beyond that is not used: no stream is kept open between calls, none is taken up again
//! after it broke, and nothing is sent twice.

use std::collections::BTreeMap;
use std::io;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use baton_port::{Caps, ProgressSink};
use reqwest::header::{ACCEPT, ACCEPT_ENCODING, CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request, Response, StatusCode, Url};
use rmcp::model::{ClientJsonRpcMessage, RequestId, ServerJsonRpcMessage, ServerResult};
use rmcp::service::RoleClient;
use rmcp::transport::Transport;
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::talk::{Said, Wish, converse};
use super::wire;
use crate::http::sse::Events;
use crate::http::watch::Watch;
use crate::http::{Client, Secret};

const SESSION: HeaderName = HeaderName::from_static("mcp-session-id");
const VERSION: HeaderName = HeaderName::from_static("mcp-protocol-version");

/// How long a server has to hear that its session is over.
const FAREWELL: Duration = Duration::from_secs(1);

/// Bytes of an error's body that are read.
const LONGEST_ERROR: usize = 64 << 10;

/// Why nothing goes on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Trouble {
    /// Nobody answers there.
    NotThere,
    Status {
        status: u16,
        body: String,
    },
    /// Neither a document nor a stream of events.
    NoMessage(String),
    /// The answer broke off, or never came.
    BrokenOff,
    TooMuch,
}

/// What came of one visit.
pub(super) struct Visited {
    pub(super) said: Said,
    pub(super) received: Vec<u8>,
    pub(super) trouble: Option<Trouble>,
}

/// Where a server is, and what is sent with each message.
#[derive(Clone, Debug)]
pub(super) struct Address {
    pub(super) url: Url,
    pub(super) headers: HeaderMap,
}

impl Address {
    /// The key and `more` go into headers that do not show themselves; `None` where no header can carry them.
    pub(super) fn new(url: Url, key: Option<&Secret>, more: &BTreeMap<String, String>) -> Option<Self> {
        let mut headers = HeaderMap::new();
        for (name, value) in more {
            let mut value = HeaderValue::from_str(value).ok()?;
            value.set_sensitive(true);
            headers.insert(HeaderName::from_bytes(name.as_bytes()).ok()?, value);
        }
        headers.insert(CONTENT_TYPE, HeaderValue::from_static("application/json"));
        headers.insert(ACCEPT, HeaderValue::from_static("application/json, text/event-stream"));
        // What comes compressed cannot be capped by what arrives.
        headers.insert(ACCEPT_ENCODING, HeaderValue::from_static("identity"));
        if let Some(key) = key {
            let mut value = HeaderValue::from_str(&format!("Bearer {}", key.expose())).ok()?;
            value.set_sensitive(true);
            headers.insert(reqwest::header::AUTHORIZATION, value);
        }
        Some(Self { url, headers })
    }

    fn request(&self, method: Method) -> Request {
        let mut request = Request::new(method, self.url.clone());
        *request.headers_mut() = self.headers.clone();
        request
    }

    /// Whether anything answers there, within `limit`. Opens no session.
    pub(super) async fn answers(&self, client: &Client, limit: Duration) -> bool {
        let asked = client.send(self.request(Method::OPTIONS));
        matches!(tokio::time::timeout(limit, asked).await, Ok(Ok(_)))
    }
}

/// Talks to the server as `wish` says. No connection is in use when this returns.
pub(super) async fn visit(
    client: &Arc<Client>,
    address: Address,
    caps: Caps,
    wish: Wish,
    watch: Watch,
    progress: &dyn ProgressSink,
) -> Visited {
    let (sender, messages) = unbounded_channel();
    let state = Arc::new(Mutex::new(State::default()));
    let post = Post { client: client.clone(), address, caps, state: state.clone(), sender };
    let said = converse(Posts { post: Some(post), messages }, wish, watch, progress).await;
    let mut state = locked(&state);
    Visited { said, received: std::mem::take(&mut state.received), trouble: state.trouble.take() }
}

/// What the exchanges of one visit share.
#[derive(Default)]
struct State {
    session: Option<HeaderValue>,
    version: Option<HeaderValue>,
    received: Vec<u8>,
    trouble: Option<Trouble>,
}

fn locked(state: &Mutex<State>) -> MutexGuard<'_, State> {
    state.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Sends one message and reads all that answers it.
#[derive(Clone)]
struct Post {
    client: Arc<Client>,
    address: Address,
    caps: Caps,
    state: Arc<Mutex<State>>,
    sender: UnboundedSender<ServerJsonRpcMessage>,
}

impl Post {
    async fn send(self, message: ClientJsonRpcMessage) -> io::Result<()> {
        let asked = match &message {
            ClientJsonRpcMessage::Request(request) => Some(request.id.clone()),
            _ => None,
        };
        match self.exchange(&message, asked).await {
            Ok(()) => Ok(()),
            Err(trouble) => {
                // The first one says why; what follows from it does not.
                locked(&self.state).trouble.get_or_insert(trouble);
                Err(io::Error::from(io::ErrorKind::ConnectionAborted))
            }
        }
    }

    fn request(&self, method: Method) -> Request {
        let mut request = self.address.request(method);
        let state = locked(&self.state);
        let known = [(SESSION, state.session.clone()), (VERSION, state.version.clone())];
        for (name, value) in known.into_iter().filter_map(|(name, value)| Some((name, value?))) {
            request.headers_mut().insert(name, value);
        }
        request
    }

    async fn exchange(&self, message: &ClientJsonRpcMessage, asked: Option<RequestId>) -> Result<(), Trouble> {
        let mut request = self.request(Method::POST);
        let body = serde_json::to_vec(message).map_err(|error| Trouble::NoMessage(error.to_string()))?;
        *request.body_mut() = Some(body.into());
        let response = self.client.send(request).await.map_err(|error| match error.is_connect() {
            true => Trouble::NotThere,
            false => Trouble::BrokenOff,
        })?;
        self.keep_session(&response);
        let status = response.status();
        if !status.is_success() {
            return Err(self.refused(response).await);
        }
        let Some(asked) = asked else { return Ok(()) };
        if matches!(status, StatusCode::ACCEPTED | StatusCode::NO_CONTENT) {
            return Err(Trouble::BrokenOff);
        }
        let kind = response.headers().get(CONTENT_TYPE).and_then(|kind| kind.to_str().ok()).unwrap_or_default();
        match kind.split(';').next().unwrap_or_default().trim() {
            "application/json" => self.document(response).await,
            "text/event-stream" => self.events(response, &asked).await,
            other => Err(Trouble::NoMessage(format!("answers with `{other}`, which is none of the protocol's forms"))),
        }
    }

    fn keep_session(&self, response: &Response) {
        if let Some(session) = response.headers().get(SESSION) {
            locked(&self.state).session = Some(session.clone());
        }
    }

    async fn refused(&self, mut response: Response) -> Trouble {
        let status = response.status().as_u16();
        let mut body = Vec::new();
        while let Ok(Some(chunk)) = response.chunk().await {
            let room = LONGEST_ERROR.saturating_sub(body.len());
            body.extend_from_slice(&chunk[..chunk.len().min(room)]);
            if chunk.len() >= room {
                break;
            }
        }
        locked(&self.state).received.extend_from_slice(&body);
        Trouble::Status { status, body: String::from_utf8_lossy(&body).into_owned() }
    }

    async fn document(&self, mut response: Response) -> Result<(), Trouble> {
        let mut body = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::BrokenOff)? {
            self.keep(&chunk)?;
            body.extend_from_slice(&chunk);
            if body.len() > self.caps.line {
                return Err(Trouble::TooMuch);
            }
        }
        match wire::message(&body) {
            Some(message) => self.pass_on(message),
            None => return Err(Trouble::NoMessage("answers with a document that is no message".to_owned())),
        }
        Ok(())
    }

    /// Reads events until the answer to `asked` is among them.
    async fn events(&self, mut response: Response, asked: &RequestId) -> Result<(), Trouble> {
        let (mut body, mut events) = (Vec::new(), Events::default());
        while let Some(chunk) = response.chunk().await.map_err(|_| Trouble::BrokenOff)? {
            self.keep(&chunk)?;
            body.extend_from_slice(&chunk);
            while let Some(data) = events.next(&body) {
                if data.len() > self.caps.line {
                    return Err(Trouble::TooMuch);
                }
                let Some(message) = wire::message(&data) else { continue };
                let is_answer = answers(&message, asked);
                self.pass_on(message);
                if is_answer {
                    return Ok(());
                }
            }
            if events.pending(&body) > self.caps.line {
                return Err(Trouble::TooMuch);
            }
        }
        Err(Trouble::BrokenOff)
    }

    fn keep(&self, chunk: &[u8]) -> Result<(), Trouble> {
        let mut state = locked(&self.state);
        let room = self.caps.total.saturating_sub(state.received.len());
        state.received.extend_from_slice(&chunk[..chunk.len().min(room)]);
        if chunk.len() > room { Err(Trouble::TooMuch) } else { Ok(()) }
    }

    fn pass_on(&self, message: ServerJsonRpcMessage) {
        if let ServerJsonRpcMessage::Response(response) = &message
            && let ServerResult::InitializeResult(greeting) = &response.result
        {
            locked(&self.state).version = HeaderValue::from_str(&greeting.protocol_version.to_string()).ok();
        }
        // An error says that nobody listens any more.
        let _ = self.sender.send(message);
    }

    async fn farewell(self) {
        if locked(&self.state).session.is_some() {
            let _ = tokio::time::timeout(FAREWELL, self.client.send(self.request(Method::DELETE))).await;
        }
    }
}

fn answers(message: &ServerJsonRpcMessage, asked: &RequestId) -> bool {
    match message {
        ServerJsonRpcMessage::Response(response) => response.id == *asked,
        ServerJsonRpcMessage::Error(error) => error.id.as_ref().is_none_or(|id| id == asked),
        _ => false,
    }
}

/// The SDK's way to the exchanges.
struct Posts {
    post: Option<Post>,
    messages: UnboundedReceiver<ServerJsonRpcMessage>,
}

impl Transport<RoleClient> for Posts {
    type Error = io::Error;

    fn send(&mut self, message: ClientJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        let post = self.post.clone();
        async move {
            match post {
                Some(post) => post.send(message).await,
                None => Err(io::Error::from(io::ErrorKind::NotConnected)),
            }
        }
    }

    async fn receive(&mut self) -> Option<ServerJsonRpcMessage> {
        self.messages.recv().await
    }

    async fn close(&mut self) -> io::Result<()> {
        if let Some(post) = self.post.take() {
            post.farewell().await;
        }
        Ok(())
    }
}
