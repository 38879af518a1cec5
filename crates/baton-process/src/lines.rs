//! Cuts a stream of bytes into lines of bounded length.

use std::io::BufRead;
use std::ops::ControlFlow;

use crate::report::Line;

/// Memory kept for the next line after a long one.
const KEPT_CAPACITY: usize = 64 << 10;

/// Holds the beginning of a line whose end has not come yet: at most `limit` bytes.
pub(crate) struct Lines {
    begun: Vec<u8>,
    limit: usize,
}

/// Why the rest of a piece was not delivered.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Cut {
    TooLong,
    Broken,
}

type Deliver<'a> = dyn FnMut(Line<'_>) -> ControlFlow<()> + 'a;

impl Lines {
    pub(crate) fn new(limit: usize) -> Self {
        Self { begun: Vec::new(), limit }
    }

    /// Delivers every line that ends in this piece. After an `Err` the rest of the piece is lost.
    pub(crate) fn push(&mut self, piece: &[u8], deliver: &mut Deliver<'_>) -> Result<(), Cut> {
        let mut rest = piece;
        while !rest.is_empty() {
            let (line, after, ended) = split(rest);
            rest = after;
            if self.begun.len() + line.len() > self.limit {
                self.begun = Vec::new();
                return Err(Cut::TooLong);
            }
            if !ended {
                self.begun.extend_from_slice(line);
            } else if self.deliver(line, deliver).is_break() {
                return Err(Cut::Broken);
            }
        }
        Ok(())
    }

    /// The line that the end of the stream left without its newline, if there is one.
    pub(crate) fn take_rest(&mut self) -> Option<Vec<u8>> {
        let rest = std::mem::take(&mut self.begun);
        (!rest.is_empty()).then_some(rest)
    }

    fn deliver(&mut self, end: &[u8], deliver: &mut Deliver<'_>) -> ControlFlow<()> {
        if self.begun.is_empty() {
            return deliver(Line { bytes: end, terminated: true });
        }
        self.begun.extend_from_slice(end);
        let flow = deliver(Line { bytes: &self.begun, terminated: true });
        self.begun.clear();
        self.begun.shrink_to(KEPT_CAPACITY);
        flow
    }
}

/// The part before the first newline, the part after it, and whether there was one.
fn split(bytes: &[u8]) -> (&[u8], &[u8], bool) {
    let mut after = bytes;
    // The standard library's fast search for one byte is public only in this form; a slice never fails to be read.
    let taken = after.skip_until(b'\n').unwrap_or(bytes.len());
    match bytes.get(..taken).and_then(|line| line.strip_suffix(b"\n")) {
        Some(line) => (line, after, true),
        None => (bytes, &[], false),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The lines, how it went, and the rest.
    type Outcome = (Vec<Vec<u8>>, Result<(), Cut>, Option<Vec<u8>>);

    fn cut(limit: usize, pieces: &[&[u8]]) -> Outcome {
        let mut lines = Lines::new(limit);
        let mut seen = Vec::new();
        let mut result = Ok(());
        for piece in pieces {
            result = result.and(lines.push(piece, &mut |line| {
                seen.push(line.bytes.to_vec());
                ControlFlow::Continue(())
            }));
        }
        (seen, result, lines.take_rest())
    }

    #[test]
    fn pieces_do_not_matter() {
        let text = b"one\n\ntwo three\r\n\nfour";
        for size in 1..text.len() {
            let (seen, result, rest) = cut(100, &text.chunks(size).collect::<Vec<_>>());
            assert_eq!(seen, [&b"one"[..], b"", b"two three\r", b""], "in pieces of {size}");
            assert_eq!((result, rest.as_deref()), (Ok(()), Some(&b"four"[..])));
        }
    }

    #[test]
    fn a_line_of_the_limit_passes_and_one_byte_more_does_not() {
        assert_eq!(cut(3, &[b"abc\n"]).1, Ok(()));
        assert_eq!(cut(3, &[b"ab", b"c\n"]).1, Ok(()));
        assert_eq!(cut(3, &[b"abcd\n"]).1, Err(Cut::TooLong));
        assert_eq!(cut(3, &[b"ab", b"cd"]).1, Err(Cut::TooLong));
    }

    #[test]
    fn an_endless_line_is_not_held() {
        let (seen, result, rest) = cut(10, &[&[b'x'; 1000]]);
        assert_eq!((seen.len(), result, rest), (0, Err(Cut::TooLong), None));
    }

    #[test]
    fn the_receiver_can_break_off() {
        let mut count = 0;
        let result = Lines::new(10).push(b"a\nb\nc\n", &mut |_| {
            count += 1;
            if count == 2 { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
        });
        assert_eq!((result, count), (Err(Cut::Broken), 2));
    }

    #[test]
    fn any_byte_passes() {
        let (seen, _, rest) = cut(100, &[b"\0\xff\xfe\x1b[0m\n\xc3"]);
        assert_eq!((seen, rest), (vec![b"\0\xff\xfe\x1b[0m".to_vec()], Some(vec![0xc3])));
    }
}
