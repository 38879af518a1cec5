//! What probes show of a patch, run for real.

use baton_core::evidence::{CheckResult, Probe, ProbeResult, Trial};
use baton_port::Channel;

use crate::room::{Room, change, member_with, on_runtime, result, shell_check, trial};

/// The trial of a patch that makes the second line another one; `None` where there is no sandbox.
fn probed(room: &Room, new: &str, check: &str, probe: &str) -> Option<Trial> {
    let member = member_with(&[shell_check("tests", check)], &[shell_check("behave", probe)]);
    let channel = room.workshop().trial(&member).unwrap();
    let turn = on_runtime(channel.turn(&room.request(&change("value.txt", "two", new))));
    result(&turn).map(|_| trial(&turn).clone())
}

fn shown(trial: &Trial) -> &Probe {
    let [probe] = trial.probes.as_slice() else { panic!("{trial:?}") };
    probe
}

#[test]
fn two_patches_that_pass_are_told_apart_by_what_they_print() {
    let room = Room::new();
    let show =
        |new: &str| probed(&room, new, "true", "sed -n 2p value.txt; pwd; echo $HOME; echo noise $$ >&2; exit 3");
    let Some(one) = show("2") else { return };
    let other = show("zwei").unwrap();
    let (one, other) = (shown(&one).shown().unwrap().clone(), shown(&other).shown().unwrap().clone());
    assert_eq!((one.code, one.output.as_str()), (3, "2\n<copy>\n<baton>/private/home\n"));
    assert_eq!(one.first_difference(&other), Some((1, Some("2"), Some("zwei"))));
    let same = show("2").unwrap();
    assert!(shown(&same).shown().unwrap().is_same(&one), "another copy shows the same");
}

#[test]
fn what_changes_by_itself_or_cannot_be_run_says_nothing() {
    let room = Room::new();
    for (script, because) in [("cat /proc/sys/kernel/random/uuid", "not the same twice"), ("exit 127", "could not be")]
    {
        let Some(trial) = probed(&room, "2", "true", script) else { return };
        let ProbeResult::Abstained { reason } = &shown(&trial).result else { panic!("{trial:?}") };
        assert!(reason.contains(because), "{reason}");
    }
}

#[test]
fn a_patch_that_fails_a_check_is_not_probed_and_a_probe_is_no_check() {
    let room = Room::new();
    let Some(failed) = probed(&room, "2", "false", "echo x") else { return };
    assert!(failed.probes.is_empty(), "{failed:?}");
    let passed = probed(&room, "2", "true", "exit 1").unwrap();
    assert_eq!(
        (passed.checks.len(), &passed.checks[0].result),
        (1, &CheckResult::Passed),
        "an exit code is no verdict"
    );
    assert_eq!(shown(&passed).shown().unwrap().code, 1);
}
