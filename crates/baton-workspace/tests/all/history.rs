//! What is found of a patch in a repository's history.

use std::path::Path;

use baton_core::feedback::{Fate, fate};
use baton_core::units::Timestamp;
use baton_port::Cancel;
use baton_workspace::WorkspaceError;

use crate::room::{Room, change, on_runtime};

fn found(room: &Room, diff: &str, since: Timestamp) -> Option<Fate> {
    let patch = baton_core::patch::read(diff).unwrap();
    let files = ["value.txt".to_owned()];
    let commits = on_runtime(room.workshop().commits(&room.repository(), &files, since, &Cancel::default()));
    fate(&patch, &commits.unwrap())
}

fn head(room: &Room) -> String {
    room.git(&["rev-parse", "HEAD"]).trim().to_owned()
}

#[test]
fn a_patch_is_found_where_it_was_committed_with_other_files_and_where_it_was_reverted() {
    let room = Room::new();
    let patch = change("value.txt", "two", "2");
    assert_eq!(found(&room, &patch, Timestamp(0)), None);
    room.write("value.txt", "one\n2\nthree\n");
    room.write("below/file.txt", "another change of the same commit\n");
    room.commit();
    let landed = head(&room);
    assert_eq!(found(&room, &patch, Timestamp(0)), Some(Fate::Landed { commit: landed.clone() }));
    assert_eq!(found(&room, &change("value.txt", "two", "zwei"), Timestamp(0)), None);
    room.git(&["-c", "user.name=a", "-c", "user.email=a@b", "revert", "--no-edit", &landed]);
    assert_eq!(found(&room, &patch, Timestamp(0)), Some(Fate::Reverted { commit: landed, by: head(&room) }));
}

#[test]
fn what_was_committed_before_the_run_or_elsewhere_is_not_looked_at() {
    let room = Room::new();
    room.write("value.txt", "one\n2\nthree\n");
    room.commit();
    let later = Timestamp(4_000_000_000_000);
    assert_eq!(found(&room, &change("value.txt", "two", "2"), later), None);
    room.git(&["checkout", "--quiet", "-b", "other", "HEAD~1"]);
    assert_eq!(found(&room, &change("value.txt", "two", "2"), Timestamp(0)), None, "not below this branch");
}

#[test]
fn settings_of_the_repository_change_nothing() {
    let room = Room::new();
    for (name, value) in [("diff.noprefix", "true"), ("diff.algorithm", "patience"), ("color.ui", "always")] {
        room.git(&["config", name, value]);
    }
    room.write("value.txt", "one\n2\nthree\n");
    room.commit();
    assert!(found(&room, &change("value.txt", "two", "2"), Timestamp(0)).is_some());
    let has_commit = |of: &Path| on_runtime(room.workshop().has_commit(of, &Cancel::default()));
    assert!(has_commit(&room.repository().join("below")) && !has_commit(room.folder.path()));
    let nowhere = on_runtime(room.workshop().commits(room.folder.path(), &[], Timestamp(0), &Cancel::default()));
    assert!(matches!(nowhere, Err(WorkspaceError::NoRepository(_))), "{nowhere:?}");
}
