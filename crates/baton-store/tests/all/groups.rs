//! Many appenders at once: committed together, refused alone.

use std::collections::BTreeSet;
use std::sync::Arc;

use baton_port::{Append, Blobs as _, Journal as _, StoreError};
use baton_store::{Options, SqliteStore};
use tokio::task::JoinSet;

use crate::support::{append, block_on, event, many, one, open, rows, run};

#[test]
fn sixty_four_appenders_at_once_each_keep_their_order() {
    let directory = tempfile::tempdir().unwrap();
    let store = Arc::new(open(directory.path()));
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let places: BTreeSet<u64> = runtime.block_on(async {
        let mut appenders = JoinSet::new();
        for appender in 0..64 {
            let store = Arc::clone(&store);
            appenders.spawn(async move {
                let stream = run(&format!("run-{appender}"));
                let mut places = Vec::new();
                for ordinal in 0..10 {
                    let append = Append { expected: Some(ordinal), ..one(&stream, "event") };
                    places.push(store.append(append).await.unwrap());
                }
                assert!(places.is_sorted());
                places
            });
        }
        appenders.join_all().await.into_iter().flatten().collect()
    });
    assert_eq!(places, (1..=640).collect());
    for appender in 0..64 {
        assert_eq!(rows(&*store, &run(&format!("run-{appender}"))).len(), 10);
    }
    assert_eq!(block_on(store.check()), Ok(()));
}

#[test]
fn of_those_that_expect_the_same_place_one_gets_it() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let waiting: Vec<_> =
        (0..50).map(|_| store.append(Append { expected: Some(0), ..one(&run("a"), "event") })).collect();
    let results: Vec<_> = waiting.into_iter().map(block_on).collect();
    assert_eq!(results[0], Ok(1));
    assert!(results[1..].iter().all(|result| *result == Err(StoreError::Conflict { expected: 0, actual: 1 })));
    assert_eq!(rows(&store, &run("a")).len(), 1);
}

#[test]
fn a_refused_request_leaves_its_neighbours_alone() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    let waiting: Vec<_> = (0..60)
        .map(|number| match number % 3 {
            0 => store.append(one(&run("a"), "kept")),
            1 => store.append(Append { expected: Some(999), ..one(&run("a"), "conflicting") }),
            _ => store.append(Append { epoch: Some(7), ..one(&run("a"), "fenced") }),
        })
        .collect();
    let kept = waiting.into_iter().map(block_on).filter(Result::is_ok).count();
    let rows = rows(&store, &run("a"));
    assert_eq!((kept, rows.len()), (20, 20));
    assert!(rows.iter().all(|row| row.kind == "kept"));
}

#[test]
fn what_was_accepted_is_done_before_the_store_closes() {
    let directory = tempfile::tempdir().unwrap();
    let store = open(directory.path());
    for _ in 0..100 {
        drop(store.append(one(&run("a"), "nobody waits")));
    }
    store.close();
    let store = open(directory.path());
    assert_eq!(rows(&store, &run("a")).len(), 100);
    assert!(!directory.path().join("baton.db-wal").metadata().is_ok_and(|log| log.len() > 0));
}

#[test]
fn a_full_store_says_so_and_loses_nothing() {
    let directory = tempfile::tempdir().unwrap();
    let store = SqliteStore::open(directory.path(), Options { page_limit: Some(60) }).unwrap();
    let body = |number: u32| vec![number.to_be_bytes(); 2_000].concat();
    let mut written = 0;
    let error = loop {
        match append(&store, many(&run("a"), vec![event("event", Some(&body(written)))])) {
            Ok(_) => written += 1,
            Err(error) => break error,
        }
        assert!(written < 1_000, "the limit holds");
    };
    assert_eq!(error, StoreError::Full);
    assert!(written > 5);
    let waiting: Vec<_> = (0..20).map(|number| store.put(body(5_000 + number))).collect();
    assert!(waiting.into_iter().map(block_on).any(|result| result == Err(StoreError::Full)));
    assert_eq!(rows(&store, &run("a")).len(), written as usize);
    drop(store);
    let store = open(directory.path());
    assert_eq!(append(&store, one(&run("a"), "there is room again")), Ok(u64::from(written) + 1));
    assert_eq!(block_on(store.check()), Ok(()));
    assert_eq!(rows(&store, &run("a")).len(), written as usize + 1);
}
