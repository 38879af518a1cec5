//! From an answer of the script to the bytes of a response: pure, so that each fault is one line.

use std::time::Duration;

use crate::clock;
use crate::dialect::{Dialect, Failure, Frames, Left, Voice};
use crate::fault::Fault;
use crate::schema;
use crate::script::{Answer, Finish};

/// Bytes of filler in the one delta of [`Fault::HugeLine`].
const HUGE: usize = 50_000_000;
/// Levels of nesting in [`Fault::DeepJson`].
const DEPTH: usize = 10_000;
/// Header lines of [`Fault::ManyHeaders`].
const HEADERS: usize = 10_000;
/// Pause between the comments of [`Fault::KeepAliveOnly`] when the script names none.
const KEEP_ALIVE_PAUSE: Duration = Duration::from_millis(5);
/// Stands where the filler of a huge line goes; occurs in no template.
const MARKER: &str = "\u{fffc}filler\u{fffc}";

const JSON: &str = "application/json";
const EVENTS: &str = "text/event-stream; charset=utf-8";
const HTML: &str = "text/html; charset=utf-8";

const GARBAGE_LINES: &str = "\u{7f}%$#!garbage without a colon\nunknown-field: 1\n{\"not\":\"an event\"}\n\n";
const GARBAGE: [u8; 24] = [
    0x00, 0xff, 0xfe, 0x80, 0xc3, 0x28, 0x1b, 0x5b, 0x07, 0x0a, 0x0a, 0xf8, 0x88, 0x80, 0x80, 0x80, 0xed, 0xa0, 0x80,
    0x7b, 0x5b, 0x22, 0x0d, 0x0a,
];

/// A response, up to its last byte and what happens then.
#[derive(Debug)]
pub(crate) struct Plan {
    pub(crate) delay: Duration,
    pub(crate) gap: Duration,
    /// Header lines, status line included, without the framing and the blank line. Absent: not a
    /// byte is sent.
    pub(crate) head: Option<String>,
    pub(crate) framing: Framing,
    pub(crate) pieces: Vec<Piece>,
    pub(crate) pace: Pace,
    pub(crate) end: End,
}

/// How the client learns where the body ends.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Framing {
    Length(usize),
    Chunked,
}

#[derive(Debug)]
pub(crate) enum Piece {
    Bytes(Vec<u8>),
    /// So many letters, made while they are written.
    Filler(usize),
    /// The same bytes again and again.
    Forever(Vec<u8>),
    /// Bytes outside of any framing.
    Raw(&'static [u8]),
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pace {
    Buffered,
    OneByte,
}

/// What follows the last byte.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum End {
    /// The transfer ends properly; the connection may serve the next request.
    Proper,
    /// The connection closes, with the transfer unfinished if it is chunked.
    Close,
    Reset,
    /// Silence until the client leaves.
    Hang,
}

/// Everything that an answer depends on.
pub(crate) struct Scene<'a> {
    pub(crate) id: u64,
    pub(crate) dialect: Dialect,
    pub(crate) answer: &'a Answer,
    pub(crate) model: &'a str,
    pub(crate) streamed: bool,
    pub(crate) include_usage: bool,
    /// What the answer is held to.
    pub(crate) schema: Option<&'a serde_json::Value>,
    /// Seconds since 1970.
    pub(crate) now: u64,
}

/// A reply of the server outside of the script: a list, a count, an error of its own.
pub(crate) fn plain(dialect: Dialect, id: u64, status: u16, body: String) -> Plan {
    let mut head = status_line(status, JSON);
    dialect.headers(&mut head, id, Left::Plenty);
    Plan {
        delay: Duration::ZERO,
        gap: Duration::ZERO,
        head: Some(head),
        framing: Framing::Length(body.len()),
        pieces: vec![Piece::Bytes(body.into_bytes())],
        pace: Pace::Buffered,
        end: End::Proper,
    }
}

/// An error of the server itself, in the shape of the vendor.
pub(crate) fn own_error(dialect: Dialect, id: u64, status: u16, message: &str) -> Plan {
    plain(dialect, id, status, dialect.error(&Failure::own(status, message), id))
}

impl Scene<'_> {
    /// The response that the script asks for.
    pub(crate) fn plan(&self) -> Plan {
        match self.answer.fault {
            None => self.reply(&self.voice()),
            Some(fault) => self.spoiled(fault),
        }
    }

    fn spoiled(&self, fault: Fault) -> Plan {
        match fault {
            Fault::Unauthorized
            | Fault::Forbidden
            | Fault::ModelNotFound
            | Fault::ContextTooLong
            | Fault::TooLarge
            | Fault::RateLimited
            | Fault::RateLimitedSeconds
            | Fault::RateLimitedDate
            | Fault::InsufficientQuota
            | Fault::SchemaRefused
            | Fault::ServerError
            | Fault::Unavailable
            | Fault::Overloaded => self.refused(fault),
            Fault::BadGatewayHtml => self.page(502, "<html><head><title>502 Bad Gateway</title></head><body><center><h1>502 Bad Gateway</h1></center><hr><center>nginx</center></body></html>\r\n"),
            Fault::HtmlSuccess => self.page(200, "<!DOCTYPE html><html><head><title>Sign in</title></head><body><form>Sign in to this network</form></body></html>\n"),
            Fault::Redirect => self.redirect(),
            Fault::ErrorInSuccess => self.body(self.dialect.error(&self.failure(Fault::ServerError), self.id)),
            Fault::EmptyBody => self.body(String::new()),
            Fault::HangBeforeHead => Plan { head: None, end: End::Hang, ..self.body(String::new()) },
            Fault::CloseBeforeHead => Plan { head: None, end: End::Close, ..self.body(String::new()) },
            Fault::Reset => Plan { head: None, end: End::Reset, ..self.body(String::new()) },
            Fault::EmptyText
            | Fault::Refusal
            | Fault::ContentFilter
            | Fault::Length
            | Fault::NoUsage
            | Fault::WrongModel => self.reply(&self.other_words(fault)),
            Fault::SlowBytes => Plan { pace: Pace::OneByte, ..self.reply(&self.voice()) },
            Fault::ManyHeaders => self.many_headers(),
            Fault::GarbageBody => self.garbage(),
            Fault::DeepJson => self.deep(),
            Fault::HangAfterHead
            | Fault::HangMidStream
            | Fault::KeepAliveOnly
            | Fault::CutMidStream
            | Fault::CutInCharacter
            | Fault::EndsEarly
            | Fault::MissingEnd
            | Fault::DuplicateEnd
            | Fault::ResetMidStream
            | Fault::BrokenChunk
            | Fault::GarbageLines
            | Fault::InvalidJsonLine
            | Fault::HugeLine
            | Fault::EndlessTokens
            | Fault::StreamError => {
                if self.streamed { self.spoiled_stream(fault) } else { self.spoiled_whole(fault) }
            }
        }
    }

    /// Faults in the course of a stream.
    fn spoiled_stream(&self, fault: Fault) -> Plan {
        let voice = self.voice();
        let frames = self.dialect.stream(&voice);
        let (total, cut) = (frames.len(), frames.after(self.answer.after_deltas));
        let mut pieces = self.cut(&frames, 0, cut);
        let mut end = End::Proper;
        match fault {
            Fault::HangMidStream => end = End::Hang,
            Fault::CutMidStream => end = End::Close,
            Fault::ResetMidStream => end = End::Reset,
            Fault::HangAfterHead => (pieces, end) = (Vec::new(), End::Hang),
            Fault::KeepAliveOnly => return self.kept_alive(b": ping\n\n".to_vec()),
            Fault::BrokenChunk => {
                pieces.push(Piece::Raw(b"zz\r\nnot a chunk\r\n"));
                end = End::Close;
            }
            Fault::CutInCharacter => {
                pieces.push(Piece::Bytes(until_half_character(self.dialect.delta(&voice, "€"))));
                end = End::Close;
            }
            Fault::MissingEnd => pieces = self.cut(&frames, 0, total - 1),
            Fault::DuplicateEnd => {
                pieces = self.cut(&frames, 0, total);
                pieces.extend(self.cut(&frames, total - 1, total));
            }
            Fault::InvalidJsonLine => {
                pieces.push(Piece::Bytes(b"data: {\"id\":\"broken\",\"choices\":[{\n\n".to_vec()));
                pieces.extend(self.cut(&frames, cut, total));
            }
            Fault::GarbageLines => pieces = garbled(&frames),
            Fault::HugeLine => {
                pieces.extend(self.huge(&self.dialect.delta(&voice, MARKER)));
                pieces.extend(self.cut(&frames, cut, total));
            }
            Fault::EndlessTokens => {
                pieces.push(Piece::Forever(self.dialect.delta(&voice, "token ").into_bytes()));
            }
            Fault::StreamError => {
                pieces.push(Piece::Bytes(self.dialect.stream_error(&voice).into_bytes()));
            }
            // `EndsEarly` is what stands there already; no other fault comes here.
            _ => {}
        }
        Plan { end, ..self.chunked(pieces) }
    }

    /// The same faults for a reply in one body.
    fn spoiled_whole(&self, fault: Fault) -> Plan {
        let voice = self.voice();
        let mut body = self.dialect.whole(&voice).into_bytes();
        let full = body.len();
        let half = |end| {
            let bytes = body[..full / 2].to_vec();
            Plan { framing: Framing::Length(full), end, ..self.body(bytes) }
        };
        match fault {
            Fault::HangMidStream => half(End::Hang),
            Fault::CutMidStream => half(End::Close),
            Fault::ResetMidStream => half(End::Reset),
            Fault::EndsEarly => self.body(body[..full / 2].to_vec()),
            Fault::HangAfterHead => Plan { end: End::Hang, ..self.chunked(Vec::new()) },
            Fault::KeepAliveOnly => self.kept_alive(b"\n".to_vec()),
            Fault::BrokenChunk => {
                let raw = Piece::Raw(b"zz\r\nnot a chunk\r\n");
                Plan { end: End::Close, ..self.chunked(vec![Piece::Bytes(body), raw]) }
            }
            Fault::CutInCharacter => self.cut_in_character(),
            Fault::MissingEnd => self.body(body[..full - 1].to_vec()),
            Fault::DuplicateEnd => {
                body.push(b'}');
                self.body(body)
            }
            Fault::GarbageLines => self.body([GARBAGE_LINES.as_bytes(), &body].concat()),
            Fault::InvalidJsonLine => {
                body.insert(1, b',');
                self.body(body)
            }
            Fault::HugeLine => self.chunked(self.huge(&self.body_around_marker())),
            Fault::EndlessTokens => {
                let around = self.body_around_marker();
                let start = around.split(MARKER).next().unwrap_or_default();
                let forever = Piece::Forever(b"token ".to_vec());
                self.chunked(vec![Piece::Bytes(start.as_bytes().to_vec()), forever])
            }
            Fault::StreamError => self.body(self.dialect.error(&Failure::in_stream(), self.id)),
            _ => self.body(body),
        }
    }

    fn voice(&self) -> Voice {
        let reply = &self.answer.reply;
        Voice {
            id: self.id,
            model: reply.model.as_deref().unwrap_or(self.model).to_owned(),
            text: self.schema.map_or_else(|| reply.text.clone(), |schema| schema::fitted(schema, &reply.text)),
            usage: Some(reply.usage),
            finish: reply.finish,
            delta_characters: reply.delta_characters,
            include_usage: self.include_usage,
        }
    }

    /// The reply of a fault that breaks nothing on the wire.
    fn other_words(&self, fault: Fault) -> Voice {
        let mut voice = self.voice();
        let half: String = voice.text.chars().take(voice.text.chars().count() / 2).collect();
        match fault {
            Fault::EmptyText => voice.text.clear(),
            Fault::Refusal => {
                voice.finish = Finish::Refusal;
                voice.text = "I'm sorry, but I can't help with that.".to_owned();
            }
            Fault::ContentFilter => (voice.finish, voice.text) = (Finish::ContentFilter, half),
            Fault::Length => (voice.finish, voice.text) = (Finish::Length, half),
            Fault::NoUsage => voice.usage = None,
            _ => voice.model = format!("other-than-{}", self.model),
        }
        voice
    }

    fn reply(&self, voice: &Voice) -> Plan {
        if !self.streamed {
            return self.body(self.dialect.whole(voice));
        }
        let frames = self.dialect.stream(voice);
        if self.answer.gap_ms == 0 {
            return self.chunked(vec![Piece::Bytes(frames.into_bytes())]);
        }
        self.chunked(self.cut(&frames, 0, frames.len()))
    }

    /// The events of a range: one piece each if there is a pause between them, else one in all.
    fn cut(&self, frames: &Frames, start: usize, end: usize) -> Vec<Piece> {
        let piece = |text: &str| Piece::Bytes(text.as_bytes().to_vec());
        if self.answer.gap_ms == 0 {
            return vec![piece(frames.range(start, end))];
        }
        (start..end).map(|index| piece(frames.frame(index))).collect()
    }

    fn body(&self, body: impl Into<Vec<u8>>) -> Plan {
        let body = body.into();
        let framing = Framing::Length(body.len());
        let kind = if self.streamed && body.is_empty() { EVENTS } else { JSON };
        self.with_head(status_line(200, kind), Left::Plenty, framing, vec![Piece::Bytes(body)])
    }

    fn chunked(&self, pieces: Vec<Piece>) -> Plan {
        let mut head = status_line(200, if self.streamed { EVENTS } else { JSON });
        if self.streamed {
            head.push_str("cache-control: no-cache\r\n");
        }
        self.with_head(head, Left::Plenty, Framing::Chunked, pieces)
    }

    fn with_head(&self, mut head: String, left: Left, framing: Framing, pieces: Vec<Piece>) -> Plan {
        self.dialect.headers(&mut head, self.id, left);
        Plan {
            delay: Duration::from_millis(self.answer.delay_ms),
            gap: Duration::from_millis(self.answer.gap_ms),
            head: Some(head),
            framing,
            pieces,
            pace: Pace::Buffered,
            end: End::Proper,
        }
    }

    fn failure(&self, fault: Fault) -> Failure {
        Failure::of(fault, self.model)
    }

    fn refused(&self, fault: Fault) -> Plan {
        let given = self.answer.retry_after_s;
        let mut failure = self.failure(fault);
        if fault == Fault::RateLimitedSeconds {
            failure = failure.retrying(given.unwrap_or(2));
        }
        let mut head = status_line(failure.status(self.dialect), JSON);
        let retry_after = match fault {
            // It stands in the body.
            Fault::RateLimitedSeconds if self.dialect == Dialect::Gemini => None,
            Fault::RateLimitedSeconds => Some(given.unwrap_or(2).to_string()),
            Fault::RateLimitedDate => Some(clock::http_date(self.now.saturating_add(given.unwrap_or(2)))),
            Fault::ServerError | Fault::Unavailable | Fault::Overloaded => given.map(|seconds| seconds.to_string()),
            _ => None,
        };
        if let Some(value) = retry_after {
            head.push_str(&format!("retry-after: {value}\r\n"));
        }
        let body = self.dialect.error(&failure, self.id).into_bytes();
        let limited = matches!(fault, Fault::RateLimited | Fault::RateLimitedSeconds | Fault::RateLimitedDate);
        let left = if limited { Left::Nothing } else { Left::Plenty };
        self.with_head(head, left, Framing::Length(body.len()), vec![Piece::Bytes(body)])
    }

    /// A page of something between client and vendor: it carries none of the vendor's headers.
    fn page(&self, status: u16, html: &str) -> Plan {
        Plan { head: Some(status_line(status, HTML)), ..self.body(html) }
    }

    fn redirect(&self) -> Plan {
        let location = self.answer.location.as_deref().unwrap_or("http://127.0.0.1:1/elsewhere");
        let head = format!("{}location: {location}\r\n", status_line(302, HTML));
        Plan { head: Some(head), ..self.body("<a href=\"/elsewhere\">Found</a>.\n") }
    }

    fn kept_alive(&self, comment: Vec<u8>) -> Plan {
        let plan = self.chunked(vec![Piece::Forever(comment)]);
        Plan { gap: if plan.gap.is_zero() { KEEP_ALIVE_PAUSE } else { plan.gap }, ..plan }
    }

    fn many_headers(&self) -> Plan {
        let mut plan = self.reply(&self.voice());
        if let Some(head) = &mut plan.head {
            head.reserve(HEADERS * 20);
            for number in 0..HEADERS {
                head.push_str(&format!("x-filler-{number:05}: 0\r\n"));
            }
        }
        plan
    }

    fn garbage(&self) -> Plan {
        let pieces = vec![Piece::Bytes(GARBAGE.repeat(8))];
        if self.streamed { self.chunked(pieces) } else { self.body(GARBAGE.repeat(8)) }
    }

    fn deep(&self) -> Plan {
        let nested = format!("{}{}", "[".repeat(DEPTH), "]".repeat(DEPTH));
        if !self.streamed {
            let whole = self.dialect.whole(&self.voice());
            return self.body(format!("{{\"deep\":{nested},{}", &whole[1..]));
        }
        let frames = self.dialect.stream(&self.voice());
        let line = format!("data: {{\"deep\":{nested}}}\n\n").into_bytes();
        let mut pieces = vec![Piece::Bytes(line)];
        pieces.extend(self.cut(&frames, 0, frames.len()));
        self.chunked(pieces)
    }

    fn cut_in_character(&self) -> Plan {
        let text = format!("{}€", self.answer.reply.text);
        let body = self.dialect.whole(&Voice { text, ..self.voice() });
        let framing = Framing::Length(body.len());
        Plan { framing, end: End::Close, ..self.body(until_half_character(body)) }
    }

    fn body_around_marker(&self) -> String {
        self.dialect.whole(&Voice { text: MARKER.to_owned(), ..self.voice() })
    }

    /// `text` with its first marker blown up to [`HUGE`] bytes.
    fn huge(&self, text: &str) -> Vec<Piece> {
        let (before, after) = text.split_once(MARKER).unwrap_or((text, ""));
        // The text may occur twice in a body; once is enough.
        let after = after.replace(MARKER, "");
        vec![Piece::Bytes(before.as_bytes().to_vec()), Piece::Filler(HUGE), Piece::Bytes(after.into_bytes())]
    }
}

/// Everything up to and with the first of the three bytes of the last `€`.
fn until_half_character(text: String) -> Vec<u8> {
    let at = text.rfind('€').unwrap_or(0);
    let mut bytes = text.into_bytes();
    bytes.truncate(at + 1);
    bytes
}

fn garbled(frames: &Frames) -> Vec<Piece> {
    let with_garbage = |index| [GARBAGE_LINES, frames.frame(index)].concat().into_bytes();
    (0..frames.len()).map(|index| Piece::Bytes(with_garbage(index))).collect()
}

fn status_line(status: u16, content_type: &str) -> String {
    let reason = match status {
        200 => "OK",
        302 => "Found",
        400 => "Bad Request",
        401 => "Unauthorized",
        403 => "Forbidden",
        404 => "Not Found",
        405 => "Method Not Allowed",
        413 => "Payload Too Large",
        429 => "Too Many Requests",
        431 => "Request Header Fields Too Large",
        500 => "Internal Server Error",
        502 => "Bad Gateway",
        503 => "Service Unavailable",
        529 => "Overloaded",
        _ => "",
    };
    let mut line = String::with_capacity(768);
    line.push_str(&format!("HTTP/1.1 {status} {reason}\r\ncontent-type: {content_type}\r\n"));
    line
}
