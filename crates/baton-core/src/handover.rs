//! Who takes over when an account cannot be used: what was known when a run was submitted, and the user's rule.
//!
//! All of it is frozen into the run's inputs, so that a replay chooses the same members.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::account::Standing;
use crate::ids::MemberId;
use crate::member::Member;
use crate::outcome::{LONGEST_WAIT_MS, Outcome};
use crate::route::{Team, WINDOW_RESERVE};
use crate::run::{Inputs, RunState, Step};
use crate::task::Task;
use crate::units::Timestamp;

/// What a run knows of accounts, frozen when it is submitted.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Handover {
    /// The user's rule: who takes a member's work over, first choice first. Members without one: the ladder.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub rules: BTreeMap<MemberId, Vec<MemberId>>,
    /// Accounts that could not be used then.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub away: Vec<Away>,
    /// The user's clock, in minutes east of UTC: times in notes are told by it.
    pub offset_minutes: i32,
}

/// An account that cannot be used for now.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Away {
    pub account: String,
    pub until: Timestamp,
    pub because: Because,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Because {
    /// Its quota is used up.
    Quota,
    /// Its service or program failed too often in a row.
    Failures,
}

impl Away {
    /// What a record says at this moment; `None` when the account can be used.
    #[must_use]
    pub fn of(account: &str, standing: Standing) -> Option<Self> {
        let (until, because) = match standing {
            Standing::Spent(until) => (until, Because::Quota),
            Standing::Resting(until) => (until, Because::Failures),
            Standing::Open | Standing::OnTrial => return None,
        };
        Some(Self { account: account.to_owned(), until, because })
    }

    /// `is out of quota until 14:00`.
    #[must_use]
    pub fn words(&self, now: Timestamp, offset_minutes: i32) -> String {
        let until = clock_words(self.until, now, offset_minutes);
        match self.because {
            Because::Quota => format!("is out of quota until {until}"),
            Because::Failures => format!("rests until {until}: it failed too often in a row"),
        }
    }
}

impl Handover {
    fn away(&self, member: &Member, at: Timestamp) -> Option<&Away> {
        self.away.iter().find(|away| away.account == member.account && away.until > at)
    }

    /// Whether the user said who follows this member.
    #[must_use]
    pub fn has_rule(&self, member: &MemberId) -> bool {
        self.rules.get(member).is_some_and(|followers| !followers.is_empty())
    }

    fn followers(&self, member: &MemberId) -> &[MemberId] {
        self.rules.get(member).map_or(&[], Vec::as_slice)
    }
}

/// The members that a team is chosen from, and what the user should know about those that are left out.
pub(crate) struct Present {
    pub(crate) members: Vec<Member>,
    pub(crate) named: Vec<MemberId>,
    notes: Vec<String>,
    /// Members that would be there if their account could be used, with the words for it.
    away: Vec<(MemberId, String)>,
}

/// Leaves out who cannot take the task and whose account is away. A member that the user named is asked all the same,
/// unless the user's rule says who follows it.
pub(crate) fn present(inputs: &Inputs, at: Timestamp) -> Present {
    let mut present = Present { members: Vec::new(), named: inputs.named.clone(), notes: Vec::new(), away: Vec::new() };
    for member in &inputs.members {
        if let Some(most) = too_small(member, &inputs.task) {
            let size = inputs.task.bytes() / 1_000;
            let most = most / 1_000;
            present
                .notes
                .push(format!("{} is left out: the task has {size} KB, it takes at most {most} KB", member.id));
            continue;
        }
        let Some((handover, away)) = inputs.handover.as_ref().and_then(|known| Some((known, known.away(member, at)?)))
        else {
            present.members.push(member.clone());
            continue;
        };
        let words = away.words(at, handover.offset_minutes);
        if inputs.named.contains(&member.id) && !handover.has_rule(&member.id) {
            present.notes.push(format!("{} {words}; it is asked all the same, as you named it", member.id));
            present.members.push(member.clone());
        } else {
            present.away.push((member.id.clone(), words));
        }
    }
    present.follow_named(inputs);
    present
}

impl Present {
    pub(crate) fn is_anybody_away(&self) -> bool {
        !self.away.is_empty()
    }

    fn has(&self, id: &MemberId) -> bool {
        self.members.iter().any(|member| member.id == *id)
    }

    /// The user's rule on a member that was named: the first follower that can be asked takes its place.
    fn follow_named(&mut self, inputs: &Inputs) {
        let Some(handover) = &inputs.handover else { return };
        let mut places = std::mem::take(&mut self.named);
        for place in &mut places {
            let Some((_, words)) = self.away.iter().find(|(id, _)| id == place) else { continue };
            let follower = handover.followers(place).iter().find(|id| self.has(id));
            let takes_over = follower.map_or(String::new(), |id| format!("; {id} takes over"));
            self.notes.push(format!("{place} {words}{takes_over}"));
            if let Some(follower) = follower {
                *place = follower.clone();
            }
        }
        self.named = places;
    }

    /// Says in the team's notes who is left out and who takes over, and gives seats to those that the user's rule
    /// names. `whole` is the team as it would be with everybody there.
    pub(crate) fn settle(self, inputs: &Inputs, whole: &Team, team: &mut Team) {
        let mut notes = self.notes;
        if inputs.named.is_empty() {
            let rules = inputs.handover.as_ref();
            let mut new: Vec<MemberId> = team.seats.iter().map(|seat| seat.member.clone()).collect();
            new.retain(|id| !whole.seats.iter().any(|seat| seat.member == *id));
            for (id, words) in &self.away {
                let had_seat = whole.seats.iter().any(|seat| seat.member == *id);
                let followers = rules.map_or(&[][..], |rules| rules.followers(id));
                let taker = if had_seat { take_seat(team, &mut new, followers) } else { None };
                let takes_over = taker.map_or(String::new(), |taker| format!("; {taker} takes over"));
                notes.push(format!("{id} {words}{takes_over}"));
            }
        }
        notes.append(&mut team.notes);
        team.notes = notes;
    }
}

/// Who takes a lost seat: the first follower that has or can get a new seat, otherwise whoever the rules of routing
/// brought in.
fn take_seat(team: &mut Team, new: &mut Vec<MemberId>, followers: &[MemberId]) -> Option<MemberId> {
    let known =
        |team: &Team, id: &MemberId| team.ladder.contains(id) || team.seats.iter().any(|seat| seat.member == *id);
    let wanted = followers.iter().find(|id| known(team, id)).cloned();
    let Some(wanted) = wanted else { return (!new.is_empty()).then(|| new.remove(0)) };
    if let Some(place) = new.iter().position(|id| *id == wanted) {
        new.remove(place);
    } else if let (Some(rung), false) = (team.ladder.iter().position(|id| *id == wanted), new.is_empty()) {
        let other = new.remove(0);
        if let Some(seat) = team.seats.iter_mut().find(|seat| seat.member == other) {
            seat.member = wanted.clone();
            seat.rule = "your handover rule".into();
            team.ladder[rung] = other;
        }
    }
    Some(wanted)
}

/// The most bytes that a member takes, when the task has more.
fn too_small(member: &Member, task: &Task) -> Option<u64> {
    // Room for the template and the trailer around the task.
    const AROUND: u64 = 4_000;
    member.limits.prompt_bytes.filter(|most| !member.is_check() && task.bytes().saturating_add(AROUND) > *most)
}

/// Those who may step in for a failed member, best first: where its quota is used up by the user's rule, then by the
/// ladder. Whose account is away is not among them.
pub(crate) fn ladder(state: &RunState, step: &Step, outcome: &Outcome, at: Timestamp) -> Vec<MemberId> {
    let (Some(inputs), Some(plan)) = (&state.inputs, &state.plan) else { return Vec::new() };
    // Runs of before this was recorded go by the ladder alone, for ever.
    let Some(handover) = &inputs.handover else { return plan.team.ladder.clone() };
    let by_rule = if is_spent(outcome) { handover.followers(&step.member) } else { &[] };
    let fits = |member: &Member| {
        let fits_window = inputs.task.estimated_tokens().saturating_add(WINDOW_RESERVE) <= member.context_window;
        fits_window && too_small(member, &inputs.task).is_none() && !member.is_check()
    };
    let can = |id: &&MemberId| {
        let member = inputs.members.iter().find(|member| member.id == **id);
        member.is_some_and(|member| {
            fits(member) && handover.away(member, at).is_none() && !is_spent_here(state, inputs, &member.account)
        })
    };
    by_rule.iter().chain(&plan.team.ladder).filter(can).cloned().collect()
}

/// Nothing more is to be had from the account for longer than anybody waits.
fn is_spent(outcome: &Outcome) -> bool {
    match outcome {
        Outcome::QuotaExhausted => true,
        Outcome::RateLimited { retry_after_ms: Some(ms) } => *ms > LONGEST_WAIT_MS,
        _ => false,
    }
}

/// A turn of this run found the account used up.
fn is_spent_here(state: &RunState, inputs: &Inputs, account: &str) -> bool {
    let of_account = |id: &MemberId| inputs.members.iter().any(|member| member.id == *id && member.account == account);
    let attempts = state.steps.iter().flat_map(|step| &step.attempts);
    attempts.filter(|attempt| attempt.outcome.as_ref().is_some_and(is_spent)).any(|attempt| of_account(&attempt.member))
}

/// The time of day by the user's clock, with the date unless it is within a day.
#[must_use]
pub fn clock_words(instant: Timestamp, now: Timestamp, offset_minutes: i32) -> String {
    const DAY: i64 = 86_400_000;
    let local = instant.0.saturating_add(i64::from(offset_minutes) * 60_000);
    let minutes = local.rem_euclid(DAY) / 60_000;
    let time = format!("{:02}:{:02}", minutes / 60, minutes % 60);
    if instant.millis_since(now) < DAY.unsigned_abs() && now <= instant {
        return time;
    }
    let (year, month, day) = civil(local.div_euclid(DAY));
    format!("{year}-{month:02}-{day:02} {time}")
}

/// The date of a day counted from 1970-01-01, in the Gregorian calendar. From Howard Hinnant's "chrono-compatible
/// low-level date algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let shifted = days.saturating_add(719_468);
    let era = shifted.div_euclid(146_097);
    let day_of_era = shifted.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1_460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let march_month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * march_month + 2) / 5 + 1;
    let month = if march_month < 10 { march_month + 3 } else { march_month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_told_by_the_users_clock() {
        let noon = Timestamp(1_700_000_000_000); // 2023-11-14 22:13:20 UTC
        let words = |after: u64, offset| clock_words(noon.plus_millis(after), noon, offset);
        assert_eq!(words(0, 0), "22:13");
        assert_eq!(words(3_600_000, 60), "00:13");
        assert_eq!(words(0, -330), "16:43");
        assert_eq!(words(3 * 86_400_000, 0), "2023-11-17 22:13");
        assert_eq!(words(107 * 86_400_000, 0), "2024-02-29 22:13");
        assert_eq!(clock_words(Timestamp(0), noon, 0), "1970-01-01 00:00");
        assert_eq!(clock_words(Timestamp(-1), noon, 0), "1969-12-31 23:59");
        for extreme in [i64::MIN, i64::MAX] {
            assert!(!clock_words(Timestamp(extreme), noon, 840).is_empty());
        }
    }

    #[test]
    fn an_account_is_away_with_words() {
        let until = Timestamp(1_700_000_000_000);
        let now = Timestamp(until.0 - 60_000);
        let away = |standing| Away::of("login", standing).map(|away| away.words(now, 0));
        assert_eq!(away(Standing::Spent(until)).as_deref(), Some("is out of quota until 22:13"));
        assert!(away(Standing::Resting(until)).unwrap().contains("rests until 22:13"));
        assert_eq!(away(Standing::OnTrial), None);
    }
}
