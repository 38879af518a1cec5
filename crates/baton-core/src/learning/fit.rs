//! From lessons to knowledge: counts first, then the weights of all members together.
//!
//! Members repeat each other's errors, so a weight of its own for each counts the same reason several times. Here the
//! weights are fitted together, on who held what while which option was right, drawn to what the counts alone would
//! give: with few lessons they stay there.

use std::collections::BTreeMap;

use super::features::{NONE_RIGHT, SCALE, Shape, discounts, held};
use super::newton::{self, Example, Pull, Row};
use super::reliability::{TIER_STRENGTH, log_odds, odds_squared, tier_reliability};
use super::{Knowledge, Lesson, MemberKnowledge, Tiers};

/// How strongly a member's weight is drawn to what its counts give.
const WEIGHT_STRENGTH: f64 = 20.0;
/// How strongly a member's weight on a topic is drawn to its weight over all.
const TOPIC_WEIGHT_STRENGTH: f64 = 12.0;
/// How strongly the chance that nobody is right is drawn to the committed coefficients.
const NONE_RIGHT_STRENGTH: f64 = 10.0;

/// Lessons come in their fixed order, their votes canonical.
pub(super) fn fit(lessons: &[Lesson<'_>], tiers: &Tiers) -> Knowledge {
    let mut knowledge = Knowledge { none_right: NONE_RIGHT.map(millionths), ..Knowledge::default() };
    if lessons.is_empty() {
        return knowledge;
    }
    knowledge.lessons = u32::try_from(lessons.len()).unwrap_or(u32::MAX);
    let tier_of = count(lessons, &mut knowledge);
    knowledge.shift = shift(&knowledge.members, &tier_of, tiers);
    let alone = alone(&knowledge.members, &tier_of, tiers);
    let lead = alone.values().copied().max().unwrap_or(1).max(1);
    let unit = SCALE * 1e6 / float(lead);
    knowledge.unit = millionths(unit);
    let columns = Columns::of(&knowledge.members);
    let examples: Vec<Example> = lessons.iter().filter_map(|lesson| example(lesson, &columns, &alone)).collect();
    let fitted = newton::fit(&examples, &columns.pulls(&alone, unit));
    columns.write(&fitted, unit, &mut knowledge);
    knowledge
}

/// Counts who was right on what. Gives each member's tier: the strongest that it was recorded with.
fn count<'a>(lessons: &[Lesson<'a>], knowledge: &mut Knowledge) -> BTreeMap<&'a str, u8> {
    let mut tiers: BTreeMap<&str, u8> = BTreeMap::new();
    for lesson in lessons {
        for vote in &lesson.votes {
            let tier = tiers.entry(vote.member).or_insert(vote.tier);
            *tier = vote.tier.min(*tier);
            let member = knowledge.members.entry(vote.member.to_owned()).or_default();
            let (right, weight) = (vote.option == Some(lesson.right), lesson.weight_for(vote.member));
            member.counts.add(right, weight);
            if !lesson.topic.is_empty() {
                member.topics.entry(lesson.topic.to_owned()).or_default().counts.add(right, weight);
            }
        }
    }
    tiers
}

/// By how much the members did better than their tiers say, on average, in log-odds; with few lessons, little.
fn shift(members: &BTreeMap<String, MemberKnowledge>, tier_of: &BTreeMap<&str, u8>, tiers: &Tiers) -> i64 {
    let (mut sum, mut weights) = (0.0, 1.0);
    for (name, member) in members {
        let Some(tier) = tier_of.get(name.as_str()) else { continue };
        let expected = tier_reliability(tiers, *tier);
        let lessons = member.counts.lessons();
        let seen = member.counts.reliability(expected, 1.0);
        let weight = lessons / (lessons + TIER_STRENGTH);
        sum += weight * (log_odds(seen) - log_odds(expected));
        weights += weight;
    }
    millionths(sum / weights)
}

/// Each member's weight by its own counts.
fn alone(
    members: &BTreeMap<String, MemberKnowledge>,
    tier_of: &BTreeMap<&str, u8>,
    tiers: &Tiers,
) -> BTreeMap<String, i64> {
    let weigh = |(name, member): (&String, &MemberKnowledge)| {
        let expected = tier_reliability(tiers, tier_of.get(name.as_str()).copied().unwrap_or(5));
        (name.clone(), odds_squared(member.counts.reliability(expected, TIER_STRENGTH)))
    };
    members.iter().map(weigh).collect()
}

/// Which parameter stands for what: `Shape::FEATURES` for the chance that nobody is right, then the members, then
/// members on topics.
struct Columns {
    members: BTreeMap<String, usize>,
    topics: BTreeMap<(String, String), usize>,
}

impl Columns {
    fn of(members: &BTreeMap<String, MemberKnowledge>) -> Self {
        let pairs = members
            .iter()
            .flat_map(|(name, member)| member.topics.keys().map(move |topic| (name.clone(), topic.clone())));
        let after = Shape::FEATURES + members.len();
        Self { members: members.keys().cloned().zip(Shape::FEATURES..).collect(), topics: pairs.zip(after..).collect() }
    }

    fn pulls(&self, alone: &BTreeMap<String, i64>, unit: f64) -> Vec<Pull> {
        let none = NONE_RIGHT.iter().map(|centre| Pull { centre: *centre, strength: NONE_RIGHT_STRENGTH });
        let member = |name: &String| Pull {
            centre: float(alone.get(name).copied().unwrap_or(0)) / 1e6 * unit,
            strength: WEIGHT_STRENGTH,
        };
        let topic = Pull { centre: 0.0, strength: TOPIC_WEIGHT_STRENGTH };
        none.chain(self.members.keys().map(member)).chain(self.topics.keys().map(|_| topic)).collect()
    }

    fn write(&self, fitted: &[f64], unit: f64, knowledge: &mut Knowledge) {
        for (to, from) in knowledge.none_right.iter_mut().zip(fitted) {
            *to = millionths(*from);
        }
        for (name, member) in &mut knowledge.members {
            if let Some(column) = self.members.get(name) {
                member.weight = millionths(fitted[*column] / unit);
            }
            for (topic, known) in &mut member.topics {
                if let Some(column) = self.topics.get(&(name.clone(), topic.clone())) {
                    known.deviation = millionths(fitted[*column] / unit);
                }
            }
        }
    }
}

/// The alternatives of a lesson: each option that somebody held, and that none of them is right.
fn example(lesson: &Lesson<'_>, columns: &Columns, alone: &BTreeMap<String, i64>) -> Option<Example> {
    let (options, shape) = held(&lesson.votes, lesson.options);
    if options.is_empty() {
        return None;
    }
    let weights: Vec<i64> = lesson.votes.iter().map(|vote| alone.get(vote.member).copied().unwrap_or(0)).collect();
    let shares = discounts(&lesson.votes, &weights);
    let row = |option: &&str| -> Row {
        let voters = lesson.votes.iter().zip(&shares).filter(|(vote, _)| vote.option == Some(*option));
        voters.flat_map(|(vote, share)| columns_of(columns, vote.member, lesson.topic, *share)).collect()
    };
    let mut alternatives: Vec<Row> = options.iter().map(row).collect();
    alternatives.push(shape.features().into_iter().enumerate().collect());
    let right = options.iter().position(|option| *option == lesson.right).unwrap_or(options.len());
    Some(Example { alternatives, right, weight: lesson.weight() })
}

fn columns_of(columns: &Columns, member: &str, topic: &str, share: f64) -> impl Iterator<Item = (usize, f64)> {
    let own = columns.members.get(member).copied();
    let here = columns.topics.get(&(member.to_owned(), topic.to_owned())).copied();
    own.into_iter().chain(here).map(move |column| (column, share))
}

#[expect(clippy::cast_possible_truncation, reason = "a float beyond the range becomes its bound")]
pub(super) fn millionths(value: f64) -> i64 {
    libm::round(value * 1e6) as i64
}

#[expect(clippy::cast_precision_loss, reason = "weights are far below 2^53")]
fn float(value: i64) -> f64 {
    value as f64
}
