//! Nothing that a client writes ends the session or breaks the framing.

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::harness::{Client, call, request};

/// Malformed in one way each. What has an id has one from 90,000 on.
fn malformed(index: usize) -> Vec<u8> {
    let id = 90_000 + index;
    let text = match index % 24 {
        0 => "{".to_owned(),
        1 => "}".to_owned(),
        2 => "nonsense".to_owned(),
        3 => r#"{"jsonrpc":"2.0","id":"#.to_owned(),
        4 => "[]".to_owned(),
        5 => format!(r#"[{{"jsonrpc":"2.0","id":{id},"method":"ping"}}]"#),
        6 => "null".to_owned(),
        7 => "42".to_owned(),
        8 => r#""text""#.to_owned(),
        9 => format!(r#"{{"jsonrpc":"1.0","id":{id},"method":"ping"}}"#),
        10 => format!(r#"{{"id":{id},"method":"ping"}}"#),
        11 => r#"{"jsonrpc":"2.0","id":1.5,"method":"ping"}"#.to_owned(),
        12 => r#"{"jsonrpc":"2.0","id":123456789012345678901234567890,"method":"ping"}"#.to_owned(),
        13 => r#"{"jsonrpc":"2.0","id":{"a":1},"method":"tools/list"}"#.to_owned(),
        14 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":5}}"#),
        15 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"tools/call","params":{{"name":5}}}}"#),
        16 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"nobody/knows","params":[1,2]}}"#),
        17 => format!(r#"{{"jsonrpc":"2.0","id":{id},"result":{{}}}}"#),
        18 => format!(r#"{{"jsonrpc":"2.0","id":{id},"method":"ping","result":{{}},"error":{{}}}}"#),
        19 => r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":[]}}"#.to_owned(),
        20 => "[".repeat(5_000),
        21 => format!("{}\r", r#"{"jsonrpc":"2.0","method":"textDocument/didOpen","params":{}}"#),
        22 => return b"\xff\xfe\x00{\"jsonrpc\"\n".to_vec(),
        _ => "\r\n\n   ".to_owned(),
    };
    format!("{text}\n").into_bytes()
}

#[tokio::test]
async fn three_hundred_malformed_lines_among_thirty_calls() {
    let mut client = Client::open().await;
    let mut answered = BTreeSet::new();
    for index in 0..300 {
        client.say_bytes(&malformed(index)).await;
        if index % 10 == 9 {
            let id = u32::try_from(index / 10).unwrap() + 1;
            client.say(&call(id, &format!("task {id}"))).await;
            await_answer(&mut client, id, &mut answered).await;
        }
    }
    assert_eq!(answered.len(), 30);
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert!(rest.iter().all(is_refusal));
}

async fn await_answer(client: &mut Client, id: u32, answered: &mut BTreeSet<u32>) {
    loop {
        let message = client.hear().await;
        if message["id"] == id {
            assert_eq!(message["result"]["structuredContent"]["task"], format!("task {id}"));
            assert!(answered.insert(id), "answered twice");
            return;
        }
        assert!(is_refusal(&message), "{message}");
    }
}

/// An error that is for no valid call, or the answer to a request that was only odd.
fn is_refusal(message: &Value) -> bool {
    message["id"].as_u64().is_none_or(|id| id >= 90_000) && message.get("method").is_none()
}

#[tokio::test]
async fn a_line_of_eight_mebibytes_is_skipped() {
    let mut client = Client::open().await;
    client
        .say_bytes(
            br#"{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"name":"orchestrate","arguments":{"task":""#,
        )
        .await;
    let chunk = vec![b'a'; 64 * 1024];
    for _ in 0..128 {
        client.say_bytes(&chunk).await;
    }
    client.say_bytes(b"\"}}}\n").await;
    assert_eq!(client.call(2, "hello").await["result"]["isError"], false);
    assert_eq!(client.face.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_line_that_would_unfold_in_memory_is_skipped() {
    let mut client = Client::open().await;
    let numbers = vec![1; 100_000];
    client
        .say(&request(1, "tools/call", json!({"name": "orchestrate", "arguments": {"task": "x", "n": numbers}})))
        .await;
    assert_eq!(client.call(2, "hello").await["result"]["isError"], false);
    assert_eq!(client.face.seen.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn a_line_just_under_four_mebibytes_is_taken() {
    let mut client = Client::open().await;
    let long = format!("hello {}", "a".repeat(4 * 1024 * 1024 - 300));
    client.say(&call(1, &long)).await;
    assert_eq!(client.hear().await["id"], 1);
    assert_eq!(client.face.seen.lock().unwrap()[0].task.len(), long.len());
}

#[tokio::test]
async fn carriage_returns_and_a_byte_order_mark_are_tolerated() {
    let mut client = Client::open().await;
    client.say(&format!("{}\r", request(1, "ping", json!({})))).await;
    assert_eq!(client.hear().await["id"], 1);
    client.say(&format!("\u{feff}{}", request(2, "ping", json!({})))).await;
    assert_eq!(client.hear().await["id"], 2);
}

#[tokio::test]
async fn a_text_with_line_breaks_stays_on_one_line() {
    let mut client = Client::open().await;
    let message = client.call(1, "hello\nthere\u{2028}\r\n{\"jsonrpc\":\"2.0\"}").await;
    assert_eq!(message["result"]["structuredContent"]["task"], "hello\nthere\u{2028}\r\n{\"jsonrpc\":\"2.0\"}");
}
