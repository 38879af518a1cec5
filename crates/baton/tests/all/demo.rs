//! `baton demo`: the whole main job without any account.

use baton_testkit::Ran;

use crate::table::home;

fn demo(with_cargo: bool) -> Ran {
    let mut home = home();
    if with_cargo {
        for name in ["PATH", "CARGO_HOME", "RUSTUP_HOME", "RUSTUP_TOOLCHAIN"] {
            if let Some(value) = std::env::var_os(name) {
                home.set(name, value);
            }
        }
        // rustup looks for its toolchains below the true home.
        if let Some(user) = std::env::var_os("HOME") {
            home.set("HOME", user);
        }
    }
    home.run(&["demo", "--json"]).unwrap()
}

#[test]
fn evidence_settles_the_conflict() {
    let ran = demo(true);
    let decision = ran.json().unwrap_or_else(|error| panic!("{error}: {ran:?}"));
    assert_eq!(decision["scripted"], true);
    assert_eq!(decision["hasConflict"], false, "{decision:#}");
    let settled = decision["conflicts"].as_array().unwrap();
    assert!(settled.iter().all(|conflict| conflict["settledBy"].as_str().unwrap().contains("cargo-test failed")));
    assert!(!settled.is_empty());
    assert_eq!(decision["failedModels"][0]["replacedBy"], "cedar");
    assert_eq!(decision["refusedIssues"][0]["line"], 412);
    let issues = decision["issues"].as_array().unwrap();
    assert!(issues.iter().any(|issue| issue["reportedBy"].as_array().unwrap().len() == 2), "merged from two");
    assert_eq!(decision["verdict"], "reject");
}

#[test]
fn without_cargo_the_other_sides_evidence_settles_it() {
    let ran = demo(false);
    let decision = ran.json().unwrap();
    assert_eq!(decision["hasConflict"], false);
    let settled = decision["conflicts"].as_array().unwrap();
    assert!(settled.iter().all(|conflict| conflict["settledBy"].as_str().unwrap().contains("birch gave way")));
    assert_eq!(settled.len(), 2);
    assert_eq!(decision["checks"][0]["result"], "abstained");
}

#[test]
fn the_demo_leaves_nothing_in_the_users_home() {
    let home = home();
    let ran = home.run(&["demo"]).unwrap();
    assert!(ran.stdout.contains("[scripted answers]") && ran.stdout.contains("birch gave way"), "{ran:?}");
    assert_eq!(std::fs::read_dir(home.home()).unwrap().count(), 0);
}
