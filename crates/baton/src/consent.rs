//! Before a vendor receives text for the first time, the user is told who, what and who pays, and asked.

use std::collections::BTreeMap;
use std::io::{BufRead, IsTerminal, Write};

use baton_core::member::{Member, Payer};
use baton_core::run::{Inputs, RunState};

use crate::config::Config;
use crate::failure::Failure;
use crate::render::{self, style};
use crate::trust::{Agreement, Trust};

/// The vendors that this run could send text to and that the user has not agreed to yet, each with its seats.
pub(crate) fn missing<'a>(
    inputs: &'a Inputs,
    state: &RunState,
    config: &Config,
    trust: &Trust,
) -> BTreeMap<&'a str, Vec<&'a Member>> {
    let Some(plan) = &state.plan else { return BTreeMap::new() };
    let asked = |member: &&Member| {
        let follows = |id: &_| {
            inputs
                .handover
                .as_ref()
                .is_some_and(|known| known.rules.get(id).is_some_and(|ids| ids.contains(&member.id)))
        };
        plan.team.seats.iter().any(|seat| seat.member == member.id || follows(&seat.member))
            || plan.team.ladder.iter().any(|id| *id == member.id || follows(id))
    };
    let mut vendors: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in inputs.members.iter().filter(|member| !member.is_check()).filter(asked) {
        let free = member.payer == Payer::Local || member.scripted;
        if !free && !trust.allows(&member.vendor) && !config.allow.contains(&member.vendor) {
            vendors.entry(&member.vendor).or_default().push(member);
        }
    }
    vendors
}

/// Asks on the terminal. `Ok` holds what the user agreed to; without a terminal it is refused, with the ways to allow.
pub(crate) fn ask(inputs: &Inputs, vendors: &BTreeMap<&str, Vec<&Member>>) -> Result<Vec<Agreement>, Failure> {
    confirm(&notice(inputs, vendors), vendors)?;
    Ok(vendors.keys().map(|vendor| Agreement::Vendor { vendor: (*vendor).to_owned() }).collect())
}

/// Shows a notice and asks on the terminal. `Ok` is a yes.
pub(crate) fn confirm(notice: &str, vendors: &BTreeMap<&str, Vec<&Member>>) -> Result<(), Failure> {
    render::note(notice);
    let Some(answer) = answer("Send it? [y/N] ")? else { return Err(refused(vendors)) };
    if !answer {
        return Err(Failure::new(crate::failure::Exit::Cancelled, "you said no: nothing was sent"));
    }
    Ok(())
}

/// A person's yes or no, from the terminal itself: standard input may be a pipe. `None` where there is no terminal.
pub(crate) fn answer(question: &str) -> Result<Option<bool>, Failure> {
    if !std::io::stderr().is_terminal() {
        return Ok(None);
    }
    let Ok(terminal) = std::fs::File::open("/dev/tty") else { return Ok(None) };
    // Nothing sensible can be done when even standard error is gone.
    let _ = write!(anstream::stderr(), "{question}");
    let mut line = String::new();
    std::io::BufReader::new(terminal).read_line(&mut line).map_err(|error| Failure::input(error.to_string()))?;
    Ok(Some(matches!(line.trim().to_lowercase().as_str(), "y" | "yes")))
}

const NOT_ALLOWED: &str = "nothing was sent: these vendors have not been allowed yet";

/// Without a terminal nobody can agree.
pub(crate) fn refused(vendors: &BTreeMap<&str, Vec<&Member>>) -> Failure {
    Failure::configuration(NOT_ALLOWED)
        .hint("--yes, for one call")
        .hint(format!("{} in your baton.toml, for good", allow(vendors)))
}

/// A program that calls cannot agree, and has no flag for it.
pub(crate) fn refused_to_program(vendors: &BTreeMap<&str, Vec<&Member>>) -> Failure {
    let names: Vec<&str> = vendors.keys().copied().collect();
    Failure::configuration(format!("{NOT_ALLOWED}: {}", names.join(", ")))
        .hint("only the user can allow it, once: by answering yes to `baton ask` on a terminal")
        .hint(format!("or by {} in the user's own baton.toml", allow(vendors)))
        .hint("tell them which of the two to do, then call again")
}

fn allow(vendors: &BTreeMap<&str, Vec<&Member>>) -> String {
    let names: Vec<String> = vendors.keys().map(|vendor| format!("\"{vendor}\"")).collect();
    format!("allow = [{}]", names.join(", "))
}

fn notice(inputs: &Inputs, vendors: &BTreeMap<&str, Vec<&Member>>) -> String {
    let mut lines = vec![style::strong("This would be the first time that these vendors are sent text from you:")];
    for (vendor, members) in vendors {
        let seats: Vec<String> =
            members.iter().map(|member| format!("{} (paid by {})", member.id, member.payer.as_str())).collect();
        lines.push(format!("  {vendor:14} {}", seats.join(", ")));
    }
    let files: Vec<&str> = inputs.task.attachments.iter().map(|attachment| attachment.name.as_str()).collect();
    let what = if files.is_empty() { "your task".to_owned() } else { format!("your task and {}", files.join(", ")) };
    lines.push(format!("Sent: {what}. A member that is a program can read the files of the workspace."));
    if let Some(cap) = inputs.rules.spend_cap {
        lines.push(format!("This run may spend at most {cap}."));
        let unpriced = vendors.values().flatten().filter(|member| member.estimate(0).is_none());
        let names: Vec<&str> = unpriced.map(|member| member.id.as_str()).collect();
        if !names.is_empty() {
            lines.push(format!("That cannot be held for {}: no price is known.", names.join(", ")));
        }
    }
    lines.join("\n")
}
