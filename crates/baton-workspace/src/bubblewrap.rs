//! The sandbox made by bubblewrap, for machines that let `bwrap` make namespaces and refuse them to others.
//!
//! What holds inside is the same; what differs: the user keeps the own name and is not called root, `/dev` holds the
//! few devices that every program needs, and `/run` is empty and read-only.

use std::ffi::OsString;
use std::path::Path;

use crate::sandbox::Room;

/// Tells whether the command began; see there.
pub(crate) const SCRIPT: &str = include_str!("bubblewrap.sh");
/// The first words inside.
const BEGUN: &str = "echo begun >&3 && exec 3>&- 4<&- 5<&- && exec \"$@\"";

/// Namespaces and mounts. Where `bwrap` is allowed more than others the user's namespace may be missing (`-try`): then
/// the kernel has none to give, and what is dropped below is dropped all the same.
const ROOM: &[&str] = &[
    "--unshare-user-try",
    "--unshare-net",
    "--unshare-pid",
    "--unshare-ipc",
    "--die-with-parent",
    "--new-session",
    "--cap-drop",
    "ALL",
    "--ro-bind",
    "/",
    "/",
    "--dev",
    "/dev",
    "--tmpfs",
    "/dev/shm",
    "--remount-ro",
    "/dev",
    "--proc",
    "/proc",
];

/// What follows the shell that runs [`SCRIPT`], up to the command itself. `notes` and `sockets` are not writable inside.
pub(crate) fn arguments(bwrap: &Path, shell: &Path, room: &Room<'_>, notes: &Path, sockets: &Path) -> Vec<OsString> {
    let mut words: Vec<OsString> = vec![notes.into(), sockets.into(), bwrap.into()];
    words.extend(ROOM.iter().map(Into::into));
    if Path::new("/run").is_dir() {
        words.extend(["--tmpfs", "/run", "--remount-ro", "/run"].map(Into::into));
    }
    // What hides the sockets.
    words.extend(["--args", "5"].map(Into::into));
    for folder in [room.tree, room.private] {
        words.extend([OsString::from("--bind"), folder.into(), folder.into()]);
    }
    words.extend([OsString::from("--chdir"), room.start.into(), "--".into()]);
    words.extend([shell.into(), "-c".into(), BEGUN.into(), "sandbox".into()]);
    words
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_tree_and_the_private_folder_are_bound_for_writing_and_that_comes_last() {
        let [tree, private] = ["/c/tree", "/c/private"].map(Path::new);
        let room = Room { tree, private, start: tree };
        let words = arguments(Path::new("/b/bwrap"), Path::new("/bin/sh"), &room, Path::new("/c/n"), Path::new("/c/s"));
        let text = words.iter().map(|word| word.to_string_lossy()).collect::<Vec<_>>().join(" ");
        let binds: Vec<&str> = text.split(" --").filter(|one| one.starts_with("bind")).collect();
        assert_eq!(binds, ["bind /c/tree /c/tree", "bind /c/private /c/private"], "{text}");
        assert!(text.find("--ro-bind / /").unwrap() < text.find("--args 5").unwrap(), "{text}");
        assert!(text.find("--args 5").unwrap() < text.find("--bind").unwrap(), "{text}");
        for wanted in ["--unshare-net", "--unshare-pid", "--die-with-parent", "--new-session", "--cap-drop ALL"] {
            assert!(text.contains(wanted), "{wanted}: {text}");
        }
    }
}
