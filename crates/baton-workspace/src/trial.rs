//! Trying one patch: a copy of the user's repository, the patch applied, the user's checks run in the sandbox.
//!
//! A turn's prompt is the diff. Its answer is the diff as git writes it once it is applied; where nothing could be tried,
//! the diff as it came. Its evidence says whether it applies and how each check ended with it. A turn is good whenever
//! that could be told, a patch that does not apply included. Where no check failed the user's probes are run as well.

use std::collections::BTreeMap;
use std::sync::Arc;

use baton_core::evidence::{self, CheckResult, Fit, Probe, Trial, TrialCheck};
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::text::one_line;
use baton_port::{Availability, BoxFuture, Channel, Progress, Transcript, Turn, TurnRequest};

use crate::command::{self, CheckCommand, Ended, Run};
use crate::probe;
use crate::worktree::{Applied, Worktree};
use crate::{Workshop, WorkspaceError};

/// The setting that holds the commands.
pub(crate) const CHECKS: &str = "checks";

const PROBES: &str = "probes";

/// The settings of a member that tries patches with these checks and probes, in this order, or that runs tests with the
/// first check.
///
/// # Errors
/// When they cannot be written as JSON, which no commands are.
pub fn settings(checks: &[CheckCommand], probes: &[CheckCommand]) -> Result<BTreeMap<String, String>, String> {
    let list = |commands: &[CheckCommand]| serde_json::to_string(commands).map_err(|error| error.to_string());
    let mut settings = BTreeMap::from([(CHECKS.to_owned(), list(checks)?)]);
    if !probes.is_empty() {
        settings.insert(PROBES.to_owned(), list(probes)?);
    }
    Ok(settings)
}

/// Tries patches; see the module's documentation.
#[derive(Debug)]
pub struct TrialChannel {
    checks: Vec<CheckCommand>,
    probes: Vec<CheckCommand>,
    workshop: Arc<Workshop>,
}

/// What came of one check, and all that it wrote.
struct Ran {
    check: TrialCheck,
    places: Vec<evidence::Place>,
    text: String,
}

impl TrialChannel {
    pub(crate) fn new(member: &Member, workshop: Arc<Workshop>) -> Result<Self, String> {
        let list = |key: &str| {
            let text = member.channel.settings.get(key).map_or("[]", String::as_str);
            serde_json::from_str(text).map_err(|error| format!("`{key}` is no list of commands: {error}"))
        };
        Ok(Self { checks: list(CHECKS)?, probes: list(PROBES)?, workshop })
    }

    async fn attempt(&self, request: &TurnRequest) -> Turn {
        request.progress.report(Progress::Started);
        match self.applied(request).await {
            Ok((_, Applied::No { because })) => {
                told(Fit::No { because: one_line(&because, 300) }, Vec::new(), Vec::new(), None)
            }
            Ok((worktree, Applied::Yes { diff })) => {
                let ran = self.check(&worktree, request).await;
                let probes = self.probe(&ran, &worktree, request).await;
                if request.cancel.is_requested() {
                    return Turn::failed(Outcome::Cancelled, "cancelled while the checks ran");
                }
                told(Fit::Yes, ran, probes, Some(diff))
            }
            Err(WorkspaceError::Cancelled) => Turn::failed(Outcome::Cancelled, "cancelled before it was applied"),
            Err(error) => {
                let because = format!("{error}; nothing was run");
                told(Fit::Unknown { because }, Vec::new(), Vec::new(), Some(request.prompt.clone()))
            }
        }
    }

    async fn applied(&self, request: &TurnRequest) -> Result<(Worktree, Applied), WorkspaceError> {
        let shop = &*self.workshop;
        let worktree =
            Worktree::make(&request.directory, &shop.folder, &shop.launcher, &shop.variables, &request.cancel).await?;
        let applied = worktree.apply(&request.prompt).await?;
        Ok((worktree, applied))
    }

    async fn check(&self, worktree: &Worktree, request: &TurnRequest) -> Vec<Ran> {
        let mut all = Vec::with_capacity(self.checks.len());
        for check in &self.checks {
            request.progress.report(Progress::Doing(one_line(&check.shown(), 80)));
            all.push(ended(check, command::run(&self.workshop, check, worktree, request).await));
        }
        all
    }

    /// What is broken need not be compared.
    async fn probe(&self, ran: &[Ran], worktree: &Worktree, request: &TurnRequest) -> Vec<Probe> {
        let failed = ran.iter().any(|one| one.check.result == CheckResult::Failed);
        if failed || self.probes.is_empty() || request.cancel.is_requested() {
            return Vec::new();
        }
        let Ok(sandbox) = self.workshop.sandbox().await else { return Vec::new() };
        let workshop = &*self.workshop;
        let (cancel, most_bytes) = (&request.cancel, request.caps.total);
        let place = probe::Place { workshop, sandbox, worktree, cancel, most_bytes };
        probe::look(&self.probes, &place, &*request.progress).await
    }
}

fn ended(check: &CheckCommand, run: Run) -> Ran {
    let text = run.text;
    match run.ended {
        Ended::Passed => ran(check, CheckResult::Passed, text),
        Ended::Failed => ran(check, CheckResult::Failed, text),
        // A patch that makes a check hang or flood has broken it; the check by itself does neither.
        Ended::Stopped(because) => ran(check, CheckResult::Failed, format!("{text}\nfailed: {because}")),
        Ended::Silent(because) => ran(check, CheckResult::Abstained { reason: one_line(&because, 300) }, text),
    }
}

fn ran(check: &CheckCommand, result: CheckResult, text: String) -> Ran {
    let read = evidence::read(result, &check.shown(), &text);
    let check =
        TrialCheck { check: check.id.clone(), result: read.result, command: read.command, summary: read.summary };
    Ran { check, places: read.places, text }
}

/// The turn that tells of a trial.
fn told(fit: Fit, ran: Vec<Ran>, probes: Vec<Probe>, diff: Option<String>) -> Turn {
    let has = |wanted: &CheckResult| ran.iter().any(|one| one.check.result == *wanted);
    let result = match &fit {
        Fit::No { .. } => CheckResult::Failed,
        Fit::Unknown { because } => CheckResult::Abstained { reason: because.clone() },
        Fit::Yes if has(&CheckResult::Failed) => CheckResult::Failed,
        Fit::Yes if has(&CheckResult::Passed) => CheckResult::Passed,
        Fit::Yes => CheckResult::Abstained { reason: "no check says anything".into() },
    };
    let mut transcript: String = ran.iter().map(|one| format!("$ {}\n{}\n", one.check.command, one.text)).collect();
    let mut evidence = evidence::read(result, "git apply", &transcript);
    for probe in &probes {
        let shown = probe.shown().map_or_else(|| probe.because().unwrap_or_default(), |shown| shown.output.as_str());
        transcript.push_str(&format!("$ {}\n{shown}\n", probe.command));
    }
    evidence.places = ran.iter().flat_map(|one| one.places.clone()).collect();
    evidence.trial = Some(Trial { fit, checks: ran.into_iter().map(|one| one.check).collect(), probes });
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.text = diff;
    turn.evidence = Some(evidence);
    turn.transcript = Transcript { bytes: transcript.into_bytes(), cut: false };
    turn
}

impl Channel for TrialChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(self.workshop.availability())
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.attempt(request))
    }
}
