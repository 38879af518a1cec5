//! `baton rate`, `baton accept`, `baton reject`: what became of a decision, so that it can be learned from.

use baton_core::feedback::{Feedback, Source, Subject};
use baton_core::ids::RunId;
use baton_core::run::RunState;
use baton_core::task::Question;

use super::respond::speaker;
use super::{find_run, history};
use crate::cli::{Because, OneFinding, Rate, Word};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render::{self, Output};

pub(crate) async fn rate(rate: &Rate, output: &mut Output) -> Result<Exit, Failure> {
    let setup = setup()?;
    let Some(word) = rate.word else {
        return history::look(&setup, rate.run.as_deref(), output).await;
    };
    let source = match rate.because {
        Because::Person => Source::Person,
        Because::Tests => Source::Tests,
        Because::Merge => Source::Merge,
        Because::Revert => Source::Revert,
    };
    let run = find_run(&setup.engine, rate.run.as_deref()).await?;
    record(&setup, &run, Subject::Decision, matches!(word, Word::Good), source).await
}

/// A word on a finding; on a patch where patches were asked for.
pub(crate) async fn finding(named: &OneFinding, right: bool) -> Result<Exit, Failure> {
    let setup = setup()?;
    let run = find_run(&setup.engine, Some(&named.run)).await?;
    let number = named.finding;
    let about_patches = is_about_patches(&setup.engine.state(&run).await?);
    let subject = if about_patches { Subject::Patch { number } } else { Subject::Finding { number } };
    record(&setup, &run, subject, right, Source::Person).await
}

fn is_about_patches(state: &RunState) -> bool {
    state.plan.as_ref().is_some_and(|plan| plan.classification.question == Question::Patch)
}

/// A member that was started by baton must not praise itself.
fn setup() -> Result<Setup, Failure> {
    refuse_recursion()?;
    Setup::open()
}

async fn record(setup: &Setup, run: &RunId, subject: Subject, good: bool, source: Source) -> Result<Exit, Failure> {
    let said = setup.engine.rate(run, subject, good, source, speaker()).await?;
    render::note(&format!("noted for run {}: {}", run.short(), consequences(&said)));
    Ok(Exit::Ok)
}

/// Who was right by it and who was not.
pub(super) fn consequences(said: &Feedback) -> String {
    let of = |right: bool| {
        let names: Vec<&str> =
            said.facts.iter().filter(|fact| fact.right == right).map(|fact| fact.member.as_str()).collect();
        names.join(", ")
    };
    match (of(true).as_str(), of(false).as_str()) {
        ("", "") => "nobody was right or wrong by that".to_owned(),
        (right, "") => format!("right: {right}"),
        ("", wrong) => format!("wrong: {wrong}"),
        (right, wrong) => format!("right: {right}; wrong: {wrong}"),
    }
}
