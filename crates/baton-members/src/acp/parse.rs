//! Messages of JSON-RPC 2.0, one a line, as the Agent Client Protocol speaks it. Pure.

use baton_core::outcome::Outcome;
use serde_json::{Value, json};

use crate::cli::words;

/// One message of the agent.
#[derive(Clone, Debug, PartialEq)]
pub enum Message {
    /// The answer to our request with this id.
    Response {
        id: u64,
        result: Result<Value, RpcError>,
    },
    /// Something that the agent wants of us; `id` goes back as it came.
    Request {
        id: Value,
        method: String,
        params: Value,
    },
    Notification {
        method: String,
        params: Value,
    },
}

/// The `error` of a response.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct RpcError {
    pub code: i64,
    pub message: String,
    pub data: Value,
}

/// The message in a line; `None` for everything else. The member `jsonrpc` may be missing.
#[must_use]
pub fn message(line: &[u8]) -> Option<Message> {
    let mut value: Value = serde_json::from_slice(line).ok()?;
    let object = value.as_object_mut()?;
    let mut take = |name: &str| object.remove(name);
    let (id, method) = (take("id"), take("method"));
    if let Some(method) = method {
        let (method, params) = (method.as_str()?.to_owned(), take("params").unwrap_or_default());
        return Some(match id {
            Some(id) => Message::Request { id, method, params },
            None => Message::Notification { method, params },
        });
    }
    let id = id?.as_u64()?;
    let result = match (take("error"), take("result")) {
        (Some(error), _) if !error.is_null() => Err(RpcError::read(&error)),
        (_, Some(result)) => Ok(result),
        _ => return None,
    };
    Some(Message::Response { id, result })
}

/// A request as a line.
#[must_use]
pub fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// A notification as a line.
#[must_use]
pub fn notification(method: &str, params: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// The good answer to a request of the agent, as a line.
#[must_use]
pub fn result(id: &Value, result: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// The answer to a request that we do not serve, as a line.
#[must_use]
pub fn method_not_found(id: &Value, method: &str) -> Vec<u8> {
    let error = json!({ "code": -32601, "message": format!("Method not found: {method}") });
    line(&json!({ "jsonrpc": "2.0", "id": id, "error": error }))
}

fn line(message: &Value) -> Vec<u8> {
    let mut line = message.to_string().into_bytes();
    line.push(b'\n');
    line
}

impl RpcError {
    fn read(error: &Value) -> Self {
        Self {
            code: error["code"].as_i64().unwrap_or_default(),
            message: error["message"].as_str().unwrap_or_default().to_owned(),
            data: error["data"].clone(),
        }
    }

    /// The class: from a status, which some agents have as the code; from the words, which each of them keeps in
    /// another place; and from the codes of the protocol.
    #[must_use]
    pub fn outcome(&self) -> Outcome {
        words::class(self.status(), &self.words()).unwrap_or(match self.code {
            -32000 => Outcome::Auth,
            -32602 | -32601 => Outcome::Rejected,
            _ => Outcome::Crashed,
        })
    }

    /// What it says, for people.
    #[must_use]
    pub fn detail(&self) -> String {
        let words = self.words();
        words::detail(if words.is_empty() { "the agent reports an error without a reason" } else { &words })
    }

    fn status(&self) -> Option<u16> {
        let places = [&self.data["statusCode"], &self.data["status"], &self.data["code"]];
        let mut numbers = std::iter::once(Some(self.code)).chain(places.map(Value::as_i64)).flatten();
        numbers.find_map(|number| u16::try_from(number).ok().filter(|status| (400..600).contains(status)))
    }

    fn words(&self) -> String {
        let data = &self.data;
        let places = [data, &data["message"], &data["details"], &data["error"], &data["error"]["message"]];
        let mut all = vec![self.message.trim()];
        all.extend(places.iter().filter_map(|place| place.as_str()).map(str::trim));
        // A name is of use only where there is no sentence.
        let is_silent = all.iter().all(|text| text.is_empty());
        all.extend(data["errorName"].as_str().filter(|_| is_silent));
        let mut said: Vec<&str> = Vec::new();
        for text in all.into_iter().filter(|text| !text.is_empty()) {
            if !said.contains(&text) {
                said.push(text);
            }
        }
        said.join(": ")
    }
}
