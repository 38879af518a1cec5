//! Faces for programs: the MCP server.
//!
//! A face turns what a client sends into a request that is already valid, and what comes back into what the protocol
//! wants. It knows no engine, store or member: whoever starts it hands in a [`Face`], and nothing of that is called
//! before a client uses a tool. Nothing here prints; the two streams belong to the protocol alone.

mod face;
mod mcp;

pub use face::{Face, FaceError, OrchestrateReply, OrchestrateRequest, ProgressReport};
pub use mcp::{ServeError, serve_stdio, serve_stdio_until, standard_streams};
