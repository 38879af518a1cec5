//! JSON-RPC 2.0, one message a line, as it is spoken with programs that no SDK reaches: agents of the Agent Client
//! Protocol, and `codex app-server`. Pure.
//!
//! What holds: ids count up from 1 over a process's whole life. One request is waited for at a time, the last; responses
//! to others are passed over. Lines that are no messages are tolerated and counted. MCP servers are the SDK's.

use baton_core::outcome::Outcome;
use serde_json::{Value, json};

use crate::cli::heard::Heard;
use crate::cli::{End, words};

/// One message of the program.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Message {
    /// The answer to our request with this id.
    Response {
        id: u64,
        result: Result<Value, RpcError>,
    },
    /// Something that the program wants of us; `id` goes back as it came.
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
pub(crate) struct RpcError {
    code: i64,
    message: String,
    data: Value,
}

/// Our side of a conversation. `Step` names the request whose response is waited for.
#[derive(Clone, Debug)]
pub(crate) struct Dialogue<Step> {
    pub(crate) step: Step,
    /// The id of the last request.
    id: u64,
    heard: Heard,
}

impl<Step: Copy> Dialogue<Step> {
    pub(crate) fn new(first: Step) -> Self {
        Self { step: first, id: 0, heard: Heard::default() }
    }

    /// The same process in its next turn: what was heard in the last one does not count.
    pub(crate) fn go_on(&self) -> Self {
        Self { id: self.id, ..Self::new(self.step) }
    }

    /// A request as a line. Its response is waited for from now on.
    pub(crate) fn ask(&mut self, step: Step, method: &str, params: &Value) -> Vec<u8> {
        self.step = step;
        self.id += 1;
        request(self.id, method, params)
    }

    /// The last request of a process as a line, whose response nobody waits for.
    pub(crate) fn ask_aside(&self, method: &str, params: &Value) -> Vec<u8> {
        request(self.id + 1, method, params)
    }

    /// The message in a line. `None` for no message, and for a response that is not waited for.
    pub(crate) fn hear(&mut self, line: &[u8]) -> Option<Message> {
        let message = message(line);
        match &message {
            Some(_) => self.heard.messages += 1,
            None => self.heard.other(line),
        }
        message.filter(|message| !matches!(message, Message::Response { id, .. } if *id != self.id))
    }

    /// Why a turn has no end, with its detail, where the process ended before: the program's last words, as long as it
    /// answered nothing; noise alone; else a crash. `text` is the answer so far, `who` the program in the detail.
    pub(crate) fn without_end(&self, end: End<'_>, text: &str, who: &str) -> (Outcome, String) {
        let said = words::complaint(end.stderr);
        if text.is_empty()
            && let Some(outcome) = words::class(None, &said)
        {
            return (outcome, said);
        }
        self.heard.without_end(end.ending, &said, &format!("no end of the turn; the {who}"))
    }
}

/// Who we are, as both protocols' `clientInfo`.
pub(crate) fn client_info() -> Value {
    json!({ "name": "baton", "title": "baton", "version": env!("CARGO_PKG_VERSION") })
}

/// The message in a line; `None` for everything else. The member `jsonrpc` may be missing.
fn message(line: &[u8]) -> Option<Message> {
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

fn request(id: u64, method: &str, params: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "method": method, "params": params }))
}

/// A notification as a line.
pub(crate) fn notification(method: &str, params: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "method": method, "params": params }))
}

/// The good answer to a request of the program, as a line.
pub(crate) fn result(id: &Value, result: &Value) -> Vec<u8> {
    line(&json!({ "jsonrpc": "2.0", "id": id, "result": result }))
}

/// The answer to a request that we do not serve, as a line.
pub(crate) fn method_not_found(id: &Value, method: &str) -> Vec<u8> {
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
    pub(crate) fn outcome(&self) -> Outcome {
        words::class(self.status(), &self.words()).unwrap_or(match self.code {
            -32000 => Outcome::Auth,
            -32602 | -32601 => Outcome::Rejected,
            _ => Outcome::Crashed,
        })
    }

    /// The class where it answers the wish to go on with a session: that is lost, unless the error says something else.
    pub(crate) fn outcome_of_resuming(&self) -> Outcome {
        match self.outcome() {
            Outcome::Crashed | Outcome::Rejected => Outcome::SessionNotFound,
            outcome => outcome,
        }
    }

    /// What it says, for people.
    pub(crate) fn detail(&self) -> String {
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

#[cfg(test)]
mod tests {
    use baton_process::Ending;

    use super::*;

    fn text(line: Vec<u8>) -> String {
        String::from_utf8(line).unwrap()
    }

    fn error(error: Value) -> RpcError {
        match message(json!({ "id": 3, "error": error }).to_string().as_bytes()) {
            Some(Message::Response { id: 3, result: Err(error) }) => error,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn messages_are_told_apart() {
        let kind = |line: &str| match message(line.as_bytes()) {
            Some(Message::Response { result: Ok(_), .. }) => "result",
            Some(Message::Response { result: Err(_), .. }) => "error",
            Some(Message::Request { .. }) => "request",
            Some(Message::Notification { .. }) => "notification",
            None => "none",
        };
        assert_eq!(kind(r#"{"id":4,"error":{"code":1,"message":"m"}}"#), "error");
        assert_eq!(kind(r#"{"id":4,"error":null,"result":{}}"#), "result");
        assert_eq!(kind(r#"{"id":4,"result":null}"#), "result");
        assert_eq!(kind(r#"{"id":"a","method":"m"}"#), "request");
        assert_eq!(kind(r#"{"method":"m"}"#), "notification");
        for line in ["", "{}", "[]", "{\"id\":-1,\"result\":1}", "{\"method\":3}", "\u{feff}{}"] {
            assert_eq!(kind(line), "none", "{line:?}");
        }
        assert_eq!(
            error(json!({ "code": 1, "message": "m" })),
            RpcError { code: 1, message: "m".into(), data: Value::Null }
        );
    }

    #[test]
    fn what_is_sent_is_one_line_each_and_ids_count_up_over_all_turns() {
        let mut dialogue = Dialogue::new("open");
        let first = dialogue.ask("open", "initialize", &json!({ "b": 1, "a": "x\ny" }));
        assert_eq!(
            text(first),
            "{\"id\":1,\"jsonrpc\":\"2.0\",\"method\":\"initialize\",\"params\":{\"a\":\"x\\ny\",\"b\":1}}\n"
        );
        let mut dialogue = dialogue.go_on();
        assert!(text(dialogue.ask("turn", "turn/start", &json!({}))).contains(r#""id":2,"#));
        assert!(text(dialogue.ask_aside("stop", &json!({}))).contains(r#""id":3,"#));
        assert_eq!((dialogue.step, dialogue.id), ("turn", 2), "the turn's own response is still waited for");
        let other = [notification("n", &json!({})), result(&json!("x"), &json!({})), method_not_found(&json!(5), "m")];
        assert_eq!(
            text(other.concat()),
            concat!(
                "{\"jsonrpc\":\"2.0\",\"method\":\"n\",\"params\":{}}\n",
                "{\"id\":\"x\",\"jsonrpc\":\"2.0\",\"result\":{}}\n",
                "{\"error\":{\"code\":-32601,\"message\":\"Method not found: m\"},\"id\":5,\"jsonrpc\":\"2.0\"}\n",
            )
        );
    }

    #[test]
    fn only_the_response_that_is_waited_for_is_heard() {
        let mut dialogue = Dialogue::new(());
        dialogue.ask((), "one", &Value::Null);
        dialogue.ask((), "two", &Value::Null);
        for passed_over in ["", "  ", "npm warn", r#"{"id":1,"result":{}}"#, r#"{"id":3,"result":{}}"#] {
            assert_eq!(dialogue.hear(passed_over.as_bytes()), None, "{passed_over}");
        }
        assert!(dialogue.hear(br#"{"id":2,"result":{}}"#).is_some());
        assert!(dialogue.hear(br#"{"id":1,"method":"ask"}"#).is_some(), "their ids are their own");
        assert_eq!(dialogue.heard, Heard { messages: 4, others: 1 });
        assert_eq!(dialogue.go_on().heard, Heard::default());
    }

    #[test]
    fn an_end_before_the_answer_has_its_class() {
        let end = |lines: &[&str], text: &str, code: i32, stderr: &str| {
            let mut dialogue = Dialogue::new(());
            lines.iter().for_each(|line| drop(dialogue.hear(line.as_bytes())));
            dialogue.without_end(End { ending: &Ending::Exited { code }, stderr }, text, "agent")
        };
        let (message, told) = (r#"{"method":"m"}"#, "Error: 401 status unauthorized");
        assert_eq!(end(&[], "", 1, told), (Outcome::Auth, told.to_owned()));
        assert_eq!(end(&[message], "It beg", 1, told).0, Outcome::Crashed, "an answer may speak of anything");
        assert_eq!(end(&["Welcome!"], "", 0, "").0, Outcome::Unreadable);
        let detail = "no end of the turn; the agent exited with code 1";
        assert_eq!(end(&["Welcome!"], "", 1, ""), (Outcome::Crashed, detail.to_owned()));
    }

    #[test]
    fn errors_are_read_from_wherever_a_program_keeps_their_reason() {
        let limited = Outcome::RateLimited { retry_after_ms: None };
        for (told, outcome) in [
            (json!({ "code": 401, "message": "API key not valid." }), Outcome::Auth),
            (json!({ "code": 429, "message": "Resource has been exhausted" }), limited.clone()),
            (json!({ "code": -32000, "message": "Authentication required" }), Outcome::Auth),
            (json!({ "code": -32603, "message": "Internal error", "data": "unexpected status 401" }), Outcome::Auth),
            (json!({ "code": -32603, "message": "Internal error", "data": { "details": "429 rate limit" } }), limited),
            (json!({ "code": -32603, "data": { "message": "prompt is too long" } }), Outcome::ContextTooLong),
            (json!({ "code": -32603, "message": "x", "data": { "statusCode": 503 } }), Outcome::Overloaded),
            (json!({ "code": -32602, "message": "Invalid params" }), Outcome::Rejected),
            (json!({ "code": -32603, "message": "Internal error" }), Outcome::Crashed),
            (json!({}), Outcome::Crashed),
        ] {
            let error = error(told.clone());
            assert_eq!(error.outcome(), outcome, "{told}");
            assert!(!error.detail().is_empty());
            let is_vague = matches!(outcome, Outcome::Crashed | Outcome::Rejected);
            let resumed = if is_vague { Outcome::SessionNotFound } else { outcome };
            assert_eq!(error.outcome_of_resuming(), resumed, "{told}");
        }
    }
}
