//! Rows a second, beside what one synced write costs on the same disk. Prints one line of JSON a case.
//!
//! `cargo run --release -p baton-store --example throughput -- [DIRECTORY]`
#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "a measurement, not part of the library")]

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::ids::RunId;
use baton_core::journal::{Actor, NewEvent, Stream};
use baton_core::units::Timestamp;
use baton_port::{Append, Journal as _};
use baton_store::{Options, SqliteStore, fdatasync_cost};
use tokio::task::JoinSet;

const TIME: Duration = Duration::from_secs(3);

fn event(number: u64) -> NewEvent {
    NewEvent {
        kind: "step_finished",
        version: 1,
        at: Timestamp(1_700_000_000_000),
        actor: Actor::Engine,
        header: format!("{{\"step\":{number},\"attempt\":1,\"outcome\":{{\"class\":\"ok\"}}}}"),
        body: Some(format!("{number:0>512}").into_bytes()),
    }
}

async fn append_for_a_while(store: Arc<SqliteStore>, appender: u64, rows_each: u64) -> Vec<Duration> {
    let stream = Stream::Run(RunId::parse(&format!("0192f3a4-5b6c-7d8e-9f00-{rows_each:04}{appender:08}")).unwrap());
    let (start, mut waits, mut number) = (Instant::now(), Vec::new(), 0);
    while start.elapsed() < TIME {
        let events = (0..rows_each).map(|row| event((appender << 32) + number * rows_each + row)).collect();
        let append =
            Append { stream: stream.clone(), expected: Some(number * rows_each), epoch: None, events, blobs: vec![] };
        let asked = Instant::now();
        store.append(append).await.unwrap();
        waits.push(asked.elapsed());
        number += 1;
    }
    waits
}

fn measure(directory: &std::path::Path, appenders: u64, rows_each: u64) -> serde_json::Value {
    let home = tempfile::tempdir_in(directory).unwrap();
    let synced_write = fdatasync_cost(home.path()).unwrap();
    let store = Arc::new(SqliteStore::open(home.path(), Options::default()).unwrap());
    let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
    let start = Instant::now();
    let mut waits: Vec<Duration> = runtime.block_on(async {
        let mut set = JoinSet::new();
        for appender in 0..appenders {
            set.spawn(append_for_a_while(Arc::clone(&store), appender, rows_each));
        }
        set.join_all().await.into_iter().flatten().collect()
    });
    let seconds = start.elapsed().as_secs_f64();
    waits.sort_unstable();
    let at = |share: usize| waits[(waits.len() - 1) * share / 100].as_micros();
    drop(store);
    let opened = Instant::now();
    let store = SqliteStore::open(home.path(), Options::default()).unwrap();
    let open_us = opened.elapsed().as_micros();
    store.close();
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rows_per_second = (waits.len() as u64 * rows_each) as f64 / seconds;
    serde_json::json!({
        "appenders": appenders,
        "rows_each": rows_each,
        "rows_per_second": rows_per_second.round(),
        "append_p50_us": at(50),
        "append_p99_us": at(99),
        "fdatasync_us": synced_write.as_micros(),
        "open_us": open_us,
    })
}

fn main() {
    let directory = std::env::args_os().nth(1).map_or_else(std::env::temp_dir, PathBuf::from);
    for (appenders, rows_each) in [(1, 1), (64, 1), (64, 4), (512, 1)] {
        println!("{}", measure(&directory, appenders, rows_each));
    }
}
