//! The fake as a server of the Model Context Protocol: started with `mcp-fake`, it serves until its input ends. The
//! same behaviours over HTTP are in `http`.

pub(super) mod http;

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::output;
use super::record::{Event, Recorder};
use super::script::Script;

/// What the fake does with a conversation. All but the first are faults or oddities.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum McpMode {
    /// Answers, after progress with words and an event of its own kind.
    #[default]
    Answer,
    /// The tool's result is marked as an error that speaks of a quota.
    ToolError,
    /// The same without a word.
    SilentToolError,
    /// An error's text in the shape of an answer.
    ErrorAsAnswer,
    /// The call ends in an error of the protocol that speaks of a rate limit.
    RpcError,
    /// The call ends in an error that says the arguments are wrong.
    WrongArguments,
    /// Greets nobody without a key.
    AuthAtStart,
    /// Has other tools.
    OtherTools,
    /// Asks for a model, a folder and a person, and answers with what it was told.
    Asks,
    /// Asks for a model, and fails as it gets none.
    NeedsModel,
    /// Says nothing from the start, but the words of a package manager.
    Silent,
    /// Never answers the call.
    Hangs,
    /// Writes its log instead of an answer, for ever.
    LogsForever,
    /// Tells of progress for ever.
    Floods,
    /// Noise and unknown notifications around a good answer.
    Garbage,
    /// Lines that are no messages, exit 0.
    OnlyGarbage,
    /// An answer of `bytes`.
    HugeAnswer,
    /// An answer with `bytes` numbers in it.
    ManyValues,
    /// The call's result is something else.
    WrongShape,
    /// Makes a task of the call.
    MakesTask,
    Empty,
    /// Exits before the greeting.
    DiesAtOnce,
    /// Exits in the middle of the call, with a reason on standard error.
    DiesInCall,
    /// Answers, and stays when its input ends.
    StaysAtTheEnd,
}

impl McpMode {
    /// Every mode.
    pub const ALL: [Self; 24] = [
        Self::Answer,
        Self::ToolError,
        Self::SilentToolError,
        Self::ErrorAsAnswer,
        Self::RpcError,
        Self::WrongArguments,
        Self::AuthAtStart,
        Self::OtherTools,
        Self::Asks,
        Self::NeedsModel,
        Self::Silent,
        Self::Hangs,
        Self::LogsForever,
        Self::Floods,
        Self::Garbage,
        Self::OnlyGarbage,
        Self::HugeAnswer,
        Self::ManyValues,
        Self::WrongShape,
        Self::MakesTask,
        Self::Empty,
        Self::DiesAtOnce,
        Self::DiesInCall,
        Self::StaysAtTheEnd,
    ];
}

/// Whether these arguments start a server of this protocol.
pub(super) fn is_asked_for(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "mcp-fake")
}

/// Serves until the input ends, or until the mode ends the program.
pub(super) fn serve(script: &Script, recorder: &Recorder) -> io::Result<i32> {
    match script.mcp {
        McpMode::OnlyGarbage => {
            output::line("welcome\n{ this is no message")?;
            return Ok(0);
        }
        McpMode::DiesAtOnce => return Ok(1),
        McpMode::Silent => output::line("npm warn exec The following package was not found and will be installed")?,
        _ => {}
    }
    let mut server = Server::new(script.clone());
    let mut seen = String::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        seen.push_str(&line);
        seen.push('\n');
        let message: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        if let Some(code) = server.take(&message, &mut |message| output::line(message.to_string()))? {
            return Ok(code);
        }
    }
    recorder.add(Event::Stdin { text: seen })?;
    if script.mcp == McpMode::StaysAtTheEnd {
        loop {
            std::thread::park();
        }
    }
    Ok(0)
}

/// Where a server's messages go.
pub(super) type Send<'a> = &'a mut dyn FnMut(Value) -> io::Result<()>;

/// One conversation, whatever carries it.
pub(super) struct Server {
    script: Script,
    /// The id of the call, and its progress token.
    call: Value,
    token: Value,
    /// What we were told about our own requests.
    told: Vec<String>,
}

impl Server {
    pub(super) fn new(script: Script) -> Self {
        Self { script, call: Value::Null, token: Value::Null, told: Vec::new() }
    }

    /// Takes one message; a number is the exit code of a server that ends here.
    pub(super) fn take(&mut self, message: &Value, send: Send<'_>) -> io::Result<Option<i32>> {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str() {
            _ if self.script.mcp == McpMode::Silent => {}
            Some("initialize") => self.initialize(id, params, send)?,
            Some("tools/list") => send(result(id, &json!({ "tools": self.tools() })))?,
            Some("tools/call") => {
                self.call = id.clone();
                self.token = params["_meta"]["progressToken"].clone();
                return self.call(params, send);
            }
            Some(_) => {}
            None => self.told(message, send)?,
        }
        Ok(None)
    }

    fn initialize(&self, id: &Value, params: &Value, send: Send<'_>) -> io::Result<()> {
        if self.script.mcp == McpMode::AuthAtStart {
            return send(error(id, -32_001, "Unauthorized: invalid API key"));
        }
        if self.script.mcp == McpMode::Garbage {
            output::line("Loaded cached credentials.\n[1,2]\n{}")?;
        }
        let version = params["protocolVersion"].as_str().unwrap_or("2025-06-18");
        let server = json!({ "name": "fake", "version": "1.2.3" });
        let greeting = json!({ "protocolVersion": version, "capabilities": { "tools": {} }, "serverInfo": server });
        send(result(id, &greeting))
    }

    fn tools(&self) -> Value {
        let name = |name: &str| json!({ "name": name, "description": name, "inputSchema": { "type": "object" } });
        match self.script.mcp {
            McpMode::OtherTools => json!([name("echo"), name("add")]),
            _ => json!([name("ask"), name("reply")]),
        }
    }

    fn call(&mut self, params: &Value, send: Send<'_>) -> io::Result<Option<i32>> {
        let answer = self.script.answer.clone();
        match self.script.mcp {
            McpMode::ToolError => self.fail_tool("You've hit your usage limit. Try again at 3:00 PM.", send)?,
            McpMode::SilentToolError => send(result(&self.call, &json!({ "content": [], "isError": true })))?,
            McpMode::ErrorAsAnswer => self.answer("API Error: 529 Overloaded.", send)?,
            McpMode::RpcError => send(error(&self.call, -32_603, "429 Too Many Requests. Please try again in 2s."))?,
            McpMode::WrongArguments => send(error(&self.call, -32_602, "Invalid arguments: prompt: expected string"))?,
            McpMode::Asks => self.ask_back(send)?,
            McpMode::NeedsModel => send(request("r1", "sampling/createMessage", &sampling()))?,
            McpMode::Hangs => {}
            McpMode::LogsForever => self.for_ever(&log(), send)?,
            McpMode::Floods => self.for_ever(&self.progress(&"x".repeat(200)), send)?,
            McpMode::HugeAnswer => self.answer(&"x".repeat(self.script.bytes), send)?,
            McpMode::ManyValues => {
                let values = vec![0; self.script.bytes];
                send(result(&self.call, &json!({ "content": [], "structuredContent": { "values": values } })))?;
            }
            McpMode::WrongShape => send(result(&self.call, &json!({ "prompts": [] })))?,
            McpMode::MakesTask => send(result(&self.call, &json!({ "resultType": "task", "taskId": "t" })))?,
            McpMode::Empty => self.answer("  ", send)?,
            McpMode::DiesInCall => {
                output::error_line("fake: the model's service was lost")?;
                return Ok(Some(3));
            }
            _ => {
                send(self.progress("Reading the change."))?;
                send(notification("fake/event", &json!({ "msg": { "type": "task_started" } })))?;
                self.answer_with(&answer, params, send)?;
            }
        }
        Ok(None)
    }

    fn for_ever(&self, message: &Value, send: Send<'_>) -> io::Result<()> {
        loop {
            send(message.clone())?;
            if self.script.mcp == McpMode::LogsForever {
                std::thread::sleep(std::time::Duration::from_millis(self.script.pause_milliseconds));
            }
        }
    }

    fn progress(&self, words: &str) -> Value {
        let params = json!({ "progressToken": self.token, "progress": 1, "message": words });
        notification("notifications/progress", &params)
    }

    fn answer(&self, text: &str, send: Send<'_>) -> io::Result<()> {
        send(result(&self.call, &json!({ "content": [{ "type": "text", "text": text }] })))
    }

    fn answer_with(&self, text: &str, params: &Value, send: Send<'_>) -> io::Result<()> {
        let session = params["arguments"]["session"].as_str().unwrap_or(&self.script.session);
        let structured = json!({ "content": text, "threadId": session });
        let content = json!([{ "type": "text", "text": format!("Fake says:\n{text}") }]);
        send(result(&self.call, &json!({ "content": content, "structuredContent": structured })))
    }

    fn fail_tool(&self, text: &str, send: Send<'_>) -> io::Result<()> {
        send(result(&self.call, &json!({ "content": [{ "type": "text", "text": text }], "isError": true })))
    }

    fn ask_back(&self, send: Send<'_>) -> io::Result<()> {
        let form = json!({ "message": "May I?", "requestedSchema": { "type": "object", "properties": {} } });
        send(request("r1", "sampling/createMessage", &sampling()))?;
        send(request("r2", "roots/list", &json!({})))?;
        send(request("r3", "elicitation/create", &form))
    }

    /// After all of our requests were answered, their answers are the text.
    fn told(&mut self, message: &Value, send: Send<'_>) -> io::Result<()> {
        self.told.push(format!("{} {}", message["id"].as_str().unwrap_or_default(), message["error"]["code"]));
        match (self.script.mcp, self.told.len()) {
            (McpMode::NeedsModel, 1) => self.fail_tool("No model is offered by this client.", send),
            (McpMode::Asks, 3) => {
                self.told.sort();
                self.answer(&format!("Told {}.", self.told.join(", ")), send)
            }
            _ => Ok(()),
        }
    }
}

fn sampling() -> Value {
    json!({ "messages": [{ "role": "user", "content": { "type": "text", "text": "Think." } }], "maxTokens": 10 })
}

fn log() -> Value {
    notification("notifications/message", &json!({ "level": "info", "data": "still alive" }))
}

fn result(id: &Value, result: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "result": result })
}

fn error(id: &Value, code: i64, message: &str) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message } })
}

fn request(id: &str, method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params })
}

fn notification(method: &str, params: &Value) -> Value {
    json!({ "jsonrpc": "2.0", "method": method, "params": params })
}
