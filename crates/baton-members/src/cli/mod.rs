//! Members that are programs on this machine, asked one prompt a process.
//!
//! [`ClaudeChannel`] is the channel kind `claude-cli`, [`CodexChannel`] is `codex-cli`, and [`DeclaredChannel`] is
//! `cli`: any other program, described by settings alone (see [`declared`]). Each has a folder with two pure
//! halves: `args` turns a seat and a request into arguments, environment and input; `parse` turns lines into a turn.
//! What all share is in `oneshot`: the search for the program, the limits, the transcript, and what each ending of
//! the process means; `heard` tells noise from messages. The turns of a session may share one process: see
//! [`crate::warm`].
//!
//! What holds for every turn:
//!
//! - The prompt goes by standard input, which is closed afterwards. It is never an argument, in `detail`, or in a log.
//! - The program's environment is cleared. It sees [`baton_process::environment::BASE`], its own few variables, the
//!   ones that the settings name, a private `TMPDIR`, and `BATON_DEPTH` one higher than ours. Variables by which an
//!   agent notices that it runs inside another one are therefore gone.
//! - An API key of the caller is not handed on, unless the setting `api_key` is `pass`; and never to a program that is
//!   logged in, because the key would be used and charged instead of the login without a word.
//! - The program's own retries are switched off where it lets us, and cut at the first sign of one elsewhere.
//! - Success is the program's terminal success event with a text that is not empty and no error in disguise. The exit
//!   code is never asked about success: both programs exit with 0 after failures.
//! - Events that are not known are ignored, the order of members in an event has no meaning, and lines that are no
//!   JSON are tolerated as long as the events are there.
//!
//! Settings of all kinds (others are refused when the channel is made):
//!
//! | setting | meaning |
//! |---|---|
//! | `program` | a name to be found on the `PATH`, or an absolute path |
//! | `api_key` | `pass`: hand the caller's key variables to the program |
//! | `inherit` | names of further variables to hand on, separated by commas |
//! | `env.NAME` | sets a variable for the program |
//!
//! What is absent: earlier turns in [`baton_port::TurnRequest::history`] are not sent to Claude Code and Codex, which
//! keep their conversations themselves; permission questions, which programs are told to answer with no; images.

pub mod claude;
pub mod codex;
pub mod declared;
mod environment;
pub(crate) mod heard;
pub(crate) mod oneshot;
mod settings;
pub(crate) mod words;

pub use claude::ClaudeChannel;
pub use codex::CodexChannel;
pub use declared::DeclaredChannel;
pub use environment::{DEPTH, Environment};
pub use oneshot::{End, Invocation, Reaction, Refusal};
pub use settings::{SettingError, Settings};
