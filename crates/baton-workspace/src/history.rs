//! What a repository's history did to some files.

use std::path::{Path, PathBuf};

use baton_core::feedback::Commit;
use baton_core::units::Timestamp;
use baton_port::Cancel;

use crate::git::Git;
use crate::{Workshop, WorkspaceError};

/// More commits to a patch's files since it was written are not looked through.
const MOST_COMMITS: &str = "--max-count=10000";

/// Changes as git writes them when it is asked for nothing special, which is how a tried patch was written; a commit's
/// id, message and changes end with letters that no text file holds.
const SHOWN: &[&str] = &[
    "log",
    "--reverse",
    MOST_COMMITS,
    "--no-color",
    "--no-show-signature",
    "--no-renames",
    "--no-ext-diff",
    "--no-textconv",
    "--diff-algorithm=myers",
    "--src-prefix=a/",
    "--dst-prefix=b/",
    "--patch",
    "--format=format:%x00%H%x01%B%x01",
];

impl Workshop {
    /// Whether a copy can be made here: this is in a repository with a commit. What cannot be told is no.
    pub async fn has_commit(&self, directory: &Path, cancel: &Cancel) -> bool {
        match Git::find(&self.launcher, &self.variables, cancel) {
            Ok(git) => git.line(directory, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await.is_ok(),
            Err(_) => false,
        }
    }

    /// The commits that the last one builds on and that were made since then, as far as they touch these files (paths
    /// from the repository's root); oldest first. Only reads.
    ///
    /// # Errors
    /// When there is no repository or no commit, or git fails.
    pub async fn commits(
        &self,
        directory: &Path,
        files: &[String],
        since: Timestamp,
        cancel: &Cancel,
    ) -> Result<Vec<Commit>, WorkspaceError> {
        let git = Git::find(&self.launcher, &self.variables, cancel)?;
        let root = git.line(directory, &["rev-parse", "--show-toplevel"]).await;
        let root = PathBuf::from(root.map_err(|_| WorkspaceError::NoRepository(directory.display().to_string()))?);
        let head = git.line(&root, &["rev-parse", "--verify", "--quiet", "HEAD^{commit}"]).await;
        let head = head.map_err(|_| WorkspaceError::NoCommit)?;
        let since = format!("--since=@{} +0000", since.0.div_euclid(1_000));
        // Each path as it is, whatever signs are in it.
        let paths: Vec<String> = files.iter().map(|file| format!(":(top,literal){file}")).collect();
        let mut words: Vec<&str> = SHOWN.to_vec();
        words.extend([since.as_str(), head.as_str(), "--"]);
        words.extend(paths.iter().map(String::as_str));
        let output = git.run(&root, &words, Vec::new()).await?;
        Ok(String::from_utf8_lossy(&output).split('\0').filter_map(commit).collect())
    }
}

fn commit(text: &str) -> Option<Commit> {
    let mut parts = text.splitn(3, '\x01');
    let (id, message, diff) = (parts.next()?, parts.next()?, parts.next()?);
    let change = baton_core::patch::read(diff).ok();
    Some(Commit { id: id.to_owned(), message: message.to_owned(), change })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_commit_is_read_with_its_message_and_its_change() {
        let diff = "diff --git a/a b/a\nindex 1..2 100644\n--- a/a\n+++ b/a\n@@ -1 +1 @@\n-x\n+y\n";
        let read = commit(&format!("abc\x01A subject\n\nA body\x01\n{diff}\n")).unwrap();
        assert_eq!((read.id.as_str(), read.message.as_str()), ("abc", "A subject\n\nA body"));
        assert_eq!(read.change.unwrap().changed_lines(), 2);
        let merge = commit("abc\x01Merge\x01\n").unwrap();
        assert_eq!(merge.change, None);
        assert_eq!(commit(""), None);
    }
}
