//! What a patch does, shown by a command of the user's: run twice in the copy, compared later with what other patches
//! show.
//!
//! Only standard output and the exit code count, with the copy's own folders replaced by names that are the same for
//! every copy. An output that is not the same twice says nothing of a patch, so it is not compared.

use baton_core::evidence::{Probe, ProbeResult, Shown};
use baton_core::text::one_line;
use baton_port::{Cancel, Progress, ProgressSink};
use baton_process::Ending;

use crate::Workshop;
use crate::command::{CheckCommand, limits, prepare};
use crate::sandbox::Sandbox;
use crate::worktree::Worktree;

/// Where and under what bounds probes are run.
pub(crate) struct Place<'a> {
    pub(crate) workshop: &'a Workshop,
    pub(crate) sandbox: &'a Sandbox,
    pub(crate) worktree: &'a Worktree,
    pub(crate) cancel: &'a Cancel,
    pub(crate) most_bytes: usize,
}

/// Each probe in turn.
pub(crate) async fn look(probes: &[CheckCommand], place: &Place<'_>, progress: &dyn ProgressSink) -> Vec<Probe> {
    let mut seen = Vec::with_capacity(probes.len());
    for probe in probes {
        let command = probe.shown();
        progress.report(Progress::Doing(one_line(&command, 80)));
        let result = match twice(probe, place).await {
            Ok(shown) => ProbeResult::Showed(shown),
            Err(reason) => ProbeResult::Abstained { reason: one_line(&reason, 300) },
        };
        seen.push(Probe { probe: probe.id.clone(), command: one_line(&command, 200), result });
    }
    seen
}

async fn twice(probe: &CheckCommand, place: &Place<'_>) -> Result<Shown, String> {
    let shown = once(probe, place).await?;
    let again = once(probe, place).await?;
    if shown.is_same(&again) { Ok(shown) } else { Err("its output is not the same twice".to_owned()) }
}

async fn once(probe: &CheckCommand, place: &Place<'_>) -> Result<Shown, String> {
    let command = prepare(probe, place.workshop, place.sandbox, place.worktree)?;
    let command = command.limits(limits(probe, place.most_bytes));
    let (report, output) = place.workshop.launcher.output(command, place.cancel.requested()).await;
    let code = match &report.ending {
        Ending::Exited { code } => *code,
        Ending::TimedOut { .. } => return Err("it took too long".to_owned()),
        Ending::TooMuchOutput { .. } => return Err("it wrote too much".to_owned()),
        other => return Err(format!("it could not be run to its end: {other:?}")),
    };
    if let Some(because) = Sandbox::not_furnished(code, &report.stderr.text()) {
        return Err(format!("the sandbox could not be built: {because}"));
    }
    if matches!(code, 126 | 127) {
        return Err(format!("it exited with {code}: a program could not be run"));
    }
    Ok(Shown::new(code, &same_everywhere(&String::from_utf8_lossy(&output), place.worktree)))
}

/// The text without what tells one copy from another.
fn same_everywhere(text: &str, worktree: &Worktree) -> String {
    let tree = worktree.tree();
    let text = text.replace(&*tree.to_string_lossy(), "<copy>");
    // What is private lies beside the tree.
    tree.parent().map_or(text.clone(), |folder| text.replace(&*folder.to_string_lossy(), "<baton>"))
}
