//! Event streams, read in place (WHATWG HTML, "Server-sent events").

use std::borrow::Cow;
use std::ops::Range;

/// Finds events in a body that grows.
///
/// Lines end with LF, CRLF or CR. Only `data` matters to the dialects; other fields and comments are skipped, and so
/// are events without data. Nothing is copied, unless an event has several lines of data. A line is looked at once,
/// however many pieces it arrives in.
#[derive(Debug, Default)]
pub(crate) struct Events {
    /// Where the line begins that is not whole yet.
    line: usize,
    /// Up to here no line end was found in it.
    scanned: usize,
    /// The last line ended with CR: a LF that follows belongs to it.
    after_return: bool,
    data: Data,
}

#[derive(Debug, Default)]
enum Data {
    #[default]
    None,
    One(Range<usize>),
    Several(Vec<u8>),
}

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

impl Events {
    /// The data of the next whole event. `body` must be what it was before, with bytes appended.
    pub(crate) fn next<'a>(&mut self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        loop {
            let line = self.whole_line(body)?;
            if !line.is_empty() {
                self.field(body, line);
            } else if let Some(data) = self.take(body) {
                return Some(data);
            }
        }
    }

    /// What is left when no more bytes come: an event whose last line ends may still lack are taken as they are.
    pub(crate) fn last<'a>(&mut self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        let rest = self.start(body)..body.len();
        self.line = body.len();
        if !rest.is_empty() {
            self.field(body, rest);
        }
        self.take(body)
    }

    /// Bytes of the event that is not whole yet.
    pub(crate) fn pending(&self, body: &[u8]) -> usize {
        let data = match &self.data {
            Data::None => 0,
            Data::One(range) => range.len(),
            Data::Several(bytes) => bytes.len(),
        };
        data + body.len().saturating_sub(self.line)
    }

    fn start(&mut self, body: &[u8]) -> usize {
        if self.line == 0 && body.starts_with(BYTE_ORDER_MARK) {
            self.line = BYTE_ORDER_MARK.len();
        }
        if self.after_return && self.line < body.len() {
            self.after_return = false;
            self.line += usize::from(body[self.line] == b'\n');
        }
        self.line
    }

    fn whole_line(&mut self, body: &[u8]) -> Option<Range<usize>> {
        let start = self.start(body);
        let from = start.max(self.scanned);
        let Some(found) = body[from..].iter().position(|byte| matches!(byte, b'\n' | b'\r')) else {
            self.scanned = body.len();
            return None;
        };
        let end = from + found;
        self.after_return = body[end] == b'\r';
        self.line = end + 1;
        self.scanned = end + 1;
        Some(start..end)
    }

    fn field(&mut self, body: &[u8], line: Range<usize>) {
        let bytes = &body[line.clone()];
        let colon = bytes.iter().position(|byte| *byte == b':').unwrap_or(bytes.len());
        if &bytes[..colon] != b"data" {
            return;
        }
        let after = (colon + 1).min(bytes.len());
        let space = usize::from(bytes.get(after) == Some(&b' '));
        let value = line.start + after + space..line.end;
        self.data = match std::mem::take(&mut self.data) {
            Data::None => Data::One(value),
            Data::One(first) => Data::Several([&body[first], b"\n", &body[value]].concat()),
            Data::Several(mut bytes) => {
                bytes.push(b'\n');
                bytes.extend_from_slice(&body[value]);
                Data::Several(bytes)
            }
        };
    }

    fn take<'a>(&mut self, body: &'a [u8]) -> Option<Cow<'a, [u8]>> {
        match std::mem::take(&mut self.data) {
            Data::None => None,
            Data::One(range) => Some(Cow::Borrowed(&body[range])),
            Data::Several(bytes) => Some(Cow::Owned(bytes)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// All events, with the body given in pieces of `size` bytes.
    fn read(body: &str, size: usize) -> Vec<String> {
        let (mut events, mut found, bytes) = (Events::default(), Vec::new(), body.as_bytes());
        let text = |data: Cow<'_, [u8]>| String::from_utf8(data.into_owned()).unwrap();
        let mut end = 0;
        while end < bytes.len() {
            end = (end + size).min(bytes.len());
            while let Some(data) = events.next(&bytes[..end]) {
                found.push(text(data));
            }
        }
        found.extend(events.last(bytes).map(text));
        found
    }

    fn check(body: &str, wanted: &[&str]) {
        for size in 1..=body.len().max(1) {
            assert_eq!(read(body, size), wanted, "{body:?} in pieces of {size}");
        }
    }

    #[test]
    fn every_line_end_and_every_cut_gives_the_same_events() {
        for end in ["\n", "\r\n", "\r"] {
            let body =
                ["event: a", "data: one €", "", ": comment", "", "data:two", "data", "data:  3", "", ""].join(end);
            check(&body, &["one €", "two\n\n 3"]);
        }
    }

    #[test]
    fn comments_and_other_fields_are_no_events() {
        check(": ping\n\n\n\nid: 1\nretry: 2\n\n{\"not\":\"an event\"}\n\ndatax: 1\n\n", &[]);
    }

    #[test]
    fn a_mark_at_the_start_is_skipped_and_the_end_needs_no_blank_line() {
        check("\u{feff}data: a\n\ndata: b\n", &["a", "b"]);
        check("data: a\n\ndata: b", &["a", "b"]);
        check("", &[]);
    }

    #[test]
    fn an_unfinished_event_is_measured() {
        let mut events = Events::default();
        let body = b"data: 1\n\ndata: 234\ndata: 56";
        assert_eq!(events.next(body).as_deref(), Some(&b"1"[..]));
        assert_eq!(events.next(body), None);
        assert_eq!(events.pending(body), 3 + 8);
    }
}
