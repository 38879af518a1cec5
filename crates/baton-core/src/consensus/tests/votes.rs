//! Who wins, who is named as dissenting, and what counts as a conflict.

use super::*;
use Verdict::{Approve, Reject, Revise};

/// The votes by tier, the winner, and whether it is a conflict.
type Case<'a> = (&'a [(u8, Verdict)], Verdict, bool);

fn voted(votes: &[(u8, Verdict)]) -> Decision {
    let names = ["a", "b", "c", "d", "e"];
    let seats = names.iter().zip(votes);
    seats.fold(table(), |table, (name, (tier, verdict))| table.says(name, *tier, *verdict)).decide()
}

#[test]
fn weights_fall_steeply_and_conflict_needs_a_peer_or_a_heavy_share() {
    let cases: &[Case<'_>] = &[
        (&[(1, Reject), (5, Approve), (5, Approve)], Reject, false),
        (&[(1, Approve), (5, Reject), (5, Reject)], Approve, false),
        (&[(1, Approve), (1, Reject)], Approve, true),
        (&[(1, Approve), (2, Reject)], Approve, true),
        (&[(1, Approve), (2, Reject), (2, Reject)], Reject, true),
        (&[(1, Approve), (3, Reject)], Approve, false),
        (&[(1, Approve), (3, Reject), (3, Reject), (3, Reject)], Approve, true),
        (&[(5, Approve), (5, Approve), (5, Reject)], Approve, true),
        (&[(4, Approve), (5, Reject)], Approve, true),
        (&[(1, Revise), (2, Reject)], Revise, false),
        (&[(1, Approve), (1, Revise), (1, Reject)], Revise, true),
    ];
    for (votes, verdict, conflict) in cases {
        let decision = voted(votes);
        assert_eq!((decision.verdict, decision.has_conflict), (Some(*verdict), *conflict), "{votes:?}");
        let advice = decision.recommendation == Recommendation::ConflictResolutionNeeded;
        assert_eq!(advice, *conflict, "{votes:?}");
    }
}

#[test]
fn a_weak_member_breaks_a_tie_between_strong_ones() {
    for weak in [Approve, Reject] {
        assert_eq!(voted(&[(1, Approve), (1, Reject), (5, weak)]).verdict, Some(weak));
    }
}

#[test]
fn weak_members_bring_in_no_option_of_their_own() {
    let crowd = ["m", "n", "o", "p", "q", "r", "s", "t", "u", "v", "w", "x", "y", "z"];
    let tied = || table().chooses("a", 1, "redis").chooses("b", 1, "postgres");
    let decision = crowd.iter().fold(tied(), |table, name| table.chooses(name, 5, "sqlite")).decide();
    assert_eq!(decision.choice.as_deref(), Some("redis"), "the crowd weighs 9.4 and the leaders 9 each");
    let decision = tied().chooses("m", 5, "postgres").decide();
    assert_eq!(decision.choice.as_deref(), Some("postgres"));
}

#[test]
fn the_votes_of_one_family_are_discounted() {
    let against = |family: [&str; 3]| {
        let table = table().says("a", 1, Approve).says("b", 2, Approve);
        let names = ["c", "d", "e"];
        names
            .iter()
            .zip(family)
            .fold(table, |table, (name, family)| table.says(name, 2, Reject).of(name, family))
            .decide()
    };
    assert_eq!(against(["x", "y", "z"]).verdict, Some(Reject));
    assert_eq!(against(["x", "x", "x"]).verdict, Some(Approve));
}

#[test]
fn a_family_that_disagrees_with_itself_is_not_discounted() {
    let decision = table().says("a", 1, Approve).of("v", "x").says("b", 1, Reject).of("v", "x").decide();
    assert_eq!(decision.reasoning[0], "approve: a (weight 9.0)");
    assert_eq!(decision.reasoning[1], "against it: b says reject (weight 9.0)");
    let agreed = table().says("a", 1, Revise).of("v", "x").says("b", 1, Reject).of("v", "x").decide();
    assert_eq!(agreed.reasoning[1], "with it: b says reject (weight 6.0)", "one camp, so discounted");
}

#[test]
fn a_conflict_between_peers_names_both_sides() {
    let decision =
        table().says("a", 1, Approve).says("b", 1, Reject).says("c", 2, Approve).says("d", 5, Revise).decide();
    assert!(decision.has_conflict);
    assert_eq!(decision.conflicts.len(), 1);
    let conflict = &decision.conflicts[0];
    assert_eq!(conflict.claim, "the verdict is approve");
    assert_eq!((&conflict.holds, &conflict.against), (&ids(&["a", "c"]), &ids(&["b", "d"])));
    assert_eq!(conflict.settled_by, None);
}

#[test]
fn a_weak_members_dissent_is_named_with_its_reason_and_is_no_conflict() {
    let decision = table().says("a", 1, Approve).says("b", 5, Reject).decide();
    assert_eq!((decision.has_conflict, decision.conflicts.len()), (false, 0));
    let seen = &decision.dissenters[0];
    assert_eq!((seen.member.as_str(), &*seen.position, &*seen.reason), ("b", "reject", "b thinks so"));
}

#[test]
fn silence_is_not_dissent() {
    let mut quiet = says(Approve, "fine");
    quiet.findings = vec![];
    let decision = table()
        .finds("a", 1, &[finding(10, "the shift overflows")])
        .with("b", 1, says(Reject, "same, without a list"))
        .with("c", 1, Opinion::abstaining("nothing to say"))
        .decide();
    assert!(decision.dissenters.is_empty() && decision.conflicts.is_empty());
    let decision = table().finds("a", 1, &[finding(10, "the shift overflows")]).with("b", 5, quiet).decide();
    assert_eq!(names(&decision.dissenters), ["b"], "for its verdict");
    assert!(decision.issues[0].denied_by.is_empty(), "not for what it did not say");
}

#[test]
fn a_choice_is_counted_by_option_and_the_others_dissent() {
    let mut table = table().chooses("a", 1, "redis").chooses("b", 2, "redis").chooses("c", 5, "postgres");
    table.classification.question = Question::Choice(vec!["redis".into(), "postgres".into()]);
    let decision = table.decide();
    assert_eq!((decision.choice.as_deref(), decision.verdict), (Some("redis"), None));
    assert_eq!(names(&decision.dissenters), ["c"]);
    assert_eq!(decision.dissenters[0].position, "postgres");
    assert!(!decision.has_conflict);
    assert!(table.chooses("d", 1, "postgres").decide().has_conflict);
}

#[test]
fn a_failing_check_does_not_choose_between_options() {
    let open = table().chooses("a", 1, "redis").chooses("b", 1, "postgres");
    let before = open.decide();
    let after = open.check("tests", CheckResult::Failed, &[]).decide();
    assert!(after.has_conflict, "a test suite does not know which option is better");
    assert_eq!(after.overall_confidence, before.overall_confidence);
    assert_eq!(after.confidence_source, ConfidenceSource::Prior);
}

#[test]
fn options_that_are_called_like_verdicts_are_options() {
    let mut table = table().chooses("a", 1, "revise").chooses("b", 1, "reject").chooses("c", 2, "reject");
    table.classification.question = Question::Choice(["approve", "revise", "reject"].map(str::to_owned).to_vec());
    let decision = table.decide();
    assert_eq!((decision.choice.as_deref(), decision.verdict), (Some("reject"), None));
    assert!(decision.has_conflict, "to revise is not to reject where both are options");
    let mut one = Table { seats: table.seats[..1].to_vec(), ..table };
    one.checks.push((
        id("tests"),
        Evidence {
            result: CheckResult::Failed,
            command: "t".into(),
            places: vec![],
            summary: String::new(),
            trial: None,
        },
    ));
    let decision = one.decide();
    assert_eq!((decision.choice.as_deref(), decision.verdict), (Some("revise"), None), "a check does not choose");
}

#[test]
fn whatever_the_rules_say_abstentions_alone_decide_nothing() {
    let mut table = table().with("a", 1, Opinion::abstaining("?")).with("b", 1, Opinion::abstaining("?")).vendors(0, 9);
    let none = Probability::ZERO;
    table.rules.thresholds = crate::catalog::ByPriority { low: none, normal: none, high: none, critical: none };
    let decision = table.decide();
    assert!(decision.blocked_by(Blocker::NoQuorum), "{decision:?}");
    assert_eq!(decision.recommendation, Recommendation::ReviewRequired);
}
