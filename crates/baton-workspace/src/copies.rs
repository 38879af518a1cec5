//! Folders that live as long as the process that made them.

use std::fs::{self, File, TryLockError};
use std::io;
use std::os::unix::fs::{DirBuilderExt, MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU32, Ordering};

use crate::WorkspaceError;

/// A private folder in baton's folder, removed when this is dropped.
///
/// It is held by a lock on the file beside it, which the system lets go when the process ends, however it ends.
#[derive(Debug)]
pub struct PrivateFolder {
    folder: PathBuf,
    lock_path: PathBuf,
    _lock: File,
}

/// Tells the copies of one process apart.
static NEXT: AtomicU32 = AtomicU32::new(0);

impl PrivateFolder {
    /// # Errors
    /// When the folder cannot be made.
    pub fn make(below: &Path) -> Result<Self, WorkspaceError> {
        let failed = |error: io::Error| WorkspaceError::Folder(format!("{}: {error}", below.display()));
        fs::DirBuilder::new().recursive(true).mode(0o700).create(below).map_err(failed)?;
        // git and the kernel name things by their true path.
        let below = fs::canonicalize(below).map_err(failed)?;
        loop {
            let name = format!("{}-{}", std::process::id(), NEXT.fetch_add(1, Ordering::Relaxed));
            let (folder, lock_path) = (below.join(&name), below.join(format!("{name}.lock")));
            let lock = File::create(&lock_path).map_err(failed)?;
            // Somebody may be sweeping just now, or had this number before: then another name.
            if lock.try_lock().is_err() || !is_at(&lock, &lock_path) || folder.exists() {
                continue;
            }
            let copy = Self { folder, lock_path, _lock: lock };
            fs::DirBuilder::new().mode(0o700).create(&copy.folder).map_err(failed)?;
            return Ok(copy);
        }
    }

    #[must_use]
    pub fn folder(&self) -> &Path {
        &self.folder
    }
}

impl Drop for PrivateFolder {
    fn drop(&mut self) {
        // What cannot be removed now is found by the next sweep: its lock is let go.
        if remove(&self.folder).is_ok() {
            let _ = fs::remove_file(&self.lock_path);
        }
    }
}

fn is_at(file: &File, path: &Path) -> bool {
    match (file.metadata(), fs::metadata(path)) {
        (Ok(open), Ok(named)) => (open.dev(), open.ino()) == (named.dev(), named.ino()),
        _ => false,
    }
}

/// Removes what no process holds; returns how many folders.
pub(crate) fn sweep(below: &Path) -> usize {
    let Ok(entries) = fs::read_dir(below) else { return 0 };
    let locks =
        entries.flatten().map(|entry| entry.path()).filter(|path| path.extension().is_some_and(|end| end == "lock"));
    locks
        .filter(|lock| is_left(lock) && remove(&lock.with_extension("")).is_ok() && fs::remove_file(lock).is_ok())
        .count()
}

fn is_left(lock: &Path) -> bool {
    let Ok(file) = File::open(lock) else { return false };
    !matches!(file.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
}

/// Removes a folder also when a program took its permissions away. Links are removed, never followed.
fn remove(folder: &Path) -> io::Result<()> {
    match fs::remove_dir_all(folder) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            open_up(folder);
            fs::remove_dir_all(folder)
        }
        other => other,
    }
}

fn open_up(folder: &Path) {
    let _ = fs::set_permissions(folder, fs::Permissions::from_mode(0o700));
    let Ok(entries) = fs::read_dir(folder) else { return };
    for entry in entries.flatten() {
        if entry.file_type().is_ok_and(|kind| kind.is_dir()) {
            open_up(&entry.path());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_is_gone_when_it_is_dropped_also_with_folders_that_are_shut() {
        let below = tempfile::tempdir().unwrap();
        let copy = PrivateFolder::make(below.path()).unwrap();
        let shut = copy.folder().join("shut");
        fs::create_dir(&shut).unwrap();
        fs::write(shut.join("file"), "x").unwrap();
        fs::set_permissions(&shut, fs::Permissions::from_mode(0o500)).unwrap();
        std::os::unix::fs::symlink("/", copy.folder().join("root")).unwrap();
        drop(copy);
        assert_eq!(fs::read_dir(below.path()).unwrap().count(), 0);
    }

    #[test]
    fn only_what_nobody_holds_is_swept() {
        let below = tempfile::tempdir().unwrap();
        let held = PrivateFolder::make(below.path()).unwrap();
        fs::create_dir(below.path().join("9-9")).unwrap();
        fs::write(below.path().join("9-9.lock"), "").unwrap();
        assert_eq!(sweep(below.path()), 1);
        assert!(held.folder().is_dir() && !below.path().join("9-9").exists());
        assert_eq!(sweep(&below.path().join("nowhere")), 0);
    }
}
