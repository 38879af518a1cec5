//! One run from start to report: a loop over everything that can happen, and the decisions about it.

use std::future::Future;
use std::io;
use std::ops::ControlFlow;
use std::pin::Pin;
use std::time::Duration;

use tokio::io::AsyncReadExt;
use tokio::net::unix::pipe;
use tokio::time::{Instant, sleep_until};

use super::spawn::{Feed, Started};
use super::tree::{self, Tree};
use crate::capped::Capped;
use crate::command::Limits;
use crate::lines::{Cut, Lines};
use crate::report::{Deadline, Ending, Exit, Flow, Line, Overflow, Report};
use crate::vitals::Vitals;
use crate::words::Words;

/// Bytes read at once; a pipe holds as many by default.
const CHUNK: usize = 64 << 10;

/// What of a command matters after its start.
pub(super) struct Rules {
    pub(super) limits: Limits,
    pub(super) stop_words: Vec<String>,
    pub(super) vitals: Vitals,
}

pub(super) async fn drive(
    started: Started,
    rules: Rules,
    cancel: impl Future<Output = ()>,
    on_line: &mut (dyn FnMut(Line<'_>) -> Flow + Send),
) -> Report {
    let Started { mut tree, stdout, stderr, feed } = started;
    let mut pipes = Pipes::new(stdout, stderr, feed);
    let mut run = Run::new(rules, on_line);
    let mut cancel = std::pin::pin!(cancel);
    while !run.is_over(&pipes) {
        let wait = run.wait();
        let event = next_event(&mut pipes, &mut tree, cancel.as_mut(), wait).await;
        let order = run.handle(event, &mut pipes, tree.patience());
        match order {
            Order::Nothing => {}
            Order::Terminate => {
                pipes.feed = None;
                tree.terminate().await;
            }
            Order::Finish => tree.finish().await,
            Order::Abandon => tree.abandon(),
        }
    }
    run.report()
}

/// What to do to the child.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Order {
    Nothing,
    Terminate,
    Finish,
    Abandon,
}

enum Event {
    Stdout(io::Result<usize>),
    Stderr(io::Result<usize>),
    Fed(bool),
    Tree(tree::Event),
    Cancelled,
    Deadline,
}

/// What is waited for, besides output.
#[derive(Clone, Copy)]
struct Wait {
    deadline: Option<Instant>,
    can_be_cancelled: bool,
    tree_is_gone: bool,
}

struct Pipes {
    stdout: Source,
    stderr: Source,
    /// `None` when the input was closed, by us or by its end.
    feed: Option<Feed>,
}

struct Source {
    pipe: pipe::Receiver,
    chunk: Vec<u8>,
    open: bool,
}

impl Pipes {
    fn new(stdout: pipe::Receiver, stderr: pipe::Receiver, feed: Feed) -> Self {
        Self { stdout: Source::new(stdout), stderr: Source::new(stderr), feed: Some(feed) }
    }

    fn output_is_open(&self) -> bool {
        self.stdout.open || self.stderr.open
    }
}

impl Source {
    fn new(pipe: pipe::Receiver) -> Self {
        Self { pipe, chunk: vec![0; CHUNK], open: true }
    }

    async fn read(&mut self) -> io::Result<usize> {
        self.pipe.read(&mut self.chunk).await
    }

    /// The bytes that were read; closes at the end. A pipe that cannot be read has ended for us.
    fn take(&mut self, read: io::Result<usize>) -> Option<&[u8]> {
        match read {
            Ok(length @ 1..) => self.chunk.get(..length),
            Ok(0) | Err(_) => {
                self.open = false;
                None
            }
        }
    }
}

async fn next_event(
    pipes: &mut Pipes,
    tree: &mut Tree,
    cancel: Pin<&mut impl Future<Output = ()>>,
    wait: Wait,
) -> Event {
    if wait.tree_is_gone {
        // Nobody writes any more: what the pipes hold is read before the clock is asked.
        return tokio::select! {
            biased;
            read = pipes.stdout.read(), if pipes.stdout.open => Event::Stdout(read),
            read = pipes.stderr.read(), if pipes.stderr.open => Event::Stderr(read),
            () = until(wait.deadline) => Event::Deadline,
        };
    }
    tokio::select! {
        read = pipes.stdout.read(), if pipes.stdout.open => Event::Stdout(read),
        read = pipes.stderr.read(), if pipes.stderr.open => Event::Stderr(read),
        taken = fed(&mut pipes.feed), if pipes.feed.is_some() => Event::Fed(taken),
        event = tree.event() => Event::Tree(event),
        () = cancel, if wait.can_be_cancelled => Event::Cancelled,
        () = until(wait.deadline) => Event::Deadline,
    }
}

async fn fed(feed: &mut Option<Feed>) -> bool {
    match feed {
        Some(feed) => feed.await,
        None => std::future::pending().await,
    }
}

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Phase {
    /// The child works.
    Running,
    /// It said its last word and may leave by itself.
    Finishing {
        until: Instant,
    },
    /// It left; others may still write.
    Draining {
        until: Instant,
    },
    /// All are told to end.
    Leaving {
        until: Instant,
    },
    /// Not even the shim answered: everything known was killed.
    Abandoned {
        until: Instant,
    },
    /// All are gone; the pipes are emptied.
    Closing {
        until: Instant,
    },
    Over,
}

struct Run<'a> {
    limits: Limits,
    stop_words: Words,
    vitals: Vitals,
    on_line: &'a mut (dyn FnMut(Line<'_>) -> Flow + Send),
    lines: Lines,
    phase: Phase,
    started: Instant,
    first_output: Option<Instant>,
    last_payload: Option<Instant>,
    /// Set when something other than the child's own exit decided the ending.
    verdict: Option<Ending>,
    exit: Option<Exit>,
    finished: bool,
    /// False once the run was stopped: nobody wants more lines.
    delivering: bool,
    /// The drain limit has passed: what comes later is not waited for.
    drained: bool,
    pid: Option<u32>,
    stdout_bytes: u64,
    stderr: Capped,
    ended_mid_line: bool,
    stdin_taken: bool,
}

impl<'a> Run<'a> {
    fn new(rules: Rules, on_line: &'a mut (dyn FnMut(Line<'_>) -> Flow + Send)) -> Self {
        let Rules { limits, stop_words, vitals } = rules;
        Self {
            stop_words: Words::new(stop_words),
            vitals,
            on_line,
            lines: Lines::new(limits.line_bytes),
            stderr: Capped::new(limits.stderr_bytes),
            limits,
            phase: Phase::Running,
            started: Instant::now(),
            first_output: None,
            last_payload: None,
            verdict: None,
            exit: None,
            finished: false,
            delivering: true,
            drained: false,
            pid: None,
            stdout_bytes: 0,
            ended_mid_line: false,
            stdin_taken: false,
        }
    }

    fn handle(&mut self, event: Event, pipes: &mut Pipes, patience: Duration) -> Order {
        let order = match event {
            Event::Stdout(read) => {
                let order = match pipes.stdout.take(read) {
                    Some(bytes) => self.on_stdout(bytes),
                    None => self.on_stdout_end(),
                };
                if self.finished {
                    pipes.feed = None;
                }
                order
            }
            Event::Stderr(read) => match pipes.stderr.take(read) {
                Some(bytes) => self.on_stderr(bytes),
                None => Order::Nothing,
            },
            Event::Fed(taken) => {
                pipes.feed = None;
                self.stdin_taken = taken;
                Order::Nothing
            }
            Event::Tree(event) => self.on_tree(event),
            Event::Cancelled => self.on_cancelled(),
            Event::Deadline => self.on_deadline(),
        };
        let order = self.skip_the_drain(order, pipes);
        if matches!(order, Order::Terminate | Order::Finish) {
            self.phase = Phase::Leaving { until: later(patience) };
        }
        order
    }

    /// With both pipes at their end there is nothing to drain.
    fn skip_the_drain(&self, order: Order, pipes: &Pipes) -> Order {
        match (order, self.phase) {
            (Order::Nothing, Phase::Draining { .. }) if !pipes.output_is_open() => Order::Finish,
            _ => order,
        }
    }

    fn on_stdout(&mut self, bytes: &[u8]) -> Order {
        let now = Instant::now();
        self.first_output.get_or_insert(now);
        self.stdout_bytes += bytes.len() as u64;
        if !self.delivering {
            return Order::Nothing;
        }
        let surplus = self.stdout_bytes.saturating_sub(self.limits.stdout_bytes as u64);
        let allowed = bytes.len().saturating_sub(usize::try_from(surplus).unwrap_or(usize::MAX));
        let Answers { result, payload, finished, stopped } =
            Answers::to(&mut self.lines, bytes.get(..allowed).unwrap_or_default(), self.on_line);
        if payload {
            self.last_payload = Some(now);
        }
        if stopped {
            return self.stop(Ending::Stopped);
        }
        if result == Err(Cut::TooLong) {
            return self.stop(Ending::TooMuchOutput { which: Overflow::Line });
        }
        if surplus > 0 {
            return self.stop(Ending::TooMuchOutput { which: Overflow::Stdout });
        }
        if finished {
            self.finish();
        }
        Order::Nothing
    }

    fn on_stderr(&mut self, bytes: &[u8]) -> Order {
        self.stderr.push(bytes);
        match self.delivering && self.stop_words.found_in(bytes) {
            true => self.stop(Ending::Stopped),
            false => Order::Nothing,
        }
    }

    fn on_stdout_end(&mut self) -> Order {
        let Some(rest) = self.lines.take_rest().filter(|_| self.delivering) else {
            return Order::Nothing;
        };
        self.ended_mid_line = true;
        match (self.on_line)(Line { bytes: &rest, terminated: false }) {
            Flow::Stop => return self.stop(Ending::Stopped),
            Flow::Finished => self.finish(),
            Flow::Payload => self.last_payload = Some(Instant::now()),
            Flow::Continue => {}
        }
        Order::Nothing
    }

    fn finish(&mut self) {
        self.finished = true;
        if self.phase == Phase::Running {
            self.phase = Phase::Finishing { until: later(self.limits.grace) };
        }
    }

    /// Ends the run for a reason of ours. After the child's own exit the reason still counts, for it tells what the
    /// output is worth.
    fn stop(&mut self, ending: Ending) -> Order {
        self.delivering = false;
        self.verdict.get_or_insert(ending);
        match self.phase {
            Phase::Running | Phase::Finishing { .. } => Order::Terminate,
            Phase::Draining { .. } => Order::Finish,
            Phase::Leaving { .. } | Phase::Abandoned { .. } | Phase::Closing { .. } | Phase::Over => Order::Nothing,
        }
    }

    fn on_tree(&mut self, event: tree::Event) -> Order {
        match event {
            tree::Event::Started(pid) => {
                self.pid = Some(pid);
                self.vitals.started(pid);
                Order::Nothing
            }
            tree::Event::Failed(ending) => {
                self.delivering = false;
                self.verdict.get_or_insert(ending);
                Order::Finish
            }
            tree::Event::Ended(exit) => {
                self.exit = Some(exit);
                if matches!(self.phase, Phase::Running | Phase::Finishing { .. }) {
                    self.phase = Phase::Draining { until: later(self.limits.drain) };
                }
                Order::Nothing
            }
            tree::Event::Gone => {
                self.vitals.gone();
                let until = if self.drained { Instant::now() } else { later(self.limits.drain) };
                self.phase = Phase::Closing { until };
                Order::Nothing
            }
        }
    }

    fn on_cancelled(&mut self) -> Order {
        let ending = if self.finished { Ending::Lingered } else { Ending::Cancelled };
        self.stop(ending)
    }

    fn on_deadline(&mut self) -> Order {
        match self.phase {
            Phase::Running => {
                let which = self.passed_deadline();
                self.stop(Ending::TimedOut { which })
            }
            Phase::Finishing { .. } => {
                // Late lines are welcome until the end, for some programs report usage after their last word.
                self.verdict.get_or_insert(Ending::Lingered);
                Order::Terminate
            }
            Phase::Draining { .. } => {
                self.drained = true;
                Order::Finish
            }
            Phase::Leaving { .. } => {
                self.phase = Phase::Abandoned { until: later(super::shim::KILLING) };
                Order::Abandon
            }
            Phase::Abandoned { .. } | Phase::Closing { .. } | Phase::Over => {
                self.phase = Phase::Over;
                Order::Nothing
            }
        }
    }

    fn clocks(&self) -> [(Option<Instant>, Deadline); 2] {
        let quiet = match (self.last_payload.or(self.first_output), self.limits.idle) {
            (Some(since), idle) => (since.checked_add(idle), Deadline::Idle),
            (None, _) => (self.started.checked_add(self.limits.first_output), Deadline::FirstOutput),
        };
        [quiet, (self.started.checked_add(self.limits.total), Deadline::Total)]
    }

    fn passed_deadline(&self) -> Deadline {
        let [quiet, total] = self.clocks();
        match (quiet.0, total.0) {
            (Some(first), Some(second)) if second <= first => Deadline::Total,
            (None, _) => Deadline::Total,
            _ => quiet.1,
        }
    }

    fn deadline(&self) -> Option<Instant> {
        match self.phase {
            Phase::Running => self.clocks().into_iter().filter_map(|(instant, _)| instant).min(),
            Phase::Finishing { until }
            | Phase::Draining { until }
            | Phase::Leaving { until }
            | Phase::Abandoned { until }
            | Phase::Closing { until } => Some(until),
            Phase::Over => None,
        }
    }

    fn wait(&self) -> Wait {
        Wait {
            deadline: self.deadline(),
            can_be_cancelled: matches!(self.phase, Phase::Running | Phase::Finishing { .. }),
            tree_is_gone: matches!(self.phase, Phase::Closing { .. }),
        }
    }

    /// Also ends a closing run whose pipe is being filled by somebody who escaped: reads come before the clock there.
    fn is_over(&self, pipes: &Pipes) -> bool {
        match self.phase {
            Phase::Over => true,
            Phase::Closing { until } => {
                let escaped = until.checked_add(self.limits.drain).is_some_and(|end| Instant::now() > end);
                escaped || !pipes.output_is_open()
            }
            _ => false,
        }
    }

    fn report(mut self) -> Report {
        // A pipe that somebody holds open has no end to deliver the last piece at.
        self.on_stdout_end();
        let ending = self.verdict.or(self.exit.map(Ending::from)).unwrap_or_else(|| lost(self.pid));
        Report {
            ending,
            exit: self.exit,
            finished: self.finished,
            pid: self.pid,
            stdout_bytes: self.stdout_bytes,
            stderr: self.stderr,
            ended_mid_line: self.ended_mid_line,
            stdin_taken: self.stdin_taken,
            first_output: self.first_output.map(|instant| instant - self.started),
            elapsed: self.started.elapsed(),
        }
    }
}

fn lost(pid: Option<u32>) -> Ending {
    match pid {
        Some(_) => Ending::Lost,
        None => Ending::StartFailed { error: "the shim ended before it started the program".to_owned() },
    }
}

/// Far enough in the future where the sum has no meaning.
fn later(duration: Duration) -> Instant {
    let now = Instant::now();
    now.checked_add(duration).unwrap_or_else(|| now + Duration::from_secs(1 << 30))
}

/// What the caller answered to the lines of one piece.
struct Answers {
    result: Result<(), Cut>,
    payload: bool,
    finished: bool,
    stopped: bool,
}

impl Answers {
    fn to(lines: &mut Lines, bytes: &[u8], on_line: &mut (dyn FnMut(Line<'_>) -> Flow + Send)) -> Self {
        let (mut payload, mut finished, mut stopped) = (false, false, false);
        let result = lines.push(bytes, &mut |line| {
            match on_line(line) {
                Flow::Continue => {}
                Flow::Payload => payload = true,
                Flow::Finished => finished = true,
                Flow::Stop => {
                    stopped = true;
                    return ControlFlow::Break(());
                }
            }
            ControlFlow::Continue(())
        });
        Self { result, payload, finished, stopped }
    }
}
