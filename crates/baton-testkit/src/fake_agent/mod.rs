//! An agent's command line that does what a script says: answers in the true shape, or misbehaves in one of the ways
//! of [`Mode`].
//!
//! It takes its part from the file name it is started under (`claude`, `codex`, …) or from `FAKE_AGENT_AS`, and its
//! [`Script`] from the file named in `FAKE_AGENT_SCRIPT` or, where the environment does not reach it, from the file
//! beside it with `.script.json` appended to its name; [`install`] puts both in place. What it saw goes into a record
//! that [`record::read`] reads, with violations of what every caller owes an agent: standard input that ends, and no
//! prompt among the arguments.
//!
//! Started as `fake-agent __shim …` it is the shim of `baton-process`, and as `fake-agent __host` a stand-in for baton
//! that runs itself again under a launcher, to be killed in tests.

mod acp;
mod app_server;
mod dialect;
mod faults;
mod installed;
mod mcp;
mod mode;
mod output;
mod persistent;
pub mod record;
mod roles;
mod script;
mod turn;

use std::ffi::OsString;
use std::process::ExitCode;

pub use acp::AcpMode;
pub use installed::{MARKER, install, processes_with_marker};
pub use mcp::McpMode;
pub use mcp::http::{Carriage, FakeMcpServer, Request};
pub use mode::Mode;
pub use persistent::Later;
pub use script::Script;

/// The whole program.
#[must_use]
pub fn main() -> ExitCode {
    let mut arguments = std::env::args_os();
    let name = arguments.next().unwrap_or_default();
    let arguments: Vec<OsString> = arguments.collect();
    let rest = arguments.get(1..).unwrap_or_default();
    let code = match arguments.first().and_then(|first| first.to_str()) {
        Some("__shim") => baton_process::shim::main(rest.iter().cloned()),
        Some("__host") => roles::host(),
        Some("__hold") => roles::hold(),
        Some("__daemon") => roles::daemon(),
        _ => turn::run(&name, arguments).unwrap_or_else(|error| output::own_failure(&error)),
    };
    ExitCode::from(u8::try_from(code & 0xff).unwrap_or(u8::MAX))
}
