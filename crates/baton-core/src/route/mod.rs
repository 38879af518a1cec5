//! Who is asked. A pure choice from the members present: role matrix first, then strengths, then tier; of vendors,
//! families and models each in turn. Every seat says which rule chose it.

mod because;
mod fitness;
mod seating;

use std::collections::{BTreeMap, BTreeSet};

use serde::{Deserialize, Serialize};

use crate::catalog::{RoleRow, Rules, TeamSize};
use crate::classify::Classification;
use crate::ids::MemberId;
use crate::learning::Experience;
use crate::member::Member;
use crate::task::Priority;

pub use fitness::Load;

use fitness::Fitness;
use seating::{Candidate, Order};

/// What a seat is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Role {
    Primary,
    Secondary,
    /// Asked to look for what the others will miss.
    Critic,
    Arbiter,
    /// A check: its outcome is evidence.
    Check,
}

impl Role {
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Primary => "primary",
            Self::Secondary => "secondary",
            Self::Critic => "critic",
            Self::Arbiter => "arbiter",
            Self::Check => "check",
        }
    }
}

/// One seat of a team and the rule that chose it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Seat {
    pub member: MemberId,
    pub role: Role,
    pub rule: String,
}

/// The team of a run, who would step in, and what the user should know about the choice.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Team {
    pub seats: Vec<Seat>,
    /// Seats that are asked later, while what they may say is worth its cost.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub held: Vec<Seat>,
    /// Who may step in, best first: the seats that are held back, and members that got none.
    pub ladder: Vec<MemberId>,
    /// What decided the place of a member of the ladder, where its tier alone does not say it.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub remarks: BTreeMap<MemberId, String>,
    /// Distinct vendors that the decision needs.
    pub vendors_needed: u8,
    /// Distinct vendors among all members present: fewer than needed can never make a quorum.
    pub vendors_present: u8,
    pub notes: Vec<String>,
}

/// What the choice is made from.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    pub members: &'a [Member],
    pub roles: &'a [RoleRow],
    pub rules: &'a Rules,
    /// What was learned of members.
    pub experience: &'a Experience,
    /// How busy and how quick they are; members without an entry are idle and of unknown speed.
    pub load: &'a BTreeMap<MemberId, Load>,
    /// Tokens that each member must read.
    pub tokens: u64,
    /// When not empty, just these, in this order: the user named them.
    pub named: &'a [MemberId],
    /// Seats may be held back at first: the workflow asks them later if need be.
    pub grows: bool,
}

/// Room that an answer and an agent's own preamble need beside the prompt.
pub(crate) const WINDOW_RESERVE: u64 = 4_000;

/// Chooses the team for a classified task.
#[must_use]
pub fn route(classification: &Classification, request: &Request<'_>) -> Team {
    let mut notes = Vec::new();
    let candidates = candidates(classification, request, &mut notes);
    let vendors_needed = request.rules.quorum.of(classification.complexity, classification.priority);
    let vendors_present = count_vendors(candidates.iter().map(|candidate| candidate.member));
    let size = team_size(classification, request, candidates.len());
    let plan = seating::Seats { first_wave: size.least, most: size.most, vendors: usize::from(vendors_needed) };
    let (chosen, rest) = seating::choose(candidates, &plan);
    if vendors_present < vendors_needed {
        notes.push(format!(
            "this task needs {vendors_needed} vendors and {vendors_present} can be asked: it will end in review"
        ));
    }
    let first_wave = size.least.min(chosen.len());
    let (ladder, remarks) = seating::ladder(chosen[first_wave..].iter().chain(&rest));
    let (seats, held) = seats(chosen, size.least);
    Team { seats, held, ladder, remarks, vendors_needed, vendors_present, notes }
}

/// The first wave, and what it may grow to.
struct Size {
    least: usize,
    most: usize,
}

/// A critical task asks everybody at once, and so does a user who names members.
fn team_size(classification: &Classification, request: &Request<'_>, present: usize) -> Size {
    if !request.named.is_empty() || classification.priority == Priority::Critical {
        return Size { least: present, most: present };
    }
    let mut size = request.rules.team.of(classification.complexity);
    if !request.grows {
        let wanted = if classification.priority == Priority::High { size.most } else { size.least };
        size = TeamSize { least: wanted, most: wanted };
    }
    Size { least: usize::from(size.least).min(present), most: usize::from(size.most).min(present) }
}

/// All members that can be asked, best first.
fn candidates<'a>(
    classification: &Classification,
    request: &Request<'a>,
    notes: &mut Vec<String>,
) -> Vec<Candidate<'a>> {
    let fits = |member: &&Member| {
        let fits = request.tokens.saturating_add(WINDOW_RESERVE) <= member.context_window;
        if !fits {
            notes.push(format!("{} is left out: the task does not fit its context window", member.id));
        }
        fits
    };
    let present: Vec<&Member> = request.members.iter().filter(|member| !member.is_check()).filter(fits).collect();
    if !request.named.is_empty() {
        let find = |id: &MemberId| present.iter().copied().find(|member| member.id == *id);
        let mut seen = BTreeSet::new();
        let named = request.named.iter().filter(|id| seen.insert(*id)).filter_map(find);
        let seat = |(place, member)| {
            let mut one = Candidate::new(member, Order::Named { place }, classification, request);
            one.rule = "you named it".into();
            one
        };
        return named.enumerate().map(seat).collect();
    }
    let mut candidates: Vec<Candidate<'a>> = Vec::with_capacity(present.len());
    let row = request.roles.iter().find(|row| row.kind == classification.kind && !classification.unsure);
    for member in present {
        let order = row.and_then(|row| of_matrix(row, member, classification, request));
        let order = order.unwrap_or_else(|| Order::of(member, classification, request));
        let rule = rule(&order, row, member, classification);
        let mut one = Candidate::new(member, order, classification, request);
        one.rule = rule;
        candidates.push(one);
    }
    candidates.sort_by(|a, b| a.order.cmp(&b.order));
    candidates
}

/// The matrix's own order holds until members were measured to be worse than it takes them for, or are busy.
fn of_matrix(row: &RoleRow, member: &Member, classification: &Classification, request: &Request<'_>) -> Option<Order> {
    let busyness = Fitness::busyness(member, classification, request);
    let place = |listed: &[MemberId]| listed.iter().position(|id| *id == member.id);
    match (place(&row.primary), place(&row.secondary)) {
        (Some(place), _) => Some(Order::Primary { busyness, place }),
        (None, Some(place)) => Some(Order::Secondary { busyness, place }),
        (None, None) => None,
    }
}

fn rule(order: &Order, row: Option<&RoleRow>, member: &Member, classification: &Classification) -> String {
    let of_matrix = |role: &str| row.map(|row| format!("role matrix: {role} for {} ({})", row.kind, row.because));
    let listed = match order {
        Order::Primary { .. } => of_matrix("primary"),
        Order::Secondary { .. } => of_matrix("secondary"),
        Order::Other { weak: false, .. } => Some(format!("strong in {}", classification.kind)),
        Order::Other { .. } | Order::Named { .. } => None,
    };
    listed.unwrap_or_else(|| format!("tier {}", member.tier))
}

/// The first wave and the seats that are held back.
fn seats(chosen: Vec<Candidate<'_>>, first_wave: usize) -> (Vec<Seat>, Vec<Seat>) {
    let last = first_wave.saturating_sub(1);
    let role = |index: usize| match index {
        0 => Role::Primary,
        _ if index == last && last >= 2 => Role::Critic,
        _ => Role::Secondary,
    };
    let seat = |(index, one): (usize, Candidate<'_>)| Seat {
        member: one.member.id.clone(),
        role: role(index),
        rule: one.into_rule(),
    };
    let mut seats: Vec<Seat> = chosen.into_iter().enumerate().map(seat).collect();
    let held = seats.split_off(first_wave.min(seats.len()));
    (seats, held)
}

fn count_vendors<'a>(members: impl Iterator<Item = &'a Member>) -> u8 {
    let vendors: BTreeSet<&str> = members.map(|member| member.vendor.as_str()).collect();
    u8::try_from(vendors.len()).unwrap_or(u8::MAX)
}

#[cfg(test)]
mod tests;
