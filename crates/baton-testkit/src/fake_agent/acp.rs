//! The fake as an agent of the Agent Client Protocol: started with `--acp` or `acp`, it serves until its input ends.

use std::io::{self, BufRead};

use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use super::output;
use super::persistent::{self, Later, Voice};
use super::record::{Event, Recorder};
use super::script::Script;
use super::turn::Turn;

/// What the fake does with a conversation. All but the first are faults or oddities, most of them seen in real agents.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum AcpMode {
    /// Answers in two chunks.
    #[default]
    Answer,
    /// Uses a tool, asks whether it may write and for a file, and answers with what it was told.
    AsksPermission,
    /// As before, without an option to reject once.
    AsksWithoutReject,
    /// An error's text as the answer, and the end of a good turn.
    ErrorAsAnswer,
    /// The text of a retry as the answer's beginning, and stays.
    RetryAsAnswer,
    /// The prompt ends in an error whose reason is in the details.
    RpcError,
    /// A session is made only for who is logged in.
    AuthRequired,
    /// Tells of retries on standard error, and stays.
    RetriesOnStderr,
    /// Never answers the prompt, and obeys the wish to stop.
    Hangs,
    /// Never answers the prompt, nor the wish to stop.
    HangsForever,
    /// Says nothing from the start.
    Silent,
    /// Exits in the middle of its answer.
    CrashesInAnswer,
    /// Exits before a session is made.
    CrashesAtOnce,
    /// Noise, unknown notifications and unknown updates around a good answer.
    Garbage,
    /// Lines that are no messages, exit 0.
    OnlyGarbage,
    /// One chunk of `bytes`.
    HugeChunk,
    /// Cannot load sessions.
    CannotLoad,
    /// Speaks another version.
    OtherVersion,
    Refuses,
    MaxTokens,
    /// Cancels the turn though nobody asked.
    CancelsItself,
    Empty,
    /// Answers, and stays when its input ends.
    StaysAtTheEnd,
}

impl AcpMode {
    /// Every mode.
    pub const ALL: [Self; 23] = [
        Self::Answer,
        Self::AsksPermission,
        Self::AsksWithoutReject,
        Self::ErrorAsAnswer,
        Self::RetryAsAnswer,
        Self::RpcError,
        Self::AuthRequired,
        Self::RetriesOnStderr,
        Self::Hangs,
        Self::HangsForever,
        Self::Silent,
        Self::CrashesInAnswer,
        Self::CrashesAtOnce,
        Self::Garbage,
        Self::OnlyGarbage,
        Self::HugeChunk,
        Self::CannotLoad,
        Self::OtherVersion,
        Self::Refuses,
        Self::MaxTokens,
        Self::CancelsItself,
        Self::Empty,
        Self::StaysAtTheEnd,
    ];
}

/// Whether these arguments start an agent of this protocol.
pub(super) fn is_asked_for(arguments: &[String]) -> bool {
    arguments.iter().any(|argument| argument == "--acp" || argument == "acp")
}

/// Serves until the input ends, or until the mode ends the program.
pub(super) fn serve(turn: &Turn, recorder: &Recorder) -> io::Result<i32> {
    let script = &turn.script;
    let mut agent =
        Agent { turn, number: 0, script, recorder, seen: String::new(), prompt: Value::Null, told: Vec::new() };
    if script.acp == AcpMode::OnlyGarbage {
        output::line("welcome\n{ this is no message")?;
        return Ok(0);
    }
    for line in io::stdin().lock().lines() {
        let line = line?;
        agent.seen.push_str(&line);
        agent.seen.push('\n');
        let message: Value = serde_json::from_str(&line).map_err(io::Error::other)?;
        if let Some(code) = agent.take(&message)? {
            return Ok(code);
        }
    }
    recorder.add(Event::Stdin { text: agent.seen })?;
    if script.acp == AcpMode::StaysAtTheEnd {
        stay();
    }
    persistent::at_the_end(turn);
    Ok(0)
}

fn stay() {
    loop {
        std::thread::park();
    }
}

struct Agent<'a> {
    turn: &'a Turn,
    /// Turns of this process.
    number: usize,
    script: &'a Script,
    recorder: &'a Recorder,
    seen: String,
    /// The id of the prompt.
    prompt: Value,
    /// What we were told about our own requests.
    told: Vec<String>,
}

impl Agent<'_> {
    fn take(&mut self, message: &Value) -> io::Result<Option<i32>> {
        let (id, params) = (&message["id"], &message["params"]);
        match message["method"].as_str() {
            _ if self.script.acp == AcpMode::Silent => {}
            Some("initialize") => self.initialize(id, params)?,
            Some("session/new") => return self.session(id),
            Some("session/load") => self.load(id, params)?,
            Some("session/set_model" | "session/set_mode" | "authenticate") => respond(id, &json!({}))?,
            Some("session/prompt") => return self.prompt(id, params),
            Some("session/cancel") if self.script.acp != AcpMode::HangsForever => self.stop("cancelled")?,
            Some(_) => {}
            None => self.told(message)?,
        }
        Ok(None)
    }

    fn initialize(&self, id: &Value, params: &Value) -> io::Result<()> {
        let offered = &params["clientCapabilities"];
        let is_offered = |capability: &Value| capability.as_bool() == Some(true);
        if is_offered(&offered["terminal"]) || is_offered(&offered["fs"]["writeTextFile"]) {
            self.recorder.add(Event::Violation { text: "offers what it does not serve".to_owned() })?;
        }
        let version = if self.script.acp == AcpMode::OtherVersion { 2 } else { 1 };
        let loads = self.script.acp != AcpMode::CannotLoad;
        respond(
            id,
            &json!({
                "protocolVersion": version, "agentCapabilities": { "loadSession": loads },
                "agentInfo": { "name": "fake", "version": "1.2.3" },
            }),
        )
    }

    fn session(&self, id: &Value) -> io::Result<Option<i32>> {
        match self.script.acp {
            AcpMode::CrashesAtOnce => return Ok(Some(1)),
            AcpMode::AuthRequired => fail(id, -32000, "Authentication required", &Value::Null)?,
            _ => {
                let models = json!({ "availableModels": [{ "modelId": "small" }], "currentModelId": "large" });
                let modes = json!({ "availableModes": [{ "id": "plan" }], "currentModeId": "default" });
                respond(id, &json!({ "sessionId": self.script.session, "models": models, "modes": modes }))?;
            }
        }
        Ok(None)
    }

    fn load(&self, id: &Value, params: &Value) -> io::Result<()> {
        if params["sessionId"] != self.script.session.as_str() {
            return fail(id, -32603, "Internal error", &json!({ "details": "Invalid session identifier" }));
        }
        self.say("user_message_chunk", "An earlier question.")?;
        self.say("agent_message_chunk", "An earlier answer.")?;
        respond(id, &Value::Null)
    }

    fn prompt(&mut self, id: &Value, params: &Value) -> io::Result<Option<i32>> {
        if params["sessionId"] != self.script.session.as_str() {
            self.recorder.add(Event::Violation { text: "asks in another session".to_owned() })?;
        }
        self.prompt = id.clone();
        let text = params["prompt"][0]["text"].as_str().unwrap_or_default().to_owned();
        self.recorder.add(Event::Asked { prompt: text })?;
        self.number += 1;
        if self.script.later != Later::Answers {
            return persistent::perform(self.number, self.turn, self);
        }
        let answer = self.script.answer.clone();
        match self.script.acp {
            AcpMode::Hangs | AcpMode::HangsForever => self.say("agent_thought_chunk", "Let me see.")?,
            AcpMode::AsksPermission | AcpMode::AsksWithoutReject => self.ask_permission()?,
            AcpMode::ErrorAsAnswer => self.answer("Error: Authentication failed (401)")?,
            AcpMode::RetryAsAnswer => self.say("agent_message_chunk", "Info: Request failed (429). Retrying in 9s")?,
            AcpMode::RpcError => {
                fail(id, -32603, "Internal error", &json!({ "details": "429 Too Many Requests: rate limit" }))?;
            }
            AcpMode::RetriesOnStderr => {
                output::error_line("Attempt 1 failed with status 429. Retrying with backoff...")?
            }
            AcpMode::CrashesInAnswer => {
                self.say("agent_message_chunk", "The change")?;
                return Ok(Some(3));
            }
            AcpMode::Garbage => self.answer_in_noise(&answer)?,
            AcpMode::HugeChunk => self.answer(&"x".repeat(self.script.bytes))?,
            AcpMode::Refuses => self.stop("refusal")?,
            AcpMode::MaxTokens => {
                self.say("agent_message_chunk", &answer)?;
                self.stop("max_tokens")?;
            }
            AcpMode::CancelsItself => self.stop("cancelled")?,
            AcpMode::Empty => self.stop("end_turn")?,
            _ => self.answer(&answer)?,
        }
        Ok(None)
    }

    fn ask_permission(&self) -> io::Result<()> {
        let kind = if self.script.acp == AcpMode::AsksPermission { "reject_once" } else { "reject_always" };
        self.say("agent_message_chunk", "I write a file.")?;
        let call = json!({ "sessionUpdate": "tool_call", "toolCallId": "t", "title": "notes.md", "kind": "edit" });
        self.update(&call)?;
        let options = json!([
            { "optionId": "yes", "name": "Allow", "kind": "allow_once" },
            { "optionId": "no", "name": "Reject", "kind": kind },
        ]);
        let session = &self.script.session;
        let params = json!({ "sessionId": session, "toolCall": { "toolCallId": "t" }, "options": options });
        send(&json!({ "jsonrpc": "2.0", "id": "ask-1", "method": "session/request_permission", "params": params }))?;
        let params = json!({ "sessionId": session, "path": "/etc/hostname" });
        send(&json!({ "jsonrpc": "2.0", "id": 7, "method": "fs/read_text_file", "params": params }))
    }

    /// After both of our requests were answered, their answers are the text.
    fn told(&mut self, message: &Value) -> io::Result<()> {
        let outcome = &message["result"]["outcome"];
        let choice = outcome["optionId"].as_str().or(outcome["outcome"].as_str()).map(str::to_owned);
        self.told.push(choice.unwrap_or_else(|| message["error"]["code"].to_string()));
        if self.told.len() == 2 {
            let told = self.told.join(" and ");
            self.answer(&format!("Told {told}."))?;
        }
        Ok(())
    }

    fn answer_in_noise(&self, answer: &str) -> io::Result<()> {
        output::line("Loaded cached credentials.")?;
        send(&json!({ "jsonrpc": "2.0", "method": "_x.ai/queue", "params": { "length": 3 } }))?;
        self.update(&json!({ "sessionUpdate": "available_commands_update", "availableCommands": [] }))?;
        self.update(&json!({ "sessionUpdate": "of_tomorrow", "content": { "type": "text", "text": "no" } }))?;
        send(&json!({ "jsonrpc": "2.0", "id": 999, "result": { "stopReason": "end_turn" } }))?;
        output::line(b"\xff\xfe{\0")?;
        self.answer(answer)
    }

    fn answer(&self, text: &str) -> io::Result<()> {
        let middle = text.char_indices().nth(text.chars().count() / 2).map_or(0, |(index, _)| index);
        let (first, second) = match self.script.acp {
            AcpMode::HugeChunk => (text, ""),
            _ => text.split_at(middle),
        };
        self.say("agent_message_chunk", first)?;
        self.say("agent_message_chunk", second)?;
        self.stop("end_turn")
    }

    fn stop(&self, reason: &str) -> io::Result<()> {
        let (input, output) = (self.script.input_tokens, self.script.output_tokens);
        let usage = json!({ "inputTokens": input, "outputTokens": output, "totalTokens": input + output });
        respond(&self.prompt, &json!({ "stopReason": reason, "usage": usage }))
    }

    fn say(&self, kind: &str, text: &str) -> io::Result<()> {
        self.update(&json!({ "sessionUpdate": kind, "content": { "type": "text", "text": text } }))
    }

    fn update(&self, update: &Value) -> io::Result<()> {
        let params = json!({ "sessionId": self.script.session, "update": update });
        send(&json!({ "jsonrpc": "2.0", "method": "session/update", "params": params }))
    }
}

impl Voice for Agent<'_> {
    fn begin(&self) -> io::Result<()> {
        self.say("agent_thought_chunk", "Let me see.")
    }

    fn answer(&self, text: &str) -> io::Result<()> {
        Agent::answer(self, text)
    }

    fn half(&self) -> io::Result<()> {
        self.say("agent_message_chunk", "The change")
    }

    fn answer_elsewhere(&self, text: &str) -> io::Result<()> {
        let update = json!({ "sessionUpdate": "agent_message_chunk", "content": { "type": "text", "text": text } });
        let params = json!({ "sessionId": "another", "update": update });
        send(&json!({ "jsonrpc": "2.0", "method": "session/update", "params": params }))?;
        respond(&json!(4_000), &json!({ "stopReason": "end_turn" }))
    }

    fn fail(&self) -> io::Result<()> {
        let details = json!({ "details": "429 Too Many Requests: rate limit" });
        fail(&self.prompt, -32603, "Internal error", &details)
    }
}

fn respond(id: &Value, result: &Value) -> io::Result<()> {
    send(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

fn fail(id: &Value, code: i64, message: &str, data: &Value) -> io::Result<()> {
    send(&json!({ "jsonrpc": "2.0", "id": id, "error": { "code": code, "message": message, "data": data } }))
}

fn send(message: &Value) -> io::Result<()> {
    output::line(message.to_string())
}
