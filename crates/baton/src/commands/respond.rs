//! `baton respond` and `baton cancel`: a person's word on a run.

use std::io::IsTerminal;

use baton_core::journal::Actor;

use super::{conclude, drive, find_run, open_question};
use crate::cli::{OneRun, Respond, RunFlags};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

pub(crate) async fn respond(respond: Respond, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, Some(&respond.run)).await?;
    let state = setup.engine.state(&run).await?;
    let Some((_, options)) = open_question(&state) else {
        return Err(Failure::input(format!("run {} does not wait for an answer", run.short())));
    };
    if !options.contains(&respond.answer) {
        return Err(Failure::input(format!("`{}` is no answer here", respond.answer))
            .hint(format!("one of: {}", options.join(", "))));
    }
    let actor = speaker();
    if actor != Actor::Person {
        render::note(
            "there is no terminal: this is recorded as a program's answer and releases nothing that waits for a person",
        );
    }
    setup.engine.answer(&run, actor, &respond.answer, &respond.note).await?;
    let state = drive(&setup.engine, &run, &respond.flags).await?;
    conclude(&setup.engine, &run, &state, &respond.flags, output).await
}

/// Only a person releases a run. A program has no terminal, so what it says is recorded as a program's word.
pub(super) fn speaker() -> Actor {
    let person = std::io::stdin().is_terminal() && std::io::stderr().is_terminal();
    if person { Actor::Person } else { Actor::Client("command line without a terminal".into()) }
}

pub(crate) async fn cancel(named: &OneRun) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, named.run.as_deref()).await?;
    if setup.engine.state(&run).await?.status.is_over() {
        return Err(Failure::input(format!("run {} is over already", run.short())));
    }
    setup.engine.request_cancel(&run, Actor::Person).await?;
    // Where no baton works on it nobody would act on the wish; so it is done here.
    let ended = match drive(&setup.engine, &run, &RunFlags { quiet: true, ..RunFlags::default() }).await {
        Ok(_) => "is cancelled",
        Err(failure) if failure.busy => "was asked to stop",
        Err(failure) => return Err(failure),
    };
    render::note(&format!("run {} {ended}", run.short()));
    Ok(Exit::Ok)
}
