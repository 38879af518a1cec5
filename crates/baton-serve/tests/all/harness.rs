//! A client that speaks in literal lines, and a face that does what the task's first word says.

use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex};

use baton_core::ids::RunId;
use baton_port::{BoxFuture, Cancel};
use baton_serve::{
    Face, FaceError, OrchestrateReply, OrchestrateRequest, ProgressReport, ServeError, serve_stdio_until,
};
use serde_json::{Value, json};
use tokio::io::{AsyncBufReadExt, AsyncWriteExt, BufReader, DuplexStream, Lines};
use tokio::sync::Notify;
use tokio::task::JoinSet;

pub(crate) const INITIALIZE: &str = r#"{"jsonrpc":"2.0","id":0,"method":"initialize","params":{"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{"name":"test","version":"1"}}}"#;
pub(crate) const INITIALIZED: &str = r#"{"jsonrpc":"2.0","method":"notifications/initialized"}"#;

/// Does what the first word of a task says, and remembers what it saw.
#[derive(Default)]
pub(crate) struct Obedient {
    pub(crate) seen: Mutex<Vec<OrchestrateRequest>>,
    pub(crate) begun: Notify,
    pub(crate) finished: AtomicUsize,
    pub(crate) saw_cancel: AtomicBool,
}

impl Face for Obedient {
    fn orchestrate(
        &self,
        request: OrchestrateRequest,
        progress: ProgressReport,
        cancel: Cancel,
    ) -> BoxFuture<'_, Result<OrchestrateReply, FaceError>> {
        Box::pin(async move {
            let task = request.task.clone();
            self.seen.lock().unwrap().push(request);
            self.begun.notify_one();
            let outcome = self.obey(&task, &progress, &cancel).await;
            self.finished.fetch_add(1, Ordering::SeqCst);
            outcome
        })
    }
}

impl Obedient {
    async fn obey(
        &self,
        task: &str,
        progress: &ProgressReport,
        cancel: &Cancel,
    ) -> Result<OrchestrateReply, FaceError> {
        match task.split_whitespace().next().unwrap_or_default() {
            "fail" => Err(FaceError { message: "no usable member".into(), hint: "run `baton doctor`".into() }),
            "panic" => panic!("as asked"),
            "report" => {
                ["alpha asked", "beta asked", "alpha answered"].into_iter().for_each(|line| progress(line.into()));
                Ok(reply(task))
            }
            "flood" => {
                (0..100_000).for_each(|number| progress(format!("line {number}")));
                Ok(reply(task))
            }
            "long" => Ok(OrchestrateReply { text: "a line\n".repeat(100_000), ..reply(task) }),
            "wait" => {
                cancel.requested().await;
                self.saw_cancel.store(true, Ordering::SeqCst);
                // A member needs some turns of the runtime to stop; whoever does not join would miss the rest.
                for _ in 0..100 {
                    tokio::task::yield_now().await;
                }
                Err(FaceError { message: "cancelled".into(), hint: String::new() })
            }
            _ => Ok(reply(task)),
        }
    }
}

fn reply(task: &str) -> OrchestrateReply {
    OrchestrateReply {
        run: RunId::parse("0192f3a4-5b6c").unwrap(),
        decision: json!({"schema": "baton.decision/1", "recommendation": "proceed", "task": task}),
        text: format!("**proceed**: {task}"),
    }
}

pub(crate) struct Client {
    pub(crate) face: Arc<Obedient>,
    pub(crate) stop: Cancel,
    input: Option<DuplexStream>,
    output: Lines<BufReader<DuplexStream>>,
    server: JoinSet<Result<(), ServeError>>,
}

impl Client {
    /// Connected, with nothing said yet.
    pub(crate) fn silent() -> Self {
        let face = Arc::new(Obedient::default());
        let (input, server_input) = tokio::io::duplex(64 * 1024);
        let (server_output, output) = tokio::io::duplex(64 * 1024);
        let stop = Cancel::default();
        let mut server = JoinSet::new();
        server.spawn(serve_stdio_until(face.clone(), server_input, server_output, stop.clone()));
        Self { face, stop, input: Some(input), output: BufReader::new(output).lines(), server }
    }

    /// In a session.
    pub(crate) async fn open() -> Self {
        let mut client = Self::silent();
        client.say(INITIALIZE).await;
        assert_eq!(client.hear().await["id"], 0);
        client.say(INITIALIZED).await;
        client
    }

    pub(crate) async fn say(&mut self, line: &str) {
        self.say_bytes(line.as_bytes()).await;
        self.say_bytes(b"\n").await;
    }

    pub(crate) async fn say_bytes(&mut self, bytes: &[u8]) {
        self.input.as_mut().unwrap().write_all(bytes).await.unwrap();
    }

    /// The next message. Each line that the server writes must be one JSON-RPC message.
    pub(crate) async fn hear(&mut self) -> Value {
        self.hear_or_end().await.expect("a message")
    }

    pub(crate) async fn hear_or_end(&mut self) -> Option<Value> {
        let line = self.output.next_line().await.unwrap()?;
        let message: Value = serde_json::from_str(&line).unwrap_or_else(|error| panic!("{error}: {line:.200}"));
        assert_eq!(message["jsonrpc"], "2.0", "{line:.200}");
        Some(message)
    }

    pub(crate) async fn ask(&mut self, id: u32, method: &str, params: Value) -> Value {
        self.say(&request(id, method, params)).await;
        let message = self.hear().await;
        assert_eq!(message["id"], id, "{message}");
        message
    }

    pub(crate) async fn call(&mut self, id: u32, task: &str) -> Value {
        self.ask(id, "tools/call", json!({"name": "orchestrate", "arguments": {"task": task}})).await
    }

    /// Ends the input; the server must end by itself.
    pub(crate) async fn hang_up(mut self) -> (Result<(), ServeError>, Vec<Value>) {
        drop(self.input.take());
        self.rest().await
    }

    pub(crate) async fn rest(&mut self) -> (Result<(), ServeError>, Vec<Value>) {
        let mut rest = Vec::new();
        while let Some(message) = self.hear_or_end().await {
            rest.push(message);
        }
        (self.server.join_next().await.unwrap().unwrap(), rest)
    }
}

pub(crate) fn request(id: u32, method: &str, params: Value) -> String {
    json!({"jsonrpc": "2.0", "id": id, "method": method, "params": params}).to_string()
}

pub(crate) fn call(id: u32, task: &str) -> String {
    request(id, "tools/call", json!({"name": "orchestrate", "arguments": {"task": task}}))
}

/// The first text of a tool's result.
pub(crate) fn text(message: &Value) -> &str {
    message["result"]["content"][0]["text"].as_str().unwrap_or_else(|| panic!("no text in {message}"))
}
