//! How well a group of findings is supported, and whether that is enough.

use std::collections::BTreeMap;

use super::{Report, Reviewer, tone};
use crate::learning::findings::FindingsExperience;
use crate::units::Probability;

/// Learned precision from which a single reporter confirms.
const TRUSTED: f64 = 0.7;

/// What stands behind a group of findings.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Backing {
    /// The sum of its reporters' weights, in reporters of ordinary precision.
    pub(super) support: f64,
    /// Families that report it.
    pub(super) independent: usize,
    /// One of its reporters was so often right that it needs no second.
    pub(super) trusted: bool,
}

/// Who stands behind the parts of a group.
///
/// A reporter weighs ln(1 - precision) / ln(1 - ordinary precision), times how its best finding here is put (see
/// [`tone::worth`]). Of each family only the weightiest counts. Who denies adds nothing: that is told as a conflict.
pub(super) fn backing(reviewers: &[Reviewer<'_>], parts: &[&Report<'_>], experience: &FindingsExperience) -> Backing {
    let mut families: BTreeMap<&str, f64> = BTreeMap::new();
    let mut trusted = false;
    for part in parts.iter().filter(|part| part.holds) {
        let Some(reviewer) = reviewers.get(part.reviewer) else { continue };
        let worth = tone::worth(part.claim);
        let best = families.entry(reviewer.family).or_insert(0.0);
        *best = best.max(experience.weight(reviewer) * worth);
        trusted |= worth >= 1.0 && experience.precision(reviewer) >= TRUSTED;
    }
    Backing { support: families.values().sum(), independent: families.len(), trusted }
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
        backing(&reviewers, &reports.iter().collect::<Vec<_>>(), &FindingsExperience::default())
    }

    #[test]
    fn each_family_counts_once_by_its_best_finding() {
        let one = support(&[report(0, "it crashes"), report(0, "rename this")]);
        assert_eq!((one.support, one.independent), (1.0, 1));
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
}
