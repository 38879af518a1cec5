//! The script as data: rules, what they match, and what they answer.

use serde::{Deserialize, Serialize};

use crate::fault::Fault;

/// What the server does: the first rule that matches a call answers it.
///
/// A call that no rule matches gets status 400 and is listed as a violation.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Script {
    /// Whether calls without a key are in order (a local server). Otherwise they are violations.
    pub open: bool,
    /// How much is kept of each request.
    pub recording: Recording,
    /// Names answered by `GET …/models`; when empty, the names that occur in the rules.
    pub models: Vec<String>,
    pub rules: Vec<Rule>,
}

/// How much is kept of each request.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Recording {
    /// Method, path, headers and body of every request.
    #[default]
    Full,
    /// Numbers only, for benchmarks and long runs. Invariants are still checked.
    Counts,
}

/// One rule: a condition and a sequence of answers.
///
/// The first call gets the first answer, and so on; the last answer repeats.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// Shown in [`crate::Recorded::rule`]; usually the seat that the rule plays.
    #[serde(default)]
    pub name: String,
    /// What a call must satisfy. Empty: every paid call.
    #[serde(default)]
    pub when: Match,
    pub answers: Vec<Answer>,
}

/// The condition of a rule: all fields that are given must hold.
///
/// Free routes (`models`, `count_tokens`) are answered by themselves, unless a rule's `path` names
/// them; a rule whose `path` does not can never be used up by them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Match {
    /// The request target (path and query) contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub path: Option<String>,
    /// The body's `model` equals this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    /// A header contains a text.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub header: Option<HeaderMatch>,
    /// The body, as sent and so with JSON escapes, contains this.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub body: Option<String>,
    /// Only the nth call, counted from 1, of those that reach this rule and satisfy the rest of it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nth_call: Option<u64>,
}

/// A header, by its name in any case, and a text that its value contains.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct HeaderMatch {
    pub name: String,
    pub contains: String,
}

/// One answer: a reply, or a reply spoiled by a fault.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Answer {
    /// Milliseconds from the end of the request to the head of the response.
    pub delay_ms: u64,
    /// Milliseconds between the events of a stream. At 0 the events that belong together go out in
    /// one write.
    pub gap_ms: u64,
    pub reply: Reply,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub fault: Option<Fault>,
    /// For faults in mid-stream: how many deltas arrive before (0: none).
    pub after_deltas: usize,
    /// Seconds in `retry-after`; Gemini's `rate_limited_seconds` says them in the body. Faults that always carry the header use 2 when this is absent;
    /// server errors carry it only when this is given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_s: Option<u64>,
    /// Where a redirect leads. Absent: a loopback port where nobody listens.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub location: Option<String>,
}

/// What the model is made to say.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Reply {
    pub text: String,
    /// The model that the reply names. Absent: the one that was asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub model: Option<String>,
    pub usage: Usage,
    pub finish: Finish,
    /// Characters in one delta of a stream; 0 counts as 1.
    pub delta_characters: usize,
}

impl Default for Reply {
    fn default() -> Self {
        Self {
            text: "This is a scripted reply.".to_owned(),
            model: None,
            usage: Usage::default(),
            finish: Finish::Stop,
            delta_characters: 8,
        }
    }
}

/// Numbers of tokens that the reply reports.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Usage {
    /// All input tokens, the cached ones included. Anthropic's `input_tokens` leaves those out, so
    /// that dialect reports `input - cached`.
    pub input: u64,
    pub output: u64,
    /// Input tokens that came from the vendor's cache.
    pub cached: u64,
}

impl Default for Usage {
    fn default() -> Self {
        Self { input: 10, output: 5, cached: 0 }
    }
}

/// Why the model stopped.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Finish {
    #[default]
    Stop,
    /// The limit of output tokens: the text is partial.
    Length,
    /// The model refused; the text is its refusal. Gemini blocks the prompt and says nothing.
    Refusal,
    /// A filter of the vendor cut the text.
    ContentFilter,
}

/// A script that cannot be played.
#[derive(Debug, thiserror::Error)]
pub enum ScriptError {
    #[error("the script is not valid: {0}")]
    Json(#[from] serde_json::Error),
    #[error("rule {number} ({name:?}) has no answer")]
    NoAnswer { number: usize, name: String },
    #[error("rule {number} ({name:?}) counts calls from 0; the first call is 1")]
    CallZero { number: usize, name: String },
    #[error("rule {number} ({name:?}) has a location that breaks a header line")]
    Location { number: usize, name: String },
}

impl Script {
    /// A script without rules.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A script that gives every call the same answer.
    #[must_use]
    pub fn always(answer: Answer) -> Self {
        Self::new().rule(Rule::named("always").answer(answer))
    }

    /// Reads a script from JSON.
    ///
    /// # Errors
    /// Text that is no script, with the position; and whatever [`Script::validate`] refuses.
    pub fn from_json(text: &str) -> Result<Self, ScriptError> {
        let script: Self = serde_json::from_str(text)?;
        script.validate()?;
        Ok(script)
    }

    /// Checks what the types do not say; the server does this before it starts.
    ///
    /// # Errors
    /// The first rule that cannot be played.
    pub fn validate(&self) -> Result<(), ScriptError> {
        for (index, rule) in self.rules.iter().enumerate() {
            let (number, name) = (index + 1, || rule.name.clone());
            if rule.answers.is_empty() {
                return Err(ScriptError::NoAnswer { number, name: name() });
            }
            if rule.when.nth_call == Some(0) {
                return Err(ScriptError::CallZero { number, name: name() });
            }
            let breaks_line =
                |answer: &Answer| answer.location.as_ref().is_some_and(|url| url.contains(char::is_control));
            if rule.answers.iter().any(breaks_line) {
                return Err(ScriptError::Location { number, name: name() });
            }
        }
        Ok(())
    }

    /// Adds a rule after those that are there.
    #[must_use]
    pub fn rule(mut self, rule: Rule) -> Self {
        self.rules.push(rule);
        self
    }

    /// Accepts calls without a key, as a local server does.
    #[must_use]
    pub fn open(mut self) -> Self {
        self.open = true;
        self
    }

    /// Chooses how much is kept of each request.
    #[must_use]
    pub fn recording(mut self, recording: Recording) -> Self {
        self.recording = recording;
        self
    }

    /// The names for `GET …/models`, without repetition, in the order of the script.
    pub(crate) fn model_names(&self) -> Vec<String> {
        let from_rules = self.rules.iter().filter_map(|rule| rule.when.model.as_ref());
        let from_replies = self.rules.iter().flat_map(|rule| &rule.answers).filter_map(|a| a.reply.model.as_ref());
        let mut names = self.models.clone();
        if names.is_empty() {
            for name in from_rules.chain(from_replies) {
                if !names.contains(name) {
                    names.push(name.clone());
                }
            }
        }
        if names.is_empty() {
            names.push("scripted".to_owned());
        }
        names
    }
}

impl Rule {
    /// A rule that matches every paid call and has no answer yet.
    #[must_use]
    pub fn named(name: impl Into<String>) -> Self {
        Self { name: name.into(), ..Self::default() }
    }

    /// Narrows the rule to targets that contain a text.
    #[must_use]
    pub fn path(mut self, contains: impl Into<String>) -> Self {
        self.when.path = Some(contains.into());
        self
    }

    /// Narrows the rule to one model.
    #[must_use]
    pub fn model(mut self, equals: impl Into<String>) -> Self {
        self.when.model = Some(equals.into());
        self
    }

    /// Narrows the rule to calls with a header, for example one key.
    #[must_use]
    pub fn header(mut self, name: impl Into<String>, contains: impl Into<String>) -> Self {
        self.when.header = Some(HeaderMatch { name: name.into(), contains: contains.into() });
        self
    }

    /// Narrows the rule to bodies that contain a text.
    #[must_use]
    pub fn body(mut self, contains: impl Into<String>) -> Self {
        self.when.body = Some(contains.into());
        self
    }

    /// Narrows the rule to one call, counted from 1.
    #[must_use]
    pub fn nth_call(mut self, number: u64) -> Self {
        self.when.nth_call = Some(number);
        self
    }

    /// Adds the next answer of the sequence.
    #[must_use]
    pub fn answer(mut self, answer: Answer) -> Self {
        self.answers.push(answer);
        self
    }
}

impl Answer {
    /// A reply with this text.
    #[must_use]
    pub fn text(text: impl Into<String>) -> Self {
        Self { reply: Reply { text: text.into(), ..Reply::default() }, ..Self::default() }
    }

    /// A fault; where it has a reply to spoil, that is the default one.
    #[must_use]
    pub fn fault(fault: Fault) -> Self {
        Self { fault: Some(fault), ..Self::default() }
    }

    /// Sets the milliseconds before the head.
    #[must_use]
    pub fn delay_ms(mut self, milliseconds: u64) -> Self {
        self.delay_ms = milliseconds;
        self
    }

    /// Sets the milliseconds between the events of a stream.
    #[must_use]
    pub fn gap_ms(mut self, milliseconds: u64) -> Self {
        self.gap_ms = milliseconds;
        self
    }

    /// Sets how many deltas arrive before a fault in mid-stream.
    #[must_use]
    pub fn after_deltas(mut self, count: usize) -> Self {
        self.after_deltas = count;
        self
    }

    /// Sets the numbers of tokens that are reported.
    #[must_use]
    pub fn usage(mut self, input: u64, output: u64, cached: u64) -> Self {
        self.reply.usage = Usage { input, output, cached };
        self
    }

    /// Sets why the model stopped.
    #[must_use]
    pub fn finish(mut self, finish: Finish) -> Self {
        self.reply.finish = finish;
        self
    }
}
