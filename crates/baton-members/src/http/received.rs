//! All bytes of one answer, up to the cap: at once the transcript and what is parsed.

use baton_port::Transcript;
use reqwest::header::HeaderMap;
use reqwest::{Response, Version};

/// Bytes of the transcript's head.
const LONGEST_HEAD: usize = 4 << 10;

/// Headers that say something about the answer, beside those of rate limits.
const TELLING: &[&str] = &[
    "content-type",
    "content-length",
    "content-encoding",
    "date",
    "retry-after",
    "retry-after-ms",
    "request-id",
    "x-request-id",
    "location",
    "openai-processing-ms",
    "www-authenticate",
];

/// More came than may be kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct TooMuch;

/// Bytes in order of arrival, behind a head of our own making.
#[derive(Debug)]
pub(crate) struct Received {
    bytes: Vec<u8>,
    body_start: usize,
    limit: usize,
    cut: bool,
}

impl Received {
    /// Nothing yet; of the body at most `limit` bytes will be kept.
    pub(crate) fn new(limit: usize) -> Self {
        Self { bytes: Vec::new(), body_start: 0, limit, cut: false }
    }

    /// Starts with the status line and the headers that tell something. Headers of the request are never known here.
    pub(crate) fn head(&mut self, response: &Response) {
        let version = match response.version() {
            Version::HTTP_2 => "HTTP/2",
            Version::HTTP_10 => "HTTP/1.0",
            _ => "HTTP/1.1",
        };
        self.bytes.extend_from_slice(format!("{version} {}\r\n", response.status()).as_bytes());
        self.telling_headers(response.headers());
        self.bytes.extend_from_slice(b"\r\n");
        self.body_start = self.bytes.len();
    }

    fn telling_headers(&mut self, headers: &HeaderMap) {
        for (name, value) in headers {
            let line = name.as_str().len() + value.len() + 4;
            if is_telling(name.as_str()) && self.bytes.len() + line <= LONGEST_HEAD {
                for part in [name.as_str().as_bytes(), b": ", value.as_bytes(), b"\r\n"] {
                    self.bytes.extend_from_slice(part);
                }
            }
        }
    }

    /// Keeps a piece of the body, as far as there is room.
    pub(crate) fn push(&mut self, piece: &[u8]) -> Result<(), TooMuch> {
        let room = self.limit - self.body().len();
        self.bytes.extend_from_slice(&piece[..piece.len().min(room)]);
        if piece.len() > room {
            self.cut = true;
            return Err(TooMuch);
        }
        Ok(())
    }

    /// Says that reading stopped although more was on its way.
    pub(crate) fn cut(&mut self) {
        self.cut = true;
    }

    pub(crate) fn body(&self) -> &[u8] {
        &self.bytes[self.body_start..]
    }

    pub(crate) fn into_transcript(self) -> Transcript {
        Transcript { bytes: self.bytes, cut: self.cut }
    }
}

fn is_telling(name: &str) -> bool {
    TELLING.contains(&name) || name.starts_with("x-ratelimit-") || name.starts_with("anthropic-ratelimit-")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_beyond_the_limit_is_kept() {
        let mut received = Received::new(5);
        assert_eq!(received.push(b"abc"), Ok(()));
        assert_eq!(received.push(b"de"), Ok(()));
        assert_eq!(received.push(b"fgh"), Err(TooMuch));
        assert_eq!(received.into_transcript(), Transcript { bytes: b"abcde".to_vec(), cut: true });
    }

    #[test]
    fn cookies_and_the_like_are_not_kept() {
        assert!(!is_telling("set-cookie") && !is_telling("x-filler-00001"));
        assert!(is_telling("x-ratelimit-reset-requests"));
    }
}
