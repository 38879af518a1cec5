//! Recorded answers to questions with options: decided by `baton_core::consensus::choice`, beside its baselines.

use std::collections::BTreeMap;

use baton_core::catalog::Rules;
use baton_core::consensus::choice::{self, Asked, Choice};
use baton_core::learning::{Knowledge, Lesson, Tiers, Vote, canonical};
use baton_core::opinion::{self, Position};
use baton_core::source::Sources;
use baton_core::task::Question;
use serde::Serialize;

use crate::case::{ChoiceCase, ChoiceOpinion};
use crate::figures::{self, Called};
use crate::parallel;

/// Coverage is given at this accuracy.
const SURE: f64 = 0.9;

/// How good the decisions on choices are. Cases without truth are in none of the figures; without a case that has one,
/// shares are `None`.
#[derive(Clone, Debug, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ChoiceFigures {
    pub cases: usize,
    /// Decided, and without a known truth.
    pub without_truth: usize,
    /// Cases that were learned from.
    pub training: usize,
    /// Cases in which nobody took a position. They count as wrong.
    pub unanswered: usize,
    pub accuracy: Option<f64>,
    /// One member alone over all cases; where it has no opinion it is wrong.
    pub best_single: Option<Single>,
    /// One member, one vote; of equal options the strongest member's.
    pub majority: Option<f64>,
    /// `None` when all are right or all are wrong too.
    pub auroc: Option<f64>,
    /// Expected calibration error, ten bins.
    pub ece: Option<f64>,
    /// The share of cases that can be answered at 90 % accuracy.
    pub coverage_at_90: Option<f64>,
    /// Every member alone, over the cases that it was asked.
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
    pub picked_by: Picked,
}

/// By what the best single member was picked. Never by the cases that are measured.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "camelCase")]
pub enum Picked {
    /// Most right answers on the training cases.
    Training,
    /// The first by name of the strongest tier, as no training case has a right answer of any member here.
    Tier,
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
    let decided: Vec<Choice<'_>> = parallel::map(&read, |case| case.decide(&knowledge, &tiers));
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
pub(crate) fn position<'a>(case: &'a ChoiceCase, opinion: &ChoiceOpinion) -> Option<&'a str> {
    match &opinion.text {
        Some(text) => read_from(text, &case.options),
        None => named(opinion.position.as_deref()?, &case.options),
    }
}

/// As a live run reads an answer to such a question.
fn read_from<'a>(text: &str, options: &'a [String]) -> Option<&'a str> {
    match opinion::read(text, &Question::Choice(options.to_vec()), &Sources::default()).position {
        Position::Choice { option } => options.iter().find(|one| **one == option).map(String::as_str),
        _ => None,
    }
}

/// The option that is said, as a live run takes it: upper and lower case are one where no option is written so.
pub(crate) fn named<'a>(said: &str, options: &'a [String]) -> Option<&'a str> {
    let exact = options.iter().find(|option| *option == said);
    let alike = || options.iter().find(|option| option.trim().eq_ignore_ascii_case(said.trim()));
    exact.or_else(alike).map(String::as_str)
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
    let known = |share: f64| (!scored.is_empty()).then(|| figures::rounded(share));
    let (source, over) =
        if knowledge.is_enough() { ("learned", knowledge.lessons) } else { ("prior", knowledge.lessons) };
    ChoiceFigures {
        cases: scored.len(),
        without_truth: read.len() - scored.len(),
        training: training.len(),
        unanswered: scored.iter().filter(|(_, choice)| choice.winner.is_none()).count(),
        accuracy: known(figures::accuracy(called.iter().map(|(_, right)| *right))),
        best_single: best_single(training, &scored.iter().map(|(read, _)| *read).collect::<Vec<_>>()),
        majority: known(figures::accuracy(scored.iter().map(|(read, _)| read.is_right(read.majority())))),
        auroc: figures::auroc(&called).map(figures::rounded),
        ece: known(figures::calibration_error(&called)),
        coverage_at_90: known(figures::coverage(&called, SURE)),
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

/// The member with most right answers on the training cases; without any, by tier, then by name. A member that changes
/// its tier between cases has its strongest.
fn best_single(training: &[Read<'_>], scored: &[&Read<'_>]) -> Option<Single> {
    let mut tiers: BTreeMap<&str, u8> = BTreeMap::new();
    for vote in scored.iter().flat_map(|case| &case.votes) {
        let tier = tiers.entry(vote.member).or_insert(vote.tier);
        *tier = vote.tier.min(*tier);
    }
    let records = alone(training.iter());
    let before = |member: &str| records.get(member).map_or(0, |record| record.0);
    let (member, _) =
        tiers.iter().min_by_key(|(member, tier)| (std::cmp::Reverse(before(member)), **tier, **member))?;
    let here = alone(scored.iter().copied()).get(*member).map_or(0, |record| record.0);
    Some(Single {
        member: (*member).to_owned(),
        accuracy: figures::rounded(figures::ratio(here, scored.len())),
        picked_by: if before(member) > 0 { Picked::Training } else { Picked::Tier },
    })
}

fn texts(read: &[Read<'_>]) -> Option<Texts> {
    let opinions = read.iter().flat_map(|read| read.case.opinions.iter().map(move |opinion| (read.case, opinion)));
    let with_text: Vec<_> = opinions.filter(|(_, opinion)| opinion.text.is_some()).collect();
    let same = |(case, opinion): &(&ChoiceCase, &ChoiceOpinion)| {
        let recorded = opinion.position.as_deref().map(|said| named(said, &case.options).unwrap_or(said));
        position(case, opinion) == recorded
    };
    let as_recorded = figures::rounded(figures::accuracy(with_text.iter().map(same)));
    (!with_text.is_empty()).then_some(Texts { read: with_text.len(), as_recorded })
}
