//! `baton rate --history`: which patches were committed here, and which of these were reverted.
//!
//! It only reads the repository, and only when it is told to. What it does not find as it was written says nothing: a
//! patch may have been changed by hand before it was committed. A person's word stays.

use baton_core::consensus::{Decision, PatchReport};
use baton_core::feedback::{Fate, Feedback, Source, Subject, fate};
use baton_core::ids::RunId;
use baton_core::journal::Stream;
use baton_core::run::RunState;
use baton_core::text::one_line;
use baton_port::Cancel;

use super::find_run;
use super::rate::consequences;
use super::respond::speaker;
use crate::attach;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::{Output, style};

/// So many runs are looked through, newest first.
const MOST_RUNS: usize = 1_000;

pub(crate) async fn look(setup: &Setup, named: Option<&str>, output: &mut Output) -> Result<Exit, Failure> {
    let known = setup.engine.feedback().await?;
    let mut text = String::new();
    for (run, state) in runs(setup, named).await? {
        let Some(decision) = state.decision.as_deref().filter(|decision| is_of_patches(decision)) else { continue };
        for line in of_run(setup, &known, &run, &state, decision).await? {
            text.push_str(&format!("{}  {line}\n", style::strong(run.short())));
        }
    }
    if text.is_empty() {
        text = match named {
            Some(_) => "this run has no patch that anything can be learned from\n".to_owned(),
            None => "no run here has a patch that anything can be learned from\n".to_owned(),
        };
    }
    output.print(&text)?;
    Ok(Exit::Ok)
}

/// Patches that were prepared in advance teach nothing.
fn is_of_patches(decision: &Decision) -> bool {
    !decision.scripted && decision.patches.iter().any(|patch| patch.content.is_some())
}

/// The named run, or all that were made here.
async fn runs(setup: &Setup, named: Option<&str>) -> Result<Vec<(RunId, RunState)>, Failure> {
    if named.is_some() {
        let run = find_run(&setup.engine, named).await?;
        let state = setup.engine.state(&run).await?;
        return Ok(vec![(run, state)]);
    }
    let here = attach::workspace(&setup.directory).to_string_lossy().into_owned();
    let mut found = Vec::new();
    for summary in setup.engine.runs(MOST_RUNS).await? {
        let Some(Stream::Run(run)) = Stream::parse(&summary.stream) else { continue };
        // One that cannot be followed is no reason to learn nothing from the others.
        let Ok(state) = setup.engine.state(&run).await else { continue };
        if state.inputs.as_ref().is_some_and(|inputs| inputs.task.workspace.as_ref() == Some(&here)) {
            found.push((run, state));
        }
    }
    Ok(found)
}

/// What is said of one run: a line for each patch that was found, or one that none was.
async fn of_run(
    setup: &Setup,
    known: &[Feedback],
    run: &RunId,
    state: &RunState,
    decision: &Decision,
) -> Result<Vec<String>, Failure> {
    let mut lines = Vec::new();
    for (number, patch) in (1..).zip(&decision.patches) {
        let Some(fate) = find(setup, state, patch).await? else { continue };
        let said = known.iter().find(|said| said.run == *run && said.subject == Subject::Patch { number });
        let learned = learn(setup, run, number, &fate, said).await?;
        let by: Vec<&str> = patch.by.iter().map(baton_core::ids::MemberId::as_str).collect();
        lines.push(format!("patch {number} by {}: {}; {learned}", by.join(", "), words(&fate)));
    }
    if lines.is_empty() {
        let task = state.inputs.as_ref().map_or(String::new(), |inputs| one_line(&inputs.task.prompt, 50));
        let said = known.iter().any(|said| said.run == *run && said.source == Source::Person);
        let what = if said {
            "your own word stays".to_owned()
        } else {
            format!("`baton rate {} good|bad` says what became of it", run.short())
        };
        lines.push(format!("{}  no commit has its patch as it was written; {what}", style::dim(&task)));
    }
    Ok(lines)
}

async fn find(setup: &Setup, state: &RunState, report: &PatchReport) -> Result<Option<Fate>, Failure> {
    let Some(hash) = report.content else { return Ok(None) };
    let Some(bytes) = setup.engine.blob(hash).await? else { return Ok(None) };
    // What was never tried is kept as the member wrote it, which can be read as well.
    let Ok(patch) = baton_core::patch::read(&String::from_utf8_lossy(&bytes)) else { return Ok(None) };
    let workspace = state.inputs.as_ref().and_then(|inputs| inputs.task.workspace.clone());
    let directory = workspace.map_or_else(|| setup.directory.clone(), Into::into);
    let cancel = Cancel::default();
    let commits = setup.workshop.commits(&directory, &report.files, state.submitted_at, &cancel).await;
    let commits = commits.map_err(|error| Failure::input(error.to_string()))?;
    Ok(fate(&patch, &commits))
}

/// Notes what the history says, unless a person said something, or it is noted already.
async fn learn(
    setup: &Setup,
    run: &RunId,
    number: usize,
    fate: &Fate,
    known: Option<&Feedback>,
) -> Result<String, Failure> {
    let (good, source) = match fate {
        Fate::Landed { .. } => (true, Source::Merge),
        Fate::Reverted { .. } => (false, Source::Revert),
    };
    match known {
        Some(said) if matches!(said.source, Source::Person | Source::Tests) => {
            return Ok(format!("your own word stays: {}", if said.good { "good" } else { "bad" }));
        }
        Some(said) if (said.good, said.source) == (good, source) => return Ok("known".to_owned()),
        _ => {}
    }
    let said = setup.engine.rate(run, Subject::Patch { number }, good, source, speaker()).await?;
    Ok(consequences(&said))
}

fn words(fate: &Fate) -> String {
    let short = |id: &str| id.chars().take(10).collect::<String>();
    match fate {
        Fate::Landed { commit } => format!("committed as {}", short(commit)),
        Fate::Reverted { commit, by } => format!("committed as {}, reverted by {}", short(commit), short(by)),
    }
}
