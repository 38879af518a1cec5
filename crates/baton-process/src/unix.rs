//! Linux and macOS.

#[path = "unix/drive.rs"]
mod drive;
#[path = "unix/family.rs"]
mod family;
#[path = "unix/handover.rs"]
mod handover;
#[path = "unix/shim.rs"]
mod shim;
#[path = "unix/spawn.rs"]
mod spawn;
#[path = "unix/tree.rs"]
mod tree;

use std::future::Future;

use crate::command::Command;
use crate::launcher::Shim;
use crate::report::{Ending, Flow, Line, Report};

pub(crate) use family::group_resident;
pub(crate) use shim::main as shim_main;

pub(crate) async fn run(
    shim: Option<&Shim>,
    mut command: Command,
    cancel: impl Future<Output = ()>,
    on_line: &mut (dyn FnMut(Line<'_>) -> Flow + Send),
) -> Report {
    let limits = command.limits.clone();
    let stop_words = std::mem::take(&mut command.stop_words);
    let vitals = command.vitals.clone();
    match spawn::start(shim, command) {
        Ok(started) => drive::drive(started, drive::Rules { limits, stop_words, vitals }, cancel, on_line).await,
        Err(error) => Report::not_started(Ending::not_started(&error)),
    }
}
