//! What became of a decision is said by people, and by programs under their own name.

use baton_script::Answer;
use baton_testkit::Ran;

use crate::table::{THREE, Table, all, model};

fn reports(claim: &str) -> Answer {
    let finding = format!("{{\"file\": \"net.rs\", \"line\": 1, \"severity\": \"high\", \"claim\": \"{claim}\"}}");
    Answer::text(format!("See the list.\n\n```json\n{{\"verdict\": \"reject\", \"findings\": [{finding}]}}\n```"))
}

/// Two report a finding, one approves.
fn reviewed() -> (Table, String) {
    let mut rules = all(THREE, "approve");
    rules[0] = model("ash", [reports("the loop never ends")]);
    rules[1] = model("beech", [reports("this loop never ends at all")]);
    let table = Table::lay(THREE, rules);
    table.home.write("net.rs", "loop {}\n").unwrap();
    let (_, decision) = table.ask(&["Review this", "-f", "net.rs"]);
    let run = decision["run"].as_str().unwrap().to_owned();
    (table, run)
}

fn refused(ran: &Ran, because: &str) {
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains(because), "{ran:?}");
}

#[test]
fn a_word_on_the_decision_tells_who_was_right() {
    let (table, run) = reviewed();
    let good = table.run(&["rate", &run, "good", "--because", "merge"]);
    assert_eq!(good.code, Some(0), "{good:?}");
    assert!(good.stderr.contains("right: ash, beech; wrong: cork"), "{good:?}");
    let bad = table.run(&["rate", &run, "bad"]);
    assert!(bad.stderr.contains("right: cork; wrong: ash, beech"), "{bad:?}");
}

#[test]
fn a_finding_is_accepted_or_rejected_by_the_number_on_the_screen() {
    let (table, run) = reviewed();
    assert!(table.run(&["show", &run]).stdout.contains("  1 high"), "the number is on the screen");
    assert!(table.run(&["accept", &run, "1"]).stderr.contains("right: ash, beech"));
    assert!(table.run(&["reject", &run, "1"]).stderr.contains("wrong: ash, beech"));
    refused(&table.run(&["accept", &run, "7"]), "no finding 7; it has 1");
}

#[test]
fn a_run_that_is_not_there_and_an_odd_word_are_refused() {
    let (table, _) = reviewed();
    refused(&table.run(&["rate", "ffffffff", "good"]), "ffffffff");
    assert_eq!(table.run(&["rate", "x", "splendid"]).code, Some(2));
}

#[test]
fn a_member_cannot_praise_itself() {
    let (mut table, run) = reviewed();
    table.home.set("BATON_DEPTH", "1");
    refused(&table.run(&["rate", &run, "good"]), "started by a member");
}
