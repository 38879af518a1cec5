//! The report as people read it.

use std::fmt::Write;

use super::deep::Deep;
use super::machine::{SeatReport, State};
use super::servers::Settings;
use super::shelter::ShelterReport;
use super::store::{StoreReport, StoreState};
use super::{Report, short};
use crate::render::style;

pub(super) fn screen(report: &Report<'_>) -> String {
    let mut text = String::new();
    seats(report, &mut text);
    machine(report, &mut text);
    own(report, &mut text);
    servers(&report.seen.settings, &mut text);
    looks(report, &mut text);
    ends(report, &mut text);
    text
}

fn seats(report: &Report<'_>, text: &mut String) {
    let head = format!(
        "{:18} {:16} {:13} {:10} {:21} {:7} {}",
        "seat", "channel", "pays", "version", "login or key", "took", "here"
    );
    let _ = writeln!(text, "{}", style::strong(&head));
    for seat in &report.seen.seats {
        let here = match seat.state {
            State::Ready => style::good("yes"),
            State::Absent => style::dim(&format!("no: {}", seat.because)),
            State::Broken => style::bad(&format!("broken: {}", seat.because)),
        };
        let took = if seat.state == State::Absent { "-".to_owned() } else { style::duration(seat.ms) };
        let _ = writeln!(
            text,
            "{:18} {:16} {:13} {:10} {:21} {took:7} {here}",
            seat.member.id,
            seat.member.channel.kind,
            seat.member.payer.as_str(),
            seat.version.as_deref().unwrap_or("-"),
            access(seat),
        );
        deep(seat, text);
    }
    paths(report, text);
}

fn access(seat: &SeatReport) -> String {
    match (&seat.key, seat.login) {
        (Some((name, true)), _) => format!("{name} set"),
        (Some((name, false)), _) => format!("no {name}"),
        (None, Some(true)) => "logged in".to_owned(),
        (None, Some(false)) => "no login found".to_owned(),
        (None, None) => "-".to_owned(),
    }
}

fn deep(seat: &SeatReport, text: &mut String) {
    match &seat.deep {
        Some(Deep::Skipped(because)) => {
            let _ = writeln!(text, "  not asked: {because}");
        }
        Some(Deep::Asked(turns)) => {
            for turn in turns {
                let label = turn.outcome.label();
                let label = if turn.outcome.is_ok() { style::good(label) } else { style::bad(label) };
                let cost = turn.cost.map_or_else(|| "cost unknown".to_owned(), |cost| cost.to_string());
                let _ = writeln!(text, "  {:7} {label}  {}  {cost}", turn.what, style::duration(turn.ms));
            }
        }
        None => {}
    }
}

/// Where the programs of seats are, each once.
fn paths(report: &Report<'_>, text: &mut String) {
    let mut shown = Vec::new();
    for path in report.seen.seats.iter().filter_map(|seat| seat.path.as_ref()) {
        if !shown.contains(&path) {
            let _ = writeln!(text, "  {}", style::dim(&short(path)));
            shown.push(path);
        }
    }
}

fn machine(report: &Report<'_>, text: &mut String) {
    let _ = writeln!(text, "\n{}", style::strong("this machine"));
    for local in &report.seen.locals {
        let here = match local.seats.len() {
            0 => style::dim("does not answer"),
            count => format!("{count} models"),
        };
        let (name, took) = (&local.server.name, style::duration(local.ms));
        let _ = writeln!(text, "  {name:13} {took:7} {} {here}", local.server.base_url);
    }
    store(&report.seen.store, text);
    sandbox(&report.seen.sandbox, text);
    for seen in &report.seen.tools {
        let here = match (&seen.path, &seen.version) {
            (None, _) if seen.tool.agent => continue,
            (None, _) => style::dim(&format!("not there; it {}. {}", seen.tool.why, seen.tool.install)),
            (Some(path), Some(version)) => format!("{version:12} {}", style::dim(&short(path))),
            (Some(path), None) => format!("{:12} {}", "no version", style::dim(&short(path))),
        };
        let took = if seen.path.is_some() { style::duration(seen.ms) } else { "-".to_owned() };
        let _ = writeln!(text, "  {:13} {took:7} {here}", seen.tool.program);
    }
}

fn store(store: &StoreReport, text: &mut String) {
    let state = match &store.state {
        StoreState::None => style::dim("none yet; the first task makes it"),
        StoreState::Sound => {
            let schema = baton_store::SqliteStore::SCHEMA;
            format!("sound, schema {schema}, {} and {} of large texts", size(store.bytes), size(store.blob_bytes))
        }
        StoreState::Bad { because, .. } => style::bad(because),
    };
    let took = style::duration(store.ms);
    let _ = writeln!(text, "  {:13} {took:7} {state} {}", "store", style::dim(&short(&store.file)));
}

fn sandbox(sandbox: &ShelterReport, text: &mut String) {
    let state = match &sandbox.found {
        Ok(made) => {
            let path = style::dim(&short(&made.program));
            format!("holds: no network, writes only to a copy; made by {} {path}", made.maker.program())
        }
        Err(refusal) => style::warn(&format!("none, so what models write is not run: {}", refusal.because)),
    };
    let _ = writeln!(text, "  {:13} {:7} {state}", "sandbox", style::duration(sandbox.ms));
    // Where it is needed the way out stands with what needs attention.
    if let Err(refusal) = &sandbox.found
        && sandbox.attention().is_none()
    {
        let _ = writeln!(text, "    to have one: {}", refusal.mend);
    }
}

fn size(bytes: u64) -> String {
    match bytes {
        0..=9_999 => format!("{bytes} B"),
        10_000..=9_999_999 => format!("{} KB", bytes / 1_000),
        _ => format!("{} MB", bytes / 1_000_000),
    }
}

/// The user's own MCP servers.
fn own(report: &Report<'_>, text: &mut String) {
    if !report.seen.own.is_empty() {
        let _ = writeln!(text, "\n{}", style::strong("MCP servers of your own, and who gets them"));
    }
    for (name, shown, members) in &report.seen.own {
        let _ = writeln!(text, "  {name:21} {shown:32} {members}");
    }
}

/// What a look at the servers found.
fn looks(report: &Report<'_>, text: &mut String) {
    if !report.seen.looked.is_empty() {
        let _ = writeln!(text, "\n{}", style::strong("MCP servers that were started and asked for their tools"));
    }
    for looked in &report.seen.looked {
        let here = match &looked.found.trouble {
            Some((outcome, _)) => style::bad(outcome.label()),
            None => format!("{} tools", looked.found.tools.len()),
        };
        let (name, took) = (&looked.name, style::duration(looked.ms));
        let version = looked.found.version.as_deref().unwrap_or("-");
        let _ = writeln!(text, "  {name:21} {took:7} {version:12} {here}  {}", style::dim(&looked.place));
    }
}

fn servers(settings: &[Settings], text: &mut String) {
    if settings.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{}", style::strong("MCP servers in the settings of other programs"));
    for file in settings {
        let count = match (&file.unreadable, file.servers.len()) {
            (Some(because), _) => style::bad(because),
            (None, 0) => style::dim("none"),
            (None, _) => String::new(),
        };
        let _ = writeln!(text, "  {:21} {} {count}", file.place, style::dim(&short(&file.path)));
        for server in &file.servers {
            let off = if server.enabled { "" } else { " (off)" };
            let _ = writeln!(text, "    {:19} {}{off}", server.name, server.shown());
        }
    }
}

/// When nobody can be asked: how to change that, the strongest seats first.
fn ways_in(seats: &[SeatReport], text: &mut String) {
    if seats.iter().any(SeatReport::is_ready) {
        return;
    }
    let _ = writeln!(text, "\n{}", style::strong("Nobody can be asked yet; any of these is enough"));
    let mut shown: Vec<&str> = Vec::new();
    for seat in seats.iter().filter(|seat| seat.state == State::Absent && !seat.mend.is_empty()) {
        if !shown.contains(&seat.mend.as_str()) {
            let _ = writeln!(text, "  {}", seat.mend);
            shown.push(&seat.mend);
        }
    }
}

fn ends(report: &Report<'_>, text: &mut String) {
    ways_in(&report.seen.seats, text);
    if !report.attention.is_empty() {
        let _ = writeln!(text, "\n{}", style::strong("Needs attention"));
    }
    for attention in &report.attention {
        let _ = writeln!(text, "  {}: {}", style::bad(&attention.what), attention.because);
        if !attention.mend.is_empty() {
            let _ = writeln!(text, "    mend: {}", attention.mend);
        }
    }
    if report.notes().next().is_some() {
        let _ = writeln!(text, "\n{}", style::strong("Good to know"));
    }
    for note in report.notes() {
        let unsure = if note.certain { "" } else { " (if its version is an affected one, which is not known here)" };
        let _ = writeln!(text, "  {}: {}{unsure}", style::warn(&note.subjects.join(", ")), note.trouble.text);
        let _ = writeln!(text, "    mend: {}", note.trouble.mend);
    }
    let ready = report.seen.seats.iter().filter(|seat| seat.is_ready()).count();
    let _ = writeln!(
        text,
        "\n{ready} of {} seats can be asked, {} things need attention",
        report.seen.seats.len(),
        report.attention.len()
    );
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_are_short() {
        assert_eq!((size(0), size(9_999), size(4_300_000)), ("0 B".into(), "9999 B".into(), "4300 KB".into()));
        assert_eq!(size(12_000_000), "12 MB");
    }
}
