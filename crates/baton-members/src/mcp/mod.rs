//! Members behind a tool of an MCP server: the channel kind `mcp`. Which server and which tool is settings.
//!
//! The official SDK (`rmcp`) speaks the protocol. What is ours is the way to the server: `process` starts one and
//! makes messages of its lines, `remote` posts to one that runs, through this process's one HTTP client. `talk` is a
//! whole conversation, `call` and `end` are pure: from a request to the tool's arguments, and from what came of it to
//! a turn.
//!
//! What holds for every turn, besides what [`crate::cli`] says of the environment and of the transcript:
//!
//! - The server is greeted, its tools are listed, one is called, and it is left; a process is ended, a session closed.
//! - The prompt is an argument of the tool, never one of the program. A key is in the program's environment or in a
//!   header, and in no detail or transcript.
//! - Success is a result that is not marked as an error, with a text that is no error in disguise.
//! - A server that asks back is refused: it gets no model, no folder and no person's answer. It is told in the detail.
//! - The first event is the server's greeting. Progress and events of its own are payload; its log is not.
//! - Messages are bounded in bytes and in values; lines that are no messages are tolerated and counted.
//!
//! Settings (others are refused when the channel is made):
//!
//! | setting | meaning |
//! |---|---|
//! | `program`, `arg.N` | what starts the server; `inherit` and `env.NAME` as for programs |
//! | `url` | where it runs instead: `https`, or `http` on this machine |
//! | `key_env` | the variable with its key: sent to the `url` as a bearer token; handed to a program with `api_key` = `pass`, where it may be a list |
//! | `tool` | the tool that answers; `resume_tool` the one that goes on with a session |
//! | `argument.NAME` | a text, with the gaps `{prompt}`, `{model}`, `{effort}`, `{directory}`, `{session}`; left out where a gap has no value |
//! | `json.NAME` | any JSON, as it stands |
//! | `new.NAME`, `resume.NAME` | given when a session begins under our id, or goes on; without `resume.NAME` the history is told in the prompt |
//! | `answer` | paths to the answer in the result (such as `structuredContent.content`); without it all texts of its content |
//! | `answer_prefix` | beginnings of the answer that are the server's own, one a line |
//! | `error_texts` | beginnings of an answer of any length that is an error, one a line; the last line of it that begins so tells the class |
//! | `session` | the path to the session's id in the result |
//! | `outcome.CLASS`, `error_in_disguise` | what texts of an error mean, and how answers begin that are errors |
//! | `start_s` | seconds until the greeting, in place of the seat's limit on the first event |
//! | `version_arg`, `min_version`, `below_version` | how the program's version is asked for, and which are asked |
//!
//! What is absent: tokens and costs, which the protocol does not tell; a server that lives for more than one turn
//! when it is started here; the era without a greeting, for every server that was seen still greets; tasks, and
//! streams that are taken up again.

mod call;
mod channel;
mod end;
mod listen;
mod process;
mod remote;
pub(crate) mod server;
mod settings;
mod talk;
mod wire;

use baton_core::outcome::Outcome;

pub use channel::McpChannel;
pub use server::{Server, Way};
pub use settings::Settings;

/// What a look at a server found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Inspected {
    pub name: Option<String>,
    pub version: Option<String>,
    pub tools: Vec<String>,
    /// Why its tools are not known.
    pub trouble: Option<(Outcome, String)>,
}
