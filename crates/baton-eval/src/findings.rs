//! Merged findings of recorded reviews against the issues that their changes are known to have.
//!
//! The score is strict: a merged finding claims the one golden issue that most of its parts tell of (of equals the
//! first by id). An issue claimed twice counts once, and the second claim is a false positive.

use std::collections::{BTreeMap, BTreeSet};

use baton_core::consensus::findings::{Group, Report, Reviewer, Settings, group_with};
use baton_core::learning::findings::{FindingsExperience, JudgedReview};
use serde::Serialize;

use crate::{FindingsCase, FindingsOpinion, FindingsTruth, StatedFinding, parallel};

/// Draws of the bootstrap, and its fixed seed.
const DRAWS: usize = 2_000;
const SEED: u64 = 0x5eed;

/// How well a list of findings fits the known issues, pooled over cases. A share of nothing is `None`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Serialize)]
pub struct Fit {
    /// `None` where nothing was reported.
    pub precision: Option<f64>,
    /// `None` where there are no issues.
    pub recall: Option<f64>,
    /// `None` where there is neither.
    pub f1: Option<f64>,
}

/// The figures of a set of reviews.
#[derive(Clone, Debug, Default, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FindingsFigures {
    /// Cases with truth. The others are decided and not scored.
    pub cases: usize,
    pub without_truth: usize,
    /// Reviews that precisions were learned from; 0 says that the figures are those of the prior.
    pub learned_from: u32,
    /// Of the confirmed list.
    #[serde(flatten)]
    pub confirmed: Fit,
    /// Bounds within which 95 of 100 bootstrap draws over cases put F1; the same in whatever order the cases come.
    /// `None` without a case.
    pub f1_interval: Option<[f64; 2]>,
    /// Each member's own list, taken whole, over the cases in which it was asked. What it says twice counts once.
    pub members: BTreeMap<String, Fit>,
    /// Every merged finding, confirmed or not.
    pub union: Fit,
}

/// What was decided on one case.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FindingsLine {
    pub id: String,
    /// The finding ids of each confirmed group, best supported first.
    pub confirmed: Vec<Vec<String>>,
    pub unconfirmed: Vec<Vec<String>>,
}

/// How well each case's confirmed list fits. Kept apart by case, so that parts can be pooled and drawn from.
#[derive(Clone, Debug, Default)]
pub struct Scores(Vec<Counts>);

impl Scores {
    pub fn add(&mut self, others: &Self) {
        self.0.extend_from_slice(&others.0);
    }

    #[must_use]
    pub fn pooled(&self) -> Fit {
        self.0.iter().fold(Counts::default(), |sum, one| sum.plus(*one)).fit()
    }

    /// Bounds within which 95 of 100 bootstrap draws over cases put F1.
    #[must_use]
    pub fn interval(&self) -> [f64; 2] {
        interval(&self.0)
    }
}

/// The scores of the cases with truth, each decided with what the training cases teach.
#[must_use]
pub fn scores(cases: &[FindingsCase], training: &[FindingsCase], settings: Settings) -> Scores {
    let experience = learn(training);
    let confirmed =
        |case: &FindingsCase| Some(score(&decide(case, &experience, settings).confirmed, case.truth.as_ref()?));
    Scores(parallel::map(cases, confirmed).into_iter().flatten().collect())
}

/// Decides every case with what the training cases teach, and scores those with truth.
#[must_use]
pub fn evaluate(cases: &[FindingsCase], training: &[FindingsCase]) -> (FindingsFigures, Vec<FindingsLine>) {
    let experience = learn(training);
    let lines: Vec<FindingsLine> = parallel::map(cases, |case| decide(case, &experience, Settings::default()));
    let mut scores = Scores::default();
    let mut union = Counts::default();
    let mut members: BTreeMap<String, Counts> = BTreeMap::new();
    for (case, line) in cases.iter().zip(&lines) {
        let Some(truth) = &case.truth else { continue };
        scores.0.push(score(&line.confirmed, truth));
        let all: Vec<Vec<String>> = line.confirmed.iter().chain(&line.unconfirmed).cloned().collect();
        union = union.plus(score(&all, truth));
        for (member, own) in alone(case) {
            let counts = members.entry(member.to_owned()).or_default();
            *counts = counts.plus(score(&own, truth));
        }
    }
    // The draws take cases by their place.
    scores.0.sort_unstable();
    let figures = FindingsFigures {
        cases: scores.0.len(),
        without_truth: cases.len() - scores.0.len(),
        learned_from: experience.reviews,
        confirmed: scores.pooled(),
        f1_interval: (!scores.0.is_empty()).then(|| scores.interval()),
        members: members.into_iter().map(|(member, counts)| (member, counts.fit())).collect(),
        union: union.fit(),
    };
    (figures, lines)
}

/// What the reviews with truth teach.
fn learn(training: &[FindingsCase]) -> FindingsExperience {
    let judged: Vec<JudgedReview<'_>> = training.iter().filter_map(judged).collect();
    FindingsExperience::learn(&judged)
}

fn judged(case: &FindingsCase) -> Option<JudgedReview<'_>> {
    let truth = case.truth.as_ref()?;
    let issue = |id: &str| truth.matches.get(id).map(String::as_str);
    Some(JudgedReview {
        reviewers: reviewers(case),
        reports: reports(case),
        issues: stated(case).into_iter().map(|(_, finding)| issue(&finding.id)).collect(),
    })
}

fn decide(case: &FindingsCase, experience: &FindingsExperience, settings: Settings) -> FindingsLine {
    let ids: Vec<&str> = stated(case).into_iter().map(|(_, finding)| finding.id.as_str()).collect();
    let groups = group_with(&reviewers(case), &reports(case), experience, settings);
    let names = |group: &Group| group.parts.iter().map(|at| ids[*at].to_owned()).collect();
    let (confirmed, unconfirmed): (Vec<&Group>, Vec<&Group>) = groups.iter().partition(|group| group.confirmed);
    FindingsLine {
        id: case.id.clone(),
        confirmed: confirmed.into_iter().map(names).collect(),
        unconfirmed: unconfirmed.into_iter().map(names).collect(),
    }
}

fn reviewers(case: &FindingsCase) -> Vec<Reviewer<'_>> {
    case.opinions.iter().map(reviewer).collect()
}

fn reviewer(opinion: &FindingsOpinion) -> Reviewer<'_> {
    // A member without a family is a family of its own.
    let family = if opinion.family.is_empty() { &opinion.member } else { &opinion.family };
    Reviewer { member: &opinion.member, family, tier: opinion.tier }
}

fn reports(case: &FindingsCase) -> Vec<Report<'_>> {
    stated(case)
        .into_iter()
        .map(|(reviewer, finding)| Report {
            reviewer,
            file: finding.file.as_deref(),
            line: finding.line,
            claim: &finding.claim,
            holds: true,
        })
        .collect()
}

/// Every finding with the position of its opinion; what one member says twice under one id, once.
fn stated(case: &FindingsCase) -> Vec<(usize, &StatedFinding)> {
    let mut seen = BTreeSet::new();
    let all =
        case.opinions.iter().enumerate().flat_map(|(at, one)| one.findings.iter().map(move |said| (at, one, said)));
    all.filter(|(_, opinion, said)| seen.insert((&opinion.member, &said.id, &said.claim, &said.file, said.line)))
        .map(|(at, _, said)| (at, said))
        .collect()
}

/// Each member's findings as they are, none merged.
fn alone(case: &FindingsCase) -> BTreeMap<&str, Vec<Vec<String>>> {
    let mut lists: BTreeMap<&str, Vec<Vec<String>>> = BTreeMap::new();
    for opinion in &case.opinions {
        lists.entry(&opinion.member).or_default();
    }
    for (at, finding) in stated(case) {
        lists.entry(&case.opinions[at].member).or_default().push(vec![finding.id.clone()]);
    }
    lists
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
struct Counts {
    right: u32,
    wrong: u32,
    missed: u32,
}

impl Counts {
    const fn plus(self, other: Self) -> Self {
        Self { right: self.right + other.right, wrong: self.wrong + other.wrong, missed: self.missed + other.missed }
    }

    fn fit(self) -> Fit {
        let (right, wrong, missed) = (f64::from(self.right), f64::from(self.wrong), f64::from(self.missed));
        let share = |part: f64, of: f64| (of > 0.0).then(|| part / of);
        Fit {
            precision: share(right, right + wrong),
            recall: share(right, right + missed),
            f1: share(2.0 * right, 2.0 * right + wrong + missed),
        }
    }
}

fn score(groups: &[Vec<String>], truth: &FindingsTruth) -> Counts {
    let claimed: Vec<Option<&str>> = groups.iter().map(|group| claims(group, truth)).collect();
    let found: BTreeSet<&str> = claimed.iter().flatten().copied().collect();
    let count = |number: usize| u32::try_from(number).unwrap_or(u32::MAX);
    Counts {
        right: count(found.len()),
        wrong: count(groups.len() - found.len()),
        missed: count(truth.issues.len().saturating_sub(found.len())),
    }
}

/// The one issue that most of the parts tell of.
fn claims<'a>(group: &[String], truth: &'a FindingsTruth) -> Option<&'a str> {
    let mut told: BTreeMap<&str, usize> = BTreeMap::new();
    for issue in group.iter().filter_map(|id| truth.matches.get(id)) {
        *told.entry(issue).or_default() += 1;
    }
    told.into_iter().max_by_key(|(issue, times)| (*times, std::cmp::Reverse(*issue))).map(|(issue, _)| issue)
}

/// Percentile bootstrap of F1 over cases (Efron 1979).
fn interval(scores: &[Counts]) -> [f64; 2] {
    if scores.is_empty() {
        return [0.0, 0.0];
    }
    let mut state = SEED;
    let mut draws: Vec<f64> = (0..DRAWS)
        .map(|_| {
            let drawn = (0..scores.len()).map(|_| scores[below(&mut state, scores.len())]);
            drawn.fold(Counts::default(), Counts::plus).fit().f1.unwrap_or(0.0)
        })
        .collect();
    draws.sort_by(f64::total_cmp);
    [draws[DRAWS * 25 / 1000], draws[DRAWS * 975 / 1000 - 1]]
}

/// A number below `bound` from a SplitMix64 stream (Steele, Lea and Flood 2014).
fn below(state: &mut u64, bound: usize) -> usize {
    *state = state.wrapping_add(0x9e37_79b9_7f4a_7c15);
    let mut mixed = *state;
    mixed = (mixed ^ (mixed >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    let wide = u128::from(mixed ^ (mixed >> 31)) * bound as u128;
    usize::try_from(wide >> 64).unwrap_or(0)
}

#[cfg(test)]
mod tests;
