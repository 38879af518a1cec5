//! Writing to whoever reads, or no longer does.

use std::io::{self, Write};

/// Writes one line to standard output at once.
pub(crate) fn line(text: impl AsRef<[u8]>) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(text.as_ref())?;
    stdout.write_all(b"\n")?;
    stdout.flush()
}

/// Writes bytes to standard output at once.
pub(crate) fn bytes(bytes: &[u8]) -> io::Result<()> {
    let mut stdout = io::stdout().lock();
    stdout.write_all(bytes)?;
    stdout.flush()
}

/// Writes a line to standard error.
pub(crate) fn error_line(text: &str) -> io::Result<()> {
    writeln!(io::stderr().lock(), "{text}")
}

/// Repeats `piece` until about `total` bytes are written.
pub(crate) fn flood(writer: &mut dyn Write, piece: &[u8], total: usize) -> io::Result<()> {
    let block = piece.repeat((64 << 10) / piece.len().max(1));
    let mut left = total;
    while left > 0 {
        let length = left.min(block.len());
        writer.write_all(block.get(..length).unwrap_or_default())?;
        left -= length;
    }
    writer.flush()
}

/// A fake that fails by its own fault says so with a code that no agent uses. When nobody reads its output any more it
/// leaves as a program does that SIGPIPE ends.
pub(crate) fn own_failure(error: &io::Error) -> i32 {
    if error.kind() == io::ErrorKind::BrokenPipe {
        return 141;
    }
    // Nobody to tell when even this fails.
    let _ = error_line(&format!("fake-agent: {error}"));
    99
}
