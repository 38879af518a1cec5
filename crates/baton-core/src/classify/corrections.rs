//! What the user's corrections taught: shifts of the scores for words, forms and concepts of the prompts that were
//! taken for something else.
//!
//! Each correction is one step of a passive-aggressive learner (Crammer and others, 2006, PA-I): the scores of the
//! right kind and of its strongest rival are moved just so far that the right one leads by one, at most by
//! [`LARGEST_STEP`]. A prompt that is already read right with that lead changes nothing. Pieces of words are left out:
//! they would make a few corrections speak for every prompt.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::task::Kind;

use super::features::{Features, Group};
use super::model::{KINDS, Model};

/// How much a single correction can move.
const LARGEST_STEP: f64 = 0.5;

/// No more places are kept; those that say least are forgotten first.
const MOST_PLACES: usize = 4_096;

/// Shifts are kept in millionths, so that a stored correction is the same everywhere.
const UNIT: f64 = 1e6;

/// The user's corrections, folded. Plain data: it is frozen into a run's inputs, so that a replay sees what the run saw.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Corrections {
    /// From a feature's place to shifts by kind, in millionths of a score.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    shifts: BTreeMap<u32, BTreeMap<Kind, i64>>,
    /// How many prompts of each kind were seen, whether they changed something or not.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    counts: BTreeMap<Kind, u32>,
}

impl Corrections {
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.shifts.is_empty() && self.counts.is_empty()
    }

    /// How many prompts were learned from.
    #[must_use]
    pub fn count(&self) -> u32 {
        self.counts.values().sum()
    }

    /// Learns that this prompt is of this kind.
    pub fn learn(&mut self, model: &Model<'_>, prompt: &str, right: Kind) {
        *self.counts.entry(right).or_default() += 1;
        let features = Features::of(prompt);
        let mut scores = model.kinds(&features);
        self.shift(&features, &mut scores);
        let Some(rival) = Kind::ALL
            .iter()
            .copied()
            .filter(|kind| *kind != right)
            .reduce(|best, kind| if scores[kind as usize] > scores[best as usize] { kind } else { best })
        else {
            return;
        };
        let loss = 1.0 - (scores[right as usize] - scores[rival as usize]);
        let weight: f64 = spoken(&features).map(|(_, value)| value * value).sum();
        if loss <= 0.0 || weight <= 0.0 {
            return;
        }
        let step = (loss / (2.0 * weight)).min(LARGEST_STEP);
        for (bucket, value) in spoken(&features) {
            #[expect(clippy::cast_possible_truncation, reason = "a step times a value of at most a few")]
            let moved = libm::round(step * value * UNIT) as i64;
            let place = self.shifts.entry(bucket).or_default();
            *place.entry(right).or_default() += moved;
            *place.entry(rival).or_default() -= moved;
        }
        self.forget();
    }

    /// Adds what was learned to the scores of the kinds.
    pub(super) fn shift(&self, features: &Features, scores: &mut [f64; KINDS]) {
        for (bucket, value) in spoken(features) {
            for (kind, shift) in self.shifts.get(&bucket).into_iter().flatten() {
                scores[*kind as usize] += value * as_score(*shift);
            }
        }
    }

    /// Only what can matter for this prompt: classification with it is the same as with all. This is what a run keeps.
    #[must_use]
    pub fn about(&self, prompt: &str) -> Self {
        let features = Features::of(prompt);
        let shifts = spoken(&features)
            .filter_map(|(bucket, _)| self.shifts.get(&bucket).map(|kinds| (bucket, kinds.clone())))
            .collect();
        Self { shifts, counts: self.counts.clone() }
    }

    fn forget(&mut self) {
        while self.shifts.len() > MOST_PLACES {
            let strength = |kinds: &BTreeMap<Kind, i64>| kinds.values().map(|shift| shift.unsigned_abs()).max();
            let weakest = self.shifts.iter().min_by_key(|(bucket, kinds)| (strength(kinds), **bucket));
            let Some(bucket) = weakest.map(|(bucket, _)| *bucket) else { return };
            self.shifts.remove(&bucket);
        }
    }
}

#[expect(clippy::cast_precision_loss, reason = "far below 2^52")]
fn as_score(shift: i64) -> f64 {
    shift as f64 / UNIT
}

fn spoken(features: &Features) -> impl Iterator<Item = (u32, f64)> {
    features.items.iter().filter(|item| item.group != Group::Pieces).map(|item| (item.bucket, item.value))
}

#[cfg(test)]
mod tests {
    use super::super::{classify, classify_with, tests::task};
    use super::*;

    #[test]
    fn a_correction_carries_over_to_a_prompt_like_it() {
        let mut corrections = Corrections::default();
        let model = Model::shipped();
        for _ in 0..5 {
            corrections.learn(&model, "zurbify the frobnicator panel", Kind::Documentation);
        }
        let like = task("zurbify the frobnicator");
        assert_ne!(classify(&like).kind, Kind::Documentation);
        let seen = classify_with(&like, &corrections);
        assert_eq!(seen.kind, Kind::Documentation);
        assert!(seen.reasons.iter().any(|reason| reason.contains("corrections")), "{:?}", seen.reasons);
        assert_eq!(corrections.count(), 5);
    }

    #[test]
    fn what_is_read_right_with_a_lead_changes_nothing() {
        let mut corrections = Corrections::default();
        corrections.learn(&Model::shipped(), "README for this package, for newcomers", Kind::Documentation);
        let once = corrections.shifts.clone();
        for _ in 0..30 {
            corrections.learn(&Model::shipped(), "README for this package, for newcomers", Kind::Documentation);
        }
        let settled = corrections.shifts.clone();
        corrections.learn(&Model::shipped(), "README for this package, for newcomers", Kind::Documentation);
        assert_eq!(settled, corrections.shifts);
        assert!(once.len() <= settled.len());
    }

    #[test]
    fn what_a_run_keeps_decides_the_same() {
        let mut corrections = Corrections::default();
        for (prompt, kind) in [
            ("sharpen the pencils in module a", Kind::Refactoring),
            ("who sharpened module b", Kind::CodebaseAnalysis),
            ("is module c sharp enough", Kind::CodeReview),
        ] {
            corrections.learn(&Model::shipped(), prompt, kind);
        }
        let asked = task("sharpen module d");
        let kept = corrections.about(&asked.prompt);
        assert!(kept.shifts.len() < corrections.shifts.len());
        assert_eq!(classify_with(&asked, &kept), classify_with(&asked, &corrections));
        let stored = serde_json::to_string(&corrections).unwrap();
        assert_eq!(serde_json::from_str::<Corrections>(&stored).unwrap(), corrections);
        assert_eq!(serde_json::from_str::<Corrections>("{}").unwrap(), Corrections::default());
    }

    #[test]
    fn places_are_bounded() {
        let mut corrections = Corrections::default();
        for place in 0..5_000_u32 {
            corrections.shifts.insert(place, BTreeMap::from([(Kind::QuickFix, i64::from(place))]));
        }
        corrections.forget();
        assert_eq!(corrections.shifts.len(), MOST_PLACES);
        assert!(!corrections.shifts.contains_key(&0), "the weakest go first");
    }
}
