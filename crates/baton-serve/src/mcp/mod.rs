//! The Model Context Protocol over two byte streams, in both of its eras: sessions that begin with `initialize`, and
//! self-contained requests. Framing and negotiation are the SDK's; what is here is what it leaves open.

mod arguments;
mod calls;
mod reply;
mod server;
mod sieve;
mod tools;
mod transport;

use std::sync::Arc;

use baton_port::Cancel;
use rmcp::service::{QuitReason, ServerInitializeError};
use tokio::io::{AsyncRead, AsyncWrite};

use crate::Face;

/// Why serving ended other than by the client's leave.
#[derive(Debug, thiserror::Error)]
pub enum ServeError {
    #[error("the client cannot be written to: {0}")]
    Output(String),
    #[error("the protocol ended unexpectedly: {0}")]
    Protocol(String),
}

/// Serves one client until `input` ends. Then running calls are cancelled and awaited, and what they answer is still
/// written, so nothing goes on after this returns. A client that goes away before it said anything is no error.
///
/// Garbage never ends it: a line that is no JSON, is longer than 4 MiB or holds more than 10,000 values is skipped; one
/// that is JSON but no request is refused without an id; memory for input stays bounded. At most 64 calls run at once;
/// more are refused.
///
/// # Errors
/// When the first answer cannot be written, or the protocol's own task fails. Running calls are joined also then.
pub async fn serve_stdio(
    face: Arc<dyn Face>,
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin + Send + 'static,
) -> Result<(), ServeError> {
    serve_stdio_until(face, input, output, Cancel::default()).await
}

/// As [`serve_stdio`], and `stop` ends it as the end of `input` would. Meant for signals: dropping the future instead
/// would drop running calls unrecorded. `stop` is requested when this returns by itself, too.
///
/// # Errors
/// As [`serve_stdio`].
pub async fn serve_stdio_until(
    face: Arc<dyn Face>,
    input: impl AsyncRead + Unpin + Send + 'static,
    output: impl AsyncWrite + Unpin + Send + 'static,
    stop: Cancel,
) -> Result<(), ServeError> {
    let (calls, queue) = calls::queue();
    let transport = transport::Guarded::new(input, output, stop.clone());
    let protocol = speak(server::Server::new(calls), transport);
    let (spoken, ()) = tokio::join!(protocol, calls::work(face, queue, stop));
    spoken
}

/// The process's own standard streams, without a blocking thread where they are pipes: one that waits for input would
/// keep the process from ending on a signal. Call it once, inside the runtime, and write to neither afterwards.
#[must_use]
pub fn standard_streams() -> (impl AsyncRead + Unpin + Send + 'static, impl AsyncWrite + Unpin + Send + 'static) {
    rmcp::transport::stdio_pipes()
}

async fn speak<R, W>(server: server::Server, transport: transport::Guarded<R, W>) -> Result<(), ServeError>
where
    R: AsyncRead + Unpin + Send + 'static,
    W: AsyncWrite + Unpin + Send + 'static,
{
    let session = match rmcp::serve_server(server, transport).await {
        Ok(session) => session,
        Err(ServerInitializeError::ConnectionClosed(_) | ServerInitializeError::Cancelled) => return Ok(()),
        Err(ServerInitializeError::TransportError { error, .. }) => return Err(ServeError::Output(error.to_string())),
        Err(other) => return Err(ServeError::Protocol(other.to_string())),
    };
    match session.waiting().await {
        Ok(QuitReason::JoinError(error)) | Err(error) => Err(ServeError::Protocol(error.to_string())),
        Ok(_) => Ok(()),
    }
}
