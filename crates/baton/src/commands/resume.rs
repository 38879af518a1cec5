//! `baton resume`: runs that were interrupted go on where their journal ends.

use baton_core::ids::RunId;
use baton_core::journal::Stream;
use baton_core::run::Status;

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
        match drive(&setup.engine, &run, &resume.flags).await {
            Ok(state) => exit = conclude(&setup.engine, &run, &state, &resume.flags, output).await?,
            // Without a name every open run was meant; one that another baton carries is in good hands.
            Err(failure) if failure.busy && resume.run.is_none() => render::note("  another baton works on it"),
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

/// Runs that are neither over nor parked at a gate, oldest first.
async fn open_runs(setup: &Setup) -> Result<Vec<RunId>, Failure> {
    let mut open = Vec::new();
    for summary in setup.engine.runs(MOST).await? {
        let Some(Stream::Run(run)) = Stream::parse(&summary.stream) else { continue };
        if setup.engine.state(&run).await?.status == Status::Open {
            open.push(run);
        }
    }
    open.reverse();
    Ok(open)
}

/// Tells of runs that stopped in the middle, so that paid work is not forgotten. Looks at the newest ones only, and
/// reads just those whose last event is no decision.
pub(crate) async fn tell_interrupted(setup: &Setup) -> Result<(), Failure> {
    for summary in setup.engine.runs(RECENT).await? {
        let Some(Stream::Run(run)) = Stream::parse(&summary.stream) else { continue };
        let cut_short = summary.last.kind != "decided";
        if cut_short && setup.engine.state(&run).await?.status == Status::Open {
            render::note(&format!("run {0} is not finished: `baton resume {0}` carries on", run.short()));
        }
    }
    Ok(())
}

/// Runs that `resume` looks at.
const MOST: usize = 1_000;
const RECENT: usize = 5;
