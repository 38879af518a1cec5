//! The small process between baton and a child: it ends the child and all its descendants when baton says so, when
//! baton dies in any way, or when the child leaves others behind.
//!
//! It is a process of its own because nothing inside baton can act after SIGKILL. It leads a new session (so a child
//! cannot ask at the user's terminal), allows no core dump (a core holds secrets), makes new files private (umask
//! 077), and adopts orphans, so that a daemon which left the process group is still found.

use std::ffi::OsString;

/// Runs as the shim and returns its exit code. To be called by the program named in [`crate::Shim`] with the arguments
/// that follow [`crate::Shim::arguments`], outside any runtime and before anything else reads standard input, which is
/// the line to the launcher. The protocol is private: launcher and shim must be of one version, best one file.
#[must_use]
pub fn main(arguments: impl IntoIterator<Item = OsString>) -> i32 {
    crate::platform::shim_main(&mut arguments.into_iter())
}
