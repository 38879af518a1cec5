//! Whether the store can be worked with.

use std::path::{Path, PathBuf};
use std::time::Instant;

use baton_port::StoreError;
use baton_store::{Options, SqliteStore};
use rustix::fs::{Access, access};

use super::millis_since;
use crate::failure::Failure;

/// What was seen of the store.
pub(super) struct StoreReport {
    pub(super) file: PathBuf,
    pub(super) state: StoreState,
    /// The database with its log.
    pub(super) bytes: u64,
    /// Large texts, which are files.
    pub(super) blob_bytes: u64,
    pub(super) writable: bool,
    pub(super) ms: u64,
}

pub(super) enum StoreState {
    /// There is none; the first task makes it.
    None,
    /// It opens, its structure is whole, and no large text has lost its file.
    Sound,
    Bad {
        because: String,
        mend: String,
    },
}

impl StoreReport {
    /// What must be mended, and how.
    pub(super) fn trouble(&self) -> Option<(String, String)> {
        match &self.state {
            StoreState::Bad { because, mend } => Some((because.clone(), mend.clone())),
            _ if !self.writable => Some((
                format!("{} cannot be written", self.file.display()),
                "set BATON_HOME to a directory that you can write to".to_owned(),
            )),
            _ => None,
        }
    }
}

/// Opens and checks the store, and gives it when it is sound. Where there is none, none is made. A store of an older
/// baton is brought up to date by this, as by every command.
pub(super) async fn look(directory: &Path) -> (StoreReport, Option<SqliteStore>) {
    let begun = Instant::now();
    let file = directory.join(SqliteStore::FILE);
    let (state, store) = if file.exists() { check(directory).await } else { (StoreState::None, None) };
    let log = file.with_extension("db-wal");
    let report = StoreReport {
        bytes: size(&file) + size(&log),
        blob_bytes: size_below(&directory.join("blobs"), 3),
        writable: is_writable(directory),
        ms: millis_since(begun),
        file,
        state,
    };
    (report, store)
}

async fn check(directory: &Path) -> (StoreState, Option<SqliteStore>) {
    let opened = match SqliteStore::open(directory, Options::default()) {
        Ok(store) => store.check().await.map(|()| store),
        Err(error) => Err(error),
    };
    match opened {
        Ok(store) => (StoreState::Sound, Some(store)),
        Err(error) => (bad(error), None),
    }
}

fn bad(error: StoreError) -> StoreState {
    let failure = Failure::from(error);
    StoreState::Bad { because: failure.message, mend: failure.hints.join("; ") }
}

/// Whether files can be made in the directory, or in the nearest one above it that is there.
fn is_writable(directory: &Path) -> bool {
    let nearest = directory.ancestors().find(|place| place.exists());
    nearest.is_some_and(|place| place.is_dir() && access(place, Access::WRITE_OK | Access::EXEC_OK).is_ok())
}

fn size(file: &Path) -> u64 {
    std::fs::metadata(file).map_or(0, |kind| kind.len())
}

/// The sizes of all files, this many folders down.
fn size_below(folder: &Path, depth: u8) -> u64 {
    let Ok(entries) = std::fs::read_dir(folder) else { return 0 };
    let sizes = entries.filter_map(Result::ok).map(|entry| match entry.metadata() {
        Ok(kind) if kind.is_dir() && depth > 0 => size_below(&entry.path(), depth - 1),
        Ok(kind) if kind.is_file() => kind.len(),
        _ => 0,
    });
    sizes.sum()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn looked(directory: &Path) -> StoreReport {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(look(directory)).0
    }

    #[test]
    fn looking_for_a_store_makes_none() {
        let root = tempfile::tempdir().unwrap();
        let report = looked(&root.path().join("not/yet"));
        assert!(matches!(report.state, StoreState::None) && report.writable && report.trouble().is_none());
        assert_eq!(std::fs::read_dir(root.path()).unwrap().count(), 0);
    }

    #[test]
    fn a_sound_store_is_measured_and_a_broken_one_is_left() {
        let root = tempfile::tempdir().unwrap();
        drop(SqliteStore::open(root.path(), Options::default()).unwrap());
        let report = looked(root.path());
        assert!(matches!(report.state, StoreState::Sound) && report.bytes > 0 && report.trouble().is_none());
        let poem = "this is no database ".repeat(40);
        std::fs::write(root.path().join(SqliteStore::FILE), &poem).unwrap();
        let (because, mend) = looked(root.path()).trouble().unwrap();
        assert!(because.contains("baton.db") && mend.contains("move the file away"), "{because}: {mend}");
        assert_eq!(std::fs::read_to_string(root.path().join(SqliteStore::FILE)).unwrap(), poem);
    }

    #[test]
    fn files_are_added_up() {
        let root = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(root.path().join("a/b")).unwrap();
        std::fs::write(root.path().join("a/b/x"), [0; 7]).unwrap();
        std::fs::write(root.path().join("y"), [0; 3]).unwrap();
        assert_eq!(size_below(root.path(), 3), 10);
        assert_eq!(size_below(root.path(), 0), 3);
    }
}
