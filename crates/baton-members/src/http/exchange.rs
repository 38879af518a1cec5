//! One request and its answer: the only place that reads from a socket.

use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_core::run::Provenance;
use baton_core::text::one_line;
use baton_port::{Progress, Turn, TurnRequest};
use reqwest::header::{CONTENT_TYPE, HeaderMap};
use reqwest::{Request, Response};

use super::answer::{Answer, Ending, Step, Trouble};
use super::channel::HttpChannel;
use super::classify::{self, VendorError};
use super::received::{Received, TooMuch};
use super::redact::{blot, redact};
use super::retry_after;
use super::sse::Events;
use super::watch::{Stop, Watch};

/// How long the end of an answer is waited for after its end marker, so that the connection can serve again.
const DRAIN: Duration = Duration::from_millis(20);

/// Characters of a detail.
const LONGEST_DETAIL: usize = 300;

pub(crate) struct Exchange<'a> {
    channel: &'a HttpChannel,
    request: &'a TurnRequest,
    watch: Watch,
    received: Received,
    answer: Answer,
    request_id: Option<String>,
    /// When the vendor says that it can be asked again.
    wait: Option<u64>,
}

/// In which form an answer comes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Form {
    Events,
    Whole,
}

/// Whether a stream goes on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Flow {
    More,
    End,
}

impl<'a> Exchange<'a> {
    pub(crate) fn new(channel: &'a HttpChannel, request: &'a TurnRequest) -> Self {
        Self {
            channel,
            request,
            watch: Watch::new(request.deadlines, &request.cancel),
            received: Received::new(request.caps.total),
            answer: Answer::default(),
            request_id: None,
            wait: None,
        }
    }

    pub(crate) async fn run(mut self, call: Request) -> Turn {
        let ending = self.ask(call).await;
        self.finish(ending)
    }

    async fn ask(&mut self, call: Request) -> Ending {
        self.request.progress.report(Progress::Started);
        let response = match self.watch.wait(self.channel.client.send(call)).await {
            Ok(Ok(response)) => response,
            Ok(Err(error)) => return classify::unanswered(&error, self.channel.url.as_str()),
            Err(stop) => return self.stopped(stop),
        };
        self.received.head(&response);
        self.request_id = request_id(response.headers());
        self.wait = retry_after::wait(response.headers());
        match response.status().as_u16() {
            200..=299 => {
                self.request.progress.report(Progress::Thinking);
                match self.form(response.headers()) {
                    Form::Events => self.stream(response).await,
                    Form::Whole => self.whole(response).await,
                }
            }
            300..=399 => Ending::failed(
                Outcome::Rejected,
                format!(
                    "{} sends elsewhere (status {}), and no redirect is followed",
                    self.channel.url,
                    response.status()
                ),
            ),
            status => self.refused(status, response).await,
        }
    }

    /// What the answer says it is, whatever was asked for; what was asked for, where it says nothing.
    fn form(&self, headers: &HeaderMap) -> Form {
        let kind = headers.get(CONTENT_TYPE).and_then(|value| value.to_str().ok()).unwrap_or_default();
        let is = |word: &str| kind.to_ascii_lowercase().contains(word);
        if is("event-stream") || (self.channel.settings.stream && !is("json") && !is("html")) {
            Form::Events
        } else {
            Form::Whole
        }
    }

    async fn stream(&mut self, mut response: Response) -> Ending {
        let mut events = Events::default();
        loop {
            let chunk = match self.watch.wait(response.chunk()).await {
                Ok(Ok(Some(chunk))) => chunk,
                Ok(Ok(None)) => return self.stream_ended(&mut events),
                Ok(Err(_)) => return self.answer.end(),
                Err(stop) => return self.stopped(stop),
            };
            let pushed = self.received.push(&chunk);
            match self.fold(&mut events) {
                Ok(Flow::End) => {
                    self.drain(response).await;
                    return self.answer.end();
                }
                Ok(Flow::More) if pushed.is_ok() => {}
                Ok(Flow::More) => return self.too_much("the answer", self.request.caps.total),
                Err(ending) => return ending,
            }
        }
    }

    /// Folds the events that are whole by now.
    fn fold(&mut self, events: &mut Events) -> Result<Flow, Ending> {
        let longest = self.request.caps.line;
        let (mut text, mut flow) = (0, Flow::More);
        while let Some(data) = events.next(self.received.body()) {
            if data.len() > longest {
                return Err(self.too_much("one event", longest));
            }
            match self.channel.settings.dialect.event(&mut self.answer, &data) {
                Ok(Step::KeepAlive) => continue,
                Ok(Step::Working) => {}
                Ok(Step::Text(bytes)) => text += bytes,
                Ok(Step::End) => flow = Flow::End,
                // A whole event with half a JSON is damage, not an end.
                Err(Trouble::Cut) => return Err(Ending::unreadable("an event with half a JSON")),
                Err(trouble) => return Err(self.trouble(trouble)),
            }
            self.watch.payload();
            if flow == Flow::End {
                break;
            }
        }
        if text > 0 {
            self.request.progress.report(Progress::Text { bytes: text });
        }
        if flow == Flow::More && events.pending(self.received.body()) > longest {
            return Err(self.too_much("one event", longest));
        }
        Ok(flow)
    }

    /// The stream ended without an end marker, unless the last line only lacks its line end.
    fn stream_ended(&mut self, events: &mut Events) -> Ending {
        if let Some(data) = events.last(self.received.body()) {
            match self.channel.settings.dialect.event(&mut self.answer, &data) {
                Ok(_) => self.watch.payload(),
                Err(Trouble::Vendor(error)) => return error.ending(self.wait),
                Err(Trouble::Cut | Trouble::Unreadable(_)) => {}
            }
        }
        if !self.answer.ended
            && let Some(error) = VendorError::behind_events(self.received.body())
        {
            return error.ending(self.wait);
        }
        if self.watch.saw_payload() {
            return self.answer.end();
        }
        match self.received.body() {
            [] => Ending::failed(Outcome::Empty, "the answer has no bytes"),
            body => unrecognised(body),
        }
    }

    /// Reads what is left after the end marker, so that the connection can be used again; not for long.
    async fn drain(&mut self, mut response: Response) {
        let rest = async {
            while let Ok(Some(chunk)) = response.chunk().await {
                if self.received.push(&chunk).is_err() {
                    break;
                }
            }
        };
        if tokio::time::timeout(DRAIN, rest).await.is_err() {
            self.received.cut();
        }
    }

    async fn whole(&mut self, response: Response) -> Ending {
        let arrived = match self.read(response).await {
            Ok(arrived) => arrived,
            Err(ending) => return ending,
        };
        let body = self.received.body();
        if body.trim_ascii().is_empty() {
            let outcome = if arrived == Arrived::Whole { Outcome::Empty } else { Outcome::Partial };
            return Ending::failed(outcome, "the answer has no bytes");
        }
        match self.channel.settings.dialect.whole(&mut self.answer, body) {
            Ok(()) => {
                self.request.progress.report(Progress::Text { bytes: self.answer.text.len() });
                self.answer.end()
            }
            Err(Trouble::Unreadable(_)) if body.starts_with(b"<") => unrecognised(body),
            Err(trouble) => self.trouble(trouble),
        }
    }

    /// Reads the whole body. An end that came too early is no error: what arrived may be enough.
    async fn read(&mut self, mut response: Response) -> Result<Arrived, Ending> {
        loop {
            match self.watch.wait(response.chunk()).await {
                Ok(Ok(Some(chunk))) => {
                    if !chunk.trim_ascii().is_empty() {
                        self.watch.payload();
                    }
                    if self.received.push(&chunk) == Err(TooMuch) {
                        return Err(self.too_much("the answer", self.request.caps.total));
                    }
                }
                Ok(Ok(None)) => return Ok(Arrived::Whole),
                Ok(Err(_)) => return Ok(Arrived::Broken),
                Err(stop) => return Err(self.stopped(stop)),
            }
        }
    }

    /// An error status is classified by what came of its body; only cancelling goes before it.
    async fn refused(&mut self, status: u16, response: Response) -> Ending {
        match self.read(response).await {
            Err(ending) if ending.outcome == Outcome::Cancelled => ending,
            _ => classify::refused(status, self.received.body(), self.wait, &self.channel.settings.model),
        }
    }

    fn trouble(&mut self, trouble: Trouble) -> Ending {
        match trouble {
            Trouble::Vendor(error) => error.ending(self.wait),
            Trouble::Unreadable(because) => Ending::unreadable(because),
            Trouble::Cut => self.answer.end(),
        }
    }

    fn too_much(&mut self, what: &str, limit: usize) -> Ending {
        self.received.cut();
        Ending::failed(Outcome::TooMuchOutput, format!("{what} is longer than {limit} bytes"))
    }

    fn stopped(&self, stop: Stop) -> Ending {
        let detail = match stop {
            Stop::Cancelled => "cancelled".to_owned(),
            Stop::TimedOut(deadline) => {
                let limit = self.watch.limit(deadline);
                match deadline {
                    Deadline::FirstEvent => format!("nothing of an answer within {limit:?}"),
                    Deadline::Idle => format!("no more of the answer for {limit:?}"),
                    Deadline::Total => format!("the answer took longer than {limit:?}"),
                }
            }
        };
        Ending::failed(stop.outcome(), detail)
    }

    fn finish(self, ending: Ending) -> Turn {
        let key = self.channel.key.as_ref();
        let shown = |text: &str| one_line(&redact(text, key), LONGEST_DETAIL);
        // What broke off is kept as far as it came.
        let schema = self.channel.settings.schema(self.request).filter(|_| ending.outcome.is_ok());
        let said = ending.text.map(|text| match schema {
            Some(schema) => schema.text(&text),
            None => text,
        });
        let mut transcript = self.received.into_transcript();
        blot(&mut transcript.bytes, key);
        Turn {
            outcome: ending.outcome,
            text: said.map(|text| without_key(text, key)),
            detail: shown(&ending.detail),
            usage: self.answer.usage,
            provenance: Provenance {
                model: self.answer.model.as_deref().map(shown),
                request_id: self.request_id.or(self.answer.id).as_deref().map(shown),
                ..Provenance::default()
            },
            transcript,
            evidence: None,
            opens: None,
        }
    }
}

/// How the reading of a body ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Arrived {
    Whole,
    Broken,
}

fn without_key(text: String, key: Option<&super::Secret>) -> String {
    let mut bytes = text.into_bytes();
    blot(&mut bytes, key);
    String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned())
}

fn request_id(headers: &HeaderMap) -> Option<String> {
    let value = headers.get("x-request-id").or_else(|| headers.get("request-id"))?;
    value.to_str().ok().map(str::to_owned)
}

fn unrecognised(body: &[u8]) -> Ending {
    if body.trim_ascii_start().starts_with(b"<") {
        return Ending::unreadable("a web page instead of an answer, as from a proxy or a sign-in page");
    }
    Ending::unreadable("bytes that are no answer of this protocol")
}
