//! How serving ends: never before the calls do.

use std::sync::Arc;
use std::sync::atomic::Ordering;

use baton_serve::serve_stdio;
use serde_json::json;
use tokio::io::AsyncWriteExt;

use crate::harness::{Client, INITIALIZE, Obedient, call, text};

#[tokio::test]
async fn the_end_of_input_cancels_running_calls_and_awaits_them() {
    let mut client = Client::open().await;
    client.say(&call(1, "wait")).await;
    client.say(&call(2, "wait")).await;
    client.face.begun.notified().await;
    while client.face.seen.lock().unwrap().len() < 2 {
        tokio::task::yield_now().await;
    }
    let face = client.face.clone();
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert_eq!(face.finished.load(Ordering::SeqCst), 2);
    assert_eq!(rest.len(), 2, "a client that still reads learns the ends");
    assert!(rest.iter().all(|message| text(message) == "cancelled"));
}

#[tokio::test]
async fn a_request_to_stop_does_the_same() {
    let mut client = Client::open().await;
    client.say(&call(1, "wait")).await;
    client.face.begun.notified().await;
    client.stop.request();
    let (ended, rest) = client.rest().await;
    ended.unwrap();
    assert_eq!(rest.len(), 1);
    assert_eq!(client.face.finished.load(Ordering::SeqCst), 1);
}

#[tokio::test]
async fn a_client_that_says_nothing_is_no_error() {
    let client = Client::silent();
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert!(rest.is_empty());
}

#[tokio::test]
async fn a_line_that_the_end_cuts_off_is_not_a_request() {
    let mut client = Client::open().await;
    client.say_bytes(call(1, "hello").as_bytes()).await;
    let face = client.face.clone();
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert!(rest.is_empty());
    assert!(face.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn requests_before_the_end_are_still_answered() {
    let mut client = Client::open().await;
    for id in 1..=20 {
        client.say(&crate::harness::request(id, "tools/list", json!({}))).await;
    }
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert_eq!(rest.len(), 20);
}

#[tokio::test]
async fn an_output_that_nobody_takes_is_an_error_and_not_a_hang() {
    let (mut input, server_input) = tokio::io::duplex(4096);
    let (server_output, output) = tokio::io::duplex(4096);
    drop(output);
    input.write_all(INITIALIZE.as_bytes()).await.unwrap();
    input.write_all(b"\n").await.unwrap();
    let ended = serve_stdio(Arc::new(Obedient::default()), server_input, server_output).await;
    assert!(ended.unwrap_err().to_string().contains("cannot be written to"));
}
