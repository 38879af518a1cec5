//! The descendants of this process, as the system shows them now.

use rustix::process::{Pid, Signal, getpid, kill_process, test_kill_process_group};

use crate::memory::kilobytes;

/// A process and what it says about its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Relative {
    pid: i32,
    parent: i32,
    group: i32,
    /// It ended and waits for its parent to notice.
    is_zombie: bool,
}

/// Whether a process of this group still runs. Zombies do not count: where nobody reaps orphans, as in many
/// containers, they stay for ever. Where there is no `/proc`, they cannot be told from the living.
pub(super) fn group_runs(group: Pid) -> bool {
    let is_member = |relative: &Relative| relative.group == group.as_raw_pid() && !relative.is_zombie;
    let lists_processes = cfg!(target_os = "linux");
    test_kill_process_group(group).is_ok() && (!lists_processes || all_processes().iter().any(is_member))
}

/// Resident bytes of all processes of a group; `None` when there is none, or the system does not show them.
pub(crate) fn group_resident(group: u32) -> Option<u64> {
    let group = i32::try_from(group).ok()?;
    let members = all_processes().into_iter().filter(|relative| relative.group == group && !relative.is_zombie);
    let resident = |relative: Relative| {
        kilobytes(&std::fs::read_to_string(format!("/proc/{}/status", relative.pid)).ok()?, "VmRSS:")
    };
    members.filter_map(resident).reduce(u64::saturating_add)
}

/// Sends a signal to every descendant of this process that is not in the process group `except`. One pass: who is
/// born meanwhile is missed, so callers that mean to kill repeat it until nobody is left.
pub(super) fn signal(signal: Signal, except: Option<Pid>) {
    let except = except.map(|pid| pid.as_raw_pid());
    let all = all_processes();
    for relative in descendants(getpid().as_raw_pid(), &all) {
        if Some(relative.group) != except
            && let Some(pid) = Pid::from_raw(relative.pid)
        {
            // An error means that it ended by itself, or that it became another user's.
            let _ = kill_process(pid, signal);
        }
    }
}

fn descendants(root: i32, all: &[Relative]) -> Vec<Relative> {
    let mut family: Vec<Relative> = children(root, all).collect();
    let mut next = 0;
    while let Some(relative) = family.get(next).copied() {
        // No process is its own ancestor, but the list is no snapshot: an id can be given anew while it is read.
        let fresh: Vec<Relative> = children(relative.pid, all).filter(|child| !family.contains(child)).collect();
        family.extend(fresh);
        next += 1;
    }
    family
}

fn children(parent: i32, all: &[Relative]) -> impl Iterator<Item = Relative> {
    all.iter().copied().filter(move |relative| relative.parent == parent)
}

/// Empty where the system shows no `/proc`: there the process group alone is signalled.
fn all_processes() -> Vec<Relative> {
    let Ok(entries) = std::fs::read_dir("/proc") else { return Vec::new() };
    entries
        .filter_map(|entry| entry.ok()?.file_name().to_str()?.parse::<i32>().ok())
        .filter_map(|pid| parse(&std::fs::read(format!("/proc/{pid}/stat")).ok()?))
        .collect()
}

/// Reads `pid (name) state parent group …`. The name is the program's choice: it may hold spaces, parentheses and
/// bytes that are no text.
fn parse(stat: &[u8]) -> Option<Relative> {
    let name_ends = stat.iter().rposition(|byte| *byte == b')')?;
    let pid = stat.split(|byte| *byte == b' ').next()?;
    let after = std::str::from_utf8(stat.get(name_ends + 1..)?).ok()?;
    let mut fields = after.split_ascii_whitespace();
    let state = fields.next()?;
    Some(Relative {
        pid: std::str::from_utf8(pid).ok()?.parse().ok()?,
        parent: fields.next()?.parse().ok()?,
        group: fields.next()?.parse().ok()?,
        is_zombie: matches!(state, "Z" | "X"),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn relative(pid: i32, parent: i32) -> Relative {
        Relative { pid, parent, group: pid, is_zombie: false }
    }

    #[test]
    fn a_name_cannot_forge_the_fields() {
        let expected = Some(Relative { pid: 7, parent: 3, group: 5, is_zombie: false });
        assert_eq!(parse(b"7 (cat) S 3 5 5 0 -1"), expected);
        assert_eq!(parse(b"7 (a) R 1 (b) S 3 5 5 0"), expected);
        assert_eq!(parse(b"7 (\xff ) S 1 1) S 3 5 5 0"), expected);
        assert!(parse(b"7 (cat) Z 3 5 5 0 -1").is_some_and(|relative| relative.is_zombie));
    }

    #[test]
    fn nonsense_is_skipped() {
        for stat in [&b""[..], b"7", b"7 (cat", b"7 (cat) S", b"7 (cat) S x y", b"x (cat) S 1 2"] {
            assert_eq!(parse(stat), None, "{}", String::from_utf8_lossy(stat));
        }
    }

    #[test]
    fn descendants_are_found_at_any_depth_and_strangers_are_not() {
        let all = [relative(9, 8), relative(8, 2), relative(3, 2), relative(2, 1), relative(4, 1), relative(7, 6)];
        let mut found: Vec<i32> = descendants(2, &all).iter().map(|relative| relative.pid).collect();
        found.sort_unstable();
        assert_eq!(found, [3, 8, 9]);
    }

    #[test]
    fn a_circle_in_a_torn_list_ends() {
        let all = [relative(2, 3), relative(3, 2)];
        assert_eq!(descendants(2, &all).len(), 2);
    }

    #[test]
    #[cfg(target_os = "linux")]
    fn this_process_is_listed() {
        let pid = getpid().as_raw_pid();
        assert!(all_processes().iter().any(|relative| relative.pid == pid));
        assert!(group_runs(rustix::process::getpgrp()));
    }
}
