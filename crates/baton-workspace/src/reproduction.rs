//! Running a member's test for a claim: a copy of the user's repository, the user's command without the test, then with
//! it, all in the sandbox.
//!
//! A turn's prompt is a line with what the test's name holds, then the diff. Its answer is the diff as git writes it once
//! it is applied, or as it came. Its evidence is `failed` only where everything passed without the test, and the command
//! fails with it and names it as what fails, twice: in this copy and in a fresh one. It is `passed` only where the command
//! passes and says that the test was run. Whatever else came out abstains, with the reason. A turn is good whenever that
//! could be told.

use std::sync::Arc;

use baton_core::evidence::{self, CheckResult, NOW_AND_THEN};
use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_core::text::one_line;
use baton_port::{Availability, BoxFuture, Channel, Progress, Transcript, Turn, TurnRequest};

use crate::command::{self, CheckCommand, Ended, Run};
use crate::trial::CHECKS;
use crate::worktree::{Applied, Worktree};
use crate::{Workshop, WorkspaceError};

/// How build tools and test runners say that a test could not even be built or collected. A failure with such words is
/// no reproduction, whatever it names: a compiler quotes the line with the test's name too.
const NOT_BUILT: &[&str] = &[
    "could not compile",
    "error[E",
    "[build failed]",
    "[setup failed]",
    "COMPILATION ERROR",
    "Compilation failed",
    "compilation terminated",
    "error TS",
    "error CS",
    "ERROR collecting",
    "errors during collection",
    "error during collection",
    "SyntaxError",
    "IndentationError",
    "ImportError",
    "ModuleNotFoundError",
    "Cannot find module",
    "cannot load such file",
    // What a compiler would have refused: the test uses a name that is not there.
    "NameError: ",
    "ReferenceError: ",
    "AttributeError: module '",
    // What the test needs could not be set up.
    "ERROR at setup of",
    "Test suite failed to run",
    "syntax error",
    "Syntax error",
];
/// How a line that names a test says that it failed.
const FAILING: &[&str] = &["fail", "error", "panicked", "not ok", "assert", "✕", "✖", "✗", "×"];
/// How a line that names a test says that it passed.
const PASSING: &[&str] = &["✓", "✔", "pass"];
/// How much of the output that names the test goes into the summary.
const MOST_LINES: usize = 6;

/// Runs tests for claims; see the module's documentation.
#[derive(Debug)]
pub struct ReproductionChannel {
    command: CheckCommand,
    workshop: Arc<Workshop>,
}

/// What a test came to.
struct Told {
    result: CheckResult,
    /// All that was written, under the commands that wrote it.
    transcript: String,
    /// What the command wrote without the test.
    without: String,
    /// What it wrote with the test, the first time.
    output: String,
    diff: String,
}

impl ReproductionChannel {
    pub(crate) fn new(member: &Member, workshop: Arc<Workshop>) -> Result<Self, String> {
        let list = member.channel.settings.get(CHECKS).map_or("[]", String::as_str);
        let checks: Vec<CheckCommand> =
            serde_json::from_str(list).map_err(|error| format!("`{CHECKS}` is no list of checks: {error}"))?;
        let command = checks.into_iter().next().ok_or_else(|| format!("`{CHECKS}` names no command"))?;
        Ok(Self { command, workshop })
    }

    async fn attempt(&self, request: &TurnRequest) -> Turn {
        request.progress.report(Progress::Started);
        let (mark, diff) = request.prompt.split_once('\n').unwrap_or(("", &request.prompt));
        let told = match self.run(mark, diff, request).await {
            Ok(told) => told,
            Err(WorkspaceError::Cancelled) => return cancelled(),
            Err(error) => silent(&format!("{error}; nothing was run"), diff),
        };
        if request.cancel.is_requested() {
            return cancelled();
        }
        self.turn_of(told, mark)
    }

    async fn run(&self, mark: &str, diff: &str, request: &TurnRequest) -> Result<Told, WorkspaceError> {
        let first = self.first(mark, diff, request).await?;
        if first.result != CheckResult::Failed || request.cancel.is_requested() {
            return Ok(first);
        }
        self.again(mark, first, request).await
    }

    /// The command without the test, then with it.
    async fn first(&self, mark: &str, diff: &str, request: &TurnRequest) -> Result<Told, WorkspaceError> {
        let worktree = self.copy(request).await?;
        if let Some(because) = worktree.misfit(diff).await? {
            return Ok(silent(&format!("the test does not apply: {because}"), diff));
        }
        let without = self.command(&worktree, "without the test", request).await;
        let before = self.written("without the test", &without);
        if let Some(because) = no_ground(&without, mark) {
            return Ok(Told { transcript: before, ..silent(&because, diff) });
        }
        let diff = match worktree.apply(diff).await? {
            Applied::Yes { diff } => diff,
            Applied::No { because } => {
                return Ok(Told { transcript: before, ..silent(&format!("the test does not apply: {because}"), diff) });
            }
        };
        let with = self.command(&worktree, "with the test", request).await;
        let transcript = before + &self.written("with the test", &with);
        let result = judge(&with, &without.text, mark);
        Ok(Told { result, transcript, without: without.text, output: with.text, diff })
    }

    /// A test that fails by chance must not decide: it counts only where it fails in a fresh copy too.
    async fn again(&self, mark: &str, first: Told, request: &TurnRequest) -> Result<Told, WorkspaceError> {
        let worktree = self.copy(request).await?;
        if let Applied::No { because } = worktree.apply(&first.diff).await? {
            return Ok(Told { result: abstains(&once(&format!("it does not apply again: {because}"))), ..first });
        }
        let with = self.command(&worktree, "with the test, again", request).await;
        let transcript = format!("{}{}", first.transcript, self.written("with the test, again", &with));
        let result = both(judge(&with, &first.without, mark));
        Ok(Told { result, transcript, ..first })
    }

    async fn copy(&self, request: &TurnRequest) -> Result<Worktree, WorkspaceError> {
        let shop = &*self.workshop;
        Worktree::make(&request.directory, &shop.folder, &shop.launcher, &shop.variables, &request.cancel).await
    }

    /// What a run of the command goes into the transcript as.
    fn written(&self, how: &str, run: &Run) -> String {
        format!("$ {}   ({how})\n{}\n", self.command.shown(), run.text)
    }

    async fn command(&self, worktree: &Worktree, how: &str, request: &TurnRequest) -> Run {
        let shown = format!("{} {how}", one_line(&self.command.shown(), 60));
        request.progress.report(Progress::Doing(shown));
        command::run(&self.workshop, &self.command, worktree, request).await
    }

    fn turn_of(&self, told: Told, mark: &str) -> Turn {
        let mut evidence = evidence::read(told.result, &self.command.shown(), &told.output);
        // What a test by a member points to is no place of the user's own checks.
        evidence.places.clear();
        evidence.summary = summary(&told.output, mark, &evidence.summary);
        let mut turn = Turn::failed(Outcome::Ok, "");
        turn.text = Some(told.diff);
        turn.evidence = Some(evidence);
        turn.transcript = Transcript { bytes: told.transcript.into_bytes(), cut: false };
        turn
    }
}

fn cancelled() -> Turn {
    Turn::failed(Outcome::Cancelled, "cancelled while the test was run")
}

fn abstains(because: &str) -> CheckResult {
    CheckResult::Abstained { reason: one_line(because, 300) }
}

fn silent(because: &str, diff: &str) -> Told {
    let (transcript, without, output) = Default::default();
    Told { result: abstains(because), transcript, without, output, diff: diff.to_owned() }
}

/// Why nothing would follow from a failure with the test: the command does not pass without it, or names it already.
fn no_ground(without: &Run, mark: &str) -> Option<String> {
    match &without.ended {
        Ended::Passed if without.text.contains(mark) => Some("a test of that name is there already".into()),
        Ended::Passed => None,
        Ended::Failed => Some("the command fails without the test already".into()),
        Ended::Stopped(because) => Some(format!("without the test already, {because}")),
        Ended::Silent(because) => Some(because.clone()),
    }
}

/// What the command says of the claim, where it passed without the test.
fn judge(with: &Run, without: &str, mark: &str) -> CheckResult {
    let lines: Vec<String> = with.text.lines().filter(|line| line.contains(mark)).map(str::to_lowercase).collect();
    let says = |words: &[&str], line: &str| words.iter().any(|word| line.contains(word));
    let fails = |line: &String| says(FAILING, line);
    let passes = |line: &String| {
        !fails(line) && (says(PASSING, line) || line.starts_with("ok ") || line.trim_end().ends_with(" ok"))
    };
    match &with.ended {
        Ended::Silent(because) => abstains(because),
        Ended::Stopped(because) => abstains(&format!("with the test, {because}")),
        Ended::Failed if NOT_BUILT.iter().any(|word| with.text.contains(word) && !without.contains(word)) => {
            abstains("with the test, something cannot be built, collected or set up")
        }
        Ended::Failed if lines.is_empty() => {
            abstains("with the test it fails, and what it prints does not name the test")
        }
        Ended::Failed if lines.iter().all(passes) => abstains("with the test it fails, and the test itself passes"),
        Ended::Failed => CheckResult::Failed,
        Ended::Passed if lines.is_empty() => {
            abstains("with the test it passes, and nothing that it prints says that the test was run")
        }
        Ended::Passed => CheckResult::Passed,
    }
}

/// What a test that failed comes to, by how it ended the second time.
fn both(again: CheckResult) -> CheckResult {
    match again {
        CheckResult::Failed => CheckResult::Failed,
        CheckResult::Passed => abstains(NOW_AND_THEN),
        CheckResult::Abstained { reason } => abstains(&once(&reason)),
    }
}

fn once(because: &str) -> String {
    format!("it failed once, and the second time told nothing: {because}")
}

/// The lines that name the test, then what else tells most.
fn summary(output: &str, mark: &str, otherwise: &str) -> String {
    let mut lines: Vec<String> = Vec::new();
    let named = output.lines().filter(|line| !mark.is_empty() && line.contains(mark));
    for line in named.map(|line| one_line(line, 160)).take(MOST_LINES / 2).chain(otherwise.lines().map(str::to_owned)) {
        if !lines.contains(&line) && lines.len() < MOST_LINES {
            lines.push(line);
        }
    }
    lines.join("\n")
}

impl Channel for ReproductionChannel {
    fn probe(&self) -> BoxFuture<'_, Availability> {
        Box::pin(self.workshop.availability())
    }

    fn turn<'a>(&'a self, request: &'a TurnRequest) -> BoxFuture<'a, Turn> {
        Box::pin(self.attempt(request))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARK: &str = "reproduces_1";

    fn judged(ended: Ended, text: &str) -> CheckResult {
        judge(&Run { ended, text: text.into() }, "all is well\n", MARK)
    }

    #[test]
    fn runners_of_many_languages_are_understood_when_they_name_what_fails() {
        for line in [
            "test reproduces_1 ... FAILED",
            "thread 'tests::reproduces_1' panicked at tests/a.rs:3:5:",
            "FAILED tests/test_a.py::test_reproduces_1 - assert 1 == 2",
            "FAIL: test_reproduces_1 (a.TestA)",
            "--- FAIL: Test_reproduces_1 (0.00s)",
            "not ok 3 - reproduces_1",
            "  ✕ reproduces_1 (5 ms)",
            "[ERROR] NetTest.reproduces_1:12 expected:<1> but was:<2>",
            "NetTest > reproduces_1() FAILED",
            "  1) NetTest reproduces_1",
            "rspec ./spec/a_spec.rb:3 # Net reproduces_1",
        ] {
            assert_eq!(judged(Ended::Failed, &format!("one\n{line}\ntwo")), CheckResult::Failed, "{line}");
        }
    }

    #[test]
    fn a_failure_that_is_not_the_tests_own_says_nothing() {
        for text in [
            "test other ... FAILED",
            "test reproduces_1 ... ok\ntest other ... FAILED",
            "--- PASS: Test_reproduces_1 (0.00s)\n--- FAIL: Test_other",
            "ok 1 - reproduces_1\nnot ok 2 - other",
            "error[E0425]: cannot find value `x`\n3 | fn reproduces_1() { x }\nerror: could not compile `a`",
            "ERROR collecting tests/test_a.py\n    def test_reproduces_1(:\nSyntaxError: invalid syntax",
            "",
        ] {
            assert!(matches!(judged(Ended::Failed, text), CheckResult::Abstained { .. }), "{text}");
        }
        assert!(matches!(
            judged(Ended::Stopped("it took too long"), "reproduces_1 failed"),
            CheckResult::Abstained { .. }
        ));
    }

    #[test]
    fn a_test_that_names_what_is_not_there_or_cannot_be_set_up_says_nothing() {
        for words in [
            "E   NameError: name 'retry' is not defined",
            "E   AttributeError: module 'net' has no attribute 'retry'",
            "ReferenceError: retry is not defined",
            "ERROR at setup of test_reproduces_1",
            "cannot load such file -- net",
        ] {
            let text = format!("FAILED tests/test_a.py::test_reproduces_1\n{words}");
            assert!(matches!(judged(Ended::Failed, &text), CheckResult::Abstained { .. }), "{text}");
        }
        let own = "FAILED test_reproduces_1 - AttributeError: 'NoneType' object has no attribute 'close'";
        assert_eq!(judged(Ended::Failed, own), CheckResult::Failed, "that may be just what is claimed");
    }

    #[test]
    fn only_the_same_outcome_twice_counts() {
        let because = |again| match both(again) {
            CheckResult::Abstained { reason } => reason,
            other => panic!("{other:?}"),
        };
        assert_eq!(both(CheckResult::Failed), CheckResult::Failed);
        assert_eq!(because(CheckResult::Passed), "it failed once and passed once");
        let told = because(abstains("with the test, it took too long"));
        assert_eq!(told, "it failed once, and the second time told nothing: with the test, it took too long");
    }

    #[test]
    fn words_that_the_command_always_prints_hide_nothing() {
        let with =
            Run { ended: Ended::Failed, text: "test parses_SyntaxError ... ok\ntest reproduces_1 ... FAILED".into() };
        assert_eq!(judge(&with, "test parses_SyntaxError ... ok", MARK), CheckResult::Failed);
    }

    #[test]
    fn a_pass_counts_only_where_the_test_is_known_to_have_run() {
        assert_eq!(judged(Ended::Passed, "test reproduces_1 ... ok"), CheckResult::Passed);
        assert!(matches!(judged(Ended::Passed, "5 passed"), CheckResult::Abstained { .. }));
    }

    #[test]
    fn the_summary_begins_with_the_test() {
        let text = summary("a\ntest reproduces_1 ... FAILED\nb", MARK, "b\ntest reproduces_1 ... FAILED");
        assert_eq!(text, "test reproduces_1 ... FAILED\nb");
    }
}
