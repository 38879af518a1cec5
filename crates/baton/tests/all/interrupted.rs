//! Killed in the middle, and carried on: what is recorded is never asked again.

use baton_script::Fault;

use crate::table::{THREE, Table, fault, model, says};

/// One answers, two hang at their first call and answer at the next.
fn slow_table() -> Table {
    let hangs = || [fault(Fault::HangBeforeHead), says("approve")];
    Table::lay(THREE, [model("ash", [says("approve")]), model("beech", hangs()), model("cork", hangs())])
}

#[test]
fn a_kill_loses_nothing_and_no_finished_call_is_asked_again() {
    let table = slow_table();
    let mut running = table.home.start(&["ask", "Is this fine as it is?", "--yes"]).unwrap();
    assert!(running.wait_for("✓ ash").unwrap());
    running.kill().unwrap();
    let resumed = table.run(&["resume", "--json"]);
    let decision = resumed.json().unwrap_or_else(|error| panic!("{error}: {resumed:?}"));
    assert_eq!(resumed.code, Some(0), "{decision:#}");
    assert_eq!(decision["modelCount"], 3);
    let asked = table.upstream.asked_models();
    let count = |id: &str| asked.iter().filter(|model| *model == id).count();
    assert_eq!((count("ash"), count("beech"), count("cork")), (1, 2, 2));
    let show = table.run(&["show"]);
    assert!(show.stdout.contains("in doubt"), "the doubt is shown: {}", show.stdout);
    assert_eq!(table.run(&["verify"]).code, Some(0));
    assert!(table.run(&["resume"]).stderr.contains("no run was interrupted"));
}

#[test]
fn ctrl_c_stops_the_run_and_says_so() {
    let table = slow_table();
    let mut running = table.home.start(&["ask", "Is this fine as it is?", "--yes"]).unwrap();
    assert!(running.wait_for("✓ ash").unwrap());
    running.interrupt().unwrap();
    let ran = running.finish().unwrap();
    assert_eq!(ran.code, Some(130), "{}", ran.stderr);
    let show = table.run(&["show"]);
    assert!(show.stdout.contains("cancelled") && show.stdout.contains("ash"), "{}", show.stdout);
    assert_eq!(table.run(&["verify"]).code, Some(0));
}

#[test]
fn another_process_can_cancel_a_run() {
    let table = slow_table();
    let mut running = table.home.start(&["ask", "Is this fine as it is?", "--yes"]).unwrap();
    assert!(running.wait_for("✓ ash").unwrap());
    assert_eq!(table.run(&["cancel"]).code, Some(0));
    assert_eq!(running.finish().unwrap().code, Some(130));
}
