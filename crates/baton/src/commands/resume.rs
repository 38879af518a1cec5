//! `baton resume`: runs that were interrupted go on where their journal ends.

use baton_core::ids::RunId;
use baton_core::journal::Stream;

use super::{conclude, drive, find_run};
use crate::cli::Resume;
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

pub(crate) async fn resume(resume: Resume, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let setup = Setup::open()?;
    let runs = match &resume.run {
        Some(named) => vec![find_run(&setup.engine, Some(named)).await?],
        None => open_runs(&setup).await?,
    };
    if runs.is_empty() {
        render::note("no run was interrupted");
        return Ok(Exit::Ok);
    }
    let mut exit = Exit::Ok;
    for run in runs {
        render::note(&format!("run {}", run.short()));
        let state = drive(&setup.engine, &run, &resume.flags).await?;
        exit = conclude(&setup.engine, &run, &state, &resume.flags, output).await?;
    }
    Ok(exit)
}

/// Runs that are neither over nor parked at a gate, oldest first.
pub(crate) async fn open_runs(setup: &Setup) -> Result<Vec<RunId>, Failure> {
    let mut open = Vec::new();
    for summary in setup.engine.runs(1_000).await? {
        let Some(Stream::Run(run)) = Stream::parse(&summary.stream) else { continue };
        // Most runs end with their decision: those need not be read.
        if summary.last.kind == "decided" && summary.decided.is_some() && !may_go_on(&setup.engine.state(&run).await?) {
            continue;
        }
        if may_go_on(&setup.engine.state(&run).await?) {
            open.push(run);
        }
    }
    open.reverse();
    Ok(open)
}

fn may_go_on(state: &baton_core::run::RunState) -> bool {
    state.status == baton_core::run::Status::Open
}
