use std::io;
use std::sync::Arc;
use std::time::Duration;

use baton_port::Cancel;
use rmcp::RoleServer;
use rmcp::model::{ClientJsonRpcMessage, ClientRequest, GetMeta, ProtocolVersion, ServerJsonRpcMessage};
use rmcp::transport::Transport;
use rmcp::transport::async_rw::AsyncRwTransport;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::Semaphore;

use super::sieve::Sieve;

/// The longest line taken in.
const LONGEST_LINE: usize = 4 * 1024 * 1024;

/// Answers that may wait to be written; beyond that, reading pauses until the client takes some.
const UNREAD_ANSWERS: usize = 256;

/// How long to wait at the end for a write that the client does not take.
const LAST_WRITE: Duration = Duration::from_secs(1);

/// The SDK's line transport, and four rules that it leaves to its user: caps on lines, a pause when the client does
/// not read, nothing but a request may open a session, and the end of input asks all calls to stop.
pub(crate) struct Guarded<R: AsyncRead + Unpin, W: AsyncWrite> {
    lines: AsyncRwTransport<RoleServer, Sieve<R>, W>,
    stop: Cancel,
    places: Arc<Semaphore>,
    opened: bool,
}

impl<R, W> Guarded<R, W>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    pub(crate) fn new(input: R, output: W, stop: Cancel) -> Self {
        let lines = AsyncRwTransport::new(Sieve::new(input), output).with_max_line_length(LONGEST_LINE);
        Self { lines, stop, places: Arc::new(Semaphore::new(UNREAD_ANSWERS)), opened: false }
    }

    /// May be dropped at any await and called again: neither the semaphore nor the reader loses anything by it.
    async fn next(&mut self) -> Option<ClientJsonRpcMessage> {
        drop(self.places.acquire().await);
        loop {
            let message = tokio::select! {
                biased;
                () = self.stop.requested() => return None,
                message = self.lines.receive() => message?,
            };
            let request = matches!(message, ClientJsonRpcMessage::Request(_));
            self.opened = self.opened || opens_session(&message);
            // The SDK gives the session up over anything else that comes first.
            if self.opened || request {
                return Some(message);
            }
        }
    }
}

/// Whether the SDK leaves its opening phase at this message.
fn opens_session(message: &ClientJsonRpcMessage) -> bool {
    let ClientJsonRpcMessage::Request(message) = message else { return false };
    match &message.request {
        ClientRequest::InitializeRequest(_) => true,
        ClientRequest::PingRequest(_) | ClientRequest::DiscoverRequest(_) => false,
        request => {
            let meta = request.get_meta();
            let known =
                meta.protocol_version().is_some_and(|version| ProtocolVersion::KNOWN_VERSIONS.contains(&version));
            known && meta.missing_required_keys(&ProtocolVersion::V_2026_07_28).is_empty()
        }
    }
}

impl<R, W> Transport<RoleServer> for Guarded<R, W>
where
    R: AsyncRead + Unpin + Send,
    W: AsyncWrite + Unpin + Send + 'static,
{
    type Error = io::Error;

    fn send(&mut self, message: ServerJsonRpcMessage) -> impl Future<Output = io::Result<()>> + Send + 'static {
        // Without a free place it is sent all the same: only reading waits, so answers can always drain.
        let place = Arc::clone(&self.places).try_acquire_owned();
        let sending = self.lines.send(message);
        async move {
            let outcome = sending.await;
            drop(place);
            outcome
        }
    }

    async fn receive(&mut self) -> Option<ClientJsonRpcMessage> {
        let message = self.next().await;
        if message.is_none() {
            // The SDK first waits for running handlers; they end only once their calls know.
            self.stop.request();
        }
        message
    }

    async fn close(&mut self) -> io::Result<()> {
        // A write that the client never takes holds the lock that closing needs.
        tokio::time::timeout(LAST_WRITE, self.lines.close()).await.unwrap_or(Ok(()))
    }
}
