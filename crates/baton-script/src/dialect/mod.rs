//! The four wire formats, each in its own file, as literal text.

mod chat;
mod failure;
mod gemini;
mod google;
mod messages;
mod responses;

pub(crate) use failure::Failure;

use crate::clock;
use crate::script::{Finish, Usage};
use crate::template::{fill, filled, quoted};

/// Seconds since 1970 that every reply carries as its time of creation.
const CREATED: &str = "1700000000";

/// A wire format.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Dialect {
    /// OpenAI Chat Completions, and those who copied it.
    Chat,
    /// Anthropic Messages.
    Messages,
    /// OpenAI Responses.
    Responses,
    /// Google Gemini.
    Gemini,
}

/// All that a reply says, ready to be written in any dialect.
#[derive(Debug, Clone)]
pub(crate) struct Voice {
    pub(crate) id: u64,
    pub(crate) model: String,
    pub(crate) text: String,
    /// Absent: the reply reports none.
    pub(crate) usage: Option<Usage>,
    pub(crate) finish: Finish,
    pub(crate) delta_characters: usize,
    /// Whether a chat stream was asked to end with a usage chunk.
    pub(crate) include_usage: bool,
}

impl Voice {
    fn number(&self) -> String {
        format!("{:06}", self.id)
    }

    /// The text in pieces of `delta_characters`; none for an empty text.
    fn deltas(&self) -> impl Iterator<Item = &str> {
        let size = self.delta_characters.max(1);
        let mut rest = self.text.as_str();
        std::iter::from_fn(move || {
            let end = rest.char_indices().nth(size).map_or(rest.len(), |(at, _)| at);
            let (piece, after) = rest.split_at(end);
            rest = after;
            (!piece.is_empty()).then_some(piece)
        })
    }
}

/// The events of a stream, in one buffer: opening, deltas, closing; the last is the end marker.
#[derive(Debug, Default)]
pub(crate) struct Frames {
    text: String,
    ends: Vec<usize>,
    opening: usize,
    deltas: usize,
}

impl Frames {
    /// Appends an event, with the blank line that ends it.
    fn push(&mut self, template: &str, values: &[(&str, &str)]) {
        fill(&mut self.text, template, values);
        self.text.push_str("\n\n");
        self.ends.push(self.text.len());
    }

    /// Everything so far opens the stream.
    fn opened(&mut self) {
        self.opening = self.ends.len();
    }

    /// Everything since [`Frames::opened`] is deltas.
    fn spoken(&mut self) {
        self.deltas = self.ends.len() - self.opening;
    }

    pub(crate) fn len(&self) -> usize {
        self.ends.len()
    }

    /// The number of events up to and with `deltas` deltas, or all of them if there are fewer.
    pub(crate) fn after(&self, deltas: usize) -> usize {
        self.opening + deltas.min(self.deltas)
    }

    /// All events, without a copy.
    pub(crate) fn into_bytes(self) -> Vec<u8> {
        self.text.into_bytes()
    }

    /// One event.
    pub(crate) fn frame(&self, index: usize) -> &str {
        self.range(index, index + 1)
    }

    /// The events from `start` up to `end`, which is left out.
    pub(crate) fn range(&self, start: usize, end: usize) -> &str {
        let position = |index: usize| if index == 0 { 0 } else { self.ends[index - 1] };
        &self.text[position(start)..position(end)]
    }
}

impl Dialect {
    /// The reply as one JSON body.
    pub(crate) fn whole(self, voice: &Voice) -> String {
        match self {
            Self::Chat => chat::whole(voice),
            Self::Messages => messages::whole(voice),
            Self::Responses => responses::whole(voice),
            Self::Gemini => gemini::whole(voice),
        }
    }

    /// The reply as a stream of events.
    pub(crate) fn stream(self, voice: &Voice) -> Frames {
        match self {
            Self::Chat => chat::stream(voice),
            Self::Messages => messages::stream(voice),
            Self::Responses => responses::stream(voice),
            Self::Gemini => gemini::stream(voice),
        }
    }

    /// One delta event, outside of a whole stream.
    pub(crate) fn delta(self, voice: &Voice, text: &str) -> String {
        let mut frames = Frames::default();
        match self {
            Self::Chat => chat::push_delta(&mut frames, voice, text),
            Self::Messages => messages::push_delta(&mut frames, text),
            Self::Responses => responses::push_delta(&mut frames, voice, text, 4),
            Self::Gemini => gemini::push_delta(&mut frames, voice, text),
        }
        frames.text
    }

    /// The error body.
    pub(crate) fn error(self, failure: &Failure, id: u64) -> String {
        let values = failure.values(self, id);
        let values: Vec<_> = values.iter().map(|(name, value)| (*name, value.as_str())).collect();
        filled(self.error_template(), &values)
    }

    const fn error_template(self) -> &'static str {
        match self {
            Self::Chat | Self::Responses => {
                r#"{"error":{"message":$message,"type":$type,"param":$param,"code":$code}}"#
            }
            Self::Messages => r#"{"type":"error","error":{"type":$type,"message":$message},"request_id":"req_$id"}"#,
            Self::Gemini => gemini::ERROR,
        }
    }

    /// The events with which a stream fails.
    pub(crate) fn stream_error(self, voice: &Voice) -> String {
        let failure = Failure::in_stream();
        match self {
            Self::Chat => format!("data: {}\n\n", self.error(&failure, voice.id)),
            Self::Messages => format!("event: error\ndata: {}\n\n", self.error(&failure, voice.id)),
            Self::Responses => responses::failed(voice),
            // This one stands between events without being one.
            Self::Gemini => self.error(&failure, voice.id),
        }
    }

    /// Header lines that each answer of the vendor carries; `limited` when no request is left.
    pub(crate) fn headers(self, out: &mut String, id: u64, limited: Left) {
        let (id, left) = (format!("{id:06}"), if limited == Left::Nothing { "0" } else { "4999" });
        match self {
            Self::Chat | Self::Responses => fill(
                out,
                concat!(
                    "x-request-id: req_$id\r\n",
                    "openai-organization: scripted\r\n",
                    "openai-processing-ms: 1\r\n",
                    "openai-version: 2020-10-01\r\n",
                    "x-ratelimit-limit-requests: 5000\r\n",
                    "x-ratelimit-remaining-requests: $left\r\n",
                    "x-ratelimit-reset-requests: 12ms\r\n",
                    "x-ratelimit-limit-tokens: 800000\r\n",
                    "x-ratelimit-remaining-tokens: 799000\r\n",
                    "x-ratelimit-reset-tokens: 0s\r\n",
                ),
                &[("id", &id), ("left", left)],
            ),
            // Neither an id nor what is left.
            Self::Gemini => {
                out.push_str("vary: Origin\r\nserver: scaffolding on HTTPServer2\r\nserver-timing: gfet4t7; dur=1\r\n")
            }
            Self::Messages => {
                let now = clock::unix_seconds(std::time::SystemTime::now());
                fill(
                    out,
                    concat!(
                        "request-id: req_$id\r\n",
                        "anthropic-organization-id: scripted\r\n",
                        "anthropic-ratelimit-requests-limit: 5000\r\n",
                        "anthropic-ratelimit-requests-remaining: $left\r\n",
                        "anthropic-ratelimit-requests-reset: $reset\r\n",
                        "anthropic-ratelimit-tokens-limit: 800000\r\n",
                        "anthropic-ratelimit-tokens-remaining: 799000\r\n",
                        "anthropic-ratelimit-tokens-reset: $reset\r\n",
                    ),
                    &[("id", &id), ("left", left), ("reset", &clock::rfc3339(now + 1))],
                );
            }
        }
    }

    /// The list of models.
    pub(crate) fn models(self, names: &[String]) -> String {
        let (open, entry, close) = match self {
            Self::Chat | Self::Responses => (
                r#"{"object":"list","data":["#,
                r#"{"id":$name,"object":"model","created":$created,"owned_by":"scripted"}"#,
                "]}",
            ),
            Self::Messages => (
                r#"{"data":["#,
                r#"{"type":"model","id":$name,"display_name":$name,"created_at":"2023-11-14T22:13:20Z"}"#,
                r#"],"has_more":false,"first_id":$first,"last_id":$last}"#,
            ),
            Self::Gemini => (
                r#"{"models":["#,
                r#"{"name":$path,"version":"001","displayName":$name,"inputTokenLimit":1048576,"outputTokenLimit":65536,"supportedGenerationMethods":["generateContent","countTokens"]}"#,
                "]}",
            ),
        };
        let mut out = open.to_owned();
        for (index, name) in names.iter().enumerate() {
            if index > 0 {
                out.push(',');
            }
            fill(
                &mut out,
                entry,
                &[("name", &quoted(name)), ("path", &quoted(&format!("models/{name}"))), ("created", CREATED)],
            );
        }
        let end = |name: Option<&String>| name.map_or("null".to_owned(), |name| quoted(name));
        let (first, last) = (end(names.first()), end(names.last()));
        fill(&mut out, close, &[("first", &first), ("last", &last)]);
        out
    }
}

/// What the rate-limit headers say is left.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Left {
    Plenty,
    Nothing,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn deltas_split_between_characters_and_lose_nothing() {
        let voice = |text: &str, size| Voice {
            id: 1,
            model: "m".into(),
            text: text.into(),
            usage: None,
            finish: Finish::Stop,
            delta_characters: size,
            include_usage: false,
        };
        let pieces: Vec<_> = voice("aé€😀b", 2).deltas().map(str::to_owned).collect();
        assert_eq!(pieces, ["aé", "€😀", "b"]);
        assert_eq!(voice("ab", 0).deltas().count(), 2);
        assert_eq!(voice("", 3).deltas().count(), 0);
    }

    #[test]
    fn frames_know_their_parts() {
        let mut frames = Frames::default();
        frames.push("open", &[]);
        frames.opened();
        frames.push("one", &[]);
        frames.push("two", &[]);
        frames.spoken();
        frames.push("end", &[]);
        assert_eq!(frames.len(), 4);
        assert_eq!((frames.after(0), frames.after(1), frames.after(9)), (1, 2, 3));
        assert_eq!(frames.range(1, 3), "one\n\ntwo\n\n");
        assert_eq!(frames.frame(3), "end\n\n");
    }
}
