//! `baton members`: the seats, who pays for each, and why one cannot be asked.

use baton_core::handover::Away;
use baton_core::units::Timestamp;
use serde_json::{Value, json};

use crate::cli::Members;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
use crate::render::page::Page;
use crate::render::table::{self, Column, Record};
use crate::render::{self, Output, style};
use crate::seats::Seat;
use crate::system::offset_minutes;

pub(crate) async fn members(members: &Members, output: &mut Output) -> Result<Exit, Failure> {
    let setup = Setup::open()?;
    let mut seats = setup.seats().await;
    if members.usable {
        seats.retain(|seat| seat.missing.is_none());
    }
    seats.sort_by_key(|seat| (seat.missing.is_some(), seat.entry.member.tier, seat.entry.member.id.clone()));
    let of_seats: Vec<_> = seats.iter().map(|seat| seat.entry.member.clone()).collect();
    let away = setup.engine.away(&of_seats).await?;
    if members.json {
        let list: Vec<Value> = seats.iter().map(|seat| row(seat, &away)).collect();
        output.print(&format!("{:#}\n", Value::from(list)))?;
    } else {
        output.print(&table(&seats, &away, setup.now(), output.list_width()))?;
    }
    if !seats.iter().any(|seat| seat.missing.is_none()) {
        render::note("nobody can be asked here yet; `baton demo` needs no member");
    }
    Ok(Exit::Ok)
}

/// Why a seat's account cannot be used for now.
fn away_of<'a>(seat: &Seat, away: &'a [Away]) -> Option<&'a Away> {
    away.iter().find(|away| away.account == seat.entry.member.account)
}

fn row(seat: &Seat, away: &[Away]) -> Value {
    let member = &seat.entry.member;
    json!({
        "id": member.id.as_str(), "channel": member.channel.kind, "model": member.model, "effort": member.effort,
        "tier": member.tier, "vendor": member.vendor, "payer": member.payer, "contextWindow": member.context_window,
        "usable": seat.missing.is_none(), "awayUntil": away_of(seat, away).map(|away| away.until),
        "because": seat.missing.as_ref().map(|(because, _)| because),
        "mend": seat.missing.as_ref().map(|(_, mend)| mend),
    })
}

const COLUMNS: &[Column] = &[
    Column::new("seat", 18),
    Column::new("channel", 16).folds(5, "channel"),
    Column::new("model", 26).folds(3, "model"),
    Column::new("effort", 7).folds(4, "effort"),
    Column::new("tier", 4).folds(1, "tier"),
    Column::new("pays", 13).folds(2, "paid by"),
    Column::new("here", 0).wraps(),
];

fn table(seats: &[Seat], away: &[Away], now: Timestamp, width: Option<usize>) -> String {
    let record = |seat: &Seat| {
        let member = &seat.entry.member;
        let here = match &seat.missing {
            None => match away_of(seat, away) {
                None => style::good("yes"),
                Some(away) => style::warn(&format!("yes, but {}", away.words(now, offset_minutes(now)))),
            },
            Some((because, _)) => style::dim(&format!("no: {because}")),
        };
        let cells = vec![
            member.id.to_string(),
            member.channel.kind.clone(),
            member.model.clone().unwrap_or_else(|| "its own choice".to_owned()),
            seat.effort().to_string(),
            member.tier.to_string(),
            member.payer.as_str().to_owned(),
            here,
        ];
        Record { cells, notes: Vec::new() }
    };
    let mut page = Page::list(width);
    table::write(COLUMNS, &seats.iter().map(record).collect::<Vec<_>>(), width, &mut page);
    page.into_text()
}
