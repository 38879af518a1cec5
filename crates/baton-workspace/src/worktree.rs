//! A copy of a repository as the user has it now.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs;
use std::path::{Path, PathBuf};

use baton_port::Cancel;
use baton_process::Launcher;

use crate::WorkspaceError;
use crate::copies::PrivateFolder;
use crate::git::Git;

/// A repository of its own, removed when this is dropped. It begins as the last commit of another repository with the
/// uncommitted changes of its tracked files; files that git does not track are not in it.
#[derive(Debug)]
pub struct Worktree {
    copy: PrivateFolder,
    git: Git,
    tree: PathBuf,
    /// The directory in it that stands for the one it was made from.
    directory: PathBuf,
    /// What it began with.
    base: String,
}

/// What came of applying a diff.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Applied {
    /// The change as git writes it, ready for `git apply` in the user's tree.
    Yes { diff: String },
    /// Nothing was changed.
    No { because: String },
}

impl Worktree {
    /// Makes a copy of the repository around `of`, below `folder`.
    ///
    /// # Errors
    /// When there is no repository or no commit, when git fails, or when the folder cannot be made; nothing is left
    /// then.
    pub async fn make(
        of: &Path,
        folder: &Path,
        launcher: &Launcher,
        variables: &BTreeMap<OsString, OsString>,
        cancel: &Cancel,
    ) -> Result<Self, WorkspaceError> {
        let users = Git::find(launcher, variables, cancel)?;
        let root = users.line(of, &["rev-parse", "--show-toplevel"]).await;
        let root = PathBuf::from(root.map_err(|error| match error {
            WorkspaceError::Git { .. } => WorkspaceError::NoRepository(of.display().to_string()),
            other => other,
        })?);
        let head = users.line(&root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await;
        let head = head.map_err(|_| WorkspaceError::NoCommit)?;
        let copy = PrivateFolder::make(folder)?;
        let changes = changes(&users, &root, copy.folder()).await?;
        let tree = copy.folder().join("tree");
        let git = users.bare_of_configuration();
        borrow(&users, &git, &root, &tree).await?;
        git.run(&tree, &["checkout", "--quiet", "--force", "--detach", &head], Vec::new()).await?;
        if !changes.is_empty() {
            git.run(&tree, &["apply", "--index", "--binary", "--whitespace=nowarn"], changes).await?;
        }
        let base = git.line(&tree, &["write-tree"]).await?;
        let directory = inside(&root, of, &tree);
        Ok(Self { copy, git, tree, directory, base })
    }

    /// Where commands are run.
    #[must_use]
    pub fn directory(&self) -> &Path {
        &self.directory
    }

    /// The repository's root.
    #[must_use]
    pub fn tree(&self) -> &Path {
        &self.tree
    }

    /// A private folder beside it that goes with it.
    ///
    /// # Errors
    /// When it cannot be made.
    pub fn private(&self) -> Result<PathBuf, WorkspaceError> {
        let private = self.copy.folder().join("private");
        fs::create_dir_all(&private).map_err(|error| WorkspaceError::Folder(error.to_string()))?;
        Ok(private)
    }

    /// Why a diff does not fit, without applying it; `None` where it does.
    ///
    /// # Errors
    /// When git cannot be run.
    pub async fn misfit(&self, diff: &str) -> Result<Option<String>, WorkspaceError> {
        match self.git.run(&self.tree, &["apply", "--check", "--index"], diff.into()).await {
            Ok(_) => Ok(None),
            Err(WorkspaceError::Git { because, .. }) => Ok(Some(because)),
            Err(error) => Err(error),
        }
    }

    /// Applies a diff as a whole or not at all.
    ///
    /// # Errors
    /// When git cannot be run; that the diff does not fit is no error.
    pub async fn apply(&self, diff: &str) -> Result<Applied, WorkspaceError> {
        let applied = self.git.run(&self.tree, &["apply", "--index", "--whitespace=nowarn"], diff.into()).await;
        match applied {
            Ok(_) => {}
            Err(WorkspaceError::Git { because, .. }) => return Ok(Applied::No { because }),
            Err(error) => return Err(error),
        }
        // `:OLDMODE NEWMODE …`: a path that was read as a plain file may be a link here.
        let raw = self.git.line(&self.tree, &["diff-index", "--cached", "--no-renames", &self.base]).await?;
        let is_link = |line: &str| {
            line.split(' ').take(2).any(|mode| matches!(mode.trim_start_matches(':'), "120000" | "160000"))
        };
        if raw.lines().any(is_link) {
            return Ok(Applied::No { because: "it changes a symbolic link or a submodule".into() });
        }
        let arguments =
            ["diff-index", "--cached", "--patch", "--no-renames", "--no-ext-diff", "--no-textconv", &self.base];
        let diff = self.git.run(&self.tree, &arguments, Vec::new()).await?;
        match String::from_utf8(diff) {
            Ok(diff) if diff.is_empty() => Ok(Applied::No { because: "it changes nothing".into() }),
            Ok(diff) => Ok(Applied::Yes { diff }),
            Err(_) => Ok(Applied::No { because: "it changes a file that is no UTF-8 text".into() }),
        }
    }
}

/// The user's uncommitted changes of tracked files, computed on a copy of the index, since git writes what it learns of
/// files there.
async fn changes(users: &Git, root: &Path, private: &Path) -> Result<Vec<u8>, WorkspaceError> {
    let place = users.line(root, &["rev-parse", "--git-path", "index"]).await?;
    let index = private.join("index");
    if let Err(error) = fs::copy(root.join(place), &index)
        && error.kind() != std::io::ErrorKind::NotFound
    {
        return Err(WorkspaceError::Folder(error.to_string()));
    }
    let arguments = [
        "diff",
        "--binary",
        "--no-color",
        "--no-ext-diff",
        "--no-textconv",
        "--no-renames",
        "--ignore-submodules=all",
        "--src-prefix=a/",
        "--dst-prefix=b/",
        "HEAD",
    ];
    users.with_index(&index).run(root, &arguments, Vec::new()).await
}

/// An empty repository that finds the user's objects.
async fn borrow(users: &Git, git: &Git, root: &Path, tree: &Path) -> Result<(), WorkspaceError> {
    let failed = |error: std::io::Error| WorkspaceError::Folder(error.to_string());
    let format = users.line(root, &["rev-parse", "--show-object-format"]).await?;
    let objects = root.join(users.line(root, &["rev-parse", "--git-path", "objects"]).await?);
    fs::create_dir(tree).map_err(failed)?;
    git.run(tree, &["init", "--quiet", "--template=", &format!("--object-format={format}")], Vec::new()).await?;
    let info = tree.join(".git/objects/info");
    fs::create_dir_all(&info).map_err(failed)?;
    fs::write(info.join("alternates"), format!("{}\n", objects.display())).map_err(failed)
}

/// Where a directory of the user's repository is in the copy; the root where it is not in it.
fn inside(root: &Path, of: &Path, tree: &Path) -> PathBuf {
    let of = fs::canonicalize(of).unwrap_or_else(|_| of.to_owned());
    let root = fs::canonicalize(root).unwrap_or_else(|_| root.to_owned());
    let same = of.strip_prefix(&root).map(|below| tree.join(below));
    same.ok().filter(|directory| directory.is_dir()).unwrap_or_else(|| tree.to_owned())
}
