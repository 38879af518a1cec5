//! Properties of `consensus::choice` on votes and experience of any make-up.

use baton_core::catalog::Rules;
use baton_core::consensus::choice::{Asked, Choice, decide};
use baton_core::learning::{ENOUGH, Knowledge, Lesson, Tiers, Vote};
use proptest::prelude::*;
use proptest::sample::{Index, select};

const MEMBERS: [&str; 7] = ["ash", "birch", "cedar", "elm", "fir", "oak", "pine"];
const OPTIONS: [&str; 4] = ["A", "B", "C", "D"];
const TOPICS: [&str; 3] = ["math", "law", ""];

fn tiers() -> Tiers {
    Rules::default().tier_reliability
}

/// Each member votes at most once; tiers and families are drawn for each case, which recorded ones may do too.
fn votes() -> impl Strategy<Value = Vec<Vote<'static>>> {
    let seat = (1..=5_u8, select(vec!["x", "y", "z", ""]), prop::option::weighted(0.85, select(OPTIONS.to_vec())));
    prop::collection::vec(seat, 0..MEMBERS.len()).prop_map(|seats| {
        let named = MEMBERS.iter().zip(seats);
        named.map(|(member, (tier, family, option))| Vote { tier, member, family, option }).collect()
    })
}

/// What may have been learned: nothing, too little, or (as said) enough.
fn knowledge() -> impl Strategy<Value = Knowledge> {
    let lesson = (votes(), select(OPTIONS.to_vec()), select(TOPICS.to_vec()));
    (prop::collection::vec(lesson, 0..6), any::<bool>()).prop_map(|(lessons, enough)| {
        let lesson = |(votes, right, topic): (Vec<Vote<'static>>, &'static str, &'static str)| Lesson {
            topic,
            options: 4,
            votes,
            right,
            age: 0,
            changed: vec![],
        };
        let mut knowledge = Knowledge::learn(lessons.into_iter().map(lesson), &tiers());
        if enough {
            // Five lessons give as wild weights as a thousand, and are fitted in a moment.
            knowledge.lessons += ENOUGH;
        }
        knowledge
    })
}

fn choose<'a>(votes: &[Vote<'a>], topic: &str, knowledge: &Knowledge) -> Choice<'a> {
    decide(votes, &Asked { topic, options: 4 }, knowledge, &tiers())
}

proptest! {
    #![proptest_config(super::cases(2_000))]

    #[test]
    fn the_order_of_votes_and_repeated_votes_never_matter(
        votes in votes(),
        knowledge in knowledge(),
        topic in select(TOPICS.to_vec()),
        turn in any::<Index>(),
    ) {
        let before = choose(&votes, topic, &knowledge);
        let mut other = votes.clone();
        if !other.is_empty() {
            other.rotate_left(turn.index(votes.len()));
            other.push(*turn.get(&votes));
        }
        other.reverse();
        prop_assert_eq!(choose(&other, topic, &knowledge), before);
    }

    #[test]
    fn the_winner_is_held_and_the_confidence_is_a_probability(
        votes in votes(),
        knowledge in knowledge(),
        topic in select(TOPICS.to_vec()),
    ) {
        let choice = choose(&votes, topic, &knowledge);
        let somebody = votes.iter().any(|vote| vote.option.is_some());
        prop_assert_eq!(choice.winner.is_some(), somebody, "an abstention never decides");
        prop_assert!(choice.winner.is_none_or(|winner| votes.iter().any(|vote| vote.option == Some(winner))));
        prop_assert!(choice.confidence.millionths() <= 1_000_000);
        prop_assert_eq!(choice.confidence.millionths() > 0, somebody);
        prop_assert!(choice.votes.iter().all(|vote| vote.weight > 0 && vote.discount > 0.0 && vote.discount <= 1.0));
        prop_assert_eq!(choice.learned.is_some(), knowledge.lessons >= ENOUGH);
    }

    #[test]
    fn one_more_abstention_changes_no_choice(
        votes in votes(),
        knowledge in knowledge(),
        tier in 1..=5_u8,
    ) {
        let mut more = votes.clone();
        more.push(Vote { tier, member: "silent", family: "x", option: None });
        prop_assert_eq!(choose(&more, "math", &knowledge).winner, choose(&votes, "math", &knowledge).winner);
    }

    #[test]
    fn a_weaker_weight_never_makes_its_option_win(
        votes in votes(),
        knowledge in knowledge(),
        which in any::<Index>(),
        less in 1..9_000_000_i64,
        topic in select(TOPICS.to_vec()),
    ) {
        let mut votes = votes;
        votes.push(Vote { tier: 3, member: "yew", family: "x", option: Some("D") });
        let mut knowledge = knowledge;
        knowledge.lessons += ENOUGH;
        let vote = which.get(&votes);
        let before = choose(&votes, topic, &knowledge).winner;
        let mut weaker = knowledge.clone();
        if let Some(member) = weaker.members.get_mut(vote.member) {
            member.weight -= less;
        }
        let after = choose(&votes, topic, &weaker).winner;
        prop_assert!(after == before || after != vote.option, "{:?} -> {:?} of {:?}", before, after, vote);
    }

    #[test]
    fn a_lower_tier_never_makes_its_option_win(
        mut votes in votes(),
        which in any::<Index>(),
        tier in 1..=5_u8,
        strongest in select(OPTIONS.to_vec()),
    ) {
        // Who the strong ones are is measured from the strongest: one of tier 1 stays at the table throughout.
        votes.push(Vote { tier: 1, member: "aspen", family: "w", option: Some(strongest) });
        votes.insert(0, Vote { tier: 3, member: "yew", family: "x", option: Some("D") });
        let which = which.index(votes.len() - 1);
        let none = Knowledge::default();
        let before = choose(&votes, "", &none).winner;
        let option = votes[which].option;
        votes[which].tier = votes[which].tier.max(tier);
        let after = choose(&votes, "", &none).winner;
        prop_assert!(after == before || after != option, "{:?} -> {:?} of {:?}", before, after, option);
    }
}

#[test]
fn weak_members_bring_in_no_option_of_their_own_before_there_are_lessons() {
    let vote = |member, tier, option| Vote { tier, member, family: "", option: Some(option) };
    let names: Vec<String> = (0..14).map(|index| format!("weak{index}")).collect();
    let mut votes = vec![vote("a", 1, "A"), vote("b", 1, "B")];
    votes.extend(names.iter().map(|name| vote(name, 5, "C")));
    assert_eq!(choose(&votes, "", &Knowledge::default()).winner, Some("A"));
    votes.push(vote("one", 5, "B"));
    assert_eq!(choose(&votes, "", &Knowledge::default()).winner, Some("B"), "a weak one breaks a tie");
}

#[test]
fn agreement_raises_the_confidence_and_dissent_lowers_it() {
    let vote = |member, option| Vote { tier: 2, member, family: "", option: Some(option) };
    let confidence = |votes: &[Vote<'_>]| choose(votes, "", &Knowledge::default()).confidence;
    let one = confidence(&[vote("a", "A")]);
    let two = confidence(&[vote("a", "A"), vote("b", "A")]);
    let three = confidence(&[vote("a", "A"), vote("b", "A"), vote("c", "B")]);
    assert!(two > one && three < two, "{one:?} {two:?} {three:?}");
}
