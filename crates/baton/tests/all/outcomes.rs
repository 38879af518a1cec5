//! What becomes of patches teaches: their trials, a person's word, the repository's history.

use serde_json::Value;

use crate::patches::{ASKED, git, has_sandbox, lines, table, to, writes};
use crate::table::Table;

/// `cork` writes what passes, the others what fails; nothing but the trial says so. The run's id.
fn one_holds() -> Option<(Table, String)> {
    if !has_sandbox() {
        return None;
    }
    let worse = || writes(&to("bad", "worse"));
    let table = table([worse(), worse(), writes(&to("bad", "good"))], "grep -q good value.txt");
    let (code, decision) = table.ask(ASKED);
    assert_eq!(code, Some(0), "{decision:#}");
    let run = decision["run"].as_str().unwrap().to_owned();
    Some((table, run))
}

fn commit(table: &Table, fifth: &str, message: &str) {
    table.home.write("value.txt", lines(fifth)).unwrap();
    git(table, &["-c", "user.name=a", "-c", "user.email=a@b", "commit", "--quiet", "-am", message]);
}

fn history(table: &Table, arguments: &[&str]) -> String {
    let ran = table.run(&[&["rate", "--history"], arguments].concat());
    assert_eq!(ran.code, Some(0), "{ran:?}");
    ran.stdout
}

/// What the next run was given to know of patches.
fn known(table: &Table) -> Value {
    let (_, decision) = table.ask(ASKED);
    let run = decision["run"].as_str().unwrap().to_owned();
    let journal = table.run(&["show", &run, "--journal"]).stdout;
    let first: Value = serde_json::from_str(journal.lines().next().unwrap()).unwrap();
    let inputs: Value = serde_json::from_str(first["body"].as_str().unwrap()).unwrap();
    inputs["experience"]["patches"]["members"].clone()
}

#[test]
fn trials_teach_without_being_asked() {
    let Some((table, _)) = one_holds() else { return };
    let members = known(&table);
    let counts = |name: &str, what: &str| members[name]["counts"][what].as_u64().unwrap();
    assert_eq!(counts("cork", "right"), counts("cork", "asked"), "{members:#}");
    assert_eq!((counts("ash", "right"), counts("beech", "right")), (0, 0), "{members:#}");
    assert!(counts("ash", "asked") > 990_000, "{members:#}");
}

#[test]
fn a_persons_word_is_about_a_patch_and_replaces_what_its_trial_said() {
    let Some((table, run)) = one_holds() else { return };
    let screen = table.run(&["show", &run]).stdout;
    assert!(screen.contains("1 adopted  by cork") && screen.contains("2 not adopted  by ash, beech"), "{screen}");
    let other = table.run(&["show", &run, "--patch=2"]);
    assert!(other.stdout.contains("+worse") && other.stderr.contains("with this patch tests fails"), "{other:?}");
    assert!(table.run(&["show", &run, "--patch"]).stdout.contains("+good"));
    assert!(table.run(&["show", &run, "--patch=3"]).stderr.contains("no patch 3; it has 2"));
    assert!(table.run(&["rate", &run, "bad"]).stderr.contains("wrong: cork"), "the adopted one");
    assert!(table.run(&["accept", &run, "2"]).stderr.contains("right: ash, beech"));
    let refused = table.run(&["reject", &run, "3"]);
    assert_eq!(refused.code, Some(2), "{refused:?}");
    assert!(refused.stderr.contains("no patch 3; it has 2"), "{refused:?}");
    let members = known(&table);
    assert_eq!(members["cork"]["counts"]["right"], 0, "{members:#}");
    assert_ne!(members["ash"]["counts"]["right"], 0, "{members:#}");
    let looked = history(&table, &[]);
    assert!(looked.contains("no commit has its patch") && looked.contains("your own word stays"), "{looked}");
}

#[test]
fn what_the_history_says_is_looked_up_when_it_is_asked_for() {
    let Some((table, run)) = one_holds() else { return };
    let nothing = history(&table, &[]);
    assert!(nothing.contains("no commit has its patch") && nothing.contains("Make the value good"), "{nothing}");
    commit(&table, "good", "Make it good");
    let landed = history(&table, &[&run]);
    assert!(landed.contains("patch 1 by cork: committed as ") && landed.contains("; right: cork"), "{landed}");
    assert!(history(&table, &[]).contains("; known"));
    commit(&table, "bad", "Back again");
    let reverted = history(&table, &[]);
    assert!(reverted.contains(", reverted by ") && reverted.contains("; wrong: cork"), "{reverted}");
    assert_eq!(table.run(&["accept", &run, "1"]).code, Some(0));
    assert!(history(&table, &[]).contains("your own word stays: good"));
    assert_eq!(table.run(&["rate", &run, "good", "--history"]).code, Some(2), "a word and a look are two things");
}

#[test]
fn a_repository_that_is_gone_and_runs_without_patches_are_told() {
    let Some((table, run)) = one_holds() else { return };
    std::fs::remove_dir_all(table.home.work().join(".git")).unwrap();
    let ran = table.run(&["rate", "--history", &run]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("no git repository"), "{ran:?}");
    let empty = Table::lay(crate::table::THREE, crate::table::all(crate::table::THREE, "approve"));
    empty.ask(&["Is this fine?"]);
    assert!(history(&empty, &[]).contains("no run here has a patch"));
}
