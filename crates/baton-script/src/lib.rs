//! A scripted model server: literal bytes of the real wire formats, with faults.
//!
//! The server listens on loopback and speaks four dialects, each from hand-written text and with no
//! codec or type in common with any client: OpenAI Chat Completions, Anthropic Messages, OpenAI
//! Responses and Google Gemini, streamed and whole, with the vendors' error bodies and headers.
//!
//! A [`Script`] is data: rules, of which the first that matches a call answers it, with a text or
//! with one of the [`Fault`]s. Every request is recorded and checked; what a real vendor would have
//! frowned on is listed by [`Server::violations`], so that a test can assert that there is none.
//!
//! ```no_run
//! # async fn example() -> Result<(), baton_script::ServerError> {
//! use baton_script::{Answer, Fault, Rule, Script, Server};
//!
//! let script = Script::new().rule(
//!     Rule::named("first is limited").model("m-1")
//!         .answer(Answer::fault(Fault::RateLimitedSeconds))
//!         .answer(Answer::text("hello")),
//! );
//! let server = Server::start(script).await?;
//! // ... point a client at `server.url()` ...
//! assert_eq!(server.counts().paid, 0);
//! server.shutdown().await;
//! # Ok(())
//! # }
//! ```
//!
//! What is absent: TLS, HTTP/2, tool calls, images, and any judgement of a prompt.

mod clock;
mod dialect;
mod fault;
mod http;
mod invariant;
mod performance;
mod plan;
mod schema;
mod script;
mod server;
mod state;
mod template;

pub use fault::Fault;
pub use invariant::{Violation, ViolationKind};
pub use script::{Answer, Finish, HeaderMatch, Match, Recording, Reply, Rule, Script, ScriptError, Usage};
pub use server::{Server, ServerError, serve_forever};
pub use state::{Counts, Recorded};
