//! `baton members`: the seats, who pays for each, and why one cannot be asked.

use std::fmt::Write;

use baton_core::handover::Away;
use baton_core::units::Timestamp;
use serde_json::{Value, json};

use crate::cli::Members;
use crate::compose::Setup;
use crate::failure::{Exit, Failure};
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
        output.print(&table(&seats, &away, setup.now()))?;
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

fn table(seats: &[Seat], away: &[Away], now: Timestamp) -> String {
    let mut text = String::new();
    let head =
        format!("{:18} {:16} {:26} {:7} {:4} {:13} {}", "seat", "channel", "model", "effort", "tier", "pays", "here");
    let _ = writeln!(text, "{}", style::strong(&head));
    for seat in seats {
        let member = &seat.entry.member;
        let here = match &seat.missing {
            None => match away_of(seat, away) {
                None => style::good("yes"),
                Some(away) => style::warn(&format!("yes, but {}", away.words(now, offset_minutes(now)))),
            },
            Some((because, _)) => style::dim(&format!("no: {because}")),
        };
        let _ = writeln!(
            text,
            "{:18} {:16} {:26} {:7} {:<4} {:13} {here}",
            member.id,
            member.channel.kind,
            member.model.as_deref().unwrap_or("its own choice"),
            seat.effort(),
            member.tier,
            member.payer.as_str()
        );
    }
    text
}
