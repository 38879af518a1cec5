//! The settings of an `mcp` seat, read once and checked.

use std::collections::BTreeMap;
use std::time::Duration;

use baton_core::member::Member;
use reqwest::Url;
use serde_json::Value;

use super::server::{Server, Way};
use crate::cli::declared::classes::Classes;
use crate::cli::declared::path::{Paths, lines};
use crate::cli::{self, SettingError};
use crate::http::settings::checked_url;

/// What one seat is asked with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settings {
    /// Program, variables and key of a server that is started here.
    pub(crate) common: cli::Settings,
    pub(crate) reach: Reach,
    /// Variables that hold a key: handed on to a program with `api_key` = `pass`; the first one is sent to a URL.
    pub(crate) keys: Vec<String>,
    pub(crate) tool: String,
    pub(crate) resume_tool: Option<String>,
    pub(crate) arguments: Vec<Argument>,
    /// Where the answer stands in the result; empty: its texts.
    pub(crate) answer: Paths,
    /// Beginnings of an answer that are none of the model's.
    pub(crate) prefixes: Vec<String>,
    /// Beginnings of an answer, however long, that is an error as a whole.
    pub(crate) error_texts: Vec<String>,
    pub(crate) session: Paths,
    pub(crate) classes: Classes,
    pub(crate) start: Option<Duration>,
    pub(crate) version: VersionGate,
}

/// How the server is reached.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Reach {
    /// Started for each turn, with these arguments.
    Program(Vec<String>),
    Url(Url),
}

/// One argument of the tool.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Argument {
    pub(crate) when: When,
    pub(crate) name: String,
    pub(crate) filling: Filling,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum When {
    Always,
    /// A session begins under an id of ours.
    New,
    /// A session goes on.
    Resume,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Filling {
    /// With gaps.
    Text(String),
    Json(Value),
}

/// Which versions of the program are asked, for servers that came or went with one.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct VersionGate {
    /// Without it no version is asked for: many servers would start to serve instead.
    pub(crate) argument: Option<String>,
    pub(crate) least: Option<String>,
    /// The first one that is not asked any more.
    pub(crate) below: Option<String>,
}

impl Settings {
    /// # Errors
    /// A setting that this kind does not know, a value that it does not take, or a description that cannot work: no
    /// server or two, no tool, a prompt, model, effort or session that goes nowhere.
    pub fn read(member: &Member) -> Result<Self, SettingError> {
        let is_common = |name: &str| matches!(name, "program" | "inherit" | "api_key") || name.starts_with("env.");
        let (common, own): (BTreeMap<_, _>, BTreeMap<_, _>) =
            member.channel.settings.clone().into_iter().partition(|(name, _)| is_common(name));
        let mut described = member.clone();
        described.channel.settings = common;
        let mut reader = Reader::new(cli::Settings::read(&described, "", &[])?);
        for (name, value) in &own {
            reader.take(name, value).map_err(|because| wrong(name, &because))?;
        }
        reader.finish()
    }

    /// For a look at a server, which calls no tool.
    ///
    /// # Errors
    /// An address that is none.
    pub(crate) fn of_server(server: &Server) -> Result<Self, String> {
        let mut reader = match &server.way {
            Way::Program { program, variables, inherit, .. } => {
                Reader::new(cli::Settings::of_program(program.clone(), variables.clone(), inherit.clone()))
            }
            Way::Url { .. } => Reader::new(cli::Settings::of_program(String::new(), BTreeMap::new(), Vec::new())),
        };
        match &server.way {
            Way::Program { arguments, .. } => reader.settings.reach = Reach::Program(arguments.clone()),
            Way::Url { url, key_env, .. } => {
                reader.settings.reach = Reach::Url(checked_url(url)?);
                reader.settings.keys = key_env.iter().cloned().collect();
            }
        }
        Ok(reader.settings)
    }

    pub(crate) fn has(&self, when: When) -> bool {
        self.arguments.iter().any(|argument| argument.when == when)
    }

    /// Whether the server keeps conversations that a later turn can go on with.
    pub(crate) fn resumes(&self) -> bool {
        self.has(When::Resume)
    }

    fn names(&self, gap: &str) -> bool {
        let is_in = |argument: &Argument| matches!(&argument.filling, Filling::Text(text) if text.contains(gap));
        self.arguments.iter().any(is_in)
    }

    /// What no setting shows alone.
    fn check(&self) -> Result<(), SettingError> {
        let is_program = matches!(self.reach, Reach::Program(_));
        let has_version = self.version.least.is_some() || self.version.below.is_some();
        match () {
            () if is_program && self.common.program.is_empty() => {
                Err(wrong("program", "is missing: what starts the server; or `url`: where it runs"))
            }
            () if !is_program && !self.common.program.is_empty() => {
                Err(wrong("url", "and `program` are two servers, and a seat has one"))
            }
            () if self.tool.is_empty() => Err(wrong("tool", "is missing: the tool that answers")),
            () if !self.names("{prompt}") => {
                Err(wrong("argument.NAME", "with {prompt} is missing: the tool would not learn what is asked"))
            }
            () if self.common.model.is_some() && !self.names("{model}") => {
                Err(wrong("argument.NAME", "with {model} is missing: the seat has a model the tool would not learn of"))
            }
            () if self.common.effort.is_some() && !self.names("{effort}") => {
                Err(wrong("argument.NAME", "with {effort} is missing: the seat has one the tool would not learn of"))
            }
            () if self.resumes() && self.session.is_empty() && !self.has(When::New) => {
                Err(wrong("session", "is missing: nothing tells the id that `resume.NAME` needs"))
            }
            () if has_version && self.version.argument.is_none() => {
                Err(wrong("version_arg", "is missing: how the version is asked for"))
            }
            () => Ok(()),
        }
    }
}

/// Settings on their way.
struct Reader {
    settings: Settings,
    numbered: BTreeMap<usize, String>,
}

impl Reader {
    fn new(common: cli::Settings) -> Self {
        let settings = Settings {
            common,
            reach: Reach::Program(Vec::new()),
            keys: Vec::new(),
            tool: String::new(),
            resume_tool: None,
            arguments: Vec::new(),
            answer: Paths::default(),
            prefixes: Vec::new(),
            error_texts: Vec::new(),
            session: Paths::default(),
            classes: Classes::default(),
            start: None,
            version: VersionGate::default(),
        };
        Self { settings, numbered: BTreeMap::new() }
    }

    fn take(&mut self, name: &str, value: &str) -> Result<(), String> {
        if value.contains('\0') {
            return Err("a value cannot hold a zero byte".to_owned());
        }
        match name.split_once('.') {
            Some(("arg", number)) => {
                let number = number.parse().map_err(|_| "is not of the form arg.N".to_owned())?;
                self.numbered.insert(number, value.to_owned());
            }
            Some(("argument", name)) => self.argument(When::Always, name, text(value)?),
            Some(("json", name)) => self.argument(When::Always, name, json(value)?),
            Some(("new", name)) => self.argument(When::New, name, text(value)?),
            Some(("resume", name)) => self.argument(When::Resume, name, text(value)?),
            Some(("outcome", class)) => self.settings.classes.add_texts(class, value)?,
            Some(_) => return Err(UNKNOWN.to_owned()),
            None => self.take_plain(name, value)?,
        }
        Ok(())
    }

    fn argument(&mut self, when: When, name: &str, filling: Filling) {
        self.settings.arguments.push(Argument { when, name: name.to_owned(), filling });
    }

    fn take_plain(&mut self, name: &str, value: &str) -> Result<(), String> {
        let settings = &mut self.settings;
        match name {
            "url" => settings.reach = Reach::Url(checked_url(value)?),
            "key_env" => settings.keys = value.split(',').map(|name| name.trim().to_owned()).collect(),
            "tool" => value.clone_into(&mut settings.tool),
            "resume_tool" => settings.resume_tool = Some(value.to_owned()),
            "answer" => settings.answer = Paths::parse(value)?,
            "answer_prefix" => settings.prefixes = lines(value).map(str::to_owned).collect(),
            "error_texts" => settings.error_texts = lines(value).map(str::to_owned).collect(),
            "session" => settings.session = Paths::parse(value)?,
            "error_in_disguise" => settings.classes.add_disguises(value),
            "start_s" => settings.start = Some(seconds(value)?),
            "version_arg" => settings.version.argument = Some(value.to_owned()),
            "min_version" => settings.version.least = Some(version(value)?),
            "below_version" => settings.version.below = Some(version(value)?),
            _ => return Err(UNKNOWN.to_owned()),
        }
        Ok(())
    }

    fn finish(mut self) -> Result<Settings, SettingError> {
        match &mut self.settings.reach {
            Reach::Program(arguments) => *arguments = self.numbered.into_values().collect(),
            Reach::Url(_) if !self.numbered.is_empty() => {
                return Err(wrong("arg", "is for a program, and `url` names a server that runs"));
            }
            Reach::Url(_) => {}
        }
        self.settings.check()?;
        Ok(self.settings)
    }
}

const UNKNOWN: &str = "is not known to this kind of channel";
const GAPS: &[&str] = &["{prompt}", "{model}", "{effort}", "{directory}", "{session}"];

/// A text whose gaps are all known.
fn text(value: &str) -> Result<Filling, String> {
    let mut rest = value.to_owned();
    GAPS.iter().for_each(|gap| rest = rest.replace(gap, ""));
    let is_gap = |part: &str| {
        part.split_once('}').is_some_and(|(name, _)| !name.is_empty() && name.chars().all(|l| l.is_ascii_lowercase()))
    };
    if rest.split('{').skip(1).any(is_gap) {
        return Err(format!("has a gap that is none of {}", GAPS.join(", ")));
    }
    Ok(Filling::Text(value.to_owned()))
}

fn json(value: &str) -> Result<Filling, String> {
    serde_json::from_str(value).map(Filling::Json).map_err(|error| format!("is no JSON: {error}"))
}

fn seconds(value: &str) -> Result<Duration, String> {
    let seconds = value.parse().ok().filter(|seconds| (1..=3_600).contains(seconds));
    seconds.map(Duration::from_secs).ok_or_else(|| "takes a number of seconds from 1 to 3600".to_owned())
}

fn version(text: &str) -> Result<String, String> {
    match cli::oneshot::numbers(text) {
        numbers if numbers.is_empty() => Err("is no version".to_owned()),
        _ => Ok(text.to_owned()),
    }
}

fn wrong(setting: &str, because: &str) -> SettingError {
    SettingError { setting: setting.to_owned(), because: because.to_owned() }
}
