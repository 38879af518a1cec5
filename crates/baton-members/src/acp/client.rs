//! One turn of a conversation as a state machine: lines of the agent in, lines to it out. Pure.

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_port::{Progress, Turn, TurnRequest};
use baton_process::Flow;
use serde_json::{Value, json};

use super::answer::{Answer, ErrorTexts};
use super::settings::Settings;
use super::usage::{self, Meter, Source};
use crate::cli::{End, words};
use crate::rpc::{self, Dialogue, Message, RpcError};
use crate::warm::{Reply, Talk};

/// The version of the protocol that is spoken here.
const VERSION: u64 = 1;
/// The retry without a reason at which an agent is stopped.
const MOST_RETRIES: usize = 3;

/// What one turn asks for.
#[derive(Clone, Debug, Default)]
pub struct Wants {
    /// An absolute path.
    pub directory: String,
    pub prompt: String,
    /// The session to go on with.
    pub resume: Option<String>,
    /// Chosen in the session; `None` leaves the choice to the agent or its arguments.
    pub model: Option<String>,
    /// The session's MCP servers, as the protocol lists them; anything else than a list is none.
    pub servers: Value,
    mode: Option<String>,
    login: Option<String>,
    usage: Source,
    error_texts: ErrorTexts,
    retry_texts: Vec<String>,
    retry_messages: ErrorTexts,
}

impl Wants {
    /// With what the seat's settings say about every turn.
    #[must_use]
    pub fn new(settings: &Settings, directory: String, prompt: String, resume: Option<String>) -> Self {
        Self {
            directory,
            prompt,
            resume,
            model: settings.common.model.clone().filter(|_| settings.model_in_session),
            servers: Value::Null,
            mode: settings.mode.clone(),
            login: settings.login.clone(),
            usage: settings.usage,
            error_texts: ErrorTexts::new(settings.error_texts.clone()),
            retry_texts: settings.retry_texts.clone(),
            retry_messages: ErrorTexts::new(settings.retry_messages.clone()),
        }
    }
}

/// The request whose answer is waited for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Step {
    Initialize,
    Login,
    Session,
    Model,
    Mode,
    Prompt,
}

/// How the turn ended by the protocol.
#[derive(Clone, Debug)]
enum Ended {
    /// The response to the prompt.
    Answered(Value),
    /// An error of the protocol, or something that we cannot go on with.
    Failed(Outcome, String),
    /// An error text where the answer belongs; the agent was stopped there.
    Cut(Outcome, String),
}

/// The client's side of one turn.
#[derive(Clone, Debug)]
pub struct Client {
    wants: Wants,
    dialogue: Dialogue<Step>,
    can_load: bool,
    session: Option<String>,
    /// The response that made the session: models, modes, options.
    offers: Value,
    version: Option<String>,
    answer: Answer,
    meter: Meter,
    ended: Option<Ended>,
    cancelled: bool,
    retries: usize,
}

impl Client {
    #[must_use]
    pub fn new(wants: Wants) -> Self {
        Self {
            wants,
            dialogue: Dialogue::new(Step::Initialize),
            can_load: false,
            session: None,
            offers: Value::Null,
            version: None,
            answer: Answer::default(),
            meter: Meter::default(),
            ended: None,
            cancelled: false,
            retries: 0,
        }
    }

    fn response(&mut self, result: Result<Value, RpcError>) -> Reply {
        let result = match result {
            Ok(result) => result,
            Err(error) => return self.failed(self.class(&error), &error.detail()),
        };
        match self.dialogue.step {
            Step::Initialize => self.initialized(&result),
            Step::Login => self.ask_session(),
            Step::Session => self.session_is_there(result),
            Step::Model => self.choose_mode(),
            Step::Mode => self.ask_prompt(),
            Step::Prompt => {
                self.ended = Some(Ended::Answered(result));
                Reply::quiet(Flow::Finished)
            }
        }
    }

    fn class(&self, error: &RpcError) -> Outcome {
        let is_load = self.dialogue.step == Step::Session && self.wants.resume.is_some();
        if is_load { error.outcome_of_resuming() } else { error.outcome() }
    }

    fn failed(&mut self, outcome: Outcome, detail: &str) -> Reply {
        self.ended = Some(Ended::Failed(outcome, words::detail(detail)));
        Reply::quiet(Flow::Finished)
    }

    fn initialized(&mut self, result: &Value) -> Reply {
        let spoken = result["protocolVersion"].as_u64();
        if spoken != Some(VERSION) {
            let spoken = spoken.map_or("none".to_owned(), |version| version.to_string());
            return self
                .failed(Outcome::Unreadable, &format!("the agent speaks version {spoken} of the protocol, not 1"));
        }
        self.version = result["agentInfo"]["version"].as_str().map(str::to_owned);
        self.can_load = result["agentCapabilities"]["loadSession"].as_bool().unwrap_or(false);
        match self.login_method(result) {
            Some(method) => Reply::send(self.dialogue.ask(Step::Login, "authenticate", &json!({ "methodId": method }))),
            None => self.ask_session(),
        }
    }

    /// `default` is the method that the agent itself names as the one that needs nobody: a stored login, or a key.
    fn login_method(&self, result: &Value) -> Option<String> {
        match self.wants.login.as_deref() {
            Some("default") => result["_meta"]["defaultAuthMethodId"].as_str().map(str::to_owned),
            method => method.map(str::to_owned),
        }
    }

    fn ask_session(&mut self) -> Reply {
        let directory = &self.wants.directory;
        let servers = if self.wants.servers.is_array() { self.wants.servers.clone() } else { json!([]) };
        match &self.wants.resume {
            Some(_) if !self.can_load => {
                self.failed(Outcome::SessionNotFound, "the agent does not offer to load a session")
            }
            Some(session) => {
                let params = json!({ "sessionId": session, "cwd": directory, "mcpServers": servers });
                Reply::send(self.dialogue.ask(Step::Session, "session/load", &params))
            }
            None => {
                let params = json!({ "cwd": directory, "mcpServers": servers });
                Reply::send(self.dialogue.ask(Step::Session, "session/new", &params))
            }
        }
    }

    fn session_is_there(&mut self, result: Value) -> Reply {
        let given = result["sessionId"].as_str().map(str::to_owned);
        self.session = match (&self.wants.resume, given) {
            (Some(asked), Some(given)) if *asked != given => {
                return self.failed(Outcome::SessionNotFound, "the agent loaded another session");
            }
            (Some(asked), _) => Some(asked.clone()),
            (None, Some(given)) => Some(given),
            (None, None) => return self.failed(Outcome::Unreadable, "the agent made a session without an id"),
        };
        self.offers = result;
        let Some(model) = self.wants.model.clone() else { return self.choose_mode() };
        match self.choice("model", &model, "session/set_model", "modelId", &["models", "availableModels"]) {
            Some((method, params)) => Reply::send(self.dialogue.ask(Step::Model, method, &params)),
            None => self.failed(Outcome::Rejected, "the agent does not let its model be chosen"),
        }
    }

    fn choose_mode(&mut self) -> Reply {
        let Some(mode) = self.wants.mode.clone() else { return self.ask_prompt() };
        match self.choice("mode", &mode, "session/set_mode", "modeId", &["modes", "availableModes"]) {
            Some((method, params)) => Reply::send(self.dialogue.ask(Step::Mode, method, &params)),
            None => self.failed(Outcome::Rejected, "the agent does not let its mode be chosen"),
        }
    }

    /// The request that chooses a value, as far as the agent offers one: as an option of the session, else by the
    /// older method.
    fn choice(
        &self,
        category: &str,
        value: &str,
        method: &'static str,
        name: &str,
        list: &[&str; 2],
    ) -> Option<(&'static str, Value)> {
        let options = self.offers["configOptions"].as_array();
        let is_it = |option: &&Value| option["category"] == category || option["id"] == category;
        if let Some(option) = options.and_then(|options| options.iter().find(is_it)) {
            let params = json!({ "sessionId": self.session, "configId": option["id"], "value": value });
            return Some(("session/set_config_option", params));
        }
        let [outer, inner] = list;
        self.offers[*outer][*inner].as_array()?;
        Some((method, json!({ "sessionId": self.session, name: value })))
    }

    fn ask_prompt(&mut self) -> Reply {
        let prompt = json!([{ "type": "text", "text": self.wants.prompt }]);
        let params = json!({ "sessionId": self.session, "prompt": prompt });
        let send = self.dialogue.ask(Step::Prompt, "session/prompt", &params);
        Reply { progress: vec![Progress::Thinking], ..Reply::send(send) }
    }

    /// Before the prompt all updates are of the past: a session that is loaded is told again.
    fn update(&mut self, params: &Value) -> Reply {
        let update = &params["update"];
        let is_elsewhere = |session: &str| Some(session) != self.session.as_deref();
        if self.session.is_some() && params["sessionId"].as_str().is_some_and(is_elsewhere) {
            return Reply::quiet(Flow::Continue);
        }
        if self.dialogue.step != Step::Prompt {
            return Reply::quiet(Flow::Payload);
        }
        match update["sessionUpdate"].as_str().unwrap_or_default() {
            "agent_message_chunk" => self.chunk(update),
            "agent_thought_chunk" | "plan" => Reply::progress(Progress::Thinking),
            "tool_call" => {
                self.answer.end_message();
                Reply::progress(words::doing("uses", update["title"].as_str().unwrap_or("a tool")))
            }
            "tool_call_update" => Reply::quiet(Flow::Payload),
            "usage_update" => {
                self.meter.update(update);
                Reply::quiet(Flow::Continue)
            }
            _ => Reply::quiet(Flow::Continue),
        }
    }

    fn chunk(&mut self, update: &Value) -> Reply {
        self.meter.chunk(update);
        let text = update["content"]["text"].as_str().unwrap_or_default();
        if text.is_empty() {
            return Reply::quiet(Flow::Payload);
        }
        if self.wants.retry_messages.are_in(text) {
            return self.retry(text);
        }
        self.answer.chunk(text, update["messageId"].as_str());
        let texts = &self.wants.error_texts;
        if let Some(error) = [text, self.answer.text()].into_iter().find(|text| texts.are_in(text)) {
            let outcome = texts.class(error).unwrap_or(Outcome::Overloaded);
            self.ended = Some(Ended::Cut(outcome, words::detail(error)));
            return Reply::quiet(Flow::Stop);
        }
        Reply::progress(Progress::Text { bytes: text.len() })
    }

    /// The agent tries again and does not say why: after a few of these it says so, or goes on for minutes.
    fn retry(&mut self, text: &str) -> Reply {
        self.retries += 1;
        if self.retries < MOST_RETRIES {
            return Reply::progress(Progress::Thinking);
        }
        let outcome = words::class(None, text).unwrap_or(Outcome::Overloaded);
        self.ended = Some(Ended::Cut(outcome, words::detail(text)));
        Reply::quiet(Flow::Stop)
    }

    /// The response to the prompt, if it came.
    fn result(&self) -> Option<&Value> {
        match &self.ended {
            Some(Ended::Answered(result)) => Some(result),
            _ => None,
        }
    }

    fn answered(&self, reason: &str) -> Turn {
        let text = self.answer.text();
        if let Some(outcome) = self.wants.error_texts.class(text) {
            return self.unfinished(outcome, &words::detail(text));
        }
        match reason {
            "end_turn" if text.is_empty() => {
                self.unfinished(Outcome::Empty, "the agent completed its turn without a text")
            }
            "end_turn" => self.with_text(Outcome::Ok, ""),
            "refusal" => self.unfinished(Outcome::Refused, "the agent refused to go on"),
            "max_tokens" => self.with_text(Outcome::Partial, "the answer reached the limit of tokens"),
            "max_turn_requests" => self.with_text(Outcome::Partial, "the turn reached the limit of requests"),
            // Not our wish: a user's cancellation would end the run.
            "cancelled" => self.broken(Outcome::Crashed, "the agent cancelled the turn by itself"),
            other => {
                let detail = words::detail(&format!("the agent stopped for a reason that is not known: {other}"));
                self.broken(Outcome::Unreadable, &detail)
            }
        }
    }

    fn with_text(&self, outcome: Outcome, detail: &str) -> Turn {
        let text = Some(self.answer.text().to_owned()).filter(|text| !text.is_empty());
        Turn { text, ..self.unfinished(outcome, detail) }
    }

    /// A failure without a telling class, after a part of the answer, is a part.
    fn broken(&self, outcome: Outcome, detail: &str) -> Turn {
        let vague = matches!(outcome, Outcome::Crashed | Outcome::Unreadable | Outcome::Partial);
        match self.answer.text() {
            text if vague && !text.is_empty() && self.wants.error_texts.class(text).is_none() => {
                self.with_text(Outcome::Partial, detail)
            }
            _ => self.unfinished(outcome, detail),
        }
    }

    fn without_end(&self, end: End<'_>) -> Turn {
        if let Some(retry) = self.retry_in(end.stderr) {
            let outcome = words::class(None, retry).unwrap_or(Outcome::Overloaded);
            return self.unfinished(outcome, &words::detail(&format!("stopped at its first retry: {retry}")));
        }
        let (outcome, detail) = self.dialogue.without_end(end, self.answer.text(), "agent");
        self.broken(outcome, &detail)
    }

    fn retry_in<'a>(&self, stderr: &'a str) -> Option<&'a str> {
        let is_retry = |line: &&str| self.wants.retry_texts.iter().any(|text| line.contains(text));
        stderr.lines().find(is_retry)
    }
}

impl Talk for Client {
    fn open(&mut self) -> Vec<u8> {
        let capabilities = json!({ "fs": { "readTextFile": false, "writeTextFile": false }, "terminal": false });
        let client = rpc::client_info();
        let params = json!({ "protocolVersion": VERSION, "clientCapabilities": capabilities, "clientInfo": client });
        self.dialogue.ask(Step::Initialize, "initialize", &params)
    }

    /// The session's model and mode stay chosen.
    fn go_on(&mut self, request: &TurnRequest) -> Vec<u8> {
        let wants = Wants { prompt: request.prompt.clone(), resume: self.session.clone(), ..self.wants.clone() };
        *self = Self {
            dialogue: self.dialogue.go_on(),
            can_load: self.can_load,
            session: self.session.take(),
            version: self.version.take(),
            meter: self.meter.next(self.result()),
            ..Self::new(wants)
        };
        self.ask_prompt().send
    }

    fn line(&mut self, line: &[u8]) -> Reply {
        match self.dialogue.hear(line) {
            // Nothing that comes after the end changes it.
            _ if self.ended.is_some() => Reply::quiet(Flow::Continue),
            Some(Message::Response { result, .. }) => self.response(result),
            Some(Message::Request { id, method, params }) => Reply::send(answer_request(&id, &method, &params)),
            Some(Message::Notification { method, params }) if method == "session/update" => self.update(&params),
            Some(Message::Notification { .. }) | None => Reply::quiet(Flow::Continue),
        }
    }

    /// Only a prompt can be stopped.
    fn cancel(&mut self) -> Option<Vec<u8>> {
        if self.dialogue.step != Step::Prompt || self.ended.is_some() {
            return None;
        }
        self.cancelled = true;
        Some(rpc::notification("session/cancel", &json!({ "sessionId": self.session })))
    }

    fn finish(&self, end: End<'_>) -> Turn {
        match &self.ended {
            _ if self.cancelled => self.unfinished(Outcome::Cancelled, "was cancelled"),
            Some(Ended::Answered(result)) if usage::is_without_an_end(result) => {
                self.broken(Outcome::Partial, "no call of the model was completed: the agent counts no token for it")
            }
            Some(Ended::Answered(result)) => self.answered(result["stopReason"].as_str().unwrap_or_default()),
            Some(Ended::Cut(outcome, detail)) => self.unfinished(outcome.clone(), detail),
            Some(Ended::Failed(outcome, detail)) => self.broken(outcome.clone(), detail),
            None => self.without_end(end),
        }
    }

    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        let session = self.session.clone();
        let provenance = Provenance { session, program_version: self.version.clone(), ..Provenance::default() };
        let usage = self.meter.usage(self.wants.usage, self.result(), self.wants.resume.is_some());
        Turn { provenance, usage, ..Turn::failed(outcome, detail) }
    }
}

/// Read-only: whoever asks is told no, once. An agent that offers no such answer is told that the question is void.
/// Files and terminals of ours are none of the agent's, as it was told at the beginning.
fn answer_request(id: &Value, method: &str, params: &Value) -> Vec<u8> {
    if method != "session/request_permission" {
        return rpc::method_not_found(id, method);
    }
    let options = params["options"].as_array();
    let reject = options.and_then(|options| options.iter().find(|option| option["kind"] == "reject_once"));
    let outcome = match reject.map(|option| &option["optionId"]) {
        Some(option) if option.is_string() => json!({ "outcome": "selected", "optionId": option }),
        _ => json!({ "outcome": "cancelled" }),
    };
    rpc::result(id, &json!({ "outcome": outcome }))
}
