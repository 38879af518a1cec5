//! Properties of merging findings, on reviews of any make-up.

use std::collections::BTreeSet;

use baton_core::consensus::findings::{Group, Report, Reviewer, group};
use baton_core::learning::findings::FindingsExperience;
use proptest::prelude::*;
use proptest::sample::select;

const MEMBERS: [&str; 5] = ["alder", "birch", "cedar", "dogwood", "elm"];
const FAMILIES: [&str; 3] = ["x", "y", "z"];
/// Told so well that one who says little else needs no second.
const TOLD: &str = "When two writers come at once, the second reads a stale entry, never sees the first, and its \
                    update is lost";
const CLAIMS: [&str; 9] = [
    TOLD,
    "The cache key uses hash() which differs between processes",
    "hash() in the cache key is not stable across processes",
    "the lock is never released when the write fails",
    "`retryCount` is never reset, so the second call fails at once",
    "retry_count keeps its value and the next call gives up",
    "No tests cover the new retry path",
    "Rename this variable for clarity",
    "",
];

#[derive(Clone, Debug)]
struct Said {
    member: usize,
    claim: &'static str,
    line: Option<u32>,
    holds: bool,
}

#[derive(Clone, Debug)]
struct Review {
    /// Family and tier of each member.
    members: Vec<(&'static str, u8)>,
    said: Vec<Said>,
}

impl Review {
    fn reviewers(&self) -> Vec<Reviewer<'static>> {
        let reviewer =
            |(member, (family, tier)): (&&'static str, &(&'static str, u8))| Reviewer { member, family, tier: *tier };
        MEMBERS.iter().zip(&self.members).map(reviewer).collect()
    }

    fn reports(&self) -> Vec<Report<'static>> {
        let report = |said: &Said| Report {
            reviewer: said.member,
            file: said.line.map(|_| "src/net.rs"),
            line: said.line,
            claim: said.claim,
            holds: said.holds,
        };
        self.said.iter().map(report).collect()
    }

    fn groups(&self) -> Vec<Group> {
        group(&self.reviewers(), &self.reports(), &FindingsExperience::default())
    }

    /// Each group by what was said, by whom, and how it stands.
    fn content(&self, groups: &[Group]) -> Vec<(BTreeSet<String>, u64, bool)> {
        let said = |at: &usize| {
            let said = &self.said[*at];
            format!("{} {} {:?} {}", MEMBERS[said.member], said.claim, said.line, said.holds)
        };
        groups
            .iter()
            .map(|group| (group.parts.iter().map(said).collect(), group.support.to_bits(), group.confirmed))
            .collect()
    }
}

fn said() -> impl Strategy<Value = Said> {
    let line = prop_oneof![Just(None), (10_u32..24).prop_map(Some)];
    (0..MEMBERS.len(), select(&CLAIMS[..]), line, prop::bool::weighted(0.85))
        .prop_map(|(member, claim, line, holds)| Said { member, claim, line, holds })
}

fn review() -> impl Strategy<Value = Review> {
    let members = prop::collection::vec((select(&FAMILIES[..]), 1_u8..=5), MEMBERS.len());
    (members, prop::collection::vec(said(), 0..14)).prop_map(|(members, said)| Review { members, said })
}

proptest! {
    #![proptest_config(super::cases(1_000))]

    #[test]
    fn order_never_matters(review in review(), seed in any::<u64>()) {
        let mut turned = review.clone();
        turned.said.sort_by_key(|said| (said.claim.len() as u64 ^ seed).wrapping_mul(seed | 1) ^ said.member as u64);
        prop_assert_eq!(review.content(&review.groups()), turned.content(&turned.groups()));
    }

    #[test]
    fn duplicates_never_count(review in review(), copied in any::<prop::sample::Index>()) {
        prop_assume!(!review.said.is_empty());
        let mut more = review.clone();
        more.said.push(copied.get(&review.said).clone());
        prop_assert_eq!(review.content(&review.groups()), more.content(&more.groups()));
    }

    #[test]
    fn a_weaker_weight_never_gains(review in review(), member in 0..MEMBERS.len()) {
        let mut weaker = review.clone();
        weaker.members[member].1 = 5;
        let (before, after) = (review.groups(), weaker.groups());
        for group in &after {
            let same = before.iter().find(|other| other.parts == group.parts);
            prop_assert!(same.is_some(), "weights do not move the groups");
            prop_assert!(same.is_none_or(|other| other.support >= group.support && (other.confirmed || !group.confirmed)));
        }
    }

    #[test]
    fn every_report_is_in_one_group_and_one_family_alone_confirms_only_what_is_told_well(review in review()) {
        let groups = review.groups();
        let mut seen: Vec<usize> = groups.iter().flat_map(|group| group.parts.clone()).collect();
        seen.sort_unstable();
        prop_assert_eq!(seen, (0..review.said.len()).collect::<Vec<_>>());
        for group in groups.iter().filter(|group| group.confirmed) {
            let holding = || group.parts.iter().map(|at| &review.said[*at]).filter(|said| said.holds);
            let families: BTreeSet<&str> = holding().map(|said| review.members[said.member].0).collect();
            prop_assert!(families.len() >= 2 || holding().any(|said| said.claim == TOLD));
        }
    }
}

#[test]
fn a_member_listed_twice_is_one() {
    let reviewer = Reviewer { member: "alder", family: "x", tier: 1 };
    let report = |reviewer| Report { reviewer, file: None, line: None, claim: CLAIMS[0], holds: true };
    let groups = group(&[reviewer, reviewer], &[report(0), report(1)], &FindingsExperience::default());
    assert_eq!((groups.len(), groups[0].confirmed), (1, false));
    assert_eq!(groups[0].parts, [0, 1]);
}

#[test]
fn one_who_says_little_and_says_it_well_confirms_alone_beside_others_who_were_asked() {
    let reviewers = ["x", "y", "z"].map(|name| Reviewer { member: name, family: name, tier: 3 });
    let told = Report { reviewer: 0, file: None, line: None, claim: TOLD, holds: true };
    let confirmed = |asked: usize, reports: &[Report<'_>]| {
        let groups = group(&reviewers[..asked], reports, &FindingsExperience::default());
        groups.iter().filter(|group| group.confirmed).count()
    };
    assert_eq!(confirmed(3, std::slice::from_ref(&told)), 1);
    assert_eq!(confirmed(1, std::slice::from_ref(&told)), 0, "alone it has nobody to be heard beside");
    let remarks = ["rename this", "the type is odd", "why a macro"];
    let many: Vec<Report<'_>> =
        std::iter::once(told.clone()).chain(remarks.map(|claim| Report { claim, ..told.clone() })).collect();
    assert_eq!(confirmed(3, &many), 0, "four things are not few");
    let twice = [told.clone(), told.clone(), told.clone(), told];
    assert_eq!(confirmed(3, &twice), 1, "the same again is not more");
}

#[test]
fn a_report_of_nobody_is_left_out() {
    let report = Report { reviewer: 7, file: None, line: None, claim: CLAIMS[0], holds: true };
    assert!(group(&[], &[report], &FindingsExperience::default()).is_empty());
}
