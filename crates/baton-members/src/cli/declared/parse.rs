//! From the lines of a declared program to a turn. Pure.

use baton_core::outcome::Outcome;
use baton_core::run::Provenance;
use baton_core::units::{MicroUsd, Usage};
use baton_port::{Progress, SessionUse, Turn};
use baton_process::{Ending, Flow};
use serde_json::Value;

use super::classes::Failure;
use super::declaration::{Map, TextMode, UsageMode};
use super::documents::{Documents, Format, in_line};
use super::path::Condition;
use crate::cli::heard::Heard;
use crate::cli::oneshot::{End, Reaction, Reader, how_it_ended};
use crate::cli::words;

/// What was read so far.
#[derive(Clone, Debug)]
pub struct Parser {
    map: Map,
    /// The session that was asked for.
    resumed: Option<String>,
    provenance: Provenance,
    documents: Documents,
    text: String,
    usage: Option<Usage>,
    done: bool,
    error: Option<Value>,
    retry: Option<Value>,
    /// The last status of a failed request, also of one that is tried again.
    status: Option<u16>,
    heard: Heard,
}

impl Parser {
    pub(crate) fn new(map: &Map, session: &SessionUse) -> Self {
        let mut provenance = Provenance::default();
        let mut resumed = None;
        match session {
            SessionUse::Resume { id } if map.resumes => resumed = Some(id.clone()),
            // Without a word of the program's the id is ours.
            SessionUse::New { id } if map.resumes && map.session.is_empty() => provenance.session = Some(id.clone()),
            SessionUse::None | SessionUse::New { .. } | SessionUse::Resume { .. } => {}
        }
        if map.session.is_empty() {
            provenance.session = provenance.session.or_else(|| resumed.clone());
        }
        Self {
            map: map.clone(),
            resumed,
            provenance,
            documents: Documents::default(),
            text: String::new(),
            usage: None,
            done: false,
            error: None,
            retry: None,
            status: None,
            heard: Heard::default(),
        }
    }

    /// Takes the next line.
    pub fn line(&mut self, line: &[u8]) -> Reaction {
        let events = match self.map.output {
            Format::Text => return self.plain(line),
            Format::Lines => in_line(line),
            Format::Json => self.documents.line(line),
        };
        if events.is_empty() {
            self.heard.other(line);
        }
        let mut all = Reaction::quiet(Flow::Continue);
        for event in &events {
            let reaction = self.event(event);
            all.progress.extend(reaction.progress);
            all.flow = stronger(all.flow, reaction.flow);
        }
        all
    }

    fn plain(&mut self, line: &[u8]) -> Reaction {
        let line = String::from_utf8_lossy(line);
        self.text.push_str(&line);
        self.text.push('\n');
        Reaction { flow: Flow::Payload, progress: vec![Progress::Text { bytes: line.len() }] }
    }

    fn event(&mut self, event: &Value) -> Reaction {
        self.heard.messages += 1;
        self.origin(event);
        self.status = self.status_in(event).or(self.status);
        if self.is_another_session() || self.retries(event) {
            return Reaction::quiet(Flow::Stop);
        }
        self.count(event);
        let mut progress = match self.heard.messages {
            1 => vec![Progress::Thinking],
            _ => Vec::new(),
        };
        let fails = holds(&self.map.error_event, event);
        let bytes = if fails { 0 } else { self.take_text(event) };
        if bytes > 0 {
            progress.push(Progress::Text { bytes });
        }
        if fails {
            self.error.get_or_insert_with(|| event.clone());
        }
        // A document that ends well has its answer; a stream says so.
        let ends = self.map.done_event.as_ref().map_or(bytes > 0, |done| done.holds(event));
        self.done |= ends && !fails;
        let flow = match () {
            () if fails || ends => Flow::Finished,
            () if self.map.output == Format::Json || holds(&self.map.keep_alive_event, event) => Flow::Continue,
            () => Flow::Payload,
        };
        Reaction { flow, progress }
    }

    fn origin(&mut self, event: &Value) {
        if self.map.resumes
            && let Some(session) = self.map.session.text(event).filter(|session| !session.is_empty())
        {
            self.provenance.session = Some(session);
        }
        if let Some(model) = self.map.model.text(event).filter(|model| !model.is_empty()) {
            self.provenance.model = Some(model);
        }
    }

    fn is_another_session(&self) -> bool {
        matches!((&self.resumed, &self.provenance.session), (Some(asked), Some(given)) if asked != given)
    }

    fn retries(&mut self, event: &Value) -> bool {
        let retries = holds(&self.map.retry_event, event);
        if retries {
            self.retry.get_or_insert_with(|| event.clone());
        }
        retries
    }

    /// The bytes of the answer that this event brings.
    fn take_text(&mut self, event: &Value) -> usize {
        if self.map.text_event.as_ref().is_some_and(|condition| !condition.holds(event)) {
            return 0;
        }
        let Some(text) = self.map.text.text(event).filter(|text| !text.trim().is_empty()) else { return 0 };
        let bytes = text.len();
        match self.map.text_mode {
            TextMode::Last => self.text = text,
            TextMode::Concat => self.text.push_str(&text),
        }
        bytes
    }

    fn count(&mut self, event: &Value) {
        let paths = &self.map.usage;
        let (input, output) = (paths.input.sum(event), paths.output.sum(event));
        let (cached, cost) = (paths.cached.sum(event), paths.cost.number(event).and_then(micro_usd));
        if input.is_none() && output.is_none() && cached.is_none() && cost.is_none() {
            return;
        }
        let counted = Usage {
            input_tokens: input.unwrap_or(0),
            cached_tokens: cached.unwrap_or(0),
            output_tokens: output.unwrap_or(0),
            reported_cost: cost,
        };
        self.usage = match (self.map.usage_mode, self.usage) {
            (UsageMode::None, _) => None,
            (UsageMode::Session, _) if self.resumed.is_some() => None,
            (UsageMode::Step, Some(before)) => Some(added(before, counted)),
            (UsageMode::Turn | UsageMode::Session | UsageMode::Step, _) => Some(counted),
        };
    }

    /// The turn, when nothing of ours but a sign of a retry ended the program.
    #[must_use]
    pub fn finish(&self, end: End<'_>) -> Turn {
        let stderr = without_colours(end.stderr);
        let end = End { ending: end.ending, stderr: &stderr };
        if self.is_another_session() {
            return self.unfinished(Outcome::SessionNotFound, "the program answered in another session");
        }
        let mut turn = match (&self.error, &self.retry) {
            (Some(error), _) => self.failure(error, end),
            (None, Some(retry)) => self.stopped(&self.said_by(retry)),
            (None, None) if self.done => self.success(),
            (None, None) if *end.ending == Ending::Stopped => self.stopped(&words::complaint(end.stderr)),
            (None, None) if self.is_whole_text(end) => self.success(),
            (None, None) => self.without_end(end),
        };
        turn.usage = self.usage.filter(|usage| *usage != Usage::default());
        turn
    }

    /// A turn that ended for another reason.
    #[must_use]
    pub fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        Turn { provenance: self.provenance.clone(), ..Turn::failed(outcome, detail) }
    }

    /// Plain text has no terminal event: that the program left without a complaint is all there is.
    fn is_whole_text(&self, end: End<'_>) -> bool {
        self.map.output == Format::Text && *end.ending == Ending::Exited { code: 0 }
    }

    fn success(&self) -> Turn {
        let text = self.text.trim();
        if text.is_empty() {
            return self.unfinished(Outcome::Empty, "the program ended its turn without a text");
        }
        match self.map.classes.disguised(text) {
            Some(outcome) => self.unfinished(outcome, &words::detail(text)),
            None => Turn { text: Some(text.to_owned()), ..self.unfinished(Outcome::Ok, "") },
        }
    }

    fn failure(&self, error: &Value, end: End<'_>) -> Turn {
        let said = self.map.error_text.text(error).unwrap_or_default();
        let complaint = words::complaint(end.stderr);
        let text = if said.is_empty() { complaint } else { said };
        let outcome = self.class(error, &text, end).unwrap_or(Outcome::Crashed);
        let said = if text.is_empty() { "the program failed its turn without a reason" } else { &text };
        self.unfinished(outcome, &words::detail(said))
    }

    fn class(&self, error: &Value, text: &str, end: End<'_>) -> Option<Outcome> {
        let status = self.status_in(error);
        self.map.classes.of(Failure { status, exit: exit(end), text, said: text })
    }

    fn status_in(&self, event: &Value) -> Option<u16> {
        let status = u16::try_from(self.map.error_status.whole(event)?).ok()?;
        (400..600).contains(&status).then_some(status)
    }

    /// What an event says of its cause: its own words, and all of it where the declaration names none.
    fn said_by(&self, event: &Value) -> String {
        self.map.error_text.text(event).unwrap_or_else(|| event.to_string())
    }

    fn stopped(&self, because: &str) -> Turn {
        let failure = Failure { status: self.status, exit: None, text: because, said: because };
        let outcome = self.map.classes.of(failure).unwrap_or(Outcome::Overloaded);
        self.unfinished(outcome, &words::detail(&format!("stopped at its first retry: {because}")))
    }

    fn without_end(&self, end: End<'_>) -> Turn {
        if let Some(error) = self.error_on_stderr(end.stderr) {
            return self.failure(&error, end);
        }
        let complaint =
            self.map.classes.line_in(end.stderr).map_or_else(|| words::complaint(end.stderr), words::detail);
        let text = self.text.trim();
        let failure = Failure { status: None, exit: exit(end), text: end.stderr, said: &complaint };
        if text.is_empty()
            && let Some(outcome) = self.map.classes.of(failure)
        {
            let said = if complaint.is_empty() { how_it_ended(end.ending) } else { complaint };
            return self.unfinished(outcome, &said);
        }
        let (outcome, detail) = self.heard.without_end(end.ending, &complaint, "no end of the turn; the program");
        match text.is_empty() {
            true => self.unfinished(outcome, &detail),
            false => Turn { text: Some(text.to_owned()), ..self.unfinished(Outcome::Partial, &detail) },
        }
    }

    /// The last document on standard error that has a text for people.
    fn error_on_stderr(&self, stderr: &str) -> Option<Value> {
        let mut documents = Documents::default();
        let all = stderr.lines().flat_map(|line| documents.line(line.as_bytes()));
        all.filter(|document| self.map.error_text.text(document).is_some()).last()
    }
}

impl Reader for Parser {
    fn line(&mut self, line: &[u8]) -> Reaction {
        Self::line(self, line)
    }

    fn finish(&self, end: End<'_>) -> Turn {
        Self::finish(self, end)
    }

    fn unfinished(&self, outcome: Outcome, detail: &str) -> Turn {
        Self::unfinished(self, outcome, detail)
    }
}

fn holds(condition: &Option<Condition>, event: &Value) -> bool {
    condition.as_ref().is_some_and(|condition| condition.holds(event))
}

fn exit(end: End<'_>) -> Option<i32> {
    match end.ending {
        Ending::Exited { code } => Some(*code),
        _ => None,
    }
}

/// Of several events on one line the one with the greatest consequence decides.
fn stronger(one: Flow, other: Flow) -> Flow {
    let weight = |flow: Flow| match flow {
        Flow::Continue => 0,
        Flow::Payload => 1,
        Flow::Finished => 2,
        Flow::Stop => 3,
    };
    if weight(other) > weight(one) { other } else { one }
}

fn added(one: Usage, other: Usage) -> Usage {
    Usage {
        input_tokens: one.input_tokens.saturating_add(other.input_tokens),
        cached_tokens: one.cached_tokens.saturating_add(other.cached_tokens),
        output_tokens: one.output_tokens.saturating_add(other.output_tokens),
        reported_cost: match (one.reported_cost, other.reported_cost) {
            (Some(one), Some(other)) => Some(one.plus(other)),
            (one, other) => one.or(other),
        },
    }
}

/// The text without the sequences that colour it on a terminal.
fn without_colours(text: &str) -> String {
    let mut pieces = text.split("\u{1b}[");
    let first = pieces.next().unwrap_or_default().to_owned();
    pieces.fold(first, |mut plain, piece| {
        let letter = piece.find(|letter: char| letter.is_ascii_alphabetic());
        plain.push_str(letter.and_then(|at| piece.get(at + 1..)).unwrap_or_default());
        plain
    })
}

/// Zero is what programs say of models whose price they do not know.
fn micro_usd(dollars: f64) -> Option<MicroUsd> {
    let millionths = (dollars * 1e6).round();
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "in range by the test beside it")]
    (1.0..1e15).contains(&millionths).then_some(MicroUsd(millionths as u64))
}
