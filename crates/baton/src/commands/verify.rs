//! `baton verify`: is the decision the one that follows from what was recorded?

use baton_engine::Verification;

use super::find_run;
use crate::cli::OneRun;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::{Output, style};

pub(crate) async fn verify(run: &OneRun, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let run = find_run(&setup.engine, run.run.as_deref()).await?;
    let (line, exit) = match setup.engine.verify(&run).await? {
        Verification::Equal { events, decisions } => {
            let what = if decisions == 1 { "1 decision".to_owned() } else { format!("{decisions} decisions") };
            (format!("{}: {events} events, {what} computed again", style::good("equal")), Exit::Ok)
        }
        Verification::OtherRules { recorded } => {
            (format!("{}: recorded by rules {recorded}; the chain holds", style::warn("other rules")), Exit::Ok)
        }
        Verification::BodiesDropped { event } => {
            (format!("{}: the text of event {event} is gone; the chain holds", style::warn("bodies dropped")), Exit::Ok)
        }
        Verification::NotEqual { event, because } => {
            (format!("{} at event {event}: {because}", style::bad("not equal")), Exit::Store)
        }
        Verification::Tampered { because } => (format!("{}: {because}", style::bad("changed")), Exit::Store),
        Verification::Unreadable { because } => (format!("{}: {because}", style::bad("unreadable")), Exit::Store),
    };
    output.print(&format!("run {}  {line}\n", run.short()))?;
    Ok(exit)
}
