//! Playing a plan on a connection.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::sleep;

use crate::plan::{End, Framing, Pace, Piece, Plan};

/// Bytes that are made at once for fillers and endless bodies.
const BLOCK: usize = 64 << 10;

/// Whether the connection can serve another request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Next {
    Request,
    Nothing,
}

/// What of a response is wanted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wanted {
    HeadAndBody,
    HeadOnly,
}

/// Writes a response. A plan without pauses goes out in one write, however many pieces it has.
///
/// # Errors
/// Those of the connection, usually that the client has left.
pub(crate) async fn perform(stream: &mut TcpStream, plan: &Plan, wanted: Wanted, next: Next) -> io::Result<Next> {
    if !plan.delay.is_zero() && left_during(stream, plan.delay).await? {
        return Ok(Next::Nothing);
    }
    let mut stage = Stage { stream, pending: Vec::new(), plan };
    let next = if plan.end == End::Proper { next } else { Next::Nothing };
    if let Some(head) = &plan.head {
        stage.head(head, next);
        if wanted == Wanted::HeadAndBody {
            stage.body().await?;
        }
    }
    stage.flush().await?;
    match plan.end {
        End::Proper => return Ok(next),
        End::Close => stream.shutdown().await?,
        End::Reset => stream.set_zero_linger()?,
        End::Hang => silence(stream).await?,
    }
    Ok(Next::Nothing)
}

struct Stage<'a> {
    stream: &'a mut TcpStream,
    pending: Vec<u8>,
    plan: &'a Plan,
}

impl Stage<'_> {
    fn head(&mut self, head: &str, next: Next) {
        self.pending.reserve(head.len() + 128);
        self.pending.extend_from_slice(head.as_bytes());
        match self.plan.framing {
            Framing::Length(length) => {
                self.pending.extend_from_slice(format!("content-length: {length}\r\n").as_bytes());
            }
            Framing::Chunked => {
                self.pending.extend_from_slice(b"transfer-encoding: chunked\r\n");
            }
        }
        if next == Next::Nothing {
            self.pending.extend_from_slice(b"connection: close\r\n");
        }
        self.pending.extend_from_slice(b"\r\n");
    }

    async fn body(&mut self) -> io::Result<()> {
        for (index, piece) in self.plan.pieces.iter().enumerate() {
            if index > 0 && !self.plan.gap.is_zero() {
                self.flush().await?;
                sleep(self.plan.gap).await;
            }
            match piece {
                Piece::Bytes(bytes) => self.frame(bytes),
                Piece::Raw(bytes) => self.pending.extend_from_slice(bytes),
                Piece::Filler(length) => self.fill(*length).await?,
                Piece::Forever(bytes) => self.repeat(bytes).await?,
            }
        }
        if self.plan.framing == Framing::Chunked && self.plan.end == End::Proper {
            self.pending.extend_from_slice(b"0\r\n\r\n");
        }
        Ok(())
    }

    /// Appends bytes of the body; an empty chunk would end it, so it is left out.
    fn frame(&mut self, bytes: &[u8]) {
        match self.plan.framing {
            Framing::Length(_) => self.pending.extend_from_slice(bytes),
            Framing::Chunked if bytes.is_empty() => {}
            Framing::Chunked => {
                self.pending.extend_from_slice(format!("{:x}\r\n", bytes.len()).as_bytes());
                self.pending.extend_from_slice(bytes);
                self.pending.extend_from_slice(b"\r\n");
            }
        }
    }

    async fn fill(&mut self, length: usize) -> io::Result<()> {
        let block = [b'a'; BLOCK];
        let mut left = length;
        while left > 0 {
            let size = left.min(BLOCK);
            self.frame(&block[..size]);
            self.flush().await?;
            left -= size;
        }
        Ok(())
    }

    /// Ends only with an error: the client has left.
    async fn repeat(&mut self, bytes: &[u8]) -> io::Result<()> {
        let gap = self.plan.gap;
        let times = if gap.is_zero() { (BLOCK / bytes.len().max(1)).max(1) } else { 1 };
        let block = bytes.repeat(times);
        loop {
            self.frame(&block);
            self.flush().await?;
            if !gap.is_zero() {
                sleep(gap).await;
            }
        }
    }

    async fn flush(&mut self) -> io::Result<()> {
        match self.plan.pace {
            Pace::Buffered => self.stream.write_all(&self.pending).await?,
            Pace::OneByte => self.drip().await?,
        }
        self.pending.clear();
        Ok(())
    }

    async fn drip(&mut self) -> io::Result<()> {
        for byte in &self.pending {
            self.stream.write_all(std::slice::from_ref(byte)).await?;
            match self.plan.gap {
                Duration::ZERO => tokio::task::yield_now().await,
                gap => sleep(gap).await,
            }
        }
        Ok(())
    }
}

/// Waits; true if the client left before the time was over. Bytes that it sends meanwhile stay unread.
async fn left_during(stream: &TcpStream, delay: Duration) -> io::Result<bool> {
    let mut byte = [0];
    let mut wait = std::pin::pin!(sleep(delay));
    tokio::select! {
        () = &mut wait => return Ok(false),
        seen = stream.peek(&mut byte) => if seen? == 0 { return Ok(true) },
    }
    wait.await;
    Ok(false)
}

/// Says nothing until the client leaves.
async fn silence(stream: &mut TcpStream) -> io::Result<()> {
    let mut ignored = [0; 1024];
    while stream.read(&mut ignored).await? > 0 {}
    Ok(())
}
