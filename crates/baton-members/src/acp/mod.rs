//! Members that speak the Agent Client Protocol, version 1: newline JSON-RPC over a process's standard input and
//! output. The channel kind `acp`; which agent it is, and how that one differs, is settings.
//!
//! `usage` and `answer` read messages, `client` is the conversation as a state machine; all are pure. `channel` gives
//! them a process: one a turn, ended when the turn is, or one for the turns of a session (see [`crate::warm`]).
//!
//! What holds for every turn, besides what [`crate::cli`] says of the environment and of the transcript:
//!
//! - The agent is offered no files and no terminal of ours. Asked for a permission, we answer `reject_once`, or
//!   `cancelled` where that is not offered. What an agent does without asking is its own `mode`, not ours to stop.
//! - A session that was asked for is loaded or lost; it is never silently a new one. What a loaded session tells again
//!   is no part of the answer.
//! - Success is the stop reason `end_turn` with a text that is not empty and no error in disguise. The answer is the
//!   agent's last message.
//! - MCP servers of the user's choice are told with the session; without any the agent is told of none.
//! - A wish to stop is told to the agent first; its process is ended after a grace.
//! - Unknown updates, notifications and members are ignored; lines that are no message are tolerated.
//!
//! Settings (others are refused when the channel is made), besides `program`, `api_key`, `inherit` and `env.NAME` of
//! [`crate::cli`]:
//!
//! | setting | meaning |
//! |---|---|
//! | `arg.0`, `arg.1`, … | arguments; `{model}` and `{effort}` stand for the seat's; without one, the argument is left out |
//! | `model_via` | `argument` (default), or `session`: chosen in the session, refused where the agent does not offer it |
//! | `mode` | the session's mode, such as one that writes nothing |
//! | `login` | the method of `authenticate`, asked for before the session, or `default`: the one that the agent names as its own; without it none is |
//! | `key_env` | names of key variables, separated by commas: handed on with `api_key` = `pass` |
//! | `usage` | where tokens are told: `turn` (default), `session` (counted up), `meta`, `none` |
//! | `error_texts` | beginnings of messages that are errors, one a line; `*` stands for anything. They end the turn |
//! | `retry_texts` | texts on standard error that tell of the agent's own retries, one a line. They end the turn |
//! | `keep_warm` | how long the process of a session rests for its next turn: `0`, `90s`, `5m` (default), `1h` |
//! | `retry_messages` | beginnings of messages that tell of them without a reason, one a line; the third ends the turn, and none is part of the answer |
//!
//! Seats that are handed MCP servers have a process for each turn. What is absent: images; and
//! [`baton_port::TurnRequest::history`], for agents keep their conversations themselves.

mod answer;
mod channel;
pub mod client;
mod settings;
mod usage;

pub use channel::AcpChannel;
pub use settings::Settings;
pub use usage::Source;
