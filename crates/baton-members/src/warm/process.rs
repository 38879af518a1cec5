//! One process that stays: its task, its leash, and the way to it.

use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use baton_port::{Cancel, Caps};
use baton_process::{Flow, Input, InputClosed, Launcher, Limits, Line, Report, Stdin, Vitals};
use tokio::sync::{mpsc, oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep, sleep_until};

use super::gate::Place;
use super::{Start, Talk};

/// From the end of its input to TERM: a program that leaves by itself writes down what it still has.
const COURTESY: Duration = Duration::from_millis(500);
/// Bytes of standard error that are kept.
const STDERR: usize = 64 << 10;

/// What a process is to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Order {
    Work,
    /// Wait for a turn, until then.
    Rest(Instant),
    /// Leave by itself, or be ended.
    Leave,
    /// Be ended.
    Stop,
}

/// One line, as it came.
pub(super) struct Piece {
    pub(super) bytes: Vec<u8>,
    pub(super) terminated: bool,
}

impl Piece {
    /// Empty lines take room too.
    fn weight(&self) -> usize {
        self.bytes.len() + 1
    }
}

/// The process as its user sees it. Dropping it ends the process.
pub(super) struct Process {
    pub(super) talk: Box<dyn Talk>,
    pub(super) program: PathBuf,
    pub(super) secrets: Vec<Vec<u8>>,
    pub(super) vitals: Vitals,
    lines: mpsc::UnboundedReceiver<Piece>,
    shared: Arc<Shared>,
    orders: watch::Sender<Order>,
    report: oneshot::Receiver<Report>,
}

/// Between the process's task and its user.
struct Shared {
    /// Bytes that wait to be read.
    waiting: AtomicUsize,
    /// More waited than is allowed.
    flooded: AtomicBool,
    /// `None` once it is closed.
    input: Mutex<Option<Input>>,
}

impl Shared {
    fn close_input(&self) {
        self.input.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

impl Process {
    /// Starts it as one of `tasks`. `closing` ends it wherever it is.
    pub(super) fn start(
        start: Start,
        place: Place,
        caps: Caps,
        launcher: Launcher,
        tasks: &mut JoinSet<()>,
        closing: Cancel,
    ) -> Self {
        let Start { program, command, secrets, private, talk } = start;
        let (stdin, input) = Stdin::open();
        let vitals = place.vitals();
        let command = command.stdin(stdin).limits(limits(caps)).vitals(vitals.clone());
        let (orders, orders_seen) = watch::channel(Order::Work);
        let (line_sender, lines) = mpsc::unbounded_channel();
        let (report_sender, report) = oneshot::channel();
        let shared = Arc::new(Shared {
            waiting: AtomicUsize::new(0),
            flooded: AtomicBool::new(false),
            input: Mutex::new(Some(input)),
        });
        let theirs = shared.clone();
        tasks.spawn(async move {
            let leash = leash(orders_seen, theirs.clone(), closing);
            let mut deliver = |line: Line<'_>| deliver(line, &theirs, &line_sender, caps.total);
            let report = launcher.run(command, leash, &mut deliver).await;
            drop((private, place));
            // Nobody waits for it after a rest.
            let _ = report_sender.send(report);
        });
        Self { talk, program, secrets, vitals, lines, shared, orders, report }
    }

    pub(super) fn order(&self, order: Order) {
        self.orders.send_replace(order);
    }

    /// It cannot be used any more, whether it is gone already or not.
    pub(super) fn is_over(&self) -> bool {
        self.orders.is_closed()
    }

    pub(super) fn send(&self, bytes: Vec<u8>) -> Result<(), InputClosed> {
        let input = self.shared.input.lock().unwrap_or_else(PoisonError::into_inner);
        input.as_ref().ok_or(InputClosed)?.send(bytes)
    }

    /// The next line; `None` once it is gone and everything was read.
    pub(super) async fn line(&mut self) -> Option<Piece> {
        let piece = self.lines.recv().await?;
        self.shared.waiting.fetch_sub(piece.weight(), Ordering::AcqRel);
        Some(piece)
    }

    /// A line that waits already.
    pub(super) fn waiting_line(&mut self) -> Option<Piece> {
        let piece = self.lines.try_recv().ok()?;
        self.shared.waiting.fetch_sub(piece.weight(), Ordering::AcqRel);
        Some(piece)
    }

    pub(super) fn flooded(&self) -> bool {
        self.shared.flooded.load(Ordering::Acquire)
    }

    /// Ends it and waits until nothing of it is left. `None` when the runtime ended its task.
    pub(super) async fn end(&mut self, order: Order) -> Option<Report> {
        self.order(order);
        (&mut self.report).await.ok()
    }
}

/// A process that stays has no limits of its own: each turn has.
fn limits(caps: Caps) -> Limits {
    Limits {
        first_output: Limits::UNLIMITED,
        idle: Limits::UNLIMITED,
        total: Limits::UNLIMITED,
        stdout_bytes: usize::MAX,
        line_bytes: caps.line,
        stderr_bytes: STDERR,
        ..Limits::default()
    }
}

fn deliver(line: Line<'_>, shared: &Shared, lines: &mpsc::UnboundedSender<Piece>, most: usize) -> Flow {
    let piece = Piece { bytes: line.bytes.to_vec(), terminated: line.terminated };
    let waiting = shared.waiting.fetch_add(piece.weight(), Ordering::AcqRel);
    if waiting.saturating_add(piece.weight()) > most {
        shared.flooded.store(true, Ordering::Release);
        return Flow::Stop;
    }
    match lines.send(piece) {
        Ok(()) => Flow::Payload,
        Err(_) => Flow::Continue,
    }
}

/// Ends when the process is to be ended.
async fn leash(mut orders: watch::Receiver<Order>, shared: Arc<Shared>, closing: Cancel) {
    loop {
        let order = *orders.borrow_and_update();
        let rest_ends = match order {
            Order::Work => None,
            Order::Rest(until) => Some(until),
            Order::Leave => break,
            Order::Stop => return,
        };
        tokio::select! {
            changed = orders.changed() => {
                if changed.is_err() {
                    return;
                }
            }
            () = closing.requested() => break,
            () = until(rest_ends) => break,
        }
    }
    drop(orders);
    shared.close_input();
    sleep(COURTESY).await;
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
