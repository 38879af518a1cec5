//! Several stores on one directory, as several processes have it.

use baton_core::units::Timestamp;
use baton_port::{Append, Journal as _, Rows, StoreError};

use crate::support::{append, block_on, kinds, one, open, rows, run};

#[test]
fn two_stores_that_take_turns_see_each_others_ends() {
    let directory = tempfile::tempdir().unwrap();
    let (left, right) = (open(directory.path()), open(directory.path()));
    let stream = run("a");
    for turn in 0..20 {
        let (store, kind) = if turn % 2 == 0 { (&left, "left") } else { (&right, "right") };
        let next = Append { expected: Some(turn), ..one(&stream, kind) };
        assert_eq!(append(store, next), Ok(turn + 1));
    }
    let stale = Append { expected: Some(3), ..one(&stream, "stale") };
    assert_eq!(append(&left, stale), Err(StoreError::Conflict { expected: 3, actual: 20 }));
    assert_eq!(kinds(&rows(&left, &stream))[17..], ["right", "left", "right"]);
    assert_eq!(rows(&left, &stream), rows(&right, &stream));
}

#[test]
fn two_stores_at_once_make_one_chain() {
    let directory = tempfile::tempdir().unwrap();
    std::thread::scope(|scope| {
        for kind in ["left", "right"] {
            let directory = directory.path();
            scope.spawn(move || {
                let store = open(directory);
                for _ in 0..50 {
                    append(&store, one(&run("a"), kind)).unwrap();
                }
            });
        }
    });
    let store = open(directory.path());
    let rows = rows(&store, &run("a"));
    for kind in ["left", "right"] {
        assert_eq!(rows.iter().filter(|row| row.kind == kind).count(), 50);
    }
}

#[test]
fn a_run_that_was_taken_over_is_closed_to_the_process_before() {
    let directory = tempfile::tempdir().unwrap();
    let (left, right) = (open(directory.path()), open(directory.path()));
    let stream = run("a");
    let old = block_on(left.claim("run:a", "left", Timestamp(0), 10)).unwrap();
    let new = block_on(right.claim("run:a", "right", Timestamp(10), 10)).unwrap();
    let under = |epoch| Append { epoch: Some(epoch), ..one(&stream, "event") };
    assert_eq!(append(&left, under(old.epoch)), Err(StoreError::Fenced));
    assert_eq!(append(&right, under(new.epoch)), Ok(1));
    assert_eq!(block_on(left.renew(&old, Timestamp(11), 10)), Err(StoreError::Fenced));
}

#[test]
fn of_two_that_compare_and_set_one_wins() {
    let directory = tempfile::tempdir().unwrap();
    let stores = [open(directory.path()), open(directory.path())];
    let add = |store: &baton_store::SqliteStore| {
        loop {
            let found = block_on(Rows::get(store, "count", "all")).unwrap();
            let (version, value) = found.map_or((0, 0), |row| (row.version, row.value.parse::<u32>().unwrap()));
            match block_on(store.set("count", "all", version, (value + 1).to_string())) {
                Ok(_) => return,
                Err(StoreError::Conflict { .. }) => {}
                Err(error) => panic!("{error}"),
            }
        }
    };
    std::thread::scope(|scope| {
        for store in &stores {
            scope.spawn(move || (0..20).for_each(|_| add(store)));
        }
    });
    let row = block_on(Rows::get(&stores[0], "count", "all")).unwrap().unwrap();
    assert_eq!((row.version, row.value.as_str()), (40, "40"));
}
