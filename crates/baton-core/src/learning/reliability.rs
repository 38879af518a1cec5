//! How often a member is right, from its own record, its record elsewhere and its tier.

use serde::{Deserialize, Serialize};

use super::Tiers;

/// How many lessons a tier counts for against a member's own record. Chosen by cross-validation, see
/// `docs/decisions.md`: with fewer, thirty lessons do more harm than good.
pub(super) const TIER_STRENGTH: f64 = 60.0;
/// How many lessons on a topic a member's record over all topics counts for.
pub(super) const TOPIC_STRENGTH: f64 = 20.0;

/// A record of right and of all answers, in millionths, as old ones count less.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct Counts {
    pub right: u64,
    pub asked: u64,
}

impl Counts {
    pub(super) fn add(&mut self, right: bool, weight: f64) {
        let millionths = whole(weight);
        self.asked = self.asked.saturating_add(millionths);
        if right {
            self.right = self.right.saturating_add(millionths);
        }
    }

    /// The mean of the Beta distribution that begins with `strength` lessons of the expected share.
    pub(super) fn reliability(self, expected: f64, strength: f64) -> f64 {
        (lessons(self.right) + strength * expected) / (lessons(self.asked) + strength)
    }

    /// How many lessons it is worth.
    pub(super) fn lessons(self) -> f64 {
        lessons(self.asked)
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^53")]
fn lessons(millionths: u64) -> f64 {
    millionths as f64 / 1e6
}

#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a weight from 0 to 1")]
fn whole(weight: f64) -> u64 {
    libm::round(weight.clamp(0.0, 1.0) * 1e6) as u64
}

pub(crate) fn tier_reliability(tiers: &Tiers, tier: u8) -> f64 {
    bounded(tiers[usize::from(tier.clamp(1, 5)) - 1].as_f64())
}

/// No record is so good or so bad that its odds leave all others without a voice.
fn bounded(reliability: f64) -> f64 {
    reliability.clamp(0.02, 0.98)
}

pub(super) fn log_odds(reliability: f64) -> f64 {
    let reliability = bounded(reliability);
    libm::log(reliability / (1.0 - reliability))
}

/// A reliability moved by log-odds in millionths.
pub(super) fn shifted(reliability: f64, shift: i64) -> f64 {
    #[expect(clippy::cast_precision_loss, reason = "a shift is a few units")]
    let moved = log_odds(reliability) + shift as f64 / 1e6;
    bounded(1.0 / (1.0 + libm::exp(-moved)))
}

/// (odds of being right) squared, in millionths: 9.0 for three right of four.
pub(crate) fn odds_squared(reliability: f64) -> i64 {
    let odds = bounded(reliability) / (1.0 - bounded(reliability));
    #[expect(clippy::cast_possible_truncation, reason = "at most 49 squared")]
    let millionths = libm::round(odds * odds * 1e6) as i64;
    millionths
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::catalog::Rules;

    #[test]
    fn a_record_moves_slowly_from_what_was_expected() {
        let mut counts = Counts::default();
        assert!((counts.reliability(0.75, 60.0) - 0.75).abs() < 1e-9);
        (0..60).for_each(|_| counts.add(false, 1.0));
        assert!((counts.reliability(0.75, 60.0) - 0.375).abs() < 1e-9);
        assert_eq!(counts, Counts { right: 0, asked: 60_000_000 });
        assert!((counts.lessons() - 60.0).abs() < 1e-9);
    }

    #[test]
    fn weights_fall_steeply_and_stay_finite() {
        let tiers = Rules::default().tier_reliability;
        let weights: Vec<i64> = (1..=5).map(|tier| odds_squared(tier_reliability(&tiers, tier))).collect();
        assert_eq!(weights[0], 9_000_000);
        assert!(weights.windows(2).all(|pair| pair[0] > pair[1]) && weights[4] < weights[0] / 10, "{weights:?}");
        assert_eq!(odds_squared(1.0), odds_squared(0.98));
        assert_eq!(odds_squared(f64::NAN), 0, "a broken reliability weighs nothing");
        assert!(odds_squared(0.0) > 0);
    }

    #[test]
    fn a_shift_moves_every_tier_the_same_way() {
        assert!((shifted(0.75, 0) - 0.75).abs() < 1e-9);
        assert!(shifted(0.75, -500_000) < 0.75 && shifted(0.45, 500_000) > 0.45);
    }
}
