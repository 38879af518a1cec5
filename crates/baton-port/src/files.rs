//! The files around a task, so that a finding that names one can be held against it.

use std::path::Path;

use crate::BoxFuture;

/// What came of looking for a file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// Its path from the root of the workspace, and its text.
    Text { path: String, text: String },
    /// There is no such file, under this name or under a shortened or lengthened one.
    Absent,
    /// It was not looked at: it lies outside, is no regular file or no text, is too large, or several have this name.
    Unknown,
}

/// Reads the files of a workspace as they are now. An implementation never leaves the workspace, whatever a name says, and
/// never waits for what is no regular file.
pub trait Files: Send + Sync {
    /// One for each name, in their order.
    fn find<'a>(&'a self, workspace: &'a Path, names: &'a [String]) -> BoxFuture<'a, Vec<Found>>;
}

/// Looks at nothing: for work without a file system.
#[derive(Clone, Copy, Debug)]
pub struct NoFiles;

impl Files for NoFiles {
    fn find<'a>(&'a self, _: &'a Path, names: &'a [String]) -> BoxFuture<'a, Vec<Found>> {
        Box::pin(std::future::ready(vec![Found::Unknown; names.len()]))
    }
}
