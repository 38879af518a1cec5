//! Patches: what a member's diff says, read once, held to what may be applied, and written out again by us.
//!
//! A diff is a text of a model. Nothing of it reaches a program as it was written: it is taken apart into files, hunks
//! and lines, and [`Patch::render`] writes those. So headers that would move, link or unpack something have no way in,
//! and counts that a model got wrong are right.
//!
//! What is not taken, each with its [`Refusal`]: paths outside the tree, anything below `.git`, symbolic links and
//! submodules, binary files, renames and copies, changes of modes alone, and more than [`MOST_BYTES`] or
//! [`MOST_FILES`]. A new file gets the default mode.

mod read;
mod same;

use std::fmt::Write;

use crate::hash::Hash;

pub use read::{fence, read};

/// The longest diff that is taken, in bytes.
pub const MOST_BYTES: usize = 1 << 20;
/// The most files in one patch.
pub const MOST_FILES: usize = 200;

/// Why a diff is not taken.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    #[error("it gives no diff")]
    NoDiff,
    #[error("it gives more than one diff")]
    SeveralDiffs,
    #[error("its diff changes nothing")]
    Empty,
    #[error("its diff has {bytes} bytes, and at most {MOST_BYTES} are taken")]
    TooLong { bytes: usize },
    #[error("its diff has more than {MOST_FILES} files")]
    TooManyFiles,
    #[error("line {line} of its diff cannot be read")]
    Unreadable { line: usize },
    #[error("its diff names `{path}`, which is no plain path inside the tree")]
    Path { path: String },
    #[error("its diff touches git's own files")]
    Git,
    #[error("its diff makes or changes a symbolic link or a submodule")]
    Link,
    #[error("its diff holds a binary file")]
    Binary,
    #[error("its diff renames or copies a file, or changes only a mode")]
    NotLines,
    #[error("its diff touches `{path}`, which is no test and is not new")]
    NoTest { path: String },
    #[error("no test of it is called `{mark}`, as was asked for")]
    Unmarked { mark: String },
    #[error("its file `{path}` is called as the test is to be: the two could not be told apart")]
    MarkedPath { path: String },
}

/// What happens to a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Change {
    Create,
    Modify,
    Delete,
}

/// What a line of a hunk says.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    Context,
    Removed,
    Added,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) side: Side,
    pub(crate) text: String,
    /// It is the file's last one and has no newline.
    pub(crate) unended: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Hunk {
    /// The first line in the old file, from 1.
    pub(crate) at: u32,
    pub(crate) lines: Vec<Line>,
}

impl Hunk {
    fn count(&self, other_side: Side) -> usize {
        self.lines.iter().filter(|line| line.side != other_side).count()
    }
}

/// The changes of one file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileChange {
    pub path: String,
    pub change: Change,
    pub(crate) hunks: Vec<Hunk>,
}

impl FileChange {
    fn lines(&self) -> impl Iterator<Item = &Line> {
        self.hunks.iter().flat_map(|hunk| &hunk.lines)
    }

    fn reversed(&self) -> Self {
        let change = match self.change {
            Change::Create => Change::Delete,
            Change::Modify => Change::Modify,
            Change::Delete => Change::Create,
        };
        let mut reversed = Self { change, ..self.clone() };
        for line in reversed.hunks.iter_mut().flat_map(|hunk| &mut hunk.lines) {
            line.side = match line.side {
                Side::Context => Side::Context,
                Side::Removed => Side::Added,
                Side::Added => Side::Removed,
            };
        }
        reversed
    }
}

/// A diff that may be tried: every path is inside the tree, every change is one of lines.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Patch {
    /// By path; no path is there twice.
    pub files: Vec<FileChange>,
}

impl Patch {
    /// Lines that are added or removed.
    #[must_use]
    pub fn changed_lines(&self) -> u32 {
        let changed = self.files.iter().flat_map(FileChange::lines).filter(|line| line.side != Side::Context);
        u32::try_from(changed.count()).unwrap_or(u32::MAX)
    }

    /// Takes something out of a file that looks like one of tests: that these pass then says less.
    #[must_use]
    pub fn weakens_tests(&self) -> bool {
        let removes = |file: &FileChange| file.lines().any(|line| line.side == Side::Removed);
        self.files.iter().any(|file| is_of_tests(&file.path) && removes(file))
    }

    /// The paths of its files, in order.
    #[must_use]
    pub fn paths(&self) -> Vec<String> {
        self.files.iter().map(|file| file.path.clone()).collect()
    }

    /// Holds a patch to what may be run as a test: it only makes new files and changes files that hold tests by their
    /// path, and a line that it adds has `mark` in it. No path has: a file that cannot be built is named by its path,
    /// and that must not be taken for the test failing.
    ///
    /// # Errors
    /// The first thing that it does beyond that.
    pub fn as_test(&self, mark: &str) -> Result<(), Refusal> {
        for file in &self.files {
            let path = || crate::text::one_line(&file.path, 80);
            if file.path.contains(mark) {
                return Err(Refusal::MarkedPath { path: path() });
            }
            let may = match file.change {
                Change::Create => true,
                Change::Modify => holds_tests(&file.path),
                Change::Delete => false,
            };
            if !may {
                return Err(Refusal::NoTest { path: path() });
            }
        }
        let mut lines = self.files.iter().flat_map(FileChange::lines);
        let marked = lines.any(|line| line.side == Side::Added && line.text.contains(mark));
        if marked { Ok(()) } else { Err(Refusal::Unmarked { mark: mark.to_owned() }) }
    }

    /// Names what the patch does, whatever its white space, comments and order of imports: patches of one class have
    /// the same.
    #[must_use]
    pub fn class(&self) -> Hash {
        same::class(self)
    }

    /// What takes it back.
    #[must_use]
    pub fn reversed(&self) -> Self {
        Self { files: self.files.iter().map(FileChange::reversed).collect() }
    }

    /// Removes and adds the same lines of the same files in the same order, wherever in the file they stand and
    /// whatever stands around them.
    #[must_use]
    pub fn same_lines(&self, other: &Self) -> bool {
        let changed = |file: &FileChange, side: Side| -> Vec<String> {
            file.lines().filter(|line| line.side == side).map(|line| line.text.clone()).collect()
        };
        let sides = |patch: &Self| -> Vec<(String, Vec<String>, Vec<String>)> {
            let file =
                |file: &FileChange| (file.path.clone(), changed(file, Side::Removed), changed(file, Side::Added));
            patch.files.iter().map(file).collect()
        };
        sides(self) == sides(other)
    }

    /// The patch as a unified diff with the paths `a/…` and `b/…`, as `git apply` takes it.
    #[must_use]
    pub fn render(&self) -> String {
        let mut out = String::new();
        for file in &self.files {
            let name = |side: char, gone: Change| {
                if file.change == gone { "/dev/null".to_owned() } else { format!("{side}/{}\t", file.path) }
            };
            let _ = writeln!(out, "--- {}\n+++ {}", name('a', Change::Create), name('b', Change::Delete));
            let mut shift: i64 = 0;
            for hunk in &file.hunks {
                render_hunk(hunk, &mut shift, &mut out);
            }
        }
        out
    }
}

fn render_hunk(hunk: &Hunk, shift: &mut i64, out: &mut String) {
    let (old, new) = (hunk.count(Side::Added), hunk.count(Side::Removed));
    // A side without lines begins before the first one: git then takes it for an empty file only.
    let old_at = if old == 0 { 0 } else { i64::from(hunk.at.max(1)) };
    let new_at = if new == 0 { 0 } else { (old_at.max(1) + *shift).max(1) };
    let _ = writeln!(out, "@@ -{old_at},{old} +{new_at},{new} @@");
    *shift += i64::try_from(new).unwrap_or(0) - i64::try_from(old).unwrap_or(0);
    for line in &hunk.lines {
        out.push(match line.side {
            Side::Context => ' ',
            Side::Removed => '-',
            Side::Added => '+',
        });
        out.push_str(&line.text);
        out.push('\n');
        if line.unended {
            out.push_str("\\ No newline at end of file\n");
        }
    }
}

fn is_of_tests(path: &str) -> bool {
    let lower = path.to_lowercase();
    lower.split(['/', '.', '_', '-']).any(|word| matches!(word, "test" | "tests" | "spec" | "specs"))
}

/// By the habits of languages: a part of the path is `test`, `tests`, `spec` or `specs`, or the file's own name ends so
/// with a capital (`NetTest.java`).
fn holds_tests(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let stem = name.split('.').next().unwrap_or_default();
    is_of_tests(path) || ["Test", "Tests", "Spec", "Specs"].iter().any(|word| stem.ends_with(word))
}

#[cfg(test)]
mod tests;
