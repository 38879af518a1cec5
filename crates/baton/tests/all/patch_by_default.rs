//! A task that tells to change something ends in a patch where one can be tried, without being asked for one.

use crate::patches::{git, has_sandbox, lines, table, to, writes};
use crate::table::Table;

const TOLD: &str = "fix the bad line in value.txt";
const WITH: &[&str] = &["-f", "value.txt"];

fn mends() -> Table {
    let mend = || writes(&to("bad", "good"));
    table([mend(), mend(), mend()], "grep -q good value.txt")
}

/// What the plan says that is asked for.
fn asks_for(table: &Table, words: &[&str]) -> String {
    let ran = table.run(&[&["ask", "--dry-run"], words].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    let line = ran.stdout.lines().find(|line| line.contains("asks for")).unwrap();
    line.rsplit("asks for ").next().unwrap().to_owned()
}

#[test]
fn what_is_told_to_be_mended_comes_back_as_a_patch_that_was_tried_and_not_applied() {
    if !has_sandbox() {
        return;
    }
    let table = mends();
    let (code, decision) = table.ask(&[&[TOLD], WITH].concat());
    assert_eq!((code, decision["patches"][0]["adopted"].as_bool()), (Some(0), Some(true)), "{decision:#}");
    assert_eq!(decision["patches"][0]["checks"][0]["result"], "passed", "{decision:#}");
    assert_eq!(std::fs::read_to_string(table.home.work().join("value.txt")).unwrap(), lines("bad"));
    let screen = table.run(&["show"]).stdout;
    for part in ["\n  +good\n", "This mends it.", "nothing of yours was changed", "Checks without any patch"] {
        assert!(screen.contains(part), "{part}: {screen}");
    }
    let markdown = table.run(&["show", "--format", "markdown"]).stdout;
    for part in ["### Patch\n\n1. **adopted**: by ash; applies, tests passed\n\n```diff\n", "\n+good\n"] {
        assert!(markdown.contains(part), "{part}: {markdown}");
    }
    let plan = table.run(&[&["ask", "--dry-run", TOLD], WITH].concat()).stdout;
    assert!(plan.contains("asks for patch: it tells what to change") && plan.contains("--question text"), "{plan}");
    assert!(plan.contains("```diff"), "members are asked for a diff: {plan}");
}

#[test]
fn what_is_asked_stays_text_and_the_users_word_comes_first() {
    let table = mends();
    assert_eq!(asks_for(&table, &[&[TOLD], WITH].concat()), "patch");
    assert_eq!(asks_for(&table, &[&["how should I fix the bad line in value.txt?"], WITH].concat()), "text");
    assert_eq!(asks_for(&table, &[&[TOLD, "--question", "text"], WITH].concat()), "text");
    assert_eq!(asks_for(&table, &[&[TOLD, "--workflow", "refine"], WITH].concat()), "text", "it tries none");
    assert_eq!(asks_for(&table, &[TOLD]), "text", "none of these members sees the file");
    let told = table.run(&["ask", "--dry-run", TOLD]).stderr;
    assert!(told.contains("no patch: no member here sees your files") && told.contains("-f FILE"), "{told}");
    let asked = table.run(&["ask", "--dry-run", "how should I fix the bad line in value.txt?"]).stderr;
    assert_eq!(asked, "", "who wants words is told nothing");
    let choice = table.run(&[&["ask", "--dry-run", TOLD, "--choose", "a,b"], WITH].concat()).stdout;
    assert!(choice.contains("asks for choice"), "{choice}");
}

#[test]
fn where_nothing_can_be_tried_no_patch_is_asked_for() {
    let table = mends();
    std::fs::remove_dir_all(table.home.work().join(".git")).unwrap();
    assert_eq!(asks_for(&table, &[&[TOLD], WITH].concat()), "text");
    git(&table, &["init", "--quiet", "-b", "main"]);
    assert_eq!(asks_for(&table, &[&[TOLD], WITH].concat()), "text", "there is no commit yet");
    let told = table.run(&[&["ask", "--dry-run", TOLD], WITH].concat()).stderr;
    assert!(told.contains("no git repository with a commit") && told.contains("--question patch"), "{told}");
}

#[test]
fn a_diff_that_is_brought_along_is_judged() {
    let table = mends();
    let diff = to("bad", "good");
    let ran = table.home.run_with_input(&["ask", "--dry-run", TOLD], diff.as_bytes()).unwrap();
    assert!(!ran.stdout.contains("asks for patch"), "{}", ran.stdout);
}
