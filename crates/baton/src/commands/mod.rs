//! One module a command: from what was typed to what is printed.

pub(crate) mod ask;
pub(crate) mod consult;
pub(crate) mod doctor;
pub(crate) mod eval;
pub(crate) mod history;
pub(crate) mod kind;
pub(crate) mod mcp;
pub(crate) mod members;
pub(crate) mod patching;
pub(crate) mod rate;
pub(crate) mod respond;
pub(crate) mod resume;
pub(crate) mod runs;
pub(crate) mod show;
pub(crate) mod trust;
pub(crate) mod verify;

use baton_core::consensus::{Blocker, Decision, Recommendation};
use baton_core::ids::RunId;
use baton_core::journal::Stream;
use baton_core::opinion;
use baton_core::run::{RunState, Status};
use baton_engine::Engine;
use baton_port::Cancel;

use crate::cli::{Cli, Format, RunFlags};
use crate::failure::{Exit, Failure};
use crate::render::live::Live;
use crate::render::page::Page;
use crate::render::{self, Output, Texts};

pub(crate) fn completions(shell: clap_complete::Shell, output: &mut Output) -> Result<Exit, Failure> {
    use clap::CommandFactory;
    let mut script = Vec::new();
    clap_complete::generate(shell, &mut Cli::command(), "baton", &mut script);
    output.print(&String::from_utf8_lossy(&script))?;
    Ok(Exit::Ok)
}

/// The exit code that a decision stands for.
pub(crate) fn exit_of(decision: &Decision) -> Exit {
    let blocked = |blocker| decision.blocked_by(blocker);
    match decision.recommendation {
        _ if blocked(Blocker::Budget) => Exit::Budget,
        _ if blocked(Blocker::AllFailed) => Exit::AllFailed,
        Recommendation::ConflictResolutionNeeded => Exit::Conflict,
        _ if blocked(Blocker::NoQuorum) => Exit::NoQuorum,
        Recommendation::Proceed => Exit::Ok,
        Recommendation::ProceedWithCaution => Exit::Caution,
        Recommendation::ReviewRequired => Exit::Review,
    }
}

/// Prints how a run stands after it was driven, and says with which code to leave.
pub(crate) async fn conclude(
    engine: &Engine,
    run: &RunId,
    state: &RunState,
    flags: &RunFlags,
    output: &mut Output,
) -> Result<Exit, Failure> {
    let Some(decision) = state.decision.as_deref() else {
        let what = if state.status == Status::Cancelled { "cancelled" } else { "without a decision" };
        render::note(&format!("run {} ended {what}; `baton show {}` has what came in", run.short(), run.short()));
        return Ok(Exit::Cancelled);
    };
    let texts = texts(engine, decision).await?;
    let text = match flags.form() {
        Some(format) => written(run, state, decision, &texts, format)?,
        None => render::decision::screen(run, state, decision, &texts, output.width()),
    };
    output.print(&text)?;
    if let Some(question) = open_question(state) {
        render::note(&question_text(run, &question, render::note_width()));
    }
    Ok(exit_of_run(state, decision))
}

/// A decision as it is handed on to others.
pub(crate) fn written(
    run: &RunId,
    state: &RunState,
    decision: &Decision,
    texts: &Texts,
    format: Format,
) -> Result<String, Failure> {
    Ok(match format {
        Format::Json => format!("{:#}\n", render::json::decision(run, state, decision, texts)?),
        Format::Markdown => render::markdown::document(run, state, decision, texts),
        Format::Sarif => format!("{:#}\n", render::sarif::log(run, decision)),
    })
}

/// The exit code that a run stands for.
pub(crate) fn exit_of_run(state: &RunState, decision: &Decision) -> Exit {
    match (state.status, exit_of(decision)) {
        (Status::Cancelled, _) => Exit::Cancelled,
        // Whatever the members say, it is not over before a person has answered.
        (Status::Waiting { .. }, Exit::Ok | Exit::Caution) => Exit::Review,
        (_, exit) => exit,
    }
}

/// The gate at which a run waits: its question and its options.
pub(crate) fn open_question(state: &RunState) -> Option<(String, Vec<String>)> {
    let Status::Waiting { node } = state.status else { return None };
    match &state.inputs.as_ref()?.workflow.nodes.get(node)?.act {
        baton_core::workflow::Act::Gate { question, options } => Some((question.clone(), options.clone())),
        _ => None,
    }
}

pub(crate) fn question_text(run: &RunId, (question, options): &(String, Vec<String>), width: usize) -> String {
    let mut page = Page::new(width);
    page.blank();
    page.paragraph("", 0, question);
    for option in options {
        page.verbatim(&format!("  baton respond {} {option}", run.short()));
    }
    page.into_text().trim_end().to_owned()
}

/// The adopted text, whole, up to the block that its member was asked to end it with; the diff where a patch was
/// adopted.
pub(crate) async fn answer(engine: &Engine, decision: &Decision) -> Result<Option<String>, Failure> {
    let Some(reference) = &decision.answer else {
        let Some(patch) = decision.patch else { return Ok(None) };
        let bytes = engine.blob(patch).await?;
        return Ok(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    };
    let Some(hash) = reference.content else { return Ok(Some(reference.summary.clone())) };
    let bytes = engine.blob(hash).await?;
    Ok(bytes.map(|bytes| opinion::body(&String::from_utf8_lossy(&bytes)).to_owned()))
}

/// Every text that the decision refers to, whole.
pub(crate) async fn texts(engine: &Engine, decision: &Decision) -> Result<Texts, Failure> {
    let mut tests = Vec::with_capacity(decision.reproductions.len());
    for hash in decision.reproductions.iter().map(|test| test.content) {
        let bytes = match hash {
            Some(hash) => engine.blob(hash).await?,
            None => None,
        };
        tests.push(bytes.map(|bytes| String::from_utf8_lossy(&bytes).into_owned()));
    }
    Ok(Texts { answer: answer(engine, decision).await?, tests })
}

/// Drives a run that is in the store, with the live view, until its end or a gate. Ctrl-C stops it cleanly.
pub(crate) async fn drive(engine: &Engine, run: &RunId, flags: &RunFlags) -> Result<RunState, Failure> {
    let live = Live::new(flags.quiet);
    let cancel = Cancel::default();
    let work = engine.drive(run, &live, &cancel);
    let ended = with_ctrl_c(work, &cancel).await?;
    drop(live);
    if !flags.quiet {
        render::note("");
    }
    Ok(ended)
}

/// The first Ctrl-C asks the run to stop and waits until every child has ended; a second one changes nothing.
pub(crate) async fn with_ctrl_c<T>(work: impl Future<Output = T>, cancel: &Cancel) -> T {
    tokio::pin!(work);
    let terminated = async {
        let Ok(mut term) = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate()) else {
            return std::future::pending().await;
        };
        term.recv().await;
    };
    let stop = async {
        tokio::select! { _ = tokio::signal::ctrl_c() => {}, () = terminated => {} }
        cancel.request();
    };
    tokio::pin!(stop);
    let mut stopped = false;
    loop {
        tokio::select! {
            result = &mut work => return result,
            () = &mut stop, if !stopped => stopped = true,
        }
    }
}

/// The whole id, its beginning or its end, or the beginning of its short form.
fn fits(id: &RunId, named: &str) -> bool {
    id.as_str().ends_with(named) || id.as_str().starts_with(named) || id.short().starts_with(named)
}

/// A run by its id or a part of it; the newest when none is named.
pub(crate) async fn find_run(engine: &Engine, named: Option<&str>) -> Result<RunId, Failure> {
    let runs = engine.runs(10_000).await?;
    let ids = runs.iter().filter_map(|run| match Stream::parse(&run.stream) {
        Some(Stream::Run(id)) => Some(id),
        _ => None,
    });
    let Some(named) = named else {
        return ids.into_iter().next().ok_or_else(|| {
            Failure::input("there are no runs yet")
                .hint("`baton ask` makes one; `baton demo --keep DIRECTORY` makes one to look at")
        });
    };
    let found: Vec<RunId> = ids.filter(|id| fits(id, named)).collect();
    match found.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Failure::input(format!("there is no run `{named}`")).hint("`baton runs` lists them")),
        _ => Err(Failure::input(format!("`{named}` fits {} runs", found.len())).hint("give more of the id")),
    }
}
