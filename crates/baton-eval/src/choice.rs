//! Recorded answers to questions with options: decided by `baton_core::consensus::choice`, beside its baselines.

use std::collections::BTreeMap;

use baton_core::catalog::Rules;
use baton_core::consensus::choice::{self, Asked, Choice};
use baton_core::learning::{Knowledge, Lesson, Tiers, Vote, canonical};
use baton_core::opinion;
use serde::Serialize;

use crate::case::{ChoiceCase, ChoiceOpinion};
use crate::figures::{self, Called};

/// Coverage is given at this accuracy.
const SURE: f64 = 0.9;

/// How good the decisions on choices are. Cases without truth are in none of the figures.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceFigures {
    pub cases: usize,
    /// Decided, and without a known truth.
    pub without_truth: usize,
    /// Cases that were learned from.
    pub training: usize,
    pub accuracy: f64,
    /// The member that was best on the training cases (without any, the first of the strongest tier), alone.
    pub best_single: Option<Single>,
    /// One member, one vote.
    pub majority: f64,
    /// `None` when all are right or all are wrong.
    pub auroc: Option<f64>,
    /// Expected calibration error, ten bins.
    pub ece: f64,
    /// The share of cases that can be answered at 90 % accuracy.
    pub coverage_at_90: f64,
    /// Every member alone.
    pub members: BTreeMap<String, f64>,
    /// `learned` or `prior`, and over how many cases.
    pub confidence: Source,
    /// Where answers came as texts with a recorded position: how often the position read from the text is that one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub texts: Option<Texts>,
}

/// One member alone.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Single {
    pub member: String,
    pub accuracy: f64,
}

/// Where the confidence comes from.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Source {
    pub source: &'static str,
    pub over: u32,
}

/// Positions read from texts, beside the recorded ones.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Texts {
    pub read: usize,
    /// Among those with a text.
    pub as_recorded: f64,
}

/// What was decided on one case.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ChoiceLine {
    pub id: String,
    /// `None` when nobody took a position.
    pub answer: Option<String>,
    pub confidence: f64,
}

/// Learns from the training cases that have a truth, then decides every case.
#[must_use]
pub fn evaluate(cases: &[ChoiceCase], training: &[ChoiceCase]) -> (ChoiceFigures, Vec<ChoiceLine>) {
    let tiers = Rules::default().tier_reliability;
    let training: Vec<Read<'_>> = training.iter().filter(|case| case.truth.is_some()).map(Read::of).collect();
    let knowledge = learn(&training, &tiers);
    let read: Vec<Read<'_>> = cases.iter().map(Read::of).collect();
    let decided: Vec<Choice<'_>> = read.iter().map(|case| case.decide(&knowledge, &tiers)).collect();
    let lines = read.iter().zip(&decided).map(|(case, choice)| line(case, choice)).collect();
    (figures_of(&read, &decided, &training, &knowledge), lines)
}

/// A case with the positions of its members.
struct Read<'a> {
    case: &'a ChoiceCase,
    votes: Vec<Vote<'a>>,
}

impl<'a> Read<'a> {
    fn of(case: &'a ChoiceCase) -> Self {
        let vote = |opinion: &'a ChoiceOpinion| Vote {
            tier: opinion.tier,
            member: &opinion.member,
            family: &opinion.family,
            option: position(case, opinion),
        };
        Self { case, votes: canonical(&case.opinions.iter().map(vote).collect::<Vec<_>>()) }
    }

    /// Recorded cases have no order in time: all count the same.
    fn lesson(&self) -> Lesson<'a> {
        Lesson {
            topic: &self.case.category,
            options: self.case.options.len(),
            votes: self.votes.clone(),
            right: self.case.truth.as_deref().unwrap_or_default(),
            age: 0,
            changed: Vec::new(),
        }
    }

    fn decide(&self, knowledge: &Knowledge, tiers: &Tiers) -> Choice<'a> {
        let asked = Asked { topic: &self.case.category, options: self.case.options.len() };
        choice::decide(&self.votes, &asked, knowledge, tiers)
    }

    fn is_right(&self, option: Option<&str>) -> bool {
        option.is_some() && option == self.case.truth.as_deref()
    }

    /// The option with most votes, the strongest member's among equal ones.
    fn majority(&self) -> Option<&'a str> {
        let mut counts: Vec<(&str, usize)> = Vec::new();
        for option in self.votes.iter().filter_map(|vote| vote.option) {
            match counts.iter_mut().find(|(known, _)| *known == option) {
                Some((_, count)) => *count += 1,
                None => counts.push((option, 1)),
            }
        }
        let most = counts.iter().map(|(_, count)| *count).max()?;
        counts.iter().find(|(_, count)| *count == most).map(|(option, _)| *option)
    }
}

/// From the text where there is one, else as recorded. What is none of the options is no position.
fn position<'a>(case: &'a ChoiceCase, opinion: &'a ChoiceOpinion) -> Option<&'a str> {
    match &opinion.text {
        Some(text) => opinion::choice(text, &case.options).map(String::as_str),
        None => case.options.iter().find(|option| Some(*option) == opinion.position.as_ref()).map(String::as_str),
    }
}

fn learn(training: &[Read<'_>], tiers: &Tiers) -> Knowledge {
    Knowledge::learn(training.iter().map(Read::lesson), tiers)
}

fn line(read: &Read<'_>, choice: &Choice<'_>) -> ChoiceLine {
    ChoiceLine {
        id: read.case.id.clone(),
        answer: choice.winner.map(str::to_owned),
        confidence: choice.confidence.as_f64(),
    }
}

fn figures_of(
    read: &[Read<'_>],
    decided: &[Choice<'_>],
    training: &[Read<'_>],
    knowledge: &Knowledge,
) -> ChoiceFigures {
    let scored: Vec<(&Read<'_>, &Choice<'_>)> =
        read.iter().zip(decided).filter(|(read, _)| read.case.truth.is_some()).collect();
    let called: Vec<Called> =
        scored.iter().map(|(read, choice)| (choice.confidence.as_f64(), read.is_right(choice.winner))).collect();
    let members = alone(scored.iter().map(|(read, _)| *read));
    let best = best_single(training, read);
    let best_single = best.map(|member| {
        let accuracy = members.get(&member).map_or(0.0, |record| figures::ratio(record.0, scored.len()));
        Single { member, accuracy: figures::rounded(accuracy) }
    });
    let (source, over) =
        if knowledge.is_enough() { ("learned", knowledge.lessons) } else { ("prior", knowledge.lessons) };
    ChoiceFigures {
        cases: scored.len(),
        without_truth: read.len() - scored.len(),
        training: training.len(),
        accuracy: figures::rounded(figures::accuracy(called.iter().map(|(_, right)| *right))),
        best_single,
        majority: figures::rounded(figures::accuracy(scored.iter().map(|(read, _)| read.is_right(read.majority())))),
        auroc: figures::auroc(&called).map(figures::rounded),
        ece: figures::rounded(figures::calibration_error(&called)),
        coverage_at_90: figures::rounded(figures::coverage(&called, SURE)),
        members: members
            .into_iter()
            .map(|(member, (right, asked))| (member, figures::rounded(figures::ratio(right, asked))))
            .collect(),
        confidence: Source { source, over },
        texts: texts(read),
    }
}

/// How often each member is right, and of how many that it was asked. An abstention is not right.
fn alone<'r, 'a: 'r>(read: impl Iterator<Item = &'r Read<'a>>) -> BTreeMap<String, (usize, usize)> {
    let mut records: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for case in read {
        for vote in &case.votes {
            let record = records.entry(vote.member.to_owned()).or_default();
            record.0 += usize::from(case.is_right(vote.option));
            record.1 += 1;
        }
    }
    records
}

/// The member with most right answers on the training cases; without any, by tier, then by name.
fn best_single(training: &[Read<'_>], read: &[Read<'_>]) -> Option<String> {
    let tiers: BTreeMap<&str, u8> =
        read.iter().flat_map(|case| case.votes.iter().map(|vote| (vote.member, vote.tier))).collect();
    let records = alone(training.iter());
    let right = |member: &str| records.get(member).map_or(0, |record| record.0);
    let best = tiers.iter().min_by_key(|(member, tier)| (std::cmp::Reverse(right(member)), **tier, **member))?;
    Some((*best.0).to_owned())
}

fn texts(read: &[Read<'_>]) -> Option<Texts> {
    let opinions = read.iter().flat_map(|read| read.case.opinions.iter().map(move |opinion| (read.case, opinion)));
    let with_text: Vec<_> = opinions.filter(|(_, opinion)| opinion.text.is_some()).collect();
    let same = |(case, opinion): &(&ChoiceCase, &ChoiceOpinion)| position(case, opinion) == opinion.position.as_deref();
    let as_recorded = figures::rounded(figures::accuracy(with_text.iter().map(same)));
    (!with_text.is_empty()).then_some(Texts { read: with_text.len(), as_recorded })
}
