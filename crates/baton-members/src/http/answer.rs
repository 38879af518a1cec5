//! What a dialect folds its events into, and what the whole of it means.

use std::borrow::Cow;
use std::fmt;

use baton_core::outcome::Outcome;
use baton_core::units::Usage;
use serde::Deserialize;
use serde::de::{Deserializer, Error, SeqAccess, Visitor};

use super::classify::VendorError;

/// An answer as far as it came.
#[derive(Debug, Default)]
pub(crate) struct Answer {
    pub(crate) text: String,
    /// What the model said instead of an answer.
    pub(crate) refusal: String,
    pub(crate) usage: Option<Usage>,
    pub(crate) model: Option<String>,
    pub(crate) id: Option<String>,
    pub(crate) stop: Option<Stop>,
    /// The end marker of the protocol was seen.
    pub(crate) ended: bool,
}

/// Why the model stopped.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Stop {
    Complete,
    /// At a limit of tokens.
    Length,
    /// By the model's or the vendor's decision not to answer.
    Refused,
    /// For something else that leaves the answer open, such as a wish for a tool.
    Open(String),
    /// By an error of the vendor's.
    Failed,
}

/// What one event brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    /// Nothing: it prolongs no deadline.
    KeepAlive,
    Working,
    /// So many bytes of text.
    Text(usize),
    End,
}

/// Why folding cannot go on.
#[derive(Debug)]
pub(crate) enum Trouble {
    /// The bytes are not of the protocol.
    Unreadable(String),
    /// The JSON broke off.
    Cut,
    /// The vendor reports an error.
    Vendor(VendorError),
}

impl From<serde_json::Error> for Trouble {
    fn from(error: serde_json::Error) -> Self {
        if error.is_eof() { Self::Cut } else { Self::Unreadable(format!("not the JSON of an answer: {error}")) }
    }
}

/// The class of a turn, its text, and what is to be said about it.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Ending {
    pub(crate) outcome: Outcome,
    pub(crate) text: Option<String>,
    pub(crate) detail: String,
}

impl Ending {
    pub(crate) fn failed(outcome: Outcome, detail: impl Into<String>) -> Self {
        Self { outcome, text: None, detail: detail.into() }
    }

    pub(crate) fn unreadable(detail: impl Into<String>) -> Self {
        Self::failed(Outcome::Unreadable, detail)
    }
}

impl Answer {
    pub(crate) fn append(&mut self, text: &str) -> Step {
        self.text.push_str(text);
        if text.is_empty() { Step::Working } else { Step::Text(text.len()) }
    }

    /// Keeps the first name and id; later events only repeat them.
    pub(crate) fn identify(&mut self, model: Option<Cow<'_, str>>, id: Option<Cow<'_, str>>) {
        let known = |text: &Cow<'_, str>| !text.is_empty();
        if self.model.is_none() {
            self.model = model.filter(known).map(Cow::into_owned);
        }
        if self.id.is_none() {
            self.id = id.filter(known).map(Cow::into_owned);
        }
    }

    /// The text is kept with success, and as far as it came when the answer broke off.
    pub(crate) fn end(&mut self) -> Ending {
        let text = std::mem::take(&mut self.text);
        if !self.refusal.is_empty() {
            return Ending::failed(Outcome::Refused, std::mem::take(&mut self.refusal));
        }
        match self.stop.take() {
            Some(Stop::Refused) => Ending::failed(Outcome::Refused, "the model or a filter of the vendor declined"),
            Some(Stop::Failed) => Ending::failed(Outcome::Overloaded, "the vendor failed while it answered"),
            Some(Stop::Length) => partial(text, "the answer was cut at the limit of output tokens"),
            Some(Stop::Open(reason)) => partial(text, &format!("the model stopped for `{reason}`")),
            _ if !self.ended => partial(text, "the answer ended without its end marker"),
            None => partial(text, "the answer ended without a reason"),
            Some(Stop::Complete) if text.trim().is_empty() => Ending::failed(Outcome::Empty, "the answer has no text"),
            Some(Stop::Complete) => Ending { outcome: Outcome::Ok, text: Some(text), detail: String::new() },
        }
    }
}

fn partial(text: String, detail: &str) -> Ending {
    Ending { outcome: Outcome::Partial, text: (!text.trim().is_empty()).then_some(text), detail: detail.to_owned() }
}

/// A text that some servers write as a list of parts; parts that are no text are left out.
#[derive(Debug, Default)]
pub(crate) struct Text<'a>(pub(crate) Cow<'a, str>);

#[derive(Deserialize)]
struct Part<'a> {
    #[serde(borrow, default, rename = "type")]
    kind: Cow<'a, str>,
    #[serde(borrow, default)]
    text: Option<Cow<'a, str>>,
}

impl<'de: 'a, 'a> Deserialize<'de> for Text<'a> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(TextVisitor)
    }
}

struct TextVisitor;

impl<'de> Visitor<'de> for TextVisitor {
    type Value = Text<'de>;

    fn expecting(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str("a text or a list of parts")
    }

    fn visit_borrowed_str<E: Error>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Borrowed(text)))
    }

    fn visit_str<E: Error>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text.to_owned())))
    }

    fn visit_string<E: Error>(self, text: String) -> Result<Self::Value, E> {
        Ok(Text(Cow::Owned(text)))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut parts: A) -> Result<Self::Value, A::Error> {
        let mut whole = String::new();
        while let Some(part) = parts.next_element::<Part<'de>>()? {
            if let ("text", Some(text)) = (part.kind.as_ref(), part.text) {
                whole.push_str(&text);
            }
        }
        Ok(Text(Cow::Owned(whole)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(text: &str, stop: Option<Stop>) -> Ending {
        Answer { text: text.into(), stop, ended: true, ..Answer::default() }.end()
    }

    #[test]
    fn success_needs_marker_reason_and_text() {
        assert_eq!(ended("a", Some(Stop::Complete)).outcome, Outcome::Ok);
        assert_eq!(ended(" \n", Some(Stop::Complete)).outcome, Outcome::Empty);
        assert_eq!(ended("a", None).outcome, Outcome::Partial);
        let open = Answer { text: "a".into(), stop: Some(Stop::Complete), ..Answer::default() }.end();
        assert_eq!((open.outcome, open.text.as_deref()), (Outcome::Partial, Some("a")));
    }

    #[test]
    fn other_reasons_to_stop_are_no_success() {
        assert_eq!(ended("a", Some(Stop::Length)).text.as_deref(), Some("a"));
        assert_eq!(
            ended("", Some(Stop::Length)),
            partial(String::new(), "the answer was cut at the limit of output tokens")
        );
        assert_eq!(ended("a", Some(Stop::Refused)).outcome, Outcome::Refused);
        assert_eq!(ended("a", Some(Stop::Refused)).text, None);
        assert_eq!(ended("a", Some(Stop::Failed)).outcome, Outcome::Overloaded);
        let tool = ended("a", Some(Stop::Open("tool_calls".into())));
        assert_eq!((tool.outcome, tool.detail.as_str()), (Outcome::Partial, "the model stopped for `tool_calls`"));
    }

    #[test]
    fn a_text_may_come_in_parts() {
        let parts = r#"[{"type":"thinking","thinking":[1]},{"type":"text","text":"a\n"},{"type":"text","text":"b"}]"#;
        assert_eq!(serde_json::from_str::<Text<'_>>(parts).unwrap().0, "a\nb");
        assert_eq!(serde_json::from_str::<Text<'_>>("\"x\"").unwrap().0, "x");
        assert!(serde_json::from_str::<Text<'_>>("7").is_err());
    }
}
