//! The modes, performed.

use std::fs::File;
use std::io::{self, Write};
use std::sync::mpsc;
use std::time::Duration;

use rustix::process::{Signal, getpid, kill_process};
use tokio::signal::unix::{SignalKind, signal};

use super::dialect::{Dialect, Trouble};
use super::mode::Mode;
use super::record::{Event, Recorder};
use super::turn::Turn;
use super::{output, roles};

/// The words of an agent that reports its failure as an answer.
const ERROR_AS_ANSWER: &str = "Sorry, I encountered an error: 429 Too Many Requests";

pub(crate) fn perform(mode: Mode, dialect: &dyn Dialect, turn: &Turn, recorder: &Recorder) -> io::Result<i32> {
    let stage = Stage { dialect, turn, recorder };
    match mode {
        Mode::Answer | Mode::NeverReadsStdin => stage.answer(),
        Mode::EmptyOutput => Ok(0),
        Mode::AnswerThenExitOne => stage.answer().map(|_| 1),
        Mode::ErrorAsAnswer => stage.say_all(ERROR_AS_ANSWER).map(|()| 0),
        Mode::LosesTail => stage.lose_tail(),
        Mode::Segfault => stage.die_by(Signal::SEGV),
        Mode::KillsItself => stage.die_by(Signal::KILL),
        Mode::ClosesStdout => stage.close_stdout(),
        Mode::StderrFlood | Mode::LongLine | Mode::StdoutFlood | Mode::AnsiFlood => stage.flood(mode),
        Mode::GrandchildHoldsPipe => stage.leave_child("__hold", Streams::Inherited),
        Mode::Daemonises => stage.leave_child("__daemon", Streams::Detached),
        Mode::IgnoresTerm | Mode::SilentAfterFirst => stage.open_and_stay(),
        Mode::ManyChildren => stage.many_children(),
        Mode::HalfLine => stage.half_line(),
        Mode::InvalidUtf8 => stage.answer_after(b"\xff\xfe\xc3\x28 \xf0\x9f\n"),
        Mode::NulBytes => stage.answer_after(b"\0\0{\"type\":\0}\0\n"),
        Mode::Banner => stage.answer_after(b"Welcome! A new version is available.\n"),
        Mode::WritesOutside => stage.write_outside(),
        Mode::ExitsAtOnce => {
            std::thread::sleep(Duration::from_millis(1));
            Ok(0)
        }
        Mode::SilentForever => roles::stay(),
        Mode::KeepAliveForever => stage.for_ever(&|_| dialect.keep_alive(turn)),
        Mode::RetriesForever => stage.retry_for_ever(),
        Mode::StaysAfterAnswer => {
            stage.answer()?;
            roles::stay()
        }
        Mode::UpdatePrompt => {
            output::bytes(b"Update available. Install it now? [Y/n] ")?;
            roles::stay()
        }
        Mode::AuthError => stage.fail(Trouble::Auth),
        Mode::RateLimited => stage.fail(Trouble::RateLimited),
        Mode::Overloaded => stage.fail(Trouble::Overloaded),
        Mode::ContextTooLong => stage.fail(Trouble::ContextTooLong),
        Mode::SessionNotFound => stage.fail(Trouble::SessionNotFound),
        Mode::UntrustedDirectory => stage.fail(Trouble::UntrustedDirectory),
    }
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Streams {
    Inherited,
    Detached,
}

struct Stage<'a> {
    dialect: &'a dyn Dialect,
    turn: &'a Turn,
    recorder: &'a Recorder,
}

impl Stage<'_> {
    fn answer(&self) -> io::Result<i32> {
        self.say_all(&self.turn.script.answer)?;
        Ok(0)
    }

    fn answer_after(&self, noise: &[u8]) -> io::Result<i32> {
        output::bytes(noise)?;
        self.answer()
    }

    fn say_all(&self, answer: &str) -> io::Result<()> {
        self.open()?;
        self.dialect.answer(self.turn, answer).iter().try_for_each(output::line)
    }

    /// The first event, or nothing where the program says nothing before its answer.
    fn open(&self) -> io::Result<()> {
        self.dialect.opening(self.turn).iter().try_for_each(output::line)
    }

    /// Something on standard output in every dialect.
    fn open_audibly(&self) -> io::Result<()> {
        let opening = self.dialect.opening(self.turn);
        if opening.is_empty() {
            return output::line(self.dialect.keep_alive(self.turn));
        }
        opening.iter().try_for_each(output::line)
    }

    fn lose_tail(&self) -> io::Result<i32> {
        self.open()?;
        let lines = self.dialect.answer(self.turn, &self.turn.script.answer);
        lines.iter().take(lines.len().saturating_sub(1)).try_for_each(output::line)?;
        Ok(0)
    }

    fn half_line(&self) -> io::Result<i32> {
        self.open()?;
        let lines = self.dialect.answer(self.turn, &self.turn.script.answer);
        let first = lines.first().map(String::as_bytes).unwrap_or_default();
        output::bytes(first.get(..first.len() / 2).unwrap_or_default())?;
        Ok(0)
    }

    fn die_by(&self, signal: Signal) -> io::Result<i32> {
        self.open_audibly()?;
        // The first SIGSEGV only removes the handler that Rust has for stack overflows.
        loop {
            kill_process(getpid(), signal)?;
        }
    }

    fn close_stdout(&self) -> io::Result<i32> {
        self.open_audibly()?;
        rustix::stdio::dup2_stdout(File::options().write(true).open("/dev/null")?)?;
        roles::stay()
    }

    fn open_and_stay(&self) -> io::Result<i32> {
        self.open_audibly()?;
        roles::stay()
    }

    fn flood(&self, mode: Mode) -> io::Result<i32> {
        let total = self.turn.script.bytes;
        let piece: &[u8] = match mode {
            Mode::StderrFlood => {
                output::flood(&mut io::stderr().lock(), b"warning: something is odd\n", total)?;
                return self.answer();
            }
            Mode::LongLine => b"x",
            Mode::AnsiFlood => b"\x1b[2J\x1b[31mred\x1b[0m\x1b]0;title\x07\n",
            _ => b"{\"type\":\"noise\"}\n",
        };
        output::flood(&mut io::stdout().lock(), piece, total)?;
        output::line("")?;
        self.answer()
    }

    fn leave_child(&self, role: &str, streams: Streams) -> io::Result<i32> {
        self.start_child(role, streams)?;
        self.answer()
    }

    fn start_child(&self, role: &str, streams: Streams) -> io::Result<()> {
        let child = roles::start_child(role, streams == Streams::Detached)?;
        self.recorder.add(Event::Child { pid: child.id() })
    }

    fn many_children(&self) -> io::Result<i32> {
        for number in 0..self.turn.script.children.min(20) {
            let role = if number % 2 == 0 { "__hold" } else { "__daemon" };
            self.start_child(role, Streams::Inherited)?;
        }
        self.open_and_stay()
    }

    fn write_outside(&self) -> io::Result<i32> {
        let Some(path) = &self.turn.script.outside else {
            return Err(io::Error::other("the script names no file outside"));
        };
        File::create(path)?.write_all(b"written by a fake agent\n")?;
        self.answer()
    }

    fn for_ever(&self, text: &dyn Fn(u64) -> String) -> io::Result<i32> {
        self.open_audibly()?;
        let pause = Duration::from_millis(self.turn.script.pause_milliseconds);
        for number in 1.. {
            output::line(text(number))?;
            std::thread::sleep(pause);
        }
        Ok(0)
    }

    fn retry_for_ever(&self) -> io::Result<i32> {
        if self.dialect.retries_on_stderr() {
            let pause = Duration::from_millis(self.turn.script.pause_milliseconds);
            for number in 1.. {
                output::error_line(&self.dialect.retry(self.turn, number))?;
                std::thread::sleep(pause);
            }
        }
        self.for_ever(&|number| self.dialect.retry(self.turn, number))
    }

    fn fail(&self, trouble: Trouble) -> io::Result<i32> {
        let failure = self.dialect.failure(self.turn, trouble);
        failure.stdout.iter().try_for_each(output::line)?;
        if !failure.stderr.is_empty() {
            output::error_line(&failure.stderr)?;
        }
        Ok(failure.code)
    }
}

/// Listens where the mode or the script asks for it, from the moment this returns. Elsewhere signals do what they do
/// to a program that knows nothing of them.
pub(crate) fn listen_to_signals(mode: Mode, record: bool, recorder: &Recorder) -> io::Result<()> {
    let survives = mode == Mode::IgnoresTerm;
    if !survives && !record {
        return Ok(());
    }
    let recorder = recorder.clone();
    let (ready, is_ready) = mpsc::channel();
    std::thread::spawn(move || {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
        let result = runtime.and_then(|runtime| runtime.block_on(obey(survives, &recorder, &ready)));
        // The main thread may be past listening.
        let _ = ready.send(result);
    });
    is_ready.recv().map_err(io::Error::other)?
}

async fn obey(survives: bool, recorder: &Recorder, ready: &mpsc::Sender<io::Result<()>>) -> io::Result<()> {
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut hangup = signal(SignalKind::hangup())?;
    // The main thread waits for this.
    let _ = ready.send(Ok(()));
    loop {
        let (name, number) = tokio::select! {
            _ = terminate.recv() => ("TERM", 15),
            _ = interrupt.recv() => ("INT", 2),
            _ = hangup.recv() => ("HUP", 1),
        };
        recorder.add(Event::Signal { name: name.to_owned() })?;
        if !survives {
            leave(128 + number);
        }
    }
}

#[expect(clippy::exit, reason = "the main thread is asleep for good and cannot return from main")]
fn leave(code: i32) {
    std::process::exit(code)
}
