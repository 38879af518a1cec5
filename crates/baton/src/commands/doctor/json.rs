//! The report as programs read it: `baton.doctor/1`. Fields are only ever added.

use serde_json::{Value, json};

use super::Report;
use super::deep::{Deep, DeepTurn};
use super::machine::{LocalReport, SeatReport, State, ToolReport};
use super::servers::{Server, Settings};
use super::shelter::ShelterReport;
use super::store::{StoreReport, StoreState};
use super::troubles::{Finding, Level};

pub(super) fn value(report: &Report<'_>) -> Value {
    json!({
        "schema": "baton.doctor/1",
        "status": report.status(),
        "members": report.seen.seats.iter().map(seat).collect::<Vec<_>>(),
        "localServers": report.seen.locals.iter().map(local).collect::<Vec<_>>(),
        "store": store(&report.seen.store),
        "sandbox": sandbox(&report.seen.sandbox),
        "programs": report.seen.tools.iter().filter(|seen| !seen.tool.agent || seen.path.is_some()).map(tool).collect::<Vec<_>>(),
        "settings": report.seen.settings.iter().map(settings).collect::<Vec<_>>(),
        "ownMcpServers": report.seen.own.iter().map(|(name, shown, members)| json!({
            "name": name, "startedBy": shown, "members": members,
        })).collect::<Vec<_>>(),
        "mcpLooks": report.seen.looked.iter().map(|looked| json!({
            "name": looked.name, "where": looked.place, "startedBy": looked.shown, "ms": looked.ms,
            "server": looked.found.name, "version": looked.found.version, "tools": looked.found.tools,
            "trouble": looked.found.trouble.as_ref().map(|(outcome, detail)| json!({ "outcome": outcome, "detail": detail })),
        })).collect::<Vec<_>>(),
        "drift": report.drift.iter().map(|drift| json!({
            "server": drift.server,
            "differences": drift.differences.iter().map(|difference| json!({
                "what": difference.what, "camps": difference.camps, "missing": difference.missing,
            })).collect::<Vec<_>>(),
        })).collect::<Vec<_>>(),
        "troubles": report.findings.iter().map(finding).collect::<Vec<_>>(),
        "attention": report.attention.iter().map(|attention| json!({
            "what": attention.what, "because": attention.because, "mend": attention.mend,
        })).collect::<Vec<_>>(),
    })
}

fn seat(seat: &SeatReport) -> Value {
    let member = &seat.member;
    json!({
        "id": member.id.as_str(), "channel": member.channel.kind, "model": member.model, "tier": member.tier,
        "vendor": member.vendor, "payer": member.payer, "version": seat.version,
        "program": seat.path.as_ref().map(|path| path.display().to_string()),
        "state": match seat.state { State::Ready => "ready", State::Absent => "absent", State::Broken => "broken" },
        "usable": seat.is_ready(),
        "because": (!seat.because.is_empty()).then_some(&seat.because),
        "mend": (!seat.mend.is_empty()).then_some(&seat.mend),
        "login": seat.login,
        "keyEnv": seat.key.as_ref().map(|(name, _)| name),
        "keyPresent": seat.key.as_ref().map(|(_, present)| *present),
        "ms": seat.ms,
        "deep": seat.deep.as_ref().map(deep),
    })
}

fn deep(deep: &Deep) -> Value {
    match deep {
        Deep::Skipped(because) => json!({ "skipped": because, "turns": [] }),
        Deep::Asked(turns) => json!({ "skipped": null, "turns": turns.iter().map(turn).collect::<Vec<_>>() }),
    }
}

#[expect(clippy::cast_precision_loss, reason = "dollars for people")]
fn turn(turn: &DeepTurn) -> Value {
    json!({
        "what": turn.what, "outcome": turn.outcome, "label": turn.outcome.label(), "detail": turn.detail,
        "model": turn.model, "costUsd": turn.cost.map(|cost| cost.0 as f64 / 1e6), "ms": turn.ms,
    })
}

fn local(local: &LocalReport) -> Value {
    let models: Vec<&str> = local.seats.iter().filter_map(|seat| seat.entry.member.model.as_deref()).collect();
    json!({ "name": local.server.name, "url": local.server.base_url, "models": models, "ms": local.ms })
}

fn store(store: &StoreReport) -> Value {
    let (state, because) = match &store.state {
        StoreState::None => ("none", None),
        StoreState::Sound => ("sound", None),
        StoreState::Bad { because, .. } => ("bad", Some(because)),
    };
    let schema = matches!(store.state, StoreState::Sound).then_some(baton_store::SqliteStore::SCHEMA);
    json!({
        "file": store.file.display().to_string(), "state": state, "because": because, "schema": schema,
        "bytes": store.bytes, "blobBytes": store.blob_bytes, "writable": store.writable, "ms": store.ms,
    })
}

fn sandbox(sandbox: &ShelterReport) -> Value {
    let made = sandbox.found.as_ref().ok();
    let refusal = sandbox.found.as_ref().err();
    json!({
        "state": if made.is_some() { "holds" } else { "none" },
        "maker": made.map(|made| made.maker.program()),
        "program": made.map(|made| made.program.display().to_string()),
        "because": refusal.map(|refusal| &refusal.because), "mend": refusal.map(|refusal| &refusal.mend),
        "needed": sandbox.is_needed, "ms": sandbox.ms,
    })
}

fn tool(seen: &ToolReport) -> Value {
    json!({
        "program": seen.tool.program, "path": seen.path.as_ref().map(|path| path.display().to_string()),
        "version": seen.version, "ms": seen.ms,
    })
}

fn settings(settings: &Settings) -> Value {
    json!({
        "client": settings.place, "file": settings.path.display().to_string(), "unreadable": settings.unreadable,
        "servers": settings.servers.iter().map(server).collect::<Vec<_>>(),
    })
}

/// Names of variables and headers, never their values.
fn server(server: &Server) -> Value {
    let package = server.package();
    json!({
        "name": server.name, "where": server.place, "enabled": server.enabled, "startedBy": server.shown(),
        "package": package.map(|package| package.name),
        "variables": server.variables.keys().collect::<Vec<_>>(),
        "headers": server.headers.keys().collect::<Vec<_>>(),
    })
}

fn finding(finding: &Finding<'_>) -> Value {
    let trouble = finding.trouble;
    json!({
        "id": trouble.id, "date": trouble.date,
        "level": match trouble.level { Level::Attention => "attention", Level::Note => "note" },
        "subjects": finding.subjects, "certain": finding.certain, "text": trouble.text, "mend": trouble.mend,
        "source": trouble.source,
    })
}
