//! What a decision looks at, the same while learning and while deciding.

use super::Vote;

/// How alike the errors of one family are: its n-th vote for an option counts 1 / (1 + this x (n - 1)).
const FAMILY_CORRELATION: f64 = 0.5;
/// Log-odds that the vote of the most reliable member stands for, before anything is learned.
pub(crate) const SCALE: f64 = 1.75;
/// The log-odds that no option held is right, by [`Shape::features`], before anything is learned: fitted on the
/// training halves of development panels, see `docs/decisions.md`.
pub(crate) const NONE_RIGHT: [f64; Shape::FEATURES] = [1.7, -0.16, -0.15, 0.5];

/// Nine options, which `NONE_RIGHT` is centred on, as a logarithm.
const USUAL_OPTIONS: f64 = 2.197_225;

/// How the votes fall, whoever cast them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Shape {
    /// Options that somebody holds.
    pub(crate) held: usize,
    /// Votes for the option that has most.
    pub(crate) most: usize,
    /// Options there were to choose from.
    pub(crate) options: usize,
}

impl Shape {
    pub(crate) const FEATURES: usize = 4;

    #[expect(clippy::cast_precision_loss, reason = "counts of votes")]
    pub(crate) fn features(self) -> [f64; Self::FEATURES] {
        let options = libm::log(self.options.clamp(1, 1_000) as f64) - USUAL_OPTIONS;
        [1.0, self.held as f64 - 1.0, self.most as f64 - 1.0, options]
    }
}

/// The options that somebody holds, in the order of their strongest supporter, and how the votes fall on them.
pub(crate) fn held<'a>(votes: &[Vote<'a>], options: usize) -> (Vec<&'a str>, Shape) {
    let mut held: Vec<(&str, usize)> = Vec::new();
    for option in votes.iter().filter_map(|vote| vote.option) {
        match held.iter_mut().find(|(known, _)| *known == option) {
            Some((_, count)) => *count += 1,
            None => held.push((option, 1)),
        }
    }
    let most = held.iter().map(|(_, count)| *count).max().unwrap_or(0);
    let shape = Shape { held: held.len(), most, options: options.max(held.len()) };
    (held.into_iter().map(|(option, _)| option).collect(), shape)
}

/// What each vote counts within its family, as a share: the heaviest vote for an option in full, the next ones less.
pub(crate) fn discounts(votes: &[Vote<'_>], weights: &[i64]) -> Vec<f64> {
    let ranks = (0..votes.len()).map(|this| {
        let before = |other: &usize| {
            let same = votes[*other].option == votes[this].option && votes[*other].family == votes[this].family;
            let heavier = weights[*other] > weights[this] || (weights[*other] == weights[this] && *other < this);
            // Without a family a member is of its own.
            same && heavier && !votes[this].family.is_empty()
        };
        (0..votes.len()).filter(before).count()
    });
    #[expect(clippy::cast_precision_loss, reason = "counts of votes")]
    let share = |rank: usize| 1.0 / (1.0 + FAMILY_CORRELATION * rank as f64);
    ranks.map(share).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn vote<'a>(member: &'a str, family: &'a str, option: Option<&'a str>) -> Vote<'a> {
        Vote { tier: 1, member, family, option }
    }

    #[test]
    fn the_heaviest_of_a_family_counts_in_full_and_dissent_within_it_too() {
        let votes = [
            vote("a", "x", Some("A")),
            vote("b", "x", Some("A")),
            vote("c", "x", Some("B")),
            vote("d", "x", Some("A")),
            vote("e", "", Some("A")),
            vote("f", "", Some("A")),
        ];
        let shares = discounts(&votes, &[5, 9, 1, 5, 1, 1]);
        assert_eq!(shares, [1.0 / 1.5, 1.0, 1.0, 0.5, 1.0, 1.0]);
    }

    #[test]
    fn the_shape_counts_options_and_votes() {
        let votes =
            [vote("a", "x", Some("B")), vote("b", "x", None), vote("c", "x", Some("A")), vote("d", "", Some("A"))];
        let (options, shape) = held(&votes, 9);
        assert_eq!(options, ["B", "A"]);
        assert_eq!(shape, Shape { held: 2, most: 2, options: 9 });
        assert!(shape.features()[3].abs() < 1e-6);
        assert_eq!(held(&[], 0).1, Shape { held: 0, most: 0, options: 0 });
        assert!(held(&[], 0).1.features().iter().all(|feature| feature.is_finite()));
    }
}
