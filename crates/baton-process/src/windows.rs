//! Systems where children are not started yet: everything answers with one clear failure.

use std::ffi::OsString;
use std::future::Future;

use crate::command::Command;
use crate::launcher::Shim;
use crate::report::{Ending, Flow, Line, Report};

const UNSUPPORTED: &str = "programs cannot be started on this system yet: only Linux and macOS are supported";

pub(crate) async fn run(
    _shim: Option<&Shim>,
    _command: Command,
    _cancel: impl Future<Output = ()>,
    _on_line: &mut (dyn FnMut(Line<'_>) -> Flow + Send),
) -> Report {
    Report::not_started(Ending::StartFailed { error: UNSUPPORTED.to_owned() })
}

pub(crate) fn shim_main(_arguments: &mut dyn Iterator<Item = OsString>) -> i32 {
    125
}

pub(crate) fn group_resident(_group: u32) -> Option<u64> {
    None
}
