//! The report as people read it.

use super::deep::Deep;
use super::machine::{SeatReport, State};
use super::servers::Settings;
use super::shelter::ShelterReport;
use super::store::{StoreReport, StoreState};
use super::{Report, short};
use crate::render::page::Page;
use crate::render::style;
use crate::render::table::{self, Column, Record};

/// The indent of what goes on below a line.
const HANG: usize = 6;

/// For a terminal of `width` columns; without one each thing is one line.
pub(super) fn screen(report: &Report<'_>, width: Option<usize>) -> String {
    let mut page = Page::list(width);
    seats(report, width, &mut page);
    machine(report, &mut page);
    own(report, &mut page);
    servers(&report.seen.settings, &mut page);
    looks(report, &mut page);
    ends(report, &mut page);
    page.into_text()
}

const SEATS: &[Column] = &[
    Column::new("seat", 18),
    Column::new("channel", 16).folds(4, "channel"),
    Column::new("pays", 13).folds(1, "paid by"),
    Column::new("version", 10).folds(2, "version"),
    Column::new("login or key", 21).folds(3, ""),
    Column::new("took", 7).folds(5, "took"),
    Column::new("here", 0).wraps(),
];

fn seats(report: &Report<'_>, width: Option<usize>, page: &mut Page) {
    let records: Vec<Record> = report.seen.seats.iter().map(record).collect();
    table::write(SEATS, &records, width, page);
    paths(report, page);
}

fn record(seat: &SeatReport) -> Record {
    let here = match seat.state {
        State::Ready => style::good("yes"),
        State::Absent => style::dim(&format!("no: {}", seat.because)),
        State::Broken => style::bad(&format!("broken: {}", seat.because)),
    };
    let took = if seat.state == State::Absent { "-".to_owned() } else { style::duration(seat.ms) };
    let cells = vec![
        seat.member.id.to_string(),
        seat.member.channel.kind.clone(),
        seat.member.payer.as_str().to_owned(),
        seat.version.clone().unwrap_or_else(|| "-".to_owned()),
        access(seat),
        took,
        here,
    ];
    Record { cells, notes: deep(seat) }
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

fn deep(seat: &SeatReport) -> Vec<String> {
    match &seat.deep {
        Some(Deep::Skipped(because)) => vec![format!("not asked: {because}")],
        Some(Deep::Asked(turns)) => turns
            .iter()
            .map(|turn| {
                let label = turn.outcome.label();
                let label = if turn.outcome.is_ok() { style::good(label) } else { style::bad(label) };
                let cost = turn.cost.map_or_else(|| "cost unknown".to_owned(), |cost| cost.to_string());
                format!("{:7} {label}  {}  {cost}", turn.what, style::duration(turn.ms))
            })
            .collect(),
        None => Vec::new(),
    }
}

/// Where the programs of seats are, each once.
fn paths(report: &Report<'_>, page: &mut Page) {
    let mut shown = Vec::new();
    for path in report.seen.seats.iter().filter_map(|seat| seat.path.as_ref()) {
        if !shown.contains(&path) {
            page.paragraph("  ", HANG, &style::dim(&short(path)));
            shown.push(path);
        }
    }
}

fn machine(report: &Report<'_>, page: &mut Page) {
    page.section("this machine");
    for local in &report.seen.locals {
        let here = match local.seats.len() {
            0 => style::dim("does not answer"),
            count => format!("{count} models"),
        };
        let (name, took) = (&local.server.name, style::duration(local.ms));
        page.beside(&format!("  {name:13} {took:7} "), HANG, &format!("{} {here}", local.server.base_url));
    }
    store(&report.seen.store, page);
    sandbox(&report.seen.sandbox, page);
    for seen in &report.seen.tools {
        let here = match (&seen.path, &seen.version) {
            (None, _) if seen.tool.agent => continue,
            (None, _) => style::dim(&format!("not there; it {}. {}", seen.tool.why, seen.tool.install)),
            (Some(path), Some(version)) => format!("{version:12} {}", style::dim(&short(path))),
            (Some(path), None) => format!("{:12} {}", "no version", style::dim(&short(path))),
        };
        let took = if seen.path.is_some() { style::duration(seen.ms) } else { "-".to_owned() };
        page.beside(&format!("  {:13} {took:7} ", seen.tool.program), HANG, &here);
    }
}

fn store(store: &StoreReport, page: &mut Page) {
    let state = match &store.state {
        StoreState::None => style::dim("none yet; the first task makes it"),
        StoreState::Sound => {
            let schema = baton_store::SqliteStore::SCHEMA;
            format!("sound, schema {schema}, {} and {} of large texts", size(store.bytes), size(store.blob_bytes))
        }
        StoreState::Bad { because, .. } => style::bad(because),
    };
    let took = style::duration(store.ms);
    let text = format!("{state} {}", style::dim(&short(&store.file)));
    page.beside(&format!("  {:13} {took:7} ", "store"), HANG, &text);
}

fn sandbox(sandbox: &ShelterReport, page: &mut Page) {
    let state = match &sandbox.found {
        Ok(made) => {
            let path = style::dim(&short(&made.program));
            format!("holds: no network, writes only to a copy; made by {} {path}", made.maker.program())
        }
        Err(refusal) => style::warn(&format!("none, so what models write is not run: {}", refusal.because)),
    };
    page.beside(&format!("  {:13} {:7} ", "sandbox", style::duration(sandbox.ms)), HANG, &state);
    // Where it is needed the way out stands with what needs attention.
    if let Err(refusal) = &sandbox.found
        && sandbox.attention().is_none()
    {
        page.paragraph("    ", HANG, &format!("to have one: {}", refusal.mend));
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
fn own(report: &Report<'_>, page: &mut Page) {
    if !report.seen.own.is_empty() {
        page.section("MCP servers of your own, and who gets them");
    }
    for (name, shown, members) in &report.seen.own {
        page.beside(&format!("  {name:21} "), HANG, &format!("{shown:32} {members}"));
    }
}

/// What a look at the servers found.
fn looks(report: &Report<'_>, page: &mut Page) {
    if !report.seen.looked.is_empty() {
        page.section("MCP servers that were started and asked for their tools");
    }
    for looked in &report.seen.looked {
        let here = match &looked.found.trouble {
            Some((outcome, _)) => style::bad(outcome.label()),
            None => format!("{} tools", looked.found.tools.len()),
        };
        let (name, took) = (&looked.name, style::duration(looked.ms));
        let version = looked.found.version.as_deref().unwrap_or("-");
        let text = format!("{took:7} {version:12} {here}  {}", style::dim(&looked.place));
        page.beside(&format!("  {name:21} "), HANG, &text);
    }
}

fn servers(settings: &[Settings], page: &mut Page) {
    if settings.is_empty() {
        return;
    }
    page.section("MCP servers in the settings of other programs");
    for file in settings {
        let count = match (&file.unreadable, file.servers.len()) {
            (Some(because), _) => format!(" {}", style::bad(because)),
            (None, 0) => format!(" {}", style::dim("none")),
            (None, _) => String::new(),
        };
        let text = format!("{}{count}", style::dim(&short(&file.path)));
        page.beside(&format!("  {:21} ", file.place), HANG, &text);
        for server in &file.servers {
            let off = if server.enabled { "" } else { " (off)" };
            page.beside(&format!("    {:19} ", server.name), HANG, &format!("{}{off}", server.shown()));
        }
    }
}

/// When nobody can be asked: how to change that, the strongest seats first.
fn ways_in(seats: &[SeatReport], page: &mut Page) {
    if seats.iter().any(SeatReport::is_ready) {
        return;
    }
    page.section("Nobody can be asked yet; any of these is enough");
    let mut shown: Vec<&str> = Vec::new();
    for seat in seats.iter().filter(|seat| seat.state == State::Absent && !seat.mend.is_empty()) {
        if !shown.contains(&seat.mend.as_str()) {
            page.paragraph("  ", HANG, &seat.mend);
            shown.push(&seat.mend);
        }
    }
}

fn ends(report: &Report<'_>, page: &mut Page) {
    ways_in(&report.seen.seats, page);
    if !report.attention.is_empty() {
        page.section("Needs attention");
    }
    for attention in &report.attention {
        page.paragraph("  ", HANG, &format!("{}: {}", style::bad(&attention.what), attention.because));
        if !attention.mend.is_empty() {
            page.paragraph("    ", HANG, &format!("mend: {}", attention.mend));
        }
    }
    if report.notes().next().is_some() {
        page.section("Good to know");
    }
    for note in report.notes() {
        let unsure = if note.certain { "" } else { " (if its version is an affected one, which is not known here)" };
        let text = format!("{}: {}{unsure}", style::warn(&note.subjects.join(", ")), note.trouble.text);
        page.paragraph("  ", HANG, &text);
        page.paragraph("    ", HANG, &format!("mend: {}", note.trouble.mend));
    }
    let ready = report.seen.seats.iter().filter(|seat| seat.is_ready()).count();
    let seats = report.seen.seats.len();
    let open = match report.attention.len() {
        1 => "1 thing needs attention".to_owned(),
        count => format!("{count} things need attention"),
    };
    page.blank();
    page.paragraph("", 2, &format!("{ready} of {seats} seats can be asked, {}{open}", answered(&report.seen.seats)));
}

/// With `--deep`: how many of those that were asked did answer.
fn answered(seats: &[SeatReport]) -> String {
    let asked = seats.iter().filter_map(|seat| match &seat.deep {
        Some(Deep::Asked(turns)) => Some(turns.iter().all(|turn| turn.outcome.is_ok())),
        Some(Deep::Skipped(_)) | None => None,
    });
    let (well, all) = asked.fold((0, 0), |(well, all), is_well| (well + usize::from(is_well), all + 1));
    if all == 0 { String::new() } else { format!("{well} of the {all} that were asked answered well, ") }
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
