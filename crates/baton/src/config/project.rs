//! A project's `baton.toml`. It comes with code that anybody may have written, so it can only narrow: remove members,
//! lower the cap, raise thresholds, deny files. Commands that it brings are off until the user trusts its content.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use baton_core::hash::Hash;
use baton_core::ids::MemberId;
use baton_members::mcp::Server;
use serde::Deserialize;

use super::file::{CheckEntry, Thresholds};
use super::servers::ServerTable;
use super::{Config, ancestor, dollars_to_micro, malformed, read_optional};
use crate::failure::Failure;

pub(crate) const PROJECT_FILE: &str = "baton.toml";

/// The project around a directory.
#[derive(Clone, Debug)]
pub(crate) struct Project {
    pub(crate) root: PathBuf,
    /// Of the file's bytes: trust holds for this content and no other.
    pub(crate) content: Hash,
    /// Commands that it brings; off unless trusted.
    pub(crate) checks: Vec<CheckEntry>,
    /// MCP servers that it brings; off unless trusted, and then for members that the user lets use one of the name.
    pub(crate) servers: Vec<Server>,
    file: ProjectFile,
}

#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct ProjectFile {
    /// Members that may not be asked here.
    #[serde(default)]
    without: Vec<MemberId>,
    spend_cap_usd: Option<f64>,
    #[serde(default)]
    thresholds: Thresholds,
    #[serde(default)]
    deny: Vec<String>,
    #[serde(default)]
    check: Vec<CheckEntry>,
    #[serde(default)]
    mcp_servers: BTreeMap<String, ServerTable>,
}

impl Project {
    /// The nearest `baton.toml` at or above `directory` that is not the user's own.
    pub(super) fn find(directory: &Path, user_file: &Path) -> Result<Option<Self>, Failure> {
        let own = |place: &Path| place.join(PROJECT_FILE) != user_file && place.join(PROJECT_FILE).is_file();
        let Some(root) = ancestor(directory, own) else { return Ok(None) };
        let path = root.join(PROJECT_FILE);
        let Some(text) = read_optional(&path)? else { return Ok(None) };
        let file: ProjectFile = toml::from_str(&text).map_err(|error| {
            malformed(&path, &error, &text)
                .hint("a project's file may only narrow: without, spend_cap_usd, thresholds, deny, check, mcp_servers")
        })?;
        if let Some(dollars) = file.spend_cap_usd {
            dollars_to_micro(dollars, "spend_cap_usd")
                .map_err(|because| Failure::configuration(format!("{}: {because}", path.display())))?;
        }
        let wrong = |because: String| Failure::configuration(format!("{}: {because}", path.display()));
        file.check.iter().try_for_each(CheckEntry::startable).map_err(wrong)?;
        let servers = super::servers::servers(&file.mcp_servers).map_err(wrong)?;
        Ok(Some(Self { root, content: Hash::of(text.as_bytes()), checks: file.check.clone(), servers, file }))
    }

    /// Whether it holds anything that is started once it is trusted.
    pub(crate) fn brings_commands(&self) -> bool {
        !(self.checks.is_empty() && self.servers.is_empty())
    }

    /// Applies what only narrows. A wider value than the user's own changes nothing.
    pub(super) fn narrow(&self, config: &mut Config) {
        config.entries.retain(|entry| !self.file.without.contains(&entry.member.id));
        if let Some(Ok(cap)) = self.file.spend_cap_usd.map(|dollars| dollars_to_micro(dollars, "spend_cap_usd")) {
            config.rules.spend_cap = Some(config.rules.spend_cap.map_or(cap, |own| own.min(cap)));
        }
        // Values outside 0 to 1 were refused when the file was read as a user's; here they narrow nothing.
        let _ = self.file.thresholds.apply(config, true);
        config.deny.extend(self.file.deny.iter().cloned());
    }
}
