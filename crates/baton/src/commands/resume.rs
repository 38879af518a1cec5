//! `baton resume`: runs that were interrupted go on where their journal ends.

use baton_core::ids::RunId;
use baton_core::journal::Stream;
use baton_core::run::Status;

use super::{conclude, drive, exit_of_run, find_run, texts};
use crate::cli::{Format, Resume};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

pub(crate) async fn resume(resume: Resume, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    if resume.flags.form() == Some(Format::Sarif) && resume.run.is_none() {
        return Err(
            Failure::input("`--format sarif` is about one run").hint("name it: baton resume RUN --format sarif")
        );
    }
    let setup = Setup::open()?;
    setup.admit_trusted().await?;
    let runs = match &resume.run {
        Some(named) => vec![find_run(&setup.engine, Some(named)).await?],
        None => open_runs(&setup).await?,
    };
    if runs.is_empty() {
        render::note("no run was interrupted");
    }
    if resume.flags.form() == Some(Format::Json) && resume.run.is_none() {
        return as_list(&setup, &runs, &resume, output).await;
    }
    let mut exit = Exit::Ok;
    for run in runs {
        render::note(&format!("run {}", run.short()));
        match drive(&setup.engine, &run, &resume.flags).await {
            Ok(state) => {
                let ended = conclude(&setup.engine, &run, &state, &resume.flags, output).await?;
                exit = worse(exit, ended);
            }
            // Without a name every open run was meant; one that another baton carries is in good hands.
            Err(failure) if failure.busy && resume.run.is_none() => render::note("  another baton works on it"),
            Err(failure) => return Err(failure),
        }
    }
    Ok(exit)
}

/// All of them as one JSON list: standard output holds one document.
async fn as_list(setup: &Setup, runs: &[RunId], resume: &Resume, output: &mut Output) -> Result<Exit, Failure> {
    let mut list = Vec::with_capacity(runs.len());
    let mut exit = Exit::Ok;
    for run in runs {
        let state = match drive(&setup.engine, run, &resume.flags).await {
            Err(failure) if failure.busy => continue,
            driven => driven?,
        };
        if let Some(decision) = &state.decision {
            let texts = texts(&setup.engine, decision).await?;
            list.push(render::json::decision(run, &state, decision, &texts)?);
            exit = worse(exit, exit_of_run(&state, decision));
        }
    }
    output.print(&format!("{:#}\n", serde_json::Value::from(list)))?;
    Ok(exit)
}

/// Of several runs the code that asks for most attention.
fn worse(one: Exit, other: Exit) -> Exit {
    if other as i32 > one as i32 { other } else { one }
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
