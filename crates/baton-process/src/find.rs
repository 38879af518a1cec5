//! The search of `PATH`.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};

/// The first executable file called `name` in the directories of `path_variable`.
///
/// Relative and empty entries are skipped: a checkout must not be able to put a program in front of the user's. An
/// absolute `name` is checked and returned as it is; a relative one with a separator is never found. Links are not
/// resolved, because some programs behave by the name they are started under.
#[must_use]
pub fn find_program(name: &str, path_variable: &OsStr) -> Option<PathBuf> {
    let path = Path::new(name);
    if path.is_absolute() {
        return is_executable(path).then(|| path.to_owned());
    }
    if path.components().count() != 1 || path.file_name() != Some(path.as_os_str()) {
        return None;
    }
    std::env::split_paths(path_variable)
        .filter(|directory| directory.is_absolute())
        .map(|directory| directory.join(path))
        .find(|candidate| is_executable(candidate))
}

#[cfg(unix)]
fn is_executable(path: &Path) -> bool {
    path.is_file() && rustix::fs::access(path, rustix::fs::Access::EXEC_OK).is_ok()
}

#[cfg(not(unix))]
fn is_executable(path: &Path) -> bool {
    path.is_file()
}
