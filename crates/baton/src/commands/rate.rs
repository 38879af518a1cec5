//! `baton rate`, `baton accept`, `baton reject`: what became of a decision, so that it can be learned from.

use baton_core::feedback::{Feedback, Source, Subject};

use super::find_run;
use super::respond::speaker;
use crate::cli::{Because, OneFinding, Rate, Word};
use crate::compose::{Setup, refuse_recursion};
use crate::failure::{Exit, Failure};
use crate::render;

pub(crate) async fn rate(rate: &Rate) -> Result<Exit, Failure> {
    let source = match rate.because {
        Because::Person => Source::Person,
        Because::Tests => Source::Tests,
        Because::Merge => Source::Merge,
        Because::Revert => Source::Revert,
    };
    record(&rate.run, Subject::Decision, matches!(rate.word, Word::Good), source).await
}

pub(crate) async fn finding(named: &OneFinding, right: bool) -> Result<Exit, Failure> {
    record(&named.run, Subject::Finding { number: named.finding }, right, Source::Person).await
}

/// A member that was started by baton must not praise itself.
async fn record(run: &str, subject: Subject, good: bool, source: Source) -> Result<Exit, Failure> {
    refuse_recursion()?;
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, Some(run)).await?;
    let said = setup.engine.rate(&run, subject, good, source, speaker()).await?;
    render::note(&format!("noted for run {}: {}", run.short(), consequences(&said)));
    Ok(Exit::Ok)
}

/// Who was right by it and who was not.
fn consequences(said: &Feedback) -> String {
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
