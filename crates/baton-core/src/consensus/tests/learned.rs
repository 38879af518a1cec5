//! What earlier outcomes change in a decision.

use super::*;
use crate::learning::{Knowledge, Lesson, Vote};
use Verdict::{Approve, Reject};

/// `a` was right in nine of ten code reviews, `b` in one of ten.
fn experience(lessons: usize, topic: &str) -> Experience {
    let lesson = |index: usize| {
        let vote = |member, option| Vote { tier: 3, member, family: member, option: Some(option) };
        let (right, wrong) = if index.is_multiple_of(2) { ("approve", "reject") } else { ("reject", "approve") };
        let (of_a, of_b) = if index % 10 == 9 { (wrong, right) } else { (right, wrong) };
        Lesson { topic, options: 2, votes: vec![vote("a", of_a), vote("b", of_b)], right, age: 0, changed: vec![] }
    };
    let verdicts = Knowledge::learn((0..lessons).map(lesson), &Rules::default().tier_reliability);
    Experience { verdicts, ..Experience::default() }
}

fn split() -> Table {
    table().says("a", 3, Reject).says("b", 1, Approve)
}

#[test]
fn a_member_with_a_good_record_outweighs_a_better_tier() {
    assert_eq!(split().decide().verdict, Some(Approve));
    let mut table = split();
    table.experience = experience(200, Kind::CodeReview.as_str());
    let decision = table.decide();
    assert_eq!(decision.verdict, Some(Reject));
    assert_eq!((decision.confidence_source, decision.learned_over), (ConfidenceSource::Learned, Some(200)));
    assert!(decision.overall_confidence.as_f64() > 0.75, "{:?}", decision.overall_confidence);
    let last = decision.reasoning.last().unwrap();
    assert!(last.ends_with("(learned over 200 outcomes)"), "{last}");
}

#[test]
fn with_few_outcomes_it_is_still_a_prior() {
    let mut table = split();
    table.experience = experience(99, Kind::CodeReview.as_str());
    let decision = table.decide();
    assert_eq!((decision.confidence_source, decision.learned_over), (ConfidenceSource::Prior, None));
}

#[test]
fn what_was_learned_of_verdicts_says_nothing_on_choices() {
    let mut table = table().chooses("a", 3, "redis").chooses("b", 1, "postgres");
    table.experience = experience(200, Kind::CodeReview.as_str());
    let decision = table.decide();
    assert_eq!((decision.choice.as_deref(), decision.confidence_source), (Some("postgres"), ConfidenceSource::Prior));
}

#[test]
fn a_check_lifts_a_learned_confidence_and_says_so() {
    let mut table = split().check("tests", CheckResult::Failed, &[]);
    table.experience = experience(200, Kind::CodeReview.as_str());
    let decision = table.decide();
    assert_eq!(decision.confidence_source, ConfidenceSource::LearnedAndEvidence);
    assert_eq!((decision.verdict, decision.learned_over), (Some(Reject), Some(200)));
    assert!(decision.overall_confidence.as_f64() > 0.9);
}
