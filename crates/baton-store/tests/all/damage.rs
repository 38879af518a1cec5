//! Files that were cut, overwritten or are something else: named as damaged, or read with the damage found by the
//! chain, but never a panic, a hang, or a file that opening has changed.

use std::path::Path;

use baton_core::journal::verify_chain;
use baton_port::{Blobs as _, Journal as _, StoreError};
use baton_store::{Options, SqliteStore};

use crate::support::{Seeded, append, block_on, event, many, one, open, run};

/// A store with some of everything, as the bytes of its file.
fn healthy() -> Vec<u8> {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let mut seeded = Seeded::new(1);
    for number in 0..40 {
        let body = seeded.bytes(1 + number * 300);
        append(&store, many(&run(&format!("run-{}", number % 5)), vec![event("event", Some(&body))])).unwrap();
    }
    block_on(store.put(b"blob".to_vec())).unwrap();
    store.close();
    std::fs::read(directory.path().join("baton.db")).unwrap()
}

fn place(directory: &Path, bytes: &[u8]) -> std::path::PathBuf {
    let path = directory.join("baton.db");
    std::fs::write(&path, bytes).unwrap();
    path
}

/// Opens and uses what may be damaged. Whatever it finds, an error names the file.
fn use_all(directory: &Path) -> Result<bool, StoreError> {
    let store = SqliteStore::open(directory, Options::default())?;
    block_on(store.check())?;
    block_on(store.follow(0, 1_000))?;
    block_on(store.runs(100))?;
    let mut intact = true;
    for number in 0..5 {
        let rows = block_on(store.read(&run(&format!("run-{number}")), 0))?;
        intact &= rows.len() == 8 && verify_chain(&rows).is_ok();
    }
    append(&store, one(&run("run-0"), "event"))?;
    Ok(intact)
}

fn assert_named(result: &Result<bool, StoreError>, case: &str) {
    match result {
        Ok(_) | Err(StoreError::Newer { .. } | StoreError::Full) => {}
        Err(StoreError::Damaged(text) | StoreError::ReadOnly(text) | StoreError::Failed(text)) => {
            assert!(text.contains("baton.db"), "{case}: {text}");
        }
        Err(error) => panic!("{case}: {error}"),
    }
}

fn is_damaged_and_untouched(bytes: &[u8], case: &str) {
    let directory = tempfile::tempdir().unwrap();
    let path = place(directory.path(), bytes);
    let result = SqliteStore::open(directory.path(), Options::default()).map(drop);
    assert!(matches!(&result, Err(StoreError::Damaged(text)) if text.contains("baton.db")), "{case}: {result:?}");
    assert!(std::fs::read(path).unwrap() == bytes, "{case}: the file was changed");
}

#[test]
fn what_is_no_database_is_refused_and_left_as_it_is() {
    let mut seeded = Seeded::new(2);
    let healthy = healthy();
    for size in [1, 15, 16, 99, 100, 4_096, 20_000] {
        is_damaged_and_untouched(&seeded.bytes(size), &format!("{size} random bytes"));
        is_damaged_and_untouched(&vec![0; size], &format!("{size} zeros"));
    }
    is_damaged_and_untouched(&[&b"SQLite format 4\0"[..], &healthy[16..]].concat(), "wrong magic");
    is_damaged_and_untouched(&[&healthy[..100], &vec![0; healthy.len() - 100]].concat(), "header alone");
    is_damaged_and_untouched(&[&healthy[..100], &seeded.bytes(8_092)].concat(), "header and noise");
}

#[test]
fn a_cut_file_is_refused_and_left_as_it_is() {
    let healthy = healthy();
    let pages = healthy.len() / 4_096;
    for size in [99, 100, 2_048, 4_096, 8_192, 4_096 * (pages / 2), 4_096 * (pages - 1), healthy.len() - 1] {
        is_damaged_and_untouched(&healthy[..size], &format!("cut to {size}"));
    }
}

#[test]
fn a_zeroed_page_is_found() {
    let healthy = healthy();
    for page in 0..(healthy.len() / 4_096).min(12) {
        let mut bytes = healthy.clone();
        bytes[page * 4_096..(page + 1) * 4_096].fill(0);
        let directory = tempfile::tempdir().unwrap();
        place(directory.path(), &bytes);
        let result = use_all(directory.path());
        assert_named(&result, &format!("page {page}"));
        assert_ne!(result, Ok(true), "page {page} was lost unseen");
    }
}

#[test]
fn random_changes_never_end_in_a_panic() {
    let healthy = healthy();
    for seed in 0..30 {
        let mut seeded = Seeded::new(100 + seed);
        let mut bytes = healthy.clone();
        for _ in 0..=seeded.below(20) {
            // Half of them in the first page, where they hurt most.
            let bound = if seeded.below(2) == 0 { 4_096 } else { bytes.len() };
            let at = seeded.below(bound);
            bytes[at] = u8::try_from(seeded.below(256)).unwrap();
        }
        let directory = tempfile::tempdir().unwrap();
        place(directory.path(), &bytes);
        assert_named(&use_all(directory.path()), &format!("seed {seed}"));
    }
}

#[test]
fn a_log_of_noise_is_not_taken_for_commits() {
    let healthy = healthy();
    for seed in 0..6 {
        let directory = tempfile::tempdir().unwrap();
        place(directory.path(), &healthy);
        let noise = Seeded::new(seed).bytes(4_152 * 3);
        std::fs::write(directory.path().join("baton.db-wal"), noise).unwrap();
        assert_eq!(use_all(directory.path()), Ok(true), "seed {seed}");
    }
}

#[test]
fn tables_that_were_taken_away_are_missed() {
    let directory = tempfile::tempdir().unwrap();
    let path = place(directory.path(), &healthy());
    rusqlite::Connection::open(&path).unwrap().execute_batch("DROP TABLE lease").unwrap();
    is_damaged_and_untouched(&std::fs::read(path).unwrap(), "no leases");
}
