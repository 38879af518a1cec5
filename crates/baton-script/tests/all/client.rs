//! A client of bytes: it sends what it is given and takes apart what comes back.

use std::io::ErrorKind;
use std::time::Duration;

use baton_script::{Answer, Fault, Script, Server};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The four dialects: path and a call without its first brace.
pub(crate) const CHAT: (&str, &str) =
    ("/v1/chat/completions", r#""model":"m-1","messages":[{"role":"user","content":"hi"}]}"#);
pub(crate) const MESSAGES: (&str, &str) =
    ("/v1/messages?beta=true", r#""model":"m-1","max_tokens":9,"messages":[{"role":"user","content":"hi"}]}"#);
pub(crate) const RESPONSES: (&str, &str) = ("/v1/responses", r#""model":"m-1","input":"hi"}"#);
/// As it is streamed; the address without it is [`GEMINI_WHOLE`]'s.
pub(crate) const GEMINI: (&str, &str) =
    ("/v1beta/models/m-1:streamGenerateContent?alt=sse", r#""contents":[{"parts":[{"text":"hi"}],"role":"user"}]}"#);
pub(crate) const GEMINI_WHOLE: &str = "/v1beta/models/m-1:generateContent";
pub(crate) const DIALECTS: [(&str, &str); 4] = [CHAT, MESSAGES, RESPONSES, GEMINI];

/// How a response ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ending {
    /// The framing says that all is there.
    Proper,
    /// The connection closed before.
    Cut,
    Reset,
    /// Nothing came for some milliseconds, or more came than was asked for.
    Unfinished,
}

#[derive(Debug)]
pub(crate) struct Response {
    pub(crate) status: u16,
    pub(crate) head: String,
    pub(crate) body: Vec<u8>,
    pub(crate) ending: Ending,
}

impl Response {
    pub(crate) fn text(&self) -> &str {
        std::str::from_utf8(&self.body).unwrap()
    }

    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        let start = format!("{name}: ");
        self.head.lines().find_map(|line| line.strip_prefix(&start))
    }

    pub(crate) fn json(&self) -> serde_json::Value {
        serde_json::from_slice(&self.body).unwrap()
    }
}

pub(crate) async fn playing(answer: Answer) -> Server {
    Server::start(Script::always(answer)).await.unwrap()
}

pub(crate) async fn failing(fault: Fault) -> Server {
    playing(Answer::fault(fault)).await
}

/// A call in order in all respects, on a connection that closes after it.
pub(crate) fn call((path, rest): (&str, &str), streamed: bool) -> String {
    let path = if path == GEMINI.0 && !streamed { GEMINI_WHOLE } else { path };
    let body = format!("{{\"stream\":{streamed},{rest}");
    post(path, &["connection: close"], &body)
}

pub(crate) fn post(path: &str, more_headers: &[&str], body: &str) -> String {
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n\
         Authorization: Bearer test-key\r\nAnthropic-Version: 2023-06-01\r\nContent-Length: {}\r\n",
        body.len()
    );
    for line in more_headers {
        head.push_str(line);
        head.push_str("\r\n");
    }
    head + "\r\n" + body
}

pub(crate) async fn ask(server: &Server, dialect: (&str, &str), streamed: bool) -> Response {
    send(server, &call(dialect, streamed)).await
}

/// Sends bytes on a connection of their own and reads the response to its end.
pub(crate) async fn send(server: &Server, bytes: &str) -> Response {
    let (response, _stream) = send_up_to(server, bytes, 1 << 20, Patience::LONG).await;
    response
}

/// How long a silence may last before the response counts as unfinished.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Patience {
    before_head: Duration,
    after: Duration,
}

impl Patience {
    /// For what must come, on however busy a machine.
    pub(crate) const LONG: Self = Self { before_head: Duration::from_secs(30), after: Duration::from_secs(30) };

    /// Short only where the fault is a silence: what comes before it comes in one write.
    pub(crate) fn with(fault: Option<Fault>) -> Self {
        let short = Duration::from_millis(50);
        match fault {
            Some(Fault::HangBeforeHead) => Self { before_head: short, after: short },
            Some(Fault::HangAfterHead | Fault::HangMidStream) => Self { after: short, ..Self::LONG },
            _ => Self::LONG,
        }
    }
}

/// As [`send`], but reads no more than `limit` bytes; the connection stays open.
pub(crate) async fn send_up_to(
    server: &Server,
    bytes: &str,
    limit: usize,
    patience: Patience,
) -> (Response, TcpStream) {
    let mut stream = TcpStream::connect(server.address()).await.unwrap();
    stream.write_all(bytes.as_bytes()).await.unwrap();
    let (raw, ending) = drain(&mut stream, limit, patience).await;
    (take_apart(&raw, ending), stream)
}

/// Everything until the end of the connection, a silence, or the limit.
async fn drain(stream: &mut TcpStream, limit: usize, patience: Patience) -> (Vec<u8>, Ending) {
    let mut raw = Vec::new();
    while raw.len() < limit {
        let silence = if raw.is_empty() { patience.before_head } else { patience.after };
        match tokio::time::timeout(silence, stream.read_buf(&mut raw)).await {
            Ok(Ok(0)) => return (raw, Ending::Cut),
            Ok(Ok(_)) => {}
            Ok(Err(error)) if error.kind() == ErrorKind::ConnectionReset => {
                return (raw, Ending::Reset);
            }
            Ok(Err(error)) => panic!("the connection failed in another way: {error}"),
            Err(_) => break,
        }
    }
    (raw, Ending::Unfinished)
}

fn take_apart(raw: &[u8], ending: Ending) -> Response {
    let Some(at) = raw.windows(4).position(|four| four == b"\r\n\r\n") else {
        assert!(raw.is_empty(), "half a head");
        return Response { status: 0, head: String::new(), body: Vec::new(), ending };
    };
    let head = String::from_utf8(raw[..at].to_vec()).unwrap();
    let status = head["HTTP/1.1 ".len()..][..3].parse().unwrap();
    let rest = &raw[at + 4..];
    let mut response = Response { status, head, body: Vec::new(), ending };
    let length = response.header("content-length").map(|text| text.parse::<usize>().unwrap());
    let complete = match length {
        Some(length) => {
            response.body = rest.to_vec();
            rest.len() == length
        }
        None => {
            assert_eq!(response.header("transfer-encoding"), Some("chunked"));
            let (body, complete) = dechunk(rest);
            response.body = body;
            complete
        }
    };
    if complete && ending != Ending::Reset {
        response.ending = Ending::Proper;
    }
    response
}

/// The content of the chunks, and whether the last one has come.
fn dechunk(mut rest: &[u8]) -> (Vec<u8>, bool) {
    let mut body = Vec::new();
    loop {
        let Some(line) = rest.windows(2).position(|two| two == b"\r\n") else {
            return (body, false);
        };
        let size = std::str::from_utf8(&rest[..line]).unwrap();
        let Ok(size) = usize::from_str_radix(size, 16) else { return (body, false) };
        rest = &rest[line + 2..];
        if size == 0 {
            assert_eq!(rest, b"\r\n", "bytes after the last chunk");
            return (body, true);
        }
        let there = size.min(rest.len());
        body.extend_from_slice(&rest[..there]);
        if rest.len() < size + 2 {
            return (body, false);
        }
        assert_eq!(&rest[size..size + 2], b"\r\n");
        rest = &rest[size + 2..];
    }
}
