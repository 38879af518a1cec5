//! How well a group of findings is supported, and whether that is enough.

use std::collections::{BTreeMap, BTreeSet};

use super::tone::Tone;
use super::{Report, Reviewer};
use crate::learning::findings::FindingsExperience;
use crate::units::Probability;

/// Learned precision from which a single reporter confirms.
const TRUSTED: f64 = 0.7;

/// How much of a difference in detail goes into a report's weight.
const DETAIL: f64 = 0.5;
/// The least support that ever confirms: more than one ordinary reporter.
const NEEDED_LEAST: f64 = 1.2;
/// Findings beyond which a family is not sparing, whatever the team.
const SPARING: usize = 3;
/// The most that a sparing family's findings times the families asked may be.
const SPARING_IN_TEAM: usize = 10;
/// Detail from which a sparing family's finding needs no second reporter.
const TOLD_WELL: f64 = 0.25;

/// What the reports of one review are held against.
#[derive(Clone, Debug)]
pub(super) struct Review<'a> {
    reviewers: &'a [Reviewer<'a>],
    reports: &'a [&'a Report<'a>],
    /// How each report is put.
    tones: Vec<Tone>,
    experience: &'a FindingsExperience,
    /// The mean detail of what is reported.
    usual: f64,
    /// Families that report so little that they choose what they say.
    sparing: BTreeSet<&'a str>,
    /// The support that confirms.
    pub(super) needed: f64,
}

impl<'a> Review<'a> {
    /// `reports` has nothing twice. `share` is the support that confirms, as a share of the families asked.
    #[expect(clippy::cast_precision_loss, reason = "counts of findings in one review")]
    pub(super) fn of(
        reviewers: &'a [Reviewer<'a>],
        reports: &'a [&'a Report<'a>],
        experience: &'a FindingsExperience,
        share: f64,
    ) -> Self {
        let tones: Vec<Tone> = reports.iter().map(|report| Tone::of(report.claim)).collect();
        let holding = || reports.iter().zip(&tones).filter(|(report, _)| report.holds);
        let details: f64 = holding().map(|(_, tone)| tone.detail).sum();
        let families: BTreeSet<&str> = reviewers.iter().map(|reviewer| reviewer.family).collect();
        let mut said: BTreeMap<&str, usize> = BTreeMap::new();
        for reviewer in holding().filter_map(|(report, _)| reviewers.get(report.reviewer)) {
            *said.entry(reviewer.family).or_default() += 1;
        }
        let asked = families.len();
        let sparing = |said: usize| asked >= 2 && said <= SPARING && said * asked <= SPARING_IN_TEAM;
        let usual = details / holding().count().max(1) as f64;
        Self {
            reviewers,
            reports,
            tones,
            experience,
            usual,
            sparing: said.into_iter().filter(|(_, said)| sparing(*said)).map(|(family, _)| family).collect(),
            needed: (share * asked as f64).max(NEEDED_LEAST),
        }
    }

    /// Who stands behind a group of the reports, which are named by their positions.
    ///
    /// A reporter weighs ln(1 - precision) / ln(1 - ordinary precision), times how its best finding here is put (see
    /// [`Tone::worth`]), times exp(half of how much more detail it gives than is usual in this review). Of each family
    /// only the weightiest counts. Who denies adds nothing: that is told as a conflict.
    pub(super) fn backing(&self, parts: &[usize]) -> Backing {
        let mut families: BTreeMap<&str, f64> = BTreeMap::new();
        let mut trusted = false;
        let parts = parts.iter().map(|at| (self.reports[*at], self.tones[*at]));
        for (part, Tone { worth, detail }) in parts.filter(|(part, _)| part.holds) {
            let Some(reviewer) = self.reviewers.get(part.reviewer) else { continue };
            let weight = self.experience.weight(reviewer) * worth * libm::exp(DETAIL * (detail - self.usual));
            let best = families.entry(reviewer.family).or_insert(0.0);
            *best = best.max(weight);
            let chosen = self.sparing.contains(reviewer.family) && detail >= TOLD_WELL;
            trusted |= worth >= 1.0 && (chosen || self.experience.precision(reviewer) >= TRUSTED);
        }
        Backing { support: families.values().sum(), independent: families.len(), trusted }
    }
}

/// What stands behind a group of findings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Backing {
    /// The sum of its reporters' weights, in reporters of ordinary precision.
    pub(super) support: f64,
    /// Families that report it.
    pub(super) independent: usize,
    /// One of its reporters needs no second: it was right so often, or says little and this well.
    pub(super) trusted: bool,
}

impl Backing {
    pub(super) fn confirms(&self, needed: f64) -> bool {
        (self.independent >= 2 && self.support >= needed) || self.trusted
    }
}

/// The chance that a group with this support is worth acting on, where `needed` confirms: log-odds that rise with the
/// logarithm of the support. One ordinary reporter in a team of three to five is right about one time in ten to five,
/// two nearly every second time. A noisy-or of the reporters' precisions says far more than that, because tools that
/// are wrong are wrong together.
pub(super) fn probability(support: f64, needed: f64) -> Probability {
    const AT_THE_THRESHOLD: f64 = -1.0;
    const STEEPNESS: f64 = 3.0;
    // Keeps the logarithm finite where nobody reports it.
    const FLOOR: f64 = 0.05;
    let log_odds = AT_THE_THRESHOLD + STEEPNESS * libm::log((support + FLOOR) / (needed + FLOOR));
    Probability::saturating(1.0 / (1.0 + libm::exp(-log_odds)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn reviewer(member: &'static str, family: &'static str) -> Reviewer<'static> {
        Reviewer { member, family, tier: 3 }
    }

    fn report(reviewer: usize, claim: &str) -> Report<'_> {
        Report { reviewer, file: None, line: None, claim, holds: true }
    }

    fn support(reports: &[Report<'_>]) -> Backing {
        let reviewers = [reviewer("a", "x"), reviewer("b", "y"), reviewer("c", "y")];
        let reports: Vec<&Report<'_>> = reports.iter().collect();
        let all: Vec<usize> = (0..reports.len()).collect();
        Review::of(&reviewers, &reports, &FindingsExperience::default(), 0.31).backing(&all)
    }

    #[test]
    fn each_family_counts_once_by_its_best_finding() {
        let one = support(&[report(0, "it crashes"), report(0, "it crashes again")]);
        assert_eq!(one.independent, 1);
        assert!(one.support > 0.9 && one.support < 1.1, "{one:?}");
        let two = support(&[report(0, "it crashes"), report(1, "it crashes"), report(2, "it crashes")]);
        assert_eq!((two.support, two.independent), (2.0, 2));
        assert!(two.confirms(1.2) && !one.confirms(0.5));
    }

    #[test]
    fn remarks_of_two_are_not_enough() {
        let remarks = support(&[report(0, "no tests cover this"), report(1, "tests are needed here")]);
        assert!(!remarks.confirms(1.2), "{remarks:?}");
    }

    #[test]
    fn a_denial_adds_nothing() {
        let denied = Report { holds: false, ..report(1, "it crashes") };
        assert_eq!(support(&[report(0, "it crashes"), denied]).independent, 1);
    }

    #[test]
    fn the_chance_rises_with_the_support() {
        let chances: Vec<Probability> = [0.0, 0.3, 1.0, 1.2, 2.0, 9.0].map(|support| probability(support, 1.2)).into();
        assert!(chances.is_sorted_by(|a, b| a < b), "{chances:?}");
        assert!(chances[0].millionths() < 1_000 && chances[5].millionths() > 990_000);
    }

    const TOLD: &str = "When two writers come at once, the second reads a stale entry, never sees the first, \
                        and its update is lost";

    #[test]
    fn more_detail_than_is_usual_weighs_more() {
        let reviewers = [reviewer("a", "x"), reviewer("b", "y")];
        let (bare, told) = (report(0, "the entry is stale"), report(1, TOLD));
        let nothing = FindingsExperience::default();
        let both = [&bare, &told];
        let review = Review::of(&reviewers, &both, &nothing, 0.31);
        assert!(review.backing(&[0]).support < 1.0 && review.backing(&[1]).support > 1.0);
        let denied = Report { holds: false, ..bare.clone() };
        let both = [&denied, &told];
        let alone = Review::of(&reviewers, &both, &nothing, 0.31);
        assert!((alone.backing(&[1]).support - 1.0).abs() < 1e-12, "what is denied is not usual");
    }

    #[test]
    fn who_says_little_and_says_it_well_needs_no_second() {
        let reviewers = ["a", "b", "c"].map(|name| reviewer(name, name));
        let nothing = FindingsExperience::default();
        let trusted = |said: &[&str], asked: usize| {
            let reports: Vec<Report<'_>> = said.iter().map(|claim| report(0, claim)).collect();
            let reports: Vec<&Report<'_>> = reports.iter().collect();
            Review::of(&reviewers[..asked], &reports, &nothing, 0.31).backing(&[0]).trusted
        };
        assert!(trusted(&[TOLD], 3) && trusted(&[TOLD, "b", "c"], 3));
        assert!(!trusted(&[TOLD, "b", "c", "d"], 3), "four things are not few");
        assert!(!trusted(&["it crashes"], 3), "it must say what happens");
        assert!(!trusted(&[TOLD], 1), "nobody else was asked");
    }
}
