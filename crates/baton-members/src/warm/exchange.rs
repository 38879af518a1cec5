//! One turn with a process that stays.

use std::time::Duration;

use baton_core::outcome::{Deadline, Outcome};
use baton_port::{Cancel, Deadlines, Progress, Turn, TurnRequest};
use baton_process::{Ending, Flow, Report};
use tokio::time::{Instant, sleep_until};

use super::process::{Order, Piece, Process};
use crate::cli::oneshot::{complete, how_it_ended, our_end};
use crate::cli::{End, words};

/// From the wish to stop, told to the program, to the end of its process.
const GRACE: Duration = Duration::from_secs(2);

/// How a turn with a process ended.
pub(super) enum Ended {
    /// The turn is over; the process is fit for another one.
    Fit(Turn),
    /// The turn is over, and so is the process.
    Over(Turn),
    /// The process was gone before one byte of the turn was taken by its pipe; the turn as it is if nobody asks again.
    NotSent(Turn),
}

/// What ended the lines of a turn.
enum Last {
    /// The program said its last word.
    Finished,
    /// A line after which no other is wanted.
    Cut,
    Limit(Outcome, String),
    Cancelled,
    /// No more lines will come.
    Gone,
    /// As before, because baton ends.
    Closed,
}

/// Asks `first` and reads to the end of the turn. A process that is not fit afterwards is gone when this returns.
pub(super) async fn turn(process: &mut Process, request: &TurnRequest, first: Vec<u8>, closing: &Cancel) -> Ended {
    let taken = process.vitals.input_taken();
    request.progress.report(Progress::Started);
    // A process that takes no more input is heard by the end of its lines.
    let _ = process.send(first);
    let mut received = Received::default();
    let last = match read(process, request, &mut received).await {
        Last::Gone if closing.is_requested() => Last::Closed,
        last => last,
    };
    if matches!(last, Last::Finished) {
        let turn = process.talk.finish(End { ending: &Ending::Exited { code: 0 }, stderr: "" });
        if turn.outcome.is_ok() && !process.is_over() {
            return Ended::Fit(completed(process, turn, received, None));
        }
    }
    let Some(report) = process.end(Order::Stop).await else {
        let turn = process.talk.unfinished(Outcome::Crashed, "its task was ended");
        return Ended::Over(completed(process, turn, received, None));
    };
    let not_sent = matches!(last, Last::Gone) && process.vitals.input_taken() == taken;
    while let Some(piece) = process.waiting_line() {
        received.take(&piece, request.caps.total);
    }
    let turn = failed(process, last, &report);
    let turn = completed(process, turn, received, Some(&report));
    if not_sent { Ended::NotSent(turn) } else { Ended::Over(turn) }
}

/// What waits from before the turn is no part of it.
pub(super) fn forget_what_waits(process: &mut Process) {
    while process.waiting_line().is_some() {}
}

fn failed(process: &Process, last: Last, report: &Report) -> Turn {
    let talk = &process.talk;
    let stderr = report.stderr.text();
    match last {
        _ if process.flooded() => talk.unfinished(Outcome::TooMuchOutput, "wrote more than allowed and was stopped"),
        Last::Cancelled => talk.unfinished(Outcome::Cancelled, "was cancelled"),
        Last::Limit(outcome, detail) => {
            let complaint = words::complaint(&stderr);
            let because = if complaint.is_empty() { detail } else { format!("{detail}: {complaint}") };
            talk.unfinished(outcome, &words::detail(&because))
        }
        Last::Closed => talk.unfinished(Outcome::Cancelled, "was stopped, because baton ends"),
        // It had rested for too long; nobody cancelled this turn.
        Last::Gone if report.ending == Ending::Cancelled => talk.unfinished(Outcome::Crashed, "was already leaving"),
        Last::Gone => match our_end(report) {
            Some((outcome, detail)) => talk.unfinished(outcome, &detail),
            None => talk.finish(End { ending: &report.ending, stderr: &stderr }),
        },
        Last::Finished | Last::Cut => talk.finish(End { ending: &Ending::Stopped, stderr: &stderr }),
    }
}

fn completed(process: &Process, mut turn: Turn, received: Received, report: Option<&Report>) -> Turn {
    complete(&mut turn, &process.program, received.bytes, report, &process.secrets);
    turn.transcript.cut |= received.cut;
    turn
}

/// All bytes of a turn, up to the cap.
#[derive(Default)]
struct Received {
    bytes: Vec<u8>,
    cut: bool,
}

impl Received {
    /// False when it is more than allowed.
    fn take(&mut self, piece: &Piece, most: usize) -> bool {
        let room = most.saturating_sub(self.bytes.len());
        self.cut |= piece.bytes.len() > room;
        self.bytes.extend_from_slice(piece.bytes.get(..room).unwrap_or(&piece.bytes));
        if piece.terminated && !self.cut {
            self.bytes.push(b'\n');
        }
        !self.cut
    }
}

async fn read(process: &mut Process, request: &TurnRequest, received: &mut Received) -> Last {
    let mut watch = Watch::new(request.deadlines);
    let mut grace: Option<Instant> = None;
    loop {
        let (deadline, which) = watch.next();
        tokio::select! {
            piece = process.line() => {
                let Some(piece) = piece else {
                    return if grace.is_some() { Last::Cancelled } else { Last::Gone };
                };
                if let Some(last) = take(process, &piece, request, received, &mut watch) {
                    return if grace.is_some() { Last::Cancelled } else { last };
                }
            }
            () = request.cancel.requested(), if grace.is_none() => {
                let Some(wish) = process.talk.cancel() else { return Last::Cancelled };
                let _ = process.send(wish);
                grace = Some(Instant::now() + GRACE);
            }
            () = until(grace), if grace.is_some() => return Last::Cancelled,
            () = until(deadline) => {
                let ending = Ending::TimedOut { which: process_deadline(which) };
                return Last::Limit(Outcome::TimedOut { deadline: which }, how_it_ended(&ending));
            }
        }
    }
}

fn take(
    process: &mut Process,
    piece: &Piece,
    request: &TurnRequest,
    received: &mut Received,
    watch: &mut Watch,
) -> Option<Last> {
    watch.first.get_or_insert_with(Instant::now);
    if !received.take(piece, request.caps.total) {
        return Some(Last::Limit(Outcome::TooMuchOutput, "wrote more than allowed and was stopped".to_owned()));
    }
    let reply = process.talk.line(&piece.bytes);
    if !reply.send.is_empty() {
        let _ = process.send(reply.send);
    }
    reply.progress.into_iter().for_each(|progress| request.progress.report(progress));
    match reply.flow {
        Flow::Finished => return Some(Last::Finished),
        Flow::Stop => return Some(Last::Cut),
        Flow::Payload => watch.payload = Some(Instant::now()),
        Flow::Continue => {}
    }
    None
}

/// The clocks of a turn, as [`baton_process::Limits`] has them for a whole run.
struct Watch {
    deadlines: Deadlines,
    started: Instant,
    first: Option<Instant>,
    payload: Option<Instant>,
}

impl Watch {
    fn new(deadlines: Deadlines) -> Self {
        Self { deadlines, started: Instant::now(), first: None, payload: None }
    }

    fn next(&self) -> (Option<Instant>, Deadline) {
        let total = self.started.checked_add(self.deadlines.total);
        let (quiet, which) = match self.payload.or(self.first) {
            Some(since) => (since.checked_add(self.deadlines.idle), Deadline::Idle),
            None => (self.started.checked_add(self.deadlines.first_event), Deadline::FirstEvent),
        };
        match (quiet, total) {
            (Some(quiet), Some(total)) if total <= quiet => (Some(total), Deadline::Total),
            (None, total) => (total, Deadline::Total),
            (quiet, _) => (quiet, which),
        }
    }
}

fn process_deadline(deadline: Deadline) -> baton_process::Deadline {
    match deadline {
        Deadline::FirstEvent => baton_process::Deadline::FirstOutput,
        Deadline::Idle => baton_process::Deadline::Idle,
        Deadline::Total => baton_process::Deadline::Total,
    }
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => sleep_until(instant).await,
        None => std::future::pending().await,
    }
}
