//! Trying one patch: a copy of the user's repository, the patch applied, the user's checks run in the sandbox.
//!
//! A turn's prompt is the diff. Its answer is the diff as git writes it once it is applied; where nothing could be tried,
//! the diff as it came. Its evidence says whether it applies and how each check ended with it. A turn is good whenever
//! that could be told, a patch that does not apply included.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::sync::Arc;
use std::time::Duration;

use baton_core::evidence::{self, CheckResult, Fit, Trial, TrialCheck};
use baton_core::ids::MemberId;
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::text::one_line;
use baton_port::{Availability, BoxFuture, Cancel, Channel, Progress, Transcript, Turn, TurnRequest};
use baton_process::{Ending, Limits, Report, find_program};
use serde::{Deserialize, Serialize};

use crate::sandbox::{Room, Sandbox};
use crate::worktree::{Applied, Worktree};
use crate::{Workshop, WorkspaceError};

/// One of the user's checks, as it is run with a patch.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct CheckCommand {
    pub id: MemberId,
    /// A name to be found on the `PATH` or an absolute path, then its arguments. No shell is involved.
    pub words: Vec<String>,
    pub total_ms: u64,
}

impl CheckCommand {
    fn shown(&self) -> String {
        self.words.join(" ")
    }
}

const CHECKS: &str = "checks";
/// How a build tool says that it failed only because it has no network.
const NEEDED_NETWORK: &[&str] = &["you're using offline mode", "but --offline was specified"];

/// The settings of a member that tries patches with these checks, in this order.
///
/// # Errors
/// When they cannot be written as JSON, which no checks are.
pub fn settings(checks: &[CheckCommand]) -> Result<BTreeMap<String, String>, String> {
    let list = serde_json::to_string(checks).map_err(|error| error.to_string())?;
    Ok(BTreeMap::from([(CHECKS.to_owned(), list)]))
}

/// Tries patches; see the module's documentation.
#[derive(Debug)]
pub struct TrialChannel {
    checks: Vec<CheckCommand>,
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
        let list = member.channel.settings.get(CHECKS).map_or("[]", String::as_str);
        let checks = serde_json::from_str(list).map_err(|error| format!("`{CHECKS}` is no list of checks: {error}"))?;
        Ok(Self { checks, workshop })
    }

    async fn attempt(&self, request: &TurnRequest) -> Turn {
        request.progress.report(Progress::Started);
        match self.applied(request).await {
            Ok((_, Applied::No { because })) => told(Fit::No { because: one_line(&because, 300) }, Vec::new(), None),
            Ok((worktree, Applied::Yes { diff })) => {
                let ran = self.check(&worktree, request).await;
                if request.cancel.is_requested() {
                    return Turn::failed(Outcome::Cancelled, "cancelled while the checks ran");
                }
                told(Fit::Yes, ran, Some(diff))
            }
            Err(WorkspaceError::Cancelled) => Turn::failed(Outcome::Cancelled, "cancelled before it was applied"),
            Err(error) => {
                let because = format!("{error}; nothing was run");
                told(Fit::Unknown { because }, Vec::new(), Some(request.prompt.clone()))
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
            all.push(match self.workshop.sandbox().await {
                Ok(sandbox) => self.run(check, sandbox, worktree, &request.cancel, request.caps.total).await,
                Err(because) => {
                    let reason = format!("there is no sandbox here ({because}), so this was shown and not run");
                    abstained(check, &reason, String::new())
                }
            });
        }
        all
    }

    async fn run(
        &self,
        check: &CheckCommand,
        sandbox: &Sandbox,
        worktree: &Worktree,
        cancel: &Cancel,
        most_bytes: usize,
    ) -> Ran {
        let Some((name, arguments)) = check.words.split_first() else {
            return abstained(check, "it names no program", String::new());
        };
        let Some(program) = find_program(name, self.workshop.path()) else {
            return abstained(check, &format!("the program `{name}` is not on the PATH"), String::new());
        };
        let arguments: Vec<OsString> = arguments.iter().map(OsString::from).collect();
        let command = worktree.private().map_err(|error| error.to_string()).and_then(|private| {
            let room = Room { tree: worktree.tree(), private: &private, start: worktree.directory() };
            sandbox.command(&program, &arguments, &room)
        });
        let command = match command {
            Ok(command) => command.limits(limits(check, most_bytes)),
            Err(because) => return abstained(check, &because, String::new()),
        };
        let (report, output) = self.workshop.launcher.output(command, cancel.requested()).await;
        ended(check, &report, &output)
    }
}

fn limits(check: &CheckCommand, most_bytes: usize) -> Limits {
    Limits {
        first_output: Limits::UNLIMITED,
        idle: Limits::UNLIMITED,
        total: Duration::from_millis(check.total_ms),
        stdout_bytes: most_bytes,
        ..Limits::default()
    }
}

fn ended(check: &CheckCommand, report: &Report, output: &[u8]) -> Ran {
    let errors = report.stderr.text();
    let text = format!("{}{errors}", String::from_utf8_lossy(output));
    match &report.ending {
        Ending::Exited { code: 0 } => ran(check, CheckResult::Passed, text),
        Ending::Exited { code } => {
            if let Some(because) = Sandbox::not_furnished(*code, &errors) {
                abstained(check, &format!("the sandbox could not be built: {because}"), text)
            } else if matches!(code, 126 | 127) {
                abstained(check, &format!("it exited with {code}: a program could not be run"), text)
            } else if NEEDED_NETWORK.iter().any(|words| text.contains(words)) {
                abstained(check, "it would have needed the network", text)
            } else {
                ran(check, CheckResult::Failed, text)
            }
        }
        // A patch that makes a check hang or flood has broken it; the check by itself does neither.
        Ending::TimedOut { .. } => ran(check, CheckResult::Failed, format!("{text}\nfailed: it took too long")),
        Ending::TooMuchOutput { .. } => ran(check, CheckResult::Failed, "failed: it wrote too much".to_owned()),
        other => abstained(check, &format!("it could not be run to its end: {other:?}"), text),
    }
}

fn ran(check: &CheckCommand, result: CheckResult, text: String) -> Ran {
    let read = evidence::read(result, &check.shown(), &text);
    let check =
        TrialCheck { check: check.id.clone(), result: read.result, command: read.command, summary: read.summary };
    Ran { check, places: read.places, text }
}

fn abstained(check: &CheckCommand, reason: &str, text: String) -> Ran {
    ran(check, CheckResult::Abstained { reason: one_line(reason, 300) }, text)
}

/// The turn that tells of a trial.
fn told(fit: Fit, ran: Vec<Ran>, diff: Option<String>) -> Turn {
    let has = |wanted: &CheckResult| ran.iter().any(|one| one.check.result == *wanted);
    let result = match &fit {
        Fit::No { .. } => CheckResult::Failed,
        Fit::Unknown { because } => CheckResult::Abstained { reason: because.clone() },
        Fit::Yes if has(&CheckResult::Failed) => CheckResult::Failed,
        Fit::Yes if has(&CheckResult::Passed) => CheckResult::Passed,
        Fit::Yes => CheckResult::Abstained { reason: "no check says anything".into() },
    };
    let transcript: String = ran.iter().map(|one| format!("$ {}\n{}\n", one.check.command, one.text)).collect();
    let mut evidence = evidence::read(result, "git apply", &transcript);
    evidence.places = ran.iter().flat_map(|one| one.places.clone()).collect();
    evidence.trial = Some(Trial { fit, checks: ran.into_iter().map(|one| one.check).collect() });
    let mut turn = Turn::failed(Outcome::Ok, "");
    turn.text = diff;
    turn.evidence = Some(evidence);
    turn.transcript = Transcript { bytes: transcript.into_bytes(), cut: false };
    turn
}

impl Channel for TrialChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(async {
            match self.workshop.sandbox().await {
                Ok(_) => Availability::Ready { version: None },
                Err(because) => Availability::NotReady {
                    because: format!("there is no sandbox for what a model wrote: {because}"),
                    mend: "Allow user namespaces, or run the shown commands yourself.".to_owned(),
                },
            }
        })
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.attempt(request))
    }
}
