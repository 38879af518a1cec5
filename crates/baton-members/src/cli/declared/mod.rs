//! Any command-line agent, declared by settings alone. `docs/members.md` shows how, with an example.
//!
//! Settings besides `program` (which must be there), `inherit` and `env.NAME`; others are refused with their names:
//!
//! | setting | meaning |
//! |---|---|
//! | `arg.N` | an argument; all arguments stand in the order of their numbers |
//! | `model.N`, `effort.N` | given when the seat has a model, or an effort is asked for |
//! | `new.N`, `resume.N` | given when a session begins or goes on; without `resume.N` the history is told in the prompt |
//! | `prompt` | `stdin` (default), or `file`: a private file, whose path an `arg.N` holds as `{prompt_file}` |
//! | `output` | `jsonl` (default), `json`: one document, or `text` |
//! | `text`, `text_event`, `text_mode` | where the answer stands, in which events, and whether the `last` or all (`concat`) count |
//! | `done_event` | the success at the end of a turn; with `json` it may be left out: a text is the end then |
//! | `error_event`, `error_text`, `error_status` | the failure at the end of a turn, its words and HTTP status; also read from a document on standard error |
//! | `retry_event`, `retry_stderr` | the program tries again: it is stopped there |
//! | `keep_alive_event` | events that are no progress |
//! | `session`, `model_reported` | the id of the session, the model that answered |
//! | `usage.input`, `usage.output`, `usage.cached`, `cost` | numbers; several paths are added |
//! | `usage_mode` | `none` (default), `turn`, `step` (events are added), `session` (counts up: a resumed turn has none) |
//! | `outcome.CLASS`, `exit.N` | what texts of an error, or an exit code, mean |
//! | `error_in_disguise` | how answers begin that are errors |
//! | `version_arg`, `min_version` | how the version is asked for, and the oldest that is asked |
//!
//! Gaps in arguments: `{model}`, `{effort}`, `{directory}`, `{session}`, `{prompt_file}`. There is none for the prompt.
//!
//! Guarantees are those of the other programs (see [`crate::cli`]), with two exceptions that a declaration can make.
//! `output = "text"` has no terminal event: what was written by a program that left with 0 counts as the answer, and
//! half of it cannot be told from the whole. And a login is not known: a key that `inherit` names is handed on.

pub mod args;
pub(crate) mod classes;
mod declaration;
mod documents;
pub mod parse;
pub(crate) mod path;
mod template;

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_core::member::Member;
use baton_port::{Availability, BoxFuture, Channel, Turn, TurnRequest};
use baton_process::Launcher;

pub use declaration::Declaration;

use super::oneshot::{Dialect, Invocation, OneShot, Refusal, VersionCheck};
use super::{Environment, SettingError, Settings};
use crate::warm::{Pool, Warmth};

/// Many of these programs need seconds before they say anything.
const PATIENCE: Duration = Duration::from_secs(10);

/// The channel kind `cli`.
#[derive(Debug)]
pub struct DeclaredChannel(OneShot<Declaration>);

impl DeclaredChannel {
    /// # Errors
    /// See [`Declaration::read`].
    pub fn new(member: &Member, launcher: Launcher, environment: Environment) -> Result<Self, SettingError> {
        let warmth = Warmth::new(member, Duration::ZERO);
        Ok(Self(OneShot { dialect: Declaration::read(member)?, launcher, environment, warmth }))
    }

    /// Lets its starts be bounded by this pool.
    #[must_use]
    pub fn with_pool(mut self, pool: Pool) -> Self {
        self.0.warmth.pool = Some(pool);
        self
    }
}

impl Channel for DeclaredChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(self.0.probe())
    }

    fn configuration(&self) -> Option<PathBuf> {
        self.0.configuration()
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.0.turn(request))
    }
}

impl Declaration {
    /// What reads the lines of this turn.
    #[must_use]
    pub fn parser(&self, request: &TurnRequest) -> parse::Parser {
        parse::Parser::new(&self.map, &request.session)
    }
}

impl Dialect for Declaration {
    type Reader = parse::Parser;

    const INSTALL: &'static str = "Install the program, or say in `program` where it is.";
    const KEYS: &'static [&'static str] = &[];
    const OWN: &'static [&'static str] = &[];

    fn settings(&self) -> &Settings {
        &self.settings
    }

    fn invocation(&self, environment: &Environment, request: &TurnRequest) -> Result<Invocation, Refusal> {
        args::invocation(self, environment, request, None)
    }

    fn invocation_with(
        &self,
        environment: &Environment,
        request: &TurnRequest,
        prompt_file: Option<&Path>,
    ) -> Result<Invocation, Refusal> {
        args::invocation(self, environment, request, prompt_file)
    }

    fn private_file(&self, request: &TurnRequest) -> Option<Vec<u8>> {
        (self.prompt == declaration::PromptBy::File).then(|| args::prompt(self, request).into_bytes())
    }

    fn stop_words(&self) -> &[String] {
        &self.stop_words
    }

    fn version_check(&self) -> VersionCheck<'_> {
        VersionCheck { argument: &self.version_argument, least: self.least_version.as_deref(), patience: PATIENCE }
    }

    fn reader(&self, request: &TurnRequest) -> parse::Parser {
        self.parser(request)
    }

    /// Where a declared program keeps its login is not known.
    fn is_logged_in(&self, _variables: &BTreeMap<OsString, OsString>) -> bool {
        false
    }
}
