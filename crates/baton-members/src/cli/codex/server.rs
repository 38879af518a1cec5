//! `codex app-server`: many turns of one thread, by JSON-RPC over standard input and output. A state machine: lines in,
//! lines out. Pure.
//!
//! The order: `initialize`, `initialized`, `thread/start` or `thread/resume`, and for each turn `turn/start`. The turn's
//! end is `turn/completed` with the turn's id; everything of another turn or thread is ignored. Who asks for an approval
//! is told no, and for more permissions gets none; methods that we do not know are answered as not found.
//!
//! Tokens are counted up over the thread. This turn's are the last total less the one before the turn, which is zero
//! for a new thread, and is told again when a thread is resumed. Without it the turn has no usage.

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::Usage;
use baton_port::{Progress, SessionUse, Turn, TurnRequest};
use baton_process::Flow;
use serde_json::{Value, json};

use super::wire::{answer, error_class, owned, usage};
use crate::cli::oneshot::{Refusal, absolute, is_session_id};
use crate::cli::{End, Settings, words};
use crate::rpc::{self, Dialogue, Message, RpcError};
use crate::warm::{Reply, Talk};

/// What is asked for.
#[derive(Clone, Debug, Default)]
pub(super) struct Wants {
    /// An absolute path.
    directory: String,
    prompt: String,
    /// The thread to go on with.
    resume: Option<String>,
    model: Option<String>,
    effort: Option<String>,
    sandbox: String,
    /// The seat's own effort.
    usual_effort: Option<String>,
}

impl Wants {
    /// # Errors
    /// An id that is none, or a directory whose name is no text.
    pub(super) fn new(settings: &Settings, request: &TurnRequest) -> Result<Self, Refusal> {
        let resume = match &request.session {
            SessionUse::Resume { id } if !is_session_id(id) => {
                return Err(Refusal::new(Outcome::SessionNotFound, "this is no id of a session"));
            }
            SessionUse::Resume { id } => Some(id.clone()),
            SessionUse::None | SessionUse::New { .. } => None,
        };
        let usual_effort = settings.effort.map(|effort| effort.as_str().to_owned());
        Ok(Self {
            directory: absolute(&request.directory)?,
            prompt: request.prompt.clone(),
            resume,
            model: settings.model.clone(),
            effort: request.effort.map(|effort| effort.as_str().to_owned()).or_else(|| usual_effort.clone()),
            sandbox: settings.special("sandbox", "read-only").to_owned(),
            usual_effort,
        })
    }
}

/// The request whose answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Initialize,
    Thread,
    Turn,
}

/// How the turn ended by the protocol.
#[derive(Clone, Debug)]
enum Ended {
    /// `turn/completed`, whatever its status.
    Turn(Value),
    /// An error of the protocol, or something that we cannot go on with.
    Failed(Outcome, String),
    /// The program tries again by itself; it was stopped there.
    Retry(Value),
}

/// The client's side.
#[derive(Clone, Debug)]
pub(super) struct Client {
    wants: Wants,
    dialogue: Dialogue<Step>,
    thread: Option<String>,
    turn: Option<String>,
    version: Option<String>,
    /// The thread's tokens before this turn, and now.
    before: Option<Usage>,
    total: Option<Usage>,
    text: String,
    ended: Option<Ended>,
}

impl Client {
    pub(super) fn new(wants: Wants) -> Self {
        // A new thread has used nothing.
        let before = wants.resume.is_none().then(Usage::default);
        Self {
            wants,
            dialogue: Dialogue::new(Step::Initialize),
            thread: None,
            turn: None,
            version: None,
            before,
            total: None,
            text: String::new(),
            ended: None,
        }
    }

    fn response(&mut self, result: Result<Value, RpcError>) -> Reply {
        let result = match result {
            Ok(result) => result,
            Err(error) => return self.failed(self.class(&error), &error.detail()),
        };
        match self.dialogue.step {
            Step::Initialize => self.initialized(&result),
            Step::Thread => self.thread_is_there(&result),
            Step::Turn => {
                self.turn = self.turn.take().or_else(|| owned(&result["turn"]["id"]));
                Reply::progress(Progress::Thinking)
            }
        }
    }

    fn class(&self, error: &RpcError) -> Outcome {
        let is_resume = self.dialogue.step == Step::Thread && self.wants.resume.is_some();
        if is_resume { error.outcome_of_resuming() } else { error.outcome() }
    }

    fn failed(&mut self, outcome: Outcome, detail: &str) -> Reply {
        self.ended = Some(Ended::Failed(outcome, words::detail(detail)));
        Reply::quiet(Flow::Finished)
    }

    fn initialized(&mut self, result: &Value) -> Reply {
        // `baton/0.169.0 (Debian …) …`: the version after our own name is the program's.
        let agent = result["userAgent"].as_str().unwrap_or_default();
        let version = agent.split_once('/').and_then(|(_, rest)| rest.split_whitespace().next());
        self.version = version.map(str::to_owned);
        let wants = &self.wants;
        let mut params = json!({ "cwd": wants.directory, "approvalPolicy": "never", "sandbox": wants.sandbox });
        if let Some(model) = &wants.model {
            params["model"] = json!(model);
        }
        let method = match &wants.resume {
            Some(thread) => {
                params["threadId"] = json!(thread);
                params["excludeTurns"] = json!(true);
                "thread/resume"
            }
            None => "thread/start",
        };
        let mut send = rpc::notification("initialized", &json!({}));
        send.extend(self.dialogue.ask(Step::Thread, method, &params));
        Reply::send(send)
    }

    fn thread_is_there(&mut self, result: &Value) -> Reply {
        let Some(given) = owned(&result["thread"]["id"]) else {
            return self.failed(Outcome::Unreadable, "the program made a thread without an id");
        };
        if self.wants.resume.as_ref().is_some_and(|asked| *asked != given) {
            return self.failed(Outcome::SessionNotFound, "the program resumed another thread");
        }
        self.thread = Some(given);
        Reply::send(self.ask())
    }

    fn ask(&mut self) -> Vec<u8> {
        let input = json!([{ "type": "text", "text": self.wants.prompt }]);
        let mut params = json!({ "threadId": self.thread, "input": input });
        if let Some(effort) = &self.wants.effort {
            params["effort"] = json!(effort);
        }
        self.dialogue.ask(Step::Turn, "turn/start", &params)
    }

    fn notification(&mut self, method: &str, params: &Value) -> Reply {
        if method == "thread/tokenUsage/updated" {
            self.count(params);
            return Reply::quiet(Flow::Continue);
        }
        if self.dialogue.step != Step::Turn || !self.is_ours(method, params) {
            return Reply::quiet(Flow::Continue);
        }
        match method {
            "turn/started" => Reply::progress(Progress::Thinking),
            "turn/completed" => {
                self.ended = Some(Ended::Turn(params["turn"].clone()));
                Reply::quiet(Flow::Finished)
            }
            "error" => self.error(params),
            "item/agentMessage/delta" => {
                Reply::progress(Progress::Text { bytes: params["delta"].as_str().unwrap_or_default().len() })
            }
            "item/started" | "item/completed" => self.item(method == "item/started", &params["item"]),
            _ if method.starts_with("item/") => Reply::progress(Progress::Thinking),
            _ => Reply::quiet(Flow::Continue),
        }
    }

    /// The first `turn/started` of our thread after the request names the turn, where the response is late.
    fn is_ours(&mut self, method: &str, params: &Value) -> bool {
        if self.thread.is_none() || params["threadId"].as_str() != self.thread.as_deref() {
            return false;
        }
        let named = owned(&params["turnId"]).or_else(|| owned(&params["turn"]["id"]));
        if self.turn.is_none() && method == "turn/started" {
            self.turn.clone_from(&named);
        }
        named.is_some() && named == self.turn
    }

    /// Totals of the thread: before the turn, also as a resumed thread tells them again, and in it.
    fn count(&mut self, params: &Value) {
        if self.thread.is_some() && params["threadId"].as_str() != self.thread.as_deref() {
            return;
        }
        let total = usage(&params["tokenUsage"]["total"]);
        if self.turn.is_some() && params["turnId"].as_str() == self.turn.as_deref() {
            self.total = total;
        } else {
            self.before = total.or(self.before);
        }
    }

    /// A web socket that cannot be opened is no retry of a request: nothing was asked yet.
    fn error(&mut self, params: &Value) -> Reply {
        let message = params["error"]["message"].as_str().unwrap_or_default();
        if params["willRetry"] != true || message.contains("ws://") || message.contains("wss://") {
            return Reply::quiet(Flow::Continue);
        }
        self.ended = Some(Ended::Retry(params["error"].clone()));
        Reply::quiet(Flow::Stop)
    }

    fn item(&mut self, begins: bool, item: &Value) -> Reply {
        let text = |name: &str| item[name].as_str().unwrap_or_default();
        let progress = match text("type") {
            "agentMessage" if !begins => {
                if !text("text").trim().is_empty() {
                    text("text").clone_into(&mut self.text);
                }
                return Reply::quiet(Flow::Payload);
            }
            "commandExecution" if begins => words::doing("runs", text("command")),
            "webSearch" if begins => words::doing("searches the web for", text("query")),
            "mcpToolCall" if begins => words::doing("uses", text("tool")),
            "fileChange" => words::doing("writes", item["changes"][0]["path"].as_str().unwrap_or_default()),
            "reasoning" => Progress::Thinking,
            _ => return Reply::quiet(Flow::Payload),
        };
        Reply::progress(progress)
    }

    /// This turn's tokens.
    fn used(&self) -> Option<Usage> {
        let (total, before) = (self.total?, self.before?);
        Some(Usage {
            input_tokens: total.input_tokens.checked_sub(before.input_tokens)?,
            cached_tokens: total.cached_tokens.checked_sub(before.cached_tokens)?,
            output_tokens: total.output_tokens.checked_sub(before.output_tokens)?,
            reported_cost: None,
        })
    }

    fn completed(&self, turn: &Value) -> Turn {
        match turn["status"].as_str().unwrap_or_default() {
            "completed" => self.success(),
            "failed" => self.failure(&turn["error"]),
            // Not our wish: a user's cancellation would end the run.
            "interrupted" => self.broken(Outcome::Crashed, "the program interrupted the turn by itself"),
            other => {
                let detail = format!("the turn ended with a status that is not known: {other}");
                self.broken(Outcome::Unreadable, &words::detail(&detail))
            }
        }
    }

    fn success(&self) -> Turn {
        let text = self.text.trim();
        if text.is_empty() {
            return self.unfinished(Outcome::Empty, "the program completed its turn without a text");
        }
        match words::disguised(text) {
            Some(outcome) => self.unfinished(outcome, &words::detail(text)),
            None => Turn { text: Some(text.to_owned()), ..self.unfinished(Outcome::Ok, "") },
        }
    }

    fn failure(&self, error: &Value) -> Turn {
        let message = error["message"].as_str().unwrap_or_default();
        let outcome = error_class(error, message).unwrap_or(Outcome::Crashed);
        let said = if message.is_empty() { "the program failed its turn without a reason" } else { message };
        self.broken(outcome, &words::detail(said))
    }

    /// A failure without a telling class, after a part of the answer, is a part.
    fn broken(&self, outcome: Outcome, detail: &str) -> Turn {
        let vague = matches!(outcome, Outcome::Crashed | Outcome::Unreadable | Outcome::Partial);
        match self.text.trim() {
            text if vague && !text.is_empty() => {
                Turn { text: Some(text.to_owned()), ..self.unfinished(Outcome::Partial, detail) }
            }
            _ => self.unfinished(outcome, detail),
        }
    }
}

impl Talk for Client {
    fn open(&mut self) -> Vec<u8> {
        self.dialogue.ask(Step::Initialize, "initialize", &json!({ "clientInfo": rpc::client_info() }))
    }

    fn go_on(&mut self, request: &TurnRequest) -> Vec<u8> {
        let effort = request.effort.map(|effort| effort.as_str().to_owned());
        let wants = Wants {
            prompt: request.prompt.clone(),
            effort: effort.or_else(|| self.wants.usual_effort.clone()),
            resume: self.thread.clone(),
            ..self.wants.clone()
        };
        *self = Self {
            dialogue: self.dialogue.go_on(),
            thread: self.thread.take(),
            version: self.version.take(),
            before: self.total.or(self.before),
            ..Self::new(wants)
        };
        self.ask()
    }

    fn line(&mut self, line: &[u8]) -> Reply {
        match self.dialogue.hear(line) {
            // Nothing that comes after the end changes it.
            _ if self.ended.is_some() => Reply::quiet(Flow::Continue),
            None => Reply::quiet(Flow::Continue),
            Some(Message::Response { result, .. }) => self.response(result),
            Some(Message::Request { id, method, .. }) => Reply::send(answer(&id, &method)),
            Some(Message::Notification { method, params }) => self.notification(&method, &params),
        }
    }

    fn cancel(&mut self) -> Option<Vec<u8>> {
        let turn = self.turn.clone().filter(|_| self.ended.is_none())?;
        let params = json!({ "threadId": self.thread, "turnId": turn });
        // Aside: the turn's own end is still waited for.
        Some(self.dialogue.ask_aside("turn/interrupt", &params))
    }

    fn finish(&self, end: End<'_>) -> Turn {
        match &self.ended {
            Some(Ended::Turn(turn)) => self.completed(turn),
            Some(Ended::Failed(outcome, detail)) => self.broken(outcome.clone(), detail),
            Some(Ended::Retry(error)) => {
                let message = error["message"].as_str().unwrap_or_default();
                let outcome = error_class(error, message).unwrap_or(Outcome::Overloaded);
                self.unfinished(outcome, &words::detail(&format!("stopped at its first retry: {message}")))
            }
            None => {
                let (outcome, detail) = self.dialogue.without_end(end, &self.text, "program");
                self.broken(outcome, &detail)
            }
        }
    }

    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        let session = self.thread.clone();
        let provenance = Provenance { session, program_version: self.version.clone(), ..Provenance::default() };
        Turn { provenance, usage: self.used(), ..Turn::failed(outcome, detail) }
    }
}

#[cfg(test)]
mod tests {
    use baton_process::Ending;

    use super::*;

    fn wants(resume: Option<&str>) -> Wants {
        let (directory, sandbox) = ("/work".to_owned(), "read-only".to_owned());
        Wants { directory, sandbox, prompt: "Is it?".into(), resume: resume.map(str::to_owned), ..Wants::default() }
    }

    fn hear(client: &mut Client, message: Value) -> Reply {
        client.line(message.to_string().as_bytes())
    }

    fn notify(client: &mut Client, method: &str, params: Value) -> Reply {
        hear(client, json!({ "method": method, "params": params }))
    }

    fn sent(reply: &Reply) -> Vec<Value> {
        reply.send.split(|byte| *byte == b'\n').filter_map(|line| serde_json::from_slice(line).ok()).collect()
    }

    /// Up to the turn `u` in the thread `t`.
    fn asked(resume: Option<&str>) -> Client {
        let mut client = Client::new(wants(resume));
        client.open();
        hear(&mut client, json!({ "id": 1, "result": { "userAgent": "baton/1.2.3 (X; y)" } }));
        hear(&mut client, json!({ "id": 2, "result": { "thread": { "id": "t" } } }));
        hear(&mut client, json!({ "id": 3, "result": { "turn": { "id": "u" } } }));
        client
    }

    fn end(client: &mut Client, status: &str, error: Value) -> Turn {
        let turn = json!({ "id": "u", "status": status, "error": error });
        let reply = notify(client, "turn/completed", json!({ "threadId": "t", "turn": turn }));
        assert_eq!(reply.flow, Flow::Finished);
        client.finish(End { ending: &Ending::Stopped, stderr: "" })
    }

    fn say(client: &mut Client, turn: &str, text: &str) {
        let item = json!({ "type": "agentMessage", "text": text });
        notify(client, "item/completed", json!({ "threadId": "t", "turnId": turn, "item": item }));
    }

    fn count(client: &mut Client, turn: &str, tokens: u64) {
        let total = json!({ "inputTokens": tokens, "cachedInputTokens": 0, "outputTokens": tokens });
        let params = json!({ "threadId": "t", "turnId": turn, "tokenUsage": { "total": total } });
        notify(client, "thread/tokenUsage/updated", params);
    }

    #[test]
    fn the_thread_is_opened_read_only_and_the_turn_asked_in_it() {
        let mut client = Client::new(Wants { effort: Some("low".into()), model: Some("m".into()), ..wants(None) });
        assert!(String::from_utf8(client.open()).unwrap().contains("\"initialize\""));
        let opened = sent(&hear(&mut client, json!({ "id": 1, "result": {} })));
        assert_eq!(opened[0]["method"], "initialized");
        let params = json!({ "cwd": "/work", "approvalPolicy": "never", "sandbox": "read-only", "model": "m" });
        assert_eq!((&opened[1]["method"], &opened[1]["params"]), (&json!("thread/start"), &params));
        let turn = sent(&hear(&mut client, json!({ "id": 2, "result": { "thread": { "id": "t" } } })));
        let input = json!([{ "type": "text", "text": "Is it?" }]);
        assert_eq!(turn[0]["params"], json!({ "threadId": "t", "input": input, "effort": "low" }));
    }

    #[test]
    fn only_our_turn_of_our_thread_counts() {
        let mut client = asked(None);
        say(&mut client, "another", "no");
        let other = json!({ "id": "another", "status": "completed" });
        for params in [json!({ "threadId": "t", "turn": other }), json!({ "threadId": "x", "turn": { "id": "u" } })] {
            assert_eq!(notify(&mut client, "turn/completed", params).flow, Flow::Continue);
        }
        say(&mut client, "u", "I look.");
        say(&mut client, "u", "yes");
        let turn = end(&mut client, "completed", Value::Null);
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Ok, Some("yes")));
        assert_eq!(turn.provenance.session.as_deref(), Some("t"));
        assert_eq!(turn.provenance.program_version.as_deref(), Some("1.2.3"));
    }

    #[test]
    fn tokens_are_those_since_the_turn_began() {
        let used = |client: &Client| client.used().map(|usage| usage.input_tokens);
        let mut client = asked(None);
        assert_eq!(used(&client), None);
        count(&mut client, "u", 10);
        assert_eq!(used(&client), Some(10));
        let mut client = asked(Some("t"));
        count(&mut client, "u", 30);
        assert_eq!(used(&client), None, "how much was used before is not known");
        count(&mut client, "earlier", 20);
        assert_eq!(used(&client), Some(10));
        count(&mut client, "u", 15);
        assert_eq!(used(&client), None, "a total that fell says nothing");
    }

    #[test]
    fn whoever_asks_is_told_no() {
        let told = |method: &str| sent(&Reply::send(answer(&json!("a"), method))).remove(0);
        assert_eq!(told("item/commandExecution/requestApproval")["result"], json!({ "decision": "decline" }));
        assert_eq!(told("item/fileChange/requestApproval")["result"], json!({ "decision": "decline" }));
        assert_eq!(told("execCommandApproval")["result"], json!({ "decision": "denied" }));
        assert_eq!(told("item/permissions/requestApproval")["result"], json!({ "permissions": {} }));
        assert_eq!(told("mcpServer/elicitation/request")["result"], json!({ "action": "decline" }));
        assert_eq!(told("item/tool/requestUserInput")["result"], json!({ "answers": {} }));
        assert_eq!(told("attestation/generate")["error"]["code"], -32601);
    }

    #[test]
    fn failures_have_their_class() {
        let failed = |error: Value| end(&mut asked(None), "failed", error).outcome;
        let status = json!({ "responseStreamConnectionFailed": { "httpStatusCode": 401 } });
        assert_eq!(failed(json!({ "message": "no", "codexErrorInfo": status })), Outcome::Auth);
        let named = json!({ "message": "no", "codexErrorInfo": "usageLimitExceeded" });
        assert_eq!(failed(named), Outcome::QuotaExhausted);
        assert_eq!(failed(json!({ "message": "no", "codexErrorInfo": "other" })), Outcome::Crashed);
        assert_eq!(failed(Value::Null), Outcome::Crashed);
        assert_eq!(end(&mut asked(None), "completed", Value::Null).outcome, Outcome::Empty);
        assert_eq!(end(&mut asked(None), "interrupted", Value::Null).outcome, Outcome::Crashed);
        let mut client = asked(None);
        say(&mut client, "u", "half");
        let turn = end(&mut client, "of tomorrow", Value::Null);
        assert_eq!((turn.outcome, turn.text.as_deref()), (Outcome::Partial, Some("half")));
    }

    #[test]
    fn the_first_retry_ends_it_and_a_socket_is_none() {
        let error = |message: &str, will_retry: bool| {
            let error = json!({ "message": message, "codexErrorInfo": "other" });
            json!({ "threadId": "t", "turnId": "u", "error": error, "willRetry": will_retry })
        };
        let mut client = asked(None);
        for quiet in [error("Reconnecting... wss://example", true), error("it failed", false)] {
            assert_eq!(notify(&mut client, "error", quiet).flow, Flow::Continue);
        }
        assert_eq!(notify(&mut client, "error", error("Reconnecting... 1/5", true)).flow, Flow::Stop);
        let turn = client.finish(End { ending: &Ending::Stopped, stderr: "" });
        assert_eq!(
            (turn.outcome, turn.detail.as_str()),
            (Outcome::Overloaded, "stopped at its first retry: Reconnecting... 1/5")
        );
    }

    #[test]
    fn a_lost_thread_is_no_new_one() {
        for answer in [
            json!({ "id": 2, "error": { "code": -32600, "message": "no rollout found for thread id t" } }),
            json!({ "id": 2, "result": { "thread": { "id": "another" } } }),
        ] {
            let mut client = Client::new(wants(Some("t")));
            client.open();
            let opened = hear(&mut client, json!({ "id": 1, "result": {} }));
            assert_eq!(sent(&opened)[1]["method"], "thread/resume");
            assert_eq!(hear(&mut client, answer).flow, Flow::Finished);
            let turn = client.finish(End { ending: &Ending::Stopped, stderr: "" });
            assert_eq!((turn.outcome, turn.text), (Outcome::SessionNotFound, None));
        }
    }
}
