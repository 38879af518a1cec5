//! Patches: each is tried away from the user's files, and what it does there decides.

use std::collections::BTreeMap;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use baton_script::Answer;
use baton_testkit::{Ran, Running};
use serde_json::Value;

use crate::table::{THREE, Table, all, model};

pub(crate) const ASKED: &[&str] = &["Make the value good", "--question", "patch"];

/// What the repository holds: ten lines, of which the fifth counts.
pub(crate) fn lines(fifth: &str) -> String {
    (1..=10).map(|number| if number == 5 { format!("{fifth}\n") } else { format!("line {number}\n") }).collect()
}

/// A diff of `value.txt` that makes the fifth line another one.
pub(crate) fn to(old: &str, new: &str) -> String {
    format!(
        "--- a/value.txt\n+++ b/value.txt\n@@ -2,7 +2,7 @@\n line 2\n line 3\n line 4\n-{old}\n+{new}\n line 6\n line 7\n \
         line 8\n"
    )
}

pub(crate) fn writes(diff: &str) -> Answer {
    Answer::text(format!("This mends it.\n\n```diff\n{diff}```\n")).usage(1_000, 100, 0)
}

/// A table in a repository, with one check: a script of these lines, run with the repository's root as its directory.
pub(crate) fn table(answers: [Answer; 3], check: &str) -> Table {
    table_with(answers, check, "")
}

/// As [`table`], with more for the user's `baton.toml`.
fn table_with(answers: [Answer; 3], check: &str, more: &str) -> Table {
    let [ash, beech, cork] = answers;
    let rules = [model("ash", [ash]), model("beech", [beech]), model("cork", [cork])];
    let checks = format!("[[check]]\nid = \"tests\"\ncommand = [\"tests\", \"all\"]\n{more}");
    let table = Table::lay_with(THREE, rules, &checks);
    for (name, from) in [("git", "git"), ("sh", "sh"), ("grep", "grep"), ("sleep", "sleep"), ("cat", "cat")] {
        std::os::unix::fs::symlink(on_path(from), table.home.bin().join(name)).unwrap();
    }
    let script = table.home.bin().join("tests");
    std::fs::write(&script, format!("#!/bin/sh\n{check}\n")).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
    table.home.write("value.txt", lines("bad")).unwrap();
    git(&table, &["init", "--quiet", "-b", "main"]);
    git(&table, &["add", "value.txt"]);
    git(&table, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first"]);
    table
}

pub(crate) fn on_path(name: &str) -> std::path::PathBuf {
    let path = std::env::var_os("PATH").unwrap();
    std::env::split_paths(&path).map(|folder| folder.join(name)).find(|file| file.is_file()).unwrap()
}

#[expect(clippy::disallowed_methods, reason = "a test works in the repository as its user would")]
pub(crate) fn command(program: &Path, directory: &Path, arguments: &[&str], input: &str) -> bool {
    use std::io::Write;
    let mut child = std::process::Command::new(program)
        .args(arguments)
        .current_dir(directory)
        .env("GIT_CONFIG_GLOBAL", "/dev/null")
        .env_remove("GIT_DIR")
        .stdin(std::process::Stdio::piped())
        .spawn()
        .unwrap();
    child.stdin.take().unwrap().write_all(input.as_bytes()).unwrap();
    child.wait().unwrap().success()
}

pub(crate) fn git(table: &Table, arguments: &[&str]) {
    assert!(command(&on_path("git"), &table.home.work(), arguments, ""), "git {arguments:?}");
}

/// Without it what a model wrote is shown and not run; a machine that has none has nothing to test here.
pub(crate) fn has_sandbox() -> bool {
    let found = command(&on_path("unshare"), Path::new("/"), &["--user", "--map-root-user", "--net", "true"], "");
    if !found {
        eprintln!("no user namespaces here: not tested");
    }
    found
}

pub(crate) type Files = BTreeMap<String, (Vec<u8>, Option<std::time::SystemTime>)>;

/// Every file below the folder, `.git` included, with its bytes and when it was changed. git renews the time of an
/// object that it meets again, also in a repository that is only borrowed from; its bytes stay.
pub(crate) fn everything(folder: &Path) -> Files {
    let mut files = BTreeMap::new();
    let mut folders = vec![folder.to_owned()];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let kind = entry.file_type().unwrap();
            let is_object = entry.path().components().any(|part| part.as_os_str() == "objects");
            let changed = (!is_object).then(|| entry.metadata().unwrap().modified().unwrap());
            let bytes = if kind.is_file() { std::fs::read(entry.path()).unwrap() } else { Vec::new() };
            if kind.is_dir() {
                folders.push(entry.path());
            }
            files.insert(entry.path().display().to_string(), (bytes, changed));
        }
    }
    files
}

/// What is not as it was, by name.
pub(crate) fn touched(table: &Table, before: &Files) -> Vec<String> {
    let after = everything(&table.home.work());
    let names = before.keys().chain(after.keys()).filter(|name| before.get(*name) != after.get(*name));
    names.cloned().collect()
}

pub(crate) fn worktrees(table: &Table) -> usize {
    std::fs::read_dir(table.home.home().join("worktrees")).map_or(0, Iterator::count)
}

pub(crate) fn authors(decision: &Value, place: usize) -> String {
    let by = decision["patches"][place]["by"].as_array().cloned().unwrap_or_default();
    by.iter().filter_map(Value::as_str).collect::<Vec<_>>().join(",")
}

#[test]
fn the_patch_that_passes_is_taken_whatever_the_votes() {
    if !has_sandbox() {
        return;
    }
    let worse = || writes(&to("bad", "worse"));
    let table = table([worse(), worse(), writes(&to("bad", "good"))], "grep -q good value.txt");
    let before = everything(&table.home.work());
    let (code, decision) = table.ask(ASKED);
    assert_eq!(code, Some(0), "{decision:#}");
    assert_eq!((authors(&decision, 0), authors(&decision, 1)), ("cork".into(), "ash,beech".into()));
    assert_eq!(decision["patches"][0]["checks"][0]["result"], "passed");
    assert_eq!(decision["patches"][1]["checks"][0]["result"], "failed");
    assert_eq!(decision["checks"][0]["result"], "failed", "without a patch it fails: {decision:#}");
    assert_eq!(decision["confidenceSource"], "prior_and_evidence");
    let trials = decision["turns"].as_array().unwrap().iter().filter(|turn| !turn["patchOf"].is_null());
    let trials: BTreeMap<&str, &str> =
        trials.map(|turn| (turn["patchOf"].as_str().unwrap(), turn["result"].as_str().unwrap())).collect();
    assert_eq!(trials, BTreeMap::from([("ash", "failed"), ("cork", "passed")]), "{decision:#}");
    assert_eq!(touched(&table, &before), Vec::<String>::new(), "nothing of the user's was touched");
    assert_eq!(worktrees(&table), 0);
    let Ran { stdout, .. } = table.run(&["show", "--patch"]);
    assert!(stdout.contains("+good") && stdout.starts_with("diff --git a/value.txt b/value.txt"), "{stdout}");
    assert!(command(&on_path("git"), &table.home.work(), &["apply", "-"], &stdout));
    assert_eq!(std::fs::read_to_string(table.home.work().join("value.txt")).unwrap(), lines("good"));
    assert_eq!(table.run(&["verify"]).code, Some(0));
    let screen = table.run(&["show"]).stdout;
    for part in [
        "  1 adopted  by cork  value.txt, 2 changed lines\n    applies\n    tests passed",
        "and checks that pass with it",
    ] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    assert!(screen.contains("  2 not adopted  by ash, beech  value.txt"), "{screen}");
    assert!(screen.contains("of ash     failed") && screen.contains("of cork    passed"), "{screen}");
    assert!(decision["patches"][0]["diff"].as_str().unwrap().contains("+good"), "{decision:#}");
}

#[test]
fn a_patch_is_tried_on_what_the_user_has_now() {
    if !has_sandbox() {
        return;
    }
    let mends = || writes(&to("half", "good"));
    let table = table([mends(), mends(), mends()], "grep -q good value.txt && grep -q mine other.txt");
    table.home.write("value.txt", lines("half")).unwrap();
    table.home.write("other.txt", "mine\n").unwrap();
    git(&table, &["add", "other.txt"]);
    table.home.write("untracked.txt", "stays here\n").unwrap();
    let before = everything(&table.home.work());
    let (code, decision) = table.ask(ASKED);
    assert_eq!((code, decision["patches"].as_array().unwrap().len()), (Some(0), 1), "{decision:#}");
    assert_eq!(authors(&decision, 0), "ash,beech,cork");
    assert_eq!(touched(&table, &before), Vec::<String>::new());
    let patch = table.run(&["show", "--patch"]).stdout;
    assert!(!patch.contains("other.txt") && patch.contains("-half"), "the user's own changes are not in it: {patch}");
}

#[test]
fn what_does_not_apply_or_may_not_be_tried_counts_for_nothing() {
    let hostile = "--- a/../../escape\n+++ b/../../escape\n@@ -1 +1 @@\n-a\n+b\n";
    let table = table([writes(&to("nowhere", "good")), writes(hostile), writes(&to("bad", "good"))], "true");
    let (_, decision) = table.ask(ASKED);
    assert_eq!((authors(&decision, 0), authors(&decision, 1)), ("cork".into(), "ash".into()), "{decision:#}");
    assert_eq!(decision["patches"][1]["applies"], "no");
    assert_eq!(decision["abstained"][0]["member"], "beech");
    assert!(decision["abstained"][0]["reason"].as_str().unwrap().contains("no plain path"), "{decision:#}");
}

#[test]
fn a_link_in_the_tree_is_not_written_through() {
    let through = "--- a/link/passwd\n+++ b/link/passwd\n@@ -1 +1 @@\n-root\n+mine\n";
    let turned = "--- a/link\n+++ b/link\n@@ -1 +1 @@\n-/etc\n\\ No newline at end of file\n+/tmp\n\\ No newline at end of file\n";
    let table = table([writes(through), writes(turned), writes("")], "true");
    std::os::unix::fs::symlink("/etc", table.home.work().join("link")).unwrap();
    git(&table, &["add", "link"]);
    let (code, decision) = table.ask(ASKED);
    assert_eq!((code, decision["patch"].clone()), (Some(11), Value::Null), "{decision:#}");
    let because = |place: usize| decision["patches"][place]["because"].as_str().unwrap_or_default().to_owned();
    let both = format!("{} / {}", because(0), because(1));
    assert!(both.contains("symbolic link"), "{both}");
    assert!(decision["blockers"].as_array().unwrap().contains(&"patch_fails".into()));
}

#[test]
fn a_patch_with_which_a_check_fails_is_not_acted_on() {
    if !has_sandbox() {
        return;
    }
    let worse = || writes(&to("bad", "worse"));
    let table = table([worse(), worse(), worse()], "grep -q good value.txt");
    let (code, decision) = table.ask(ASKED);
    assert_eq!(code, Some(11), "{decision:#}");
    assert!(decision["blockers"].as_array().unwrap().contains(&"patch_fails".into()), "{decision:#}");
    let shown = table.run(&["show", "--patch"]);
    assert!(shown.stdout.contains("+worse") && shown.stderr.contains("tests fails"), "{shown:?}");
}

#[test]
fn without_a_repository_a_patch_is_kept_and_nothing_is_run() {
    let mends = || writes(&to("bad", "good"));
    let table = table([mends(), mends(), mends()], "true");
    std::fs::remove_dir_all(table.home.work().join(".git")).unwrap();
    let (_, decision) = table.ask(ASKED);
    assert_eq!(decision["patches"][0]["applies"], "unknown", "{decision:#}");
    assert_eq!(decision["confidenceSource"], "prior");
    assert!(table.run(&["show", "--patch"]).stdout.contains("+good"));
}

/// Starts baton, waits until a check opens the pipe at `held` and says that it lives, kills baton, and returns what the
/// check wrote after that, once it has ended too.
pub(crate) fn killed_while_it_holds(held: &Path, start: impl FnOnce() -> Running) -> Vec<u8> {
    let mode = rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR;
    rustix::fs::mknodat(rustix::fs::CWD, held, rustix::fs::FileType::Fifo, mode, 0).unwrap();
    let running = start();
    let mut opened = std::fs::File::open(held).unwrap();
    let mut alive = [0; 6];
    opened.read_exact(&mut alive).unwrap();
    running.kill().unwrap();
    let mut rest = Vec::new();
    opened.read_to_end(&mut rest).unwrap();
    rest
}

#[test]
fn a_kill_in_the_middle_leaves_no_copy_and_no_process() {
    if !has_sandbox() {
        return;
    }
    let mends = || writes(&to("bad", "good"));
    let table = table(
        [mends(), mends(), mends()],
        "grep -q good value.txt || exit 1\n[ -p \"$0.held\" ] || exit 0\nexec 9>\"$0.held\"\necho alive >&9\nsleep 1000",
    );
    let held = table.home.bin().join("tests.held");
    let rest = killed_while_it_holds(&held, || table.home.start(&[&["ask", "--yes"], ASKED].concat()).unwrap());
    assert_eq!((rest, worktrees(&table)), (Vec::new(), 2), "the copy and its lock are left");
    let left = table.run(&["show"]).stdout;
    assert!(left.contains("no answer yet\n") && left.contains("\nNot over yet."), "{left}");
    assert!(left.contains("\n  baton resume "), "the way on is told: {left}");
    assert_eq!(table.run(&["runs"]).code, Some(0));
    assert_eq!(worktrees(&table), 0, "the next start removes them");
    std::fs::remove_file(held).unwrap();
    let resumed = table.run(&["resume", "--json"]).json().unwrap();
    assert_eq!(resumed[0]["patches"][0]["checks"][0]["result"], "passed", "{resumed:#}");
    assert_eq!(table.upstream.asked_models().len(), 3, "no member was asked again");
}

#[test]
fn a_workflow_that_tries_nothing_is_not_asked_for_a_patch() {
    let mends = || writes(&to("bad", "good"));
    let table = table([mends(), mends(), mends()], "true");
    let ran = table.run(&[&["ask", "--yes", "--workflow", "refine"], ASKED].concat());
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("tries no patches"), "{}", ran.stderr);
    assert_eq!(table.run(&["show", "--patch"]).code, Some(2), "there is no run");
}

const PROBE: &str = "[[check]]\nid = \"behave\"\ncommand = [\"cat\", \"value.txt\"]\nprobe = true\n";

#[test]
fn patches_that_pass_and_behave_differently_are_in_conflict() {
    if !has_sandbox() {
        return;
    }
    let mends = |fifth: &str| writes(&to("bad", fifth));
    let table = table_with([mends("good"), mends("good, too"), mends("good")], "grep -q good value.txt", PROBE);
    let (code, decision) = table.ask(ASKED);
    assert_eq!(code, Some(12), "{decision:#}");
    let conflict = &decision["conflicts"][0];
    let claim = "line 5 of what the probe behave prints should be `good`, not `good, too`";
    assert_eq!(conflict["claim"], claim, "{conflict:#}");
    assert_eq!(
        (&conflict["for"], &conflict["against"]),
        (&serde_json::json!(["ash", "cork"]), &serde_json::json!(["beech"]))
    );
    assert_eq!(decision["checks"].as_array().unwrap().len(), 1, "a probe is no check: {decision:#}");
    let screen = table.run(&["show"]).stdout;
    assert!(screen.contains("with its patch line 5 of behave is"), "{screen}");
    assert!(!screen.contains("Against it"), "who argued is told with the dispute, once: {screen}");
    assert!(conflict["openBecause"].as_str().unwrap().contains("neither side gave way"), "{conflict:#}");
    assert_eq!(decision["waitsFor"]["answers"], serde_json::json!(["approve", "reject"]), "{decision:#}");
    let run = decision["run"].as_str().unwrap();
    assert!(screen.contains(&format!("  baton respond {} approve\n", &run[28..])), "{screen}");
    assert_eq!(table.run(&["verify"]).code, Some(0));
    let argued = table.upstream.requests().into_iter().find(|request| request.body.contains("in dispute")).unwrap();
    let words = argued.body.split("One claim is in dispute").nth(1).unwrap();
    assert!(!words.contains("beech") && words.contains("good, too"), "without names: {words}");
}

#[test]
fn patches_that_behave_the_same_are_said_to() {
    if !has_sandbox() {
        return;
    }
    // With each the file has as many lines.
    let counts = PROBE.replace("[\"cat\", ", "[\"grep\", \"-c\", \"line\", ");
    let mends = |fifth: &str| writes(&to("bad", fifth));
    let table = table_with([mends("good"), mends("good, too"), mends("good")], "grep -q good value.txt", &counts);
    let (_, decision) = table.ask(ASKED);
    assert_eq!(decision["conflicts"].as_array().map_or(0, Vec::len), 0, "{decision:#}");
    assert!(decision["reasoning"].to_string().contains("the probe behave shows the same"), "{decision:#}");
}

#[test]
fn who_asked_for_a_patch_and_got_none_is_not_told_to_ask_for_one() {
    let table = Table::lay_with(THREE, all(THREE, "approve"), "");
    let _ = table.run(&["ask", "Fix the retry loop", "--question", "patch", "--yes"]);
    let ran = table.run(&["show", "--patch"]);
    assert_eq!(ran.code, Some(2));
    assert!(ran.stderr.contains("has no patch: nobody gave one"), "{}", ran.stderr);
    assert!(ran.stderr.contains("--transcripts") && !ran.stderr.contains("--question patch"), "{}", ran.stderr);
}
