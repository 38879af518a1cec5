//! Configuration, resolved once: the catalogue compiled in, the user's `baton.toml` over it, and a project's
//! `baton.toml`, which may only narrow.

mod catalog;
mod file;
mod handover;
mod project;
mod servers;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};

use baton_core::catalog::{RoleRow, Rules};
use baton_core::ids::MemberId;
use baton_core::units::{MicroUsd, Probability};
use baton_core::workflow::Workflow;

use crate::failure::Failure;
use crate::system::Home;

pub(crate) use catalog::{Entry, LocalServer, Needs};
pub(crate) use file::CheckEntry;
pub(crate) use project::{PROJECT_FILE, Project};

/// Everything that a command needs to know before it looks at the machine.
#[derive(Clone, Debug)]
pub(crate) struct Config {
    pub(crate) entries: Vec<Entry>,
    pub(crate) locals: Vec<LocalServer>,
    pub(crate) retired: Vec<catalog::Retired>,
    pub(crate) roles: Vec<RoleRow>,
    pub(crate) rules: Rules,
    pub(crate) workflows: Vec<Workflow>,
    /// One member's own words.
    pub(crate) consult: Workflow,
    /// Vendors that may be sent text without asking.
    pub(crate) allow: Vec<String>,
    pub(crate) checks: Vec<CheckEntry>,
    /// A member may be asked what kind of task it is where the words do not tell.
    pub(crate) ask_kind: bool,
    /// The check that runs the tests that members write for claims, where it is seated.
    pub(crate) reproduce: Option<MemberId>,
    /// A patch may be asked for though the user did not say so.
    pub(crate) ask_patch: bool,
    /// Who takes over from whom when an account is used up, as typed.
    pub(crate) handover: handover::HandoverRules,
    /// MCP servers that members may name.
    pub(crate) servers: Vec<baton_members::mcp::Server>,
    /// How many agent programs may rest between turns, and how much memory they may take.
    pub(crate) warm: baton_members::warm::Limits,
    /// Patterns of files that are never attached.
    pub(crate) deny: Vec<String>,
    /// The project that the working directory is in, if it brings a `baton.toml`.
    pub(crate) project: Option<Project>,
}

impl Config {
    /// The catalogue and the user's file alone.
    pub(crate) fn load(home: &Home) -> Result<Self, Failure> {
        let mut config = catalog::built_in()?;
        if let Some(text) = read_optional(&home.configuration)? {
            file::UserFile::parse(&text, &home.configuration)?.apply(&mut config, &home.configuration)?;
        }
        config.entries.retain(|entry| !entry.off);
        Ok(config)
    }

    /// As [`Self::load`], narrowed by the project around `directory`.
    pub(crate) fn load_in(home: &Home, directory: &Path) -> Result<Self, Failure> {
        let mut config = Self::load(home)?;
        if let Some(project) = Project::find(directory, &home.configuration)? {
            project.narrow(&mut config);
            config.project = Some(project);
        }
        config.check_servers()?;
        Ok(config)
    }

    /// Every server that a member names is one of the user's, or one that the project brings.
    fn check_servers(&self) -> Result<(), Failure> {
        let brought = self.project.iter().flat_map(|project| &project.servers);
        let known: Vec<&str> = self.servers.iter().chain(brought).map(|server| server.name.as_str()).collect();
        for entry in &self.entries {
            let named = entry.member.channel.settings.get(baton_members::SERVERS);
            let mut names = named.into_iter().flat_map(|names| names.split(',')).map(str::trim);
            if let Some(name) = names.find(|name| !name.is_empty() && !known.contains(name)) {
                let because = format!("member `{}` names the MCP server `{name}`, which is not there", entry.member.id);
                return Err(Failure::configuration(because).hint(format!("add a [mcp_servers.{name}] table")));
            }
        }
        Ok(())
    }

    pub(crate) fn workflow(&self, name: &str) -> Result<&Workflow, Failure> {
        self.workflows.iter().find(|workflow| workflow.name == name).ok_or_else(|| {
            let names: Vec<&str> = self.workflows.iter().map(|workflow| workflow.name.as_str()).collect();
            Failure::input(format!("there is no workflow `{name}`")).hint(format!("one of: {}", names.join(", ")))
        })
    }

    /// The first workflow of the catalogue.
    pub(crate) fn default_workflow(&self) -> Result<&Workflow, Failure> {
        self.workflows.first().ok_or_else(|| Failure::configuration("the catalogue has no workflow"))
    }

    /// There is no such member: retired names are told with their successor, others with the nearest one.
    pub(crate) fn unknown_member(&self, name: &str) -> Failure {
        if let Some(retired) = self.retired.iter().find(|retired| retired.name == name) {
            let because = format!("`{name}` is retired: {}", retired.note);
            return Failure::input(because).hint(format!("ask `{}` instead", retired.successor));
        }
        let failure = Failure::input(format!("there is no member `{name}`"));
        match self.nearest(name) {
            Some(near) => failure.hint(format!("did you mean `{near}`? `baton members` lists all")),
            None => failure.hint("`baton members` lists all"),
        }
    }

    fn nearest(&self, name: &str) -> Option<&MemberId> {
        let shared = |id: &str| id.chars().zip(name.chars()).take_while(|(a, b)| a == b).count();
        let best = self.entries.iter().map(|entry| &entry.member.id).max_by_key(|id| shared(id.as_str()))?;
        (shared(best.as_str()) >= 2).then_some(best)
    }

    /// Lowers the spending cap for this call; a call may not raise what the user has set.
    pub(crate) fn cap(&mut self, dollars: Option<f64>) -> Result<(), Failure> {
        let Some(dollars) = dollars else { return Ok(()) };
        self.rules.spend_cap = Some(dollars_to_micro(dollars, "--max-cost").map_err(Failure::input)?);
        Ok(())
    }
}

/// Dollars as typed, in millionths.
pub(crate) fn dollars_to_micro(dollars: f64, key: &str) -> Result<MicroUsd, String> {
    if !(0.0..=1e9).contains(&dollars) {
        return Err(format!("`{key}` must be an amount of dollars from 0 up, not {dollars}"));
    }
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the test above")]
    Ok(MicroUsd((dollars * 1e6).round() as u64))
}

/// A probability as typed.
pub(crate) fn fraction(value: f64, key: &str) -> Result<Probability, String> {
    Probability::from_f64(value).ok_or_else(|| format!("`{key}` must be from 0 to 1, not {value}"))
}

fn read_optional(path: &Path) -> Result<Option<String>, Failure> {
    match std::fs::read_to_string(path) {
        Ok(text) => Ok(Some(text)),
        Err(error) if matches!(error.kind(), ErrorKind::NotFound | ErrorKind::NotADirectory) => Ok(None),
        Err(error) => Err(Failure::configuration(format!("{} cannot be read: {error}", path.display()))
            .hint("make it readable for this user")),
    }
}

/// A TOML error with its file. The parser's own text names line, column and key.
fn malformed(path: &Path, error: &toml::de::Error, text: &str) -> Failure {
    let line = error.span().map_or(0, |span| text[..span.start.min(text.len())].matches('\n').count() + 1);
    let whole = error.to_string();
    let reason = error.message().to_owned();
    let snippet = whole.lines().find(|row| row.contains(" | ")).map(str::trim).unwrap_or_default().to_owned();
    let failure = Failure::configuration(format!("{}:{line}: {reason}", path.display()));
    if snippet.is_empty() { failure } else { failure.hint(format!("look at: {snippet}")) }
}

/// The nearest ancestor of `directory` (itself first) for which `test` holds.
fn ancestor(directory: &Path, test: impl Fn(&Path) -> bool) -> Option<PathBuf> {
    directory.ancestors().find(|place| test(place)).map(Path::to_owned)
}

#[cfg(test)]
mod schema;
#[cfg(test)]
mod tests;
