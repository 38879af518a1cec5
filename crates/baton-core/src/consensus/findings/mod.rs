//! Findings of several reviewers, merged and scored. A pure function of who reported what and of what is known of the
//! reviewers; the order in which findings came does not matter, and what one member says twice counts once.

mod cluster;
mod denials;
mod likeness;
mod listed;
mod live;
mod said;
mod score;
mod terms;
mod text;
mod tone;

use std::collections::BTreeMap;

use crate::learning::findings::FindingsExperience;
use crate::units::Probability;
use likeness::Likeness;

pub(super) use live::{Claim, Claims, merge};

/// The two constants of the rule that a measurement may vary. Decisions are taken with the default.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Settings {
    /// Average likeness at which two groups of findings are one.
    pub same: f64,
    /// Support that confirms, as a share of the independent reviewers.
    pub needed_share: f64,
}

impl Default for Settings {
    fn default() -> Self {
        Self { same: 0.11, needed_share: 0.31 }
    }
}

/// One who was asked for findings, with or without any to report.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Reviewer<'a> {
    pub member: &'a str,
    /// Members of one family are not independent.
    pub family: &'a str,
    pub tier: u8,
}

/// One finding of a reviewer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Report<'a> {
    /// Position among the reviewers.
    pub reviewer: usize,
    pub file: Option<&'a str>,
    pub line: Option<u32>,
    pub claim: &'a str,
    /// False where the reviewer looked at it and says that it is not so.
    pub holds: bool,
}

/// Findings that tell of one thing.
#[derive(Clone, Debug, PartialEq)]
pub struct Group {
    /// Positions among the reports, ascending.
    pub parts: Vec<usize>,
    /// In reporters of ordinary precision.
    pub support: f64,
    /// The chance that it is worth acting on.
    pub probability: Probability,
    /// Enough independent reporters stand behind it, or one that needs no second.
    pub confirmed: bool,
}

/// Merges the findings of a review. Best supported first; what is only denied forms groups without support.
#[must_use]
pub fn group(reviewers: &[Reviewer<'_>], reports: &[Report<'_>], experience: &FindingsExperience) -> Vec<Group> {
    group_with(reviewers, reports, experience, Settings::default())
}

/// As [`group`], with other constants. For measurements.
#[must_use]
pub fn group_with(
    reviewers: &[Reviewer<'_>],
    reports: &[Report<'_>],
    experience: &FindingsExperience,
    settings: Settings,
) -> Vec<Group> {
    let reports = &of_members(reviewers, reports);
    let units = units(reviewers, reports);
    let firsts: Vec<&Report<'_>> = units.iter().filter_map(|unit| reports.get(*unit.first()?)).collect();
    let clusters = cluster::cluster(&Likeness::of(&firsts), settings.same);
    let review = score::Review::of(reviewers, &firsts, experience, settings.needed_share);
    let mut groups: Vec<Group> = clusters
        .into_iter()
        .map(|cluster| {
            let backing = review.backing(&cluster);
            let mut parts: Vec<usize> = cluster.iter().flat_map(|unit| units[*unit].iter().copied()).collect();
            parts.sort_unstable();
            Group {
                parts,
                support: backing.support,
                probability: score::probability(backing.support, review.needed),
                confirmed: backing.confirms(review.needed),
            }
        })
        .collect();
    // A stable sort: equally supported groups stay in the order of their words.
    groups.sort_by(|a, b| b.support.total_cmp(&a.support));
    groups
}

/// The reports with every member under its first position, in case it is listed twice.
fn of_members<'a>(reviewers: &[Reviewer<'_>], reports: &[Report<'a>]) -> Vec<Report<'a>> {
    let mut first: BTreeMap<&str, usize> = BTreeMap::new();
    for (at, reviewer) in reviewers.iter().enumerate() {
        first.entry(reviewer.member).or_insert(at);
    }
    let position = |at: usize| reviewers.get(at).and_then(|reviewer| first.get(reviewer.member)).copied().unwrap_or(at);
    reports.iter().map(|report| Report { reviewer: position(report.reviewer), ..report.clone() }).collect()
}

/// The reports in an order that depends on their content alone, those in which one member says the same of the same
/// place taken as one.
fn units(reviewers: &[Reviewer<'_>], reports: &[Report<'_>]) -> Vec<Vec<usize>> {
    type Said<'a> = (&'a str, Option<&'a str>, Option<u32>, bool, &'a str);
    let mut units: BTreeMap<Said<'_>, Vec<usize>> = BTreeMap::new();
    for (at, report) in reports.iter().enumerate() {
        let Some(reviewer) = reviewers.get(report.reviewer) else { continue };
        let said = (report.claim.trim(), report.file, report.line, report.holds, reviewer.member);
        units.entry(said).or_default().push(at);
    }
    units.into_values().collect()
}
