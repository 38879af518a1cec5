//! One real turn for each seat, and a second one where the first left a conversation to go on with.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use baton_core::member::{Member, Payer};
use baton_core::outcome::Outcome;
use baton_core::units::MicroUsd;
use baton_members::Tools;
use baton_port::{Cancel, Caps, Deadlines, Progress, ProgressSink, SessionUse, TurnRequest};
use tokio::task::JoinSet;

use super::machine::SeatReport;
use super::millis_since;
use crate::config::Config;
use crate::consent;
use crate::failure::Failure;
use crate::render::style;
use crate::trust::Trust;

/// What is sent, whole. Nothing of the workspace goes with it.
const FIRST: &str = "This is a test of the connection. Reply with the single word: ready";
const SECOND: &str = "Reply with the same single word again.";
/// Tokens of a prompt, its answer left to the member's own estimate.
const PROMPT_TOKENS: u64 = 100;
/// The longest a test may take, whatever the seat's own limit is.
const LONGEST: Duration = Duration::from_secs(120);

/// What came of a seat's test.
#[derive(Clone, Debug)]
pub(super) enum Deep {
    /// Not asked, and why.
    Skipped(&'static str),
    Asked(Vec<DeepTurn>),
}

/// One turn of it.
#[derive(Clone, Debug)]
pub(super) struct DeepTurn {
    /// `turn`, or `resume` for the second one.
    pub(super) what: &'static str,
    pub(super) outcome: Outcome,
    pub(super) detail: String,
    pub(super) model: Option<String>,
    /// Unknown where neither the member nor a price tells.
    pub(super) cost: Option<MicroUsd>,
    pub(super) ms: u64,
}

/// Asks for consent to send the test to vendors that may not be sent text without asking. It holds for this test.
pub(super) fn agree(seats: &[SeatReport], config: &Config, trust: &Trust) -> Result<(), Failure> {
    let mut vendors: BTreeMap<&str, Vec<&Member>> = BTreeMap::new();
    for member in seats.iter().filter(|seat| seat.is_ready()).map(|seat| &seat.member) {
        let free = member.payer == Payer::Local || member.scripted;
        if !free && !trust.allows(&member.vendor) && !config.allow.contains(&member.vendor) {
            vendors.entry(&member.vendor).or_default().push(member);
        }
    }
    if vendors.is_empty() { Ok(()) } else { consent::confirm(&notice(seats), &vendors) }
}

/// Who is asked what, and who pays.
pub(super) fn notice(seats: &[SeatReport]) -> String {
    let mut lines = vec![style::strong("Each of these is asked to say one word, twice where it keeps conversations:")];
    for member in seats.iter().filter(|seat| seat.is_ready()).map(|seat| &seat.member) {
        let cost = match (member.payer, member.estimate(PROMPT_TOKENS)) {
            (Payer::Key, Some(cost)) => format!("key, at most about {cost} a turn"),
            (Payer::Key, None) => "key, cost unknown".to_owned(),
            (payer, _) => payer.as_str().to_owned(),
        };
        lines.push(format!("  {:18} {:14} {cost}", member.id, member.vendor));
    }
    lines.push("Sent: one line, and nothing of your files.".to_owned());
    lines.join("\n")
}

/// What a person reads while nothing else is to be seen; `None` where nobody is asked.
pub(super) fn waiting(seats: &[SeatReport]) -> Option<String> {
    let minutes = LONGEST.as_secs() / 60;
    match seats.iter().filter(|seat| seat.is_ready()).count() {
        0 => None,
        1 => Some(format!("asking 1 seat, at most {minutes} minutes a turn ...")),
        count => Some(format!("asking {count} seats, at most {minutes} minutes a turn ...")),
    }
}

/// Asks every seat that can be asked. Seats of one account wait for each other; a spending cap is kept by leaving out
/// those whose estimate does not fit any more.
pub(super) async fn ask(
    seats: &mut [SeatReport],
    tools: &Arc<Tools>,
    cap: Option<MicroUsd>,
    cancel: &Cancel,
) -> Result<(), Failure> {
    let folder = tempfile::Builder::new().prefix("baton-doctor-").tempdir();
    let folder = folder.map_err(|error| Failure::configuration(format!("no folder to ask from: {error}")))?;
    let mut accounts: BTreeMap<String, Vec<(usize, Member)>> = BTreeMap::new();
    let mut reserved = MicroUsd(0);
    for (index, seat) in seats.iter_mut().enumerate().filter(|(_, seat)| seat.is_ready()) {
        let estimate = seat.member.estimate(PROMPT_TOKENS).unwrap_or(MicroUsd(0));
        if cap.is_some_and(|cap| reserved.plus(estimate) > cap) {
            seat.deep = Some(Deep::Skipped("the spending cap leaves no room"));
            continue;
        }
        reserved = reserved.plus(estimate);
        accounts.entry(seat.member.account.clone()).or_default().push((index, seat.member.clone()));
    }
    let mut running = JoinSet::new();
    for members in accounts.into_values() {
        let (tools, cancel, place) = (tools.clone(), cancel.clone(), folder.path().to_owned());
        running.spawn(async move {
            let mut results = Vec::new();
            for (index, member) in members {
                results.push((index, test(&member, &tools, &place, &cancel).await));
            }
            results
        });
    }
    while let Some(ended) = running.join_next().await {
        for (index, turns) in ended.unwrap_or_default() {
            seats[index].deep = Some(Deep::Asked(turns));
        }
    }
    Ok(())
}

async fn test(member: &Member, tools: &Arc<Tools>, place: &Path, cancel: &Cancel) -> Vec<DeepTurn> {
    let new = SessionUse::New { id: uuid::Uuid::now_v7().hyphenated().to_string() };
    let (first, session) = turn(member, tools, request(member, FIRST, new, place, cancel), "turn").await;
    let goes_on = session.filter(|_| first.outcome.is_ok());
    let mut turns = vec![first];
    if let Some(id) = goes_on {
        let request = request(member, SECOND, SessionUse::Resume { id }, place, cancel);
        turns.push(turn(member, tools, request, "resume").await.0);
    }
    turns
}

/// One turn, and the conversation that it left.
async fn turn(
    member: &Member,
    tools: &Arc<Tools>,
    request: TurnRequest,
    what: &'static str,
) -> (DeepTurn, Option<String>) {
    let begun = Instant::now();
    let turn = match baton_members::open(member, tools) {
        Ok(channel) => channel.turn(&request).await,
        Err(error) => baton_port::Turn::failed(Outcome::Rejected, error.to_string()),
    };
    let cost = if turn.outcome.is_free() { Some(MicroUsd(0)) } else { member.cost(turn.usage.as_ref()) };
    let ms = millis_since(begun);
    (
        DeepTurn { what, outcome: turn.outcome, detail: turn.detail, model: turn.provenance.model, cost, ms },
        turn.provenance.session,
    )
}

fn request(member: &Member, prompt: &str, session: SessionUse, place: &Path, cancel: &Cancel) -> TurnRequest {
    let within = |ms: u64| Duration::from_millis(ms).min(LONGEST);
    let limits = &member.limits;
    TurnRequest {
        prompt: prompt.to_owned(),
        effort: None,
        schema: None,
        session,
        history: Vec::new(),
        directory: place.to_owned(),
        deadlines: Deadlines {
            first_event: within(limits.first_event_ms),
            idle: within(limits.idle_ms),
            total: within(limits.total_ms),
        },
        caps: Caps { total: 1 << 20, line: 1 << 20 },
        cancel: cancel.clone(),
        progress: Arc::new(Quiet),
    }
}

struct Quiet;

impl ProgressSink for Quiet {
    fn report(&self, _: Progress) {}
}
