//! Votes on exclusive positions: weights, families, camps.

use super::choice::{self, Asked, Choice};
use super::decision::{Conflict, Reason};
use super::settle::{self, Settled, Side};
use super::{Ballot, Ground};
use crate::ids::MemberId;
use crate::learning::{self, Knowledge};
use crate::member::Member;
use crate::opinion::{Position, Stance, Verdict};
use crate::task::Question;
use crate::text::one_line;
use crate::units::Probability;

/// A side that holds this share of the weight is in conflict with the winner even without a peer of the leader.
const CONFLICT_SHARE: f64 = 0.34;

/// What a dispute about the winner begins with, where the vote is on a verdict and where it is on options.
const VERDICT_CLAIM: &str = "the verdict is ";
const ANSWER_CLAIM: &str = "the answer is ";
const LONGEST_REASON: usize = 300;

/// The words could be taken for a dispute about the winner.
pub(crate) fn is_worded_as_vote(claim: &str) -> bool {
    [VERDICT_CLAIM, ANSWER_CLAIM].iter().any(|begins| claim.starts_with(begins))
}

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
    /// The positions are options of a choice: none is a verdict, whatever it is called.
    choosing: bool,
    /// Options that disputes went against.
    lost: Vec<String>,
    /// The chance that the winner is right, and over how many outcomes it was learned; `None` while there are too few.
    pub(super) learned: Option<(Probability, u32)>,
}

impl Tally {
    pub(super) fn with(&self, option: &str) -> impl Iterator<Item = &Vote> {
        self.votes.iter().filter(move |vote| vote.option == option)
    }

    /// The disputed claim, where the votes are in conflict.
    pub(super) fn contested_claim(&self) -> Option<String> {
        let winner = self.winner.as_deref().filter(|_| self.contested)?;
        if !self.choosing {
            return Some(format!("{VERDICT_CLAIM}{winner}"));
        }
        // Of several options two are held against each other at a time: both have a name.
        self.other_side().map(|other| format!("{ANSWER_CLAIM}{winner}, not {other}"))
    }

    /// Takes in how a dispute about the winner ended: votes of those who gave way move over, an arbiter's is added.
    pub(super) fn settle(&mut self, settled: &[Settled], ground: &Ground<'_>) {
        let (Some(claim), Some(winner)) = (self.contested_claim(), self.winner.clone()) else { return };
        let Some(other) = self.other_side() else { return };
        let against: Vec<String> = self.against().map(|vote| vote.option.clone()).collect();
        for ruling in ground.rulings.iter().filter(|ruling| ruling.claim == claim) {
            let Some(side) = ruling.gives_way() else { continue };
            if let Some(vote) = self.votes.iter_mut().find(|vote| vote.member == ruling.member) {
                vote.option.clone_from(if side == Side::Holds { &winner } else { &other });
                // What was learned is about votes as they were first cast.
                self.learned = None;
            }
        }
        let Some(end) = settled.iter().find(|end| end.claim == claim) else { return };
        let holds = end.side == Side::Holds;
        self.lost.extend(if holds { against } else { vec![winner.clone()] });
        let right = if holds { winner } else { other };
        let arbiter = end.arbiter.as_ref().and_then(|id| ground.members.iter().find(|member| member.id == *id));
        self.votes.extend(arbiter.map(|arbiter| alone(arbiter, right.clone(), ground)));
        (self.winner, self.learned) = (Some(right), None);
        self.contested = self.is_contested();
    }

    /// What the other side of a dispute about the winner stands for: the heaviest that no dispute has gone against.
    fn other_side(&self) -> Option<String> {
        heaviest(&weights(self.open(), |vote| &vote.option)).map(str::to_owned)
    }

    /// Votes that cannot be right together with the winner, for what no dispute has gone against.
    fn open(&self) -> impl Iterator<Item = &Vote> {
        self.opposed().filter(|vote| !self.lost.contains(&vote.option))
    }

    /// The votes of the other side: of one option, or of all verdicts that cannot be right together with the winner.
    fn against(&self) -> impl Iterator<Item = &Vote> {
        let other = self.other_side().filter(|_| self.choosing);
        self.open().filter(move |vote| other.as_ref().is_none_or(|other| vote.option == *other))
    }

    fn is_contested(&self) -> bool {
        let total: f64 = self.votes.iter().map(|vote| vote.weight).sum();
        let against: f64 = self.open().map(|vote| vote.weight).sum();
        self.open().any(|vote| vote.peer) || (total > 0.0 && against / total >= CONFLICT_SHARE)
    }

    fn is_compatible(&self, one: &str, other: &str) -> bool {
        self.camp(one) == self.camp(other)
    }

    /// `revise` and `reject` are of one camp: something must change. All other options exclude each other.
    fn camp<'a>(&self, option: &'a str) -> &'a str {
        let revises = !self.choosing && option == Verdict::Revise.as_str();
        if revises { Verdict::Reject.as_str() } else { option }
    }

    /// The conflict about the winner, where the votes are in one.
    pub(super) fn conflict(&self, ground: &Ground<'_>, settled_by: Option<String>) -> Option<Conflict> {
        let claim = self.contested_claim()?;
        Some(Conflict {
            claim,
            holds: self.agreeing().map(|vote| vote.member.clone()).collect(),
            against: self.against().map(|vote| vote.member.clone()).collect(),
            reasons: self.agreeing().chain(self.against()).filter_map(|vote| reason(ground, vote)).collect(),
            settled_by,
        })
    }

    pub(super) fn winning_verdict(&self) -> Option<Verdict> {
        let winner = self.winner.as_deref().filter(|_| !self.choosing)?;
        Verdict::ALL.into_iter().find(|verdict| verdict.as_str() == winner)
    }

    /// Votes that cannot be right if the winner is.
    pub(super) fn opposed(&self) -> impl Iterator<Item = &Vote> {
        let winner = self.winner.clone().unwrap_or_default();
        self.votes.iter().filter(move |vote| !self.is_compatible(&vote.option, &winner))
    }

    pub(super) fn agreeing(&self) -> impl Iterator<Item = &Vote> {
        let winner = self.winner.clone().unwrap_or_default();
        self.votes.iter().filter(move |vote| self.is_compatible(&vote.option, &winner))
    }
}

/// Of three options or more, a dispute between two may leave one with another: taken up in turn until one is open or
/// none is left.
pub(super) fn third_sides(tally: &mut Tally, ground: &Ground<'_>) -> Vec<Conflict> {
    let mut conflicts = Vec::new();
    while let Some(conflict) = tally.conflict(ground, None).filter(|_| !tally.lost.is_empty()) {
        conflicts.push(conflict);
        let last = conflicts.len() - 1;
        let settled = settle::settle(&mut conflicts[last..], &ground.rulings);
        if settled.is_empty() {
            break;
        }
        tally.settle(&settled, ground);
    }
    conflicts
}

/// Counts the positions: the heaviest camp, and in it the heaviest option, by `choice::decide`.
pub(super) fn tally(ground: &Ground<'_>) -> Tally {
    let (topic, knowledge) = (ground.classification.kind.as_str(), knowledge(ground));
    let options = match &ground.classification.question {
        Question::Choice(options) => options.len(),
        Question::Verdict | Question::Findings | Question::Patch | Question::Test { .. } | Question::Text => CAMPS,
    };
    let choosing = matches!(ground.classification.question, Question::Choice(_));
    let mut tally = Tally { choosing, ..Tally::default() };
    let cast: Vec<learning::Vote<'_>> = ground.ballots.iter().map(|ballot| cast(ballot, &tally)).collect();
    let choice = choice::decide(&cast, &Asked { topic, options }, knowledge, &ground.rules.tier_reliability);
    let votes: Vec<Vote> = ground.ballots.iter().filter_map(|ballot| vote(ballot, &choice)).collect();
    tally.winner = choice.winner.and_then(|camp| {
        let inside = weights(votes.iter().filter(|vote| tally.camp(&vote.option) == camp), |vote| &vote.option);
        heaviest(&inside).map(str::to_owned)
    });
    tally.learned = choice.learned.map(|over| (choice.confidence, over));
    tally.votes = votes;
    tally.contested = tally.is_contested();
    tally
}

fn knowledge<'a>(ground: &Ground<'a>) -> &'a Knowledge {
    let verdicts = ground.ballots.iter().any(|ballot| ballot.opinion.position.verdict().is_some());
    if verdicts { &ground.experience.verdicts } else { &ground.experience.choices }
}

/// The vote of a member that nobody else shares.
fn alone(member: &Member, option: String, ground: &Ground<'_>) -> Vote {
    let (topic, tiers, name) =
        (ground.classification.kind.as_str(), &ground.rules.tier_reliability, member.id.as_str());
    let knowledge = knowledge(ground);
    #[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
    let weight = knowledge.weight(name, member.tier, topic, tiers) as f64 / 1e6;
    let reliability = knowledge.reliability(name, member.tier, topic, tiers);
    Vote { member: member.id.clone(), option, reliability, weight, discount: 1.0, peer: true }
}

/// Why a member votes as it does: the sentence that names its option, else its first one, else what it lists or sums up.
/// `None` for a vote that moved, or that nobody gave a reason for.
fn reason(ground: &Ground<'_>, vote: &Vote) -> Option<Reason> {
    let ballot = ground.ballots.iter().find(|ballot| ballot.member.id == vote.member)?;
    let (option, opinion) = (position(ballot).filter(|option| *option == vote.option)?.to_lowercase(), ballot.opinion);
    // A letter stands in every sentence.
    let names = |sentence: &&String| option.len() > 1 && sentence.to_lowercase().contains(&option);
    let sentence = opinion.statements.iter().find(names).or(opinion.statements.first());
    let listed = || opinion.findings.iter().find(|finding| finding.stance == Stance::Holds).map(|one| &one.claim);
    let text = sentence.or_else(listed).unwrap_or(&opinion.summary);
    let said = text.chars().any(char::is_alphanumeric);
    said.then(|| Reason { member: vote.member.clone(), reason: one_line(text, LONGEST_REASON) })
}

/// To leave a thing as it is, or to change it.
const CAMPS: usize = 2;

fn position<'a>(ballot: &Ballot<'a>) -> Option<&'a str> {
    match &ballot.opinion.position {
        Position::Verdict { verdict } => Some(verdict.as_str()),
        Position::Choice { option } => Some(option),
        Position::Patch { .. } | Position::Test { .. } | Position::Answer | Position::Abstain { .. } => None,
    }
}

fn cast<'a>(ballot: &Ballot<'a>, tally: &Tally) -> learning::Vote<'a> {
    let member = ballot.member;
    let option = position(ballot).map(|option| tally.camp(option));
    learning::Vote { tier: member.tier, member: member.id.as_str(), family: &member.family, option }
}

fn vote(ballot: &Ballot<'_>, choice: &Choice<'_>) -> Option<Vote> {
    let option = position(ballot)?.to_owned();
    let weighed = choice.votes.iter().find(|weighed| weighed.member == ballot.member.id.as_str())?;
    #[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
    let weight = weighed.weight as f64 / 1e6;
    Some(Vote {
        member: ballot.member.id.clone(),
        option,
        reliability: weighed.reliability,
        weight,
        discount: weighed.discount,
        peer: weighed.peer,
    })
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

/// Of equal ones the first, which the strongest member holds.
fn heaviest<'a>(sums: &[(&'a str, f64)]) -> Option<&'a str> {
    let mut best: Option<(&str, f64)> = None;
    for (key, weight) in sums {
        if best.is_none_or(|(_, heaviest)| *weight > heaviest) {
            best = Some((key, *weight));
        }
    }
    best.map(|(key, _)| key)
}
