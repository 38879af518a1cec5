//! Where bytes are kept, and what is said when they were changed.

use std::os::unix::fs::PermissionsExt as _;
use std::path::{Path, PathBuf};

use baton_core::hash::Hash;
use baton_core::journal::{ChainError, verify_chain};
use baton_port::{Append, Blob, Blobs, Journal as _, StoreError};
use rusqlite::Connection;

use crate::support::{append, block_on, event, many, one, open, rows, run};

fn file_of(directory: &Path, hash: Hash) -> PathBuf {
    let name = hash.to_string();
    directory.join("blobs").join(&name[..2]).join(&name[2..])
}

fn count(directory: &Path, query: &str) -> i64 {
    let connection = Connection::open(directory.join("baton.db")).unwrap();
    connection.query_row(query, [], |row| row.get(0)).unwrap()
}

#[test]
fn equal_bytes_are_kept_once() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let body = vec![1; 1_000];
    for name in ["a", "b", "c"] {
        append(&store, many(&run(name), vec![event("event", Some(&body)), event("event", Some(&body))])).unwrap();
    }
    block_on(store.put(body)).unwrap();
    assert_eq!(count(directory.path(), "SELECT count(*) FROM blob"), 1);
    assert_eq!(count(directory.path(), "SELECT count(*) FROM event"), 6);
}

#[test]
fn a_large_blob_is_one_private_file() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let blob = Blob::new(vec![3; 65_537]);
    append(&store, Append { blobs: vec![blob.clone()], ..one(&run("a"), "event") }).unwrap();
    block_on(store.put(blob.bytes.clone())).unwrap();
    let file = file_of(directory.path(), blob.hash);
    assert_eq!(std::fs::read(&file).unwrap(), blob.bytes);
    assert_eq!(file.metadata().unwrap().permissions().mode() & 0o777, 0o600);
    assert_eq!(file.parent().unwrap().metadata().unwrap().permissions().mode() & 0o777, 0o700);
    assert_eq!(file.parent().unwrap().read_dir().unwrap().count(), 1, "nothing temporary stays");
    assert_eq!(count(directory.path(), "SELECT count(*) FROM blob WHERE bytes IS NULL"), 1);
}

#[test]
fn a_changed_blob_is_damage_not_an_answer() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let small = block_on(store.put(b"small".to_vec())).unwrap();
    let large = block_on(store.put(vec![5; 70_000])).unwrap();
    let connection = Connection::open(directory.path().join("baton.db")).unwrap();
    connection.execute("UPDATE blob SET bytes = x'00' WHERE size = 5", []).unwrap();
    std::fs::write(file_of(directory.path(), large), vec![6; 70_000]).unwrap();
    for hash in [small, large] {
        let result = block_on(Blobs::get(&store, hash));
        assert!(matches!(&result, Err(StoreError::Damaged(text)) if text.contains(&hash.to_string())), "{result:?}");
    }
}

#[test]
fn a_changed_body_is_named_by_the_chain() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    append(&store, many(&run("a"), vec![event("one", Some(b"1")), event("two", Some(b"2"))])).unwrap();
    let connection = Connection::open(directory.path().join("baton.db")).unwrap();
    connection.execute("UPDATE blob SET bytes = x'00' WHERE hash = ?1", [Hash::of(b"2").as_bytes()]).unwrap();
    let found = block_on(store.read(&run("a"), 0)).unwrap();
    assert_eq!(verify_chain(&found), Err(ChainError::Body { ordinal: 1 }));
    connection.execute("DELETE FROM blob WHERE hash = ?1", [Hash::of(b"2").as_bytes()]).unwrap();
    assert!(rows(&store, &run("a"))[1].body_dropped(), "a dropped body is no damage");
}

#[test]
fn a_lost_file_is_damage_until_the_same_bytes_come_again() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let bytes = vec![8; 80_000];
    let hash = block_on(store.put(bytes.clone())).unwrap();
    assert_eq!(block_on(store.check()), Ok(()));
    std::fs::remove_file(file_of(directory.path(), hash)).unwrap();
    assert!(matches!(block_on(store.check()), Err(StoreError::Damaged(_))));
    assert!(matches!(block_on(Blobs::get(&store, hash)), Err(StoreError::Damaged(_))));
    block_on(store.put(bytes.clone())).unwrap();
    assert_eq!(block_on(Blobs::get(&store, hash)), Ok(Some(bytes)));
    assert_eq!(block_on(store.check()), Ok(()));
}

#[test]
fn events_cannot_be_changed_or_removed() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    append(&store, one(&run("a"), "event")).unwrap();
    let connection = Connection::open(directory.path().join("baton.db")).unwrap();
    assert!(connection.execute("UPDATE event SET header = '{}'", []).is_err());
    assert!(connection.execute("DELETE FROM event", []).is_err());
    assert_eq!(rows(&store, &run("a")).len(), 1);
}
