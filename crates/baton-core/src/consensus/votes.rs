//! Votes on exclusive positions: weights, families, camps.

use std::collections::BTreeMap;

use super::Ground;
use super::settle::{Settled, Side};
use crate::ids::MemberId;
use crate::member::Member;
use crate::opinion::{Position, Verdict};

/// A member this far below the most reliable one only breaks ties.
const PEER_GAP: f64 = 0.12;
/// Within this share of all strong votes, the lead is a tie.
const TIE_SHARE: f64 = 0.15;
/// How alike the errors of one family are: the n-th vote of a family counts 1 / (1 + this x (n - 1)).
const FAMILY_CORRELATION: f64 = 0.5;
/// A side that holds this share of the weight is in conflict with the winner even without a peer of the leader.
const CONFLICT_SHARE: f64 = 0.34;

/// One counted vote.
#[derive(Clone, Debug)]
pub(super) struct Vote {
    pub(super) member: MemberId,
    pub(super) option: String,
    pub(super) reliability: f64,
    /// (odds of being right) squared, discounted within its family.
    pub(super) weight: f64,
    pub(super) discount: f64,
    /// Close enough to the most reliable voter to decide, not only to break ties.
    pub(super) peer: bool,
}

/// The votes and what they come to.
#[derive(Clone, Debug, Default)]
pub(super) struct Tally {
    pub(super) votes: Vec<Vote>,
    /// `None` when nothing was voted on.
    pub(super) winner: Option<String>,
    /// Options that cannot be right together with the winner were held by a peer, or by a heavy share.
    pub(super) contested: bool,
}

impl Tally {
    pub(super) fn with(&self, option: &str) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(move |vote| vote.option == option)
    }

    /// The disputed claim, where the votes are in conflict.
    pub(super) fn contested_claim(&self) -> Option<String> {
        let winner = self.winner.as_deref().filter(|_| self.contested)?;
        Some(format!("the verdict is {winner}"))
    }

    /// Takes in how a dispute about the winner ended: votes of those who gave way move over, an arbiter's is added.
    pub(super) fn settle(&mut self, settled: &[Settled], ground: &Ground<'_>) {
        let (Some(claim), Some(winner)) = (self.contested_claim(), self.winner.clone()) else { return };
        let opposed = weights(self.opposed(), |vote| &vote.option);
        let Some(other) = top_two(&opposed).0.map(|(option, _)| option.to_owned()) else { return };
        for ruling in ground.rulings.iter().filter(|ruling| ruling.claim == claim) {
            let Some(side) = ruling.gives_way() else { continue };
            if let Some(vote) = self.votes.iter_mut().find(|vote| vote.member == ruling.member) {
                vote.option.clone_from(if side == Side::Holds { &winner } else { &other });
            }
        }
        let Some(end) = settled.iter().find(|end| end.claim == claim) else { return };
        let right = if end.side == Side::Holds { winner } else { other };
        let arbiter = end.arbiter.as_ref().and_then(|id| ground.members.iter().find(|member| member.id == *id));
        if let Some(arbiter) = arbiter {
            self.votes.push(vote(arbiter, right.clone(), 1.0, ground));
        }
        self.winner = Some(right);
    }

    pub(super) fn winning_verdict(&self) -> Option<Verdict> {
        let winner = self.winner.as_deref()?;
        Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == winner)
    }

    /// Votes that cannot be right if the winner is.
    pub(super) fn opposed(&self) -> impl Iterator<Item = &Vote> {
        let winner = self.winner.clone().unwrap_or_default();
        self.votes.iter().filter(move |vote| !compatible(&vote.option, &winner))
    }

    pub(super) fn agreeing(&self) -> impl Iterator<Item = &Vote> {
        let winner = self.winner.clone().unwrap_or_default();
        self.votes.iter().filter(move |vote| compatible(&vote.option, &winner))
    }
}

/// `revise` and `reject` are of one camp: something must change. All other options exclude each other.
fn compatible(one: &str, other: &str) -> bool {
    camp(one) == camp(other)
}

fn camp(option: &str) -> &str {
    if option == Verdict::Revise.as_str() { Verdict::Reject.as_str() } else { option }
}

/// Counts the positions. Ballots come sorted by tier and id, so that nothing here depends on arrival.
pub(super) fn tally(ground: &Ground<'_>) -> Tally {
    let mut votes = votes(ground);
    let lead = votes.iter().map(|vote| vote.reliability).fold(0.0, f64::max);
    for vote in &mut votes {
        vote.peer = vote.reliability + PEER_GAP + 1e-9 >= lead;
    }
    let winner = winner(&votes);
    let mut tally = Tally { votes, winner, contested: false };
    tally.contested = contested(&tally);
    tally
}

fn votes(ground: &Ground<'_>) -> Vec<Vote> {
    let mut seen: BTreeMap<(&str, String), f64> = BTreeMap::new();
    let mut votes = Vec::new();
    for ballot in &ground.ballots {
        let option = match &ballot.opinion.position {
            Position::Verdict { verdict } => verdict.as_str().to_owned(),
            Position::Choice { option } => option.clone(),
            Position::Answer | Position::Abstain { .. } => continue,
        };
        let of_family = seen.entry((&ballot.member.family, camp(&option).to_owned())).or_insert(0.0);
        let discount = 1.0 / (1.0 + FAMILY_CORRELATION * *of_family);
        *of_family += 1.0;
        votes.push(vote(ballot.member, option, discount, ground));
    }
    votes
}

fn vote(member: &Member, option: String, discount: f64, ground: &Ground<'_>) -> Vote {
    let reliability = ground.rules.reliability(member.tier).clamp(0.01, 0.99);
    let odds = reliability / (1.0 - reliability);
    Vote { member: member.id.clone(), option, reliability, weight: odds * odds * discount, discount, peer: false }
}

/// The heaviest camp among the strong voters; weak ones speak only when that is close. Within the winning camp the
/// heaviest option. Ties go to the option of the strongest member, which is the first in the list.
fn winner(votes: &[Vote]) -> Option<String> {
    let strong = weights(votes.iter().filter(|vote| vote.peer), |vote| camp(&vote.option));
    let total: f64 = strong.iter().map(|(_, weight)| weight).sum();
    let (first, second) = top_two(&strong);
    let all;
    let decided = match (first, second) {
        (Some((_, best)), Some((_, next))) if best - next < TIE_SHARE * total => {
            // The weak ones choose between the camps that are tied; they bring in none of their own.
            let tied = |vote: &&Vote| {
                strong
                    .iter()
                    .any(|(camp_of, weight)| *camp_of == camp(&vote.option) && best - weight < TIE_SHARE * total)
            };
            all = weights(votes.iter().filter(tied), |vote| camp(&vote.option));
            top_two(&all).0
        }
        (first, _) => first,
    };
    let camp_of_winner = decided?.0;
    let inside = weights(votes.iter().filter(|vote| camp(&vote.option) == camp_of_winner), |vote| &vote.option);
    top_two(&inside).0.map(|(option, _)| option.to_owned())
}

/// Sums by key, in order of first appearance: the strongest member's first.
fn weights<'a>(votes: impl Iterator<Item = &'a Vote>, key: impl Fn(&'a Vote) -> &'a str) -> Vec<(&'a str, f64)> {
    let mut sums: Vec<(&str, f64)> = Vec::new();
    for vote in votes {
        let key = key(vote);
        match sums.iter_mut().find(|(known, _)| *known == key) {
            Some((_, sum)) => *sum += vote.weight,
            None => sums.push((key, vote.weight)),
        }
    }
    sums
}

type Sum<'a> = Option<(&'a str, f64)>;

fn top_two<'a>(sums: &[(&'a str, f64)]) -> (Sum<'a>, Sum<'a>) {
    let mut first: Sum<'a> = None;
    let mut second: Sum<'a> = None;
    for sum in sums {
        if first.is_none_or(|(_, best)| sum.1 > best) {
            second = first;
            first = Some(*sum);
        } else if second.is_none_or(|(_, next)| sum.1 > next) {
            second = Some(*sum);
        }
    }
    (first, second)
}

fn contested(tally: &Tally) -> bool {
    let total: f64 = tally.votes.iter().map(|vote| vote.weight).sum();
    let against: f64 = tally.opposed().map(|vote| vote.weight).sum();
    tally.opposed().any(|vote| vote.peer) || (total > 0.0 && against / total >= CONFLICT_SHARE)
}
