//! `programs.toml`: the rows, and what is left out.

use std::collections::BTreeMap;
use std::path::Path;

use serde::{Deserialize, Serialize};

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Programs {
    pub(crate) row: Vec<Row>,
    pub(crate) skip: Vec<Skip>,
}

/// A program by one of its channels.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Row {
    pub(crate) name: String,
    /// Of the package registry; its version is the table's.
    pub(crate) package: String,
    pub(crate) program: String,
    /// The member of baton's configuration that is asked.
    pub(crate) seat: String,
    /// For all cases together. What is not done by then is killed and reported.
    pub(crate) budget_s: u64,
    /// How long the hanging server is waited for. Longer than the program takes to start and ask.
    pub(crate) silence_ms: u64,
    /// Of the seat: `{url}` is the server's, `{limits}` the time limits of the case, `{work}` the
    /// project.
    pub(crate) configuration: String,
    /// Files of the private home, with `{url}` in them.
    #[serde(default)]
    pub(crate) files: BTreeMap<String, String>,
    /// Whether its own retries can be switched off: then every attempt must be one call.
    #[serde(default)]
    pub(crate) asks_once: bool,
    /// What the program may write into the project, as paths from there. Say in a comment why.
    #[serde(default)]
    pub(crate) may_write: Vec<String>,
    /// What must be seen; several are separated by ` or `, for programs that do not do the same each time.
    pub(crate) expected: BTreeMap<Case, String>,
}

/// A program that may be left out, and why. It must not be there.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Skip {
    pub(crate) name: String,
    pub(crate) program: String,
    pub(crate) because: String,
}

/// What is tried, in this order.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Deserialize, Serialize)]
pub(crate) enum Case {
    /// The first turn of a conversation.
    #[serde(rename = "first")]
    First,
    /// Two turns of one conversation by one baton process.
    #[serde(rename = "second")]
    Second,
    /// Another baton process goes on with the conversation of the first case.
    #[serde(rename = "resume")]
    Resume,
    #[serde(rename = "401")]
    Unauthorized,
    #[serde(rename = "429")]
    RateLimited,
    #[serde(rename = "500")]
    ServerError,
    /// The server takes the request and never answers.
    #[serde(rename = "hang")]
    Hang,
    /// The connection breaks off after some of the answer.
    #[serde(rename = "cut")]
    Cut,
    /// The program is killed while the server has its request.
    #[serde(rename = "killed")]
    Killed,
    /// Baton is killed while the server has the request.
    #[serde(rename = "baton killed")]
    BatonKilled,
    /// A prompt of 200 KB.
    #[serde(rename = "200 KB")]
    Large,
    /// A project that nobody trusts brings hooks, servers and plugins: none is started.
    #[serde(rename = "project")]
    Project,
}

impl Case {
    pub(crate) const ALL: [Self; 12] = [
        Self::First,
        Self::Second,
        Self::Resume,
        Self::Unauthorized,
        Self::RateLimited,
        Self::ServerError,
        Self::Hang,
        Self::Cut,
        Self::Killed,
        Self::BatonKilled,
        Self::Large,
        Self::Project,
    ];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::First => "first",
            Self::Second => "second",
            Self::Resume => "resume",
            Self::Unauthorized => "401",
            Self::RateLimited => "429",
            Self::ServerError => "500",
            Self::Hang => "hang",
            Self::Cut => "cut",
            Self::Killed => "killed",
            Self::BatonKilled => "baton killed",
            Self::Large => "200 KB",
            Self::Project => "project",
        }
    }
}

impl Programs {
    /// # Errors
    /// A file that cannot be read, or a row that leaves a case open.
    pub(crate) fn read() -> Result<Self, String> {
        let programs: Self = toml::from_str(include_str!("programs.toml")).map_err(|error| error.to_string())?;
        for row in &programs.row {
            if let Some(case) = Case::ALL.iter().find(|case| !row.expected.contains_key(case)) {
                return Err(format!("{}: nothing is expected of the case `{}`", row.name, case.name()));
            }
        }
        Ok(programs)
    }

    /// What the list and the installed programs do not agree on.
    pub(crate) fn disagreements(&self, agents: &Path) -> Vec<String> {
        let missing = self.row.iter().filter(|row| !is_there(agents, &row.program));
        let missing =
            missing.map(|row| format!("{}: `{}` is not there, and is not on the list", row.name, row.program));
        let found = self.skip.iter().filter(|skip| is_there(agents, &skip.program));
        let found = found.map(|skip| format!("{}: `{}` is there now, and is on the list", skip.name, skip.program));
        missing.chain(found).collect()
    }
}

pub(crate) fn is_there(agents: &Path, program: &str) -> bool {
    agents.join("node_modules/.bin").join(program).exists()
}

/// The installed version of a row's package.
pub(crate) fn version(agents: &Path, package: &str) -> String {
    let manifest = agents.join("node_modules").join(package).join("package.json");
    let text = std::fs::read_to_string(manifest).unwrap_or_default();
    let manifest: serde_json::Value = serde_json::from_str(&text).unwrap_or_default();
    manifest["version"].as_str().unwrap_or("unknown").to_owned()
}
