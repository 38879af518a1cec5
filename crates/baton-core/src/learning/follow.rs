//! Whether a team decides better than its best member.
//!
//! Where one member is far above the others, leaving it costs as much as it wins. Whether it wins shows on lessons that
//! the weights were not learned from; where it does not, that member is followed.

use std::collections::BTreeMap;

use super::Lesson;
use super::held_out::HeldOut;

/// Standard errors that a gain over the best member must come to.
const CERTAIN: f64 = 2.0;
/// With fewer lessons nobody is followed: a team's usual gain of two points, on about a seventh of the lessons decided
/// otherwise than by the best member, comes to two standard errors from about a thousand lessons on.
const FEWEST: usize = 1_000;

/// The member with most right answers, where decisions on held-out lessons are not right more often than it by two
/// standard errors (of a difference of paired outcomes: McNemar 1947).
pub(super) fn learn(held_out: &HeldOut<'_, '_>) -> Option<String> {
    if held_out.lessons.len() < FEWEST {
        return None;
    }
    let best = best_single(held_out.lessons);
    let (mut gain, mut variance) = (0.0, 0.0);
    for (lesson, choice) in held_out.decided(None) {
        let (weight, decided, alone) = (lesson.weight(), choice.winner == Some(lesson.right), is_right(lesson, best));
        if decided != alone {
            gain += if decided { weight } else { -weight };
            variance += weight * weight;
        }
    }
    // Where nobody was ever right there is nobody to follow.
    (gain <= CERTAIN * libm::sqrt(variance) && !best.is_empty()).then(|| best.to_owned())
}

/// The member with most right answers, of equal ones the first by name.
fn best_single<'a>(lessons: &[Lesson<'a>]) -> &'a str {
    let mut right: BTreeMap<&str, f64> = BTreeMap::new();
    for lesson in lessons {
        for vote in lesson.votes.iter().filter(|vote| vote.option == Some(lesson.right)) {
            *right.entry(vote.member).or_default() += lesson.weight();
        }
    }
    let mut best = ("", 0.0);
    for (member, weight) in right {
        if weight > best.1 {
            best = (member, weight);
        }
    }
    best.0
}

fn is_right(lesson: &Lesson<'_>, member: &str) -> bool {
    lesson.votes.iter().any(|vote| vote.member == member && vote.option == Some(lesson.right))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rules;
    use crate::learning::Vote;

    /// Lessons on which member number `at` is right where `right` says so; the wrong ones say each something else.
    fn lessons(count: usize, right: impl Fn(usize, usize) -> bool) -> Vec<Lesson<'static>> {
        const NAMES: [(&str, &str); 4] = [("a", "A"), ("b", "B"), ("c", "C"), ("d", "D")];
        let vote = |index: usize, at: usize| {
            let (member, wrong) = NAMES[at];
            Vote { tier: 3, member, family: member, option: Some(if right(index, at) { "R" } else { wrong }) }
        };
        let lesson = |index: usize| Lesson {
            topic: "",
            options: 5,
            votes: (0..4).map(|at| vote(index, at)).collect(),
            right: "R",
            age: 0,
            changed: vec![],
        };
        (0..count).map(lesson).collect()
    }

    fn learned(lessons: &[Lesson<'_>]) -> Option<String> {
        let tiers = Rules::default().tier_reliability;
        learn(&HeldOut::of(lessons, &tiers).unwrap())
    }

    #[test]
    fn members_who_right_each_other_are_heard() {
        // Each is wrong on every fourth lesson, and never two of them.
        assert_eq!(learned(&lessons(FEWEST, |index, at| index / 5 % 4 != at)), None);
    }

    #[test]
    fn who_is_alone_in_being_right_is_followed() {
        let followed = learned(&lessons(FEWEST, |_, at| at == 2));
        assert_eq!(followed.as_deref(), Some("c"), "nobody is better than always right");
        assert_eq!(learned(&lessons(FEWEST, |_, _| false)), None, "nobody was ever right");
        assert_eq!(learned(&lessons(FEWEST - 1, |_, at| at == 2)), None, "too few to tell");
    }

    #[test]
    fn the_best_single_member_is_by_count_then_by_name() {
        assert_eq!(best_single(&lessons(12, |index, at| at == 2 || index % 2 == 0)), "c");
        assert_eq!(best_single(&lessons(12, |_, at| at > 0)), "b");
        assert_eq!(best_single(&[]), "");
    }

    #[test]
    fn an_old_lesson_says_less() {
        let mut faded = lessons(12, |index, at| at == usize::from(index < 7));
        assert_eq!(best_single(&faded), "b");
        faded.iter_mut().take(7).for_each(|lesson| lesson.age = 400);
        assert_eq!(best_single(&faded), "a");
    }
}
