//! `baton respond` and `baton cancel`: a person's word on a run.

use std::io::IsTerminal;

use baton_core::ids::RunId;
use baton_core::journal::Actor;
use baton_core::opinion::Verdict;
use baton_core::run::{RunState, Status};
use baton_core::task::Question;

use super::{conclude, drive, find_run, open_question};
use crate::cli::{OneRun, Override, Respond, RunFlags};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

pub(crate) async fn respond(respond: Respond, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, Some(&respond.run)).await?;
    let state = setup.engine.state(&run).await?;
    let Some((_, options)) = open_question(&state) else {
        let short = run.short();
        return Err(Failure::input(format!("run {short} does not wait for an answer"))
            .hint(format!("`baton override {short} ANSWER` puts your own in the place of its decision")));
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

/// A person's own verdict or option, in the place of what the members came to; also when the run ended long ago.
pub(crate) async fn put_instead(put: Override, output: &mut Output) -> Result<Exit, Failure> {
    refuse_recursion()?;
    if speaker() != Actor::Person {
        return Err(Failure::input("only a person puts another answer in place of a decision")
            .hint("run this in a terminal; `baton rate RUN bad` says that a decision was wrong"));
    }
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, Some(&put.run)).await?;
    let answers = answers(&setup.engine.state(&run).await?, &run)?;
    if !answers.contains(&put.answer) {
        return Err(Failure::input(format!("`{}` is no answer here", put.answer))
            .hint(format!("one of: {}", answers.join(", "))));
    }
    setup.engine.override_decision(&run, &put.answer, &put.note).await?;
    let state = setup.engine.state(&run).await?;
    conclude(&setup.engine, &run, &state, &put.flags, output).await
}

/// What can stand in the place of a run's decision.
fn answers(state: &RunState, run: &RunId) -> Result<Vec<String>, Failure> {
    let short = run.short();
    if state.decision.is_none() {
        return Err(Failure::input(format!("run {short} has no decision that could be overridden")));
    }
    if !(state.status.is_over() || matches!(state.status, Status::Waiting { .. })) {
        return Err(Failure::input(format!("run {short} is under way"))
            .hint(format!("let it end with `baton resume`, or stop it with `baton cancel {short}`")));
    }
    match state.plan.as_ref().map(|plan| &plan.classification.question) {
        Some(Question::Verdict | Question::Findings) => {
            Ok(Verdict::ALL.iter().map(|verdict| verdict.as_str().to_owned()).collect())
        }
        Some(Question::Choice(options)) => Ok(options.clone()),
        _ => Err(Failure::input(format!("run {short} has a text or a patch, which no word can stand in for")).hint(
            format!("`baton rate {short} bad` says that it is wrong; `baton show {short} --patch=2` has another patch"),
        )),
    }
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
