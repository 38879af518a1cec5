//! The fake as `codex app-server`: JSON-RPC without its version, a line for each message.

use std::io::{self, BufRead};

use serde_json::{Value, json};

use super::output;
use super::persistent::{self, Voice};
use super::record::{Event, Recorder};
use super::turn::Turn;

pub(super) fn is_asked_for(turn: &Turn) -> bool {
    turn.has("app-server")
}

/// Serves until the input ends.
pub(super) fn serve(turn: &Turn, recorder: &Recorder) -> io::Result<i32> {
    let mut server = Server { turn, recorder, thread: String::new(), number: 0, is_initialized: false, before: 0 };
    for line in io::stdin().lock().lines() {
        let message: Value = serde_json::from_str(&line?).map_err(io::Error::other)?;
        if let Some(code) = server.take(&message)? {
            return Ok(code);
        }
    }
    persistent::at_the_end(turn);
    Ok(0)
}

struct Server<'a> {
    turn: &'a Turn,
    recorder: &'a Recorder,
    thread: String,
    /// Turns of this process.
    number: usize,
    is_initialized: bool,
    /// Turns of the thread before this process.
    before: u64,
}

impl Server<'_> {
    fn take(&mut self, message: &Value) -> io::Result<Option<i32>> {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str() {
            Some("initialize") => respond(id, &json!({ "userAgent": "baton/0.169.0 (Fake 1; x86_64)" }))?,
            Some("initialized") => self.is_initialized = true,
            Some("thread/start") => self.open(id, params, None)?,
            Some("thread/resume") => self.open(id, params, params["threadId"].as_str())?,
            Some("turn/start") => return self.ask(id, params),
            Some("turn/interrupt") => {
                respond(id, &json!({}))?;
                self.completed("interrupted", &Value::Null)?;
            }
            Some(_) | None => {}
        }
        Ok(None)
    }

    fn open(&mut self, id: &Value, params: &Value, resumed: Option<&str>) -> io::Result<()> {
        let read_only = params["approvalPolicy"] == "never" && params["sandbox"] == "read-only";
        if !self.is_initialized || !read_only {
            self.recorder.add(Event::Violation { text: "opens a thread that may write".to_owned() })?;
        }
        if let Some(thread) = resumed.filter(|thread| *thread != self.turn.script.session) {
            let message = format!("no rollout found for thread id {thread}");
            return send(&json!({ "id": id, "error": { "code": -32600, "message": message } }));
        }
        self.thread.clone_from(&self.turn.script.session);
        notify("warning", &json!({ "threadId": self.thread, "message": "Model metadata not found." }))?;
        respond(id, &json!({ "thread": { "id": self.thread } }))?;
        match resumed {
            Some(_) => {
                self.before = 7;
                self.usage("an-earlier-turn", self.before)
            }
            None => Ok(()),
        }
    }

    fn ask(&mut self, id: &Value, params: &Value) -> io::Result<Option<i32>> {
        let prompt = params["input"][0]["text"].as_str().unwrap_or_default().to_owned();
        let effort = params["effort"].as_str().unwrap_or("none");
        self.recorder.add(Event::Asked { prompt: format!("{effort}: {prompt}") })?;
        if params["threadId"] != self.thread.as_str() {
            self.recorder.add(Event::Violation { text: "asks in another thread".to_owned() })?;
        }
        self.number += 1;
        respond(id, &json!({ "turn": { "id": self.name(), "status": "inProgress" } }))?;
        persistent::perform(self.number, self.turn, self)
    }

    fn name(&self) -> String {
        format!("turn-{}", self.number)
    }

    /// The thread's total after this many turns.
    fn usage(&self, turn: &str, turns: u64) -> io::Result<()> {
        let script = &self.turn.script;
        let total = json!({
            "inputTokens": script.input_tokens * turns, "cachedInputTokens": 0, "outputTokens": script.output_tokens * turns,
        });
        let params = json!({ "threadId": self.thread, "turnId": turn, "tokenUsage": { "total": total, "last": {} } });
        notify("thread/tokenUsage/updated", &params)
    }

    fn message(&self, thread: &str, turn: &str, text: &str) -> io::Result<()> {
        let item = json!({ "type": "agentMessage", "id": "msg", "text": text });
        notify("item/completed", &json!({ "threadId": thread, "turnId": turn, "item": item }))
    }

    fn completed(&self, status: &str, error: &Value) -> io::Result<()> {
        self.completed_as(&self.thread, &self.name(), status, error)
    }

    fn completed_as(&self, thread: &str, turn: &str, status: &str, error: &Value) -> io::Result<()> {
        let turn = json!({ "id": turn, "items": [], "status": status, "error": error });
        notify("turn/completed", &json!({ "threadId": thread, "turn": turn }))
    }
}

impl Voice for Server<'_> {
    fn begin(&self) -> io::Result<()> {
        let turn = json!({ "id": self.name(), "items": [], "status": "inProgress" });
        notify("turn/started", &json!({ "threadId": self.thread, "turn": turn }))
    }

    fn answer(&self, text: &str) -> io::Result<()> {
        let (thread, turn) = (&self.thread, self.name());
        let delta = json!({ "threadId": thread, "turnId": turn, "itemId": "msg", "delta": text });
        notify("item/agentMessage/delta", &delta)?;
        let approval = json!({ "threadId": thread, "turnId": turn, "itemId": "c", "command": "touch x" });
        send(&json!({ "id": 900, "method": "item/commandExecution/requestApproval", "params": approval }))?;
        self.message(thread, &turn, text)?;
        self.usage(&turn, self.before + self.number as u64)?;
        self.completed("completed", &Value::Null)
    }

    fn half(&self) -> io::Result<()> {
        self.message(&self.thread, &self.name(), "The change")
    }

    /// A turn of this thread that is not ours, and our turn of another thread.
    fn answer_elsewhere(&self, text: &str) -> io::Result<()> {
        for (thread, turn) in [(self.thread.as_str(), "turn-0"), ("another", self.name().as_str())] {
            self.message(thread, turn, text)?;
            self.completed_as(thread, turn, "completed", &Value::Null)?;
        }
        respond(&json!(4_000), &json!({ "turn": { "id": "turn-0", "status": "completed" } }))
    }

    fn fail(&self) -> io::Result<()> {
        let message = "exceeded retry limit, last status: 429 Too Many Requests";
        self.completed("failed", &json!({ "message": message, "codexErrorInfo": "other" }))
    }
}

fn respond(id: &Value, result: &Value) -> io::Result<()> {
    send(&json!({ "id": id, "result": result }))
}

fn notify(method: &str, params: &Value) -> io::Result<()> {
    send(&json!({ "method": method, "params": params }))
}

fn send(message: &Value) -> io::Result<()> {
    output::line(message.to_string())
}
