//! Members behind an HTTP API: OpenAI compatible chat completions, OpenAI responses, Anthropic messages, and Gemini.
//!
//! [`HttpChannel`] is the channel for the kinds `openai-chat`, `openai-responses`, `anthropic` and `gemini`. One
//! [`Client`] a process owns the connections. A dialect is two pure halves: a request body, and a fold of events into
//! an answer; it never sees a socket. Caps, deadlines, transcript and the class of every failure are in one place for
//! all.
//!
//! What holds for every turn:
//!
//! - One request is sent, to the configured host only: redirects are never followed, nothing is retried.
//! - The key goes in a header. It is in no URL, and it is masked in details, transcripts, answers and `Debug`.
//! - All bytes received are in the transcript, in order, after a head of the status line and those headers that tell
//!   something; the same buffer is parsed in place, so a turn holds its answer's bytes once, up to the cap.
//! - Comments of an event stream, pings and blank bytes are keep-alives: they prolong no deadline.
//! - Success is the end marker of the protocol, a reason to stop that says the answer is whole, and a text that is not
//!   blank. A stream without its end marker is `partial`, with the text as far as it came.
//! - An error is classified by its own code and words first, by the status next, also when it comes with status 200 or
//!   in the middle of a stream.
//! - When to ask again is read from `retry-after`, from the resets of used-up limits, or from Google's `RetryInfo` in
//!   the body, in this order. A used-up quota for a day is `quota_exhausted`, whatever delay stands beside it.
//! - With `structured`, the form goes as the API has it: `response_format`, `text.format`, `output_config.format` or
//!   `responseJsonSchema`. The turn's text is then what the member said followed by the trailer; the transcript keeps
//!   the bytes. An answer of another form stays as it is. An API that refuses the field ends the turn as `rejected`,
//!   with the setting to change; it is not asked again without it.
//! - Responses are asked for with `store: false`: the vendor keeps none for later turns.
//!
//! Settings (others are refused when the channel is made):
//!
//! | setting | meaning |
//! |---|---|
//! | `base_url` | what the dialect's path is put behind; `https`, or `http` to this machine |
//! | `key_env` | the variable that holds the key, for messages; without it no key is needed |
//! | `stream` | `false`: ask for the answer in one piece |
//! | `max_output_tokens` | a limit on the answer; `anthropic` always sends one, 16,000 unless told otherwise; a budget for thoughts is added |
//! | `max_tokens_field` | for `openai-chat`: `max_tokens` or `max_completion_tokens`; the second is for `api.openai.com` unless set |
//! | `stream_options` | for `openai-chat`, `false`: do not ask a stream for usage, for servers that refuse the field |
//! | `reasoning` | `openai` sends the effort's name; `anthropic`, and `budget` for Gemini, tokens for thoughts; `level` for Gemini a word; `none` nothing |
//! | `structured` | `on`: hold the API to the form that a turn asks for; `auto`: where the address is the vendor's own; `off` unless set |
//!
//! Without `reasoning`, a seat that has an effort of its own uses its dialect's form, and any other seat sends none:
//! many models refuse the field. For Gemini the model's name chooses between budget (2.5) and level (later ones). A
//! turn's effort goes before the seat's.
//!
//! What is absent: tools, images, system prompts, and sessions. A conversation is its history, sent again each time;
//! resuming one without a history is `session_not_found`.

mod answer;
mod anthropic;
mod channel;
mod classify;
mod client;
mod dialect;
mod exchange;
mod gemini;
mod openai;
mod probe;
mod received;
pub(crate) mod redact;
mod responses;
mod retry_after;
mod secret;
pub(crate) mod settings;
pub(crate) mod sse;
pub(crate) mod watch;

pub use channel::HttpChannel;
pub use client::Client;
pub use probe::local_models;
pub use redact::redact;
pub use secret::Secret;
pub use settings::BuildError;
