//! What is known of reviewers: how many of each one's findings proved true, and how much support confirms one.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Counts;
use crate::catalog::Rules;
use crate::consensus::findings::{Report, Reviewer};

/// How many findings the prior of a tier is worth.
const PRIOR_STRENGTH: f64 = 10.0;
/// The tier whose prior is called ordinary.
const ORDINARY_TIER: u8 = 3;

/// What was learned from reviews with known truth. The default knows nothing and leaves every rule at its prior.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct FindingsExperience {
    /// Reviews learned from.
    pub reviews: u32,
    /// How many findings of each were judged, and how many of them were right.
    pub members: BTreeMap<String, Counts>,
}

/// A review whose truth is known.
#[derive(Clone, Debug)]
pub struct JudgedReview<'a> {
    pub reviewers: Vec<Reviewer<'a>>,
    pub reports: Vec<Report<'a>>,
    /// For each report the issue that it tells of; `None` where it is wrong.
    pub issues: Vec<Option<&'a str>>,
}

impl FindingsExperience {
    /// Counts what proved true. The order of the reviews does not matter.
    #[must_use]
    pub fn learn(reviews: &[JudgedReview<'_>]) -> Self {
        let mut experience = Self { reviews: u32::try_from(reviews.len()).unwrap_or(u32::MAX), ..Self::default() };
        for review in reviews {
            for (report, issue) in review.reports.iter().zip(&review.issues) {
                let Some(reviewer) = review.reviewers.get(report.reviewer) else { continue };
                experience.judge(reviewer.member, issue.is_some(), 1.0);
            }
        }
        experience
    }

    /// Counts one finding. `weight` is 1 for one of today, less for an old one or one of another version.
    pub(crate) fn judge(&mut self, member: &str, right: bool, weight: f64) {
        self.members.entry(member.to_owned()).or_default().add(right, weight);
    }

    /// The chance that a finding of this member is true: the mean of a Beta with the tier's prior worth 10 findings.
    #[must_use]
    pub fn precision(&self, reviewer: &Reviewer<'_>) -> f64 {
        let judged = self.members.get(reviewer.member).copied().unwrap_or_default();
        judged.reliability(prior(reviewer.tier), PRIOR_STRENGTH)
    }

    /// What a report of this member counts, in reports of ordinary precision.
    #[must_use]
    pub fn weight(&self, reviewer: &Reviewer<'_>) -> f64 {
        libm::log(1.0 - self.precision(reviewer)) / libm::log(1.0 - self.ordinary())
    }

    /// The precision of all members taken together.
    fn ordinary(&self) -> f64 {
        let sum = |count: fn(&Counts) -> u64| self.members.values().map(count).fold(0, u64::saturating_add);
        let all = Counts { right: sum(|judged| judged.right), asked: sum(|judged| judged.asked) };
        all.reliability(prior(ORDINARY_TIER), PRIOR_STRENGTH)
    }
}

fn prior(tier: u8) -> f64 {
    Rules::default().precision(tier)
}

#[cfg(test)]
mod tests {
    use super::*;

    const SURE: Reviewer<'_> = Reviewer { member: "sure", family: "sure", tier: 3 };
    const NOISY: Reviewer<'_> = Reviewer { member: "noisy", family: "noisy", tier: 3 };

    /// A review in which one member is always right and the other always wrong.
    fn review() -> JudgedReview<'static> {
        let report = |reviewer| Report { reviewer, file: None, line: None, claim: "it breaks", holds: true };
        JudgedReview {
            reviewers: vec![SURE, NOISY],
            reports: vec![report(0), report(1), report(0), report(1)],
            issues: vec![Some("one"), None, Some("two"), None],
        }
    }

    #[test]
    fn without_outcomes_the_tier_speaks() {
        let nothing = FindingsExperience::default();
        assert!((nothing.weight(&SURE) - 1.0).abs() < 1e-12);
        let tiers: Vec<f64> = (1..=5).map(|tier| nothing.weight(&Reviewer { tier, ..SURE })).collect();
        assert!(tiers.is_sorted_by(|a, b| a > b), "{tiers:?}");
    }

    #[test]
    fn outcomes_move_a_member_and_not_all_the_way() {
        let known = FindingsExperience::learn(&vec![review(); 5]);
        assert_eq!(known.reviews, 5);
        assert_eq!(known.members["sure"], Counts { right: 10_000_000, asked: 10_000_000 });
        assert!(known.weight(&SURE) > 1.0 && known.weight(&NOISY) < 1.0);
        assert!((known.precision(&SURE) - 13.8 / 20.0).abs() < 1e-9, "(10 + 10 x 0.38) / (10 + 10)");
    }

    #[test]
    fn it_is_plain_data() {
        let known = FindingsExperience::learn(&[review()]);
        let stored = serde_json::to_string(&known).unwrap();
        assert_eq!(serde_json::from_str::<FindingsExperience>(&stored).unwrap(), known);
        assert_eq!(serde_json::from_str::<FindingsExperience>("{}").unwrap(), FindingsExperience::default());
    }
}
