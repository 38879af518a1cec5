//! Calls and what comes of them.

use std::sync::atomic::Ordering;

use baton_core::task::{Priority, Question};
use serde_json::{Value, json};

use crate::harness::{Client, call, request, text};

#[tokio::test]
async fn a_decision_arrives_as_structure_and_as_text() {
    let mut client = Client::open().await;
    let result = client.call(1, "hello").await["result"].clone();
    assert_eq!(
        result["structuredContent"],
        json!({"schema": "baton.decision/1", "recommendation": "proceed", "task": "hello", "run": "0192f3a4-5b6c"})
    );
    assert_eq!(result["content"], json!([{"type": "text", "text": "**proceed**: hello"}]));
    assert_eq!(result["isError"], false);
    assert!(result.get("resultType").is_none(), "older clients know no such field");
}

#[tokio::test]
async fn arguments_reach_the_face() {
    let mut client = Client::open().await;
    let arguments = json!({"task": "hello", "priority": "high", "choices": ["a", "b"], "maxCostUsd": 0.5});
    client.ask(1, "tools/call", json!({"name": "orchestrate", "arguments": arguments})).await;
    let seen = client.face.seen.lock().unwrap();
    assert_eq!(seen[0].priority, Some(Priority::High));
    assert_eq!(seen[0].question, Some(Question::Choice(vec!["a".into(), "b".into()])));
    assert_eq!(seen[0].max_cost_usd, Some(0.5));
}

#[tokio::test]
async fn a_failure_is_a_result_that_says_what_to_do() {
    let mut client = Client::open().await;
    let message = client.call(1, "fail").await;
    assert_eq!(message["result"]["isError"], true);
    assert_eq!(text(&message), "no usable member\n\nWhat to do: run `baton doctor`");
    assert!(message["result"].get("structuredContent").is_none());
}

#[tokio::test]
async fn wrong_arguments_are_named_and_nothing_is_started() {
    let mut client = Client::open().await;
    let arguments = json!({"task": "hello", "priority": "urgent", "yes": true});
    let message = client.ask(1, "tools/call", json!({"name": "orchestrate", "arguments": arguments})).await;
    assert_eq!(message["result"]["isError"], true);
    assert!(text(&message).contains("`priority` is \"urgent\"; accepted: low, normal, high, critical"));
    assert!(text(&message).contains("`yes` is no argument; accepted: task"));
    let bare = client.ask(2, "tools/call", json!({"name": "orchestrate"})).await;
    assert!(text(&bare).contains("`task` is missing"));
    assert!(client.face.seen.lock().unwrap().is_empty());
}

#[tokio::test]
async fn calls_that_name_no_tool_or_have_no_object_are_protocol_errors() {
    let mut client = Client::open().await;
    let unknown = client.ask(1, "tools/call", json!({"name": "drop_table"})).await;
    assert_eq!(unknown["error"]["code"], -32602);
    assert!(unknown["error"]["message"].as_str().unwrap().contains("drop_table"));
    let odd = client.ask(2, "tools/call", json!({"name": "orchestrate", "arguments": "hello"})).await;
    assert_eq!(odd["error"]["code"], -32602);
    assert!(odd["error"]["message"].as_str().unwrap().contains("`arguments`"));
}

#[tokio::test]
async fn a_broken_call_leaves_the_session_whole() {
    let mut client = Client::open().await;
    let message = client.call(1, "panic").await;
    assert_eq!(message["result"]["isError"], true);
    assert!(text(&message).contains("broke off"));
    assert_eq!(client.call(2, "hello").await["result"]["isError"], false);
}

#[tokio::test]
async fn a_long_summary_is_cut_with_a_pointer() {
    let mut client = Client::open().await;
    let message = client.call(1, "long").await;
    assert!(text(&message).len() <= 24_000);
    assert!(text(&message).ends_with("\n\n[cut here; the rest: `baton show 0192f3a4-5b6c`]"));
}

fn call_with_token(id: u32, task: &str, token: &Value) -> String {
    let params = json!({"name": "orchestrate", "arguments": {"task": task}, "_meta": {"progressToken": token}});
    request(id, "tools/call", params)
}

#[tokio::test]
async fn progress_comes_before_the_result_when_it_was_asked_for() {
    let mut client = Client::open().await;
    for (id, token) in [(1, json!("token")), (2, json!(7))] {
        client.say(&call_with_token(id, "report", &token)).await;
        for (count, line) in [(1.0, "alpha asked"), (2.0, "beta asked"), (3.0, "alpha answered")] {
            let message = client.hear().await;
            assert_eq!(message["method"], "notifications/progress");
            assert_eq!(message["params"], json!({"progressToken": token, "progress": count, "message": line}));
        }
        assert_eq!(client.hear().await["id"], id);
    }
}

#[tokio::test]
async fn no_token_no_progress() {
    let mut client = Client::open().await;
    assert_eq!(client.call(1, "report").await["result"]["isError"], false);
}

#[tokio::test]
async fn a_flood_of_progress_is_thinned_and_does_not_hold_the_result_up() {
    let mut client = Client::open().await;
    client.say(&call_with_token(1, "flood", &json!(1))).await;
    let mut lines = 0;
    let last = loop {
        let message = client.hear().await;
        if message["method"] != "notifications/progress" {
            break message;
        }
        lines += 1;
        assert_eq!(message["params"]["progress"], f64::from(lines));
    };
    assert_eq!(last["id"], 1);
    assert!((1..=1_000).contains(&lines), "{lines}");
}

#[tokio::test]
async fn a_cancelled_call_ends_without_an_answer_and_others_go_on() {
    let mut client = Client::open().await;
    client.say(&call(1, "wait")).await;
    client.face.begun.notified().await;
    assert_eq!(client.call(2, "hello").await["result"]["isError"], false);
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1,"reason":"x"}}"#).await;
    assert_eq!(client.call(3, "hello").await["result"]["isError"], false);
    let face = client.face.clone();
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert_eq!(rest, Vec::<Value>::new());
    assert!(face.saw_cancel.load(Ordering::SeqCst));
    assert_eq!(face.finished.load(Ordering::SeqCst), 3);
}

#[tokio::test]
async fn a_cancelled_call_ends_while_the_session_goes_on() {
    let mut client = Client::open().await;
    client.say(&call(1, "wait")).await;
    client.face.begun.notified().await;
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#).await;
    while client.face.finished.load(Ordering::SeqCst) == 0 {
        tokio::task::yield_now().await;
    }
    assert!(client.face.saw_cancel.load(Ordering::SeqCst));
    assert_eq!(client.ask(2, "ping", json!({})).await["result"], json!({}));
}

#[tokio::test]
async fn too_many_calls_at_once_are_refused_with_a_hint() {
    let mut client = Client::open().await;
    for id in 1..=64 {
        client.say(&call(id, "wait")).await;
    }
    while client.face.seen.lock().unwrap().len() < 64 {
        tokio::task::yield_now().await;
    }
    let refused = client.call(65, "hello").await;
    assert_eq!(refused["result"]["isError"], true);
    assert!(text(&refused).contains("64 calls are running"));
    let (ended, rest) = client.hang_up().await;
    ended.unwrap();
    assert_eq!(rest.len(), 64);
}
