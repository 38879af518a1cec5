//! The settings of a command-line seat, read once and checked.

use std::collections::BTreeMap;
use std::fmt;

use baton_core::member::{Effort, Member};

/// What one seat is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    pub model: Option<String>,
    pub effort: Option<Effort>,
    /// A name on the `PATH` or an absolute path.
    pub program: String,
    /// Hand the caller's key variables to the program.
    pub pass_key: bool,
    /// Names of variables to hand on.
    pub inherit: Vec<String>,
    /// Variables set for the program.
    pub variables: BTreeMap<String, String>,
    /// Configuration of the program itself, by key.
    pub config: BTreeMap<String, String>,
    /// What only one kind of channel knows.
    special: BTreeMap<String, String>,
}

/// A setting that is refused when the channel is made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SettingError {
    pub setting: String,
    pub because: String,
}

impl fmt::Display for SettingError {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "setting `{}`: {}", self.setting, self.because)
    }
}

impl std::error::Error for SettingError {}

/// A setting that one kind of channel knows: its name and the values that it takes; none listed means any.
pub(crate) type Special = (&'static str, &'static [&'static str]);

impl Settings {
    /// Reads a member's settings. `config.` keys are taken only where `config` is among the specials.
    pub(crate) fn read(member: &Member, program: &str, specials: &[Special]) -> Result<Self, SettingError> {
        let mut settings = Self {
            model: member.model.clone(),
            effort: member.effort,
            program: program.to_owned(),
            pass_key: false,
            inherit: Vec::new(),
            variables: BTreeMap::new(),
            config: BTreeMap::new(),
            special: BTreeMap::new(),
        };
        for (name, value) in &member.channel.settings {
            settings.take(name, value, specials).map_err(|because| SettingError { setting: name.clone(), because })?;
        }
        Ok(settings)
    }

    /// A program by itself, without model, effort or anything of its own.
    pub(crate) fn of_program(program: String, variables: BTreeMap<String, String>, inherit: Vec<String>) -> Self {
        Self {
            model: None,
            effort: None,
            program,
            pass_key: false,
            inherit,
            variables,
            config: BTreeMap::new(),
            special: BTreeMap::new(),
        }
    }

    fn take(&mut self, name: &str, value: &str, specials: &[Special]) -> Result<(), String> {
        if value.contains('\0') {
            return Err("a value cannot hold a zero byte".to_owned());
        }
        match name {
            "program" => self.program = value.to_owned(),
            "api_key" => self.pass_key = one_of(value, &["pass", "withhold"])? == "pass",
            "inherit" => self.inherit = value.split(',').map(|name| name.trim().to_owned()).collect(),
            _ => return self.take_named(name, value, specials),
        }
        Ok(())
    }

    fn take_named(&mut self, name: &str, value: &str, specials: &[Special]) -> Result<(), String> {
        if let Some(variable) = name.strip_prefix("env.") {
            if variable.is_empty() || variable.contains(['=', '\0']) {
                return Err("is no name of a variable".to_owned());
            }
            self.variables.insert(variable.to_owned(), value.to_owned());
            return Ok(());
        }
        let (wanted, rest) = match name.split_once('.') {
            Some(("config", rest)) => ("config", rest),
            _ => (name, ""),
        };
        let Some((_, values)) = specials.iter().find(|(known, _)| *known == wanted) else {
            return Err("is not known to this kind of channel".to_owned());
        };
        match rest {
            "" if wanted == "config" => return Err("names no key".to_owned()),
            "" => self.special.insert(wanted.to_owned(), one_of(value, values)?.to_owned()),
            key if key.contains('=') => return Err("is no key".to_owned()),
            key => self.config.insert(key.to_owned(), value.to_owned()),
        };
        Ok(())
    }

    /// A special setting, or what holds without it.
    pub(crate) fn special<'a>(&'a self, name: &str, otherwise: &'a str) -> &'a str {
        self.special.get(name).map_or(otherwise, String::as_str)
    }
}

fn one_of<'a>(value: &'a str, values: &[&str]) -> Result<&'a str, String> {
    if values.is_empty() || values.contains(&value) {
        return Ok(value);
    }
    Err(format!("takes one of: {}", values.join(", ")))
}
