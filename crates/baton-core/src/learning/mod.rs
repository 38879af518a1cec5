//! What is known of members, and from what: lessons with a known right option go in, numbers for the decision rules
//! come out.
//!
//! [`Experience`] is plain data in whole numbers. It is frozen into the inputs of a run, so that a decision can be
//! computed again after more was learned. The same lessons give the same bytes in whatever order they come.

mod calibration;
mod features;
pub mod findings;
mod fit;
mod follow;
mod held_out;
pub mod newton;
pub mod patches;
mod reliability;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::member::Member;
use crate::task::Question;
use crate::units::Probability;
use features::{NONE_RIGHT, Shape};
use held_out::HeldOut;

pub use reliability::Counts;

pub(crate) use features::{SCALE, discounts, held};
pub(crate) use newton::softmax;
pub(crate) use reliability::{odds_squared, tier_reliability};

/// With this many lessons a rule speaks from what it learned; below it, from the tiers and a little of what it saw.
pub const ENOUGH: u32 = 100;

/// The reliability of tiers 1 to 5 before anything is known: `catalog::Rules::tier_reliability`.
pub type Tiers = [Probability; 5];

/// One member's vote among options that exclude each other.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Vote<'a> {
    /// 1 is the strongest.
    pub tier: u8,
    pub member: &'a str,
    /// Whose training it shares.
    pub family: &'a str,
    /// `None` abstains.
    pub option: Option<&'a str>,
}

/// The votes in one fixed order, strongest tier first, each member once. A member that says two things at once
/// abstains.
#[must_use]
pub fn canonical<'a>(votes: &[Vote<'a>]) -> Vec<Vote<'a>> {
    let mut votes = votes.to_vec();
    votes.sort_unstable();
    let mut kept: Vec<Vote<'a>> = Vec::with_capacity(votes.len());
    for vote in votes {
        match kept.iter_mut().find(|known| known.member == vote.member) {
            Some(known) if known.option == vote.option => {}
            Some(known) => known.option = None,
            None => kept.push(vote),
        }
    }
    kept
}

/// A question whose right option became known.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Lesson<'a> {
    /// What the question is about: a kind of task, or a category of recorded questions. Empty when not known.
    pub topic: &'a str,
    /// How many options there were.
    pub options: usize,
    pub votes: Vec<Vote<'a>>,
    pub right: &'a str,
    /// How many lessons came after it. Its weight halves every [`HALF_LIFE`] of them; recorded cases, which have no
    /// order, are all of age 0.
    pub age: u32,
    /// Members that have changed since (another version): what they did then counts half.
    pub changed: Vec<&'a str>,
}

/// Lessons after which one counts half.
pub const HALF_LIFE: u32 = 200;

/// What is left of a lesson's weight after so many later ones.
pub(crate) fn faded(age: u32) -> f64 {
    libm::exp2(-f64::from(age) / f64::from(HALF_LIFE))
}

impl Lesson<'_> {
    fn weight(&self) -> f64 {
        faded(self.age)
    }

    /// The weight for one member's record.
    fn weight_for(&self, member: &str) -> f64 {
        if self.changed.contains(&member) { self.weight() / 2.0 } else { self.weight() }
    }
}

/// All that was learned, by what was voted on.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Experience {
    pub choices: Knowledge,
    /// The camps of a verdict: to leave a thing as it is, or to change it.
    pub verdicts: Knowledge,
    pub findings: findings::FindingsExperience,
    #[serde(skip_serializing_if = "patches::PatchesExperience::is_empty")]
    pub patches: patches::PatchesExperience,
}

impl Experience {
    /// What bears on the answers to a question.
    #[must_use]
    pub const fn about(&self, question: &Question) -> &Knowledge {
        match question {
            Question::Choice(_) => &self.choices,
            Question::Verdict | Question::Findings | Question::Text | Question::Patch | Question::Test { .. } => {
                &self.verdicts
            }
        }
    }

    /// The chance that a member is right on a question of this sort: on the topic, backing off to all topics, backing
    /// off to its tier.
    #[must_use]
    pub fn reliability(&self, question: &Question, member: &Member, topic: &str, tiers: &Tiers) -> f64 {
        let known = self.about(question).reliability(member.id.as_str(), member.tier, topic, tiers);
        match question {
            Question::Patch => self.patches.reliability(member.id.as_str(), topic, known),
            _ => known,
        }
    }

    /// The record that [`Self::reliability`] is computed from: over all topics, and on this one where there is any. All
    /// zero for a member of which nothing was learned.
    #[must_use]
    pub(crate) fn record(&self, question: &Question, member: &Member, topic: &str) -> (Counts, Option<Counts>) {
        let id = member.id.as_str();
        let patches = self.patches.members.get(id).filter(|_| *question == Question::Patch);
        if let Some(record) = patches {
            return (record.counts, record.topics.get(topic).copied());
        }
        let known = self.about(question).members.get(id);
        known.map_or_else(Default::default, |known| (known.counts, known.topics.get(topic).map(|topic| topic.counts)))
    }

    /// Nothing was learned.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }
}

/// What was learned of votes of one sort.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct Knowledge {
    pub lessons: u32,
    pub members: BTreeMap<String, MemberKnowledge>,
    /// Log-odds of the chance that none of the options held is right, in millionths: a constant, then for
    /// each further option held, each further vote for the option with most votes, and the logarithm of the number of
    /// options (less that of nine).
    pub none_right: [i64; 4],
    /// From the chance of the fit to the chance seen on lessons that it had not learned from: a constant, a slope less
    /// one, and each further option held, in millionths of log-odds. All zero changes nothing.
    pub calibration: [i64; 3],
    /// Log-odds by which the members known were better than their tiers say, in millionths: what to expect of one
    /// that was never seen.
    pub shift: i64,
    /// Log-odds that one unit of weight stands for, in millionths. Zero where nothing was learned.
    pub unit: i64,
    /// The member whose option is taken when it has one, as decisions were not seen to be better than it alone.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub follow: Option<String>,
}

/// What was learned of one member.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct MemberKnowledge {
    pub counts: Counts,
    /// Its weight beside the other members, in millionths. Of one that is alone it would be its odds of being right,
    /// squared; of one that repeats others it is less.
    pub weight: i64,
    pub topics: BTreeMap<String, TopicKnowledge>,
}

/// What was learned of one member on one topic.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct TopicKnowledge {
    pub counts: Counts,
    /// What is added to its weight here, in millionths.
    pub deviation: i64,
}

impl Knowledge {
    /// Learns from lessons, all at once. Nothing of what was known before is kept.
    #[must_use]
    pub fn learn<'a>(lessons: impl IntoIterator<Item = Lesson<'a>>, tiers: &Tiers) -> Self {
        let teaches = |lesson: &Lesson<'_>| lesson.options > 0 && !lesson.votes.is_empty();
        let mut lessons: Vec<Lesson<'a>> = lessons.into_iter().filter(teaches).collect();
        for lesson in &mut lessons {
            lesson.votes = canonical(&lesson.votes);
            lesson.changed.sort_unstable();
        }
        // Sums of fractions depend on their order: everything is taken in one.
        lessons.sort_unstable();
        let mut knowledge = fit::fit(&lessons, tiers);
        if let Some(held_out) = HeldOut::of(&lessons, tiers) {
            knowledge.follow = follow::learn(&held_out);
            knowledge.calibration = calibration::learn(&held_out, knowledge.follow.as_deref());
        }
        knowledge
    }

    /// Enough was learned for confidences to be called learned.
    #[must_use]
    pub const fn is_enough(&self) -> bool {
        self.lessons >= ENOUGH
    }

    /// The chance that a member is right: on the topic, backing off to all topics, backing off to its tier.
    #[must_use]
    pub fn reliability(&self, member: &str, tier: u8, topic: &str, tiers: &Tiers) -> f64 {
        let expected = tier_reliability(tiers, tier);
        let Some(known) = self.members.get(member) else { return reliability::shifted(expected, self.shift) };
        let overall = known.counts.reliability(expected, reliability::TIER_STRENGTH);
        let here = known.topics.get(topic).map(|topic| topic.counts).unwrap_or_default();
        here.reliability(overall, reliability::TOPIC_STRENGTH)
    }

    /// The coefficients of the chance that nobody is right: learned, else the committed ones.
    pub(crate) fn none_right(&self) -> [f64; Shape::FEATURES] {
        if self.lessons == 0 { NONE_RIGHT } else { self.none_right.map(in_units) }
    }

    /// A chance of the fit as it was seen to come true.
    pub(crate) fn calibrated(&self, chance: f64, held: usize) -> f64 {
        calibration::apply(self.calibration, chance, held)
    }

    /// A member's weight on a topic, in millionths, above zero: learned where it was, else its odds of being right,
    /// squared.
    #[must_use]
    pub(crate) fn weight(&self, member: &str, tier: u8, topic: &str, tiers: &Tiers) -> i64 {
        let alone = odds_squared(self.reliability(member, tier, topic, tiers));
        // Whoever has no learned weight left still comes before nobody, in the order of reliability.
        let least = (alone / 1_000).max(1);
        let Some(known) = self.members.get(member) else { return alone.max(1) };
        let deviation = known.topics.get(topic).map_or(0, |topic| topic.deviation);
        known.weight.saturating_add(deviation).max(least)
    }
}

#[expect(clippy::cast_precision_loss, reason = "coefficients are a few units")]
fn in_units(millionths: i64) -> f64 {
    millionths as f64 / 1e6
}

#[cfg(test)]
mod tests;
