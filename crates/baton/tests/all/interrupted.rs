//! Killed in the middle, and carried on: what is recorded is never asked again.

use std::io::Read;
use std::os::unix::fs::PermissionsExt;

use baton_script::Fault;
use baton_testkit::Environment;

use crate::table::{THREE, Table, fault, home, model, says};

/// One answers, two hang at their first call and answer at the next.
fn slow_table() -> Table {
    let hangs = || [fault(Fault::HangBeforeHead), says("approve")];
    Table::lay(THREE, [model("ash", [says("approve")]), model("beech", hangs()), model("cork", hangs())])
}

#[test]
fn a_kill_loses_nothing_and_no_finished_call_is_asked_again() {
    let table = slow_table();
    let mut running = table.home.start(&["ask", "Review this change", "--yes"]).unwrap();
    assert!(running.wait_for("✓ ash").unwrap());
    running.kill().unwrap();
    let runs = table.run(&["runs"]).stdout;
    assert!(runs.ends_with("Review this change  $0.0012 by key so far\n"), "two have not said what they cost: {runs}");
    let resumed = table.run(&["resume", "--json"]);
    let decisions = resumed.json().unwrap_or_else(|error| panic!("{error}: {resumed:?}"));
    assert_eq!(decisions.as_array().unwrap().len(), 1);
    let decision = &decisions[0];
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
    let mut running = table.home.start(&["ask", "Review this change", "--yes"]).unwrap();
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
    let mut running = table.home.start(&["ask", "Review this change", "--yes"]).unwrap();
    assert!(running.wait_for("✓ ash").unwrap());
    assert_eq!(table.run(&["cancel"]).code, Some(0));
    assert_eq!(running.finish().unwrap().code, Some(130));
}

/// An agent program that starts a child, says that it lives, and never ends. Both hold the pipe `held` open for
/// writing, so its end is read exactly when neither is left.
fn endless_agent() -> Environment {
    let home = home();
    home.configure("local_servers = false\nallow = [\"anthropic\"]\n").unwrap();
    let held = home.work().join("held");
    rustix::fs::mknodat(
        rustix::fs::CWD,
        &held,
        rustix::fs::FileType::Fifo,
        rustix::fs::Mode::RUSR | rustix::fs::Mode::WUSR,
        0,
    )
    .unwrap();
    let program = home.bin().join("claude");
    let script =
        format!("#!/bin/sh\nexec 9>{}\necho alive >&9\n/bin/sleep 1000 &\nexec /bin/sleep 1000\n", held.display());
    std::fs::write(&program, script).unwrap();
    std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o755)).unwrap();
    home
}

/// Waits until the agent lives, does something to baton, and returns once no process of the agent is left.
fn ends_with(home: &Environment, stop: impl FnOnce(baton_testkit::Running)) {
    let running = home.start(&["ask", "Fix the typo", "--member", "claude"]).unwrap();
    let mut held = std::fs::File::open(home.work().join("held")).unwrap();
    let mut alive = [0; 6];
    held.read_exact(&mut alive).unwrap();
    stop(running);
    let mut rest = Vec::new();
    held.read_to_end(&mut rest).unwrap();
    assert_eq!(rest, b"");
}

#[test]
fn ctrl_c_leaves_no_child() {
    let home = endless_agent();
    ends_with(&home, |running| {
        running.interrupt().unwrap();
        assert_eq!(running.finish().unwrap().code, Some(130));
    });
}

#[test]
fn a_kill_leaves_no_child() {
    let home = endless_agent();
    ends_with(&home, |running| running.kill().unwrap());
}
