//! Tests for claims, run for real: without the test, then with it.

use baton_core::evidence::CheckResult;
use baton_core::member::{Member, Nature};
use baton_core::outcome::Outcome;
use baton_port::{Channel, Turn, TurnRequest};
use baton_workspace::{CheckCommand, Workshop};

use crate::room::{Room, change, member, on_runtime, trial};

const MARK: &str = "reproduces_1";
/// Runs every script below `tests` and says how each test in it ended.
const RUNNER: &str = "code=0; for test in tests/*.sh; do [ -e \"$test\" ] || continue; \
                      sh \"$test\" || code=1; done; exit $code";

/// A diff that makes a test of these lines.
fn writes(lines: &[&str]) -> String {
    let added: String = lines.iter().map(|line| format!("+{line}\n")).collect();
    format!("--- /dev/null\n+++ b/tests/new.sh\n@@ -0,0 +1,{} @@\n{added}", lines.len())
}

/// A test that wants the second line of the value to be this.
fn wants(line: &str) -> String {
    let holds = format!("sed -n 2p value.txt | grep -qx '{line}'");
    writes(&[&format!("if {holds}; then echo '{MARK} ... ok'; else echo '{MARK} ... FAILED'; exit 1; fi")])
}

fn turn_in(room: &Room, shop: &std::sync::Arc<Workshop>, diff: &str, script: &str, total_ms: u64) -> Turn {
    turn_of(&room.request(&format!("{MARK}\n{diff}")), shop, script, total_ms)
}

fn turn_of(request: &TurnRequest, shop: &std::sync::Arc<Workshop>, script: &str, total_ms: u64) -> Turn {
    let words = ["sh", "-c", script].map(str::to_owned).to_vec();
    let command = CheckCommand { id: baton_core::ids::MemberId::parse("tests").unwrap(), words, total_ms };
    let runner = Member { nature: Nature::Reproduction, ..member(&[command]) };
    let channel = shop.reproduction(&runner).unwrap();
    on_runtime(channel.turn(request))
}

/// How a test ended and all that was written; `None` where there is no sandbox, which is then said.
fn run(room: &Room, diff: &str, script: &str) -> Option<(CheckResult, Turn)> {
    let turn = turn_in(room, &room.workshop(), diff, script, 60_000);
    assert_eq!((&turn.outcome, room.left()), (&Outcome::Ok, 0), "{turn:?}");
    let result = turn.evidence.as_ref().unwrap().result.clone();
    match &result {
        CheckResult::Abstained { reason } if reason.contains("no sandbox here") => {
            eprintln!("not tested: {reason}");
            None
        }
        _ => Some((result, turn)),
    }
}

fn because(result: &CheckResult) -> &str {
    match result {
        CheckResult::Abstained { reason } => reason,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_test_that_fails_twice_is_told_with_all_runs_and_the_diff() {
    let room = Room::new();
    let Some((result, turn)) = run(&room, &wants("2"), RUNNER) else { return };
    assert_eq!(result, CheckResult::Failed);
    let evidence = turn.evidence.unwrap();
    assert_eq!((evidence.summary.as_str(), evidence.places.len()), ("reproduces_1 ... FAILED", 0));
    let text = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
    for part in
        ["(without the test)\n", "(with the test)\nreproduces_1 ... FAILED", "(with the test, again)\nreproduces_1"]
    {
        assert!(text.contains(part), "{text}");
    }
    assert!(turn.text.unwrap().starts_with("diff --git a/tests/new.sh b/tests/new.sh\nnew file"));
    assert!(!room.repository().join("tests").exists(), "nothing of the user's is touched");
}

#[test]
fn a_test_that_passes_is_told_as_that() {
    let Some((result, _)) = run(&Room::new(), &wants("two"), RUNNER) else { return };
    assert_eq!(result, CheckResult::Passed);
}

#[test]
fn a_test_that_fails_once_and_passes_once_decides_nothing() {
    let room = Room::new();
    if run(&room, &wants("2"), RUNNER).is_none() {
        return;
    }
    // What it depends on stands outside of the copies, and changes when it is run again.
    let outside = room.folder.path().join("outside");
    let flaky = format!("if [ -e '{}' ]; then echo '{MARK} ... ok'; else", outside.display());
    let flaky = writes(&[&flaky, &format!("echo '{MARK} ... FAILED'; exit 1; fi")]);
    let request = room.marking(&format!("{MARK}\n{flaky}"), "with the test, again", outside);
    let turn = turn_of(&request, &room.workshop(), RUNNER, 60_000);
    let evidence = turn.evidence.unwrap();
    assert_eq!(because(&evidence.result), "it failed once and passed once");
    assert_eq!((evidence.summary.as_str(), room.left()), ("reproduces_1 ... FAILED", 0));
    let text = String::from_utf8_lossy(&turn.transcript.bytes).into_owned();
    assert!(text.contains("(with the test, again)\nreproduces_1 ... ok"), "{text}");
}

#[test]
fn the_second_run_finds_nothing_of_the_first() {
    let leaves =
        format!("if [ -e left ]; then echo '{MARK} ... ok'; else touch left; echo '{MARK} ... FAILED'; exit 1; fi");
    let Some((result, _)) = run(&Room::new(), &writes(&[&leaves]), RUNNER) else { return };
    assert_eq!(result, CheckResult::Failed);
}

#[test]
fn whatever_else_happens_says_nothing() {
    let room = Room::new();
    let Some((already, turn)) = run(&room, &wants("2"), "echo all; exit 1") else { return };
    assert_eq!(because(&already), "the command fails without the test already");
    assert!(!String::from_utf8_lossy(&turn.transcript.bytes).contains("with the test)\n\n"));
    let named = run(&room, &wants("2"), "echo reproduces_1").unwrap().0;
    assert_eq!(because(&named), "a test of that name is there already");
    let crashes = writes(&["echo something else; exit 1"]);
    assert!(because(&run(&room, &crashes, RUNNER).unwrap().0).contains("does not name the test"));
    let silent = writes(&["exit 0"]);
    assert!(because(&run(&room, &silent, RUNNER).unwrap().0).contains("nothing that it prints"));
    let broken = writes(&["if then reproduces_1"]);
    assert!(because(&run(&room, &broken, RUNNER).unwrap().0).contains("cannot be built"));
    let misfit = "--- a/value.txt\n+++ b/value.txt\n@@ -1,1 +1,1 @@\n-nowhere\n+else\n";
    assert!(because(&run(&room, misfit, RUNNER).unwrap().0).starts_with("the test does not apply"));
    std::fs::remove_dir_all(room.repository().join(".git")).unwrap();
    assert!(because(&run(&room, &wants("2"), RUNNER).unwrap().0).contains("in no git repository"));
}

#[test]
fn a_test_that_hangs_is_ended_and_says_nothing() {
    let room = Room::new();
    if run(&room, &wants("2"), RUNNER).is_none() {
        return;
    }
    let hangs = writes(&["echo 'reproduces_1 failed'; sleep 1000"]);
    let turn = turn_in(&room, &room.workshop(), &hangs, RUNNER, 3_000);
    assert_eq!(because(&turn.evidence.unwrap().result), "with the test, it took too long");
}

#[test]
fn where_nothing_can_be_shut_in_the_test_is_kept_and_not_run() {
    let room = Room::new();
    // A folder for copies that cannot be made.
    std::fs::write(room.copies(), "a file").unwrap();
    let turn = turn_in(&room, &room.workshop(), &wants("2"), "echo never", 60_000);
    let evidence = turn.evidence.unwrap();
    assert!(because(&evidence.result).ends_with("nothing was run"), "{evidence:?}");
    assert_eq!(turn.text.as_deref(), Some(wants("2").as_str()), "the test is shown as it came");
    assert_eq!(evidence.command, "sh -c echo never", "with the command");
}

#[test]
fn a_test_that_was_kept_in_the_index_is_run_with_every_patch() {
    let room = Room::new();
    let Some((result, turn)) = run(&room, &wants("2"), RUNNER) else { return };
    assert_eq!(result, CheckResult::Failed);
    // As `baton show RUN --test | git apply --index` does.
    let kept = room.folder.path().join("kept.diff");
    std::fs::write(&kept, turn.text.unwrap()).unwrap();
    room.git(&["apply", "--index", &kept.to_string_lossy()]);
    let mends = room.attempt(&change("value.txt", "two", "2"), RUNNER);
    assert_eq!(trial(&mends).checks[0].result, CheckResult::Passed, "{mends:?}");
    let misses = room.attempt(&change("value.txt", "two", "deux"), RUNNER);
    assert_eq!(trial(&misses).checks[0].result, CheckResult::Failed, "{misses:?}");
    assert_eq!(trial(&misses).checks[0].summary, "reproduces_1 ... FAILED");
}

/// A cargo test file with this body for its one test.
fn cargo_test(body: &str) -> String {
    let lines = ["#[test]", &format!("fn {MARK}() {{"), body, "}"].map(|line| format!("+{line}\n")).concat();
    format!("--- /dev/null\n+++ b/tests/claim.rs\n@@ -0,0 +1,4 @@\n{lines}")
}

#[test]
fn cargo_tells_a_test_that_fails_from_one_that_cannot_be_built() {
    let room = Room::new();
    let on_path = |path: std::ffi::OsString| std::env::split_paths(&path).any(|folder| folder.join("cargo").is_file());
    if !std::env::var_os("PATH").is_some_and(on_path) {
        eprintln!("not tested: cargo is not on the PATH");
        return;
    }
    std::fs::create_dir(room.repository().join("src")).unwrap();
    room.write("Cargo.toml", "[package]\nname = \"sample\"\nversion = \"0.1.0\"\nedition = \"2021\"\n");
    room.write("src/lib.rs", "pub fn double(number: u8) -> u8 {\n    number.wrapping_mul(2)\n}\n");
    room.commit();
    let outcome = |body: &str| Some(run(&room, &cargo_test(body), "cargo test --offline")?.0);
    let Some(fails) = outcome("    assert_eq!(sample::double(128), 255);") else { return };
    assert_eq!(fails, CheckResult::Failed);
    assert_eq!(outcome("    assert_eq!(sample::double(2), 4);"), Some(CheckResult::Passed));
    assert!(because(&outcome("    sample::nothing();").unwrap()).contains("cannot be built"));
}

#[test]
fn a_runner_without_a_command_is_refused() {
    assert!(Room::new().workshop().reproduction(&member(&[])).is_err());
}
