//! Decides between options that exclude each other. Live runs and recorded cases go through the same function.
//!
//! Each member's weight comes from what is known of it: its odds of being right, squared, while little was learned;
//! weights fitted together with those of the others once there were lessons. The heaviest option wins. The chance that
//! it is right is that of a conditional logit over the options held and "none of them", calibrated on held-out lessons. Weights are whole numbers, so
//! that sums do not depend on the order and ties are ties.

use crate::learning::{
    Knowledge, SCALE, Tiers, Vote, canonical, discounts, held, odds_squared, softmax, tier_reliability,
};
use crate::units::Probability;

/// Before enough was learned, a member this far below the most reliable voter only breaks ties.
const PEER_GAP: f64 = 0.12;
/// Within this share of all strong votes, the lead is a tie: 15 %.
const TIE_PERCENT: i64 = 15;

/// Once enough was learned, the option of the heaviest vote is ahead by this many log-odds, in millionths: nothing is
/// won by leaving the best member for a chance that is hardly better.
const LEAD: i64 = 100_000;

/// What the options are about, and how many there are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Asked<'a> {
    /// A kind of task or a category of questions; empty when not known.
    pub topic: &'a str,
    pub options: usize,
}

/// A vote as it was counted.
#[derive(Clone, Debug, PartialEq)]
pub struct Weighed<'a> {
    pub member: &'a str,
    pub option: &'a str,
    /// The chance that the member is right, as far as is known.
    pub reliability: f64,
    /// What the family left of its weight, 0 to 1.
    pub discount: f64,
    /// In millionths, after the discount. Above zero.
    pub weight: i64,
    /// Close enough to the most reliable voter to decide, not only to break ties.
    pub peer: bool,
}

/// The votes and what they come to.
#[derive(Clone, Debug, PartialEq)]
pub struct Choice<'a> {
    /// Strongest tier first; without those who abstained.
    pub votes: Vec<Weighed<'a>>,
    /// `None` when nobody voted.
    pub winner: Option<&'a str>,
    /// The chance that the winner is right; zero when nobody voted.
    pub confidence: Probability,
    /// Over how many lessons the confidence was learned; `None` while it is a prior.
    pub learned: Option<u32>,
}

/// Decides. The order of the votes and repeated votes change nothing.
#[must_use]
pub fn decide<'a>(votes: &[Vote<'a>], asked: &Asked<'_>, knowledge: &Knowledge, tiers: &Tiers) -> Choice<'a> {
    let all = canonical(votes);
    let votes: Vec<Vote<'a>> = all.iter().filter(|vote| vote.option.is_some()).copied().collect();
    let weighed = weigh(&votes, asked.topic, knowledge, tiers);
    let winner = if knowledge.is_enough() { with_the_lead(&weighed, knowledge) } else { among_peers(&weighed) };
    let confidence = match winner {
        Some(winner) => chance(winner, &votes, &weighed, asked, unit(&all, knowledge, tiers), knowledge),
        None => Probability::ZERO,
    };
    Choice { votes: weighed, winner, confidence, learned: knowledge.is_enough().then_some(knowledge.lessons) }
}

fn weigh<'a>(votes: &[Vote<'a>], topic: &str, knowledge: &Knowledge, tiers: &Tiers) -> Vec<Weighed<'a>> {
    let weights: Vec<i64> = votes.iter().map(|vote| knowledge.weight(vote.member, vote.tier, topic, tiers)).collect();
    let reliability = |vote: &Vote<'_>| knowledge.reliability(vote.member, vote.tier, topic, tiers);
    let lead = votes.iter().map(reliability).fold(0.0, f64::max);
    let shares = discounts(votes, &weights);
    let counted = votes.iter().zip(weights).zip(shares);
    counted
        .map(|((vote, weight), discount)| {
            let reliability = reliability(vote);
            Weighed {
                member: vote.member,
                option: vote.option.unwrap_or_default(),
                reliability,
                discount,
                weight: share_of(weight, discount),
                peer: reliability + PEER_GAP + 1e-9 >= lead,
            }
        })
        .collect()
}

#[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "weights are far below 2^53")]
pub(super) fn share_of(weight: i64, share: f64) -> i64 {
    (libm::round(weight as f64 * share) as i64).max(1)
}

/// The option of the member to follow; without one the heaviest, where that of the heaviest single vote is a little
/// ahead.
fn with_the_lead<'a>(votes: &[Weighed<'a>], knowledge: &Knowledge) -> Option<&'a str> {
    if let Some(followed) = votes.iter().find(|vote| knowledge.follow.as_deref() == Some(vote.member)) {
        return Some(followed.option);
    }
    let most = votes.iter().map(|vote| vote.weight).max()?;
    let lead = votes.iter().find(|vote| vote.weight == most)?.option;
    let ahead = if knowledge.unit > 0 { LEAD * 1_000_000 / knowledge.unit } else { 0 };
    let mut sums = sums(votes.iter());
    for (_, weight) in sums.iter_mut().filter(|(option, _)| *option == lead) {
        *weight = weight.saturating_add(ahead);
    }
    heaviest(&sums)
}

/// The heaviest option among the peers of the most reliable voter; the others speak only when that is close, and bring
/// in no option of their own.
fn among_peers<'a>(votes: &[Weighed<'a>]) -> Option<&'a str> {
    let strong = sums(votes.iter().filter(|vote| vote.peer));
    let total: i64 = strong.iter().map(|(_, weight)| weight).sum();
    let best = strong.iter().map(|(_, weight)| *weight).max()?;
    let close = |weight: i64| (best - weight) * 100 < TIE_PERCENT * total;
    let tied: Vec<&str> = strong.iter().filter(|(_, weight)| close(*weight)).map(|(option, _)| *option).collect();
    if tied.len() < 2 {
        return heaviest(&strong);
    }
    heaviest(&sums(votes.iter().filter(|vote| tied.contains(&vote.option))))
}

/// Sums by option, in order of first appearance: the strongest member's first.
fn sums<'v, 'a: 'v>(votes: impl Iterator<Item = &'v Weighed<'a>>) -> Vec<(&'a str, i64)> {
    let mut sums: Vec<(&'a str, i64)> = Vec::new();
    for vote in votes {
        match sums.iter_mut().find(|(known, _)| *known == vote.option) {
            Some((_, sum)) => *sum = sum.saturating_add(vote.weight),
            None => sums.push((vote.option, vote.weight)),
        }
    }
    sums
}

/// Of equal ones the first, which the strongest member holds.
fn heaviest<'a>(sums: &[(&'a str, i64)]) -> Option<&'a str> {
    let best = sums.iter().map(|(_, weight)| *weight).max()?;
    sums.iter().find(|(_, weight)| *weight == best).map(|(option, _)| *option)
}

/// Log-odds for one unit of weight. Where nothing was learned, the strongest seat at the table sets the scale, also
/// when it abstains.
fn unit(all: &[Vote<'_>], knowledge: &Knowledge, tiers: &Tiers) -> f64 {
    if knowledge.unit > 0 {
        return float(knowledge.unit) / 1e6;
    }
    let lead = all.iter().map(|vote| odds_squared(tier_reliability(tiers, vote.tier))).max().unwrap_or(1);
    SCALE * 1e6 / float(lead.max(1))
}

/// The chance that the winner is right, by the conditional logit and its calibration.
fn chance(
    winner: &str,
    votes: &[Vote<'_>],
    weighed: &[Weighed<'_>],
    asked: &Asked<'_>,
    unit: f64,
    knowledge: &Knowledge,
) -> Probability {
    let (options, shape) = held(votes, asked.options);
    let sums = sums(weighed.iter());
    let score = |option: &&str| -> f64 {
        let weight = sums.iter().find(|(known, _)| known == option).map_or(0, |(_, weight)| *weight);
        float(weight) / 1e6 * unit
    };
    let mut scores: Vec<f64> = options.iter().map(score).collect();
    let none: f64 = knowledge.none_right().iter().zip(shape.features()).map(|(by, feature)| by * feature).sum();
    scores.push(none);
    let chances = softmax(&scores);
    let at = options.iter().position(|option| *option == winner);
    let fitted = at.and_then(|at| chances.get(at).copied()).unwrap_or(0.0);
    Probability::saturating(knowledge.calibrated(fitted, shape.held))
}

#[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
fn float(value: i64) -> f64 {
    value as f64
}
