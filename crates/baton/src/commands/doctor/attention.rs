//! What must be mended, out of what was seen.

use std::path::Path;

use baton_core::member::Member;
use baton_core::outcome::Outcome;
use baton_members::Tools;

use super::deep::Deep;
use super::drift::{Difference, Drift};
use super::launch;
use super::machine::{SeatReport, State, ToolReport};
use super::servers::{Server, Settings};
use super::store::StoreReport;
use super::troubles::Finding;

/// One thing that must be mended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Attention {
    pub(super) what: String,
    pub(super) because: String,
    pub(super) mend: String,
}

pub(super) fn of_seat(seat: &SeatReport) -> Vec<Attention> {
    let what = seat.member.id.to_string();
    let mut found = Vec::new();
    if seat.state == State::Broken {
        found.push(Attention { what: what.clone(), because: seat.because.clone(), mend: seat.mend.clone() });
    } else if seat.lacks_login()
        && !matches!(&seat.deep, Some(Deep::Asked(turns)) if turns.iter().any(|turn| turn.outcome.is_ok()))
    {
        let because = "its program is there, and no login of it was found".to_owned();
        found.push(Attention { what: what.clone(), because, mend: "Start the program once and log in.".to_owned() });
    }
    if let Some(Deep::Asked(turns)) = &seat.deep {
        for turn in turns.iter().filter(|turn| !turn.outcome.is_ok()) {
            let because = format!("its {} ended as {}: {}", turn.what, turn.outcome.label(), turn.detail);
            found.push(Attention { what: what.clone(), because, mend: mend_of(&turn.outcome).to_owned() });
        }
    }
    found
}

/// What to do after a turn that went wrong.
fn mend_of(outcome: &Outcome) -> &'static str {
    match outcome {
        Outcome::Auth => "Log in again, or set a key that is accepted.",
        Outcome::RateLimited { .. } | Outcome::Overloaded => "Try again later; other members are asked meanwhile.",
        Outcome::QuotaExhausted => "Wait for the plan to renew, or add credit.",
        Outcome::Rejected => "Compare the seat's model and settings with what the vendor offers.",
        Outcome::NotInstalled => "Install the program, start the server, or name a model that it has.",
        Outcome::SessionNotFound => "Its conversations do not last here; single turns still work.",
        _ => "Run its program by hand with a short prompt to see more.",
    }
}

pub(super) fn of_settings(settings: &Settings) -> Option<Attention> {
    let because = settings.unreadable.clone()?;
    let mend = format!("{} cannot use the file either; correct it.", settings.place);
    Some(Attention { what: settings.path.display().to_string(), because, mend })
}

/// A server whose program is not there cannot start.
pub(super) fn of_server(server: &Server, tools: &Tools) -> Option<Attention> {
    let command = server.command.as_deref()?;
    // What is relative to a folder is the client's to find.
    let is_relative = !Path::new(command).is_absolute() && command.contains(['/', '\\']) && !command.contains(':');
    if is_relative || command.contains('$') || !launch::is_one_program(command) || tools.find_program(command).is_some()
    {
        return None;
    }
    let name = launch::shown_program(command);
    let because = format!("it is started by `{name}`, which is not there");
    let mend = format!("Install `{name}`, or take the server out of the settings.");
    Some(Attention { what: format!("{} in {}", server.name, server.place), because, mend })
}

/// A check of the user's own, for a directory that has what it is for, whose program is not there.
pub(super) fn of_check(check: &Member, tools: &Tools) -> Option<Attention> {
    let program = check.channel.settings.get("program")?;
    if tools.find_program(program).is_some() {
        return None;
    }
    let because = format!("it is run by `{program}`, which is not there, so it settles nothing");
    let mend = format!("Install `{program}`, or take the check out of your baton.toml.");
    Some(Attention { what: format!("the check {}", check.id), because, mend })
}

/// The copies in which checks run with what members write are made by git.
pub(super) fn of_git(programs: &[ToolReport]) -> Option<Attention> {
    let git = programs.iter().find(|seen| seen.tool.program == "git" && seen.path.is_none())?;
    let because = "it is not there, so your checks are not run with what models write".to_owned();
    Some(Attention { what: "git".to_owned(), because, mend: git.tool.install.clone() })
}

pub(super) fn of_drift(drift: &Drift) -> Attention {
    let because = drift.differences.iter().map(Difference::words).collect::<Vec<_>>().join("; ");
    let mend = "Make the settings the same, or give the servers two names.".to_owned();
    Attention {
        what: format!("the MCP server {}", drift.server),
        because: format!("is not the same everywhere: {because}"),
        mend,
    }
}

pub(super) fn of_finding(finding: &Finding<'_>) -> Attention {
    Attention {
        what: finding.subjects.join(", "),
        because: finding.trouble.text.clone(),
        mend: finding.trouble.mend.clone(),
    }
}

pub(super) fn of_store(store: &StoreReport) -> Option<Attention> {
    store.trouble().map(|(because, mend)| Attention { what: "the store".to_owned(), because, mend })
}
