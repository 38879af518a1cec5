use std::path::PathBuf;
use std::sync::Arc;

use baton_core::ids::{RunId, SessionName};
use baton_core::task::{Complexity, Kind, Priority, Question};
use baton_port::{BoxFuture, Cancel};

/// What the MCP server calls when a tool is used. Nothing of it is called before the first `tools/call`.
pub trait Face: Send + Sync {
    /// Runs a task to its decision.
    ///
    /// The future is never dropped while it runs: when the client cancels or goes away, `cancel` is requested and the
    /// future is awaited, so what was paid for can be recorded. `progress` takes one line per change of a member's
    /// state; it never blocks, and may lose lines when the client does not read.
    fn orchestrate(
        &self,
        request: OrchestrateRequest,
        progress: ProgressReport,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<OrchestrateReply, FaceError>>;
}

/// Takes one line about the state of a call.
pub type ProgressReport = Arc<dyn Fn(String) + Send + Sync>;

/// What a client asks for. Consent to send text to a vendor is no part of it: a program cannot give it.
#[derive(Clone, Debug, PartialEq)]
pub struct OrchestrateRequest {
    /// Never blank.
    pub task: String,
    pub priority: Option<Priority>,
    pub kind: Option<Kind>,
    pub complexity: Option<Complexity>,
    /// Files that go with the task, as the client wrote them: absolute, or relative to the server's directory. Whether
    /// they exist and may be read is for the face to find out.
    pub files: Vec<PathBuf>,
    /// Seats to ask, in the client's order; empty means that the rules choose. Each is written like a member's name.
    pub members: Vec<String>,
    /// A choice has at least two options, all different.
    pub question: Option<Question>,
    /// Finite and above zero.
    pub max_cost_usd: Option<f64>,
    /// The conversation to go on with, each member with its own of this name; a name that is new begins one.
    pub session: Option<SessionName>,
}

/// A decision on the way to a client.
#[derive(Clone, Debug, PartialEq)]
pub struct OrchestrateReply {
    pub run: RunId,
    /// An object of the schema `baton.decision/1`.
    pub decision: serde_json::Value,
    /// A summary in Markdown. The server cuts it when it is too long for a model's context, and says where the rest is.
    pub text: String,
}

/// Why a call has no decision, in words for the person behind the client.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{message}")]
pub struct FaceError {
    pub message: String,
    /// The way out: a command to run, a setting to change, an argument to leave away.
    pub hint: String,
}
