//! git, told to run nothing else and to take its settings from nowhere but here.

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};
use std::time::Duration;

use baton_core::text::one_line;
use baton_port::Cancel;
use baton_process::environment::select;
use baton_process::{Command, Ending, Launcher, Limits, Stdin, find_program};

use crate::WorkspaceError;

/// The longest diff of the user's own changes that is carried over.
const MOST_BYTES: usize = 256 << 20;
/// A checkout of a large repository takes its time.
const LIMIT: Duration = Duration::from_secs(300);

const SAFE: &[&str] = &["-c", "core.hooksPath=/dev/null", "-c", "core.fsmonitor=false", "-c", "gc.auto=0"];

#[derive(Clone, Debug)]
pub(crate) struct Git {
    program: PathBuf,
    launcher: Launcher,
    variables: BTreeMap<OsString, OsString>,
    cancel: Cancel,
}

impl Git {
    pub(crate) fn find(
        launcher: &Launcher,
        variables: &BTreeMap<OsString, OsString>,
        cancel: &Cancel,
    ) -> Result<Self, WorkspaceError> {
        let path = variables.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str);
        let program = find_program("git", path).ok_or(WorkspaceError::NoGit)?;
        let mut variables = select(variables.clone(), &["PATH", "HOME", "XDG_CONFIG_HOME", "TMPDIR"]);
        for (name, value) in [("GIT_OPTIONAL_LOCKS", "0"), ("GIT_TERMINAL_PROMPT", "0"), ("GIT_NO_LAZY_FETCH", "1")] {
            variables.insert(name.into(), value.into());
        }
        variables.insert("LC_ALL".into(), "C".into());
        Ok(Self { program, launcher: launcher.clone(), variables, cancel: cancel.clone() })
    }

    /// The same without the user's and the machine's configuration.
    pub(crate) fn bare_of_configuration(&self) -> Self {
        let mut git = self.clone();
        for (name, value) in [("GIT_CONFIG_GLOBAL", "/dev/null"), ("GIT_CONFIG_NOSYSTEM", "1")] {
            git.variables.insert(name.into(), value.into());
        }
        git
    }

    /// The same with another index: what refreshes it writes there.
    pub(crate) fn with_index(&self, index: &Path) -> Self {
        let mut git = self.clone();
        git.variables.insert("GIT_INDEX_FILE".into(), index.into());
        git
    }

    /// Standard output, byte for byte.
    pub(crate) async fn run(
        &self,
        directory: &Path,
        arguments: &[&str],
        input: Vec<u8>,
    ) -> Result<Vec<u8>, WorkspaceError> {
        let limits = Limits {
            first_output: Limits::UNLIMITED,
            idle: Limits::UNLIMITED,
            total: LIMIT,
            stdout_bytes: MOST_BYTES,
            ..Limits::default()
        };
        let command = Command::new(&self.program, directory)
            .args(SAFE)
            .args(arguments)
            .envs(self.variables.clone())
            .stdin(Stdin::Bytes(input))
            .limits(limits);
        let (report, output) = self.launcher.output(command, self.cancel.requested()).await;
        let because = match report.ending {
            Ending::Exited { code: 0 } => return Ok(output),
            Ending::Cancelled => return Err(WorkspaceError::Cancelled),
            Ending::Exited { .. } => first_line(&report.stderr.text()),
            other => format!("{other:?}"),
        };
        Err(WorkspaceError::Git { what: arguments.first().copied().unwrap_or_default().to_owned(), because })
    }

    /// Its output as one line of text.
    pub(crate) async fn line(&self, directory: &Path, arguments: &[&str]) -> Result<String, WorkspaceError> {
        let output = self.run(directory, arguments, Vec::new()).await?;
        Ok(String::from_utf8_lossy(&output).trim_end_matches('\n').to_owned())
    }
}

fn first_line(text: &str) -> String {
    let telling = |line: &&str| line.starts_with("error:") || line.starts_with("fatal:");
    let line = text.lines().find(telling).or_else(|| text.lines().next()).unwrap_or("it gives no reason");
    let plain = line.trim_start_matches("error: ").trim_start_matches("fatal: ");
    one_line(plain, 200)
}
