use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use tokio::io::{AsyncRead, ReadBuf};

/// JSON values that one line may hold, counted by the marks that separate them. A request of ours has some hundreds.
const MOST_MARKS: u32 = 10_000;

/// Cuts lines off that would unfold in memory: parsed, four mebibytes of small numbers take a hundred times that.
///
/// Bytes pass through as they come. A line with too many marks loses all after the mark that was too many, so it is no
/// JSON any more and is skipped like any other garbage; the line break stays.
pub(crate) struct Sieve<R> {
    input: R,
    line: Line,
}

#[derive(Default)]
struct Line {
    marks: u32,
    quoted: bool,
    escaped: bool,
}

impl<R> Sieve<R> {
    pub(crate) fn new(input: R) -> Self {
        Self { input, line: Line::default() }
    }
}

impl Line {
    fn admits(&mut self, byte: u8) -> bool {
        if byte == b'\n' {
            *self = Self::default();
            return true;
        }
        if self.marks > MOST_MARKS {
            return false;
        }
        match byte {
            _ if self.escaped => self.escaped = false,
            b'\\' => self.escaped = self.quoted,
            b'"' => self.quoted = !self.quoted,
            b'[' | b'{' | b',' | b':' if !self.quoted => self.marks += 1,
            _ => {}
        }
        true
    }

    /// Moves what is admitted to the front, and counts it.
    fn sift(&mut self, bytes: &mut [u8]) -> usize {
        let mut kept = 0;
        for index in 0..bytes.len() {
            if self.admits(bytes[index]) {
                bytes[kept] = bytes[index];
                kept += 1;
            }
        }
        kept
    }
}

impl<R: AsyncRead + Unpin> AsyncRead for Sieve<R> {
    fn poll_read(self: Pin<&mut Self>, context: &mut Context<'_>, buffer: &mut ReadBuf<'_>) -> Poll<io::Result<()>> {
        let this = self.get_mut();
        loop {
            let before = buffer.filled().len();
            ready!(Pin::new(&mut this.input).poll_read(context, buffer))?;
            let read = &mut buffer.filled_mut()[before..];
            if read.is_empty() {
                return Poll::Ready(Ok(()));
            }
            let kept = this.line.sift(read);
            buffer.set_filled(before + kept);
            // Nothing read would mean the end of the input.
            if kept > 0 {
                return Poll::Ready(Ok(()));
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use tokio::io::AsyncReadExt;

    use super::*;

    async fn sifted(input: &[u8]) -> Vec<u8> {
        let mut output = Vec::new();
        Sieve::new(input).read_to_end(&mut output).await.unwrap();
        output
    }

    #[tokio::test]
    async fn ordinary_lines_pass_unchanged() {
        let lines = b"{\"a\":[1,2,\"x,\\\"[{\"]}\r\n\n\xff\xfe\\\"\nlast".to_vec();
        assert_eq!(sifted(&lines).await, lines);
    }

    #[tokio::test]
    async fn a_line_of_too_many_values_is_cut_and_the_next_one_is_whole() {
        let mut lines = format!("[{}1]\n", "1,".repeat(50_000)).into_bytes();
        lines.extend_from_slice(b"{\"id\":1}\n");
        let output = sifted(&lines).await;
        assert!(output.len() < 30_000, "{}", output.len());
        assert!(output.ends_with(b"1,\n{\"id\":1}\n"));
    }

    #[tokio::test]
    async fn marks_inside_of_a_text_do_not_count() {
        let line = format!("{{\"a\":\"{}\\\"{}\"}}\n", ",:[{".repeat(20_000), ",".repeat(20_000)).into_bytes();
        assert_eq!(sifted(&line).await, line);
    }

    #[tokio::test]
    async fn an_open_text_ends_with_its_line() {
        let mut lines = b"\"open\n".to_vec();
        lines.extend_from_slice(&b",".repeat(30_000));
        assert!(sifted(&lines).await.len() < 11_000);
    }
}
