//! What is learned from lessons, and what it may depend on.

use super::*;
use crate::catalog::Rules;

fn tiers() -> Tiers {
    Rules::default().tier_reliability
}

fn vote<'a>(member: &'a str, tier: u8, option: &'a str) -> Vote<'a> {
    Vote { tier, member, family: member, option: Some(option) }
}

fn lesson<'a>(topic: &'a str, votes: &[Vote<'a>], right: &'a str) -> Lesson<'a> {
    Lesson { topic, options: 4, votes: votes.to_vec(), right, age: 0, changed: vec![] }
}

/// `strong` is right in math, `weak` in law; `copy` repeats `weak` whatever it says.
fn school(count: usize) -> Vec<Lesson<'static>> {
    let one = |index: usize| {
        let (topic, strong, weak) = if index.is_multiple_of(2) { ("math", "A", "B") } else { ("law", "B", "A") };
        // One in five goes against the grain.
        let right = if index.is_multiple_of(5) { "B" } else { "A" };
        lesson(topic, &[vote("strong", 2, strong), vote("weak", 2, weak), vote("copy", 3, weak)], right)
    };
    (0..count).map(one).collect()
}

#[test]
fn nothing_learned_is_the_default_and_the_tier_speaks() {
    let none = Knowledge::learn([], &tiers());
    assert_eq!((none.lessons, none.unit, none.is_enough()), (0, 0, false));
    assert!((none.reliability("anybody", 1, "math", &tiers()) - 0.75).abs() < 1e-9);
    assert_eq!(none.weight("anybody", 1, "math", &tiers()), 9_000_000);
}

#[test]
fn a_members_topics_are_told_apart() {
    let known = Knowledge::learn(school(400), &tiers());
    assert!(known.is_enough());
    let weight = |member, topic| known.weight(member, 2, topic, &tiers());
    assert!(weight("strong", "math") > weight("weak", "math"));
    assert!(weight("weak", "law") + weight("copy", "law") > weight("strong", "law"));
    assert!(weight("weak", "math") < weight("weak", "law"));
    let reliability = |member, topic| known.reliability(member, 2, topic, &tiers());
    assert!(reliability("strong", "math") > 0.7 && reliability("strong", "law") < 0.4);
    let (everywhere, unseen) = (reliability("strong", "art"), known.members["strong"].counts);
    assert!((everywhere - unseen.reliability(0.68, 60.0)).abs() < 0.05, "an unseen topic backs off to the member");
}

#[test]
fn who_repeats_another_weighs_less_than_alone() {
    let known = Knowledge::learn(school(400), &tiers());
    let (weak, copy) = (&known.members["weak"], &known.members["copy"]);
    assert_eq!(weak.counts, copy.counts);
    let alone = odds_squared(weak.counts.reliability(0.68, 60.0));
    assert!(weak.weight < alone, "{} {alone}", weak.weight);
}

#[test]
fn a_few_lessons_move_little() {
    let before = Knowledge::default().weight("strong", 2, "", &tiers());
    let after = Knowledge::learn(school(4), &tiers()).weight("strong", 2, "", &tiers());
    assert!((before - after).abs() * 4 < before, "{before} {after}");
}

#[test]
fn the_order_of_lessons_and_votes_never_matters() {
    let forward = Knowledge::learn(school(60), &tiers());
    let mut turned = school(60);
    turned.reverse();
    turned.iter_mut().for_each(|lesson| lesson.votes.rotate_left(1));
    assert_eq!(Knowledge::learn(turned, &tiers()), forward);
}

#[test]
fn an_old_lesson_fades_and_a_new_version_keeps_half() {
    let votes = [vote("a", 3, "A")];
    let counts = |age, changed: &[&'static str]| {
        let one = Lesson { age, changed: changed.to_vec(), ..lesson("math", &votes, "A") };
        Knowledge::learn([one], &tiers()).members["a"].counts
    };
    assert_eq!(counts(0, &[]), Counts { right: 1_000_000, asked: 1_000_000 });
    assert_eq!(counts(HALF_LIFE, &[]), Counts { right: 500_000, asked: 500_000 });
    assert_eq!(counts(0, &["a"]), Counts { right: 500_000, asked: 500_000 });
    assert_eq!(counts(0, &["b"]), counts(0, &[]));
}

#[test]
fn a_member_never_seen_is_expected_as_far_off_its_tier_as_the_others() {
    let hard: Vec<Lesson<'_>> =
        (0..200).map(|index| lesson("math", &[vote("a", 1, "A")], if index % 4 == 0 { "A" } else { "B" })).collect();
    let known = Knowledge::learn(hard, &tiers());
    assert!(known.shift < 0);
    let expected = known.reliability("new", 1, "math", &tiers());
    assert!(expected < 0.75 && expected > known.reliability("a", 1, "math", &tiers()), "{expected}");
}

#[test]
fn an_abstention_is_not_right_and_teaches_no_weight() {
    let silent = Vote { option: None, ..vote("a", 3, "A") };
    let known = Knowledge::learn((0..50).map(|_| lesson("", &[silent], "A")), &tiers());
    assert_eq!(known.members["a"].counts, Counts { right: 0, asked: 50_000_000 });
    assert!(known.members["a"].topics.is_empty(), "no topic was named");
    assert_eq!(known.members["a"].deviation_sum(), 0);
}

#[test]
fn odd_lessons_do_no_harm() {
    let odd = vec![
        lesson("", &[], "A"),
        Lesson { options: 0, ..lesson("x", &[vote("a", 1, "A")], "A") },
        lesson("x", &[vote("a", 0, "A"), vote("a", 9, "B"), vote("b", 200, "")], "nothing"),
    ];
    let known = Knowledge::learn(odd, &tiers());
    assert_eq!(known.lessons, 1, "a question without options or without votes teaches nothing");
    let text = serde_json::to_string(&known).unwrap();
    assert_eq!(serde_json::from_str::<Knowledge>(&text).unwrap(), known);
    assert_eq!(serde_json::from_str::<Experience>("{}").unwrap(), Experience::default());
}

#[test]
fn a_member_that_says_two_things_abstains_and_one_that_repeats_itself_counts_once() {
    let votes = canonical(&[vote("a", 1, "A"), vote("b", 1, "A"), vote("a", 1, "A"), vote("b", 1, "B")]);
    assert_eq!(votes, [vote("a", 1, "A"), Vote { option: None, ..vote("b", 1, "A") }]);
}

#[test]
fn who_is_followed_is_told_only_where_somebody_is() {
    let followed =
        Knowledge::learn((0..1_000).map(|_| lesson("", &[vote("a", 3, "A"), vote("b", 3, "B")], "A")), &tiers());
    assert_eq!(followed.follow.as_deref(), Some("a"));
    let nobody = Knowledge { follow: None, ..followed.clone() };
    let text = |known: &Knowledge| serde_json::to_string(known).unwrap();
    assert!(!text(&nobody).contains("follow"), "what was learned earlier is read and written as before");
    assert_eq!(serde_json::from_str::<Knowledge>(&text(&followed)).unwrap(), followed);
}

impl MemberKnowledge {
    fn deviation_sum(&self) -> i64 {
        self.topics.values().map(|topic| topic.deviation).sum()
    }
}

#[test]
fn a_lesson_without_votes_teaches_nothing() {
    let nobody = lesson("math", &[], "A");
    assert_eq!(Knowledge::learn([nobody.clone()], &tiers()), Knowledge::learn([], &tiers()));
    let one = lesson("math", &[vote("a", 1, "A")], "A");
    assert_eq!(Knowledge::learn([one.clone(), nobody], &tiers()), Knowledge::learn([one], &tiers()));
}

#[test]
fn outcomes_that_are_all_alike_leave_a_probability() {
    let options: Vec<String> = (0..64).map(|at| format!("option {at}")).collect();
    let votes = |option: Option<&'static str>| {
        let names: [&'static str; 3] = ["a", "b", "c"];
        names.map(|name| Vote { option, ..vote(name, 1, "") }).to_vec()
    };
    let each: Vec<Vote<'_>> = ["a", "b", "c"].into_iter().zip(&options).map(|(name, one)| vote(name, 1, one)).collect();
    let schools = [
        ("right", votes(Some("A")), "A"),
        ("wrong", votes(Some("B")), "A"),
        ("silent", votes(None), "A"),
        ("alone", votes(Some("A"))[..1].to_vec(), "A"),
        ("apart", each, "option 63"),
    ];
    for (name, votes, right) in schools {
        let taught = (0..250).map(|_| Lesson { options: 64, ..lesson("", &votes, right) });
        let known = Knowledge::learn(taught, &tiers());
        assert!(known.is_enough(), "{name}");
        for member in ["a", "unseen"] {
            let reliability = known.reliability(member, 1, "", &tiers());
            assert!((0.02..=0.98).contains(&reliability) && known.weight(member, 1, "", &tiers()) > 0, "{name}");
        }
        let asked = crate::consensus::choice::Asked { topic: "", options: 64 };
        let choice = crate::consensus::choice::decide(&votes, &asked, &known, &tiers());
        assert_eq!(choice.winner.is_some(), name != "silent");
        let chance = choice.confidence.as_f64();
        let bounds = match name {
            "right" | "alone" => 0.8..=1.0,
            "silent" => 0.0..=0.0,
            _ => 0.0..=0.2,
        };
        assert!(bounds.contains(&chance), "{name}: {chance}");
        assert_eq!(choice.learned, Some(250), "{name}");
    }
}
