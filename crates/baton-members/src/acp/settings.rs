//! The settings of an `acp` seat, read once and checked.

use std::collections::BTreeMap;
use std::ffi::OsString;

use baton_core::member::{Effort, Member};

use super::usage::Source;
use crate::cli::{self, SettingError};

const SPECIALS: &[(&str, &[&str])] = &[
    ("model_via", &["argument", "session"]),
    ("usage", Source::VALUES),
    ("mode", &[]),
    ("login", &[]),
    ("key_env", &[]),
    ("error_texts", &[]),
    ("retry_texts", &[]),
    ("keep_warm", &[]),
    ("retry_messages", &[]),
];

/// What one seat is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub common: cli::Settings,
    /// With `{model}` and `{effort}` in them.
    pub arguments: Vec<String>,
    /// The model is chosen in the session, not by an argument.
    pub model_in_session: bool,
    pub usage: Source,
    /// The session's mode.
    pub mode: Option<String>,
    /// The method of `authenticate`.
    pub login: Option<String>,
    /// Variables that hold the agent's key.
    pub keys: Vec<String>,
    pub error_texts: Vec<String>,
    pub retry_texts: Vec<String>,
    pub retry_messages: Vec<String>,
}

impl Settings {
    /// # Errors
    /// A setting that this kind does not know, a value that it does not take, no program, or arguments with a gap.
    pub fn read(member: &Member) -> Result<Self, SettingError> {
        let mut rest = member.clone();
        let mut numbered = BTreeMap::new();
        rest.channel.settings.clear();
        for (name, value) in &member.channel.settings {
            match name.strip_prefix("arg.").map(str::parse::<usize>) {
                Some(Ok(index)) => numbered.insert(index, value.clone()),
                _ => rest.channel.settings.insert(name.clone(), value.clone()),
            };
        }
        if let Some(missing) = (0..numbered.len()).find(|index| !numbered.contains_key(index)) {
            return Err(wrong(&format!("arg.{missing}"), "is missing"));
        }
        if numbered.values().any(|argument| argument.contains('\0')) {
            return Err(wrong("arg", "a value cannot hold a zero byte"));
        }
        let common = cli::Settings::read(&rest, "", SPECIALS)?;
        if common.program.is_empty() {
            return Err(wrong("program", "is missing: a name to be found on the PATH, or an absolute path"));
        }
        Ok(Self {
            arguments: numbered.into_values().collect(),
            model_in_session: common.special("model_via", "argument") == "session",
            usage: Source::read(common.special("usage", "turn")),
            mode: named(&common, "mode"),
            login: named(&common, "login"),
            keys: list(&common, "key_env", ','),
            error_texts: list(&common, "error_texts", '\n'),
            retry_texts: list(&common, "retry_texts", '\n'),
            retry_messages: list(&common, "retry_messages", '\n'),
            common,
        })
    }

    /// The arguments of one turn. One that names what the seat does not have is left out.
    #[must_use]
    pub fn arguments(&self, effort: Option<Effort>) -> Vec<OsString> {
        let effort = effort.or(self.common.effort).map(Effort::as_str);
        let values = [("{model}", self.common.model.as_deref()), ("{effort}", effort)];
        let filled = |argument: &String| {
            values.iter().try_fold(argument.clone(), |text, (name, value)| match (text.contains(name), value) {
                (true, Some(value)) => Some(text.replace(name, value)),
                (true, None) => None,
                (false, _) => Some(text),
            })
        };
        self.arguments.iter().filter_map(filled).map(OsString::from).collect()
    }
}

fn named(settings: &cli::Settings, name: &str) -> Option<String> {
    Some(settings.special(name, "")).filter(|value| !value.is_empty()).map(str::to_owned)
}

fn list(settings: &cli::Settings, name: &str, separator: char) -> Vec<String> {
    let parts = settings.special(name, "").split(separator).map(str::trim);
    parts.filter(|part| !part.is_empty()).map(str::to_owned).collect()
}

fn wrong(setting: &str, because: &str) -> SettingError {
    SettingError { setting: setting.to_owned(), because: because.to_owned() }
}
