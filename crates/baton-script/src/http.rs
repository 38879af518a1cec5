//! Reading HTTP/1.1 requests: heads through `httparse`, bodies by length or in chunks.

use std::io;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

/// The largest request body; a larger one is refused with 413.
const BODY_LIMIT: usize = 64 << 20;
/// The largest request head; a larger one is refused with 431.
const HEAD_LIMIT: usize = 256 << 10;
const HEADER_COUNT: usize = 128;

/// One request, whole.
#[derive(Debug)]
pub(crate) struct Request {
    pub(crate) method: String,
    /// Path and query, as sent.
    pub(crate) target: String,
    /// Names in lower case, in the order of arrival.
    pub(crate) headers: Vec<(String, String)>,
    pub(crate) body: Vec<u8>,
    /// Whether the client wants the connection to stay.
    pub(crate) keep_alive: bool,
}

impl Request {
    pub(crate) fn header(&self, name: &str) -> Option<&str> {
        find(&self.headers, name)
    }

    pub(crate) fn path(&self) -> &str {
        self.target.split(['?', '#']).next().unwrap_or_default()
    }

    pub(crate) fn query(&self) -> &str {
        self.target.split_once('?').map_or("", |(_, query)| query)
    }
}

/// Why no request could be read.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ReadError {
    #[error(transparent)]
    Io(#[from] io::Error),
    /// The client broke the protocol; it is told so with this status.
    #[error("{message}")]
    Malformed { status: u16, message: &'static str },
}

const fn malformed(status: u16, message: &'static str) -> ReadError {
    ReadError::Malformed { status, message }
}

/// Reads the next request; `None` when the client closed between two. What arrives beyond it stays in
/// `buffer`.
pub(crate) async fn read_request(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Option<Request>, ReadError> {
    let (mut request, length) = loop {
        if let Some((request, length)) = parse_head(buffer)? {
            break (request, length);
        }
        if buffer.len() > HEAD_LIMIT {
            return Err(malformed(431, "the request head is too large"));
        }
        let before = buffer.len();
        if !read_more(stream, buffer).await? {
            if before == 0 {
                return Ok(None);
            }
            return Err(malformed(400, "the request head ends early"));
        }
    };
    buffer.drain(..length);
    request.body = read_body(stream, buffer, &request).await?;
    Ok(Some(request))
}

/// A head and its length in bytes; `None` while it is incomplete.
fn parse_head(buffer: &[u8]) -> Result<Option<(Request, usize)>, ReadError> {
    let mut headers = [httparse::EMPTY_HEADER; HEADER_COUNT];
    let mut head = httparse::Request::new(&mut headers);
    let length = match head.parse(buffer) {
        Ok(httparse::Status::Complete(length)) => length,
        Ok(httparse::Status::Partial) => return Ok(None),
        Err(httparse::Error::TooManyHeaders) => return Err(malformed(431, "too many headers")),
        Err(_) => return Err(malformed(400, "the request head is not HTTP")),
    };
    let headers: Vec<(String, String)> = head
        .headers
        .iter()
        .map(|header| {
            let value = String::from_utf8_lossy(header.value).into_owned();
            (header.name.to_ascii_lowercase(), value)
        })
        .collect();
    let connection = find(&headers, "connection").unwrap_or_default();
    let keep_alive = head.version == Some(1) && !connection.eq_ignore_ascii_case("close");
    let request = Request {
        method: head.method.unwrap_or_default().to_owned(),
        target: head.path.unwrap_or_default().to_owned(),
        keep_alive,
        body: Vec::new(),
        headers,
    };
    Ok(Some((request, length)))
}

fn find<'a>(headers: &'a [(String, String)], name: &str) -> Option<&'a str> {
    headers.iter().find(|(known, _)| known == name).map(|(_, value)| value.as_str())
}

async fn read_body(stream: &mut TcpStream, buffer: &mut Vec<u8>, request: &Request) -> Result<Vec<u8>, ReadError> {
    let chunked =
        request.header("transfer-encoding").is_some_and(|value| value.to_ascii_lowercase().contains("chunked"));
    let length = match request.header("content-length") {
        _ if chunked => 0,
        None => 0,
        Some(text) => text.trim().parse().map_err(|_| malformed(400, "the content length is not a number"))?,
    };
    if length > BODY_LIMIT {
        return Err(malformed(413, "the request body is too large"));
    }
    let waits = request.header("expect").is_some_and(|value| value.contains("100-continue"));
    if waits && (chunked || length > 0) {
        stream.write_all(b"HTTP/1.1 100 Continue\r\n\r\n").await?;
    }
    if chunked {
        return read_chunks(stream, buffer).await;
    }
    need(stream, buffer, length).await?;
    Ok(buffer.drain(..length).collect())
}

/// Reads chunks up to and with the trailers.
async fn read_chunks(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<Vec<u8>, ReadError> {
    let mut body = Vec::new();
    loop {
        let (head, size) = chunk_head(stream, buffer).await?;
        if size > (BODY_LIMIT - body.len()) as u64 {
            return Err(malformed(413, "the request body is too large"));
        }
        let end = head + size as usize;
        if size == 0 {
            buffer.drain(..head);
            return skip_trailers(stream, buffer).await.map(|()| body);
        }
        need(stream, buffer, end + 2).await?;
        if &buffer[end..end + 2] != b"\r\n" {
            return Err(malformed(400, "a chunk does not end where it says"));
        }
        body.extend_from_slice(&buffer[head..end]);
        buffer.drain(..end + 2);
    }
}

/// Length of the next chunk's first line, and the chunk's size.
async fn chunk_head(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(usize, u64), ReadError> {
    loop {
        match httparse::parse_chunk_size(buffer) {
            Ok(httparse::Status::Complete(found)) => return Ok(found),
            Ok(httparse::Status::Partial) if buffer.len() < HEAD_LIMIT => {}
            Ok(_) | Err(_) => return Err(malformed(400, "a chunk has no size")),
        }
        let wanted = buffer.len() + 1;
        need(stream, buffer, wanted).await?;
    }
}

async fn skip_trailers(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> Result<(), ReadError> {
    let mut skipped = 0;
    loop {
        match buffer.windows(2).position(|pair| pair == b"\r\n") {
            Some(0) => {
                buffer.drain(..2);
                return Ok(());
            }
            Some(at) => {
                skipped += at + 2;
                buffer.drain(..at + 2);
            }
            None => {
                let wanted = buffer.len() + 1;
                need(stream, buffer, wanted).await?;
            }
        }
        if skipped + buffer.len() > BODY_LIMIT {
            return Err(malformed(431, "the trailers are too large"));
        }
    }
}

/// Reads until `buffer` holds `length` bytes.
async fn need(stream: &mut TcpStream, buffer: &mut Vec<u8>, length: usize) -> Result<(), ReadError> {
    while buffer.len() < length {
        buffer.reserve(length - buffer.len());
        if !read_more(stream, buffer).await? {
            return Err(malformed(400, "the request body ends early"));
        }
    }
    Ok(())
}

/// Reads what is there; false at the end of the connection.
async fn read_more(stream: &mut TcpStream, buffer: &mut Vec<u8>) -> io::Result<bool> {
    buffer.reserve(4096);
    Ok(stream.read_buf(buffer).await? > 0)
}
