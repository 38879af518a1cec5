//! What a copy begins with, and what applying a diff to it gives.

use baton_core::evidence::{CheckResult, Fit};
use baton_core::outcome::Outcome;
use baton_port::{Cancel, Channel};
use baton_process::Launcher;
use baton_workspace::{Applied, WorkspaceError, Worktree};

use crate::room::{Room, change, is_below, member, on_runtime, result, trial, variables};

fn make(room: &Room, below: &str) -> Result<Worktree, WorkspaceError> {
    let (of, launcher) = (room.repository().join(below), Launcher::without_shim());
    on_runtime(Worktree::make(&of, &room.copies(), &launcher, &variables(), &Cancel::default()))
}

fn read(worktree: &Worktree, name: &str) -> String {
    std::fs::read_to_string(worktree.tree().join(name)).unwrap()
}

#[test]
fn a_copy_is_the_last_commit_with_the_changes_of_tracked_files() {
    let room = Room::new();
    room.write("value.txt", "one\nmine\nthree\n");
    room.write("untracked.txt", "x");
    std::fs::remove_file(room.repository().join("below/file.txt")).unwrap();
    let status = room.git(&["status", "--porcelain"]);
    let worktree = make(&room, "").unwrap();
    assert_eq!(read(&worktree, "value.txt"), "one\nmine\nthree\n");
    assert!(!worktree.tree().join("untracked.txt").exists() && !worktree.tree().join("below/file.txt").exists());
    assert!(is_below(worktree.tree(), &room.copies()));
    drop(worktree);
    assert_eq!(room.left(), 0);
    assert_eq!(room.git(&["status", "--porcelain"]), status);
    assert_eq!(room.git(&["worktree", "list"]).lines().count(), 1, "the repository knows of no copy");
    assert_eq!(room.git(&["stash", "list"]), "");
}

#[test]
fn a_directory_below_the_root_stays_below_it() {
    let room = Room::new();
    let worktree = make(&room, "below").unwrap();
    assert_eq!(worktree.directory(), worktree.tree().join("below"));
}

#[test]
fn hooks_and_filters_of_the_repository_are_not_run() {
    use std::os::unix::fs::PermissionsExt;
    let room = Room::new();
    let ran = room.folder.path().join("ran");
    let script = format!("#!/bin/sh\necho x >> '{}'\ncat\n", ran.display());
    for hook in ["post-checkout", "post-index-change", "reference-transaction", "monitor"] {
        let path = room.repository().join(".git/hooks").join(hook);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, &script).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    }
    room.git(&["config", "core.fsmonitor", ".git/hooks/monitor"]);
    room.git(&["config", "filter.own.smudge", "sh .git/hooks/monitor"]);
    room.write(".gitattributes", "*.txt filter=own\n");
    let _ = std::fs::remove_file(&ran);
    let worktree = make(&room, "").unwrap();
    assert_eq!(read(&worktree, "value.txt"), "one\ntwo\nthree\n");
    assert!(!ran.exists(), "{}", std::fs::read_to_string(&ran).unwrap_or_default());
}

#[test]
fn a_diff_is_applied_as_a_whole_or_not_at_all() {
    let room = Room::new();
    let worktree = make(&room, "").unwrap();
    let wrong = format!("{}{}", change("value.txt", "two", "2"), change("below/file.txt", "nowhere", "2"));
    assert!(matches!(on_runtime(worktree.apply(&wrong)).unwrap(), Applied::No { .. }));
    assert_eq!(read(&worktree, "value.txt"), "one\ntwo\nthree\n");
    let Applied::Yes { diff } = on_runtime(worktree.apply(&change("value.txt", "two", "2"))).unwrap() else {
        panic!("it applies");
    };
    assert!(diff.starts_with("diff --git a/value.txt b/value.txt\n"), "{diff}");
    assert_eq!(read(&worktree, "value.txt"), "one\n2\nthree\n");
}

#[test]
fn no_repository_and_no_commit_are_said() {
    let room = Room::new();
    std::fs::remove_dir_all(room.repository().join(".git")).unwrap();
    assert!(matches!(make(&room, "").unwrap_err(), WorkspaceError::NoRepository(_)));
    room.git(&["init", "--quiet"]);
    assert_eq!(make(&room, "").unwrap_err(), WorkspaceError::NoCommit);
    let turn = room.attempt(&change("value.txt", "two", "2"), "true");
    assert!(matches!(&trial(&turn).fit, Fit::Unknown { because } if because.contains("no commit")), "{turn:?}");
    assert_eq!(turn.outcome, Outcome::Ok);
}

#[test]
fn a_trial_tells_whether_it_applies_and_how_the_checks_end() {
    let room = Room::new();
    let turn = room.attempt(&change("value.txt", "nowhere", "2"), "true");
    assert!(matches!(&trial(&turn).fit, Fit::No { .. }));
    assert_eq!(turn.evidence.as_ref().unwrap().result, CheckResult::Failed);
    let turn = room.attempt(&change("value.txt", "two", "2"), "grep -q 2 value.txt");
    assert_eq!(trial(&turn).fit, Fit::Yes);
    let Some(outcome) = result(&turn) else { return };
    assert_eq!(outcome, CheckResult::Passed);
    assert_eq!(turn.evidence.as_ref().unwrap().result, CheckResult::Passed);
    assert_eq!(room.left(), 0);
}

#[test]
fn a_cancelled_trial_leaves_nothing() {
    let room = Room::new();
    let channel = room.workshop().trial(&member(&[])).unwrap();
    let request = room.request(&change("value.txt", "two", "2"));
    request.cancel.request();
    let turn = on_runtime(channel.turn(&request));
    assert_eq!((turn.outcome, room.left()), (Outcome::Cancelled, 0));
}
