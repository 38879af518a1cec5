//! The store under `kill -9`: this binary starts itself as a writer, reads what it acknowledges, and kills it.

use std::collections::BTreeMap;
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Stdio};

use baton_core::hash::Hash;
use baton_port::{Append, Blob, Blobs, Journal as _};

use crate::support::{Seeded, append, block_on, event, many, open, rows, run};

const DIRECTORY: &str = "BATON_STORE_TEST_DIRECTORY";
const ROUNDS: u64 = 20;
const STREAMS: usize = 3;

/// Not a test by itself: what the killed process does. Each stream has its own thread, and every fifth append brings a
/// large blob.
#[test]
fn writer() {
    let Some(directory) = std::env::var_os(DIRECTORY) else { return };
    let store = open(Path::new(&directory));
    std::thread::scope(|scope| {
        for stream in 0..STREAMS {
            let store = &store;
            scope.spawn(move || write_for_ever(store, stream));
        }
    });
}

fn write_for_ever(store: &baton_store::SqliteStore, number: usize) {
    let stream = run(&format!("run-{number}"));
    let mut ordinal = u64::try_from(rows(store, &stream).len()).unwrap();
    loop {
        let large = (ordinal % 5 == 0).then(|| large(number, ordinal));
        let next = Append {
            expected: Some(ordinal),
            blobs: large.into_iter().collect(),
            ..many(&stream, vec![event("one", Some(b"body")), event("two", None)])
        };
        append(store, next).unwrap();
        // One write call a line, so that a kill cuts at most the last.
        std::io::stdout().write_all(format!("\nacknowledged {number} {ordinal}\n").as_bytes()).unwrap();
        ordinal += 2;
    }
}

fn large(number: usize, ordinal: u64) -> Blob {
    Blob::new(format!("{number} {ordinal} ").repeat(10_000).into_bytes())
}

#[expect(clippy::disallowed_methods, reason = "the test starts its own binary, to kill it")]
fn start_writer(directory: &Path) -> Child {
    std::process::Command::new(std::env::current_exe().unwrap())
        .args(["--exact", "killed::writer", "--nocapture", "--test-threads=1"])
        .env(DIRECTORY, directory)
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap()
}

/// Kills after so many acknowledgements; returns all that were given, by stream, as the last ordinal.
fn kill_after(directory: &Path, count: usize) -> BTreeMap<usize, u64> {
    let mut child = start_writer(directory);
    let lines = BufReader::new(child.stdout.take().unwrap()).lines();
    let (mut acknowledged, mut seen) = (BTreeMap::new(), 0);
    for line in lines.map_while(Result::ok) {
        let fields: Vec<&str> = line.split(' ').collect();
        let ["acknowledged", stream, ordinal] = fields[..] else { continue };
        acknowledged.insert(stream.parse().unwrap(), ordinal.parse().unwrap());
        seen += 1;
        if seen == count {
            child.kill().unwrap(); // what is already in the pipe was acknowledged too, and is read on
        }
    }
    child.wait().unwrap();
    assert!(seen >= count, "the writer ended by itself after {seen}");
    acknowledged
}

#[test]
fn nothing_acknowledged_is_lost_in_twenty_kills() {
    let directory = tempfile::tempdir().unwrap();
    let mut seeded = Seeded::new(7);
    for round in 0..ROUNDS {
        let acknowledged = kill_after(directory.path(), 1 + seeded.below(40));
        let store = open(directory.path());
        assert_eq!(block_on(store.check()), Ok(()), "round {round}");
        for (stream, ordinal) in acknowledged {
            let found = rows(&store, &run(&format!("run-{stream}")));
            let length = u64::try_from(found.len()).unwrap();
            assert!(length >= ordinal + 2, "round {round}: {ordinal} was acknowledged, {length} are there");
            assert_eq!(length % 2, 0, "round {round}: half of an append is there");
            check_large_blobs(&store, stream, length);
        }
        assert!(block_on(store.runs(9)).unwrap().len() <= STREAMS);
    }
}

fn check_large_blobs(store: &baton_store::SqliteStore, stream: usize, length: u64) {
    for ordinal in (length.saturating_sub(50)..length).filter(|ordinal| ordinal % 10 == 0) {
        let hash: Hash = large(stream, ordinal).hash;
        assert!(block_on(Blobs::get(store, hash)).unwrap().is_some(), "the blob of {stream} {ordinal}");
    }
}
