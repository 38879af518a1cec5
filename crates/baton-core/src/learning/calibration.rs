//! From the chance that a fit gives to the chance that was seen.
//!
//! Weights that were fitted to lessons know these lessons better than the next ones, the more so the more members there
//! are. So a logistic curve is fitted to decisions on lessons that their weights were not learned from (Platt 1999).

use super::held_out::HeldOut;
use super::newton::{self, Example, Pull};
use super::{Lesson, fit};
use crate::consensus::choice::Choice;

/// How strongly the constant, the slope and the effect of each further option held are drawn to no change.
const STRENGTHS: [f64; 3] = [5.0, 20.0, 20.0];
/// A surer fit always stays a surer decision.
const LEAST_SLOPE: f64 = 0.1;
/// Chances beyond these have no log-odds that could be learned from.
const BOUNDS: (f64, f64) = (0.001, 0.999);

/// The constant, the slope less one, and the effect of each further option held, in millionths of log-odds, of
/// decisions in which that member is followed.
pub(super) fn learn(held_out: &HeldOut<'_, '_>, follow: Option<&str>) -> [i64; 3] {
    let examples: Vec<Example> =
        held_out.decided(follow).filter_map(|(lesson, choice)| example(lesson, &choice)).collect();
    let centres = [0.0, 1.0, 0.0];
    let pulls: Vec<Pull> =
        centres.into_iter().zip(STRENGTHS).map(|(centre, strength)| Pull { centre, strength }).collect();
    let fitted = newton::fit(&examples, &pulls);
    let of = |index: usize| fitted.get(index).copied().unwrap_or_default();
    [of(0), of(1).max(LEAST_SLOPE) - 1.0, of(2)].map(fit::millionths)
}

fn example(lesson: &Lesson<'_>, choice: &Choice<'_>) -> Option<Example> {
    let winner = choice.winner?;
    let row = features(choice.confidence.as_f64(), held(choice)).into_iter().enumerate().collect();
    let right = usize::from(winner != lesson.right);
    Some(Example { alternatives: vec![row, Vec::new()], right, weight: lesson.weight() })
}

/// How many options somebody holds.
fn held(choice: &Choice<'_>) -> usize {
    let mut options: Vec<&str> = choice.votes.iter().map(|vote| vote.option).collect();
    options.sort_unstable();
    options.dedup();
    options.len()
}

#[expect(clippy::cast_precision_loss, reason = "a count of options")]
fn features(chance: f64, held: usize) -> [f64; 3] {
    let chance = chance.clamp(BOUNDS.0, BOUNDS.1);
    [1.0, libm::log(chance / (1.0 - chance)), held as f64 - 1.0]
}

/// A chance as it was seen to come true, when so many options are held.
pub(super) fn apply(calibration: [i64; 3], chance: f64, held: usize) -> f64 {
    if calibration == [0; 3] {
        return chance;
    }
    let [constant, slope, further] = calibration.map(super::in_units);
    let log_odds: f64 =
        [constant, slope + 1.0, further].iter().zip(features(chance, held)).map(|(by, feature)| by * feature).sum();
    1.0 / (1.0 + libm::exp(-log_odds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rules;
    use crate::consensus::choice::{self, Asked};
    use crate::learning::{Knowledge, Tiers, Vote};

    fn tiers() -> Tiers {
        Rules::default().tier_reliability
    }

    #[test]
    fn without_lessons_a_chance_stays_as_it_is() {
        assert!((apply([0; 3], 0.73, 3) - 0.73).abs() < 1e-12);
        assert!(HeldOut::of(&[], &tiers()).is_none());
    }

    #[test]
    fn the_surer_stays_surer_and_within_bounds() {
        let curve = [200_000, -900_000, 50_000];
        let chances = [0.0, 0.2, 0.5, 0.8, 1.0].map(|chance| apply(curve, chance, 2));
        assert!(chances.windows(2).all(|pair| pair[0] < pair[1]), "{chances:?}");
        assert!(chances.iter().all(|chance| (0.0..=1.0).contains(chance)));
    }

    #[test]
    fn members_who_only_guess_are_not_believed() {
        // Twelve members who agree at random: what the weights make of it does not hold on other lessons.
        let names: Vec<String> = (0..12).map(|index| format!("m{index:02}")).collect();
        let option = |index: usize| if (index * index / 7 + index / 3).is_multiple_of(2) { "A" } else { "B" };
        let lesson = |index: usize| {
            let vote = |(seat, name): (usize, _)| Vote {
                tier: 3,
                member: name,
                family: "",
                option: Some(option(index * 31 + seat * 17)),
            };
            let votes = (0..).zip(names.iter().map(String::as_str)).map(vote).collect();
            Lesson { topic: "", options: 2, votes, right: option(index * 13 + 5), age: 0, changed: vec![] }
        };
        let lessons: Vec<Lesson<'_>> = (0..400).map(lesson).collect();
        let raw = fit::fit(&lessons, &tiers());
        let calibration = learn(&HeldOut::of(&lessons, &tiers()).unwrap(), None);
        let knowledge = Knowledge { calibration, ..raw.clone() };
        let mean = |knowledge: &Knowledge| {
            let asked = Asked { topic: "", options: 2 };
            let decided = lessons.iter().map(|lesson| choice::decide(&lesson.votes, &asked, knowledge, &tiers()));
            decided.map(|choice| choice.confidence.as_f64()).sum::<f64>() / 400.0
        };
        assert!(mean(&knowledge) < mean(&raw), "{} {}", mean(&knowledge), mean(&raw));
    }
}
