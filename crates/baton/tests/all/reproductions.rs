//! Tests that another member writes for a claim: run away from the user's files, and worth more than votes.

use std::os::unix::fs::PermissionsExt;

use baton_script::Answer;
use baton_testkit::Ran;
use serde_json::Value;

use crate::patches::{command, everything, git, has_sandbox, killed_while_it_holds, on_path, touched, worktrees};
use crate::table::{Seat, Table, model, says};

const SEATS: &[Seat] = &[
    Seat { id: "ash", tier: 1, vendor: "ash-co" },
    Seat { id: "beech", tier: 2, vendor: "beech-co" },
    Seat { id: "cork", tier: 2, vendor: "cork-co" },
];
const ASKED: &[&str] =
    &["Review the limit", "-f", "limit.txt", "--question", "findings", "--complexity", "standard", "--reproduce"];
const CLAIM: &str = "The limit lets a hundred thousand through";
/// Of the claim, its file and its line.
const MARK: &str = "reproduces_5a69f7c0";
/// Runs every script below `tests` and says how it ended.
const RUNNER: &str = "#!/bin/sh\ncode=0\nfor test in tests/*.sh; do [ -e \"$test\" ] || continue\n\
                      sh \"$test\" || code=1\ndone\nexit $code\n";

/// A finding on the first line.
fn reports(severity: &str) -> Answer {
    let finding = format!(
        "{{\"file\": \"limit.txt\", \"line\": 1, \"severity\": \"{severity}\", \"claim\": \"{CLAIM}\", \
         \"evidence\": \"it is 100000 and should be 100\", \"quote\": \"100000\"}}"
    );
    let trailer = format!("{{\"verdict\": \"reject\", \"confidence\": 0.8, \"findings\": [{finding}]}}");
    Answer::text(format!("It is too large.\n\n```json\n{trailer}\n```")).usage(1_000, 100, 0)
}

/// A test that wants the limit to be this.
fn wants(limit: &str) -> Answer {
    let line =
        format!("if grep -qx {limit} limit.txt; then echo '{MARK} ... ok'; else echo '{MARK} ... FAILED'; exit 1; fi");
    Answer::text(format!(
        "It reads the limit.\n\n```diff\n--- /dev/null\n+++ b/tests/limit.sh\n@@ -0,0 +1 @@\n+{line}\n```\n"
    ))
    .usage(1_000, 100, 0)
}

/// A repository whose one check runs the scripts in `tests`; `beech` is asked for the test.
fn table(severity: &str, tests: impl IntoIterator<Item = Answer>) -> Table {
    let beech = std::iter::once(says("approve")).chain(tests);
    let rules = [model("ash", [reports(severity)]), model("beech", beech), model("cork", [says("approve")])];
    let table = Table::lay_with(SEATS, rules, "[[check]]\nid = \"tests\"\ncommand = [\"run-tests\"]\n");
    for name in ["git", "sh", "grep", "sleep"] {
        std::os::unix::fs::symlink(on_path(name), table.home.bin().join(name)).unwrap();
    }
    script(&table, RUNNER);
    table.home.write("limit.txt", "100000\n").unwrap();
    git(&table, &["init", "--quiet", "-b", "main"]);
    git(&table, &["add", "limit.txt"]);
    git(&table, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-m", "first"]);
    table
}

fn script(table: &Table, text: &str) {
    let script = table.home.bin().join("run-tests");
    std::fs::write(&script, text).unwrap();
    std::fs::set_permissions(&script, std::fs::Permissions::from_mode(0o755)).unwrap();
}

fn asked(table: &Table) -> usize {
    table.upstream.asked_models().len()
}

#[test]
fn a_test_that_fails_turns_the_verdict_whatever_the_votes() {
    if !has_sandbox() {
        return;
    }
    let table = table("high", [wants("100")]);
    let before = everything(&table.home.work());
    let (_, decision) = table.ask(ASKED);
    let told = &decision["reproductions"][0];
    assert_eq!(
        (&told["result"], &told["by"], &told["test"]),
        (&"reproduced".into(), &"beech".into(), &MARK.into()),
        "{decision:#}"
    );
    assert_eq!(decision["issues"][0]["standing"], "confirmed");
    assert_eq!(decision["verdict"], "revise", "two of three approved: {decision:#}");
    assert_eq!(decision["confidenceSource"], "prior_and_evidence");
    assert_eq!(decision["modelCount"], 3);
    assert!(told["diff"].as_str().unwrap().starts_with("diff --git a/tests/limit.sh"), "{told:#}");
    assert_eq!(touched(&table, &before), Vec::<String>::new(), "nothing of the user's was touched");
    assert_eq!((worktrees(&table), asked(&table)), (0, 4));
    assert_eq!(table.run(&["verify"]).code, Some(0));
    let prompt = table.run(&["show", "--transcripts"]).stdout;
    assert!(prompt.contains("run by `run-tests`") && prompt.contains("about limit.txt:1"), "{prompt}");
    assert!(!prompt.contains("{{"), "every place was filled");
}

#[test]
fn the_test_is_shown_everywhere_and_can_be_kept() {
    if !has_sandbox() {
        return;
    }
    let table = table("critical", [wants("100")]);
    table.ask(ASKED);
    let screen = table.run(&["show"]).stdout;
    for part in [
        "and a test that settled it",
        "Tests of claims: 1",
        "reproduced  limit.txt:1",
        "by beech fails with `run-tests`",
        "+if grep -qx 100",
    ] {
        assert!(screen.contains(part), "{part}\n---\n{screen}");
    }
    let markdown = table.run(&["show", "--format", "markdown"]).stdout;
    assert!(markdown.contains("### Tests of claims") && markdown.contains("```diff"), "{markdown}");
    let sarif: Value = serde_json::from_str(&table.run(&["show", "--format", "sarif"]).stdout).unwrap();
    let told = &sarif["runs"][0]["results"][0]["properties"]["reproduction"];
    assert_eq!((&told["result"], &told["by"]), (&"reproduced".into(), &"beech".into()), "{sarif:#}");
    let Ran { stdout, stderr, .. } = table.run(&["show", "--test"]);
    assert!(stderr.contains("reproduced, "), "{stderr}");
    assert!(command(&on_path("git"), &table.home.work(), &["apply", "-"], &stdout));
    assert!(table.home.work().join("tests/limit.sh").is_file());
    assert_eq!(table.run(&["show", "--test=2"]).code, Some(2));
}

#[test]
fn a_test_that_passes_lowers_a_finding_and_settles_nothing() {
    if !has_sandbox() {
        return;
    }
    let table = table("critical", [wants("100000")]);
    let (_, decision) = table.ask(ASKED);
    assert_eq!(decision["reproductions"][0]["result"], "not_reproduced", "{decision:#}");
    assert_eq!(decision["confidenceSource"], "prior");
    assert_eq!(decision["issues"][0]["standing"], "confirmed", "it is critical, located and argued");
    assert!(decision["blockers"].as_array().unwrap().contains(&"critical_finding".into()), "{decision:#}");
}

#[test]
fn without_the_wish_nobody_is_asked_and_a_setting_is_one() {
    let plain = table("critical", [wants("100")]);
    let (_, decision) = plain.ask(&ASKED[..ASKED.len() - 1]);
    assert_eq!(decision["reproductions"], Value::Null, "{decision:#}");
    let set = table("critical", [wants("100")]);
    let file = set.home.home().join("baton.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    std::fs::write(&file, text.replace("[[check]]", "[rules]\nreproduce = \"tests\"\n\n[[check]]")).unwrap();
    let (_, decision) = set.ask(&ASKED[..ASKED.len() - 1]);
    assert_eq!(decision["reproductions"][0]["by"], "beech", "{decision:#}");
    std::fs::write(&file, text.replace("[[check]]", "[rules]\nreproduce = \"lint\"\n\n[[check]]")).unwrap();
    let told = set.run(&[&["ask", "--yes"], &ASKED[..ASKED.len() - 1]].concat());
    assert!(told.stderr.contains("no check `lint` can be run here"), "{told:?}");
    let refused = plain.run(&[&["ask", "--yes", "--workflow", "refine"], ASKED].concat());
    assert_eq!((refused.code, refused.stderr.contains("tests no claims")), (Some(2), true), "{refused:?}");
    let unknown = plain.run(&["ask", "--yes", "Review it", "--reproduce=lint"]);
    assert!(unknown.stderr.contains("no check `lint`"), "{unknown:?}");
}

/// What `--dry-run` says of the cost.
fn estimated(table: &Table, arguments: &[&str]) -> String {
    let ran = table.run(&[&["ask", "--dry-run"], arguments].concat());
    assert_eq!((ran.code, asked(table)), (Some(0), 0), "{ran:?}");
    ran.stdout.lines().find(|line| line.starts_with("estimate: ")).unwrap().to_owned()
}

#[test]
fn a_dry_run_tells_what_the_writing_of_tests_may_cost() {
    let table = table("high", []);
    let (plain, with) = (estimated(&table, &ASKED[..ASKED.len() - 1]), estimated(&table, ASKED));
    assert!(!plain.contains("tests"), "{plain}");
    let dollars =
        |text: &str| text.split('$').nth(1).unwrap().split([',', ';', ' ']).next().unwrap().parse::<f64>().unwrap();
    let (first, second) = with.split_once(", and up to about ").unwrap();
    assert_eq!(dollars(&plain), dollars(first));
    assert!(dollars(second) > 0.0 && dollars(second) < dollars(first), "two calls beside three: {with}");
    assert!(second.contains(" for the writing of tests; capped at"), "{with}");
    let file = table.home.home().join("baton.toml");
    let text = std::fs::read_to_string(&file).unwrap();
    let last = text.rfind("price = ").unwrap();
    std::fs::write(&file, format!("{}#{}", &text[..last], &text[last..])).unwrap();
    assert!(estimated(&table, ASKED).contains("the writing of tests costs is unknown"));
    let patch = estimated(&table, &["Mend it", "-f", "limit.txt", "--question", "patch", "--reproduce"]);
    assert!(!patch.contains("tests"), "a patch claims nothing: {patch}");
}

#[test]
fn what_is_no_test_is_refused_and_what_cannot_be_tried_says_nothing() {
    let change = "```diff\n--- a/limit.txt\n+++ b/limit.txt\n@@ -1 +1 @@\n-100000\n+reproduces_\n```";
    let changes = table("high", [Answer::text(change).usage(1_000, 100, 0)]);
    let (_, decision) = changes.ask(ASKED);
    let told = &decision["reproductions"][0];
    assert_eq!((&told["result"], &told["content"]), (&"unknown".into(), &Value::Null), "{decision:#}");
    assert!(told["because"].as_str().unwrap().contains("`limit.txt`, which is no test"), "{told:#}");
    assert_eq!(decision["verdict"], "approve");
    let bare = table("high", [wants("100")]);
    std::fs::remove_dir_all(bare.home.work().join(".git")).unwrap();
    let (_, decision) = bare.ask(ASKED);
    let told = &decision["reproductions"][0];
    assert!(told["because"].as_str().unwrap().ends_with("nothing was run"), "{told:#}");
    assert!(bare.run(&["show", "--test"]).stdout.contains("+if grep"), "the test is kept");
    let screen: Vec<String> = bare.run(&["show"]).stdout.split_whitespace().map(str::to_owned).collect();
    assert!(screen.join(" ").contains("to run it yourself then: run-tests"), "{screen:?}");
}

#[test]
fn a_kill_while_the_test_runs_asks_nobody_again() {
    if !has_sandbox() {
        return;
    }
    let table = table("high", [wants("100")]);
    let held = table.home.bin().join("run-tests.held");
    let wait = format!(
        "#!/bin/sh\nif [ -e tests/limit.sh ] && [ -p \"$0.held\" ]; then exec 9>\"$0.held\"; echo alive >&9; sleep 1000; fi\n{RUNNER}"
    );
    script(&table, &wait);
    killed_while_it_holds(&held, || table.home.start(&[&["ask", "--yes"], ASKED].concat()).unwrap());
    assert_eq!(asked(&table), 4);
    std::fs::remove_file(held).unwrap();
    let resumed = table.run(&["resume", "--json"]).json().unwrap();
    assert_eq!(resumed[0]["reproductions"][0]["result"], "reproduced", "{resumed:#}");
    assert_eq!((asked(&table), worktrees(&table)), (4, 0), "no member was asked again");
    assert_eq!(table.run(&["verify"]).code, Some(0));
}
