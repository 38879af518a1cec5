//! What a client learns before it calls anything.

use serde_json::{Value, json};

use crate::harness::{Client, request};

#[tokio::test]
async fn every_revision_with_a_handshake_is_echoed() {
    for version in ["2024-11-05", "2025-03-26", "2025-06-18", "2025-11-25"] {
        let mut client = Client::silent();
        let params =
            json!({"protocolVersion": version, "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
        let result = client.ask(1, "initialize", params).await["result"].clone();
        assert_eq!(result["protocolVersion"], version);
        assert_eq!(result["serverInfo"]["name"], "baton");
        assert_eq!(result["serverInfo"]["title"], "baton");
        assert_eq!(result["serverInfo"]["version"], env!("CARGO_PKG_VERSION"));
        assert_eq!(result["capabilities"], json!({"tools": {}}));
        assert!(result["instructions"].as_str().unwrap().contains("orchestrate"));
    }
}

#[tokio::test]
async fn an_unknown_revision_is_answered_with_one_that_works() {
    let mut client = Client::silent();
    let params =
        json!({"protocolVersion": "2099-01-01", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    assert_eq!(client.ask(1, "initialize", params).await["result"]["protocolVersion"], "2025-11-25");
}

fn modern(arguments: Value) -> Value {
    let mut params = arguments;
    params["_meta"] = json!({
        "io.modelcontextprotocol/protocolVersion": "2026-07-28",
        "io.modelcontextprotocol/clientInfo": {"name": "t", "version": "1"},
        "io.modelcontextprotocol/clientCapabilities": {},
    });
    params
}

#[tokio::test]
async fn a_client_without_a_handshake_is_served_too() {
    let mut client = Client::silent();
    let found = client.ask(1, "server/discover", modern(json!({}))).await;
    assert!(found["result"]["supportedVersions"].as_array().unwrap().contains(&json!("2026-07-28")), "{found}");
    let tools = client.ask(2, "tools/list", modern(json!({}))).await;
    assert_eq!(tools["result"]["tools"][0]["name"], "orchestrate");
    let params = modern(json!({"name": "orchestrate", "arguments": {"task": "hello"}}));
    let called = client.ask(3, "tools/call", params).await;
    assert_eq!(called["result"]["structuredContent"]["recommendation"], "proceed");
    assert_eq!(called["result"]["resultType"], "complete");
}

#[tokio::test]
async fn what_comes_before_the_session_does_not_end_it() {
    let mut client = Client::silent();
    for early in [
        r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#,
        r#"{"jsonrpc":"2.0","method":"notifications/cancelled","params":{"requestId":1}}"#,
        r#"{"jsonrpc":"2.0","id":3,"result":{}}"#,
        r#"{"jsonrpc":"2.0","id":3,"error":{"code":-1,"message":"x"}}"#,
        "{nonsense",
    ] {
        client.say(early).await;
    }
    assert!(client.ask(1, "tools/list", json!({})).await["error"].is_object());
    client.say(r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#).await;
    assert_eq!(client.ask(2, "ping", json!({})).await["result"], json!({}));
    let params =
        json!({"protocolVersion": "2025-06-18", "capabilities": {}, "clientInfo": {"name": "t", "version": "1"}});
    assert!(client.ask(3, "initialize", params).await["result"].is_object());
    assert_eq!(client.call(4, "hello").await["result"]["isError"], false);
}

#[tokio::test]
async fn the_tools_are_small_and_their_schema_is_sound() {
    let mut client = Client::open().await;
    let result = client.ask(1, "tools/list", json!({})).await["result"].clone();
    // Four bytes to a token: all tools stay under 3,000, and this one leaves room for five more.
    let size = result["tools"].to_string().len();
    assert!(size < 4_000, "{size}");
    let tools = result["tools"].as_array().unwrap();
    assert!(tools.len() <= 6);
    for tool in tools {
        assert!(!tool["description"].as_str().unwrap().is_empty());
        assert_object_schema(&tool["inputSchema"]);
    }
    let annotations = &tools[0]["annotations"];
    assert_eq!(annotations["readOnlyHint"], false);
    assert_eq!(annotations["openWorldHint"], true);
    assert_eq!(annotations["destructiveHint"], false);
    assert_eq!(annotations["idempotentHint"], false);
    assert!(client.face.seen.lock().unwrap().is_empty());
}

/// The subset of JSON Schema that every client's model understands.
fn assert_object_schema(schema: &Value) {
    assert_eq!(schema["type"], "object");
    assert_eq!(schema["additionalProperties"], false);
    let properties = schema["properties"].as_object().unwrap();
    for required in schema["required"].as_array().unwrap() {
        assert!(properties.contains_key(required.as_str().unwrap()));
    }
    for (name, property) in properties {
        assert!(property["description"].is_string(), "{name}");
        match property["type"].as_str().unwrap() {
            "string" => assert!(property.get("enum").is_none_or(|names| !names.as_array().unwrap().is_empty())),
            "array" => assert_eq!(property["items"]["type"], "string"),
            "number" => assert!(property["exclusiveMinimum"].is_number()),
            other => panic!("{name} is {other}"),
        }
    }
}

#[tokio::test]
async fn ids_may_be_texts_and_unknown_methods_are_refused() {
    let mut client = Client::open().await;
    client.say(r#"{"jsonrpc":"2.0","id":"a-1","method":"ping"}"#).await;
    assert_eq!(client.hear().await["id"], "a-1");
    assert_eq!(client.ask(2, "tools/destroy", json!({})).await["error"]["code"], -32601);
    client.say(&request(3, "resources/list", json!({}))).await;
    assert_eq!(client.hear().await["result"]["resources"], json!([]));
}
