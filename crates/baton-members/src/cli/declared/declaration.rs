//! The settings of a declared program, read once and checked.

use std::collections::BTreeMap;

use baton_core::member::Member;

use super::classes::Classes;
use super::documents::Format;
use super::path::{Condition, Paths};
use super::template::{Slot, Template};
use crate::cli::settings::{SettingError, Settings};

/// A program, as its settings describe it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Declaration {
    pub(crate) settings: Settings,
    pub(crate) templates: Vec<Template>,
    pub(crate) prompt: PromptBy,
    pub(crate) map: Map,
    pub(crate) stop_words: Vec<String>,
    pub(crate) version_argument: String,
    pub(crate) least_version: Option<String>,
}

/// How the prompt reaches the program.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum PromptBy {
    #[default]
    Stdin,
    File,
}

/// Which texts of a turn are the answer.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum TextMode {
    /// The last one: earlier ones accompany the work.
    #[default]
    Last,
    /// All, in order.
    Concat,
}

/// What the numbers of an event count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum UsageMode {
    /// Nothing that could be told.
    #[default]
    None,
    /// This turn; the last event that has any counts.
    Turn,
    /// A part of this turn; all events are added.
    Step,
    /// The whole session: only a first turn has numbers of its own.
    Session,
}

/// What is read from which events.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Map {
    pub(crate) output: Format,
    pub(crate) text: Paths,
    pub(crate) text_event: Option<Condition>,
    pub(crate) text_mode: TextMode,
    pub(crate) done_event: Option<Condition>,
    pub(crate) error_event: Option<Condition>,
    pub(crate) error_text: Paths,
    pub(crate) error_status: Paths,
    pub(crate) retry_event: Option<Condition>,
    pub(crate) keep_alive_event: Option<Condition>,
    pub(crate) session: Paths,
    pub(crate) model: Paths,
    pub(crate) usage: UsagePaths,
    pub(crate) usage_mode: UsageMode,
    pub(crate) classes: Classes,
    /// Whether the program can go on with a session.
    pub(crate) resumes: bool,
}

#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct UsagePaths {
    pub(crate) input: Paths,
    pub(crate) output: Paths,
    pub(crate) cached: Paths,
    pub(crate) cost: Paths,
}

impl Default for Map {
    fn default() -> Self {
        Self {
            output: Format::Lines,
            text: Paths::default(),
            text_event: None,
            text_mode: TextMode::default(),
            done_event: None,
            error_event: None,
            error_text: Paths::default(),
            error_status: Paths::default(),
            retry_event: None,
            keep_alive_event: None,
            session: Paths::default(),
            model: Paths::default(),
            usage: UsagePaths::default(),
            usage_mode: UsageMode::default(),
            classes: Classes::default(),
            resumes: false,
        }
    }
}

impl Declaration {
    /// # Errors
    /// A setting that is not known, a value that it does not take, or a description that cannot work: no program, no
    /// way to tell an answer, a prompt that does not reach the program, a model or effort that goes nowhere.
    pub fn read(member: &Member) -> Result<Self, SettingError> {
        let is_common = |name: &str| matches!(name, "program" | "inherit") || name.starts_with("env.");
        let (common, own): (BTreeMap<_, _>, BTreeMap<_, _>) =
            member.channel.settings.clone().into_iter().partition(|(name, _)| is_common(name));
        let mut described = member.clone();
        described.channel.settings = common;
        let mut declaration = Self {
            settings: Settings::read(&described, "", &[])?,
            templates: Vec::new(),
            prompt: PromptBy::default(),
            map: Map::default(),
            stop_words: Vec::new(),
            version_argument: "--version".to_owned(),
            least_version: None,
        };
        for (name, value) in &own {
            declaration.take(name, value).map_err(|because| SettingError { setting: name.clone(), because })?;
        }
        declaration.templates.sort_by_key(Template::place);
        declaration.map.resumes = declaration.has(Slot::Resume);
        declaration.check()?;
        Ok(declaration)
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        if value.contains('\0') {
            return Err("a value cannot hold a zero byte".to_owned());
        }
        match name.split_once('.') {
            Some(("outcome", class)) => self.map.classes.add_texts(class, value),
            Some(("exit", code)) => self.map.classes.add_exit(code, value),
            Some(("usage", part)) => self.take_usage(part, value),
            Some((group, number)) => {
                self.templates.push(Template::parse(group, number, value)?);
                Ok(())
            }
            None => self.take_plain(name, value),
        }
    }

    fn take_usage(&mut self, part: &str, value: &str) -> Result<(), String> {
        let paths = match part {
            "input" => &mut self.map.usage.input,
            "output" => &mut self.map.usage.output,
            "cached" => &mut self.map.usage.cached,
            _ => return Err(UNKNOWN.to_owned()),
        };
        *paths = Paths::parse(value)?;
        Ok(())
    }

    fn take_plain(&mut self, name: &str, value: &str) -> Result<(), String> {
        let map = &mut self.map;
        match name {
            "prompt" => self.prompt = choice(value, &[("stdin", PromptBy::Stdin), ("file", PromptBy::File)])?,
            "output" => {
                let formats = [("json", Format::Json), ("jsonl", Format::Lines), ("text", Format::Text)];
                map.output = choice(value, &formats)?;
            }
            "text" => map.text = Paths::parse(value)?,
            "text_event" => map.text_event = Some(Condition::parse(value)?),
            "text_mode" => map.text_mode = choice(value, &[("last", TextMode::Last), ("concat", TextMode::Concat)])?,
            "done_event" => map.done_event = Some(Condition::parse(value)?),
            "error_event" => map.error_event = Some(Condition::parse(value)?),
            "error_text" => map.error_text = Paths::parse(value)?,
            "error_status" => map.error_status = Paths::parse(value)?,
            "retry_event" => map.retry_event = Some(Condition::parse(value)?),
            "keep_alive_event" => map.keep_alive_event = Some(Condition::parse(value)?),
            "session" => map.session = Paths::parse(value)?,
            "model_reported" => map.model = Paths::parse(value)?,
            "cost" => map.usage.cost = Paths::parse(value)?,
            "usage_mode" => map.usage_mode = choice(value, USAGE_MODES)?,
            "error_in_disguise" => map.classes.add_disguises(value),
            "retry_stderr" => self.stop_words = super::path::lines(value).map(str::to_owned).collect(),
            "version_arg" => value.clone_into(&mut self.version_argument),
            "min_version" => self.least_version = Some(version(value)?),
            _ => return Err(UNKNOWN.to_owned()),
        }
        Ok(())
    }

    pub(crate) fn has(&self, slot: Slot) -> bool {
        self.templates.iter().any(|template| template.slot == slot)
    }

    /// What no setting shows alone.
    fn check(&self) -> Result<(), SettingError> {
        let complaint = |setting: &str, because: &str| {
            Err(SettingError { setting: setting.to_owned(), because: because.to_owned() })
        };
        let map = &self.map;
        let names_file =
            self.templates.iter().any(|template| template.slot == Slot::Always && template.names("prompt_file"));
        let is_text = map.output == Format::Text;
        match () {
            () if self.settings.program.is_empty() => complaint("program", "is missing"),
            () if !is_text && map.text.is_empty() => complaint("text", "is missing: where the answer stands"),
            () if is_text && !map.text.is_empty() => complaint("text", "is for events, and this output has none"),
            () if map.output == Format::Lines && map.done_event.is_none() => {
                complaint("done_event", "is missing: without it no answer can be told from half of one")
            }
            () if self.prompt == PromptBy::File && !names_file => {
                complaint("prompt", "is a file, and no `arg.N` holds {prompt_file}")
            }
            () if self.prompt == PromptBy::Stdin
                && self.templates.iter().any(|template| template.names("prompt_file")) =>
            {
                complaint("prompt", "is on standard input: there is no {prompt_file}")
            }
            () if self.settings.model.is_none() && self.names_always("model") => {
                complaint("arg", "holds {model}, and the seat has none: use `model.N` for what goes with one")
            }
            () if self.settings.effort.is_some() && !self.has(Slot::Effort) => {
                complaint("effort.1", "is missing: the seat has an effort, and the program would not learn of it")
            }
            () if self.has(Slot::Resume) && map.session.is_empty() && !self.has(Slot::New) => {
                complaint("session", "is missing: nothing tells the id that `resume.N` needs")
            }
            () if map.usage_mode != UsageMode::None && map.usage == UsagePaths::default() => {
                complaint("usage_mode", "has no `usage.input`, `usage.output` or `cost` to read")
            }
            () => Ok(()),
        }
    }

    fn names_always(&self, placeholder: &str) -> bool {
        self.templates.iter().any(|template| template.slot != Slot::Model && template.names(placeholder))
    }
}

const UNKNOWN: &str = "is not known to this kind of channel";

const USAGE_MODES: &[(&str, UsageMode)] =
    &[("none", UsageMode::None), ("turn", UsageMode::Turn), ("step", UsageMode::Step), ("session", UsageMode::Session)];

fn choice<T: Copy>(value: &str, values: &[(&str, T)]) -> Result<T, String> {
    let names = || values.iter().map(|(name, _)| *name).collect::<Vec<_>>().join(", ");
    let found = values.iter().find(|(name, _)| *name == value).map(|(_, value)| *value);
    found.ok_or_else(|| format!("takes one of: {}", names()))
}

fn version(text: &str) -> Result<String, String> {
    match crate::cli::oneshot::numbers(text) {
        numbers if numbers.is_empty() => Err("is no version".to_owned()),
        _ => Ok(text.to_owned()),
    }
}
