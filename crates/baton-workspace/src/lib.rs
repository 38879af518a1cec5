//! Where a member's patch is tried and its test is run: a copy of the user's repository, and a sandbox for what runs in
//! it.
//!
//! What holds:
//!
//! - **The user's things are only read.** Neither the files nor anything below `.git` (index, branches, stash list,
//!   objects, list of worktrees) is written. A [`Worktree`] is a repository of its own in baton's folder that borrows
//!   the user's objects (git renews the time stamp of one that it meets again); it begins as the last commit with the user's uncommitted changes of tracked files.
//! - **git runs nothing for a project.** Hooks and file system monitors are off, `GIT_*` variables do not arrive, and
//!   in the copy the user's configuration is off too, filters among it: files that a filter would fetch stay pointers.
//! - **A copy is gone after its use**, also when baton was killed: it is held by a lock that ends with the process, and
//!   [`Workshop::sweep`] removes what nobody holds.
//! - **What a model wrote runs in the [`Sandbox`] or not at all**: without network, writing only to the copy and to a
//!   private home. Where no sandbox can be had the commands are told, and nothing follows from them.
//!
//! What is absent: this crate starts no process itself, knows no member and decides nothing. It does not hide what the
//! user can read.

mod bubblewrap;
mod command;
mod copies;
mod files;
mod git;
mod history;
mod probe;
mod refusal;
mod reproduction;
mod sandbox;
mod trial;
mod worktree;

use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use baton_core::member::Member;
use baton_port::Availability;
use baton_process::Launcher;
use tokio::sync::OnceCell;

pub use command::CheckCommand;
pub use copies::PrivateFolder;
pub use files::WorkspaceFiles;
pub use refusal::Refusal;
pub use reproduction::ReproductionChannel;
pub use sandbox::{Maker, Sandbox};
pub use trial::{TrialChannel, settings};
pub use worktree::{Applied, Worktree};

/// Why a copy of a repository cannot be made or used.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum WorkspaceError {
    #[error("git is not on the PATH")]
    NoGit,
    #[error("{0} is in no git repository")]
    NoRepository(String),
    #[error("the repository has no commit yet")]
    NoCommit,
    #[error("git {what} failed: {because}")]
    Git { what: String, because: String },
    #[error("no copy can be made: {0}")]
    Folder(String),
    #[error("cancelled")]
    Cancelled,
}

/// What all trials of a process share: baton's folder for copies, the environment, and whether there is a sandbox.
#[derive(Debug)]
pub struct Workshop {
    folder: PathBuf,
    launcher: Launcher,
    variables: BTreeMap<OsString, OsString>,
    /// Looked for once.
    sandbox: OnceCell<Result<Sandbox, Refusal>>,
    makers: Vec<Maker>,
}

impl Workshop {
    /// `folder` is baton's own and is made when it is needed; `variables` are usually the process's own, later ones
    /// win. Nothing is opened here.
    pub fn new(folder: PathBuf, launcher: Launcher, variables: impl IntoIterator<Item = (OsString, OsString)>) -> Self {
        let variables = variables.into_iter().collect();
        Self { folder, launcher, variables, sandbox: OnceCell::new(), makers: Maker::ALL.to_vec() }
    }

    /// The same with a sandbox by this maker or by nothing.
    #[must_use]
    pub fn only(mut self, maker: Maker) -> Self {
        self.makers = vec![maker];
        self
    }

    /// Removes copies that a process left behind when it was killed, and returns how many. Those in use are not touched.
    pub fn sweep(&self) -> usize {
        copies::sweep(&self.folder)
    }

    /// The sandbox of this machine, tried out at the first call.
    ///
    /// # Errors
    /// Why there is none.
    pub async fn sandbox(&self) -> Result<&Sandbox, &Refusal> {
        let probe = || Sandbox::probe(&self.folder, &self.launcher, &self.variables, &self.makers);
        self.sandbox.get_or_init(probe).await.as_ref()
    }

    /// The channel of a member that tries patches.
    ///
    /// # Errors
    /// Settings that cannot be read.
    pub fn trial(self: &std::sync::Arc<Self>, member: &Member) -> Result<TrialChannel, String> {
        TrialChannel::new(member, self.clone())
    }

    /// The channel of a member that runs tests for claims.
    ///
    /// # Errors
    /// Settings that cannot be read, or that name no command.
    pub fn reproduction(self: &std::sync::Arc<Self>, member: &Member) -> Result<ReproductionChannel, String> {
        ReproductionChannel::new(member, self.clone())
    }

    /// Whether what a model wrote can be run here.
    pub(crate) async fn availability(&self) -> Availability {
        match self.sandbox().await {
            Ok(_) => Availability::Ready { version: None },
            Err(refusal) => Availability::NotReady {
                because: format!("there is no sandbox for what a model wrote: {}", refusal.because),
                mend: refusal.mend.clone(),
            },
        }
    }

    pub(crate) fn path(&self) -> &OsStr {
        self.variables.get(OsStr::new("PATH")).map_or(OsStr::new(""), OsString::as_os_str)
    }
}
