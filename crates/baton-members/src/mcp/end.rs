//! What a talk that ended without a result means. Pure.

use baton_core::outcome::{Deadline, Outcome};
use baton_process::Ending;

use super::process::Ran;
use super::remote::Trouble;
use super::talk::{Ended, Said};
use crate::cli::heard::{NOISE, cut_short};
use crate::cli::oneshot::{how_it_ended, our_end};
use crate::cli::words;
use crate::http::watch::Stop;

/// The tools of a server that are named where the wanted one is missing.
const MOST_NAMED: usize = 12;

/// Codes of JSON-RPC for a request that is wrong in itself.
const WRONG: std::ops::RangeInclusive<i32> = -32_602..=-32_600;

/// The class and the reason after a server was started. For a result there is none yet: `Ok`.
pub(super) fn of_process(ran: &Ran) -> (Outcome, String) {
    let stderr = ran.report.stderr.text();
    match &ran.said.ended {
        Ended::Closed => closed(ran, &stderr),
        Ended::Stopped(Stop::TimedOut(Deadline::FirstEvent)) => {
            let outcome = Stop::TimedOut(Deadline::FirstEvent).outcome();
            (outcome, slow_start(ran.heard.others, &words::complaint(&stderr)))
        }
        ended => of_talk(ended, &ran.said),
    }
}

/// The same after a server was visited at `url`.
pub(super) fn of_visit(said: &Said, trouble: Option<&Trouble>, url: &str) -> (Outcome, String) {
    match (&said.ended, trouble) {
        (Ended::Closed, Some(trouble)) => of_trouble(trouble, url),
        (Ended::Closed, None) => (Outcome::Crashed, "the server ended the conversation".to_owned()),
        (ended, _) => of_talk(ended, said),
    }
}

fn of_talk(ended: &Ended, said: &Said) -> (Outcome, String) {
    match ended {
        Ended::Listed | Ended::Answered(_) => (Outcome::Ok, String::new()),
        Ended::NoSuchTool => (Outcome::Rejected, format!("the server has no such tool; it has {}", named(&said.tools))),
        Ended::Refused { code, message } => {
            let otherwise = if WRONG.contains(code) { Outcome::Rejected } else { Outcome::Crashed };
            let detail = if message.trim().is_empty() { "the server gives an error without a reason" } else { message };
            (words::class(None, message).unwrap_or(otherwise), words::detail(detail))
        }
        Ended::Unreadable(because) => (Outcome::Unreadable, words::detail(because)),
        Ended::Closed => (Outcome::Crashed, "the server ended the conversation".to_owned()),
        Ended::Stopped(stop) => (stop.outcome(), stopped(*stop).to_owned()),
    }
}

fn stopped(stop: Stop) -> &'static str {
    match stop {
        Stop::Cancelled => "was cancelled",
        Stop::TimedOut(Deadline::FirstEvent) => "the server did not greet us in time",
        Stop::TimedOut(Deadline::Idle) => "the server fell silent",
        Stop::TimedOut(Deadline::Total) => "the tool took too long",
    }
}

fn named(tools: &[String]) -> String {
    if tools.is_empty() {
        return "none".to_owned();
    }
    let mut names: Vec<&str> = tools.iter().take(MOST_NAMED).map(String::as_str).collect();
    if tools.len() > MOST_NAMED {
        names.push("…");
    }
    words::detail(&names.join(", "))
}

fn slow_start(other_lines: usize, complaint: &str) -> String {
    let noise =
        if other_lines > 0 { format!("; it wrote {other_lines} lines that are no messages") } else { String::new() };
    let said = if complaint.is_empty() { String::new() } else { format!("; it says: {complaint}") };
    let mend = "a first start may download packages: start it once by hand, or raise `start_s`";
    words::detail(&format!("the server did not greet us in time{noise}{said}; {mend}"))
}

/// The server's process ended, or took no more input, before its answer.
fn closed(ran: &Ran, stderr: &str) -> (Outcome, String) {
    let complaint = words::complaint(stderr);
    match our_end(&ran.report) {
        // Stopping it was our wish, after it took no more of our words.
        Some((Outcome::Cancelled, _)) | None => {}
        Some(end) => return end,
    }
    if let Some(outcome) = words::class(None, &complaint) {
        return (outcome, complaint);
    }
    if ran.heard.is_noise() {
        return (Outcome::Unreadable, NOISE.to_owned());
    }
    let ended = match &ran.report.ending {
        Ending::Cancelled => "took no more input".to_owned(),
        ending => how_it_ended(ending),
    };
    (Outcome::Crashed, cut_short("no answer; the server", &ended, &complaint))
}

fn of_trouble(trouble: &Trouble, url: &str) -> (Outcome, String) {
    let (outcome, detail) = match trouble {
        Trouble::NotThere => (Outcome::NotInstalled, format!("no server answers at {url}: is it the right port?")),
        Trouble::Status { status: 404 | 405, .. } => {
            (Outcome::NotInstalled, format!("there is no such server at {url}: is it the right path?"))
        }
        Trouble::Status { status, body } => {
            let outcome = words::class(Some(*status), body).unwrap_or(Outcome::Crashed);
            let said = if body.trim_start().starts_with('<') { "" } else { body.trim() };
            (outcome, format!("the server answers with status {status} {said}"))
        }
        Trouble::NoMessage(because) => (Outcome::Unreadable, because.clone()),
        Trouble::BrokenOff => (Outcome::Crashed, "the server's answer broke off".to_owned()),
        Trouble::TooMuch => (Outcome::TooMuchOutput, "the server sent more than allowed".to_owned()),
    };
    (outcome, words::detail(&detail))
}
