//! Vendors that are missing, seats that failed, and money that was not there.

use super::*;
use Verdict::Approve;

#[test]
fn each_way_to_have_too_few_answers_has_its_own_name() {
    let quiet = || Opinion::abstaining("nothing readable");
    let spent = |mut table: Table| {
        table.over_budget = ids(&["z"]);
        table
    };
    let cases: Vec<(&str, Table, &[Blocker])> = vec![
        ("nobody", table(), &[Blocker::AllFailed]),
        ("all failed", table().fails("a", Outcome::Crashed, None), &[Blocker::AllFailed]),
        ("all over budget", spent(table()), &[Blocker::Budget]),
        ("failed and over budget", spent(table().fails("a", Outcome::Auth, None)), &[Blocker::AllFailed]),
        ("one vendor to begin with", table().vendors(2, 1).says("a", 1, Approve), &[Blocker::SingleVendor]),
        (
            "one vendor, two seats",
            table().vendors(2, 1).says("a", 1, Approve).of("v", "x").says("b", 1, Approve).of("v", "y"),
            &[Blocker::SingleVendor],
        ),
        (
            "the other vendor failed",
            table().vendors(2, 2).says("a", 1, Approve).fails("b", Outcome::Crashed, None),
            &[Blocker::NoQuorum],
        ),
        ("the other abstains", table().vendors(2, 2).says("a", 1, Approve).with("b", 1, quiet()), &[Blocker::NoQuorum]),
        ("only an abstention", table().vendors(2, 1).with("a", 1, quiet()), &[Blocker::NoQuorum]),
        ("two vendors", table().vendors(2, 2).says("a", 1, Approve).says("b", 1, Approve), &[]),
    ];
    for (name, table, blockers) in cases {
        let decision = table.decide();
        assert_eq!(decision.blockers, blockers, "{name}");
        let review = decision.recommendation == Recommendation::ReviewRequired;
        assert_eq!(review, !blockers.is_empty(), "{name}: {:?}", decision.recommendation);
    }
}

#[test]
fn abstentions_are_reported_and_never_approve() {
    let decision = table().with("a", 1, Opinion::abstaining("no trailer")).decide();
    assert_eq!((decision.verdict, decision.model_count), (None, 0));
    assert_eq!(decision.overall_confidence.millionths(), 0);
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
    let seen = &decision.abstained[0];
    assert_eq!((seen.member.as_str(), &*seen.position, &*seen.reason), ("a", "abstain", "no trailer"));
    assert!(decision.dissenters.is_empty());
}

#[test]
fn failed_members_are_reported_with_who_stepped_in_and_never_counted() {
    let decision = table()
        .says("a", 1, Approve)
        .fails("z", Outcome::RateLimited { retry_after_ms: None }, Some("a"))
        .fails("b", Outcome::Auth, None)
        .decide();
    assert_eq!(decision.model_count, 1);
    let seen: Vec<_> = decision.failed_models.iter().map(|one| (one.member.as_str(), &*one.class)).collect();
    assert_eq!(seen, [("b", "login or key refused"), ("z", "rate limited")]);
    assert_eq!(decision.failed_models[1].replaced_by, Some(id("a")));
    assert!(decision.reasoning.contains(&"z failed: rate limited; a was asked instead".to_owned()));
    assert!(decision.reasoning.contains(&"b failed: login or key refused".to_owned()));
}

#[test]
fn who_was_left_out_for_money_is_said() {
    let mut table = table().says("a", 1, Approve);
    table.over_budget = ids(&["z", "y", "z"]);
    let reasoning = table.decide().reasoning;
    let left_out: Vec<_> = reasoning.iter().filter(|line| line.contains("left out")).collect();
    assert_eq!(left_out.len(), 2, "{reasoning:?}");
    assert!(left_out[0].starts_with("y "));
}

#[test]
fn critical_waits_for_a_person_however_sure_all_are() {
    let mut table = table().priority(Priority::Critical).says("a", 1, Approve).says("b", 1, Approve);
    table.rules.thresholds.critical = crate::units::Probability::ZERO;
    let decision = table.decide();
    assert_eq!(decision.blockers, [Blocker::NeedsPerson]);
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
}
