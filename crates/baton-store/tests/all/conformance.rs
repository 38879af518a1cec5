//! What every store does, run against each.

use baton_core::hash::Hash;
use baton_core::ids::{MemberId, SessionName};
use baton_core::journal::{Actor, NewEvent, Stream, verify_chain};
use baton_core::units::Timestamp;
use baton_port::{Append, Blob, Blobs, Journal, Rows, StoreError};

use crate::support::{append, block_on, event, kinds, many, one, rows, run};

trait Store: Journal + Blobs + Rows {}
impl<T: Journal + Blobs + Rows> Store for T {}

macro_rules! conformance {
    ($($name:ident),* $(,)?) => {
        mod in_memory {
            $(#[test] fn $name() { super::$name(&baton_store::MemoryStore::default()); })*
        }
        mod in_sqlite {
            $(#[test] fn $name() {
                let directory = tempfile::tempdir().unwrap();
                super::$name(&crate::support::open(directory.path()));
            })*
        }
    };
}

conformance!(
    what_was_appended_is_read_in_order,
    every_field_comes_back,
    another_ordinal_than_expected_is_a_conflict_and_writes_nothing,
    several_streams_are_written_together_or_not_at_all,
    an_append_without_events_keeps_its_blobs,
    streams_of_all_kinds_are_apart,
    following_gives_each_row_once_and_no_bodies,
    runs_are_listed_newest_first_with_their_decision,
    a_lease_is_held_by_one,
    renewing_and_releasing_need_the_lease,
    only_the_holder_of_the_lease_appends_under_it,
    blobs_are_kept_by_their_hash,
    bodies_and_blobs_are_one_kind,
    rows_change_only_from_the_version_that_was_read,
    odd_texts_are_texts,
);

fn what_was_appended_is_read_in_order(store: &dyn Store) {
    let stream = run("a");
    assert_eq!(rows(store, &stream), []);
    assert_eq!(append(store, one(&stream, "first")), Ok(1));
    let two = many(&stream, vec![event("second", None), event("third", Some(b"body"))]);
    assert_eq!(append(store, two), Ok(3));
    let found = rows(store, &stream);
    assert_eq!(kinds(&found), ["first", "second", "third"]);
    assert_eq!(found[2].body.as_deref(), Some(&b"body"[..]));
    assert_eq!(kinds(&block_on(store.read(&stream, 2)).unwrap()), ["third"]);
    assert_eq!(block_on(store.read(&stream, 3)), Ok(vec![]));
    assert_eq!(block_on(store.read(&stream, u64::MAX)), Ok(vec![]));
}

fn every_field_comes_back(store: &dyn Store) {
    let new = NewEvent {
        kind: "kind",
        version: u16::MAX,
        at: Timestamp(-5),
        actor: Actor::Client("editor \u{1F600}".into()),
        header: "{\"prompt\":\"\u{fc}\"}".into(),
        body: Some(Vec::new()),
    };
    append(store, many(&run("a"), vec![new])).unwrap();
    let row = rows(store, &run("a")).remove(0);
    assert_eq!((row.seq, row.stream.as_str(), row.ordinal, row.kind.as_str()), (1, "run:a", 0, "kind"));
    assert_eq!((row.version, row.at, row.epoch), (u16::MAX, Timestamp(-5), 0));
    assert_eq!((row.actor.as_str(), row.header.as_str()), ("client editor \u{1F600}", "{\"prompt\":\"\u{fc}\"}"));
    assert_eq!((row.body_hash, row.body), (Some(Hash::of(b"")), Some(Vec::new())), "an empty body is a body");
    assert_eq!(row.prev_hash, Hash::ZERO);
}

fn several_streams_are_written_together_or_not_at_all(store: &dyn Store) {
    let (first, second) = (run("a"), Stream::Trust);
    assert_eq!(block_on(store.append_all(vec![one(&first, "one"), one(&second, "two")])), Ok(2));
    let stale = Append { expected: Some(0), ..one(&second, "stale") };
    let refused = block_on(store.append_all(vec![one(&first, "lost"), stale]));
    assert_eq!(refused, Err(StoreError::Conflict { expected: 0, actual: 1 }));
    assert_eq!(kinds(&rows(store, &first)), ["one"]);
    assert_eq!(kinds(&rows(store, &second)), ["two"]);
    // What was undone left no trace in the order of the stream either.
    assert_eq!(append(store, Append { expected: Some(1), ..one(&first, "three") }), Ok(3));
    assert_eq!(verify_chain(&rows(store, &first)), Ok(()));
    assert!(block_on(store.append_all(vec![])).is_ok());
}

fn another_ordinal_than_expected_is_a_conflict_and_writes_nothing(store: &dyn Store) {
    let stream = run("a");
    let at = |expected| Append { expected: Some(expected), ..one(&stream, "event") };
    assert_eq!(append(store, at(1)), Err(StoreError::Conflict { expected: 1, actual: 0 }));
    assert_eq!(append(store, at(0)), Ok(1));
    let blob = Blob::new(b"refused".to_vec());
    let hash = blob.hash;
    let refused = Append { blobs: vec![blob], ..at(0) };
    assert_eq!(append(store, refused), Err(StoreError::Conflict { expected: 0, actual: 1 }));
    assert_eq!(append(store, at(u64::MAX)), Err(StoreError::Conflict { expected: u64::MAX, actual: 1 }));
    assert_eq!(rows(store, &stream).len(), 1);
    assert_eq!(block_on(Blobs::get(store, hash)), Ok(None));
    assert_eq!(append(store, at(1)), Ok(2));
}

fn an_append_without_events_keeps_its_blobs(store: &dyn Store) {
    let blob = Blob::new(b"alone".to_vec());
    let alone = || Append { blobs: vec![blob.clone()], ..many(&run("a"), vec![]) };
    assert_eq!(append(store, alone()), Ok(0));
    append(store, one(&run("b"), "event")).unwrap();
    assert_eq!(append(store, alone()), Ok(1));
    assert_eq!(block_on(Blobs::get(store, blob.hash)), Ok(Some(b"alone".to_vec())));
    assert_eq!(rows(store, &run("a")), []);
    assert_eq!(block_on(store.runs(9)).unwrap().len(), 1);
}

fn streams_of_all_kinds_are_apart(store: &dyn Store) {
    let session = Stream::Session(MemberId::parse("claude").unwrap(), SessionName::parse("auth").unwrap());
    for stream in [&run("a"), &session, &Stream::Trust] {
        append(store, one(stream, "first")).unwrap();
        append(store, one(stream, "second")).unwrap();
    }
    for stream in [&run("a"), &session, &Stream::Trust] {
        assert_eq!(kinds(&rows(store, stream)), ["first", "second"], "{stream}");
    }
    assert_eq!(block_on(store.runs(9)).unwrap().len(), 1, "only runs are runs");
}

fn following_gives_each_row_once_and_no_bodies(store: &dyn Store) {
    for name in ["a", "b", "a", "c"] {
        append(store, one(&run(name), "event")).unwrap();
    }
    let (mut cursor, mut seen) = (0, Vec::new());
    loop {
        let page = block_on(store.follow(cursor, 3)).unwrap();
        let Some(last) = page.last() else { break };
        cursor = last.seq;
        assert!(page.iter().all(|row| row.body.is_none() && row.body_hash.is_some()));
        seen.extend(page.into_iter().map(|row| (row.seq, row.stream)));
    }
    let expected = [(1, "run:a"), (2, "run:b"), (3, "run:a"), (4, "run:c")];
    assert_eq!(seen, expected.map(|(seq, stream)| (seq, stream.to_owned())));
    assert_eq!(block_on(store.follow(u64::MAX, 3)), Ok(vec![]));
    assert_eq!(block_on(store.follow(0, 0)), Ok(vec![]));
}

fn runs_are_listed_newest_first_with_their_decision(store: &dyn Store) {
    assert_eq!(block_on(store.runs(9)), Ok(vec![]));
    append(store, one(&run("old"), "submitted")).unwrap();
    append(store, one(&run("new"), "submitted")).unwrap();
    append(store, one(&run("old"), "decided")).unwrap();
    append(store, many(&run("old"), vec![event("person_answered", None), event("decided", None)])).unwrap();
    append(store, one(&run("old"), "noted")).unwrap();
    let runs = block_on(store.runs(usize::MAX)).unwrap();
    let lines: Vec<_> = runs
        .iter()
        .map(|run| {
            (run.stream.as_str(), run.first.seq, run.last.kind.as_str(), run.decided.as_ref().map(|row| row.seq))
        })
        .collect();
    assert_eq!(lines, [("run:new", 2, "submitted", None), ("run:old", 1, "noted", Some(5))]);
    assert!(runs.iter().all(|run| run.first.body.is_none() && run.first.kind == "submitted"));
    assert_eq!(block_on(store.runs(1)).unwrap()[0].stream, "run:new");
    assert_eq!(block_on(store.runs(0)), Ok(vec![]));
}

fn a_lease_is_held_by_one(store: &dyn Store) {
    let claim = |owner, now| block_on(store.claim("run:a", owner, Timestamp(now), 100));
    let first = claim("one", 0).unwrap();
    assert_eq!((first.name.as_str(), first.owner.as_str(), first.epoch), ("run:a", "one", 1));
    assert_eq!(first.until, Timestamp(100));
    assert_eq!(claim("two", 99), Err(StoreError::Busy { owner: "one".into() }));
    assert_eq!(claim("one", 99).map(|lease| (lease.epoch, lease.until)), Ok((1, Timestamp(199))));
    assert_eq!(claim("two", 199).map(|lease| lease.epoch), Ok(2));
    assert_eq!(claim("two", 400).map(|lease| lease.epoch), Ok(3), "it had run out in between");
    assert_eq!(block_on(store.claim("run:b", "one", Timestamp(0), 1)).map(|lease| lease.epoch), Ok(1));
}

fn renewing_and_releasing_need_the_lease(store: &dyn Store) {
    let claim = |owner, now| block_on(store.claim("run:a", owner, Timestamp(now), 100));
    let renew = |lease, now| block_on(store.renew(lease, Timestamp(now), 100));
    let first = claim("one", 0).unwrap();
    assert_eq!(renew(&first, 50).map(|lease| (lease.epoch, lease.until)), Ok((1, Timestamp(150))));
    assert_eq!(renew(&first, 300).map(|lease| lease.until), Ok(Timestamp(400)), "ran out, but nobody took it");
    let second = claim("two", 500).unwrap();
    assert_eq!(renew(&first, 501), Err(StoreError::Fenced));
    assert_eq!(block_on(store.release(&first)), Ok(()), "lost before is no error");
    assert_eq!(claim("one", 502), Err(StoreError::Busy { owner: "two".into() }), "and gives nothing back");
    assert_eq!(block_on(store.release(&second)), Ok(()));
    assert_eq!(renew(&second, 503), Err(StoreError::Fenced));
    assert_eq!(claim("two", 504).map(|lease| lease.epoch), Ok(3));
}

fn only_the_holder_of_the_lease_appends_under_it(store: &dyn Store) {
    let stream = run("a");
    let under = |epoch| append(store, Append { epoch: Some(epoch), ..one(&stream, "event") });
    let claim = |owner, now| block_on(store.claim("run:a", owner, Timestamp(now), 100)).unwrap();
    assert_eq!(under(1), Err(StoreError::Fenced), "never claimed");
    let first = claim("one", 0);
    assert_eq!(under(first.epoch), Ok(1));
    assert_eq!(append(store, one(&stream, "cancel")), Ok(2), "what needs no lease goes in from anywhere");
    let second = claim("two", 100);
    assert_eq!(under(first.epoch), Err(StoreError::Fenced));
    assert_eq!(under(second.epoch), Ok(3));
    assert_eq!(under(second.epoch + 1), Err(StoreError::Fenced));
    block_on(store.release(&second)).unwrap();
    assert_eq!(under(second.epoch), Err(StoreError::Fenced), "given back");
    let epochs: Vec<u64> = rows(store, &stream).iter().map(|row| row.epoch).collect();
    assert_eq!(epochs, [1, 0, 2]);
}

fn blobs_are_kept_by_their_hash(store: &dyn Store) {
    for size in [0, 1, 65_535, 65_536, 65_537, 1 << 20] {
        let bytes = vec![7; size];
        let hash = block_on(store.put(bytes.clone())).unwrap();
        assert_eq!(hash, Hash::of(&bytes));
        assert_eq!(block_on(store.put(bytes.clone())), Ok(hash), "twice is once");
        assert_eq!(block_on(Blobs::get(store, hash)), Ok(Some(bytes)), "{size}");
    }
    assert_eq!(block_on(Blobs::get(store, Hash::ZERO)), Ok(None));
}

fn bodies_and_blobs_are_one_kind(store: &dyn Store) {
    let large = vec![9; 100_000];
    append(store, many(&run("a"), vec![event("large", Some(&large)), event("again", Some(&large))])).unwrap();
    assert_eq!(block_on(Blobs::get(store, Hash::of(&large))), Ok(Some(large.clone())));
    let found = rows(store, &run("a"));
    assert!(found.iter().all(|row| row.body.as_ref() == Some(&large)));
}

fn rows_change_only_from_the_version_that_was_read(store: &dyn Store) {
    let set = |key, expected, value: &str| block_on(store.set("breaker", key, expected, value.to_owned()));
    let get = |table, key| block_on(Rows::get(store, table, key)).unwrap().map(|row| (row.version, row.value));
    assert_eq!(get("breaker", "claude"), None);
    assert_eq!(set("claude", 3, "{}"), Err(StoreError::Conflict { expected: 3, actual: 0 }));
    assert_eq!(set("claude", 0, "{}"), Ok(1));
    assert_eq!(set("claude", 0, "[]"), Err(StoreError::Conflict { expected: 0, actual: 1 }));
    assert_eq!(set("claude", 1, "[]"), Ok(2));
    assert_eq!(get("breaker", "claude"), Some((2, "[]".into())));
    assert_eq!(get("limits", "claude"), None, "tables are apart");
}

fn odd_texts_are_texts(store: &dyn Store) {
    for text in ["", "'; DROP TABLE event; --", "a\0b", "%_*", "\u{1F600}"] {
        assert_eq!(block_on(store.set(text, text, 0, text.to_owned())), Ok(1), "{text:?}");
        assert_eq!(block_on(Rows::get(store, text, text)).unwrap().map(|row| row.value), Some(text.to_owned()));
        let lease = block_on(store.claim(text, text, Timestamp(0), u64::MAX)).unwrap();
        assert_eq!((lease.name.as_str(), lease.owner.as_str()), (text, text));
    }
}
