//! Many turns with one `claude`: prompts as lines of JSON in, the events of each turn out. Pure, but for the ids.

use baton_core::outcome::Outcome;
use baton_port::{SessionUse, Turn, TurnRequest};
use baton_process::Flow;
use serde_json::{Value, json};
use uuid::Uuid;

use super::parse::Parser;
use crate::cli::End;
use crate::warm::{self, Reply};

/// One turn, and whether it is the process's first.
pub(super) struct Talk {
    parser: Parser,
    prompt: String,
    /// Of the prompt. The program drops a message whose id it knows from the session, so no two may share one.
    id: String,
    is_later: bool,
    /// The program took the prompt up.
    taken_up: bool,
    /// It answered before.
    out_of_turn: bool,
}

impl Talk {
    pub(super) fn new(request: &TurnRequest) -> Self {
        let parser = match &request.session {
            SessionUse::Resume { id } => Parser::resuming(id.clone()),
            SessionUse::None | SessionUse::New { .. } => Parser::new(),
        };
        Self {
            parser,
            prompt: request.prompt.clone(),
            id: Uuid::now_v7().to_string(),
            is_later: false,
            taken_up: false,
            out_of_turn: false,
        }
    }

    fn is_taken_up(&self, line: &[u8]) -> bool {
        let names_it = || line.windows(self.id.len()).any(|window| window == self.id.as_bytes());
        self.taken_up || (names_it() && kind(line).as_deref() == Some("user"))
    }

    fn is_answer_of_another_turn(&self, line: &[u8]) -> bool {
        self.is_later && !self.taken_up && self.parser.would_succeed(line)
    }
}

impl warm::Talk for Talk {
    fn open(&mut self) -> Vec<u8> {
        let content = json!([{ "type": "text", "text": self.prompt }]);
        let message = json!({ "role": "user", "content": content });
        let mut line = json!({ "type": "user", "uuid": self.id, "message": message }).to_string().into_bytes();
        line.push(b'\n');
        line
    }

    fn go_on(&mut self, request: &TurnRequest) -> Vec<u8> {
        *self = Self { is_later: true, ..Self::new(request) };
        self.open()
    }

    fn line(&mut self, line: &[u8]) -> Reply {
        if self.is_answer_of_another_turn(line) {
            self.out_of_turn = true;
            return Reply::quiet(Flow::Stop);
        }
        self.taken_up = self.is_taken_up(line);
        let reaction = self.parser.line(line);
        Reply { flow: reaction.flow, progress: reaction.progress, send: Vec::new() }
    }

    fn cancel(&mut self) -> Option<Vec<u8>> {
        None
    }

    fn finish(&self, end: End<'_>) -> Turn {
        if self.out_of_turn {
            return self.unfinished(Outcome::Unreadable, "the program answered before it was asked");
        }
        self.parser.finish(end)
    }

    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        self.parser.unfinished(outcome, detail)
    }
}

fn kind(line: &[u8]) -> Option<String> {
    let event: Value = serde_json::from_slice(line).ok()?;
    event["type"].as_str().map(str::to_owned)
}
