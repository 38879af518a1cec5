//! The live view: the rounds of a run, in each one line a seat, and the result. Redrawn in place on a terminal, plain
//! lines elsewhere.

use std::collections::{BTreeSet, HashMap};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use baton_core::evidence::CheckResult;
use baton_core::ids::{MemberId, RunId, StepId};
use baton_core::outcome::Outcome;
use baton_core::run::{Event, RunState, Stamped, Status, Step, Work};
use baton_core::text::one_line;
use baton_core::units::Timestamp;
use baton_engine::Observer;
use baton_port::Progress;
use indicatif::{MultiProgress, ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::page::Page;
use super::unfilled::Unfilled;
use super::{decision, style, words};

/// As often as `indicatif` draws on a terminal of its own.
const DRAWN_A_SECOND: u8 = 20;

/// Shows a run while it goes on, on standard error.
pub(crate) struct Live {
    bars: MultiProgress,
    lines: Mutex<HashMap<StepId, Line>>,
    /// The rounds that have their heading.
    rounds: Mutex<BTreeSet<(usize, u32, Option<String>)>>,
    last_standing: Mutex<Vec<(String, String)>>,
    terminal: bool,
    quiet: bool,
}

struct Line {
    bar: ProgressBar,
    bytes: usize,
}

impl Live {
    pub(crate) fn new(quiet: bool) -> Self {
        let screen = Unfilled::stderr();
        let terminal = !quiet && screen.is_terminal();
        let target = if terminal {
            ProgressDrawTarget::term_like_with_hz(Box::new(screen), DRAWN_A_SECOND)
        } else {
            ProgressDrawTarget::hidden()
        };
        Self {
            bars: MultiProgress::with_draw_target(target),
            lines: Mutex::default(),
            rounds: Mutex::default(),
            last_standing: Mutex::default(),
            terminal,
            quiet,
        }
    }

    /// A paragraph above the seats that are still at work; one line where no terminal is, to be searched by line.
    fn say(&self, lead: &str, text: &str) {
        if !self.terminal {
            if !self.quiet {
                super::note(&format!("{lead}{text}"));
            }
            return;
        }
        let mut page = Page::new(super::note_width());
        page.paragraph(lead, 4, text);
        let text = page.into_text();
        if self.lines.lock().unwrap_or_else(PoisonError::into_inner).is_empty() {
            // With nothing to redraw below it, a line drawn by the bars would stay without an end.
            super::note(text.trim_end());
        } else {
            // A screen that cannot be drawn must not end the run.
            let _ = self.bars.println(text.trim_end());
        }
    }

    /// The heading of a step's round, before the first step of it.
    fn heading(&self, state: &RunState, step: StepId) {
        let Some((word, claim)) = words::round(state, step).filter(|_| has_rounds(state)) else { return };
        let Some(step) = state.step(step) else { return };
        let mut rounds = self.rounds.lock().unwrap_or_else(PoisonError::into_inner);
        if rounds.insert((step.node, step.round, claim.clone())) {
            let about = claim.map_or(String::new(), |claim| format!(", {}: {claim}", words::part(state, step)));
            self.say("", &format!("{}{about}", style::strong(word)));
        }
    }

    /// How it stands after a round; once only where a further round changed nothing.
    fn decided(&self, state: &RunState) {
        if state.decision.is_none() || !has_rounds(state) {
            return;
        }
        let said = standing_painted(state);
        let mut last = self.last_standing.lock().unwrap_or_else(PoisonError::into_inner);
        if *last == said {
            return;
        }
        for (lead, text) in &said {
            self.say(lead, text);
        }
        *last = said;
    }

    fn with_line(&self, step: StepId, change: impl FnOnce(&mut Line)) {
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(line) = lines.get_mut(&step) {
            change(line);
        }
    }

    fn begin(&self, step: StepId, label: String) {
        if !self.terminal {
            self.say("  · ", &format!("{label} asked"));
        }
        let bar = self.bars.add(ProgressBar::new_spinner());
        let template = ProgressStyle::with_template("  {spinner} {prefix} {elapsed:>4}  {wide_msg}");
        if let Ok(template) = template {
            bar.set_style(template.tick_chars("⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏ "));
        }
        bar.set_prefix(label);
        bar.set_message("starting");
        if self.terminal {
            bar.enable_steady_tick(Duration::from_millis(120));
        }
        let mut lines = self.lines.lock().unwrap_or_else(PoisonError::into_inner);
        lines.insert(step, Line { bar, bytes: 0 });
    }

    fn end(&self, state: &RunState, step: &Step, at: Timestamp, outcome: &Outcome, detail: &str) {
        if let Some(line) = self.lines.lock().unwrap_or_else(PoisonError::into_inner).remove(&step.id) {
            line.bar.finish_and_clear();
        }
        let (sign, text) = ended(state, step, at, outcome, detail);
        self.say(&format!("  {sign} "), &text);
    }
}

/// A workflow that asks once is a conversation with one member: it has no rounds and nothing to be decided.
fn has_rounds(state: &RunState) -> bool {
    use baton_core::workflow::{Act, Who};
    let asks = |act: &Act| matches!(act, Act::Ask { who, .. } if *who != Who::Lead) || *act == Act::Check;
    state.inputs.as_ref().is_some_and(|inputs| inputs.workflow.nodes.iter().any(|node| asks(&node.act)))
}

/// The lines that say how a run stands: the lead of each and its text.
fn standing_painted(state: &RunState) -> Vec<(String, String)> {
    let Some(decision) = &state.decision else { return Vec::new() };
    let result = decision::in_short(decision);
    let line = |word: &str| (String::new(), format!("{} {result}", style::strong(word)));
    match state.status {
        Status::Decided | Status::Cancelled => vec![line("decided")],
        Status::Waiting { .. } => {
            vec![line("so far"), (format!("{} ", style::warn("!")), "waits for a person".to_owned())]
        }
        Status::Open => vec![line("so far")],
    }
}

/// How a run stands, for programs: without colour.
pub(crate) fn standing(state: &RunState) -> Vec<String> {
    let plain = |text: &str| anstream::adapter::strip_str(text).to_string();
    standing_painted(state).iter().map(|(_, text)| plain(text)).collect()
}

/// How a turn ended, for programs: without colour or columns.
pub(crate) fn ended_plainly(state: &RunState, step: &Step, at: Timestamp, outcome: &Outcome, detail: &str) -> String {
    let (_, text) = ended(state, step, at, outcome, detail);
    let plain = anstream::adapter::strip_str(&text).to_string();
    plain.split_whitespace().collect::<Vec<_>>().join(" ")
}

/// A sign, and how a turn ended.
fn ended(state: &RunState, step: &Step, at: Timestamp, outcome: &Outcome, detail: &str) -> (String, String) {
    let attempt = step.attempts.last();
    let asked = attempt.map_or(step.member.as_str(), |attempt| attempt.member.as_str());
    let label = format!("{:14} {:10}", asked, words::part(state, step));
    let took = attempt.map_or(String::new(), |attempt| style::duration(at.millis_since(attempt.started)));
    if !outcome.is_ok() {
        let detail = if detail.is_empty() || detail == outcome.label() {
            String::new()
        } else {
            format!(": {}", one_line(detail, 100))
        };
        let follows = attempt.is_some_and(|attempt| attempt.member != step.member) && !step.status.is_over();
        let follower = if follows { format!("; {} takes over", step.member) } else { String::new() };
        return (style::bad("✗"), format!("{label} {} after {took}{detail}{follower}", outcome.label()));
    }
    if let Some(evidence) = &step.evidence {
        let word = words::outcome(step, &evidence.result);
        let result = match evidence.result {
            CheckResult::Passed => style::good(word),
            CheckResult::Failed => style::bad(word),
            CheckResult::Abstained { .. } => style::warn(word),
        };
        return (sign(step, &evidence.result), format!("{label} {result} after {took}"));
    }
    let payer = attempt.map_or("unknown", |attempt| super::turns::payer(state, attempt).as_str());
    let cost = match attempt.and_then(|attempt| attempt.cost) {
        Some(cost) => format!(", {cost} ({payer})"),
        None => format!(", cost unknown ({payer})"),
    };
    (style::good("✓"), format!("{label} answered in {took}{cost}"))
}

/// A test of a claim has done its work however it ends.
fn sign(step: &Step, result: &CheckResult) -> String {
    match result {
        _ if matches!(step.work, Work::Reproduce { .. }) => style::good("✓"),
        CheckResult::Passed => style::good("✓"),
        CheckResult::Failed => style::bad("✗"),
        CheckResult::Abstained { .. } => style::warn("!"),
    }
}

impl Observer for Live {
    fn begun(&self, run: &RunId) {
        self.say("", &style::dim(&format!("run {}", run.short())));
    }

    fn event(&self, stamped: &Stamped, state: &RunState) {
        match &stamped.event {
            Event::StepStarted { step, member, .. } => {
                self.heading(state, *step);
                let part = state.step(*step).map_or(String::new(), |step| words::part(state, step));
                self.begin(*step, format!("{member:14} {part:10}"));
            }
            Event::StepFinished { step, report, .. } => {
                if let Some(step) = state.step(*step) {
                    self.end(state, step, stamped.at, &report.outcome, &report.detail);
                }
            }
            Event::StepInDoubt { step, .. } => {
                if let Some(step) = state.step(*step) {
                    self.end(
                        state,
                        step,
                        stamped.at,
                        &Outcome::InDoubt,
                        "asked when the last process ended; asking again",
                    );
                }
            }
            Event::CancelRequested => self.say("  ", "stopping"),
            Event::Decided(_) => self.decided(state),
            Event::Submitted(_)
            | Event::OpinionRead { .. }
            | Event::EvidenceRecorded { .. }
            | Event::TimerFired { .. }
            | Event::PersonAnswered { .. }
            | Event::Overridden { .. } => {}
        }
    }

    fn progress(&self, step: StepId, _member: &MemberId, progress: &Progress) {
        self.with_line(step, |line| match progress {
            Progress::Started => line.bar.set_message("asked"),
            Progress::Thinking => line.bar.set_message("thinking"),
            Progress::Doing(what) => line.bar.set_message(one_line(what, 60)),
            Progress::Text { bytes } => {
                line.bytes += bytes;
                line.bar.set_message(format!("answering, {:.1} KB", line.bytes as f64 / 1024.0));
            }
        });
    }
}
