//! The committed coefficients: two linear models (kind and complexity) over the hashed features of a prompt, and the
//! temperatures that make their softmax say how often they are right.
//!
//! Multinomial logistic regression with an L2 penalty; `cargo xtask train-classifier` makes the file from
//! `training/`, byte for byte the same each time. The bytes are used as they lie: nothing is parsed at start.
//!
//! Shape of the file, little-endian: the eight bytes `BATONKC1`; two temperatures (f32); for each of the 15 outputs a
//! bias and a scale (f32 each), kinds first in the order of [`Kind::ALL`], then complexities; then for each bucket 15
//! weights (i8), each to be multiplied with its output's scale.

use crate::task::{Complexity, Kind};

use super::features::{BUCKETS, Features};

/// Outputs for kinds and for complexities.
pub const KINDS: usize = Kind::ALL.len();
pub const COMPLEXITIES: usize = Complexity::ALL.len();
pub const OUTPUTS: usize = KINDS + COMPLEXITIES;

pub const MAGIC: &[u8; 8] = b"BATONKC1";
const HEAD: usize = MAGIC.len() + 4 * (2 + 2 * OUTPUTS);

/// The length of a model's file in bytes.
pub const BYTES: usize = HEAD + BUCKETS * OUTPUTS;

const SHIPPED: &[u8] = include_bytes!("model.bin");

/// Coefficients, borrowed from their bytes.
#[derive(Clone, Copy, Debug)]
pub struct Model<'a> {
    head: &'a [u8],
    weights: &'a [u8],
}

impl Model<'static> {
    /// The model that goes with this version. Were its bytes no model, every task would be unsure.
    #[must_use]
    pub fn shipped() -> Self {
        Model::read(SHIPPED).unwrap_or(Model { head: &[], weights: &[] })
    }
}

impl<'a> Model<'a> {
    /// `None` unless the bytes have the shape described above.
    #[must_use]
    pub fn read(bytes: &'a [u8]) -> Option<Self> {
        if bytes.len() != BYTES || !bytes.starts_with(MAGIC) {
            return None;
        }
        let (head, weights) = bytes.split_at(HEAD);
        Some(Self { head, weights })
    }

    fn number(&self, at: usize) -> f64 {
        let start = MAGIC.len() + 4 * at;
        let bytes = self.head.get(start..start + 4).and_then(|bytes| bytes.try_into().ok());
        bytes.map_or(0.0, |bytes| f64::from(f32::from_le_bytes(bytes)))
    }

    /// How much a feature of value one in this bucket speaks for an output.
    #[must_use]
    pub fn weight(&self, bucket: u32, output: usize) -> f64 {
        let byte = self.weights.get(bucket as usize * OUTPUTS + output).copied().unwrap_or(0);
        f64::from(byte.cast_signed()) * self.number(2 + 2 * output + 1)
    }

    fn score(&self, features: &Features, output: usize) -> f64 {
        let bias = self.number(2 + 2 * output);
        bias + features.items.iter().map(|item| item.value * self.weight(item.bucket, output)).sum::<f64>()
    }

    /// One score for each of [`Kind::ALL`], before the softmax.
    #[must_use]
    pub fn kinds(&self, features: &Features) -> [f64; KINDS] {
        std::array::from_fn(|kind| self.score(features, kind))
    }

    /// One score for each of [`Complexity::ALL`], before the softmax.
    #[must_use]
    pub fn complexities(&self, features: &Features) -> [f64; COMPLEXITIES] {
        std::array::from_fn(|complexity| self.score(features, KINDS + complexity))
    }

    /// Scores of kinds as probabilities.
    #[must_use]
    pub fn kind_probabilities(&self, scores: &[f64]) -> Vec<f64> {
        softmax(scores, self.number(0))
    }

    /// Scores of complexities as probabilities.
    #[must_use]
    pub fn complexity_probabilities(&self, scores: &[f64]) -> Vec<f64> {
        softmax(scores, self.number(1))
    }
}

/// Softmax of the scores divided by the temperature; flat when the temperature is not above zero.
#[must_use]
pub fn softmax(scores: &[f64], temperature: f64) -> Vec<f64> {
    let highest = scores.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let share = |score: f64| if temperature > 0.0 { libm::exp((score - highest) / temperature) } else { 1.0 };
    let shares: Vec<f64> = scores.iter().map(|score| share(*score)).collect();
    let total: f64 = shares.iter().sum();
    shares.into_iter().map(|share| share / total).collect()
}

/// The place of the highest; the first of equals.
#[must_use]
pub fn highest(values: &[f64]) -> usize {
    let mut best = 0;
    for (at, value) in values.iter().enumerate() {
        if *value > values[best] {
            best = at;
        }
    }
    best
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_shipped_bytes_are_a_model() {
        assert!(Model::read(SHIPPED).is_some(), "run `cargo xtask train-classifier`");
        let model = Model::shipped();
        assert!(model.number(0) > 0.0 && model.number(1) > 0.0);
    }

    #[test]
    fn bytes_of_another_shape_are_refused_and_a_missing_model_is_flat() {
        assert!(Model::read(b"BATONKC1").is_none());
        let mut wrong = SHIPPED.to_vec();
        wrong[0] = b'X';
        assert!(Model::read(&wrong).is_none());
        let none = Model { head: &[], weights: &[] };
        let flat = none.kind_probabilities(&none.kinds(&Features::of("split this file")));
        assert!(flat.iter().all(|share| (share - 1.0 / 12.0).abs() < 1e-9));
    }

    #[test]
    fn a_softmax_sums_to_one_and_a_higher_temperature_is_less_sure() {
        let cold = softmax(&[1.0, 3.0, 2.0], 0.5);
        let warm = softmax(&[1.0, 3.0, 2.0], 2.0);
        assert!((cold.iter().sum::<f64>() - 1.0).abs() < 1e-12);
        assert!(cold[1] > warm[1]);
        assert_eq!((highest(&cold), highest(&[2.0, 2.0])), (1, 0));
        assert!(softmax(&[1000.0, -1000.0], 1.0).iter().all(|share| share.is_finite()));
    }
}
